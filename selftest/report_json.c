/*
 * The report as JSON: all that the run knows, for programs; contrib/schema/selftest-1.json says
 * what is in it. Members are added, never renamed: then the number of the schema changes.
 *
 * Left out on purpose, since reports are pasted into issues: names of the host, values of the
 * environment, and what attempts tell of the container beyond their result.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "runtime/version.h"
#include "selftest/report_common.h"

/* A text for people; NULL becomes null. */
static void add_text(struct json *parent, const char *key, const char *text, struct arena *arena)
{
	if (text)
		json_string(parent, key, report_clean(text, arena), arena);
	else
		json_add(parent, key, arena_new_object(arena, struct json)); /* JSON_NULL is 0 */
}

static void add_texts(struct json *parent, const char *key, const char *const *texts, size_t len,
		      struct arena *arena)
{
	struct json *array = json_array(parent, key, arena);

	for (size_t i = 0; i < len; i++)
		add_text(array, NULL, texts[i], arena);
}

static void add_layers(struct json *parent, const char *key, unsigned layers, struct arena *arena)
{
	struct json *array = json_array(parent, key, arena);

	for (const struct name *layer = layer_names; *layer->name; layer++)
		if (layers & layer->value)
			json_string(array, NULL, layer->name, arena);
}

static void add_run(struct json *parent, const struct report *report)
{
	const struct selftest_options *options = report->run->options;
	struct arena *arena = report->arena;
	struct json *run = json_object(parent, "run", arena);
	const struct {
		const char *key;
		const struct spec_strings *strings;
	} lists[] = {
		{ "only", &options->only },
		{ "skip", &options->skip },
		{ "group", &options->group },
		{ "require", &options->require },
		{ "allow_skip", &options->allow_skip },
	};

	json_string(run, "started", report->run->started, arena);
	json_unsigned(run, "duration_ms", report->run->milliseconds, arena);
	json_string(run, "profile", report_profile(report->run), arena);
	json_string(run, "mode", options->in_place ? "in-place" : "containers", arena);
	add_text(run, "bundle", options->bundle, arena);
	json_boolean(run, "strict", options->strict, arena);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		add_texts(run, lists[i].key, lists[i].strings->item, lists[i].strings->len, arena);
	json_boolean(run, "alive", report->run->alive, arena);
	json_boolean(run, "outer_sandbox", report->run->outer, arena);
	add_text(run, "trials", report->run->trials, arena);
}

static void add_host(struct json *parent, const struct report *report)
{
	const struct host *from = &report->run->host;
	struct arena *arena = report->arena;
	struct json *host = json_object(parent, "host", arena);

	add_text(host, "kernel", report->kernel.release, arena);
	add_text(host, "arch", report->kernel.machine, arena);
	json_integer(host, "landlock_abi", from->landlock_abi, arena);
	json_string(host, "cgroup", from->cgroup_root ? "v2" : "none", arena);
	json_unsigned(host, "uid", from->uid, arena);
	json_boolean(host, "privileged", from->privileged, arena);
	json_boolean(host, "rootless", from->rootless, arena);
	json_boolean(host, "initial_user_namespace", from->initial_user_ns, arena);
	json_boolean(host, "apparmor", from->apparmor, arena);
	json_boolean(host, "selinux", from->selinux, arena);
}

static void add_summary(struct json *parent, const struct report *report)
{
	static const char *const results[] = {
		[SELFTEST_CONTAINED] = "contained", [SELFTEST_ESCAPED] = "escaped",
		[SELFTEST_USAGE] = "usage",	    [SELFTEST_UNDECIDED] = "undecided",
		[SELFTEST_BROKEN] = "broken",
	};
	struct arena *arena = report->arena;
	struct json *summary = json_object(parent, "summary", arena);
	const char *worse = report->run->worse ? report->run->worse : "";
	struct json *layers, *array;

	json_string(summary, "result", results[report->status], arena);
	json_integer(summary, "exit_code", report->status, arena);
	json_string(summary, "why", report->why, arena);
	for (const struct name *verdict = verdict_names; *verdict->name; verdict++)
		json_unsigned(summary, verdict->name, report->counts.of[verdict->value], arena);
	add_texts(summary, "unmet", report->run->unmet, report->run->unmet_len, arena);
	array = json_array(summary, "worse", arena);
	for (size_t len; (len = strcspn(worse, "\n")); worse += len + (worse[len] != '\0'))
		json_string(array, NULL, arena_copy(arena, worse, len), arena);
	layers = json_object(summary, "layers", arena);
	for (const struct name *layer = layer_names; *layer->name; layer++) {
		struct report_evidence evidence = report_evidence(report->run, layer->value);
		struct json *object = json_object(layers, layer->name, arena);

		json_unsigned(object, "expected", evidence.expected, arena);
		json_unsigned(object, "observed", evidence.observed, arena);
		json_unsigned(object, "measured", evidence.measured, arena);
	}
}

static void add_expected(struct json *parent, const struct selftest_case *row, struct arena *arena)
{
	struct json *expected = json_object(parent, "expected", arena);
	struct json *any_of = json_array(expected, "any_of", arena);

	json_boolean(expected, "judged", row->judge != 0, arena);
	for (size_t i = 0; i < CASE_ERRNOS_MAX && row->contained[i]; i++) {
		struct json *object = json_object(any_of, NULL, arena);

		json_string(object, "errno", report_errno(row->contained[i], arena), arena);
		json_integer(object, "number", row->contained[i], arena);
	}
	if (row->layers & LAYER_SECCOMP)
		json_string(json_object(any_of, NULL, arena), "signal", "SIGSYS", arena);
}

/* What the kernel answered at one place; `words` are the judge's. */
static void add_observation(struct json *parent, const char *key,
			    const struct observation *observation, const char *words,
			    struct arena *arena)
{
	struct json *object = json_object(parent, key, arena);
	bool refused = observation->done && observation->value < 0;
	const char *signal = NULL;

	if (observation->tried && WIFSIGNALED(observation->wait_status))
		signal = arena_format(arena, "SIG%s",
				      sigabbrev_np(WTERMSIG(observation->wait_status)));
	add_text(object, "text", words, arena);
	json_boolean(object, "tried", observation->tried, arena);
	if (observation->done)
		json_integer(object, "value", observation->value, arena);
	else
		add_text(object, "value", NULL, arena);
	add_text(object, "errno", refused ? report_errno(observation->error, arena) : NULL, arena);
	if (refused)
		json_integer(object, "number", observation->error, arena);
	add_text(object, "signal", signal, arena);
	json_unsigned(object, "duration_us", observation->microseconds, arena);
}

static void add_layers_of(struct json *parent, const struct result *result, bool matrix,
			  struct arena *arena)
{
	struct json *layers = json_object(parent, "layers", arena), *cells;

	add_layers(layers, "expected", result->row->layers, arena);
	add_layers(layers, "observed", result->observed_layers, arena);
	json_boolean(layers, "measured", result->measured, arena);
	if (!matrix)
		return;
	cells = json_object(layers, "matrix", arena);
	for (const struct name *layer = layer_names; *layer->name; layer++)
		json_string(cells, layer->name,
			    report_cells[report_cell(result, layer->value)].word, arena);
}

static void add_references(struct json *parent, const struct selftest_case *row,
			   struct arena *arena)
{
	struct json *references = json_array(parent, "references", arena);
	struct json *mappings = json_array(parent, "mappings", arena), *mapping;
	const char *words = row->references;
	struct report_reference reference;

	while (report_reference(&words, arena, &reference)) {
		if (!reference.framework) {
			json_string(references, NULL, reference.control, arena);
			continue;
		}
		mapping = json_object(mappings, NULL, arena);
		json_string(mapping, "framework", reference.framework->name, arena);
		if (*reference.framework->version)
			json_string(mapping, "version", reference.framework->version, arena);
		json_string(mapping, "control", reference.control, arena);
		json_string(mapping, "relation", "evidence-towards", arena);
	}
}

static void add_canary(struct json *parent, const struct result *result, bool matrix,
		       struct arena *arena)
{
	const struct selftest_case *row = result->row;
	struct json *canary = json_object(parent, NULL, arena), *control;

	json_string(canary, "id", row->id, arena);
	json_string(canary, "group", row->group, arena);
	json_string(canary, "severity", name_text(severity_names, row->severity), arena);
	json_string(canary, "verdict", name_text(verdict_names, result->verdict), arena);
	add_text(canary, "reason", *result->reason ? result->reason : NULL, arena);
	json_string(canary, "attempt", row->attempt, arena);
	add_expected(canary, row, arena);
	add_observation(canary, "observed", &result->target, result->observed, arena);
	add_layers_of(canary, result, matrix, arena);
	control = json_object(canary, "control", arena);
	json_string(control, "kind", name_text(control_names, row->control), arena);
	add_observation(control, "observed", &result->control,
			report_observation(&result->control, arena), arena);
	add_text(canary, "remedy", *row->remedy ? row->remedy : NULL, arena);
	add_text(canary, "limitation", *row->limitation ? row->limitation : NULL, arena);
	add_references(canary, row, arena);
}

struct json *report_tree(const struct selftest_run *run, struct arena *arena)
{
	const struct report report = report_open(run, NULL, arena);
	struct json *tree = json_object(NULL, NULL, arena), *tool, *canaries;

	json_string(tree, "schema", REPORT_SCHEMA, arena);
	tool = json_object(tree, "tool", arena);
	json_string(tool, "name", "agentd", arena);
	json_string(tool, "version", AGENTD_VERSION, arena);
	add_run(tree, &report);
	add_host(tree, &report);
	add_summary(tree, &report);
	add_texts(tree, "notes", run->notes, run->notes_len, arena);
	canaries = json_array(tree, "canaries", arena);
	for (size_t i = 0; i < run->results_len; i++)
		add_canary(canaries, &run->results[i], report_has_matrix(run), arena);
	return tree;
}

int report_json_write(const struct selftest_run *run, FILE *to, struct arena *arena,
		      struct err *err)
{
	const struct report report = { .to = to };
	size_t size;
	const char *text = json_print(report_tree(run, arena), true, arena, &size);

	fwrite(text, 1, size, to);
	return report_close(&report, err);
}
