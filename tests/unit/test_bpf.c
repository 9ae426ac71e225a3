/*
 * Answers of compiled filters, compared with those of another interpreter (bpfsim.c), and the text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <linux/audit.h>

#include "selftest/bpf.h"
#include "tests/unit/bpfsim.c"

static void compile_default(struct arena *arena, struct seccomp_plan *plan,
			    struct sock_fprog *program)
{
	const struct spec_default with = { 0 };
	struct host host = { .machine = "" };
	struct err err = { 0 };
	struct spec *spec;
	size_t size;
	char *text = json_print(spec_default(&with, arena), false, arena, &size);

	assert_int_equal(spec_parse(text, size, arena, &spec, &err), 0);
	assert_int_equal(seccomp_plan(spec, &host, arena, plan, &err), 0);
	assert_int_equal(seccomp_compile(plan, arena, program, &err), 0);
}

static void test_answers(void **state)
{
	static const uint64_t arguments[] = { 0, 1, 2, 3, 16, 0x5412, 0x100005412, UINT64_MAX };
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct sock_fprog program;
	struct seccomp_plan plan;
	size_t allowed = 0;

	(void)state;
	compile_default(arena, &plan, &program);
	const uint32_t architectures[] = { plan.architectures[0], AUDIT_ARCH_I386, 0 };
	for (size_t arch = 0; arch < 3; arch++) {
		for (int nr = -1; nr < 600; nr++) {
			for (size_t i = 0; i < 8; i++) {
				const struct seccomp_data data = {
					.nr = nr,
					.arch = architectures[arch],
					.args = { arguments[i], arguments[i], arguments[i] },
				};
				uint32_t expected;

				assert_int_equal(
					bpfsim_run(program.filter, program.len, &data, &expected),
					0);
				assert_int_equal(bpf_answer(&program, &data), expected);
				allowed += expected == SECCOMP_RET_ALLOW;
			}
		}
	}
	assert_true(allowed > 1000);
	arena_free(arena);
}

/* What is not understood, and what has no end, allows nothing. */
static void test_broken(void **state)
{
	struct sock_filter unknown[] = { BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
					 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_filter outside[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64),
					 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_filter endless[] = { BPF_JUMP(BPF_JMP | BPF_JA, 5, 0, 0) };
	const struct sock_fprog programs[] = { { 2, unknown }, { 2, outside }, { 1, endless } };
	const struct seccomp_data data = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(bpf_answer(&programs[i], &data), SECCOMP_RET_KILL_PROCESS);
}

static void test_text(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct sock_fprog program;
	struct seccomp_plan plan;
	static char text[1 << 17];
	FILE *to = fmemopen(text, sizeof(text), "w");
	size_t lines = 0;

	(void)state;
	compile_default(arena, &plan, &program);
	bpf_print(&program, arena, to);
	assert_int_equal(fclose(to), 0);
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, program.len);
	assert_non_null(strstr(text, "   0: ld   [4]  ; architecture\n"));
	assert_non_null(strstr(text, "; SCMP_ACT_ERRNO, EPERM\n"));
	assert_non_null(strstr(text, "; SCMP_ACT_ERRNO, ENOSYS\n"));
	assert_non_null(strstr(text, "; SCMP_ACT_ALLOW\n"));
	assert_null(strstr(text, "unknown"));
	to = fmemopen(text, sizeof(text), "w");
	bpf_print_decisions(&plan, arena, to);
	assert_int_equal(fclose(to), 0);
	assert_non_null(strstr(text, "    16: by arguments\n        ioctl\n        if argument 1 & "
				     "0xffffc000 == 0: SCMP_ACT_ALLOW\n"));
	assert_non_null(strstr(text, "    101: SCMP_ACT_ERRNO, EPERM\n        ptrace\n"));
	assert_non_null(strstr(text, "-983039: SCMP_ACT_ERRNO, ENOSYS\n"));
	assert_non_null(strstr(text, "\nevery other architecture: SCMP_ACT_KILL\n"));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
