/*
 * The root filesystem, see rootfs.h.
 *
 * Relies on path.h for every path inside, and on init being in a mount namespace of its own.
 * Nothing may be mounted through a path of the container's.
 */
#include "isolation/rootfs.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "isolation/no_pivot.h"
#include "isolation/path.h"
#include "isolation/tree.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/sys.h"

#define MASK_ATTRIBUTES (SYS_MOUNT_ATTR_RDONLY | SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_NOEXEC)

/* --- plan ------------------------------------------------------------------------------------ */

/* A joined mount namespace is somebody else's: it is not changed, so nothing may be asked of it. */
static int check_joined(const struct spec *spec, struct err *err)
{
	const struct spec_linux *linux = &spec->linux;

	if (spec->mounts.len || linux->masked_paths.len || linux->readonly_paths.len ||
	    linux->devices.len || linux->rootfs_propagation || spec->root.readonly)
		return err_set(err, EINVAL,
			       "linux.namespaces: the mount namespace is joined, so nothing can be "
			       "mounted for the container; remove mounts, root.readonly, "
			       "linux.maskedPaths, readonlyPaths, devices and rootfsPropagation");
	return 0;
}

static uint64_t host_propagation(uint64_t asked)
{
	if (asked & MS_SHARED)
		return 0;
	return (asked & (MS_PRIVATE | MS_UNBINDABLE) ? MS_PRIVATE : MS_SLAVE) | MS_REC;
}

/*
 * By their clean names: a file with a '/' behind it would be no directory, and so taken for absent.
 * "/" is where we stand: what is mounted over it is not seen.
 */
static int plan_paths(const struct spec_strings *asked, const char *name, const char *remedy,
		      struct arena *arena, struct spec_strings *paths, struct err *err)
{
	paths->item = arena_new_array(arena, const char *, asked->len);
	paths->len = asked->len;
	for (size_t i = 0; i < asked->len; i++) {
		paths->item[i] = path_clean("/", asked->item[i], arena);
		if (!strcmp(paths->item[i], "/"))
			return err_set(err, EINVAL,
				       "linux.%s[%zu]: '%s' is the root filesystem itself%s", name,
				       i, asked->item[i], remedy);
	}
	return 0;
}

int rootfs_plan(const struct spec *spec, uint64_t own, const char *bundle, bool no_pivot,
		struct arena *arena, struct rootfs_plan *plan, struct err *err)
{
	const struct spec_linux *linux = &spec->linux;
	const struct spec_namespace *namespace = spec_find_namespace(spec, CLONE_NEWNS);

	*plan = (struct rootfs_plan){ .no_pivot = no_pivot, .read_only = spec->root.readonly };
	if (!(own & CLONE_NEWNS) || !namespace)
		return err_set(err, EINVAL,
			       "linux.namespaces: a container needs a mount namespace; add "
			       "{\"type\": \"mount\"}");
	if (namespace->path)
		return check_joined(spec, err);
	plan->wanted = true;
	plan->hooked = spec->hooks.prestart.len || spec->hooks.create_runtime.len ||
		       spec->hooks.create_container.len;
	plan->path = path_clean(bundle, spec->root.path, arena);
	if (!strcmp(plan->path, "/"))
		return err_set(err, EINVAL,
			       "root.path: '%s' is the root filesystem of the machine itself",
			       spec->root.path);
	plan->host_propagation = host_propagation(linux->rootfs_propagation);
	if (no_pivot && !plan->host_propagation)
		return err_set(
			err, EINVAL,
			"--no-pivot: unmounts the host's /proc and /sys from the container's "
			"view, which linux.rootfsPropagation 'shared' would make the host do");
	plan->propagation = linux->rootfs_propagation & ~(uint64_t)MS_REC;
	if (plan_paths(&linux->masked_paths, "maskedPaths", "", arena, &plan->masked, err) < 0 ||
	    plan_paths(&linux->readonly_paths, "readonlyPaths", "; use root.readonly", arena,
		       &plan->read_only_paths, err) < 0)
		return -1;
	if (linux->mount_label)
		plan->mask_context = arena_format(arena, "context=%s", linux->mount_label);
	return 0;
}

/* --- prepare --------------------------------------------------------------------------------- */

/* By openat2(2), before anything was changed: nothing works without it. */
int rootfs_open(const struct rootfs_plan *plan, int *rootfs, struct err *err)
{
	const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW };
	autoclose int fd = sys_openat2(AT_FDCWD, plan->path, &how);

	if (fd < 0 && errno == ENOTDIR)
		return err_set(err, ENOTDIR,
			       "root.path: %s is not a directory, or a symbolic link: %s",
			       plan->path, strerror(ENOTDIR));
	if (fd < 0) {
		err_sys(err, "root.path: open %s", plan->path);
		return err->code == ENOSYS || err->code == EPERM
			       ? err_hint(err,
					  "agentd needs Linux 5.15, and a seccomp filter around "
					  "it that allows openat2(2)")
			       : -1;
	}
	*rootfs = fd_take(&fd);
	return 0;
}

/*
 * pivot_root(2) demands that the mount on which the root filesystem lies is not shared, and what is
 * mounted there must not reach the host. mount_setattr(2) takes the root of a mount only: that is
 * found upward.
 */
static int make_parent_private(int rootfs, struct err *err)
{
	autoclose int at = openat(rootfs, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; at >= 0 && i < PATH_MAX / 2; i++) {
		int up;

		if (tree_propagate(at, MS_PRIVATE) == 0)
			return 0;
		if (errno != EINVAL)
			break;
		up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		fd_close(&at);
		at = up;
	}
	return err_sys(err, "make the mount under the root filesystem private");
}

/*
 * A caller in a chroot(2) has given us a root directory that is no mount, whose propagation cannot
 * be set and from which pivot_root(2) refuses to leave. Entering our own mount namespace again
 * gives us its root (setns(2)). Paths of the caller's were opened before; what is named from here
 * on, a createContainer hook or /dev/null, is the namespace's.
 */
static int leave_chroot(struct err *err)
{
	autoclose int namespace = -1;
	struct statx root;

	if (statx(AT_FDCWD, "/", 0, STATX_BASIC_STATS, &root) < 0)
		return err_sys(err, "stat /");
	if (root.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return 0;
	namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (namespace < 0 || setns(namespace, CLONE_NEWNS) < 0)
		return err_sys(err, "leave the caller's chroot by /proc/self/ns/mnt");
	return 0;
}

static int propagate_host(const struct rootfs_plan *plan, int rootfs, struct err *err)
{
	autoclose int root = -1;

	if (!plan->host_propagation)
		return make_parent_private(rootfs, err);
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || tree_propagate(root, plan->host_propagation) < 0)
		return err_sys(err, "make / %s",
			       plan->host_propagation & MS_SLAVE ? "rslave" : "rprivate");
	return 0;
}

int rootfs_prepare(const struct rootfs_plan *plan, int *rootfs, struct err *err)
{
	autoclose int tree = -1;

	umask(022);
	if (leave_chroot(err) < 0 || propagate_host(plan, *rootfs, err) < 0)
		return -1;
	tree = tree_clone(*rootfs, true);
	if (tree < 0 || tree_attach(tree, *rootfs) < 0)
		return err_sys(err, "bind %s onto itself", plan->path);
	fd_close(rootfs);
	*rootfs = fd_take(&tree);
	return 0;
}

/* --- hide ------------------------------------------------------------------------------------ */

/*
 * What masks are made of: over files the host's /dev/null, over directories an empty read-only
 * tmpfs. Only a mount that is attached can be copied before Linux 6.15: the first file and the
 * first directory get the mount itself (-1 until then), the others copies.
 */
struct masks {
	int null;
	int first[2]; /* [S_ISDIR] */
};

static int open_null(struct err *err)
{
	autoclose int fd = open("/dev/null", O_PATH | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_sys(err, "open /dev/null");
	/* Not whatever an image or a racing container put in its place (CVE-2025-31133). */
	if (path_verify_device(fd, S_IFCHR, makedev(1, 3), "/dev/null", err) < 0)
		return -1;
	return fd_take(&fd);
}

/* Some kernels refuse a tmpfs of a single inode, the root's. */
static int make_empty_directory(const char *context, struct err *err)
{
	static const char *const options[] = { "nr_blocks=1", "nr_inodes=2", "mode=555" };
	autoclose int fs = tree_open("tmpfs", err);

	if (fs < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (tree_option(fs, options[i], err) < 0)
			return -1;
	if (context && tree_option(fs, context, err) < 0)
		return -1;
	return tree_make(fs, "tmpfs", MASK_ATTRIBUTES, err);
}

/* Absent is as good as hidden. */
static bool is_absent(int fd)
{
	return fd < 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* Read-only, which a device does not mind: chmod(2) and chown(2) would reach the host's node. */
static int make_file_mask(int null, struct err *err)
{
	autoclose int tree = tree_clone(null, false);

	if (tree < 0 || tree_set(tree, MASK_ATTRIBUTES, 0, false) < 0)
		return err_sys(err, "clone /dev/null");
	return fd_take(&tree);
}

static int make_mask(const struct rootfs_plan *plan, const struct masks *masks, bool directory,
		     struct err *err)
{
	int tree;

	if (masks->first[directory] < 0)
		return directory ? make_empty_directory(plan->mask_context, err)
				 : make_file_mask(masks->null, err);
	tree = tree_clone(masks->first[directory], false);
	return tree < 0 ? err_sys(err, "clone the mask before") : tree;
}

static int mask_path(const struct rootfs_plan *plan, int fd, struct masks *masks, struct err *err)
{
	autoclose int tree = -1;
	struct stat st;
	bool directory;

	if (is_absent(fd))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "open");
	directory = S_ISDIR(st.st_mode);
	tree = make_mask(plan, masks, directory, err);
	if (tree < 0)
		return -1;
	if (tree_attach(tree, fd) < 0)
		return err_sys(err, "mount over it");
	if (masks->first[directory] < 0)
		masks->first[directory] = fd_take(&tree);
	return 0;
}

/* With all that is mounted below: a path that is to be read-only has no writable part. */
static int protect_path(int fd, struct err *err)
{
	autoclose int tree = -1;

	if (is_absent(fd))
		return 0;
	if (fd < 0)
		return err_sys(err, "open");
	tree = tree_clone(fd, true);
	if (tree < 0 || tree_set(tree, SYS_MOUNT_ATTR_RDONLY, 0, true) < 0 ||
	    tree_attach(tree, fd) < 0)
		return err_sys(err, "bind it read-only");
	return 0;
}

static int mask_all(const struct rootfs_plan *plan, const struct mounts_plan *mounts,
		    const int fds[], int rootfs, struct err *err)
{
	autoclose int null = open_null(err);
	struct masks masks = { .null = null, .first = { -1, -1 } };
	int result = null < 0 ? -1 : 0;

	for (size_t i = 0; result == 0 && i < plan->masked.len; i++) {
		const char *path = plan->masked.item[i];
		autoclose int fd = mounts_open_path(mounts, fds, rootfs, path, true);

		result = mask_path(plan, fd, &masks, err);
		if (result < 0)
			err_wrap(err, "linux.maskedPaths[%zu]: %s", i, path);
	}
	fd_close(&masks.first[false]);
	fd_close(&masks.first[true]);
	return result;
}

/*
 * Masks first: what is bound read-only over its place takes those with it that are below. A link of
 * the image can make that all of /proc.
 */
static int hide(const struct rootfs_plan *plan, const struct mounts_plan *mounts, const int fds[],
		int rootfs, struct err *err)
{
	if (plan->masked.len && mask_all(plan, mounts, fds, rootfs, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->read_only_paths.len; i++) {
		const char *path = plan->read_only_paths.item[i];
		autoclose int fd = mounts_open_path(mounts, fds, rootfs, path, true);

		if (protect_path(fd, err) < 0)
			return err_wrap(err, "linux.readonlyPaths[%zu]: %s", i, path);
	}
	return 0;
}

/* In the mounts that were made, whatever is seen under their names; and what hooks made of those.
 */
int rootfs_hide(const struct rootfs_plan *plan, const struct mounts_plan *mounts, const int fds[],
		int rootfs, struct err *err)
{
	const struct mounts_plan by_name = { .len = 0 };

	if (hide(plan, mounts, fds, rootfs, err) < 0)
		return -1;
	return plan->hooked ? hide(plan, &by_name, NULL, rootfs, err) : 0;
}

/* --- pivot ----------------------------------------------------------------------------------- */

/*
 * The old root ends up on top of the new one, where it is detached (pivot_root(2), "."): that must
 * not reach the host, so one that was left shared is made a slave first.
 */
static int pivot(const struct rootfs_plan *plan, int rootfs, struct err *err)
{
	autoclose int old = -1;

	if (!plan->host_propagation) {
		old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (old < 0)
			return err_sys(err, "open /");
	}
	if (fchdir(rootfs) < 0 || sys_pivot_root(".", ".") < 0)
		return err_sys(err, "pivot_root");
	if ((old >= 0 && tree_propagate(old, MS_SLAVE | MS_REC) < 0) ||
	    umount2(".", MNT_DETACH) < 0)
		return err_sys(err, "detach the old root");
	return 0;
}

int rootfs_pivot(const struct rootfs_plan *plan, int rootfs, struct err *err)
{
	return plan->no_pivot ? no_pivot_enter(rootfs, err) : pivot(plan, rootfs, err);
}

int rootfs_finish(const struct rootfs_plan *plan, int rootfs, struct err *err)
{
	if (plan->read_only && tree_set(rootfs, SYS_MOUNT_ATTR_RDONLY, 0, false) < 0)
		return err_sys(err, "root.readonly: make / read-only");
	if (plan->propagation && tree_propagate(rootfs, plan->propagation) < 0)
		return err_sys(err, "linux.rootfsPropagation: set the propagation of /");
	return 0;
}
