/*
 * The remedy behind a refusal: the right one, and none where nothing was seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "isolation/diagnose.h"
#include "runtime/base/sys.h"

static char directory[64];

static int setup(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/agentd-test-diagnose.XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(directory);
}

static const struct host user = { .uid = 4711, .gid = 4711 };

static void test_closed_directory(void **state)
{
	char rootfs[128];
	struct plan plan = { .namespaces.clone = CLONE_NEWUSER,
			     .idmap.uid_map = "1 5000 10\n0 4711 1\n",
			     .rootfs.path = rootfs };
	struct err err;

	(void)state;
	snprintf(rootfs, sizeof(rootfs), "%s/rootfs", directory);
	/* The parent, mkdtemp(3) made it 0700, is closed to the caller. */
	err_set(&err, EACCES, "open the root filesystem");
	diagnose(&plan, &user, &err);
	assert_non_null(strstr(err.text, "open the root filesystem; the directory"));
	assert_non_null(strstr(err.text, directory));
	assert_non_null(strstr(err.text, "closed to user 4711"));
	assert_non_null(strstr(err.text, "chmod o+x"));
	assert_int_equal(err.code, EACCES);

	/* Open, and the root filesystem itself is closed to the container's root. */
	assert_int_equal(chmod(directory, 0711), 0);
	assert_int_equal(mkdir(rootfs, 0700), 0);
	plan.idmap.uid_map = "0 100000 65536\n";
	err_set(&err, EACCES, "mount");
	diagnose(&plan, &user, &err);
	assert_non_null(strstr(err.text, "/rootfs (owner"));
	assert_non_null(strstr(err.text, "closed to user 100000"));

	/* All open: that was not the cause. */
	assert_int_equal(chmod(rootfs, 0755), 0);
	err_set(&err, EACCES, "mount");
	diagnose(&plan, &user, &err);
	assert_null(strstr(err.text, "closed to user"));
	assert_int_equal(rmdir(rootfs), 0);
}

static void test_closed_source(void **state)
{
	char source[128];
	struct mount_row row = { .kind = MOUNT_BIND, .source = source };
	struct plan plan = { .namespaces.clone = CLONE_NEWUSER, .mounts = { &row, 1 } };
	struct err err;

	(void)state;
	snprintf(source, sizeof(source), "%s/file", directory);
	assert_int_equal(chmod(directory, 0700), 0);
	err_set(&err, EACCES, "open %s", source);
	diagnose(&plan, &user, &err);
	assert_non_null(strstr(err.text, "closed to user 4711"));
}

/* Root in the first user namespace may search every directory. */
static void test_privileged(void **state)
{
	const struct host root = { .uid = 4711, .privileged = true, .initial_user_ns = true };
	struct plan plan = { .rootfs.path = directory };
	struct err err;

	(void)state;
	err_set(&err, EACCES, "mount");
	diagnose(&plan, &root, &err);
	assert_null(strstr(err.text, "closed to user"));
}

static void test_other_errors(void **state)
{
	struct plan plan = { .namespaces.clone = CLONE_NEWUSER, .rootfs.path = directory };
	struct err err;

	(void)state;
	err_set(&err, ENOENT, "open x");
	diagnose(&plan, &user, &err);
	assert_string_equal(err.text, "open x");
}

static void put_file(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* An init that was killed, and one that was told ENOMEM; each in a cgroup of its own. */
static void test_memory(void **state)
{
	static const struct {
		int code;
		const char *events;
		bool found;
	} cases[] = {
		{ EPIPE, "low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\noom_group_kill 0\n", true },
		{ ENOMEM, "low 0\nhigh 0\nmax 7\noom 0\noom_kill 0\noom_group_kill 0\n", true },
		{ EPIPE, "low 0\nhigh 0\nmax 7\noom 0\noom_kill 0\noom_group_kill 0\n", false },
		{ EPIPE, "low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\noom_group_kill 0\n", false },
		{ ENOMEM, "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n", false },
		{ EPERM, "low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\noom_group_kill 0\n", false },
	};
	int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err err;

	(void)state;
	put_file(dir, "memory.max", "32768\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		put_file(dir, "memory.events", cases[i].events);
		err_set(&err, cases[i].code, "await ready");
		assert_int_equal(diagnose_memory(dir, &err), cases[i].found);
		assert_int_equal(!!strstr(err.text, "(memory.max, 32768): raise"), cases[i].found);
	}
	unlinkat(dir, "memory.max", 0);
	unlinkat(dir, "memory.events", 0);
	close(dir);
	/* Without a cgroup, or without the controller. */
	err_set(&err, EPIPE, "await ready");
	assert_false(diagnose_memory(-1, &err));
	assert_string_equal(err.text, "await ready");
}

/* What the kernel's files say, in a mount namespace where we say it. 77: cannot be tried here. */
static int pretend(const char *target, const char *text)
{
	int fd = open("/tmp/pretended", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) < 0)
		return -1;
	return mount("/tmp/pretended", target, NULL, MS_BIND, NULL);
}

static int check_limits(void)
{
	struct plan plan = { .namespaces.clone = CLONE_NEWUSER };
	struct err err;

	if (pretend("/proc/sys/user/max_user_namespaces", "0\n") < 0)
		return 77;
	err_set(&err, ENOSPC, "clone");
	diagnose(&plan, &user, &err);
	if (!strstr(err.text, "sysctl user.max_user_namespaces"))
		return 1;
	/* A container without a user namespace does not care. */
	plan.namespaces.clone = 0;
	err_set(&err, EPERM, "clone");
	diagnose(&plan, &user, &err);
	return !!strstr(err.text, "user namespaces");
}

static int check_procfs(void)
{
	const struct plan plan = { .namespaces.clone = CLONE_NEWUSER };
	struct err err;

	if (pretend("/proc/meminfo", "") < 0)
		return 77;
	err_set(&err, EPERM, "mount proc on /proc: Operation not permitted");
	diagnose(&plan, &user, &err);
	return !strstr(err.text, "mounted over /proc/meminfo") || !strstr(err.text, "unmask=ALL");
}

static int check_flags(void)
{
	struct mount_row row = { .index = 3,
				 .kind = MOUNT_BIND,
				 .source = "/tmp",
				 .flags.attr_clear = SYS_MOUNT_ATTR_NOSUID };
	struct plan plan = { .namespaces.clone = CLONE_NEWUSER, .mounts = { &row, 1 } };
	struct err err;

	err_set(&err, EPERM, "mounts[3]");
	diagnose(&plan, &user, &err);
	if (strstr(err.text, "lift"))
		return 1;
	if (mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NOEXEC, NULL) < 0)
		return 77;
	err_set(&err, EPERM, "mounts[3]");
	diagnose(&plan, &user, &err);
	if (!strstr(err.text, "mounts[3]: /tmp is mounted nosuid on the host"))
		return 2;
	plan = (struct plan){ .rootfs.path = "/tmp" };
	err_set(&err, EACCES, "exec /bin/sh");
	diagnose(&plan, &user, &err);
	return !strstr(err.text, "mounted noexec");
}

/* The kernel is asked, not told: clone(2) says EPERM there. */
static int check_chroot(void)
{
	struct plan plan = { .namespaces.clone = CLONE_NEWUSER };
	struct err err;

	if (mkdir("/tmp/root", 0755) < 0 || chroot("/tmp/root") < 0 || chdir("/") < 0)
		return 77;
	err_set(&err, EPERM, "clone");
	diagnose(&plan, &user, &err);
	return !strstr(err.text, "chroot(2)");
}

/* A call that the kernel lacks, and one that a filter around us denies: the words are the same. */
static int check_filter(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog filter = { 1, &allow };
	struct plan plan = { .namespaces.clone = CLONE_NEWUSER, .rootfs.path = "/" };
	struct err err;

	if (pretend("/proc/sys/user/max_user_namespaces", "0\n") < 0)
		return 77;
	err_set(&err, ENOSYS, "clone");
	diagnose(&plan, &user, &err);
	if (strstr(err.text, "max_user_namespaces"))
		return 1;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		return 77;
	err_set(&err, ENOSYS, "clone");
	diagnose(&plan, &user, &err);
	return !strstr(err.text, "under a seccomp filter") || !strstr(err.text, "wider profile");
}

/* In a mount namespace of its own, with a /tmp of its own. */
static void assert_in_child(int (*check)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("none", "/tmp", "tmpfs", 0, NULL) < 0)
			_exit(77);
		_exit(check());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("skipped: needs root to mount\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_limits(void **state)
{
	(void)state;
	assert_in_child(check_limits);
}

static void test_procfs(void **state)
{
	(void)state;
	assert_in_child(check_procfs);
}

static void test_chroot(void **state)
{
	(void)state;
	assert_in_child(check_chroot);
}

static void test_filter(void **state)
{
	(void)state;
	assert_in_child(check_filter);
}

static void test_flags(void **state)
{
	(void)state;
	assert_in_child(check_flags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed_directory), cmocka_unit_test(test_closed_source),
		cmocka_unit_test(test_privileged),	 cmocka_unit_test(test_other_errors),
		cmocka_unit_test(test_memory),		 cmocka_unit_test(test_limits),
		cmocka_unit_test(test_procfs),		 cmocka_unit_test(test_flags),
		cmocka_unit_test(test_chroot),		 cmocka_unit_test(test_filter),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
