/*
 * Copying a directory tree, see copyup.h. Runs between clone and exec: fixed buffers on the stack,
 * getdents64(2) rather than opendir(3), which allocates.
 */
#include "isolation/copyup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "runtime/base/fd.h"

#define CHUNK (1u << 30)

static int copy_directory(int from, int to, unsigned depth, uint64_t *flags, struct err *err);

/* Of the mount that it lies on, which may be one below that of the directory that is copied. */
static int add_flags(int fd, uint64_t *flags, struct err *err)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return err_sys(err, "stat the filesystem");
	*flags |= (uint64_t)fs.f_flags;
	return 0;
}

/* EINVAL: the owner has no number in our user namespace; the copy stays ours. */
static bool chown_failed(int result)
{
	return result < 0 && errno != EINVAL;
}

/* The owner first: chown(2) takes set-id bits away. */
static int copy_owner_and_mode(int to, const struct stat *st, struct err *err)
{
	if (chown_failed(fchown(to, st->st_uid, st->st_gid)))
		return err_sys(err, "chown");
	if (fchmod(to, st->st_mode & 07777) < 0)
		return err_sys(err, "chmod");
	return 0;
}

static int copy_file(int from, int to, const char *name, uint64_t *flags, struct err *err)
{
	/* It may have been replaced since it was looked at: O_NONBLOCK for a fifo, O_NOCTTY for a
	 * terminal. */
	autoclose int in =
		openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	autoclose int out = -1;
	struct stat st;
	ssize_t sent;

	if (in < 0)
		return err_sys(err, "open");
	if (fstat(in, &st) < 0)
		return err_sys(err, "stat");
	if (!S_ISREG(st.st_mode))
		return err_set(err, EAGAIN, "was replaced while it was copied");
	if (add_flags(in, flags, err) < 0)
		return -1;
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return err_sys(err, "create");
	do
		sent = sendfile(out, in, NULL, CHUNK);
	while (sent > 0 || (sent < 0 && errno == EINTR));
	if (sent < 0)
		return err_sys(err, "copy");
	return copy_owner_and_mode(out, &st, err);
}

static int copy_subdirectory(int from, int to, const char *name, unsigned depth, uint64_t *flags,
			     struct err *err)
{
	const int how = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	autoclose int in = openat(from, name, how), out = -1;
	struct stat st;

	if (in < 0)
		return err_sys(err, "open");
	if (fstat(in, &st) < 0)
		return err_sys(err, "stat");
	if (mkdirat(to, name, 0700) < 0)
		return err_sys(err, "make directory");
	out = openat(to, name, how);
	if (out < 0)
		return err_sys(err, "open the copy");
	if (copy_directory(in, out, depth + 1, flags, err) < 0)
		return -1;
	return copy_owner_and_mode(out, &st, err);
}

static int copy_link(int from, int to, const char *name, const struct stat *st, struct err *err)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(from, name, target, sizeof(target));

	if (len < 0 || (size_t)len >= sizeof(target))
		return err_sys(err, "read the link");
	target[len] = '\0';
	if (symlinkat(target, to, name) < 0 ||
	    chown_failed(fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW)))
		return err_sys(err, "make the link");
	return 0;
}

static int copy_special(int from, int to, const char *name, uint64_t *flags, struct err *err)
{
	autoclose int in = openat(from, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (in < 0 || fstat(in, &st) < 0)
		return err_sys(err, "open");
	if (add_flags(in, flags, err) < 0)
		return -1;
	if (mknodat(to, name, st.st_mode, st.st_rdev) < 0 ||
	    chown_failed(fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW)))
		return err_sys(err, "make the special file");
	return 0;
}

static int copy_entry(int from, int to, const char *name, unsigned depth, uint64_t *flags,
		      struct err *err)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "stat");
	if (S_ISDIR(st.st_mode))
		return copy_subdirectory(from, to, name, depth, flags, err);
	if (S_ISREG(st.st_mode))
		return copy_file(from, to, name, flags, err);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to, name, &st, err);
	return copy_special(from, to, name, flags, err);
}

static int copy_directory(int from, int to, unsigned depth, uint64_t *flags, struct err *err)
{
	_Alignas(struct dirent64) char entries[2048];
	const struct dirent64 *entry;
	ssize_t got;

	if (depth > COPYUP_DEPTH_MAX)
		return err_set(err, ELOOP, "more than %d directories below each other",
			       COPYUP_DEPTH_MAX);
	if (add_flags(from, flags, err) < 0)
		return -1;
	while ((got = getdents64(from, entries, sizeof(entries))) > 0) {
		for (ssize_t at = 0; at < got; at += entry->d_reclen) {
			entry = (const struct dirent64 *)(entries + at);
			if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
				continue;
			if (copy_entry(from, to, entry->d_name, depth, flags, err) < 0)
				return err_wrap(err, "%s", entry->d_name);
		}
	}
	return got < 0 ? err_sys(err, "list") : 0;
}

int copyup(int from, int to, bool owner, uint64_t *flags, struct err *err)
{
	const int how = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	autoclose int in = openat(from, ".", how), out = openat(to, ".", how);
	struct stat st;

	*flags = 0;
	if (in < 0 || out < 0 || fstat(in, &st) < 0)
		return err_sys(err, "tmpcopyup: open");
	if (owner && chown_failed(fchown(out, st.st_uid, st.st_gid)))
		return err_sys(err, "tmpcopyup: chown");
	if (copy_directory(in, out, 1, flags, err) < 0)
		return err_wrap(err, "tmpcopyup");
	return 0;
}
