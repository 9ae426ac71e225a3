/*
 * The directory of all containers, see state.h: where it is, that it is ours, what is in it.
 *
 * Whoever can write there chooses the hooks that we run, so its owner and mode are looked at each
 * time that it is opened; everything else here and in state.c relies on that. So does all that
 * tells processes by their numbers on a /proc that shows ours.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/state.h"

#define ROOT_DEFAULT "/run/agentd"

/* Sticky: cleaners of $XDG_RUNTIME_DIR leave that alone (XDG base directory specification). */
static int default_root(bool rootless, char *path, size_t size, mode_t *mode, struct err *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	*mode = 0700;
	if (!rootless) {
		snprintf(path, size, "%s", ROOT_DEFAULT);
		return 0;
	}
	if (!runtime || runtime[0] != '/')
		return err_set(
			err, EINVAL,
			"no directory to keep containers in; set XDG_RUNTIME_DIR or give --root");
	if ((size_t)snprintf(path, size, "%s/agentd", runtime) >= size)
		return err_set(err, ENAMETOOLONG, "XDG_RUNTIME_DIR is too long");
	*mode |= S_ISVTX;
	return 0;
}

/*
 * The number that a procfs has for us is ours only in the procfs of our own pid namespace. In
 * another a container's number is a stranger's, whose maps we would write and whom we would take
 * for its init; without one every container looks as if it had ended.
 */
static int check_procfs(struct err *err)
{
	char number[16];
	ssize_t len = readlink("/proc/self", number, sizeof(number) - 1);

	number[len < 0 ? 0 : len] = '\0';
	if (strtol(number, NULL, 10) == getpid())
		return 0;
	return err_set(err, ESRCH,
		       "/proc does not show the processes of this pid namespace; mount a procfs "
		       "there: mount -t proc proc /proc, or unshare --mount-proc");
}

int state_root_open(const char *root, bool rootless, bool make, int *dir, struct err *err)
{
	char path[4096];
	autoclose int fd = -1;
	mode_t mode = 0700;
	struct stat st;

	if (check_procfs(err) < 0)
		return -1;
	if (!root) {
		if (default_root(rootless, path, sizeof(path), &mode, err) < 0)
			return -1;
		root = path;
	}
	if (make && file_make_directories(root, mode, err) < 0)
		return err_wrap(err, "the directory of containers");
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "open the directory of containers %s", root);
	/* whoever can write here chooses the hooks that we run */
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return err_set(
			err, EPERM,
			"the directory of containers %s is not ours alone to write (owner %u, "
			"mode %04o)",
			root, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777);
	*dir = fd_take(&fd);
	return 0;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_id(struct spec_strings *ids, const char *id, struct arena *arena)
{
	/* the item behind the last stays NULL */
	ids->item = arena_grow(arena, ids->item, ids->len + 1, sizeof(*ids->item));
	ids->item[ids->len++] = arena_copy(arena, id, strlen(id));
}

int state_ids(int root, struct arena *arena, struct spec_strings *ids, struct err *err)
{
	autoclose int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct err unused;

	if (!stream)
		return err_sys(err, "list the directory of containers");
	fd_take(&fd); /* is the stream's now */
	while ((entry = readdir(stream)))
		if ((entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) &&
		    state_id_check(entry->d_name, &unused) == 0)
			add_id(ids, entry->d_name, arena);
	closedir(stream);
	if (ids->len)
		qsort(ids->item, ids->len, sizeof(*ids->item), compare_text);
	return 0;
}
