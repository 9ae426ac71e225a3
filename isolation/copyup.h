/*
 * tmpcopyup: filling a new tmpfs with what it is going to cover.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/err.h"

#define COPYUP_DEPTH_MAX 64 /* directories below each other */

/*
 * Copies all that is below the directory `from` into the directory `to` (both may be O_PATH):
 * files, directories, links, special files, with modes and owners; not extended attributes, not
 * times. `owner`: that of `from` itself too. *flags: those of all mounts on which something lies
 * that was copied, as statfs(2) has them. What is copied is hostile: no link is followed. In the
 * child.
 */
int copyup(int from, int to, bool owner, uint64_t *flags, struct err *err);
