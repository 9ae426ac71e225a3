/*
 * Detached mounts (fsopen(2), open_tree(2)): complete before anybody can see them, then attached to
 * a descriptor. No path is involved but in the text of errors. Safe in the child.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/err.h"

#define TREE_OPTION_MAX 255 /* bytes of a key, and of a value, that fsconfig(2) takes */

/* A new filesystem: open, options one by one ("key=value" or "flag"), make with SYS_MOUNT_ATTR_X.
 * Errors quote the kernel's own explanation. */
int tree_open(const char *type, struct err *err);
int tree_option(int fs, const char *option, struct err *err);
int tree_make(int fs, const char *type, uint64_t attributes, struct err *err);

/* Copies of mounts that are there: of the one that a descriptor lies in, from there on down. -1
 * with errno. */
int tree_clone(int fd, bool recursive);

/* mount_setattr(2): SYS_MOUNT_ATTR_X. Access time is a value in several bits, cleared as a whole.
 * 0, or -1 with errno. */
int tree_set(int tree, uint64_t set, uint64_t clear, bool recursive);

/* MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, with MS_REC for all below. 0, or -1 with
 * errno. */
int tree_propagate(int tree, uint64_t propagation);

/* Puts a tree on what another descriptor found. 0, or -1 with errno. */
int tree_attach(int tree, int destination);
