/*
 * Labels of the security modules, on invented hosts; the session keyring, for real.
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

#include <linux/keyctl.h>

#include "isolation/label.h"
#include "isolation/proc.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/sys.h"
#include "tests/unit/fixture.h"

static void test_plan(void **state)
{
	/* clang-format off */
	static const struct {
		const char *profile, *selinux;
		bool has_apparmor, has_selinux;
		const char *expected, *error; /* of the profile; a part of the message */
	} cases[] = {
		{ NULL,         NULL, false, false, NULL,              NULL },
		{ "",           "",   false, false, NULL,              NULL },
		{ "web",        NULL, true,  false, "exec web",        NULL },
		{ "unconfined", NULL, true,  false, "exec unconfined", NULL },
		{ "unconfined", NULL, false, false, NULL,              NULL },
		{ "web",        NULL, false, true,  NULL,              "process.apparmorProfile 'web': AppArmor" },
		{ NULL,         "u:r:t", true, false, NULL,            "process.selinuxLabel 'u:r:t': SELinux" },
		{ NULL,         "u:r:t", false, true, NULL,            NULL },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct host host = { .apparmor = cases[i].has_apparmor,
					   .selinux = cases[i].has_selinux };
		const struct spec_process process = { .apparmor_profile = cases[i].profile,
						      .selinux_label = cases[i].selinux };
		struct label_plan plan;
		struct err err = { 0 };
		int result = label_plan(&process, &host, i == 0, arena, &plan, &err);

		assert_int_equal(result, cases[i].error ? -1 : 0);
		if (cases[i].error) {
			assert_non_null(strstr(err.text, cases[i].error));
			continue;
		}
		assert_int_equal(!plan.apparmor, !cases[i].expected);
		if (plan.apparmor)
			assert_string_equal(plan.apparmor, cases[i].expected);
		assert_int_equal(!plan.keyring, i != 0);
	}
}

static int check_keyring(void)
{
	const struct label_plan plan = { .keyring = true };
	struct err err;
	long before = sys_keyctl(KEYCTL_GET_KEYRING_ID, (unsigned long)KEY_SPEC_SESSION_KEYRING, 0);
	long after;

	if (label_apply_keyring(&plan, &err) < 0)
		return 1;
	after = sys_keyctl(KEYCTL_GET_KEYRING_ID, (unsigned long)KEY_SPEC_SESSION_KEYRING, 0);
	return after < 0 || after == before ? 2 : 0;
}

static void test_keyring(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (sys_keyctl(KEYCTL_GET_KEYRING_ID, (unsigned long)KEY_SPEC_SESSION_KEYRING, 0) < 0 &&
	    errno == ENOSYS) {
		print_message("skipped: this kernel has no keyrings\n");
		skip();
	}
	pid = fork();
	if (pid == 0)
		_exit(check_keyring());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A label that cannot be set is never passed over in silence. */
static void test_exec_fails_closed(void **state)
{
	const struct label_plan none = { 0 };
	const struct label_plan apparmor = { .apparmor = "exec agentd-no-such-profile" };
	const struct label_plan selinux = { .selinux = "no:such:label" };
	struct err err = { 0 };
	autoclose int proc = proc_open(&err);

	(void)state;
	assert_true(proc >= 0);
	assert_int_equal(label_apply_exec(&none, proc, &err), 0);
	assert_int_equal(label_apply_exec(&apparmor, proc, &err), -1);
	assert_non_null(strstr(err.text, "process.apparmorProfile"));
	assert_int_equal(label_apply_exec(&selinux, proc, &err), -1);
	assert_non_null(strstr(err.text, "process.selinuxLabel"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_keyring),
		cmocka_unit_test(test_exec_fails_closed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
