/*
 * The canary as a process: ends in a chosen way, waits for signals, has children.
 */
#include "selftest/canary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int succeed(int argc, char **argv)
{
	(void)argc, (void)argv;
	return 0;
}

static int leave(int argc, char **argv)
{
	return canary_number(argc, argv, 1, 0);
}

/* As the first process of a pid namespace nobody dies of raise(3), only of a fault. */
static int die(int argc, char **argv)
{
	int signal = canary_number(argc, argv, 1, SIGKILL);

	if (signal == SIGSEGV)
		*(volatile int *)(intptr_t)canary_number(argc, argv, 2, 8) = 0;
	if (signal == SIGILL)
		__builtin_trap();
	return canary_report(argv[0], raise(signal));
}

static int echo(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		dprintf(STDOUT_FILENO, "%s%s", argv[i], i + 1 < argc ? " " : "");
	dprintf(STDOUT_FILENO, "\n");
	return 0;
}

static int say_to_stderr(int argc, char **argv)
{
	dprintf(STDERR_FILENO, "%s\n", canary_argument(argc, argv, 1, ""));
	return 0;
}

/* Waits for one of the signals, tells which, and leaves with 42. */
static int await(const sigset_t *set)
{
	int signal;

	sigprocmask(SIG_BLOCK, set, NULL);
	dprintf(STDOUT_FILENO, "ready\n");
	if (sigwait(set, &signal) != 0)
		return 1;
	canary_say("signal", "%d", signal);
	return 42;
}

static int trap(int argc, char **argv)
{
	sigset_t set;

	sigfillset(&set);
	if (argc > 1) {
		sigemptyset(&set);
		sigaddset(&set, canary_number(argc, argv, 1, SIGTERM));
	}
	return await(&set);
}

static void leave_on_signal(int signal)
{
	(void)signal;
	_exit(0);
}

/* A well-behaved first process: ends on SIGTERM, leaves no zombies. */
static int rest(int argc, char **argv)
{
	struct sigaction leaving = { .sa_handler = leave_on_signal };

	(void)argc, (void)argv;
	sigaction(SIGTERM, &leaving, NULL);
	signal(SIGCHLD, SIG_IGN);
	dprintf(STDOUT_FILENO, "ready\n");
	canary_rest();
}

/* An ill-behaved one: ignores what it can. */
static int stubborn(int argc, char **argv)
{
	sigset_t all;

	(void)argc, (void)argv;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	dprintf(STDOUT_FILENO, "ready\n");
	canary_rest();
}

static int have_children(int argc, char **argv)
{
	long count = canary_number(argc, argv, 1, 3);

	for (long i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return canary_report(argv[0], -1);
		if (pid == 0)
			canary_rest();
	}
	return rest(argc, argv);
}

/* Leaves a child behind that holds standard output open. */
static int leave_child(int argc, char **argv)
{
	pid_t pid = fork();

	(void)argc;
	if (pid == 0) {
		setsid();
		canary_rest();
	}
	return canary_report(argv[0], pid);
}

/* A child that has ended and is not waited for. */
static int keep_zombie(int argc, char **argv)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitid(P_PID, pid, &info, WEXITED | WNOWAIT) < 0)
		return canary_report(argv[0], -1);
	(void)argc;
	dprintf(STDOUT_FILENO, "ready\n");
	canary_rest();
}

/*
 * CVE-2019-5736: the descriptor of a program file, opened through /proc, reopened for writing. Only
 * opened: nothing is written if it works.
 */
static long open_program(const char *process)
{
	char path[64];
	int program, again, error;

	snprintf(path, sizeof(path), "/proc/%s/exe", process);
	program = open(path, O_PATH | O_CLOEXEC);
	if (program < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
	again = open(path, O_WRONLY | O_CLOEXEC);
	error = errno;
	if (again >= 0)
		close(again);
	close(program);
	errno = error;
	return again;
}

static int try_programs(int argc, char **argv)
{
	char parent[16];

	(void)argc, (void)argv;
	snprintf(parent, sizeof(parent), "%d", getppid());
	canary_report("/proc/self/exe", open_program("self"));
	canary_report("/proc/1/exe", open_program("1"));
	return canary_report("/proc/PARENT/exe", open_program(parent));
}

/* A program file that is not ours, of a process that is not ours: one of the runtime's, caught. */
static bool foreign(const char *process, const struct stat *own)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%s/exe", process);
	return stat(path, &st) == 0 && (st.st_ino != own->st_ino || st.st_dev != own->st_dev);
}

/*
 * Watches every process that appears for SECONDS: how often one with a program of another file was
 * seen, and how often that file, or one of its descriptors above 2, could be opened.
 */
static int watch_programs(int argc, char **argv)
{
	time_t end = time(NULL) + canary_number(argc, argv, 1, 5);
	long seen = 0, opened = 0, descriptors = 0;
	struct dirent *entry;
	struct stat own;
	char path[320];

	if (stat("/proc/self/exe", &own) < 0)
		return canary_report(argv[0], -1);
	dprintf(STDOUT_FILENO, "ready\n");
	while (time(NULL) < end) {
		DIR *proc = opendir("/proc");

		while (proc && (entry = readdir(proc))) {
			if (*entry->d_name < '1' || *entry->d_name > '9' ||
			    !foreign(entry->d_name, &own))
				continue;
			seen++;
			opened += open_program(entry->d_name) >= 0;
			for (int fd = 3; fd < 16; fd++) {
				snprintf(path, sizeof(path), "/proc/%s/fd/%d", entry->d_name, fd);
				descriptors += open(path, O_PATH | O_CLOEXEC) >= 0;
			}
		}
		if (proc)
			closedir(proc);
	}
	canary_say("seen", "%ld", seen);
	canary_say("opened", "%ld", opened);
	canary_say("descriptors", "%ld", descriptors);
	return 0;
}

const struct canary canary_processes[] = {
	{ "true", succeed, "leave with 0" },
	{ "exit", leave, "STATUS" },
	{ "signal", die, "NUMBER: die of it" },
	{ "echo", echo, "[TEXT...]" },
	{ "stderr", say_to_stderr, "TEXT" },
	{ "sleep", rest, "say ready, wait for SIGTERM" },
	{ "stubborn", stubborn, "say ready, wait for SIGKILL" },
	{ "trap", trap, "[SIGNAL]: say ready, wait for it (or for any), leave with 42" },
	{ "children", have_children, "[COUNT]: the same as sleep, with children" },
	{ "leave-child", leave_child, "leave a child behind" },
	{ "zombie", keep_zombie, "say ready, keep a child that has ended" },
	{ "self-exe-write", try_programs, "open program files for writing through /proc" },
	{ "watch-exe", watch_programs, "[SECONDS]: try it on every process that appears" },
	{ 0 },
};
