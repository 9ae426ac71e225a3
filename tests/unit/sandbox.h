/*
 * For tests that mount: a child in a mount namespace of its own, with an empty tmpfs on /tmp that
 * nobody else sees and that ends with it. Failures in the child are its exit status: cmocka's own
 * assertions would jump back into a copy of the whole test program.
 */
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/err.h"

#define ROOTFS "/tmp/rootfs"
#define OUTSIDE "/tmp/outside"

static inline void check_at(bool truth, const char *text, int line, const struct err *err)
{
	if (truth)
		return;
	fprintf(stderr, "line %d: %s%s%s\n", line, text, err ? ": " : "", err ? err->text : "");
	_exit(1);
}

#define check(truth) check_at(truth, #truth, __LINE__, NULL)
/* For a call that sets `err`. */
#define check_err(truth) check_at(truth, #truth, __LINE__, &err)

static inline void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* The beginning of a file, in a static buffer. */
static inline const char *read_text(const char *path)
{
	static char text[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[got < 0 ? 0 : got] = '\0';
	return got < 0 ? NULL : text;
}

static inline bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static inline int open_path(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	check(fd >= 0);
	return fd;
}

/* Runs `body` with ROOTFS and OUTSIDE as empty directories; OUTSIDE/secret is a file. False:
 * skipped, with a reason printed. */
static inline bool run_in_sandbox(void (*body)(void), int *status)
{
	pid_t pid;

	if (geteuid() != 0) {
		fprintf(stderr, "skipped: mounts need root\n");
		return false;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0)
			_exit(77);
		umask(022);
		check(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) == 0);
		/* What is tested may be broken: it is not to write to the machine. */
		check(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
		check(mount("tmpfs", "/tmp", "tmpfs", 0, NULL) == 0);
		check(mkdir(ROOTFS, 0755) == 0 && mkdir(OUTSIDE, 0755) == 0);
		write_file(OUTSIDE "/secret", "secret");
		body();
		_exit(0);
	}
	if (waitpid(pid, status, 0) == pid && WIFEXITED(*status) && WEXITSTATUS(*status) == 77) {
		fprintf(stderr, "skipped: a mount namespace is refused\n");
		return false;
	}
	return true;
}

/* In a test: static void test_x(void **state) { in_sandbox(body); } */
#define in_sandbox(body)                                    \
	do {                                                \
		int sandbox_status = -1;                    \
		if (!run_in_sandbox(body, &sandbox_status)) \
			skip();                             \
		assert_int_equal(sandbox_status, 0);        \
	} while (0)
