/*
 * mounts[]: the words against the specification's list, the plan, and mounting into a hostile root
 * filesystem.
 */
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include <cmocka.h>

#include "isolation/mounts.h"
#include "isolation/tree.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "tests/unit/fixture.h"
#include "tests/unit/sandbox.h"

#define OWN (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWCGROUP)
/* clang-format off */
#define WORDS(...) { (const char *[]){ NULL, ##__VA_ARGS__ } + 1, \
		     sizeof((const char *[]){ NULL, ##__VA_ARGS__ }) / sizeof(char *) - 1 }
#define MOUNT(to, kind, from, ...) ((struct spec_mount){ .destination = (to), .type = (kind), \
							 .source = (from), .options = WORDS(__VA_ARGS__) })
/* clang-format on */
static const struct host host = { .privileged = true, .cgroup_root = "/sys/fs/cgroup" };

/* --- words ----------------------------------------------------------------------------------- */

/* config.md, "Linux mount options": MUST, then MAY, then SHOULD. */
static const char *const specified[] = {
	"async",       "atime",	       "bind",		"defaults",
	"dev",	       "diratime",     "dirsync",	"exec",
	"iversion",    "lazytime",     "loud",		"noatime",
	"nodev",       "nodiratime",   "noexec",	"noiversion",
	"nolazytime",  "norelatime",   "nostrictatime", "nosuid",
	"private",     "rbind",	       "relatime",	"remount",
	"ro",	       "rprivate",     "rshared",	"rslave",
	"runbindable", "rw",	       "shared",	"silent",
	"slave",       "strictatime",  "suid",		"sync",
	"unbindable",  "mand",	       "nomand",	"tmpcopyup",
	"nosymfollow", "symfollow",    "ratime",	"rdev",
	"rdiratime",   "rexec",	       "rnoatime",	"rnodev",
	"rnodiratime", "rnoexec",      "rnorelatime",	"rnostrictatime",
	"rnosuid",     "rnosymfollow", "rrelatime",	"rro",
	"rrw",	       "rstrictatime", "rsuid",		"rsymfollow",
};

static const struct mount_option *find(const char *name)
{
	for (const struct mount_option *option = mount_options; *option->name; option++)
		if (!strcmp(option->name, name))
			return option;
	return NULL;
}

static void test_words_of_the_specification(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(specified); i++) {
		const struct mount_option *option = find(specified[i]);

		if (!option)
			fail_msg("no row for '%s'", specified[i]);
		assert_int_equal(option->what & MOUNT_OPTION_LATER, 0);
		/* A word that does nothing says so. */
		assert_true(option->attr_set | option->attr_clear | option->rec_set |
			    option->rec_clear | option->super_set | option->super_clear |
			    option->propagation | option->what);
	}
}

static void test_words_once(void **state)
{
	(void)state;
	for (const struct mount_option *option = mount_options; *option->name; option++)
		assert_ptr_equal(find(option->name), option);
}

static void parse(struct spec_strings words, struct mount_flags *flags)
{
	struct err err = { 0 };

	assert_int_equal(mount_options_parse(&words, arena, flags, &err), 0);
}

static void test_words_add_up(void **state)
{
	const struct {
		struct spec_strings words;
		uint64_t attr_set, attr_clear, rec_set, rec_clear, super;
	} cases[] = {
		{ WORDS("ro", "nosuid", "nodev", "noexec"), 0xf, 0, 0, 0, 0 },
		{ WORDS("ro", "rw"), 0, 1, 0, 0, 0 },
		{ WORDS("rw", "ro"), 1, 0, 0, 0, 0 },
		{ WORDS("ro,nosuid", ",", ""), 3, 0, 0, 0, 0 },
		{ WORDS("rro", "dev"), 0, 4, 1, 0, 0 },
		{ WORDS("rrw", "ro"), 1, 0, 0, 1, 0 },
		{ WORDS("ro", "rrw"), 0, 0, 0, 1, 0 },
		{ WORDS("rw", "rro"), 0, 0, 1, 0, 0 },
		{ WORDS("rnoatime", "strictatime", "ratime"), 0x20, 0x40, 0, 0x70, 0 },
		{ WORDS("sync", "dirsync", "async"), 0, 0, 0, 0, MS_DIRSYNC },
		{ WORDS("lazytime"), 0, 0, 0, 0, MS_LAZYTIME },
		{ WORDS("lazytime", "nolazytime"), 0, 0, 0, 0, 0 },
		{ WORDS("noatime"), 0x10, 0x60, 0, 0, 0 },
		{ WORDS("noatime", "relatime"), 0, 0x70, 0, 0, 0 },
		{ WORDS("noatime", "strictatime"), 0x20, 0x50, 0, 0, 0 },
		{ WORDS("strictatime", "atime"), 0x20, 0x50, 0, 0, 0 },
		{ WORDS("rnoatime", "rnodiratime"), 0, 0, 0x90, 0x60, 0 },
		{ WORDS("nosymfollow", "nodiratime"), 0x200080, 0, 0, 0, 0 },
		{ WORDS("defaults", "mand", "loud", "silent", "iversion"), 0, 0, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mount_flags flags;

		parse(cases[i].words, &flags);
		assert_int_equal(flags.attr_set, cases[i].attr_set);
		/* Which bits of the access time are cleared does not matter if any is. */
		assert_int_equal(flags.attr_clear, cases[i].attr_clear & ~flags.attr_set);
		assert_int_equal(flags.rec_set, cases[i].rec_set);
		assert_int_equal(flags.rec_clear, cases[i].rec_clear);
		assert_int_equal(flags.super, cases[i].super);
		assert_int_equal(flags.data_len, 0);
	}
}

static void test_data_and_propagation(void **state)
{
	struct mount_flags flags;

	(void)state;
	parse((struct spec_strings)WORDS("rslave", "size=1m,mode=755", "shared",
					 "context=\"a:b:c1,c2\"", "inode64"),
	      &flags);
	assert_int_equal(flags.propagation_len, 2);
	assert_int_equal(flags.propagation[0], MS_SLAVE | MS_REC);
	assert_int_equal(flags.propagation[1], MS_SHARED);
	assert_int_equal(flags.data_len, 4);
	assert_string_equal(flags.data[0], "size=1m");
	assert_string_equal(flags.data[1], "mode=755");
	assert_string_equal(flags.data[2], "context=a:b:c1,c2");
	assert_string_equal(flags.data[3], "inode64");
}

/* --- plan ------------------------------------------------------------------------------------ */

static int plan_one(const struct spec_mount *mount, uint64_t own, const struct host *machine,
		    struct mounts_plan *plan, struct err *err)
{
	struct spec spec = { .mounts = { (struct spec_mount *)mount, 1 } };

	return mounts_plan(&spec, machine, own, "/bundle", arena, plan, err);
}

static const struct mount_row *row_of(struct spec_mount mount, uint64_t own)
{
	struct mounts_plan plan;
	struct err err = { 0 };

	if (plan_one(&mount, own, &host, &plan, &err) < 0)
		fail_msg("%s", err.text);
	return plan.row;
}

/* fsconfig(2), of what is longer, says no more than "Invalid argument". */
static void test_plan_lengths(void **state)
{
	(void)state;
	for (int over = 0; over < 2; over++) {
		const char *text = arena_format(arena, "%0*d", TREE_OPTION_MAX + over, 7);
		const struct {
			struct spec_mount mount;
			const char *error;
		} cases[] = {
			{ MOUNT("/a", "tmpfs", text), "mounts[0].source: is longer" },
			{ MOUNT("/a", "tmpfs", NULL, text), "mounts[0].options: '000" },
			{ MOUNT("/a", "tmpfs", NULL, arena_format(arena, "%s=x", text)),
			  "mounts[0].options: '000" },
			{ MOUNT("/a", "tmpfs", NULL, arena_format(arena, "x=%s", text)),
			  "mounts[0].options: 'x=000" },
		};

		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			struct mounts_plan plan;
			struct err err = { 0 };

			assert_int_equal(plan_one(&cases[i].mount, OWN, &host, &plan, &err), -over);
			if (over)
				assert_int_equal(
					strncmp(err.text, cases[i].error, strlen(cases[i].error)),
					0);
		}
	}
}

static void test_plan_refuses(void **state)
{
	const struct {
		struct spec_mount mount;
		const char *text;
	} cases[] = {
		{ MOUNT("/", "tmpfs", NULL, "ro"), "root filesystem itself" },
		{ MOUNT("/a/..", "tmpfs", NULL), "root filesystem itself" },
		{ MOUNT("/a", NULL, "/x"), "type: is required" },
		{ MOUNT("/a", "none", "/x", "ro"), "type: is required" },
		{ MOUNT("/a", "bind", NULL), "source: is required" },
		{ MOUNT("/a", "bind", "/x", "bind", "size=1"), "'size=1'" },
		{ MOUNT("/a", "bind", "/x", "bind", "sync"), "'sync'" },
		{ MOUNT("/a", NULL, NULL, "remount", "lazytime"), "'lazytime'" },
		{ MOUNT("/a", "bind", "/x", "idmap"), "'idmap' is not supported" },
		{ MOUNT("/a", "bind", "/x", "ridmap"), "'ridmap'" },
		{ MOUNT("/a", "bind", "/x", "copy-symlink"), "'copy-symlink'" },
		{ MOUNT("/a", "proc", NULL, "tmpcopyup"), "tmpcopyup" },
		{ MOUNT("/proc/sys", "tmpfs", NULL), "inside of /proc" },
		{ MOUNT("/dev/../proc//self", "bind", "/x"), "inside of /proc" },
		{ MOUNT("/proc/uptime/x", "bind", "/x"), "inside of /proc" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mounts_plan plan;
		struct err err = { 0 };

		assert_int_equal(plan_one(&cases[i].mount, OWN, &host, &plan, &err), -1);
		if (!strstr(err.text, cases[i].text) || strncmp(err.text, "mounts[0].", 10) != 0)
			fail_msg("case %zu: %s", i, err.text);
	}
}

static void test_plan_binds(void **state)
{
	const struct mount_row *row;

	(void)state;
	row = row_of(MOUNT("a/b", "tmpfs", "x/y", "rbind", "ro"), OWN);
	assert_int_equal(row->kind, MOUNT_BIND);
	assert_string_equal(row->destination, "/a/b");
	assert_string_equal(row->source, "/bundle/x/y");
	assert_true(row->flags.what & MOUNT_OPTION_RBIND);
	assert_int_equal(row->flags.attr_set, SYS_MOUNT_ATTR_RDONLY);
	row = row_of(MOUNT("/proc/cpuinfo", "bind", "/x/../y"), OWN);
	assert_string_equal(row->source, "/x/../y");
	assert_true(row->in_proc);
}

static bool has_option(const struct mount_row *row, const char *option)
{
	for (size_t i = 0; i < row->options_len; i++)
		if (!strcmp(row->options[i], option))
			return true;
	return false;
}

static void test_plan_filesystems(void **state)
{
	const struct mount_row *row;

	(void)state;
	row = row_of(MOUNT("/dev", "tmpfs", "tmpfs", "ro", "mode=755", "sync"), OWN);
	assert_true(row->late_read_only && !row->keep_mode && row->guarded);
	assert_int_equal(row->flags.attr_set, 0);
	assert_true(has_option(row, "source=tmpfs") && has_option(row, "sync") &&
		    has_option(row, "mode=755") && !has_option(row, "ro"));
	row = row_of(MOUNT("/x", "tmpfs", NULL, "rro"), OWN);
	assert_true(row->late_read_only && row->keep_mode && !row->flags.rec_set);
	row = row_of(MOUNT("/x", "tmpfs", NULL, "rro", "rnosuid", "rw"), OWN);
	assert_true(!row->late_read_only && row->flags.attr_set == SYS_MOUNT_ATTR_NOSUID);
	row = row_of(MOUNT("/x", "ext4", "/dev/x", "ro"), OWN);
	assert_true(has_option(row, "ro") && !row->late_read_only);
	assert_int_equal(row->flags.attr_set, SYS_MOUNT_ATTR_RDONLY);
	row = row_of(MOUNT("/sys", "sysfs", "sysfs", "ro"), OWN);
	assert_true(!has_option(row, "ro") && row->guarded && row->fallback_bind);
	row = row_of(MOUNT("/proc", "proc", "proc"), OWN);
	assert_true(row->guarded && row->in_proc && !row->fallback_bind);
	row = row_of(MOUNT("/proc", "proc", "proc"), CLONE_NEWNS);
	assert_true(row->fallback_bind);
}

static void test_plan_cgroup(void **state)
{
	const struct spec_mount mount = MOUNT("/sys/fs/cgroup", "cgroup", "cgroup", "rw", "nosuid");
	const struct host bare = { 0 };
	const struct mount_row *row = row_of(mount, OWN);
	struct mounts_plan plan;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(row->kind, MOUNT_FILESYSTEM);
	assert_string_equal(row->type, "cgroup2");
	assert_int_equal(row->flags.attr_set, SYS_MOUNT_ATTR_NOSUID);
	row = row_of(mount, CLONE_NEWNS);
	assert_int_equal(row->kind, MOUNT_CGROUP);
	assert_string_equal(row->source, "/sys/fs/cgroup");
	assert_int_equal(row->flags.attr_set, SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_RDONLY);
	assert_int_equal(row->flags.attr_clear, 0);
	assert_int_equal(plan_one(&mount, CLONE_NEWNS, &bare, &plan, &err), -1);
	assert_non_null(strstr(err.text, "not mounted on this machine"));
}

static void test_plan_label(void **state)
{
	struct spec_mount mounts[] = { MOUNT("/t", "tmpfs", NULL), MOUNT("/proc", "proc", NULL) };
	struct spec spec = { .mounts = { mounts, 2 }, .linux = { .mount_label = "a:b:c1,c2" } };
	const struct host labelling = { .selinux = true };
	struct mounts_plan plan;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(mounts_plan(&spec, &labelling, OWN, "/bundle", arena, &plan, &err), 0);
	assert_true(has_option(&plan.row[0], "context=a:b:c1,c2"));
	assert_int_equal(plan.row[1].options_len, 0);
	assert_int_equal(mounts_plan(&spec, &host, OWN, "/bundle", arena, &plan, &err), -1);
	assert_non_null(strstr(err.text, "linux.mountLabel 'a:b:c1,c2': SELinux is not enabled"));
}

/* A read-only tmpfs becomes so at the end, unless a remount says that it is writable. */
static void test_plan_remount(void **state)
{
	struct spec_mount mounts[] = {
		MOUNT("/a", "tmpfs", NULL, "ro"),
		MOUNT("/b", "tmpfs", NULL, "ro"),
		MOUNT("/a", NULL, NULL, "remount", "nosuid"),
		MOUNT("/b/", NULL, NULL, "remount", "rw"),
	};
	struct spec spec = { .mounts = { mounts, 4 } };
	struct mounts_plan plan;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(mounts_plan(&spec, &host, OWN, "/bundle", arena, &plan, &err), 0);
	assert_true(plan.row[0].late_read_only);
	assert_false(plan.row[1].late_read_only);
}

/* --- apply ----------------------------------------------------------------------------------- */

/* Mounts one row in ROOTFS; the child of a sandbox has an arena of its own. */
static int mount_one(struct spec_mount mount, uint64_t own, const struct host *machine,
		     struct err *err)
{
	int rootfs = open_path(ROOTFS), fd = -1, result;
	struct mounts_plan plan;

	*err = (struct err){ 0 };
	result = plan_one(&mount, own, machine, &plan, err) < 0 ||
				 mounts_open_sources(&plan, &fd, err) < 0 ||
				 mounts_apply(&plan, &fd, rootfs, err) < 0
			 ? -1
			 : mounts_finish(&plan, &fd, err);
	close(rootfs);
	return result;
}

static unsigned long flags_of(const char *path)
{
	struct statvfs fs;

	check(statvfs(path, &fs) == 0);
	return fs.f_flag;
}

static long type_of(const char *path)
{
	struct statfs fs;

	check(statfs(path, &fs) == 0);
	return (long)fs.f_type;
}

static void body_filesystems(void)
{
	struct statvfs fs;
	struct stat st;
	struct err err;

	check(mkdir(ROOTFS "/run", 0755) == 0 && chmod(ROOTFS "/run", 01771) == 0);
	check_err(mount_one(MOUNT("/run", "tmpfs", "tmpfs", "size=64k", "nosuid", "noexec",
				  "noatime"),
			    OWN, &host, &err) == 0);
	check(stat(ROOTFS "/run", &st) == 0 && (st.st_mode & 07777) == 01771);
	check(statvfs(ROOTFS "/run", &fs) == 0 && fs.f_blocks * fs.f_frsize == 65536);
	check((fs.f_flag & (ST_NOSUID | ST_NOEXEC | ST_NOATIME | ST_RDONLY)) ==
	      (ST_NOSUID | ST_NOEXEC | ST_NOATIME));
	/* A directory that was missing says nothing about the mode; read-only comes last. */
	check_err(mount_one(MOUNT("/new", "tmpfs", NULL, "ro"), OWN, &host, &err) == 0);
	check(stat(ROOTFS "/new", &st) == 0 && (st.st_mode & 07777) == 01777);
	check(flags_of(ROOTFS "/new") & ST_RDONLY);
	check_err(mount_one(MOUNT("/proc", "proc", "proc"), OWN, &host, &err) == 0);
	check(type_of(ROOTFS "/proc") == PROC_SUPER_MAGIC);
	check_err(mount_one(MOUNT("/dev/pts", "devpts", "devpts", "newinstance", "ptmxmode=0666",
				  "mode=0620"),
			    OWN, &host, &err) == 0);
	check_err(mount_one(MOUNT("/new", NULL, NULL, "remount", "rw", "nodev"), OWN, &host,
			    &err) == 0);
	check((flags_of(ROOTFS "/new") & (ST_RDONLY | ST_NODEV)) == ST_NODEV);
	check(mount_one(MOUNT("/dev", NULL, NULL, "remount", "ro"), OWN, &host, &err) < 0);
	check_err(strstr(err.text, "nothing is mounted there"));
}

static void test_filesystems(void **state)
{
	(void)state;
	in_sandbox(body_filesystems);
}

static void body_errors(void)
{
	struct err err;

	check(mount_one(MOUNT("/x", "tmpfs", "t", "size=bad"), OWN, &host, &err) < 0);
	check_err(strstr(err.text, "mounts[0]: mount t (type tmpfs) on /x"));
	check_err(strstr(err.text, "Bad value for 'size'") && strstr(err.text, "Invalid argument"));
	check(mount_one(MOUNT("/x", "nosuchfs", "t"), OWN, &host, &err) < 0);
	check_err(strstr(err.text, "no such filesystem type") && err.code == ENODEV);
	check(mount_one(MOUNT("/x", "bind", "/tmp/none"), OWN, &host, &err) < 0);
	check_err(strstr(err.text, "mounts[0].source: open /tmp/none"));
	check_err(strstr(err.text, "No such file or directory"));
}

static void test_errors(void **state)
{
	(void)state;
	in_sandbox(body_errors);
}

static void body_binds(void)
{
	struct err err;

	check_err(mount_one(MOUNT("/data/dir", "bind", OUTSIDE, "rbind", "ro", "rprivate"), OWN,
			    &host, &err) == 0);
	check(!strcmp(read_text(ROOTFS "/data/dir/secret"), "secret"));
	check(flags_of(ROOTFS "/data/dir") & ST_RDONLY && !(flags_of(OUTSIDE) & ST_RDONLY));
	check_err(mount_one(MOUNT("/etc/file", NULL, OUTSIDE "/secret", "bind"), OWN, &host,
			    &err) == 0);
	check(!strcmp(read_text(ROOTFS "/etc/file"), "secret"));
	check(mount_one(MOUNT("/etc/file", "bind", OUTSIDE), OWN, &host, &err) < 0);
	check_err(err.code == ENOTDIR);
	/* Recursive attributes reach what is mounted below. */
	check(mkdir(OUTSIDE "/sub", 0755) == 0);
	check(mount("tmpfs", OUTSIDE "/sub", "tmpfs", 0, NULL) == 0);
	check_err(mount_one(MOUNT("/top", "bind", OUTSIDE, "rbind", "ro"), OWN, &host, &err) == 0);
	check(!(flags_of(ROOTFS "/top/sub") & ST_RDONLY));
	check_err(mount_one(MOUNT("/all", "bind", OUTSIDE, "rbind", "rro"), OWN, &host, &err) == 0);
	check(flags_of(ROOTFS "/all/sub") & ST_RDONLY);
}

static void test_binds(void **state)
{
	(void)state;
	in_sandbox(body_binds);
}

/* Whether anything is mounted on a path, as this mount namespace sees it. */
static bool is_mounted(const char *path)
{
	static char text[65536];
	char wanted[256];

	check(file_read_small(AT_FDCWD, "/proc/self/mountinfo", text, sizeof(text)) > 0);
	snprintf(wanted, sizeof(wanted), " %s ", path);
	return strstr(text, wanted) != NULL;
}

static void body_hostile_destinations(void)
{
	struct err err;

	check(symlink(OUTSIDE, ROOTFS "/etc") == 0);
	check_err(mount_one(MOUNT("/etc/x", "tmpfs", NULL), OWN, &host, &err) == 0);
	check(is_mounted(ROOTFS OUTSIDE "/x") && !exists(OUTSIDE "/x"));
	check(unlink(ROOTFS "/etc") == 0 && symlink("../../../../tmp", ROOTFS "/etc") == 0);
	check_err(mount_one(MOUNT("/etc/outside", "tmpfs", NULL), OWN, &host, &err) == 0);
	check(!is_mounted(OUTSIDE) && is_mounted(ROOTFS "/tmp/outside"));
	/* proc and sysfs on a link, in the middle or at the end (CVE-2023-27561). */
	check(mkdir(ROOTFS "/else", 0755) == 0 && symlink("else", ROOTFS "/proc") == 0);
	check(mount_one(MOUNT("/proc", "proc", NULL), OWN, &host, &err) < 0);
	check_err(err.code == ELOOP && !is_mounted(ROOTFS "/else"));
	check(mount_one(MOUNT("/proc/sys/x", "tmpfs", NULL), OWN, &host, &err) < 0);
	check(symlink("else", ROOTFS "/sys") == 0);
	check(mount_one(MOUNT("/sys", "sysfs", NULL), OWN, &host, &err) < 0);
	check_err(err.code == ELOOP);
	check(unlink(ROOTFS "/proc") == 0);
}

static void test_hostile_destinations(void **state)
{
	(void)state;
	in_sandbox(body_hostile_destinations);
}

static void body_in_proc(void)
{
	struct err err;

	check(mount_one(MOUNT("/proc", "bind", OUTSIDE), OWN, &host, &err) < 0);
	check_err(strstr(err.text, "not a procfs") && !is_mounted(ROOTFS "/proc"));
	check_err(mount_one(MOUNT("/proc", "bind", "/proc", "rbind"), OWN, &host, &err) == 0);
	check(symlink("proc/sys", ROOTFS "/data") == 0);
	check(mount_one(MOUNT("/data", "tmpfs", NULL), OWN, &host, &err) < 0);
	check_err(strstr(err.text, "leads into a procfs"));
	check_err(mount_one(MOUNT("/proc/uptime", "bind", OUTSIDE "/secret"), OWN, &host, &err) ==
		  0);
	check(!strcmp(read_text(ROOTFS "/proc/uptime"), "secret"));
}

static void test_in_proc(void **state)
{
	(void)state;
	in_sandbox(body_in_proc);
}

static void body_copy_up(void)
{
	struct stat st;
	struct err err;
	char target[64] = "";

	check(mkdir(ROOTFS "/var", 0755) == 0 && mkdir(ROOTFS "/var/deep", 0700) == 0);
	check(chown(ROOTFS "/var/deep", 12, 34) == 0 && chown(ROOTFS "/var", 56, 78) == 0);
	write_file(ROOTFS "/var/deep/file", "content");
	check(chmod(ROOTFS "/var/deep/file", 04711) == 0);
	check(symlink(OUTSIDE "/secret", ROOTFS "/var/link") == 0);
	check(symlink(OUTSIDE, ROOTFS "/var/directory-link") == 0);
	check(mkfifo(ROOTFS "/var/fifo", 0600) == 0);
	check_err(mount_one(MOUNT("/var", "tmpfs", NULL, "tmpcopyup", "ro"), OWN, &host, &err) ==
		  0);
	check(type_of(ROOTFS "/var") == TMPFS_MAGIC && is_mounted(ROOTFS "/var"));
	check(!strcmp(read_text(ROOTFS "/var/deep/file"), "content"));
	check(stat(ROOTFS "/var/deep/file", &st) == 0 && (st.st_mode & 07777) == 04711);
	check(stat(ROOTFS "/var/deep", &st) == 0 && (st.st_mode & 07777) == 0700);
	check(st.st_uid == 12 && st.st_gid == 34);
	check(readlink(ROOTFS "/var/link", target, sizeof(target) - 1) > 0);
	check(!strcmp(target, OUTSIDE "/secret"));
	check(lstat(ROOTFS "/var/directory-link", &st) == 0 && S_ISLNK(st.st_mode));
	check(lstat(ROOTFS "/var/fifo", &st) == 0 && S_ISFIFO(st.st_mode));
	check(flags_of(ROOTFS "/var") & ST_RDONLY);
	check(!(flags_of(ROOTFS "/var") & (ST_NODEV | ST_NOSUID | ST_NOEXEC)));
	check(stat(ROOTFS "/var", &st) == 0 && st.st_uid == 56 && st.st_gid == 78);
}

/* A set-user-id program on a filesystem where it is none must not become one by being copied. */
static void body_copy_up_flags(void)
{
	struct stat st;
	struct err err;

	check(mkdir(ROOTFS "/var", 0755) == 0);
	check(mount("tmpfs", ROOTFS "/var", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0);
	check(chown(ROOTFS "/var", 56, 78) == 0);
	check_err(mount_one(MOUNT("/var", "tmpfs", NULL, "tmpcopyup", "exec", "uid=1"), OWN, &host,
			    &err) == 0);
	check((flags_of(ROOTFS "/var") & (ST_NODEV | ST_NOSUID | ST_NOEXEC)) ==
	      (ST_NODEV | ST_NOSUID));
	check(stat(ROOTFS "/var", &st) == 0 && st.st_uid == 1 && st.st_gid == 0);
}

/* The directory is mounted without any of it: a directory, a file and a fifo below are not. */
static void body_copy_up_flags_below(void)
{
	static const struct {
		const char *path;
		unsigned long flag;
	} below[] = { { ROOTFS "/var/directory", MS_NOSUID },
		      { ROOTFS "/var/file", MS_NOEXEC },
		      { ROOTFS "/var/fifo", MS_NODEV } };
	struct err err;

	check(mkdir(ROOTFS "/var", 0755) == 0 && mkdir(below[0].path, 0755) == 0);
	check(mknod(below[1].path, S_IFREG | 0644, 0) == 0 && mkfifo(below[2].path, 0644) == 0);
	for (size_t i = 0; i < ARRAY_LEN(below); i++) {
		check(mount(below[i].path, below[i].path, NULL, MS_BIND, NULL) == 0);
		check(mount(NULL, below[i].path, NULL, MS_REMOUNT | MS_BIND | below[i].flag,
			    NULL) == 0);
	}
	check_err(mount_one(MOUNT("/var", "tmpfs", NULL, "tmpcopyup"), OWN, &host, &err) == 0);
	check((flags_of(ROOTFS "/var") & (ST_NODEV | ST_NOSUID | ST_NOEXEC)) ==
	      (ST_NODEV | ST_NOSUID | ST_NOEXEC));
}

static void test_copy_up(void **state)
{
	(void)state;
	in_sandbox(body_copy_up);
	in_sandbox(body_copy_up_flags);
	in_sandbox(body_copy_up_flags_below);
}

static void body_copy_up_bounds(void)
{
	char path[1024] = ROOTFS "/var";
	struct err err;

	check(mkdir(path, 0755) == 0);
	for (int i = 0; i < 70; i++) {
		strcat(path, "/d");
		check(mkdir(path, 0755) == 0);
	}
	check(mount_one(MOUNT("/var", "tmpfs", NULL, "tmpcopyup"), OWN, &host, &err) < 0);
	check_err(strstr(err.text, "more than 64 directories"));
	check(!is_mounted(ROOTFS "/var"));
	check(mkdir(ROOTFS "/big", 0755) == 0 && truncate(OUTSIDE "/secret", 1 << 20) == 0);
	check(rename(OUTSIDE "/secret", ROOTFS "/big/file") == 0);
	check(mount_one(MOUNT("/big", "tmpfs", NULL, "tmpcopyup", "size=64k"), OWN, &host, &err) <
	      0);
	check_err(err.code == ENOSPC && strstr(err.text, "tmpcopyup: file: copy"));
}

static void test_copy_up_bounds(void **state)
{
	(void)state;
	in_sandbox(body_copy_up_bounds);
}

/* The mount's optional fields say "shared:N" or "master:N" (proc(5)). */
static void body_propagation(void)
{
	char text[65536];
	const char *line;
	struct err err;

	check_err(mount_one(MOUNT("/shared", "bind", OUTSIDE, "bind", "rshared"), OWN, &host,
			    &err) == 0);
	check(file_read_small(AT_FDCWD, "/proc/self/mountinfo", text, sizeof(text)) > 0);
	line = strstr(text, ROOTFS "/shared ");
	check(line && strstr(line, " shared:") && strstr(line, " shared:") < strchr(line, '\n'));
}

static void test_propagation(void **state)
{
	(void)state;
	in_sandbox(body_propagation);
}

static void body_cgroup(void)
{
	struct host machine = { .cgroup_root = OUTSIDE };
	struct err err;

	check(mount("cgroup2", OUTSIDE, "cgroup2", 0, NULL) == 0);
	check_err(mount_one(MOUNT("/cgroup", "cgroup", NULL, "rw", "nosuid"), CLONE_NEWNS, &machine,
			    &err) == 0);
	check(type_of(ROOTFS "/cgroup") == CGROUP2_SUPER_MAGIC);
	check(flags_of(ROOTFS "/cgroup") & ST_RDONLY && flags_of(ROOTFS "/cgroup") & ST_NOSUID);
}

static void test_cgroup(void **state)
{
	(void)state;
	in_sandbox(body_cgroup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_of_the_specification),
		cmocka_unit_test(test_words_once),
		cmocka_unit_test(test_words_add_up),
		cmocka_unit_test(test_data_and_propagation),
		cmocka_unit_test(test_plan_lengths),
		cmocka_unit_test(test_plan_refuses),
		cmocka_unit_test(test_plan_binds),
		cmocka_unit_test(test_plan_filesystems),
		cmocka_unit_test(test_plan_cgroup),
		cmocka_unit_test(test_plan_label),
		cmocka_unit_test(test_plan_remount),
		cmocka_unit_test(test_filesystems),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_binds),
		cmocka_unit_test(test_hostile_destinations),
		cmocka_unit_test(test_in_proc),
		cmocka_unit_test(test_copy_up),
		cmocka_unit_test(test_copy_up_bounds),
		cmocka_unit_test(test_propagation),
		cmocka_unit_test(test_cgroup),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
