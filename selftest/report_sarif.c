/*
 * The report as SARIF 2.1.0 (OASIS standard), for code scanning: what got through and nothing else,
 * at the configuration, which is the file that a change would mend.
 */
#include "runtime/version.h"
#include "selftest/report_common.h"

/* section 3.27.10, and what GitHub orders by: security-severity, 0.0 to 10.0 */
/* clang-format off */
static const struct {
	const char *level, *score;
} severities[] = {
	[SEVERITY_INFO]     = { "note",    "1.0" },
	[SEVERITY_LOW]      = { "note",    "3.0" },
	[SEVERITY_MEDIUM]   = { "warning", "5.0" },
	[SEVERITY_HIGH]     = { "error",   "8.0" },
	[SEVERITY_CRITICAL] = { "error",   "9.5" },
};
/* clang-format on */

static void add_message(struct json *parent, const char *key, const char *text, struct arena *arena)
{
	json_string(json_object(parent, key, arena), "text", text, arena);
}

static void add_rule(struct json *rules, const struct selftest_case *row, struct arena *arena)
{
	struct json *rule = json_object(rules, NULL, arena), *properties, *tags;
	const char *words = row->references;
	struct report_reference reference;

	json_string(rule, "id", row->id, arena);
	add_message(rule, "shortDescription", row->attempt, arena);
	if (*row->remedy)
		add_message(rule, "help", row->remedy, arena);
	properties = json_object(rule, "properties", arena);
	json_string(properties, "security-severity", severities[row->severity].score, arena);
	tags = json_array(properties, "tags", arena);
	json_string(tags, NULL, "security", arena);
	while (report_reference(&words, arena, &reference))
		if (!reference.framework)
			json_string(tags, NULL, reference.control, arena);
}

static void add_result(struct json *results, const struct report *report,
		       const struct result *result)
{
	struct arena *arena = report->arena;
	struct json *object = json_object(results, NULL, arena), *place;
	struct report_detail details[REPORT_DETAILS_MAX];
	size_t len = report_details(report, result, details);
	const char *text = arena_format(arena, "%s got through", result->row->attempt);

	for (size_t i = 0; i < len; i++)
		text = arena_format(arena, "%s; %s: %s", text, details[i].key, details[i].text);
	json_string(object, "ruleId", result->row->id, arena);
	json_string(object, "level", severities[result->row->severity].level, arena);
	add_message(object, "message", text, arena);
	place = json_object(json_array(object, "locations", arena), NULL, arena);
	place = json_object(place, "physicalLocation", arena);
	json_string(json_object(place, "artifactLocation", arena), "uri", SPEC_FILE, arena);
	json_integer(json_object(place, "region", arena), "startLine", 1, arena);
}

int report_sarif_write(const struct selftest_run *run, FILE *to, struct arena *arena,
		       struct err *err)
{
	const struct report report = report_open(run, to, arena);
	struct json *tree = json_object(NULL, NULL, arena);
	struct json *object, *driver, *rules, *results;
	const char *text;
	size_t size;

	json_string(tree, "$schema", "https://json.schemastore.org/sarif-2.1.0.json", arena);
	json_string(tree, "version", "2.1.0", arena);
	object = json_object(json_array(tree, "runs", arena), NULL, arena);
	driver = json_object(json_object(object, "tool", arena), "driver", arena);
	json_string(driver, "name", "agentd selftest", arena);
	json_string(driver, "version", AGENTD_VERSION, arena);
	rules = json_array(driver, "rules", arena);
	results = json_array(object, "results", arena);
	for (size_t i = 0; i < run->results_len; i++) {
		if (run->results[i].verdict != VERDICT_FAIL)
			continue;
		add_rule(rules, run->results[i].row, arena);
		add_result(results, &report, &run->results[i]);
	}
	object = json_object(json_array(object, "invocations", arena), NULL, arena);
	json_boolean(object, "executionSuccessful",
		     report.status == SELFTEST_CONTAINED || report.status == SELFTEST_ESCAPED,
		     arena);
	json_integer(object, "exitCode", report.status, arena);
	json_string(object, "exitCodeDescription", report.why, arena);
	text = json_print(tree, true, arena, &size);
	fwrite(text, 1, size, to);
	return report_close(&report, err);
}
