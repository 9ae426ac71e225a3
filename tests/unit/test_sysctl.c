/*
 * Sysctls: which keys are allowed where, how they are spelt, and that writing reaches our own
 * namespace.
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

#include "isolation/proc.h"
#include "isolation/sysctl.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "tests/unit/fixture.h"

static int plan_one(const char *key, const char *value, uint64_t own, struct sysctl_plan *plan,
		    struct err *err)
{
	struct spec_pair pair = { key, value };
	const struct spec spec = { .linux = { .sysctl = { &pair, 1 } } };

	return sysctl_plan(&spec, own, arena, plan, err);
}

static void test_allowed(void **state)
{
	static const struct {
		const char *key, *path;
		uint64_t own;
	} cases[] = {
		{ "kernel.msgmax", "sys/kernel/msgmax", CLONE_NEWIPC },
		{ "kernel/shm_rmid_forced", "sys/kernel/shm_rmid_forced", CLONE_NEWIPC },
		{ "fs.mqueue.queues_max", "sys/fs/mqueue/queues_max", CLONE_NEWIPC },
		{ "net.ipv4.ip_forward", "sys/net/ipv4/ip_forward", CLONE_NEWNET },
		{ "net/ipv4/conf/eth0.1/forwarding", "sys/net/ipv4/conf/eth0.1/forwarding",
		  CLONE_NEWNET },
		{ "net.ipv4.conf.eth0/1.forwarding", "sys/net/ipv4/conf/eth0.1/forwarding",
		  CLONE_NEWNET },
		{ "kernel.domainname", "sys/kernel/domainname", CLONE_NEWUTS },
		{ "user.max_net_namespaces", "sys/user/max_net_namespaces", CLONE_NEWUSER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sysctl_plan plan;
		struct err err = { 0 };

		assert_int_equal(plan_one(cases[i].key, "1", cases[i].own, &plan, &err), 0);
		assert_int_equal(plan.len, 1);
		assert_string_equal(plan.row[0].path, cases[i].path);
		/* The namespace of the host is not to be changed. */
		assert_int_equal(plan_one(cases[i].key, "1", ~cases[i].own, &plan, &err), -1);
		assert_non_null(strstr(err.text, "linux.namespaces"));
	}
}

static void test_refused(void **state)
{
	static const char *const keys[][2] = {
		{ "kernel.hostname", "1" },
		{ "kernel.core_pattern", "|/bin/sh" },
		{ "kernel.msgmax2", "1" },
		{ "kernel.sem.x", "1" },
		{ "kernel", "1" },
		{ "net", "1" },
		{ "vm.overcommit_memory", "1" },
		{ "fs.mqueuex.y", "1" },
		{ "", "1" },
		{ ".", "1" },
		{ "net.", "1" },
		{ "/net/ipv4/ip_forward", "1" },
		{ "net..ipv4", "1" },
		{ "net/../kernel/core_pattern", "1" },
		{ "net/./ipv4", "1" },
		{ "net.//.kernel", "1" },
		{ "net.ipv4.ip_forward\n", "1" },
		/* CVE-2022-0811 */
		{ "net.ipv4.ip_forward", "1\nkernel.core_pattern=|/bin/sh" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct sysctl_plan plan;
		struct err err = { 0 };

		assert_int_equal(plan_one(keys[i][0], keys[i][1], ~0ull, &plan, &err), -1);
		assert_non_null(strstr(err.text, "linux.sysctl"));
	}
}

static int check_apply(void)
{
	struct sysctl_plan plan;
	struct err err = { 0 };
	char text[16];
	autoclose int proc = proc_open(&err);

	if (proc < 0 || unshare(CLONE_NEWIPC) < 0)
		return 1;
	if (plan_one("kernel.msgmax", "4321", CLONE_NEWIPC, &plan, &err) < 0 ||
	    sysctl_apply(&plan, proc, &err) < 0)
		return 2;
	if (file_read_small(AT_FDCWD, "/proc/sys/kernel/msgmax", text, sizeof(text)) < 0 ||
	    strcmp(text, "4321\n") != 0)
		return 3;
	if (plan_one("kernel.msgmax", "many", CLONE_NEWIPC, &plan, &err) < 0 ||
	    sysctl_apply(&plan, proc, &err) == 0)
		return 4;
	return !strstr(err.text, "linux.sysctl 'kernel.msgmax'") ||
	       !strstr(err.text, "Invalid argument");
}

static void test_apply(void **state)
{
	char before[16], after[16];
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: needs root for a new ipc namespace\n");
		skip();
	}
	assert_true(file_read_small(AT_FDCWD, "/proc/sys/kernel/msgmax", before, 16) > 0);
	pid = fork();
	if (pid == 0)
		_exit(check_apply());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(file_read_small(AT_FDCWD, "/proc/sys/kernel/msgmax", after, 16) > 0);
	assert_string_equal(before, after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_apply),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
