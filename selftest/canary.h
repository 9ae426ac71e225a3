/*
 * The canary: a static program of many calls that runs inside a container and tells what it sees
 * (facts) and what the kernel answers when it tries something (attempts).
 *
 * It never judges: `name=ok` or `name=ERRNO` goes to standard output, and whoever started the
 * container decides what that means. It includes nothing of agentd, so that it cannot share a
 * mistake with it, and reads no procfs where a system call tells the same, so that a masked /proc
 * changes nothing. An attempt must leave no trace outside the container if it gets through.
 */
#pragma once

#include <stdbool.h>

/* argv[0] is the name, argv[1] the first argument; returns the exit status. */
struct canary {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

/* Each ends with { 0 }. */
extern const struct canary canary_files[], canary_facts[], canary_kernel[], canary_processes[],
	canary_limits[], canary_attempts[];

enum { CANARY_USAGE = 2 };

/* Prints NAME=ok, or NAME=ERRNO if `returned` is negative (errno as the call left it). Returns 0.
 */
int canary_report(const char *name, long returned);

/* Prints KEY=VALUE. */
void canary_say(const char *key, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* argv[index], or `otherwise` if there are fewer arguments. */
const char *canary_argument(int argc, char **argv, int index, const char *otherwise);

/* The same as a number in any base of C. */
long canary_number(int argc, char **argv, int index, long otherwise);

/* Waits until a signal ends the process. */
void canary_rest(void) __attribute__((noreturn));

/* The row for a name, or NULL. */
const struct canary *canary_find(const char *name);
