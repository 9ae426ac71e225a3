/*
 * Runs commands in turn, so that what changes on the machine meanwhile changes for all of them, and
 * prints the time of each run and the peak memory as JSON. Each round has an order of its own, the
 * same ones every time: what a container leaves to the kernel to take apart (namespaces, mounts,
 * cgroups) slows down whatever is next, and that must not be the same one each time.
 *
 * A sample is one or more programs one after the other ("--then"), from before the first is spawned
 * until the last has ended; no shell is in between. What is needed before and after a sample is not
 * timed. A command that fails ends it all: a time of something that failed is no time.
 *
 * usage: pair ROUNDS { --name NAME [--before PROGRAM...] [--after PROGRAM...] [--parallel N]
 *                      [--repeat N] --run PROGRAM... [--then PROGRAM...]... }...
 * "%n" in an argument becomes the number of the round, "%p" that of the program in a parallel run.
 * --parallel: N of each program at once; --repeat: all N times: together they make one sample.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 16
#define PROGRAMS_MAX 8
#define ARGUMENTS_MAX 64
#define ARGUMENT_SIZE 4096
#define WARM_UP_ROUNDS 2
#define PARALLEL_MAX 512
#define REPEAT_MAX 1000

extern char **environ;

struct program {
	char **argv; /* argc of them, no NULL behind */
	int argc;
};

struct command {
	const char *name;
	struct program before, after;
	struct program run[PROGRAMS_MAX];
	int run_len, parallel, repeat;
	double *samples; /* milliseconds */
	long peak_kib;
};

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("pair: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static double now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* --- the command line ------------------------------------------------------------------------ */

/* What stands behind a word of ours goes up to the next one. */
static const char *const words[] = { "--name",	 "--before", "--after", "--parallel",
				     "--repeat", "--run",    "--then" };

static bool is_word(const char *argument)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(argument, words[i]) == 0)
			return true;
	return false;
}

static struct program take_program(char ***rest)
{
	struct program program = { *rest, 0 };

	while (**rest && !is_word(**rest)) {
		program.argc++;
		(*rest)++;
	}
	if (!program.argc || program.argc >= ARGUMENTS_MAX)
		fail("a command of %d words", program.argc);
	return program;
}

static int take_number(const char *word, char ***rest, int max)
{
	int number = atoi(*(*rest)++);

	if (number < 1 || number > max)
		fail("%s: %d", word, number);
	return number;
}

static size_t read_commands(char **rest, struct command *commands)
{
	struct command *command = NULL;
	size_t len = 0;

	while (*rest) {
		const char *word = *rest++;

		if (strcmp(word, "--name") == 0 && *rest && len < COMMANDS_MAX) {
			command = &commands[len++];
			command->name = *rest++;
			command->parallel = 1;
			command->repeat = 1;
		} else if (!command) {
			fail("%s: --name comes first", word);
		} else if (strcmp(word, "--before") == 0) {
			command->before = take_program(&rest);
		} else if (strcmp(word, "--after") == 0) {
			command->after = take_program(&rest);
		} else if (strcmp(word, "--parallel") == 0 && *rest) {
			command->parallel = take_number(word, &rest, PARALLEL_MAX);
		} else if (strcmp(word, "--repeat") == 0 && *rest) {
			command->repeat = take_number(word, &rest, REPEAT_MAX);
		} else if (command->run_len < PROGRAMS_MAX) {
			command->run[command->run_len++] = take_program(&rest);
		} else {
			fail("%s: too many", word);
		}
	}
	for (size_t i = 0; i < len; i++)
		if (!commands[i].run_len)
			fail("%s: nothing to run", commands[i].name);
	return len;
}

/* --- running --------------------------------------------------------------------------------- */

/* The argument with its numbers put in, in `to`. */
static void expand(const char *from, char to[ARGUMENT_SIZE], int round, int number)
{
	size_t len = 0;

	for (; *from; from++) {
		int digits = -1;

		if (len + 16 > ARGUMENT_SIZE)
			fail("an argument is too long");
		if (from[0] == '%' && (from[1] == 'n' || from[1] == 'p'))
			digits = *++from == 'n' ? round : number;
		if (digits >= 0)
			len += (size_t)snprintf(to + len, ARGUMENT_SIZE - len, "%d", digits);
		else
			to[len++] = *from;
	}
	to[len] = '\0';
}

/* Arguments are made before the clock runs. */
struct prepared {
	char *argv[ARGUMENTS_MAX];
};

static void prepare(const struct program *program, int round, int number, struct prepared *to)
{
	char text[ARGUMENT_SIZE];

	for (int i = 0; i < program->argc; i++) {
		expand(program->argv[i], text, round, number);
		to->argv[i] = strdup(text);
	}
	to->argv[program->argc] = NULL;
}

static void forget(struct prepared *prepared)
{
	for (int i = 0; prepared->argv[i]; i++)
		free(prepared->argv[i]);
}

static pid_t spawn(const struct prepared *prepared, const posix_spawn_file_actions_t *streams)
{
	pid_t pid;
	int error = posix_spawnp(&pid, prepared->argv[0], streams, NULL, prepared->argv, environ);

	if (error)
		fail("%s: %s", prepared->argv[0], strerror(error));
	return pid;
}

/* Shows what the program said: the streams go to one file. */
static void __attribute__((noreturn))
fail_program(const struct command *command, int output, int status)
{
	char text[4096];
	ssize_t got = pread(output, text, sizeof(text) - 1, 0);

	text[got < 0 ? 0 : got] = '\0';
	fail("%s: %s %d: %s", command->name, WIFSIGNALED(status) ? "signal" : "status",
	     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), text);
}

static void await(struct command *command, int output, pid_t pid)
{
	struct rusage usage;
	int status;

	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			fail("%s: wait: %s", command->name, strerror(errno));
	if (status)
		fail_program(command, output, status);
	if (usage.ru_maxrss > command->peak_kib)
		command->peak_kib = usage.ru_maxrss;
}

static void run_untimed(struct command *command, const struct program *program, int round,
			int output, const posix_spawn_file_actions_t *streams)
{
	struct prepared prepared;
	long peak_kib = command->peak_kib;

	if (!program->argc)
		return;
	prepare(program, round, 0, &prepared);
	await(command, output, spawn(&prepared, streams));
	command->peak_kib = peak_kib;
	forget(&prepared);
}

static double run_timed(struct command *command, int round, int output,
			const posix_spawn_file_actions_t *streams)
{
	static struct prepared prepared[PROGRAMS_MAX][PARALLEL_MAX];
	static pid_t pids[PARALLEL_MAX];
	double start, end;

	for (int i = 0; i < command->run_len; i++)
		for (int j = 0; j < command->parallel; j++)
			prepare(&command->run[i], round, j, &prepared[i][j]);
	start = now_ms();
	for (int i = 0; i < command->run_len * command->repeat; i++) {
		const struct prepared *now = prepared[i % command->run_len];

		for (int j = 0; j < command->parallel; j++)
			pids[j] = spawn(&now[j], streams);
		for (int j = 0; j < command->parallel; j++)
			await(command, output, pids[j]);
	}
	end = now_ms();
	for (int i = 0; i < command->run_len; i++)
		for (int j = 0; j < command->parallel; j++)
			forget(&prepared[i][j]);
	return end - start;
}

/* The next order of the commands (Fisher and Yates), by drand48(3), which starts alike each time.
 */
static void shuffle(size_t *order, size_t len)
{
	for (size_t i = len; i > 1; i--) {
		size_t other = (size_t)(drand48() * (double)i), last = order[i - 1];

		order[i - 1] = order[other];
		order[other] = last;
	}
}

static void run_all(struct command *commands, size_t len, int rounds)
{
	size_t order[COMMANDS_MAX];
	char path[] = "/tmp/pair.XXXXXX";
	int output = mkostemp(path, O_CLOEXEC | O_APPEND);
	posix_spawn_file_actions_t streams;

	if (output < 0 || unlink(path) < 0)
		fail("%s: %s", path, strerror(errno));
	posix_spawn_file_actions_init(&streams);
	posix_spawn_file_actions_addopen(&streams, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&streams, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&streams, output, STDERR_FILENO);
	for (size_t i = 0; i < len; i++)
		order[i] = i;
	for (int round = 0; round < rounds + WARM_UP_ROUNDS; round++) {
		shuffle(order, len);
		for (size_t i = 0; i < len; i++) {
			struct command *command = &commands[order[i]];
			double sample;

			run_untimed(command, &command->before, round, output, &streams);
			sample = run_timed(command, round, output, &streams);
			run_untimed(command, &command->after, round, output, &streams);
			if (round >= WARM_UP_ROUNDS)
				command->samples[round - WARM_UP_ROUNDS] = sample;
		}
	}
	posix_spawn_file_actions_destroy(&streams);
	close(output);
}

/* --- the result ------------------------------------------------------------------------------ */

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

static void print_result(const struct command *command, int rounds, bool last)
{
	double *sorted = calloc((size_t)rounds, sizeof(*sorted));

	if (!sorted)
		fail("no memory");
	memcpy(sorted, command->samples, (size_t)rounds * sizeof(*sorted));
	qsort(sorted, (size_t)rounds, sizeof(*sorted), compare);
	printf("  \"%s\": {\"median\": %.4f, \"min\": %.4f, \"p90\": %.4f, \"max\": %.4f, "
	       "\"peak_kib\": %ld, \"samples\": [",
	       command->name, (sorted[rounds / 2] + sorted[(rounds - 1) / 2]) / 2, sorted[0],
	       sorted[rounds * 9 / 10], sorted[rounds - 1], command->peak_kib);
	for (int i = 0; i < rounds; i++)
		printf("%s%.4f", i ? ", " : "", command->samples[i]);
	printf("]}%s\n", last ? "" : ",");
	free(sorted);
}

int main(int argc, char *argv[])
{
	static struct command commands[COMMANDS_MAX];
	int rounds = argc > 2 ? atoi(argv[1]) : 0;
	size_t len;

	if (rounds < 1) {
		fprintf(stderr, "usage: pair ROUNDS {--name NAME [--before PROGRAM...] "
				"[--after PROGRAM...] [--parallel N] [--repeat N] --run PROGRAM... "
				"[--then PROGRAM...]...}...\n");
		return 2;
	}
	len = read_commands(argv + 2, commands);
	for (size_t i = 0; i < len; i++) {
		commands[i].samples = calloc((size_t)rounds, sizeof(double));
		if (!commands[i].samples)
			fail("no memory");
	}
	run_all(commands, len, rounds);
	puts("{");
	for (size_t i = 0; i < len; i++) {
		print_result(&commands[i], rounds, i + 1 == len);
		free(commands[i].samples);
	}
	puts("}");
	return 0;
}
