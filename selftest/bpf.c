/*
 * Filters as text and as answers, see bpf.h. Knows the instructions that libseccomp and the
 * prologue of isolation/seccomp.c make; others are printed as numbers and never allow anything.
 */
#include "selftest/bpf.h"

#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "selftest/report_common.h"

#define NO_ARCHITECTURE 0

int bpf_compile(const struct seccomp_plan *plan, struct arena *arena, struct bpf_program *program,
		struct err *err)
{
	autoclose int fd = memfd_create("filter", MFD_CLOEXEC);
	size_t size;

	if (fd < 0)
		return err_sys(err, "memfd_create");
	if (seccomp_compile(plan, fd, err) < 0 || seccomp_filter_size(fd, &size, err) < 0)
		return -1;
	program->len = size / sizeof(struct sock_filter);
	program->instructions = arena_new_array(arena, struct sock_filter, program->len);
	if (pread(fd, program->instructions, size, 0) != (ssize_t)size)
		return err_sys(err, "read the filter");
	return 0;
}

static bool jumps(const struct sock_filter *at, uint32_t value)
{
	switch (BPF_OP(at->code)) {
	case BPF_JEQ:
		return value == at->k;
	case BPF_JGT:
		return value > at->k;
	case BPF_JGE:
		return value >= at->k;
	default:
		return value & at->k; /* BPF_JSET */
	}
}

uint32_t bpf_answer(const struct bpf_program *program, const struct seccomp_data *data)
{
	uint32_t value = 0;

	for (size_t i = 0; i < program->len; i++) {
		const struct sock_filter *at = &program->instructions[i];

		switch (at->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (at->k > sizeof(*data) - sizeof(value))
				return SECCOMP_RET_KILL_PROCESS;
			memcpy(&value, (const char *)data + at->k, sizeof(value));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			value &= at->k;
			break;
		case BPF_JMP | BPF_JA:
			i += at->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			i += jumps(at, value) ? at->jt : at->jf;
			break;
		case BPF_RET | BPF_K:
			return at->k;
		default:
			return SECCOMP_RET_KILL_PROCESS;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

/* What a load at an offset of struct seccomp_data reads. */
static void print_field(uint32_t offset, FILE *to)
{
	static const bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	if (offset == offsetof(struct seccomp_data, nr))
		fprintf(to, "system call");
	else if (offset == offsetof(struct seccomp_data, arch))
		fprintf(to, "architecture");
	else if (offset >= offsetof(struct seccomp_data, args))
		fprintf(to, "argument %zu, %s half",
			(offset - offsetof(struct seccomp_data, args)) / sizeof(uint64_t),
			(offset % sizeof(uint64_t) == 0) == little ? "lower" : "upper");
	else
		fprintf(to, "instruction pointer");
}

static void print_action(uint32_t value, struct arena *arena, FILE *to)
{
	const uint32_t data = value & SECCOMP_RET_DATA;
	const char *name = name_text(seccomp_action_names, value & ~(uint32_t)SECCOMP_RET_DATA);

	fprintf(to, "%s", name ? name : "unknown action");
	if (data && (value & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
		fprintf(to, ", %s", report_errno((int)data, arena));
}

/* What is known at one place when reading from the top: filters are in blocks, one for each
 * architecture. */
struct reading {
	const struct seccomp_plan *plan;
	uint32_t loaded; /* offset of the last load */
	uint32_t architecture;
};

static void print_jump(const struct sock_filter *at, size_t i, struct reading *reading, FILE *to)
{
	static const char *const words[] = { [BPF_JEQ >> 4] = "jeq",
					     [BPF_JGT >> 4] = "jgt",
					     [BPF_JGE >> 4] = "jge",
					     [BPF_JSET >> 4] = "jset" };
	const char *name = NULL;

	if (reading->loaded == offsetof(struct seccomp_data, arch)) {
		name = name_text(seccomp_architecture_names, at->k);
		reading->architecture = at->k;
	} else if (reading->loaded == offsetof(struct seccomp_data, nr) &&
		   BPF_OP(at->code) != BPF_JSET && at->k <= INT_MAX) {
		name = seccomp_call_name(reading->plan, reading->architecture, at->k);
	}
	fprintf(to, "%-4s #0x%08x, %zu, %zu%s%s", words[BPF_OP(at->code) >> 4], at->k,
		i + 1 + at->jt, i + 1 + at->jf, name ? "  ; " : "", name ? name : "");
}

void bpf_print(const struct bpf_program *program, const struct seccomp_plan *plan,
	       struct arena *arena, FILE *to)
{
	struct reading reading = { .plan = plan, .architecture = NO_ARCHITECTURE };

	for (size_t i = 0; i < program->len; i++) {
		const struct sock_filter *at = &program->instructions[i];

		fprintf(to, "%4zu: ", i);
		switch (at->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			fprintf(to, "ld   [%u]  ; ", at->k);
			print_field(at->k, to);
			reading.loaded = at->k;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			fprintf(to, "and  #0x%08x", at->k);
			break;
		case BPF_JMP | BPF_JA:
			fprintf(to, "ja   %zu", i + 1 + at->k);
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			print_jump(at, i, &reading, to);
			break;
		case BPF_RET | BPF_K:
			fprintf(to, "ret  #0x%08x  ; ", at->k);
			print_action(at->k, arena, to);
			break;
		default:
			fprintf(to, "0x%02x %u %u 0x%08x", at->code, at->jt, at->jf, at->k);
		}
		fprintf(to, "\n");
	}
}
