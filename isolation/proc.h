/*
 * The host's procfs, through one descriptor that was checked to be one: all that is written to
 * /proc goes through it, for a container that mounts something over /proc must not be able to
 * swallow what confines it (CVE-2019-16884, CVE-2025-52881). Safe in the child.
 */
#pragma once

#include <stddef.h>

#include "runtime/base/err.h"

/* Opens "/proc" and checks that it is the root of a procfs (PROC_SUPER_MAGIC). O_PATH, or -1. */
int proc_open(struct err *err);

/* Opens a file below a descriptor of proc_open() with the flags of open(2): RESOLVE_BENEATH |
 * NO_XDEV | NO_SYMLINKS. A descriptor, or -1 with errno set. */
int proc_open_file(int proc, const char *path, int flags);

/* Writes a text with one write(2) to a file found so. */
int proc_write(int proc, const char *path, const char *text, struct err *err);

/* "PID/task/TID" of the calling thread as that procfs sees it: in another pid namespace getpid()
 * would be wrong. */
int proc_self(int proc, char *buffer, size_t size, struct err *err);
