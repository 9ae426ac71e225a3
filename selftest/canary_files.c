/*
 * The canary's hands on files: what can be read, written, made, mounted.
 */
#include "selftest/canary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static int copy_out(int fd)
{
	char buffer[4096];
	ssize_t got;

	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		if (write(STDOUT_FILENO, buffer, got) != got)
			return -1;
	return got < 0 ? -1 : 0;
}

static int cat(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 || copy_out(fd) < 0)
			canary_report(argv[0], -1);
		close(fd);
	}
	if (argc < 2)
		return copy_out(STDIN_FILENO) < 0;
	return 0;
}

/* The answer is the first failure of open, write and close: procfs refuses in any of the three. */
static int write_text(int argc, char **argv)
{
	const char *text = canary_argument(argc, argv, 2, "");
	int fd = open(canary_argument(argc, argv, 1, ""),
		      O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return canary_report(argv[0], -1);
	return canary_report(argv[0], close(fd));
}

/* MODE is made of letters: r w or both, c create, t truncate, d directory, p path only. */
static int open_file(int argc, char **argv)
{
	const char *mode = canary_argument(argc, argv, 2, "r");
	int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

	if (strchr(mode, 'w'))
		flags |= strchr(mode, 'r') ? O_RDWR : O_WRONLY;
	flags |= strchr(mode, 'c') ? O_CREAT : 0;
	flags |= strchr(mode, 't') ? O_TRUNC : 0;
	flags |= strchr(mode, 'd') ? O_DIRECTORY : 0;
	flags |= strchr(mode, 'p') ? O_PATH : 0;
	return canary_report(argv[0], open(canary_argument(argc, argv, 1, ""), flags, 0600));
}

static int read_byte(int argc, char **argv)
{
	int fd = open(canary_argument(argc, argv, 1, ""), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char byte;

	return canary_report(argv[0], fd < 0 ? -1 : read(fd, &byte, 1));
}

static int make_directory(int argc, char **argv)
{
	return canary_report(argv[0], mkdir(canary_argument(argc, argv, 1, ""), 0755));
}

static int make_node(int argc, char **argv)
{
	mode_t type = *canary_argument(argc, argv, 2, "c") == 'b' ? S_IFBLK : S_IFCHR;
	dev_t device = makedev(canary_number(argc, argv, 3, 1), canary_number(argc, argv, 4, 3));

	return canary_report(argv[0],
			     mknod(canary_argument(argc, argv, 1, ""), type | 0600, device));
}

static int remove_file(int argc, char **argv)
{
	return canary_report(argv[0], remove(canary_argument(argc, argv, 1, "")));
}

static int rename_file(int argc, char **argv)
{
	return canary_report(argv[0], rename(canary_argument(argc, argv, 1, ""),
					     canary_argument(argc, argv, 2, "")));
}

static int make_link(int argc, char **argv)
{
	return canary_report(argv[0], symlink(canary_argument(argc, argv, 1, ""),
					      canary_argument(argc, argv, 2, "")));
}

static int truncate_file(int argc, char **argv)
{
	return canary_report(argv[0], truncate(canary_argument(argc, argv, 1, ""), 0));
}

static int change_owner(int argc, char **argv)
{
	return canary_report(argv[0], lchown(canary_argument(argc, argv, 1, ""),
					     canary_number(argc, argv, 2, 0),
					     canary_number(argc, argv, 3, 0)));
}

static const char *type_name(mode_t mode)
{
	static const struct {
		mode_t type;
		const char *name;
	} types[] = { { S_IFREG, "file" },   { S_IFDIR, "directory" }, { S_IFLNK, "link" },
		      { S_IFCHR, "char" },   { S_IFBLK, "block" },     { S_IFIFO, "pipe" },
		      { S_IFSOCK, "socket" } };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((mode & S_IFMT) == types[i].type)
			return types[i].name;
	return "other";
}

/* One line for each path: what it is and whose. */
static int show_status(int argc, char **argv)
{
	struct stat st;

	for (int i = 1; i < argc; i++) {
		if (lstat(argv[i], &st) < 0)
			canary_report(argv[i], -1);
		else
			canary_say(argv[i], "%s mode=%04o uid=%u gid=%u device=%u:%u size=%lld",
				   type_name(st.st_mode), st.st_mode & 07777, st.st_uid, st.st_gid,
				   major(st.st_rdev), minor(st.st_rdev), (long long)st.st_size);
	}
	return 0;
}

/* Every open descriptor, found without procfs. */
static int show_descriptors(int argc, char **argv)
{
	long max = canary_number(argc, argv, 1, 1024);
	struct stat st;
	char key[16];

	for (int fd = 0; fd < max; fd++) {
		if (fstat(fd, &st) < 0)
			continue;
		snprintf(key, sizeof(key), "%d", fd);
		canary_say(key, "%s device=%llx inode=%llu", type_name(st.st_mode),
			   (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	}
	return 0;
}

static int list(int argc, char **argv)
{
	DIR *dir = opendir(canary_argument(argc, argv, 1, "."));
	struct dirent *entry;

	if (!dir)
		return canary_report(argv[0], -1);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			dprintf(STDOUT_FILENO, "%s\n", entry->d_name);
	closedir(dir);
	return 0;
}

static int read_link(int argc, char **argv)
{
	char target[4096];
	ssize_t len = readlink(canary_argument(argc, argv, 1, ""), target, sizeof(target) - 1);

	if (len < 0)
		return canary_report(argv[0], -1);
	target[len] = '\0';
	canary_say(argv[0], "%s", target);
	return 0;
}

static int show_mount_flags(int argc, char **argv)
{
	struct statvfs st;

	if (statvfs(canary_argument(argc, argv, 1, "/"), &st) < 0)
		return canary_report(argv[0], -1);
	canary_say(argv[0], "%s%s%s%s", st.f_flag & ST_RDONLY ? "ro" : "rw",
		   st.f_flag & ST_NOSUID ? ",nosuid" : "", st.f_flag & ST_NODEV ? ",nodev" : "",
		   st.f_flag & ST_NOEXEC ? ",noexec" : "");
	return 0;
}

/* FSTYPE DIRECTORY [SOURCE]; "bind" binds SOURCE, "move" detaches. */
static int mount_filesystem(int argc, char **argv)
{
	const char *type = canary_argument(argc, argv, 1, "tmpfs");
	const char *on = canary_argument(argc, argv, 2, "/mnt");
	const char *source = canary_argument(argc, argv, 3, "none");
	bool bind = strcmp(type, "bind") == 0;

	return canary_report(argv[0],
			     mount(source, on, bind ? NULL : type, bind ? MS_BIND : 0, NULL));
}

static int mount_tmpfs(int argc, char **argv)
{
	return canary_report(
		argv[0], mount("none", canary_argument(argc, argv, 1, "/tmp"), "tmpfs", 0, NULL));
}

static int remount_writable(int argc, char **argv)
{
	return canary_report(argv[0], mount(NULL, canary_argument(argc, argv, 1, "/"), NULL,
					    MS_REMOUNT | MS_BIND, NULL));
}

static int unmount(int argc, char **argv)
{
	return canary_report(argv[0], umount2(canary_argument(argc, argv, 1, ""), MNT_DETACH));
}

/* Whether a program may be executed: its own exit status is not the answer. */
static int execute(int argc, char **argv)
{
	int error = 0, ends[2], status;
	pid_t pid;

	if (argc < 2 || pipe2(ends, O_CLOEXEC) < 0)
		return canary_report(argv[0], -1);
	pid = fork();
	if (pid == 0) {
		execv(argv[1], argv + 1);
		error = errno;
		if (write(ends[1], &error, sizeof(error)) < 0)
			_exit(1);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0 || read(ends[0], &error, sizeof(error)) < 0 || waitpid(pid, &status, 0) < 0)
		return canary_report(argv[0], -1);
	errno = error;
	return canary_report(argv[0], error ? -1 : 0);
}

const struct canary canary_files[] = {
	{ "cat", cat, "[FILE...]: copies to standard output" },
	{ "write", write_text, "FILE TEXT: creates or replaces" },
	{ "open", open_file,
	  "FILE [MODE]: MODE of the letters r w c(reate) t(runcate) d(ir) p(ath)" },
	{ "read", read_byte, "FILE: one byte of it" },
	{ "mkdir", make_directory, "DIRECTORY" },
	{ "mknod", make_node, "FILE c|b MAJOR MINOR" },
	{ "remove", remove_file, "FILE" },
	{ "rename", rename_file, "FROM TO" },
	{ "symlink", make_link, "TARGET LINK" },
	{ "truncate", truncate_file, "FILE" },
	{ "chown", change_owner, "FILE UID GID" },
	{ "stat", show_status, "FILE...: type, mode, owner, device, size" },
	{ "fds", show_descriptors, "[MAX]: open descriptors" },
	{ "ls", list, "[DIRECTORY]" },
	{ "readlink", read_link, "LINK" },
	{ "statfs", show_mount_flags, "[PATH]: flags of the mount" },
	{ "mount", mount_filesystem, "TYPE|bind DIRECTORY [SOURCE]" },
	{ "mount-tmpfs", mount_tmpfs, "[DIRECTORY]" },
	{ "remount-rw", remount_writable, "[DIRECTORY]: takes a read-only flag away" },
	{ "umount", unmount, "DIRECTORY" },
	{ "execute", execute, "FILE [ARGUMENT...]: whether execve works" },
	{ 0 },
};
