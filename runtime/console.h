/*
 * Terminals: handing the master to the caller's console socket, and standing between our own
 * terminal and the container's in a foreground run.
 */
#pragma once

#include <sys/types.h>

#include "runtime/base/err.h"

/* Connects to a socket of the caller's; its path may be longer than the 108 bytes of an address
 * (unix(7)). */
int console_connect(const char *path, int *socket_fd, struct err *err);

/* Sends the descriptor of a terminal's master. */
int console_send(int socket_fd, int master, struct err *err);

/* The same for a pidfd, to the path of a socket (--pidfd-socket). */
int console_send_pidfd(const char *path, int pidfd, struct err *err);

/*
 * Waits for the program of a foreground run or exec, which is our child: forwards signals to it
 * and, with a terminal (master >= 0), relays bytes both ways with our own terminal in raw mode,
 * which is put back on every way out. *status is what waitpid(2) gives.
 */
int console_foreground(int master, pid_t pid, int pidfd, int *status, struct err *err);

/* Blocks the signals that console_foreground() forwards: none is lost before it is called. */
int console_block_signals(struct err *err);
