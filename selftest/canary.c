/*
 * The canary's entry: looks a name up in the tables and runs its row. Called by a link of that name
 * or as `agentd-canary NAME [ARGUMENT...]`. Rows belong to the canary_*.c files.
 */
#include "selftest/canary.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int run_many(int argc, char **argv);

static const struct canary many[] = {
	{ "many", run_many, "NAME [ARGUMENT...] [-- NAME ...]: each in a process of its own" },
	{ 0 },
};

static const struct canary *const tables[] = { many,	       canary_files,	 canary_facts,
					       canary_kernel,  canary_processes, canary_limits,
					       canary_attempts };

int canary_report(const char *name, long returned)
{
	const char *text = returned < 0 ? strerrorname_np(errno) : "ok";

	dprintf(STDOUT_FILENO, "%s=%s\n", name, text ? text : strerror(errno));
	return 0;
}

void canary_say(const char *key, const char *format, ...)
{
	char line[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	dprintf(STDOUT_FILENO, "%s=%s\n", key, line);
}

const char *canary_argument(int argc, char **argv, int index, const char *otherwise)
{
	return index < argc ? argv[index] : otherwise;
}

long canary_number(int argc, char **argv, int index, long otherwise)
{
	/* Read as unsigned so that masks with the highest bit set come through. */
	return index < argc ? (long)strtoul(argv[index], NULL, 0) : otherwise;
}

void canary_rest(void)
{
	for (;;)
		pause();
}

const struct canary *canary_find(const char *name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct canary *row = tables[i]; row->name; row++)
			if (strcmp(row->name, name) == 0)
				return row;
	return NULL;
}

static int run_one(int argc, char **argv)
{
	const struct canary *row = argc ? canary_find(argv[0]) : NULL;

	if (row)
		return row->run(argc, argv);
	dprintf(STDERR_FILENO, "agentd-canary: no such name: %s\n", argc ? argv[0] : "(none)");
	return CANARY_USAGE;
}

/* A filter may kill the one who tries: then the signal is the answer, and the next is tried. */
static int run_many(int argc, char **argv)
{
	for (int first = 1, end; first < argc; first = end + 1) {
		int status;
		pid_t pid;

		for (end = first; end < argc && strcmp(argv[end], "--") != 0;)
			end++;
		pid = fork();
		if (pid == 0)
			_exit(run_one(end - first, argv + first));
		if (pid < 0 || waitpid(pid, &status, 0) < 0)
			canary_report(argv[first], -1);
		else if (WIFSIGNALED(status))
			canary_say(argv[first], "signal:%d", WTERMSIG(status));
		else if (WEXITSTATUS(status) != 0)
			canary_say(argv[first], "exit:%d", WEXITSTATUS(status));
	}
	return 0;
}

static int usage(void)
{
	dprintf(STDOUT_FILENO, "usage: agentd-canary NAME [ARGUMENT...]\n");
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct canary *row = tables[i]; row->name; row++)
			dprintf(STDOUT_FILENO, "  %-18s %s\n", row->name, row->help);
	return CANARY_USAGE;
}

int main(int argc, char **argv)
{
	const char *called = argc ? strrchr(argv[0], '/') : NULL;

	called = called ? called + 1 : argc ? argv[0] : "";
	if (canary_find(called))
		return run_one(argc, argv);
	if (argc < 2 || strcmp(argv[1], "--help") == 0)
		return usage();
	return run_one(argc - 1, argv + 1);
}
