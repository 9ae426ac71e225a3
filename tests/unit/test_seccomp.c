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

/* A compiled filter in a memfd; the caller closes it. */
static int compile(void **state, const struct spec_seccomp *profile)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	struct seccomp_plan plan;
	struct err err = { 0 };

	plan_profile(state, profile, &plan);
	if (seccomp_compile(&plan, fd, &err) < 0)
		fail_msg("%s", err.text);
	return fd;
}

static uint32_t verdict(int fd, uint32_t arch, int nr, uint64_t arg0, uint64_t arg1)
{
	struct seccomp_data data = { .nr = nr, .arch = arch, .args = { arg0, arg1 } };
	struct sock_filter program[BPF_MAXINSNS];
	ssize_t size = pread(fd, program, sizeof(program), 0);
	uint32_t answer;

	assert_true(size > 0);
	if (bpfsim_run(program, (size_t)size / sizeof(program[0]), &data, &answer) < 0)
		fail_msg("the kernel would refuse the filter");
	return answer;
}

/* The same for the machine's own architecture and a call by its name. */
static uint32_t native(int fd, const char *name, uint64_t arg0, uint64_t arg1)
{
	int nr = seccomp_syscall_resolve_name(name);

	assert_true(nr >= 0);
	return verdict(fd, seccomp_arch_native(), nr, arg0, arg1);
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
	autoclose int fd = compile(state, &profile);

	assert_int_equal(native(fd, "read", 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(native(fd, "write", 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(native(fd, "mount", 0, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(native(fd, "umount2", 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(native(fd, "ptrace", 0, 0), ERRNO(EPERM));
	assert_int_equal(native(fd, "bpf", 0, 0), ERRNO(38));
	assert_int_equal(native(fd, "kcmp", 0, 0), ERRNO(0));
	assert_int_equal(native(fd, "acct", 0, 0), SECCOMP_RET_TRACE | 7);
	assert_int_equal(native(fd, "reboot", 0, 0), SECCOMP_RET_TRAP);
	assert_int_equal(native(fd, "chroot", 0, 0), SECCOMP_RET_LOG);
	assert_int_equal(native(fd, "close", 0, 0), ERRNO(13));
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
		autoclose int fd = compile(state, &profile);

		for (size_t j = 0; j < 3; j++) {
			uint64_t match = cases[i].matches[j], other = cases[i].others[j];

			assert_int_equal(native(fd, "ioctl", other, match), SECCOMP_RET_ALLOW);
			assert_int_equal(native(fd, "ioctl", match, other), ERRNO(EPERM));
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
	autoclose int fd = compile(state, &profile);

	assert_int_equal(native(fd, "socket", 2, 3), SECCOMP_RET_ALLOW);
	assert_int_equal(native(fd, "socket", 2, 4), ERRNO(EPERM));
	assert_int_equal(native(fd, "socket", 3, 3), ERRNO(EPERM));
	assert_int_equal(native(fd, "socket", 9, 77), SECCOMP_RET_ALLOW); /* entries are ORed */
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
	autoclose int fd = compile(state, &profile);

	assert_int_equal(native(fd, "personality", 8, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(native(fd, "personality", 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(native(fd, "personality", 1, 5), SECCOMP_RET_ALLOW);
	assert_int_equal(native(fd, "personality", 1, 0), ERRNO(EPERM));
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
	autoclose int fd = compile(state, &first);
	autoclose int fd_second = compile(state, &second);

	assert_int_equal(native(fd, "socket", 40, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(native(fd_second, "socket", 40, 0), SECCOMP_RET_ALLOW);
}

static void the_same_comparison_with_two_actions(void **state)
{
	struct spec_seccomp_arg args[] = { { .index = 0, .value = 40, .op = "SCMP_CMP_EQ" } };
	struct spec_seccomp_rule rules[] = {
		{ .names = WORDS("socket"), .action = "SCMP_ACT_KILL", .args = RULES(args) },
		{ .names = WORDS("read", "socket"), .action = "SCMP_ACT_LOG", .args = RULES(args) },
	};
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ALLOW",
					.syscalls = RULES(rules) };
	autoclose int fd = memfd_create("filter", MFD_CLOEXEC);
	struct seccomp_plan plan;
	struct err err = { 0 };

	plan_profile(state, &profile, &plan);
	assert_int_equal(seccomp_compile(&plan, fd, &err), -1);
	assert_int_equal(err.code, EEXIST);
	assert_string_equal(
		err.text,
		"linux.seccomp.syscalls[1].names[1]: libseccomp: rule for socket: File exists; "
		"another rule has another action for the same arguments");
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
	autoclose int fd = compile(state, &profile);

	assert_int_equal(native(fd, "read", 0, 0), ERRNO(EPERM));
	assert_int_equal(native(fd, "write", 0, 0), ERRNO(EACCES));
}

#ifdef __x86_64__
static void only_the_listed_architectures(void **state)
{
	struct spec_seccomp_rule rules[] = { { .names = WORDS("mount"),
					       .action = "SCMP_ACT_ERRNO" } };
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ALLOW",
					.syscalls = RULES(rules) };
	autoclose int fd = compile(state, &profile);

	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, 165, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, 0, 0, 0), SECCOMP_RET_ALLOW);
	/* int 0x80, x32, and what this machine cannot even be: the profile has no words for them */
	assert_int_equal(verdict(fd, AUDIT_ARCH_I386, 21, 0, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(verdict(fd, AUDIT_ARCH_I386, 3, 0, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, X32 | 165, 0, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, X32 | 0, 0, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(verdict(fd, AUDIT_ARCH_AARCH64, 63, 0, 0), SECCOMP_RET_KILL_THREAD);
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
	autoclose int fd = compile(state, &profile);

	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, 165, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(fd, AUDIT_ARCH_I386, 21, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(fd, AUDIT_ARCH_I386, 102, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, X32 | 165, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(fd, AUDIT_ARCH_AARCH64, 40, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(fd, AUDIT_ARCH_I386, 165, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, X32 | 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(fd, AUDIT_ARCH_ARM, 21, 0, 0), SECCOMP_RET_KILL_THREAD);
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
	autoclose int fd = compile(state, &profile);

	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, 331, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, 332, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, 333, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, 0xeffff, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, X32 | 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, X32 | 333, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, -1, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(fd, AUDIT_ARCH_I386, 3, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(fd, AUDIT_ARCH_I386, 383, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(fd, AUDIT_ARCH_I386, 384, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(verdict(fd, AUDIT_ARCH_ARM, 397, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(fd, AUDIT_ARCH_ARM, 398, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(verdict(fd, AUDIT_ARCH_ARM, 0xf0002, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(fd, AUDIT_ARCH_ARM, 0xf0005, 0, 0), ERRNO(EPERM));
	/* an architecture of which nothing is said is not let through to ENOSYS */
	assert_int_equal(verdict(fd, AUDIT_ARCH_AARCH64, 500, 0, 0), SECCOMP_RET_KILL_THREAD);
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
		autoclose int fd = compile(state, &profile);

		assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, 450, 0, 0), cases[i].answer);
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

/* A large profile, where libseccomp builds a tree: every number against the plain meaning. */
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
	autoclose int fd = compile(state, &profile);

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
			assert_int_equal(verdict(fd, tokens[i], nr, 0, 0), expected);
		}
	}
}

/* libseccomp gives no number for bind(2) on x86, which is 361: a call that the profile allows. */
static void multiplexed_calls_count_as_named(void **state)
{
	struct spec_seccomp_rule rules[] = { { .names = WORDS("read", "bind"),
					       .action = "SCMP_ACT_ALLOW" } };
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ERRNO",
					.architectures = WORDS("SCMP_ARCH_X86"),
					.syscalls = RULES(rules) };
	autoclose int fd = compile(state, &profile);

	assert_int_equal(verdict(fd, AUDIT_ARCH_I386, 361, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(fd, AUDIT_ARCH_I386, 402, 0, 0), ERRNO(EPERM));
	assert_int_equal(verdict(fd, AUDIT_ARCH_I386, 403, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(verdict(fd, AUDIT_ARCH_X86_64, 50, 0, 0), ERRNO(ENOSYS));
}
#endif

static void errors_name_the_property(void **state)
{
	struct spec_seccomp_arg index[] = { { .index = 0, .op = "SCMP_CMP_EQ" },
					    { .index = 6, .op = "SCMP_CMP_EQ" } };
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
	rule->errno_ret.value = 4096;
	expect_error(state, &profile,
		     "linux.seccomp.syscalls[1].errnoRet: 4096 is larger than 4095");
	rule->errno_ret.value = 0x100000001;
	expect_error(state, &profile,
		     "linux.seccomp.syscalls[1].errnoRet: 4294967297 is larger than 4095");
	rule->errno_ret.value = 4095;
	rule->args = (struct spec_seccomp_args)RULES(index);
	expect_error(state, &profile,
		     "linux.seccomp.syscalls[1]: args[1].index: 6 is larger than 5");
	rule->args = (struct spec_seccomp_args)RULES(op);
	expect_error(state, &profile,
		     "linux.seccomp.syscalls[1]: args[0].op: unknown operator 'SCMP_CMP_ZZ'");
	rule->args.len = 0;
	rule->names.len = 0;
	expect_error(state, &profile, "linux.seccomp.syscalls[1].names: is empty");
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
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ALLOW",
					.architectures =
						WORDS("SCMP_ARCH_S390X", "SCMP_ARCH_PPC64LE") };
	autoclose int fd = memfd_create("filter", MFD_CLOEXEC);
	struct seccomp_plan plan;
	struct err err = { 0 };

	plan_profile(state, &profile, &plan);
	assert_int_equal(seccomp_compile(&plan, fd, &err), -1);
	assert_non_null(strstr(err.text,
			       "linux.seccomp.architectures: libseccomp: architecture SCMP_ARCH_"));
	assert_non_null(strstr(err.text, "its byte order is not this machine's"));
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

/* Two profiles that must never share a compiled filter. */
static void expect_other_key(void **state, struct spec_seccomp *one, struct spec_seccomp *other)
{
	struct seccomp_plan first, second;

	plan_profile(state, one, &first);
	plan_profile(state, other, &second);
	assert_true(first.cache_key_size != second.cache_key_size ||
		    memcmp(first.cache_key, second.cache_key, first.cache_key_size) != 0);
}

static void the_key_holds_everything(void **state)
{
	struct spec_seccomp_arg args[] = {
		{ .index = 0, .value = 1, .value_two = 2, .op = "SCMP_CMP_MASKED_EQ" }
	};
	struct spec_seccomp_rule rule = { .names = WORDS("read", "write"),
					  .action = "SCMP_ACT_ERRNO",
					  .args = RULES(args) };
	struct spec_seccomp_rule ones[] = { rule }, others[] = { rule };
	struct spec_seccomp_arg other_args[] = { args[0] };
	struct spec_seccomp one = { .default_action = "SCMP_ACT_ERRNO", .syscalls = RULES(ones) };
	struct spec_seccomp other = { .default_action = "SCMP_ACT_ERRNO",
				      .syscalls = RULES(others) };
	struct seccomp_plan first, second;

	plan_profile(state, &one, &first);
	plan_profile(state, &other, &second);
	assert_int_equal(first.cache_key_size, second.cache_key_size);
	assert_memory_equal(first.cache_key, second.cache_key, first.cache_key_size);

	others[0].errno_ret = (struct optional_u64){ true, 38 };
	expect_other_key(state, &one, &other);
	others[0].errno_ret.set = false;
	others[0].args = (struct spec_seccomp_args)RULES(other_args);
	other_args[0].value_two = 3;
	expect_other_key(state, &one, &other);
	others[0] = rule;
	others[0].names = (struct spec_strings)WORDS("readw", "rite");
	expect_other_key(state, &one, &other);
	others[0] = rule;
	other.default_errno_ret = (struct optional_u64){ true, 38 };
	expect_other_key(state, &one, &other);
	other.default_errno_ret.set = false;
	other.architectures = (struct spec_strings)WORDS("SCMP_ARCH_ARM");
	expect_other_key(state, &one, &other);
}

/* A directory of entries, one filter written through it at a time. */
struct cache {
	char path[32];
	int dir;
};

static void cache_open(struct cache *cache)
{
	snprintf(cache->path, sizeof(cache->path), "/tmp/test_seccomp.XXXXXX");
	assert_non_null(mkdtemp(cache->path));
	cache->dir = open(cache->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(cache->dir >= 0);
}

/* The number of entries; `name` and *inode are of one. */
static size_t cache_entries(const struct cache *cache, char name[NAME_MAX + 1], ino_t *inode)
{
	DIR *dir = opendir(cache->path);
	struct dirent *row;
	size_t entries = 0;

	assert_non_null(dir);
	while ((row = readdir(dir))) {
		if (row->d_name[0] == '.')
			continue;
		entries++;
		*inode = row->d_ino;
		snprintf(name, NAME_MAX + 1, "%s", row->d_name);
	}
	closedir(dir);
	return entries;
}

static void cache_close(struct cache *cache)
{
	char name[NAME_MAX + 1];
	ino_t inode;

	while (cache_entries(cache, name, &inode))
		assert_return_code(unlinkat(cache->dir, name, 0), errno);
	close(cache->dir);
	assert_return_code(rmdir(cache->path), errno);
}

static int compile_cached(void **state, const struct spec_seccomp *profile,
			  const struct cache *cache)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	struct seccomp_plan plan;
	struct err err = { 0 };

	plan_profile(state, profile, &plan);
	if (seccomp_compile_cached(&plan, cache->dir, fd, &err) < 0)
		fail_msg("%s", err.text);
	return fd;
}

static void entries_are_found_again_unless_unfit(void **state)
{
	struct spec_seccomp_rule rules[] = { { .names = WORDS("read", "statx"),
					       .action = "SCMP_ACT_ALLOW" } };
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ERRNO",
					.syscalls = RULES(rules) };
	enum { AGAIN, BIT, TRUNCATED, ZEROED, WRITABLE, FOREIGN, LINK, LAST };
	struct cache cache;
	ino_t first, second;
	char name[NAME_MAX + 1];

	cache_open(&cache);
	for (int how = AGAIN; how < LAST; how++) {
		autoclose int fd = compile_cached(state, &profile, &cache);
		autoclose int again = -1, entry = -1;
		struct stat st;

		assert_int_equal(native(fd, "read", 0, 0), SECCOMP_RET_ALLOW);
		assert_int_equal(cache_entries(&cache, name, &first), 1);
		entry = openat(cache.dir, name, O_RDWR | O_CLOEXEC);
		assert_return_code(fstat(entry, &st), errno);
		assert_int_equal(st.st_mode, S_IFREG | 0600);
		if (how == BIT) /* the last instruction: it would answer something else */
			assert_int_equal(pwrite(entry, "\1", 1, st.st_size - 1), 1);
		if (how == TRUNCATED)
			assert_return_code(ftruncate(entry, st.st_size - 8), errno);
		if (how == ZEROED)
			assert_return_code(ftruncate(entry, 0) || ftruncate(entry, st.st_size),
					   errno);
		if (how == WRITABLE)
			assert_return_code(fchmod(entry, 0620), errno);
		if (how == FOREIGN && geteuid() != 0)
			continue; /* chown is root's */
		if (how == FOREIGN)
			assert_return_code(fchown(entry, 1, 1), errno);
		if (how == LINK) {
			assert_return_code(renameat(cache.dir, name, cache.dir, ".kept"), errno);
			assert_return_code(symlinkat(".kept", cache.dir, name), errno);
		}
		again = compile_cached(state, &profile, &cache);
		assert_int_equal(native(again, "read", 0, 0), SECCOMP_RET_ALLOW);
		assert_int_equal(native(again, "write", 0, 0), ERRNO(EPERM));
		assert_int_equal(cache_entries(&cache, name, &second), 1);
		/* the entry is still held open, so its inode cannot have been given out again */
		assert_true(how == AGAIN ? first == second : first != second);
	}
	unlinkat(cache.dir, ".kept", 0);
	cache_close(&cache);
}

/* crun's cache once gave one profile the filter of another that differed in its errno. */
static void profiles_do_not_share_an_entry(void **state)
{
	struct spec_seccomp_rule rules[] = { { .names = WORDS("bpf"),
					       .action = "SCMP_ACT_ERRNO" } };
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ALLOW",
					.syscalls = RULES(rules) };
	char first[NAME_MAX + 1], second[NAME_MAX + 1];
	struct cache cache;
	ino_t inode;

	cache_open(&cache);
	for (uint64_t number = 1; number <= 2; number++) {
		autoclose int fd = -1;

		rules[0].errno_ret = (struct optional_u64){ true, number };
		fd = compile_cached(state, &profile, &cache);
		assert_int_equal(native(fd, "bpf", 0, 0), ERRNO(number));
		assert_int_equal(cache_entries(&cache, number == 1 ? first : second, &inode), 1);
		assert_return_code(
			renameat(cache.dir, number == 1 ? first : second, cache.dir, ".kept"),
			errno);
	}
	assert_string_not_equal(first, second);
	/* Not even if both hashed to one name. */
	assert_return_code(renameat(cache.dir, ".kept", cache.dir, first), errno);
	for (uint64_t number = 1; number <= 2; number++) {
		autoclose int fd = -1;

		rules[0].errno_ret = (struct optional_u64){ true, number };
		fd = compile_cached(state, &profile, &cache);
		assert_int_equal(native(fd, "bpf", 0, 0), ERRNO(number));
	}
	cache_close(&cache);
}

static void the_cache_is_bounded(void **state)
{
	struct spec_seccomp_rule rules[] = { { .names = WORDS("bpf"),
					       .action = "SCMP_ACT_ERRNO" } };
	struct spec_seccomp profile = { .default_action = "SCMP_ACT_ALLOW",
					.syscalls = RULES(rules) };
	struct cache cache;
	char name[NAME_MAX + 1];
	ino_t inode;

	cache_open(&cache);
	for (uint64_t number = 1; number <= 70; number++) {
		autoclose int fd = -1;

		rules[0].errno_ret = (struct optional_u64){ true, number };
		fd = compile_cached(state, &profile, &cache);
		assert_int_equal(native(fd, "bpf", 0, 0), ERRNO(number));
	}
	assert_int_equal(cache_entries(&cache, name, &inode), 64);
	cache_close(&cache);
}

/* The exit status of a child under the filter, which does one call. */
static int loaded(void **state, const struct spec_seccomp *profile, bool no_new_privileges,
		  struct err *err)
{
	autoclose int fd = compile(state, profile);
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
		if (seccomp_apply(&plan, fd, err) < 0) {
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

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(actions_are_encoded),
		TEST(operators_compare_64_bits),
		TEST(comparisons_are_anded),
		TEST(an_argument_compared_twice),
		TEST(order_does_not_matter),
		TEST(the_same_comparison_with_two_actions),
		TEST(a_rule_with_the_default_action),
#ifdef __x86_64__
		TEST(only_the_listed_architectures),
		TEST(several_architectures),
		TEST(newer_calls_answer_enosys),
		TEST(enosys_only_beside_an_errno),
		TEST(a_large_profile_means_the_same),
		TEST(multiplexed_calls_count_as_named),
#endif
		TEST(errors_name_the_property),
		TEST(architectures_of_another_byte_order),
		TEST(absent_means_unwanted),
		TEST(flags_are_the_kernels),
		TEST(the_key_holds_everything),
		TEST(entries_are_found_again_unless_unfit),
		TEST(profiles_do_not_share_an_entry),
		TEST(the_cache_is_bounded),
		TEST(the_kernel_enforces_it),
		TEST(loading_without_the_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
