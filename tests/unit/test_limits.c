/*
 * Resource limits: the rows, setting them on another process, giving the soft limit of files back.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "isolation/limits.h"
#include "spec/names.h"

/* A process that waits until the pipe that it holds is closed. */
static pid_t spawn_waiting(int *end)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(ends[0]);
	*end = ends[1];
	return pid;
}

static void end_waiting(pid_t pid, int end)
{
	close(end);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_rows(void **state)
{
	struct spec_rlimit rows[] = { { RLIMIT_CORE, 0, 0 },
				      { RLIMIT_NOFILE, 100, (uint64_t)RLIM_INFINITY } };
	struct spec_process process = { .rlimits = { rows, 2 } };
	struct spec spec = { 0 };
	struct limits_plan plan;
	struct err err;

	(void)state;
	assert_int_equal(limits_plan(&spec, &process, &plan, &err), 0);
	assert_int_equal(plan.len, 2);
	assert_int_equal(plan.row[1].type, RLIMIT_NOFILE);
	assert_int_equal(plan.row[1].limit.rlim_cur, 100);
	assert_true(plan.row[1].limit.rlim_max == RLIM_INFINITY);
	assert_string_equal(plan.row[1].name, "RLIMIT_NOFILE");
	assert_false(plan.raise_files);
	spec.mounts.len = 2000;
	assert_int_equal(limits_plan(&spec, &process, &plan, &err), 0);
	assert_true(plan.raise_files);
}

/* In a child, which sets them on itself. 0: as expected, else the number of the check. */
static int apply_in_child(void)
{
	const struct limits_plan plan = {
		.row = { { RLIMIT_CORE, { 0, 0 }, "RLIMIT_CORE" },
			 { RLIMIT_FSIZE, { 4096, 8192 }, "RLIMIT_FSIZE" } },
		.len = 2,
	};
	struct rlimit limit;
	struct err err = { 0 };

	/* Without privileges: after limits_raise() none is needed. */
	if (geteuid() == 0 && setresuid(4711, 4711, 4711) < 0)
		return 1;
	if (limits_apply(&plan, NULL, &err) < 0)
		return 2;
	if (getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur != 4096 || limit.rlim_max != 8192)
		return 3;
	return getrlimit(RLIMIT_CORE, &limit) < 0 || limit.rlim_max != 0 ? 4 : 0;
}

/* Runs a check in a child and gives its result. */
static int in_child(int (*check)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(check());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_apply(void **state)
{
	(void)state;
	assert_int_equal(in_child(apply_in_child), 0);
}

static void test_no_such_process(void **state)
{
	const struct limits_plan plan = { .row = { { RLIMIT_CORE, { 0, 0 }, "RLIMIT_CORE" } },
					  .len = 1 };
	struct err err = { 0 };
	int end;
	pid_t pid = spawn_waiting(&end);

	(void)state;
	/* Nothing is to be raised: nothing is changed. */
	assert_int_equal(limits_raise(&plan, pid, &err), 0);
	end_waiting(pid, end);
	assert_int_equal(limits_raise(&plan, pid, &err), -1);
	assert_string_equal(err.text, "process.rlimits RLIMIT_CORE: prlimit: No such process");
}

static int give_back_in_child(void)
{
	struct limits_plan plan = { .raise_files = true };
	struct rlimit low, original, before, limit;
	struct err err = { 0 };

	if (getrlimit(RLIMIT_NOFILE, &original) < 0)
		return 1;
	low = (struct rlimit){ 64, original.rlim_max };
	if (setrlimit(RLIMIT_NOFILE, &low) < 0 || limits_raise_files(&plan, &before, &err) < 0)
		return 2;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur != original.rlim_max)
		return 3;
	if (limits_apply(&plan, &before, &err) < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_cur != 64)
		return 4;
	/* A limit of the configuration's own stands. */
	plan.row[0].type = RLIMIT_NOFILE;
	plan.row[0].limit = (struct rlimit){ 99, original.rlim_max };
	plan.row[0].name = "RLIMIT_NOFILE";
	plan.len = 1;
	if (limits_apply(&plan, &before, &err) < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 5;
	return limit.rlim_cur != 99 ? 6 : 0;
}

static void test_give_back(void **state)
{
	(void)state;
	assert_int_equal(in_child(give_back_in_child), 0);
}

/* As somebody without CAP_SYS_RESOURCE. 0: as expected. */
static int raise_hard_limit(void)
{
	struct limits_plan plan = { .row = { { RLIMIT_FSIZE, { 1, 2 }, "RLIMIT_FSIZE" } },
				    .len = 1 };
	struct err err = { 0 };

	if (setresuid(4711, 4711, 4711) < 0 || limits_apply(&plan, NULL, &err) < 0)
		return 1;
	plan.row[0].limit.rlim_max = 3;
	return limits_raise(&plan, getpid(), &err) == 0 || err.code != EPERM ||
	       !strstr(err.text, "current 2 needs CAP_SYS_RESOURCE");
}

static void test_refused(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: needs root to become somebody else\n");
		skip();
	}
	pid = fork();
	if (pid == 0)
		_exit(raise_hard_limit());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_no_such_process),
		cmocka_unit_test(test_give_back),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
