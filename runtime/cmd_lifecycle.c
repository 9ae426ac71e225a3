/*
 * The commands that make a container, move it through its life and end it. Each is short: options
 * to a request, and a verb of container.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "runtime/cmd.h"

#define SIGNAL_MAX 64 /* the kernel's SIGRTMAX on all architectures but MIPS */

/* clang-format off */
const struct option_row bundle_options[] = {
	{ "bundle", 'b', OPTION_TEXT, offsetof(struct options, bundle), "DIR", "the bundle; the default is here" },
	{ "no-pivot", 0, OPTION_FLAG, offsetof(struct options, no_pivot), NULL, "move the root instead of pivot_root(2)" },
	{ "no-new-keyring", 0, OPTION_FLAG, offsetof(struct options, no_new_keyring), NULL, "keep the caller's session keyring" },
	{ "best-effort", 0, OPTION_TEXT, offsetof(struct options, best_effort), "NAME", "cgroup: drop limits that cannot be had" },
	{ 0 }
};

const struct option_row launch_options[] = {
	{ "console-socket", 0, OPTION_TEXT, offsetof(struct options, console_socket), "PATH", "gets the terminal's master" },
	{ "pid-file", 0, OPTION_TEXT, offsetof(struct options, pid_file), "FILE", "gets the pid of the process" },
	{ "pidfd-socket", 0, OPTION_TEXT, offsetof(struct options, pidfd_socket), "PATH", "gets a pidfd of the process" },
	{ "preserve-fds", 0, OPTION_NUMBER, offsetof(struct options, preserve_fds), "N", "descriptors to pass on, from 3" },
	{ "no-subreaper", 0, OPTION_IGNORED, 0, NULL, NULL }, /* nothing here reaps for others */
	{ 0 }
};

static const struct option_row run_options[] = {
	{ "detach", 'd', OPTION_FLAG, offsetof(struct options, detach), NULL, "do not wait for the program" },
	{ "keep", 0, OPTION_FLAG, offsetof(struct options, keep), NULL, "do not delete the container afterwards" },
	{ 0 }
};

static const struct option_row kill_options[] = {
	{ "all", 'a', OPTION_FLAG, offsetof(struct options, all), NULL, "send it to all processes" },
	{ 0 }
};

static const struct option_row delete_options[] = {
	{ "force", 'f', OPTION_FLAG, offsetof(struct options, force), NULL, "kill it first, if it still runs" },
	{ 0 }
};

static const struct name signal_names[] = {
	{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT }, { "ILL", SIGILL }, { "TRAP", SIGTRAP },
	{ "ABRT", SIGABRT }, { "IOT", SIGIOT }, { "BUS", SIGBUS }, { "FPE", SIGFPE }, { "KILL", SIGKILL },
	{ "USR1", SIGUSR1 }, { "SEGV", SIGSEGV }, { "USR2", SIGUSR2 }, { "PIPE", SIGPIPE }, { "ALRM", SIGALRM },
	{ "TERM", SIGTERM }, { "STKFLT", SIGSTKFLT }, { "CHLD", SIGCHLD }, { "CLD", SIGCHLD }, { "CONT", SIGCONT },
	{ "STOP", SIGSTOP }, { "TSTP", SIGTSTP }, { "TTIN", SIGTTIN }, { "TTOU", SIGTTOU }, { "URG", SIGURG },
	{ "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ }, { "VTALRM", SIGVTALRM }, { "PROF", SIGPROF },
	{ "WINCH", SIGWINCH }, { "IO", SIGIO }, { "POLL", SIGPOLL }, { "PWR", SIGPWR }, { "SYS", SIGSYS },
	{ .name = "" }
};
/* clang-format on */

/* "RTMIN+3", "RTMAX-2" */
static bool parse_realtime(const char *text, int *signal)
{
	bool from_min = strncasecmp(text, "RTMIN", 5) == 0;
	uint32_t distance = 0;

	if (!from_min && strncasecmp(text, "RTMAX", 5) != 0)
		return false;
	if (text[5] && (text[5] != (from_min ? '+' : '-') ||
			!options_number(text + 6, (uint32_t)(SIGRTMAX - SIGRTMIN), &distance)))
		return false;
	*signal = from_min ? SIGRTMIN + (int)distance : SIGRTMAX - (int)distance;
	return true;
}

static int parse_signal(const char *text, int *signal, struct err *err)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	uint32_t number;

	if (options_number(text, SIGNAL_MAX, &number)) {
		*signal = (int)number;
		return 0;
	}
	for (const struct name *row = signal_names; *row->name; row++) {
		if (strcasecmp(row->name, name) == 0) {
			*signal = (int)row->value;
			return 0;
		}
	}
	if (parse_realtime(name, signal))
		return 0;
	return err_set(err, OPTIONS_USAGE, "kill: unknown signal '%s'", text);
}

/* Ours are close-on-exec, what we inherited is not: so the two cannot be taken for each other. */
static int check_fds(const struct options *options, struct err *err)
{
	for (uint32_t i = 0; i < options->preserve_fds; i++) {
		int flags = fcntl((int)(i + STDERR_FILENO + 1), F_GETFD);

		if (flags < 0 || flags & FD_CLOEXEC)
			return err_set(err, EBADF, "--preserve-fds %u: descriptor %u is not open",
				       options->preserve_fds, i + STDERR_FILENO + 1);
	}
	return 0;
}

/* The pid file takes the place of what has its name, and goes with the container: /dev/null too. */
static int check_pid_file(const char *path, struct err *err)
{
	struct stat st;

	if (path && lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(err, EEXIST, "--pid-file %s: is there and not a regular file", path);
	return 0;
}

int cmd_check_launch(const struct options *options, struct err *err)
{
	return check_fds(options, err) < 0 ? -1 : check_pid_file(options->pid_file, err);
}

static int make_up_id(struct arena *arena, const char **id, struct err *err)
{
	uint32_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_sys(err, "make up an id");
	*id = arena_format(arena, "agentd-%d-%08x", (int)getpid(), random);
	return 0;
}

/* A lone argument with a slash in it is a bundle: no id has one. */
int cmd_request(const struct options *options, const char *id, const char *bundle,
		const struct settings *settings, struct request *request, struct err *err)
{
	char path[PATH_MAX];

	*request = (struct request){ .id = id,
				     .console_socket = options->console_socket,
				     .pid_file = options->pid_file,
				     .pidfd_socket = options->pidfd_socket,
				     .keep_fds = options->preserve_fds,
				     .detach = options->detach,
				     .keep = options->keep,
				     .no_pivot = options->no_pivot,
				     .no_new_keyring = options->no_new_keyring,
				     .cgroup_manager = settings->cgroup_manager,
				     .best_effort_cgroup = settings->best_effort_cgroup };
	if (id && strchr(id, '/')) {
		if (bundle)
			return err_set(err, OPTIONS_USAGE, "two bundles: %s and %s", id, bundle);
		bundle = id;
		request->id = NULL;
	}
	if (cmd_check_launch(options, err) < 0)
		return -1;
	if (!request->id && make_up_id(settings->arena, &request->id, err) < 0)
		return -1;
	if (!realpath(bundle ? bundle : ".", path))
		return err_sys(err, "open bundle '%s'", bundle ? bundle : ".");
	request->bundle = arena_copy(settings->arena, path, strlen(path));
	return 0;
}

static int cmd_create(const struct options *options, const struct settings *settings,
		      struct err *err)
{
	struct request request;

	if (cmd_request(options, options->arguments.item[0], options->bundle, settings, &request,
			err) < 0)
		return -1;
	request.detach = true;
	return container_create(settings, &request, err);
}

static int cmd_run(const struct options *options, const struct settings *settings, struct err *err)
{
	struct request request;
	int status;

	if (cmd_request(options, options->arguments.item[0], options->bundle, settings, &request,
			err) < 0 ||
	    container_run(settings, &request, &status, err) < 0)
		return -1;
	return status;
}

static int cmd_start(const struct options *options, const struct settings *settings,
		     struct err *err)
{
	return container_start(settings, options->arguments.item[0], err);
}

static int cmd_kill(const struct options *options, const struct settings *settings, struct err *err)
{
	int signal = SIGTERM;

	if (options->arguments.len > 1 &&
	    parse_signal(options->arguments.item[1], &signal, err) < 0)
		return -1;
	return container_kill(settings, options->arguments.item[0], signal, options->all, err);
}

static int cmd_delete(const struct options *options, const struct settings *settings,
		      struct err *err)
{
	return container_delete(settings, options->arguments.item[0], options->force, err);
}

/* clang-format off */
const struct command lifecycle_commands[] = {
	{ "run", "ID|BUNDLE/", "create and start a container, wait for it, delete it", 1, 1, .launches = true,
	  .run = cmd_run, .groups = { bundle_options, launch_options, run_options, help_options } },
	{ "create", "ID|BUNDLE/", "make a container that waits to be started", 1, 1, .launches = true,
	  .run = cmd_create, .groups = { bundle_options, launch_options, help_options } },
	{ "start", "ID", "let the program of a created container go", 1, 1, .run = cmd_start, .groups = { help_options } },
	{ "kill", "ID [SIGNAL]", "send a signal, by default SIGTERM", 1, 2,
	  .run = cmd_kill, .groups = { kill_options, help_options } },
	{ "delete", "ID", "remove a stopped container and all that was made for it", 1, 1,
	  .run = cmd_delete, .groups = { delete_options, help_options } },
	{ 0 }
};
/* clang-format on */
