/*
 * Ways into the kernel that go round a filter: io_uring, other system call tables, terminals, and
 * families of system calls of which one answer is made. Rows of attempts_kernel.c.
 */
#pragma once

#include "selftest/attempt.h"

/*
 * One call of several. It got through unless it was refused: EPERM, EACCES, ENOSYS, or an errno
 * that no kernel has (a filter's own). Wrong arguments that the kernel complains of got through.
 * The result becomes the number of those, and the text names them.
 */
void attempt_count(struct attempt_result *result, const char *name, int64_t returned);

/* socketcall(2) by the 32-bit entry; ENOSYS where there is none. */
int door_i386_socket(int family, int type, int protocol);

void attempt_io_uring_setup(const struct attempt_decoys *decoys, struct attempt_result *result);
void attempt_io_uring_open(const struct attempt_decoys *decoys, struct attempt_result *result);
void attempt_io_uring_socket(const struct attempt_decoys *decoys, struct attempt_result *result);
void attempt_i386_getpid(const struct attempt_decoys *decoys, struct attempt_result *result);
void attempt_i386_collisions(const struct attempt_decoys *decoys, struct attempt_result *result);
void attempt_x32(const struct attempt_decoys *decoys, struct attempt_result *result);
void attempt_tiocsti(const struct attempt_decoys *decoys, struct attempt_result *result);
void attempt_tiocsti_high(const struct attempt_decoys *decoys, struct attempt_result *result);
