/*
 * What several groups of attempts share, see attempts_common.h. No attempt is here.
 */
#include "selftest/attempts_common.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void attempt_fail(struct attempt_result *result, int error)
{
	errno = error;
	attempt_set(result, -1);
}

pid_t attempt_start_victim(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == parent) /* it may have been killed before we said that */
			pause();
		_exit(0);
	}
	return pid;
}

void attempt_end_victim(pid_t pid)
{
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

int attempt_program(char *const args[], char *text, size_t size)
{
	int pipes[2], status = 0;
	size_t len = 0;
	ssize_t got;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		execv(args[0], args);
		_exit(errno);
	}
	close(pipes[1]);
	while (pid > 0 && (got = read(pipes[0], text + len, size - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	close(pipes[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	if (len)
		return 0;
	errno = WIFSIGNALED(status) ? EINTR : WEXITSTATUS(status);
	return errno ? -1 : 0;
}
