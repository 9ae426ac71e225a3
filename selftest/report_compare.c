/*
 * A run against a JSON report of earlier: which attempts have become worse.
 *
 * Worse is less shown than before: what was contained and is skipped now counts, and so does what
 * is not in this run at all, if the run was asked for the same (profile, and nothing picked out).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "runtime/base/file.h"
#include "selftest/report_common.h"

/* How bad: that the kernel lacks something is as good as contained. */
static unsigned rank(enum verdict verdict)
{
	return verdict == VERDICT_NOT_APPLICABLE ? VERDICT_PASS : verdict;
}

static const char *member_text(const struct json *object, const char *key)
{
	const struct json *member = object && object->kind == JSON_OBJECT ? json_member(object, key)
									  : NULL;

	return member && member->kind == JSON_STRING ? member->text : "";
}

static const struct result *find(const struct selftest_run *run, const char *id)
{
	for (size_t i = 0; i < run->results_len; i++)
		if (strcmp(run->results[i].row->id, id) == 0)
			return &run->results[i];
	return NULL;
}

/* Whether everything of the earlier run should be in this one. */
static bool asked_the_same(const struct selftest_run *run, const struct json *before)
{
	return run->options->only.len + run->options->group.len == 0 &&
	       strcmp(member_text(json_member(before, "run"), "profile"), report_profile(run)) == 0;
}

static int load(const char *path, struct arena *arena, struct json **tree, struct err *err)
{
	const struct json *canaries;
	char *text;
	size_t size;

	if (file_read(AT_FDCWD, path, JSON_BYTES_MAX, arena, &text, &size, err) < 0)
		return -1;
	if (json_parse(text, size, arena, tree, err) < 0)
		return err_wrap(err, "%s", path);
	canaries = (*tree)->kind == JSON_OBJECT ? json_member(*tree, "canaries") : NULL;
	if (strcmp(member_text(*tree, "schema"), REPORT_SCHEMA) != 0 || !canaries ||
	    canaries->kind != JSON_ARRAY) {
		err_set(err, EINVAL, "%s: is not a report of selftest", path);
		return err_hint(err, "one is written by agentd selftest --format json");
	}
	return 0;
}

int report_compare(const struct selftest_run *run, const char *baseline, struct arena *arena,
		   const char **worse, struct err *err)
{
	struct json *before;
	bool complete;

	if (load(baseline, arena, &before, err) < 0)
		return err_wrap(err, "baseline");
	complete = asked_the_same(run, before);
	*worse = "";
	for (const struct json *canary = json_member(before, "canaries")->first; canary;
	     canary = canary->next) {
		const char *id = member_text(canary, "id");
		const struct result *now = find(run, id);
		uint64_t verdict;

		if (!name_value(verdict_names, member_text(canary, "verdict"), &verdict))
			return err_set(err, EINVAL,
				       "baseline: %s: %s has the unknown verdict \"%s\"", baseline,
				       id, member_text(canary, "verdict"));
		if (now ? rank(now->verdict) > rank(verdict)
			: complete && rank(verdict) == VERDICT_PASS)
			*worse = arena_format(arena, "%s%s\n", *worse, report_clean(id, arena));
	}
	return 0;
}
