/*
 * The command line as data: a row for each option, from which parsing and --help both come.
 *
 * Accepted are `--name value`, `--name=value`, `-n value`, `-nvalue`, flags in a bunch (`-dt`),
 * long options behind one dash (`-no-subreaper`, as go-runc writes them), and truth values for
 * flags (`--detach=false`). An option given twice counts the last time, a list collects.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "spec/spec.h"

/* The code of an error that is the caller's wrong usage; above every errno. */
#define OPTIONS_USAGE 4096

/* Exit statuses of errors. */
enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* What all options of all commands say; what was not given is NULL, false, 0 or empty. */
struct options {
	/* in front of the command */
	const char *root, *log, *log_format, *log_level, *cgroup_manager, *rootless;
	bool debug, systemd_cgroup, version;
	/* of the commands */
	bool help;
	const char *bundle, *console_socket, *pid_file, *pidfd_socket, *best_effort;
	uint32_t preserve_fds;
	bool detach, keep, no_pivot, no_new_keyring;
	const char *process, *cwd, *user, *apparmor, *process_label, *cgroup;
	struct spec_strings env, caps, additional_gids;
	bool tty, no_new_privs, ignore_paused;
	bool all, force, quiet, map_root;
	const char *format;
	/* of selftest */
	bool quick, comprehensive, benchmark, in_place, strict, list, last;
	struct spec_strings only, skip, group, require, allow_skip, output;
	const char *explain, *baseline;
	uint32_t timeout;
	/* what is left */
	struct spec_strings arguments;
};

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_LIST, OPTION_IGNORED };

struct option_row {
	const char *name; /* NULL ends a table */
	char letter;	  /* 0: none */
	enum option_kind kind;
	size_t offset;	      /* in struct options */
	const char *argument; /* its name in --help */
	const char *help;     /* NULL: accepted for the sake of callers, not told */
};

extern const struct option_row help_options[]; /* --help, of every command */

#define OPTIONS_GROUPS_MAX 5

struct settings;

struct command {
	const char *name;      /* NULL ends a table */
	const char *arguments; /* for --help: "ID [SIGNAL]" */
	const char *help;
	unsigned min, max; /* number of arguments */
	bool verbatim;	   /* behind the first argument nothing is an option */
	bool launches;	   /* starts a process that could get at our executable */
	bool hidden;	   /* another name, not told in --help */
	int failed; /* exit status of an error, where EXIT_FAILED says something else; or 0 */
	/* Carries it out. An exit status, or -1 with an error. */
	int (*run)(const struct options *options, const struct settings *settings, struct err *err);
	const struct option_row *groups[OPTIONS_GROUPS_MAX]; /* ends with NULL */
};

/*
 * Reads options of `groups` from argv[*at] on; `*at` moves behind what was read. With `command`
 * NULL it stops at the first argument, else all that is no option goes to options->arguments.
 */
int options_parse(const struct option_row *const *groups, const struct command *command, int argc,
		  char *const argv[], int *at, struct arena *arena, struct options *options,
		  struct err *err);

/* The rows as lines of --help, at most 80 columns wide. */
void options_print_help(const struct option_row *const *groups, FILE *to);

/* A whole decimal number of at most `max`: no sign, no blank, nothing behind it. */
bool options_number(const char *text, uint32_t max, uint32_t *number);
