/*
 * agentd selftest: options to a run, reports to where they are wanted, and the exit status.
 *
 * The status is the run's, whatever the format, wherever the reports go. An error of ours is never
 * taken for one: 2 is wrong usage, 4 that nothing can be said.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "selftest/benchmark.h"
#include "selftest/commands.h"
#include "selftest/report_common.h"
#include "selftest/select.h"

#define LAST_FILE ".selftest.json" /* in the directory of the containers */

/* clang-format off */
const struct option_row selftest_options[] = {
	{ "quick", 0, OPTION_FLAG, offsetof(struct options, quick), NULL, "the most telling attempts, in a tenth of a second" },
	{ "comprehensive", 0, OPTION_FLAG, offsetof(struct options, comprehensive), NULL, "all of them, and which layer stops what alone" },
	{ "only", 0, OPTION_LIST, offsetof(struct options, only), "ID,...", "these attempts; * and ? stand for others" },
	{ "skip", 0, OPTION_LIST, offsetof(struct options, skip), "ID,...", "not these" },
	{ "group", 0, OPTION_LIST, offsetof(struct options, group), "GROUP,...", "those of these groups" },
	{ "require", 0, OPTION_LIST, offsetof(struct options, require), "LAYER,...",
	  "fail without these: seccomp, landlock=ABI, userns" },
	{ "allow-skip", 0, OPTION_LIST, offsetof(struct options, allow_skip), "LAYER,...", "it is all right if these cannot be tested" },
	{ "strict", 0, OPTION_FLAG, offsetof(struct options, strict), NULL, "whatever is undecided makes the run so" },
	{ "in-place", 0, OPTION_FLAG, offsetof(struct options, in_place), NULL, "no containers: what a process can put on itself" },
	{ "format", 'f', OPTION_TEXT, offsetof(struct options, format), "FORMAT", "text, json, junit, tap, sarif or html" },
	{ "output", 'o', OPTION_LIST, offsetof(struct options, output), "FILE", "a report into FILE, in the format of its ending" },
	{ "baseline", 0, OPTION_TEXT, offsetof(struct options, baseline), "FILE", "fail if worse than this JSON report" },
	{ "timeout", 0, OPTION_NUMBER, offsetof(struct options, timeout), "SECONDS", "for the whole run" },
	{ "list", 0, OPTION_FLAG, offsetof(struct options, list), NULL, "print the attempts and make none" },
	{ "explain", 0, OPTION_TEXT, offsetof(struct options, explain), "ID", "print what an attempt is about" },
	{ "last", 0, OPTION_FLAG, offsetof(struct options, last), NULL, "print the report of the last run as JSON" },
	{ "benchmark", 0, OPTION_FLAG, offsetof(struct options, benchmark), NULL, "measure what each layer costs" },
	{ 0 }
};
/* clang-format on */

/* --- the catalogue --------------------------------------------------------------------------- */

static const char *profiles_text(unsigned profiles)
{
	return profiles & PROFILE_QUICK	     ? "quick"
	       : profiles & PROFILE_STANDARD ? "standard"
					     : "comprehensive";
}

static bool list_row(const struct selftest_case *row, void *context)
{
	if (select_case(context, row) == SELECT_RUN)
		printf("%-28s %-12s %-9s %-14s %s\n", row->id, row->group,
		       name_text(severity_names, row->severity), profiles_text(row->profiles),
		       row->attempt);
	return true;
}

/* clang-format off */
/* How it is known that the attempt could have got through. */
static const char *const controls[] = {
	[CONTROL_HOST]     = "the same on the host, without any layer",
	[CONTROL_TWIN]     = "the same as root of fresh namespaces, without any other layer",
	[CONTROL_ORACLE]   = "as twin, and past the check of rights it ends with ",
	[CONTROL_DECOY]    = "the same on the host, where it reaches what was laid out for it",
	[CONTROL_ABLATION] = "the same container, without ",
	[CONTROL_COUNTER]  = "as twin, and a counter of the kernel must move in the container",
	[CONTROL_NONE]     = "there is nothing to compare with",
};
/* clang-format on */

static const char *errnos_text(const int errnos[CASE_ERRNOS_MAX], struct arena *arena)
{
	const char *text = "";

	for (size_t i = 0; i < CASE_ERRNOS_MAX && errnos[i]; i++)
		text = arena_format(arena, "%s%s%s", text, i ? ", " : "",
				    report_errno(errnos[i], arena));
	return text;
}

static void print_control(const struct selftest_case *row, struct arena *arena)
{
	printf("%-13s%s: %s%s\n", "control", name_text(control_names, row->control),
	       controls[row->control],
	       row->control == CONTROL_ORACLE	  ? errnos_text(row->through, arena)
	       : row->control == CONTROL_ABLATION ? report_layers(row->without, arena)
						  : "");
}

static void print_references(const char *words, struct arena *arena)
{
	struct report_reference reference;

	for (const char *key = "references"; report_reference(&words, arena, &reference); key = "")
		if (reference.framework)
			printf("%-13s%s: %s\n", key, reference.framework->name, reference.control);
		else
			printf("%-13s%s\n", key, reference.control);
}

static int explain(const char *id, struct arena *arena, struct err *err)
{
	const struct selftest_case *row = case_find(id);
	const char *errnos;

	if (!row)
		return err_set(err, OPTIONS_USAGE,
			       "--explain: no attempt is '%s'; see agentd selftest --list", id);
	errnos = errnos_text(row->contained, arena);
	printf("%s (%s, %s)\n\n", row->id, row->group, name_text(severity_names, row->severity));
	printf("%-13s%s\n", "attempt", row->attempt);
	if (*errnos)
		printf("%-13s%s%s\n", "contained by", errnos,
		       row->layers & LAYER_SECCOMP ? ", SIGSYS" : "");
	if (row->judge)
		printf("%-13s%s\n", "judged", "from what is seen outside of the container");
	printf("%-13s%s\n", "layers", report_layers(row->layers, arena));
	print_control(row, arena);
	printf("%-13s%s\n", "profile", profiles_text(row->profiles));
	if (*row->remedy)
		printf("%-13s%s\n", "remedy", row->remedy);
	if (*row->limitation)
		printf("%-13s%s\n", "limitation", row->limitation);
	print_references(row->references, arena);
	return 0;
}

/* --- the last report ------------------------------------------------------------------------- */

static int open_root(const struct settings *settings, bool make, int *dir, struct err *err)
{
	struct host host;

	if (host_probe(&host, settings->rootless, settings->arena, err) < 0)
		return -1;
	return state_root_open(settings->root, host.rootless, make, dir, err);
}

/* That the report cannot be kept changes nothing of the result. */
static void keep(const struct selftest_run *run, struct arena *arena)
{
	autoclose int dir = -1;
	struct err err;
	size_t size;
	const char *text = json_print(report_tree(run, arena), true, arena, &size);

	if (open_root(run->settings, true, &dir, &err) < 0 ||
	    file_replace(dir, LAST_FILE, text, size, 0600, &err) < 0)
		log_warn("keep the report: %s", err.text);
}

/* The status is that of the run, so that a health check need not run it again. */
static int print_last(const struct settings *settings, struct err *err)
{
	const struct json *code;
	autoclose int dir = -1;
	struct json *tree;
	int64_t status;
	size_t size;
	char *text;

	if (open_root(settings, false, &dir, err) < 0 && err->code != ENOENT)
		return -1;
	if (dir < 0 || faccessat(dir, LAST_FILE, F_OK, 0) < 0)
		return err_set(err, OPTIONS_USAGE, "--last: there was no run yet");
	if (file_read(dir, LAST_FILE, JSON_BYTES_MAX, settings->arena, &text, &size, err) < 0 ||
	    json_parse(text, size, settings->arena, &tree, err) < 0)
		return err_wrap(err, "--last");
	code = json_member(tree, "summary");
	code = code ? json_member(code, "exit_code") : NULL;
	if (!code || !json_i64(code, &status) || status < SELFTEST_CONTAINED ||
	    status > SELFTEST_BROKEN)
		return err_set(err, EBADMSG, "--last: " LAST_FILE " is not a report");
	fwrite(text, 1, size, stdout);
	return (int)status;
}

/* --- reports --------------------------------------------------------------------------------- */

static int find_format(const char *name, const char *option, const struct report_format **format,
		       struct err *err)
{
	*format = report_find(name);
	return *format ? 0
		       : err_set(err, OPTIONS_USAGE,
				 "%s: '%s' is none of text, json, junit, tap, sarif, html", option,
				 name);
}

/* Before anything runs: a report that cannot be written must not be found out afterwards. */
static int check_reports(const struct options *options, struct err *err)
{
	const struct report_format *format;

	if (options->format && find_format(options->format, "--format", &format, err) < 0)
		return -1;
	for (size_t i = 0; !options->format && i < options->output.len; i++)
		if (find_format(options->output.item[i], "--output", &format, err) < 0)
			return -1;
	return 0;
}

static int write_file(const struct selftest_run *run, const struct report_format *format,
		      const char *path, struct err *err)
{
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
	FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
	int result;

	if (!to)
		return err_sys(err, "open %s", path);
	fd_take(&fd);
	result = format->write(run, to, run->settings->arena, err);
	if (fclose(to) != 0 && result == 0)
		return err_sys(err, "write %s", path);
	return result < 0 ? err_wrap(err, "%s", path) : 0;
}

/* Without files the report goes to standard output; with them, what a person reads does. */
static int write_reports(const struct options *options, const struct selftest_run *run,
			 struct err *err)
{
	const bool files = options->output.len > 0;
	const char *word = options->format && !files ? options->format : "text";

	for (size_t i = 0; i < options->output.len; i++) {
		const char *path = options->output.item[i];
		const char *name = options->format ? options->format : path;

		if (write_file(run, report_find(name), path, err) < 0)
			return -1;
	}
	return report_find(word)->write(run, stdout, run->settings->arena, err);
}

static void tell_progress(size_t attempts, size_t places)
{
	fprintf(stderr, "\r\033[Kselftest: %zu attempts in %zu places ...", attempts, places);
}

static void end_progress(void)
{
	fprintf(stderr, "\r\033[K");
}

/* --- the command ----------------------------------------------------------------------------- */

static int convert(const struct options *options, struct selftest_options *to, struct err *err)
{
	if (options->quick && options->comprehensive)
		return err_set(err, OPTIONS_USAGE,
			       "--quick and --comprehensive exclude each other");
	if (options->benchmark && (options->format || options->output.len))
		return err_set(err, OPTIONS_USAGE, "--benchmark prints text alone");
	if (check_reports(options, err) < 0)
		return -1;
	*to = (struct selftest_options){
		.profile = options->quick	    ? PROFILE_QUICK
			   : options->comprehensive ? PROFILE_COMPREHENSIVE
						    : PROFILE_STANDARD,
		.bundle = options->arguments.len ? options->arguments.item[0] : NULL,
		.only = options->only,
		.skip = options->skip,
		.group = options->group,
		.require = options->require,
		.allow_skip = options->allow_skip,
		.strict = options->strict,
		.in_place = options->in_place,
		.baseline = options->baseline,
		.timeout_s = options->timeout,
		.progress = isatty(STDERR_FILENO) ? tell_progress : NULL,
	};
	return 0;
}

static int run_and_report(const struct options *options, const struct selftest_options *chosen,
			  const struct settings *settings, struct err *err)
{
	struct selftest_run run;
	const char *why;
	int result = selftest_run(settings, chosen, settings->arena, &run, err);

	if (chosen->progress)
		end_progress();
	if (result < 0)
		return -1;
	keep(&run, settings->arena);
	if (write_reports(options, &run, err) < 0)
		return -1;
	return selftest_status(&run, settings->arena, &why);
}

int cmd_selftest(const struct options *options, const struct settings *settings, struct err *err)
{
	struct selftest_options chosen;

	if (options->explain)
		return explain(options->explain, settings->arena, err);
	if (options->last)
		return print_last(settings, err);
	if (convert(options, &chosen, err) < 0)
		return -1;
	if (options->list) {
		if (!options->quick && !options->comprehensive)
			chosen.profile = PROFILE_ALL;
		if (select_check(&chosen, err) < 0)
			return -1;
		cases_each(list_row, &chosen);
		return 0;
	}
	if (options->benchmark)
		return benchmark(settings, &chosen, stdout, err);
	return run_and_report(options, &chosen, settings, err);
}
