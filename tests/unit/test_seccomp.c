/*
 * Profiles are planned, compiled, and the BPF is run in bpfsim.c for chosen calls: what would the
 * kernel answer? Needs no privilege. The last tests load a filter into a child of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four that it needs */
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "isolation/seccomp.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/sys.h"
#include "tests/unit/bpfsim.c"

#define WORDS(...)                                                   \
	{                                                            \
		(const char *[]){ __VA_ARGS__, NULL },               \
			ARRAY_LEN(((const char *[]){ __VA_ARGS__ })) \
	}
#define RULES(array)                    \
	{                               \
		array, ARRAY_LEN(array) \
	}
#define ERRNO(number) (SECCOMP_RET_ERRNO | (number))
#define X32 0x40000000

static int setup(void **state)
{
	*state = arena_new(ARENA_LIMIT);
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static void plan_profile(void **state, const struct spec_seccomp *profile,
			 struct seccomp_plan *plan)
{
	struct spec spec = { .linux.seccomp = *profile };
	struct host host = { 0 };
	struct err err = { 0 };

	spec.linux.seccomp.set = true;
	if (seccomp_plan(&spec, &host, *state, plan, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(plan->wanted);
}

static void expect_error(void **state, const struct spec_seccomp *profile, const char *text)
{
	struct spec spec = { .linux.seccomp = *profile };
	struct seccomp_plan plan;
	struct host host = { 0 };
	struct err err = { 0 };

	spec.linux.seccomp.set = true;
	assert_int_equal(seccomp_plan(&spec, &host, *state, &plan, &err), -1);
	assert_string_equal(err.text, text);
}

static struct sock_fprog compile(void **state, const struct spec_seccomp *profile)
{
	struct sock_fprog program;
	struct seccomp_plan plan;
	struct err err = { 0 };

	plan_profile(state, profile, &plan);
	if (seccomp_compile(&plan, *state, &program, &err) < 0)
		fail_msg("%s", err.text);
	return program;
}

static uint32_t verdict(struct sock_fprog program, uint32_t arch, int nr, uint64_t arg0,
			uint64_t arg1)
{
	struct seccomp_data data = { .nr = nr, .arch = arch, .args = { arg0, arg1 } };
	uint32_t answer;

	if (bpfsim_run(program.filter, program.len, &data, &answer) < 0)
		fail_msg("the kernel would refuse the filter");
	return answer;
}

/* The same for the machine's own architecture and a call by its name. */
static uint32_t native(struct sock_fprog program, const char *name, uint64_t arg0, uint64_t arg1)
{
	int nr = seccomp_syscall_resolve_name(name);

	assert_true(nr >= 0);
	return verdict(program, seccomp_arch_native(), nr, arg0, arg1);
}

static void actions_are_encoded(void **state)
{
	struct spec_seccomp_rule rules[] = {
		{ .names = WORDS("read", "write"), .action = "SCMP_ACT_ALLOW" },
		{ .names = WORDS("mount"), .action = "SCMP_ACT_KILL" },
		{ .names = WORDS("umount2"), .action = "SCMP_ACT_KILL_PROCESS" },
		{ .names = WORDS("ptrace"), .action = "SCMP_ACT_ERRNO" },
		{ .names = WORDS("bpf"), .action = "SCMP_ACT_ERRNO", .errno_ret = { true, 38 } },
		{ .names = WORDS("kcmp"), .action = "SCMP_ACT_ERRNO", .errno_ret = { true, 0 } },
		{ .names = WORDS("acct"), .action = "SCMP_ACT_TRACE", .errno_ret = { true, 7 } },
		{ .names = WORDS("reboot"), .action = "SCMP_ACT_TRAP" },
		{ .names = WORDS("chroot"), .action = "SCMP_ACT_LOG" },
		{ .names = WORDS("no_such_call"), .action = "SCMP_ACT_ALLOW" },
	};
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ERRNO",
					.default_errno_ret = { true, 13 },
					.syscalls = RULES(rules) };
	struct sock_fprog program = compile(state, &profile);

	assert_int_equal(native(program, "read", 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(native(program, "write", 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(native(program, "mount", 0, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(native(program, "umount2", 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(native(program, "ptrace", 0, 0), ERRNO(EPERM));
	assert_int_equal(native(program, "bpf", 0, 0), ERRNO(38));
	assert_int_equal(native(program, "kcmp", 0, 0), ERRNO(0));
	assert_int_equal(native(program, "acct", 0, 0), SECCOMP_RET_TRACE | 7);
	assert_int_equal(native(program, "reboot", 0, 0), SECCOMP_RET_TRAP);
	assert_int_equal(native(program, "chroot", 0, 0), SECCOMP_RET_LOG);
	assert_int_equal(native(program, "close", 0, 0), ERRNO(13));
}

static void operators_compare_64_bits(void **state)
{
	static const struct {
		const char *op;
		uint64_t value, value_two, matches[3], others[3];
	} cases[] = {
		/* clang-format off */
		{ "SCMP_CMP_EQ", 0x100000005, 0,
		  { 0x100000005, 0x100000005, 0x100000005 }, { 5, 0x100000006, 0x200000005 } },
		{ "SCMP_CMP_NE", 5, 0,
		  { 0x100000005, 0, UINT64_MAX }, { 5, 5, 5 } },
		{ "SCMP_CMP_LT", 0x100000005, 0,
		  { 0x100000004, 6, 0 }, { 0x100000005, 0x200000000, UINT64_MAX } },
		{ "SCMP_CMP_LE", 0x100000005, 0,
		  { 0x100000005, 6, 0 }, { 0x100000006, 0x200000000, UINT64_MAX } },
		{ "SCMP_CMP_GE", 0x100000005, 0,
		  { 0x100000005, 0x200000000, UINT64_MAX }, { 0x100000004, 6, 0 } },
		{ "SCMP_CMP_GT", 0x100000005, 0,
		  { 0x100000006, 0x200000000, UINT64_MAX }, { 0x100000005, 6, 0 } },
		{ "SCMP_CMP_MASKED_EQ", 0xf0000000f0, 0x1000000020,
		  { 0x1000000020, 0x1f0000002f, 0xffffff1fffffff2f },
		  { 0x20, 0x1000000000, 0x1000000060 } },
		/* clang-format on */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct spec_seccomp_arg args[] = {
			{ .index = 1,
			  .value = cases[i].value,
			  .value_two = cases[i].value_two,
			  .op = cases[i].op },
		};
		struct spec_seccomp_rule rules[] = {
			{ .names = WORDS("ioctl"),
			  .action = "SCMP_ACT_ALLOW",
			  .args = RULES(args) },
		};
		struct spec_seccomp profile = { .default_action = "SCMP_ACT_ERRNO",
						.syscalls = RULES(rules) };
		struct sock_fprog program = compile(state, &profile);

		for (size_t j = 0; j < 3; j++) {
			uint64_t match = cases[i].matches[j], other = cases[i].others[j];

			assert_int_equal(native(program, "ioctl", other, match), SECCOMP_RET_ALLOW);
			assert_int_equal(native(program, "ioctl", match, other), ERRNO(EPERM));
		}
	}
}

static void comparisons_are_anded(void **state)
{
	struct spec_seccomp_arg both[] = { { .index = 0, .value = 2, .op = "SCMP_CMP_EQ" },
					   { .index = 1, .value = 3, .op = "SCMP_CMP_EQ" } };
	struct spec_seccomp_arg third[] = { { .index = 0, .value = 9, .op = "SCMP_CMP_EQ" } };
	struct spec_seccomp_rule rules[] = {
		{ .names = WORDS("socket"), .action = "SCMP_ACT_ALLOW", .args = RULES(both) },
		{ .names = WORDS("socket"), .action = "SCMP_ACT_ALLOW", .args = RULES(third) },
	};
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ERRNO",
					.syscalls = RULES(rules) };
	struct sock_fprog program = compile(state, &profile);

	assert_int_equal(native(program, "socket", 2, 3), SECCOMP_RET_ALLOW);
	assert_int_equal(native(program, "socket", 2, 4), ERRNO(EPERM));
	assert_int_equal(native(program, "socket", 3, 3), ERRNO(EPERM));
	assert_int_equal(native(program, "socket", 9, 77),
			 SECCOMP_RET_ALLOW); /* entries are ORed */
}

/* What libseccomp cannot do in one rule: as runc, each comparison counts alone. */
static void an_argument_compared_twice(void **state)
{
	struct spec_seccomp_arg args[] = { { .index = 0, .value = 8, .op = "SCMP_CMP_EQ" },
					   { .index = 0, .value = 0, .op = "SCMP_CMP_EQ" },
					   { .index = 1, .value = 5, .op = "SCMP_CMP_EQ" } };
	struct spec_seccomp_rule rules[] = {
		{ .names = WORDS("personality"), .action = "SCMP_ACT_ALLOW", .args = RULES(args) },
	};
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ERRNO",
					.syscalls = RULES(rules) };
	struct sock_fprog program = compile(state, &profile);

	assert_int_equal(native(program, "personality", 8, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(native(program, "personality", 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(native(program, "personality", 1, 5), SECCOMP_RET_ALLOW);
	assert_int_equal(native(program, "personality", 1, 0), ERRNO(EPERM));
}

/* A rule without comparisons decides, before or behind one with comparisons. */
static void order_does_not_matter(void **state)
{
	struct spec_seccomp_arg args[] = { { .index = 0, .value = 40, .op = "SCMP_CMP_EQ" } };
	struct spec_seccomp_rule all = { .names = WORDS("socket"), .action = "SCMP_ACT_ALLOW" };
	struct spec_seccomp_rule some = { .names = WORDS("socket"),
					  .action = "SCMP_ACT_ERRNO",
					  .errno_ret = { true, 97 },
					  .args = RULES(args) };
	struct spec_seccomp_rule one[] = { all, some }, other[] = { some, all };
	struct spec_seccomp first = { .default_action = "SCMP_ACT_ERRNO", .syscalls = RULES(one) };
	struct spec_seccomp second = { .default_action = "SCMP_ACT_ERRNO",
				       .syscalls = RULES(other) };
	struct sock_fprog program = compile(state, &first);
	struct sock_fprog program_second = compile(state, &second);

	assert_int_equal(native(program, "socket", 40, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(native(program_second, "socket", 40, 0), SECCOMP_RET_ALLOW);
}

/* libseccomp refuses the first pair, and lets the order of its tree decide about others. */
static void the_first_that_matches_decides(void **state)
{
	struct spec_seccomp_arg equal[] = { { .index = 0, .value = 40, .op = "SCMP_CMP_EQ" } };
	struct spec_seccomp_arg above[] = { { .index = 0, .value = 30, .op = "SCMP_CMP_GT" } };
	struct spec_seccomp_rule rules[] = {
		{ .names = WORDS("socket"), .action = "SCMP_ACT_KILL", .args = RULES(equal) },
		{ .names = WORDS("read", "socket"),
		  .action = "SCMP_ACT_LOG",
		  .args = RULES(equal) },
		{ .names = WORDS("socket"), .action = "SCMP_ACT_TRAP", .args = RULES(above) },
		{ .names = WORDS("read"), .action = "SCMP_ACT_TRAP", .args = RULES(above) },
		{ .names = WORDS("read"), .action = "SCMP_ACT_KILL", .args = RULES(equal) },
	};
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ALLOW",
					.syscalls = RULES(rules) };
	struct sock_fprog program = compile(state, &profile);

	assert_int_equal(native(program, "socket", 40, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(native(program, "socket", 41, 0), SECCOMP_RET_TRAP);
	assert_int_equal(native(program, "socket", 30, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(native(program, "read", 40, 0), SECCOMP_RET_LOG);
	assert_int_equal(native(program, "read", 41, 0), SECCOMP_RET_TRAP);
}

/* The tree of libseccomp 2.5 forgets the second rule where the first matches in part. */
static void rules_of_a_call_are_ored(void **state)
{
	struct spec_seccomp_arg both[] = { { .index = 0, .value = 1, .op = "SCMP_CMP_LE" },
					   { .index = 1, .value = 7, .op = "SCMP_CMP_EQ" } };
	struct spec_seccomp_arg one[] = { { .index = 0, .value = 2, .op = "SCMP_CMP_LE" } };
	struct spec_seccomp_rule rules[] = {
		{ .names = WORDS("socket"), .action = "SCMP_ACT_ALLOW", .args = RULES(both) },
		{ .names = WORDS("socket"), .action = "SCMP_ACT_ALLOW", .args = RULES(one) },
	};
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ERRNO",
					.syscalls = RULES(rules) };
	struct sock_fprog program = compile(state, &profile);

	assert_int_equal(native(program, "socket", 1, 7), SECCOMP_RET_ALLOW);
	assert_int_equal(native(program, "socket", 1, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(native(program, "socket", 3, 7), ERRNO(EPERM));
}

/* More instructions than the kernel takes, each comparison being of two halves. */
static void a_profile_that_is_too_large(void **state)
{
	struct spec_seccomp_arg args[1200] = { 0 };
	struct spec_seccomp_rule rules[] = {
		{ .names = WORDS("ioctl"), .action = "SCMP_ACT_ALLOW", .args = RULES(args) },
	};
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ERRNO",
					.syscalls = RULES(rules) };
	struct sock_fprog program;
	struct seccomp_plan plan;
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(args); i++)
		args[i] = (struct spec_seccomp_arg){ 1, 5 * i, 0, "SCMP_CMP_EQ" };
	plan_profile(state, &profile, &plan);
	assert_int_equal(seccomp_compile(&plan, *state, &program, &err), -1);
	assert_int_equal(err.code, E2BIG);
	assert_non_null(strstr(err.text, "the kernel takes 4096: the profile is too large"));
	/* what it takes, with jumps that no test can do alone */
	rules[0].args.len = 900;
	program = compile(state, &profile);
	assert_true(program.len > 3600);
	assert_int_equal(native(program, "ioctl", 0, 5 * 899), SECCOMP_RET_ALLOW);
	assert_int_equal(native(program, "ioctl", 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(native(program, "ioctl", 0, 5 * 450), SECCOMP_RET_ALLOW);
	assert_int_equal(native(program, "ioctl", 0, 5 * 450 + 1), ERRNO(EPERM));
	assert_int_equal(native(program, "ioctl", 0, 5 * 900), ERRNO(EPERM));
	assert_int_equal(native(program, "read", 0, 0), ERRNO(EPERM));
}

static void a_rule_with_the_default_action(void **state)
{
	struct spec_seccomp_rule rules[] = {
		{ .names = WORDS("read"),
		  .action = "SCMP_ACT_ERRNO",
		  .errno_ret = { true, EPERM } },
		{ .names = WORDS("write"),
		  .action = "SCMP_ACT_ERRNO",
		  .errno_ret = { true, EACCES } },
	};
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ERRNO",
					.syscalls = RULES(rules) };
	struct sock_fprog program = compile(state, &profile);

	assert_int_equal(native(program, "read", 0, 0), ERRNO(EPERM));
	assert_int_equal(native(program, "write", 0, 0), ERRNO(EACCES));
}

#ifdef __x86_64__
static void only_the_listed_architectures(void **state)
{
	struct spec_seccomp_rule rules[] = { { .names = WORDS("mount"),
					       .action = "SCMP_ACT_ERRNO" } };
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ALLOW",
					.syscalls = RULES(rules) };
	struct sock_fprog program = compile(state, &profile);

	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, 165, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, 0, 0, 0), SECCOMP_RET_ALLOW);
	/* int 0x80, x32, and what this machine cannot even be: the profile has no words for them */
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 21, 0, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 3, 0, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, X32 | 165, 0, 0),
			 SECCOMP_RET_KILL_THREAD);
	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, X32 | 0, 0, 0),
			 SECCOMP_RET_KILL_THREAD);
	assert_int_equal(verdict(program, AUDIT_ARCH_AARCH64, 63, 0, 0), SECCOMP_RET_KILL_THREAD);
}

static void several_architectures(void **state)
{
	struct spec_seccomp_rule rules[] = { { .names = WORDS("mount", "socketcall"),
					       .action = "SCMP_ACT_ERRNO" } };
	struct spec_seccomp profile = {
		.default_action = "SCMP_ACT_ALLOW",
		.architectures = WORDS("SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_X86",
				       "SCMP_ARCH_AARCH64"),
		.syscalls = RULES(rules),
	};
	struct sock_fprog program = compile(state, &profile);

	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, 165, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 21, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 102, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, X32 | 165, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_AARCH64, 40, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 165, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, X32 | 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(program, AUDIT_ARCH_ARM, 21, 0, 0), SECCOMP_RET_KILL_THREAD);
}

static void newer_calls_answer_enosys(void **state)
{
	/* statx: 332 on x86-64, 383 on x86; arm's cacheflush is 0xf0002 */
	struct spec_seccomp_rule rules[] = {
		{ .names = WORDS("read", "cacheflush"), .action = "SCMP_ACT_ALLOW" },
		{ .names = WORDS("statx"),
		  .action = "SCMP_ACT_ERRNO" }, /* named is named, whatever for */
	};
	struct spec_seccomp profile = {
		.default_action = "SCMP_ACT_ERRNO",
		.architectures = WORDS("SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_ARM"),
		.syscalls = RULES(rules),
	};
	struct sock_fprog program = compile(state, &profile);

	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, 331, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, 332, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, 333, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, 0xeffff, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, X32 | 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, X32 | 333, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, -1, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 3, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 383, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 384, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(verdict(program, AUDIT_ARCH_ARM, 397, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_ARM, 398, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(verdict(program, AUDIT_ARCH_ARM, 0xf0002, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(program, AUDIT_ARCH_ARM, 0xf0005, 0, 0), ERRNO(EPERM));
	/* an architecture of which nothing is said is not let through to ENOSYS */
	assert_int_equal(verdict(program, AUDIT_ARCH_AARCH64, 500, 0, 0), SECCOMP_RET_KILL_THREAD);
}

static void enosys_only_beside_an_errno(void **state)
{
	static const struct {
		const char *action;
		struct optional_u64 errno_ret;
		uint32_t answer;
	} cases[] = {
		{ "SCMP_ACT_ERRNO", { true, ENOSYS }, ERRNO(ENOSYS) },
		{ "SCMP_ACT_ERRNO", { true, EACCES }, ERRNO(ENOSYS) },
		{ "SCMP_ACT_ALLOW", { 0 }, SECCOMP_RET_ALLOW },
		{ "SCMP_ACT_LOG", { 0 }, SECCOMP_RET_LOG },
		{ "SCMP_ACT_KILL", { 0 }, SECCOMP_RET_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", { 0 }, SECCOMP_RET_KILL_PROCESS },
		{ "SCMP_ACT_TRAP", { 0 }, SECCOMP_RET_TRAP },
	};
	struct spec_seccomp_rule rules[] = {
		{ .names = WORDS("statx"), .action = "SCMP_ACT_TRACE" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct spec_seccomp profile = { .default_action = cases[i].action,
						.default_errno_ret = cases[i].errno_ret,
						.syscalls = RULES(rules) };
		struct sock_fprog program = compile(state, &profile);

		assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, 450, 0, 0), cases[i].answer);
	}
}

/* The names of x86-64's calls whose number has the remainder, in the arena. */
static struct spec_strings every_seventh(struct arena *arena, int remainder)
{
	struct spec_strings names = { arena_new_array(arena, const char *, 512), 0 };

	for (int nr = remainder; nr < 450; nr += 7) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);

		if (name)
			names.item[names.len++] = arena_format(arena, "%s", name);
		free(name); /* libseccomp's */
	}
	return names;
}

static bool names_call(const struct spec_strings *names, uint32_t architecture, int nr)
{
	char *name = seccomp_syscall_resolve_num_arch(architecture, nr);
	bool found = false;

	for (size_t i = 0; name && i < names->len; i++)
		found |= strcmp(names->item[i], name) == 0;
	free(name);
	return found;
}

/* A large profile: every number against the plain meaning. */
static void a_large_profile_means_the_same(void **state)
{
	static const uint32_t tokens[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_AARCH64 };
	struct spec_seccomp_rule rules[] = {
		{ .names = every_seventh(*state, 0), .action = "SCMP_ACT_ALLOW" },
		{ .names = every_seventh(*state, 4), .action = "SCMP_ACT_LOG" },
	};
	struct spec_seccomp profile = {
		.default_action = "SCMP_ACT_TRAP",
		.architectures = WORDS("SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"),
		.syscalls = RULES(rules),
	};
	struct sock_fprog program = compile(state, &profile);

	assert_true(rules[0].names.len > 40 && rules[1].names.len > 40);
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		for (int nr = 0; nr < 512; nr++) {
			uint32_t expected =
				names_call(&rules[0].names, tokens[i], nr)   ? SECCOMP_RET_ALLOW
				: names_call(&rules[1].names, tokens[i], nr) ? SECCOMP_RET_LOG
									     : SECCOMP_RET_TRAP;

			/* socketcall(2) and ipc(2) of x86 lead to several calls */
			if (tokens[i] == SCMP_ARCH_X86 && (nr == 102 || nr == 117))
				continue;
			assert_int_equal(verdict(program, tokens[i], nr, 0, 0), expected);
		}
	}
}

/* libseccomp gives no number for bind(2) on x86, which is 361, and 2 in socketcall(2). */
static void multiplexed_calls_count_as_named(void **state)
{
	struct spec_seccomp_rule rules[] = { { .names = WORDS("read", "bind"),
					       .action = "SCMP_ACT_ALLOW" } };
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ERRNO",
					.architectures = WORDS("SCMP_ARCH_X86"),
					.syscalls = RULES(rules) };
	struct sock_fprog program = compile(state, &profile);

	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 361, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 402, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 403, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 102, 2, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 102, 1, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_X86_64, 50, 0, 0), ERRNO(ENOSYS));
}

/* The arguments of what socketcall(2) leads to are in memory, where no filter looks. */
static void multiplexers_decide_strictly(void **state)
{
	struct spec_seccomp_arg args[] = { { .index = 0, .value = 1, .op = "SCMP_CMP_EQ" } };
	struct spec_seccomp_rule rules[] = {
		{ .names = WORDS("socket"), .action = "SCMP_ACT_ALLOW", .args = RULES(args) },
		{ .names = WORDS("socket", "shmat"),
		  .action = "SCMP_ACT_TRAP",
		  .args = RULES(args) },
		{ .names = WORDS("socketcall"), .action = "SCMP_ACT_ALLOW" },
	};
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ERRNO",
					.architectures = WORDS("SCMP_ARCH_X86"),
					.syscalls = { rules, 2 } };
	struct sock_fprog program = compile(state, &profile);

	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 359, 1, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 359, 2, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 102, 1, 0), SECCOMP_RET_TRAP);
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 102, 2, 0), ERRNO(EPERM));
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 117, 21, 0), SECCOMP_RET_TRAP);
	/* who allows it by name has it */
	profile.syscalls.len = 3;
	program = compile(state, &profile);
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 102, 1, 0), SECCOMP_RET_ALLOW);
	/* a refusal by arguments is one for all of them */
	profile.default_action = "SCMP_ACT_ALLOW";
	profile.syscalls.len = 2;
	program = compile(state, &profile);
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 102, 1, 0), SECCOMP_RET_TRAP);
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 102, 2, 0), SECCOMP_RET_ALLOW);
}

/* Where what is not listed is allowed, bits that the kernel ignores must not lead round a refusal.
 */
static void multiplexers_see_what_the_kernel_sees(void **state)
{
	struct spec_seccomp_rule rules[] = { { .names = WORDS("socket", "shmget"),
					       .action = "SCMP_ACT_TRAP" } };
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ALLOW",
					.architectures =
						WORDS("SCMP_ARCH_X86", "SCMP_ARCH_PPC64LE"),
					.syscalls = RULES(rules) };
	struct sock_fprog program = compile(state, &profile);

	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 117, 0x10017, 0), SECCOMP_RET_TRAP);
	assert_int_equal(verdict(program, AUDIT_ARCH_I386, 102, 0x10001, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(program, AUDIT_ARCH_PPC64LE, 102, 1, 0), SECCOMP_RET_TRAP);
	assert_int_equal(verdict(program, AUDIT_ARCH_PPC64LE, 102, 0x100000001, 0),
			 SECCOMP_RET_TRAP);
	assert_int_equal(verdict(program, AUDIT_ARCH_PPC64LE, 117, 0x100010017, 0),
			 SECCOMP_RET_TRAP);
}
#endif

static void errors_name_the_property(void **state)
{
	struct spec_seccomp_arg op[] = { { .index = 5, .op = "SCMP_CMP_ZZ" } };
	struct spec_seccomp_rule rules[] = { { .names = WORDS("read"), .action = "SCMP_ACT_ALLOW" },
					     { .names = WORDS("read") } };
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ERRNO",
					.syscalls = RULES(rules) };
	struct spec_seccomp_rule *rule = &rules[1];

	rule->action = "SCMP_ACT_FOO";
	expect_error(state, &profile,
		     "linux.seccomp.syscalls[1].action: unknown action 'SCMP_ACT_FOO'");
	rule->action = "SCMP_ACT_NOTIFY";
	expect_error(
		state, &profile,
		"linux.seccomp.syscalls[1].action: SCMP_ACT_NOTIFY is not supported yet by agentd");
	rule->action = "SCMP_ACT_ALLOW";
	rule->errno_ret = (struct optional_u64){ true, 1 };
	expect_error(
		state, &profile,
		"linux.seccomp.syscalls[1].errnoRet: only with SCMP_ACT_ERRNO or SCMP_ACT_TRACE");
	rule->action = "SCMP_ACT_ERRNO";
	rule->args = (struct spec_seccomp_args)RULES(op);
	expect_error(state, &profile,
		     "linux.seccomp.syscalls[1]: args[0].op: unknown operator 'SCMP_CMP_ZZ'");
	profile.syscalls.len = 1;
	profile.flags = (struct spec_strings)WORDS("SECCOMP_FILTER_FLAG_LOG", "LOG");
	expect_error(state, &profile, "linux.seccomp.flags[1]: unknown flag 'LOG'");
	profile.flags.len = 0;
	profile.architectures = (struct spec_strings)WORDS("SCMP_ARCH_VAX");
	expect_error(state, &profile,
		     arena_format(*state,
				  "linux.seccomp.architectures[0]: 'SCMP_ARCH_VAX' is not an "
				  "architecture of libseccomp %s",
				  seccomp_library_version(*state)));
	profile.architectures.len = 0;
	profile.default_action = "SCMP_ACT_KILL";
	profile.default_errno_ret = (struct optional_u64){ true, 1 };
	expect_error(state, &profile,
		     "linux.seccomp.defaultErrnoRet: only with SCMP_ACT_ERRNO or SCMP_ACT_TRACE");
	profile.default_action = "";
	expect_error(state, &profile, "linux.seccomp.defaultAction: unknown action ''");
	profile.default_action = "SCMP_ACT_NOTIFY";
	expect_error(state, &profile,
		     "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY is not supported yet by agentd");
}

static void architectures_of_another_byte_order(void **state)
{
	const bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	const char *foreign = little ? "SCMP_ARCH_S390X" : "SCMP_ARCH_PPC64LE";
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ALLOW",
					.architectures = { &foreign, 1 } };

	expect_error(state, &profile,
		     arena_format(*state,
				  "linux.seccomp.architectures[0]: %s: its byte order is not this "
				  "machine's",
				  foreign));
}

static void absent_means_unwanted(void **state)
{
	struct spec spec = { 0 };
	struct seccomp_plan plan = { .wanted = true };
	struct host host = { 0 };
	struct err err;

	assert_int_equal(seccomp_plan(&spec, &host, *state, &plan, &err), 0);
	assert_false(plan.wanted);
}

static void flags_are_the_kernels(void **state)
{
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ALLOW" };
	struct seccomp_plan plan;

	plan_profile(state, &profile, &plan);
	assert_int_equal(plan.flags, 0); /* SPEC_ALLOW only on demand */
	profile.flags = (struct spec_strings)WORDS(
		"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
		"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
	plan_profile(state, &profile, &plan);
	assert_int_equal(plan.flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW |
					     SECCOMP_FILTER_FLAG_TSYNC);
	assert_true(seccomp_flag_supported(SECCOMP_FILTER_FLAG_LOG));
	assert_true(seccomp_flag_supported(SECCOMP_FILTER_FLAG_TSYNC));
	assert_false(seccomp_flag_supported(1u << 30));
}

/* The exit status of a child under the filter, which does one call. */
static int loaded(void **state, const struct spec_seccomp *profile, bool no_new_privileges,
		  struct err *err)
{
	struct sock_fprog program = compile(state, profile);
	autoclose int report = memfd_create("error", MFD_CLOEXEC);
	struct seccomp_plan plan;
	int status;
	pid_t pid;

	plan_profile(state, profile, &plan);
	pid = fork();
	assert_return_code(pid, errno);
	if (pid == 0) {
		/* without privilege of any kind */
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(100);
		if (no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			_exit(101);
		if (seccomp_apply(&plan, &program, err) < 0) {
			if (write(report, err, sizeof(*err)) < 0)
				_exit(102);
			_exit(103);
		}
		_exit(syscall(SYS_getppid) < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (pread(report, err, sizeof(*err), 0) <= 0)
		err->text[0] = '\0';
	return status;
}

static void the_kernel_enforces_it(void **state)
{
	struct spec_seccomp_rule rules[] = {
		{ .names = WORDS("getppid"), .action = "SCMP_ACT_ERRNO", .errno_ret = { true, 42 } }
	};
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ALLOW",
					.flags = WORDS("SECCOMP_FILTER_FLAG_LOG"),
					.syscalls = RULES(rules) };
	struct err err;
	int status = loaded(state, &profile, true, &err);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	rules[0].action = "SCMP_ACT_KILL_PROCESS";
	rules[0].errno_ret.set = false;
	status = loaded(state, &profile, true, &err);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void loading_without_the_right(void **state)
{
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ALLOW" };
	struct err err;
	int status = loaded(state, &profile, false, &err);

	assert_int_equal(WEXITSTATUS(status), 103);
	assert_int_equal(err.code, EACCES);
	assert_string_equal(err.text, "load the system call filter: Permission denied; it needs "
				      "process.noNewPrivileges or CAP_SYS_ADMIN");
}

/* Under a filter that refuses it init could start nothing, and perhaps not say so either. */
static void a_program_can_be_started(void **state)
{
	struct spec_seccomp_rule rules[] = {
		{ .names = WORDS("execve"), .action = "SCMP_ACT_ERRNO" },
		{ .names = WORDS("read", "write"), .action = "SCMP_ACT_ALLOW" },
	};
	static const struct {
		const char *otherwise, *action;
		int result;
	} cases[] = {
		{ "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", -1 },
		{ "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP", -1 },
		{ "SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW", 0 },
		{ "SCMP_ACT_ERRNO", "SCMP_ACT_LOG", 0 },
		{ "SCMP_ACT_ALLOW", "SCMP_ACT_KILL", 0 },
	};
	struct spec_seccomp profile = { .syscalls = RULES(rules) };
	struct seccomp_plan plan = { 0 };
	struct err err = { 0 };

	assert_int_equal(seccomp_check_exec(&plan, &err), 0); /* no filter */
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		profile.default_action = cases[i].otherwise;
		rules[0].action = cases[i].action;
		plan_profile(state, &profile, &plan);
		assert_int_equal(seccomp_check_exec(&plan, &err), cases[i].result);
	}
	assert_non_null(strstr(err.text, "no rule allows execve"));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(actions_are_encoded),
		TEST(operators_compare_64_bits),
		TEST(comparisons_are_anded),
		TEST(an_argument_compared_twice),
		TEST(order_does_not_matter),
		TEST(the_first_that_matches_decides),
		TEST(rules_of_a_call_are_ored),
		TEST(a_profile_that_is_too_large),
		TEST(a_rule_with_the_default_action),
#ifdef __x86_64__
		TEST(only_the_listed_architectures),
		TEST(several_architectures),
		TEST(newer_calls_answer_enosys),
		TEST(enosys_only_beside_an_errno),
		TEST(a_large_profile_means_the_same),
		TEST(multiplexed_calls_count_as_named),
		TEST(multiplexers_decide_strictly),
		TEST(multiplexers_see_what_the_kernel_sees),
#endif
		TEST(errors_name_the_property),
		TEST(architectures_of_another_byte_order),
		TEST(a_program_can_be_started),
		TEST(absent_means_unwanted),
		TEST(flags_are_the_kernels),
		TEST(the_kernel_enforces_it),
		TEST(loading_without_the_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
