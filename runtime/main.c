/*
 * The program: options in front of the command, the command's own, its exit status. The only place
 * that prints an error, and the only one that knows all tables of commands.
 *
 * Standard output belongs to the command's result, standard error gets one line of error and
 * nothing else: callers read both together (reference: go-runc, conmon).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/cmd.h"
#include "runtime/seal.h"
#include "runtime/version.h"

#ifndef AGENTD_COMMIT
#define AGENTD_COMMIT "unknown"
#endif

/* clang-format off */
static const struct option_row global_options[] = {
	{ "root", 0, OPTION_TEXT, offsetof(struct options, root), "DIR", "where the containers are kept" },
	{ "log", 0, OPTION_TEXT, offsetof(struct options, log), "FILE", "append messages to FILE" },
	{ "log-format", 0, OPTION_TEXT, offsetof(struct options, log_format), "FORMAT", "text or json" },
	{ "log-level", 0, OPTION_TEXT, offsetof(struct options, log_level), "LEVEL", "error, warning or debug" },
	{ "debug", 0, OPTION_FLAG, offsetof(struct options, debug), NULL, "the same as --log-level debug" },
	{ "cgroup-manager", 0, OPTION_TEXT, offsetof(struct options, cgroup_manager), "NAME",
	  "cgroupfs, systemd or disabled" },
	{ "systemd-cgroup", 's', OPTION_FLAG, offsetof(struct options, systemd_cgroup), NULL,
	  "the same as --cgroup-manager systemd" },
	{ "best-effort", 0, OPTION_TEXT, offsetof(struct options, best_effort), "NAME",
	  "cgroup: drop limits that cannot be had, as in run" },
	{ "rootless", 0, OPTION_TEXT, offsetof(struct options, rootless), "WHEN", "true, false or auto" },
	{ "criu", 0, OPTION_IGNORED, 0, "PATH", NULL },
	{ "version", 'v', OPTION_FLAG, offsetof(struct options, version), NULL, "print the version" },
	{ "version", 'V', OPTION_FLAG, offsetof(struct options, version), NULL, NULL },
	{ 0 }
};

static const struct option_row *const global_groups[] = { global_options, help_options, NULL };
static const struct command *const command_tables[] = { lifecycle_commands, change_commands, inspect_commands,
						      selftest_commands };
/* clang-format on */

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(command_tables); i++)
		for (const struct command *command = command_tables[i]; command->name; command++)
			if (strcmp(command->name, name) == 0)
				return command;
	return NULL;
}

static int print_usage(FILE *to)
{
	fprintf(to, "Usage: agentd [OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n");
	for (size_t i = 0; i < ARRAY_LEN(command_tables); i++)
		for (const struct command *command = command_tables[i]; command->name; command++)
			if (!command->hidden)
				fprintf(to, "  %-15s%s\n", command->name, command->help);
	fprintf(to, "\nOptions:\n");
	options_print_help(global_groups, to);
	fprintf(to, "\nagentd COMMAND --help tells the options of a command.\n");
	return 0;
}

static int print_command_help(const struct command *command)
{
	printf("Usage: agentd %s [OPTIONS]%s%s\n\n%s\n\nOptions:\n", command->name,
	       *command->arguments ? " " : "", command->arguments, command->help);
	options_print_help(command->groups, stdout);
	return 0;
}

/* In the form that callers of runc read: "NAME version X", "commit: ", "spec: ". */
static int print_version(void)
{
	printf("agentd version %s\ncommit: %s\nspec: %s\n"
	       "+SECCOMP +LANDLOCK +CAP +CGROUPV2 +EBPF +APPARMOR +SELINUX\n",
	       AGENTD_VERSION, AGENTD_COMMIT, SPEC_OCI_VERSION);
	return 0;
}

static int check_arguments(const struct command *command, const struct options *options,
			   struct err *err)
{
	size_t len = options->arguments.len;

	if (len < command->min)
		return err_set(err, OPTIONS_USAGE, "%s needs %s", command->name,
			       command->arguments);
	if (len > command->max)
		return err_set(err, OPTIONS_USAGE, "%s: unexpected argument '%s'", command->name,
			       options->arguments.item[command->max]);
	return 0;
}

/* A word of a few, if it was given. `rule`: "--log-format is text or json". */
static int parse_word(const char *text, const struct name *words, const char *rule, uint64_t *value,
		      struct err *err)
{
	if (!text || name_value(words, text, value))
		return 0;
	return err_set(err, OPTIONS_USAGE, "%s, not '%s'", rule, text);
}

/* A JSON log holds errors alone unless more is asked for: podman reads the file as one object. */
static int open_log(const struct options *options, struct err *err)
{
	/* clang-format off */
	static const struct name formats[] = { { "text", LOG_FORMAT_TEXT }, { "json", LOG_FORMAT_JSON }, { .name = "" } };
	static const struct name levels[] = {
		{ "error", LOG_LEVEL_ERROR }, { "warning", LOG_LEVEL_WARNING }, { "debug", LOG_LEVEL_DEBUG }, { .name = "" }
	};
	/* clang-format on */
	uint64_t format = LOG_FORMAT_TEXT, level;

	if (parse_word(options->log_format, formats, "--log-format is text or json", &format, err) <
	    0)
		return -1;
	level = format == LOG_FORMAT_JSON ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
	if (parse_word(options->log_level, levels, "--log-level is error, warning or debug", &level,
		       err) < 0)
		return -1;
	if (options->debug)
		level = LOG_LEVEL_DEBUG;
	/* conmon-rs asks crun for these; they must not become the names of files */
	if (options->log && (strncmp(options->log, "journald:", strlen("journald:")) == 0 ||
			     strncmp(options->log, "syslog:", strlen("syslog:")) == 0))
		return err_set(err, OPTIONS_USAGE, "--log is a file; '%s' is not supported",
			       options->log);
	return log_open(options->log, (enum log_format)format, (enum log_level)level, err);
}

static int make_settings(const struct options *options, struct arena *arena,
			 struct settings *settings, struct err *err)
{
	/* clang-format off */
	static const struct name answers[] = { { "false", 0 }, { "true", 1 }, { "auto", 2 }, { .name = "" } };
	static const struct name managers[] = {
		{ "cgroupfs", CGROUP_MANAGER_CGROUPFS }, { "systemd", CGROUP_MANAGER_SYSTEMD },
		{ "disabled", CGROUP_MANAGER_DISABLED }, { .name = "" }
	};
	static const struct name efforts[] = { { "cgroup", 1 }, { .name = "" } };
	/* clang-format on */
	uint64_t rootless = 2, manager = CGROUP_MANAGER_CGROUPFS, best_effort = 0;

	if (parse_word(options->rootless, answers, "--rootless is true, false or auto", &rootless,
		       err) < 0 ||
	    parse_word(options->cgroup_manager, managers,
		       "--cgroup-manager is cgroupfs, systemd or disabled", &manager, err) < 0 ||
	    parse_word(options->best_effort, efforts, "--best-effort is cgroup", &best_effort,
		       err) < 0)
		return -1;
	if (options->systemd_cgroup)
		manager = CGROUP_MANAGER_SYSTEMD;
	*settings = (struct settings){ .root = options->root,
				       .rootless = rootless == 2 ? -1 : (int)rootless,
				       .cgroup_manager = (enum cgroup_manager)manager,
				       .best_effort_cgroup = best_effort,
				       .arena = arena };
	return 0;
}

/* All that is to be known before a command runs; with --help, only that. */
static int prepare(const struct command *command, int argc, char *argv[], int at,
		   struct options *options, struct settings *settings, struct arena *arena,
		   struct err *err)
{
	if (!command)
		return err_set(err, OPTIONS_USAGE, "unknown command '%s', see agentd --help",
			       argv[at]);
	++at;
	if (options_parse(command->groups, command, argc, argv, &at, arena, options, err) < 0)
		return err_wrap(err, "%s", command->name);
	if (options->help)
		return 0;
	if (check_arguments(command, options, err) < 0)
		return -1;
	return make_settings(options, arena, settings, err);
}

/* The command whose name is argv[at]; NULL: there is none of that name. */
static int run_command(const struct command *command, int argc, char *argv[], int at,
		       struct options *options, struct arena *arena, struct err *err)
{
	struct settings settings;
	autoclose int seal = -1;
	struct err unused;

	if (prepare(command, argc, argv, at, options, &settings, arena, err) < 0 ||
	    (command->launches && !options->help && seal_executable(argv, &seal, err) < 0)) {
		open_log(options, &unused); /* there callers look for the reason, whatever it is */
		return -1;
	}
	if (options->help)
		return print_command_help(command);
	settings.seal = &seal;
	if (open_log(options, err) < 0)
		return -1;
	return command->run(options, &settings, err);
}

/* fflush(3) knows of the last bufferful alone, and what was too large for one it never sees. */
static int check_output(struct err *err)
{
	if (fflush(stdout) != 0)
		return err_sys(err, "write to standard output");
	if (ferror(stdout))
		return err_set(err, EIO, "write to standard output: a part of it is lost");
	return 0;
}

/*
 * What we need of our own process: not more privileges than our caller, who chooses every path that
 * we open; three standard streams, so that no descriptor of ours can be taken for one; to be told
 * how our children ended, which a caller that ignores SIGCHLD would keep from us (wait(2)); and
 * that a file which would pass RLIMIT_FSIZE is an error, and not the end of us with all half done.
 */
static int check_process(struct err *err)
{
	if (getauxval(AT_SECURE))
		return err_set(err, EPERM,
			       "agentd must not be installed setuid or with capabilities");
	/* the lowest free descriptor is the one that is missing */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) < 0)
			return err_sys(err, "open /dev/null");
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		return err_sys(err, "attend to SIGCHLD");
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return err_sys(err, "ignore SIGXFSZ");
	return 0;
}

/* An exit status, or -1 with an error; *failed is the status of that. */
static int dispatch(int argc, char *argv[], struct arena *arena, int *failed, struct err *err)
{
	struct options options = { 0 };
	const struct command *command;
	int at = 1;

	if (check_process(err) < 0)
		return -1;
	if (options_parse(global_groups, NULL, argc, argv, &at, arena, &options, err) < 0)
		return -1;
	if (options.version)
		return print_version();
	if (options.help)
		return print_usage(stdout);
	if (at >= argc)
		return err_set(err, OPTIONS_USAGE, "a command is missing, see agentd --help");
	command = find_command(argv[at]);
	if (command && command->failed)
		*failed = command->failed;
	return run_command(command, argc, argv, at, &options, arena, err);
}

int main(int argc, char *argv[])
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct err err = { 0 };
	int status, failed = EXIT_FAILED;

	status = dispatch(argc, argv, arena, &failed, &err);
	if (status >= 0 && check_output(&err) < 0)
		status = -1;
	if (status < 0) {
		log_clean(err.text);
		fprintf(stderr, "agentd: %s\n", err.text);
		log_error("%s", err.text);
		status = err.code == OPTIONS_USAGE ? EXIT_USAGE : failed;
	}
	arena_free(arena);
	return status;
}
