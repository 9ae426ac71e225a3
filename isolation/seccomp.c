/*
 * System call filters: the words of a profile to numbers.
 *
 * The home of libseccomp: nothing else may include its header. Only its tables are used, of the
 * numbers that system calls have on each architecture. The ranges of the profile's numbers were
 * checked when it was read. What a profile decides is the business of
 * seccomp_rules.c, making BPF of that seccomp_filter.c's, and giving it to the kernel
 * seccomp_load.c's.
 */
#include "isolation/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
/* SCMP_ACT_NOTIFY is missing: nobody would answer the notifications. */
const struct name seccomp_action_names[] = {
	{ "SCMP_ACT_ALLOW",        SCMP_ACT_ALLOW },
	{ "SCMP_ACT_ERRNO",        SCMP_ACT_ERRNO(0) },
	{ "SCMP_ACT_KILL",         SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD",  SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_LOG",          SCMP_ACT_LOG },
	{ "SCMP_ACT_TRACE",        SCMP_ACT_TRACE(0) },
	{ "SCMP_ACT_TRAP",         SCMP_ACT_TRAP },
	{ .name = "" }
};

const struct name seccomp_operator_names[] = {
	{ "SCMP_CMP_EQ",        SECCOMP_EQ },
	{ "SCMP_CMP_GE",        SECCOMP_GE },
	{ "SCMP_CMP_GT",        SECCOMP_GT },
	{ "SCMP_CMP_LE",        SECCOMP_LE },
	{ "SCMP_CMP_LT",        SECCOMP_LT },
	{ "SCMP_CMP_MASKED_EQ", SECCOMP_MASKED_EQ },
	{ "SCMP_CMP_NE",        SECCOMP_NE },
	{ .name = "" }
};

const struct name seccomp_architecture_names[] = {
	{ "SCMP_ARCH_AARCH64",     SCMP_ARCH_AARCH64 },
	{ "SCMP_ARCH_ARM",         SCMP_ARCH_ARM },
#ifdef SCMP_ARCH_LOONGARCH64 /* libseccomp 2.6 */
	{ "SCMP_ARCH_LOONGARCH64", SCMP_ARCH_LOONGARCH64 },
#endif
#ifdef SCMP_ARCH_M68K /* libseccomp 2.6 */
	{ "SCMP_ARCH_M68K",        SCMP_ARCH_M68K },
#endif
	{ "SCMP_ARCH_MIPS",        SCMP_ARCH_MIPS },
	{ "SCMP_ARCH_MIPS64",      SCMP_ARCH_MIPS64 },
	{ "SCMP_ARCH_MIPS64N32",   SCMP_ARCH_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL",      SCMP_ARCH_MIPSEL },
	{ "SCMP_ARCH_MIPSEL64",    SCMP_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32 },
	{ "SCMP_ARCH_PARISC",      SCMP_ARCH_PARISC },
	{ "SCMP_ARCH_PARISC64",    SCMP_ARCH_PARISC64 },
	{ "SCMP_ARCH_PPC",         SCMP_ARCH_PPC },
	{ "SCMP_ARCH_PPC64",       SCMP_ARCH_PPC64 },
	{ "SCMP_ARCH_PPC64LE",     SCMP_ARCH_PPC64LE },
	{ "SCMP_ARCH_RISCV64",     SCMP_ARCH_RISCV64 },
	{ "SCMP_ARCH_S390",        SCMP_ARCH_S390 },
	{ "SCMP_ARCH_S390X",       SCMP_ARCH_S390X },
#ifdef SCMP_ARCH_SH /* libseccomp 2.6 */
	{ "SCMP_ARCH_SH",          SCMP_ARCH_SH },
	{ "SCMP_ARCH_SHEB",        SCMP_ARCH_SHEB },
#endif
	{ "SCMP_ARCH_X32",         SCMP_ARCH_X32 },
	{ "SCMP_ARCH_X86",         SCMP_ARCH_X86 },
	{ "SCMP_ARCH_X86_64",      SCMP_ARCH_X86_64 },
	{ .name = "" }
};

const struct name seccomp_flag_names[] = {
	{ "SECCOMP_FILTER_FLAG_LOG",                SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW",         SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_TSYNC",              SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	{ .name = "" }
};
/* clang-format on */

const char *seccomp_library_version(struct arena *arena)
{
	const struct scmp_version *version = seccomp_version();

	return arena_format(arena, "%u.%u.%u", version->major, version->minor, version->micro);
}

/* An action and its errno to one number. `action_key` and `errno_key` are for errors, which begin
 * with them. */
static int plan_action(const char *word, const struct optional_u64 *errno_ret,
		       const char *action_key, const char *errno_key, uint32_t *action,
		       struct err *err)
{
	uint64_t value;

	if (strcmp(word, "SCMP_ACT_NOTIFY") == 0)
		return err_set(err, ENOTSUP, "%s: %s is not supported yet by agentd", action_key,
			       word);
	if (!name_value(seccomp_action_names, word, &value))
		return err_set(err, EINVAL, "%s: unknown action '%s'", action_key, word);
	*action = (uint32_t)value;
	if (value != SCMP_ACT_ERRNO(0) && value != SCMP_ACT_TRACE(0)) {
		if (errno_ret->set)
			return err_set(err, EINVAL,
				       "%s: only with SCMP_ACT_ERRNO or SCMP_ACT_TRACE", errno_key);
		return 0;
	}
	*action |= errno_ret->set ? (uint32_t)errno_ret->value : EPERM;
	return 0;
}

static int plan_architectures(const struct spec_seccomp *profile, struct arena *arena,
			      struct seccomp_plan *plan, struct err *err)
{
	const struct spec_strings *words = &profile->architectures;

	plan->architectures = arena_new_array(arena, uint32_t, words->len + 1);
	plan->architectures[plan->architectures_len++] = seccomp_arch_native();
	for (size_t i = 0; i < words->len; i++) {
		bool known = false;
		uint64_t value;

		if (!name_value(seccomp_architecture_names, words->item[i], &value))
			return err_set(
				err, EINVAL,
				"linux.seccomp.architectures[%zu]: '%s' is not an architecture "
				"of libseccomp %s",
				i, words->item[i], seccomp_library_version(arena));
		/* libseccomp and the kernel know no machine that changes it */
		if ((value ^ seccomp_arch_native()) & __AUDIT_ARCH_LE)
			return err_set(err, EDOM,
				       "linux.seccomp.architectures[%zu]: %s: its byte order is "
				       "not this machine's",
				       i, words->item[i]);
		for (size_t j = 0; j < plan->architectures_len; j++)
			known |= plan->architectures[j] == value;
		if (!known)
			plan->architectures[plan->architectures_len++] = (uint32_t)value;
	}
	return 0;
}

static int plan_flags(const struct spec_seccomp *profile, struct seccomp_plan *plan,
		      struct err *err)
{
	for (size_t i = 0; i < profile->flags.len; i++) {
		uint64_t value;

		if (!name_value(seccomp_flag_names, profile->flags.item[i], &value))
			return err_set(err, EINVAL, "linux.seccomp.flags[%zu]: unknown flag '%s'",
				       i, profile->flags.item[i]);
		/* It is about waiting for the answer to a notification; without a listener the
		 * kernel refuses it (seccomp(2)), and it could change nothing. */
		if (value != SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
			plan->flags |= (uint32_t)value;
	}
	return 0;
}

static int plan_args(const struct spec_seccomp_rule *from, struct arena *arena,
		     struct seccomp_rule *rule, struct err *err)
{
	unsigned seen = 0;

	rule->args = arena_new_array(arena, struct seccomp_comparison, from->args.len);
	rule->args_len = from->args.len;
	for (size_t i = 0; i < from->args.len; i++) {
		const struct spec_seccomp_arg *arg = &from->args.item[i];
		uint64_t op;

		if (!name_value(seccomp_operator_names, arg->op, &op))
			return err_set(err, EINVAL, "args[%zu].op: unknown operator '%s'", i,
				       arg->op);
		rule->args[i] = (struct seccomp_comparison){
			.argument = (unsigned)arg->index,
			.operator=(enum seccomp_operator) op,
			.mask = op == SECCOMP_MASKED_EQ ? arg->value : UINT64_MAX,
			.value = op == SECCOMP_MASKED_EQ ? arg->value_two & arg->value : arg->value,
		};
		/* libseccomp cannot compare an argument twice in one rule. Every profile in use
		 * that does it was written for runc, which makes a rule of each comparison. */
		rule->alternatives |= seen & 1u << arg->index;
		seen |= 1u << arg->index;
	}
	return 0;
}

static int plan_rule(const struct spec_seccomp_rule *from, size_t index, struct arena *arena,
		     struct seccomp_rule *rule, struct err *err)
{
	if (plan_action(from->action, &from->errno_ret, ".action", ".errnoRet", &rule->action,
			err) < 0)
		return field_path(err, "linux.seccomp.syscalls[%zu]", index);
	rule->names = from->names.item;
	rule->names_len = from->names.len;
	if (plan_args(from, arena, rule, err) < 0)
		return err_wrap(err, "linux.seccomp.syscalls[%zu]", index);
	return 0;
}

int seccomp_plan(const struct spec *spec, const struct host *host, struct arena *arena,
		 struct seccomp_plan *plan, struct err *err)
{
	const struct spec_seccomp *profile = &spec->linux.seccomp;

	(void)host; /* the words are libseccomp's, whatever the kernel */
	*plan = (struct seccomp_plan){ .wanted = profile->set };
	if (!profile->set)
		return 0;
	if (plan_action(profile->default_action, &profile->default_errno_ret,
			"linux.seccomp.defaultAction", "linux.seccomp.defaultErrnoRet",
			&plan->default_action, err) < 0 ||
	    plan_architectures(profile, arena, plan, err) < 0 || plan_flags(profile, plan, err) < 0)
		return -1;
	plan->rules_len = profile->syscalls.len;
	plan->rules = arena_new_array(arena, struct seccomp_rule, plan->rules_len);
	for (size_t i = 0; i < plan->rules_len; i++)
		if (plan_rule(&profile->syscalls.item[i], i, arena, &plan->rules[i], err) < 0)
			return -1;
	return 0;
}

static bool lets_through(uint32_t action)
{
	action &= SECCOMP_RET_ACTION_FULL;
	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG ||
	       action == SECCOMP_RET_TRACE;
}

static bool names_call(const struct seccomp_rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->names_len; i++)
		if (!strcmp(rule->names[i], name))
			return true;
	return false;
}

int seccomp_check_exec(const struct seccomp_plan *plan, struct err *err)
{
	if (!plan->wanted || lets_through(plan->default_action))
		return 0;
	for (size_t i = 0; i < plan->rules_len; i++)
		if (lets_through(plan->rules[i].action) && names_call(&plan->rules[i], "execve"))
			return 0;
	return err_set(err, EINVAL,
		       "linux.seccomp: no rule allows execve, without which no program can be "
		       "started; add it to the names of one with SCMP_ACT_ALLOW");
}

int seccomp_call_number(uint32_t architecture, const char *name)
{
	return seccomp_syscall_resolve_name_arch(architecture, name);
}

const char *seccomp_call_name(uint32_t architecture, uint32_t call, struct arena *arena)
{
	char *name = seccomp_syscall_resolve_num_arch(architecture, (int)call);
	const char *copy = name ? arena_copy(arena, name, strlen(name)) : NULL;

	free(name);
	return copy;
}
