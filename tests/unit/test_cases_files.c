/*
 * Judgements of the rows on files, Landlock, /proc and /dev, with invented evidence: what passes,
 * what is a leak, and what proves nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/array.h"
#include "selftest/judges.h"
#include "spec/names.h"

/* clang-format off */
static char *denied_paths[] = { "/" };
static struct posture_mount mounts[] = {
	{ .id = 1, .destination = "/", .type = "ext4", .options = "ro,relatime", .super_options = "rw" },
	{ .id = 2, .destination = "/tmp", .type = "tmpfs", .options = "rw,nosuid,nodev", .super_options = "rw" },
	{ .id = 3, .destination = "/proc", .type = "proc", .options = "rw,nosuid", .super_options = "rw" },
};
/* clang-format on */

struct scene {
	struct observation target;
	struct posture posture;
	struct spec spec;
	struct host host;
	struct attempt_decoys decoys;
	struct spec_landlock_path rule;
};

static void set_scene(struct scene *scene, int64_t value, int error, const char *text)
{
	*scene = (struct scene){
		.target = { .tried = true,
			    .alive = true,
			    .done = true,
			    .ended = true,
			    .value = value,
			    .error = error },
		.posture = { .mounts = mounts, .mounts_len = ARRAY_LEN(mounts) },
		.host = { .landlock_abi = 7 },
		.decoys = { .denied = "/denied" },
	};
	snprintf(scene->target.text, sizeof(scene->target.text), "%s", text);
	scene->spec.process.landlock.set = true;
	scene->spec.process.landlock.handled_fs = landlock_abis[7].fs;
}

static const struct selftest_case *find(const char *id)
{
	const struct selftest_case *const tables[] = { cases_files, cases_landlock, cases_procfs };

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		for (const struct selftest_case *row = tables[i]; *row->id; row++)
			if (strcmp(row->id, id) == 0)
				return row;
	fail_msg("no row %s", id);
	return NULL;
}

/* "pass", "fail", or the verdict that the judge gave. */
static const char *judge(const struct scene *scene, const char *id)
{
	struct result result = { .row = find(id) };
	const struct evidence evidence = { .target = &scene->target,
					   .posture = &scene->posture,
					   .spec = &scene->spec,
					   .host = &scene->host,
					   .decoys = &scene->decoys,
					   .cgroup = -1 };
	bool contained = judge_row(&evidence, &result);

	if (result.verdict == VERDICT_NOT_APPLICABLE)
		return "not applicable";
	if (result.verdict == VERDICT_INCONCLUSIVE)
		return "inconclusive";
	return contained ? "pass" : "fail";
}

static void landlock_contained_or_not(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene, -1, EACCES, "pair=ok");
	assert_string_equal(judge(&scene, "fs.ll-make_dir"), "pass");
	assert_string_equal(judge(&scene, "fs.ll-dotdot"), "pass");
	set_scene(&scene, 0, 0, "pair=ok");
	assert_string_equal(judge(&scene, "fs.ll-make_dir"), "fail");
	scene.spec.process.landlock.set = false;
	assert_string_equal(judge(&scene, "fs.ll-make_dir"), "fail");
	assert_string_equal(judge(&scene, "fs.ll-handled"), "fail");
}

static void landlock_proves_nothing(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene, -1, ECANCELED, "pair=EPERM");
	assert_string_equal(judge(&scene, "fs.ll-make_dir"), "inconclusive");
	/* a canary that says no more than an errno */
	set_scene(&scene, -1, EACCES, "");
	assert_string_equal(judge(&scene, "fs.ll-make_dir"), "inconclusive");
	set_scene(&scene, 0, 0, "pair=ok");
	scene.host.landlock_abi = 4;
	assert_string_equal(judge(&scene, "fs.ll-ioctl_dev"), "not applicable");
	assert_string_equal(judge(&scene, "fs.ll-make_dir"), "fail");
}

static void landlock_grants(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene, 0, 0, "pair=ok");
	scene.rule.allowed = landlock_fs_read_execute;
	scene.rule.paths.item = (void *)denied_paths;
	scene.rule.paths.len = 1;
	scene.spec.process.landlock.path_beneath.item = &scene.rule;
	scene.spec.process.landlock.path_beneath.len = 1;
	assert_string_equal(judge(&scene, "fs.ll-read_file"), "not applicable");
	assert_string_equal(judge(&scene, "fs.ll-write_file"), "fail");
}

static void landlock_rights_not_handled(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene, 0, 0, "");
	assert_string_equal(judge(&scene, "fs.ll-handled"), "pass");
	scene.spec.process.landlock.handled_fs = landlock_fs_read_execute;
	assert_string_equal(judge(&scene, "fs.ll-handled"), "fail");
	assert_string_equal(judge(&scene, "fs.ll-abi"), "pass");
}

/* What another layer refuses does not make up for a read-only root that was asked for. */
static void root_must_be_read_only(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene, -1, EACCES, "");
	scene.posture.mounts_len = 0;
	assert_string_equal(judge(&scene, "fs.ro-root"), "pass");
	scene.spec.root.readonly = true;
	assert_string_equal(judge(&scene, "fs.ro-root"), "inconclusive");
	scene.posture.mounts_len = ARRAY_LEN(mounts);
	assert_string_equal(judge(&scene, "fs.ro-root"), "pass");
	scene.posture.mounts = &mounts[1];
	mounts[1].destination = "/";
	scene.posture.mounts_len = 1;
	assert_string_equal(judge(&scene, "fs.ro-root"), "fail");
	mounts[1].destination = "/tmp";
}

static void paths_must_be_read_only(void **state)
{
	/* clang-format off */
	struct posture_mount covered[] = {
		mounts[2], { .id = 4, .destination = "/proc/sys", .type = "proc", .options = "ro", .super_options = "rw" },
	};
	/* clang-format on */
	struct scene scene;

	(void)state;
	set_scene(&scene, -1, EACCES, "");
	assert_string_equal(judge(&scene, "proc.ro-core_pattern"), "fail");
	/* its mode refuses before the mount is looked at */
	scene.posture.mounts = covered;
	scene.posture.mounts_len = ARRAY_LEN(covered);
	assert_string_equal(judge(&scene, "proc.ro-core_pattern"), "pass");
	set_scene(&scene, -1, EROFS, "");
	assert_string_equal(judge(&scene, "proc.ro-core_pattern"), "pass");
}

static void directories_of_the_host(void **state)
{
	char *options[] = { "ro", "rbind" };
	struct spec_mount mount = { .destination = "/data", .source = "/etc" };
	struct scene scene;

	(void)state;
	set_scene(&scene, 0, 0, "");
	assert_string_equal(judge(&scene, "fs.bound"), "pass");
	scene.spec.mounts.item = &mount;
	scene.spec.mounts.len = 1;
	assert_string_equal(judge(&scene, "fs.bound"), "pass"); /* not bound */
	mount.options.item = (void *)options;
	mount.options.len = ARRAY_LEN(options);
	assert_string_equal(judge(&scene, "fs.bound"), "fail");
	mount.destination = "/denied"; /* our own */
	assert_string_equal(judge(&scene, "fs.bound"), "pass");
	mount.destination = "/data";
	mount.source = "/dev/null"; /* no directory */
	assert_string_equal(judge(&scene, "fs.bound"), "pass");
}

static void masks(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene, -1, ENODATA, "masked=null");
	assert_string_equal(judge(&scene, "proc.masked-interrupts"), "pass");
	set_scene(&scene, 0, 0, "read=64");
	assert_string_equal(judge(&scene, "proc.masked-interrupts"), "fail");
	/* no Linux since 4.11 has it */
	assert_string_equal(judge(&scene, "proc.masked-timer_stats"), "not applicable");
}

static void mount_flags(void **state)
{
	static char *options[] = { "nosuid", "noexec" };
	struct spec_mount mount = { .destination = "/tmp", .type = "tmpfs" };
	struct scene scene;

	(void)state;
	set_scene(&scene, 0, 0, "");
	mount.options.item = (void *)options;
	mount.options.len = ARRAY_LEN(options);
	scene.spec.mounts.item = &mount;
	scene.spec.mounts.len = 1;
	assert_string_equal(judge(&scene, "fs.nosuid"), "pass");
	assert_string_equal(judge(&scene, "fs.noexec"), "fail");
	assert_string_equal(judge(&scene, "fs.nodev"), "not applicable");
}

static void devices(void **state)
{
	struct spec_device device = {
		.type = 'c', .path = "/dev/fuse", .major = { true, 10 }, .minor = { true, 229 }
	};
	struct scene scene;

	(void)state;
	set_scene(&scene, 3, 0, "c1:3 c5:0 c10:229");
	assert_string_equal(judge(&scene, "dev.list"), "fail");
	scene.spec.linux.devices.item = &device;
	scene.spec.linux.devices.len = 1;
	assert_string_equal(judge(&scene, "dev.list"), "pass");
	scene.target.value = 4; /* more than there was room to say */
	assert_string_equal(judge(&scene, "dev.list"), "fail");
	set_scene(&scene, 2, 0, "c1:3 nonsense");
	assert_string_equal(judge(&scene, "dev.list"), "fail");
	set_scene(&scene, 0, 0, "device=0:0 node=5:1");
	assert_string_equal(judge(&scene, "dev.console"), "fail");
	set_scene(&scene, 0, 0, "device=0:0 node=136:0");
	assert_string_equal(judge(&scene, "dev.console"), "pass");
}

static void owners(void **state)
{
	struct posture_thread thread = { .uid = { 1, 1, 1, 100005 }, .gid = { 1, 1, 1, 100005 } };
	struct scene scene;

	(void)state;
	set_scene(&scene, 0, 0, "");
	scene.posture.threads = &thread;
	scene.posture.threads_len = 1;
	scene.posture.uid_map = scene.posture.gid_map = "         0     100000      65536\n";
	scene.spec.process.user.uid = scene.spec.process.user.gid = 5;
	assert_string_equal(judge(&scene, "fs.ids"), "pass");
	scene.posture.uid_map = "0 0 4294967295\n";
	assert_string_equal(judge(&scene, "fs.ids"), "fail");
	scene.posture.uid_map = "nonsense";
	assert_string_equal(judge(&scene, "fs.ids"), "fail");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(landlock_contained_or_not),
		cmocka_unit_test(landlock_proves_nothing),
		cmocka_unit_test(landlock_grants),
		cmocka_unit_test(landlock_rights_not_handled),
		cmocka_unit_test(root_must_be_read_only),
		cmocka_unit_test(paths_must_be_read_only),
		cmocka_unit_test(directories_of_the_host),
		cmocka_unit_test(masks),
		cmocka_unit_test(mount_flags),
		cmocka_unit_test(devices),
		cmocka_unit_test(owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
