/*
 * The report for people: what got through first, with all that is needed to act on it; then one
 * line a group, what was not tested and why, and in the last line what was shown, where, and what
 * was left out.
 *
 * Symbols and colours are for terminals alone (and no colours with NO_COLOR, see no-color.org):
 * a log gets words.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/version.h"
#include "selftest/report_common.h"

enum { WIDTH = 100 };

struct look {
	bool symbols;
	const char *bad, *unsure, *good, *bold, *plain; /* escape sequences, or "" */
};

static bool utf8_terminal(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" }; /* locale(7) */

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value)
			return strcasestr(value, "UTF-8") || strcasestr(value, "utf8");
	}
	return false;
}

static struct look look_of(FILE *to)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	bool terminal = isatty(fileno(to)) == 1 && !(term && strcmp(term, "dumb") == 0);
	struct look look = { terminal && utf8_terminal(), "", "", "", "", "" };

	if (terminal && !(no_color && *no_color)) {
		look.bad = "\033[1;31m";
		look.unsure = "\033[33m";
		look.good = "\033[32m";
		look.bold = "\033[1m";
		look.plain = "\033[0m";
	}
	return look;
}

static const char *choose(const struct look *look, const char *symbol, const char *word)
{
	return look->symbols ? symbol : word;
}

static void print_failure(const struct report *report, const struct look *look,
			  const struct result *result)
{
	struct report_detail details[REPORT_DETAILS_MAX];
	size_t len = report_details(report, result, details);

	fprintf(report->to, "%s%s%s  %s%s%s (%s): %s\n", look->bad, choose(look, "✘ FAIL", "FAIL"),
		look->plain, look->bold, result->row->id, look->plain,
		name_text(severity_names, result->row->severity), result->row->attempt);
	for (size_t i = 0; i < len; i++)
		fprintf(report->to, "      %-10s  %s\n", details[i].key, details[i].text);
	fputc('\n', report->to);
}

/* The ids of the results with the same verdict and reason as results[first], wrapped. */
static void print_ids(const struct report *report, size_t first)
{
	const struct result *results = report->run->results;
	size_t column = WIDTH;

	for (size_t i = first; i < report->run->results_len; i++) {
		const char *id = results[i].row->id;

		if (results[i].verdict != results[first].verdict ||
		    strcmp(results[i].reason, results[first].reason) != 0)
			continue;
		if (column + 1 + strlen(id) > WIDTH) {
			fprintf(report->to, "%s     ", i == first ? "" : "\n");
			column = 5;
		}
		fprintf(report->to, " %s", id);
		column += 1 + strlen(id);
	}
	fputc('\n', report->to);
}

/* Whether an earlier result had this verdict for the same reason. */
static bool told(const struct selftest_run *run, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (run->results[i].verdict == run->results[index].verdict &&
		    strcmp(run->results[i].reason, run->results[index].reason) == 0)
			return true;
	return false;
}

/* Reasons, and the attempts that have them: one cause often concerns many. */
static void print_reasons(const struct report *report, enum verdict verdict, const char *word)
{
	const struct selftest_run *run = report->run;

	for (size_t i = 0; i < run->results_len; i++) {
		const char *reason = run->results[i].reason;

		if (run->results[i].verdict != verdict || told(run, i))
			continue;
		fprintf(report->to, "  %s: %s\n", word,
			*reason ? report_clean(reason, report->arena) : "no reason was given");
		print_ids(report, i);
	}
}

static void print_group(const struct report *report, const struct look *look, const char *group)
{
	const struct report_counts counts = report_count(report->run, group);
	const char *colour = look->good, *sign = choose(look, "✔", "ok");

	if (counts.of[VERDICT_FAIL]) {
		colour = look->bad;
		sign = choose(look, "✘", "FAIL");
	} else if (counts.of[VERDICT_ERROR] || counts.of[VERDICT_INCONCLUSIVE]) {
		colour = look->unsure;
		sign = choose(look, "?", "?");
	} else if (!counts.of[VERDICT_PASS]) {
		colour = "";
		sign = choose(look, "○", "-");
	}
	fprintf(report->to, "%s%-*s%s  %-12s %s\n", colour, look->symbols ? (int)strlen(sign) : 4,
		sign, look->plain, group, report_counts_text(&counts, report->arena));
}

static void print_not_tested(const struct report *report)
{
	const struct selftest_run *run = report->run;

	if (report->counts.of[VERDICT_SKIPPED] + report->counts.of[VERDICT_NOT_APPLICABLE] == 0 &&
	    run->notes_len == 0)
		return;
	fprintf(report->to, "\nNot tested:\n");
	print_reasons(report, VERDICT_SKIPPED, "skipped");
	print_reasons(report, VERDICT_NOT_APPLICABLE, "not applicable");
	for (size_t i = 0; i < run->notes_len; i++)
		fprintf(report->to, "  %s\n", report_clean(run->notes[i], report->arena));
}

static void print_matrix(const struct report *report)
{
	const struct selftest_run *run = report->run;

	fprintf(report->to, "\n%-28s", "Which layer stops what");
	for (const struct name *column = report_columns; *column->name; column++)
		fprintf(report->to, " %s", column->name);
	fputc('\n', report->to);
	for (size_t i = 0; i < run->results_len; i++) {
		fprintf(report->to, "%-28s", run->results[i].row->id);
		for (const struct name *column = report_columns; *column->name; column++)
			fprintf(report->to, " %*c", (int)strlen(column->name),
				report_cells[report_cell(&run->results[i], column->value)].symbol);
		fputc('\n', report->to);
	}
	for (size_t i = 0; i < CELLS_LEN; i++)
		fprintf(report->to, "  %c  %s\n", report_cells[i].symbol, report_cells[i].meaning);
}

static void print_last_line(const struct report *report, const struct look *look)
{
	struct report_counts left_out = { 0 };
	size_t passed = 0, total = 0;
	bool contained = report->status == SELFTEST_CONTAINED;

	/* what must work in a container is no attempt to leave it, and no layer's business */
	for (size_t i = 0; i < report->run->results_len; i++) {
		const struct result *result = &report->run->results[i];

		total += result->row->layers != 0;
		passed += result->row->layers != 0 && result->verdict == VERDICT_PASS;
	}
	left_out.of[VERDICT_SKIPPED] = report->counts.of[VERDICT_SKIPPED];
	left_out.of[VERDICT_NOT_APPLICABLE] = report->counts.of[VERDICT_NOT_APPLICABLE];
	fprintf(report->to, "\n%sRESULT: %s%s", contained ? look->good : look->bad,
		report_outcome(report), look->plain);
	if (!contained)
		fprintf(report->to, " (%s)", report->why);
	fprintf(report->to, ": %zu of %zu attempts were shown to be contained, on Linux %s %s",
		passed, total, report_clean(report->kernel.release, report->arena),
		report->kernel.machine);
	fprintf(report->to, "; left out: %s%s\n", report_counts_text(&left_out, report->arena),
		report->run->notes_len ? ", and what \"Not tested\" says" : "");
}

int report_text_write(const struct selftest_run *run, FILE *to, struct arena *arena,
		      struct err *err)
{
	const struct report report = report_open(run, to, arena);
	const struct look look = look_of(to);
	const char *demand;

	fprintf(to, "%sagentd selftest %s%s, %s, %s\n", look.bold, AGENTD_VERSION, look.plain,
		report_target(&report), run->started);
	fprintf(to, "%s\n", report_platform(&report));
	if (run->trials)
		fprintf(to, "%s\n", report_clean(run->trials, arena));
	fputc('\n', to);
	for (size_t i = 0; i < run->results_len; i++)
		if (run->results[i].verdict == VERDICT_FAIL)
			print_failure(&report, &look, &run->results[i]);
	for (size_t i = 0; (demand = report_demand(&report, i)); i++)
		fprintf(to, "%s%s%s  %s\n\n", look.bad, choose(&look, "✘ FAIL", "FAIL"), look.plain,
			demand);
	if (report.counts.of[VERDICT_ERROR] + report.counts.of[VERDICT_INCONCLUSIVE]) {
		fprintf(to, "%sUndecided:%s\n", look.unsure, look.plain);
		print_reasons(&report, VERDICT_ERROR, "the test broke");
		print_reasons(&report, VERDICT_INCONCLUSIVE, "inconclusive");
		fputc('\n', to);
	}
	for (size_t i = 0; i < report.groups_len; i++)
		print_group(&report, &look, report.groups[i]);
	if (report_has_matrix(run))
		print_matrix(&report);
	print_not_tested(&report);
	print_last_line(&report, &look);
	return report_close(&report, err);
}
