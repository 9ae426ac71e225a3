/*
 * mounts[]: the table of options, rows with everything decided, and carrying them out on
 * descriptors.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "isolation/host.h"
#include "runtime/base/sys.h"
#include "spec/spec.h"

/* Every mount option of the specification and what it means; `features` lists the names, the man
 * page explains them. */
struct mount_option {
	const char *name;
	uint64_t attr_set, attr_clear;	 /* SYS_MOUNT_ATTR_X, for mount_setattr(2) on this mount */
	uint64_t rec_set, rec_clear;	 /* the same, recursively */
	uint64_t super_set, super_clear; /* MS_X of the superblock: sync, dirsync, lazytime, ... */
	uint64_t propagation;		 /* MS_X, with MS_REC for the r forms */
	unsigned what;			 /* MOUNT_OPTION_X */
};
enum {
	MOUNT_OPTION_BIND = 1,
	MOUNT_OPTION_RBIND = 2,
	MOUNT_OPTION_REMOUNT = 4,
	MOUNT_OPTION_TMPCOPYUP = 8,
	MOUNT_OPTION_NOTHING =
		16,		 /* accepted, means nothing to this kernel (mand, defaults, loud) */
	MOUNT_OPTION_LATER = 32, /* known to the specification, not done yet: refused by name */
};
extern const struct mount_option mount_options[];

enum mount_kind { MOUNT_BIND, MOUNT_FILESYSTEM, MOUNT_REMOUNT, MOUNT_CGROUP };

struct mount_row {
	size_t index; /* in mounts[], for errors */
	enum mount_kind kind;
	const char *destination, *type, *source; /* a bind's source is absolute */
	bool recursive;				 /* rbind */
	uint64_t attr_set, attr_clear, rec_set, rec_clear, super;
	const uint64_t *propagation; /* applied in turn */
	size_t propagation_len;
	const char **data; /* filesystem options "key=value" or "flag" */
	size_t data_len;
	bool copy_up, late_read_only; /* tmpcopyup; "ro" put off until /dev was filled */
	bool keep_mode; /* a tmpfs without mode= gets the mode of the directory that it covers */
	bool no_links;	/* proc and sysfs: no symbolic link in the destination */
	bool fallback_bind; /* sysfs, proc: bind the host's where the kernel refuses a fresh one */
	bool locked_explicit; /* the user asked to clear a flag by name: no retry with locked flags
			       */
	const char *context;  /* SELinux mount label option, or NULL */
};

struct mounts_plan {
	struct mount_row *row;
	size_t len, binds;
};

/* `own` as in sysctl_plan(). Relative bind sources are below `bundle` (absolute). Pure. */
int mounts_plan(const struct spec *spec, const struct host *host, uint64_t own, const char *bundle,
		struct arena *arena, struct mounts_plan *plan, struct err *err);

/*
 * In init, before it becomes root inside: opens each bind's source as the caller, who has the right
 * to reach it. fds[i] is O_PATH for row i, or -1. The array (plan->len) was allocated by the
 * parent.
 */
int mounts_open_sources(const struct mounts_plan *plan, int fds[], struct err *err);

/* In init: all rows in order, each a detached tree that is complete before it is attached to a
 * destination in `rootfs`. */
int mounts_apply(const struct mounts_plan *plan, const int fds[], int rootfs, struct err *err);

/* In init, last: the read-only state that was put off. */
int mounts_finish(const struct mounts_plan *plan, int rootfs, struct err *err);
