/*
 * The commands that look at isolation: selftest, audit, check-config, print-seccomp. Each is short:
 * options to a call, and a report to standard output.
 *
 * Exit status 1 means "something was found" here, so all errors of these commands are 2.
 */
#include "selftest/commands.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "selftest/audit.h"
#include "selftest/bpf.h"
#include "selftest/bundle.h"
#include "selftest/check.h"
#include "selftest/selftest.h"

#define AUDIT_SECONDS 30

/* clang-format off */
static const struct option_row format_options[] = {
	{ "format", 'f', OPTION_TEXT, offsetof(struct options, format), "FORMAT", "text (the default) or json" },
	{ 0 }
};

static const struct option_row filter_options[] = {
	{ "format", 'f', OPTION_TEXT, offsetof(struct options, format), "FORMAT", "pfc (the default), bpf, json or raw" },
	{ 0 }
};
/* clang-format on */

/* --- shared ---------------------------------------------------------------------------------- */

static int parse_format(const struct options *options, bool *json, struct err *err)
{
	*json = options->format && strcmp(options->format, "json") == 0;
	if (options->format && !*json && strcmp(options->format, "text") != 0)
		return err_set(err, OPTIONS_USAGE, "--format is text or json, not '%s'",
			       options->format);
	return 0;
}

static void print_json(const struct json *value, struct arena *arena)
{
	size_t size;
	char *text = json_print(value, true, arena, &size);

	fwrite(text, 1, size, stdout);
}

static const char *bundle_argument(const struct options *options)
{
	return options->arguments.len ? options->arguments.item[0] : NULL;
}

/* --- audit ----------------------------------------------------------------------------------- */

static int cmd_audit(const struct options *options, const struct settings *settings,
		     struct err *err)
{
	const char *id = options->arguments.item[0];
	enum state_status status;
	struct state *state;
	struct audit audit;
	struct spec *spec;
	bool json;

	if (parse_format(options, &json, err) < 0 ||
	    container_state(settings, id, &state, &status, err) < 0 ||
	    container_config(settings, id, &spec, err) < 0)
		return -1;
	if (status != STATUS_RUNNING && status != STATUS_PAUSED)
		return err_set(err, OPTIONS_USAGE,
			       "container %s is %s: only a running one has a "
			       "posture",
			       id, state_status_text(status));
	/* a filesystem that the container serves itself may never answer where a path leads */
	alarm(AUDIT_SECONDS);
	if (audit_make(state, spec, settings->arena, &audit, err) < 0)
		return -1;
	alarm(0);
	if (json)
		print_json(audit_tree(&audit, settings->arena), settings->arena);
	else
		audit_print(&audit, settings->arena, stdout);
	return audit.weaker > 0;
}

/* --- check-config ---------------------------------------------------------------------------- */

static int load_bundle(const struct options *options, const struct settings *settings,
		       struct request *request, struct spec **spec, struct err *err)
{
	if (cmd_request(options, "check", bundle_argument(options), settings, request, err) < 0)
		return -1;
	return spec_load_bundle(request->bundle, settings->arena, spec, NULL, NULL, err);
}

static int cmd_check_config(const struct options *options, const struct settings *settings,
			    struct err *err)
{
	struct check_findings findings;
	struct spec *spec = NULL;
	struct request request;
	struct host host;
	bool json;

	if (parse_format(options, &json, err) < 0 ||
	    host_probe(&host, settings->rootless, settings->arena, err) < 0 ||
	    (options->arguments.len && load_bundle(options, settings, &request, &spec, err) < 0))
		return -1;
	check_make(&host, spec, &request, settings->arena, &findings);
	if (json)
		print_json(check_tree(&findings, settings->arena), settings->arena);
	else
		check_print(&findings, settings->arena, stdout);
	return check_failed(&findings);
}

/* --- print-seccomp --------------------------------------------------------------------------- */

static int print_pfc(const struct seccomp_plan *plan, const struct spec *spec, struct arena *arena,
		     struct err *err)
{
	(void)spec;
	(void)err;
	bpf_print_decisions(plan, arena, stdout);
	return 0;
}

static int print_bpf(const struct seccomp_plan *plan, const struct spec *spec, struct arena *arena,
		     struct err *err)
{
	struct sock_fprog program;

	(void)spec;
	if (seccomp_compile(plan, arena, &program, err) < 0)
		return -1;
	bpf_print(&program, arena, stdout);
	return 0;
}

static int print_raw(const struct seccomp_plan *plan, const struct spec *spec, struct arena *arena,
		     struct err *err)
{
	struct sock_fprog program;

	(void)spec;
	if (isatty(STDOUT_FILENO))
		return err_set(err, OPTIONS_USAGE, "--format raw: not to a terminal");
	if (seccomp_compile(plan, arena, &program, err) < 0)
		return -1;
	fwrite(program.filter, sizeof(*program.filter), program.len, stdout);
	return 0;
}

static int print_profile(const struct seccomp_plan *plan, const struct spec *spec,
			 struct arena *arena, struct err *err)
{
	const struct json *linux = json_member(spec_encode(spec, arena), "linux");
	struct json *tree = json_object(NULL, NULL, arena), *list;
	struct sock_fprog program;

	if (seccomp_compile(plan, arena, &program, err) < 0)
		return -1;
	json_add(tree, "seccomp", json_merge(NULL, json_member(linux, "seccomp"), arena));
	list = json_array(tree, "bpf", arena);
	for (size_t i = 0; i < program.len; i++) {
		struct json *row = json_object(list, NULL, arena);

		json_unsigned(row, "code", program.filter[i].code, arena);
		json_unsigned(row, "jt", program.filter[i].jt, arena);
		json_unsigned(row, "jf", program.filter[i].jf, arena);
		json_unsigned(row, "k", program.filter[i].k, arena);
	}
	print_json(tree, arena);
	return 0;
}

static const struct filter_format {
	const char *name;
	int (*print)(const struct seccomp_plan *plan, const struct spec *spec, struct arena *arena,
		     struct err *err);
} filter_formats[] = {
	{ "pfc", print_pfc },
	{ "bpf", print_bpf },
	{ "json", print_profile },
	{ "raw", print_raw },
};

static int find_filter_format(const char *name, const struct filter_format **format,
			      struct err *err)
{
	*format = filter_formats;
	if (!name)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(filter_formats); i++) {
		*format = &filter_formats[i];
		if (strcmp((*format)->name, name) == 0)
			return 0;
	}
	return err_set(err, OPTIONS_USAGE, "--format is pfc, bpf, json or raw, not '%s'", name);
}

/* Without a bundle, the filter of what `agentd spec` prints. */
static int cmd_print_seccomp(const struct options *options, const struct settings *settings,
			     struct err *err)
{
	struct arena *arena = settings->arena;
	const struct filter_format *format;
	struct seccomp_plan plan;
	struct json *config;
	struct spec *spec;
	struct host host;
	size_t size;
	char *text;

	if (find_filter_format(options->format, &format, err) < 0 ||
	    host_probe(&host, settings->rootless, arena, err) < 0 ||
	    bundle_config(bundle_argument(options), &host, arena, &config, err) < 0)
		return -1;
	text = json_print(config, false, arena, &size);
	if (spec_parse(text, size, arena, &spec, err) < 0 ||
	    seccomp_plan(spec, &host, arena, &plan, err) < 0)
		return -1;
	if (!plan.wanted)
		return err_set(err, OPTIONS_USAGE,
			       "linux.seccomp: the configuration has no filter");
	return format->print(&plan, spec, arena, err);
}

/* clang-format off */
const struct command selftest_commands[] = {
	{ "selftest", "[BUNDLE/]", "try to get out of containers, and tell what was contained", 0, 1, .launches = true,
	  .failed = SELFTEST_BROKEN, .run = cmd_selftest, .groups = { selftest_options, help_options } },
	{ "self-test", "[BUNDLE/]", "the same as selftest", 0, 1, .launches = true, .hidden = true,
	  .failed = SELFTEST_BROKEN, .run = cmd_selftest, .groups = { selftest_options, help_options } },
	{ "audit", "ID", "compare a running container with its configuration", 1, 1,
	  .failed = EXIT_USAGE, .run = cmd_audit, .groups = { format_options, help_options } },
	{ "check-config", "[BUNDLE/]", "tell what this host lacks and what a bundle leaves open", 0, 1,
	  .failed = EXIT_USAGE, .run = cmd_check_config, .groups = { format_options, help_options } },
	{ "print-seccomp", "[BUNDLE/]", "print the filter as it would be loaded", 0, 1,
	  .failed = EXIT_USAGE, .run = cmd_print_seccomp, .groups = { filter_options, help_options } },
	{ 0 }
};
/* clang-format on */
