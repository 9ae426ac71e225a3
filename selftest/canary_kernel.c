/*
 * The canary at the kernel's doors: system calls that a container should be refused. Each gives
 * back what it got, so that getting through does no harm.
 */
#include "selftest/canary.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

struct number {
	const char *name;
	long value;
};

/* A word of the table, or a number; tables end with { 0 }. */
static long number_of(const struct number *table, const char *text)
{
	for (; table->name; table++)
		if (strcmp(table->name, text) == 0)
			return table->value;
	return strtol(text, NULL, 0);
}

/* A child that waits to be ended; attempts on another process use it. */
static pid_t start_victim(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a filter may kill who would end it */
		if (getppid() != parent)	  /* and may have done so already */
			_exit(0);
		canary_rest();
	}
	return pid;
}

static void end_victim(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int try_ptrace(int argc, char **argv)
{
	pid_t pid = start_victim();
	long returned = pid < 0 ? -1 : ptrace(PTRACE_SEIZE, pid, NULL, NULL);

	(void)argc;
	canary_report(argv[0], returned);
	if (pid > 0)
		end_victim(pid);
	return 0;
}

static int try_read_memory(int argc, char **argv)
{
	pid_t pid = canary_number(argc, argv, 1, 1);
	char byte;
	struct {
		void *base;
		size_t len;
	} local = { &byte, 1 }, remote = { &byte, 1 };

	return canary_report(argv[0], syscall(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 0));
}

static int try_raw_socket(int argc, char **argv)
{
	(void)argc;
	return canary_report(argv[0], socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
}

static int try_socket(int argc, char **argv)
{
	static const struct number families[] = {
		{ "unix", AF_UNIX },	 { "inet", AF_INET },
		{ "inet6", AF_INET6 },	 { "netlink", AF_NETLINK },
		{ "packet", AF_PACKET }, { "alg", AF_ALG },
		{ "vsock", AF_VSOCK },	 { 0 }
	};
	static const struct number types[] = {
		{ "stream", SOCK_STREAM }, { "dgram", SOCK_DGRAM }, { "raw", SOCK_RAW }, { 0 }
	};

	return canary_report(argv[0],
			     socket(number_of(families, canary_argument(argc, argv, 1, "unix")),
				    number_of(types, canary_argument(argc, argv, 2, "stream")),
				    canary_number(argc, argv, 3, 0)));
}

static const struct number namespaces[] = {
	{ "user", CLONE_NEWUSER },     { "mount", CLONE_NEWNS }, { "pid", CLONE_NEWPID },
	{ "network", CLONE_NEWNET },   { "ipc", CLONE_NEWIPC },	 { "uts", CLONE_NEWUTS },
	{ "cgroup", CLONE_NEWCGROUP }, { "time", 0x80 },	 { 0 }
};

static int try_unshare(int argc, char **argv)
{
	return canary_report(
		argv[0], unshare(number_of(namespaces, canary_argument(argc, argv, 1, "user"))));
}

/* clone(2) itself, so that a filter on its flags is met. */
static int try_clone(int argc, char **argv)
{
	long flags = number_of(namespaces, canary_argument(argc, argv, 1, "user"));
	long pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	canary_report(argv[0], pid);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return 0;
}

/* "high" sets bits above the 32 that the kernel looks at: a filter that compares 64 bits misses it
 * (CVE-2019-10063). */
static int try_tiocsti(int argc, char **argv)
{
	unsigned long request = TIOCSTI;

	if (strcmp(canary_argument(argc, argv, 1, ""), "high") == 0)
		request |= (unsigned long)1 << 32;
	return canary_report(argv[0], syscall(SYS_ioctl, STDIN_FILENO, request, "x"));
}

static int try_keyctl(int argc, char **argv)
{
	(void)argc;
	return canary_report(
		argv[0], syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
}

/* getpid by the 32-bit entry: number 20 there, writev here. */
static int try_int80(int argc, char **argv)
{
	long returned = -ENOSYS;

	(void)argc;
#ifdef __x86_64__
	__asm__ volatile("int $0x80"
			 : "=a"(returned)
			 : "a"(20)
			 : "memory", "r8", "r9", "r10", "r11");
	returned = (int)returned;
#endif
	errno = returned < 0 ? -returned : 0;
	return canary_report(argv[0], returned);
}

static int try_x32(int argc, char **argv)
{
	(void)argc;
	return canary_report(argv[0], syscall(SYS_getpid | 0x40000000L));
}

static int try_io_uring(int argc, char **argv)
{
	uint32_t parameters[30] = { 0 }; /* struct io_uring_params: 120 bytes */

	(void)argc;
	return canary_report(argv[0], syscall(SYS_io_uring_setup, 1, parameters));
}

static int try_syscall(int argc, char **argv)
{
	long argument[6], returned;

	for (int i = 0; i < 6; i++)
		argument[i] = canary_number(argc, argv, i + 2, 0);
	returned = syscall(canary_number(argc, argv, 1, SYS_getpid), argument[0], argument[1],
			   argument[2], argument[3], argument[4], argument[5]);
	canary_report(argv[0], returned);
	canary_say("returned", "%ld", returned);
	return 0;
}

static int show_landlock(int argc, char **argv)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	(void)argc;
	if (abi < 0)
		return canary_report(argv[0], -1);
	canary_say(argv[0], "%ld", abi);
	return 0;
}

static int use_port(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(canary_number(argc, argv, 1, 8080)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int (*use)(int, const struct sockaddr *, socklen_t) =
		strcmp(argv[0], "bind") == 0 ? bind : connect;

	return canary_report(argv[0],
			     fd < 0 ? -1 : use(fd, (struct sockaddr *)&address, sizeof(address)));
}

/* A name in the abstract namespace, which belongs to the network namespace, or a path. */
static int connect_unix(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *name = canary_argument(argc, argv, 1, "@");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = strlen(name);

	if (len >= sizeof(address.sun_path))
		len = sizeof(address.sun_path) - 1;
	memcpy(address.sun_path, name, len);
	if (*name == '@')
		address.sun_path[0] = '\0';
	return canary_report(argv[0],
			     fd < 0 ? -1
				    : connect(fd, (struct sockaddr *)&address,
					      offsetof(struct sockaddr_un, sun_path) + len));
}

static int send_signal(int argc, char **argv)
{
	return canary_report(
		argv[0], kill(canary_number(argc, argv, 1, 1), canary_number(argc, argv, 2, 0)));
}

static int set_user(int argc, char **argv)
{
	return canary_report(argv[0], setuid(canary_number(argc, argv, 1, 0)));
}

static int set_groups(int argc, char **argv)
{
	(void)argc;
	return canary_report(argv[0], syscall(SYS_setgroups, 0, NULL));
}

static int set_hostname(int argc, char **argv)
{
	const char *name = canary_argument(argc, argv, 1, "canary");

	return canary_report(argv[0], sethostname(name, strlen(name)));
}

/* The "shocker" of 2014: files by handle, whatever the root directory is. */
static int try_handle(int argc, char **argv)
{
	struct {
		uint32_t bytes;
		int32_t type;
		unsigned char handle[8];
	} root = { .bytes = 8, .type = 1, .handle = { 2 } };
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)argc;
	return canary_report(argv[0], syscall(SYS_open_by_handle_at, fd, &root, O_RDONLY));
}

const struct canary canary_kernel[] = {
	{ "ptrace", try_ptrace, "seize a child" },
	{ "read-memory", try_read_memory, "[PID]: process_vm_readv" },
	{ "raw-socket", try_raw_socket, "ICMP" },
	{ "socket", try_socket, "FAMILY TYPE [PROTOCOL]: words or numbers" },
	{ "unshare", try_unshare, "NAMESPACE" },
	{ "clone", try_clone, "NAMESPACE: a child in a new one" },
	{ "ioctl-tiocsti", try_tiocsti, "[high]: push a letter into the terminal on 0" },
	{ "keyctl", try_keyctl, "ask for the session keyring" },
	{ "int80", try_int80, "getpid by the 32-bit entry" },
	{ "x32", try_x32, "getpid by the x32 numbers" },
	{ "io-uring", try_io_uring, "io_uring_setup" },
	{ "syscall", try_syscall, "NUMBER [ARGUMENT...]" },
	{ "landlock", show_landlock, "the ABI of the kernel" },
	{ "connect", use_port, "[PORT]: TCP on loopback" },
	{ "bind", use_port, "[PORT]: TCP on loopback" },
	{ "connect-unix", connect_unix, "PATH|@NAME" },
	{ "kill", send_signal, "PID [SIGNAL]" },
	{ "setuid", set_user, "UID" },
	{ "setgroups", set_groups, "drop all groups" },
	{ "sethostname", set_hostname, "NAME" },
	{ "open-by-handle", try_handle, "the root inode of the filesystem, by number" },
	{ 0 },
};
