/*
 * See ebpfsim.h. Arithmetic and comparisons are of 32 bits; register 1 holds the context.
 */
#include "tests/unit/ebpfsim.h"

#include <string.h>

int64_t ebpfsim_run(const struct bpf_insn *program, size_t len,
		    const struct bpf_cgroup_dev_ctx *context)
{
	uint32_t r[BPF_REG_10] = { 0 };

	for (size_t at = 0; at < len; at++) {
		const struct bpf_insn *i = &program[at];
		uint32_t imm = (uint32_t)i->imm;

		if (i->dst_reg >= BPF_REG_10 || i->src_reg >= BPF_REG_10)
			return -1;
		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			if (i->src_reg != BPF_REG_1 || i->off < 0 || i->off % 4 ||
			    (size_t)i->off > sizeof(*context) - 4)
				return -1;
			memcpy(&r[i->dst_reg], (const char *)context + i->off, 4);
			break;
		case BPF_ALU | BPF_MOV | BPF_X:
			r[i->dst_reg] = r[i->src_reg];
			break;
		case BPF_ALU | BPF_MOV | BPF_K:
			r[i->dst_reg] = imm;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			r[i->dst_reg] &= imm;
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			r[i->dst_reg] >>= imm;
			break;
		case BPF_JMP32 | BPF_JEQ | BPF_K:
		case BPF_JMP32 | BPF_JNE | BPF_K:
			if (i->off < 0)
				return -1;
			if ((r[i->dst_reg] == imm) == (BPF_OP(i->code) == BPF_JEQ))
				at += (size_t)i->off;
			break;
		case BPF_JMP | BPF_EXIT:
			return r[BPF_REG_0];
		default:
			return -1;
		}
	}
	return -1;
}
