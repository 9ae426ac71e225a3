/*
 * OOM score, scheduler, I/O priority, memory policy.
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

#include <linux/mempolicy.h>

#include "isolation/priority.h"
#include "isolation/proc.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"

/* Runs a check in a process of its own: what it changes cannot be taken back. */
static void assert_in_child(int (*check)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(check());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_nothing(void **state)
{
	const struct spec spec = { 0 };
	struct priority_plan plan;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(priority_plan(&spec, &spec.process, &plan, &err), 0);
	assert_false(plan.oom_set || plan.scheduler_set || plan.io_set || plan.memory_set);
	/* With invalid arguments: nothing may be called. */
	assert_int_equal(priority_apply_oom(&plan, -1, -1, &err), 0);
	assert_int_equal(priority_apply_scheduler(&plan, -1, &err), 0);
	assert_int_equal(priority_apply_memory(&plan, &err), 0);
}

static void test_values(void **state)
{
	const struct spec spec = {
		.process = { .oom_score_adj = { true, -1000 },
			     .scheduler = { .set = true, .policy = SCHED_BATCH, .nice = -20 },
			     .io_priority = { true, 2, 7 } },
	};
	struct priority_plan plan;
	struct err err;

	(void)state;
	assert_int_equal(priority_plan(&spec, &spec.process, &plan, &err), 0);
	assert_string_equal(plan.oom_score_adj, "-1000");
	assert_int_equal(plan.scheduler.size, 56);
	assert_int_equal(plan.scheduler.sched_policy, SCHED_BATCH);
	assert_int_equal(plan.scheduler.sched_nice, -20);
	assert_int_equal(plan.io_priority, 2 << 13 | 7);
}

static void test_memory_policy(void **state)
{
	static const struct {
		uint64_t mode;
		const char *nodes;
		unsigned long mask, max; /* max 0 with mask 0: no nodes; mask -1: refused */
	} cases[] = {
		{ MPOL_DEFAULT, NULL, 0, 0 },
		{ MPOL_DEFAULT, "", 0, 0 },
		{ MPOL_DEFAULT, "0", -1ul, 0 },
		{ MPOL_LOCAL, "0", -1ul, 0 },
		{ MPOL_PREFERRED, "", 0, 0 },
		{ MPOL_PREFERRED, "1", 2, 3 },
		{ MPOL_BIND, NULL, -1ul, 0 },
		{ MPOL_BIND, "0-3,7", 0x8f, 9 },
		{ MPOL_INTERLEAVE, "7,0", 0x81, 9 },
		{ 5, "63", 1ul << 63, 65 },
		{ 6, "", -1ul, 0 },
		{ 99, "0", -1ul, 0 },
		{ MPOL_BIND, "3-1", -1ul, 0 },
		{ MPOL_BIND, "0,", -1ul, 0 },
		{ MPOL_BIND, ",0", -1ul, 0 },
		{ MPOL_BIND, "0-", -1ul, 0 },
		{ MPOL_BIND, "0-1-2", -1ul, 0 },
		{ MPOL_BIND, "-1", -1ul, 0 },
		{ MPOL_BIND, " 1", -1ul, 0 },
		{ MPOL_BIND, "4096", -1ul, 0 },
		{ MPOL_BIND, "0-99999999999999999999", -1ul, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct spec spec = { .linux = { .memory_policy = { .set = true,
								   .mode = cases[i].mode,
								   .flags = MPOL_F_STATIC_NODES,
								   .nodes = cases[i].nodes } } };
		struct priority_plan plan;
		struct err err;
		int result = priority_plan(&spec, &spec.process, &plan, &err);

		if (cases[i].mask == -1ul) {
			assert_int_equal(result, -1);
			assert_non_null(strstr(err.text, "linux.memoryPolicy."));
			continue;
		}
		assert_int_equal(result, 0);
		assert_true(plan.memory_set);
		assert_int_equal(plan.memory_mode, (int)cases[i].mode | MPOL_F_STATIC_NODES);
		assert_int_equal(plan.memory_nodes[0], cases[i].mask);
		assert_int_equal(plan.memory_nodes_max, cases[i].max);
	}
}

static void test_highest_node(void **state)
{
	const struct spec spec = {
		.linux = { .memory_policy = { .set = true, .mode = MPOL_BIND, .nodes = "4095" } }
	};
	struct priority_plan plan;
	struct err err;

	(void)state;
	assert_int_equal(priority_plan(&spec, &spec.process, &plan, &err), 0);
	assert_int_equal(plan.memory_nodes[63], 1ul << 63);
	assert_int_equal(plan.memory_nodes_max, 4097);
}

static int check_apply(void)
{
	struct priority_plan plan = {
		.oom_set = true,
		.oom_score_adj = "777",
		.scheduler_set = true,
		.scheduler = { .size = 56, .sched_policy = SCHED_BATCH, .sched_nice = 5 },
		.io_set = true,
		.io_priority = 3 << 13,
	};
	struct err err;
	autoclose int proc = proc_open(&err);
	char text[16];

	if (proc < 0 || priority_apply_oom(&plan, proc, getpid(), &err) < 0 ||
	    priority_apply_scheduler(&plan, getpid(), &err) < 0)
		return 1;
	if (file_read_small(AT_FDCWD, "/proc/self/oom_score_adj", text, sizeof(text)) < 0 ||
	    strcmp(text, "777\n") != 0)
		return 2;
	if (sched_getscheduler(0) != SCHED_BATCH || syscall(SYS_ioprio_get, 1, 0) != 3 << 13)
		return 3;
	plan.scheduler.sched_policy = 42;
	return priority_apply_scheduler(&plan, getpid(), &err) == 0 ||
	       strcmp(err.text, "process.scheduler: sched_setattr: Invalid argument") != 0;
}

static int check_memory(void)
{
	const struct spec spec = {
		.linux = { .memory_policy = { .set = true, .mode = MPOL_BIND, .nodes = "0" } }
	};
	unsigned long mask[64] = { 0 };
	struct priority_plan plan;
	struct err err;
	int mode = -1;

	if (priority_plan(&spec, &spec.process, &plan, &err) < 0 ||
	    priority_apply_memory(&plan, &err) < 0)
		return 1;
	if (syscall(SYS_get_mempolicy, &mode, mask, 4096, NULL, 0) < 0)
		return 2;
	return mode != MPOL_BIND || mask[0] != 1;
}

static void test_apply(void **state)
{
	(void)state;
	assert_in_child(check_apply);
}

static void test_apply_memory(void **state)
{
	(void)state;
	if (syscall(SYS_get_mempolicy, NULL, NULL, 0, NULL, 0) < 0 && errno == ENOSYS) {
		print_message("skipped: this kernel has no memory policies\n");
		skip();
	}
	assert_in_child(check_memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),	      cmocka_unit_test(test_values),
		cmocka_unit_test(test_memory_policy), cmocka_unit_test(test_highest_node),
		cmocka_unit_test(test_apply),	      cmocka_unit_test(test_apply_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
