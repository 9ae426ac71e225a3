/*
 * cgroup v2, the cgroupfs driver: create, limit, freeze, kill, list, remove (kernel
 * Documentation/admin-guide/cgroup-v2.rst).
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "isolation/host.h"
#include "spec/spec.h"

/* The cgroup that holds the containers whose configuration names no place; it is removed with the
 * last of them. */
#define CGROUP_PLACE "agentd"

/* One write: a file of the container's cgroup and the text for it; `what` is the property, for
 * errors and notes. */
struct cgroup_limit {
	const char *controller; /* NULL: a file that is there without any */
	const char *file, *text, *what;
	bool optional;	  /* a kernel without this file does what was asked for all the same */
	bool alternative; /* written only if the optional row before it had no file */
};

enum cgroup_manager { CGROUP_MANAGER_CGROUPFS, CGROUP_MANAGER_SYSTEMD, CGROUP_MANAGER_DISABLED };

struct cgroup_plan {
	bool wanted; /* false: --cgroup-manager disabled, or none can be had, which `notes` say */
	const char *lack; /* then: the reason and what to do, "REASON; REMEDY" */
	bool best_effort;
	const char *root; /* the mount of cgroup v2 */
	const char *path; /* of the container's cgroup, relative to `root`, no "/" first */
	struct cgroup_limit *limits; /* in the order of writing */
	size_t limits_len;
	const char *controllers; /* to enable in every ancestor: "memory pids" */
	/* The same where the kernel lets us: for callers' statistics, and all for a container that
	 * may make cgroups of its own: a nested manager finds what the host has. */
	const char *extra;
	/* To the container's root: own cgroup namespace, and the cgroup filesystem is writable. */
	bool delegate;
	uid_t delegate_uid; /* host id of the container's root */
	const char **notes; /* what --best-effort cgroup dropped: one sentence each */
	size_t notes_len;
};

/*
 * Converts linux.resources into writes (reference: cgroup-v2.rst; runtime-spec config-linux.md).
 * Reads which controllers the host offers below host->cgroup_root. A limit whose controller is
 * missing is an error that names controller, limit and remedy; with `best_effort` it is dropped and
 * noted.
 */
int cgroup_plan(const struct spec *spec, const struct host *host, enum cgroup_manager manager,
		bool best_effort, const char *id, struct arena *arena, struct cgroup_plan *plan,
		struct err *err);

/*
 * The writes for a resources object, whatever the controllers of the host. A period without a quota
 * means "no quota", for cpu.max is written as a whole. Pure.
 */
int cgroup_limits_plan(const struct spec_resources *resources, struct arena *arena,
		       struct cgroup_limit **limits, size_t *len, struct err *err);

/* The new weight for cpu.shares (0: none asked for), and io.weight for blockIO.weight. Pure. */
uint64_t cgroup_cpu_weight(uint64_t shares);
uint64_t cgroup_io_weight(uint64_t weight);

/*
 * Makes the cgroup and enables its controllers, writes the limits, delegates. *dir: its directory.
 * A cgroup that exists must be empty and not frozen. Undone by cgroup_remove; parents that had to
 * be made are left, for another container may be about to use them.
 */
int cgroup_create(const struct cgroup_plan *plan, int *dir, struct err *err);

/* A list as in cgroup.controllers as a mask: bit i for cgroup_controllers[i], none if unknown. */
extern const char *const cgroup_controllers[];
unsigned cgroup_controllers_mask(const char *list);

/* The same for a file of the cgroup `dir`; one that cannot be read has none. */
unsigned cgroup_controllers_read(int dir, const char *file);

/* The path of cgroup v2 in the text of /proc/PID/cgroup (cgroups(7)), with "/" first, cut from the
 * rest in place; NULL: none. */
char *cgroup_path_in(char *text);

/* Refuses what no path of a cgroup has: empty components, "." and "..". */
int cgroup_check_path(const char *path, struct err *err);

/* Opens the directory that cgroup v2 is mounted on; an error if it is not. */
int cgroup_open_root(const char *root, int *dir, struct err *err);

/* Whether we may make cgroups below a directory of cgroup v2, and move processes into them
 * (cgroups(7), "Delegation"). */
bool cgroup_may_make_below(int root, const char *path);

/* Opens the directory of an existing cgroup ("" is an error); O_RDONLY | O_DIRECTORY. */
int cgroup_open(const char *root, const char *path, int *dir, struct err *err);

/*
 * Opens the cgroup that a process is in now, which must be the container's `path` or below it: its
 * init may have moved itself down, and processes live in leaves only. `sub`, if not NULL, is opened
 * instead, below the container's cgroup.
 */
int cgroup_open_of(const char *root, const char *path, pid_t pid, const char *sub, int *dir,
		   struct err *err);

/* Kills every process in the cgroup and below, frozen or not (cgroup.kill, Linux 5.14), without
 * waiting. */
int cgroup_kill(int dir, struct err *err);

/* Sends a signal to every process in the cgroup and below. */
int cgroup_signal(int dir, int signal, struct err *err);

/* Freezes or thaws, and waits for cgroup.events to say so; after `timeout_ms` it thaws again and
 * fails. */
int cgroup_freeze(int dir, bool freeze, int timeout_ms, struct err *err);

/* A root of cgroups that stays open from one look to the next; -1 to begin with, closed by who has
 * it. */
struct cgroup_top {
	int fd;
	char root[PATH_MAX];
};

/* For looking alone: trusts the path as cgroup_open() does not, which takes three times as long. */
bool cgroup_frozen(struct cgroup_top *top, const char *root, const char *path);

/* The pids in the cgroup and below. */
int cgroup_pids(int dir, struct arena *arena, pid_t **pids, size_t *len, struct err *err);

/* Kills and removes the cgroup and all below it, waiting on cgroup.events for it to empty. A
 * missing one is no error. */
int cgroup_remove(const char *root, const char *path, struct err *err);
