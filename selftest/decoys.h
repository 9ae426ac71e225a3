/*
 * Decoys: harmless objects of the host's that a container must not reach, and that a child of the
 * host can: without them "no such thing" would prove nothing.
 *
 * Every name follows from the nonce of the run, so that whoever knows it can remove what a killed
 * run left behind. No decoy holds anything but the nonce.
 */
#pragma once

#include <sys/types.h>

#include "runtime/base/err.h"
#include "selftest/attempt.h"

struct decoys {
	struct attempt_decoys told; /* what is the same at every place */
	pid_t server;		    /* the decoy process, which serves the listeners too */
};

/* A new nonce, and the names that follow from it. */
int decoys_name(struct attempt_decoys *told, struct err *err);

/* Plants them; files go into the directory `path`, which whoever made it removes. What this machine
 * does not have, or we may not make, is left out: its name is "" then, its number 0. */
int decoys_plant(struct decoys *decoys, const char *path, struct err *err);

/* Removes what does not end with its process. */
void decoys_remove(struct decoys *decoys);

/* The same for a run that was killed. */
void decoys_sweep(const char *nonce);
