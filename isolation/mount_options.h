/*
 * The words of mounts[].options: one table says what each means. mounts_plan.c decides with the
 * result, mounts.c applies it.
 */
#pragma once

#include <stdint.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "spec/spec.h"

/* A word and what it means. `features` lists the names, the manual page explains them. Without a
 * pointer, which the dynamic loader would have to set in every command. */
struct mount_option {
	char name[16];
	uint64_t attr_set, attr_clear;	 /* SYS_MOUNT_ATTR_X, for mount_setattr(2) on this mount */
	uint64_t rec_set, rec_clear;	 /* the same, recursively */
	uint64_t super_set, super_clear; /* MS_X of the superblock: sync, dirsync, lazytime */
	uint64_t propagation;		 /* MS_X, with MS_REC for the r forms */
	unsigned what;			 /* MOUNT_OPTION_X */
};

enum {
	MOUNT_OPTION_BIND = 1,
	MOUNT_OPTION_RBIND = 2,
	MOUNT_OPTION_REMOUNT = 4,
	MOUNT_OPTION_TMPCOPYUP = 8,
	MOUNT_OPTION_NOTHING = 16, /* accepted, and already so (mount_options.c says why) */
	MOUNT_OPTION_LATER = 32,   /* of the specification or of peers, not done: refused by name */
};

/* All of the specification; the name of the last row is empty. */
extern const struct mount_option mount_options[];

/* What the words of one mount add up to; a later word overrides an earlier one. To be applied in
 * this order: rec_X, attr_X. */
struct mount_flags {
	uint64_t attr_set, attr_clear, rec_set, rec_clear, super;
	uint64_t *propagation; /* applied in turn */
	size_t propagation_len;
	const char **data; /* filesystem options: "key=value" or "flag" */
	size_t data_len;
	unsigned what;
};

/* What the mount itself gets of attr_set and rec_set. */
uint64_t mount_flags_set(const struct mount_flags *flags);

/* Words that the table does not have belong to the filesystem. Pure. */
int mount_options_parse(const struct spec_strings *words, struct arena *arena,
			struct mount_flags *flags, struct err *err);
