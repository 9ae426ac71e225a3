/*
 * Attempts on Landlock (landlock(7)): one for each right over files, for each form of a path, and
 * for what Landlock has no right for.
 *
 * All but io_uring's follow one scheme. Each is done twice: first in a directory of our own in
 * `scratch`, where it is allowed, then in `denied`. The answer is that of the second half;
 * "pair=ok" says that the first worked. If it did not, the answer is ECANCELED, which no row counts
 * as contained, and "pair=ERRNO". What else may refuse in `denied` is shown by the place without
 * Landlock.
 *
 * An operation takes its traces away again, and puts back what it took. It returns 0 where Landlock
 * would let it pass, even if something else then refuses: what a right guards is asked first.
 */
#include "selftest/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "selftest/attempts_doors.h"

#define CLOSE_ON_EXEC_RANGE 4 /* CLOSE_RANGE_CLOEXEC */
#define PATH_SIZE 160
#define UPWARDS "/../../../../../../../../../../../../../../../.."

/* Works in the current directory. */
typedef long operation_here(void);
/* Works in `directory`, from the allowed one. */
typedef long operation_from(const char *directory);

/* Closes a descriptor if it is one; the answer and errno stay. */
static long finish(int fd)
{
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return fd < 0 ? -1 : 0;
}

/* Takes away what was made; the answer and errno stay. */
static long unmake(long made, const char *name, int flags)
{
	int error = errno;

	if (made >= 0)
		unlinkat(AT_FDCWD, name, flags);
	errno = error;
	return made < 0 ? -1 : 0;
}

/* Goes to the allowed half, with the same in it that the supervisor prepared in the denied one. */
static int enter_allowed(const struct attempt_decoys *decoys, char path[PATH_SIZE])
{
	if (!decoys->scratch[0] || !decoys->denied[0])
		return errno = ENOENT, -1;
	snprintf(path, PATH_SIZE, "%s/landlock", decoys->scratch);
	mkdir(path, 0755);
	if (chdir(path) < 0)
		return -1;
	mkdir("dir", 0755);
	mkdir("empty", 0755);
	mknod("file", S_IFREG | 0644, 0);
	mknod("remove", S_IFREG | 0644, 0);
	/* What `scratch` is on may be noexec and nodev. */
	if ((symlink("/proc/self/exe", "script") < 0 && errno != EEXIST) ||
	    (symlink("/dev/null", "device") < 0 && errno != EEXIST))
		return -1;
	return 0;
}

/* errno is the allowed half's. */
static void refuse_pair(struct attempt_result *result)
{
	attempt_say(result, "pair=%s", strerrorname_np(errno));
	errno = ECANCELED;
	attempt_set(result, -1);
}

static void try_here(const struct attempt_decoys *decoys, struct attempt_result *result,
		     operation_here *operate)
{
	char allowed[PATH_SIZE];

	if (enter_allowed(decoys, allowed) < 0 || operate() < 0) {
		refuse_pair(result);
		return;
	}
	attempt_say(result, "pair=ok");
	/* Landlock has no right for changing the directory. */
	attempt_set(result, chdir(decoys->denied) < 0 ? -1 : operate());
}

static void try_from(const struct attempt_decoys *decoys, struct attempt_result *result,
		     operation_from *operate)
{
	char allowed[PATH_SIZE];

	if (enter_allowed(decoys, allowed) < 0 || operate(allowed) < 0) {
		refuse_pair(result);
		return;
	}
	attempt_say(result, "pair=ok");
	attempt_set(result, operate(decoys->denied));
}

/* --- the rights, in the order of their bits -------------------------------------------------- */

static long do_execute(void)
{
	return attempt_execute(AT_FDCWD, "./script", 0);
}

static long do_write_file(void)
{
	return finish(open("file", O_WRONLY | O_CLOEXEC));
}

static long do_read_file(void)
{
	return finish(open("file", O_RDONLY | O_CLOEXEC));
}

static long do_read_dir(void)
{
	return finish(open("dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static long do_remove_dir(void)
{
	return rmdir("empty") < 0 ? -1 : mkdir("empty", 0755);
}

static long do_remove_file(void)
{
	return unlink("remove") < 0 ? -1 : mknod("remove", S_IFREG | 0644, 0);
}

/* 0:0, the white-out of overlayfs, is the one device that needs no CAP_MKNOD (mknod(2)), and none
 * that can be opened. */
static long make_node(mode_t type)
{
	return unmake(mknod("made", type | 0600, makedev(0, 0)), "made", 0);
}

static long do_make_char(void)
{
	return make_node(S_IFCHR);
}

static long do_make_dir(void)
{
	return unmake(mkdir("made", 0700), "made", AT_REMOVEDIR);
}

/* Not open(2), which asks for the right to write as well. */
static long do_make_reg(void)
{
	return make_node(S_IFREG);
}

static long do_make_sock(void)
{
	return make_node(S_IFSOCK);
}

static long do_make_fifo(void)
{
	return make_node(S_IFIFO);
}

/* Landlock is asked before CAP_MKNOD is: EPERM has passed it, unless it is a filter's, which
 * refuses the node that needs no capability as well. */
static long do_make_block(void)
{
	if (make_node(S_IFBLK) == 0)
		return 0;
	return errno == EPERM && (make_node(S_IFCHR) == 0 || errno != EPERM) ? 0 : -1;
}

static long do_make_sym(void)
{
	return unmake(symlink("file", "made"), "made", 0);
}

/* From one directory into another, on one mount, so that EXDEV is not the mount's. */
static long do_refer(void)
{
	if (unmake(link("file", "dir/made"), "dir/made", 0) == 0)
		return 0;
	return rename("remove", "dir/moved") < 0 ? -1 : rename("dir/moved", "remove");
}

/* To the size that it has. */
static long do_truncate(void)
{
	struct stat st;

	return stat("file", &st) < 0 ? -1 : truncate("file", st.st_size);
}

/* A command that /dev/null does not know: ENOTTY is the driver's answer. Where opening is refused,
 * there is no ioctl. */
static long do_ioctl_dev(void)
{
	int fd = open("device", O_RDONLY | O_NOCTTY | O_CLOEXEC);
	char settings[256];
	long answer;

	if (fd < 0)
		return -1;
	answer = ioctl(fd, TCGETS, settings) < 0 && errno != ENOTTY ? -1 : 0;
	finish(fd);
	return answer;
}

/* --- forms of a path: the same file is opened for writing, and not written ------------------- */

static long open_to_write(const char *path)
{
	return finish(open(path, O_WRONLY | O_CLOEXEC));
}

static long through_symlink(const char *directory)
{
	char target[PATH_SIZE];
	long answer;

	snprintf(target, sizeof(target), "%s/file", directory);
	if (symlink(target, "link") < 0)
		return -1;
	answer = open_to_write("link");
	unmake(0, "link", 0);
	return answer;
}

static long through_dotdot(const char *directory)
{
	char path[PATH_SIZE * 2];

	snprintf(path, sizeof(path), "dir" UPWARDS "%s/file", directory);
	return open_to_write(path);
}

static long through_dirfd(const char *directory)
{
	int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	long answer = fd < 0 ? -1 : finish(openat(fd, "file", O_WRONLY | O_CLOEXEC));

	finish(fd);
	return answer;
}

static long through_procroot(const char *directory)
{
	char path[PATH_SIZE * 2];

	snprintf(path, sizeof(path), "/proc/self/root%s/file", directory);
	return open_to_write(path);
}

/* --- what Landlock has no right for: changed to what it is ----------------------------------- */

static long gap_chmod(void)
{
	struct stat st;

	return stat("file", &st) < 0 ? -1 : chmod("file", st.st_mode & 07777);
}

static long gap_chown(void)
{
	struct stat st;

	return stat("file", &st) < 0 ? -1 : chown("file", st.st_uid, st.st_gid);
}

static long gap_utime(void)
{
	return utimensat(AT_FDCWD, "file", NULL, 0);
}

static long gap_xattr(void)
{
	if (setxattr("file", "user.agentd", "", 0, 0) < 0)
		return -1;
	removexattr("file", "user.agentd");
	return 0;
}

static long gap_stat(void)
{
	struct stat st;

	return stat("file", &st);
}

static long gap_opath(void)
{
	return finish(open("file", O_PATH | O_CLOEXEC));
}

static long gap_chdir(const char *directory)
{
	return chdir(directory);
}

/* clang-format off */
#define LANDLOCK_ATTEMPTS(ROW) \
	ROW("fs.ll-execute",     try_here, do_execute)       \
	ROW("fs.ll-write_file",  try_here, do_write_file)    \
	ROW("fs.ll-read_file",   try_here, do_read_file)     \
	ROW("fs.ll-read_dir",    try_here, do_read_dir)      \
	ROW("fs.ll-remove_dir",  try_here, do_remove_dir)    \
	ROW("fs.ll-remove_file", try_here, do_remove_file)   \
	ROW("fs.ll-make_char",   try_here, do_make_char)     \
	ROW("fs.ll-make_dir",    try_here, do_make_dir)      \
	ROW("fs.ll-make_reg",    try_here, do_make_reg)      \
	ROW("fs.ll-make_sock",   try_here, do_make_sock)     \
	ROW("fs.ll-make_fifo",   try_here, do_make_fifo)     \
	ROW("fs.ll-make_block",  try_here, do_make_block)    \
	ROW("fs.ll-make_sym",    try_here, do_make_sym)      \
	ROW("fs.ll-refer",       try_here, do_refer)         \
	ROW("fs.ll-truncate",    try_here, do_truncate)      \
	ROW("fs.ll-ioctl_dev",   try_here, do_ioctl_dev)     \
	ROW("fs.ll-symlink",     try_from, through_symlink)  \
	ROW("fs.ll-dotdot",      try_from, through_dotdot)   \
	ROW("fs.ll-dirfd",       try_from, through_dirfd)    \
	ROW("fs.ll-procroot",    try_from, through_procroot) \
	ROW("fs.gap-chmod",      try_here, gap_chmod)        \
	ROW("fs.gap-chown",      try_here, gap_chown)        \
	ROW("fs.gap-utime",      try_here, gap_utime)        \
	ROW("fs.gap-xattr",      try_here, gap_xattr)        \
	ROW("fs.gap-stat",       try_here, gap_stat)         \
	ROW("fs.gap-opath",      try_here, gap_opath)        \
	ROW("fs.gap-chdir",      try_from, gap_chdir)

#define RUN(id, try, operate) \
	static void run_##operate(const struct attempt_decoys *decoys, struct attempt_result *result) \
	{ \
		try(decoys, result, operate); \
	}
#define ROW(id, try, operate) { id, run_##operate },

LANDLOCK_ATTEMPTS(RUN)

const struct attempt attempts_landlock[] = {
	LANDLOCK_ATTEMPTS(ROW)
	{ "fs.ll-io-uring",      attempt_io_uring_open },
	{ 0 }
};
/* clang-format on */
