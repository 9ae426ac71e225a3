/*
 * Entering the root filesystem without pivot_root(2), see no_pivot.h.
 *
 * The host's mounts stay in the container's mount namespace, covered by its root; a process with
 * CAP_SYS_CHROOT can get back to them, and a user namespace that sees one complete procfs or sysfs
 * may mount another, without masks. So the host's are taken out of the namespace first. That must
 * not reach the host: rootfs_plan() refuses --no-pivot where mounts are shared with it.
 */
#include "isolation/no_pivot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>

#include "isolation/tree.h"
#include "runtime/base/fd.h"
#include "runtime/base/sys.h"

#define LINE_MAX_SIZE (4 * PATH_MAX) /* of mountinfo: two paths, each byte at worst "\040" */

/* A mount that is locked (mount_namespaces(7)) cannot be taken off, but covered. */
static int hide(const char *path, struct err *err)
{
	autoclose int fd = -1, fs = -1, tree = -1;
	struct statfs type;

	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstatfs(fd, &type) < 0 ||
	    (type.f_type != PROC_SUPER_MAGIC && type.f_type != SYSFS_MAGIC))
		return 0; /* it went with the mount that it was on */
	fs = tree_open("tmpfs", err);
	if (fs < 0)
		return -1;
	tree = tree_make(fs, "tmpfs", SYS_MOUNT_ATTR_RDONLY, err);
	if (tree < 0)
		return -1;
	if (tree_attach(tree, fd) < 0)
		return err_sys(err, "cover the host's %s", path);
	return 0;
}

/* In place: mountinfo writes blanks and backslashes as three octal digits (proc(5)). */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* "36 35 98:0 /root /mount/point options - type source options" */
static int hide_line(char *line, const char *rootfs, struct err *err)
{
	const char *type = strstr(line, " - ");
	size_t len = strlen(rootfs);
	char *path = line;

	if (!type || (strncmp(type + 3, "proc ", 5) && strncmp(type + 3, "sysfs ", 6)))
		return 0;
	for (int i = 0; i < 4 && path; i++)
		path = strchr(path + 1, ' ');
	if (!path)
		return err_set(err, EPROTO, "/proc/self/mountinfo: '%.200s'", line);
	path++;
	path[strcspn(path, " ")] = '\0';
	unescape(path);
	if (!strncmp(path, rootfs, len) && (path[len] == '/' || !path[len]))
		return 0;
	return hide(path, err);
}

static int hide_all(const char *rootfs, struct err *err)
{
	autoclose int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	char text[LINE_MAX_SIZE + 1];
	size_t used = 0;
	ssize_t got;

	if (fd < 0)
		return err_sys(err, "open /proc/self/mountinfo");
	while ((got = read(fd, text + used, sizeof(text) - 1 - used)) > 0) {
		char *line = text, *end;

		used += (size_t)got;
		text[used] = '\0';
		for (; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			if (hide_line(line, rootfs, err) < 0)
				return -1;
		}
		used -= (size_t)(line - text);
		memmove(text, line, used);
	}
	if (got < 0 || used)
		return err_sys(err, "read /proc/self/mountinfo");
	return 0;
}

int no_pivot_enter(int rootfs, struct err *err)
{
	char link[32], path[PATH_MAX];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", rootfs);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		return err_sys(err, "find the name of the root filesystem");
	path[len] = '\0';
	if (hide_all(path, err) < 0)
		return err_wrap(err, "hide the host's procfs and sysfs");
	if (fchdir(rootfs) < 0 ||
	    sys_move_mount(rootfs, "", AT_FDCWD, "/", SYS_MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, "move the root filesystem to /");
	if (chroot(".") < 0)
		return err_sys(err, "chroot");
	return 0;
}
