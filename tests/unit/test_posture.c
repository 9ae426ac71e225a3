/*
 * The posture of processes of our own, made to have something to be seen; hostile names, escaped
 * mount points, a process that is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../selftest/posture.c"

/* A child that lets `prepare` change it, says so, and rests until its pipe ends. */
struct child {
	pid_t pid;
	int hold;
};

static void start_child(struct child *child, void (*prepare)(void))
{
	int hold[2], ready[2];
	char byte;

	assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	child->pid = fork();
	if (child->pid == 0) {
		close(hold[1]);
		prepare();
		if (write(ready[1], "", 1) == 1 && read(hold[0], &byte, 1) == 0)
			_exit(0);
		_exit(1);
	}
	close(ready[1]);
	close(hold[0]);
	child->hold = hold[1];
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

static void end_child(struct child *child)
{
	int status;

	close(child->hold);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	assert_int_equal(status, 0);
}

static void prepare_hostile(void)
{
	/* names that want to be a line of status, and fields of stat */
	if (prctl(PR_SET_NAME, "x\nSeccomp:\t2", 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || chdir("/usr") < 0)
		_exit(2);
	umask(035);
}

static void prepare_named(void)
{
	if (prctl(PR_SET_NAME, ") R 1 1 (\nUid:", 0, 0, 0) < 0)
		_exit(2);
}

static const struct posture_fd *find_fd(const struct posture *posture, int fd)
{
	for (size_t i = 0; i < posture->fds_len; i++)
		if (posture->fds[i].fd == fd)
			return &posture->fds[i];
	return NULL;
}

static void test_process(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct posture posture;
	struct rlimit limit;
	struct child child;
	struct err err = { 0 };
	gid_t groups[256];
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	bool root = false;

	(void)state;
	start_child(&child, prepare_hostile);
	assert_int_equal(posture_read(child.pid, arena, &posture, &err), 0);
	assert_int_equal(posture.threads_len, 1);
	assert_int_equal(posture.threads[0].tid, child.pid);
	assert_int_equal(posture.threads[0].uid[1], geteuid());
	assert_int_equal(posture.threads[0].gid[3], getegid());
	assert_true(posture.threads[0].no_new_privs);
	assert_int_equal(posture.threads[0].seccomp, prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
	assert_int_equal(posture.umask, 035);
	assert_string_equal(posture.cwd, "/usr");
	assert_string_equal(posture.root, "/");
	assert_int_equal(posture.groups_len, getgroups(256, groups));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(posture.limits[RLIMIT_NOFILE].rlim_cur, limit.rlim_cur);
	assert_int_equal(posture.limits[RLIMIT_NOFILE].rlim_max, limit.rlim_max);
	assert_int_equal(getrlimit(RLIMIT_RTTIME, &limit), 0);
	assert_int_equal(posture.limits[RLIMIT_RTTIME].rlim_max, limit.rlim_max);
	for (size_t i = 0; i < POSTURE_NAMESPACES; i++)
		assert_int_equal(posture.namespaces[i], posture.own[i]);
	assert_non_null(find_fd(&posture, null));
	assert_string_equal(find_fd(&posture, null)->target, "/dev/null");
	assert_null(find_fd(&posture, child.hold));
	for (size_t i = 0; i < posture.mounts_len; i++)
		root = root || posture.mounts[i].id == posture.root_mount;
	assert_true(root);
	end_child(&child);

	/* its status, its links and its files are gone, whatever order they are read in */
	assert_int_equal(posture_read(child.pid, arena, &posture, &err), -1);
	assert_int_equal(err.code, ESRCH);
	close(null);
	arena_free(arena);
}

static void test_name(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct posture posture;
	struct child child;
	struct err err = { 0 };

	(void)state;
	start_child(&child, prepare_named);
	assert_int_equal(posture_read(child.pid, arena, &posture, &err), 0);
	assert_int_equal(posture.threads[0].uid[0], getuid());
	assert_int_equal(posture.threads[0].uid[2], geteuid());
	end_child(&child);
	arena_free(arena);
}

/* Dead but not waited for: status is there, the rest is not. */
static void test_zombie(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct posture posture;
	struct err err = { 0 };
	siginfo_t info;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(posture_read(pid, arena, &posture, &err), -1);
	assert_int_equal(err.code, ESRCH);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	arena_free(arena);
}

static void test_status(void **state)
{
	const char *text = "Name:\tx\\nUid:\t7 7 7 7\nUmask:\t0027\nUid:\t1\t2\t3\t4294967295\n"
			   "Groups:\t4 24 100000 \nCapBnd:\t000001ffffffffff\nSeccomp:\t2\n"
			   "Seccomp_filters:\t3\nNoNewPrivs:\t1\n";
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct posture_thread thread = { 0 };
	struct posture posture = { 0 };

	(void)state;
	parse_thread(text, &thread);
	parse_process(text, arena, &posture);
	assert_int_equal(thread.uid[0], 1);
	assert_int_equal(thread.uid[3], UINT32_MAX);
	assert_true(thread.bounding == 0x1ffffffffff);
	assert_int_equal(thread.ambient, 0);
	assert_int_equal(thread.seccomp, 2);
	assert_int_equal(thread.seccomp_filters, 3);
	assert_true(thread.no_new_privs);
	assert_int_equal(posture.umask, 027);
	assert_int_equal(posture.groups_len, 3);
	assert_int_equal(posture.groups[2], 100000);
	/* no groups, and no line at all */
	parse_process("Groups:\t \n", arena, &posture);
	assert_int_equal(posture.groups_len, 0);
	parse_process("Groups", arena, &posture);
	assert_int_equal(posture.groups_len, 0);
	arena_free(arena);
}

static void test_mounts(void **state)
{
	char text[] =
		"22 1 0:21 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw\n"
		"23 22 0:22 /a\\040b /x\\040-\\040y\\012z\\134 ro,nosuid - tmpfs  rw,size=1k\n"
		"24 22 0:23 / /proc rw - fuse.a\\043b none rw\\\n";
	char broken[] = "22 1 0:21 / / rw,relatime shared:1\n";
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct posture posture = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(parse_mounts(text, arena, &posture, &err), 0);
	assert_int_equal(posture.mounts_len, 3);
	assert_int_equal(posture.mounts[0].id, 22);
	assert_string_equal(posture.mounts[0].propagation, "shared:1 master:2");
	assert_string_equal(posture.mounts[0].source, "/dev/vda");
	assert_string_equal(posture.mounts[1].destination, "/x - y\nz\\");
	assert_string_equal(posture.mounts[1].options, "ro,nosuid");
	assert_string_equal(posture.mounts[1].propagation, "");
	assert_string_equal(posture.mounts[1].type, "tmpfs");
	assert_string_equal(posture.mounts[1].source, "");
	assert_string_equal(posture.mounts[1].super_options, "rw,size=1k");
	assert_string_equal(posture.mounts[2].type, "fuse.a#b");
	assert_string_equal(posture.mounts[2].super_options, "rw\\");
	assert_int_equal(parse_mounts(broken, arena, &posture, &err), -1);
	assert_int_equal(err.code, EPROTO);
	arena_free(arena);
}

static void test_limits(void **state)
{
	char text[] =
		"Limit                     Soft Limit           Hard Limit           Units     \n"
		"Max cpu time              unlimited            unlimited            seconds   \n"
		"Max file size             4096                 unlimited            bytes     \n"
		"Max nice priority         0                    7                    \n";
	struct rlimit limits[RLIM_NLIMITS] = { 0 };
	char groups[] = "12:pids:/a\n0::/b/c:d\n", none[] = "1:name=systemd:/\n";

	(void)state;
	parse_limits(text, limits);
	assert_true(limits[RLIMIT_CPU].rlim_cur == RLIM_INFINITY);
	assert_true(limits[RLIMIT_FSIZE].rlim_cur == 4096);
	assert_true(limits[RLIMIT_FSIZE].rlim_max == RLIM_INFINITY);
	assert_true(limits[RLIMIT_NICE].rlim_max == 7);
	assert_string_equal(parse_cgroup(groups), "/b/c:d");
	assert_string_equal(parse_cgroup(none), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process), cmocka_unit_test(test_name),
		cmocka_unit_test(test_zombie),	cmocka_unit_test(test_status),
		cmocka_unit_test(test_mounts),	cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
