/*
 * The kit: errors, arena, files, names.
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/arena.h"
#include "runtime/base/clock.h"
#include "runtime/base/err.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/names.h"
#include "runtime/base/process_stat.h"
#include "runtime/base/sys.h"

static char directory[64];

static int setup(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/agentd-test-base.XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "%s/file", directory);
	unlink(command);
	return rmdir(directory);
}

static void test_errors(void **state)
{
	struct err err;

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_sys(&err, "open %s", "x"), -1);
	assert_int_equal(err.code, ENOENT);
	err_wrap(&err, "mounts[%d]", 3);
	err_hint(&err, "make it");
	assert_string_equal(err.text, "mounts[3]: open x: No such file or directory; make it");
	err_set(&err, EINVAL, "type: is required");
	err_within(&err, "mounts[%d]", 3);
	assert_string_equal(err.text, "mounts[3].type: is required");
	/* A code is never 0 once set. */
	err_set(&err, 0, "odd");
	assert_int_not_equal(err.code, 0);
	errno = 0;
	err_sys(&err, "odd");
	assert_int_not_equal(err.code, 0);
}

static void test_long_errors_are_cut_not_overrun(void **state)
{
	struct {
		struct err err;
		char guard[8];
	} box;
	char longest[2 * ERR_TEXT_MAX];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	memset(box.guard, 'g', sizeof(box.guard));
	err_set(&box.err, EIO, "%s", longest);
	err_wrap(&box.err, "%s", longest);
	err_hint(&box.err, "%s", longest);
	assert_int_equal(strlen(box.err.text), ERR_TEXT_MAX - 1);
	/* The reason is kept. */
	errno = ENAMETOOLONG;
	err_sys(&box.err, "%s", longest);
	assert_non_null(strstr(box.err.text, "xxx...: File name too long"));
	err_set(&box.err, EINVAL, "args: is required");
	err_wrap(&box.err, "%s", longest);
	assert_non_null(strstr(box.err.text, "xxx...: args: is required"));
	assert_memory_equal(box.guard, "gggggggg", sizeof(box.guard));
}

/* Letters beyond ASCII stay; what begins a sequence or a line goes, and what is no UTF-8: a JSON
 * log must not have it. */
static void test_nothing_that_a_terminal_obeys(void **state)
{
	char text[] = "/h\xc3\xa4\xc2\xa0\033[2J\r\nx\x7f\xc2\x9b\xff\xe2\x82";

	(void)state;
	log_clean(text);
	assert_string_equal(text, "/h\xc3\xa4\xc2\xa0?[2J??x??????");
}

static void test_arena(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	char *large = arena_alloc(arena, 100000, 1), *small = arena_format(arena, "%d-%s", 7, "x");

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(large[i], 0);
	assert_string_equal(small, "7-x");
	assert_int_equal((uintptr_t)arena_alloc(arena, 1, 3) % _Alignof(max_align_t), 0);
	arena_free(arena);
}

static void test_cleared_arena_is_as_new(void **state)
{
	struct arena *arena = arena_new(3 << 20);
	char *large;

	(void)state;
	for (int round = 0; round < 4; round++) {
		/* one block with a gap between, then more of them */
		memset(arena_alloc(arena, 1000, 1), 'x', 1000);
		arena_copy(arena, "text", 4);
		arena_format(arena, "%0*d", round < 2 ? 10 : 600000, 7);
		memset(arena_alloc(arena, round < 2 ? 1 : 600000, 1), 'x', 1);
		arena_clear(arena);
		large = arena_alloc(arena, 500000, 1);
		for (size_t i = 0; i < 500000; i++)
			assert_int_equal(large[i], 0);
		arena_clear(arena);
	}
	arena_free(arena);
}

/* Objects and texts come from the two ends of a block, and some texts are written before it is
 * known whether they fit. */
static void test_arena_keeps_apart(void **state)
{
	struct arena *arena = arena_new(8 << 20);
	static char *copies[2000], *formatted[2000];
	static unsigned char *objects[2000];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		char text[32];

		snprintf(text, sizeof(text), "copy %d", i);
		copies[i] = arena_copy(arena, text, strlen(text));
		formatted[i] = arena_format(arena, "%0*d", i + 1, i);
		objects[i] = arena_alloc(arena, 1, 24);
		for (size_t j = 0; j < 24; j++)
			assert_int_equal(objects[i][j], 0);
		memset(objects[i], 0xff, 24);
	}
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(atoi(copies[i] + strlen("copy ")), i);
		assert_int_equal(strlen(formatted[i]), i + 1);
		assert_int_equal(atoi(formatted[i]), i);
		assert_int_equal(objects[i][0] & objects[i][23], 0xff);
	}
	arena_free(arena);
}

/* What was put into it stays, there is room for one more, and that is zero. */
static void test_arena_grow(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	int *numbers = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		numbers = arena_grow(arena, numbers, (size_t)i, sizeof(*numbers));
		assert_int_equal(numbers[i], 0);
		numbers[i] = i + 1;
		memset(arena_alloc(arena, 1, 1), 'x', 1);
		for (int j = 0; j <= i; j++)
			assert_int_equal(numbers[j], j + 1);
	}
	arena_free(arena);
}

/* Over the limit, and products that overflow: the program ends, it does not get memory that is too
 * small. */
static void test_arena_limit_ends_the_program(void **state)
{
	static const size_t counts[] = { 1 << 20, SIZE_MAX / 2 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			close(STDERR_FILENO);
			arena_alloc(arena_new(1 << 16), counts[i], 4);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 1);
	}
}

static void test_replace_and_read(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	int dir = open(directory, O_RDONLY | O_DIRECTORY);
	struct err err = { 0 };
	struct stat st;
	char *text, left[64];
	size_t size;

	(void)state;
	/* what somebody with our pid left, who was killed in the middle */
	snprintf(left, sizeof(left), ".file.%d", (int)getpid());
	assert_int_equal(close(openat(dir, left, O_WRONLY | O_CREAT, 0400)), 0);
	assert_int_equal(file_replace(dir, "file", "one", 3, 0600, &err), 0);
	assert_int_equal(faccessat(dir, left, F_OK, 0), -1);
	assert_int_equal(file_replace(dir, "file", "three", 5, 0600, &err), 0);
	assert_int_equal(file_read(dir, "file", 100, arena, &text, &size, &err), 0);
	assert_string_equal(text, "three");
	assert_int_equal(size, 5);
	assert_int_equal(fstatat(dir, "file", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(file_read(dir, "file", 4, arena, &text, &size, &err), -1);
	assert_int_equal(err.code, EFBIG);
	close(dir);
	arena_free(arena);
}

/* A file of procfs has size 0, and may be longer than the first guess. */
static void test_read_without_a_size(void **state)
{
	struct arena *arena = arena_new(4 << 20);
	struct err err = { 0 };
	char *text;
	size_t size;

	(void)state;
	assert_int_equal(
		file_read(AT_FDCWD, "/proc/self/status", 1 << 20, arena, &text, &size, &err), 0);
	assert_true(size > 100 && strlen(text) == size);
	assert_int_equal(file_read(AT_FDCWD, "/proc", 1 << 20, arena, &text, &size, &err), -1);
	assert_int_equal(err.code, EISDIR);
	assert_int_equal(
		file_read_regular(AT_FDCWD, "/dev/null", 1 << 20, arena, &text, &size, &err), -1);
	assert_string_equal(err.text, "/dev/null is not a regular file");
	arena_free(arena);
}

/* Writing never follows a link and never creates. */
static void test_write_is_careful(void **state)
{
	int dir = open(directory, O_RDONLY | O_DIRECTORY);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(file_write(dir, "file", "x", &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(symlinkat("/dev/null", dir, "file"), 0);
	assert_int_equal(file_write(dir, "file", "x", &err), -1);
	assert_int_equal(err.code, ELOOP);
	close(dir);
}

/* Signal 33 belongs to glibc, but a caller may have had it ignored: ignoring survives exec. */
static void test_signal_of_the_library(void **state)
{
	unsigned long ignore[8] = { 1 /* SIG_IGN */ }, now[8] = { 0 };

	(void)state;
	assert_int_equal(syscall(SYS_rt_sigaction, 33, ignore, NULL, 8), 0);
	assert_int_equal(sys_signal_default(33), 0);
	assert_int_equal(syscall(SYS_rt_sigaction, 33, NULL, now, 8), 0);
	assert_int_equal(now[0], 0);
}

static void test_names(void **state)
{
	static const struct name table[] = {
		{ "one", 1 }, { "uno", 1 }, { "two", 2 }, { .name = "" }
	};
	uint64_t value = 0;

	(void)state;
	assert_true(name_value(table, "uno", &value));
	assert_int_equal(value, 1);
	assert_false(name_value(table, "three", &value));
	assert_string_equal(name_text(table, 1), "one");
	assert_null(name_text(table, 3));
}

/* The name of a program is between parentheses, and may have any itself. */
static void test_process_stat(void **state)
{
	char line[PROCESS_STAT_SIZE] = "7 (a) Z (b) S 1 2 3 4 5 6";

	(void)state;
	assert_int_equal(strncmp(process_stat_field(line, PROCESS_STAT_LETTER), "S ", 2), 0);
	assert_int_equal(atoi(process_stat_field(line, 4)), 1);
	assert_string_equal(process_stat_field(line, 9), "6");
	assert_null(process_stat_field(line, 10));
	assert_null(process_stat_field("7 no name", PROCESS_STAT_LETTER));
	assert_int_equal(process_stat_read(0, line), 0);
	assert_int_equal(atoi(process_stat_field(line, 4)), getppid());
	assert_int_equal(process_stat_read(getpid(), line), 0);
	assert_int_equal(atoi(process_stat_field(line, 4)), getppid());
}

/* Each day of the years that the kernel's clock has. */
static void test_clock_text(void **state)
{
	(void)state;
	for (time_t time = 0; time < 9223372036; time += 86399) {
		char text[CLOCK_TEXT_SIZE], expected[CLOCK_TEXT_SIZE];
		struct tm tm;

		clock_text(time, text);
		gmtime_r(&time, &tm);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &tm);
		assert_string_equal(text, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_long_errors_are_cut_not_overrun),
		cmocka_unit_test(test_nothing_that_a_terminal_obeys),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_arena_keeps_apart),
		cmocka_unit_test(test_arena_grow),
		cmocka_unit_test(test_cleared_arena_is_as_new),
		cmocka_unit_test(test_arena_limit_ends_the_program),
		cmocka_unit_test_setup_teardown(test_replace_and_read, setup, teardown),
		cmocka_unit_test(test_read_without_a_size),
		cmocka_unit_test_setup_teardown(test_write_is_careful, setup, teardown),
		cmocka_unit_test(test_signal_of_the_library),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_process_stat),
		cmocka_unit_test(test_clock_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
