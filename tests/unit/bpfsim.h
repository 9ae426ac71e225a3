/*
 * An interpreter for classic BPF as seccomp(2) runs it: what would the kernel answer to this call?
 */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Runs a filter and gives its verdict (SECCOMP_RET_X with data). 0, or -1 if the kernel would not
 * have taken the program: an instruction outside of what seccomp allows, a jump or a load out of
 * bounds, no return.
 */
int bpfsim_run(const struct sock_filter *program, size_t len, const struct seccomp_data *data,
	       uint32_t *verdict);
