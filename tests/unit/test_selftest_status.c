/*
 * The exit status of a run, and what it must never be: 0 where nothing was shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/base/array.h"
#include "selftest/selftest.h"

static const struct selftest_case live = { .id = "live.x", .group = "liveness" };
static const struct selftest_case filter = { .id = "sys.x",
					     .group = "kernel",
					     .layers = LAYER_SECCOMP };
static const struct selftest_case other_filter = { .id = "sys.y",
						   .group = "kernel",
						   .layers = LAYER_SECCOMP };
static const struct selftest_case limit = { .id = "cg.x",
					    .group = "limits",
					    .layers = LAYER_CGROUP };
static const struct selftest_case sysctl = { .id = "sys.z",
					     .group = "kernel",
					     .layers = LAYER_KERNEL };

#define PASS(case, layers)                                \
	{                                                 \
		.row = &case, .observed_layers = (layers) \
	}
#define IS(case, word)                                  \
	{                                               \
		.row = &case, .verdict = VERDICT_##word \
	}

static const char *allow_cgroups[] = { "cgroups" };

/* clang-format off */
static const struct {
	const char *what;
	struct result results[4];
	struct selftest_options options;
	struct selftest_run run; /* unmet, worse, broken */
	bool dead;
	int status;
} cases[] = {
	{ "contained", { PASS(live, 0), PASS(filter, LAYER_SECCOMP) }, .status = SELFTEST_CONTAINED },
	{ "with what does not apply", { PASS(filter, LAYER_SECCOMP), IS(limit, NOT_APPLICABLE) }, .status = SELFTEST_CONTAINED },
	{ "one got through", { PASS(filter, LAYER_SECCOMP), IS(limit, FAIL) }, .status = SELFTEST_ESCAPED },
	{ "worse than broken", { IS(filter, ERROR), IS(limit, FAIL) }, .status = SELFTEST_ESCAPED },
	{ "broken", { PASS(filter, LAYER_SECCOMP), IS(limit, ERROR) }, .status = SELFTEST_BROKEN },
	{ "broken before undecided", { IS(filter, INCONCLUSIVE), IS(limit, ERROR) }, .status = SELFTEST_BROKEN },
	{ "nothing ran", .status = SELFTEST_UNDECIDED },
	{ "all skipped", { IS(filter, SKIPPED) }, .status = SELFTEST_UNDECIDED },
	{ "nothing applies", { IS(filter, NOT_APPLICABLE) }, .status = SELFTEST_UNDECIDED },
	{ "only liveness", { PASS(live, 0) }, .status = SELFTEST_UNDECIDED },
	{ "liveness failed", { PASS(filter, LAYER_SECCOMP) }, .dead = true, .status = SELFTEST_UNDECIDED },
	{ "a layer without evidence", { PASS(filter, LAYER_SECCOMP), IS(limit, SKIPPED) }, .status = SELFTEST_UNDECIDED },
	{ "allowed to be skipped", { PASS(filter, LAYER_SECCOMP), IS(limit, SKIPPED) },
	  .options = { .allow_skip = { allow_cgroups, 1 } }, .status = SELFTEST_CONTAINED },
	{ "all allowed to be skipped", { IS(limit, SKIPPED) },
	  .options = { .allow_skip = { allow_cgroups, 1 } }, .status = SELFTEST_UNDECIDED },
	{ "a layer with evidence elsewhere", { PASS(filter, LAYER_SECCOMP), IS(other_filter, INCONCLUSIVE) }, .status = SELFTEST_CONTAINED },
	{ "the kernel needs none", { PASS(filter, LAYER_SECCOMP), IS(sysctl, INCONCLUSIVE) }, .status = SELFTEST_CONTAINED },
	{ "strict", { PASS(filter, LAYER_SECCOMP), IS(other_filter, INCONCLUSIVE) }, .options = { .strict = true }, .status = SELFTEST_UNDECIDED },
	{ "strict, skipped", { PASS(filter, LAYER_SECCOMP), IS(other_filter, SKIPPED) }, .options = { .strict = true }, .status = SELFTEST_UNDECIDED },
	{ "strict, allowed", { PASS(filter, LAYER_SECCOMP), IS(limit, SKIPPED) },
	  .options = { .strict = true, .allow_skip = { allow_cgroups, 1 } }, .status = SELFTEST_CONTAINED },
	{ "a requirement", { PASS(filter, LAYER_SECCOMP) }, .run = { .unmet = (const char *[]){ "landlock=9" }, .unmet_len = 1 },
	  .status = SELFTEST_ESCAPED },
	{ "a baseline", { PASS(filter, LAYER_SECCOMP) }, .run = { .worse = "sys.x\n" }, .status = SELFTEST_ESCAPED },
	{ "a baseline, the same", { PASS(filter, LAYER_SECCOMP) }, .run = { .worse = "" }, .status = SELFTEST_CONTAINED },
	{ "the harness", { PASS(filter, LAYER_SECCOMP) }, .run = { .broken = "why" }, .status = SELFTEST_BROKEN },
};
/* clang-format on */

static void test_status(void **state)
{
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct selftest_run run = cases[i].run;
		const char *why = NULL;
		int status;

		run.options = &cases[i].options;
		run.results = (struct result *)cases[i].results;
		while (run.results_len < 4 && run.results[run.results_len].row)
			run.results_len++;
		run.alive = !cases[i].dead;
		status = selftest_status(&run, arena, &why);
		if (status != cases[i].status)
			fail_msg("%s: %d (%s), not %d", cases[i].what, status, why,
				 cases[i].status);
		assert_non_null(why);
		assert_null(strchr(why, '\n'));
		assert_null(strstr(why, "secure"));
	}
	arena_free(arena);
}

/* Any of several layers stopped it: no evidence of each. */
static void test_shared_evidence(void **state)
{
	const struct selftest_case both = { .id = "a",
					    .group = "g",
					    .layers = LAYER_SECCOMP | LAYER_CGROUP };
	struct result results[] = {
		PASS(both, LAYER_SECCOMP | LAYER_CGROUP),
		IS(limit, SKIPPED),
	};
	const struct selftest_options options = { 0 };
	struct selftest_run run = {
		.options = &options, .results = results, .results_len = 2, .alive = true
	};
	struct arena *arena = arena_new(1 << 20);
	const char *why;

	(void)state;
	assert_int_equal(selftest_status(&run, arena, &why), SELFTEST_UNDECIDED);
	assert_non_null(strstr(why, "cgroup"));
	run.results_len = 1;
	assert_int_equal(selftest_status(&run, arena, &why), SELFTEST_CONTAINED);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_shared_evidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
