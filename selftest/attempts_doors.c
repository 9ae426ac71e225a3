/*
 * Side doors, see attempts_doors.h. Each touches nothing but what it made itself: its own ring,
 * terminal, or a file in the scratch directory.
 */
#include "selftest/attempts_doors.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static bool is_refusal(int error)
{
	return error == EPERM || error == EACCES || error == ENOSYS || !strerrorname_np(error);
}

void attempt_count(struct attempt_result *result, const char *name, int64_t returned)
{
	int error = returned < 0 ? errno : 0;

	if (returned >= 0 || !is_refusal(error)) {
		attempt_say(result, "%s=%s", name, error ? strerrorname_np(error) : "ok");
		result->value = result->value < 0 ? 1 : result->value + 1;
		result->error = 0;
	} else if (result->value <= 0) {
		/* That the kernel has one of them not says less than that another is refused. */
		if (result->error == 0 || result->error == ENOSYS)
			result->error = error;
		result->value = -1;
	}
}

struct ring {
	int fd;
	struct io_uring_params parameters;
	char *submissions, *completions;
	struct io_uring_sqe *entries;
};

static char *ring_map(const struct ring *ring, size_t size, off_t offset)
{
	char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd,
			 offset);

	return map == MAP_FAILED ? NULL : map;
}

static int ring_open(struct ring *ring)
{
	const struct io_uring_params *parameters = &ring->parameters;

	ring->fd = syscall(SYS_io_uring_setup, 1, &ring->parameters);
	if (ring->fd < 0)
		return -1;
	ring->submissions =
		ring_map(ring, parameters->sq_off.array + parameters->sq_entries * sizeof(uint32_t),
			 IORING_OFF_SQ_RING);
	ring->completions = ring_map(ring,
				     parameters->cq_off.cqes +
					     parameters->cq_entries * sizeof(struct io_uring_cqe),
				     IORING_OFF_CQ_RING);
	ring->entries = (void *)ring_map(ring, parameters->sq_entries * sizeof(struct io_uring_sqe),
					 IORING_OFF_SQES);
	return ring->submissions && ring->completions && ring->entries ? 0 : -1;
}

/* One request through a ring of its own: what the system call would have returned. */
static int ring_call(const struct io_uring_sqe *request)
{
	struct ring ring = { 0 };
	const struct io_uring_cqe *answer;
	uint32_t *tail;

	if (ring_open(&ring) < 0)
		return -1;
	ring.entries[0] = *request;
	*(uint32_t *)(void *)(ring.submissions + ring.parameters.sq_off.array) = 0;
	tail = (void *)(ring.submissions + ring.parameters.sq_off.tail);
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0UL) < 0)
		return -1;
	answer = (void *)(ring.completions + ring.parameters.cq_off.cqes);
	errno = answer->res < 0 ? -answer->res : 0;
	return answer->res;
}

void attempt_io_uring_setup(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct io_uring_params parameters = { 0 };

	(void)decoys;
	attempt_set(result, syscall(SYS_io_uring_setup, 1, &parameters));
}

/* A new file where Landlock alone is in the way. */
void attempt_io_uring_open(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char path[sizeof(decoys->denied) + 32];
	const struct io_uring_sqe request = {
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (uintptr_t)path,
		.len = 0600,
		.open_flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	};

	if (!*decoys->denied) {
		errno = ENODATA;
		attempt_set(result, -1);
		return;
	}
	snprintf(path, sizeof(path), "%s/ring.%d", decoys->denied, getpid());
	attempt_set(result, ring_call(&request));
	if (result->value >= 0)
		unlink(path);
}

void attempt_io_uring_socket(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	const struct io_uring_sqe request = {
		.opcode = IORING_OP_SOCKET,
		.fd = AF_INET,
		.off = SOCK_RAW,
		.len = IPPROTO_ICMP,
	};

	(void)decoys;
	attempt_set(result, ring_call(&request));
}

#ifdef __x86_64__
/* Without the 32-bit entry the instruction is a fault: then nobody has such a system call. */
static void skip_instruction(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)number, (void)info;
	registers[REG_RIP] += 2; /* int $0x80: cd 80 */
	registers[REG_RAX] = -ENOSYS;
}

/* By the 32-bit entry, which has a table of its own: 102 is socketcall there, getuid here. */
static long call_i386(long number, uintptr_t first, uintptr_t second)
{
	struct sigaction fault = { .sa_sigaction = skip_instruction, .sa_flags = SA_SIGINFO };
	long returned = number;

	sigaction(SIGSEGV, &fault, NULL);
	__asm__ volatile("int $0x80"
			 : "+a"(returned)
			 : "b"(first), "c"(second), "d"(0L), "S"(0L), "D"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	returned = (int)returned;
	errno = returned < 0 ? (int)-returned : 0;
	return returned < 0 ? -1 : returned;
}

void attempt_i386_getpid(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, call_i386(20, 0, 0));
}

struct low_memory { /* what 32-bit pointers reach */
	uint32_t socket[3];
	char path[128];
};

int door_i386_socket(int family, int type, int protocol)
{
	struct low_memory *low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (low == MAP_FAILED)
		return -1;
	low->socket[0] = family;
	low->socket[1] = type;
	low->socket[2] = protocol;
	return call_i386(102, 1, (uintptr_t)low->socket);
}

void attempt_i386_collisions(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct low_memory *low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (low == MAP_FAILED) {
		attempt_set(result, -1);
		return;
	}
	attempt_count(result, "raw-socket", door_i386_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	if (*decoys->scratch) {
		snprintf(low->path, sizeof(low->path), "%s/i386.%d", decoys->scratch, getpid());
		attempt_count(result, "creat", call_i386(8, (uintptr_t)low->path, 0600));
		unlink(low->path);
	}
	attempt_count(result, "pivot_root", call_i386(217, 0, 0)); /* EFAULT at best */
	attempt_count(result, "ptrace", call_i386(26, PTRACE_TRACEME, 0));
}

/* The numbers of programs with 32-bit pointers in 64-bit mode. */
void attempt_x32(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_count(result, "getpid", syscall(0x40000000L | SYS_getpid));
	attempt_count(result, "ptrace", syscall(0x40000000L | 521, PTRACE_TRACEME, 0L, 0L, 0L));
}
#else
static void have_none(struct attempt_result *result)
{
	errno = ENOSYS;
	attempt_set(result, -1);
}

int door_i386_socket(int family, int type, int protocol)
{
	(void)family, (void)type, (void)protocol;
	errno = ENOSYS;
	return -1;
}

void attempt_i386_getpid(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	have_none(result);
}

void attempt_i386_collisions(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	have_none(result);
}

void attempt_x32(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	have_none(result);
}
#endif

/* A terminal of our own becomes the controlling one: of another, only a privileged process may. */
static int open_terminal(void)
{
	int master, slave;

	/* The leader of a process group cannot have a new session: back into our parent's. */
	if (setpgid(0, getpgid(getppid())) < 0 || setsid() < 0)
		return -1;
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return -1;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0 ? -1 : slave;
}

static void push_letter(unsigned long request, struct attempt_result *result)
{
	int fd = open_terminal();

	/* Without a terminal a filter shows still: else it is ENOTTY, or EBADF. */
	if (fd < 0)
		attempt_say(result, "terminal=%s", strerrorname_np(errno));
	attempt_set(result, syscall(SYS_ioctl, fd, request, "x"));
}

void attempt_tiocsti(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	push_letter(TIOCSTI, result);
}

/* The kernel looks at 32 bits; a filter that compares 64 misses it. */
void attempt_tiocsti_high(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	push_letter(1UL << 32 | TIOCSTI, result);
}
