/*
 * The command line: every spelling that callers use, what is refused, and the tables of all
 * commands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/base/array.h"
#include "runtime/seal.h"

/* The tables in front of the command, and the dispatch, are private. The test is not to be started
 * again from a sealed place. */
#define seal_executable(argv, mount, err) 0
#define main agentd_main
#include "../../runtime/main.c"
#undef main
#include "tests/unit/fixture.h"

#define WIDTH 80

/* Parses words as those behind the name of a command. */
static int parse(const char *name, char *const argv[], struct options *options, struct err *err)
{
	const struct command *command = find_command(name);
	int argc = 0, at = 0;

	assert_non_null(command);
	memset(options, 0, sizeof(*options));
	while (argv[argc])
		argc++;
	return options_parse(command->groups, command, argc, argv, &at, arena, options, err);
}

static void test_spellings(void **state)
{
	static char *const spellings[][6] = {
		{ "--bundle", "b", "id" },
		{ "--bundle=b", "id" },
		{ "-b", "b", "id" },
		{ "-bb", "id" },
		{ "-b=b", "id" },
		{ "-bundle", "b", "id" },
		{ "-bundle=b", "id" },
		{ "id", "--bundle=b" },
		{ "--bundle", "a", "-b", "b", "id" },
	};
	struct options options;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		assert_int_equal(parse("create", spellings[i], &options, &err), 0);
		assert_string_equal(options.bundle, "b");
		assert_int_equal(options.arguments.len, 1);
		assert_string_equal(options.arguments.item[0], "id");
	}
}

static void test_flags(void **state)
{
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(parse("exec", (char *[]){ "-dt", "id", "-x", NULL }, &options, &err), 0);
	assert_true(options.detach && options.tty);
	assert_int_equal(parse("run", (char *[]){ "--keep=true", "--detach=false", "id", NULL },
			       &options, &err),
			 0);
	assert_true(options.keep && !options.detach);
	assert_int_equal(parse("run", (char *[]){ "-no-subreaper", "id", NULL }, &options, &err),
			 0);
	assert_int_equal(parse("run", (char *[]){ "--keep=maybe", "id", NULL }, &options, &err),
			 -1);
	assert_int_equal(err.code, OPTIONS_USAGE);
}

static void test_bunch_with_value(void **state)
{
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(parse("exec", (char *[]){ "-dtu1:2", "-eA=1", "-e", "B=-x", "id", NULL },
			       &options, &err),
			 0);
	assert_true(options.detach && options.tty);
	assert_string_equal(options.user, "1:2");
	assert_int_equal(options.env.len, 2);
	assert_string_equal(options.env.item[0], "A=1");
	assert_string_equal(options.env.item[1], "B=-x");
	assert_null(options.env.item[2]);
}

/* Behind the ID of exec everything is the program's, but a "--" right there. */
static void test_verbatim(void **state)
{
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(
		parse("exec", (char *[]){ "id", "ls", "-t", "--", "-d", NULL }, &options, &err), 0);
	assert_false(options.tty || options.detach);
	assert_int_equal(options.arguments.len, 5);
	assert_int_equal(parse("exec", (char *[]){ "id", "--", "ls", "--", NULL }, &options, &err),
			 0);
	assert_int_equal(options.arguments.len, 3);
	assert_string_equal(options.arguments.item[1], "ls");
	assert_string_equal(options.arguments.item[2], "--");
}

static void test_many_in_a_list(void **state)
{
	enum { MANY = 1000 };
	char *argv[2 * MANY + 2] = { 0 };
	struct options options;
	struct err err;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		argv[2 * i] = "-e";
		argv[2 * i + 1] = arena_format(arena, "N%zu=1", i);
	}
	argv[2 * MANY] = "id";
	assert_int_equal(parse("exec", argv, &options, &err), 0);
	assert_int_equal(options.env.len, MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_string_equal(options.env.item[i], argv[2 * i + 1]);
	assert_null(options.env.item[MANY]);
}

static void test_refused(void **state)
{
	static const struct {
		const char *command;
		char *argv[4];
		const char *text;
	} cases[] = {
		{ "create", { "--nope", "id" }, "unknown option '--nope'" },
		{ "create", { "-x", "id" }, "unknown option '-x'" },
		{ "create", { "--nope=1", "id" }, "unknown option '--nope'" },
		{ "create", { "id", "--bundle" }, "option '--bundle' requires an argument: DIR" },
		{ "create",
		  { "--preserve-fds", "1x", "id" },
		  "--preserve-fds needs a number, not '1x'" },
		{ "create",
		  { "--preserve-fds=-1", "id" },
		  "--preserve-fds needs a number, not '-1'" },
		{ "create", { "--pid-file", "", "id" }, "--pid-file needs FILE, not ''" },
		{ "create", { "--bundle=", "id" }, "--bundle needs DIR, not ''" },
		{ "exec", { "-g", "", "id" }, "--additional-gids needs GID, not ''" },
	};
	struct options options;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(parse(cases[i].command, cases[i].argv, &options, &err), -1);
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(err.code, OPTIONS_USAGE);
	}
}

static void test_number(void **state)
{
	static const char *const bad[] = {
		"",    "-1",  "+1",	    " 1",	  "1 ",
		"0x1", "1e3", "4294967295", "4294967296", "99999999999999999999"
	};
	uint32_t number = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(options_number(bad[i], 4294967294u, &number));
	assert_int_equal(number, 7);
	assert_true(options_number("4294967294", 4294967294u, &number));
	assert_true(number == 4294967294u);
	assert_true(options_number("007", 7, &number));
	assert_int_equal(number, 7);
}

/* Dispatches words as main() would, without standard output. */
static int say(char *argv[], struct err *err)
{
	int argc = 0, failed = EXIT_FAILED;

	while (argv[argc])
		argc++;
	return dispatch(argc, argv, arena, &failed, err);
}

static void test_dispatch_errors(void **state)
{
	static struct {
		char *argv[8];
		const char *text;
	} cases[] = {
		{ { "agentd" }, "a command is missing, see agentd --help" },
		{ { "agentd", "checkpoint", "--help" },
		  "unknown command 'checkpoint', see agentd --help" },
		{ { "agentd", "--root" }, "option '--root' requires an argument: DIR" },
		{ { "agentd", "--root", "", "state", "a" }, "--root needs DIR, not ''" },
		{ { "agentd", "state" }, "state needs ID" },
		{ { "agentd", "state", "a", "b" }, "state: unexpected argument 'b'" },
		{ { "agentd", "--rootless", "perhaps", "state", "a" },
		  "--rootless is true, false or auto, not 'perhaps'" },
		{ { "agentd", "--cgroup-manager", "cgroup", "list" },
		  "--cgroup-manager is cgroupfs, systemd or disabled, not 'cgroup'" },
		{ { "agentd", "--best-effort=all", "list" }, "--best-effort is cgroup, not 'all'" },
		{ { "agentd", "--log-format=xml", "state", "a" },
		  "--log-format is text or json, not 'xml'" },
		{ { "agentd", "--log", "journald:x", "state", "a" },
		  "--log is a file; 'journald:x' is not supported" },
		{ { "agentd", "kill", "a", "SIGNOPE" }, "kill: unknown signal 'SIGNOPE'" },
		{ { "agentd", "kill", "a", "65" }, "kill: unknown signal '65'" },
		{ { "agentd", "kill", "a", "RTMIN+99" }, "kill: unknown signal 'RTMIN+99'" },
		{ { "agentd", "list", "--format", "xml" }, "--format is table or json, not 'xml'" },
		{ { "agentd", "exec", "a" }, "exec: neither a program nor --process is given" },
		{ { "agentd", "exec", "-e", "=x", "a", "b" },
		  "exec: --env is NAME=VALUE, not '=x'" },
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(say(cases[i].argv, &err), -1);
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(err.code, OPTIONS_USAGE);
	}
}

/* CVE-2026-30892 and its like: no part of a word may become an id. */
static void test_exec_user_is_numeric(void **state)
{
	static const char *const bad[] = { "root",	 "1x",	  "-1", "4294967295",
					   "4294967296", "1:",	  ":1", "1:-1",
					   "1:x",	 "1:2:3", " 1", "1:4294967295" };
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *argv[] = { "agentd", "exec", "-u", (char *)bad[i], "a", "b", NULL };

		assert_int_equal(say(argv, &err), -1);
		assert_int_equal(err.code, OPTIONS_USAGE);
		assert_non_null(strstr(err.text, "--user is UID or UID:GID"));
	}
}

/* Every line of every help fits a terminal, and letters are not given twice. */
static void test_help(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	options_print_help(global_groups, to);
	for (size_t i = 0; i < ARRAY_LEN(command_tables); i++)
		for (const struct command *command = command_tables[i]; command->name; command++) {
			assert_true(strlen(command->help) + 14 <= WIDTH);
			assert_non_null(command->groups[0]);
			options_print_help(command->groups, to);
		}
	fclose(to);
	assert_true(size > 1000);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (strlen(line) > WIDTH)
			fail_msg("%zu columns: %s", strlen(line), line);
	free(text);
}

static void test_letters_are_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(command_tables); i++)
		for (const struct command *command = command_tables[i]; command->name; command++) {
			bool used[256] = { false };

			for (const struct option_row *const *group = command->groups; *group;
			     group++)
				for (const struct option_row *row = *group; row->name; row++) {
					assert_true(!row->letter || !used[(int)row->letter]);
					used[(int)row->letter] = true;
				}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_bunch_with_value),
		cmocka_unit_test(test_verbatim),
		cmocka_unit_test(test_many_in_a_list),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_dispatch_errors),
		cmocka_unit_test(test_exec_user_is_numeric),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_letters_are_unique),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
