/*
 * The report as TAP 13, with the details of what did not pass as YAML.
 *
 * What is undecided is "not ok": a TODO would hide it. The last test is the status of the run, so
 * that an empty run, or a requirement that is not met, is not all "ok" to whoever reads only this.
 */
#include "selftest/report_common.h"

/* A scalar of YAML in double quotes, which are JSON's. */
static const char *quoted(const char *text, struct arena *arena)
{
	return json_print(json_string(NULL, NULL, text, arena), false, arena, NULL);
}

static void print_details(const struct report *report, const struct result *result)
{
	struct report_detail details[REPORT_DETAILS_MAX];
	size_t len = report_details(report, result, details);

	fprintf(report->to, "  ---\n  verdict: %s\n  severity: %s\n  attempt: %s\n",
		name_text(verdict_names, result->verdict),
		name_text(severity_names, result->row->severity),
		quoted(result->row->attempt, report->arena));
	for (size_t i = 0; i < len; i++)
		fprintf(report->to, "  %s: %s\n", details[i].key,
			quoted(details[i].text, report->arena));
	fprintf(report->to, "  ...\n");
}

int report_tap_write(const struct selftest_run *run, FILE *to, struct arena *arena, struct err *err)
{
	const struct report report = report_open(run, to, arena);

	fprintf(to, "TAP version 13\n1..%zu\n# %s\n# %s\n", run->results_len + 1,
		report_platform(&report), report_target(&report));
	for (size_t i = 0; i < run->results_len; i++) {
		const struct result *result = &run->results[i];

		if (result->verdict == VERDICT_PASS) {
			fprintf(to, "ok %zu - %s\n", i + 1, result->row->id);
		} else if (result->verdict <= VERDICT_SKIPPED) {
			fprintf(to, "ok %zu - %s # SKIP %s: %s\n", i + 1, result->row->id,
				name_text(verdict_names, result->verdict),
				report_clean(result->reason, arena));
		} else {
			fprintf(to, "not ok %zu - %s\n", i + 1, result->row->id);
			print_details(&report, result);
		}
	}
	for (size_t i = 0; i < run->notes_len; i++)
		fprintf(to, "# not tested: %s\n", report_clean(run->notes[i], arena));
	fprintf(to, "%s %zu - status %d: %s\n# %s\n",
		report.status == SELFTEST_CONTAINED ? "ok" : "not ok", run->results_len + 1,
		report.status, report_outcome(&report), report.why);
	return report_close(&report, err);
}
