/*
 * Shared by the judgements, see judge.h. Text of the canary is only ever compared, never trusted to
 * be well-formed.
 */
#include "selftest/judge.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "runtime/base/array.h"
#include "selftest/selftest.h"

const char *judge_error(int error, char text[32])
{
	const char *name = strerrorname_np(error);

	if (name)
		snprintf(text, 32, "%s", name);
	else
		snprintf(text, 32, "errno %d", error);
	return text;
}

bool judge_lists(const int errnos[CASE_ERRNOS_MAX], int error)
{
	for (size_t i = 0; error && i < CASE_ERRNOS_MAX; i++)
		if (errnos[i] == error)
			return true;
	return false;
}

bool judge_through(const struct selftest_case *row, const struct observation *seen)
{
	return seen->done && (seen->value >= 0 || judge_lists(row->through, seen->error));
}

bool judge_killed(const struct observation *seen, int signal)
{
	return seen->ended && !seen->done && WIFSIGNALED(seen->wait_status) &&
	       WTERMSIG(seen->wait_status) == signal;
}

/* ENOENT is the absence of a device or file of the host's own; a missing decoy proves nothing. */
static bool means_absent(const struct selftest_case *row, int error)
{
	static const int absences[] = {
		ENOSYS, EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, EOPNOTSUPP, ENODEV, ENXIO
	};

	for (size_t i = 0; i < ARRAY_LEN(absences); i++)
		if (error == absences[i])
			return true;
	return error == ENOENT && row->control == CONTROL_HOST;
}

bool judge_absent(const struct selftest_case *row, const struct observation *seen)
{
	return seen && seen->done && !judge_through(row, seen) && means_absent(row, seen->error);
}

void judge_describe(const struct observation *seen, char *text, size_t size)
{
	char name[32];

	if (seen->done && seen->value < 0)
		snprintf(text, size, "%s%s", judge_error(seen->error, name),
			 seen->error == ECANCELED ? " (what it needs could not be prepared)" : "");
	else if (seen->done)
		snprintf(text, size, "returned %lld%s%s", (long long)seen->value,
			 *seen->text ? ": " : "", seen->text);
	else if (seen->ended && WIFSIGNALED(seen->wait_status))
		snprintf(text, size, "killed by SIG%s",
			 sigabbrev_np(WTERMSIG(seen->wait_status)) ?: "?");
	else
		snprintf(text, size, "no answer");
}

bool judge_errno(const struct evidence *evidence, struct result *result)
{
	const struct selftest_case *row = result->row;
	const struct observation *target = evidence->target, *marker = evidence->marker;

	judge_describe(target, result->observed, sizeof(result->observed));
	if (judge_through(row, target))
		return false;
	if (judge_killed(target, SIGSYS))
		return row->layers & LAYER_SECCOMP ||
		       judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "the filter was in the way of what should stop it");
	if (!target->done)
		return judge_undecided(result, VERDICT_ERROR, "%s", result->observed);
	if (judge_lists(row->contained, target->error))
		return true;
	/* A profile may choose its errno: that it was the filter shows where that is replaced. */
	if (row->layers & LAYER_SECCOMP && marker && marker->done && marker->error == MARKER_ERRNO)
		return true;
	/* Nothing was contained, but there is nothing: verdict_make() says so. */
	if (judge_absent(row, evidence->control) && means_absent(row, target->error))
		return true;
	return judge_undecided(result, VERDICT_INCONCLUSIVE,
			       "%s is no refusal: the attempt did not get as far",
			       result->observed);
}

bool judge_paired(const struct evidence *evidence, struct result *result)
{
	char half[32];

	judge_fact(evidence->target, "pair", half, sizeof(half));
	if (strcmp(half, "ok") == 0)
		return true;
	return judge_undecided(result, VERDICT_INCONCLUSIVE,
			       "what is allowed did not work either: %s",
			       *half ? half : "nothing was said of it");
}

bool judge_limitation(const struct evidence *evidence, struct result *result)
{
	if (judge_errno(evidence, result))
		return true;
	if (!judge_through(result->row, evidence->target))
		return false;
	return judge_undecided(result, VERDICT_NOT_APPLICABLE, "known limit: %s",
			       result->row->limitation);
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
