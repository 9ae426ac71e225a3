/*
 * kill_at N COMMAND...: runs a command and kills it (SIGKILL) when it is about to make its Nth
 * system call; the call is not made. Its children are left alone. Exit status: 137 if it was
 * killed, else the command's own.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSCALL_STOP (SIGTRAP | 0x80) /* ptrace(2), PTRACE_O_TRACESYSGOOD */

static void fail(const char *what)
{
	perror(what);
	exit(125);
}

static pid_t start(char *argv[])
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 || raise(SIGSTOP) != 0)
			fail("ptrace");
		execvp(argv[0], argv);
		fail(argv[0]);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
		fail("wait");
	if (ptrace(PTRACE_SETOPTIONS, pid, 0,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) < 0)
		fail("PTRACE_SETOPTIONS");
	return pid;
}

int main(int argc, char *argv[])
{
	long left = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	int status, signal = 0, entering = 1;
	pid_t pid;

	if (left <= 0) {
		fprintf(stderr, "usage: kill_at N COMMAND...\n");
		return 2;
	}
	pid = start(argv + 2);
	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, 0, signal) < 0 && errno != ESRCH)
			fail("PTRACE_SYSCALL");
		if (waitpid(pid, &status, 0) < 0)
			fail("wait");
		if (WIFSIGNALED(status))
			return 128 + WTERMSIG(status);
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		signal = 0;
		if (WSTOPSIG(status) == SYSCALL_STOP) {
			if (entering && --left == 0)
				kill(pid, SIGKILL);
			entering = !entering;
		} else if (status >> 16 == 0) { /* not an event: a signal for the command */
			signal = WSTOPSIG(status);
		}
	}
}
