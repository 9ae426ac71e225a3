/*
 * Attempts at the doors of past vulnerabilities: whether they are open, not what is behind them.
 * Whole bundles are history.c's.
 */
#include "selftest/attempt.h"
#include "selftest/attempts_doors.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SYS_fsopen
#define SYS_fsopen 430
#endif

/* The rights that mounting a cgroup v1 hierarchy took, to write its release_agent. */
static void cgroup_v1(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	attempt_set(result, unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP));
	if (result->value < 0 || !*decoys->scratch)
		return;
	if (mount("agentd-canary", decoys->scratch, "cgroup", 0, "rdma") == 0)
		umount2(decoys->scratch, MNT_DETACH);
	else
		attempt_say(result, "mount=%s", strerrorname_np(errno));
}

static void filesystem_context(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, unshare(CLONE_NEWUSER | CLONE_NEWNS));
	if (result->value >= 0)
		attempt_set(result, syscall(SYS_fsopen, "tmpfs", 0));
}

/* Uses every buffer of a pipe once: each is marked then as one that may be appended to. */
static int use_buffers(const int ends[2])
{
	char piece[4096] = { 0 };

	for (int size = fcntl(ends[1], F_GETPIPE_SZ); size > 0; size -= (int)sizeof(piece))
		if (write(ends[1], piece, sizeof(piece)) != (ssize_t)sizeof(piece))
			return -1;
	for (int size = fcntl(ends[1], F_GETPIPE_SZ); size > 0; size -= (int)sizeof(piece))
		if (read(ends[0], piece, sizeof(piece)) != (ssize_t)sizeof(piece))
			return -1;
	return 0;
}

/*
 * A kernel with the fault forgets to take the mark away when a page of a file is put into the pipe:
 * what is written next goes into the file. The file is our own, in memory. 1: it was changed.
 */
static void dirty_pipe(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const char before[] = "AAAAAAAA";
	int file = memfd_create("agentd-canary", MFD_CLOEXEC), ends[2];
	char after[sizeof(before)] = "";
	off_t at = 0;

	(void)decoys;
	if (file < 0 || write(file, before, sizeof(before)) < 0 || pipe2(ends, O_CLOEXEC) < 0 ||
	    use_buffers(ends) < 0 || splice(file, &at, ends[1], NULL, 1, 0) != 1 ||
	    write(ends[1], "B", 1) != 1 || pread(file, after, sizeof(after), 0) < 0)
		attempt_set(result, -1);
	else
		attempt_set(result, memcmp(before, after, sizeof(before)) != 0);
}

static void abstract_socket(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(decoys->abstract);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path + 1, decoys->abstract, len);
	attempt_set(result, fd < 0 ? -1
				   : connect(fd, (struct sockaddr *)&address,
					     (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
							 1 + len)));
}

/* By the native call, and by the door that a filter of socket(2) leaves open. */
static void algorithms(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct attempt_result first = { 0 };

	(void)decoys;
	attempt_set(result, socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
	if (result->value >= 0)
		return;
	first = *result;
	attempt_set(result, door_i386_socket(AF_ALG, SOCK_SEQPACKET, 0));
	if (result->value >= 0)
		attempt_say(result, "door=socketcall");
	else
		*result = first;
}

static void transformations(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM));
}

static void rxrpc(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, socket(AF_RXRPC, SOCK_DGRAM | SOCK_CLOEXEC, AF_INET));
}

const struct attempt attempts_history[] = {
	{ "cve.2022-0492", cgroup_v1 },	  { "cve.2022-0185", filesystem_context },
	{ "cve.2022-0847", dirty_pipe },  { "cve.2020-15257", abstract_socket },
	{ "cve.2026-31431", algorithms }, { "cve.2026-43284", transformations },
	{ "cve.2026-43500", rxrpc },	  { 0 },
};
