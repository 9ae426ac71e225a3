/*
 * What the writers of reports share: a run looked at once (counts, groups, status), and the texts
 * that say the same in every format.
 *
 * A report is pasted into issues and shown by terminals and browsers, and parts of its texts come
 * from the container: all that leaves here as a text for people is clean (report_clean()).
 */
#pragma once

#include <stdio.h>
#include <sys/utsname.h>

#include "selftest/report.h"

#define REPORT_SCHEMA "https://agentd.invalid/schema/selftest/1"
enum { VERDICTS_LEN = VERDICT_FAIL + 1 };

struct report_counts {
	size_t of[VERDICTS_LEN], total;
};

/* A run, and what follows from it. */
struct report {
	const struct selftest_run *run;
	FILE *to; /* NULL for the tree */
	struct arena *arena;
	struct utsname kernel;
	int status; /* SELFTEST_X */
	const char *why;
	struct report_counts counts;
	const char **groups; /* in the order of the results */
	size_t groups_len;
};

struct report report_open(const struct selftest_run *run, FILE *to, struct arena *arena);

/* Whether everything got through to the stream. */
int report_close(const struct report *report, struct err *err);

/* The writers of report_formats[]. */
int report_text_write(const struct selftest_run *, FILE *, struct arena *, struct err *);
int report_json_write(const struct selftest_run *, FILE *, struct arena *, struct err *);
int report_junit_write(const struct selftest_run *, FILE *, struct arena *, struct err *);
int report_tap_write(const struct selftest_run *, FILE *, struct arena *, struct err *);
int report_sarif_write(const struct selftest_run *, FILE *, struct arena *, struct err *);
int report_html_write(const struct selftest_run *, FILE *, struct arena *, struct err *);

/* --- texts --- */

/* A copy on one line in which what is not a printable character in UTF-8, or changes the direction
 * of writing, is '?'. */
char *report_clean(const char *text, struct arena *arena);

/* The same with the five characters of XML and HTML escaped. */
char *report_escape(const char *text, struct arena *arena);

/* What the status is called: "contained", "NOT contained", ... */
const char *report_outcome(const struct report *report);
const char *report_profile(const struct selftest_run *run);

/* What the run was made of, and where: "root, in containers", "Linux 6.18.0 x86_64, Landlock ..."
 */
const char *report_target(const struct report *report);
const char *report_platform(const struct report *report);

/* What was asked of the run besides its attempts, and is not so: number `index`, or NULL. */
const char *report_demand(const struct report *report, size_t index);

/* "8 passed, 1 failed, 6 not applicable" */
const char *report_counts_text(const struct report_counts *counts, struct arena *arena);

/* "EPERM"; a number where it has no name. */
const char *report_errno(int error, struct arena *arena);

/* The names whose bits are in the mask, or "none". */
const char *report_layers(unsigned layers, struct arena *arena);

/* What happened at one place, in some words. */
const char *report_observation(const struct observation *observation, struct arena *arena);

/* What a reader needs to understand a result: expected, observed, layers, control, ... */
struct report_detail {
	const char *key, *text;
};
enum { REPORT_DETAILS_MAX = 7 };
size_t report_details(const struct report *report, const struct result *result,
		      struct report_detail details[REPORT_DETAILS_MAX]);

/* --- numbers --- */

/* The results of a group, or all (NULL). */
struct report_counts report_count(const struct selftest_run *run, const char *group);

/* One square of the matrix of attempts and layers (profile comprehensive). */
enum report_cell {
	CELL_NONE,     /* it is not this layer's business */
	CELL_EXPECTED, /* it may stop this, and nothing was measured */
	CELL_OTHERS,   /* left out in turn: others stop it too */
	CELL_DECIDED,  /* it stopped it */
	CELL_ALONE,    /* it stopped it, and does so without the others */
	CELL_MISSED,   /* it should have, and it got through */
	CELLS_LEN
};
struct report_cell_look {
	char symbol;
	const char *word, *meaning;
};
extern const struct report_cell_look report_cells[CELLS_LEN];
extern const struct name report_columns[]; /* layers, by short names */
enum report_cell report_cell(const struct result *result, unsigned layer);
bool report_has_matrix(const struct selftest_run *run);

/* What there is for each layer: how many attempts could be stopped by it, and were. */
struct report_evidence {
	size_t expected, observed, measured;
};
struct report_evidence report_evidence(const struct selftest_run *run, unsigned layer);

/* --- references --- */

struct report_framework {
	char letter;		    /* in a row's references */
	const char *name, *version; /* "" where the number says it */
};

/* One word of a row's references; without a framework: a CVE, say. */
struct report_reference {
	const struct report_framework *framework;
	const char *control;
};
/* Takes the next word off *references; false at the end. */
bool report_reference(const char **references, struct arena *arena,
		      struct report_reference *reference);
