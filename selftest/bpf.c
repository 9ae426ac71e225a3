/*
 * Filters as text and as answers, see bpf.h. Knows the instructions that isolation/
 * seccomp_filter.c makes; others are printed as numbers and never allow anything.
 */
#include "selftest/bpf.h"

#include <limits.h>
#include <string.h>

#include "isolation/seccomp_rules.h"
#include "selftest/report_common.h"

#define NO_ARCHITECTURE 0

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

uint32_t bpf_answer(const struct sock_fprog *program, const struct seccomp_data *data)
{
	uint32_t value = 0;

	for (size_t i = 0; i < program->len; i++) {
		const struct sock_filter *at = &program->filter[i];

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
	struct arena *arena;
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
		name = seccomp_call_name(seccomp_architecture_of(reading->architecture, at->k),
					 at->k, reading->arena);
	}
	fprintf(to, "%-4s #0x%08x, %zu, %zu%s%s", words[BPF_OP(at->code) >> 4], at->k,
		i + 1 + at->jt, i + 1 + at->jf, name ? "  ; " : "", name ? name : "");
}

void bpf_print(const struct sock_fprog *program, struct arena *arena, FILE *to)
{
	struct reading reading = { .arena = arena, .architecture = NO_ARCHITECTURE };

	for (size_t i = 0; i < program->len; i++) {
		const struct sock_filter *at = &program->filter[i];

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

/* --- decisions ------------------------------------------------------------------------------- */

#define CALLS_MAX 1024 /* of one architecture, from its first number on */
#define LINE_MAX_COLUMNS 80

/* The names of a range's calls, on lines of their own. */
static void print_names(uint32_t architecture, uint32_t first, uint32_t last, struct arena *arena,
			FILE *to)
{
	size_t column = 0;

	for (uint32_t i = 0; i <= last - first && i < CALLS_MAX; i++) {
		const char *name = seccomp_call_name(architecture, first + i, arena);
		size_t len = name ? strlen(name) + 1 : 0;

		if (!name)
			continue;
		if (column == 0 || column + len > LINE_MAX_COLUMNS)
			column =
				(size_t)fprintf(to, "%s       ", column ? "\n" : "") - (column > 0);
		column += len;
		fprintf(to, " %s", name);
	}
	if (column)
		fprintf(to, "\n");
}

static void print_comparison(const struct seccomp_comparison *with, bool wide, FILE *to)
{
	static const char *const words[] = {
		[SECCOMP_EQ] = "==", [SECCOMP_GE] = ">=", [SECCOMP_GT] = ">",
		[SECCOMP_LE] = "<=", [SECCOMP_LT] = "<",  [SECCOMP_MASKED_EQ] = "==",
		[SECCOMP_NE] = "!=",
	};
	const uint64_t bits = wide ? UINT64_MAX : UINT32_MAX;

	fprintf(to, "argument %u", with->argument);
	if (with->operator== SECCOMP_MASKED_EQ)
		fprintf(to, " & %#llx", (unsigned long long)(with->mask & bits));
	fprintf(to, " %s %#llx", words[with->operator], (unsigned long long)(with->value & bits));
}

static void print_range(const struct seccomp_range *range, struct arena *arena, FILE *to)
{
	for (size_t i = 0; i < range->rules_len; i++) {
		const struct seccomp_rule *rule = range->rules[i];

		fprintf(to, "        %s ", i ? "else if" : "if");
		for (size_t j = 0; j < rule->args_len; j++) {
			if (j)
				fprintf(to, rule->alternatives ? " or " : " and ");
			print_comparison(&rule->args[j], range->wide, to);
		}
		fprintf(to, ": ");
		print_action(rule->action, arena, to);
		fprintf(to, "\n");
	}
	if (range->rules_len) {
		fprintf(to, "        else: ");
		print_action(range->otherwise, arena, to);
		fprintf(to, "\n");
	}
}

static void print_table(const struct seccomp_table *table, struct arena *arena, FILE *to)
{
	fprintf(to, "%s:\n", name_text(seccomp_architecture_names, table->architecture));
	for (size_t i = 0; i < table->len; i++) {
		const struct seccomp_range *range = &table->ranges[i];
		const uint32_t last = i + 1 < table->len ? range[1].first - 1 : UINT32_MAX;

		fprintf(to, "    %u", range->first);
		if (last != range->first)
			fprintf(to, "-%u", last);
		fprintf(to, ": ");
		if (range->rules_len)
			fprintf(to, "by arguments");
		else
			print_action(range->otherwise, arena, to);
		fprintf(to, "\n");
		print_names(seccomp_architecture_of(table->architecture, range->first),
			    range->first, last, arena, to);
		print_range(range, arena, to);
	}
}

void bpf_print_decisions(const struct seccomp_plan *plan, struct arena *arena, FILE *to)
{
	struct seccomp_tables tables;

	seccomp_decide(plan, arena, &tables);
	for (size_t i = 0; i < tables.len; i++)
		print_table(&tables.item[i], arena, to);
	fprintf(to, "every other architecture: ");
	print_action(SECCOMP_OTHER_ARCHITECTURES, arena, to);
	fprintf(to, "\n");
}
