/*
 * Decisions to BPF (seccomp(2), and Documentation/networking/filter.rst of the kernel).
 *
 * A program is written from its last instruction to its first: it can jump only onwards, so where a
 * jump goes is always known when it is written. A place in it is told by its distance from the end.
 * A test says both places where it goes on, and nothing else needs to know what is written around
 * it. The shape: for each architecture the binary search on the call's number, whose leaves are
 * answers, and behind it the rules that look at arguments.
 */
#include <errno.h>
#include <linux/seccomp.h>

#include "isolation/seccomp_rules.h"

#define JUMP_MAX UINT8_MAX
#define ANSWERS_KEPT 16

struct program {
	struct sock_filter *instructions; /* filled from the end */
	size_t room;			  /* there; 0: they are only counted */
	size_t len;
	struct {
		uint32_t action;
		size_t place;	 /* 0: none */
	} answers[ANSWERS_KEPT]; /* written last */
};

/* Each of these writes something and returns its place. */

static size_t write_instruction(struct program *program, uint16_t code, size_t yes, size_t no,
				uint32_t operand)
{
	program->len++;
	if (program->room)
		program->instructions[program->room - program->len] =
			(struct sock_filter){ code, (uint8_t)yes, (uint8_t)no, operand };
	return program->len;
}

/* A place that a test written next but one can reach: `place`, or a jump to it. */
static size_t write_near(struct program *program, size_t place)
{
	const size_t distance = program->len - place;

	if (distance < JUMP_MAX)
		return place;
	return write_instruction(program, BPF_JMP | BPF_JA, 0, 0, (uint32_t)distance);
}

static size_t write_test(struct program *program, uint16_t how, uint32_t operand, size_t yes,
			 size_t no)
{
	yes = write_near(program, yes);
	no = write_near(program, no);
	return write_instruction(program, BPF_JMP | BPF_K | how, program->len - yes,
				 program->len - no, operand);
}

static size_t write_load(struct program *program, size_t offset)
{
	return write_instruction(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

/* One for each action is shared by all that is near enough. */
static size_t write_answer(struct program *program, uint32_t action)
{
	const size_t slot = (action ^ action >> 16) % ANSWERS_KEPT;

	if (program->answers[slot].place == 0 || program->answers[slot].action != action ||
	    program->len - program->answers[slot].place >= JUMP_MAX) {
		program->answers[slot].action = action;
		program->answers[slot].place =
			write_instruction(program, BPF_RET | BPF_K, 0, 0, action);
	}
	return program->answers[slot].place;
}

/* --- conditions ------------------------------------------------------------------------------ */

/* Half of an argument, where the test goes on. */
static size_t write_load_half(struct program *program, unsigned argument, bool upper, uint32_t mask)
{
	const bool second = upper == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

	if (mask != UINT32_MAX)
		write_instruction(program, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
	return write_load(program, offsetof(struct seccomp_data, args[argument]) +
					   (second ? sizeof(uint32_t) : 0));
}

/* Masked bits of an argument are equal to a value; of no bits that is always true. */
static size_t write_equal(struct program *program, const struct seccomp_comparison *with, bool wide,
			  size_t yes, size_t no)
{
	const uint32_t upper_mask = wide ? (uint32_t)(with->mask >> 32) : 0;
	const uint32_t lower_mask = (uint32_t)with->mask;
	size_t place = yes;

	if (lower_mask) {
		write_test(program, BPF_JEQ, (uint32_t)with->value, place, no);
		place = write_load_half(program, with->argument, false, lower_mask);
	}
	if (upper_mask) {
		write_test(program, BPF_JEQ, (uint32_t)(with->value >> 32), place, no);
		place = write_load_half(program, with->argument, true, upper_mask);
	}
	return place;
}

/* An argument is above the value, or not below (`how`: BPF_JGT, BPF_JGE). */
static size_t write_above(struct program *program, uint16_t how,
			  const struct seccomp_comparison *with, bool wide, size_t yes, size_t no)
{
	const uint32_t upper = (uint32_t)(with->value >> 32);
	size_t place;

	write_test(program, how, (uint32_t)with->value, yes, no);
	place = write_load_half(program, with->argument, false, UINT32_MAX);
	if (!wide)
		return place;
	place = write_test(program, BPF_JEQ, upper, place, no);
	write_test(program, BPF_JGT, upper, yes, place);
	return write_load_half(program, with->argument, true, UINT32_MAX);
}

static size_t write_comparison(struct program *program, const struct seccomp_comparison *with,
			       bool wide, size_t yes, size_t no)
{
	switch (with->operator) {
	case SECCOMP_EQ:
	case SECCOMP_MASKED_EQ:
		return write_equal(program, with, wide, yes, no);
	case SECCOMP_NE:
		return write_equal(program, with, wide, no, yes);
	case SECCOMP_GT:
		return write_above(program, BPF_JGT, with, wide, yes, no);
	case SECCOMP_GE:
		return write_above(program, BPF_JGE, with, wide, yes, no);
	case SECCOMP_LE:
		return write_above(program, BPF_JGT, with, wide, no, yes);
	default: /* SECCOMP_LT */
		return write_above(program, BPF_JGE, with, wide, no, yes);
	}
}

static size_t write_rule(struct program *program, const struct seccomp_rule *rule, bool wide,
			 size_t no)
{
	size_t place = rule->alternatives ? no : write_answer(program, rule->action);

	for (size_t i = rule->args_len; i-- > 0;)
		place = rule->alternatives
				? write_comparison(program, &rule->args[i], wide,
						   write_answer(program, rule->action), place)
				: write_comparison(program, &rule->args[i], wide, place, no);
	return place;
}

/* --- calls and architectures ----------------------------------------------------------------- */

struct search {
	struct program *program;
	const struct seccomp_range *ranges;
	const size_t *rules; /* for each range the place of its rules; 0: it has none */
};

static size_t write_leaf(const struct search *search, size_t at)
{
	return search->rules[at] ? search->rules[at]
				 : write_answer(search->program, search->ranges[at].otherwise);
}

/* Whether of three ranges the middle one is a single call, in the midst of others alike. */
static bool is_exception(const struct search *search, size_t at)
{
	const struct seccomp_range *ranges = &search->ranges[at];

	return ranges[1].first + 1 == ranges[2].first && !search->rules[at] &&
	       !search->rules[at + 2] && ranges[0].otherwise == ranges[2].otherwise;
}

static size_t write_search(const struct search *search, size_t at, size_t len)
{
	const size_t half = len / 2;
	size_t left, right;

	if (len == 1)
		return write_leaf(search, at);
	if (len == 3 && is_exception(search, at)) {
		left = write_leaf(search, at);
		right = write_leaf(search, at + 1);
		return write_test(search->program, BPF_JEQ, search->ranges[at + 1].first, right,
				  left);
	}
	right = write_search(search, at + half, len - half);
	left = write_search(search, at, half);
	return write_test(search->program, BPF_JGE, search->ranges[at + half].first, right, left);
}

static size_t write_table(struct program *program, const struct seccomp_table *table,
			  struct arena *arena)
{
	size_t *rules = arena_new_array(arena, size_t, table->len), search;

	for (size_t i = table->len; i-- > 0;) {
		const struct seccomp_range *range = &table->ranges[i];

		if (range->rules_len)
			rules[i] = write_answer(program, range->otherwise);
		for (size_t j = range->rules_len; j-- > 0;)
			rules[i] = write_rule(program, range->rules[j], range->wide, rules[i]);
	}
	search = write_search(&(struct search){ program, table->ranges, rules }, 0, table->len);
	/* nothing to search for: it may be anywhere */
	return table->len == 1 ? search : write_load(program, offsetof(struct seccomp_data, nr));
}

static void write_program(struct program *program, const struct seccomp_tables *tables,
			  struct arena *arena)
{
	size_t place = write_answer(program, SECCOMP_OTHER_ARCHITECTURES);

	for (size_t i = tables->len; i-- > 0;) {
		size_t table = write_table(program, &tables->item[i], arena);

		place = write_test(program, BPF_JEQ, tables->item[i].architecture, table, place);
	}
	write_load(program, offsetof(struct seccomp_data, arch));
}

int seccomp_compile(const struct seccomp_plan *plan, struct arena *arena,
		    struct sock_fprog *compiled, struct err *err)
{
	struct program counted = { 0 }, program = { 0 };
	struct seccomp_tables tables;

	seccomp_decide(plan, arena, &tables);
	write_program(&counted, &tables, arena);
	if (counted.len > BPF_MAXINSNS)
		return err_set(err, E2BIG,
			       "linux.seccomp: the filter has %zu instructions, the kernel takes "
			       "%d: the profile is too large",
			       counted.len, BPF_MAXINSNS);
	program.instructions = arena_new_array(arena, struct sock_filter, counted.len);
	program.room = counted.len;
	write_program(&program, &tables, arena);
	compiled->filter = program.instructions;
	compiled->len = (unsigned short)program.len;
	return 0;
}
