/*
 * Paths under a hostile root filesystem, see path.h.
 *
 * Nothing here falls back to a resolver of its own where openat2(2) is missing: Linux 5.15 is the
 * floor, and rootfs_open() says so to whoever runs us under a filter that refuses it.
 */
#include "isolation/path.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "runtime/base/fd.h"
#include "runtime/base/sys.h"

#define RACE_RETRIES 128
#define LINKS_MAX 8 /* that lead to nothing, one by the other; the kernel follows 40 */

const char *path_clean(const char *base, const char *path, struct arena *arena)
{
	const char *from = path[0] == '/' ? path : arena_format(arena, "%s/%s", base, path);
	char *clean = arena_alloc(arena, strlen(from) + 2, 1);
	size_t len = 0;

	while (*(from += strspn(from, "/"))) {
		size_t size = strcspn(from, "/");

		if (size == 2 && from[0] == '.' && from[1] == '.') {
			while (len && clean[--len] != '/')
				;
		} else if (size != 1 || from[0] != '.') {
			clean[len++] = '/';
			memcpy(clean + len, from, size);
			len += size;
		}
		from += size;
	}
	if (!len)
		clean[len++] = '/';
	clean[len] = '\0';
	return clean;
}

bool path_is_plain(const char *path)
{
	for (;; path++) {
		size_t len = strcspn(path, "/");

		if (len == 0 || (path[0] == '.' && (len == 1 || (len == 2 && path[1] == '.'))))
			return false;
		path += len;
		if (!*path)
			return true;
	}
}

/* A rename anywhere on the machine that races with ".." makes the kernel answer EAGAIN. */
int path_open_how(int dir, const char *path, int flags, uint64_t resolve)
{
	const struct open_how how = { .flags = (unsigned)(flags | O_CLOEXEC), .resolve = resolve };
	int fd = -1;

	for (int i = 0; i < RACE_RETRIES; i++) {
		fd = sys_openat2(dir, path, &how);
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd;
}

int path_open(int rootfs, const char *path, int flags)
{
	return path_open_how(rootfs, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int path_open_no_links(int rootfs, const char *path, int flags)
{
	return path_open_how(rootfs, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
}

static int make_missing(int rootfs, const char *path, enum path_kind kind, unsigned links,
			struct err *err);

/*
 * What a link leads to that leads to nothing yet, as open(2) with O_CREAT would make it: images
 * have such an /etc/resolv.conf. The target is one more path in the root filesystem. `name` is the
 * last component of `path` and a link in `dir`.
 */
static int make_target(int rootfs, int dir, const char *path, const char *name, enum path_kind kind,
		       unsigned links, struct err *err)
{
	char target[PATH_MAX];
	size_t before = (size_t)(name - path);
	size_t room = sizeof(target) - before;
	ssize_t len;

	if (!links)
		return err_set(err, ELOOP, "make %s in the root filesystem: %s", path,
			       strerror(ELOOP));
	memcpy(target, path, before);
	len = readlinkat(dir, name, target + before, room);
	if (len < 0)
		return err_sys(err, "read %s in the root filesystem", path);
	if ((size_t)len >= room)
		return err_set(err, ENAMETOOLONG,
			       "make what %s in the root filesystem leads to: %s", path,
			       strerror(ENAMETOOLONG));
	target[before + (size_t)len] = '\0';
	return make_missing(rootfs, target[before] == '/' ? target + before : target, kind,
			    links - 1, err);
}

/*
 * One component, the last of `path`. `dir` was itself found below the root filesystem and `name` is
 * a single component that mkdirat(2) and mknodat(2) do not follow, so what is made is in it,
 * whatever is swapped meanwhile; and what is opened is resolved from the root filesystem again.
 */
static int make_component(int rootfs, int dir, const char *path, const char *name,
			  enum path_kind kind, unsigned links, struct err *err)
{
	int made = kind == PATH_DIRECTORY ? mkdirat(dir, name, 0755)
					  : mknodat(dir, name, S_IFREG | 0644, 0);
	struct stat st;
	int fd;

	if (made < 0 && errno != EEXIST)
		return err_sys(err, "make %s in the root filesystem", path);
	fd = path_open(rootfs, path, O_PATH);
	if (fd >= 0)
		return fd;
	err_sys(err, "open %s in the root filesystem", path);
	if (err->code == ENOENT && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode))
		return make_target(rootfs, dir, path, name, kind, links, err);
	return -1;
}

/* How much of a path is left without its last component; 0: the root filesystem. */
static size_t parent_size(const char *path, size_t size)
{
	while (size && path[size - 1] == '/')
		size--;
	while (size && path[size - 1] != '/')
		size--;
	while (size && path[size - 1] == '/')
		size--;
	return size;
}

static int make_missing(int rootfs, const char *path, enum path_kind kind, unsigned links,
			struct err *err)
{
	size_t size = strlen(path);
	char prefix[PATH_MAX];
	autoclose int reached = -1;

	if (size >= sizeof(prefix))
		return err_set(err, ENAMETOOLONG, "make %.200s...: %s", path,
			       strerror(ENAMETOOLONG));
	memcpy(prefix, path, size + 1);
	do {
		size = parent_size(path, size);
		prefix[size] = '\0';
		reached = path_open(rootfs, size ? prefix : "/", O_PATH);
	} while (reached < 0 && errno == ENOENT && size);
	if (reached < 0)
		return err_sys(err, "open %s in the root filesystem", size ? prefix : "/");
	for (const char *name = path + size; *(name += strspn(name, "/"));) {
		const char *end = name + strcspn(name, "/");
		bool last = end[strspn(end, "/")] == '\0';
		int next;

		memcpy(prefix, path, (size_t)(end - path));
		prefix[end - path] = '\0';
		next = make_component(rootfs, reached, prefix, prefix + (name - path),
				      last ? kind : PATH_DIRECTORY, links, err);
		if (next < 0)
			return -1;
		fd_close(&reached);
		reached = next;
		name = end;
	}
	return fd_take(&reached);
}

int path_make_missing(int rootfs, const char *path, enum path_kind kind, struct err *err)
{
	return make_missing(rootfs, path, kind, LINKS_MAX, err);
}

static int check_kind(int fd, const char *path, enum path_kind kind, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat %s in the root filesystem", path);
	if (kind == PATH_DIRECTORY && !S_ISDIR(st.st_mode))
		return err_set(err, ENOTDIR, "%s in the root filesystem: %s", path,
			       strerror(ENOTDIR));
	if (kind == PATH_FILE && S_ISDIR(st.st_mode))
		return err_set(err, EISDIR, "%s in the root filesystem: %s", path,
			       strerror(EISDIR));
	return 0;
}

int path_make(int rootfs, const char *path, enum path_kind kind, struct err *err)
{
	autoclose int fd = path_open(rootfs, path, O_PATH);

	if (fd < 0 && errno == ENOENT) {
		fd = path_make_missing(rootfs, path, kind, err);
		if (fd < 0)
			return -1;
	}
	if (fd < 0)
		return err_sys(err, "open %.200s in the root filesystem", path);
	if (check_kind(fd, path, kind, err) < 0)
		return -1;
	return fd_take(&fd);
}

int path_make_parent(int rootfs, const char *path, const char **name, struct err *err)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash ? slash + 1 : path;
	char parent[PATH_MAX] = "/";
	size_t len = (size_t)(last - path);
	int fd;

	if (!*last || !strcmp(last, ".") || !strcmp(last, ".."))
		return err_set(err, EINVAL, "%.200s: is not the name of a file", path);
	if (len >= sizeof(parent))
		return err_set(err, ENAMETOOLONG, "make %.200s...: %s", path,
			       strerror(ENAMETOOLONG));
	if (len) {
		memcpy(parent, path, len);
		parent[len] = '\0';
	}
	*name = last;
	fd = path_open_no_links(rootfs, parent, O_PATH | O_DIRECTORY);
	if (fd < 0 && errno == ENOENT) {
		int made = path_make(rootfs, parent, PATH_DIRECTORY, err);

		if (made < 0)
			return -1;
		close(made);
		fd = path_open_no_links(rootfs, parent, O_PATH | O_DIRECTORY);
	}
	return fd < 0 ? err_sys(err, "open %s in the root filesystem", parent) : fd;
}

int path_verify_device(int fd, mode_t type, dev_t device, const char *what, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat %s", what);
	if ((st.st_mode & S_IFMT) != type || st.st_rdev != device)
		return err_set(err, ENODEV, "%s is not the %s device %u:%u", what,
			       type == S_IFCHR ? "character" : "block", major(device),
			       minor(device));
	return 0;
}
