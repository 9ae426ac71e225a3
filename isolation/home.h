/*
 * The user's home directory as the container's own /etc/passwd has it, for HOME.
 *
 * The file is hostile: nothing but HOME, which is the program's own affair, may be taken from it,
 * above all no uid or gid (CVE-2026-30892).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Leaves `home` as it is if there is none, or if it is longer than size - 1 bytes. In init: `root`
 * is the container's. */
void home_find(int root, uid_t uid, char *home, size_t size);
