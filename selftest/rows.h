/*
 * Rows and sites: which attempt is made where, and what the answers together mean.
 */
#pragma once

#include "selftest/site.h"

#define SITES_MAX 96

/* A run while it goes on. */
struct runner {
	struct stage stage;
	struct selftest_run *run;
	struct result *results; /* run->results, and behind them what must work, if not selected */
	size_t results_len;
	struct site *sites[SITES_MAX];
	size_t sites_len;
	unsigned unavailable; /* layers that cannot be had here */
	const char *remedy;   /* what to do about that */
	int root;	      /* the directory of containers */
	int signals;	      /* signalfd: the run is to be broken off */
	int64_t until;	      /* clock_ms() */
};

#define RUNNER_NOTES_MAX 64

/* One more of run->notes; what is too much is left out. */
void runner_note(struct runner *runner, const char *text);

/* Loads and checks what is to be tested, and finds what cannot be. An error is the caller's wrong
 * usage (OPTIONS_USAGE). */
int runner_look(struct runner *runner, struct err *err);

/* Which requirements are not met: run->unmet. */
void runner_require(struct runner *runner);

/* The results to be, from the catalogue and the options. */
void rows_select(struct runner *runner);

/* Says of each row that cannot be tried here why; the others are given to sites, which come into
 * being by that. */
void rows_assign(struct runner *runner);

/* The site of a place that leaves these layers out, or NULL. */
struct site *rows_site(const struct runner *runner, enum place place, unsigned without);

/* Verdicts on what was observed. */
void rows_judge(struct runner *runner);

/* Tries and judges the cases that are whole bundles, one after the other. An error: broken off. */
int rows_history(struct runner *runner, struct err *err);

/* The verdicts again on what a further process in the target met; told in the row
 * hyg.exec-second, if that is selected. */
void rows_judge_exec(struct runner *runner);

/* Whether a further process in the target is asked for. */
bool rows_want_exec(struct runner *runner);

/* comprehensive: sites that show which layers stop a row alone, and what they showed. */
void rows_ablate(struct runner *runner);
void rows_attribute(struct runner *runner);

/* Everything that was to be tried and was not is skipped, or an error, for this reason. */
void rows_fail(struct runner *runner, enum verdict verdict, const char *reason);
