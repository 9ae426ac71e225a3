/*
 * Reading the posture of a process, see posture.h; comparing is in posture_compare.c.
 *
 * Everything comes from files below one descriptor of /proc/PID (proc(5)). The process is hostile:
 * it chooses its name, its mounts, its descriptors and its environment, so nothing here is sized by
 * what it says without a bound, and no file of its own filesystems is opened for reading.
 */
#include "selftest/posture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/names.h"

#define TASKS_MAX 65536
#define FDS_MAX 32768
#define STATUS_MAX (1u << 20) /* 65536 groups fit */
#define MOUNTINFO_MAX (8u << 20)
#define ENVIRONMENT_MAX (1u << 20)
#define TEXT_MAX 65536
#define LINK_MAX 4096

const char *const posture_namespace_names[POSTURE_NAMESPACES] = { "user", "pid",  "net",    "ipc",
								  "uts",  "time", "cgroup", "mnt" };

/* The words of /proc/PID/limits. */
static const struct name limit_lines[] = { { "Max cpu time", RLIMIT_CPU },
					   { "Max file size", RLIMIT_FSIZE },
					   { "Max data size", RLIMIT_DATA },
					   { "Max stack size", RLIMIT_STACK },
					   { "Max core file size", RLIMIT_CORE },
					   { "Max resident set", RLIMIT_RSS },
					   { "Max processes", RLIMIT_NPROC },
					   { "Max open files", RLIMIT_NOFILE },
					   { "Max locked memory", RLIMIT_MEMLOCK },
					   { "Max address space", RLIMIT_AS },
					   { "Max file locks", RLIMIT_LOCKS },
					   { "Max pending signals", RLIMIT_SIGPENDING },
					   { "Max msgqueue size", RLIMIT_MSGQUEUE },
					   { "Max nice priority", RLIMIT_NICE },
					   { "Max realtime priority", RLIMIT_RTPRIO },
					   { "Max realtime timeout", RLIMIT_RTTIME },
					   { .name = "" } };

/* What stands behind "\nKEY:" in a status file. The kernel writes a newline in a process's name as
 * "\n", two characters, so that no name can pass for a line. */
static const char *status_value(const char *status, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == ':')
			return line + len + 1;
	}
	return "";
}

static uint64_t status_number(const char *status, const char *key, int base)
{
	return strtoull(status_value(status, key), NULL, base);
}

/* Numbers up to the end of the line, at most `max`; how many. */
static size_t parse_numbers(const char *text, uint32_t *numbers, size_t max)
{
	size_t len = 0;

	while (len < max) {
		text += strspn(text, "\t ");
		if (*text < '0' || *text > '9')
			break;
		numbers[len++] = (uint32_t)strtoul(text, (char **)&text, 10);
	}
	return len;
}

static void parse_thread(const char *status, struct posture_thread *thread)
{
	_Static_assert(sizeof(uid_t) == sizeof(uint32_t), "ids are read as such");
	parse_numbers(status_value(status, "Uid"), thread->uid, 4);
	parse_numbers(status_value(status, "Gid"), thread->gid, 4);
	thread->inheritable = status_number(status, "CapInh", 16);
	thread->permitted = status_number(status, "CapPrm", 16);
	thread->effective = status_number(status, "CapEff", 16);
	thread->bounding = status_number(status, "CapBnd", 16);
	thread->ambient = status_number(status, "CapAmb", 16);
	thread->signals_blocked = status_number(status, "SigBlk", 16);
	thread->signals_ignored = status_number(status, "SigIgn", 16);
	thread->seccomp = (unsigned)status_number(status, "Seccomp", 10);
	thread->seccomp_filters = (unsigned)status_number(status, "Seccomp_filters", 10);
	thread->no_new_privs = status_number(status, "NoNewPrivs", 10) != 0;
}

static void parse_process(const char *status, struct arena *arena, struct posture *posture)
{
	const char *groups = status_value(status, "Groups");
	size_t max = strcspn(groups, "\n") / 2 + 1;

	posture->umask = (unsigned)status_number(status, "Umask", 8);
	posture->groups = arena_new_array(arena, gid_t, max);
	posture->groups_len = parse_numbers(groups, posture->groups, max);
}

/* Gone while we look: a thread of its own accord, the process with all of them. */
static bool is_gone(int code)
{
	return code == ENOENT || code == ESRCH;
}

/* Calls `visit` for each entry of a directory whose name is a number; ENOENT and ESRCH from it mean
 * that the entry is gone. */
static int each_number(int process, const char *name,
		       int (*visit)(int dir, int number, struct arena *arena,
				    struct posture *posture, struct err *err),
		       struct arena *arena, struct posture *posture, struct err *err)
{
	autoclose int fd = openat(process, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int result = 0;

	if (!dir)
		return err_sys(err, "open /proc/%d/%s", (int)posture->pid, name);
	fd_take(&fd);
	while (result == 0 && (errno = 0, entry = readdir(dir))) {
		struct err gone = { 0 };
		char *end;
		long number = strtol(entry->d_name, &end, 10);

		if (end == entry->d_name || *end)
			continue;
		result = visit(dirfd(dir), (int)number, arena, posture, &gone);
		if (result < 0 && is_gone(gone.code))
			result = 0;
		else if (result < 0)
			*err = gone;
	}
	if (result == 0 && errno)
		result = err_sys(err, "list /proc/%d/%s", (int)posture->pid, name);
	closedir(dir);
	return result;
}

static int read_thread(int dir, int tid, struct arena *arena, struct posture *posture,
		       struct err *err)
{
	struct posture_thread *thread;
	char path[32], *status;

	snprintf(path, sizeof(path), "%d/status", tid);
	if (posture->threads_len == TASKS_MAX)
		return err_set(err, E2BIG, "process %d has more than %d threads", posture->pid,
			       TASKS_MAX);
	if (file_read(dir, path, STATUS_MAX, arena, &status, NULL, err) < 0)
		return -1;
	posture->threads =
		arena_grow(arena, posture->threads, posture->threads_len, sizeof(*thread));
	thread = &posture->threads[posture->threads_len++];
	thread->tid = tid;
	parse_thread(status, thread);
	if (tid == posture->pid)
		parse_process(status, arena, posture);
	return 0;
}

static uint64_t parse_mount_id(const char *fdinfo)
{
	return status_number(fdinfo, "mnt_id", 10);
}

static int read_fd(int dir, int number, struct arena *arena, struct posture *posture,
		   struct err *err)
{
	struct posture_fd *fd;
	char name[32], text[1024];
	ssize_t len;

	if (posture->fds_len == FDS_MAX)
		return err_set(err, E2BIG, "process %d has more than %d descriptors", posture->pid,
			       FDS_MAX);
	posture->fds = arena_grow(arena, posture->fds, posture->fds_len, sizeof(*fd));
	fd = &posture->fds[posture->fds_len];
	*fd = (struct posture_fd){ .fd = number };
	snprintf(name, sizeof(name), "%d", number);
	len = readlinkat(dir, name, fd->target, sizeof(fd->target) - 1);
	if (len < 0)
		return err_sys(err, "read link /proc/%d/fd/%s", (int)posture->pid, name);
	snprintf(name, sizeof(name), "../fdinfo/%d", number);
	if (file_read_small(dir, name, text, sizeof(text)) < 0)
		return err_sys(err, "read /proc/%d/fdinfo/%d", (int)posture->pid, number);
	fd->mount = parse_mount_id(text);
	posture->fds_len++;
	return 0;
}

/* proc(5): blank, tab, newline and backslash stand as \ooo in mountinfo. In place. */
static char *unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return text;
}

/* ID PARENT DEVICE ROOT DESTINATION OPTIONS [PROPAGATION...] - TYPE SOURCE SUPER, where SOURCE may
 * be empty. */
static bool parse_mount(char *line, struct arena *arena, struct posture_mount *mount)
{
	const char *head[6], *tail[3], *word;
	const char *propagation = "";

	for (size_t i = 0; i < 6; i++)
		if (!(head[i] = strsep(&line, " ")))
			return false;
	while ((word = strsep(&line, " ")) && strcmp(word, "-") != 0)
		propagation =
			arena_format(arena, "%s%s%s", propagation, *propagation ? " " : "", word);
	for (size_t i = 0; i < 3; i++)
		if (!(tail[i] = strsep(&line, " ")))
			return false;
	*mount = (struct posture_mount){ .id = strtoull(head[0], NULL, 10),
					 .root = unescape((char *)head[3]),
					 .destination = unescape((char *)head[4]),
					 .options = head[5],
					 .propagation = propagation,
					 .type = unescape((char *)tail[0]),
					 .source = unescape((char *)tail[1]),
					 .super_options = unescape((char *)tail[2]) };
	return true;
}

static int parse_mounts(char *text, struct arena *arena, struct posture *posture, struct err *err)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		if (!*line)
			continue;
		posture->mounts = arena_grow(arena, posture->mounts, posture->mounts_len,
					     sizeof(*posture->mounts));
		if (!parse_mount(line, arena, &posture->mounts[posture->mounts_len++]))
			return err_set(err, EPROTO, "/proc/%d/mountinfo: a line is not understood",
				       (int)posture->pid);
	}
	return 0;
}

static rlim_t parse_limit(const char **text)
{
	rlim_t value = RLIM_INFINITY;

	*text += strspn(*text, " ");
	if (**text >= '0' && **text <= '9')
		value = strtoull(*text, NULL, 10);
	*text += strcspn(*text, " \n");
	return value;
}

/* Of the process, not by prlimit(2), which goes by the pid and wants more rights. */
static void parse_limits(char *text, struct rlimit *limits)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		for (const struct name *row = limit_lines; *row->name; row++) {
			size_t len = strlen(row->name);
			const char *at = line + len;

			if (strncmp(line, row->name, len) != 0)
				continue;
			limits[row->value].rlim_cur = parse_limit(&at);
			limits[row->value].rlim_max = parse_limit(&at);
		}
	}
}

static const char *parse_cgroup(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (strncmp(line, "0::", 3) == 0)
			return line + 3;
	return "";
}

/* The mount that a link of /proc/PID leads to. Opened as a place only: nothing of the filesystem
 * there, which the process may serve itself, is asked. */
static int read_link(int process, const char *name, struct arena *arena, const char **target,
		     uint64_t *mount, struct err *err)
{
	char buffer[LINK_MAX], path[64];
	ssize_t len = readlinkat(process, name, buffer, sizeof(buffer));
	autoclose int fd = len < 0 ? -1 : openat(process, name, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "read link %s", name);
	*target = arena_copy(arena, buffer, (size_t)len);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (file_read_small(AT_FDCWD, path, buffer, sizeof(buffer)) < 0)
		return err_sys(err, "read %s", path);
	*mount = parse_mount_id(buffer);
	return 0;
}

/* A kernel without one of the namespaces has it neither here nor there. */
static int read_namespaces(int process, struct posture *posture, struct err *err)
{
	for (size_t i = 0; i < POSTURE_NAMESPACES; i++) {
		char path[64];
		struct stat st;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", posture_namespace_names[i]);
		if (stat(path, &st) < 0 && errno == ENOENT)
			continue;
		posture->own[i] = st.st_ino;
		if (fstatat(process, path + strlen("/proc/self/"), &st, 0) < 0)
			return err_sys(err, "stat %s", path + strlen("/proc/self/"));
		posture->namespaces[i] = st.st_ino;
	}
	return 0;
}

static int read_texts(int process, struct arena *arena, struct posture *posture, struct err *err)
{
	char *mounts, *limits, *cgroup, *uid_map, *gid_map, *setgroups, *oom;
	const struct {
		const char *name;
		size_t max;
		char **text;
	} files[] = {
		{ "mountinfo", MOUNTINFO_MAX, &mounts }, { "limits", TEXT_MAX, &limits },
		{ "cgroup", TEXT_MAX, &cgroup },	 { "uid_map", TEXT_MAX, &uid_map },
		{ "gid_map", TEXT_MAX, &gid_map },	 { "setgroups", TEXT_MAX, &setgroups },
		{ "oom_score_adj", TEXT_MAX, &oom },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (file_read(process, files[i].name, files[i].max, arena, files[i].text, NULL,
			      err) < 0)
			return -1;
	parse_limits(limits, posture->limits);
	posture->cgroup = parse_cgroup(cgroup);
	posture->uid_map = uid_map;
	posture->gid_map = gid_map;
	setgroups[strcspn(setgroups, "\n")] = '\0';
	posture->setgroups = setgroups;
	posture->oom_score_adj = atoi(oom);
	return parse_mounts(mounts, arena, posture, err);
}

/* EINVAL without a security module that labels processes. */
static int read_label(int process, struct arena *arena, struct posture *posture, struct err *err)
{
	char label[TEXT_MAX / 16];
	ssize_t len = file_read_small(process, "attr/current", label, sizeof(label));

	if (len < 0 && (errno != EINVAL && errno != EOPNOTSUPP))
		return err_sys(err, "read attr/current");
	posture->label = len < 0 ? "" : arena_copy(arena, label, strcspn(label, "\n"));
	return 0;
}

static int read_environment(int process, struct arena *arena, struct posture *posture,
			    struct err *err)
{
	char *buffer = arena_alloc(arena, ENVIRONMENT_MAX, 1);
	ssize_t len = file_read_small(process, "environ", buffer, ENVIRONMENT_MAX);

	if (len < 0)
		return err_sys(err, "read environ");
	posture->environment = buffer;
	posture->environment_size = (size_t)len;
	return 0;
}

static int read_all(int process, struct arena *arena, struct posture *posture, struct err *err)
{
	if (read_namespaces(process, posture, err) < 0 ||
	    each_number(process, "task", read_thread, arena, posture, err) < 0 ||
	    each_number(process, "fd", read_fd, arena, posture, err) < 0 ||
	    read_link(process, "root", arena, &posture->root, &posture->root_mount, err) < 0 ||
	    read_link(process, "cwd", arena, &posture->cwd, &posture->cwd_mount, err) < 0 ||
	    read_link(process, "exe", arena, &posture->exe, &posture->exe_mount, err) < 0 ||
	    read_texts(process, arena, posture, err) < 0 ||
	    read_label(process, arena, posture, err) < 0 ||
	    read_environment(process, arena, posture, err) < 0)
		return -1;
	if (!posture->threads_len)
		return err_set(err, ESRCH, "it has no thread");
	return 0;
}

int posture_read(pid_t pid, struct arena *arena, struct posture *posture, struct err *err)
{
	char path[32];
	autoclose int process = -1;

	*posture = (struct posture){ .pid = pid };
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	process = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (process < 0)
		err_sys(err, "open %s", path);
	else if (read_all(process, arena, posture, err) == 0)
		return 0;
	if (is_gone(err->code))
		err->code = ESRCH;
	return err_wrap(err, "process %d", (int)pid);
}
