/*
 * Keeping our own executable out of the container's reach (CVE-2019-5736): a process inside that
 * gets hold of /proc/PID/exe of ours must not be able to write through it.
 */
#pragma once

#include "runtime/base/err.h"

/*
 * Makes this program run from a read-only place if the caller could write the file that it runs
 * from. Call before anything else is done: where the kernel lets no program exchange its own file,
 * it starts again with the same arguments. *mount: the read-only mount, which need not stay open,
 * or -1. Closing it dissolves it; until then whoever reaches /proc/PID/exe of ours, and may mount
 * anywhere, could make it writable: close it before others can see what we clone. The kernel waits
 * until no processor looks at it (50 us): if nobody can, close it when there is time.
 */
int seal_executable(char **argv, int *mount, struct err *err);
