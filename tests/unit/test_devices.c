/*
 * Device nodes: which are planned, made exactly so or bound, and never where an image's links lead.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "isolation/devices.h"
#include "runtime/base/array.h"
#include "tests/unit/fixture.h"
#include "tests/unit/sandbox.h"

static const struct host root_host = { .privileged = true, .initial_user_ns = true };
static const struct host user_host = { .uid = 1000, .rootless = true };

/* --- plan ------------------------------------------------------------------------------------ */

static const struct device_row *find(const struct devices_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->len; i++)
		if (!strcmp(plan->row[i].path, path))
			return &plan->row[i];
	return NULL;
}

static void test_plan_defaults(void **state)
{
	static const char *const defaults[] = { "/dev/null",   "/dev/zero",    "/dev/full",
						"/dev/random", "/dev/urandom", "/dev/tty" };
	struct spec spec = { .process = { .terminal = true } };
	struct devices_plan plan;
	struct err err;

	(void)state;
	assert_int_equal(devices_plan(&spec, &root_host, CLONE_NEWNS, arena, &plan, &err), 0);
	assert_true(plan.own_dev && plan.terminal && !plan.bind);
	assert_int_equal(plan.len, 6);
	for (size_t i = 0; i < 6; i++)
		assert_true(find(&plan, defaults[i]) && !find(&plan, defaults[i])->configured);
	assert_int_equal(find(&plan, "/dev/null")->device, makedev(1, 3));
	assert_int_equal(devices_plan(&spec, &user_host, CLONE_NEWNS, arena, &plan, &err), 0);
	assert_true(plan.bind);
	assert_int_equal(devices_plan(&spec, &root_host, CLONE_NEWUSER, arena, &plan, &err), 0);
	assert_true(plan.bind);
}

static void test_plan_overrides(void **state)
{
	struct spec_device devices[] = {
		{ 'u',
		  "/dev//./null",
		  { true, 1 },
		  { true, 3 },
		  { true, 0100600 },
		  { true, 5 },
		  { true, 6 } },
		{ 'b', "/dev/loop0", { true, 7 }, { true, 0 }, { 0 }, { 0 }, { 0 } },
		{ 'p', "/run/fifo", { 0 }, { 0 }, { 0 }, { 0 }, { 0 } },
	};
	struct spec_mount mounts[] = { { .destination = "/dev/zero", .type = "bind" } };
	struct spec spec = { .linux = { .devices = { devices, 3 } }, .mounts = { mounts, 1 } };
	const struct device_row *null;
	struct devices_plan plan;
	struct err err;

	(void)state;
	assert_int_equal(devices_plan(&spec, &root_host, 0, arena, &plan, &err), 0);
	assert_int_equal(plan.len, 3 + 6 - 2);
	null = find(&plan, "/dev/null");
	assert_true(null->configured && null->type == S_IFCHR && null->mode == 0600);
	assert_true(null->uid == 5 && null->gid == 6);
	assert_int_equal(find(&plan, "/dev/loop0")->mode, 0666);
	assert_int_equal(find(&plan, "/run/fifo")->type, S_IFIFO);
	assert_null(find(&plan, "/dev/zero"));
}

static void test_plan_bound_dev(void **state)
{
	static const struct {
		const char *type, *option;
		bool own;
	} cases[] = {
		{ "bind", "ro", false },    { "none", "rbind", false },
		{ NULL, "ro,bind", false }, { "tmpfs", "mode=0", true },
		{ NULL, "remount", true },  { "devtmpfs", "ro", false },
	};
	struct devices_plan plan;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *option = cases[i].option;
		struct spec_mount mount = { .destination = "/dev/",
					    .type = cases[i].type,
					    .options = { &option, 1 } };
		struct spec spec = { .mounts = { &mount, 1 } };

		assert_int_equal(devices_plan(&spec, &root_host, 0, arena, &plan, &err), 0);
		assert_int_equal(plan.own_dev, cases[i].own);
		assert_int_equal(plan.len, cases[i].own ? 6 : 0);
	}
}

/* --- apply ----------------------------------------------------------------------------------- */

static struct device_row rows[] = {
	{ "/dev/null", S_IFCHR, 0666, 0, 0, 0, false },
	{ "/dev/sub/zero", S_IFCHR, 0640, 0, 12, 34, true },
	{ "/opt/fifo", S_IFIFO, 0600, 0, 0, 0, true },
};

static struct devices_plan plan_of_rows(size_t len)
{
	rows[0].device = makedev(1, 3);
	rows[1].device = makedev(1, 5);
	return (struct devices_plan){ .row = rows, .len = len, .own_dev = true };
}

static void body_nodes(void)
{
	struct devices_plan plan = plan_of_rows(3);
	int rootfs = open_path(ROOTFS);
	struct err err = { 0 };
	char target[32] = "";
	struct stat st;

	plan.terminal = true;
	umask(077);
	check_err(devices_apply(&plan, rootfs, -1, &err) == 0);
	check(stat(ROOTFS "/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
	check(st.st_rdev == makedev(1, 3) && (st.st_mode & 07777) == 0666);
	check(stat(ROOTFS "/dev/sub/zero", &st) == 0 && st.st_rdev == makedev(1, 5));
	check((st.st_mode & 07777) == 0640 && st.st_uid == 12 && st.st_gid == 34);
	check(stat(ROOTFS "/opt/fifo", &st) == 0 && S_ISFIFO(st.st_mode));
	check(stat(ROOTFS "/dev/console", &st) == 0 && S_ISREG(st.st_mode));
	check(readlink(ROOTFS "/dev/ptmx", target, sizeof(target)) > 0);
	check(!strcmp(target, "pts/ptmx") && exists(ROOTFS "/dev/stdout"));
	check(umask(0) == 077);
	/* Again: what matches is kept, with its mode. */
	check(chmod(ROOTFS "/dev/null", 0600) == 0);
	check_err(devices_apply(&plan, rootfs, -1, &err) == 0);
	check(stat(ROOTFS "/dev/null", &st) == 0 && (st.st_mode & 07777) == 0600);
}

static void test_nodes(void **state)
{
	(void)state;
	in_sandbox(body_nodes);
}

static void body_hostile(void)
{
	struct devices_plan plan = plan_of_rows(2);
	int rootfs = open_path(ROOTFS);
	struct err err = { 0 };

	check(symlink(OUTSIDE, ROOTFS "/dev") == 0);
	check(devices_apply(&plan, rootfs, -1, &err) < 0);
	check_err(strstr(err.text, "/dev of the root filesystem is a symbolic link"));
	check(unlink(ROOTFS "/dev") == 0 && symlink("opt", ROOTFS "/dev") == 0);
	check(mkdir(ROOTFS "/opt", 0755) == 0);
	check(devices_apply(&plan, rootfs, -1, &err) < 0 && err.code == ELOOP);
	check(unlink(ROOTFS "/dev") == 0 && mkdir(ROOTFS "/dev", 0755) == 0);
	check(symlink(OUTSIDE "/secret", ROOTFS "/dev/null") == 0);
	check(devices_apply(&plan, rootfs, -1, &err) < 0 && err.code == EEXIST);
	check(unlink(ROOTFS "/dev/null") == 0);
	check(mknod(ROOTFS "/dev/null", S_IFCHR | 0666, makedev(1, 5)) == 0);
	check(devices_apply(&plan, rootfs, -1, &err) < 0 && err.code == EEXIST);
	check(unlink(ROOTFS "/dev/null") == 0);
	check(symlink("../../../tmp/outside", ROOTFS "/dev/sub") == 0);
	check(devices_apply(&plan, rootfs, -1, &err) < 0 && err.code == ELOOP);
	check(!exists(ROOTFS OUTSIDE "/zero") && !exists(OUTSIDE "/zero"));
	check(unlink(ROOTFS "/dev/sub") == 0);
	write_file(ROOTFS "/dev/sub", "no directory");
	check(devices_apply(&plan, rootfs, -1, &err) < 0);
	check_err(strstr(err.text, "linux.devices[1]"));
	check(mount(NULL, "/tmp", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	plan.row = &rows[2];
	plan.len = 1;
	check(devices_apply(&plan, rootfs, -1, &err) < 0 && err.code == EROFS);
	check_err(strstr(err.text, "mount a tmpfs on /dev"));
}

static void test_hostile(void **state)
{
	(void)state;
	in_sandbox(body_hostile);
}

static void body_bound_nodes(void)
{
	struct devices_plan plan = plan_of_rows(1);
	int rootfs = open_path(ROOTFS);
	struct err err = { 0 };
	struct statvfs fs;
	struct stat st;

	plan.bind = true;
	check(mkdir(ROOTFS "/dev", 0755) == 0);
	write_file(ROOTFS "/dev/null", "");
	check_err(devices_apply(&plan, rootfs, -1, &err) == 0);
	check(stat(ROOTFS "/dev/null", &st) == 0 && st.st_rdev == makedev(1, 3));
	check(statvfs(ROOTFS "/dev/null", &fs) == 0);
	check((fs.f_flag & (ST_NOSUID | ST_NOEXEC)) == (ST_NOSUID | ST_NOEXEC));
	check(chmod(ROOTFS "/dev/null", 0) < 0 && errno == EROFS); /* the host's node */
	write_file(ROOTFS "/dev/null", "written");
	check(umount(ROOTFS "/dev/null") == 0);
	/* The host's node of that name is another device. */
	check(mount("/dev/zero", "/dev/null", NULL, MS_BIND, NULL) == 0);
	check(devices_apply(&plan, rootfs, -1, &err) < 0);
	check_err(strstr(err.text, "is not the character device 1:3"));
}

static void test_bound_nodes(void **state)
{
	(void)state;
	in_sandbox(body_bound_nodes);
}

static void body_bound_dev(void)
{
	struct devices_plan plan = plan_of_rows(2);
	int rootfs = open_path(ROOTFS), dev;
	struct err err = { 0 };

	plan.own_dev = false;
	check(mkdir(ROOTFS "/dev", 0755) == 0);
	check(mount("/dev", ROOTFS "/dev", NULL, MS_BIND, NULL) == 0);
	plan.len = 1;
	check(devices_apply(&plan, rootfs, -1, &err) < 0 && err.code == EXDEV);
	dev = open_path(ROOTFS "/dev");
	check_err(devices_apply(&plan, rootfs, dev, &err) == 0);
	plan.row = &rows[1];
	rows[1].path = "/dev/agentd-test-zero";
	check(devices_apply(&plan, rootfs, dev, &err) < 0 && err.code == ENOENT);
	check(!exists("/dev/agentd-test-zero"));
}

static void test_bound_dev(void **state)
{
	(void)state;
	in_sandbox(body_bound_dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_defaults),  cmocka_unit_test(test_plan_overrides),
		cmocka_unit_test(test_plan_bound_dev), cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_hostile),	       cmocka_unit_test(test_bound_nodes),
		cmocka_unit_test(test_bound_dev),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
