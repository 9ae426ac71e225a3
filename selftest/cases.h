/*
 * The catalogue: every attempt as a row that says what is tried, what counts as contained, which
 * layers can contain it, how we know that the test could have failed, and what to do about a hole.
 *
 * The verdict is made here, outside of the container, by verdict_make(), from observations of the
 * target, of a control and of the kernel's own counters: never from the canary's word alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "isolation/host.h"
#include "runtime/base/names.h"
#include "selftest/attempt.h"
#include "selftest/posture.h"
#include "spec/spec.h"

/* What can stop an attempt; several may, and the report says which did. */
enum layer {
	LAYER_SECCOMP = 1 << 0,
	LAYER_LANDLOCK = 1 << 1,
	LAYER_CAPABILITIES = 1 << 2, /* and the uid */
	LAYER_NO_NEW_PRIVS = 1 << 3,
	LAYER_NAMESPACES = 1 << 4,
	LAYER_MOUNTS = 1 << 5, /* pivot_root, read-only root, mount flags, masks */
	LAYER_CGROUP = 1 << 6,
	LAYER_RLIMITS = 1 << 7,
	LAYER_RUNTIME = 1 << 8, /* agentd itself refuses, closes, seals */
	LAYER_KERNEL = 1 << 9,	/* a sysctl or the kernel's own rule */
};
extern const struct name layer_names[];

/* How we know that the attempt could have got through (reference: letters H O E D A N; for P the
 * attempt does its allowed half itself, and its judge looks: judge_paired()). */
enum control {
	CONTROL_HOST,	  /* H: the same in a child of the supervisor, on the host, no layer */
	CONTROL_TWIN,	  /* O: the same as root of fresh namespaces without any layer */
	CONTROL_ORACLE,	  /* E: as the twin, where arguments are wrong after the permission check:
			   * getting through shows as one of `through` */
	CONTROL_DECOY,	  /* D: a child of the host reaches the decoy right before and after */
	CONTROL_ABLATION, /* A: the target without the layers of `without` */
	CONTROL_COUNTER,  /* N: the twin, and a kernel counter that must move in the target */
	CONTROL_NONE,	  /* liveness, and facts that the host reads itself */
};
extern const struct name control_names[];

enum severity { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };
extern const struct name severity_names[];

enum {
	PROFILE_QUICK = 1,
	PROFILE_STANDARD = 2,
	PROFILE_COMPREHENSIVE = 4,
	PROFILE_ALL = 7,
	PROFILE_FROM_STANDARD = 6
};

#define CASE_ERRNOS_MAX 6

/* What happened to one attempt at one place. */
struct observation {
	bool tried;		 /* it was asked for */
	bool alive, done, ended; /* the packets that came, with the right nonce */
	bool unknown;		 /* the canary has no such attempt */
	bool flooded;		 /* more came than there is to say: nothing of it counts */
	bool late;		 /* it took until its deadline */
	int64_t value;
	int error;
	int wait_status;
	uint32_t microseconds;
	char text[200];
};

/* All that a row's own judgement may look at. */
struct evidence {
	const struct observation *target, *control, *marker;
	const struct posture
		*posture;	 /* of the target's process, read from the host while it waits */
	const struct spec *spec; /* the configuration under test */
	const struct host *host;
	const struct attempt_decoys *decoys;
	int cgroup; /* the target's cgroup, or -1 */
};

enum verdict {
	VERDICT_PASS,
	VERDICT_NOT_APPLICABLE,
	VERDICT_SKIPPED,
	VERDICT_INCONCLUSIVE,
	VERDICT_ERROR,
	VERDICT_FAIL
}; /* the worst is the greatest */
extern const struct name verdict_names[];

struct result;

/*
 * A row holds no pointer: the loader would have to fill it in at each start, of `agentd run` too.
 * What a row does not say is "".
 */
struct selftest_case {
	char id[32];	/* "sys.ptrace-traceme" */
	char group[16]; /* "tracing" */
	enum severity severity;
	unsigned profiles;		/* PROFILE_X */
	char attempt[96];		/* what is tried, in half a line */
	int contained[CASE_ERRNOS_MAX]; /* errnos that count as contained; being killed by SIGSYS
					 * always does where LAYER_SECCOMP is expected */
	unsigned layers;		/* who may contain it */
	enum control control;
	int through[CASE_ERRNOS_MAX]; /* errnos that show that it got through (all of ORACLE) */
	unsigned without;	      /* ABLATION: the layers to leave out */
	unsigned needs;	     /* layers without which the case is skipped (cgroup for a fork bomb) */
	unsigned judge;	     /* JUDGE_X (judges.h), where errnos do not tell; 0: they decide */
	char remedy[112];    /* one line */
	char references[48]; /* "CVE-2017-5226 C5.22 N4.4.3 T1055.008 P9.1" */
	char limitation[96]; /* what this does not show */
};

struct result {
	const struct selftest_case *row;
	enum verdict verdict;
	struct observation target, control, marker;
	unsigned observed_layers; /* who decided, as far as it was measured */
	bool measured;		  /* by marker or ablation, not by the errno alone */
	unsigned alone;	    /* comprehensive: layers each of which stops it without the others */
	unsigned ablated;   /* comprehensive: layers that were left out in turn */
	char observed[200]; /* "EPERM", "killed by SIGSYS", "returned 3", or the judge's words */
	char reason[300];   /* why the verdict is not a pass */
};

/* Each ends with an id of "". */
extern const struct selftest_case cases_liveness[], cases_tracing[], cases_mounts[], cases_kernel[],
	cases_credentials[], cases_files[], cases_landlock[], cases_procfs[], cases_limits[],
	cases_network[], cases_history[], cases_hygiene[];

/* Every row of every table, in order, through a callback that returns false to stop. */
void cases_each(bool (*visit)(const struct selftest_case *row, void *context), void *context);
const struct selftest_case *case_find(const char *id);

/*
 * The verdict from what was observed; pure. `outer`: the control itself ran under a sandbox that is
 * not ours (docker build). Three things make a pass: contained, the control got through, and the
 * must-allow set worked (`alive`: no row of the group "liveness" but INFO ones is an ERROR, so
 * those are asked first).
 */
void verdict_make(const struct evidence *evidence, bool alive, bool outer, struct result *result);
