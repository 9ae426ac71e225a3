/*
 * Namespaces: what is cloned, unshared and joined, in which order; files that are not what they are
 * said to be.
 */
#include <errno.h>
#include <linux/sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "isolation/namespaces.h"
#include "runtime/base/array.h"
#include "tests/unit/fixture.h"

static const struct host root_host = { .privileged = true };
static const struct host user_host = { .uid = 1000, .rootless = true };

static void plan_of(struct spec_namespace *rows, size_t len, const struct host *host,
		    struct namespaces_plan *plan)
{
	struct spec spec = { .linux = { .namespaces = { rows, len } } };
	struct err err = { 0 };

	memset(plan, 0, sizeof(*plan));
	if (namespaces_plan(&spec, host, arena, plan, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_created(void **state)
{
	struct spec_namespace rows[] = { { CLONE_NEWPID, NULL },
					 { CLONE_NEWNET, NULL },
					 { CLONE_NEWNS, NULL },
					 { CLONE_NEWCGROUP, NULL } };
	struct namespaces_plan plan;

	(void)state;
	plan_of(rows, 4, &root_host, &plan);
	assert_int_equal(plan.clone, CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS);
	/* Its root is the cgroup that the caller is in: init unshares it when it was born in its
	 * own. */
	assert_int_equal(plan.unshare, CLONE_NEWCGROUP);
	assert_int_equal(plan.all, CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWCGROUP);
	assert_int_equal(plan.join_len, 0);
}

static void test_order_of_joining(void **state)
{
	struct spec_namespace rows[] = { { CLONE_NEWNS, "/m" },
					 { CLONE_NEWUSER, "/u" },
					 { CLONE_NEWNET, "/n" } };
	struct namespaces_plan plan;

	(void)state;
	plan_of(rows, 3, &root_host, &plan);
	assert_int_equal(plan.join_len, 3);
	assert_string_equal(plan.join[0].path, "/n");
	assert_string_equal(plan.join[1].path, "/m");
	assert_string_equal(plan.join[2].path, "/u");
	plan_of(rows, 3, &user_host, &plan);
	assert_string_equal(plan.join[0].path, "/u");
	assert_string_equal(plan.join[1].path, "/n");
	assert_string_equal(plan.join[2].path, "/m");
}

/* What changes the container's own namespaces must not change the caller's, joined by their path.
 */
static void test_joined_callers(void **state)
{
	struct spec_namespace rows[] = { { CLONE_NEWNET, "/proc/self/ns/net" },
					 { CLONE_NEWIPC, "/proc/self/ns/net" },
					 { CLONE_NEWUTS, "/missing" },
					 { CLONE_NEWPID, NULL } };
	struct namespaces_plan plan;

	(void)state;
	plan_of(rows, 4, &root_host, &plan);
	assert_int_equal(plan.all, CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID);
	assert_int_equal(plan.own, CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID);
}

static void test_time_offsets(void **state)
{
	struct spec_namespace rows[] = { { CLONE_NEWTIME, NULL } };
	struct spec spec = { .linux = { .namespaces = { rows, 1 },
					.time_offsets = { .set = true,
							  .monotonic = { 5, 6 },
							  .boottime = { -7, 8 } } } };
	struct namespaces_plan plan = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(namespaces_plan(&spec, &root_host, arena, &plan, &err), 0);
	assert_int_equal(plan.clone, 0);
	assert_int_equal(plan.unshare, CLONE_NEWTIME);
	assert_string_equal(plan.time_offsets, "monotonic 5 6\nboottime -7 8\n");
}

static void test_time_offsets_need_a_namespace(void **state)
{
	struct spec_namespace joined[] = { { CLONE_NEWTIME, "/proc/1/ns/time" } };
	struct spec spec = { .linux = { .time_offsets = { .set = true } } };
	struct namespaces_plan plan = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(namespaces_plan(&spec, &root_host, arena, &plan, &err), -1);
	assert_non_null(strstr(err.text, "linux.timeOffsets"));
	spec.linux.namespaces = (struct spec_namespaces){ joined, 1 };
	memset(&plan, 0, sizeof(plan));
	assert_int_equal(namespaces_plan(&spec, &root_host, arena, &plan, &err), -1);
}

static void test_open_checks_the_type(void **state)
{
	static const struct {
		uint64_t type;
		const char *path, *error;
	} rows[] = {
		{ CLONE_NEWNET, "/proc/self/ns/net", NULL },
		{ CLONE_NEWNET, "/proc/self/ns/uts", "is a namespace of type uts, not network" },
		{ CLONE_NEWNET, "/dev/null", "is not a namespace" },
		{ CLONE_NEWNET, "/nonexistent/net", "No such file" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct namespaces_plan plan = { .join = { { rows[i].type, rows[i].path } },
						.join_len = 1 };
		int fds[NAMESPACES_MAX] = { -1 };
		struct err err = { 0 };
		int result = namespaces_open(&plan, fds, &err);

		if (!rows[i].error)
			assert_int_equal(result, 0);
		else if (result == 0 || !strstr(err.text, rows[i].error))
			fail_msg("%s: '%s' is not in '%s'", rows[i].path, rows[i].error, err.text);
		if (fds[0] >= 0)
			close(fds[0]);
	}
}

/* exec joins at once all that is the container's own, but never the user namespace that it is in.
 */
static void test_exec_joins_at_once(void **state)
{
	static const struct {
		uint64_t own;
		size_t len;
		uint64_t types;
	} rows[] = {
		{ 0, 0, 0 },
		{ CLONE_NEWUSER, 0, 0 },
		{ CLONE_NEWCGROUP | CLONE_NEWUSER | CLONE_NEWNS, 1, CLONE_NEWCGROUP | CLONE_NEWNS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct namespaces_plan plan = { 0 };
		struct err err = { 0 };

		assert_int_equal(namespaces_plan_exec(getpid(), rows[i].own, &plan, &err), 0);
		assert_int_equal(plan.all, rows[i].own);
		assert_int_equal(plan.join_len, rows[i].len);
		assert_int_equal(plan.join[0].types, rows[i].types);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_created),
		cmocka_unit_test(test_order_of_joining),
		cmocka_unit_test(test_joined_callers),
		cmocka_unit_test(test_time_offsets),
		cmocka_unit_test(test_time_offsets_need_a_namespace),
		cmocka_unit_test(test_open_checks_the_type),
		cmocka_unit_test(test_exec_joins_at_once),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
