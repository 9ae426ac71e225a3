/*
 * The loopback device of a new network namespace.
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

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "isolation/network.h"
#include "runtime/base/sys.h"

static short loopback_flags(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result = ioctl(fd, SIOCGIFFLAGS, &request);

	close(fd);
	return result < 0 ? -1 : request.ifr_flags;
}

/* 77: no network namespace to be had */
static int check_up(void)
{
	struct err err = { 0 };

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return 77;
	if (loopback_flags() & IFF_UP)
		return 1;
	if (network_loopback_up(&err) < 0)
		return 2;
	if (!(loopback_flags() & IFF_UP))
		return 3;
	/* Again: no error. */
	return network_loopback_up(&err) < 0;
}

/* The network namespace is another's: the kernel's refusal arrives. */
static int check_refused(void)
{
	struct err err = { 0 };

	if (unshare(CLONE_NEWUSER) < 0)
		return 77;
	return network_loopback_up(&err) == 0 || err.code != EPERM ||
	       strcmp(err.text, "bring up the loopback device: Operation not permitted") != 0;
}

static void assert_in_child(int (*check)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(check());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("skipped: no user namespace to be had here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_up(void **state)
{
	(void)state;
	assert_in_child(check_up);
}

static void test_refused(void **state)
{
	(void)state;
	assert_in_child(check_refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_up),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
