/*
 * mounts[], see mounts.h: first the plan, then carrying it out.
 *
 * The root filesystem is hostile and may change under us. A destination is found once, by path.h,
 * and used through its descriptor (CVE-2021-30465); a source is a descriptor or a new filesystem.
 * mount(2), which takes paths, must not be used here.
 */
#include "isolation/mounts.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "isolation/copyup.h"
#include "isolation/path.h"
#include "isolation/tree.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/names.h"

/* --- plan ------------------------------------------------------------------------------------ */

static const struct name super_names[] = {
	{ "ro", MS_RDONLY },
	{ "sync", MS_SYNCHRONOUS },
	{ "dirsync", MS_DIRSYNC },
	{ "lazytime", MS_LAZYTIME },
	{ 0 },
};

/*
 * "ro" makes the mount read-only, and the superblock too unless it is one of these: theirs is
 * shared with the host, or has to be filled first.
 */
static const char *const read_only_by_mount[] = {
	"tmpfs",   "ramfs",	"proc",	      "sysfs",	     "devpts",	"devtmpfs", "mqueue",
	"cgroup2", "hugetlbfs", "bpf",	      "debugfs",     "tracefs", "configfs", "fusectl",
	"pstore",  "efivarfs",	"securityfs", "binfmt_misc", NULL,
};

/* Cannot have a label of their own: the policy labels what is in them. */
static const char *const without_label[] = { "proc", "sysfs", "mqueue", "cgroup2", NULL };

/* All that may be mounted on inside of /proc (emulated by LXCFS, or switched by CRIU and FIPS). */
static const char *const proc_files[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/uptime",
	"/proc/loadavg",
	"/proc/slabinfo",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/sys/crypto/fips_enabled",
	NULL,
};

static bool is_one_of(const char *text, const char *const list[])
{
	for (; *list; list++)
		if (!strcmp(*list, text))
			return true;
	return false;
}

static bool is_type(const struct mount_row *row, const char *type)
{
	return row->kind == MOUNT_FILESYSTEM && !strcmp(row->type, type);
}

/* A bind option decides whatever the type says: the kernel ignores the type then (mount(2)). */
static int plan_kind(const struct spec_mount *mount, const struct host *host, uint64_t own,
		     const char *bundle, struct arena *arena, struct mount_row *row,
		     struct err *err)
{
	const char *type = mount->type ? mount->type : "none";

	row->type = type;
	row->source = mount->source;
	if (row->flags.what & MOUNT_OPTION_REMOUNT) {
		row->kind = MOUNT_REMOUNT;
	} else if (row->flags.what & (MOUNT_OPTION_BIND | MOUNT_OPTION_RBIND) ||
		   !strcmp(type, "bind")) {
		row->kind = MOUNT_BIND;
		row->type = "bind";
		if (!mount->source)
			return err_set(err, EINVAL, "source: is required for a bind mount");
		if (mount->source[0] != '/')
			row->source = arena_format(arena, "%s/%s", bundle, mount->source);
	} else if (!strcmp(type, "none") || !*type) {
		return err_set(err, EINVAL,
			       "type: is required; only a bind mount ('bind' or 'rbind' in its "
			       "options) has none");
	} else if (strcmp(type, "cgroup") && strcmp(type, "cgroup2")) {
		row->kind = MOUNT_FILESYSTEM;
	} else if (own & CLONE_NEWCGROUP) {
		row->kind = MOUNT_FILESYSTEM;
		row->type = "cgroup2";
	} else {
		/* Without a namespace of its own it is the host's: never writable (CVE-2023-25809).
		 */
		row->kind = MOUNT_CGROUP;
		row->source = host->cgroup_root;
		row->flags.attr_set |= SYS_MOUNT_ATTR_RDONLY;
		row->flags.attr_clear &= ~(uint64_t)SYS_MOUNT_ATTR_RDONLY;
		if (!host->cgroup_root)
			return err_set(
				err, ENOENT,
				"type: '%s': cgroup v2 is not mounted on this machine; mount "
				"cgroup2, give the container a cgroup namespace, or leave "
				"this mount out",
				type);
	}
	return 0;
}

/* What only a new filesystem can have is refused for the others: the kernel would ignore it. */
static int check_options(const struct mount_row *row, struct err *err)
{
	const char *word = row->flags.data_len ? row->flags.data[0] : NULL;

	for (const struct name *flag = super_names; !word && flag->name; flag++)
		if (row->flags.super & flag->value)
			word = flag->name;
	if (word && row->kind != MOUNT_FILESYSTEM)
		return err_set(err, EINVAL,
			       "options: '%s' is an option of a filesystem; %s takes none", word,
			       row->kind == MOUNT_REMOUNT  ? "a remount"
			       : row->kind == MOUNT_CGROUP ? "a cgroup mount"
							   : "a bind mount");
	if ((row->flags.what & MOUNT_OPTION_TMPCOPYUP) && !is_type(row, "tmpfs"))
		return err_set(err, EINVAL, "options: 'tmpcopyup' is for tmpfs alone");
	return 0;
}

static int plan_destination(const char *destination, struct arena *arena, struct mount_row *row,
			    struct err *err)
{
	row->destination = path_clean("/", destination, arena);
	if (!strcmp(row->destination, "/"))
		return err_set(err, EINVAL,
			       "destination: '%s' is the root filesystem itself; use root.path",
			       destination);
	row->in_proc = !strcmp(row->destination, "/proc") ||
		       is_one_of(row->destination, proc_files);
	if (!strncmp(row->destination, "/proc/", 6) && !row->in_proc)
		return err_set(err, EPERM,
			       "destination: %s: mounting inside of /proc is not allowed, but for "
			       "a few files such as /proc/cpuinfo",
			       row->destination);
	return 0;
}

static void plan_read_only(struct mount_row *row)
{
	struct mount_flags *flags = &row->flags;

	if (row->kind != MOUNT_FILESYSTEM ||
	    !((flags->attr_set | flags->rec_set) & SYS_MOUNT_ATTR_RDONLY))
		return;
	if (is_type(row, "tmpfs") || !strcmp(row->destination, "/dev")) {
		row->late_read_only = true;
		flags->attr_set &= ~(uint64_t)SYS_MOUNT_ATTR_RDONLY;
		flags->rec_set &= ~(uint64_t)SYS_MOUNT_ATTR_RDONLY;
	} else if (!is_one_of(row->type, read_only_by_mount)) {
		flags->super |= MS_RDONLY;
	}
}

static int plan_filesystem(const struct spec *spec, uint64_t own, struct arena *arena,
			   struct mount_row *row, struct err *err)
{
	const struct mount_flags *flags = &row->flags;
	bool mode = false;

	row->no_links = is_type(row, "proc") || is_type(row, "sysfs");
	row->fallback_bind = is_type(row, "sysfs") ||
			     (is_type(row, "proc") && !(own & CLONE_NEWPID));
	row->options = arena_new_array(arena, const char *, flags->data_len + 8);
	if (row->source && strlen(row->source) > TREE_OPTION_MAX)
		return err_set(err, EINVAL,
			       "source: is longer than the %d bytes that the kernel takes",
			       TREE_OPTION_MAX);
	if (row->source)
		row->options[row->options_len++] = arena_format(arena, "source=%s", row->source);
	for (const struct name *flag = super_names; flag->name; flag++)
		if (flags->super & flag->value)
			row->options[row->options_len++] = flag->name;
	for (size_t i = 0; i < flags->data_len; i++) {
		row->options[row->options_len++] = flags->data[i];
		mode = mode || !strncmp(flags->data[i], "mode=", 5);
	}
	if (spec->linux.mount_label && !is_one_of(row->type, without_label))
		row->options[row->options_len++] =
			arena_format(arena, "context=%s", spec->linux.mount_label);
	row->keep_mode = is_type(row, "tmpfs") && !mode;
	return 0;
}

static int plan_row(const struct spec *spec, const struct host *host, uint64_t own,
		    const char *bundle, const struct spec_mount *mount, struct arena *arena,
		    struct mount_row *row, struct err *err)
{
	if (mount->uid_mappings.len || mount->gid_mappings.len)
		return err_set(err, ENOTSUP, "uidMappings: id-mapped mounts are not supported");
	if (plan_destination(mount->destination, arena, row, err) < 0 ||
	    mount_options_parse(&mount->options, arena, &row->flags, err) < 0 ||
	    plan_kind(mount, host, own, bundle, arena, row, err) < 0 || check_options(row, err) < 0)
		return -1;
	plan_read_only(row);
	return row->kind == MOUNT_FILESYSTEM ? plan_filesystem(spec, own, arena, row, err) : 0;
}

int mounts_plan(const struct spec *spec, const struct host *host, uint64_t own, const char *bundle,
		struct arena *arena, struct mounts_plan *plan, struct err *err)
{
	*plan = (struct mounts_plan){ .len = spec->mounts.len };
	plan->row = arena_new_array(arena, struct mount_row, plan->len);
	for (size_t i = 0; i < plan->len; i++) {
		plan->row[i].index = i;
		if (plan_row(spec, host, own, bundle, &spec->mounts.item[i], arena, &plan->row[i],
			     err) < 0)
			return err_wrap(err, "mounts[%zu]", i);
		plan->binds += plan->row[i].kind == MOUNT_BIND;
	}
	return 0;
}

/* --- apply ----------------------------------------------------------------------------------- */

int mounts_open_sources(const struct mounts_plan *plan, int fds[], struct err *err)
{
	for (size_t i = 0; i < plan->len; i++) {
		const struct mount_row *row = &plan->row[i];

		fds[i] = -1;
		if (row->kind != MOUNT_BIND)
			continue;
		fds[i] = open(row->source, O_PATH | O_CLOEXEC);
		if (fds[i] < 0)
			return err_sys(err, "mounts[%zu].source: open %s (to bind it on %s)",
				       row->index, row->source, row->destination);
	}
	return 0;
}

static int check_destination(const struct mount_row *row, int fd, struct err *err)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return err_sys(err, "statfs the destination");
	if (fs.f_type == PROC_SUPER_MAGIC && !row->in_proc)
		return err_set(err, EPERM, "the destination leads into a procfs: %s",
			       strerror(EPERM));
	return 0;
}

/* *made: nothing was there before. */
static int open_destination(const struct mount_row *row, int rootfs, enum path_kind kind,
			    bool *made, struct err *err)
{
	int (*find)(int, const char *, int) = row->no_links ? path_open_no_links : path_open;
	autoclose int fd = find(rootfs, row->destination, O_PATH);

	*made = fd < 0 && errno == ENOENT && row->kind != MOUNT_REMOUNT;
	if (*made) {
		fd = path_make(rootfs, row->destination, kind, err);
		if (fd < 0)
			return -1;
		fd_close(&fd);
		fd = find(rootfs, row->destination, O_PATH);
	}
	if (fd < 0 && errno == ELOOP)
		return err_set(err, ELOOP, "the destination has a symbolic link in it: %s",
			       strerror(ELOOP)); /* CVE-2023-27561 */
	if (fd < 0)
		return err_sys(err, "open the destination");
	return check_destination(row, fd, err) < 0 ? -1 : fd_take(&fd);
}

static int make_filesystem(const struct mount_row *row, const struct stat *covered, struct err *err)
{
	autoclose int fs = tree_open(row->type, err);
	char mode[16];

	if (fs < 0)
		return -1;
	for (size_t i = 0; i < row->options_len; i++)
		if (tree_option(fs, row->options[i], err) < 0)
			return -1;
	if (covered) {
		snprintf(mode, sizeof(mode), "mode=%o", covered->st_mode & 07777);
		if (tree_option(fs, mode, err) < 0)
			return -1;
	}
	return tree_make(fs, row->type, err);
}

/*
 * The host's own /proc or /sys where the kernel refuses a new one: sysfs in a network namespace, or
 * proc in a pid namespace, that is not of our user namespace. Only narrowed: flags that came with
 * it are locked.
 */
static int bind_host(const struct mount_row *row, struct err *err)
{
	bool proc = is_type(row, "proc");
	const char *path = proc ? "/proc" : "/sys";
	autoclose int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	const uint64_t set = (row->flags.attr_set | row->flags.rec_set) &
			     ~(uint64_t)SYS_MOUNT_ATTR__ATIME;
	autoclose int tree = -1;
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return err_sys(err, "open the host's %s", path);
	if (fs.f_type != (proc ? PROC_SUPER_MAGIC : SYSFS_MAGIC))
		return err_set(err, ENODEV, "the host's %s is not a %s", path, row->type);
	tree = tree_clone(fd, true);
	if (tree < 0 || tree_set(tree, set, 0, true) < 0)
		return err_sys(err, "bind the host's %s", path);
	return fd_take(&tree);
}

static int set_attributes(const struct mount_row *row, int tree, struct err *err)
{
	const struct mount_flags *flags = &row->flags;

	if (tree_set(tree, flags->attr_set, flags->attr_clear, false) == 0 &&
	    tree_set(tree, flags->rec_set, flags->rec_clear, true) == 0)
		return 0;
	err_sys(err, "set mount attributes");
	if (err->code == EPERM)
		err_hint(err, "the options take away a protection that the source's mount has, "
			      "which a user namespace may not do");
	if (err->code == EINVAL && row->kind == MOUNT_REMOUNT)
		err_hint(err, "nothing is mounted there");
	return -1;
}

static int make_new(const struct mount_row *row, const struct stat *covered, struct err *err)
{
	autoclose int tree = make_filesystem(row, covered, err);

	if (tree < 0 && err->code == EPERM && row->fallback_bind)
		return bind_host(row, err);
	if (tree < 0 && err->code == EPERM && row->no_links)
		return err_hint(err,
				"a user namespace may mount %s only where its own namespaces "
				"show no more than the host's, parts of which are hidden here",
				row->type);
	if (tree < 0 || set_attributes(row, tree, err) < 0)
		return -1;
	return fd_take(&tree);
}

static int clone_source(const struct mount_row *row, int source, bool recursive, struct err *err)
{
	autoclose int tree = tree_clone(source, recursive);

	if (tree < 0) {
		err_sys(err, "open_tree %s", row->source);
		return err->code == EINVAL && !recursive
			       ? err_hint(err, "a user namespace may not see under what is mounted "
					       "below it, or it is unbindable; try 'rbind'")
			       : -1;
	}
	if (set_attributes(row, tree, err) < 0)
		return -1;
	return fd_take(&tree);
}

static int make_bind(const struct mount_row *row, int source, struct err *err)
{
	struct statfs fs;

	if (!strcmp(row->destination, "/proc")) {
		if (fstatfs(source, &fs) < 0)
			return err_sys(err, "statfs %s", row->source);
		if (fs.f_type != PROC_SUPER_MAGIC)
			return err_set(
				err, EPERM,
				"the source is not a procfs: only that may be bound on /proc");
	}
	return clone_source(row, source, row->flags.what & MOUNT_OPTION_RBIND, err);
}

/* init was born in the container's cgroup, so its own file says which that is (cgroups(7)). */
static int make_cgroup(const struct mount_row *row, struct err *err)
{
	char text[8192], path[PATH_MAX];
	autoclose int fd = -1;
	const char *line;
	int len;

	if (file_read_small(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0)
		return err_sys(err, "read /proc/self/cgroup");
	line = strncmp(text, "0::/", 4) ? strstr(text, "\n0::/") : text;
	if (!line)
		return err_set(err, ENOENT, "/proc/self/cgroup has no line of cgroup v2");
	line = strchr(line, '/');
	if (!strncmp(line, "/..", 3))
		return err_set(err, EXDEV, "the container's cgroup is outside of %s", row->source);
	len = snprintf(path, sizeof(path), "%s%.*s", row->source, (int)strcspn(line, "\n"), line);
	if (len < 0 || (size_t)len >= sizeof(path))
		return err_set(err, ENAMETOOLONG, "the name of the container's cgroup: %s",
			       strerror(ENAMETOOLONG));
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(err, "open %s", path);
	return clone_source(row, fd, true, err);
}

static int make_tree(const struct mount_row *row, int source, int destination, bool made,
		     struct err *err)
{
	struct stat covered;

	if (row->kind == MOUNT_BIND)
		return make_bind(row, source, err);
	if (row->kind == MOUNT_CGROUP)
		return make_cgroup(row, err);
	if (fstat(destination, &covered) < 0)
		return err_sys(err, "stat the destination");
	return make_new(row, row->keep_mode && !made ? &covered : NULL, err);
}

static int propagate(const struct mount_row *row, int tree, struct err *err)
{
	for (size_t i = 0; i < row->flags.propagation_len; i++)
		if (tree_propagate(tree, row->flags.propagation[i]) < 0)
			return err_sys(err, "set propagation");
	return 0;
}

static int apply_row(const struct mount_row *row, int source, int rootfs, struct err *err)
{
	autoclose int destination = -1, tree = -1;
	enum path_kind kind = PATH_DIRECTORY;
	struct stat st;
	bool made;

	if (row->kind == MOUNT_BIND) {
		if (fstat(source, &st) < 0)
			return err_sys(err, "stat the source");
		kind = S_ISDIR(st.st_mode) ? PATH_DIRECTORY : PATH_FILE;
	}
	destination = open_destination(row, rootfs, kind, &made, err);
	if (destination < 0)
		return -1;
	if (row->kind == MOUNT_REMOUNT)
		return set_attributes(row, destination, err) < 0 ? -1
								 : propagate(row, destination, err);
	tree = make_tree(row, source, destination, made, err);
	if (tree < 0)
		return -1;
	if ((row->flags.what & MOUNT_OPTION_TMPCOPYUP) && copyup(destination, tree, err) < 0)
		return -1;
	if (tree_attach(tree, destination) < 0)
		return err_sys(err, "move_mount");
	return propagate(row, tree, err);
}

int mounts_apply(const struct mounts_plan *plan, const int fds[], int rootfs, struct err *err)
{
	for (size_t i = 0; i < plan->len; i++) {
		const struct mount_row *row = &plan->row[i];

		if (apply_row(row, fds[i], rootfs, err) < 0)
			return err_wrap(err, "mounts[%zu]: mount %s (type %s) on %s", row->index,
					row->source ? row->source : row->type, row->type,
					row->destination);
	}
	return 0;
}

int mounts_finish(const struct mounts_plan *plan, int rootfs, struct err *err)
{
	for (size_t i = 0; i < plan->len; i++) {
		const struct mount_row *row = &plan->row[i];
		autoclose int fd = -1;

		if (!row->late_read_only)
			continue;
		fd = path_open(rootfs, row->destination, O_PATH);
		if (fd < 0 || tree_set(fd, SYS_MOUNT_ATTR_RDONLY, 0, false) < 0)
			return err_sys(err, "mounts[%zu]: make %s read-only", row->index,
				       row->destination);
	}
	return 0;
}
