/*
 * The root filesystem: the plan, preparing it without a trace on the host, masks that an image
 * cannot fake, leaving the host behind.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "isolation/rootfs.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "tests/unit/sandbox.h"

#define PATHS(...)                                                               \
	{                                                                        \
		(const char *[]){ __VA_ARGS__, NULL },                           \
			sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *) \
	}

/* --- plan ------------------------------------------------------------------------------------ */

static int plan_of(const struct spec *spec, bool no_pivot, struct rootfs_plan *plan,
		   struct err *err)
{
	struct arena *arena = arena_new(1 << 16);
	int result = rootfs_plan(spec, CLONE_NEWNS, "/bundle", no_pivot, arena, plan, err);

	/* What the tests look at in the plan are numbers. */
	arena_free(arena);
	return result;
}

static void test_plan(void **state)
{
	static const struct {
		uint64_t asked, host, final;
	} cases[] = {
		{ 0, MS_SLAVE | MS_REC, 0 },
		{ MS_SLAVE | MS_REC, MS_SLAVE | MS_REC, MS_SLAVE },
		{ MS_PRIVATE, MS_PRIVATE | MS_REC, MS_PRIVATE },
		{ MS_UNBINDABLE, MS_PRIVATE | MS_REC, MS_UNBINDABLE },
		{ MS_SHARED | MS_REC, 0, MS_SHARED },
	};
	struct spec_namespace mount = { CLONE_NEWNS, NULL };
	struct spec spec = { .root = { .set = true, .path = "rootfs", .readonly = true },
			     .linux = { .namespaces = { &mount, 1 } } };
	struct rootfs_plan plan;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		spec.linux.rootfs_propagation = cases[i].asked;
		assert_int_equal(plan_of(&spec, false, &plan, &err), 0);
		assert_true(plan.wanted && plan.read_only);
		assert_int_equal(plan.host_propagation, cases[i].host);
		assert_int_equal(plan.propagation, cases[i].final);
	}
	assert_int_equal(plan_of(&spec, true, &plan, &err), -1);
	assert_non_null(strstr(err.text, "--no-pivot"));
	spec.root.path = "../..//";
	assert_int_equal(plan_of(&spec, false, &plan, &err), -1);
	assert_non_null(strstr(err.text, "root.path"));
}

static void test_plan_namespace(void **state)
{
	struct spec_namespace mount = { CLONE_NEWNS, "/proc/1/ns/mnt" };
	struct spec spec = { .root = { .set = true, .path = "rootfs" },
			     .linux = { .namespaces = { &mount, 1 } } };
	struct rootfs_plan plan;
	struct err err;

	(void)state;
	assert_int_equal(plan_of(&spec, false, &plan, &err), 0);
	assert_false(plan.wanted);
	spec.linux.masked_paths = (struct spec_strings)PATHS("/proc/kcore");
	assert_int_equal(plan_of(&spec, false, &plan, &err), -1);
	assert_non_null(strstr(err.text, "is joined"));
	spec.linux.namespaces.len = 0;
	assert_int_equal(plan_of(&spec, false, &plan, &err), -1);
	assert_non_null(strstr(err.text, "needs a mount namespace"));
}

/* --- apply ----------------------------------------------------------------------------------- */

static int prepare(const struct rootfs_plan *plan)
{
	struct err err = { 0 };
	int rootfs = -1;

	check_err(rootfs_open(plan, &rootfs, &err) == 0);
	check_err(rootfs_prepare(plan, &rootfs, &err) == 0);
	return rootfs;
}

static const struct mounts_plan no_mounts = { .len = 0 };
static const struct rootfs_plan basic = { .path = ROOTFS, .host_propagation = MS_SLAVE | MS_REC };

static void body_open(void)
{
	struct rootfs_plan plan = { .path = "/tmp/link" };
	struct err err;
	int fd;

	check(symlink(ROOTFS, plan.path) == 0);
	check(rootfs_open(&plan, &fd, &err) < 0 && err.code == ENOTDIR);
	plan.path = OUTSIDE "/secret";
	check(rootfs_open(&plan, &fd, &err) < 0 && err.code == ENOTDIR);
	plan.path = "/tmp/none";
	check(rootfs_open(&plan, &fd, &err) < 0 && err.code == ENOENT);
	check_err(!strcmp(err.text, "root.path: open /tmp/none: No such file or directory"));
}

static void test_open(void **state)
{
	(void)state;
	in_sandbox(body_open);
}

static void body_masks(void)
{
	struct rootfs_plan plan = basic;
	struct err err = { 0 };
	struct stat st;
	int rootfs;

	plan.masked = (struct spec_strings)PATHS("/secret", "/dir", "/link", "/no/such", "/dir2",
						 "/secret/below", "/out/secret");
	plan.read_only_paths = (struct spec_strings)PATHS("/ro", "/none");
	write_file(ROOTFS "/secret", "key");
	write_file(ROOTFS "/behind-link", "key");
	check(symlink("/behind-link", ROOTFS "/link") == 0);
	check(symlink(OUTSIDE, ROOTFS "/out") == 0);
	check(mkdir(ROOTFS "/dir", 0700) == 0 && mkdir(ROOTFS "/dir2", 0700) == 0);
	check(mkdir(ROOTFS "/ro", 0755) == 0 && mkdir(ROOTFS "/ro/sub", 0755) == 0);
	check(mount("tmpfs", ROOTFS "/ro/sub", "tmpfs", 0, NULL) == 0);
	write_file(ROOTFS "/dir/file", "key");
	/* An image's own /dev/null, that would bring the key back (CVE-2025-31133). */
	check(mkdir(ROOTFS "/dev", 0755) == 0 && symlink("/behind-link", ROOTFS "/dev/null") == 0);
	rootfs = prepare(&plan);
	check_err(rootfs_hide(&plan, &no_mounts, NULL, rootfs, &err) == 0);
	check(stat(ROOTFS "/secret", &st) == 0 && S_ISCHR(st.st_mode) &&
	      st.st_rdev == makedev(1, 3));
	check(chmod(ROOTFS "/secret", 0) < 0 && errno == EROFS); /* the host's node */
	check(stat(ROOTFS "/behind-link", &st) == 0 && st.st_rdev == makedev(1, 3));
	check(!exists(ROOTFS "/dir/file"));
	check(mkdir(ROOTFS "/dir/new", 0755) < 0 && errno == EROFS);
	check(mkdir(ROOTFS "/dir2/new", 0755) < 0 && errno == EROFS);
	check(mkdir(ROOTFS "/ro/new", 0755) < 0 && errno == EROFS);
	check(mkdir(ROOTFS "/ro/sub/new", 0755) < 0 && errno == EROFS);
	check(mkdir(ROOTFS "/writable", 0755) == 0);
	check(!strcmp(read_text(OUTSIDE "/secret"), "secret"));
}

static void test_masks(void **state)
{
	(void)state;
	in_sandbox(body_masks);
}

/* The host's /dev/null itself is checked: whoever can replace it gets no mask made of it. */
static void body_fake_null(void)
{
	struct rootfs_plan plan = basic;
	struct err err = { 0 };
	int rootfs;

	plan.masked = (struct spec_strings)PATHS("/secret");
	write_file(ROOTFS "/secret", "key");
	check(mount(OUTSIDE "/secret", "/dev/null", NULL, MS_BIND, NULL) == 0);
	rootfs = prepare(&plan);
	check(rootfs_hide(&plan, &no_mounts, NULL, rootfs, &err) < 0);
	check_err(strstr(err.text, "/dev/null is not the character device 1:3"));
}

static void test_fake_null(void **state)
{
	(void)state;
	in_sandbox(body_fake_null);
}

static void body_pivot(void)
{
	struct rootfs_plan plan = basic;
	struct err err = { 0 };
	char text[4096];
	int rootfs, host = open_path("/");

	plan.read_only = true;
	plan.propagation = MS_SHARED;
	check(mkdir(ROOTFS "/proc", 0755) == 0 && mkdir(ROOTFS "/tmp", 0755) == 0);
	check(mount("proc", ROOTFS "/proc", "proc", 0, NULL) == 0);
	rootfs = prepare(&plan);
	check_err(rootfs_pivot(&plan, rootfs, &err) == 0);
	check_err(rootfs_finish(&plan, rootfs, &err) == 0);
	check(!exists(OUTSIDE) && exists("/proc/self"));
	check(mkdir("/new", 0755) < 0 && errno == EROFS);
	/* Nothing of the host is left in the namespace: the root and its proc are all. */
	check(file_read_small(AT_FDCWD, "/proc/self/mountinfo", text, sizeof(text)) > 0);
	check(strstr(text, " / / ") || strstr(text, " /rootfs / "));
	check(strstr(text, " /proc ") && !strstr(text, "/sys") && strstr(text, " shared:"));
	/* Even by a descriptor from before: what it shows has nothing mounted on it any more. */
	check(faccessat(host, "proc/self", F_OK, 0) < 0);
}

static void test_pivot(void **state)
{
	(void)state;
	in_sandbox(body_pivot);
}

static void body_no_pivot(void)
{
	struct rootfs_plan plan = basic;
	struct err err = { 0 };
	int rootfs, host = open_path("/");

	plan.no_pivot = true;
	check(mkdir(ROOTFS "/proc", 0755) == 0);
	check(mkdir(OUTSIDE "/a b", 0755) == 0);
	check(mount("proc", OUTSIDE "/a b", "proc", 0, NULL) == 0);
	rootfs = prepare(&plan);
	check(mount("proc", ROOTFS "/proc", "proc", 0, NULL) == 0);
	check_err(rootfs_pivot(&plan, rootfs, &err) == 0);
	check_err(rootfs_finish(&plan, rootfs, &err) == 0);
	check(!exists(OUTSIDE) && exists("/proc/self"));
	/* By a way out of the chroot: the host is there, but no procfs or sysfs of it. */
	check(faccessat(host, "tmp/outside/secret", F_OK, 0) == 0);
	check(faccessat(host, "proc/self", F_OK, 0) < 0);
	check(faccessat(host, "sys/kernel", F_OK, 0) < 0);
	check(faccessat(host, "tmp/outside/a b/self", F_OK, 0) < 0);
}

static void test_no_pivot(void **state)
{
	(void)state;
	in_sandbox(body_no_pivot);
}

/* Both propagations, with a host whose mounts are shared: nothing that is mounted under the root
 * filesystem may show up there; with "shared", what is mounted under a volume has to. */
static void propagate_to_host(uint64_t host_propagation, bool expected)
{
	static char text[65536];
	struct rootfs_plan plan = basic;
	int status = -1;
	pid_t pid;

	plan.host_propagation = host_propagation;
	check(mount("tmpfs", OUTSIDE, "tmpfs", 0, NULL) == 0);
	check(mkdir(OUTSIDE "/volume", 0755) == 0 && mkdir(ROOTFS "/inner", 0755) == 0);
	check(mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL) == 0);
	pid = fork();
	if (pid == 0) {
		check(unshare(CLONE_NEWNS) == 0);
		prepare(&plan);
		check(mount("tmpfs", ROOTFS "/inner", "tmpfs", 0, NULL) == 0);
		check(mount("tmpfs", OUTSIDE "/volume", "tmpfs", 0, NULL) == 0);
		_exit(0);
	}
	check(waitpid(pid, &status, 0) == pid && status == 0);
	check(file_read_small(AT_FDCWD, "/proc/self/mountinfo", text, sizeof(text)) > 0);
	check(!strstr(text, ROOTFS));
	check(expected == (strstr(text, OUTSIDE "/volume") != NULL));
}

static void body_slave(void)
{
	propagate_to_host(MS_SLAVE | MS_REC, false);
}

static void body_shared(void)
{
	propagate_to_host(0, true);
}

static void test_propagation(void **state)
{
	(void)state;
	in_sandbox(body_slave);
	in_sandbox(body_shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),	  cmocka_unit_test(test_plan_namespace),
		cmocka_unit_test(test_open),	  cmocka_unit_test(test_masks),
		cmocka_unit_test(test_fake_null), cmocka_unit_test(test_pivot),
		cmocka_unit_test(test_no_pivot),  cmocka_unit_test(test_propagation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
