/*
 * The process of exec: what the command line changes of the container's own, and what it must not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/exec.h"

#define CAP(n) (1ULL << (n))

static struct arena *arena;
static struct spec spec;
static const char *env[] = { "PATH=/bin", "HOME=/root", "HOMELAND=x", NULL };
static const char *args[] = { "sleep", NULL };

static int setup(void **state)
{
	(void)state;
	arena = arena_new(ARENA_LIMIT);
	spec.process = (struct spec_process){
		.set = true,
		.terminal = true,
		.cwd = "/",
		.env = { env, 3 },
		.args = { args, 1 },
		.user = { .uid = 1, .gid = 2 },
		.capabilities = { .bounding = CAP(1), .effective = CAP(1), .permitted = CAP(1) },
		.apparmor_profile = "container",
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct spec_process make(const struct exec_process *flags)
{
	struct spec_process process;
	struct err err;

	assert_int_equal(exec_process_make(flags, &spec, arena, &process, &err), 0);
	return process;
}

/* Without options: the container's user, environment and limits; never its terminal. */
static void test_nothing_said(void **state)
{
	const char *program[] = { "id", NULL };
	struct spec_process process = make(&(struct exec_process){ .args = { program, 1 } });

	(void)state;
	assert_string_equal(process.args.item[0], "id");
	assert_false(process.terminal);
	assert_int_equal(process.user.uid, 1);
	assert_int_equal(process.user.gid, 2);
	assert_int_equal(process.env.len, 3);
	assert_string_equal(process.apparmor_profile, "container");
	assert_false(process.no_new_privileges);
}

static void test_environment(void **state)
{
	const char *program[] = { "id", NULL }, *more[] = { "HOME=/", "A=1", "A=2", NULL };
	struct spec_process process =
		make(&(struct exec_process){ .args = { program, 1 }, .env = { more, 3 } });

	(void)state;
	assert_int_equal(process.env.len, 6);
	assert_string_equal(process.env.item[0], "PATH=/bin");
	assert_string_equal(process.env.item[1], "HOME=/root");
	assert_string_equal(process.env.item[2], "HOMELAND=x");
	assert_string_equal(process.env.item[3], "HOME=/");
	assert_string_equal(process.env.item[5], "A=2");
	assert_null(process.env.item[6]);
	assert_string_equal(env[1], "HOME=/root");
}

/* CVE-2022-29162, CVE-2022-27650: the inheritable set would give files capabilities to grant. */
static void test_capabilities(void **state)
{
	const char *program[] = { "id", NULL };
	struct spec_process process =
		make(&(struct exec_process){ .args = { program, 1 }, .capabilities = CAP(5) });

	(void)state;
	assert_true(process.capabilities.bounding == (CAP(1) | CAP(5)));
	assert_true(process.capabilities.effective == (CAP(1) | CAP(5)));
	assert_true(process.capabilities.permitted == (CAP(1) | CAP(5)));
	assert_true(process.capabilities.inheritable == 0);
	assert_true(process.capabilities.ambient == 0);
}

static void test_user(void **state)
{
	const char *program[] = { "id", NULL };
	uint32_t gids[] = { 7, 8 };
	struct spec_process process =
		make(&(struct exec_process){ .args = { program, 1 },
					     .user_set = true,
					     .uid = 0,
					     .additional_gids = { gids, 2 } });

	(void)state;
	assert_int_equal(process.user.uid, 0);
	assert_int_equal(process.user.gid, 2); /* of the container */
	assert_int_equal(process.user.additional_gids.len, 2);
}

static void test_labels(void **state)
{
	const char *program[] = { "id", NULL };
	struct spec_process process = make(&(struct exec_process){
		.args = { program, 1 }, .apparmor_profile = "web", .selinux_label = "u:r:t" });

	(void)state;
	assert_string_equal(process.apparmor_profile, "web");
	assert_string_equal(process.selinux_label, "u:r:t");
}

static void test_missing_file(void **state)
{
	struct spec_process process;
	struct err err;

	(void)state;
	assert_int_equal(exec_process_make(&(struct exec_process){ .file = "/nowhere" }, &spec,
					   arena, &process, &err),
			 -1);
	assert_int_equal(err.code, ENOENT);
}

static void test_relative_directory(void **state)
{
	const char *program[] = { "id", NULL };
	struct spec_process process;
	struct err err;

	(void)state;
	assert_int_equal(
		exec_process_make(&(struct exec_process){ .args = { program, 1 }, .cwd = "tmp" },
				  &spec, arena, &process, &err),
		-1);
}

/* A file describes the process, not the sandbox: Landlock stays the container's, and labels and
 * limits are never dropped (CVE-2019-10144). */
static void test_file_keeps_the_sandbox(void **state)
{
	static const char text[] =
		"{\"cwd\":\"/\",\"args\":[\"x\"],\"user\":{\"uid\":3,\"gid\":4}}";
	char path[] = "/tmp/agentd-test-exec-XXXXXX";
	struct spec_rlimit limits[] = { { .soft = 7, .hard = 7 } };
	int fd = mkstemp(path);
	struct spec_process process;

	(void)state;
	spec.process.rlimits = (struct spec_rlimits){ limits, 1 };
	spec.process.oom_score_adj = (struct optional_i64){ true, 500 };
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	spec.process.landlock = (struct spec_landlock){ .set = true, .handled_fs = 1 };
	process = make(&(struct exec_process){ .file = path });
	unlink(path);
	spec.process.landlock.set = false;
	assert_int_equal(process.user.uid, 3);
	assert_int_equal(process.env.len, 0);
	assert_true(process.landlock.set && process.landlock.handled_fs == 1);
	assert_string_equal(process.apparmor_profile, "container");
	assert_true(process.rlimits.len == 1 && process.rlimits.item[0].hard == 7);
	assert_true(process.oom_score_adj.set && process.oom_score_adj.value == 500);
	assert_true(process.no_new_privileges); /* or it could not be enforced */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_said),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_relative_directory),
		cmocka_unit_test(test_file_keeps_the_sandbox),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
