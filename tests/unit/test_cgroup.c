/*
 * cgroups: the conversions, the choice of place and controllers on invented trees, and the doing on
 * the real tree (as root).
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
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

#include "isolation/cgroup.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "tests/unit/fixture.h"

/* --- conversions ----------------------------------------------------------------------------- */

static void test_cpu_weight(void **state)
{
	/* clang-format off */
	static const uint64_t vectors[][2] = {
		{ 0, 0 }, { 1, 1 }, { 2, 1 }, { 10, 4 }, { 100, 17 }, { 128, 21 }, { 256, 35 }, { 512, 59 },
		{ 1000, 99 }, { 1024, 100 }, { 1025, 101 }, { 2048, 174 }, { 4096, 303 }, { 10240, 639 },
		{ 65536, 3023 }, { 131072, 5478 }, { 262144, 10000 }, { UINT64_MAX, 10000 },
	};
	/* clang-format on */
	uint64_t before = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
		assert_int_equal(cgroup_cpu_weight(vectors[i][0]), vectors[i][1]);
	for (uint64_t shares = 2; shares <= 262144; shares++) {
		uint64_t weight = cgroup_cpu_weight(shares);

		assert_in_range(weight, before, 10000);
		before = weight;
	}
}

static void test_io_weight(void **state)
{
	(void)state;
	assert_int_equal(cgroup_io_weight(0), 0);
	assert_int_equal(cgroup_io_weight(10), 1);
	assert_int_equal(cgroup_io_weight(100), 910);
	assert_int_equal(cgroup_io_weight(500), 4950);
	assert_int_equal(cgroup_io_weight(1000), 10000);
}

/* The rows as "file=text" lines; optional ones begin with '?', alternatives with '|'. */
static const char *rows_text(const struct cgroup_limit *limits, size_t len)
{
	const char *text = "";

	for (size_t i = 0; i < len; i++)
		text = arena_format(arena, "%s%s%s=%s\n", text,
				    limits[i].optional	    ? "?"
				    : limits[i].alternative ? "|"
							    : "",
				    limits[i].file, limits[i].text);
	return text;
}

static void assert_rows(const struct spec_resources *resources, const char *expected)
{
	struct cgroup_limit *limits;
	struct err err = { 0 };
	size_t len;

	assert_int_equal(cgroup_limits_plan(resources, arena, &limits, &len, &err), 0);
	assert_string_equal(rows_text(limits, len), expected);
}

#define SET(number)                            \
	{                                      \
		.set = true, .value = (number) \
	}

static void test_memory_and_pids(void **state)
{
	static const struct {
		struct spec_memory memory;
		const char *expected;
	} cases[] = {
		{ { .limit = SET(1048576) }, "memory.max=1048576\n" },
		{ { .limit = SET(-1) }, "?memory.swap.max=max\nmemory.max=max\n" },
		{ { .limit = SET(0), .reservation = SET(0), .swap = SET(0) }, "" },
		{ { .reservation = SET(4096) }, "memory.low=4096\n" },
		{ { .limit = SET(100), .swap = SET(300) },
		  "memory.swap.max=200\nmemory.max=100\n" },
		{ { .limit = SET(100), .swap = SET(100) }, "?memory.swap.max=0\nmemory.max=100\n" },
		{ { .limit = SET(100), .swap = SET(-1) },
		  "?memory.swap.max=max\nmemory.max=100\n" },
		{ { .swap = SET(-1) }, "?memory.swap.max=max\n" },
		{ { .limit = SET(100), .swap = SET(0) }, "memory.max=100\n" },
		{ { .kernel = SET(5), .swappiness = SET(5), .disable_oom_killer = true }, "" },
	};
	static const struct spec_memory wrong[] = {
		{ .swap = SET(100) },
		{ .limit = SET(-1), .swap = SET(100) },
		{ .limit = SET(100), .swap = SET(99) },
	};
	struct spec_resources resources = { .pids_limit = SET(0) };

	(void)state;
	assert_rows(&resources, "pids.max=0\n");
	resources.pids_limit.value = -7;
	assert_rows(&resources, "pids.max=max\n");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_rows(&(struct spec_resources){ .memory = cases[i].memory },
			    cases[i].expected);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct spec_resources bad = { .memory = wrong[i] };
		struct cgroup_limit *limits;
		struct err err = { 0 };
		size_t len;

		assert_int_equal(cgroup_limits_plan(&bad, arena, &limits, &len, &err), -1);
		assert_non_null(strstr(err.text, "linux.resources.memory.swap"));
	}
}

static void test_cpu(void **state)
{
	static const struct {
		struct spec_cpu cpu;
		const char *expected;
	} cases[] = {
		{ { .shares = SET(1024) }, "cpu.weight=100\n" },
		{ { .shares = SET(0), .quota = SET(0), .cpus = "" }, "" },
		{ { .quota = SET(50000) }, "cpu.max=50000 100000\n" },
		{ { .quota = SET(50000), .period = SET(20000) }, "cpu.max=50000 20000\n" },
		{ { .quota = SET(-1) }, "cpu.max=max 100000\n" },
		{ { .period = SET(20000) }, "cpu.max=max 20000\n" },
		{ { .quota = SET(50000), .burst = SET(10000) },
		  "?cpu.max.burst=0\ncpu.max=50000 100000\ncpu.max.burst=10000\n" },
		{ { .burst = SET(10000) }, "cpu.max.burst=10000\n" },
		{ { .shares = SET(2048), .idle = SET(1) }, "cpu.idle=1\n" },
		{ { .shares = SET(2048), .idle = SET(0) }, "cpu.idle=0\ncpu.weight=174\n" },
		{ { .cpus = "0-1", .mems = "0" }, "cpuset.cpus=0-1\ncpuset.mems=0\n" },
		{ { .realtime_runtime = SET(5), .realtime_period = SET(5) }, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_rows(&(struct spec_resources){ .cpu = cases[i].cpu }, cases[i].expected);
}

static void test_io_hugetlb_rdma_unified(void **state)
{
	struct spec_weight_device weighed = { 8, 16, SET(100), { 0 } };
	struct spec_throttle throttles[] = { { 8, 0, 1048576 }, { 8, 16, 0 } };
	struct spec_hugepage_limit pages = { "2MB", 4194304 };
	struct spec_rdma rdma[] = { { "mlx5_1", SET(3), SET(10) }, { "mlx4_0", { 0 }, SET(4) } };
	struct spec_pair unified[] = { { "memory.high", "4096" }, { "io.max", "8:0 a\n8:16 b\n" } };
	struct spec_resources resources = {
		.block_io = { .weight = SET(500),
			      .weight_device = { &weighed, 1 },
			      .read_bps = { throttles, 2 },
			      .write_iops = { throttles, 1 } },
		.hugepage_limits = { &pages, 1 },
		.rdma = { rdma, 2 },
		.unified = { unified, 2 },
		.pids_limit = SET(5),
	};

	(void)state;
	assert_rows(&resources, "pids.max=5\n"
				"?io.bfq.weight=500\n|io.weight=4950\n"
				"?io.bfq.weight=8:16 100\n|io.weight=8:16 910\n"
				"io.max=8:0 rbps=1048576\nio.max=8:16 rbps=max\n"
				"io.max=8:0 wiops=1048576\n"
				"?hugetlb.2MB.rsvd.max=4194304\nhugetlb.2MB.max=4194304\n"
				"rdma.max=mlx5_1 hca_handle=3 hca_object=10\n"
				"rdma.max=mlx4_0 hca_object=4\n"
				"memory.high=4096\nio.max=8:0 a\nio.max=8:16 b\n");
}

/* --- the plan, on invented trees ------------------------------------------------------------- */

static char tree[64];

/* A directory that looks like a cgroup. */
static void make_cgroup(const char *path, const char *controllers, const char *subtree_control)
{
	const char *files[][2] = {
		{ "cgroup.controllers", controllers },
		{ "cgroup.subtree_control", subtree_control },
		{ "cgroup.procs", "" },
	};

	mkdir(arena_format(arena, "%s/%s", tree, path), 0755);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct err err;

		assert_int_equal(
			file_replace(AT_FDCWD,
				     arena_format(arena, "%s/%s/%s", tree, path, files[i][0]),
				     files[i][1], strlen(files[i][1]), 0644, &err),
			0);
	}
}

static void remove_cgroup(const char *path)
{
	const char *files[] = { "cgroup.controllers", "cgroup.subtree_control", "cgroup.procs" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlink(arena_format(arena, "%s/%s/%s", tree, path, files[i]));
	rmdir(arena_format(arena, "%s/%s", tree, path));
}

static int setup_tree(void **state)
{
	setup(state);
	snprintf(tree, sizeof(tree), "/tmp/agentd-test-cgroup.XXXXXX");
	if (!mkdtemp(tree))
		return -1;
	make_cgroup(".", "cpu memory pids\n", "pids\n");
	make_cgroup("pod", "pids\n", "\n");
	return 0;
}

static int teardown_tree(void **state)
{
	remove_cgroup("pod");
	remove_cgroup(".");
	rmdir(tree);
	return teardown(state);
}

static int plan_in_tree(const struct spec *spec, const char *root, enum cgroup_manager manager,
			bool best_effort, struct cgroup_plan *plan, struct err *err)
{
	const struct host host = { .cgroup_root = root, .uid = geteuid() };

	return cgroup_plan(spec, &host, manager, best_effort, "one", arena, plan, err);
}

static void test_plan_place(void **state)
{
	static const struct {
		const char *wanted, *path;
	} cases[] = { { NULL, "agentd/one" },
		      { "", "agentd/one" },
		      { "/pod/two", "pod/two" },
		      { "mine/three", "mine/three" } };
	static const char *const wrong[] = { "/",    "/a/../b", "../b",
					     "a//b", "/a/./b",	"system.slice:cri:abc" };
	struct spec spec = { 0 };
	struct cgroup_plan plan;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		spec.linux.cgroups_path = cases[i].wanted;
		assert_int_equal(
			plan_in_tree(&spec, tree, CGROUP_MANAGER_CGROUPFS, false, &plan, &err), 0);
		assert_true(plan.wanted);
		assert_string_equal(plan.path, cases[i].path);
		assert_string_equal(plan.controllers, "");
		assert_string_equal(plan.extra, "memory pids");
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		spec.linux.cgroups_path = wrong[i];
		assert_int_equal(
			plan_in_tree(&spec, tree, CGROUP_MANAGER_CGROUPFS, false, &plan, &err), -1);
		assert_non_null(strstr(err.text, "linux.cgroupsPath"));
	}
	spec.linux.cgroups_path = NULL;
	assert_int_equal(plan_in_tree(&spec, tree, CGROUP_MANAGER_SYSTEMD, false, &plan, &err), -1);
	assert_non_null(strstr(err.text, "--cgroup-manager cgroupfs"));
}

static void test_plan_controllers(void **state)
{
	struct spec_pair unified[] = { { "rdma.max", "x" } };
	struct spec spec = { .linux = { .resources = { .memory = { .limit = SET(4096) },
						       .pids_limit = SET(-1),
						       .cpu = { .cpus = "0" } } } };
	struct cgroup_plan plan;
	struct err err = { 0 };

	(void)state;
	/* cpuset is missing: an error that names limit and controller, or a note. */
	assert_int_equal(plan_in_tree(&spec, tree, CGROUP_MANAGER_CGROUPFS, false, &plan, &err),
			 -1);
	assert_non_null(strstr(err.text, "linux.resources.cpu.cpus: the cpuset controller"));
	assert_non_null(strstr(err.text, "--best-effort cgroup"));
	assert_int_equal(plan_in_tree(&spec, tree, CGROUP_MANAGER_CGROUPFS, true, &plan, &err), 0);
	assert_int_equal(plan.notes_len, 1);
	assert_non_null(strstr(plan.notes[0], "linux.resources.cpu.cpus is not enforced"));
	assert_string_equal(rows_text(plan.limits, plan.limits_len),
			    "pids.max=max\nmemory.max=4096\n");
	assert_string_equal(plan.controllers, "memory pids");
	assert_string_equal(plan.extra, "");

	/* The weight that every cgroup has: 1024 shares, as callers of runc ask for by default. */
	make_cgroup(".", "memory pids\n", "pids\n");
	spec.linux.resources = (struct spec_resources){ .cpu = { .shares = SET(1024) } };
	assert_int_equal(plan_in_tree(&spec, tree, CGROUP_MANAGER_CGROUPFS, false, &plan, &err), 0);
	assert_int_equal(plan.notes_len, 0);
	spec.linux.resources.cpu.shares.value = 1025;
	assert_int_equal(plan_in_tree(&spec, tree, CGROUP_MANAGER_CGROUPFS, false, &plan, &err),
			 -1);
	assert_non_null(strstr(err.text, "linux.resources.cpu.shares: the cpu controller"));

	/* A file of a known controller needs it too, whoever named it. */
	spec.linux.resources = (struct spec_resources){ .unified = { unified, 1 } };
	assert_int_equal(plan_in_tree(&spec, tree, CGROUP_MANAGER_CGROUPFS, false, &plan, &err),
			 -1);
	assert_non_null(strstr(err.text, "rdma controller"));
	/* One that nobody knows is left to the kernel. */
	unified[0].key = "novel.max";
	assert_int_equal(plan_in_tree(&spec, tree, CGROUP_MANAGER_CGROUPFS, false, &plan, &err), 0);
	assert_string_equal(rows_text(plan.limits, plan.limits_len), "novel.max=x\n");
}

/* Without a cgroup: fine if nothing needs one, "no limit" included. */
static void test_plan_without(void **state)
{
	static const struct {
		enum cgroup_manager manager;
		bool mounted;
	} cases[] = { { CGROUP_MANAGER_DISABLED, true }, { CGROUP_MANAGER_CGROUPFS, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *root = cases[i].mounted ? tree : NULL;
		struct spec spec = { .linux = { .resources = { .pids_limit = SET(-1) } } };
		struct cgroup_plan plan;
		struct err err;

		assert_int_equal(plan_in_tree(&spec, root, cases[i].manager, false, &plan, &err),
				 0);
		assert_false(plan.wanted);
		assert_int_equal(plan.notes_len, 1);
		spec.linux.resources.pids_limit.value = 10;
		assert_int_equal(plan_in_tree(&spec, root, cases[i].manager, false, &plan, &err),
				 -1);
		assert_non_null(strstr(err.text, "linux.resources.pids.limit"));
		assert_int_equal(plan_in_tree(&spec, root, cases[i].manager, true, &plan, &err), 0);
		assert_int_equal(plan.notes_len, 2);
		assert_int_equal(plan.limits_len, 0);
	}
}

/* What an ordinary user sees: asserts run in a child that gave root up. 0: as expected. */
static int plan_as_user(void)
{
	const struct host user = { .cgroup_root = tree, .uid = 4711, .cgroup_own = "/pod/me" };
	struct spec spec = { 0 };
	struct cgroup_plan plan;
	struct err err;

	/* pod is ours, the root is not: beside us, and only what is enabled on the way. */
	if (cgroup_plan(&spec, &user, CGROUP_MANAGER_CGROUPFS, false, "one", arena, &plan, &err) <
		    0 ||
	    strcmp(plan.path, "pod/agentd/one") != 0 || strcmp(plan.extra, "pids") != 0)
		return 1;
	spec.linux.resources.memory.limit = (struct optional_i64)SET(4096);
	if (cgroup_plan(&spec, &user, CGROUP_MANAGER_CGROUPFS, false, "one", arena, &plan, &err) ==
		    0 ||
	    !strstr(err.text, "memory controller is not delegated") ||
	    !strstr(err.text, "Delegate=yes"))
		return 2;
	/* Nothing is ours. */
	spec.linux.cgroups_path = "/other";
	if (cgroup_plan(&spec, &user, CGROUP_MANAGER_CGROUPFS, false, "one", arena, &plan, &err) ==
		    0 ||
	    !strstr(err.text, "Permission denied"))
		return 3;
	spec.linux.resources.memory.limit.set = false;
	if (cgroup_plan(&spec, &user, CGROUP_MANAGER_CGROUPFS, false, "one", arena, &plan, &err) <
		    0 ||
	    plan.wanted || plan.notes_len != 1)
		return 4;
	return 0;
}

static void test_plan_unprivileged(void **state)
{
	const char *pod[] = { "pod", "pod/cgroup.procs", "pod/cgroup.subtree_control" };
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: needs root to become somebody else\n");
		skip();
	}
	chmod(tree, 0755);
	for (size_t i = 0; i < ARRAY_LEN(pod); i++)
		assert_int_equal(chown(arena_format(arena, "%s/%s", tree, pod[i]), 4711, (gid_t)-1),
				 0);
	pid = fork();
	if (pid == 0) {
		if (setresgid(4711, 4711, 4711) < 0 || setresuid(4711, 4711, 4711) < 0)
			_exit(99);
		_exit(plan_as_user());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_plan_delegation(void **state)
{
	const char *read_only[] = { "ro", "nosuid,ro", "rro", "rw,ro" };
	const char *writable[] = { "ro", "rw" };
	struct spec_namespace own = { CLONE_NEWCGROUP, NULL };
	struct spec_id_mapping mapping = { 0, 100000, 65536 };
	struct spec_mount mount = { .destination = "/sys/fs/cgroup", .type = "cgroup" };
	struct spec spec = { .mounts = { &mount, 1 },
			     .linux = { .namespaces = { &own, 1 },
					.uid_mappings = { &mapping, 1 } } };
	struct cgroup_plan plan;
	struct err err;

	(void)state;
	assert_int_equal(plan_in_tree(&spec, tree, CGROUP_MANAGER_CGROUPFS, false, &plan, &err), 0);
	assert_true(plan.delegate);
	assert_int_equal(plan.delegate_uid, 100000);
	assert_string_equal(plan.extra, "cpu memory pids"); /* for what it manages itself */
	for (size_t i = 0; i < ARRAY_LEN(read_only); i++) {
		mount.options = (struct spec_strings){ &read_only[i], 1 };
		assert_int_equal(
			plan_in_tree(&spec, tree, CGROUP_MANAGER_CGROUPFS, false, &plan, &err), 0);
		assert_false(plan.delegate);
		assert_string_equal(plan.extra, "memory pids");
	}
	mount.options = (struct spec_strings){ writable, 2 };
	assert_int_equal(plan_in_tree(&spec, tree, CGROUP_MANAGER_CGROUPFS, false, &plan, &err), 0);
	assert_true(plan.delegate);
	mount.options.len = 0;
	own.path = "/proc/1/ns/cgroup";
	assert_int_equal(plan_in_tree(&spec, tree, CGROUP_MANAGER_CGROUPFS, false, &plan, &err), 0);
	assert_false(plan.delegate);
}

/* --- the doing, on the real tree ------------------------------------------------------------- */

static struct cgroup_plan real;

static int setup_real(void **state)
{
	static struct host host;
	struct err err;

	setup(state);
	if (host_probe(&host, -1, arena, &err) < 0)
		return -1;
	real = (struct cgroup_plan){
		.root = host.cgroup_root,
		.path = arena_format(arena, "agentd-test-%d/leaf", (int)getpid()),
		.controllers = "",
		.extra = "",
	};
	return 0;
}

static int teardown_real(void **state)
{
	struct err err = { 0 };
	char parent[64];

	snprintf(parent, sizeof(parent), "agentd-test-%d", (int)getpid());
	if (real.root && geteuid() == 0 && cgroup_remove(real.root, parent, &err) < 0)
		print_message("%s\n", err.text);
	teardown(state);
	return err.code ? -1 : 0;
}

static void need_real(void)
{
	if (geteuid() == 0 && real.root && access(real.root, W_OK) == 0)
		return;
	print_message("skipped: needs root and a writable cgroup v2\n");
	skip();
}

/* A process that waits to be killed, born in the cgroup `dir`. */
static pid_t spawn_in(int dir)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP,
				   .cgroup = (uint64_t)dir,
				   .exit_signal = SIGCHLD };
	pid_t pid = sys_clone3(&args);

	if (pid == 0)
		for (;;)
			pause();
	assert_true(pid > 0);
	return pid;
}

static void assert_killed(pid_t pid, int signal)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal);
}

static int make_below(int dir, const char *name)
{
	int below;

	assert_int_equal(mkdirat(dir, name, 0755), 0);
	below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(below >= 0);
	return below;
}

static void test_create_and_remove(void **state)
{
	autoclose int dir = -1, again = -1, below = -1, deepest = -1;
	struct err err = { 0 };
	pid_t one, two, *pids;
	size_t len;

	(void)state;
	need_real();
	assert_int_equal(cgroup_create(&real, &dir, &err), 0);
	one = spawn_in(dir);
	assert_int_equal(cgroup_create(&real, &again, &err), -1);
	assert_int_equal(err.code, EBUSY);

	below = make_below(dir, "below");
	deepest = make_below(below, "deepest");
	two = spawn_in(deepest);
	assert_int_equal(cgroup_pids(dir, arena, &pids, &len, &err), 0);
	assert_int_equal(len, 2);
	assert_int_equal(pids[0] + pids[1], one + two);

	assert_int_equal(cgroup_remove(real.root, real.path, &err), 0);
	assert_killed(one, SIGKILL);
	assert_killed(two, SIGKILL);
	assert_int_equal(cgroup_open(real.root, real.path, &again, &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(cgroup_remove(real.root, real.path, &err), 0);
}

/* A container that owns its cgroup may dig as deep as it likes. */
static void test_remove_deep(void **state)
{
	autoclose int dir = -1;
	struct err err = { 0 };

	(void)state;
	need_real();
	assert_int_equal(cgroup_create(&real, &dir, &err), 0);
	for (int i = 0; i < 100; i++) {
		int below = make_below(dir, "d");

		fd_close(&dir);
		dir = below;
	}
	fd_close(&dir);
	assert_int_equal(cgroup_open(real.root, real.path, &dir, &err), 0);
	fd_close(&(int){ make_below(dir, "beside") });
	assert_int_equal(cgroup_remove(real.root, real.path, &err), 0);
	assert_int_equal(cgroup_open(real.root, real.path, &dir, &err), -1);
}

static void test_freeze_and_signal(void **state)
{
	autoclose int dir = -1, again = -1;
	struct cgroup_top top = { .fd = -1 };
	struct err err = { 0 };
	pid_t pid;

	(void)state;
	need_real();
	assert_int_equal(cgroup_create(&real, &dir, &err), 0);
	pid = spawn_in(dir);
	assert_int_equal(cgroup_freeze(dir, true, 2000, &err), 0);
	assert_true(cgroup_frozen(&top, real.root, real.path));
	assert_true(top.fd >= 0);
	/* the root that stayed open is another's */
	assert_false(cgroup_frozen(&top, "/proc", real.path));
	assert_false(cgroup_frozen(&top, "/nowhere", real.path));
	assert_true(cgroup_frozen(&top, real.root, real.path));
	assert_int_equal(cgroup_freeze(dir, false, 2000, &err), 0);
	assert_false(cgroup_frozen(&top, real.root, real.path));
	fd_close(&top.fd);
	assert_int_equal(cgroup_signal(dir, SIGTERM, &err), 0);
	assert_killed(pid, SIGTERM);
	/* Empty but frozen is not as good as new. */
	assert_int_equal(cgroup_freeze(dir, true, 2000, &err), 0);
	assert_int_equal(cgroup_create(&real, &again, &err), -1);
	assert_non_null(strstr(err.text, "frozen"));
	assert_int_equal(cgroup_freeze(dir, false, 2000, &err), 0);
	assert_int_equal(cgroup_create(&real, &again, &err), 0);
	pid = spawn_in(dir);
	assert_int_equal(cgroup_freeze(dir, true, 2000, &err), 0);
	assert_int_equal(cgroup_kill(dir, &err), 0);
	assert_killed(pid, SIGKILL);
	assert_int_equal(cgroup_remove(real.root, real.path, &err), 0);
}

static void test_limits_and_failure(void **state)
{
	/* clang-format off */
	struct cgroup_limit limits[] = {
		{ NULL, "cgroup.max.depth",       "7",  "unified 'cgroup.max.depth'", false, false },
		{ NULL, "no.such.file",           "1",  "optional",                   true,  false },
		{ NULL, "cgroup.max.descendants", "9",  "taken instead",              false, true },
		{ NULL, "cgroup.max.descendants", "11", "not taken: no row is missing", false, true },
		{ NULL, "cgroup.max.depth",       "x",  "the wrong one",              false, false },
	};
	/* clang-format on */
	struct cgroup_plan plan = real;
	autoclose int dir = -1;
	struct err err = { 0 };
	char text[16];

	(void)state;
	need_real();
	plan.limits = limits;
	plan.limits_len = ARRAY_LEN(limits);
	assert_int_equal(cgroup_create(&plan, &dir, &err), -1);
	assert_int_equal(err.code, EINVAL);
	assert_string_equal(err.text, "the wrong one: write 'x' to cgroup.max.depth: "
				      "Invalid argument");
	/* Nothing is left of a creation that failed. */
	assert_int_equal(cgroup_open(real.root, real.path, &dir, &err), -1);
	plan.limits_len--;
	assert_int_equal(cgroup_create(&plan, &dir, &err), 0);
	assert_true(file_read_small(dir, "cgroup.max.depth", text, sizeof(text)) > 0);
	assert_string_equal(text, "7\n");
	assert_true(file_read_small(dir, "cgroup.max.descendants", text, sizeof(text)) > 0);
	assert_string_equal(text, "9\n");
	assert_int_equal(cgroup_remove(real.root, real.path, &err), 0);
}

/* A controller for the leaf is one that every cgroup above it gives. */
static void test_controllers_and_delegation(void **state)
{
	struct cgroup_plan plan = real;
	autoclose int dir = -1;
	struct err err = { 0 };
	char text[256];
	struct stat st;
	unsigned mask = 0;

	(void)state;
	need_real();
	dir = open(real.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(file_read_small(dir, "cgroup.subtree_control", text, sizeof(text)) >= 0);
	/* One that is on already: the machine is to be left as it was. */
	mask = cgroup_controllers_mask(text);
	if (mask) {
		unsigned first = (unsigned)__builtin_ctz(mask);

		plan.controllers = cgroup_controllers[first];
		mask = 1u << first;
	}
	plan.delegate = true;
	plan.delegate_uid = 4711;
	fd_close(&dir);
	assert_int_equal(cgroup_create(&plan, &dir, &err), 0);
	assert_true(file_read_small(dir, "cgroup.controllers", text, sizeof(text)) >= 0);
	assert_int_equal(cgroup_controllers_mask(text) & mask, mask);
	assert_int_equal(fstat(dir, &st), 0);
	assert_int_equal(st.st_uid, 4711);
	assert_int_equal(fstatat(dir, "cgroup.procs", &st, 0), 0);
	assert_int_equal(st.st_uid, 4711);
	assert_int_equal(fstatat(dir, "cgroup.freeze", &st, 0), 0);
	assert_int_equal(st.st_uid, 0);
	fd_close(&dir);

	plan.path = arena_format(arena, "agentd-test-%d/other", (int)getpid());
	plan.controllers = "misc dmem rdma cpuset cpu io memory hugetlb pids";
	dir = open(real.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(file_read_small(dir, "cgroup.controllers", text, sizeof(text)) >= 0);
	fd_close(&dir);
	if (cgroup_controllers_mask(text) != cgroup_controllers_mask(plan.controllers)) {
		assert_int_equal(cgroup_create(&plan, &dir, &err), -1);
		assert_non_null(strstr(err.text, "cgroup.subtree_control of /"));
	}
	assert_int_equal(cgroup_remove(real.root, real.path, &err), 0);
}

static void test_open_of(void **state)
{
	autoclose int dir = -1, below = -1, found = -1;
	struct stat expected, actual;
	struct err err = { 0 };
	pid_t pid;

	(void)state;
	need_real();
	assert_int_equal(cgroup_create(&real, &dir, &err), 0);
	below = make_below(dir, "below");
	pid = spawn_in(below);
	assert_int_equal(cgroup_open_of(real.root, real.path, pid, NULL, &found, &err), 0);
	fstat(below, &expected);
	fstat(found, &actual);
	assert_int_equal(actual.st_ino, expected.st_ino);
	fd_close(&found);
	assert_int_equal(cgroup_open_of(real.root, real.path, pid, "/below", &found, &err), 0);
	fstat(found, &actual);
	assert_int_equal(actual.st_ino, expected.st_ino);
	fd_close(&found);
	/* Beside it, whatever its name begins with. */
	assert_int_equal(cgroup_open_of(real.root, real.path, pid, "../leaf-2", &found, &err), -1);
	assert_int_equal(
		cgroup_open_of(real.root,
			       arena_format(arena, "%.*s", (int)strlen(real.path) - 1, real.path),
			       pid, NULL, &found, &err),
		-1);
	assert_int_equal(err.code, EPERM);
	assert_int_equal(cgroup_open_of(real.root, real.path, getpid(), NULL, &found, &err), -1);
	assert_int_equal(cgroup_open(real.root, "", &found, &err), -1);
	assert_int_equal(cgroup_open("/tmp", "x", &found, &err), -1);
	assert_non_null(strstr(err.text, "cgroup v2 is not mounted there"));
	assert_int_equal(cgroup_remove(real.root, real.path, &err), 0);
	assert_killed(pid, SIGKILL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpu_weight),
		cmocka_unit_test(test_io_weight),
		cmocka_unit_test_setup_teardown(test_memory_and_pids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cpu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_io_hugetlb_rdma_unified, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plan_place, setup_tree, teardown_tree),
		cmocka_unit_test_setup_teardown(test_plan_controllers, setup_tree, teardown_tree),
		cmocka_unit_test_setup_teardown(test_plan_without, setup_tree, teardown_tree),
		cmocka_unit_test_setup_teardown(test_plan_unprivileged, setup_tree, teardown_tree),
		cmocka_unit_test_setup_teardown(test_plan_delegation, setup_tree, teardown_tree),
		cmocka_unit_test_setup_teardown(test_create_and_remove, setup_real, teardown_real),
		cmocka_unit_test_setup_teardown(test_remove_deep, setup_real, teardown_real),
		cmocka_unit_test_setup_teardown(test_freeze_and_signal, setup_real, teardown_real),
		cmocka_unit_test_setup_teardown(test_limits_and_failure, setup_real, teardown_real),
		cmocka_unit_test_setup_teardown(test_controllers_and_delegation, setup_real,
						teardown_real),
		cmocka_unit_test_setup_teardown(test_open_of, setup_real, teardown_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
