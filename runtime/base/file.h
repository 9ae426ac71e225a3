/*
 * Files as a whole: bounded reads, single writes as procfs, sysfs and cgroupfs want them, atomic
 * replacement.
 *
 * `dir` is a directory descriptor or AT_FDCWD. Paths are trusted here: for a path under a
 * container's root filesystem use isolation/path.h.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

/* Reads a file of at most `max` bytes; *text is NUL-terminated and belongs to the arena, *size, if
 * wanted, is its length. EFBIG if it is longer. */
int file_read(int dir, const char *path, size_t max, struct arena *arena, char **text, size_t *size,
	      struct err *err);

/* The same, but what is no regular file is refused, not waited for: a FIFO, a terminal. */
int file_read_regular(int dir, const char *path, size_t max, struct arena *arena, char **text,
		      size_t *size, struct err *err);

/*
 * Reads at most size - 1 bytes into a buffer and ends them with NUL, for the small files of procfs,
 * sysfs and cgroupfs. Returns the number of bytes, or -1 with errno set: the caller knows whether
 * absence is an error. Allocates nothing.
 */
ssize_t file_read_small(int dir, const char *path, char *buffer, size_t size);

/* Writes a text with a single write(2) into an existing file; never follows a last symbolic link,
 * never creates. */
int file_write(int dir, const char *path, const char *text, struct err *err);

/* The same, with errno instead of an error, for callers to whom some failures mean something. 0 or
 * -1. */
int file_write_small(int dir, const char *path, const char *text);

/* How much of a text to quote in an error, as the precision of "%.*s": its first line, or 100 bytes
 * of it. */
int file_first_line(const char *text);

/* Writes all bytes to a descriptor, however many writes it takes. 0, or -1 with errno set. */
int file_write_all(int fd, const void *data, size_t size);

/* Puts a new file in the place of `name` by rename(2), so that no reader ever sees a part of it. */
int file_replace(int dir, const char *name, const void *data, size_t size, mode_t mode,
		 struct err *err);

/* Makes a directory and its missing parents (mode 0755 for parents). An existing directory is not
 * an error. */
int file_make_directories(const char *path, mode_t mode, struct err *err);
