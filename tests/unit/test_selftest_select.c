/*
 * Which cases a run is of, what it requires and what it does without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/base/array.h"
#include "runtime/options.h"
#include "selftest/select.h"

static const struct selftest_case quick = { .id = "sys.quick",
					    .group = "kernel",
					    .profiles = PROFILE_ALL };
static const struct selftest_case late = { .id = "net.late",
					   .group = "network",
					   .profiles = PROFILE_COMPREHENSIVE };

static struct spec_strings list(const char **words, size_t len)
{
	return (struct spec_strings){ words, len };
}
#define WORDS(...) \
	list((const char *[]){ __VA_ARGS__ }, ARRAY_LEN(((const char *[]){ __VA_ARGS__ })))

static void test_profile(void **state)
{
	struct selftest_options options = { .profile = PROFILE_QUICK };

	(void)state;
	assert_int_equal(select_case(&options, &quick), SELECT_RUN);
	assert_int_equal(select_case(&options, &late), SELECT_NOT);
	options.profile = PROFILE_COMPREHENSIVE;
	assert_int_equal(select_case(&options, &late), SELECT_RUN);
}

static void test_only(void **state)
{
	struct selftest_options options = { .profile = PROFILE_QUICK, .only = WORDS("x.*,net.*") };

	(void)state;
	assert_int_equal(select_case(&options, &late), SELECT_RUN);
	assert_int_equal(select_case(&options, &quick), SELECT_NOT);
}

static void test_group(void **state)
{
	struct selftest_options options = { .profile = PROFILE_COMPREHENSIVE,
					    .group = WORDS("tracing", "net*") };

	(void)state;
	assert_int_equal(select_case(&options, &late), SELECT_RUN);
	assert_int_equal(select_case(&options, &quick), SELECT_NOT);
}

/* Left out is told; not selected is not. */
static void test_skip(void **state)
{
	struct selftest_options options = { .profile = PROFILE_QUICK,
					    .skip = WORDS("sys.q*,net.late") };

	(void)state;
	assert_int_equal(select_case(&options, &quick), SELECT_SKIP);
	assert_int_equal(select_case(&options, &late), SELECT_NOT);
}

static void test_wrong_words(void **state)
{
	const struct selftest_options wrong[] = {
		{ .only = WORDS("sys.ptrace-traceme,no.such") },
		{ .skip = WORDS("no.such*") },
		{ .group = WORDS("no-such") },
		{ .require = WORDS("landlok=4") },
		{ .allow_skip = WORDS("seccomp,cgruop") },
	};
	const struct selftest_options right = { .only = WORDS("sys.*", "fs.ll-*"),
						.group = WORDS("landlock"),
						.require = WORDS("landlock=4,seccomp", "userns"),
						.allow_skip = WORDS("namespaces,cgroups,mounts") };
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(select_check(&wrong[i], &err), -1);
		assert_int_equal(err.code, OPTIONS_USAGE);
	}
	assert_int_equal(select_check(&right, &err), 0);
}

static void test_allowed(void **state)
{
	const struct selftest_options options = { .allow_skip =
							  WORDS("namespaces,cgroups", "caps") };

	(void)state;
	assert_int_equal(select_allowed(&options),
			 LAYER_NAMESPACES | LAYER_CGROUP | LAYER_CAPABILITIES);
}

static void test_required(void **state)
{
	const struct selftest_options options = { .require = WORDS("seccomp,landlock=4",
								   "cgroup,userns") };
	const struct select_facts facts = { .landlock_abi = 3, .seccomp = true, .userns = true };
	struct arena *arena = arena_new(1 << 20);
	size_t at = 0;

	(void)state;
	assert_string_equal(select_unmet(&options, &facts, &at, arena), "landlock=4");
	assert_string_equal(select_unmet(&options, &facts, &at, arena), "cgroup");
	assert_null(select_unmet(&options, &facts, &at, arena));
	arena_free(arena);
}

static void test_required_number(void **state)
{
	const struct selftest_options options = { .require = WORDS("landlock=4,landlock") };
	struct select_facts facts = { .landlock_abi = 4 };
	struct arena *arena = arena_new(1 << 20);
	size_t at = 0;

	(void)state;
	assert_null(select_unmet(&options, &facts, &at, arena));
	facts.landlock_abi = at = 0;
	assert_string_equal(select_unmet(&options, &facts, &at, arena), "landlock=4");
	assert_string_equal(select_unmet(&options, &facts, &at, arena), "landlock");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profile),	    cmocka_unit_test(test_only),
		cmocka_unit_test(test_group),	    cmocka_unit_test(test_skip),
		cmocka_unit_test(test_wrong_words), cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_required),    cmocka_unit_test(test_required_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
