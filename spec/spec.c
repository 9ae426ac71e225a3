/*
 * The tables of the configuration, one per object of the runtime specification, in its order.
 * load.c reads files by them.
 *
 * Rules for one value are in its row; rules that span several are in check.c. What the
 * specification knows and agentd does not do yet is an UNSUPPORTED row.
 */
#include "spec/spec.h"

#include "spec/landlock.h"
#include "spec/names.h"

#define IDS (&field_id_range)
#define RATES RANGE(-1, INT64_MAX) /* -1: unlimited */
#define MAJOR_MAX 0xfff		   /* dev_t of the kernel: 12 bits and 20 */
#define MINOR_MAX 0xfffff
#define MAJORS RANGE(0, MAJOR_MAX)
#define MINORS RANGE(0, MINOR_MAX)
#define ERRNOS RANGE(0, 4095) /* MAX_ERRNO of the kernel: larger ones are no errors */

/* A device number of a rule, where -1 is "any" and so the same as absent. */
static int device_number_decode(const struct field *field, const struct json *from, void *member,
				struct arena *arena, struct err *err)
{
	struct optional_i64 *to = member;

	if (field_optional_i64.decode(field, from, member, arena, err) < 0)
		return -1;
	if (to->value == -1)
		*to = (struct optional_i64){ 0 };
	return 0;
}

static void device_number_encode(const struct field *field, const void *member, struct json *parent,
				 struct arena *arena)
{
	field_optional_i64.encode(field, member, parent, arena);
}

static const struct field_kind device_number = { device_number_decode, device_number_encode };

/* A weight of block I/O, where 0 is the same as absent: Docker always writes one. */
static int weight_decode(const struct field *field, const struct json *from, void *member,
			 struct arena *arena, struct err *err)
{
	uint64_t number;

	if (json_u64(from, &number) && number == 0)
		return 0;
	return field_optional_u64.decode(field, from, member, arena, err);
}

static void weight_encode(const struct field *field, const void *member, struct json *parent,
			  struct arena *arena)
{
	field_optional_u64.encode(field, member, parent, arena);
}

static const struct field_kind weight = { weight_decode, weight_encode };

/* Whether a list has items, for what cgroup v2 cannot do and nobody looks at more closely. */
static int present_decode(const struct field *field, const struct json *from, void *member,
			  struct arena *arena, struct err *err)
{
	(void)field, (void)arena;
	if (field_array(from, "an array", err) < 0)
		return -1;
	*(bool *)member = from->len > 0;
	return 0;
}

static void present_encode(const struct field *field, const void *member, struct json *parent,
			   struct arena *arena)
{
	if (*(const bool *)member)
		json_object(json_array(parent, field->key, arena), NULL, arena);
}

static const struct field_kind present = { present_decode, present_encode };

/* clang-format off */
static const struct field root_fields[] = {
	STRING("path",     struct spec_root, path, REQUIRED),
	BOOL  ("readonly", struct spec_root, readonly, 0),
	{ 0 },
};

static const struct field mount_fields[] = {
	STRING ("destination", struct spec_mount, destination, REQUIRED),
	STRING ("type",        struct spec_mount, type, 0),
	STRING ("source",      struct spec_mount, source, 0),
	STRINGS("options",     struct spec_mount, options, 0),
	UNSUPPORTED("uidMappings"),
	UNSUPPORTED("gidMappings"),
	{ 0 },
};

/* process */

static const struct field console_size_fields[] = {
	U32("height", struct spec_console_size, height, REQUIRED, RANGE(0, UINT16_MAX)), /* ioctl_tty(2) */
	U32("width",  struct spec_console_size, width, REQUIRED, RANGE(0, UINT16_MAX)),
	{ 0 },
};

static const struct field user_fields[] = {
	U32         ("uid",            struct spec_user, uid, REQUIRED, IDS),
	U32         ("gid",            struct spec_user, gid, REQUIRED, IDS),
	OPTIONAL_U64("umask",          struct spec_user, umask, RANGE(0, 0777)),
	U32S        ("additionalGids", struct spec_user, additional_gids, 0, IDS),
	{ 0 },
};

#define CAPABILITIES(key, member) \
	MASK(key, struct spec_capabilities, member, BIT_NUMBERS | UNKNOWN_WARNS, capability_names)

static const struct field capabilities_fields[] = {
	CAPABILITIES("bounding",    bounding),
	CAPABILITIES("effective",   effective),
	CAPABILITIES("inheritable", inheritable),
	CAPABILITIES("permitted",   permitted),
	CAPABILITIES("ambient",     ambient),
	{ 0 },
};

static const struct field rlimit_fields[] = {
	NAME("type", struct spec_rlimit, type, REQUIRED, rlimit_names),
	U64 ("soft", struct spec_rlimit, soft, REQUIRED, NULL),
	U64 ("hard", struct spec_rlimit, hard, REQUIRED, NULL),
	{ 0 },
};

static const struct field scheduler_fields[] = {
	NAME("policy",   struct spec_scheduler, policy, REQUIRED, scheduler_policy_names),
	I64 ("nice",     struct spec_scheduler, nice, 0, RANGE(-20, 19)),
	I64 ("priority", struct spec_scheduler, priority, 0, RANGE(0, 99)), /* sched(7) */
	MASK("flags",    struct spec_scheduler, flags, 0, scheduler_flag_names),
	U64 ("runtime",  struct spec_scheduler, runtime, 0, NULL),
	U64 ("deadline", struct spec_scheduler, deadline, 0, NULL),
	U64 ("period",   struct spec_scheduler, period, 0, NULL),
	{ 0 },
};

static const struct field io_priority_fields[] = {
	NAME("class",    struct spec_io_priority, class, REQUIRED, io_priority_class_names),
	I64 ("priority", struct spec_io_priority, priority, 0, RANGE(0, 7)),
	{ 0 },
};

const struct field spec_process_fields[] = {
	BOOL           ("terminal",        struct spec_process, terminal, 0),
	OBJECT         ("consoleSize",     struct spec_process, console_size, struct spec_console_size, 0, console_size_fields),
	STRING         ("cwd",             struct spec_process, cwd, REQUIRED | ABSOLUTE),
	STRINGS        ("env",             struct spec_process, env, 0),
	STRINGS        ("args",            struct spec_process, args, 0),
	OBJECT         ("user",            struct spec_process, user, struct spec_user, 0, user_fields),
	OBJECT         ("capabilities",    struct spec_process, capabilities, struct spec_capabilities, 0, capabilities_fields),
	LIST           ("rlimits",         struct spec_process, rlimits, struct spec_rlimit, 0, rlimit_fields),
	BOOL           ("noNewPrivileges", struct spec_process, no_new_privileges, 0),
	OPTIONAL_I64   ("oomScoreAdj",     struct spec_process, oom_score_adj, RANGE(-1000, 1000)), /* proc_pid_oom_score_adj(5) */
	STRING         ("apparmorProfile", struct spec_process, apparmor_profile, 0),
	STRING         ("selinuxLabel",    struct spec_process, selinux_label, 0),
	OPTIONAL_OBJECT("scheduler",       struct spec_process, scheduler, struct spec_scheduler, 0, scheduler_fields),
	OPTIONAL_OBJECT("ioPriority",      struct spec_process, io_priority, struct spec_io_priority, 0, io_priority_fields),
	CUSTOM         ("landlock",        struct spec_process, landlock, struct spec_landlock, 0, spec_landlock_kind, NULL),
	UNSUPPORTED    ("execCPUAffinity"),
	{ 0 },
};

/* hooks */

static const struct field hook_fields[] = {
	STRING ("path",    struct spec_hook, path, REQUIRED | ABSOLUTE),
	STRINGS("args",    struct spec_hook, args, 0),
	STRINGS("env",     struct spec_hook, env, 0),
	U64    ("timeout", struct spec_hook, timeout, 0, RANGE(1, INT32_MAX)),
	{ 0 },
};

#define HOOKS(key, member) LIST(key, struct spec_hooks, member, struct spec_hook, 0, hook_fields)

const struct field spec_hooks_fields[] = {
	HOOKS("prestart",        prestart),
	HOOKS("createRuntime",   create_runtime),
	HOOKS("createContainer", create_container),
	HOOKS("startContainer",  start_container),
	HOOKS("poststart",       poststart),
	HOOKS("poststop",        poststop),
	{ 0 },
};

/* linux */

static const struct field namespace_fields[] = {
	NAME  ("type", struct spec_namespace, type, REQUIRED, namespace_names),
	STRING("path", struct spec_namespace, path, ABSOLUTE),
	{ 0 },
};

static const struct field id_mapping_fields[] = {
	U32("containerID", struct spec_id_mapping, container_id, REQUIRED, NULL),
	U32("hostID",      struct spec_id_mapping, host_id, REQUIRED, NULL),
	U32("size",        struct spec_id_mapping, size, REQUIRED, RANGE(1, UINT32_MAX)),
	{ 0 },
};

static const struct field time_offset_fields[] = {
	I64("secs",     struct spec_time_offset, secs, 0, NULL),
	U32("nanosecs", struct spec_time_offset, nanosecs, 0, RANGE(0, 999999999)), /* time_namespaces(7) */
	{ 0 },
};

static const struct field time_offsets_fields[] = {
	OBJECT("monotonic", struct spec_time_offsets, monotonic, struct spec_time_offset, 0, time_offset_fields),
	OBJECT("boottime",  struct spec_time_offsets, boottime, struct spec_time_offset, 0, time_offset_fields),
	{ 0 },
};

static const struct field device_fields[] = {
	NAME        ("type",     struct spec_device, type, REQUIRED, device_type_names),
	STRING      ("path",     struct spec_device, path, REQUIRED | ABSOLUTE),
	OPTIONAL_I64("major",    struct spec_device, major, MAJORS),
	OPTIONAL_I64("minor",    struct spec_device, minor, MINORS),
	/* callers leave the bits of the type in: podman, for --privileged */
	OPTIONAL_U64("fileMode", struct spec_device, file_mode, RANGE(0, 0177777)),
	OPTIONAL_U64("uid",      struct spec_device, uid, IDS),
	OPTIONAL_U64("gid",      struct spec_device, gid, IDS),
	{ 0 },
};

static const struct field personality_fields[] = {
	NAME       ("domain", struct spec_personality, domain, REQUIRED, personality_names),
	UNSUPPORTED("flags"), /* the specification defines none */
	{ 0 },
};

static const struct field memory_policy_fields[] = {
	NAME  ("mode",  struct spec_memory_policy, mode, REQUIRED, memory_policy_mode_names),
	STRING("nodes", struct spec_memory_policy, nodes, 0),
	MASK  ("flags", struct spec_memory_policy, flags, 0, memory_policy_flag_names),
	{ 0 },
};

/* linux.resources */

static const struct field device_rule_fields[] = {
	BOOL  ("allow",  struct spec_device_rule, allow, REQUIRED),
	NAME  ("type",   struct spec_device_rule, type, 0, device_rule_type_names),
	CUSTOM("major",  struct spec_device_rule, major, struct optional_i64, 0, device_number, RANGE(-1, MAJOR_MAX)),
	CUSTOM("minor",  struct spec_device_rule, minor, struct optional_i64, 0, device_number, RANGE(-1, MINOR_MAX)),
	STRING("access", struct spec_device_rule, access, NOT_EMPTY),
	{ 0 },
};

static const struct field memory_fields[] = {
	OPTIONAL_I64("limit",             struct spec_memory, limit, RATES),
	OPTIONAL_I64("reservation",       struct spec_memory, reservation, RATES),
	OPTIONAL_I64("swap",              struct spec_memory, swap, RATES),
	OPTIONAL_I64("kernel",            struct spec_memory, kernel, RATES),
	OPTIONAL_I64("kernelTCP",         struct spec_memory, kernel_tcp, RATES),
	OPTIONAL_U64("swappiness",        struct spec_memory, swappiness, RANGE(0, 100)),
	BOOL        ("disableOOMKiller",  struct spec_memory, disable_oom_killer, 0),
	BOOL        ("useHierarchy",      struct spec_memory, use_hierarchy, 0),
	BOOL        ("checkBeforeUpdate", struct spec_memory, check_before_update, 0),
	{ 0 },
};

static const struct field cpu_fields[] = {
	OPTIONAL_U64("shares",          struct spec_cpu, shares, NULL),
	OPTIONAL_I64("quota",           struct spec_cpu, quota, NULL),
	OPTIONAL_U64("burst",           struct spec_cpu, burst, NULL),
	OPTIONAL_U64("period",          struct spec_cpu, period, NULL),
	OPTIONAL_I64("realtimeRuntime", struct spec_cpu, realtime_runtime, NULL),
	OPTIONAL_U64("realtimePeriod",  struct spec_cpu, realtime_period, NULL),
	STRING      ("cpus",            struct spec_cpu, cpus, 0),
	STRING      ("mems",            struct spec_cpu, mems, 0),
	OPTIONAL_I64("idle",            struct spec_cpu, idle, RANGE(0, 1)),
	{ 0 },
};

static const struct field pids_fields[] = {
	OPTIONAL_I64("limit", struct spec_resources, pids_limit, NULL),
	{ 0 },
};

#define WEIGHT(key, T, member) CUSTOM(key, T, member, struct optional_u64, 0, weight, RANGE(10, 1000))

static const struct field weight_device_fields[] = {
	I64   ("major",      struct spec_weight_device, major, REQUIRED, MAJORS),
	I64   ("minor",      struct spec_weight_device, minor, REQUIRED, MINORS),
	WEIGHT("weight",     struct spec_weight_device, weight),
	WEIGHT("leafWeight", struct spec_weight_device, leaf_weight),
	{ 0 },
};

static const struct field throttle_fields[] = {
	I64("major", struct spec_throttle, major, REQUIRED, MAJORS),
	I64("minor", struct spec_throttle, minor, REQUIRED, MINORS),
	U64("rate",  struct spec_throttle, rate, REQUIRED, NULL),
	{ 0 },
};

#define THROTTLES(key, member) \
	LIST(key, struct spec_block_io, member, struct spec_throttle, 0, throttle_fields)

static const struct field block_io_fields[] = {
	WEIGHT   ("weight",                  struct spec_block_io, weight),
	WEIGHT   ("leafWeight",              struct spec_block_io, leaf_weight),
	LIST     ("weightDevice",            struct spec_block_io, weight_device, struct spec_weight_device, 0, weight_device_fields),
	THROTTLES("throttleReadBpsDevice",   read_bps),
	THROTTLES("throttleWriteBpsDevice",  write_bps),
	THROTTLES("throttleReadIOPSDevice",  read_iops),
	THROTTLES("throttleWriteIOPSDevice", write_iops),
	{ 0 },
};

static const struct field hugepage_limit_fields[] = {
	STRING("pageSize", struct spec_hugepage_limit, page_size, REQUIRED),
	U64   ("limit",    struct spec_hugepage_limit, limit, REQUIRED, NULL),
	{ 0 },
};

static const struct field network_fields[] = {
	OPTIONAL_U64("classID",    struct spec_resources, network_class_id, RANGE(0, UINT32_MAX)),
	CUSTOM      ("priorities", struct spec_resources, network_priorities, bool, 0, present, NULL),
	{ 0 },
};

static const struct field rdma_fields[] = {
	OPTIONAL_U64("hcaHandles", struct spec_rdma, hca_handles, RANGE(0, UINT32_MAX)),
	OPTIONAL_U64("hcaObjects", struct spec_rdma, hca_objects, RANGE(0, UINT32_MAX)),
	{ 0 },
};

static const struct field resources_fields[] = {
	LIST      ("devices",        struct spec_resources, devices, struct spec_device_rule, 0, device_rule_fields),
	OBJECT    ("memory",         struct spec_resources, memory, struct spec_memory, 0, memory_fields),
	OBJECT    ("cpu",            struct spec_resources, cpu, struct spec_cpu, 0, cpu_fields),
	INLINE    ("pids",           0, pids_fields),
	OBJECT    ("blockIO",        struct spec_resources, block_io, struct spec_block_io, 0, block_io_fields),
	LIST      ("hugepageLimits", struct spec_resources, hugepage_limits, struct spec_hugepage_limit, 0, hugepage_limit_fields),
	INLINE    ("network",        0, network_fields),
	KEYED_LIST("rdma",           struct spec_resources, rdma, struct spec_rdma, 0, rdma_fields),
	MAP       ("unified",        struct spec_resources, unified, 0),
	{ 0 },
};

/* linux.seccomp */

static const struct field seccomp_arg_fields[] = {
	U64   ("index",    struct spec_seccomp_arg, index, REQUIRED, RANGE(0, 5)),
	U64   ("value",    struct spec_seccomp_arg, value, REQUIRED, NULL),
	U64   ("valueTwo", struct spec_seccomp_arg, value_two, 0, NULL),
	STRING("op",       struct spec_seccomp_arg, op, REQUIRED),
	{ 0 },
};

static const struct field seccomp_rule_fields[] = {
	STRINGS     ("names",    struct spec_seccomp_rule, names, REQUIRED),
	STRING      ("action",   struct spec_seccomp_rule, action, REQUIRED),
	OPTIONAL_U64("errnoRet", struct spec_seccomp_rule, errno_ret, ERRNOS),
	LIST        ("args",     struct spec_seccomp_rule, args, struct spec_seccomp_arg, 0, seccomp_arg_fields),
	{ 0 },
};

static const struct field seccomp_fields[] = {
	STRING      ("defaultAction",    struct spec_seccomp, default_action, REQUIRED),
	OPTIONAL_U64("defaultErrnoRet",  struct spec_seccomp, default_errno_ret, ERRNOS),
	STRINGS     ("architectures",    struct spec_seccomp, architectures, 0),
	STRINGS     ("flags",            struct spec_seccomp, flags, 0),
	STRING      ("listenerPath",     struct spec_seccomp, listener_path, ABSOLUTE),
	STRING      ("listenerMetadata", struct spec_seccomp, listener_metadata, 0),
	LIST        ("syscalls",         struct spec_seccomp, syscalls, struct spec_seccomp_rule, 0, seccomp_rule_fields),
	{ 0 },
};

static const struct field linux_fields[] = {
	LIST           ("namespaces",        struct spec_linux, namespaces, struct spec_namespace, 0, namespace_fields),
	LIST           ("uidMappings",       struct spec_linux, uid_mappings, struct spec_id_mapping, 0, id_mapping_fields),
	LIST           ("gidMappings",       struct spec_linux, gid_mappings, struct spec_id_mapping, 0, id_mapping_fields),
	OPTIONAL_OBJECT("timeOffsets",       struct spec_linux, time_offsets, struct spec_time_offsets, ONLY_KNOWN, time_offsets_fields),
	LIST           ("devices",           struct spec_linux, devices, struct spec_device, 0, device_fields),
	UNSUPPORTED    ("netDevices"),
	STRING         ("cgroupsPath",       struct spec_linux, cgroups_path, 0),
	OBJECT         ("resources",         struct spec_linux, resources, struct spec_resources, 0, resources_fields),
	UNSUPPORTED    ("intelRdt"),
	NAME           ("rootfsPropagation", struct spec_linux, rootfs_propagation, 0, propagation_names),
	STRINGS        ("maskedPaths",       struct spec_linux, masked_paths, ABSOLUTE),
	STRINGS        ("readonlyPaths",     struct spec_linux, readonly_paths, ABSOLUTE),
	STRING         ("mountLabel",        struct spec_linux, mount_label, 0),
	OPTIONAL_OBJECT("personality",       struct spec_linux, personality, struct spec_personality, 0, personality_fields),
	MAP            ("sysctl",            struct spec_linux, sysctl, 0),
	OPTIONAL_OBJECT("memoryPolicy",      struct spec_linux, memory_policy, struct spec_memory_policy, 0, memory_policy_fields),
	OPTIONAL_OBJECT("seccomp",           struct spec_linux, seccomp, struct spec_seccomp, 0, seccomp_fields),
	{ 0 },
};

const struct field spec_fields[] = {
	STRING         ("ociVersion",  struct spec, oci_version, REQUIRED),
	OPTIONAL_OBJECT("root",        struct spec, root, struct spec_root, 0, root_fields),
	OPTIONAL_OBJECT("process",     struct spec, process, struct spec_process, 0, spec_process_fields),
	STRING         ("hostname",    struct spec, hostname, 0),
	STRING         ("domainname",  struct spec, domainname, 0),
	LIST           ("mounts",      struct spec, mounts, struct spec_mount, 0, mount_fields),
	OBJECT         ("hooks",       struct spec, hooks, struct spec_hooks, 0, spec_hooks_fields),
	MAP            ("annotations", struct spec, annotations, 0),
	OBJECT         ("linux",       struct spec, linux, struct spec_linux, 0, linux_fields),
	{ 0 },
};
/* clang-format on */
