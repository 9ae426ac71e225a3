/*
 * The report as JUnit XML, as Jenkins and GitLab read it: a suite for each group.
 *
 * fail is a failure, error and inconclusive are errors (both count those as failing, rightly),
 * skipped and not applicable are skipped. The last suite is the status of the run, so that an empty
 * run, or a requirement that is not met, is not all green to whoever reads only this.
 */
#include <string.h>

#include "runtime/version.h"
#include "selftest/report_common.h"

static const struct {
	const char *element, *type;
} outcomes[VERDICTS_LEN] = {
	[VERDICT_FAIL] = { "failure", "containment" },
	[VERDICT_ERROR] = { "error", "error" },
	[VERDICT_INCONCLUSIVE] = { "error", "inconclusive" },
	[VERDICT_SKIPPED] = { "skipped", NULL },
	[VERDICT_NOT_APPLICABLE] = { "skipped", NULL },
};

static void print_case(const struct report *report, const struct result *result)
{
	const char *element = outcomes[result->verdict].element;
	const char *type = outcomes[result->verdict].type;
	struct report_detail details[REPORT_DETAILS_MAX];
	size_t len = report_details(report, result, details);

	fprintf(report->to,
		"    <testcase classname=\"agentd.selftest.%s\" name=\"%s\" time=\"%.6f\"",
		result->row->group, result->row->id, result->target.microseconds / 1e6);
	if (!element) {
		fprintf(report->to, "/>\n");
		return;
	}
	fprintf(report->to, ">\n      <%s message=\"%s: %s\"", element,
		name_text(verdict_names, result->verdict),
		report_escape(*result->reason ? result->reason : result->observed, report->arena));
	if (type) {
		fprintf(report->to, " type=\"%s\">%s: %s\n", type, result->row->id,
			report_escape(result->row->attempt, report->arena));
		for (size_t i = 0; i < len; i++)
			fprintf(report->to, "%s: %s\n", details[i].key,
				report_escape(details[i].text, report->arena));
		fprintf(report->to, "</%s>\n", element);
	} else {
		fprintf(report->to, "/>\n");
	}
	fprintf(report->to, "    </testcase>\n");
}

/* The attributes that suites and their root have in common, and the bracket. */
static void print_counts(const struct report *report, const struct report_counts *counts)
{
	fprintf(report->to, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n",
		counts->total, counts->of[VERDICT_FAIL],
		counts->of[VERDICT_ERROR] + counts->of[VERDICT_INCONCLUSIVE],
		counts->of[VERDICT_SKIPPED] + counts->of[VERDICT_NOT_APPLICABLE]);
}

static void print_group(const struct report *report, const char *group)
{
	const struct report_counts counts = report_count(report->run, group);

	fprintf(report->to, "  <testsuite name=\"%s\" timestamp=\"%s\"", group,
		report_escape(report->run->started, report->arena));
	print_counts(report, &counts);
	for (size_t i = 0; i < report->run->results_len; i++)
		if (strcmp(report->run->results[i].row->group, group) == 0)
			print_case(report, &report->run->results[i]);
	fprintf(report->to, "  </testsuite>\n");
}

static void print_property(const struct report *report, const char *name, const char *value)
{
	fprintf(report->to, "      <property name=\"%s\" value=\"%s\"/>\n", name,
		report_escape(value, report->arena));
}

static void print_status(const struct report *report)
{
	struct report_counts counts = { .total = 1 };
	bool failed = report->status != SELFTEST_CONTAINED;

	counts.of[VERDICT_FAIL] = failed;
	fprintf(report->to, "  <testsuite name=\"status\"");
	print_counts(report, &counts);
	fprintf(report->to, "    <properties>\n");
	print_property(report, "agentd", AGENTD_VERSION);
	print_property(report, "platform", report_platform(report));
	print_property(report, "run", report_target(report));
	for (size_t i = 0; i < report->run->notes_len; i++)
		print_property(report, "not tested", report->run->notes[i]);
	fprintf(report->to, "    </properties>\n    <testcase classname=\"agentd.selftest\" "
			    "name=\"status\">\n");
	if (failed)
		fprintf(report->to, "      <failure type=\"status\" message=\"%s: %s\"/>\n",
			report_outcome(report), report_escape(report->why, report->arena));
	fprintf(report->to, "    </testcase>\n  </testsuite>\n");
}

int report_junit_write(const struct selftest_run *run, FILE *to, struct arena *arena,
		       struct err *err)
{
	const struct report report = report_open(run, to, arena);
	struct report_counts counts = report.counts;

	counts.total++;
	counts.of[VERDICT_FAIL] += report.status != SELFTEST_CONTAINED;
	fprintf(to,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"agentd selftest\" time=\"%.3f\"",
		(double)run->milliseconds / 1e3);
	print_counts(&report, &counts);
	for (size_t i = 0; i < report.groups_len; i++)
		print_group(&report, report.groups[i]);
	print_status(&report);
	fprintf(to, "</testsuites>\n");
	return report_close(&report, err);
}
