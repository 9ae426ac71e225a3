/*
 * Paths under a hostile root filesystem: links that lead out, races that swap a directory for a
 * link, a procfs that is none.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "isolation/path.h"
#include "isolation/proc.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "tests/unit/sandbox.h"

#define RACES 300

static void test_clean(void **state)
{
	static const struct {
		const char *path, *clean;
	} cases[] = {
		{ "/", "/" },
		{ "", "/b" },
		{ "x", "/b/x" },
		{ "/a/./b//c/", "/a/b/c" },
		{ "/a/../b", "/b" },
		{ "/../../..", "/" },
		{ "../x", "/x" },
		{ "/a/b/../../c", "/c" },
		{ "/...", "/..." },
		{ "/a/..b/.c", "/a/..b/.c" },
		{ "/proc/../proc/sys", "/proc/sys" },
	};
	struct arena *arena = arena_new(1 << 16);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(path_clean("/b", cases[i].path, arena), cases[i].clean);
	arena_free(arena);
}

static void test_plain(void **state)
{
	static const char *const plain[] = { "a", ".a", "..a", "a.", "...", "a/b", "ab/.c/..d" };
	static const char *const not_plain[] = { "",	 "/",	  "/a",	   "a/",  "a//b",
						 ".",	 "..",	  "./a",   "a/.", "a/..",
						 "../a", "a/./b", "a/../b" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		assert_true(path_is_plain(plain[i]));
	for (size_t i = 0; i < ARRAY_LEN(not_plain); i++)
		assert_false(path_is_plain(not_plain[i]));
}

static void body_links(void)
{
	static const char *const links[] = { OUTSIDE, "../../../../../tmp/outside",
					     "/../tmp/outside" };
	int rootfs = open_path(ROOTFS);
	struct err err = { 0 };
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		check(symlink(links[i], ROOTFS "/link") == 0);
		check(path_open(rootfs, "link/secret", O_PATH) < 0 && errno == ENOENT);
		check(path_open(rootfs, "/link/../link/secret", O_PATH) < 0);
		/* What it leads to is made where it leads to: inside. */
		fd = path_make(rootfs, "/link/a/b", PATH_FILE, &err);
		check_err(fd >= 0);
		fd_close(&fd);
		check(exists(ROOTFS "/tmp/outside/a/b") && !exists(OUTSIDE "/a"));
		check(path_open(rootfs, "link/secret", O_PATH) < 0 && errno == ENOENT);
		check(unlink(ROOTFS "/tmp/outside/a/b") == 0 &&
		      rmdir(ROOTFS "/tmp/outside/a") == 0);
		check(rmdir(ROOTFS "/tmp/outside") == 0 && rmdir(ROOTFS "/tmp") == 0);
		check(unlink(ROOTFS "/link") == 0);
	}
	check(symlink(OUTSIDE, ROOTFS "/link") == 0);
	fd = path_make(rootfs, "/link", PATH_FILE, &err);
	check_err(fd >= 0);
	check(path_make(rootfs, "/link", PATH_DIRECTORY, &err) < 0 && err.code == ENOTDIR);
	check(path_make(rootfs, "/link/x", PATH_FILE, &err) < 0 && err.code == ENOTDIR);
	check(path_open_no_links(rootfs, "/link", O_PATH) < 0 && errno == ELOOP);
	check(path_open(rootfs, "../../..", O_PATH) >= 0);
}

static void test_links(void **state)
{
	(void)state;
	in_sandbox(body_links);
}

/* "n0" leads to "n1", and so on; the last one to nothing. */
static void make_links(unsigned len)
{
	char name[32], target[32];

	for (unsigned i = 0; i < len; i++) {
		snprintf(name, sizeof(name), ROOTFS "/n%u", i);
		snprintf(target, sizeof(target), "n%u", i + 1);
		check(symlink(target, name) == 0);
	}
}

static void body_many_links(void)
{
	int rootfs = open_path(ROOTFS);
	struct err err = { 0 };

	make_links(9);
	check(path_make(rootfs, "/n0", PATH_FILE, &err) < 0 && err.code == ELOOP);
	check(!exists(ROOTFS "/n9"));
	check_err(path_make(rootfs, "/n1", PATH_FILE, &err) >= 0);
	check(exists(ROOTFS "/n9"));
	check(symlink("self", ROOTFS "/self") == 0);
	check(path_make(rootfs, "/self", PATH_FILE, &err) < 0 && err.code == ELOOP);
}

static void test_many_links(void **state)
{
	(void)state;
	in_sandbox(body_many_links);
}

static void body_magic_links(void)
{
	int rootfs = open_path(ROOTFS);

	check(mkdir(ROOTFS "/proc", 0755) == 0);
	check(mount("proc", ROOTFS "/proc", "proc", 0, NULL) == 0);
	check(path_open(rootfs, "proc/self/root/tmp", O_PATH) < 0 && errno == ELOOP);
	check(path_open(rootfs, "proc/self/cwd", O_PATH) < 0 && errno == ELOOP);
	check(path_open(rootfs, "proc/self/fd/0", O_PATH) < 0 && errno == ELOOP);
}

static void test_magic_links(void **state)
{
	(void)state;
	in_sandbox(body_magic_links);
}

static void body_make(void)
{
	int rootfs = open_path(ROOTFS);
	struct err err = { 0 };
	const char *name;
	struct stat st;
	int fd;

	fd = path_make(rootfs, "/a//b/./c/", PATH_DIRECTORY, &err);
	check_err(fd >= 0);
	check(stat(ROOTFS "/a/b/c", &st) == 0 && S_ISDIR(st.st_mode) &&
	      (st.st_mode & 07777) == 0755);
	fd = path_make(rootfs, "a/b/file", PATH_FILE, &err);
	check_err(fd >= 0);
	check(stat(ROOTFS "/a/b/file", &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0);
	check(path_make(rootfs, "a/b/file", PATH_FILE, &err) >= 0);
	check(path_make(rootfs, "a/b/file", PATH_DIRECTORY, &err) < 0 && err.code == ENOTDIR);
	check(path_make(rootfs, "a/b/file/x", PATH_FILE, &err) < 0 && err.code == ENOTDIR);
	check(path_make(rootfs, "a/b", PATH_FILE, &err) < 0 && err.code == EISDIR);
	check(path_make(rootfs, "a/new/../other", PATH_DIRECTORY, &err) >= 0);
	check(exists(ROOTFS "/a/other"));
	fd = path_make_parent(rootfs, "/p/q/name", &name, &err);
	check_err(fd >= 0 && !strcmp(name, "name"));
	check(exists(ROOTFS "/p/q") && !exists(ROOTFS "/p/q/name"));
	check(path_make_parent(rootfs, "name", &name, &err) >= 0);
	check(path_make_parent(rootfs, "/p/..", &name, &err) < 0);
	check(path_make_parent(rootfs, "/p/", &name, &err) < 0);
}

static void test_make(void **state)
{
	(void)state;
	in_sandbox(body_make);
}

/* Swaps ROOTFS/swap, a directory, with ROOTFS/link, a link that leads out, until it is killed or
 * the test failed. */
static pid_t start_swapping(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		while (getppid() == parent && renameat2(AT_FDCWD, ROOTFS "/swap", AT_FDCWD,
							ROOTFS "/link", RENAME_EXCHANGE) == 0)
			;
		_exit(1);
	}
	return pid;
}

static void body_race(void)
{
	int rootfs = open_path(ROOTFS), made = 0;
	struct err err;
	pid_t pid;

	check(mkdir(ROOTFS "/swap", 0755) == 0);
	check(symlink("../../../../tmp/outside", ROOTFS "/link") == 0);
	pid = start_swapping();
	check(pid > 0);
	/* Longer if the other did not get to run: the link may have been there all the time. */
	for (int i = 0; i < RACES || (!made && i < 1000 * RACES); i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/swap/raced%d/deep", i);
		fd = path_make(rootfs, path, i % 2 ? PATH_DIRECTORY : PATH_FILE, &err);
		made += fd >= 0;
		fd_close(&fd);
		snprintf(path, sizeof(path), OUTSIDE "/raced%d", i);
		check(!exists(path));
		fd = path_open(rootfs, "/swap/secret", O_PATH);
		check(fd < 0);
	}
	check(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
	check(made > 0);
}

static void test_race(void **state)
{
	(void)state;
	in_sandbox(body_race);
}

static void body_device(void)
{
	struct err err = { 0 };

	check_err(path_verify_device(open_path("/dev/null"), S_IFCHR, makedev(1, 3), "null",
				     &err) == 0);
	check(path_verify_device(open_path("/dev/zero"), S_IFCHR, makedev(1, 3), "null", &err) < 0);
	check(path_verify_device(open_path("/dev/null"), S_IFBLK, makedev(1, 3), "null", &err) < 0);
	check(path_verify_device(open_path(OUTSIDE "/secret"), S_IFCHR, makedev(1, 3), "null",
				 &err) < 0);
	check(!strcmp(err.text, "null is not the character device 1:3"));
}

static void test_device(void **state)
{
	(void)state;
	in_sandbox(body_device);
}

static void body_proc(void)
{
	struct err err = { 0 };
	int proc = proc_open(&err);
	char self[64], expected[64];

	check_err(proc >= 0);
	check_err(proc_self(proc, self, sizeof(self), &err) == 0);
	snprintf(expected, sizeof(expected), "%d/task/%ld", getpid(), syscall(SYS_gettid));
	check(!strcmp(self, expected));
	check(proc_self(proc, self, 3, &err) < 0);
	snprintf(expected, sizeof(expected), "%d/comm", getpid());
	check_err(proc_write(proc, expected, "renamed", &err) == 0);
	check(!strcmp(read_text("/proc/self/comm"), "renamed\n"));
	check(proc_open_file(proc, "self/comm", O_RDONLY) < 0 && errno == ELOOP);
	check(proc_open_file(proc, "../etc/passwd", O_RDONLY) < 0 && errno == EXDEV);
	/* Something mounted over a part, or over all of it. */
	check(proc_open_file(proc, "sys/kernel/hostname", O_RDONLY) >= 0);
	check(mount("tmpfs", "/proc/sys", "tmpfs", 0, NULL) == 0);
	check(proc_open_file(proc, "sys/kernel/hostname", O_RDONLY) < 0 && errno == EXDEV);
	check(mount("/proc/sys", "/proc", NULL, MS_BIND, NULL) == 0);
	check(proc_open(&err) < 0 && strstr(err.text, "not a procfs"));
}

static void test_proc(void **state)
{
	(void)state;
	in_sandbox(body_proc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),	    cmocka_unit_test(test_plain),
		cmocka_unit_test(test_links),	    cmocka_unit_test(test_many_links),
		cmocka_unit_test(test_magic_links), cmocka_unit_test(test_make),
		cmocka_unit_test(test_race),	    cmocka_unit_test(test_device),
		cmocka_unit_test(test_proc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
