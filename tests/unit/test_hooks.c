/*
 * Hooks: what they get, how they are judged, and that none can keep us.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/array.h"
#include "runtime/hooks.h"

#define STATE "{\"id\":\"x\"}"

static char path[] = "/tmp/agentd-test-hooks-XXXXXX";
static char seen[4096];

static int setup(void **state)
{
	(void)state;
	return mkdtemp(path) && chdir(path) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	unlink("seen");
	return chdir("/") == 0 ? rmdir(path) : -1;
}

/* A hook that is a line of shell. */
static struct spec_hook hook_of(const char **args, const char *script)
{
	args[0] = "sh";
	args[1] = "-c";
	args[2] = script;
	args[3] = NULL;
	return (struct spec_hook){ .path = "/bin/sh", .args = { args, 3 } };
}

static int run(struct spec_hook *hooks, size_t len, bool stop, struct err *err)
{
	const struct spec_hook_list list = { hooks, len };

	return hooks_run(&list, "createRuntime", STATE, strlen(STATE), stop, err);
}

static int run_script(const char *script, struct err *err)
{
	const char *args[4];
	struct spec_hook hook = hook_of(args, script);

	return run(&hook, 1, true, err);
}

/* What the hooks wrote to the file "seen", which is gone then. */
static const char *look(void)
{
	int fd = open("seen", O_RDONLY);
	ssize_t got = fd < 0 ? 0 : read(fd, seen, sizeof(seen) - 1);

	seen[got < 0 ? 0 : got] = '\0';
	close(fd);
	unlink("seen");
	return seen;
}

static void test_state_on_stdin(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(run_script("/bin/cat > seen", &err), 0);
	assert_string_equal(look(), STATE);
}

/* The second hook gets the whole state, however much the first has read. */
static void test_order_and_each_its_own_state(void **state)
{
	const char *first_args[4], *second_args[4];
	struct spec_hook hooks[2] = { hook_of(first_args, "echo first > seen; read line"),
				      hook_of(second_args, "/bin/cat >> seen") };
	struct err err;

	(void)state;
	hooks[0].args.item[2] = "echo first > seen; read line || true";
	assert_int_equal(run(hooks, 2, true, &err), 0);
	assert_string_equal(look(), "first\n" STATE);
}

/* Not ours, and so never the container's (CVE-2025-23266). */
static void test_environment_is_the_hooks(void **state)
{
	const char *args[4], *env[] = { "ONLY=this", NULL };
	struct spec_hook hook = hook_of(args, "/usr/bin/env > seen");
	struct err err;

	(void)state;
	setenv("LD_PRELOAD_TEST", "leaked", 1);
	hook.env = (struct spec_strings){ env, 1 };
	assert_int_equal(run(&hook, 1, true, &err), 0);
	look();
	assert_non_null(strstr(seen, "ONLY=this"));
	assert_null(strstr(seen, "leaked"));
}

/* A descriptor without close-on-exec, as a caller may have left us. */
static void test_no_descriptor_leaks(void **state)
{
	int fd = open("/", O_RDONLY);
	struct err err;

	(void)state;
	assert_true(fd > 2);
	assert_int_equal(run_script("exec /bin/ls /proc/self/fd > seen", &err), 0);
	close(fd);
	/* 3 is ls's own, to read the directory */
	assert_string_equal(look(), "0\n1\n2\n3\n");
}

static void test_failures_are_told(void **state)
{
	static const struct {
		const char *script, *text;
	} cases[] = {
		{ "exit 3", "hooks.createRuntime[0] /bin/sh: exited with 3" },
		{ "echo no such device >&2; echo more; exit 4",
		  "hooks.createRuntime[0] /bin/sh: exited with 4: no such device" },
		{ "kill -9 $$", "hooks.createRuntime[0] /bin/sh: killed by signal 9" },
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(run_script(cases[i].script, &err), -1);
		assert_string_equal(err.text, cases[i].text);
	}
}

static void test_not_executable(void **state)
{
	struct spec_hook hook = { .path = "/nonexistent/hook" };
	struct err err;

	(void)state;
	assert_int_equal(run(&hook, 1, true, &err), -1);
	assert_string_equal(err.text, "hooks.createRuntime[0] /nonexistent/hook: exited with 127: "
				      "execute: No such file or directory");
}

static void test_failure_stops_or_not(void **state)
{
	const char *first_args[4], *second_args[4];
	struct spec_hook hooks[2] = { hook_of(first_args, "exit 1"),
				      hook_of(second_args, "echo second > seen") };
	struct err err;

	(void)state;
	assert_int_equal(run(hooks, 2, true, &err), -1);
	assert_string_equal(look(), "");
	assert_int_equal(run(hooks, 2, false, &err), 0);
	assert_string_equal(look(), "second\n");
}

/* The whole group is killed: "sleep" is a child of the shell. */
static void test_timeout(void **state)
{
	const char *args[4];
	struct spec_hook hook = hook_of(args, "echo $$ > seen; /bin/sleep 1000; true");
	struct timespec before, after;
	struct err err;

	(void)state;
	hook.timeout = 1;
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(run(&hook, 1, true, &err), -1);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_string_equal(err.text, "hooks.createRuntime[0] /bin/sh: timed out after 1 s");
	assert_int_equal(err.code, ETIMEDOUT);
	assert_true(after.tv_sec - before.tv_sec < 10);
	/* nobody is left in the group, but perhaps a zombie that init has not yet reaped */
	assert_true(atoi(look()) > 0);
}

/* More output than a pipe holds, and a child that outlives the hook and holds its output open. */
static void test_output_does_not_block(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(run_script("/usr/bin/head -c 1000000 /dev/zero", &err), 0);
	assert_int_equal(run_script("/bin/sleep 2 & exit 0", &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_on_stdin),
		cmocka_unit_test(test_order_and_each_its_own_state),
		cmocka_unit_test(test_environment_is_the_hooks),
		cmocka_unit_test(test_no_descriptor_leaks),
		cmocka_unit_test(test_failures_are_told),
		cmocka_unit_test(test_not_executable),
		cmocka_unit_test(test_failure_stops_or_not),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_output_does_not_block),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
