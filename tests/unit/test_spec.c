/*
 * spec/spec.c, check.c, landlock.c, default.c: every property once, every refusal by its text, both
 * spellings of Landlock, and a default that decodes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/array.h"
#include "runtime/base/file.h"
#include "spec/names.h"
#include "spec/spec.h"

/* clang-format off */
#define JSON(...) #__VA_ARGS__

static const char everything[] = JSON(
{
	"ociVersion": "1.3.0-rc.1+build.5",
	"root": { "path": "rootfs", "readonly": true },
	"process": {
		"terminal": true,
		"consoleSize": { "height": 24, "width": 80 },
		"cwd": "/home",
		"env": ["A=b", "C="],
		"args": ["sh", "-c", ""],
		"user": { "uid": 1, "gid": 2, "umask": 63, "additionalGids": [3, 4294967294] },
		"capabilities": {
			"bounding": ["CAP_CHOWN", "CAP_CHECKPOINT_RESTORE"],
			"effective": ["CAP_CHOWN"],
			"inheritable": ["CAP_KILL"],
			"permitted": ["CAP_CHOWN", "CAP_FROM_THE_FUTURE"],
			"ambient": ["CAP_SETUID"]
		},
		"rlimits": [
			{ "type": "RLIMIT_NOFILE", "soft": 1024, "hard": 18446744073709551615 },
			{ "type": "RLIMIT_CORE", "soft": 0, "hard": 0 }
		],
		"noNewPrivileges": true,
		"oomScoreAdj": -1000,
		"apparmorProfile": "profile",
		"selinuxLabel": "label",
		"scheduler": { "policy": "SCHED_DEADLINE", "flags": ["SCHED_FLAG_RECLAIM"], "runtime": 1, "deadline": 2, "period": 3 },
		"ioPriority": { "class": "IOPRIO_CLASS_BE", "priority": 7 },
		"commandLine": "of Windows, ignored"
	},
	"hostname": "host",
	"domainname": "domain",
	"mounts": [
		{ "destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid"], "uidMappings": [], "gidMappings": null },
		{ "destination": "relative/path" }
	],
	"hooks": {
		"prestart": [{ "path": "/a", "args": ["a", "b"], "env": ["X=y"], "timeout": 10 }],
		"createRuntime": [{ "path": "/b" }],
		"createContainer": [{ "path": "/c" }],
		"startContainer": [{ "path": "/d" }],
		"poststart": [{ "path": "/e" }],
		"poststop": [{ "path": "/f" }, { "path": "/g" }]
	},
	"annotations": { "k": "v", "empty": "" },
	"linux": {
		"namespaces": [{ "type": "user" }, { "type": "network", "path": "/run/netns/x" }, { "type": "time" }],
		"uidMappings": [{ "containerID": 0, "hostID": 100000, "size": 65536 }],
		"gidMappings": [{ "containerID": 0, "hostID": 200000, "size": 1 }],
		"timeOffsets": { "monotonic": { "secs": -5, "nanosecs": 999999999 }, "boottime": { "secs": 6 } },
		"devices": [{ "type": "c", "path": "/dev/fuse", "major": 10, "minor": 229, "fileMode": 438, "uid": 0, "gid": 7 }],
		"netDevices": {},
		"cgroupsPath": "/a/b",
		"resources": {
			"devices": [
				{ "allow": false },
				{ "allow": true, "type": "c", "major": 1, "minor": -1, "access": "rw" }
			],
			"memory": {
				"limit": 1, "reservation": -1, "swap": 3, "kernel": 4, "kernelTCP": 5, "swappiness": 100,
				"disableOOMKiller": true, "useHierarchy": true, "checkBeforeUpdate": true
			},
			"cpu": {
				"shares": 1, "quota": -1, "burst": 3, "period": 4, "realtimeRuntime": 5, "realtimePeriod": 6,
				"cpus": "0-3", "mems": "0", "idle": 1
			},
			"pids": { "limit": 0 },
			"blockIO": {
				"weight": 10, "leafWeight": 1000,
				"weightDevice": [{ "major": 8, "minor": 0, "weight": 500, "leafWeight": 300 }],
				"throttleReadBpsDevice": [{ "major": 8, "minor": 1, "rate": 1 }],
				"throttleWriteBpsDevice": [{ "major": 8, "minor": 2, "rate": 2 }],
				"throttleReadIOPSDevice": [{ "major": 8, "minor": 3, "rate": 3 }],
				"throttleWriteIOPSDevice": [{ "major": 8, "minor": 4, "rate": 18446744073709551615 }]
			},
			"hugepageLimits": [{ "pageSize": "2MB", "limit": 9007199254740993 }],
			"network": { "classID": 1048577, "priorities": [{ "name": "eth0", "priority": 500 }] },
			"rdma": { "mlx5_1": { "hcaHandles": 3, "hcaObjects": 10000 }, "mlx4_0": { "hcaObjects": 0 } },
			"unified": { "memory.high": "max", "io.max": "" }
		},
		"intelRdt": null,
		"rootfsPropagation": "rslave",
		"maskedPaths": ["/proc/kcore"],
		"readonlyPaths": [],
		"mountLabel": "context",
		"personality": { "domain": "LINUX32", "flags": [] },
		"sysctl": { "net.ipv4.ip_forward": "1" },
		"memoryPolicy": { "mode": "MPOL_BIND", "nodes": "0-1", "flags": ["MPOL_F_STATIC_NODES"] },
		"seccomp": {
			"defaultAction": "SCMP_ACT_ERRNO",
			"defaultErrnoRet": 4095,
			"architectures": ["SCMP_ARCH_X86_64"],
			"flags": [],
			"listenerPath": "/run/s",
			"listenerMetadata": "m",
			"syscalls": [
				{
					"names": ["a", "b"], "action": "SCMP_ACT_ALLOW",
					"args": [{ "index": 5, "value": 18446744073709551615, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ" }]
				},
				{ "names": ["c"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38 }
			]
		}
	},
	"vm": { "ignored": true }
});
/* clang-format on */

static struct spec *parse(struct arena *arena, const char *text)
{
	struct spec *spec;
	struct err err = { 0 };

	if (spec_parse(text, strlen(text), arena, &spec, &err) < 0)
		fail_msg("%s", err.text);
	return spec;
}

static char *encode(const struct spec *spec, struct arena *arena)
{
	return json_print(spec_encode(spec, arena), true, arena, NULL);
}

static void check_process(const struct spec_process *process)
{
	assert_true(process->set && process->terminal && process->no_new_privileges);
	assert_int_equal(process->console_size.height, 24);
	assert_int_equal(process->console_size.width, 80);
	assert_string_equal(process->cwd, "/home");
	assert_string_equal(process->env.item[1], "C=");
	assert_int_equal(process->args.len, 3);
	assert_null(process->args.item[3]);
	assert_int_equal(process->user.uid, 1);
	assert_int_equal(process->user.gid, 2);
	assert_int_equal(process->user.umask.value, 077);
	assert_int_equal(process->user.additional_gids.item[1], UINT32_MAX - 1);
	assert_true(process->capabilities.bounding == (1ULL | 1ULL << 40));
	assert_int_equal(process->capabilities.permitted, 1);
	assert_int_equal(process->capabilities.effective, 1);
	assert_int_equal(process->capabilities.inheritable, 1 << 5);
	assert_int_equal(process->capabilities.ambient, 1 << 7);
	assert_int_equal(process->rlimits.item[0].type, RLIMIT_NOFILE);
	assert_int_equal(process->rlimits.item[0].soft, 1024);
	assert_true(process->rlimits.item[0].hard == RLIM_INFINITY);
	assert_true(process->oom_score_adj.set && process->oom_score_adj.value == -1000);
	assert_string_equal(process->apparmor_profile, "profile");
	assert_string_equal(process->selinux_label, "label");
	assert_true(process->scheduler.set && process->io_priority.set);
	assert_int_equal(process->scheduler.policy, 6);
	assert_int_equal(process->scheduler.flags, 2);
	assert_int_equal(process->scheduler.period, 3);
	assert_int_equal(process->io_priority.class, 2);
	assert_int_equal(process->io_priority.priority, 7);
	assert_false(process->landlock.set);
}

static void check_resources(const struct spec_resources *resources)
{
	const struct spec_device_rule *rule = resources->devices.item;

	assert_int_equal(rule[0].type, 'a');
	assert_false(rule[0].allow || rule[0].major.set);
	assert_null(rule[0].access);
	assert_int_equal(rule[1].type, 'c');
	assert_true(rule[1].allow && rule[1].major.set && rule[1].major.value == 1);
	assert_false(rule[1].minor.set);
	assert_string_equal(rule[1].access, "rw");
	assert_int_equal(resources->memory.limit.value, 1);
	assert_int_equal(resources->memory.reservation.value, -1);
	assert_int_equal(resources->memory.kernel_tcp.value, 5);
	assert_int_equal(resources->memory.swappiness.value, 100);
	assert_true(resources->memory.check_before_update);
	assert_int_equal(resources->cpu.quota.value, -1);
	assert_int_equal(resources->cpu.realtime_period.value, 6);
	assert_string_equal(resources->cpu.cpus, "0-3");
	assert_true(resources->pids_limit.set && resources->pids_limit.value == 0);
	assert_int_equal(resources->block_io.leaf_weight.value, 1000);
	assert_int_equal(resources->block_io.weight_device.item[0].leaf_weight.value, 300);
	assert_int_equal(resources->block_io.read_bps.item[0].minor, 1);
	assert_int_equal(resources->block_io.write_bps.item[0].minor, 2);
	assert_int_equal(resources->block_io.read_iops.item[0].minor, 3);
	assert_true(resources->block_io.write_iops.item[0].rate == UINT64_MAX);
	assert_true(resources->hugepage_limits.item[0].limit == 9007199254740993);
	assert_int_equal(resources->network_class_id.value, 1048577);
	assert_true(resources->network_priorities);
	assert_string_equal(resources->rdma.item[0].device, "mlx5_1");
	assert_true(resources->rdma.item[1].hca_objects.set);
	assert_false(resources->rdma.item[1].hca_handles.set);
	assert_string_equal(resources->unified.item[0].key, "memory.high");
}

static void check_linux(const struct spec_linux *linux)
{
	assert_int_equal(linux->namespaces.item[0].type, CLONE_NEWUSER);
	assert_null(linux->namespaces.item[0].path);
	assert_string_equal(linux->namespaces.item[1].path, "/run/netns/x");
	assert_int_equal(linux->uid_mappings.item[0].host_id, 100000);
	assert_int_equal(linux->gid_mappings.item[0].host_id, 200000);
	assert_true(linux->time_offsets.set);
	assert_int_equal(linux->time_offsets.monotonic.secs, -5);
	assert_int_equal(linux->time_offsets.boottime.secs, 6);
	assert_int_equal(linux->devices.item[0].type, 'c');
	assert_int_equal(linux->devices.item[0].minor.value, 229);
	assert_int_equal(linux->devices.item[0].file_mode.value, 0666);
	assert_int_equal(linux->devices.item[0].gid.value, 7);
	assert_string_equal(linux->cgroups_path, "/a/b");
	assert_int_equal(linux->rootfs_propagation, MS_SLAVE | MS_REC);
	assert_string_equal(linux->masked_paths.item[0], "/proc/kcore");
	assert_string_equal(linux->mount_label, "context");
	assert_int_equal(linux->personality.domain, 8);
	assert_string_equal(linux->sysctl.item[0].value, "1");
	assert_int_equal(linux->memory_policy.mode, 2);
	assert_int_equal(linux->memory_policy.flags, 1 << 15);
	assert_string_equal(linux->memory_policy.nodes, "0-1");
	assert_true(linux->seccomp.set);
	assert_int_equal(linux->seccomp.default_errno_ret.value, 4095);
	assert_string_equal(linux->seccomp.listener_metadata, "m");
	assert_int_equal(linux->seccomp.syscalls.item[0].names.len, 2);
	assert_true(linux->seccomp.syscalls.item[0].args.item[0].value == UINT64_MAX);
	assert_int_equal(linux->seccomp.syscalls.item[0].args.item[0].value_two, 1);
	assert_int_equal(linux->seccomp.syscalls.item[1].errno_ret.value, 38);
}

static void test_everything(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct spec *spec = parse(arena, everything);
	char *once = encode(spec, arena);

	(void)state;
	assert_string_equal(spec->oci_version, "1.3.0-rc.1+build.5");
	assert_true(spec->root.readonly);
	assert_string_equal(spec->root.path, "rootfs");
	assert_string_equal(spec->hostname, "host");
	assert_string_equal(spec->domainname, "domain");
	assert_string_equal(spec->mounts.item[0].options.item[0], "nosuid");
	assert_string_equal(spec->mounts.item[1].destination, "/relative/path");
	assert_null(spec->mounts.item[1].type);
	assert_int_equal(spec->hooks.prestart.item[0].timeout, 10);
	assert_string_equal(spec->hooks.create_runtime.item[0].path, "/b");
	assert_string_equal(spec->hooks.create_container.item[0].path, "/c");
	assert_string_equal(spec->hooks.start_container.item[0].path, "/d");
	assert_string_equal(spec->hooks.poststart.item[0].path, "/e");
	assert_int_equal(spec->hooks.poststop.len, 2);
	assert_string_equal(spec->annotations.item[1].value, "");
	check_process(&spec->process);
	check_linux(&spec->linux);
	check_resources(&spec->linux.resources);

	spec = parse(arena, once);
	assert_string_equal(encode(spec, arena), once);
	check_process(&spec->process);
	check_linux(&spec->linux);
	check_resources(&spec->linux.resources);
	arena_free(arena);
}

/* What is not said is left out, and what remains is enough. */
#define MINIMAL                                                                        \
	"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"process\":{\"cwd\":\"/" \
	"\",\"args\":[\"a\"]}}"

static void test_minimal(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct spec *spec = parse(arena, MINIMAL);

	(void)state;
	assert_null(spec->hostname);
	assert_int_equal(spec->mounts.len, 0);
	assert_int_equal(spec->process.capabilities.bounding, 0);
	assert_int_equal(spec->linux.rootfs_propagation, 0);
	assert_false(spec->linux.seccomp.set);
	assert_false(spec->linux.time_offsets.set || spec->linux.resources.pids_limit.set);
	arena_free(arena);
}

/* clang-format off */
static const struct {
	const char *patch, *error; /* merged into MINIMAL; error NULL: accepted */
} patches[] = {
	{ "{\"ociVersion\":null}",           "ociVersion: is required" },
	{ "{\"ociVersion\":\"1.0.0\"}",      NULL },
	{ "{\"ociVersion\":\"1.99.12\"}",    NULL },
	{ "{\"ociVersion\":\"1.1.0-rc.1\"}", NULL },
	{ "{\"ociVersion\":\"1.0.2-dev\"}",  NULL },
	{ "{\"ociVersion\":\"1.0.0+a\"}",    NULL },
#define VERSION(v) { "{\"ociVersion\":\"" v "\"}", "ociVersion: '" v "' is not a version 1.x.y of the specification" }
	VERSION("2.0.0"), VERSION("0.5.0"), VERSION("1"), VERSION("1.0"), VERSION("1.0."), VERSION("1..0"), VERSION("1.0.0."),
	VERSION("1.0.0x"), VERSION("1.0.0-"), VERSION("01.0.0"), VERSION("1.00.0"), VERSION("1.0.00"), VERSION("10.0.0"),
	VERSION("v1.0.0"), VERSION("1.0.0-a b"),
	{ "{\"root\":null}",                 "root: is required" },
	{ "{\"root\":{\"path\":\"\"}}",      "root.path: must not be empty" },
	{ "{\"process\":null}",              "process: is required to create a container" },
	{ "{\"mounts\":[{}]}",               "mounts[0].destination: is required" },
	{ "{\"mounts\":[{\"destination\":\"/a\",\"uidMappings\":[{}]}]}", "mounts[0].uidMappings: is not supported yet by agentd" },
	{ "{\"mounts\":[{\"destination\":\"/a\",\"gidMappings\":[{}]}]}", "mounts[0].gidMappings: is not supported yet by agentd" },
	{ "{\"annotations\":{\"a\":1}}",     "annotations[\"a\"]: expected a string, found a number" },
	{ "{\"annotations\":{\"\":\"\"}}",   "annotations: a key must not be empty" },
	{ "{\"hooks\":{\"poststop\":[{\"path\":\"x\"}]}}", "hooks.poststop[0].path: 'x' is not an absolute path" },
	{ "{\"hooks\":{\"prestart\":[{\"path\":\"/x\",\"timeout\":0}]}}", "hooks.prestart[0].timeout: 0 is not in the range 1 to 2147483647" },
	{ "{\"hooks\":{\"prestart\":[{\"path\":\"/x\",\"timeout\":-1}]}}", "hooks.prestart[0].timeout: -1 is not in the range 1 to 2147483647" },
#define PROCESS(p) "{\"process\":{" p "}}"
	{ PROCESS("\"cwd\":null"),           "process.cwd: is required" },
	{ PROCESS("\"cwd\":\"a\""),          "process.cwd: 'a' is not an absolute path" },
	{ PROCESS("\"args\":null"),          "process.args: is required: at least the program to run" },
	{ PROCESS("\"args\":[]"),            "process.args: is required: at least the program to run" },
	{ PROCESS("\"args\":[\"\"]"),        "process.args: the name of the program is empty" },
	{ PROCESS("\"env\":[\"A=b\",\"FOO\"]"), "process.env[1]: 'FOO' is not of the form NAME=VALUE" },
	{ PROCESS("\"env\":[\"=x\"]"),       "process.env[0]: '=x' has no name" },
	{ PROCESS("\"env\":[\"\"]"),         "process.env[0]: '' is not of the form NAME=VALUE" },
	{ PROCESS("\"user\":{\"gid\":0}"),   "process.user.uid: is required" },
	{ PROCESS("\"user\":{\"uid\":0}"),   "process.user.gid: is required" },
	{ PROCESS("\"user\":{\"uid\":4294967295,\"gid\":0}"), "process.user.uid: 4294967295 is not in the range 0 to 4294967294; 4294967295 means \"no change\" to the kernel" },
	{ PROCESS("\"user\":{\"uid\":-1,\"gid\":0}"), "process.user.uid: -1 is not in the range 0 to 4294967294; 4294967295 means \"no change\" to the kernel" },
	{ PROCESS("\"user\":{\"uid\":1.0,\"gid\":0}"), "process.user.uid: 1.0 is not an integer" },
	{ PROCESS("\"user\":{\"uid\":0,\"gid\":0,\"umask\":512}"), "process.user.umask: 512 is not in the range 0 to 511" },
	{ PROCESS("\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[1,\"2\"]}"), "process.user.additionalGids[1]: expected an integer, found a string" },
	{ PROCESS("\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",1]}"), "process.capabilities.bounding[1]: expected a string, found a number" },
	{ PROCESS("\"capabilities\":{\"bounding\":[\"CAP_FOO\"]}"), NULL },
	{ PROCESS("\"rlimits\":[{\"type\":\"RLIMIT_FOO\",\"soft\":0,\"hard\":0}]"), "process.rlimits[0].type: unknown name 'RLIMIT_FOO'" },
	{ PROCESS("\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"hard\":0}]"), "process.rlimits[0].soft: is required" },
	{ PROCESS("\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1}]"), "process.rlimits[0]: RLIMIT_CPU: the soft limit is above the hard limit" },
	{ PROCESS("\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1},{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1}]"), "process.rlimits[1]: RLIMIT_CPU is there twice" },
	{ PROCESS("\"oomScoreAdj\":1001"),   "process.oomScoreAdj: 1001 is not in the range -1000 to 1000" },
	{ PROCESS("\"execCPUAffinity\":{\"initial\":\"0\"}"), "process.execCPUAffinity: is not supported yet by agentd" },
#define SCHEDULER(s) PROCESS("\"scheduler\":{\"policy\":\"SCHED_" s "}")
	{ PROCESS("\"scheduler\":{}"),       "process.scheduler.policy: is required" },
	{ SCHEDULER("FOO\""),                "process.scheduler.policy: unknown name 'SCHED_FOO'" },
	{ SCHEDULER("OTHER\",\"nice\":19"),  NULL },
	{ SCHEDULER("BATCH\",\"nice\":-20"), NULL },
	{ SCHEDULER("OTHER\",\"nice\":20"),  "process.scheduler.nice: 20 is not in the range -20 to 19" },
	{ SCHEDULER("IDLE\",\"nice\":1"),    "process.scheduler: nice means nothing with SCHED_IDLE" },
	{ SCHEDULER("OTHER\",\"priority\":1"), "process.scheduler: priority means nothing with SCHED_OTHER" },
	{ SCHEDULER("FIFO\",\"priority\":1"), NULL },
	{ SCHEDULER("RR\",\"priority\":99"), NULL },
	{ SCHEDULER("RR\""),                 "process.scheduler: SCHED_RR needs a priority of 1 to 99" },
	{ SCHEDULER("FIFO\",\"priority\":1,\"runtime\":1"), "process.scheduler: runtime, deadline and period mean nothing with SCHED_FIFO" },
	{ SCHEDULER("OTHER\",\"deadline\":1"), "process.scheduler: runtime, deadline and period mean nothing with SCHED_OTHER" },
	{ SCHEDULER("OTHER\",\"period\":1"), "process.scheduler: runtime, deadline and period mean nothing with SCHED_OTHER" },
	{ SCHEDULER("OTHER\",\"flags\":[\"X\"]"), "process.scheduler.flags[0]: unknown name 'X'" },
	{ PROCESS("\"ioPriority\":{\"class\":\"IOPRIO_CLASS_NONE\"}"), "process.ioPriority.class: unknown name 'IOPRIO_CLASS_NONE'" },
	{ PROCESS("\"ioPriority\":{\"class\":\"IOPRIO_CLASS_RT\",\"priority\":8}"), "process.ioPriority.priority: 8 is not in the range 0 to 7" },
#define LINUX(l) "{\"linux\":{" l "}}"
	{ LINUX("\"netDevices\":{\"eth0\":{}}"), "linux.netDevices: is not supported yet by agentd" },
	{ LINUX("\"intelRdt\":{\"closID\":\"a\"}"), "linux.intelRdt: is not supported yet by agentd" },
	{ LINUX("\"namespaces\":[{\"type\":\"foo\"}]"), "linux.namespaces[0].type: unknown name 'foo'" },
	{ LINUX("\"namespaces\":[{\"type\":\"pid\",\"path\":\"x\"}]"), "linux.namespaces[0].path: 'x' is not an absolute path" },
	{ LINUX("\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]"), "linux.namespaces[1]: pid is there twice" },
	{ LINUX("\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]"), "linux.gidMappings: is required where linux.uidMappings is given" },
	{ LINUX("\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]"), "linux.uidMappings: is required where linux.gidMappings is given" },
	{ LINUX("\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":0}]"), "linux.uidMappings[0].size: 0 is not in the range 1 to 4294967295" },
	{ LINUX("\"uidMappings\":[{\"containerID\":1,\"hostID\":0,\"size\":4294967295}],\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]"), "linux.uidMappings[0]: reaches beyond the largest id" },
	{ LINUX("\"timeOffsets\":{\"realtime\":{\"secs\":1}}"), "linux.timeOffsets: unknown key 'realtime'" },
	{ LINUX("\"timeOffsets\":{\"boottime\":{\"nanosecs\":1000000000}}"), "linux.timeOffsets.boottime.nanosecs: 1000000000 is not in the range 0 to 999999999" },
	{ LINUX("\"devices\":[{\"type\":\"a\",\"path\":\"/dev/x\"}]"), "linux.devices[0].type: unknown name 'a'" },
	{ LINUX("\"devices\":[{\"type\":\"c\",\"path\":\"x\"}]"), "linux.devices[0].path: 'x' is not an absolute path" },
	{ LINUX("\"devices\":[{\"type\":\"b\",\"path\":\"/dev/x\",\"major\":4096}]"), "linux.devices[0].major: 4096 is not in the range 0 to 4095" },
	{ LINUX("\"devices\":[{\"type\":\"b\",\"path\":\"/dev/x\",\"minor\":1048576}]"), "linux.devices[0].minor: 1048576 is not in the range 0 to 1048575" },
	{ LINUX("\"devices\":[{\"type\":\"p\",\"path\":\"/x\"},{\"type\":\"c\",\"path\":\"/y\",\"minor\":1}]"), "linux.devices[1].major: is required, but for a FIFO (type 'p')" },
	{ LINUX("\"devices\":[{\"type\":\"b\",\"path\":\"/x\",\"major\":8}]"), "linux.devices[0].minor: is required, but for a FIFO (type 'p')" },
	{ LINUX("\"rootfsPropagation\":\"foo\""), "linux.rootfsPropagation: unknown name 'foo'" },
	{ LINUX("\"maskedPaths\":[\"x\"]"),  "linux.maskedPaths[0]: 'x' is not an absolute path" },
	{ LINUX("\"readonlyPaths\":[\"\"]"), "linux.readonlyPaths[0]: '' is not an absolute path" },
	{ LINUX("\"personality\":{\"domain\":\"LINUX64\"}"), "linux.personality.domain: unknown name 'LINUX64'" },
	{ LINUX("\"personality\":{\"domain\":\"LINUX\",\"flags\":[\"x\"]}"), "linux.personality.flags: is not supported yet by agentd" },
	{ LINUX("\"memoryPolicy\":{\"mode\":\"MPOL_FOO\"}"), "linux.memoryPolicy.mode: unknown name 'MPOL_FOO'" },
	{ LINUX("\"seccomp\":{}"),           "linux.seccomp.defaultAction: is required" },
#define SECCOMP(s) LINUX("\"seccomp\":{\"defaultAction\":\"X\"," s "}")
	{ SECCOMP("\"listenerMetadata\":\"x\""), "linux.seccomp.listenerMetadata: needs linux.seccomp.listenerPath" },
	{ SECCOMP("\"listenerPath\":\"x\""), "linux.seccomp.listenerPath: 'x' is not an absolute path" },
	{ SECCOMP("\"defaultErrnoRet\":4096"), "linux.seccomp.defaultErrnoRet: 4096 is not in the range 0 to 4095" },
	{ SECCOMP("\"syscalls\":[{\"names\":[],\"action\":\"X\"}]"), "linux.seccomp.syscalls[0].names: must not be empty" },
	{ SECCOMP("\"syscalls\":[{\"names\":[\"a\"]}]"), "linux.seccomp.syscalls[0].action: is required" },
	{ SECCOMP("\"syscalls\":[{\"names\":[\"a\"],\"action\":\"X\",\"args\":[{\"index\":6,\"value\":0,\"op\":\"X\"}]}]"), "linux.seccomp.syscalls[0].args[0].index: 6 is not in the range 0 to 5" },
	{ SECCOMP("\"syscalls\":[{\"names\":[\"a\"],\"action\":\"X\",\"args\":[{\"index\":0,\"op\":\"X\"}]}]"), "linux.seccomp.syscalls[0].args[0].value: is required" },
	{ SECCOMP("\"syscalls\":[{\"names\":[\"a\"],\"action\":\"X\",\"args\":[{\"index\":0,\"value\":0}]}]"), "linux.seccomp.syscalls[0].args[0].op: is required" },
#define RESOURCES(r) LINUX("\"resources\":{" r "}")
	{ RESOURCES("\"devices\":[{}]"),     "linux.resources.devices[0].allow: is required" },
	{ RESOURCES("\"devices\":[{\"allow\":true,\"access\":\"rx\"}]"), "linux.resources.devices[0].access: 'rx' is not made of r, w and m" },
	{ RESOURCES("\"devices\":[{\"allow\":true,\"access\":\"\"}]"), "linux.resources.devices[0].access: must not be empty" },
	{ RESOURCES("\"devices\":[{\"allow\":true,\"major\":-2}]"), "linux.resources.devices[0].major: -2 is not in the range -1 to 4095" },
	{ RESOURCES("\"devices\":[{\"allow\":true,\"type\":\"p\"}]"), "linux.resources.devices[0].type: unknown name 'p'" },
	{ RESOURCES("\"memory\":{\"limit\":-2}"), "linux.resources.memory.limit: -2 is not in the range -1 to 9223372036854775807" },
	{ RESOURCES("\"blockIO\":{\"weight\":9}"), "linux.resources.blockIO.weight: 9 is not in the range 10 to 1000" },
	{ RESOURCES("\"hugepageLimits\":[{\"pageSize\":\"2M\",\"limit\":0}]"), "linux.resources.hugepageLimits[0].pageSize: '2M' is not a size such as 64KB, 2MB or 1GB" },
	{ RESOURCES("\"hugepageLimits\":[{\"pageSize\":\"02MB\",\"limit\":0}]"), "linux.resources.hugepageLimits[0].pageSize: '02MB' is not a size such as 64KB, 2MB or 1GB" },
	{ RESOURCES("\"hugepageLimits\":[{\"pageSize\":\"1GB\"}]"), "linux.resources.hugepageLimits[0].limit: is required" },
	{ RESOURCES("\"unified\":{\"../x\":\"\"}"), "linux.resources.unified: '../x' is not the name of a file of a cgroup" },
	{ RESOURCES("\"unified\":{\"cgroup.procs\":\"1\"}"), "linux.resources.unified: 'cgroup.procs' is no setting of a cgroup" },
	{ RESOURCES("\"unified\":{\"cgroup.freeze\":\"1\"}"), "linux.resources.unified: 'cgroup.freeze' is no setting of a cgroup" },
	{ RESOURCES("\"unified\":{\"..\":\"\"}"), "linux.resources.unified: '..' is not the name of a file of a cgroup" },
	{ RESOURCES("\"rdma\":{\"a\":{\"hcaHandles\":4294967296}}"), "linux.resources.rdma[\"a\"].hcaHandles: 4294967296 is not in the range 0 to 4294967295" },
};
/* clang-format on */

/* MINIMAL with a patch merged into it, as text. */
static char *patched(struct arena *arena, const char *patch)
{
	struct json *base, *change;
	struct err err = { 0 };

	if (json_parse(MINIMAL, strlen(MINIMAL), arena, &base, &err) < 0 ||
	    json_parse(patch, strlen(patch), arena, &change, &err) < 0)
		fail_msg("%s: %s", patch, err.text);
	return json_print(json_merge(base, change, arena), false, arena, NULL);
}

static void expect(const char *text, const char *error)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct spec *spec;
	struct err err = { 0 };

	if (spec_parse(text, strlen(text), arena, &spec, &err) == 0) {
		if (error)
			fail_msg("accepted: %s", text);
	} else if (!error) {
		fail_msg("%s: %s", text, err.text);
	} else {
		assert_string_equal(err.text, error);
	}
	arena_free(arena);
}

static void test_patches(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(patches); i++) {
		struct arena *arena = arena_new(ARENA_LIMIT);

		expect(patched(arena, patches[i].patch), patches[i].error);
		arena_free(arena);
	}
	expect("[]", "expected an object, found an array");
	expect("", "line 1, column 1: parse error: premature EOF");
}

/* Landlock */

/* clang-format off */
#define HANDLED "\"ruleset\":[{\"handledAccessFs\":[\"abi.all\"],\"handledAccessNet\":[\"abi.all\"],\"scoped\":[\"abi.all\"]}]"

static const struct {
	const char *landlock, *error;
} landlocks[] = {
	{ "{" HANDLED "}", NULL },
	{ "{\"ruleset\":{\"handledAccessFs\":[\"execute\"]}}", NULL },
	{ "{}",                            "process.landlock: handles nothing; ruleset must say what is forbidden unless a rule allows it, for example {\"handledAccessFs\":[\"abi.all\"]}" },
	{ "{\"pathBeneath\":[{\"allowedAccess\":[\"execute\"],\"parent\":[\"/\"]}]}", "process.landlock: handles nothing; ruleset must say what is forbidden unless a rule allows it, for example {\"handledAccessFs\":[\"abi.all\"]}" },
	{ "{\"ruleset\":[]}",              "process.landlock: handles nothing; ruleset must say what is forbidden unless a rule allows it, for example {\"handledAccessFs\":[\"abi.all\"]}" },
	{ "[]",                            "process.landlock: expected an object, found an array" },
	{ "{\"mode\":\"soft\"," HANDLED "}", "process.landlock.mode: unknown name 'soft'" },
	{ "{\"abi\":11," HANDLED "}",      "process.landlock.abi: 11 is not in the range 1 to 10" },
	{ "{\"abi\":0," HANDLED "}",       "process.landlock.abi: 0 is not in the range 1 to 10" },
	{ "{\"ruleset\":1}",               "process.landlock.ruleset: expected an object or an array of objects, found a number" },
	{ "{\"ruleset\":[{\"handledAccessFs\":[\"read\"]}]}", "process.landlock.ruleset[0].handledAccessFs[0]: unknown name 'read'" },
	{ "{\"ruleset\":[{\"handledAccessNet\":[\"abi.read_write\"]}]}", "process.landlock.ruleset[0].handledAccessNet[0]: unknown name 'abi.read_write'" },
	{ "{\"ruleset\":[{\"scoped\":[true]}]}", "process.landlock.ruleset[0].scoped[0]: expected a word or a number, found true" },
	{ "{\"ruleset\":[{\"scoped\":[0]}]}", "process.landlock.ruleset[0].scoped[0]: 0 is not in the range 1 to 2305843009213693951" },
	{ "{" HANDLED ",\"pathBeneath\":[{\"parent\":[\"/\"]}]}", "process.landlock.pathBeneath[0].allowedAccess: is required" },
	{ "{" HANDLED ",\"pathBeneath\":[{\"allowedAccess\":[],\"parent\":[\"/\"]}]}", "process.landlock.pathBeneath[0].allowedAccess: must not be empty" },
	{ "{" HANDLED ",\"pathBeneath\":[{\"allowedAccess\":[\"execute\"],\"parent\":[]}]}", "process.landlock.pathBeneath[0].parent: must not be empty" },
	{ "{" HANDLED ",\"pathBeneath\":[{\"allowedAccess\":[\"execute\"],\"parent\":[\"a\"]}]}", "process.landlock.pathBeneath[0].parent[0]: 'a' is not an absolute path" },
	{ "{" HANDLED ",\"netPort\":[{\"allowedAccess\":[\"bind_tcp\"],\"port\":[65536]}]}", "process.landlock.netPort[0].port[0]: 65536 is not in the range 0 to 65535" },
	{ "{" HANDLED ",\"netPort\":[{\"allowedAccess\":[\"bind_tcp\"]}]}", "process.landlock.netPort[0].port: is required" },
	{ "{\"ruleset\":{\"handledAccessFs\":[\"read_file\"]},\"pathBeneath\":[{\"allowedAccess\":[\"read_file\",\"execute\"],\"parent\":[\"/\"]}]}", "process.landlock.pathBeneath[0].allowedAccess: allows execute, which the ruleset does not handle" },
	{ "{\"ruleset\":{\"handledAccessFs\":[\"read_file\"]},\"pathBeneath\":[{\"allowedAccess\":[1099511627776],\"parent\":[\"/\"]}]}", "process.landlock.pathBeneath[0].allowedAccess: allows 0x10000000000, which the ruleset does not handle" },
	{ "{\"ruleset\":{\"handledAccessNet\":[\"bind_tcp\"]},\"netPort\":[{\"allowedAccess\":[\"connect_tcp\"],\"port\":[1]}]}", "process.landlock.netPort[0].allowedAccess: allows connect_tcp, which the ruleset does not handle" },
	{ "{" HANDLED ",\"log\":{\"sameExec\":1}}", "process.landlock.log.sameExec: expected true or false, found a number" },
	{ "{" HANDLED ",\"enableBestEffort\":true}", "process.landlock: mixes two spellings; use mode, ruleset, pathBeneath and netPort, or handledAccess, rules and enableBestEffort" },
	/* the proposal */
	{ "{\"handledAccess\":{\"handledAccessFS\":[\"abi.all\"]}}", NULL },
	{ "{\"handledAccess\":{}}",        "process.landlock: handles nothing; ruleset must say what is forbidden unless a rule allows it, for example {\"handledAccessFs\":[\"abi.all\"]}" },
	{ "{\"handledAccess\":{\"handledAccessNetwork\":[\"listen\"]}}", "process.landlock.handledAccess.handledAccessNetwork[0]: unknown name 'listen'" },
	{ "{\"handledAccess\":{\"handledAccessNetwork\":[\"bind\"]},\"rules\":{\"networkPort\":[{\"allowedAccess\":[\"bind\"],\"ports\":[\"80x\"]}]}}", "process.landlock.rules.networkPort[0].ports[0]: 80x is not in the range 0 to 65535" },
	{ "{\"handledAccess\":{\"handledAccessNetwork\":[\"bind\"]},\"rules\":{\"networkPort\":[{\"allowedAccess\":[\"bind\"],\"ports\":[\"\"]}]}}", "process.landlock.rules.networkPort[0].ports[0]: expected an integer, found a string" },
	{ "{\"enableBestEffort\":1}",      "process.landlock.enableBestEffort: expected true or false, found a number" },
};
/* clang-format on */

static char *with_landlock(struct arena *arena, const char *landlock)
{
	return patched(arena,
		       arena_format(arena,
				    "{\"process\":{\"noNewPrivileges\":true,\"landlock\":%s}}",
				    landlock));
}

static void test_landlock_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(landlocks); i++) {
		struct arena *arena = arena_new(ARENA_LIMIT);

		expect(with_landlock(arena, landlocks[i].landlock), landlocks[i].error);
		arena_free(arena);
	}
	expect("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"process\":{\"cwd\":\"/\","
	       "\"args\":[\"a\"],\"landlock\":{" HANDLED "}}}",
	       "process.landlock: needs process.noNewPrivileges; set it to true");
}

/* clang-format off */
static const char ours[] = JSON({
	"mode": "bestEffort", "minimumAbi": 3, "abi": 4,
	"ruleset": [{ "handledAccessFs": ["abi.all"] }, { "handledAccessNet": ["bind_tcp", 2] }, { "scoped": ["signal"] }],
	"pathBeneath": [
		{ "allowedAccess": ["abi.read_execute"], "parent": ["/", "/usr"] },
		{ "allowedAccess": ["abi.read_write"], "parent": ["/tmp"] }
	],
	"netPort": [{ "allowedAccess": ["connect_tcp"], "port": [0, 65535] }],
	"log": { "sameExec": false, "newExec": true, "subdomains": false }
});

static const char proposal[] = JSON({
	"handledAccess": {
		"handledAccessFS": ["execute", "read_file", "read_dir", "write_file"],
		"handledAccessNetwork": ["bind", "connect"]
	},
	"rules": {
		"pathBeneath": [{ "allowedAccess": ["execute", "read_file"], "paths": ["/usr"] }],
		"networkPort": [{ "allowedAccess": ["bind"], "ports": [80, "443"] }]
	},
	"enableBestEffort": true
});
/* clang-format on */

static void test_landlock_ours(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct spec *spec = parse(arena, with_landlock(arena, ours));
	const struct spec_landlock *landlock = &spec->process.landlock;
	char *once = encode(spec, arena);

	(void)state;
	for (int pass = 0; pass < 2; pass++) {
		assert_true(landlock->set);
		assert_int_equal(landlock->mode, LANDLOCK_BEST_EFFORT);
		assert_int_equal(landlock->minimum_abi, 3);
		assert_int_equal(landlock->abi, 4);
		assert_int_equal(landlock->handled_fs, 0x7fff); /* without ioctl_dev, of ABI 5 */
		assert_int_equal(landlock->handled_net, 3);
		assert_int_equal(landlock->scoped, 2);
		assert_int_equal(landlock->path_beneath.len, 2);
		assert_int_equal(landlock->path_beneath.item[0].allowed, 0xd);
		assert_string_equal(landlock->path_beneath.item[0].paths.item[1], "/usr");
		assert_int_equal(landlock->path_beneath.item[1].allowed, 0x7ffe);
		assert_int_equal(landlock->net_port.item[0].allowed, 2);
		assert_int_equal(landlock->net_port.item[0].ports.item[1], 65535);
		assert_int_equal(landlock->restrict_flags, 7);
		spec = parse(arena, once);
		landlock = &spec->process.landlock;
	}
	assert_string_equal(encode(spec, arena), once);
	arena_free(arena);
}

static void test_landlock_proposal(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct spec *spec = parse(arena, with_landlock(arena, proposal));
	const struct spec_landlock *landlock = &spec->process.landlock;

	(void)state;
	/* what we write of it is our spelling */
	for (int pass = 0; pass < 2; pass++) {
		assert_int_equal(landlock->mode, LANDLOCK_BEST_EFFORT);
		assert_int_equal(landlock->handled_fs, 0xf);
		assert_int_equal(landlock->handled_net, 3);
		assert_int_equal(landlock->scoped, 0);
		assert_int_equal(landlock->path_beneath.item[0].allowed, 5);
		assert_string_equal(landlock->path_beneath.item[0].paths.item[0], "/usr");
		assert_int_equal(landlock->net_port.item[0].allowed, 1);
		assert_int_equal(landlock->net_port.item[0].ports.item[0], 80);
		assert_int_equal(landlock->net_port.item[0].ports.item[1], 443);
		spec = parse(arena, encode(spec, arena));
		landlock = &spec->process.landlock;
	}
	arena_free(arena);
}

/* Rights without a word survive as numbers; the log's defaults are no flags. */
static void test_landlock_numbers(void **state)
{
	static const char text[] = "{\"ruleset\":{\"handledAccessFs\":[1099511627777]},"
				   "\"log\":{\"sameExec\":true,\"newExec\":false,"
				   "\"subdomains\":true}}";
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct spec *spec = parse(arena, with_landlock(arena, text));

	(void)state;
	assert_int_equal(spec->process.landlock.mode, LANDLOCK_ENFORCE);
	assert_int_equal(spec->process.landlock.restrict_flags, 0);
	assert_true(spec->process.landlock.handled_fs == (1ULL << 40 | 1));
	spec = parse(arena, encode(spec, arena));
	assert_true(spec->process.landlock.handled_fs == (1ULL << 40 | 1));
	arena_free(arena);
}

static char *with_annotation(struct arena *arena, const char *value, const char *process)
{
	struct json *patch = json_object(NULL, NULL, arena);
	struct json *annotations = json_object(patch, "annotations", arena), *tree;
	struct err err = { 0 };

	json_string(annotations, "io.agentd.landlock", value, arena);
	if (json_parse(process, strlen(process), arena, &tree, &err) < 0)
		fail_msg("%s", err.text);
	json_add(patch, "process", tree);
	return patched(arena, json_print(patch, false, arena, NULL));
}

static void test_landlock_annotation(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	const char *safe = "{\"noNewPrivileges\":true}";
	struct spec *spec = parse(arena, with_annotation(arena, ours, safe));

	(void)state;
	assert_int_equal(spec->process.landlock.restrict_flags, 7);
	spec = parse(arena, encode(spec, arena));
	assert_int_equal(spec->process.landlock.restrict_flags, 7);
	assert_int_equal(spec->annotations.len, 1);

	expect(with_annotation(arena, "{\n}", "{}"),
	       "annotations[\"io.agentd.landlock\"]: handles nothing; ruleset must say what is "
	       "forbidden unless a rule allows it, for example "
	       "{\"handledAccessFs\":[\"abi.all\"]}");
	expect(with_annotation(arena, "{\n x", "{}"),
	       "annotations[\"io.agentd.landlock\"]: line 2, column 3: lexical error: invalid char "
	       "in json text.");
	expect(with_annotation(arena, "null", "{}"), NULL);
	expect(with_annotation(arena, "{\"mode\":1}", "{}"),
	       "annotations[\"io.agentd.landlock\"].mode: expected a string, found a number");
	expect(with_annotation(arena, ours, "{}"),
	       "process.landlock: needs process.noNewPrivileges; set it to true");
	expect(with_annotation(arena, ours,
			       "{\"noNewPrivileges\":true,\"landlock\":{" HANDLED "}}"),
	       "annotations[\"io.agentd.landlock\"]: process.landlock is there too; remove one of "
	       "them");
	arena_free(arena);
}

/* The default */

static bool has_option(const struct spec *spec, const char *destination, const char *option)
{
	for (size_t i = 0; i < spec->mounts.len; i++) {
		const struct spec_mount *mount = &spec->mounts.item[i];

		if (strcmp(mount->destination, destination) != 0)
			continue;
		for (size_t k = 0; k < mount->options.len; k++)
			if (strcmp(mount->options.item[k], option) == 0)
				return true;
	}
	return false;
}

static struct spec *parse_default(struct arena *arena, const struct spec_default *with)
{
	return parse(arena, json_print(spec_default(with, arena), true, arena, NULL));
}

static void test_default(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct spec *spec = parse_default(arena, &(struct spec_default){ .terminal = true });
	const struct spec_process *process = &spec->process;

	(void)state;
	assert_string_equal(spec->oci_version, SPEC_OCI_VERSION);
	assert_true(spec->root.readonly && process->terminal && process->no_new_privileges);
	assert_string_equal(process->args.item[0], "sh");
	assert_int_equal(process->capabilities.bounding | process->capabilities.effective |
				 process->capabilities.inheritable |
				 process->capabilities.permitted | process->capabilities.ambient,
			 0);
	assert_int_equal(process->landlock.mode, LANDLOCK_BEST_EFFORT);
	assert_int_equal(process->landlock.handled_fs, landlock_abis[LANDLOCK_ABI_NEWEST].fs);
	assert_int_equal(process->landlock.handled_net, 3);
	assert_int_equal(process->landlock.scoped, 3);
	assert_int_equal(spec->linux.namespaces.len, 6);
	assert_int_equal(spec->linux.uid_mappings.len, 0);
	assert_true(has_option(spec, "/dev/pts", "gid=5"));
	assert_true(has_option(spec, "/tmp", "noexec"));
	assert_true(has_option(spec, "/sys", "ro"));
	/* what a program may write it may not execute */
	for (size_t i = 0; i < process->landlock.path_beneath.len; i++)
		assert_int_not_equal(process->landlock.path_beneath.item[i].allowed & 3, 3);
	arena_free(arena);
}

static void test_default_rootless(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct spec_id_mapping mappings[] = { { 0, 1000, 1 }, { 1, 100000, 65536 } };
	struct spec_default with = {
		.rootless = true,
		.uid_mappings = { mappings, 1 },
		.gid_mappings = { mappings, 1 },
		.args = { (const char *[]){ "echo", "\"\n" }, 2 },
	};
	struct spec *spec = parse_default(arena, &with);

	(void)state;
	assert_int_equal(spec->linux.namespaces.item[6].type, CLONE_NEWUSER);
	assert_int_equal(spec->linux.uid_mappings.item[0].host_id, 1000);
	assert_int_equal(spec->linux.gid_mappings.len, 1);
	assert_string_equal(spec->process.args.item[1], "\"\n");
	assert_int_equal(spec->process.args.len, 2);
	assert_false(spec->process.terminal);
	assert_false(has_option(spec, "/dev/pts", "gid=5"));
	with.gid_mappings.len = 2;
	assert_true(has_option(parse_default(arena, &with), "/dev/pts", "gid=5"));
	arena_free(arena);
}

/* Whether the default profile allows a call with these arguments; all its comparisons are masks. */
static bool allowed(const struct spec_seccomp *seccomp, const char *name, const uint64_t args[3])
{
	for (size_t i = 0; i < seccomp->syscalls.len; i++) {
		const struct spec_seccomp_rule *rule = &seccomp->syscalls.item[i];
		bool match = false;

		for (size_t k = 0; k < rule->names.len; k++)
			match |= strcmp(rule->names.item[k], name) == 0;
		for (size_t k = 0; k < rule->args.len; k++) {
			const struct spec_seccomp_arg *arg = &rule->args.item[k];

			assert_string_equal(arg->op, "SCMP_CMP_MASKED_EQ");
			match &= (args[arg->index] & arg->value) == arg->value_two;
		}
		if (match && strcmp(rule->action, "SCMP_ACT_ALLOW") == 0)
			return true;
	}
	return false;
}

/* clang-format off */
static const struct {
	bool allowed;
	const char *name;
	uint64_t args[3];
} calls[] = {
	{ true,  "read", { 0 } },
	{ true,  "execve", { 0 } },
	{ true,  "landlock_restrict_self", { 0 } },
	{ false, "ptrace", { 0 } },
	{ false, "mount", { 0 } },
	{ false, "unshare", { 0 } },
	{ false, "bpf", { 0 } },
	{ false, "io_uring_setup", { 0 } },
	{ false, "userfaultfd", { 0 } },
	{ false, "open_by_handle_at", { 0 } },
	{ false, "clone3", { 0 } },
	{ true,  "socket", { 1, 1, 0 } },
	{ true,  "socket", { 1, 02004005, 0 } }, /* SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK */
	{ true,  "socket", { 10, 2, 17 } },
	{ true,  "socket", { 2, 1, 6 } },
	{ true,  "socket", { 2, 2, 1 } },        /* ping */
	{ false, "socket", { 2, 1, 262 } },      /* MPTCP, which Landlock does not look at */
	{ false, "socket", { 2, 1, 132 } },      /* SCTP */
	{ false, "socket", { 10, 2, 115 } },     /* L2TP */
	{ false, "socket", { 2, 3, 1 } },        /* raw */
	{ false, "socket", { 2, 5, 132 } },      /* SCTP */
	{ false, "socket", { 17, 3, 0 } },       /* AF_PACKET */
	{ false, "socket", { 38, 5, 0 } },       /* AF_ALG */
	{ false, "socket", { 40, 1, 0 } },       /* AF_VSOCK */
	{ true,  "socket", { 16, 3, 0 } },       /* getifaddrs */
	{ false, "socket", { 16, 3, 12 } },      /* NETLINK_NETFILTER */
	{ true,  "socketpair", { 1, 1, 0 } },
	{ false, "socketpair", { 30, 1, 0 } },   /* AF_TIPC */
	{ true,  "personality", { 0xffffffff } },
	{ true,  "personality", { 0xffffffffffffffff } },
	{ false, "personality", { 0x0040000 } }, /* ADDR_NO_RANDOMIZE */
	{ true,  "ioctl", { 0, 0x5401 } },
	{ true,  "ioctl", { 0, 0x5411 } },
	{ true,  "ioctl", { 0, 0x5413 } },
	{ true,  "ioctl", { 0, 0x541b } },
	{ true,  "ioctl", { 0, 0x541d } },
	{ true,  "ioctl", { 0, 0xffffffff } },
	{ false, "ioctl", { 0, 0x5412 } },
	{ false, "ioctl", { 0, 0x541c } },
	{ false, "ioctl", { 0, 0x5423 } },
	{ false, "ioctl", { 0, 0x100005412 } },
	{ false, "ioctl", { 0, 0xffffffff0000541c } },
#ifndef __s390x__
	{ true,  "clone", { 0x3d0f00 } },        /* pthread_create */
	{ false, "clone", { 0x10000011 } },      /* CLONE_NEWUSER */
	{ false, "clone", { 0x20011 } },
#endif
};
/* clang-format on */

static void test_default_seccomp(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	const struct spec *spec = parse_default(arena, &(struct spec_default){ 0 });
	const struct spec_seccomp *seccomp = &spec->linux.seccomp;
	size_t refused = 0;

	(void)state;
	assert_string_equal(seccomp->default_action, "SCMP_ACT_ERRNO");
	assert_int_equal(seccomp->architectures.len, 1);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (allowed(seccomp, calls[i].name, calls[i].args) != calls[i].allowed)
			fail_msg("%s, row %zu of calls[]", calls[i].name, i);
	/* of 64 Ki requests exactly three */
	for (uint64_t request = 0; request < 0x10000; request++)
		refused += !allowed(seccomp, "ioctl", (uint64_t[]){ 0, request, 0 });
	assert_int_equal(refused, 3);
	arena_free(arena);
}

/* Loading files */

static void write_file(int dir, const char *name, const char *text)
{
	struct err err = { 0 };

	if (file_replace(dir, name, text, strlen(text), 0600, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_load(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	char path[] = "/tmp/agentd-test-XXXXXX", file[64];
	struct spec_process process;
	struct err err = { 0 };
	struct spec *spec;
	const char *text;
	size_t size;
	int dir;

	(void)state;
	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(spec_load(dir, "config.json", arena, &spec, &text, &size, &err), -1);
	assert_string_equal(err.text, "open config.json: No such file or directory; 'agentd spec' "
				      "makes one");
	write_file(dir, "config.json", MINIMAL);
	assert_int_equal(spec_load(dir, "config.json", arena, &spec, &text, &size, &err), 0);
	assert_string_equal(text, MINIMAL);
	assert_int_equal(size, strlen(MINIMAL));
	assert_int_equal(spec_load(dir, "config.json", arena, &spec, NULL, NULL, &err), 0);
	write_file(dir, "config.json", "{\"ociVersion\":1}");
	assert_int_equal(spec_load(dir, "config.json", arena, &spec, NULL, NULL, &err), -1);
	assert_string_equal(err.text, "config.json: ociVersion: expected a string, found a number");

	snprintf(file, sizeof(file), "%s/config.json", path);
	write_file(dir, "config.json", "{\"cwd\":\"/\",\"args\":[\"a\"]}");
	assert_int_equal(spec_process_load(file, arena, &process, &err), 0);
	assert_true(process.set);
	write_file(dir, "config.json", "{\"cwd\":\"/\"}");
	assert_int_equal(spec_process_load(file, arena, &process, &err), -1);
	assert_non_null(strstr(err.text, "/config.json: process.args: is required"));
	unlinkat(dir, "config.json", 0);
	close(dir);
	rmdir(path);
	arena_free(arena);
}

/* What a limit of 0 processes means depends on the version that the caller speaks. */
static void test_pids_limit_of_nothing(void **state)
{
	static const struct {
		const char *version;
		int64_t limit;
	} rows[] = { { "1.0.2-dev", -1 }, { "1.2.1", -1 }, { "1.3.0", 0 }, { "1.10.0", 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *own = arena_new(1 << 20);
		char *text = arena_format(own,
					  "{\"ociVersion\":\"%s\",\"root\":{\"path\":\"r\"},"
					  "\"process\":{\"cwd\":\"/\",\"args\":[\"x\"]},"
					  "\"linux\":{\"resources\":{\"pids\":{\"limit\":0}}}}",
					  rows[i].version);
		struct spec *spec;
		struct err err = { 0 };

		if (spec_parse(text, strlen(text), own, &spec, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(spec->linux.resources.pids_limit.value, rows[i].limit);
		arena_free(own);
	}
}

/* Docker has a weight of 0 in the configuration of each container that was given none. */
static void test_weight_of_nothing(void **state)
{
	struct arena *own = arena_new(ARENA_LIMIT);
	char *text = patched(own, RESOURCES("\"blockIO\":{\"weight\":0,\"leafWeight\":0,"
					    "\"weightDevice\":[{\"major\":8,\"minor\":0,"
					    "\"weight\":0,\"leafWeight\":10}]}"));
	const struct spec_block_io *io;
	struct spec *spec;
	struct err err = { 0 };

	(void)state;
	if (spec_parse(text, strlen(text), own, &spec, &err) < 0)
		fail_msg("%s", err.text);
	io = &spec->linux.resources.block_io;
	assert_false(io->weight.set || io->leaf_weight.set);
	assert_false(io->weight_device.item[0].weight.set);
	assert_int_equal(io->weight_device.item[0].leaf_weight.value, 10);
	arena_free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_minimal),
		cmocka_unit_test(test_patches),
		cmocka_unit_test(test_landlock_refused),
		cmocka_unit_test(test_landlock_ours),
		cmocka_unit_test(test_landlock_proposal),
		cmocka_unit_test(test_landlock_numbers),
		cmocka_unit_test(test_landlock_annotation),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_default_rootless),
		cmocka_unit_test(test_default_seccomp),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_pids_limit_of_nothing),
		cmocka_unit_test(test_weight_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
