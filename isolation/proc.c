/*
 * The host's procfs, see proc.h.
 */
#include "isolation/proc.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "isolation/path.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"

#define PROC_ROOT_INODE 1 /* PROC_ROOT_INO of the kernel: the root of a procfs */

int proc_open(struct err *err)
{
	autoclose int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct statfs fs;
	struct stat st;

	if (proc < 0)
		return err_sys(err, "open /proc");
	if (fstatfs(proc, &fs) < 0 || fstat(proc, &st) < 0)
		return err_sys(err, "stat /proc");
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INODE)
		return err_set(err, ENODEV, "/proc is not a procfs; mount one there");
	return fd_take(&proc);
}

int proc_open_file(int proc, const char *path, int flags)
{
	return path_open_how(proc, path, flags,
			     RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
}

int proc_write(int proc, const char *path, const char *text, struct err *err)
{
	autoclose int fd = proc_open_file(proc, path, O_WRONLY);
	size_t size = strlen(text);
	ssize_t put;

	if (fd < 0)
		return err_sys(err, "open /proc/%s", path);
	do
		put = write(fd, text, size);
	while (put < 0 && errno == EINTR);
	if (put >= 0 && (size_t)put < size)
		errno = EIO;
	if (put < 0 || (size_t)put < size)
		return err_sys(err, "write '%.*s' to /proc/%s", file_first_line(text), text, path);
	return 0;
}

/* The link is made by procfs itself, as its own pid namespace numbers us. */
int proc_self(int proc, char *buffer, size_t size, struct err *err)
{
	ssize_t len = readlinkat(proc, "thread-self", buffer, size);

	if (len < 0)
		return err_sys(err, "read /proc/thread-self");
	if ((size_t)len >= size)
		return err_set(err, ENAMETOOLONG, "read /proc/thread-self: %s",
			       strerror(ENAMETOOLONG));
	buffer[len] = '\0';
	return 0;
}
