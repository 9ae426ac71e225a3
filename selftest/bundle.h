/*
 * Bundles of selftest: a private directory whose root filesystem holds the canary and nothing else,
 * and a configuration made by merge patches. Each is removed again by who made it; what a killed
 * run left behind, by the next.
 */
#pragma once

#include <stddef.h>

#include "isolation/host.h"
#include "spec/json.h"

struct bundle {
	int dir;	    /* the directory, locked as long as the bundle is in use */
	const char *path;   /* absolute */
	const char *config; /* the text of config.json */
	size_t config_size;
};

/*
 * The configuration to begin with: that of the bundle `path`, or what `agentd spec` prints for this
 * caller if it is NULL. Relative paths of the bundle (mounts' sources) become absolute.
 */
int bundle_config(const char *path, const struct host *host, struct arena *arena,
		  struct json **config, struct err *err);

/*
 * Makes a bundle: rootfs/canary, empty /bin /etc /lib /usr, and config.json, which is `config` with
 * the patches (JSON merge patches, a list that ends with NULL) applied one after the other, and
 * "rootfs" as root.path. The rootfs belongs to the container's root, so that mount points can be
 * made in it. The directory is 0700 and on a file system from which programs can be executed.
 * Nothing is left behind if it fails.
 */
int bundle_make(const struct json *config, const char *const patches[], struct arena *arena,
		struct bundle *bundle, struct err *err);

/* Removes it and all in it; does nothing to a bundle that was not made ({ .dir = -1 }). */
void bundle_remove(struct bundle *bundle);

/* Removes the bundles of ours that nobody holds any more. */
void bundle_sweep(void);
