/*
 * mounts[]: rows with everything decided, and carrying them out on descriptors. What each option
 * word means is in mount_options.c, which kind of mount may have it in mounts_plan.c; mounts.c
 * applies it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "isolation/host.h"
#include "isolation/mount_options.h"
#include "runtime/base/sys.h"
#include "spec/spec.h"

enum mount_kind {
	MOUNT_BIND,
	MOUNT_FILESYSTEM, /* cgroup2 too, where the cgroup namespace is the container's own */
	MOUNT_REMOUNT,
	MOUNT_CGROUP, /* the container's own directory of the host's cgroup2, which is `source` */
};

struct mount_row {
	size_t index; /* in mounts[], for errors */
	enum mount_kind kind;
	const char *destination, *type, *source; /* a bind's source is absolute; else may be NULL */
	size_t destination_len;
	struct mount_flags flags;
	const char **options; /* for fsconfig(2), in turn: source, superblock, flags.data, label */
	size_t options_len;
	bool late_read_only; /* "ro" put off until mount points and devices were made in it */
	bool keep_mode;	 /* a tmpfs without mode= gets the mode of the directory that it covers */
	bool keep_owner; /* tmpcopyup without uid= or gid=: its owner too */
	bool guarded;	 /* procfs, sysfs and /dev: no symbolic link in the destination */
	bool in_proc;	 /* /proc, or one of the files in it that may be mounted on */
	bool fallback_bind; /* sysfs, proc: bind the host's where the kernel refuses a fresh one */
};

struct mounts_plan {
	struct mount_row *row;
	size_t len;
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
 * destination in `rootfs`. The sources are closed; fds[i] is then the mount, or -1 of a remount. */
int mounts_apply(const struct mounts_plan *plan, int fds[], int rootfs, struct err *err);

/* In init: path_open(), or path_open_no_links(), of a container's path, O_PATH. Below a mount that
 * was made it starts there: who shares the root filesystem could swap the directory that it is
 * mounted on. */
int mounts_open_path(const struct mounts_plan *plan, const int fds[], int rootfs, const char *path,
		     bool links);

/* In init: the mount that was made on /dev last, or -1. */
int mounts_dev(const struct mounts_plan *plan, const int fds[]);

/* In init, last: the read-only state that was put off. Not by name: something else may be mounted
 * there now, and who shares a directory of the way could have swapped it. All fds are closed. */
int mounts_finish(const struct mounts_plan *plan, int fds[], struct err *err);
