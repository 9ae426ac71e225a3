/*
 * Hooks, see hooks.h. Runs on both sides of the clone, so nothing is allocated and no stream is
 * used; a pidfd bounds the time without signals of our own.
 *
 * A hook gets what the specification gives it: the state (a sealed memfd, so that a hook that never
 * reads cannot block us) and its own environment, never the container's (CVE-2025-23266). What it
 * writes is not the container's output: the beginning is kept for the error, the rest dropped.
 */
#include "runtime/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "runtime/base/clock.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/sys.h"

#define OUTPUT_MAX 256 /* bytes of a hook's output that are kept for an error */
#define EXIT_NOT_EXECUTED 127

struct output {
	char text[OUTPUT_MAX + 1];
	size_t len;
};

/* A new descriptor for each hook: the offset of one must not depend on what another has read. */
static int open_state(const char *state, size_t size, int *fd, struct err *err)
{
	*fd = memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0)
		return err_sys(err, "make a file in memory for the state");
	if (file_write_all(*fd, state, size) < 0)
		return err_sys(err, "write the state");
	if (lseek(*fd, 0, SEEK_SET) < 0)
		return err_sys(err, "rewind the state");
	if (fcntl(*fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return err_sys(err, "seal the state");
	return 0;
}

/* What is done to the process of a hook before it becomes the hook; NULL: nothing. */
struct confinement {
	int (*apply)(struct launch *launch, struct err *err);
	struct launch *launch;
};

static void execute(const struct spec_hook *hook, const struct confinement *confinement, int state,
		    int output) __attribute__((noreturn));

/* In the hook's process. Descriptors that we inherited ourselves are not close-on-exec. */
static void execute(const struct spec_hook *hook, const struct confinement *confinement, int state,
		    int output)
{
	const char *alone[] = { hook->path, NULL }, *nothing[] = { NULL };
	const char **argv = hook->args.len ? hook->args.item : alone;
	const char **envp = hook->env.len ? hook->env.item : nothing;
	struct err err;
	sigset_t none;

	signal(SIGXFSZ, SIG_DFL); /* which only we ignore */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	if (dup2(state, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0 || sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		_exit(EXIT_NOT_EXECUTED);
	if (confinement->apply && confinement->apply(confinement->launch, &err) < 0) {
		dprintf(STDERR_FILENO, "%s", err.text);
		_exit(EXIT_NOT_EXECUTED);
	}
	execve(hook->path, (char *const *)argv, (char *const *)envp);
	dprintf(STDERR_FILENO, "execute: %s", strerror(errno));
	_exit(EXIT_NOT_EXECUTED);
}

/* Takes what is there to read; false at the end. */
static bool drain(int from, struct output *output)
{
	char dropped[4096];
	size_t room = OUTPUT_MAX - output->len;
	ssize_t got = room ? read(from, output->text + output->len, room)
			   : read(from, dropped, sizeof(dropped));

	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	if (room)
		output->len += (size_t)got;
	return got > 0;
}

/* The first line alone: an error is one line. */
static void cut_line(struct output *output)
{
	output->text[output->len] = '\0';
	output->text[strcspn(output->text, "\r\n")] = '\0';
}

/* Reads the output until the process ends: 0, or -1 with ETIMEDOUT. */
static int await_end(int pidfd, int from, uint64_t timeout, struct output *output)
{
	int64_t deadline = timeout && timeout < INT32_MAX ? clock_ms() + (int64_t)timeout * 1000
							  : 0;
	struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
				{ .fd = from, .events = POLLIN } };

	for (;;) {
		int64_t left = deadline ? deadline - clock_ms() : -1;

		if (deadline && left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (poll(fds, 2, left > INT32_MAX ? INT32_MAX : (int)left) < 0 && errno != EINTR)
			return -1;
		if (fds[1].revents && !drain(from, output))
			fds[1].fd = -1;
		/* a daemon that the hook left behind may write for ever: enough is enough */
		if (fds[0].revents && (!fds[1].revents || output->len == OUTPUT_MAX))
			return 0;
	}
}

static int tell_failure(int status, const struct output *output, struct err *err)
{
	const char *colon = output->text[0] ? ": " : "";

	if (WIFSIGNALED(status))
		return err_set(err, ECANCELED, "killed by signal %d%s%s", WTERMSIG(status), colon,
			       output->text);
	return err_set(err, ECANCELED, "exited with %d%s%s", WEXITSTATUS(status), colon,
		       output->text);
}

/* Waits for the hook's process and judges it. It is killed, with its group, when its time is up. */
static int await_hook(const struct spec_hook *hook, pid_t pid, int from, struct err *err)
{
	autoclose int pidfd = sys_pidfd_open(pid, 0);
	struct output output = { .len = 0 };
	int status, code = 0;

	if (pidfd < 0 || await_end(pidfd, from, hook->timeout, &output) < 0) {
		code = errno;
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, "wait for it");
	cut_line(&output);
	if (code == ETIMEDOUT)
		return err_set(err, code, "timed out after %llu s",
			       (unsigned long long)hook->timeout);
	if (code)
		return err_set(err, code, "watch it: %s", strerror(code));
	return status == 0 ? 0 : tell_failure(status, &output, err);
}

static int run_one(const struct spec_hook *hook, const struct confinement *confinement,
		   const char *state, size_t size, struct err *err)
{
	autoclose int memfd = -1, from = -1, to = -1;
	int ends[2];
	pid_t pid;

	if (open_state(state, size, &memfd, err) < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	from = ends[0];
	to = ends[1];
	if (fcntl(from, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, "make the pipe non-blocking");
	pid = fork();
	if (pid < 0)
		return err_sys(err, "fork");
	if (pid == 0)
		execute(hook, confinement, memfd, to);
	setpgid(pid, pid); /* both sides do: whoever is first, the group exists before the kill */
	fd_close(&to);
	return await_hook(hook, pid, from, err);
}

static int run_all(const struct spec_hook_list *hooks, const char *kind,
		   const struct confinement *confinement, const char *state_json, size_t size,
		   bool stop_on_failure, struct err *err)
{
	for (size_t i = 0; i < hooks->len; i++) {
		const struct spec_hook *hook = &hooks->item[i];
		struct err failure;

		log_debug("hooks.%s[%zu] %s", kind, i, hook->path);
		if (run_one(hook, confinement, state_json, size, &failure) == 0)
			continue;
		err_wrap(&failure, "hooks.%s[%zu] %s", kind, i, hook->path);
		if (stop_on_failure) {
			*err = failure;
			return -1;
		}
		log_warn("%s", failure.text);
	}
	return 0;
}

int hooks_run(const struct spec_hook_list *hooks, const char *kind, const char *state_json,
	      size_t size, bool stop_on_failure, struct err *err)
{
	const struct confinement none = { NULL, NULL };

	return run_all(hooks, kind, &none, state_json, size, stop_on_failure, err);
}

int hooks_run_confined(const struct spec_hook_list *hooks, const char *kind, const char *state_json,
		       size_t size, int (*confine)(struct launch *launch, struct err *err),
		       struct launch *launch, struct err *err)
{
	const struct confinement confinement = { confine, launch };

	return run_all(hooks, kind, &confinement, state_json, size, true, err);
}
