/*
 * The supervisor's end of the conversation, against canaries that behave and that do not.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/array.h"
#include "runtime/base/clock.h"
#include "selftest/talk.h"

#define WITHOUT_DECOYS offsetof(struct attempt_packet, decoys)
#define DEADLINE_S 1
#define NONCE "0123456789abcdef0123456789abcdef"

static const char *const ids[] = { "a.first", "a.second" };

static void answer(int end, enum attempt_kind kind, const struct attempt_packet *asked)
{
	struct attempt_packet packet = *asked;

	packet.kind = kind;
	if (write(end, &packet, WITHOUT_DECOYS) < 0)
		_exit(0);
}

static bool next_try(int end, struct attempt_packet *packet)
{
	do
		if (read(end, packet, sizeof(*packet)) <= 0)
			return false;
	while (packet->kind != ATTEMPT_TRY);
	packet->result =
		(struct attempt_result){ .value = -1, .error = EPERM, .text = "key=1\n\x1b[2J" };
	return true;
}

static void behave(int end)
{
	struct attempt_packet packet;

	while (next_try(end, &packet)) {
		answer(end, ATTEMPT_ALIVE, &packet);
		answer(end, ATTEMPT_DONE, &packet);
		answer(end, ATTEMPT_ENDED, &packet);
	}
}

static void know_nothing(int end)
{
	struct attempt_packet packet;

	while (next_try(end, &packet))
		answer(end, ATTEMPT_UNKNOWN, &packet);
}

static void be_killed(int end)
{
	struct attempt_packet packet;

	while (next_try(end, &packet)) {
		answer(end, ATTEMPT_ALIVE, &packet);
		packet.wait_status = SIGSYS;
		answer(end, ATTEMPT_ENDED, &packet);
	}
}

static void be_late(int end)
{
	struct attempt_packet packet;

	while (next_try(end, &packet)) {
		answer(end, ATTEMPT_ALIVE, &packet);
		packet.wait_status = SIGALRM;
		packet.microseconds = strcmp(packet.id, ids[0]) == 0 ? DEADLINE_S * 1000000 - 1
								     : DEADLINE_S * 1000000;
		answer(end, ATTEMPT_ENDED, &packet);
	}
}

static void say_twice(int end)
{
	struct attempt_packet packet;

	while (next_try(end, &packet)) {
		answer(end, ATTEMPT_ALIVE, &packet);
		answer(end, ATTEMPT_DONE, &packet);
		packet.result = (struct attempt_result){ .value = 0 };
		answer(end, ATTEMPT_DONE, &packet);
		answer(end, ATTEMPT_ENDED, &packet);
	}
}

static void lie_about_nonce(int end)
{
	struct attempt_packet packet;

	while (next_try(end, &packet)) {
		packet.nonce[0] = 'x';
		answer(end, ATTEMPT_ALIVE, &packet);
		answer(end, ATTEMPT_DONE, &packet);
		packet.nonce[0] = NONCE[0];
		answer(end, ATTEMPT_ENDED, &packet);
	}
}

/* What an earlier attempt left behind speaks of itself. */
static void mix_attempts(int end)
{
	struct attempt_packet packet;

	while (next_try(end, &packet)) {
		char id[sizeof(packet.id)];

		memcpy(id, packet.id, sizeof(id));
		snprintf(packet.id, sizeof(packet.id), "a.zero");
		answer(end, ATTEMPT_DONE, &packet);
		memcpy(packet.id, id, sizeof(id));
		answer(end, ATTEMPT_ENDED, &packet);
	}
}

static void flood(int end)
{
	struct attempt_packet packet = { 0 };

	while (write(end, &packet, 1) == 1)
		;
}

static void end_at_once(int end)
{
	(void)end;
}

static void hang(int end)
{
	(void)end;
	pause();
}

struct outcome {
	struct observation seen[2];
	const char *broken;
	int result;
	struct err err;
};

static void converse(void (*canary)(int end), int64_t for_ms, int interrupt,
		     struct outcome *outcome)
{
	const struct attempt_decoys decoys = { .nonce = NONCE, .deadline_s = DEADLINE_S };
	struct talk talk = { 0 }, *talks[] = { &talk };
	int ends[2], status;
	pid_t pid;

	memset(outcome, 0, sizeof(*outcome));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		signal(SIGPIPE, SIG_IGN);
		canary(ends[1]);
		_exit(0);
	}
	close(ends[1]);
	talk_begin(&talk, ends[0], &decoys, ids, outcome->seen, ARRAY_LEN(ids));
	outcome->result = talk_run(talks, 1, clock_ms() + for_ms, interrupt, &outcome->err);
	outcome->broken = talk.broken;
	if (talk.fd >= 0)
		close(talk.fd);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static void test_answers(void **state)
{
	struct outcome outcome;

	(void)state;
	converse(behave, 5000, -1, &outcome);
	assert_int_equal(outcome.result, 0);
	assert_null(outcome.broken);
	for (int i = 0; i < 2; i++) {
		const struct observation *seen = &outcome.seen[i];

		assert_true(seen->tried && seen->alive && seen->done && seen->ended);
		assert_false(seen->flooded || seen->unknown);
		assert_int_equal(seen->error, EPERM);
		assert_int_equal(seen->value, -1);
		assert_string_equal(seen->text, "key=1??[2J"); /* nothing for a terminal */
	}
}

static void test_unknown(void **state)
{
	struct outcome outcome;

	(void)state;
	converse(know_nothing, 5000, -1, &outcome);
	assert_true(outcome.seen[0].unknown && outcome.seen[1].unknown);
	assert_false(outcome.seen[0].alive || outcome.seen[0].done);
}

static void test_killed(void **state)
{
	struct outcome outcome;

	(void)state;
	converse(be_killed, 5000, -1, &outcome);
	assert_true(outcome.seen[1].alive && outcome.seen[1].ended);
	assert_false(outcome.seen[1].done);
	assert_int_equal(outcome.seen[1].wait_status, SIGSYS);
}

static void test_late(void **state)
{
	struct outcome outcome;

	(void)state;
	converse(be_late, 5000, -1, &outcome);
	assert_null(outcome.broken);
	assert_false(outcome.seen[0].late);
	assert_true(outcome.seen[1].late);
}

static void test_second_answer(void **state)
{
	struct outcome outcome;

	(void)state;
	converse(say_twice, 5000, -1, &outcome);
	assert_true(outcome.seen[0].flooded);
	assert_false(outcome.seen[1].tried);
	assert_non_null(outcome.broken);
}

static void test_wrong_nonce(void **state)
{
	struct outcome outcome;

	(void)state;
	converse(lie_about_nonce, 5000, -1, &outcome);
	assert_true(outcome.seen[0].ended && outcome.seen[1].ended);
	assert_false(outcome.seen[0].alive || outcome.seen[0].done);
	assert_false(outcome.seen[1].alive || outcome.seen[1].done);
}

static void test_other_attempt(void **state)
{
	struct outcome outcome;

	(void)state;
	converse(mix_attempts, 5000, -1, &outcome);
	assert_true(outcome.seen[1].ended);
	assert_false(outcome.seen[0].done || outcome.seen[1].done);
}

static void test_flood(void **state)
{
	struct outcome outcome;

	(void)state;
	converse(flood, 5000, -1, &outcome);
	assert_int_equal(outcome.result, 0);
	assert_true(outcome.seen[0].flooded);
	assert_false(outcome.seen[1].tried);
	assert_string_equal(outcome.broken, "the canary floods");
}

static void test_early_end(void **state)
{
	struct outcome outcome;

	(void)state;
	converse(end_at_once, 5000, -1, &outcome);
	assert_int_equal(outcome.result, 0);
	assert_false(outcome.seen[0].alive || outcome.seen[0].ended);
	assert_string_equal(outcome.broken, "the canary ended");
}

static void test_hang(void **state)
{
	struct outcome outcome;
	int64_t began = clock_ms();

	(void)state;
	converse(hang, 50, -1, &outcome);
	assert_int_equal(outcome.result, 0);
	assert_true(outcome.seen[0].tried);
	assert_false(outcome.seen[0].alive);
	assert_string_equal(outcome.broken, "the time for the whole run was over");
	assert_true(clock_ms() - began < 4000);
}

/* Its deadline is the one that it was told, and some time for its report. */
static void test_hang_of_one(void **state)
{
	struct outcome outcome;
	int64_t began = clock_ms();

	(void)state;
	converse(hang, 60000, -1, &outcome);
	assert_int_equal(outcome.result, 0);
	assert_false(outcome.seen[1].tried);
	assert_string_equal(outcome.broken, "the canary hung");
	assert_in_range(clock_ms() - began, DEADLINE_S * 1000, 30000);
}

static void test_interrupt(void **state)
{
	struct outcome outcome;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	converse(hang, 5000, ends[0], &outcome);
	assert_int_equal(outcome.result, -1);
	assert_int_equal(outcome.err.code, EINTR);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),	    cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_killed),	    cmocka_unit_test(test_second_answer),
		cmocka_unit_test(test_wrong_nonce), cmocka_unit_test(test_other_attempt),
		cmocka_unit_test(test_flood),	    cmocka_unit_test(test_early_end),
		cmocka_unit_test(test_hang),	    cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_late),	    cmocka_unit_test(test_hang_of_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
