/*
 * The look at the machine, compared with what other interfaces say.
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

#include <linux/magic.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "isolation/host.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"

static void test_facts(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct utsname name;
	struct statfs fs;
	struct host host;
	struct err err = { 0 };
	char *text, own[4096];

	(void)state;
	assert_int_equal(host_probe(&host, -1, arena, &err), 0);
	assert_int_equal(host.uid, geteuid());
	assert_int_equal(host.gid, getegid());
	assert_int_equal(uname(&name), 0);
	assert_string_equal(host.machine, name.machine);
	assert_in_range(host.last_cap, 37, 63);
	assert_true((host.landlock_abi > 0) == (host.landlock_errno == 0));
	assert_int_equal(host.rootless, !(host.privileged && host.initial_user_ns));
	if (host.cgroup_root) {
		assert_int_equal(statfs(host.cgroup_root, &fs), 0);
		assert_int_equal(fs.f_type, CGROUP2_SUPER_MAGIC);
		assert_int_equal(host.cgroup_hybrid,
				 strcmp(host.cgroup_root, "/sys/fs/cgroup") != 0);
	}
	assert_int_equal(
		file_read(AT_FDCWD, "/proc/self/cgroup", 1 << 16, arena, &text, NULL, &err), 0);
	if (host.cgroup_own) {
		assert_int_equal(host.cgroup_own[0], '/');
		snprintf(own, sizeof(own), "0::%s\n", host.cgroup_own);
		assert_non_null(strstr(text, own));
	}
	arena_free(arena);
}

static void test_rootless_forced(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct host host;
	struct err err;

	(void)state;
	assert_int_equal(host_probe(&host, 1, arena, &err), 0);
	assert_true(host.rootless);
	assert_int_equal(host_probe(&host, 0, arena, &err), 0);
	assert_false(host.rootless);
	arena_free(arena);
}

/* In a user namespace all capabilities are there, and yet it is not the first one. 77: none here.
 */
static int check_user_namespace(void)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct host host;
	struct err err;

	if (unshare(CLONE_NEWUSER) < 0)
		return 77;
	if (host_probe(&host, -1, arena, &err) < 0)
		return 1;
	if (!host.privileged || host.initial_user_ns || !host.rootless || host.setgroups_denied)
		return 2;
	if (file_write(AT_FDCWD, "/proc/self/setgroups", "deny", &err) < 0 ||
	    host_probe(&host, -1, arena, &err) < 0)
		return 3;
	return host.setgroups_denied ? 0 : 4;
}

static void test_user_namespace(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(check_user_namespace());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("skipped: no user namespace to be had here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* cgroup v2 somewhere else is found by mountinfo. 77: cannot be tried here. */
static int check_unusual_cgroup(void)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct host host;
	struct err err;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/tmp", "tmpfs", 0, NULL) < 0 || mkdir("/tmp/cgroup-here", 0700) < 0 ||
	    mount("none", "/tmp/cgroup-here", "cgroup2", 0, NULL) < 0 ||
	    mount("none", "/sys/fs/cgroup", "tmpfs", 0, NULL) < 0)
		return 77;
	if (host_probe(&host, -1, arena, &err) < 0 || !host.cgroup_root)
		return 1;
	return strcmp(host.cgroup_root, "/tmp/cgroup-here") != 0 || !host.cgroup_hybrid;
}

static void test_unusual_cgroup(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(check_unusual_cgroup());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("skipped: needs root and cgroup v2\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_rootless_forced),
		cmocka_unit_test(test_user_namespace),
		cmocka_unit_test(test_unusual_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
