/*
 * Groups, gid, uid: what the maps allow, and that nothing of the caller remains.
 */
#include <errno.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>

#include <cmocka.h>

#include "isolation/identity.h"
#include "runtime/base/array.h"
#include "tests/unit/sandbox.h"

static void test_plan_maps(void **state)
{
	static const struct {
		uint32_t uid, gid, extra;
		const char *text; /* NULL: allowed */
	} cases[] = {
		{ 0, 0, 0, NULL },
		{ 109, 0, 104, NULL },
		{ 10, 0, 0, "user.uid" },
		{ 99, 0, 0, "user.uid" },
		{ 110, 0, 0, "user.uid" },
		{ 0, 5, 0, "user.gid" },
		{ 0, 0, 105, "additionalGids[0]" },
		{ 0xfffffffe, 0, 0, "have no 4294967294" },
	};
	struct spec_id_mapping uids[] = { { 0, 1000, 10 }, { 100, 5000, 10 } };
	struct spec_id_mapping gids[] = { { 0, 1000, 5 }, { 100, 5000, 5 } };
	struct spec spec = { .linux = { .uid_mappings = { uids, 2 },
					.gid_mappings = { gids, 2 } } };
	const struct idmap_plan idmap = { .write = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t extra = cases[i].extra;
		struct spec_process process = { .user = { .uid = cases[i].uid,
							  .gid = cases[i].gid,
							  .additional_gids = { &extra, 1 } } };
		struct identity_plan plan;
		struct err err = { 0 };
		int result = identity_plan(&spec, &process, &idmap, &plan, &err);

		assert_int_equal(result, cases[i].text ? -1 : 0);
		if (cases[i].text && !strstr(err.text, cases[i].text))
			fail_msg("case %zu: %s", i, err.text);
	}
}

static void test_plan_groups(void **state)
{
	const struct idmap_plan denied = { .deny_setgroups = true }, allowed = { 0 };
	const struct idmap_plan ordinary = { .unprivileged = true };
	struct spec spec = { 0 };
	uint32_t extra[] = { 5, 6 };
	struct spec_process process = { .user = { .uid = 3, .additional_gids = { extra, 2 } } };
	struct identity_plan plan;
	struct err err;

	(void)state;
	assert_int_equal(identity_plan(&spec, &process, &allowed, &plan, &err), 0);
	assert_true(plan.set_groups && plan.groups_len == 2 && plan.groups[1] == 6);
	assert_false(plan.may_keep_groups);
	assert_int_equal(identity_plan(&spec, &process, &ordinary, &plan, &err), 0);
	assert_false(plan.may_keep_groups);
	assert_int_equal(identity_plan(&spec, &process, &denied, &plan, &err), -1);
	assert_non_null(strstr(err.text, "additionalGids"));
	process.user.gid = extra[1];
	assert_int_equal(identity_plan(&spec, &process, &denied, &plan, &err), -1);
	process.user.gid = extra[0];
	process.user.additional_gids.len = 1;
	assert_int_equal(identity_plan(&spec, &process, &denied, &plan, &err), 0);
	process.user.additional_gids.len = 0;
	assert_int_equal(identity_plan(&spec, &process, &denied, &plan, &err), 0);
	assert_false(plan.set_groups);
	assert_int_equal(identity_plan(&spec, &process, &allowed, &plan, &err), 0);
	assert_true(plan.set_groups && !plan.may_keep_groups);
	assert_int_equal(identity_plan(&spec, &process, &ordinary, &plan, &err), 0);
	assert_true(plan.set_groups && plan.may_keep_groups);
}

static void body_apply(void)
{
	const gid_t callers[] = { 1, 2, 3 }, wanted[] = { 77, 78 };
	struct identity_plan plan = { .uid = 1234, .gid = 4321, .set_groups = true };
	uid_t ids[3];
	gid_t groups[8];
	struct err err = { 0 };

	check(setgroups(3, callers) == 0);
	plan.uid = plan.gid = 0;
	check_err(identity_apply(&plan, &err) == 0);
	check(getgroups(8, groups) == 0);
	plan = (struct identity_plan){ 1234, 4321, wanted, 2, true, false };
	check_err(identity_apply(&plan, &err) == 0);
	check(getgroups(8, groups) == 2 && groups[0] == 77 && groups[1] == 78);
	check(getresuid(&ids[0], &ids[1], &ids[2]) == 0);
	check(ids[0] == 1234 && ids[1] == 1234 && ids[2] == 1234);
	check(getresgid(&ids[0], &ids[1], &ids[2]) == 0);
	check(ids[0] == 4321 && ids[1] == 4321 && ids[2] == 4321);
	check(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 1);
}

static void test_apply(void **state)
{
	(void)state;
	in_sandbox(body_apply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_maps),
		cmocka_unit_test(test_plan_groups),
		cmocka_unit_test(test_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
