/*
 * A launch: what the two lists of steps work on, and its life from the first step to the last undo.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "isolation/plan.h"
#include "runtime/state.h"
#include "runtime/step.h"
#include "runtime/wire.h"

/* A compiled system call filter, in memory that init has in common with us. */
struct launch_filter {
	unsigned short len;
	struct sock_filter instructions[BPF_MAXINSNS];
};

/* All mutable state of a launch. Every member has one writer: the step that its comment names. */
struct launch {
	const struct plan *plan; /* NULL: an existing container that is to be undone */
	const struct request *request;
	const struct spec_hooks *hooks;
	struct arena *arena; /* the parent's; never used in the child */
	const char *config;  /* config.json as read, for the state directory */
	size_t config_size;
	int root;	     /* the directory of all containers */
	struct state record; /* what state.json says */
	int *seal;	     /* not ours; "seal": closed */
	int state;	     /* "state directory": this container's, locked */
	int cgroup;	     /* "cgroup": its directory */
	int start;	     /* "start socket": listening, inherited by init */
	int console;	     /* "console socket"; in the foreground, "await terminal": the master */
	int proc;	     /* "procfs": the host's, verified */
	int wire;	     /* "clone": our end; in init its own */
	int init_wire;	     /* "clone": init's end, until it is cloned */
	pid_t joiner;	     /* "clone": not yet reaped; 0 there is none */
	pid_t pid;	     /* "clone" */
	int pidfd;	     /* "clone" */
	struct launch_filter
		*filter;	   /* "filter memory": shared with init; "compile filter": filled */
	bool stuck;		   /* the runner: something could not be undone */
	bool hooked;		   /* "runtime hooks": reached, so the poststop hooks are due */
	char *hook_state;	   /* "hook state": shared with init; "record": filled */
	size_t hook_state_max;	   /* bytes there */
	int joins[NAMESPACES_MAX]; /* "namespaces": the files to join; "open init": its pidfd */
	int *mounts;		   /* init, "sources", "mounts": one for each mount row */
	int rootfs;		   /* init, "sources", "root filesystem" */
	int dev;		   /* init, "mounts": /dev, if nothing is to be mounted on it */
	int landlock;		   /* init, "landlock rules": the ruleset */
	struct rlimit files_before; /* "descriptors": the soft limit, to be given back */
	struct wire_notes notes;    /* from init, for the state */
	char program[PATH_MAX];	    /* init, "program" */
};

/* Makes a launch of which nothing is done yet: every descriptor -1. `root` is borrowed. */
void launch_init(struct launch *launch, const struct plan *plan, const struct request *request,
		 int root, struct arena *arena);

/*
 * Makes a launch of an existing container, to be undone by launch_undo(): `state` is its directory,
 * locked; the launch owns it from here on. The hooks are those of its configuration, or NULL.
 */
void launch_init_existing(struct launch *launch, const struct state *record, int state, int root,
			  const struct spec_hooks *hooks, struct arena *arena);

/* Runs the outside list: a created container (or, for exec, a process that waits to be started).
 * Undoes itself on failure. */
int launch_run(struct launch *launch, struct err *err);

/* The undo column of the whole outside list, backward: what `delete` does. */
int launch_undo(struct launch *launch, struct err *err);

/* Runs hooks of one kind, which find the state of the container on their standard input. */
int launch_hooks(const struct spec_hook_list *hooks, const char *kind, const struct state *state,
		 enum state_status status, bool stop_on_failure, struct arena *arena,
		 struct err *err);

/* Makes what init had to leave out a part of the state, and saves that in the directory `dir`; no
 * notes are left then. */
int launch_keep_notes(int dir, struct state *state, struct wire_notes *notes, struct arena *arena,
		      struct err *err);

/* Closes all descriptors of the launch that are its own, and gives back what it shares with init.
 */
void launch_close(struct launch *launch);
