/*
 * Shared by the judgements, see judge.h. Text of the canary is only ever compared, never trusted to
 * be well-formed.
 */
#include "selftest/judge.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char *judge_error(int error, char text[32])
{
	const char *name = strerrorname_np(error);

	if (name)
		snprintf(text, 32, "%s", name);
	else
		snprintf(text, 32, "errno %d", error);
	return text;
}

bool judge_errno(const struct evidence *evidence, struct result *result)
{
	const struct observation *target = evidence->target;
	char name[32];

	if (!target->done) {
		snprintf(result->observed, sizeof(result->observed), "no answer");
		return false;
	}
	if (target->value >= 0) {
		snprintf(result->observed, sizeof(result->observed), "returned %lld",
			 (long long)target->value);
		return false;
	}
	snprintf(result->observed, sizeof(result->observed), "%s",
		 judge_error(target->error, name));
	for (size_t i = 0; i < CASE_ERRNOS_MAX; i++)
		if (target->error && result->row->contained[i] == target->error)
			return true;
	return false;
}

bool judge_undecided(struct result *result, enum verdict verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(result->reason, sizeof(result->reason), format, args);
	va_end(args);
	result->verdict = verdict;
	return false;
}

void judge_fact(const struct observation *observation, const char *key, char *value, size_t size)
{
	size_t len = strlen(key);

	for (const char *word = observation->text; *word; word += strcspn(word, " ")) {
		word += strspn(word, " ");
		if (strncmp(word, key, len) == 0 && word[len] == '=') {
			word += len + 1;
			snprintf(value, size, "%.*s", (int)strcspn(word, " "), word);
			return;
		}
	}
	*value = '\0';
}

bool judge_option(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; *list; list += strcspn(list, ",")) {
		list += strspn(list, ",");
		if (strcspn(list, ",") == len && strncmp(list, word, len) == 0)
			return true;
	}
	return false;
}

bool judge_beneath(const char *path, const char *parent)
{
	size_t len = strlen(parent);

	while (len && parent[len - 1] == '/')
		len--;
	return strncmp(path, parent, len) == 0 && (path[len] == '/' || !path[len]);
}

const struct posture_mount *judge_mount(const struct posture *posture, const char *path)
{
	const struct posture_mount *best = NULL;

	/* of several on one place the last is on top */
	for (size_t i = 0; posture && i < posture->mounts_len; i++)
		if (judge_beneath(path, posture->mounts[i].destination) &&
		    (!best || strlen(posture->mounts[i].destination) >= strlen(best->destination)))
			best = &posture->mounts[i];
	return best;
}

bool judge_host_has(const char *path)
{
	struct stat st;
	size_t entries = 0;
	DIR *dir;

	if (stat(path, &st) < 0)
		return false;
	dir = S_ISDIR(st.st_mode) ? opendir(path) : NULL;
	while (dir && readdir(dir))
		entries++;
	if (dir)
		closedir(dir);
	return !dir || entries > 2; /* "." and ".." */
}
