/*
 * Tracing, and the memory and descriptors of other processes. The victims are children of the
 * attempt, ourselves, or the decoy process of the host, of which nothing is read.
 */
#include "selftest/attempt.h"
#include "selftest/attempts_common.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static void trace_me(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static void trace_child(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	pid_t pid = attempt_start_victim();

	(void)decoys;
	attempt_set(result, pid < 0 ? -1 : ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	attempt_end_victim(pid);
}

/* Does not stop it, and our end lets it go. */
static void trace_host(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	attempt_set(result, ptrace(PTRACE_SEIZE, decoys->host_pid, NULL, NULL));
}

static void move_memory(long number, struct attempt_result *result)
{
	uint64_t mine = 0, its = 0;
	struct iovec local = { &mine, sizeof(mine) }, remote = { &its, sizeof(its) };
	pid_t pid = attempt_start_victim();

	/* The victim is a copy of us: it has the variable where we have it. */
	attempt_set(result, pid < 0 ? -1 : syscall(number, pid, &local, 1UL, &remote, 1UL, 0UL));
	attempt_end_victim(pid);
}

static void read_memory(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	move_memory(SYS_process_vm_readv, result);
}

static void write_memory(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	move_memory(SYS_process_vm_writev, result);
}

static void steal_descriptor(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	int ends[2], pidfd = syscall(SYS_pidfd_open, getpid(), 0);

	(void)decoys;
	if (pidfd < 0 || pipe(ends) < 0)
		attempt_set(result, -1);
	else
		attempt_set(result, syscall(SYS_pidfd_getfd, pidfd, ends[0], 0));
}

static void compare(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	int ends[2];

	(void)decoys;
	attempt_set(result, pipe(ends) < 0 ? -1
					   : syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE,
						     (long)ends[0], (long)ends[1]));
}

/* The descriptor is wrong: whoever may call gets EBADF. */
static void advise(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	uint64_t mine = 0;
	struct iovec range = { &mine, sizeof(mine) };

	(void)decoys;
	attempt_set(result, syscall(SYS_process_madvise, -1, &range, 1UL, 20 /* MADV_COLD */, 0));
}

static void open_memory(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", decoys->host_pid);
	attempt_set(result, open(path, O_RDONLY | O_CLOEXEC));
}

const struct attempt attempts_tracing[] = {
	{ "sys.ptrace-traceme", trace_me },
	{ "sys.ptrace-sibling", trace_child },
	{ "sys.ptrace-host", trace_host },
	{ "sys.vm-readv", read_memory },
	{ "sys.vm-writev", write_memory },
	{ "sys.pidfd-getfd", steal_descriptor },
	{ "sys.kcmp", compare },
	{ "sys.process-madvise", advise },
	{ "sys.proc-mem", open_memory },
	{ 0 },
};
