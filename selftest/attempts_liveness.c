/*
 * What every program must be able to do: without it, a container that refuses everything would look
 * perfectly tight. Here getting through is the good end.
 */
#include "selftest/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

static void say_nonce(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	attempt_say(result, "nonce=%s", decoys->nonce);
	attempt_set(result, 0);
}

static int use_pipe(void)
{
	char byte = 1;
	int ends[2];

	if (pipe(ends) < 0)
		return -1;
	return write(ends[1], &byte, 1) == 1 && read(ends[0], &byte, 1) == 1 ? 0 : -1;
}

static int use_memory(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return -1;
	*page = 1;
	return munmap(page, 4096);
}

static int use_futex(void)
{
	int word = 0;

	return syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *run_thread(void *unused)
{
	return unused;
}

static int use_thread(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, run_thread, NULL);
	if (errno == 0)
		errno = pthread_join(thread, NULL);
	return errno ? -1 : 0;
}

/* This very program, once more. */
static int use_exec(void)
{
	char *const arguments[] = { (char *)"agentd-canary", (char *)"true", NULL };
	char *const none[] = { NULL };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execve((const char *)getauxval(AT_EXECFN), arguments, none);
		execve("/proc/self/exe", arguments, none);
		_exit(errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return errno ? -1 : 0;
}

static int use_clock(void)
{
	struct timespec now, nap = { .tv_nsec = 1000 };

	return syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) < 0 ? -1 : nanosleep(&nap, NULL);
}

static void try_basic(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const struct {
		const char *name;
		int (*use)(void);
	} steps[] = {
		{ "pipe", use_pipe },	  { "memory", use_memory }, { "futex", use_futex },
		{ "thread", use_thread }, { "exec", use_exec },	    { "clock", use_clock },
	};

	(void)decoys;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		attempt_set(result, steps[i].use());
		if (result->value < 0) {
			attempt_say(result, "step=%s", steps[i].name);
			return;
		}
	}
}

/* Writes, renames and removes a file in the scratch directory; reads our own program. */
static int use_files(const char *scratch)
{
	char path[128], moved[128], byte;
	int fd;

	if (!*scratch) { /* the configuration lets nobody write anywhere */
		errno = EROFS;
		return -1;
	}
	snprintf(path, sizeof(path), "%s/alive.%d", scratch, getpid());
	snprintf(moved, sizeof(moved), "%s/moved.%d", scratch, getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "x", 1) != 1)
		return -1;
	close(fd);
	if (rename(path, moved) < 0 || unlink(moved) < 0)
		return -1;
	fd = open((const char *)getauxval(AT_EXECFN), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	return fd < 0 || read(fd, &byte, 1) != 1 ? -1 : 0;
}

static void try_files(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	attempt_set(result, use_files(decoys->scratch));
}

static void try_sockets(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	int ends[2];

	(void)decoys;
	attempt_set(result, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	if (result->value == 0)
		attempt_set(result, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

/* A number that no kernel has. EPERM in place of ENOSYS breaks the fallbacks of C libraries. */
static void try_unknown(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	long returned = syscall(0x1ffff);

	(void)decoys;
	attempt_set(result, returned < 0 && errno == ENOSYS ? 0 : returned);
}

static void try_landlock(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result,
		    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION));
}

static void try_seccomp(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	(void)decoys;
	attempt_set(result, syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
}

const struct attempt attempts_liveness[] = {
	{ "live.nonce", say_nonce },
	{ "live.basic", try_basic },
	{ "live.fs", try_files },
	{ "live.net", try_sockets },
	{ "live.unknown-nr", try_unknown },
	{ "live.landlock-nested", try_landlock },
	{ "live.seccomp-nested", try_seccomp },
	{ 0 },
};
