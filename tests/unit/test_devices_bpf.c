/*
 * Device programs are planned and interpreted: no privilege. The last test attaches one to a cgroup
 * of its own, where there is the right and a cgroup v2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four that it needs */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isolation/devices_bpf.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "tests/unit/ebpfsim.c"

#define ANY              \
	{                \
		false, 0 \
	}
#define N(number)            \
	{                    \
		true, number \
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

static struct devices_bpf_plan plan_rules(void **state, struct spec_device_rule *rules, size_t len,
					  const struct host *host)
{
	struct spec spec = { .linux.resources.devices = { rules, len } };
	struct devices_bpf_plan plan;
	struct err err = { 0 };

	if (devices_bpf_plan(&spec, host, *state, &plan, &err) < 0)
		fail_msg("%s", err.text);
	return plan;
}

/* "c 1:3 rw" -> whether the program allows it. */
static bool allows(const struct devices_bpf_plan *plan, char type, uint32_t major, uint32_t minor,
		   const char *access)
{
	struct bpf_cgroup_dev_ctx context = { .major = major, .minor = minor };
	uint32_t wanted = 0;
	int64_t answer;

	wanted |= strchr(access, 'm') ? BPF_DEVCG_ACC_MKNOD : 0;
	wanted |= strchr(access, 'r') ? BPF_DEVCG_ACC_READ : 0;
	wanted |= strchr(access, 'w') ? BPF_DEVCG_ACC_WRITE : 0;
	context.access_type = wanted << 16 |
			      (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	answer = ebpfsim_run(plan->program, plan->len, &context);
	assert_in_range(answer, 0, 1);
	return answer;
}

static const struct host root = { .privileged = true };

static void expect_defaults(const struct devices_bpf_plan *plan)
{
	static const uint32_t numbers[][2] = {
		{ 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 },	  { 1, 9 },
		{ 5, 0 }, { 5, 1 }, { 5, 2 }, { 136, 0 }, { 136, 77 }
	};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		assert_true(allows(plan, 'c', numbers[i][0], numbers[i][1], "rwm"));
		assert_true(allows(plan, 'c', numbers[i][0], numbers[i][1], "r"));
	}
	assert_true(allows(plan, 'c', 200, 200, "m"));
	assert_true(allows(plan, 'b', 8, 0, "m"));
}

static void without_rules_only_the_defaults(void **state)
{
	struct devices_bpf_plan plan = plan_rules(state, NULL, 0, &root);

	assert_true(plan.wanted);
	assert_false(plan.must);
	expect_defaults(&plan);
	assert_false(allows(&plan, 'b', 8, 0, "r"));
	assert_false(allows(&plan, 'b', 8, 0, "rm"));
	assert_false(allows(&plan, 'c', 1, 1, "r"));	 /* /dev/mem */
	assert_false(allows(&plan, 'c', 10, 200, "rw")); /* /dev/net/tun */
	assert_false(allows(&plan, 'b', 1, 3, "r")); /* the numbers of null, as a block device */
	assert_true(allows(&plan, 'c', 10, 1, ""));  /* neither opens nor makes anything */
}

static void the_last_rule_decides(void **state)
{
	struct spec_device_rule rules[] = {
		{ false, 'a', ANY, ANY, "rwm" },     { true, 'b', N(8), ANY, "rw" },
		{ false, 'b', N(8), N(1), NULL },    { true, 'c', N(10), N(229), "r" },
		{ false, 'c', N(10), N(229), NULL }, { true, 'c', ANY, N(7), NULL },
	};
	struct devices_bpf_plan plan = plan_rules(state, rules, ARRAY_LEN(rules), &root);

	assert_true(plan.must);
	expect_defaults(&plan);
	assert_true(allows(&plan, 'b', 8, 0, "rw"));
	assert_true(allows(&plan, 'b', 8, 2, "w"));
	assert_false(allows(&plan, 'b', 8, 1, "r"));
	assert_false(allows(&plan, 'b', 9, 0, "r"));
	assert_false(allows(&plan, 'c', 8, 0, "r"));
	assert_false(allows(&plan, 'c', 10, 229, "r"));
	assert_true(allows(&plan, 'c', 33, 7, "rw"));
	assert_false(allows(&plan, 'b', 33, 7, "rw"));
}

/* An open for reading and writing asks for both at once. */
static void each_access_is_decided_alone(void **state)
{
	struct spec_device_rule rules[] = {
		{ true, 'c', N(10), ANY, "rwm" }, { false, 'c', N(10), N(1), "w" },
		{ true, 'b', N(8), N(0), "r" },	  { true, 'b', N(8), N(0), "w" },
		{ true, 'b', N(9), N(0), "r" },
	};
	struct devices_bpf_plan plan = plan_rules(state, rules, ARRAY_LEN(rules), &root);

	assert_true(allows(&plan, 'c', 10, 1, "r"));
	assert_false(allows(&plan, 'c', 10, 1, "w"));
	assert_false(allows(&plan, 'c', 10, 1, "rw")); /* crun's program says yes */
	assert_true(allows(&plan, 'c', 10, 2, "rw"));
	assert_true(allows(&plan, 'b', 8, 0, "rw"));
	assert_true(allows(&plan, 'b', 8, 0, "rwm"));
	assert_true(allows(&plan, 'b', 9, 0, "r"));
	assert_false(allows(&plan, 'b', 9, 0, "rw"));
}

static void all_ends_what_came_before(void **state)
{
	struct spec_device_rule allow[] = { { false, 'b', N(8), ANY, NULL },
					    { true, 'a', ANY, ANY, NULL } };
	struct spec_device_rule deny[] = { { true, 'b', N(8), ANY, NULL },
					   { false, 'a', ANY, ANY, NULL } };
	struct spec_device_rule some[] = { { true, 'a', N(8), ANY, "r" } };
	struct devices_bpf_plan plan = plan_rules(state, allow, ARRAY_LEN(allow), &root);
	struct devices_bpf_plan denied = plan_rules(state, deny, ARRAY_LEN(deny), &root);
	struct devices_bpf_plan partly = plan_rules(state, some, ARRAY_LEN(some), &root);

	assert_true(allows(&plan, 'b', 8, 0, "rwm"));
	assert_true(allows(&plan, 'c', 1, 1, "rwm"));
	assert_true(plan.must);
	assert_false(allows(&denied, 'b', 8, 0, "r"));
	expect_defaults(&denied);
	assert_int_equal(plan.len,
			 denied.len); /* the earlier rules are not emitted: dead code is refused */
	assert_true(allows(&partly, 'b', 8, 0, "r"));
	assert_true(allows(&partly, 'c', 8, 0, "r"));
	assert_false(allows(&partly, 'c', 8, 0, "w"));
	assert_false(partly.must);
}

static void rootless(void **state)
{
	struct host host = { .rootless = true, .privileged = true };
	struct spec_device_rule rules[] = { { false, 'a', ANY, ANY, NULL } };
	struct devices_bpf_plan plan = plan_rules(state, rules, ARRAY_LEN(rules), &host);

	assert_true(plan.wanted);
	assert_false(plan.must);
	host.privileged = false;
	plan = plan_rules(state, NULL, 0, &host);
	assert_false(plan.wanted);
}

/* A program that must be attached, and cannot. */
static void failure_is_an_error_only_if_it_must(void **state)
{
	struct spec_device_rule rules[] = { { false, 'a', ANY, ANY, NULL } };
	struct devices_bpf_plan plan = plan_rules(state, rules, ARRAY_LEN(rules), &root);
	struct err err = { 0 };

	assert_int_equal(devices_bpf_attach(&plan, -1, &err), -1);
	assert_memory_equal(err.text, "linux.resources.devices: ", 25);
	assert_non_null(strstr(err.text, "CAP_BPF"));
	plan.must = false;
	assert_int_equal(devices_bpf_attach(&plan, -1, &err), 0);
	plan.must = true;
	plan.len--; /* without its end */
	assert_int_equal(devices_bpf_attach(&plan, -1, &err), -1);
	if (err.code != EPERM)
		assert_non_null(strstr(err.text, "the verifier says: "));
}

/* In the cgroup: tries what the program decides about. 0, or the number of the attempt. */
static int attempts(int cgroup)
{
	char path[64];
	int fd;

	if (file_write_small(cgroup, "cgroup.procs", "0") < 0)
		return 1;
	snprintf(path, sizeof(path), "/tmp/test_devices_bpf.%d", (int)getpid());
	if (open("/dev/null", O_RDWR | O_CLOEXEC) < 0)
		return 2;
	if (mknod(path, S_IFCHR | 0600, makedev(1, 11)) < 0) /* /dev/kmsg */
		return 3;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 4;
	fd = open(path, O_RDWR | O_CLOEXEC);
	unlink(path);
	if (fd >= 0 || errno != EPERM)
		return 5;
	return 0;
}

static void the_kernel_takes_and_obeys_it(void **state)
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct spec_device_rule rules[2000];
	struct devices_bpf_plan plan;
	struct err err = { 0 };
	char path[64] = "";
	int cgroup = -1, status;
	pid_t pid;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		rules[i] = (struct spec_device_rule){ true, i % 2 ? 'b' : 'c', N(300),
						      N((int64_t)i), i % 3 ? "r" : "wm" };
	rules[7] = (struct spec_device_rule){ true, 'c', N(1), N(11), NULL };
	rules[1900] = (struct spec_device_rule){ false, 'c', N(1), N(11), "w" };
	plan = plan_rules(state, rules, ARRAY_LEN(rules), &root);
	for (size_t i = 0; i < ARRAY_LEN(mounts) && cgroup < 0; i++) {
		snprintf(path, sizeof(path), "%s/cgroup.controllers", mounts[i]);
		if (access(path, F_OK) < 0)
			continue;
		snprintf(path, sizeof(path), "%s/test_devices_bpf.%d", mounts[i], (int)getpid());
		if (mkdir(path, 0755) == 0)
			cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (cgroup < 0) {
		print_message("skipped: no cgroup v2 to make a cgroup in\n");
		skip();
	}
	if (devices_bpf_attach(&plan, cgroup, &err) < 0) {
		rmdir(path);
		close(cgroup);
		if (err.code != EPERM)
			fail_msg("%s", err.text);
		print_message("skipped: %s\n", err.text);
		skip();
	}
	pid = fork();
	if (pid == 0)
		_exit(attempts(cgroup));
	waitpid(pid, &status, 0);
	rmdir(path);
	close(cgroup);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(without_rules_only_the_defaults),
		TEST(the_last_rule_decides),
		TEST(each_access_is_decided_alone),
		TEST(all_ends_what_came_before),
		TEST(rootless),
		TEST(failure_is_an_error_only_if_it_must),
		TEST(the_kernel_takes_and_obeys_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
