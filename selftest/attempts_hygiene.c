/*
 * What a process should not have got from whoever started it, and whether confinement reaches those
 * that it starts. Most of this the host reads itself: see cases_hygiene.c.
 */
#include "selftest/attempts_common.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR_PIDFD_SEND_SIGNAL 424
#define NR_IO_URING_SETUP 425
#define NR_PIDFD_OPEN 434

/* Those that give rights: NOROOT and its like take some away. */
static void get_securebits(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

	(void)decoys;
	attempt_set(result, bits);
	attempt_say(result, "securebits=%#x", (unsigned)bits);
	if (bits >= 0 && !(bits & (SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP)))
		attempt_fail(result, ENODATA);
}

static void open_terminal(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
}

/* Signal 0: whether it could be signalled. */
static void signal_outside(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	long fd = syscall(NR_PIDFD_OPEN, (long)decoys->host_pid, 0UL);

	attempt_set(result, fd);
	if (fd >= 0)
		attempt_set(result, syscall(NR_PIDFD_SEND_SIGNAL, fd, 0L, NULL, 0UL));
}

/* The owner of a socket gets its SIGIO and SIGURG; without O_ASYNC none is ever sent. */
static void own_outside(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	int pair[2];

	attempt_set(result, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	if (result->value >= 0)
		attempt_set(result, fcntl(pair[0], F_SETOWN, decoys->host_pid));
}

/* --- confinement is inherited ---------------------------------------------------------------- */

static long seize_child(void)
{
	pid_t pid = attempt_start_victim();
	long returned = pid < 0 ? -1 : ptrace(PTRACE_SEIZE, pid, NULL, NULL);

	attempt_end_victim(pid);
	return returned;
}

static long make_raw_socket(void)
{
	return socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
}

static long make_user_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static long find_keyring(void)
{
	return syscall(SYS_keyctl, (long)KEYCTL_GET_KEYRING_ID, (long)KEY_SPEC_SESSION_KEYRING, 0L);
}

static long make_ring(void)
{
	uint32_t parameters[30] = { 0 }; /* struct io_uring_params: 120 bytes */

	return syscall(NR_IO_URING_SETUP, 1UL, parameters);
}

/* The same five by a function, and by the name that the canary has for them. */
static const struct key_attempt {
	const char *name;
	const char *argument;
	long (*run)(void);
} key_attempts[] = {
	{ "ptrace", NULL, seize_child },
	{ "raw-socket", NULL, make_raw_socket },
	{ "unshare", "user", make_user_namespace },
	{ "keyctl", NULL, find_keyring },
	{ "io-uring", NULL, make_ring },
};

enum { KEY_ATTEMPTS = sizeof(key_attempts) / sizeof(key_attempts[0]) };

/* A bit for each that got through. Each in a process of its own: a filter may kill. */
static unsigned try_all(void)
{
	unsigned through = 0;

	for (int i = 0; i < KEY_ATTEMPTS; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(key_attempts[i].run() < 0);
		if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
		    WEXITSTATUS(status) == 0)
			through |= 1u << i;
	}
	return through;
}

/* What is refused to us and let through later is a hole of its own; the rest has its own row. */
static void compare(struct attempt_result *result, unsigned before, unsigned after)
{
	attempt_say(result, "before=%#x after=%#x", before, after);
	if (after)
		attempt_set(result, after);
	else
		attempt_fail(result, EPERM);
}

/* In a grandchild of a session of its own. */
static void try_after_fork(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	unsigned before = try_all();
	int status = 0;
	pid_t pid = fork();

	(void)decoys;
	if (pid == 0) {
		setsid();
		pid = fork();
		if (pid == 0)
			_exit((int)try_all());
		_exit(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status)
			      ? WEXITSTATUS(status)
			      : UINT8_MAX);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == UINT8_MAX)
		attempt_fail(result, ECHILD);
	else
		compare(result, before, (unsigned)WEXITSTATUS(status));
}

/* In another program: the canary again, which tries the five by name. */
static void try_after_exec(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	const char *args[3 * KEY_ATTEMPTS + 3] = { "/proc/self/exe", "many" };
	size_t len = 2;
	unsigned before = try_all(), after = 0;
	char text[1024], line[32];

	(void)decoys;
	for (int i = 0; i < KEY_ATTEMPTS; i++) {
		args[len++] = key_attempts[i].name;
		if (key_attempts[i].argument)
			args[len++] = key_attempts[i].argument;
		args[len++] = "--";
	}
	if (attempt_program((char *const *)args, text, sizeof(text)) < 0) {
		attempt_set(result, -1);
		return;
	}
	for (int i = 0; i < KEY_ATTEMPTS; i++) {
		snprintf(line, sizeof(line), "%s=", key_attempts[i].name);
		if (!strstr(text, line)) {
			attempt_fail(result, EPROTO);
			return;
		}
		snprintf(line, sizeof(line), "%s=ok\n", key_attempts[i].name);
		if (strstr(text, line))
			after |= 1u << i;
	}
	compare(result, before, after);
}

const struct attempt attempts_hygiene[] = {
	{ "hyg.securebits", get_securebits },
	{ "hyg.tty", open_terminal },
	{ "hyg.sig-outside", signal_outside },
	{ "hyg.fown", own_outside },
	{ "hyg.after-fork", try_after_fork },
	{ "hyg.after-exec", try_after_exec },
	{ 0 },
};
