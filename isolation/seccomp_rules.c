/*
 * Rules to decisions, see seccomp_rules.h. Everything that the rules mean is decided here; nothing
 * here knows how a filter looks.
 */
#include "isolation/seccomp_rules.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>

#include "runtime/base/log.h"

#define ARCHITECTURE_X32 (AUDIT_ARCH_X86_64 & ~(uint32_t)__AUDIT_ARCH_64BIT)
#define CONVENTION_N32 0x20000000 /* of MIPS: arguments have 32 bits, whatever the registers */
#define X32_CALLS 0x40000000	  /* from here on, under the number of x86-64 (seccomp(2)) */
#define ORDINARY_CALL_END 0xf0000 /* from here on ARM's private calls, x32's, and -1 */

#define FIXED_RANGES 5 /* that no call needs */

/* libseccomp's numbers for what socketcall(2) and ipc(2) lead to: -100 or -200, less theirs */
#define MULTIPLEXED_FIRST (-101)
#define MULTIPLEXED_LAST (-224)
#define MULTIPLEXED_MAX (MULTIPLEXED_FIRST - MULTIPLEXED_LAST + 1)

/* The own numbers of such calls lie between those of powerpc's socket(2) and msgctl(2). MIPS has
 * them from its accept(2) on, and counts all its calls from 4000. */
#define FIRST_DIRECT 326
#define LAST_DIRECT 402
#define MIPS_FIRST_CALL 4000
#define FIRST_DIRECT_MIPS 4168

struct condition {
	const struct seccomp_rule *rule;
	struct condition *next;
};

/* What the rules say of one number. */
struct call {
	uint32_t number;
	const char *name;
	const struct seccomp_rule *whole; /* the first without comparisons */
	struct condition *first, **last;  /* those with, in the order of the file */
};

/* In the order of the numbers; so few that inserting is cheap. */
struct calls {
	struct call **item;
	size_t len;
};

/* What is needed everywhere while one architecture is decided. */
struct deciding {
	const struct seccomp_plan *plan;
	struct arena *arena;
	uint32_t architecture;	  /* SCMP_ARCH_X */
	struct calls calls;	  /* that have a rule */
	struct calls multiplexed; /* the same, by libseccomp's numbers */
	int64_t newest;		  /* ordinary call that is named, whatever for; -1: none */
	uint32_t first_direct, last_direct; /* own numbers of multiplexed calls; 0: none are */
};

/* The index of a number's call, or of the first behind it. */
static size_t calls_find(const struct calls *calls, uint32_t number)
{
	size_t from = 0, to = calls->len;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (calls->item[middle]->number < number)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool calls_have(const struct calls *calls, size_t at, uint32_t number)
{
	return at < calls->len && calls->item[at]->number == number;
}

static struct call *calls_add(struct calls *calls, uint32_t number, struct arena *arena)
{
	size_t at = calls_find(calls, number);
	struct call *call;

	if (calls_have(calls, at, number))
		return calls->item[at];
	call = arena_new_object(arena, struct call);
	call->number = number;
	call->last = &call->first;
	memmove(calls->item + at + 1, calls->item + at, (calls->len - at) * sizeof(*calls->item));
	calls->item[at] = call;
	calls->len++;
	return call;
}

static void add_condition(struct call *call, const struct seccomp_rule *rule, struct arena *arena)
{
	struct condition *condition = arena_new_object(arena, struct condition);

	condition->rule = rule;
	*call->last = condition;
	call->last = &condition->next;
}

static void add_rule(struct deciding *with, const struct seccomp_rule *rule, const char *name)
{
	int number = seccomp_call_number(with->architecture, name);
	bool multiplexed = with->last_direct && number <= MULTIPLEXED_FIRST &&
			   number >= MULTIPLEXED_LAST;
	struct call *call;

	if (number == -1 && with->architecture == with->plan->architectures[0])
		log_debug("seccomp: libseccomp knows no system call '%s': it is left out", name);
	if (number < 0 && !multiplexed)
		return;
	if (multiplexed && with->newest < with->last_direct)
		with->newest = with->last_direct;
	if (number > with->newest && number < ORDINARY_CALL_END)
		with->newest = number;
	if (rule->args_len == 0 && rule->action == with->plan->default_action)
		return;
	call = calls_add(multiplexed ? &with->multiplexed : &with->calls, (uint32_t)number,
			 with->arena);
	call->name = name;
	if (rule->args_len)
		add_condition(call, rule, with->arena);
	else if (!call->whole)
		call->whole = rule;
}

/* --- socketcall(2) and ipc(2) ---------------------------------------------------------------- */

/* The kernel's own order: SECCOMP_RET_KILL_PROCESS is negative, SECCOMP_RET_ALLOW the largest. */
static bool is_stricter(uint32_t one, uint32_t other)
{
	return (int32_t)(one & SECCOMP_RET_ACTION_FULL) <
	       (int32_t)(other & SECCOMP_RET_ACTION_FULL);
}

static uint32_t strictest(const struct call *call, uint32_t default_action)
{
	uint32_t action = default_action;

	if (call->whole)
		return call->whole->action;
	for (const struct condition *i = call->first; i; i = i->next)
		if (is_stricter(i->rule->action, action))
			action = i->rule->action;
	return action;
}

/* Makes the call that leads to a multiplexed one decide about it. */
static void decide_in_multiplexer(struct deciding *with, const struct call *call)
{
	const uint32_t code = -call->number;
	struct seccomp_comparison *which = arena_new_object(with->arena, struct seccomp_comparison);
	struct seccomp_rule *rule = arena_new_object(with->arena, struct seccomp_rule);
	int number = seccomp_call_number(with->architecture, code < 200 ? "socketcall" : "ipc");

	/* No more than the kernel looks at: an int; the upper half of ipc(2)'s is a version. */
	*which = (struct seccomp_comparison){ 0, SECCOMP_MASKED_EQ,
					      code < 200 ? UINT32_MAX : UINT16_MAX, code % 100 };
	*rule = (struct seccomp_rule){ .action = strictest(call, with->plan->default_action),
				       .args = which,
				       .args_len = 1 };
	if (number >= 0)
		add_condition(calls_add(&with->calls, (uint32_t)number, with->arena), rule,
			      with->arena);
}

/* libseccomp tells which calls have a number of their own too, if asked for each. */
static void decide_multiplexed(struct deciding *with)
{
	const struct calls *multiplexed = &with->multiplexed;

	for (size_t i = 0; i < multiplexed->len; i++)
		decide_in_multiplexer(with, multiplexed->item[i]);
	for (uint32_t i = with->first_direct; multiplexed->len && i <= with->last_direct; i++) {
		const char *name = seccomp_call_name(with->architecture, i, with->arena);
		uint32_t number = name ? (uint32_t)seccomp_call_number(with->architecture, name)
				       : i;
		size_t at = calls_find(multiplexed, number);
		struct call *call;

		if (!calls_have(multiplexed, at, number))
			continue;
		call = calls_add(&with->calls, i, with->arena);
		*call = *multiplexed->item[at];
		call->number = i;
	}
}

/* --- ranges ---------------------------------------------------------------------------------- */

static bool decide_alike(const struct seccomp_range *one, const struct seccomp_range *other)
{
	for (size_t i = 0; i < one->rules_len && i < other->rules_len; i++)
		if (one->rules[i] != other->rules[i])
			return false;
	return one->rules_len == other->rules_len && one->otherwise == other->otherwise &&
	       (one->rules_len == 0 || one->wide == other->wide);
}

/* Makes room for so many ranges more. */
static void reserve(struct seccomp_table *table, size_t more, struct arena *arena)
{
	struct seccomp_range *ranges =
		arena_new_array(arena, struct seccomp_range, table->len + more);

	if (table->len)
		memcpy(ranges, table->ranges, table->len * sizeof(*ranges));
	table->ranges = ranges;
}

/* Takes the place of a range that would be empty, and is a part of the one in front if nothing else
 * is decided there. */
static void add_range(struct seccomp_table *table, struct seccomp_range range)
{
	if (table->len && table->ranges[table->len - 1].first == range.first)
		table->len--;
	if (table->len == 0 || !decide_alike(&table->ranges[table->len - 1], &range))
		table->ranges[table->len++] = range;
}

static void add_action(struct seccomp_table *table, uint32_t first, uint32_t action)
{
	add_range(table, (struct seccomp_range){ .first = first, .otherwise = action });
}

/* A rule that never has an effect is hardly what its author meant: "refuse socket for AF_VSOCK"
 * beside "allow socket". */
static void warn_of_shadowed(const struct deciding *with, const struct call *call)
{
	const struct seccomp_rule *rules = with->plan->rules;

	for (const struct condition *i = call->first; i; i = i->next)
		if (i->rule->action != call->whole->action && i->rule >= rules &&
		    i->rule < rules + with->plan->rules_len)
			log_warn("linux.seccomp.syscalls[%zu]: has no effect for %s, which "
				 "syscalls[%zu] decides for all arguments",
				 (size_t)(i->rule - rules), call->name,
				 (size_t)(call->whole - rules));
}

static void add_conditions(const struct deciding *with, struct seccomp_table *table,
			   const struct call *call)
{
	struct seccomp_range range = {
		.first = call->number,
		.otherwise = with->plan->default_action,
		.wide = with->architecture & __AUDIT_ARCH_64BIT &&
			!(with->architecture & CONVENTION_N32),
	};
	size_t len = 0;

	for (const struct condition *i = call->first; i; i = i->next)
		len++;
	range.rules = arena_new_array(with->arena, const struct seccomp_rule *, len);
	for (const struct condition *i = call->first; i; i = i->next)
		if (i->rule->action != range.otherwise)
			range.rules[range.rules_len++] = i->rule;
	add_range(table, range);
}

static void add_call(const struct deciding *with, struct seccomp_table *table,
		     const struct call *call)
{
	if (call->whole)
		add_action(table, call->number, call->whole->action);
	else
		add_conditions(with, table, call);
	add_action(table, call->number + 1, with->plan->default_action);
	if (call->whole && with->architecture == with->plan->architectures[0])
		warn_of_shadowed(with, call);
}

/*
 * A profile that refuses what it does not list was written before the calls that are newer than all
 * it lists. The C library tries those first and falls back to older ones on ENOSYS only: with EPERM
 * an old profile breaks a new program.
 */
static void add_newer(const struct deciding *with, struct seccomp_table *table)
{
	const uint32_t otherwise = with->plan->default_action;

	if (with->newest < 0 || (otherwise & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO)
		return;
	add_action(table, (uint32_t)with->newest + 1, SECCOMP_RET_ERRNO | ENOSYS);
	add_action(table, ORDINARY_CALL_END, otherwise);
}

static void add_calls(struct deciding *with, struct seccomp_table *table, uint32_t first)
{
	const struct calls *calls = &with->calls;
	size_t at = 0;

	reserve(table, 2 * calls->len + FIXED_RANGES, with->arena);
	add_action(table, first, with->plan->default_action);
	for (; at < calls->len && calls->item[at]->number < ORDINARY_CALL_END; at++)
		add_call(with, table, calls->item[at]);
	add_newer(with, table);
	for (; at < calls->len; at++)
		add_call(with, table, calls->item[at]);
}

/* Decides the calls of one architecture of the profile, from its number `first` on. */
static void add_architecture(const struct seccomp_plan *plan, uint32_t architecture, uint32_t first,
			     struct arena *arena, struct seccomp_table *table)
{
	struct deciding with = {
		.plan = plan, .arena = arena, .architecture = architecture, .newest = -1
	};
	int socketcall = seccomp_call_number(architecture, "socketcall");
	size_t names = 0;

	if (socketcall >= 0) {
		bool mips = socketcall > MIPS_FIRST_CALL;

		with.first_direct = mips ? FIRST_DIRECT_MIPS : FIRST_DIRECT;
		with.last_direct = LAST_DIRECT + (mips ? MIPS_FIRST_CALL : 0);
		names = 2 + MULTIPLEXED_MAX; /* that lead to others, and own numbers of these */
		with.multiplexed.item = arena_new_array(arena, struct call *, MULTIPLEXED_MAX);
	}
	for (size_t i = 0; i < plan->rules_len; i++)
		names += plan->rules[i].names_len;
	with.calls.item = arena_new_array(arena, struct call *, names);
	for (size_t i = 0; i < plan->rules_len; i++)
		for (size_t j = 0; j < plan->rules[i].names_len; j++)
			add_rule(&with, &plan->rules[i], plan->rules[i].names[j]);
	decide_multiplexed(&with);
	add_calls(&with, table, first);
}

uint32_t seccomp_architecture_of(uint32_t architecture, uint32_t call)
{
	return architecture == AUDIT_ARCH_X86_64 && call >= X32_CALLS ? ARCHITECTURE_X32
								      : architecture;
}

/* --- tables ---------------------------------------------------------------------------------- */

static bool names_architecture(const struct seccomp_plan *plan, uint32_t architecture)
{
	for (size_t i = 0; i < plan->architectures_len; i++)
		if (plan->architectures[i] == architecture)
			return true;
	return false;
}

/* The calls of x86-64, those of x32, and -1, by which a tracer leaves a call out (seccomp(2)). */
static void decide_x86_64(const struct seccomp_plan *plan, struct arena *arena,
			  struct seccomp_table *table)
{
	table->architecture = AUDIT_ARCH_X86_64;
	reserve(table, FIXED_RANGES, arena);
	if (names_architecture(plan, AUDIT_ARCH_X86_64))
		add_architecture(plan, AUDIT_ARCH_X86_64, 0, arena, table);
	else
		add_action(table, 0, SECCOMP_OTHER_ARCHITECTURES);
	if (names_architecture(plan, ARCHITECTURE_X32))
		add_architecture(plan, ARCHITECTURE_X32, X32_CALLS, arena, table);
	else
		add_action(table, X32_CALLS, SECCOMP_OTHER_ARCHITECTURES);
	add_action(table, UINT32_MAX, plan->default_action);
}

void seccomp_decide(const struct seccomp_plan *plan, struct arena *arena,
		    struct seccomp_tables *tables)
{
	bool x86_64 = false;

	tables->item = arena_new_array(arena, struct seccomp_table, plan->architectures_len);
	tables->len = 0;
	for (size_t i = 0; i < plan->architectures_len; i++) {
		const uint32_t architecture = plan->architectures[i];
		struct seccomp_table *table = &tables->item[tables->len];

		if (architecture == AUDIT_ARCH_X86_64 || architecture == ARCHITECTURE_X32) {
			if (x86_64)
				continue;
			x86_64 = true;
			decide_x86_64(plan, arena, table);
		} else {
			table->architecture = architecture;
			add_architecture(plan, architecture, 0, arena, table);
		}
		tables->len++;
	}
}
