/*
 * The directory of a container, see state.h.
 *
 * Changes go through the descriptor of the directory, which can be locked; looking goes by the id
 * from the root directory (state_root.c), which for many is cheaper than to open each one's. Relied
 * on: the root directory is ours alone, so its contents are trusted. Nothing here decides what a
 * status allows: that is container.c's.
 */
#include "runtime/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>

#include "isolation/cgroup.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/process_stat.h"
#include "runtime/base/sys.h"
#include "spec/json.h"

#define CREATING_FILE "creating.json"
#define LOCK_TIMEOUT_MS 10000
#define LOCK_RETRY_MS 5

#ifndef PID_FS_MAGIC
#define PID_FS_MAGIC 0x50494446 /* Linux 6.9 */
#endif

static const struct name status_names[] = {
	{ "creating", STATUS_CREATING }, { "created", STATUS_CREATED },
	{ "running", STATUS_RUNNING },	 { "paused", STATUS_PAUSED },
	{ "stopped", STATUS_STOPPED },	 { .name = "" }
};

const char *state_status_text(enum state_status status)
{
	return name_text(status_names, status);
}

int state_id_check(const char *id, struct err *err)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_+-.";
	size_t len = strlen(id);

	if (len == 0 || len > STATE_ID_MAX || id[0] == '.' || strspn(id, allowed) != len)
		return err_set(err, EINVAL,
			       "invalid container ID format: '%.255s'; 1 to %d letters, digits and "
			       "any of _+-., but no . first",
			       id, STATE_ID_MAX);
	return 0;
}

static int does_not_exist(const char *id, struct err *err)
{
	return err_set(err, ENOENT, "container does not exist: %s", id);
}

/* --- one directory --------------------------------------------------------------------------- */

int state_create(int root, const char *id, int *dir, struct err *err)
{
	autoclose int fd = -1;

	if (state_id_check(id, err) < 0)
		return -1;
	if (mkdirat(root, id, 0700) < 0) {
		if (errno == EEXIST)
			return err_set(err, EEXIST, "container with given ID already exists: %s",
				       id);
		return err_sys(err, "make the directory of container %s", id);
	}
	fd = openat(root, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		err_sys(err, "lock the directory of container %s", id);
		unlinkat(root, id, AT_REMOVEDIR);
		return -1;
	}
	*dir = fd_take(&fd);
	return 0;
}

int state_created(int dir, struct state *state, struct err *err)
{
	if (renameat(dir, CREATING_FILE, dir, STATE_FILE) < 0)
		return err_sys(err, "rename " CREATING_FILE " to " STATE_FILE);
	state->creating = false;
	return 0;
}

/* A lock that somebody keeps (a hook that hangs) must not keep us: flock(2) knows no time limit, so
 * it is tried again and again. */
int state_lock(int dir, const char *id, struct err *err)
{
	const struct timespec pause = { .tv_nsec = LOCK_RETRY_MS * 1000000L };
	struct stat st;

	for (int waited = 0; flock(dir, LOCK_EX | LOCK_NB) < 0; waited += LOCK_RETRY_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(err, "lock the directory of container %s", id);
		if (waited >= LOCK_TIMEOUT_MS)
			return err_set(
				err, EBUSY,
				"container %s is busy: another agentd has been at work on it "
				"for %d s",
				id, LOCK_TIMEOUT_MS / 1000);
		nanosleep(&pause, NULL);
	}
	/* who had the lock before us may have deleted it */
	if (fstat(dir, &st) < 0 || st.st_nlink == 0)
		return does_not_exist(id, err);
	return 0;
}

void state_unlock(int dir)
{
	flock(dir, LOCK_UN);
}

int state_open(int root, const char *id, bool lock, int *dir, struct err *err)
{
	autoclose int fd = -1;

	if (state_id_check(id, err) < 0)
		return -1;
	fd = openat(root, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return does_not_exist(id, err);
	if (fd < 0)
		return err_sys(err, "open the directory of container %s", id);
	if (lock && state_lock(fd, id, err) < 0)
		return -1;
	*dir = fd_take(&fd);
	return 0;
}

/* All that is in the directory, in the order in which it is removed: the record last, so that there
 * is one as long as there is anything. */
static const char *const files[] = { STATE_START_SOCKET, SPEC_FILE, CREATING_FILE, STATE_FILE };

/* What file_replace() was about to rename to one of them when agentd was killed. */
static bool is_temporary(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const size_t len = strlen(files[i]);

		if (name[0] == '.' && strncmp(name + 1, files[i], len) == 0 && name[len + 1] == '.')
			return true;
	}
	return false;
}

/* Looks for temporaries in a directory, and for anything else: that is somebody's, and stays. */
static int look_through(int dir, const char *id, bool remove, bool *foreign, struct err *err)
{
	autoclose int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream)
		return err_sys(err, "open the directory of container %s", id);
	fd_take(&fd);
	while ((entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (!is_temporary(entry->d_name))
			*foreign = true;
		else if (remove)
			unlinkat(dir, entry->d_name, 0);
	}
	closedir(stream);
	return 0;
}

int state_remove(int root, const char *id, int dir, struct err *err)
{
	bool foreign;

	/* by name, as a look into the directory takes a descriptor: there may be none left */
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlinkat(dir, files[i], 0);
	if (unlinkat(root, id, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (look_through(dir, id, true, &foreign, err) < 0)
		return -1;
	if (unlinkat(root, id, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(err, "remove the directory of container %s", id);
	return 0;
}

/* --- state.json ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct field state_fields[] = {
	STRING("bundle",      struct state, bundle, 0),
	STRING("rootfs",      struct state, rootfs, 0),
	STRING("created",     struct state, created, 0),
	STRING("owner",       struct state, owner, 0),
	STRING("cgroupRoot",  struct state, cgroup_root, 0),
	STRING("cgroupPath",  struct state, cgroup_path, 0),
	I64("pid",            struct state, pid, REQUIRED, RANGE(0, INT32_MAX)),
	U64("pidInode",       struct state, pid_inode, 0, RANGE(0, UINT64_MAX)),
	U64("startTime",      struct state, start_time, REQUIRED, RANGE(0, UINT64_MAX)),
	BOOL("run",           struct state, run, 0),
	BOOL("poststart",     struct state, poststart, 0),
	BOOL("poststop",      struct state, poststop, 0),
	MAP("annotations",    struct state, annotations, 0),
	STRINGS("notes",      struct state, notes, 0),
	{ 0 }
};
/* clang-format on */

int state_save(int dir, const struct state *state, struct arena *arena, struct err *err)
{
	size_t size;
	char *text = json_print(fields_encode(state, state_fields, arena), true, arena, &size);

	return file_replace(dir, state->creating ? CREATING_FILE : STATE_FILE, text, size, 0600,
			    err);
}

/* The path of a container's file from the root directory. */
struct path {
	char text[STATE_ID_MAX + 32];
};

static struct path path_of(const char *id, const char *file)
{
	struct path path;

	snprintf(path.text, sizeof(path.text), "%s/%s", id, file);
	return path;
}

/* A directory without a record: create has just made it, or it is nothing of ours. */
static int check_begun(int root, const char *id, struct err *err)
{
	autoclose int dir = -1;
	bool foreign = false;

	if (state_open(root, id, false, &dir, err) < 0 ||
	    look_through(dir, id, false, &foreign, err) < 0)
		return -1;
	if (!foreign)
		return 0;
	does_not_exist(id, err);
	return err_hint(err, "a directory of that name holds other files");
}

/* The record, under the one name or the other: create may come through while we look. */
static int read_record(int root, struct state *state, struct arena *arena, char **text,
		       size_t *size, struct err *err)
{
	static const char *const records[] = { STATE_FILE, CREATING_FILE, STATE_FILE };

	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		const struct path path = path_of(state->id, records[i]);

		state->creating = strcmp(records[i], CREATING_FILE) == 0;
		if (file_read(root, path.text, JSON_BYTES_MAX, arena, text, size, err) == 0)
			return 0;
		if (err->code != ENOENT)
			break;
	}
	return -1;
}

static int check_record(const struct state *state, struct err *err)
{
	if (state->cgroup_path && !state->cgroup_root)
		return err_set(err, EINVAL, "cgroupRoot: is missing beside cgroupPath");
	return 0;
}

int state_load(int root, const char *id, struct arena *arena, struct state **out, struct err *err)
{
	struct state *state = arena_new_object(arena, struct state);
	struct json *object;
	size_t size;
	char *text;

	state->id = id;
	*out = state;
	if (read_record(root, state, arena, &text, &size, err) < 0) {
		if (err->code != ENOENT)
			return err_wrap(err, "state of container %s", id);
		return check_begun(root, id, err);
	}
	if (json_parse(text, size, arena, &object, err) < 0 ||
	    fields_decode(object, state_fields, state, arena, err) < 0 ||
	    check_record(state, err) < 0) {
		err->code = EBADMSG;
		err_wrap(err, "the state of container %s is damaged", id);
		return err_hint(err, "delete --force frees the id, but ends no process");
	}
	return 0;
}

static void add_text(struct json *object, const char *key, const char *text, struct arena *arena)
{
	if (text)
		json_string(object, key, text, arena);
}

static void add_annotations(struct json *object, const struct spec_map *map, struct arena *arena)
{
	struct json *annotations = json_object(object, "annotations", arena);

	for (size_t i = 0; i < map->len; i++)
		json_string(annotations, map->item[i].key, map->item[i].value, arena);
}

static void add_notes(struct json *object, const struct spec_strings *notes, struct arena *arena)
{
	struct json *list;

	if (!notes->len)
		return;
	list = json_array(object, "notes", arena);
	for (size_t i = 0; i < notes->len; i++)
		json_string(list, NULL, notes->item[i], arena);
}

pid_t state_pid(const struct state *state, enum state_status status)
{
	return status == STATUS_STOPPED ? 0 : (pid_t)state->pid;
}

struct json *state_tree(struct json *parent, const struct state *state, enum state_status status,
			struct arena *arena)
{
	struct json *object = json_object(parent, NULL, arena);

	json_string(object, "ociVersion", SPEC_OCI_VERSION, arena);
	json_string(object, "id", state->id, arena);
	json_string(object, "status", state_status_text(status), arena);
	json_integer(object, "pid", state_pid(state, status), arena);
	json_string(object, "bundle", state->bundle ? state->bundle : "", arena);
	add_text(object, "rootfs", state->rootfs, arena);
	add_text(object, "created", state->created, arena);
	add_text(object, "owner", state->owner, arena);
	add_annotations(object, &state->annotations, arena);
	add_notes(object, &state->notes, arena);
	return object;
}

char *state_oci(const struct state *state, enum state_status status, struct arena *arena,
		size_t *size)
{
	return json_print(state_tree(NULL, state, status, arena), true, arena, size);
}

/* --- facts ----------------------------------------------------------------------------------- */

static uint64_t start_time(pid_t pid)
{
	char line[PROCESS_STAT_SIZE];
	const char *text = process_stat_read(pid, line) < 0
				   ? NULL
				   : process_stat_field(line, PROCESS_STAT_START_TIME);

	return text ? strtoull(text, NULL, 10) : 0;
}

static bool is_in(int fd, unsigned long magic)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == magic;
}

static uint64_t inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* The number of a pidfd's inode costs a tenth of what a start time does, but after a reboot others
 * have it: a record that may be there then must not rely on it. */
void state_set_process(struct state *state, int dir, pid_t pid, int pidfd)
{
	state->pid = pid;
	if (is_in(pidfd, PID_FS_MAGIC) && is_in(dir, TMPFS_MAGIC))
		state->pid_inode = inode(pidfd);
	else
		state->start_time = start_time(pid);
}

/* A process that has the pid while we have a pidfd, and is seen with the recorded start time, had
 * it all along, so the pidfd is its own. */
static bool is_recorded(const struct state *state, int pidfd)
{
	return state->pid_inode ? inode(pidfd) == state->pid_inode
				: start_time((pid_t)state->pid) == state->start_time;
}

/* Only a pidfd tells whether a process has ended: one whose first thread has is a zombie, though
 * others may live on. */
int state_open_pid(const struct state *state)
{
	autoclose int pidfd = state->pid > 0 ? sys_pidfd_open((pid_t)state->pid, 0) : -1;
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	if (pidfd < 0 || !is_recorded(state, pidfd) ||
	    poll(&ended, 1, 0) != 0) { /* readable: ended, perhaps a zombie (pidfd_open(2)) */
		errno = ESRCH;
		return -1;
	}
	return fd_take(&pidfd);
}

static bool waits_for_start(int root, const char *id)
{
	return faccessat(root, path_of(id, STATE_START_SOCKET).text, F_OK, 0) == 0;
}

enum state_status state_status(int root, struct cgroup_top *top, const struct state *state)
{
	autoclose int pidfd = state_open_pid(state);

	if (state->pid == 0)
		return STATUS_CREATING;
	if (pidfd < 0)
		return STATUS_STOPPED;
	if (state->creating)
		return STATUS_CREATING;
	if (state->cgroup_path && cgroup_frozen(top, state->cgroup_root, state->cgroup_path))
		return STATUS_PAUSED;
	if (!state->run && waits_for_start(root, state->id))
		return STATUS_CREATED;
	return STATUS_RUNNING;
}
