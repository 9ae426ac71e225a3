/*
 * A launch: the outside list, its mutable state, and the clone.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "isolation/plan.h"
#include "runtime/step.h"
#include "runtime/wire.h"

/* All mutable state of a launch. Every member has one writer: the step that its comment names. */
struct launch {
	const struct plan *plan;
	const struct host *host;
	const struct request *request;
	struct arena *arena; /* the parent's; never used in the child */
	const char *config;  /* config.json as read, for the state directory */
	size_t config_size;
	int root;      /* the directory of all containers */
	int state;     /* "state directory": this container's, locked */
	int cgroup;    /* "cgroup": its directory; exec: the container's */
	int start;     /* "start socket": listening, inherited by init */
	int seccomp;   /* "seccomp memfd": the filter, inherited by init */
	int console;   /* "console socket": connected; "await console": else the master of a
			  foreground terminal */
	int proc;      /* the host's procfs, verified */
	int wire;      /* "clone": our end; in init: its end */
	int init_wire; /* init's end, in the parent between the pair and the clone */
	pid_t pid;     /* "clone" */
	int pidfd;     /* "clone" */
	int joins[NAMESPACES_MAX];  /* "namespaces": the files to join */
	int *sources;		    /* init, "sources": one for each mount row */
	int rootfs;		    /* init, "sources" */
	int landlock;		    /* init, "landlock rules": the ruleset */
	struct rlimit files_before; /* the soft limit of descriptors, to be given back */
	struct wire_notes notes;    /* from init, for the state */
	char program[PATH_MAX];	    /* init, "program" */
};

extern const struct step outside_steps[];
extern const size_t outside_steps_len;

/* Makes a launch of which nothing is done yet: every descriptor -1. */
void launch_init(struct launch *launch, const struct plan *plan, const struct host *host,
		 const struct request *request, struct arena *arena);

/* Runs the outside list: a created container (or, for exec, a process that waits to be started).
 * Undoes itself on failure. */
int launch_run(struct launch *launch, struct err *err);

/* run, exec: lets init go on over the wire and hears whether it executed the program (0) or why it
 * did not (-1). */
int launch_start(struct launch *launch, struct err *err);

/* start: the same through the start socket in the state directory, which is gone afterwards. */
int launch_start_socket(int state, struct wire_notes *notes, struct err *err);

/* Closes all descriptors of the launch. */
void launch_close(struct launch *launch);
