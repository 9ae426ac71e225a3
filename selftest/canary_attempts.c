/*
 * The canary's side of the conversation of attempt.h: serves the supervisor on descriptor 3, or
 * makes one attempt by hand. Owns the processes that try, and their deadline.
 *
 * It is the first process of its container: it reaps what others leave, and between two attempts it
 * neither blocks nor ignores a signal, because the supervisor reads its posture then. Nothing is
 * tried in the mount namespace that the supervisor named as the host's: bare on a host, an attempt
 * that gets through would be no test.
 */
#include "selftest/attempt.h"
#include "selftest/canary.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef PIDFD_GET_MNT_NAMESPACE
#define PIDFD_GET_MNT_NAMESPACE _IO(0xFF, 3) /* Linux 6.11 */
#endif

enum { SEND_PATIENCE_MS = 1000, ALARM_PATIENCE_US = 100000, KILL_PATIENCE_S = 1 };

static const struct attempt *const attempt_tables[] = {
	attempts_liveness,    attempts_tracing, attempts_mounts,   attempts_kernel,
	attempts_credentials, attempts_files,	attempts_landlock, attempts_procfs,
	attempts_limits,      attempts_network, attempts_history,  attempts_hygiene,
};

void attempt_set(struct attempt_result *result, int64_t returned)
{
	result->error = returned < 0 ? errno : 0;
	result->value = returned < 0 ? -1 : returned;
}

void attempt_say(struct attempt_result *result, const char *format, ...)
{
	size_t len = strlen(result->text);
	va_list args;

	if (len && len + 1 < sizeof(result->text))
		result->text[len++] = ' ';
	va_start(args, format);
	vsnprintf(result->text + len, sizeof(result->text) - len, format, args);
	va_end(args);
}

long attempt_execute(int dir, const char *path, int flags)
{
	static char *const arguments[] = { "agentd-canary", "--help", NULL };
	static char *const environment[] = { NULL };
	int ends[2], error = 0, status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close_range(0, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
		syscall(SYS_execveat, dir, path, arguments, environment, flags);
		error = errno;
		_exit(write(ends[1], &error, sizeof(error)) < 0);
	}
	close(ends[1]);
	if (pid < 0 || read(ends[0], &error, sizeof(error)) < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	close(ends[0]);
	errno = error;
	return error ? -1 : 0;
}

static const struct attempt *find(const char *id)
{
	for (size_t i = 0; i < sizeof(attempt_tables) / sizeof(attempt_tables[0]); i++)
		for (const struct attempt *row = attempt_tables[i]; row && row->id; row++)
			if (strcmp(row->id, id) == 0)
				return row;
	return NULL;
}

/*
 * Whether this is certainly not the mount namespace in which nothing may be tried. Without a /proc
 * the kernel may tell by a pidfd; else only the first process of a container is believed, which has
 * its descriptor 3 from the supervisor.
 */
static bool is_private(uint64_t token, bool served)
{
	struct stat ns;
	int pidfd;

	if (token == 0)
		return false;
	if (stat("/proc/self/ns/mnt", &ns) == 0)
		return ns.st_ino != token;
	pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	if (pidfd >= 0) {
		int fd = ioctl(pidfd, PIDFD_GET_MNT_NAMESPACE, 0);
		bool known = fd >= 0 && fstat(fd, &ns) == 0;

		close(fd);
		close(pidfd);
		if (known)
			return ns.st_ino != token;
	}
	return served && getpid() == 1;
}

/* A write to a SOCK_SEQPACKET is a packet. A supervisor that does not read loses it: an answer less
 * is an error there, and a canary that waits for ever would be none the better. */
static void answer(const struct attempt_packet *packet)
{
	struct pollfd pollfd = { .fd = ATTEMPT_FD, .events = POLLOUT };

	if (poll(&pollfd, 1, SEND_PATIENCE_MS) == 0)
		return;
	if (write(ATTEMPT_FD, packet, offsetof(struct attempt_packet, decoys)) < 0 &&
	    errno == EPIPE)
		_exit(0);
}

static void __attribute__((noreturn))
try(const struct attempt *row, const struct attempt_decoys *decoys, struct attempt_packet *packet)
{
	packet->kind = ATTEMPT_ALIVE;
	answer(packet);
	row->run(decoys, &packet->result);
	packet->kind = ATTEMPT_DONE;
	answer(packet);
	_exit(0);
}

/*
 * A process of its own, and a group, so that its children end with it. Never one that has the pid
 * of the host's decoy here: it would meet itself.
 */
static pid_t start(const struct attempt *row, const struct attempt_decoys *decoys,
		   struct attempt_packet *packet)
{
	sigset_t none;
	pid_t pid;

	while ((pid = fork()) > 0 && pid == decoys->host_pid)
		waitpid(pid, NULL, 0);
	if (pid)
		return pid;
	if (getpid() == decoys->host_pid)
		_exit(0);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm((unsigned)decoys->deadline_s);
	try(row, decoys, packet);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* Waits for the end of a child, which it leaves to be reaped, until `until`. SIGCHLD is blocked. */
static bool await_end(pid_t pid, int64_t until)
{
	sigset_t child;
	int64_t left;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	do {
		siginfo_t info = { 0 };
		struct timespec patience = { 0 };

		if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    info.si_pid == pid)
			return true;
		left = until - now_us();
		if (left > 0) {
			patience.tv_sec = left / 1000000;
			patience.tv_nsec = left % 1000000 * 1000;
			sigtimedwait(&child, NULL, &patience);
		}
	} while (left > 0);
	return false;
}

static void reap_orphans(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* Ends with the wait status, or that of SIGKILL for one which not even that ends at once. */
static int finish(pid_t pid, int64_t until)
{
	int status = SIGKILL;

	/* Its own alarm comes first; this is for those who block or outlive it. */
	await_end(pid, until + ALARM_PATIENCE_US);
	/* Not yet reaped: nobody else can have the number. */
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	if (await_end(pid, now_us() + KILL_PATIENCE_S * INT64_C(1000000)))
		waitpid(pid, &status, WNOHANG);
	reap_orphans();
	return status;
}

static void serve_one(const struct attempt_decoys *decoys, struct attempt_packet *packet)
{
	const struct attempt *row;
	int64_t began = now_us();
	sigset_t child, before;
	pid_t pid;

	packet->id[sizeof(packet->id) - 1] = '\0';
	memcpy(packet->nonce, decoys->nonce, sizeof(packet->nonce));
	packet->result = (struct attempt_result){ 0 };
	row = find(packet->id);
	if (!row) {
		packet->kind = ATTEMPT_UNKNOWN;
		answer(packet);
		return;
	}
	reap_orphans();
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	pid = start(row, decoys, packet);
	/* Without a process there was no attempt: no ALIVE, no DONE. */
	packet->wait_status = pid < 0 ? W_EXITCODE(CANARY_USAGE, 0)
				      : finish(pid, began + decoys->deadline_s * INT64_C(1000000));
	sigprocmask(SIG_SETMASK, &before, NULL);
	packet->microseconds = now_us() - began;
	packet->kind = ATTEMPT_ENDED;
	answer(packet);
}

static int refuse(const char *why)
{
	dprintf(STDERR_FILENO, "agentd-canary: nothing is tried here: %s\n", why);
	return CANARY_USAGE;
}

static int serve(int argc, char **argv)
{
	struct attempt_packet packet = { 0 };
	struct attempt_decoys decoys;

	(void)argc, (void)argv;
	/* What an attempt leaves comes to us where we are not the first process, too. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (read(ATTEMPT_FD, &packet, sizeof(packet)) != (ssize_t)sizeof(packet) ||
	    packet.kind != ATTEMPT_DECOYS)
		return refuse("no supervisor on descriptor 3");
	decoys = packet.decoys;
	decoys.nonce[sizeof(decoys.nonce) - 1] = '\0';
	if (!is_private(decoys.mount_token, true))
		return refuse("this is the host's mount namespace, or it cannot be told");
	for (;;) {
		ssize_t size = read(ATTEMPT_FD, &packet, sizeof(packet));

		if (size < 0 && errno == EINTR)
			continue;
		if (size < (ssize_t)offsetof(struct attempt_packet, decoys))
			return 0;
		if (packet.kind == ATTEMPT_TRY)
			serve_one(&decoys, &packet);
	}
}

/* The members that can be given by hand. */
static const struct member {
	const char *name;
	size_t offset, size; /* size 0: an int32_t */
} members[] = {
/* clang-format off */
#define TEXT(m) { #m, offsetof(struct attempt_decoys, m), sizeof(((struct attempt_decoys *)0)->m) }
	TEXT(nonce), TEXT(scratch), TEXT(read_only), TEXT(denied), TEXT(host_file), TEXT(host_comm),
	TEXT(abstract), TEXT(unix_path), TEXT(mq_name), TEXT(key_name),
	{ "host_pid", offsetof(struct attempt_decoys, host_pid), 0 },
	{ "tcp_port", offsetof(struct attempt_decoys, tcp_port), 0 },
	{ "shm_key", offsetof(struct attempt_decoys, shm_key), 0 },
	{ "shm_id", offsetof(struct attempt_decoys, shm_id), 0 },
	{ "deadline_s", offsetof(struct attempt_decoys, deadline_s), 0 },
	{ 0 },
	/* clang-format on */
};

static bool take(struct attempt_decoys *decoys, char *argument)
{
	char *value = strchr(argument, '=');

	if (!value)
		return false;
	*value++ = '\0';
	if (strcmp(argument, "token") == 0) {
		decoys->mount_token = strtoull(value, NULL, 10);
		return true;
	}
	for (const struct member *member = members; member->name; member++) {
		char *at = (char *)decoys + member->offset;

		if (strcmp(member->name, argument) != 0)
			continue;
		if (member->size)
			snprintf(at, member->size, "%s", value);
		else
			*(int32_t *)(void *)at = (int32_t)strtol(value, NULL, 0);
		return true;
	}
	return false;
}

/* By hand; one that is killed kills the program, and the shell tells the signal. */
static int try_one(int argc, char **argv)
{
	struct attempt_decoys decoys = { .deadline_s = ATTEMPT_DEADLINE_S };
	struct attempt_result result = { 0 };
	const struct attempt *row = argc > 1 ? find(argv[1]) : NULL;

	if (!row)
		return refuse("no such attempt");
	for (int i = 2; i < argc; i++)
		if (!take(&decoys, argv[i]))
			return refuse(argv[i]);
	if (!is_private(decoys.mount_token, false))
		return refuse("token=INODE must tell the host's mount namespace, and not be ours");
	setpgid(0, 0);
	alarm((unsigned)decoys.deadline_s);
	row->run(&decoys, &result);
	errno = result.error;
	canary_report(row->id, result.value);
	canary_say("value", "%lld", (long long)result.value);
	if (*result.text)
		canary_say("text", "%s", result.text);
	return 0;
}

static int list(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (size_t i = 0; i < sizeof(attempt_tables) / sizeof(attempt_tables[0]); i++)
		for (const struct attempt *row = attempt_tables[i]; row && row->id; row++)
			dprintf(STDOUT_FILENO, "%s\n", row->id);
	return 0;
}

const struct canary canary_attempts[] = {
	{ "attempts", serve, "serve agentd selftest on descriptor 3" },
	{ "attempt", try_one, "ID token=INODE [DECOY=VALUE...]: one attempt of selftest" },
	{ "attempt-list", list, "the ids of all attempts" },
	{ 0 },
};
