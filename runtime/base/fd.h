/*
 * Descriptors: every one is close-on-exec from birth. A local is `autoclose int fd = -1`; giving it
 * away is fd_take(&fd). Functions that take an `int` borrow it; functions that give one have an
 * `int *` last before `err`, or return it.
 */
#pragma once

#include <unistd.h>

static inline void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define autoclose __attribute__((cleanup(fd_close)))
