/*
 * The report as one HTML file for a browser: nothing is loaded from anywhere (its policy forbids
 * it), and it has no script. It is well-formed XML too, so that it can be checked.
 *
 * The section on frameworks says "evidence towards" and no more: what is tested here is a part of
 * what any of their controls asks for.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/version.h"
#include "selftest/report_common.h"

/* Colours have one meaning each; none is the only carrier of it (words and symbols say it too). */
/* clang-format off */
static const char style[] =
	":root{color-scheme:light dark;--page:#fff;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;--card:#f6f8fa;"
	"--bad:#b3261e;--badly:#fdecea;--unsure:#7a5200;--unsurely:#fff4d6;--good:#116329;--goodly:#e3f6e8;--calm:#e7ecf1}\n"
	"@media(prefers-color-scheme:dark){:root{--page:#0f1318;--text:#e4e9ef;--soft:#9aa6b2;--line:#303943;--card:#181e25;"
	"--bad:#ff9d94;--badly:#421a18;--unsure:#f0c469;--unsurely:#392c10;--good:#7fd697;--goodly:#12331c;--calm:#262e37}}\n"
	"*{box-sizing:border-box}"
	"body{margin:0 auto;max-width:70rem;padding:1.5rem;background:var(--page);color:var(--text);"
	"font:15px/1.5 system-ui,'Segoe UI','DejaVu Sans',sans-serif}\n"
	"h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .6rem;padding-bottom:.2rem;border-bottom:1px solid var(--line)}"
	"h3{font-size:1rem;margin:0 0 .4rem}p{margin:.4rem 0}.soft{color:var(--soft)}\n"
	".id{font:13px/1.5 ui-monospace,'DejaVu Sans Mono',monospace}td.id{white-space:nowrap}td.ids{white-space:normal;min-width:14rem}\n"
	".result{margin:1rem 0;padding:.8rem 1rem;border-left:.4rem solid;border-radius:.3rem}.result strong{font-size:1.2rem}\n"
	".card{margin:.8rem 0;padding:.8rem 1rem;border:1px solid var(--line);border-left:.4rem solid var(--bad);"
	"border-radius:.3rem;background:var(--card)}\n"
	"dl{display:grid;grid-template-columns:7rem 1fr;gap:.15rem .8rem;margin:.4rem 0 0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;width:100%}"
	"th,td{padding:.3rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}"
	"th{color:var(--soft);font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\n"
	"summary{cursor:pointer;padding:.4rem 0}details{border-bottom:1px solid var(--line)}details table{margin:0 0 1rem}\n"
	".tag{display:inline-block;padding:0 .5rem;border-radius:.7rem;white-space:nowrap;font-size:.85rem;background:var(--calm)}\n"
	".calm{background:var(--calm)}.bad{color:var(--bad);background:var(--badly)}.unsure{color:var(--unsure);background:var(--unsurely)}"
	".good{color:var(--good);background:var(--goodly)}\n"
	".matrix td,.matrix th{padding:.15rem .4rem;text-align:center;border:1px solid var(--line)}.matrix td:first-child{text-align:left}"
	".matrix .none{color:var(--soft)}.matrix .alone{font-weight:700}\n"
	".legend{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:0;list-style:none}\n"
	"@media print{body{max-width:none;padding:0}.card{break-inside:avoid}}\n";

static const struct {
	const char *class, *word;
} verdicts[VERDICTS_LEN] = {
	[VERDICT_PASS]           = { "good",   "✔ passed" },
	[VERDICT_NOT_APPLICABLE] = { "calm",   "○ not applicable" },
	[VERDICT_SKIPPED]        = { "calm",   "○ skipped" },
	[VERDICT_INCONCLUSIVE]   = { "unsure", "? inconclusive" },
	[VERDICT_ERROR]          = { "unsure", "! broken" },
	[VERDICT_FAIL]           = { "bad",    "✘ failed" },
};

static const char *const cell_classes[CELLS_LEN] = {
	[CELL_NONE] = "none", [CELL_EXPECTED] = "calm", [CELL_OTHERS] = "unsure",
	[CELL_DECIDED] = "good", [CELL_ALONE] = "good alone", [CELL_MISSED] = "bad",
};
/* clang-format on */

static void print_head(const struct report *report)
{
	bool good = report->status == SELFTEST_CONTAINED;
	const char *demand;

	fprintf(report->to,
		"<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" "
		"lang=\"en\">\n<head>\n"
		"<meta charset=\"utf-8\"/>\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'\"/>\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		"<title>agentd selftest: %s</title>\n<style>\n%s</style>\n</head>\n<body>\n",
		report_outcome(report), style);
	fprintf(report->to,
		"<h1>agentd selftest</h1>\n<p class=\"soft\">agentd %s, %s, %s</p>\n"
		"<div class=\"result %s\"><strong>%s</strong><p>%s</p><p>%s, on Linux %s "
		"%s</p>\n",
		AGENTD_VERSION, report_escape(report_target(report), report->arena),
		report->run->started, good ? "good" : "bad", report_outcome(report),
		report_escape(report->why, report->arena),
		report_counts_text(&report->counts, report->arena),
		report_escape(report->kernel.release, report->arena), report->kernel.machine);
	for (size_t i = 0; (demand = report_demand(report, i)); i++)
		fprintf(report->to, "<p>%s</p>\n", report_escape(demand, report->arena));
	fprintf(report->to, "</div>\n");
}

static void print_details(const struct report *report, const struct result *result)
{
	struct report_detail details[REPORT_DETAILS_MAX];
	size_t len = report_details(report, result, details);

	fprintf(report->to, "<dl>");
	for (size_t i = 0; i < len; i++)
		fprintf(report->to, "<dt>%s</dt><dd>%s</dd>\n", details[i].key,
			report_escape(details[i].text, report->arena));
	fprintf(report->to, "</dl>");
}

/* What got through, each with its remedy. */
static void print_failures(const struct report *report)
{
	if (report->counts.of[VERDICT_FAIL] == 0)
		return;
	fprintf(report->to, "<h2>Got through</h2>\n");
	for (size_t i = 0; i < report->run->results_len; i++) {
		const struct result *result = &report->run->results[i];

		if (result->verdict != VERDICT_FAIL)
			continue;
		fprintf(report->to,
			"<div class=\"card\"><h3><span class=\"tag bad\">✘ %s</span> "
			"<span class=\"id\">%s</span></h3><p>%s</p>",
			name_text(severity_names, result->row->severity), result->row->id,
			report_escape(result->row->attempt, report->arena));
		print_details(report, result);
		fprintf(report->to, "</div>\n");
	}
}

static void print_platform(const struct report *report)
{
	const struct selftest_run *run = report->run;

	fprintf(report->to, "<h2>Platform</h2>\n<p>%s</p>\n",
		report_escape(report_platform(report), report->arena));
	if (run->trials)
		fprintf(report->to, "<p>%s</p>\n", report_escape(run->trials, report->arena));
}

static void print_layers(const struct report *report)
{
	fprintf(report->to,
		"<h2>Layers</h2>\n<div class=\"wide\"><table><tr><th>layer</th>"
		"<th class=\"n\">attempts that it may stop</th><th class=\"n\">stopped by it</th>"
		"<th class=\"n\">of these measured</th><th></th></tr>\n");
	for (const struct name *layer = layer_names; *layer->name; layer++) {
		struct report_evidence evidence = report_evidence(report->run, layer->value);

		fprintf(report->to,
			"<tr><td>%s</td><td class=\"n\">%zu</td><td class=\"n\">%zu</td>"
			"<td class=\"n\">%zu</td><td><span class=\"tag %s\">%s</span></td></tr>\n",
			layer->name, evidence.expected, evidence.observed, evidence.measured,
			evidence.observed ? "good" : "calm",
			evidence.observed ? "evidence" : "no evidence");
	}
	fprintf(report->to, "</table></div>\n");
}

static void print_result(const struct report *report, const struct result *result)
{
	fprintf(report->to,
		"<tr><td class=\"id\">%s</td><td>%s</td><td><span class=\"tag %s\">%s</span></td>"
		"<td>%s</td><td>%s%s</td></tr>\n",
		result->row->id, report_escape(result->row->attempt, report->arena),
		verdicts[result->verdict].class, verdicts[result->verdict].word,
		report_escape(*result->reason ? result->reason : result->observed, report->arena),
		report_layers(result->observed_layers, report->arena),
		result->measured ? " (measured)" : "");
}

static void print_group(const struct report *report, const char *group)
{
	const struct report_counts counts = report_count(report->run, group);
	bool open = counts.of[VERDICT_FAIL] + counts.of[VERDICT_ERROR] +
			    counts.of[VERDICT_INCONCLUSIVE] >
		    0;

	fprintf(report->to,
		"<details%s><summary><strong>%s</strong>: %s</summary><div class=\"wide\"><table>"
		"<tr><th>id</th><th>attempt</th><th>verdict</th><th>observed, or "
		"why</th><th>stopped by</th></"
		"tr>\n",
		open ? " open=\"open\"" : "", group, report_counts_text(&counts, report->arena));
	for (size_t i = 0; i < report->run->results_len; i++)
		if (strcmp(report->run->results[i].row->group, group) == 0)
			print_result(report, &report->run->results[i]);
	fprintf(report->to, "</table></div></details>\n");
}

static void print_not_tested(const struct report *report)
{
	const struct selftest_run *run = report->run;

	fprintf(report->to, "<h2>Not tested</h2>\n<ul>\n");
	for (size_t i = 0; i < run->results_len; i++)
		if (run->results[i].verdict == VERDICT_SKIPPED)
			fprintf(report->to, "<li><span class=\"id\">%s</span>: %s</li>\n",
				run->results[i].row->id,
				report_escape(run->results[i].reason, report->arena));
	for (size_t i = 0; i < run->notes_len; i++)
		fprintf(report->to, "<li>%s</li>\n", report_escape(run->notes[i], report->arena));
	fprintf(report->to,
		"<li>whatever is not in this list of attempts: holes in the kernel that nobody "
		"knows "
		"yet, side channels, and any other machine or kernel than this</li>\n</ul>\n");
}

static void print_matrix(const struct report *report)
{
	const struct selftest_run *run = report->run;

	fprintf(report->to, "<h2>Which layer stops what</h2>\n<ul class=\"legend\">");
	for (size_t i = 0; i < CELLS_LEN; i++)
		fprintf(report->to, "<li><span class=\"tag %s\">%c</span> %s</li>", cell_classes[i],
			report_cells[i].symbol, report_cells[i].meaning);
	fprintf(report->to, "</ul>\n<div class=\"wide\"><table class=\"matrix\"><tr><th></th>");
	for (const struct name *column = report_columns; *column->name; column++)
		fprintf(report->to, "<th>%s</th>", column->name);
	fprintf(report->to, "</tr>\n");
	for (size_t i = 0; i < run->results_len; i++) {
		fprintf(report->to, "<tr><td class=\"id\">%s</td>", run->results[i].row->id);
		for (const struct name *column = report_columns; *column->name; column++) {
			enum report_cell cell = report_cell(&run->results[i], column->value);

			fprintf(report->to, "<td class=\"%s\" title=\"%s\">%c</td>",
				cell_classes[cell], report_cells[cell].meaning,
				report_cells[cell].symbol);
		}
		fprintf(report->to, "</tr>\n");
	}
	fprintf(report->to, "</table></div>\n");
}

/* --- frameworks --- */

/* A control of a framework, and the attempts that have to do with it. */
struct touched {
	struct report_reference reference;
	struct report_counts counts;
	const char *ids;
};

static int compare_touched(const void *left, const void *right)
{
	const struct touched *a = left, *b = right;

	if (a->reference.framework != b->reference.framework)
		return a->reference.framework < b->reference.framework ? -1 : 1;
	return strverscmp(a->reference.control, b->reference.control);
}

static bool same(const struct report_reference *a, const struct report_reference *b)
{
	return a->framework == b->framework && strcmp(a->control, b->control) == 0;
}

/* The controls that the results touch, in order. */
static struct touched *find_touched(const struct report *report, size_t *len)
{
	const struct selftest_run *run = report->run;
	struct report_reference reference;
	struct touched *touched;
	size_t words = 0;

	for (size_t i = 0; i < run->results_len; i++)
		words += strlen(run->results[i].row->references);
	touched = arena_new_array(report->arena, struct touched, words + 1);
	for (size_t i = 0; i < run->results_len; i++) {
		const char *references = run->results[i].row->references;

		while (report_reference(&references, report->arena, &reference)) {
			size_t at = 0;

			if (!reference.framework)
				continue;
			while (at < *len && !same(&touched[at].reference, &reference))
				at++;
			if (at == *len)
				touched[(*len)++] =
					(struct touched){ .reference = reference, .ids = "" };
			touched[at].counts.of[run->results[i].verdict]++;
			touched[at].ids = arena_format(report->arena, "%s %s", touched[at].ids,
						       run->results[i].row->id);
		}
	}
	qsort(touched, *len, sizeof(*touched), compare_touched);
	return touched;
}

static void print_frameworks(const struct report *report)
{
	const struct report_framework *framework = NULL;
	size_t len = 0;
	const struct touched *touched = find_touched(report, &len);

	if (len == 0)
		return;
	fprintf(report->to,
		"<h2>Evidence towards controls of frameworks</h2>\n<p>This is not an attestation. "
		"Attempts give evidence towards a control, or contradict it; none covers one as a "
		"whole. Controls that are not listed were not touched.</p>\n");
	for (size_t i = 0; i < len; i++) {
		const struct touched *control = &touched[i];
		bool bad = control->counts.of[VERDICT_FAIL] > 0;
		bool good = !bad && control->counts.of[VERDICT_PASS] > 0;

		if (control->reference.framework != framework)
			fprintf(report->to,
				"%s<details><summary><strong>%s%s%s</strong></summary>"
				"<div "
				"class=\"wide\"><table><tr><th>control</th><th></th><th>attempts</"
				"th>"
				"<th>ids</th></tr>\n",
				framework ? "</table></div></details>\n" : "",
				report_escape(control->reference.framework->name, report->arena),
				*control->reference.framework->version ? " " : "",
				control->reference.framework->version);
		framework = control->reference.framework;
		fprintf(report->to,
			"<tr><td>%s</td><td><span class=\"tag %s\">%s</span></td><td>%s</td>"
			"<td class=\"id ids\">%s</td></tr>\n",
			report_escape(control->reference.control, report->arena),
			bad    ? "bad"
			: good ? "good"
			       : "calm",
			bad    ? "contradicted"
			: good ? "evidence towards"
			       : "no evidence",
			report_counts_text(&control->counts, report->arena), control->ids);
	}
	fprintf(report->to, "</table></div></details>\n");
}

int report_html_write(const struct selftest_run *run, FILE *to, struct arena *arena,
		      struct err *err)
{
	const struct report report = report_open(run, to, arena);

	print_head(&report);
	print_failures(&report);
	fprintf(to, "<h2>Results</h2>\n");
	for (size_t i = 0; i < report.groups_len; i++)
		print_group(&report, report.groups[i]);
	print_not_tested(&report);
	print_platform(&report);
	print_layers(&report);
	if (report_has_matrix(run))
		print_matrix(&report);
	print_frameworks(&report);
	fprintf(to, "</body>\n</html>\n");
	return report_close(&report, err);
}
