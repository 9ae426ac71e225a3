/*
 * HOME of a hostile /etc/passwd: whose line counts, where a line or the file ends, and that nothing
 * but a regular file inside is read.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "isolation/home.h"
#include "runtime/base/array.h"
#include "tests/unit/sandbox.h"

#define PASSWD ROOTFS "/etc/passwd"

/* What it says of uid 1000, or "none". */
static const char *found(void)
{
	static char home[16];

	strcpy(home, "none");
	home_find(open_path(ROOTFS), 1000, home, sizeof(home));
	return home;
}

static void body_lines(void)
{
	static const struct {
		const char *text, *home;
	} cases[] = {
		{ "root:x:0:0:root:/root:/bin/sh\nme:x:1000:7:me:/home/me:/bin/sh\n", "/home/me" },
		{ "\nme:x:1000:7:me:/home/me:/bin/sh", "/home/me" },
		{ "me:x:1000:7:me:/home/me", "/home/me" },
		{ "a:x:1000:7::/a:\nb:x:1000:7::/b:\n", "/a" },
		{ "a:x:1000:7::a:\nb:x:1000:7:::\nc:x:1000:7::/c:\n", "/c" },
		{ "1000:x:0:0::/a:\na:1000:1:1000:1000:/b:1000\n", "none" },
		{ "a:x:1000x:7::/a:\na:x: 1000:7::/a:\na:x:+1000:7::/a:\na:x::7::/a:\n", "none" },
		{ "a:x:4294968296:7::/a:\na:x:-4294966296:7::/a:\n", "none" },
		{ "a:x:1000:7:/a\n::::::\n:\n\n", "none" },
		{ "a:x:1000:7::/23456789abcdefg:\n", "none" },
		{ "a:x:1000:7::/23456789abcdef:\n", "/23456789abcdef" },
		{ "", "none" },
	};

	check(!strcmp(found(), "none"));
	check(mkdir(ROOTFS "/etc", 0755) == 0);
	check(!strcmp(found(), "none"));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		write_file(PASSWD, cases[i].text);
		if (strcmp(found(), cases[i].home) != 0)
			fprintf(stderr, "case %zu: %s\n", i, found());
		check(!strcmp(found(), cases[i].home));
	}
}

static void test_lines(void **state)
{
	(void)state;
	in_sandbox(body_lines);
}

/* The wanted line behind every length of another one, up to one that no line may have. */
static void body_long(void)
{
	static char text[20000];

	check(mkdir(ROOTFS "/etc", 0755) == 0);
	for (size_t len = 4000; len < 4200; len++) {
		memset(text, 'x', len);
		strcpy(text + len, "\nme:x:1000:7:me:/home/me:\n");
		write_file(PASSWD, text);
		check(!strcmp(found(), "/home/me"));
	}
	memset(text, 'x', 9000);
	strcpy(text + 9000, ":x:1000:7:me:/x:\nme:x:1000:7:me:/home/me");
	write_file(PASSWD, text);
	check(*found() == '/');
	write_file(PASSWD, "x");
	/* Without an end: what is far behind is not looked at. */
	check(truncate(PASSWD, 1LL << 40) == 0);
	check(!strcmp(found(), "none"));
}

static void test_long(void **state)
{
	(void)state;
	in_sandbox(body_long);
}

static void body_hostile(void)
{
	static const char line[] = "me:x:1000:7:me:/out:\n";

	write_file(OUTSIDE "/passwd", line);
	check(mkdir(ROOTFS "/etc", 0755) == 0);
	check(symlink("../../../tmp/outside/passwd", PASSWD) == 0);
	check(!strcmp(found(), "none"));
	check(unlink(PASSWD) == 0 && mkfifo(PASSWD, 0644) == 0);
	check(!strcmp(found(), "none"));
	check(unlink(PASSWD) == 0 && mknod(PASSWD, S_IFCHR | 0644, makedev(1, 5)) == 0);
	check(!strcmp(found(), "none"));
	check(unlink(PASSWD) == 0 && mkdir(PASSWD, 0755) == 0);
	check(!strcmp(found(), "none"));
	check(rmdir(PASSWD) == 0 && symlink("/usr/passwd", PASSWD) == 0);
	check(mkdir(ROOTFS "/usr", 0755) == 0);
	write_file(ROOTFS "/usr/passwd", line);
	check(!strcmp(found(), "/out"));
}

static void test_hostile(void **state)
{
	(void)state;
	in_sandbox(body_hostile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
