/*
 * agentd selftest: canary containers through the very launch path of `agentd run`, a control for
 * every attempt, a verdict made outside.
 *
 * A run is: the host and its decoys; the places (target, marker, twin, host, ablations), most of
 * them containers made from the configuration under test by patches; the attempts of each place;
 * the verdicts; the report. One run at a time on a machine.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "runtime/container.h"
#include "selftest/cases.h"

/* Where attempts are made. */
enum place {
	PLACE_TARGET,	/* a container as the configuration under test says */
	PLACE_MARKER,	/* its filter's refusals replaced by errno 3927: seccomp decided */
	PLACE_TWIN,	/* root of fresh namespaces, no other layer: the control O and E */
	PLACE_HOST,	/* a child of ours in a private mount namespace: the control H and D */
	PLACE_ABLATION, /* the target without some layers */
	PLACE_ALONE,	/* the same, to see which layer of a row suffices */
	PLACE_LIMITS,	/* the target with its limits lowered, for what runs into them */
	PLACE_EXEC,	/* a further process in the target, by exec */
};
extern const struct name place_names[];
#define MARKER_ERRNO 3927

struct selftest_options {
	unsigned profile;   /* one of PROFILE_X */
	const char *bundle; /* NULL: the configuration of `agentd spec` */
	struct spec_strings only, skip, group, require, allow_skip;
	bool strict, in_place;
	const char *baseline;
	unsigned timeout_s; /* of the whole run; 0: the profile's */
	/* Told what goes on, before each round; NULL: nobody looks. */
	void (*progress)(size_t attempts, size_t places);
};

struct selftest_run {
	const struct selftest_options *options;
	const struct settings *settings;
	struct host host;
	const struct spec *spec;
	const char *config_text; /* of the target, as launched */
	struct attempt_decoys decoys;
	struct result *results;
	size_t results_len;
	const char *started; /* RFC 3339 */
	uint64_t milliseconds;
	const char **notes; /* what was left out of this run and why: limits not enforced, ... */
	size_t notes_len;
	bool alive;	    /* the must-allow set worked */
	bool outer;	    /* we run inside a sandbox that is not ours (docker build) */
	const char *trials; /* which trial showed that, in one line */
	const char **unmet; /* words of --require that are not met */
	size_t unmet_len;
	const char
		*worse; /* what became worse since --baseline: ids, one a line; NULL or "": none */
	const char *broken; /* why the harness could not finish, NULL: it did */
};

/* The exit status, whatever the format: 0 contained, 1 escaped or a requirement not met or worse
 * than the baseline, 2 usage or configuration, 3 undecided or nothing ran, 4 the harness broke. */
enum { SELFTEST_CONTAINED, SELFTEST_ESCAPED, SELFTEST_USAGE, SELFTEST_UNDECIDED, SELFTEST_BROKEN };

/* Runs the selected cases. -1: the harness could not even begin (err). */
int selftest_run(const struct settings *settings, const struct selftest_options *options,
		 struct arena *arena, struct selftest_run *run, struct err *err);

/* The exit status of a finished run. Pure. *why is one line. */
int selftest_status(const struct selftest_run *run, struct arena *arena, const char **why);

/* The static canary, embedded in the program. */
extern const unsigned char canary_program[];
extern const uint64_t canary_program_size;
