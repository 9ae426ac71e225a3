/*
 * Finding, making and limiting cgroups, see cgroup.h. Processes in them: cgroup_processes.c.
 *
 * Everything is done on directory descriptors below a root that was checked to be cgroup v2, so
 * that no write can end up in an ordinary directory. No path leads out of it or through a link.
 */
#include "isolation/cgroup.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"

#define WALK_TRIES 16

int cgroup_open_root(const char *root, int *dir, struct err *err)
{
	autoclose int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return err_sys(err, "open %s", root);
	if ((unsigned long)fs.f_type != CGROUP2_SUPER_MAGIC)
		return err_set(err, EINVAL, "%s: cgroup v2 is not mounted there", root);
	*dir = fd_take(&fd);
	return 0;
}

/* Opens a cgroup below another one, never beside it. */
static int open_below(int dir, const char *path, int *below, struct err *err)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};

	if (cgroup_check_path(path, err) < 0)
		return -1;
	*below = sys_openat2(dir, path, &how);
	return *below < 0 ? err_sys(err, "open cgroup %s", path) : 0;
}

int cgroup_open(const char *root, const char *path, int *dir, struct err *err)
{
	autoclose int top = -1;

	return cgroup_open_root(root, &top, err) < 0 ? -1 : open_below(top, path, dir, err);
}

char *cgroup_path_in(char *text)
{
	char *line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
	char *path = line ? strchr(line, '/') : NULL;

	if (path)
		path[strcspn(path, "\n")] = '\0';
	return path;
}

/* The path of a process in cgroup v2, without "/" first. */
static int read_path_of(pid_t pid, char *path, size_t size, struct err *err)
{
	char file[64], text[2 * PATH_MAX], *found;

	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	if (file_read_small(AT_FDCWD, file, text, sizeof(text)) < 0)
		return err_sys(err, "read %s", file);
	found = cgroup_path_in(text);
	if (!found || strlen(found) > size)
		return err_set(err, ENOENT, "%s names no cgroup v2", file);
	memcpy(path, found + 1, strlen(found));
	return 0;
}

/*
 * Compared by whole components: "../container-2" and "container-2" are not below "container" (runc
 * PR 5403).
 */
int cgroup_open_of(const char *root, const char *path, pid_t pid, const char *sub, int *dir,
		   struct err *err)
{
	size_t len = strlen(path);
	char of_pid[PATH_MAX];
	autoclose int top = -1;

	if (sub) {
		sub += strspn(sub, "/");
		if (!*sub)
			return cgroup_open(root, path, dir, err);
		return cgroup_open(root, path, &top, err) < 0 ? -1 : open_below(top, sub, dir, err);
	}
	if (read_path_of(pid, of_pid, sizeof(of_pid), err) < 0)
		return -1;
	if (strncmp(of_pid, path, len) != 0 || (of_pid[len] && of_pid[len] != '/'))
		return err_set(err, EPERM, "process %d is in the cgroup %s, not below %s", (int)pid,
			       of_pid, path);
	return cgroup_open(root, of_pid, dir, err);
}

/* "+memory +pids" for a mask. */
static void enabling_text(unsigned mask, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (unsigned i = 0; cgroup_controllers[i]; i++)
		if (mask & 1u << i && len < size)
			len += (size_t)snprintf(text + len, size - len, "%s+%s", len ? " " : "",
						cgroup_controllers[i]);
}

/* Gives controllers to the cgroups below `dir` (cgroup-v2.rst, "Enabling and Disabling"). */
static int enable_controllers(int dir, const char *where, unsigned needed, unsigned extra,
			      struct err *err)
{
	unsigned enabled;
	char text[512];

	if (!(needed | extra))
		return 0;
	enabled = cgroup_controllers_read(dir, "cgroup.subtree_control");
	/* No limit asked for these. Each alone: one that is refused takes no other with it. */
	for (unsigned left = extra & ~enabled; left; left &= left - 1) {
		enabling_text(left & -left, text, sizeof(text));
		file_write_small(dir, "cgroup.subtree_control", text);
	}
	if (!(needed & ~enabled))
		return 0;
	enabling_text(needed & ~enabled, text, sizeof(text));
	if (file_write_small(dir, "cgroup.subtree_control", text) == 0)
		return 0;
	err_sys(err, "write '%s' to cgroup.subtree_control of %s", text, where);
	if (err->code == EBUSY)
		return err_hint(err,
				"that cgroup holds processes, so it cannot give controllers to "
				"those below (cgroups(7)): move them to a cgroup below it, or "
				"run agentd in a cgroup beside them");
	if (err->code == ENOENT)
		return err_hint(err, "its cgroup.controllers lacks one of them");
	return -1;
}

/* A cgroup that was there already may be used if it is as a new one would be. */
static int check_unused(int dir, const char *path, struct err *err)
{
	char events[256];

	if (file_read_small(dir, "cgroup.events", events, sizeof(events)) < 0)
		return err_sys(err, "read cgroup.events of %s", path);
	if (strstr(events, "populated 1"))
		return err_set(err, EBUSY, "cgroup %s: exists and is not empty", path);
	if (strstr(events, "frozen 1"))
		return err_set(err, EBUSY, "cgroup %s: exists and is frozen", path);
	return 0;
}

/*
 * Walks from the root to the cgroup at `path`, making what is missing and enabling controllers in
 * everything above it. *made: the last one is new.
 */
static int walk_once(int root, const char *path, unsigned needed, unsigned extra, int *dir,
		     bool *made, struct err *err)
{
	autoclose int at = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char prefix[PATH_MAX];
	size_t done = 0;

	if (at < 0)
		return err_sys(err, "open the root of cgroups");
	if (cgroup_check_path(path, err) < 0)
		return -1;
	if (strlen(path) >= sizeof(prefix))
		return err_set(err, ENAMETOOLONG, "cgroup %.200s...: is too long", path);
	prefix[0] = '\0';
	while (path[done]) {
		size_t start = done + (done > 0), len = strcspn(path + start, "/");
		int next;

		if (enable_controllers(at, *prefix ? prefix : "/", needed, extra, err) < 0)
			return -1;
		memcpy(prefix, path, start + len);
		prefix[start + len] = '\0';
		*made = mkdirat(at, prefix + start, 0755) == 0;
		if (!*made && errno != EEXIST)
			return err_sys(err, "make cgroup %s", prefix);
		next = openat(at, prefix + start, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return err_sys(err, "open cgroup %s", prefix);
		fd_close(&at);
		at = next;
		done = start + len;
	}
	*dir = fd_take(&at);
	return 0;
}

/* Again if a parent vanished under the walk: another agentd removed CGROUP_PLACE with its last
 * container. */
static int walk_to(int root, const char *path, unsigned needed, unsigned extra, int *dir,
		   bool *made, struct err *err)
{
	for (unsigned tries = WALK_TRIES;; tries--) {
		int result = walk_once(root, path, needed, extra, dir, made, err);

		if (result == 0 || err->code != ENOENT || tries == 1)
			return result;
	}
}

static int write_limits(int dir, const struct cgroup_limit *limits, size_t len, struct err *err)
{
	bool missing = false; /* the row before was optional, and its file is not there */

	for (size_t i = 0; i < len; i++) {
		const struct cgroup_limit *limit = &limits[i];

		if (limit->alternative && !missing)
			continue;
		missing = false;
		if (file_write_small(dir, limit->file, limit->text) == 0)
			continue;
		missing = limit->optional && errno == ENOENT;
		if (missing)
			continue;
		err_sys(err, "%s: write '%.*s' to %s", limit->what, file_first_line(limit->text),
			limit->text, limit->file);
		return err->code == ENOENT
			       ? err_hint(err, "this kernel has no such file of cgroup v2")
			       : -1;
	}
	return 0;
}

/* The files that /sys/kernel/cgroup/delegate lists go to the new owner, and the directory. */
static int delegate_to(int dir, uid_t uid, struct err *err)
{
	char text[1024] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
	char *file, *rest;

	file_read_small(AT_FDCWD, "/sys/kernel/cgroup/delegate", text, sizeof(text));
	for (file = strtok_r(text, "\n", &rest); file; file = strtok_r(NULL, "\n", &rest))
		if (fchownat(dir, file, uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
			return err_sys(err, "give %s to the container's root (uid %u)", file, uid);
	if (fchown(dir, uid, (gid_t)-1) < 0)
		return err_sys(err, "give the cgroup to the container's root (uid %u)", uid);
	return 0;
}

int cgroup_create(const struct cgroup_plan *plan, int *dir, struct err *err)
{
	autoclose int root = -1, fd = -1;
	bool made = false;

	if (cgroup_open_root(plan->root, &root, err) < 0 ||
	    walk_to(root, plan->path, cgroup_controllers_mask(plan->controllers),
		    cgroup_controllers_mask(plan->extra), &fd, &made, err) < 0)
		return -1;
	if ((!made && check_unused(fd, plan->path, err) < 0) ||
	    write_limits(fd, plan->limits, plan->limits_len, err) < 0 ||
	    (plan->delegate && delegate_to(fd, plan->delegate_uid, err) < 0)) {
		if (made)
			unlinkat(root, plan->path, AT_REMOVEDIR);
		return -1;
	}
	*dir = fd_take(&fd);
	return 0;
}
