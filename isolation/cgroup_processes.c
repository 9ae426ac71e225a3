/*
 * The processes of a cgroup and of all below it: kill, signal, list, freeze; and removing the
 * cgroup, which needs them gone. See cgroup.h.
 *
 * The container may own what is below its cgroup: as deep as it likes, as many as it likes.
 * Removing therefore uses two descriptors however deep the tree is.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "isolation/cgroup.h"
#include "runtime/base/clock.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"

#define DEPTH_MAX 64	    /* of cgroups whose processes are listed */
#define REMOVE_TIMEOUT 5000 /* milliseconds */

/*
 * Waits until cgroup.events has the line `wanted`. 0, or -1 with errno: ETIMEDOUT, or ENODEV when
 * the cgroup has gone. The file is polled with POLLPRI, and reading it is what arms the next event
 * (cgroup-v2.rst "[Un]populated Notification").
 */
static int wait_for_event(int dir, const char *wanted, int64_t deadline)
{
	autoclose int fd = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	char events[256];

	if (fd < 0)
		return -1;
	for (;;) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLPRI };
		int64_t left = deadline - clock_ms();
		ssize_t got = pread(fd, events, sizeof(events) - 1, 0);

		if (got < 0)
			return -1;
		events[got] = '\0';
		if (strstr(events, wanted))
			return 0;
		if (left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (poll(&poll_fd, 1, (int)left) < 0 && errno != EINTR)
			return -1;
	}
}

int cgroup_kill(int dir, struct err *err)
{
	return file_write(dir, "cgroup.kill", "1", err);
}

/* A name of a cgroup below, or false. */
static bool next_child(DIR *stream, char *name)
{
	const struct dirent *entry;

	while ((entry = readdir(stream)))
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0) {
			memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
			return true;
		}
	return false;
}

static DIR *open_stream(int dir)
{
	autoclose int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (stream)
		fd_take(&fd);
	return stream;
}

/* What is done with each process. */
struct visit {
	int (*process)(pid_t pid, void *argument, struct err *err);
	void *argument;
};

/*
 * One pid on a line. 0 is a process that our pid namespace does not see: to kill(2) it would mean
 * ourselves.
 */
static int visit_processes(int dir, const struct visit *visit, struct err *err)
{
	autoclose int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char buffer[4096];
	ssize_t got;
	long pid = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, "open cgroup.procs");
	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t i = 0; i < got; i++) {
			if (buffer[i] != '\n') {
				pid = pid * 10 + (buffer[i] - '0');
				continue;
			}
			if (pid > 0 && visit->process((pid_t)pid, visit->argument, err) < 0)
				return -1;
			pid = 0;
		}
	/* ENODEV: it was removed. EOPNOTSUPP: threads, whose processes are listed further up. */
	if (got < 0 && errno != ENODEV && errno != EOPNOTSUPP)
		return err_sys(err, "read cgroup.procs");
	return 0;
}

static int visit_tree(int dir, unsigned depth, const struct visit *visit, struct err *err)
{
	char name[NAME_MAX + 1];
	int result = visit_processes(dir, visit, err);
	DIR *stream;

	if (result < 0)
		return -1;
	if (depth == DEPTH_MAX)
		return err_set(err, ELOOP, "cgroups are deeper than %d below the container's",
			       DEPTH_MAX);
	stream = open_stream(dir);
	if (!stream)
		return errno == ENOENT ? 0 : err_sys(err, "read the cgroup's directory");
	while (result == 0 && next_child(stream, name)) {
		autoclose int child =
			openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (child >= 0)
			result = visit_tree(child, depth + 1, visit, err);
		else if (errno != ENOENT)
			result = err_sys(err, "open cgroup %s", name);
	}
	closedir(stream);
	return result;
}

static int signal_process(pid_t pid, void *argument, struct err *err)
{
	const int *signal = argument;

	if (kill(pid, *signal) < 0 && errno != ESRCH)
		return err_sys(err, "send signal %d to process %d", *signal, (int)pid);
	return 0;
}

int cgroup_signal(int dir, int signal, struct err *err)
{
	const struct visit visit = { signal_process, &signal };

	return signal == SIGKILL ? cgroup_kill(dir, err) : visit_tree(dir, 0, &visit, err);
}

struct pids {
	pid_t *pid;
	size_t len;
	struct arena *arena;
};

static int collect_process(pid_t pid, void *argument, struct err *err)
{
	struct pids *pids = argument;

	(void)err;
	pids->pid = arena_grow(pids->arena, pids->pid, pids->len, sizeof(*pids->pid));
	pids->pid[pids->len++] = pid;
	return 0;
}

int cgroup_pids(int dir, struct arena *arena, pid_t **pids, size_t *len, struct err *err)
{
	struct pids found = { .arena = arena };
	const struct visit visit = { collect_process, &found };

	if (visit_tree(dir, 0, &visit, err) < 0)
		return -1;
	*pids = found.pid;
	*len = found.len;
	return 0;
}

/* A process in an uninterruptible sleep cannot be frozen: nobody may be left half frozen for it. */
int cgroup_freeze(int dir, bool freeze, int timeout_ms, struct err *err)
{
	const char *wanted = freeze ? "frozen 1" : "frozen 0";

	if (file_write(dir, "cgroup.freeze", freeze ? "1" : "0", err) < 0)
		return -1;
	if (wait_for_event(dir, wanted, clock_ms() + timeout_ms) == 0)
		return 0;
	err_sys(err, "wait for '%s' in cgroup.events", wanted);
	if (freeze)
		file_write_small(dir, "cgroup.freeze", "0");
	return -1;
}

static void open_top(struct cgroup_top *top, const char *root)
{
	if (top->fd >= 0 && strcmp(top->root, root) == 0)
		return;
	fd_close(&top->fd);
	snprintf(top->root, sizeof(top->root), "%s", root);
	top->fd = open(top->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

bool cgroup_frozen(struct cgroup_top *top, const char *root, const char *path)
{
	char file[PATH_MAX], events[256] = "";
	autoclose int fd = -1;

	open_top(top, root);
	if ((size_t)snprintf(file, sizeof(file), "%s/cgroup.events", path) < sizeof(file))
		fd = openat(top->fd, file, O_RDONLY | O_CLOEXEC);
	/* a single read gives all of it */
	return fd >= 0 && read(fd, events, sizeof(events) - 1) > 0 && strstr(events, "frozen 1");
}

/* The first cgroup below, or false. */
static bool first_child(int dir, char *name)
{
	DIR *stream = open_stream(dir);
	bool found = stream && next_child(stream, name);

	if (stream)
		closedir(stream);
	return found;
}

/*
 * Removes all cgroups below: what cannot be removed is entered, and left again by ".." when it is
 * empty. 0, or -1 with errno, EBUSY if one had a process after all.
 */
static int remove_below(int dir)
{
	autoclose int at = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_MAX + 1];
	unsigned depth = 0;
	bool left = false; /* just left a cgroup that has none below it */

	for (;;) {
		bool child = first_child(at, name);
		int next;

		if (!child && depth == 0)
			return 0;
		if (child && (unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT)) {
			left = false;
			continue;
		}
		if (child && (errno != EBUSY || left))
			return -1;
		next = openat(at, child ? name : "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (next < 0)
			return -1;
		fd_close(&at);
		at = next;
		left = !child;
		depth = child ? depth + 1 : depth - 1;
	}
}

/* One attempt: everything killed, empty, removed. 0, or -1 with errno. */
static int remove_once(int top, const char *path, int dir, int64_t deadline)
{
	if (file_write_small(dir, "cgroup.kill", "1") < 0 ||
	    wait_for_event(dir, "populated 0", deadline) < 0 || remove_below(dir) < 0)
		return -1;
	return unlinkat(top, path, AT_REMOVEDIR);
}

/* Our own place goes with its last container; EBUSY or ENOTEMPTY: it was not the last. */
static void remove_place(int top, const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];
	const char *name;

	if (!slash || (size_t)(slash - path) >= sizeof(parent))
		return;
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	name = strrchr(parent, '/');
	if (strcmp(name ? name + 1 : parent, CGROUP_PLACE) == 0)
		unlinkat(top, parent, AT_REMOVEDIR);
}

/* Again and again: EBUSY means that a process was born between the look and the removal. */
static int remove_populated(int top, const char *root, const char *path, struct err *err)
{
	int64_t deadline = clock_ms() + REMOVE_TIMEOUT;
	autoclose int dir = -1;

	if (cgroup_open(root, path, &dir, err) < 0)
		return err->code == ENOENT ? 0 : -1;
	while (remove_once(top, path, dir, deadline) < 0) {
		int code = errno;

		if (faccessat(top, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
			return 0;
		errno = code;
		if (code != EBUSY || clock_ms() >= deadline)
			return err_sys(err, "remove cgroup %s", path);
	}
	return 0;
}

int cgroup_remove(const char *root, const char *path, struct err *err)
{
	autoclose int top = -1;

	if (cgroup_check_path(path, err) < 0)
		return -1;
	if (cgroup_open_root(root, &top, err) < 0)
		return err->code == ENOENT ? 0 : -1;
	/* As a rule everything in it has ended, and it has none below. */
	if (unlinkat(top, path, AT_REMOVEDIR) < 0 && errno != ENOENT &&
	    remove_populated(top, root, path, err) < 0)
		return -1;
	remove_place(top, path);
	return 0;
}
