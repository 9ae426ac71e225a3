/*
 * Judgements of the rows on limits, with an invented cgroup; and what is lowered so that limits are
 * felt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "selftest/judges.h"
#include "selftest/limits.h"
#include "spec/json.h"

/* --- the quota of a processor ---------------------------------------------------------------- */

/* A directory with these files, as a cgroup is one. `path` is a template of mkdtemp(3). */
static int make_cgroup(char *path, const char *max, unsigned throttled)
{
	char stat[32];
	struct err err;
	int dir;

	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(stat, sizeof(stat), "nr_throttled %u\n", throttled);
	assert_true(dir >= 0);
	assert_int_equal(file_replace(dir, "cpu.max", max, strlen(max), 0600, &err), 0);
	assert_int_equal(file_replace(dir, "cpu.stat", stat, strlen(stat), 0600, &err), 0);
	return dir;
}

/* What is said of 600 ms in which the target and the control computed for so long. */
static enum verdict judge_burnt(int64_t target_ms, int64_t control_ms, unsigned throttled,
				const char *max)
{
	const struct observation target = { .done = true, .value = target_ms };
	const struct observation control = { .done = true,
					     .value = control_ms,
					     .microseconds = 600000 };
	const struct spec spec = { .linux.resources.cpu.quota = { .set = true, .value = 25000 } };
	char path[] = "/tmp/agentd-test-XXXXXX";
	autoclose int cgroup = make_cgroup(path, max, throttled);
	const struct evidence evidence = {
		.target = &target, .control = &control, .spec = &spec, .cgroup = cgroup
	};
	struct result result = { .row = case_find("cg.cpu") };
	bool contained;

	assert_non_null(result.row);
	contained = judge_row(&evidence, &result);
	unlinkat(cgroup, "cpu.max", 0);
	unlinkat(cgroup, "cpu.stat", 0);
	rmdir(path);
	return contained || result.verdict ? result.verdict : VERDICT_FAIL;
}

static void quota_is_felt_or_not(void **state)
{
	static const char quarter[] = "25000 100000\n", none[] = "max 100000\n";

	(void)state;
	assert_int_equal(judge_burnt(150, 600, 5, quarter), VERDICT_PASS);
	assert_int_equal(judge_burnt(600, 600, 0, quarter), VERDICT_FAIL);
	assert_int_equal(judge_burnt(600, 600, 0, none), VERDICT_FAIL);
	/* Others compute too: neither could have taken more. */
	assert_int_equal(judge_burnt(110, 120, 0, quarter), VERDICT_INCONCLUSIVE);
	assert_int_equal(judge_burnt(110, 120, 1, quarter), VERDICT_INCONCLUSIVE);
	/* A machine that is busy is no excuse for a quota that is not there. */
	assert_int_equal(judge_burnt(110, 120, 0, none), VERDICT_FAIL);
}

/* --- lowered limits -------------------------------------------------------------------------- */

/* Of a configuration with these resources, the patch as text. */
static const char *patch_of(struct arena *arena, const char *resources)
{
	const char *text = arena_format(arena,
					"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},"
					"\"process\":{\"cwd\":\"/\",\"args\":[\"true\"]},"
					"\"linux\":{\"resources\":%s}}",
					resources);
	struct spec *spec;
	struct err err;

	if (spec_parse(text, strlen(text), arena, &spec, &err) < 0)
		fail_msg("%s: %s", resources, err.text);
	return limits_patch(spec, arena);
}

static void limits_are_only_lowered(void **state)
{
	static const struct {
		const char *resources, *lowered;
	} rows[] = {
		/* clang-format off */
		{ "{}", "{}" },
		{ "{\"pids\":{\"limit\":100}}", "{\"pids\":{\"limit\":16}}" },
		{ "{\"pids\":{\"limit\":8}}", "{}" },
		{ "{\"memory\":{\"limit\":1073741824}}", "{\"memory\":{\"limit\":33554432}}" },
		{ "{\"memory\":{\"limit\":16777216}}", "{}" },
		{ "{\"cpu\":{\"quota\":50000,\"period\":100000}}", "{\"cpu\":{\"quota\":25000,\"period\":100000}}" },
		{ "{\"cpu\":{\"quota\":50000}}", "{\"cpu\":{\"quota\":25000,\"period\":100000}}" },
		{ "{\"cpu\":{\"quota\":20000,\"period\":100000}}", "{}" },
		{ "{\"cpu\":{\"quota\":20000,\"period\":40000}}", "{\"cpu\":{\"quota\":25000,\"period\":100000}}" },
		{ "{\"cpu\":{\"quota\":50000,\"burst\":50000}}", "{\"cpu\":{\"quota\":25000,\"period\":100000,\"burst\":0}}" },
		{ "{\"cpu\":{\"quota\":-1}}", "{}" },
		/* clang-format on */
	};
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *expected =
			arena_format(arena, "{\"linux\":{\"resources\":%s}}", rows[i].lowered);

		assert_string_equal(patch_of(arena, rows[i].resources), expected);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quota_is_felt_or_not),
		cmocka_unit_test(limits_are_only_lowered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
