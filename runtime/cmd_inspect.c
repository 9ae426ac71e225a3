/*
 * The commands that look and change nothing: state, list, ps, explain, features; and spec, which
 * writes a configuration to begin with.
 *
 * Their results go to standard output, and nothing at all to standard error unless they fail:
 * callers read both together as JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "isolation/idmap.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/cmd.h"
#include "runtime/explain.h"
#include "runtime/features.h"

#define PS_OUTPUT_MAX (16u << 20)

/* clang-format off */
static const struct option_row format_options[] = {
	{ "format", 'f', OPTION_TEXT, offsetof(struct options, format), "FORMAT", "table (the default) or json" },
	{ 0 }
};

static const struct option_row list_options[] = {
	{ "quiet", 'q', OPTION_FLAG, offsetof(struct options, quiet), NULL, "the ids alone" },
	{ 0 }
};

static const struct option_row spec_options[] = {
	{ "bundle", 'b', OPTION_TEXT, offsetof(struct options, bundle), "DIR", "where to write it; the default is here" },
	{ "rootless", 0, OPTION_FLAG, offsetof(struct options, map_root), NULL, "for a caller who is not root" },
	{ 0 }
};
/* clang-format on */

static int print_json(const struct json *value, struct arena *arena)
{
	size_t size;
	char *text = json_print(value, true, arena, &size);

	fwrite(text, 1, size, stdout);
	return 0;
}

static int parse_format(const struct options *options, bool *json, struct err *err)
{
	*json = options->format && strcmp(options->format, "json") == 0;
	if (options->format && !*json && strcmp(options->format, "table") != 0)
		return err_set(err, OPTIONS_USAGE, "--format is table or json, not '%s'",
			       options->format);
	return 0;
}

static int cmd_state(const struct options *options, const struct settings *settings,
		     struct err *err)
{
	enum state_status status;
	struct state *state;

	if (container_state(settings, options->arguments.item[0], &state, &status, err) < 0)
		return -1;
	return print_json(state_tree(NULL, state, status, settings->arena), settings->arena);
}

/* --- list ------------------------------------------------------------------------------------ */

#define LIST_COLUMNS 6

struct table {
	struct arena *arena;
	const char *(*rows)[LIST_COLUMNS];
	size_t len;
};

/* A row, of copies of its cells. */
static void add_row(struct table *table, const char *const cells[LIST_COLUMNS])
{
	table->rows = arena_grow(table->arena, table->rows, table->len, sizeof(*table->rows));
	for (size_t i = 0; i < LIST_COLUMNS; i++)
		table->rows[table->len][i] =
			cells[i] ? arena_copy(table->arena, cells[i], strlen(cells[i])) : "";
	table->len++;
}

/* Each column as wide as its longest cell. */
static void print_table(const struct table *table)
{
	size_t widths[LIST_COLUMNS] = { 0 };

	for (size_t row = 0; row < table->len; row++)
		for (size_t column = 0; column < LIST_COLUMNS; column++)
			if (strlen(table->rows[row][column]) > widths[column])
				widths[column] = strlen(table->rows[row][column]);
	for (size_t row = 0; row < table->len; row++)
		for (size_t column = 0; column < LIST_COLUMNS; column++)
			if (column + 1 < LIST_COLUMNS)
				printf("%-*s  ", (int)widths[column], table->rows[row][column]);
			else
				printf("%s\n", table->rows[row][column]);
}

static void list_in_table(const struct state *state, enum state_status status, struct arena *arena,
			  void *table)
{
	const char *pid = arena_format(arena, "%d", (int)state_pid(state, status));

	add_row(table, (const char *[]){ state->id, pid, state_status_text(status), state->bundle,
					 state->created, state->owner });
}

static void list_as_json(const struct state *state, enum state_status status, struct arena *arena,
			 void *data)
{
	bool *first = data;
	size_t size;
	char *text = state_oci(state, status, arena, &size);

	fputs(*first ? "[\n" : ",\n", stdout);
	fwrite(text, 1, size - 1, stdout); /* without the end of the line */
	*first = false;
}

static int list_ids(const struct settings *settings, struct err *err)
{
	struct spec_strings ids = { 0 };

	if (container_list(settings, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.len; i++)
		puts(ids.item[i]);
	return 0;
}

static int cmd_list(const struct options *options, const struct settings *settings, struct err *err)
{
	struct table table = { .arena = settings->arena };
	bool json, first = true;

	if (parse_format(options, &json, err) < 0)
		return -1;
	if (options->quiet)
		return list_ids(settings, err);
	if (json) {
		if (container_each(settings, list_as_json, &first, err) < 0)
			return -1;
		puts(first ? "[]" : "\n]");
		return 0;
	}
	add_row(&table, (const char *[]){ "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" });
	if (container_each(settings, list_in_table, &table, err) < 0)
		return -1;
	print_table(&table);
	return 0;
}

/* --- ps -------------------------------------------------------------------------------------- */

static bool contains(const pid_t *pids, size_t len, long pid)
{
	for (size_t i = 0; i < len; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

/* The nth blank-separated word of a line, or NULL. */
static const char *nth_word(const char *line, size_t n)
{
	line += strspn(line, " ");
	for (; n && *line; n--) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return *line ? line : NULL;
}

static bool pid_column(const char *header, size_t *column)
{
	const char *word;

	for (*column = 0; (word = nth_word(header, *column)); ++*column)
		if (strcspn(word, " ") == 3 && strncmp(word, "PID", 3) == 0)
			return true;
	return false;
}

/* Runs ps(1), which must find the container's processes among all: its standard output. */
static int run_ps(const char **argv, struct arena *arena, char **output, struct err *err)
{
	autoclose int from = -1, to = -1;
	char path[32];
	int ends[2], status, result;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	from = ends[0];
	to = ends[1];
	pid = fork();
	if (pid < 0)
		return err_sys(err, "fork");
	if (pid == 0) {
		dup2(to, STDOUT_FILENO);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", from);
	fd_close(&to);
	result = file_read(AT_FDCWD, path, PS_OUTPUT_MAX, arena, output, NULL, err);
	fd_close(&from); /* a ps that has more to say gets SIGPIPE */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (result < 0)
		return -1;
	if (status != 0)
		return err_set(err, ECHILD,
			       "ps(1) failed, or is not installed; --format json does not need it");
	return 0;
}

static int print_ps(const struct options *options, const pid_t *pids, size_t len,
		    struct arena *arena, struct err *err)
{
	size_t more = options->arguments.len - 1, column;
	const char **argv = arena_new_array(arena, const char *, more + 3);
	char *output, *line;

	argv[0] = "ps";
	argv[1] = "-ef";
	if (more)
		memcpy(argv + 1, options->arguments.item + 1, more * sizeof(*argv));
	if (run_ps(argv, arena, &output, err) < 0)
		return -1;
	line = strsep(&output, "\n");
	if (!pid_column(line, &column))
		return err_set(err, EINVAL, "ps(1) printed no column PID");
	printf("%s\n", line);
	while ((line = strsep(&output, "\n"))) {
		const char *word = nth_word(line, column);

		if (word && contains(pids, len, strtol(word, NULL, 10)))
			printf("%s\n", line);
	}
	return 0;
}

static int cmd_ps(const struct options *options, const struct settings *settings, struct err *err)
{
	struct json *array = json_array(NULL, NULL, settings->arena);
	pid_t *pids;
	size_t len;
	bool json;

	if (parse_format(options, &json, err) < 0 ||
	    container_pids(settings, options->arguments.item[0], &pids, &len, err) < 0)
		return -1;
	if (!json)
		return print_ps(options, pids, len, settings->arena, err);
	for (size_t i = 0; i < len; i++)
		json_integer(array, NULL, pids[i], settings->arena);
	return print_json(array, settings->arena);
}

/* --- spec, explain, features ----------------------------------------------------------------- */

static int write_config(const char *bundle, const char *text, size_t size, struct err *err)
{
	autoclose int dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;

	if (dir < 0)
		return err_sys(err, "open bundle %s", bundle);
	fd = openat(dir, SPEC_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd >= 0 && file_write_all(fd, text, size) == 0)
		return 0;
	err_sys(err, "write %s/" SPEC_FILE, bundle);
	if (fd >= 0) /* it is ours, and half of one would be in the way */
		unlinkat(dir, SPEC_FILE, 0);
	return -1;
}

static int cmd_spec(const struct options *options, const struct settings *settings, struct err *err)
{
	struct spec_default with = { .rootless = options->map_root,
				     .args = options->arguments,
				     .terminal = options->arguments.len == 0 };
	const char *bundle = options->bundle ? options->bundle : ".";
	struct host host;
	size_t size;
	char *text;

	if (with.rootless) {
		if (host_probe(&host, true, settings->arena, err) < 0)
			return -1;
		idmap_subordinate(&host, settings->arena, &with.uid_mappings, &with.gid_mappings);
	}
	text = json_print(spec_default(&with, settings->arena), true, settings->arena, &size);
	return write_config(bundle, text, size, err);
}

static int cmd_explain(const struct options *options, const struct settings *settings,
		       struct err *err)
{
	const char *bundle = options->arguments.len ? options->arguments.item[0] : options->bundle;
	struct request request;
	struct plan *plan;

	if (options->arguments.len && options->bundle)
		return err_set(err, OPTIONS_USAGE, "explain: two bundles: %s and %s",
			       options->bundle, bundle);
	if (cmd_request(options, "ID", bundle, settings, &request, err) < 0 ||
	    container_plan(settings, &request, &plan, err) < 0)
		return -1;
	explain_print(plan, settings->arena, stdout);
	return 0;
}

static int cmd_features(const struct options *options, const struct settings *settings,
			struct err *err)
{
	struct host host;

	(void)options;
	if (host_probe(&host, settings->rootless, settings->arena, err) < 0)
		return -1;
	return print_json(features(&host, settings->arena), settings->arena);
}

/* clang-format off */
const struct command inspect_commands[] = {
	{ "state", "ID", "print the state of a container as JSON", 1, 1, .run = cmd_state, .groups = { help_options } },
	{ "list", "", "list the containers", 0, 0, .run = cmd_list, .groups = { list_options, format_options, help_options } },
	{ "ps", "ID [PS OPTIONS...]", "list the processes of a container", 1, UINT_MAX,
	  .verbatim = true, .run = cmd_ps, .groups = { format_options, help_options } },
	{ "spec", "[-- PROGRAM ARGUMENTS...]", "write a configuration to begin with", 0, UINT_MAX,
	  .run = cmd_spec, .groups = { spec_options, help_options } },
	{ "explain", "[BUNDLE/]", "print what would be done for a bundle, and why so", 0, 1,
	  .run = cmd_explain, .groups = { bundle_options, help_options } },
	{ "features", "", "print what this program supports as JSON", 0, 0,
	  .run = cmd_features, .groups = { help_options } },
	{ 0 }
};
/* clang-format on */
