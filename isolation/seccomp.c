/*
 * System call filters: the words of a profile to libseccomp's numbers, and those to BPF.
 *
 * The home of libseccomp: nothing else may include its header. All of it runs in the parent, where
 * libseccomp may allocate. What libseccomp does not say by itself is the prologue that answers
 * ENOSYS (stub_write). Keeping compiled filters is the business of seccomp_cache.c, giving them to
 * the kernel that of seccomp_load.c.
 */
#include "isolation/seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/file.h"
#include "runtime/base/log.h"

#define KEY_FORMAT 1 /* of cache_key and of the filters we make: count up when either changes */
#define ERRNO_RET_MAX 4095 /* the kernel's MAX_ERRNO: larger ones are not errors to the caller */
#define ARGUMENT_INDEX_MAX 5
#define OPTIMIZE_BINARY_TREE 2	  /* of SCMP_FLTATR_CTL_OPTIMIZE */
#define BINARY_TREE_MIN 32	  /* system calls in a profile, beyond which a tree beats a list */
#define ORDINARY_CALL_END 0xf0000 /* from here on ARM's private calls, x32's, and -1 */
#define MULTIPLEXED_END 402	  /* msgctl(2) */
#define MIPS_FIRST_CALL 4000	  /* of its oldest interface, o32 */

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
	{ 0 }
};

const struct name seccomp_operator_names[] = {
	{ "SCMP_CMP_EQ",        SCMP_CMP_EQ },
	{ "SCMP_CMP_GE",        SCMP_CMP_GE },
	{ "SCMP_CMP_GT",        SCMP_CMP_GT },
	{ "SCMP_CMP_LE",        SCMP_CMP_LE },
	{ "SCMP_CMP_LT",        SCMP_CMP_LT },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ "SCMP_CMP_NE",        SCMP_CMP_NE },
	{ 0 }
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
	{ 0 }
};

const struct name seccomp_flag_names[] = {
	{ "SECCOMP_FILTER_FLAG_LOG",                SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW",         SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_TSYNC",              SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	{ 0 }
};
/* clang-format on */

const char *seccomp_library_version(struct arena *arena)
{
	const struct scmp_version *version = seccomp_version();

	return arena_format(arena, "%u.%u.%u", version->major, version->minor, version->micro);
}

/* An action and its errno to one number. `action_key` and `errno_key` are paths, for errors. */
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
	if (errno_ret->set && errno_ret->value > ERRNO_RET_MAX)
		return err_set(err, EINVAL, "%s: %llu is larger than %d", errno_key,
			       (unsigned long long)errno_ret->value, ERRNO_RET_MAX);
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

	rule->args = arena_new_array(arena, struct scmp_arg_cmp, from->args.len);
	rule->args_len = from->args.len;
	for (size_t i = 0; i < from->args.len; i++) {
		const struct spec_seccomp_arg *arg = &from->args.item[i];
		uint64_t op;

		if (arg->index > ARGUMENT_INDEX_MAX)
			return err_set(err, EINVAL, "args[%zu].index: %llu is larger than %d", i,
				       (unsigned long long)arg->index, ARGUMENT_INDEX_MAX);
		if (!name_value(seccomp_operator_names, arg->op, &op))
			return err_set(err, EINVAL, "args[%zu].op: unknown operator '%s'", i,
				       arg->op);
		rule->args[i] = (struct scmp_arg_cmp){
			.arg = (unsigned)arg->index,
			.op = (enum scmp_compare)op,
			.datum_a = arg->value,
			.datum_b = arg->value_two,
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
	char action_key[64], errno_key[64];

	snprintf(action_key, sizeof(action_key), "linux.seccomp.syscalls[%zu].action", index);
	snprintf(errno_key, sizeof(errno_key), "linux.seccomp.syscalls[%zu].errnoRet", index);
	if (plan_action(from->action, &from->errno_ret, action_key, errno_key, &rule->action, err) <
	    0)
		return -1;
	if (from->names.len == 0)
		return err_set(err, EINVAL, "linux.seccomp.syscalls[%zu].names: is empty", index);
	rule->names = from->names.item;
	rule->names_len = from->names.len;
	if (plan_args(from, arena, rule, err) < 0)
		return err_wrap(err, "linux.seccomp.syscalls[%zu]", index);
	return 0;
}

/* The key is written twice: without `bytes`, to learn its size, and then in full. */
struct key {
	char *bytes;
	size_t size;
};

static void key_add(struct key *key, const void *data, size_t size)
{
	if (key->bytes)
		memcpy(key->bytes + key->size, data, size);
	key->size += size;
}

static void key_add_number(struct key *key, uint64_t number)
{
	key_add(key, &number, sizeof(number));
}

/* Lists have their length in front and names a NUL behind: no two profiles look the same. */
static void key_write(const struct seccomp_plan *plan, struct key *key)
{
	const struct scmp_version *version = seccomp_version();

	key->size = 0;
	key_add_number(key, KEY_FORMAT);
	key_add(key, version, sizeof(*version));
	key_add_number(key, seccomp_api_get());
	key_add_number(key, plan->default_action);
	key_add_number(key, plan->architectures_len);
	for (size_t i = 0; i < plan->architectures_len; i++)
		key_add_number(key, plan->architectures[i]);
	for (size_t i = 0; i < plan->rules_len; i++) {
		const struct seccomp_rule *rule = &plan->rules[i];

		key_add_number(key, rule->action);
		key_add_number(key, rule->names_len);
		for (size_t j = 0; j < rule->names_len; j++)
			key_add(key, rule->names[j], strlen(rule->names[j]) + 1);
		key_add_number(key, rule->args_len);
		for (size_t j = 0; j < rule->args_len; j++) {
			key_add_number(key, rule->args[j].arg);
			key_add_number(key, rule->args[j].op);
			key_add_number(key, rule->args[j].datum_a);
			key_add_number(key, rule->args[j].datum_b);
		}
	}
}

int seccomp_plan(const struct spec *spec, const struct host *host, struct arena *arena,
		 struct seccomp_plan *plan, struct err *err)
{
	const struct spec_seccomp *profile = &spec->linux.seccomp;
	struct key key = { 0 };

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
	key_write(plan, &key);
	key.bytes = arena_alloc(arena, key.size, 1);
	key_write(plan, &key);
	plan->cache_key = key.bytes;
	plan->cache_key_size = key.size;
	return 0;
}

/* libseccomp's functions return a negative errno. */
static int library_error(struct err *err, int result, const char *tried, const char *word)
{
	return err_set(err, -result, "libseccomp: %s %s: %s", tried, word, strerror(-result));
}

static int filter_add_call(scmp_filter_ctx filter, const struct seccomp_rule *rule,
			   const char *name, struct err *err)
{
	int call = seccomp_syscall_resolve_name(name);
	int result = 0;

	if (call == __NR_SCMP_ERROR) {
		log_debug("seccomp: libseccomp knows no system call '%s': it is left out", name);
		return 0;
	}
	if (!rule->alternatives)
		result = seccomp_rule_add_array(filter, rule->action, call,
						(unsigned)rule->args_len, rule->args);
	for (size_t i = 0; rule->alternatives && result == 0 && i < rule->args_len; i++)
		result = seccomp_rule_add_array(filter, rule->action, call, 1, &rule->args[i]);
	if (result == 0)
		return 0;
	library_error(err, result, "rule for", name);
	return result == -EEXIST
		       ? err_hint(err, "another rule has another action for the same arguments")
		       : -1;
}

/*
 * In libseccomp a rule without comparisons wins over those with comparisons, whichever came first:
 * "allow socket" beside "refuse socket for AF_VSOCK" allows all. The profile's author should know.
 */
static void warn_of_shadowed(const struct seccomp_plan *plan, size_t index, const char *name)
{
	for (size_t i = 0; i < plan->rules_len; i++) {
		const struct seccomp_rule *rule = &plan->rules[i];

		if (rule->args_len || rule->action == plan->default_action ||
		    rule->action == plan->rules[index].action)
			continue;
		for (size_t j = 0; j < rule->names_len; j++)
			if (strcmp(rule->names[j], name) == 0)
				log_warn("linux.seccomp.syscalls[%zu]: has no effect for %s, which "
					 "syscalls[%zu] decides for all arguments",
					 index, name, i);
	}
}

static int filter_build(const struct seccomp_plan *plan, scmp_filter_ctx filter, struct err *err)
{
	size_t names = 0;
	int result;

	for (size_t i = 1; i < plan->architectures_len; i++) {
		result = seccomp_arch_add(filter, plan->architectures[i]);
		if (result < 0) {
			library_error(
				err, result, "architecture",
				name_text(seccomp_architecture_names, plan->architectures[i]));
			if (result == -EDOM)
				err_hint(err, "its byte order is not this machine's");
			return err_wrap(err, "linux.seccomp.architectures");
		}
	}
	for (size_t i = 0; i < plan->rules_len; i++)
		names += plan->rules[i].names_len;
	if (names > BINARY_TREE_MIN) {
		result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_BINARY_TREE);
		if (result < 0)
			return library_error(err, result, "attribute", "CTL_OPTIMIZE");
	}
	for (size_t i = 0; i < plan->rules_len; i++) {
		const struct seccomp_rule *rule = &plan->rules[i];

		for (size_t j = 0; rule->args_len && j < rule->names_len; j++)
			warn_of_shadowed(plan, i, rule->names[j]);
		/* libseccomp refuses to be told what it does anyway. */
		if (rule->action == plan->default_action)
			continue;
		for (size_t j = 0; j < rule->names_len; j++)
			if (filter_add_call(filter, rule, rule->names[j], err) < 0)
				return err_wrap(err, "linux.seccomp.syscalls[%zu].names[%zu]", i,
						j);
	}
	return 0;
}

/*
 * The newest ordinary system call that the profile names, whatever the action; -1: none. Where
 * socketcall(2) and ipc(2) lead to the same calls, libseccomp hides the own numbers of socket(2),
 * shmget(2) and their like behind negative ones; the last of them is MULTIPLEXED_END.
 */
static int newest_call(const struct seccomp_plan *plan, uint32_t architecture)
{
	bool mips = architecture == SCMP_ARCH_MIPS || architecture == SCMP_ARCH_MIPSEL;
	int newest = -1;

	for (size_t i = 0; i < plan->rules_len; i++) {
		const struct seccomp_rule *rule = &plan->rules[i];

		for (size_t j = 0; j < rule->names_len; j++) {
			int call = seccomp_syscall_resolve_name_arch(architecture, rule->names[j]);

			if (call <= __PNR_socket && call >= __PNR_shmctl)
				call = MULTIPLEXED_END + (mips ? MIPS_FIRST_CALL : 0);
			if (call > newest && call < ORDINARY_CALL_END)
				newest = call;
		}
	}
	return newest;
}

/*
 * A profile that refuses what it does not list was written before the calls that are newer than all
 * it lists. The C library tries those first and falls back to older ones on ENOSYS only: with EPERM
 * an old profile breaks a new program. So such calls answer ENOSYS, in front of libseccomp's
 * filter: one block for each architecture, which goes on below where it does not decide. x32 calls
 * come under x86-64's number and keep the default action.
 */
static int stub_write(const struct seccomp_plan *plan, int fd, struct err *err)
{
	if ((plan->default_action & SECCOMP_RET_ACTION_FULL) != SCMP_ACT_ERRNO(0) ||
	    plan->default_action == SCMP_ACT_ERRNO(ENOSYS))
		return 0;
	for (size_t i = 0; i < plan->architectures_len; i++) {
		uint32_t architecture = plan->architectures[i];
		int newest = newest_call(plan, architecture);
		/* clang-format off */
		const struct sock_filter block[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 0, 4),
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)newest, 0, 2),
			BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, ORDINARY_CALL_END, 1, 0),
			BPF_STMT(BPF_RET | BPF_K, SCMP_ACT_ERRNO(ENOSYS)),
		};
		/* clang-format on */

		if (newest < 0 || architecture == SCMP_ARCH_X32)
			continue;
		if (file_write_all(fd, block, sizeof(block)) < 0)
			return err_sys(err, "write the system call filter");
	}
	return 0;
}

/* The profile as libseccomp's filter, to be released; NULL with an error. */
static scmp_filter_ctx filter_make(const struct seccomp_plan *plan, struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(plan->default_action);

	if (!filter) {
		err_set(err, EINVAL,
			"linux.seccomp.defaultAction: libseccomp refuses it on this kernel");
		return NULL;
	}
	if (filter_build(plan, filter, err) == 0)
		return filter;
	seccomp_release(filter);
	return NULL;
}

int seccomp_compile(const struct seccomp_plan *plan, int fd, struct err *err)
{
	scmp_filter_ctx filter;
	size_t size;
	int result;

	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "empty the file of the system call filter");
	filter = filter_make(plan, err);
	if (!filter)
		return -1;
	result = stub_write(plan, fd, err);
	/* behind the stub: it just writes */
	if (result == 0 && (result = seccomp_export_bpf(filter, fd)) < 0)
		library_error(err, result, "export", "the filter");
	seccomp_release(filter);
	return result < 0 ? -1 : seccomp_filter_size(fd, &size, err);
}

int seccomp_print(const struct seccomp_plan *plan, int fd, struct err *err)
{
	scmp_filter_ctx filter = filter_make(plan, err);
	int result = filter ? seccomp_export_pfc(filter, fd) : -1;

	if (filter && result < 0)
		library_error(err, result, "print", "the filter");
	seccomp_release(filter);
	return result < 0 ? -1 : 0;
}

const char *seccomp_call_name(const struct seccomp_plan *plan, uint32_t architecture, uint32_t call)
{
	for (size_t i = 0; i < plan->rules_len; i++)
		for (size_t j = 0; j < plan->rules[i].names_len; j++)
			if (seccomp_syscall_resolve_name_arch(architecture,
							      plan->rules[i].names[j]) == (int)call)
				return plan->rules[i].names[j];
	return NULL;
}
