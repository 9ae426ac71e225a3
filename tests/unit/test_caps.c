/*
 * Capability sets: the plan with invented hosts, and the application in children of their own,
 * which are root or become root of a new user namespace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four that it needs */
#include <cmocka.h>

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isolation/caps.h"
#include "runtime/base/array.h"

#define BIT(cap) (1ULL << (cap))

static int setup(void **state)
{
	*state = arena_new(ARENA_LIMIT);
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static void unknown_ones_are_cut(void **state)
{
	struct spec_process process = { .capabilities = { .bounding = ~0ULL,
							  .effective = BIT(37) | BIT(38),
							  .inheritable = BIT(0),
							  .permitted = BIT(40),
							  .ambient = BIT(63) | BIT(5) } };
	struct host host = { .last_cap = 37 };
	struct caps_plan plan;
	struct err err;

	(void)state;
	assert_int_equal(caps_plan(&process, &host, &plan, &err), 0);
	assert_true(plan.bounding == BIT(38) - 1);
	assert_true(plan.effective == BIT(37));
	assert_true(plan.inheritable == BIT(0));
	assert_true(plan.permitted == 0);
	assert_true(plan.ambient == BIT(5));
	assert_int_equal(plan.last_cap, 37);
	host.last_cap = 63;
	assert_int_equal(caps_plan(&process, &host, &plan, &err), 0);
	assert_true(plan.bounding == ~0ULL);
}

static void texts_are_names(void **state)
{
	assert_string_equal(caps_text(0, *state), "");
	assert_string_equal(caps_text(BIT(CAP_CHOWN), *state), "CAP_CHOWN");
	assert_string_equal(caps_text(BIT(CAP_CHOWN) | BIT(CAP_KILL), *state),
			    "CAP_CHOWN CAP_KILL");
}

/* The kernel's own account. */
struct account {
	uint64_t effective, permitted, inheritable, bounding, ambient;
};

static struct account account(void)
{
	struct account sets = { 0 };
	const struct {
		const char *key;
		uint64_t *set;
	} rows[] = { { "CapEff:", &sets.effective },
		     { "CapPrm:", &sets.permitted },
		     { "CapInh:", &sets.inheritable },
		     { "CapBnd:", &sets.bounding },
		     { "CapAmb:", &sets.ambient } };
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];

	while (file && fscanf(file, "%255[^\n]\n", line) == 1)
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			if (strncmp(line, rows[i].key, strlen(rows[i].key)) == 0)
				*rows[i].set = strtoull(line + strlen(rows[i].key), NULL, 16);
	if (file)
		fclose(file);
	return sets;
}

#define SKIPPED 77
#define CHECK(condition)                                                \
	if (!(condition)) {                                             \
		fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
		return 1;                                               \
	}

/* Runs a check in a child with all capabilities in some user namespace. */
static void in_child(int (*check)(void))
{
	pid_t pid = fork();
	int status;

	assert_return_code(pid, errno);
	if (pid == 0) {
		if (!caps_have(CAP_SETPCAP) && unshare(CLONE_NEWUSER) < 0)
			_exit(SKIPPED);
		_exit(check());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED) {
		print_message("skipped: neither root nor a user namespace to be had\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int last_cap(void)
{
	int cap = 0;

	while (prctl(PR_CAPBSET_READ, cap + 1) >= 0)
		cap++;
	return cap;
}

static int all_five(void)
{
	struct caps_plan plan = { .bounding = BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(CAP_SETUID),
				  .effective = BIT(CAP_CHOWN),
				  .permitted = BIT(CAP_CHOWN) | BIT(CAP_KILL),
				  .inheritable = BIT(CAP_KILL) | BIT(CAP_SETUID),
				  .ambient = BIT(CAP_KILL),
				  .last_cap = last_cap() };
	struct account before = account(), now;
	struct err err = { 0 };

	if ((before.bounding & plan.bounding) != plan.bounding ||
	    (before.permitted & plan.bounding) != plan.bounding)
		return SKIPPED;
	CHECK(caps_apply_bounding(&plan, &err) == 0);
	CHECK(caps_apply(&plan, &err) == 0);
	now = account();
	CHECK(now.bounding == plan.bounding);
	CHECK(now.effective == plan.effective);
	CHECK(now.permitted == plan.permitted);
	CHECK(now.inheritable == plan.inheritable);
	CHECK(now.ambient == plan.ambient);
	CHECK(caps_have(CAP_CHOWN) && !caps_have(CAP_KILL));
	/* again, without CAP_SETPCAP: nothing is left to drop, and nothing fails */
	CHECK(caps_apply_bounding(&plan, &err) == 0);
	CHECK(caps_apply(&plan, &err) == 0);
	plan.bounding = 0;
	CHECK(caps_apply_bounding(&plan, &err) == -1 && err.code == EPERM);
	CHECK(strcmp(err.text,
		     "drop CAP_CHOWN (0) from the bounding set: Operation not permitted") == 0);
	return 0;
}

static int nothing_at_all(void)
{
	struct caps_plan plan = { .last_cap = last_cap() };
	struct account now;
	struct err err = { 0 };

	CHECK(caps_apply_bounding(&plan, &err) == 0);
	CHECK(caps_apply(&plan, &err) == 0);
	now = account();
	CHECK(!now.bounding && !now.effective && !now.permitted && !now.inheritable &&
	      !now.ambient);
	return 0;
}

/* What is asked for beyond what there is does not fail, and does not come. */
static int beyond_our_own(void)
{
	uint64_t own = BIT(CAP_CHOWN) | BIT(CAP_SETPCAP);
	struct caps_plan first = { own, own, 0, own, 0, last_cap() };
	uint64_t all = UINT64_MAX >> (63 - last_cap());
	struct caps_plan plan = { all, all, all, all, all, last_cap() };
	struct account now;
	struct err err = { 0 };

	CHECK(caps_apply_bounding(&first, &err) == 0);
	CHECK(caps_apply(&first, &err) == 0);
	CHECK(caps_apply_bounding(&plan, &err) == 0);
	CHECK(caps_apply(&plan, &err) == 0);
	now = account();
	CHECK(now.bounding == own && now.effective == own && now.permitted == own);
	CHECK(now.inheritable == own && now.ambient == own);
	return 0;
}

/* Inheritable and ambient need more than to be asked for. */
static int not_in_the_bounding_set(void)
{
	struct caps_plan plan = { .bounding = BIT(CAP_CHOWN),
				  .permitted = BIT(CAP_KILL) | BIT(CAP_CHOWN),
				  .inheritable = BIT(CAP_KILL) | BIT(CAP_CHOWN),
				  .ambient = BIT(CAP_KILL) | BIT(CAP_CHOWN),
				  .last_cap = last_cap() };
	struct account now;
	struct err err = { 0 };

	CHECK(caps_apply_bounding(&plan, &err) == 0);
	CHECK(caps_apply(&plan, &err) == 0);
	now = account();
	CHECK(now.permitted == plan.permitted);
	CHECK(now.inheritable == BIT(CAP_CHOWN) && now.ambient == BIT(CAP_CHOWN));
	return 0;
}

static int raised_after_setuid(void)
{
	struct err err = { 0 };

	if (geteuid() != 0)
		return SKIPPED; /* an unmapped user cannot change to another */
	CHECK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
	CHECK(syscall(SYS_setresuid, 65534, 65534, 65534) == 0);
	CHECK(!caps_have(CAP_CHOWN));
	CHECK(caps_raise_effective(&err) == 0);
	CHECK(caps_have(CAP_CHOWN));
	return 0;
}

#define IN_CHILD(check)                        \
	static void test_##check(void **state) \
	{                                      \
		(void)state;                   \
		in_child(check);               \
	}
IN_CHILD(all_five)
IN_CHILD(nothing_at_all)
IN_CHILD(beyond_our_own)
IN_CHILD(not_in_the_bounding_set)
IN_CHILD(raised_after_setuid)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_ones_are_cut),
		cmocka_unit_test_setup_teardown(texts_are_names, setup, teardown),
		cmocka_unit_test(test_all_five),
		cmocka_unit_test(test_nothing_at_all),
		cmocka_unit_test(test_beyond_our_own),
		cmocka_unit_test(test_not_in_the_bounding_set),
		cmocka_unit_test(test_raised_after_setuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
