/*
 * The wire, both ends in one process: right and wrong kinds, errors, early ends, long texts,
 * descriptors.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/wire.h"

static int ends[2];

static int setup(void **state)
{
	struct err err;

	(void)state;
	return wire_pair(ends, &err);
}

static int teardown(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void test_expected_kind(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(wire_send(ends[0], WIRE_GO, -1, &err), 0);
	assert_int_equal(wire_expect(ends[1], WIRE_GO, NULL, NULL, NULL, &err), 0);
}

static void test_wrong_kind(void **state)
{
	struct err err = { 0 };

	(void)state;
	wire_send(ends[0], WIRE_READY, -1, &err);
	assert_int_equal(wire_expect(ends[1], WIRE_MOUNTED, NULL, NULL, NULL, &err), -1);
	assert_string_equal(err.text, "READY came where MOUNTED was expected");
	assert_int_equal(err.code, EPROTO);
}

static void test_error_becomes_ours(void **state)
{
	struct err sent = { .code = ENOENT, .text = "mounts[3] /proc: No such file or directory" },
		   err = { 0 };

	(void)state;
	wire_send_error(ends[0], &sent);
	assert_int_equal(wire_expect(ends[1], WIRE_READY, NULL, NULL, NULL, &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_string_equal(err.text, sent.text);
}

static void test_early_end(void **state)
{
	struct err err = { 0 };

	(void)state;
	shutdown(ends[0], SHUT_WR);
	assert_int_equal(wire_expect(ends[1], WIRE_READY, NULL, NULL, NULL, &err), -1);
	assert_int_equal(err.code, EPIPE);
	assert_non_null(strstr(err.text, "READY"));
}

/* The peer failed before it read what we sent, or before we sent it. */
static void test_error_of_one_who_is_gone(void **state)
{
	struct err sent = { .code = ENOENT, .text = "mounts: no such thing" }, err = { 0 };

	(void)state;
	wire_send(ends[1], WIRE_GO, -1, &err);
	wire_send_error(ends[0], &sent);
	wire_send_error(ends[0], &sent);
	close(ends[0]);
	assert_int_equal(wire_expect(ends[1], WIRE_READY, NULL, NULL, NULL, &err), -1);
	assert_string_equal(err.text, sent.text);
	memset(&err, 0, sizeof(err));
	assert_int_equal(wire_send(ends[1], WIRE_HOOKED, -1, &err), -1);
	assert_string_equal(err.text, sent.text);
	assert_true(err.placed);
	assert_int_equal(wire_send(ends[1], WIRE_HOOKED, -1, &err), -1);
	assert_non_null(strstr(err.text, "send HOOKED"));
}

static void test_end_is_success_where_expected(void **state)
{
	struct err err = { 0 };

	(void)state;
	shutdown(ends[0], SHUT_WR);
	assert_int_equal(wire_expect_end(ends[1], NULL, &err), 0);
}

static void test_message_where_end_was_expected(void **state)
{
	struct err err = { 0 };

	(void)state;
	wire_send(ends[0], WIRE_READY, -1, &err);
	assert_int_equal(wire_expect_end(ends[1], NULL, &err), -1);
	assert_int_equal(err.code, EPROTO);
}

static void test_notes_and_logs_on_the_way(void **state)
{
	struct wire_notes notes = { 0 };
	struct err err = { 0 };

	(void)state;
	wire_send_log(ends[0], LOG_LEVEL_DEBUG, "a step");
	wire_send_note(ends[0], "left out");
	wire_send(ends[0], WIRE_READY, -1, &err);
	assert_int_equal(wire_expect(ends[1], WIRE_READY, &notes, NULL, NULL, &err), 0);
	assert_int_equal(notes.len, 1);
	assert_string_equal(notes.text[0], "left out");
}

static void test_notes_are_bounded(void **state)
{
	struct wire_notes notes = { 0 };
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < WIRE_NOTES_MAX + 5; i++)
		wire_send_note(ends[0], "again");
	wire_send(ends[0], WIRE_READY, -1, &err);
	assert_int_equal(wire_expect(ends[1], WIRE_READY, &notes, NULL, NULL, &err), 0);
	assert_int_equal(notes.len, WIRE_NOTES_MAX);
}

static void test_longest_text(void **state)
{
	struct err sent = { .code = EIO }, err = { 0 };

	(void)state;
	memset(sent.text, 'x', sizeof(sent.text) - 1);
	wire_send_error(ends[0], &sent);
	assert_int_equal(wire_expect(ends[1], WIRE_READY, NULL, NULL, NULL, &err), -1);
	assert_int_equal(strlen(err.text), sizeof(sent.text) - 1);
}

/* A hostile or broken peer: a packet too short to be one. */
static void test_truncated_packet(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(send(ends[0], "ab", 2, 0), 2);
	assert_int_equal(wire_expect(ends[1], WIRE_READY, NULL, NULL, NULL, &err), -1);
	assert_int_equal(err.code, EPROTO);
}

static void test_descriptor_and_pid(void **state)
{
	struct err err = { 0 };
	pid_t pid = 0;
	int fd = -1;

	(void)state;
	wire_send(ends[0], WIRE_CONSOLE, STDERR_FILENO, &err);
	assert_int_equal(wire_expect(ends[1], WIRE_CONSOLE, NULL, &fd, NULL, &err), 0);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	wire_send_pid(ends[0], 4711, &err);
	assert_int_equal(wire_expect(ends[1], WIRE_PID, NULL, NULL, &pid, &err), 0);
	assert_int_equal(pid, 4711);
}

/* A descriptor that nobody asked for is closed, not leaked. */
static void test_unwanted_descriptor(void **state)
{
	int before = dup(STDERR_FILENO), after;
	struct err err = { 0 };

	(void)state;
	close(before);
	wire_send(ends[0], WIRE_READY, STDERR_FILENO, &err);
	assert_int_equal(wire_expect(ends[1], WIRE_READY, NULL, NULL, NULL, &err), 0);
	after = dup(STDERR_FILENO);
	close(after);
	assert_int_equal(before, after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_expected_kind),
		T(test_wrong_kind),
		T(test_error_becomes_ours),
		T(test_early_end),
		T(test_error_of_one_who_is_gone),
		T(test_end_is_success_where_expected),
		T(test_message_where_end_was_expected),
		T(test_notes_and_logs_on_the_way),
		T(test_notes_are_bounded),
		T(test_longest_text),
		T(test_truncated_packet),
		T(test_descriptor_and_pid),
		T(test_unwanted_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
