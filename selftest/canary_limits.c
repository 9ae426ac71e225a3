/*
 * The canary as a glutton: takes more and more of something, up to a number, and tells how far it
 * came.
 */
#include "selftest/canary.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long milliseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int fork_many(int argc, char **argv)
{
	long count = 0, max = canary_number(argc, argv, 1, 100);
	pid_t *children = calloc(max, sizeof(*children));
	int error = 0;

	while (children && count < max) {
		pid_t pid = fork();

		if (pid == 0)
			canary_rest();
		if (pid < 0) {
			error = errno;
			break;
		}
		children[count++] = pid;
	}
	canary_say("forked", "%ld", count);
	errno = error;
	canary_report(argv[0], error ? -1 : 0);
	for (long i = 0; i < count; i++)
		kill(children[i], SIGKILL);
	while (count-- > 0)
		wait(NULL);
	free(children);
	return 0;
}

static int eat_memory(int argc, char **argv)
{
	long max = canary_number(argc, argv, 1, 16);

	for (long taken = 0; taken < max; taken++) {
		char *piece = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (piece == MAP_FAILED) {
			canary_say("taken", "%ld", taken);
			return canary_report(argv[0], -1);
		}
		memset(piece, 1, 1 << 20);
	}
	canary_say("taken", "%ld", max);
	return canary_report(argv[0], 0);
}

static int burn_cpu(int argc, char **argv)
{
	long max = canary_number(argc, argv, 1, 100), start = milliseconds(CLOCK_MONOTONIC);

	while (milliseconds(CLOCK_PROCESS_CPUTIME_ID) < max)
		;
	canary_say("cpu", "%ld", max);
	canary_say("wall", "%ld", milliseconds(CLOCK_MONOTONIC) - start);
	return 0;
}

static int open_many(int argc, char **argv)
{
	long count = 0, max = canary_number(argc, argv, 1, 100);
	long returned = 0;

	while (count < max && (returned = open("/", O_PATH | O_CLOEXEC)) >= 0)
		count++;
	canary_report(argv[0], returned);
	canary_say("opened", "%ld", count);
	return 0;
}

/* How long it takes to read MiB from the start of a device or a file. */
static int read_much(int argc, char **argv)
{
	static char buffer[1 << 16];
	long left = canary_number(argc, argv, 2, 1) << 20, start = milliseconds(CLOCK_MONOTONIC);
	int fd = open(canary_argument(argc, argv, 1, ""), O_RDONLY | O_CLOEXEC);
	ssize_t got = 0;

	if (fd < 0)
		return canary_report(argv[0], -1);
	while (left > 0 && (got = read(fd, buffer, sizeof(buffer))) > 0)
		left -= got;
	canary_report(argv[0], got);
	canary_say("wall", "%ld", milliseconds(CLOCK_MONOTONIC) - start);
	return 0;
}

static int map_huge(int argc, char **argv)
{
	long pages = canary_number(argc, argv, 1, 1);
	void *at = mmap(NULL, pages << 21, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	return canary_report(argv[0], at == MAP_FAILED ? -1 : 0);
}

const struct canary canary_limits[] = {
	{ "fork-bomb", fork_many, "[MAX]: children at once" },
	{ "eat-memory", eat_memory, "[MiB]: touched, not freed" },
	{ "burn-cpu", burn_cpu, "[MILLISECONDS]: of cpu time, and how long that took" },
	{ "open-many", open_many, "[MAX]: descriptors at once" },
	{ "read-much", read_much, "FILE [MiB]: and how long that took" },
	{ "map-huge", map_huge, "[PAGES]: of 2 MiB" },
	{ 0 },
};
