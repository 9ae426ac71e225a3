/*
 * The only way to touch a path under a container's root filesystem, which is hostile: links may
 * lead anywhere, and another container that shares a volume may swap files while we work
 * (CVE-2021-30465, CVE-2024-45310, CVE-2019-18837).
 *
 * Everything is resolved by openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS and used
 * through the descriptor found, never by name again. EAGAIN (a rename raced with "..") is retried a
 * bounded number of times. Safe in the child.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

/*
 * For plans: `path` below `base` (an absolute path stays as it is), without "//", "." and "..".
 * That is a matter of text alone: the kernel decides later where the links in it lead.
 */
const char *path_clean(const char *base, const char *path, struct arena *arena);

/* Whether no component is empty, "." or "..", which could lead out of where it is looked up. */
bool path_is_plain(const char *path);

/* openat2(2), tried again where a rename raced; O_CLOEXEC is added. A descriptor, or -1 with errno
 * set. */
int path_open_how(int dir, const char *path, int flags, uint64_t resolve);

/* Opens an existing path with the flags of open(2), mostly O_PATH; O_CLOEXEC is added. A
 * descriptor, or -1 with errno set. */
int path_open(int rootfs, const char *path, int flags);

/* path_open() that refuses a symbolic link anywhere in the path (RESOLVE_NO_SYMLINKS;
 * CVE-2023-27561). */
int path_open_no_links(int rootfs, const char *path, int flags);

/*
 * Opens a path for a mount to be put on, making what is missing component by component with
 * mkdirat(2)/mknodat(2) on descriptors: directories (0755), and as the last component a directory
 * or an empty file (0644). A link that leads to nothing is followed: what is made is its target.
 * Returns O_PATH.
 */
enum path_kind { PATH_DIRECTORY, PATH_FILE };
int path_make(int rootfs, const char *path, enum path_kind kind, struct err *err);

/* The same for what path_open() just did not find (ENOENT). What is made may be replaced at once:
 * the caller checks what was opened. */
int path_make_missing(int rootfs, const char *path, enum path_kind kind, struct err *err);

/* Opens the directory that holds the last component, making it if missing, but through no symbolic
 * link: it could lead into a volume. *name points into `path`. */
int path_make_parent(int rootfs, const char *path, const char **name, struct err *err);

/* Checks that a descriptor is the device that it should be (CVE-2025-31133): S_IFCHR or S_IFBLK,
 * and the number. */
int path_verify_device(int fd, mode_t type, dev_t device, const char *what, struct err *err);
