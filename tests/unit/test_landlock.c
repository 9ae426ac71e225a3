/*
 * Landlock: plans for invented kernels, and one sandbox in a child where the kernel has it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four that it needs */
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isolation/landlock.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/sys.h"
#include "spec/names.h"

#define WORDS(...)                                                   \
	{                                                            \
		(const char *[]){ __VA_ARGS__, NULL },               \
			ARRAY_LEN(((const char *[]){ __VA_ARGS__ })) \
	}

static int setup(void **state)
{
	*state = arena_new(ARENA_LIMIT);
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static uint64_t fs(const char *word)
{
	uint64_t value;

	assert_true(name_value(landlock_fs_names, word, &value));
	return value;
}

static uint64_t net(const char *word)
{
	uint64_t value;

	assert_true(name_value(landlock_net_names, word, &value));
	return value;
}

/* Everything that the tables know, with one rule of each kind. */
static struct spec_landlock_path all_path = { 0, WORDS("/a", "/b") };
static uint64_t all_ports[] = { 80, 443 };
static struct spec_landlock_port all_port = { 0, { all_ports, ARRAY_LEN(all_ports) } };

static struct spec_process everything(enum landlock_mode mode)
{
	const struct landlock_abi *newest = &landlock_abis[LANDLOCK_ABI_NEWEST];

	all_path.allowed = newest->fs;
	all_port.allowed = newest->net;
	return (struct spec_process){ .landlock = { .set = true,
						    .mode = mode,
						    .handled_fs = newest->fs,
						    .handled_net = newest->net,
						    .scoped = newest->scoped,
						    .path_beneath = { &all_path, 1 },
						    .net_port = { &all_port, 1 },
						    .restrict_flags = 7 } };
}

static bool has_note(const struct landlock_plan *plan, const char *text)
{
	for (size_t i = 0; i < plan->notes_len; i++)
		if (strcmp(plan->notes[i], text) == 0)
			return true;
	return false;
}

static void best_effort_is_cut_and_noted(void **state)
{
	static const size_t notes[] = { 0,
					4 + 4 + 2 + 3,
					3 + 4 + 2 + 3,
					2 + 4 + 2 + 3,
					2 + 2 + 2 + 3,
					1 + 2 + 2 + 3,
					1 + 2 + 0 + 3,
					1 + 2,
					1 + 2,
					2,
					0 };
	struct spec_process process = everything(LANDLOCK_BEST_EFFORT);

	for (int abi = 1; abi <= LANDLOCK_ABI_NEWEST + 3; abi++) {
		const struct landlock_abi *known =
			&landlock_abis[abi < LANDLOCK_ABI_NEWEST ? abi : LANDLOCK_ABI_NEWEST];
		struct host host = { .landlock_abi = abi };
		struct landlock_plan plan;
		struct err err = { 0 };

		assert_int_equal(landlock_plan(&process, &host, *state, &plan, &err), 0);
		assert_true(plan.wanted && plan.best_effort);
		assert_true(plan.fs == known->fs && plan.net == known->net &&
			    plan.scoped == known->scoped);
		assert_int_equal(plan.flags, 7 & known->restrict_flags);
		assert_int_equal(plan.notes_len, abi < LANDLOCK_ABI_NEWEST ? notes[abi] : 0);
		assert_int_equal(plan.rules_len, 2);
		assert_string_equal(plan.rules[1].path, "/b");
		assert_true(plan.rules[1].allowed == known->fs);
		assert_int_equal(plan.ports_len, known->net ? 2 : 0);
		if (known->net)
			assert_true(plan.ports[1].port == 443 &&
				    plan.ports[1].allowed == known->net);
	}
}

static void notes_say_what_is_not_in_force(void **state)
{
	struct spec_process process = everything(LANDLOCK_BEST_EFFORT);
	struct host host = { .landlock_abi = 1 };
	struct landlock_plan plan;
	struct err err = { 0 };

	assert_int_equal(landlock_plan(&process, &host, *state, &plan, &err), 0);
	assert_true(has_note(&plan, "process.landlock: truncate (ABI 3, Linux 6.2) is not in "
				    "force: the kernel has ABI 1"));
	assert_true(has_note(&plan, "process.landlock: refer (ABI 2, Linux 5.19) is refused "
				    "everywhere: the kernel has ABI 1"));
	assert_true(has_note(&plan, "process.landlock: bind_udp (ABI 10, Linux 7.2) is not in "
				    "force: the kernel has ABI 1"));
	assert_true(has_note(&plan, "process.landlock: signal (ABI 6, Linux 6.12) is not in force: "
				    "the kernel has ABI 1"));
	assert_true(has_note(&plan, "process.landlock: log.newExec (ABI 7, Linux 6.15) is not in "
				    "force: the kernel has ABI 1"));
}

static void expect_error(void **state, const struct spec_process *process, const struct host *host,
			 const char *text)
{
	struct landlock_plan plan;
	struct err err = { 0 };

	assert_int_equal(landlock_plan(process, host, *state, &plan, &err), -1);
	assert_string_equal(err.text, text);
	assert_int_equal(err.code, ENOTSUP);
}

static void enforce_names_what_is_missing(void **state)
{
	struct spec_process process = everything(LANDLOCK_ENFORCE);
	struct host host = { .landlock_abi = 8 };
	struct landlock_plan plan;
	struct err err = { 0 };

	expect_error(state, &process, &host,
		     "process.landlock: the kernel has Landlock ABI 8, without resolve_unix (ABI "
		     "9, Linux 7.1), bind_udp (ABI 10, Linux 7.2), "
		     "connect_send_udp (ABI 10, Linux 7.2); set process.landlock.abi to 8, so that "
		     "abi.all and the other groups mean what there is, "
		     "or mode to bestEffort");
	process.landlock.handled_net = 0;
	process.landlock.handled_fs = fs("read_file") | 1ULL << 40;
	expect_error(
		state, &process, &host,
		"process.landlock: the kernel has Landlock ABI 8, without 0x10000000000 (unknown "
		"here); set process.landlock.abi to 8, "
		"so that abi.all and the other groups mean what there is, or mode to bestEffort");
	host.landlock_abi = 10;
	process = everything(LANDLOCK_ENFORCE);
	assert_int_equal(landlock_plan(&process, &host, *state, &plan, &err), 0);
	assert_true(plan.wanted && !plan.best_effort && plan.notes_len == 0);
	/* An old kernel is enough for a modest wish. */
	host.landlock_abi = 1;
	process.landlock = (struct spec_landlock){ .set = true, .handled_fs = fs("write_file") };
	assert_int_equal(landlock_plan(&process, &host, *state, &plan, &err), 0);
	assert_true(plan.wanted && plan.fs == fs("write_file"));
}

static void without_landlock(void **state)
{
	struct spec_process process = everything(LANDLOCK_ENFORCE);
	struct host host = { .landlock_errno = ENOSYS };
	struct landlock_plan plan;
	struct err err = { 0 };

	expect_error(state, &process, &host,
		     "process.landlock: the kernel is built without Landlock "
		     "(CONFIG_SECURITY_LANDLOCK)");
	host.landlock_errno = EOPNOTSUPP;
	expect_error(state, &process, &host,
		     "process.landlock: Landlock is not enabled: add landlock to the lsm= boot "
		     "parameter");
	host.landlock_errno = EPERM;
	expect_error(state, &process, &host,
		     "process.landlock: Landlock cannot be used: Operation not permitted; a system "
		     "call filter around agentd may forbid it");
	process.landlock.mode = LANDLOCK_BEST_EFFORT;
	host.landlock_errno = EOPNOTSUPP;
	assert_int_equal(landlock_plan(&process, &host, *state, &plan, &err), 0);
	assert_false(plan.wanted);
	assert_int_equal(plan.notes_len, 1);
	assert_string_equal(plan.notes[0],
			    "process.landlock: nothing of it is in force: Landlock is not enabled: "
			    "add landlock to the lsm= boot parameter");
	process.landlock.minimum_abi = 1;
	expect_error(state, &process, &host,
		     "process.landlock: Landlock is not enabled: add landlock to the lsm= boot "
		     "parameter");
}

static void the_minimum_holds_in_best_effort(void **state)
{
	struct spec_process process = everything(LANDLOCK_BEST_EFFORT);
	struct host host = { .landlock_abi = 4 };
	struct landlock_plan plan;
	struct err err = { 0 };

	process.landlock.minimum_abi = 5;
	expect_error(state, &process, &host,
		     "process.landlock.minimumAbi: is 5, but the kernel has Landlock ABI 4");
	process.landlock.minimum_abi = 4000000000;
	expect_error(
		state, &process, &host,
		"process.landlock.minimumAbi: is 4000000000, but the kernel has Landlock ABI 4");
	process.landlock.minimum_abi = 4;
	assert_int_equal(landlock_plan(&process, &host, *state, &plan, &err), 0);
	assert_true(plan.wanted);
}

static void nothing_left_or_nothing_asked(void **state)
{
	struct spec_process process = { .landlock = { .set = true,
						      .mode = LANDLOCK_BEST_EFFORT,
						      .handled_net = net("bind_tcp") } };
	struct host host = { .landlock_abi = 3 };
	struct landlock_plan plan;
	struct err err = { 0 };

	assert_int_equal(landlock_plan(&process, &host, *state, &plan, &err), 0);
	assert_false(plan.wanted);
	assert_int_equal(plan.notes_len, 1);
	process.landlock.set = false;
	assert_int_equal(landlock_plan(&process, &host, *state, &plan, &err), 0);
	assert_false(plan.wanted);
	assert_int_equal(plan.notes_len, 0);
}

/* The live tests: a directory with "in/file" and "out/file", and the kernel's own ABI. */
struct live {
	struct arena *arena;
	struct host host;
	char path[40];
};

static int live_setup(void **state)
{
	struct live *live = calloc(1, sizeof(*live));
	char path[64];

	live->arena = arena_new(ARENA_LIMIT);
	live->host.landlock_abi =
		sys_landlock_create_ruleset(NULL, 0, SYS_LANDLOCK_CREATE_RULESET_VERSION);
	snprintf(live->path, sizeof(live->path), "/tmp/test_landlock.XXXXXX");
	if (!mkdtemp(live->path))
		return -1;
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "in" : "out";

		snprintf(path, sizeof(path), "%s/%s", live->path, name);
		if (mkdir(path, 0755) < 0)
			return -1;
		snprintf(path, sizeof(path), "%s/%s/file", live->path, name);
		close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	}
	*state = live;
	return 0;
}

static int live_teardown(void **state)
{
	static const char *const names[] = { "in/file", "out/file", "in/new", "out/new",
					     "in",	"out",	    "" };
	struct live *live = *state;
	char path[64];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", live->path, names[i]);
		remove(path);
	}
	arena_free(live->arena);
	free(live);
	return 0;
}

/* errno of an open below the directory of the test, 0: it was opened. */
static int opens(const struct live *live, const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", live->path, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	return fd < 0 ? errno : 0;
}

static int binds(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
}

#define CHECK(condition)                                                \
	if (!(condition)) {                                             \
		fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
		_exit(1);                                               \
	}

static const struct mounts_plan by_name;

/* In a child: enforces the plan, and tries. */
static void sandboxed(const struct live *live, const struct landlock_plan *plan)
{
	struct err err = { 0 };
	int ruleset = -1;

	CHECK(landlock_prepare(plan, &by_name, NULL, &ruleset, &err) == 0);
	CHECK(fcntl(ruleset, F_GETFD) == FD_CLOEXEC);
	CHECK(opens(live, "out/file", O_RDONLY) == 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(landlock_apply(plan, ruleset, &err) == 0);
	CHECK(opens(live, "in/file", O_RDONLY) == 0);
	CHECK(opens(live, "in/file", O_WRONLY) == EACCES);
	CHECK(opens(live, "in/new", O_CREAT | O_RDONLY) == EACCES);
	CHECK(opens(live, "in", O_RDONLY | O_DIRECTORY) == 0);
	CHECK(opens(live, "out/file", O_RDONLY) == EACCES);
	CHECK(opens(live, "out/file", O_WRONLY) == 0);
	CHECK(opens(live, "out", O_RDONLY | O_DIRECTORY) == EACCES);
	if (plan->net) {
		CHECK(binds(18999) == EACCES);
		CHECK(binds(0) == 0);
	}
	_exit(0);
}

static void skip_without_landlock(const struct live *live)
{
	if (live->host.landlock_abi >= 1)
		return;
	print_message("skipped: no Landlock in this kernel\n");
	skip();
}

static void expect_child(pid_t pid)
{
	int status;

	assert_return_code(pid, errno);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_kernel_enforces_it(void **state)
{
	struct live *live = *state;
	struct spec_landlock_path paths[] = {
		{ fs("read_file") | fs("read_dir"),
		  WORDS(arena_format(live->arena, "%s/in", live->path)) },
		/* of these a file takes but one */
		{ fs("write_file") | fs("make_reg"),
		  WORDS(arena_format(live->arena, "%s/out/file", live->path)) },
		/* and of this none */
		{ fs("make_reg"), WORDS(arena_format(live->arena, "%s/in/file", live->path)) },
		{ fs("read_file"), WORDS("/nonexistent", "/dev/null/nonexistent") },
	};
	uint64_t ports[] = { 0 };
	struct spec_landlock_port port = { net("bind_tcp"), { ports, ARRAY_LEN(ports) } };
	struct spec_process process = everything(LANDLOCK_BEST_EFFORT);
	struct landlock_plan plan;
	struct err err = { 0 };
	pid_t pid;

	skip_without_landlock(live);
	process.landlock.path_beneath = (struct spec_landlock_paths){ paths, ARRAY_LEN(paths) };
	process.landlock.net_port = (struct spec_landlock_ports){ &port, 1 };
	assert_int_equal(landlock_plan(&process, &live->host, live->arena, &plan, &err), 0);
	assert_true(plan.wanted);
	pid = fork();
	if (pid == 0)
		sandboxed(live, &plan);
	expect_child(pid);
}

static void a_path_that_is_not_there(void **state)
{
	struct live *live = *state;
	struct landlock_rule rule = { fs("read_file"), "/nonexistent/file" };
	struct landlock_plan plan = { .wanted = true,
				      .abi = live->host.landlock_abi,
				      .fs = fs("read_file"),
				      .rules = &rule,
				      .rules_len = 1 };
	struct err err = { 0 };
	int ruleset = -1;

	skip_without_landlock(live);
	assert_int_equal(landlock_prepare(&plan, &by_name, NULL, &ruleset, &err), -1);
	assert_int_equal(ruleset, -1);
	assert_int_equal(err.code, ENOENT);
	assert_string_equal(err.text,
			    "process.landlock: open /nonexistent/file: No such file or directory");
}

/* Each size of the structure that older kernels knew is taken by this one. */
static void every_abi_up_to_the_kernels(void **state)
{
	struct live *live = *state;
	int newest = live->host.landlock_abi < LANDLOCK_ABI_NEWEST ? live->host.landlock_abi
								   : LANDLOCK_ABI_NEWEST;
	struct spec_process process = everything(LANDLOCK_BEST_EFFORT);

	skip_without_landlock(live);
	process.landlock.path_beneath.len = 0;
	for (int abi = 1; abi <= newest; abi++) {
		struct host host = { .landlock_abi = abi };
		struct landlock_plan plan;
		struct err err = { 0 };
		int ruleset = -1;

		assert_int_equal(landlock_plan(&process, &host, live->arena, &plan, &err), 0);
		if (landlock_prepare(&plan, &by_name, NULL, &ruleset, &err) < 0)
			fail_msg("ABI %d: %s", abi, err.text);
		close(ruleset);
	}
}

static void enforcing_without_the_right(void **state)
{
	struct live *live = *state;
	struct landlock_plan plan = { .wanted = true,
				      .abi = live->host.landlock_abi,
				      .fs = fs("read_file") };
	struct err err = { 0 };
	pid_t pid;

	skip_without_landlock(live);
	pid = fork();
	if (pid == 0) {
		int ruleset = -1;

		CHECK(geteuid() != 0 || setresuid(65534, 65534, 65534) == 0);
		CHECK(landlock_prepare(&plan, &by_name, NULL, &ruleset, &err) == 0);
		CHECK(landlock_apply(&plan, ruleset, &err) == -1);
		CHECK(err.code == EPERM);
		CHECK(strcmp(err.text,
			     "process.landlock: restrict the process: Operation not permitted; it "
			     "needs process.noNewPrivileges or CAP_SYS_ADMIN") == 0);
		_exit(0);
	}
	expect_child(pid);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
#define LIVE(function) cmocka_unit_test_setup_teardown(function, live_setup, live_teardown)
	const struct CMUnitTest tests[] = {
		TEST(best_effort_is_cut_and_noted),	TEST(notes_say_what_is_not_in_force),
		TEST(enforce_names_what_is_missing),	TEST(without_landlock),
		TEST(the_minimum_holds_in_best_effort), TEST(nothing_left_or_nothing_asked),
		LIVE(the_kernel_enforces_it),		LIVE(a_path_that_is_not_there),
		LIVE(every_abi_up_to_the_kernels),	LIVE(enforcing_without_the_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
