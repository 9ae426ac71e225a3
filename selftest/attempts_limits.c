/*
 * Attempts to take more than a container's share: processes, threads, memory, processor time; and
 * to get out of its cgroup.
 *
 * Each has a bound of its own, so that it harms nobody where no limit holds: 64 processes, 96 MiB,
 * 600 ms. What they start has ended before they answer: it would be in the way of the next attempt.
 */
#include "selftest/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif
#ifndef MAP_HUGE_2MB
#define MAP_HUGE_2MB (21 << 26)
#endif

#define MIB (1 << 20)
#define CPUS_MAX 4096 /* the most that the kernel can be built for is 8192 */

enum {
	PROCESSES_MAX = 64,
	MEMORY_MIB_MAX = 96,
	BALLAST_MIB = 4, /* more than any other process here has */
	PIPES_MAX = 48,	 /* of 1 MiB; fs.pipe-user-pages-soft is 64 MiB */
	BURN_MS = 600,
	THREAD_STACK = 16384,
};

static int64_t milliseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* --- processes ------------------------------------------------------------------------------- */

static void fork_bomb(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	pid_t children[PROCESSES_MAX];
	int count = 0, error = 0;

	(void)decoys;
	while (count < PROCESSES_MAX) {
		pid_t pid = fork();

		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		if (pid < 0) {
			error = errno;
			break;
		}
		children[count++] = pid;
	}
	attempt_say(result, "processes=%d", count);
	for (int i = 0; i < count; i++)
		kill(children[i], SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	errno = error;
	attempt_set(result, error ? -1 : count);
}

/* A thread without a C library's thread round it: it may do nothing but wait. */
static int __attribute__((noreturn)) rest(void *unused)
{
	for (;;)
		syscall(SYS_ppoll, unused, 0, NULL, NULL, 0);
}

static void thread_bomb(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static char stacks[PROCESSES_MAX][THREAD_STACK] __attribute__((aligned(16)));
	int count = 0, error = 0;

	(void)decoys;
	while (count < PROCESSES_MAX) {
		if (clone(rest, stacks[count] + THREAD_STACK,
			  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
				  CLONE_SYSVSEM,
			  NULL) < 0) {
			error = errno;
			break;
		}
		count++;
	}
	attempt_say(result, "threads=%d", count); /* they end with us */
	errno = error;
	attempt_set(result, error ? -1 : count);
}

/* What the daemons share. */
struct spread {
	int started, stop, error;
	pid_t pids[PROCESSES_MAX];
};

/* Forks as fast as it can until the time is over, the bound is reached or the kernel refuses; so
 * do its children, each a session of its own. Returns in the first process alone. */
static void spread(struct spread *shared, int64_t until)
{
	bool first = true;

	while (!__atomic_load_n(&shared->stop, __ATOMIC_SEQ_CST) &&
	       milliseconds(CLOCK_MONOTONIC) < until) {
		int index = __atomic_fetch_add(&shared->started, 1, __ATOMIC_SEQ_CST);
		pid_t pid;

		if (index >= PROCESSES_MAX)
			break;
		pid = fork();
		if (pid < 0) {
			__atomic_store_n(&shared->error, errno, __ATOMIC_SEQ_CST);
			break;
		}
		if (pid == 0) {
			first = false;
			setsid();
			__atomic_store_n(&shared->pids[index], getpid(), __ATOMIC_SEQ_CST);
		}
	}
	while (!first && !__atomic_load_n(&shared->stop, __ATOMIC_SEQ_CST))
		usleep(10000);
	if (!first)
		_exit(0);
}

static void fork_fast(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct spread *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* no longer than half its time, where neither the bound nor a limit is reached */
	int64_t until = milliseconds(CLOCK_MONOTONIC) + decoys->deadline_s * 1000 / 2;
	int count = 0;

	if (shared == MAP_FAILED) {
		attempt_set(result, -1);
		return;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* so that all of them are ours to wait for */
	spread(shared, until);
	while (milliseconds(CLOCK_MONOTONIC) < until && !shared->error &&
	       __atomic_load_n(&shared->started, __ATOMIC_SEQ_CST) < PROCESSES_MAX)
		usleep(1000);
	__atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
	while (waitpid(-1, NULL, 0) > 0)
		;
	for (int i = 0; i < PROCESSES_MAX; i++)
		count += shared->pids[i] != 0;
	attempt_say(result, "processes=%d", count);
	errno = shared->error;
	attempt_set(result, shared->error ? -1 : count);
}

/* --- memory ---------------------------------------------------------------------------------- */

/* Touched: when there is no more, the kernel kills the process with the most memory of its own,
 * which has to be us, and not the canary that serves the supervisor. */
static bool take_piece(int fd, off_t at)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	char *piece = mmap(NULL, MIB, PROT_READ | PROT_WRITE, flags | MAP_POPULATE, fd, at);

	if (piece == MAP_FAILED)
		return false;
	for (size_t i = 0; i < MIB; i += 4096) /* populating is quick, but promises nothing */
		((volatile char *)piece)[i] = 1;
	return true;
}

static void take_memory(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	int taken = 0;

	(void)decoys;
	while (taken < MEMORY_MIB_MAX && take_piece(-1, 0))
		taken++;
	attempt_set(result, taken == MEMORY_MIB_MAX ? taken : -1);
}

/* Memory of a file, which is swapped, not written back. */
static void take_shared_memory(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	int fd = memfd_create("agentd-canary", MFD_CLOEXEC);
	off_t taken = 0;

	(void)decoys;
	if (fd >= 0 && ftruncate(fd, (off_t)MEMORY_MIB_MAX * MIB) == 0)
		while (taken < MEMORY_MIB_MAX && take_piece(fd, taken * MIB))
			taken++;
	attempt_set(result, taken == MEMORY_MIB_MAX ? taken : -1);
}

/* Buffers of pipes: the kernel's memory, not the program's. */
static void take_kernel_memory(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const char piece[65536] = { 1 };
	int taken;

	(void)decoys;
	for (taken = 0; taken < BALLAST_MIB && take_piece(-1, 0);)
		taken++;
	for (taken = 0; taken < PIPES_MAX; taken++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0 ||
		    fcntl(ends[1], F_SETPIPE_SZ, MIB) < 0)
			break;
		for (int filled = 0; filled < MIB; filled += (int)sizeof(piece))
			if (write(ends[1], piece, sizeof(piece)) < (ssize_t)sizeof(piece))
				break;
	}
	attempt_set(result, taken == PIPES_MAX ? taken : -1);
	attempt_say(result, "mib=%d", taken);
}

/* Mapping reserves; a limit shows when the page is touched, as EFAULT here, else as SIGBUS. */
static void take_huge_page(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	void *page = mmap(NULL, 2 * MIB, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB, -1, 0);

	(void)decoys;
	attempt_set(result, page == MAP_FAILED ? -1 : madvise(page, 2 * MIB, MADV_POPULATE_WRITE));
}

/* --- processor ------------------------------------------------------------------------------- */

static void burn(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	int64_t until = milliseconds(CLOCK_MONOTONIC) + BURN_MS;

	(void)decoys;
	while (milliseconds(CLOCK_MONOTONIC) < until)
		;
	attempt_set(result, milliseconds(CLOCK_PROCESS_CPUTIME_ID));
}

/* Asks for all processors, and tells which it got, as "0-3,7". */
static void spread_over_processors(const struct attempt_decoys *decoys,
				   struct attempt_result *result)
{
	unsigned long mask[CPUS_MAX / (8 * sizeof(long))];
	char list[150] = "";
	int count = 0;
	long size;

	(void)decoys;
	memset(mask, 0xff, sizeof(mask));
	if (sched_setaffinity(0, sizeof(mask), (cpu_set_t *)mask) < 0 && errno != EINVAL) {
		attempt_set(result, -1);
		return;
	}
	memset(mask, 0, sizeof(mask));
	size = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
	attempt_set(result, size);
	for (int cpu = 0, first = -1; cpu <= CPUS_MAX; cpu++) {
		const size_t bits = 8 * sizeof(long);
		bool set = cpu < CPUS_MAX && mask[(size_t)cpu / bits] >> ((size_t)cpu % bits) & 1;
		size_t len = strlen(list);

		count += set;
		if (set && first < 0)
			first = cpu;
		if (set || first < 0)
			continue;
		snprintf(list + len, sizeof(list) - len, "%s%d-%d", len ? "," : "", first, cpu - 1);
		first = -1;
	}
	if (size > 0)
		result->value = count;
	attempt_say(result, "cpus=%s", list);
}

/* --- out of the cgroup ----------------------------------------------------------------------- */

/* Where cgroup v2 may be mounted; a hybrid host has it beside the v1 hierarchies. */
static const char *const cgroup_mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

/* Opens a list of processes into which one could move: writing is what is refused, and is not done.
 */
static void leave_cgroup(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const char *const files[] = { "cgroup.procs", "cgroup.threads" };

	(void)decoys;
	*result = (struct attempt_result){ .value = -1, .error = ENOENT };
	for (size_t i = 0; i < sizeof(cgroup_mounts) / sizeof(cgroup_mounts[0]); i++) {
		for (size_t j = 0; j < sizeof(files) / sizeof(files[0]); j++) {
			char path[64];
			int fd;

			snprintf(path, sizeof(path), "%s/%s", cgroup_mounts[i], files[j]);
			fd = open(path, O_WRONLY | O_CLOEXEC);
			if (fd < 0 && errno == ENOENT)
				continue;
			attempt_set(result, fd);
			attempt_say(result, "path=%s", path);
			close(fd);
			if (result->value >= 0)
				return;
		}
	}
}

static void make_cgroup(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	for (size_t i = sizeof(cgroup_mounts) / sizeof(cgroup_mounts[0]); i-- > 0;) {
		char path[64];

		snprintf(path, sizeof(path), "%s/agentd-canary", cgroup_mounts[i]);
		attempt_set(result, mkdir(path, 0755));
		if (result->value >= 0)
			rmdir(path);
		if (result->error != ENOENT)
			return;
	}
}

const struct attempt attempts_limits[] = {
	{ "cg.fork-bomb", fork_bomb },		 { "cg.thread-bomb", thread_bomb },
	{ "cg.fork-fast", fork_fast },		 { "cg.memory", take_memory },
	{ "cg.memory-shm", take_shared_memory }, { "cg.memory-kernel", take_kernel_memory },
	{ "cg.hugetlb", take_huge_page },	 { "cg.cpu", burn },
	{ "cg.cpuset", spread_over_processors }, { "cg.migrate", leave_cgroup },
	{ "cg.subtree", make_cgroup },		 { 0 },
};
