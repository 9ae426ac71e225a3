/*
 * /dev: the default nodes and links, and linux.devices.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "isolation/host.h"
#include "spec/spec.h"

struct device_row {
	const char *path;
	mode_t type, mode; /* S_IFCHR, S_IFBLK or S_IFIFO */
	dev_t device;
	uid_t uid;
	gid_t gid;
	bool configured; /* in linux.devices, else a default */
};

struct devices_plan {
	struct device_row *row;
	size_t len;
	bool bind;     /* in a user namespace nodes can't be made: bind the host's */
	bool terminal; /* make /dev/console to bind the terminal on */
	/* /dev is no bind mount and no devtmpfs: it is filled with the defaults. Else nothing is
	 * made in it, and what linux.devices names must be there. */
	bool own_dev;
	bool mounted; /* something is to be mounted on /dev */
};

int devices_plan(const struct spec *spec, const struct host *host, uint64_t own,
		 struct arena *arena, struct devices_plan *plan, struct err *err);

/*
 * In init, before pivot_root: the nodes and links on descriptors below `dev`, the mount that was
 * made on /dev, or rootfs's own directory as it was before anything was mounted: a link of the
 * image may have led a volume there. -1: there was none, or a symbolic link, which it may not be
 * (CVE-2026-41579, CVE-2026-47766). An existing node that matches is kept, one that does not is an
 * error; an existing link is kept whatever it is.
 */
int devices_apply(const struct devices_plan *plan, int rootfs, int dev, struct err *err);
