/*
 * Carrying out mounts[], see mounts.h. What each row is to be was decided in mounts_plan.c.
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
#include <sys/statvfs.h>

#include "isolation/cgroup.h"
#include "isolation/copyup.h"
#include "isolation/path.h"
#include "isolation/tree.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"

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

/* A path of the container's: below which descriptor it is looked up. */
struct place {
	int base;
	const char *path; /* empty: it is `base` itself */
};

/*
 * In the last of `len` rows that it leads through: that one covers those before which it is not
 * below. Not in whatever is called so by now: who shares the root filesystem can rename what is a
 * mount point in our namespace alone.
 */
static struct place find_place(const struct mounts_plan *plan, size_t len, const int fds[],
			       int rootfs, const char *path)
{
	size_t path_len = strlen(path);

	for (size_t i = len; i-- > 0;) {
		const struct mount_row *row = &plan->row[i];
		size_t size = row->destination_len;

		if (row->kind != MOUNT_REMOUNT && size <= path_len &&
		    (!path[size] || path[size] == '/') && !memcmp(path, row->destination, size))
			return (struct place){ fds[i], path + size };
	}
	return (struct place){ rootfs, path };
}

/* A link may lead out of the mount: only from the root filesystem does it mean what it says. */
static int open_place(struct place *place, bool links, int rootfs, const char *path)
{
	int fd = *place->path ? path_open_no_links(place->base, place->path, O_PATH)
			      : fcntl(place->base, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0 || errno != ELOOP || !links)
		return fd;
	*place = (struct place){ rootfs, path };
	return path_open(rootfs, path, O_PATH);
}

/* By a link: that no destination is named so was decided. */
static bool is_root(int rootfs, const struct stat *st)
{
	struct stat root;

	return fstat(rootfs, &root) == 0 && root.st_dev == st->st_dev && root.st_ino == st->st_ino;
}

static int check_destination(const struct mount_row *row, int fd, int rootfs, enum path_kind kind,
			     struct stat *st, struct err *err)
{
	bool directory = kind == PATH_DIRECTORY;
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0 || fstat(fd, st) < 0)
		return err_sys(err, "stat the destination");
	/* Where init stands it would not be seen, but who enters by setns(2) would start in it. */
	if (S_ISDIR(st->st_mode) && is_root(rootfs, st))
		return err_set(err, EBUSY,
			       "the destination leads to the root filesystem itself: %s",
			       strerror(EBUSY));
	if (fs.f_type == PROC_SUPER_MAGIC && !row->in_proc)
		return err_set(err, EPERM, "the destination leads into a procfs: %s",
			       strerror(EPERM));
	if (row->kind != MOUNT_REMOUNT && S_ISDIR(st->st_mode) != directory)
		return err_set(
			err, ENOTDIR, "the destination is %s directory, the source is %s: %s",
			directory ? "no" : "a", directory ? "one" : "none", strerror(ENOTDIR));
	return 0;
}

/* *st: what is there; *made: nothing was there before. */
static int open_destination(const struct mount_row *row, struct place place, int rootfs,
			    enum path_kind kind, struct stat *st, bool *made, struct err *err)
{
	autoclose int fd = open_place(&place, !row->guarded, rootfs, row->destination);

	*made = fd < 0 && errno == ENOENT && row->kind != MOUNT_REMOUNT;
	if (*made) {
		fd = path_make_missing(place.base, place.path, kind, err);
		if (fd < 0)
			return -1;
	}
	if (*made && row->guarded) {
		fd_close(&fd);
		fd = path_open_no_links(place.base, place.path, O_PATH);
	}
	if (fd < 0 && errno == ELOOP)
		return err_set(err, ELOOP, "the destination has a symbolic link in it: %s",
			       strerror(ELOOP)); /* CVE-2023-27561 */
	if (fd < 0)
		return err_sys(err, "open the destination");
	return check_destination(row, fd, rootfs, kind, st, err) < 0 ? -1 : fd_take(&fd);
}

/* A new mount has no attributes that could be taken away. */
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
	return tree_make(fs, row->type, row->flags.attr_set, err);
}

/*
 * The host's own /proc or /sys where the kernel refuses a new one: sysfs in a network namespace, or
 * proc in a pid namespace, that is not of our user namespace. Only narrowed: flags that came with
 * it are locked.
 */
static int bind_host(const struct mount_row *row, struct err *err)
{
	bool proc = !strcmp(row->type, "proc");
	const char *path = proc ? "/proc" : "/sys";
	autoclose int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	const uint64_t set = row->flags.attr_set & ~(uint64_t)SYS_MOUNT_ATTR__ATIME;
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

	if (tree_set(tree, flags->rec_set, flags->rec_clear, true) == 0 &&
	    tree_set(tree, flags->attr_set, flags->attr_clear, false) == 0)
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
	if (tree < 0 && err->code == EPERM &&
	    (!strcmp(row->type, "proc") || !strcmp(row->type, "sysfs")))
		return err_hint(err,
				"a user namespace may mount %s only where its own namespaces "
				"show no more than the host's, parts of which are hidden here",
				row->type);
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

/* init was born in the container's cgroup, so its own file says which that is. */
static int make_cgroup(const struct mount_row *row, struct err *err)
{
	char text[8192], path[PATH_MAX];
	autoclose int fd = -1;
	const char *own;
	int len;

	if (file_read_small(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0)
		return err_sys(err, "read /proc/self/cgroup");
	own = cgroup_path_in(text);
	if (!own)
		return err_set(err, ENOENT, "/proc/self/cgroup names no cgroup v2");
	if (!strncmp(own, "/..", 3))
		return err_set(err, EXDEV, "the container's cgroup is outside of %s", row->source);
	len = snprintf(path, sizeof(path), "%s%s", row->source, own);
	if (len < 0 || (size_t)len >= sizeof(path))
		return err_set(err, ENAMETOOLONG, "the name of the container's cgroup: %s",
			       strerror(ENAMETOOLONG));
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(err, "open %s", path);
	return clone_source(row, fd, true, err);
}

static int make_tree(const struct mount_row *row, int source, const struct stat *covered,
		     struct err *err)
{
	if (row->kind == MOUNT_BIND)
		return make_bind(row, source, err);
	if (row->kind == MOUNT_CGROUP)
		return make_cgroup(row, err);
	return make_new(row, row->keep_mode ? covered : NULL, err);
}

/* Of copies nothing may be used that their originals, where they lay, could not be used for. */
static int copy_up(const struct mount_row *row, int from, int to, struct err *err)
{
	static const uint64_t kept[][2] = {
		{ ST_NOSUID, SYS_MOUNT_ATTR_NOSUID },
		{ ST_NODEV, SYS_MOUNT_ATTR_NODEV },
		{ ST_NOEXEC, SYS_MOUNT_ATTR_NOEXEC },
	};
	uint64_t set = 0, flags;

	if (copyup(from, to, row->keep_owner, &flags, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (flags & kept[i][0])
			set |= kept[i][1];
	if (tree_set(to, set & ~row->flags.attr_clear, 0, false) < 0)
		return err_sys(err, "set mount attributes");
	return 0;
}

static int propagate(const struct mount_row *row, int tree, struct err *err)
{
	for (size_t i = 0; i < row->flags.propagation_len; i++)
		if (tree_propagate(tree, row->flags.propagation[i]) < 0)
			return err_sys(err, "set propagation");
	return 0;
}

static int apply_row(const struct mount_row *row, struct place place, int *fd, int rootfs,
		     struct err *err)
{
	autoclose int destination = -1, tree = -1;
	enum path_kind kind = PATH_DIRECTORY;
	struct stat st;
	bool made;

	if (row->kind == MOUNT_BIND) {
		if (fstat(*fd, &st) < 0)
			return err_sys(err, "stat the source");
		kind = S_ISDIR(st.st_mode) ? PATH_DIRECTORY : PATH_FILE;
	}
	destination = open_destination(row, place, rootfs, kind, &st, &made, err);
	if (destination < 0)
		return -1;
	if (row->kind == MOUNT_REMOUNT)
		return set_attributes(row, destination, err) < 0 ? -1
								 : propagate(row, destination, err);
	tree = make_tree(row, *fd, made ? NULL : &st, err);
	if (tree < 0)
		return -1;
	if ((row->flags.what & MOUNT_OPTION_TMPCOPYUP) && copy_up(row, destination, tree, err) < 0)
		return -1;
	if (tree_attach(tree, destination) < 0)
		return err_sys(err, "attach it");
	if (propagate(row, tree, err) < 0)
		return -1;
	fd_close(fd);
	*fd = fd_take(&tree);
	return 0;
}

int mounts_apply(const struct mounts_plan *plan, int fds[], int rootfs, struct err *err)
{
	for (size_t i = 0; i < plan->len; i++) {
		const struct mount_row *row = &plan->row[i];
		struct place place = find_place(plan, i, fds, rootfs, row->destination);

		if (apply_row(row, place, &fds[i], rootfs, err) < 0)
			return err_wrap(err, "mounts[%zu]: mount %s (type %s) on %s", row->index,
					row->source ? row->source : row->type, row->type,
					row->destination);
	}
	return 0;
}

int mounts_open_path(const struct mounts_plan *plan, const int fds[], int rootfs, const char *path,
		     bool links)
{
	struct place place = find_place(plan, plan->len, fds, rootfs, path);

	return open_place(&place, links, rootfs, path);
}

int mounts_dev(const struct mounts_plan *plan, const int fds[])
{
	int dev = -1;

	for (size_t i = 0; i < plan->len; i++)
		if (fds[i] >= 0 && !strcmp(plan->row[i].destination, "/dev"))
			dev = fds[i];
	return dev;
}

int mounts_finish(const struct mounts_plan *plan, int fds[], struct err *err)
{
	for (size_t i = 0; i < plan->len; i++) {
		const struct mount_row *row = &plan->row[i];

		if (row->late_read_only && tree_set(fds[i], SYS_MOUNT_ATTR_RDONLY, 0, false) < 0)
			return err_sys(err, "mounts[%zu]: make %s read-only", row->index,
				       row->destination);
		fd_close(&fds[i]);
	}
	return 0;
}
