/*
 * Device nodes and links, see devices.h.
 *
 * Nodes are made and checked on descriptors; a node of the host that is bound is checked to be the
 * device by its number, not by its name.
 */
#include "isolation/devices.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "isolation/mount_options.h"
#include "isolation/path.h"
#include "isolation/tree.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/sys.h"

#define DEFAULT_MODE 0666

static const struct {
	const char *path;
	unsigned major, minor;
} default_nodes[] = {
	{ "/dev/null", 1, 3 },	 { "/dev/zero", 1, 5 },	   { "/dev/full", 1, 7 },
	{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

/* Not /dev/core, a link to /proc/kcore: that is masked anyway. */
static const struct {
	const char *name, *target;
} default_links[] = {
	{ "ptmx", "pts/ptmx" },		 { "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },	 { "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
};

/* --- plan ------------------------------------------------------------------------------------ */

static bool is_mounted(const struct spec *spec, const char *path, struct arena *arena)
{
	for (size_t i = 0; i < spec->mounts.len; i++)
		if (!strcmp(path_clean("/", spec->mounts.item[i].destination, arena), path))
			return true;
	return false;
}

/* What is mounted shows files of the host: a bind mount, or the one devtmpfs that there is. */
static bool shows_hosts(const struct spec_mount *mount, unsigned what)
{
	const char *type = mount->type ? mount->type : "none";

	return (what & (MOUNT_OPTION_BIND | MOUNT_OPTION_RBIND)) || !strcmp(type, "bind") ||
	       !strcmp(type, "devtmpfs");
}

/* The last thing that is mounted on /dev is what is seen. */
static int plan_own_dev(const struct spec *spec, struct arena *arena, struct devices_plan *plan,
			struct err *err)
{
	plan->own_dev = true;
	for (size_t i = 0; i < spec->mounts.len; i++) {
		const struct spec_mount *mount = &spec->mounts.item[i];
		struct mount_flags flags;

		if (strcmp(path_clean("/", mount->destination, arena), "/dev") != 0)
			continue;
		if (mount_options_parse(&mount->options, arena, &flags, err) < 0)
			return err_within(err, "mounts[%zu]", i);
		if (flags.what & MOUNT_OPTION_REMOUNT)
			continue;
		plan->mounted = true;
		plan->own_dev = !shows_hosts(mount, flags.what);
	}
	return 0;
}

static bool is_configured(const struct devices_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->len; i++)
		if (!strcmp(plan->row[i].path, path))
			return true;
	return false;
}

static int plan_configured(const struct spec_device *device, struct arena *arena,
			   struct device_row *row, struct err *err)
{
	uint64_t mode = device->file_mode.set ? device->file_mode.value : DEFAULT_MODE;

	*row = (struct device_row){
		.path = path_clean("/", device->path, arena),
		.type = device->type == 'p'   ? S_IFIFO
			: device->type == 'b' ? S_IFBLK
					      : S_IFCHR,
		.mode = (mode_t)(mode & 07777), /* some callers leave the type bits in */
		.uid = (uid_t)device->uid.value,
		.gid = (gid_t)device->gid.value,
		.configured = true,
	};
	if (row->type != S_IFIFO)
		row->device = makedev((unsigned)device->major.value, (unsigned)device->minor.value);
	if (!strcmp(row->path, "/"))
		return err_set(err, EINVAL, "path: '%s' is not the name of a device", device->path);
	return 0;
}

int devices_plan(const struct spec *spec, const struct host *host, uint64_t own,
		 struct arena *arena, struct devices_plan *plan, struct err *err)
{
	const struct spec_devices *devices = &spec->linux.devices;

	*plan = (struct devices_plan){
		.row = arena_new_array(arena, struct device_row,
				       devices->len + ARRAY_LEN(default_nodes)),
		.bind = (own & CLONE_NEWUSER) || host->rootless,
		.terminal = spec->process.terminal,
	};
	if (plan_own_dev(spec, arena, plan, err) < 0)
		return -1;
	for (size_t i = 0; i < devices->len; i++, plan->len++)
		if (plan_configured(&devices->item[i], arena, &plan->row[i], err) < 0)
			return err_wrap(err, "linux.devices[%zu]", i);
	/* What linux.devices or mounts say of a default's path goes before the default. */
	for (size_t i = 0; plan->own_dev && i < ARRAY_LEN(default_nodes); i++)
		if (!is_configured(plan, default_nodes[i].path) &&
		    !is_mounted(spec, default_nodes[i].path, arena))
			plan->row[plan->len++] = (struct device_row){
				.path = default_nodes[i].path,
				.type = S_IFCHR,
				.mode = DEFAULT_MODE,
				.device = makedev(default_nodes[i].major, default_nodes[i].minor),
			};
	return 0;
}

/* --- apply ----------------------------------------------------------------------------------- */

static bool matches(const struct device_row *row, const struct stat *st)
{
	return (st->st_mode & S_IFMT) == row->type &&
	       (row->type == S_IFIFO || st->st_rdev == row->device);
}

static int fail_to_make(const char *path, struct err *err)
{
	err_sys(err, "make %s", path);
	return err->code == EROFS ? err_hint(err, "it is on a read-only filesystem that lacks it; "
						  "mount a tmpfs on /dev")
				  : -1;
}

static int own_node(const struct device_row *row, int parent, const char *name, struct err *err)
{
	autoclose int fd = -1;
	struct stat st;

	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "open %s", row->path);
	if (!matches(row, &st))
		return err_set(err, EAGAIN, "%s was replaced while it was made", row->path);
	if (fchownat(fd, "", row->uid, row->gid, AT_EMPTY_PATH) < 0)
		return err_sys(err, "chown %s to %u:%u", row->path, row->uid, row->gid);
	return 0;
}

static int fail_as_other(const struct device_row *row, struct err *err)
{
	return err_set(err, EEXIST, "%s exists and is not the device: %s", row->path,
		       strerror(EEXIST));
}

/* Made first and looked at after: mostly nothing is there. */
static int make_node(const struct device_row *row, int parent, const char *name, struct err *err)
{
	bool made = mknodat(parent, name, row->type | row->mode, row->device) == 0;
	struct stat st;

	if (!made && errno != EEXIST)
		return fail_to_make(row->path, err);
	if (!made && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "stat %s", row->path);
	if (!made)
		return matches(row, &st) ? 0 : fail_as_other(row, err);
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && matches(row, &st) &&
	    st.st_uid == row->uid && st.st_gid == row->gid)
		return 0;
	return own_node(row, parent, name, err);
}

/* Read-only, which a device does not mind: chmod(2) and chown(2) would reach the host's node. */
static int bind_node(const struct device_row *row, int parent, const char *name, struct err *err)
{
	const uint64_t set = SYS_MOUNT_ATTR_RDONLY | SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_NOEXEC;
	autoclose int host = open(row->path, O_PATH | O_CLOEXEC);
	autoclose int fd = -1, tree = -1;

	if (host < 0)
		return err_sys(err, "open the host's %s", row->path);
	if (path_verify_device(host, row->type, row->device, row->path, err) < 0)
		return -1;
	if (mknodat(parent, name, S_IFREG | 0644, 0) < 0 && errno != EEXIST)
		return fail_to_make(row->path, err);
	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open %s", row->path);
	tree = tree_clone(host, false);
	if (tree < 0 || tree_set(tree, set, 0, false) < 0 || tree_attach(tree, fd) < 0)
		return err_sys(err, "bind the host's %s", row->path);
	return 0;
}

static int apply_row(const struct devices_plan *plan, const struct device_row *row, int parent,
		     const char *name, struct err *err)
{
	bool bind = plan->bind && row->type != S_IFIFO;
	bool may_make = plan->own_dev || strncmp(row->path, "/dev/", 5) != 0;
	struct stat st;

	if (may_make && !bind)
		return make_node(row, parent, name, err);
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (matches(row, &st))
			return 0;
		/* An empty file may be what an earlier container left, or an image has, to bind
		 * on. */
		if (!may_make || !S_ISREG(st.st_mode))
			return fail_as_other(row, err);
	} else if (errno != ENOENT) {
		return err_sys(err, "stat %s", row->path);
	}
	if (!may_make)
		return err_set(err, ENOENT,
			       "%s is not there, and is not made in a /dev that is not the "
			       "container's own: %s",
			       row->path, strerror(ENOENT));
	return bind_node(row, parent, name, err);
}

/* Rows of one directory follow each other: it is opened once. */
static int apply_rows(const struct devices_plan *plan, int rootfs, int dev, struct err *err)
{
	autoclose int parent = -1;
	const char *last = "";
	size_t last_size = 0;

	for (size_t i = 0; i < plan->len; i++) {
		const struct device_row *row = &plan->row[i];
		const char *name = strrchr(row->path, '/') + 1;
		size_t size = (size_t)(name - row->path);

		if (size != last_size || memcmp(row->path, last, size) != 0) {
			bool in_dev = !strncmp(row->path, "/dev/", 5);

			fd_close(&parent);
			parent = path_make_parent(in_dev ? dev : rootfs,
						  row->path + (in_dev ? strlen("/dev") : 0), &name,
						  err);
			last = row->path;
			last_size = size;
		}
		if (parent < 0 || apply_row(plan, row, parent, name, err) < 0)
			return row->configured ? err_wrap(err, "linux.devices[%zu]", i) : -1;
	}
	return 0;
}

static int make_links(int dev, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(default_links); i++)
		if (symlinkat(default_links[i].target, dev, default_links[i].name) < 0 &&
		    errno != EEXIST)
			return fail_to_make(default_links[i].name, err);
	return 0;
}

/* path_make() follows a link within the root filesystem, so it is asked only where nothing is. */
static int open_dev(int rootfs, struct err *err)
{
	int dev = path_open_how(rootfs, "/dev", O_PATH | O_DIRECTORY,
				RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);

	if (dev < 0 && errno == ENOENT)
		return path_make(rootfs, "/dev", PATH_DIRECTORY, err);
	if (dev < 0 && errno == ELOOP)
		return err_set(err, ELOOP, "/dev of the root filesystem is a symbolic link: %s",
			       strerror(ELOOP));
	if (dev < 0 && errno == EXDEV)
		return err_set(err, EXDEV,
			       "/dev of the root filesystem is covered by a mount that a symbolic "
			       "link led there: %s",
			       strerror(EXDEV));
	if (dev < 0)
		return err_sys(err, "open /dev of the root filesystem");
	return dev;
}

int devices_apply(const struct devices_plan *plan, int rootfs, int dev, struct err *err)
{
	autoclose int own = dev < 0 ? open_dev(rootfs, err) : -1;
	autoclose int console = -1;
	mode_t mask;
	int result;

	if (dev < 0)
		dev = own;
	if (dev < 0)
		return -1;
	/* A node's mode is exact: chmod(2) takes no O_PATH descriptor before Linux 6.6. */
	mask = umask(0);
	result = apply_rows(plan, rootfs, dev, err);
	umask(mask);
	if (result < 0)
		return -1;
	if (!plan->own_dev)
		return 0;
	if (plan->terminal) {
		console = path_make(dev, "/console", PATH_FILE, err);
		if (console < 0)
			return -1;
	}
	return make_links(dev, err);
}
