/*
 * See bpfsim.h. Only what filters are made of here: aligned loads of seccomp_data, arithmetic with
 * constants, jumps, scratch memory and returns.
 */
#include "tests/unit/bpfsim.h"

#include <stdbool.h>
#include <string.h>

static bool jump_taken(uint16_t code, uint32_t accumulator, uint32_t with)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return accumulator == with;
	case BPF_JGT:
		return accumulator > with;
	case BPF_JGE:
		return accumulator >= with;
	default:
		return accumulator & with; /* BPF_JSET */
	}
}

int bpfsim_run(const struct sock_filter *program, size_t len, const struct seccomp_data *data,
	       uint32_t *verdict)
{
	uint32_t accumulator = 0, memory[BPF_MEMWORDS] = { 0 };

	for (size_t at = 0; at < len; at++) {
		const struct sock_filter *i = &program[at];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (i->k % 4 || i->k > sizeof(*data) - 4)
				return -1;
			memcpy(&accumulator, (const char *)data + i->k, 4);
			break;
		case BPF_LD | BPF_W | BPF_IMM:
			accumulator = i->k;
			break;
		case BPF_LD | BPF_W | BPF_MEM:
		case BPF_ST:
			if (i->k >= BPF_MEMWORDS)
				return -1;
			if (i->code == BPF_ST)
				memory[i->k] = accumulator;
			else
				accumulator = memory[i->k];
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			accumulator &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			at += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			at += jump_taken(i->code, accumulator, i->k) ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			*verdict = i->k;
			return 0;
		default:
			return -1;
		}
	}
	return -1;
}
