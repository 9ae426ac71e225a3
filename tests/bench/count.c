/*
 * Counts the system calls, or the instructions in user space, of a program and all that it starts:
 * numbers that are the same on a busy machine, and need no hardware counters, which virtual
 * machines rarely have. Instructions are counted by single steps, so it takes a while.
 *
 * usage: count calls|instructions PROGRAM [ARGUMENTS...]	prints the number on standard error
 */
#include <errno.h>
#include <sched.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSCALL_STOP (SIGTRAP | 0x80)
#define FOLLOW                                                                                 \
	(PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | \
	 PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)

static bool is_entry(pid_t pid)
{
	struct __ptrace_syscall_info info;

	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
	       info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/* The signal that the process is to get when it goes on: none of the ones that tracing made. */
static int pass_on(int status)
{
	int number = WSTOPSIG(status);

	return number == SIGTRAP || number == SYSCALL_STOP || number == SIGSTOP || status >> 16
		       ? 0
		       : number;
}

static int count_all(pid_t first, enum __ptrace_request request, unsigned long long *count)
{
	int status, result = 1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid < 0)
			continue;
		if (!WIFSTOPPED(status)) {
			if (pid == first)
				result = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
			continue;
		}
		if (request == PTRACE_SYSCALL ? WSTOPSIG(status) == SYSCALL_STOP && is_entry(pid)
					      : WSTOPSIG(status) == SIGTRAP && !(status >> 16))
			(*count)++;
		ptrace(request, pid, NULL, pass_on(status));
	}
	return result;
}

int main(int argc, char *argv[])
{
	unsigned long long count = 0;
	enum __ptrace_request request;
	int result, status;
	cpu_set_t one;
	pid_t pid;

	if (argc < 3 || (strcmp(argv[1], "calls") != 0 && strcmp(argv[1], "instructions") != 0)) {
		fprintf(stderr, "usage: count calls|instructions PROGRAM [ARGUMENTS...]\n");
		return 2;
	}
	/* On one processor a step costs a third. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	pid = fork();
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
			raise(SIGSTOP);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, FOLLOW) < 0 ||
	    ptrace(PTRACE_CONT, pid, NULL, NULL) < 0) {
		perror("count: trace");
		return 1;
	}
	/* From the exec on: what comes before is ours. */
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
		fprintf(stderr, "count: %s cannot be run\n", argv[2]);
		return 1;
	}
	request = strcmp(argv[1], "calls") == 0 ? PTRACE_SYSCALL : PTRACE_SINGLESTEP;
	ptrace(request, pid, NULL, NULL);
	result = count_all(pid, request, &count);
	fprintf(stderr, "%llu\n", count);
	return result;
}
