/*
 * The lists of steps: constraints on their order, each with its reason (so the reason is asserted
 * twice), and the runner.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/base/array.h"
#include "runtime/init.h"
#include "runtime/outside.h"
#include "runtime/step.h"

struct constraint {
	const char *first, *second, *why;
};

static const struct constraint outside_constraints[] = {
	{ "poststop hooks", "state directory", "undone last: after the container is destroyed" },
	{ "state directory", "cgroup", "a cgroup that nobody has on record could not be removed" },
	{ "cgroup", "device program", "is attached to it" },
	{ "cgroup", "device program (mounts)", "the same" },
	{ "device program (mounts)", "go", "init's mounts are subject to it" },
	{ "device program", "hooked",
	  "nothing of the container runs before the device rules hold" },
	{ "cgroup", "clone", "the process is born in it, limits set" },
	{ "start socket", "clone", "init inherits it" },
	{ "filter memory", "clone", "init inherits it" },
	{ "seal (shared pids)", "clone", "what is not dissolved can be made writable again" },
	{ "go", "compile filter", "compiling overlaps with init's work" },
	{ "compile filter", "await ready", "init is told to start, and loads it, after READY" },
	{ "hook state", "clone", "init inherits it" },
	{ "clone", "record", "the pid" },
	{ "record", "hooked", "if we die before, init reads the end of the stream and ends" },
	{ "record", "runtime hooks", "a hook is told the pid, and may ask for the state" },
	{ "configuration", "runtime hooks", "a hook may exec" },
	{ "go", "record", "writing overlaps with init's mounting" },
	{ "go", "device program", "the same" },
	{ "id maps", "go", "init may use its privileges after GO" },
	{ "oom score", "go", "must hold before the container's own work begins" },
	{ "await mounted", "runtime hooks", "runtime-spec: after the mounts" },
	{ "runtime hooks", "hooked", "before pivot_root" },
	{ "hard limits", "go", "prlimit(2) wants the uid of init to be ours, or CAP_SYS_RESOURCE" },
	{ "notes", "created", "a created container's state is complete" },
	{ "created", "pid files", "a caller who sees the file may start it" },
	{ "await ready", "pid files", "only a created container is announced" },
};

static const struct constraint inside_constraints[] = {
	{ "await go", "sources", "capabilities count only when the maps exist" },
	{ "sources", "become root", "the caller's right to reach the sources ends there" },
	{ "await go", "become root", "uid 0 exists only in the maps" },
	{ "time namespace", "become root", "a change of uid takes /proc/self away from us" },
	{ "become root", "undumpable",
	  "setresuid(2) changes dumpability, and maps need it before" },
	{ "await go", "time namespace", "capabilities count only when the maps exist" },
	{ "time namespace", "become root", "setresuid(2) makes undumpable, see the next" },
	{ "time namespace", "undumpable",
	  "what an undumpable process has in /proc belongs to the host's root" },
	{ "session", "terminal", "a controlling terminal needs a session of our own" },
	{ "cgroup namespace", "mounts", "a cgroup mount shows the namespace's root" },
	{ "become root", "loopback", "CAP_NET_ADMIN in the user namespace" },
	{ "sysctls", "root filesystem", "the rootfs could put a false /proc in the way" },
	{ "root filesystem", "mounts", "nothing may propagate to the host" },
	{ "mounts", "devices", "/dev is one of the mounts" },
	{ "devices", "mounted", "hooks may look at /dev" },
	{ "mounted", "await hooked", "nobody may wait for the other while that waits for him" },
	{ "await hooked", "createContainer hooks", "createRuntime hooks come first" },
	{ "createContainer hooks", "pivot", "runtime-spec: before pivot_root" },
	{ "createContainer hooks", "hide", "a hook may mount over what is to be hidden" },
	{ "mounts", "hide", "a later mount could uncover what was hidden" },
	{ "hide", "pivot", "the host's /dev/null is gone after" },
	{ "pivot", "terminal", "/dev/pts must be the container's" },
	{ "pivot", "cwd", "a path of the container" },
	{ "cwd", "finish mounts", "it is made if missing" },
	{ "cwd", "finish root", "the same" },
	{ "pivot", "landlock rules", "paths are the container's" },
	{ "cwd", "landlock rules", "it is made if missing, and a rule may be for it" },
	{ "landlock rules", "finish mounts", "which closes them" },
	{ "devices", "finish mounts", "/dev becomes read-only after it was filled" },
	{ "terminal", "finish root", "/dev/console is a mount point made late" },
	{ "landlock rules", "identity", "the user may not reach every path" },
	{ "label", "no_new_privs", "no_new_privs may forbid the transition" },
	{ "bounding set", "identity", "CAP_SETPCAP goes with the uid" },
	{ "bounding set", "capabilities", "CAP_SETPCAP" },
	{ "bounding set", "capabilities (no_new_privs)", "CAP_SETPCAP" },
	{ "identity", "no_new_privs",
	  "keeping capabilities over setresuid(2) is a gain of privileges" },
	{ "identity", "capabilities", "CAP_SETUID and CAP_SETGID go with them" },
	{ "identity", "capabilities (no_new_privs)", "the same" },
	{ "identity", "program", "looked up as the user it runs as" },
	{ "identity", "check cwd", "the user's right to be there" },
	{ "program", "close descriptors", "nothing is opened after" },
	{ "close descriptors", "ready", "others wait on us from then on" },
	{ "ready", "await start", "created comes before started" },
	{ "await start", "startContainer hooks", "runtime-spec, lifecycle, step 7" },
	{ "await start", "limits", "accept(2) needs a descriptor; a low limit must not hinder it" },
	{ "limits", "seccomp (privileged)", "the profile need not allow prlimit64" },
	{ "seccomp (privileged)", "capabilities", "loading needs CAP_SYS_ADMIN" },
	{ "no_new_privs", "landlock", "restricting oneself needs no_new_privs or CAP_SYS_ADMIN" },
	{ "no_new_privs", "seccomp", "the same" },
	{ "pivot", "landlock", "Landlock forbids mounting" },
	{ "startContainer hooks", "landlock", "a hook is not the program" },
	{ "landlock", "seccomp", "so that the profile need not allow Landlock's calls" },
	{ "seccomp", "exec", "the program runs under it" },
};

static size_t position(const struct step *steps, size_t len, const char *name)
{
	for (size_t i = 0; i < len; i++)
		if (strcmp(steps[i].name, name) == 0)
			return i;
	fail_msg("no step is called '%s'", name);
	return 0;
}

static void check(const struct step *steps, size_t len, const struct constraint *rows,
		  size_t rows_len)
{
	for (size_t i = 0; i < rows_len; i++)
		if (position(steps, len, rows[i].first) >= position(steps, len, rows[i].second))
			fail_msg("'%s' must come before '%s': %s", rows[i].first, rows[i].second,
				 rows[i].why);
}

static void test_outside_order(void **state)
{
	(void)state;
	check(outside_steps, outside_steps_len, outside_constraints,
	      ARRAY_LEN(outside_constraints));
}

static void test_inside_order(void **state)
{
	(void)state;
	check(inside_steps, inside_steps_len, inside_constraints, ARRAY_LEN(inside_constraints));
}

static void check_rows(const struct step *steps, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		assert_non_null(steps[i].name);
		assert_non_null(steps[i].run);
		assert_true(steps[i].why && strlen(steps[i].why) > 5);
		assert_true(steps[i].in & (FOR_CREATE | FOR_EXEC));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(steps[i].name, steps[j].name);
	}
}

static void test_rows_are_complete(void **state)
{
	(void)state;
	check_rows(outside_steps, outside_steps_len);
	check_rows(inside_steps, inside_steps_len);
}

/* An error names its step: nobody should have to ask of which list. */
static void test_names_are_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < outside_steps_len; i++)
		for (size_t j = 0; j < inside_steps_len; j++)
			assert_string_not_equal(outside_steps[i].name, inside_steps[j].name);
}

/* Every layer that narrows a process is a row for exec too (CVE-2019-10144), but for the
 * namespaces, which the joiner joins. */
static void test_exec_has_every_layer(void **state)
{
	static const char *const layers[] = { "undumpable",   "label",
					      "bounding set", "identity",
					      "no_new_privs", "capabilities (no_new_privs)",
					      "capabilities", "seccomp (privileged)",
					      "landlock",     "seccomp",
					      "check cwd",    "close descriptors" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(layers); i++)
		assert_true(inside_steps[position(inside_steps, inside_steps_len, layers[i])].in &
			    FOR_EXEC);
}

/* --- the runner ------------------------------------------------------------------------------ */

static char trace[64];

static int note(char what)
{
	size_t len = strlen(trace);

	trace[len] = what;
	return 0;
}

static int run_a(struct launch *launch, struct err *err)
{
	(void)launch;
	(void)err;
	return note('a');
}
static int run_b(struct launch *launch, struct err *err)
{
	(void)launch;
	(void)err;
	return note('b');
}
static int run_bad(struct launch *launch, struct err *err)
{
	(void)launch;
	note('!');
	return err_set(err, 5, "broke");
}
static int undo_a(struct launch *launch, struct err *err)
{
	(void)launch;
	(void)err;
	return note('A');
}
static int undo_b(struct launch *launch, struct err *err)
{
	(void)launch;
	note('B');
	return err_set(err, 5, "stuck");
}
static int undo_bad(struct launch *launch, struct err *err)
{
	(void)launch;
	(void)err;
	return note('?');
}
static bool never(const struct plan *plan)
{
	(void)plan;
	return false;
}

static void test_failure_undoes_newest_first(void **state)
{
	const struct step steps[] = {
		{ "a", FOR_CREATE, NULL, run_a, undo_a, "" },
		{ "skipped", FOR_CREATE, never, run_b, undo_b, "" },
		{ "exec only", FOR_EXEC, NULL, run_b, undo_b, "" },
		{ "b", FOR_CREATE, NULL, run_b, undo_b, "" },
		{ "bad", FOR_CREATE, NULL, run_bad, undo_bad, "" },
		{ "after", FOR_CREATE, NULL, run_a, undo_a, "" },
	};
	static struct plan plan;
	static struct launch launch;
	struct err err = { 0 }, undo;
	size_t reached = 0;

	(void)state;
	memset(trace, 0, sizeof(trace));
	launch.plan = &plan;
	assert_int_equal(steps_run(steps, 6, &launch, &reached, &err), -1);
	assert_string_equal(trace, "ab!");
	assert_int_equal(reached, 5);
	assert_string_equal(err.text, "bad: broke");
	assert_int_equal(steps_undo(steps, reached, &launch, &undo), -1);
	assert_string_equal(trace, "ab!?BA");
}

static void test_undo_reports_and_goes_on(void **state)
{
	const struct step steps[] = {
		{ "a", FOR_CREATE, NULL, run_a, undo_a, "" },
		{ "b", FOR_CREATE, NULL, run_b, undo_b, "" },
	};
	static struct launch launch;
	struct err err = { 0 };

	(void)state;
	memset(trace, 0, sizeof(trace));
	launch.plan = NULL;
	assert_int_equal(steps_undo(steps, 2, &launch, &err), -1);
	assert_string_equal(trace, "BA");
	assert_string_equal(err.text, "undo b: stuck");
	/* so that the record of what is left is kept */
	assert_true(launch.stuck);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outside_order),
		cmocka_unit_test(test_inside_order),
		cmocka_unit_test(test_rows_are_complete),
		cmocka_unit_test(test_names_are_unique),
		cmocka_unit_test(test_exec_has_every_layer),
		cmocka_unit_test(test_failure_undoes_newest_first),
		cmocka_unit_test(test_undo_reports_and_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
