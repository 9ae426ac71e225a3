/*
 * The root filesystem: preparing it, hiding and protecting paths, pivot_root(2).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "isolation/mounts.h"
#include "spec/spec.h"

struct rootfs_plan {
	const char *path; /* absolute */
	bool wanted;	  /* the container has a mount namespace that is not joined */
	bool read_only, no_pivot;
	bool hooked; /* hooks run before the paths are hidden, and may have mounted over all of it
		      */
	/* For "/" before anything is mounted: MS_SLAVE | MS_REC or MS_PRIVATE | MS_REC; 0: left
	 * shared with the host, as asked. */
	uint64_t host_propagation;
	uint64_t propagation; /* MS_X for the container's "/" itself at the end; 0: leave */
	struct spec_strings masked, read_only_paths; /* absolute and clean */
	const char *mask_context; /* "context=LABEL" for the mask tmpfs, or NULL */
};

/* Errors: no mount namespace; a joined one (whose mounts are not ours) with something to mount; "/"
 * to be hidden or protected. */
int rootfs_plan(const struct spec *spec, uint64_t own, const char *bundle, bool no_pivot,
		struct arena *arena, struct rootfs_plan *plan, struct err *err);

/* In init, before it becomes root inside: opens the root filesystem as the caller. *rootfs is
 * O_PATH. */
int rootfs_open(const struct rootfs_plan *plan, int *rootfs, struct err *err);

/* Propagation of the namespace, then the root filesystem bound onto itself; *rootfs becomes the
 * root of that mount. Sets umask 022: what is made below has the modes that we say. */
int rootfs_prepare(const struct rootfs_plan *plan, int *rootfs, struct err *err);

/* Before the pivot, while the host's /dev/null can still be bound: masked and read-only paths, on
 * descriptors. Those below a mount that was made are found as mounts_open_path() does. */
int rootfs_hide(const struct rootfs_plan *plan, const struct mounts_plan *mounts, const int fds[],
		int rootfs, struct err *err);

/*
 * pivot_root(".", ".") and the old root detached; with no_pivot: mount moved, chroot(2), which a
 * process with CAP_SYS_CHROOT can leave again. From here no host path has a name, and the working
 * directory is the new root.
 */
int rootfs_pivot(const struct rootfs_plan *plan, int rootfs, struct err *err);

/* Root read-only, final propagation. */
int rootfs_finish(const struct rootfs_plan *plan, int rootfs, struct err *err);
