/*
 * Whole files, see file.h.
 */
#include "runtime/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/fd.h"

/* Reads up to `max` bytes until the end of the file; the count, or -1 with errno. */
static ssize_t read_up_to(int fd, char *buffer, size_t max)
{
	size_t total = 0;

	while (total < max) {
		ssize_t got = read(fd, buffer + total, max - total);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		total += (size_t)got;
	}
	return (ssize_t)total;
}

/* The size that stat gives is only a first guess: procfs says 0, and a pipe has none. */
static int read_whole(int fd, const char *path, const struct stat *st, size_t max,
		      struct arena *arena, char **text, size_t *size, struct err *err)
{
	size_t capacity = st->st_size > 0 ? (size_t)st->st_size : 4096, used = 0;
	char *buffer = NULL;

	if (st->st_size > 0 && (size_t)st->st_size > max)
		return err_set(err, EFBIG, "%s is larger than %zu bytes", path, max);
	for (;;) {
		char *larger = arena_alloc(arena, capacity + 1, 1);
		ssize_t got;

		if (used)
			memcpy(larger, buffer, used);
		buffer = larger;
		got = read_up_to(fd, buffer + used, capacity - used);
		if (got < 0)
			return err_sys(err, "read %s", path);
		used += (size_t)got;
		if (used > max)
			return err_set(err, EFBIG, "%s is larger than %zu bytes", path, max);
		if (used < capacity || (S_ISREG(st->st_mode) && used == (size_t)st->st_size))
			break;
		capacity *= 2;
	}
	buffer[used] = '\0';
	*text = buffer;
	if (size)
		*size = used;
	return 0;
}

static int read_file(int dir, const char *path, bool regular, size_t max, struct arena *arena,
		     char **text, size_t *size, struct err *err)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (regular ? O_NONBLOCK : 0);
	autoclose int fd = openat(dir, path, flags);
	struct stat st;

	if (fd < 0)
		return err_sys(err, "open %s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat %s", path);
	if (S_ISDIR(st.st_mode))
		return err_set(err, EISDIR, "%s is a directory", path);
	if (regular && !S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "%s is not a regular file", path);
	return read_whole(fd, path, &st, max, arena, text, size, err);
}

int file_read(int dir, const char *path, size_t max, struct arena *arena, char **text, size_t *size,
	      struct err *err)
{
	return read_file(dir, path, false, max, arena, text, size, err);
}

int file_read_regular(int dir, const char *path, size_t max, struct arena *arena, char **text,
		      size_t *size, struct err *err)
{
	return read_file(dir, path, true, max, arena, text, size, err);
}

ssize_t file_read_small(int dir, const char *path, char *buffer, size_t size)
{
	autoclose int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t got;
	int code;

	if (fd < 0)
		return -1;
	got = read_up_to(fd, buffer, size - 1);
	code = errno;
	buffer[got < 0 ? 0 : got] = '\0';
	fd_close(&fd);
	errno = code;
	return got;
}

int file_write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size) {
		ssize_t put = write(fd, at, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		at += put;
		size -= (size_t)put;
	}
	return 0;
}

int file_write_small(int dir, const char *path, const char *text)
{
	autoclose int fd = openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	size_t size = strlen(text);
	ssize_t put;
	int code;

	if (fd < 0)
		return -1;
	do
		put = write(fd, text, size);
	while (put < 0 && errno == EINTR);
	code = put < 0 ? errno : EIO;
	fd_close(&fd);
	errno = code;
	return put >= 0 && (size_t)put == size ? 0 : -1;
}

int file_first_line(const char *text)
{
	size_t len = strcspn(text, "\n");

	return len < 100 ? (int)len : 100;
}

int file_write(int dir, const char *path, const char *text, struct err *err)
{
	if (file_write_small(dir, path, text) < 0)
		return err_sys(err, "write '%.*s' to %s", file_first_line(text), text, path);
	return 0;
}

/* A temporary with our pid in its name: one that is there was left by somebody who was killed. */
static int create_temporary(int dir, const char *name, mode_t mode)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(dir, name, flags, mode);

	if (fd < 0 && errno == EEXIST && unlinkat(dir, name, 0) == 0)
		fd = openat(dir, name, flags, mode);
	return fd;
}

int file_replace(int dir, const char *name, const void *data, size_t size, mode_t mode,
		 struct err *err)
{
	const char *slash = strrchr(name, '/');
	int parent = slash ? (int)(slash - name) + 1 : 0;
	char temporary[PATH_MAX];
	autoclose int fd = -1;
	int len;

	len = snprintf(temporary, sizeof(temporary), "%.*s.%s.%d", parent, name, name + parent,
		       (int)getpid());
	if (len < 0 || (size_t)len >= sizeof(temporary))
		return err_set(err, ENAMETOOLONG, "write %s: the name is too long", name);
	fd = create_temporary(dir, temporary, mode);
	if (fd < 0)
		return err_sys(err, "create %s", name);
	if (file_write_all(fd, data, size) < 0) {
		err_sys(err, "write %s", name);
		goto undo;
	}
	if (renameat(dir, temporary, dir, name) < 0) {
		err_sys(err, "rename to %s", name);
		goto undo;
	}
	return 0;
undo:
	unlinkat(dir, temporary, 0);
	return -1;
}

int file_make_directories(const char *path, mode_t mode, struct err *err)
{
	char parent[PATH_MAX];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(parent))
		return err_set(err, ENAMETOOLONG,
			       "make directory %.200s: the name is empty or too long", path);
	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	memcpy(parent, path, len + 1);
	for (char *at = parent + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		if (mkdir(parent, 0755) < 0 && errno != EEXIST)
			return err_sys(err, "make directory %s", parent);
		*at = '/';
	}
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_sys(err, "make directory %s", path);
	return 0;
}
