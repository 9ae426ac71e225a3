/*
 * A container that exists, looked up by its id: what every verb but create begins with.
 */
#pragma once

#include "runtime/container.h"

struct found {
	int root, dir; /* the directory of all containers, and this one's */
	struct state *state;
	enum state_status status;
};

/* Opens the directory of all containers, as state_root_open() does. Where that is depends on who we
 * are only if nobody says it. */
int found_open_root(const struct settings *settings, bool make, int *root, struct err *err);

/* Looks the container up and, if `lock`, locks it. ENOENT: there is none; EBADMSG: it is damaged.
 * Nothing is open after an error. */
int found_open(const struct settings *settings, const char *id, bool lock, struct found *found,
	       struct err *err);

/* The configuration that it was created with. */
int found_config(const struct settings *settings, const struct found *found, struct spec **spec,
		 struct err *err);

void found_close(struct found *found);

/* A local that found_open() is called on, and that closes itself. */
#define autofound __attribute__((cleanup(found_close)))
