/*
 * The configuration, in the order of the documents of the OCI runtime specification (config.md,
 * config-linux.md).
 *
 * Everything is decoded: no pointer into JSON is left, names that stand for kernel numbers are
 * numbers (but for seccomp's, whose constants belong to libseccomp), defaults are filled in. Where
 * "absent" differs from every value there is a `set`. All memory belongs to the arena given to
 * spec_load(). A string never holds a NUL byte of the file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "spec/field.h"

#undef linux /* gnu11 predefines it; here it is the name of a property */

struct spec_root {
	bool set;
	const char *path;
	bool readonly;
};

struct spec_id_mapping {
	uint32_t container_id, host_id, size;
};
struct spec_id_mappings {
	struct spec_id_mapping *item;
	size_t len;
};

/* The options stay words: isolation/mount_options.c has the table that says what each means. */
struct spec_mount {
	const char *destination, *type, *source; /* type and source may be NULL */
	struct spec_strings options;
};
struct spec_mounts {
	struct spec_mount *item;
	size_t len;
};

struct spec_console_size {
	uint32_t height, width;
};

struct spec_user {
	uint32_t uid, gid; /* never (uint32_t)-1 */
	struct optional_u64 umask;
	struct spec_u32s additional_gids;
};

struct spec_capabilities { /* masks of 1 << CAP_X */
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

struct spec_rlimit {
	uint64_t type; /* RLIMIT_X */
	uint64_t soft, hard;
};
struct spec_rlimits { /* no type twice */
	struct spec_rlimit *item;
	size_t len;
};

struct spec_scheduler {
	bool set;
	uint64_t policy; /* SCHED_X */
	uint64_t flags;	 /* SCHED_FLAG_X */
	int64_t nice, priority;
	uint64_t runtime, deadline, period; /* nanoseconds */
};

struct spec_io_priority {
	bool set;
	uint64_t class;	  /* IOPRIO_CLASS_X */
	int64_t priority; /* 0 to 7 */
};

/* process.landlock and the annotation io.agentd.landlock: one shape after decoding, whichever
 * spelling was used. */
enum landlock_mode { LANDLOCK_ENFORCE, LANDLOCK_BEST_EFFORT };

struct spec_landlock_path {
	uint64_t allowed;
	struct spec_strings paths;
};
struct spec_landlock_paths {
	struct spec_landlock_path *item;
	size_t len;
};

struct spec_landlock_port {
	uint64_t allowed;
	struct spec_u64s ports;
};
struct spec_landlock_ports {
	struct spec_landlock_port *item;
	size_t len;
};

struct spec_landlock {
	bool set;
	uint64_t mode;	      /* enum landlock_mode */
	uint32_t minimum_abi; /* 0: none */
	uint32_t abi;	      /* what the groups (abi.all, ...) stood for; 0: the newest known */
	uint64_t handled_fs;  /* LANDLOCK_ACCESS_FS_X */
	uint64_t handled_net; /* LANDLOCK_ACCESS_NET_X */
	uint64_t scoped;      /* LANDLOCK_SCOPE_X */
	struct spec_landlock_paths path_beneath;
	struct spec_landlock_ports net_port;
	uint64_t restrict_flags; /* LANDLOCK_RESTRICT_SELF_LOG_X */
};

struct spec_process {
	bool set;
	bool terminal;
	struct spec_console_size console_size; /* 0, 0: leave it as it is */
	const char *cwd;		       /* absolute */
	struct spec_strings env, args;	       /* each env item has a '=' */
	struct spec_user user;
	struct spec_capabilities capabilities; /* absent: all empty */
	struct spec_rlimits rlimits;
	bool no_new_privileges;
	struct optional_i64 oom_score_adj;
	const char *apparmor_profile, *selinux_label; /* NULL: leave */
	struct spec_scheduler scheduler;
	struct spec_io_priority io_priority;
	struct spec_landlock landlock;
};

struct spec_hook {
	const char *path;	       /* absolute */
	struct spec_strings args, env; /* args absent: the path alone */
	uint64_t timeout;	       /* seconds; 0: none */
};
struct spec_hook_list {
	struct spec_hook *item;
	size_t len;
};

struct spec_hooks {
	struct spec_hook_list prestart, create_runtime, create_container;
	struct spec_hook_list start_container, poststart, poststop;
};

struct spec_namespace {
	uint64_t type;	  /* CLONE_NEWX */
	const char *path; /* NULL: create it */
};
struct spec_namespaces { /* no type twice */
	struct spec_namespace *item;
	size_t len;
};

struct spec_time_offset {
	int64_t secs;
	uint32_t nanosecs;
};

struct spec_time_offsets {
	bool set;
	struct spec_time_offset monotonic, boottime;
};

struct spec_device {
	uint64_t type; /* 'c', 'b', 'u' or 'p' */
	const char *path;
	struct optional_i64 major, minor; /* both are there, but for 'p' */
	struct optional_u64 file_mode, uid, gid;
};
struct spec_devices {
	struct spec_device *item;
	size_t len;
};

struct spec_device_rule {
	bool allow;
	uint64_t type;			  /* 'a', 'b', 'c'; absent: 'a' */
	struct optional_i64 major, minor; /* absent or -1 in the file: not set, any */
	const char *access;		  /* of "rwm"; NULL: all three */
};
struct spec_device_rules {
	struct spec_device_rule *item;
	size_t len;
};

struct spec_memory {
	struct optional_i64 limit, reservation, swap, kernel, kernel_tcp;
	struct optional_u64 swappiness;
	bool disable_oom_killer, use_hierarchy, check_before_update;
};

struct spec_cpu {
	struct optional_u64 shares, period, burst, realtime_period;
	struct optional_i64 quota, realtime_runtime, idle;
	const char *cpus, *mems;
};

struct spec_weight_device {
	int64_t major, minor;
	struct optional_u64 weight, leaf_weight;
};
struct spec_weight_devices {
	struct spec_weight_device *item;
	size_t len;
};

struct spec_throttle {
	int64_t major, minor;
	uint64_t rate;
};
struct spec_throttles {
	struct spec_throttle *item;
	size_t len;
};

struct spec_block_io {
	struct optional_u64 weight, leaf_weight;
	struct spec_weight_devices weight_device;
	struct spec_throttles read_bps, write_bps, read_iops, write_iops;
};

struct spec_hugepage_limit {
	const char *page_size;
	uint64_t limit;
};
struct spec_hugepage_limits {
	struct spec_hugepage_limit *item;
	size_t len;
};

struct spec_rdma {
	const char *device;
	struct optional_u64 hca_handles, hca_objects;
};
struct spec_rdmas {
	struct spec_rdma *item;
	size_t len;
};

struct spec_resources {
	struct spec_device_rules devices;
	struct spec_memory memory;
	struct spec_cpu cpu;
	struct optional_i64 pids_limit;
	struct spec_block_io block_io;
	struct spec_hugepage_limits hugepage_limits;
	struct optional_u64 network_class_id;
	bool network_priorities; /* any were given */
	struct spec_rdmas rdma;
	struct spec_map unified;
};

/* Words as in the file: isolation/seccomp.c has the tables of actions, operators, architectures and
 * flags. */
struct spec_seccomp_arg {
	uint64_t index, value, value_two;
	const char *op;
};
struct spec_seccomp_args {
	struct spec_seccomp_arg *item;
	size_t len;
};

struct spec_seccomp_rule {
	struct spec_strings names;
	const char *action;
	struct optional_u64 errno_ret;
	struct spec_seccomp_args args;
};
struct spec_seccomp_rules {
	struct spec_seccomp_rule *item;
	size_t len;
};

struct spec_seccomp {
	bool set;
	const char *default_action;
	struct optional_u64 default_errno_ret;
	struct spec_strings architectures, flags;
	const char *listener_path, *listener_metadata;
	struct spec_seccomp_rules syscalls;
};

struct spec_personality {
	bool set;
	uint64_t domain; /* PER_X */
};

struct spec_memory_policy {
	bool set;
	uint64_t mode;	   /* MPOL_X */
	uint64_t flags;	   /* MPOL_F_X */
	const char *nodes; /* "0-3,7" or NULL */
};

struct spec_linux {
	struct spec_namespaces namespaces;
	struct spec_id_mappings uid_mappings, gid_mappings;
	struct spec_time_offsets time_offsets;
	struct spec_devices devices;
	const char *cgroups_path; /* NULL: ours to choose */
	struct spec_resources resources;
	uint64_t rootfs_propagation; /* MS_X, with MS_REC for the r forms; 0: absent */
	struct spec_strings masked_paths, readonly_paths;
	const char *mount_label;
	struct spec_personality personality;
	struct spec_map sysctl;
	struct spec_memory_policy memory_policy;
	struct spec_seccomp seccomp;
};

struct spec {
	const char *oci_version;
	struct spec_root root;
	struct spec_mounts mounts;
	struct spec_process process;
	const char *hostname, *domainname; /* NULL: leave */
	struct spec_hooks hooks;
	struct spec_map annotations;
	struct spec_linux linux;
};

#define SPEC_OCI_VERSION "1.3.0" /* the newest version of the specification known here */
#define SPEC_OCI_VERSION_MIN "1.0.0"

#define SPEC_FILE "config.json" /* in a bundle, and in the state directory */

/*
 * Reads, decodes and checks the file `name` (config.json) below the directory `dir`. The error
 * names the file and the property: "config.json: mounts[3].destination: is required". *text and
 * *size, if wanted, are the file as read.
 */
int spec_load(int dir, const char *name, struct arena *arena, struct spec **spec, const char **text,
	      size_t *size, struct err *err);

/* The same for the config.json of a bundle, with its path in the errors. */
int spec_load_bundle(const char *bundle, struct arena *arena, struct spec **spec, const char **text,
		     size_t *size, struct err *err);

/* The same for a text in memory (fuzzing, tests, selftest). */
int spec_parse(const char *text, size_t size, struct arena *arena, struct spec **spec,
	       struct err *err);

/* Reads a process object (process.json of exec) and checks it as spec_load() would. */
int spec_process_load(const char *path, struct arena *arena, struct spec_process *process,
		      struct err *err);

/* The rules that span several properties; spec_load() has called it. */
int spec_check(const struct spec *spec, struct err *err);
int spec_process_check(const struct spec_process *process, struct err *err);

/* The row for a type of namespace (CLONE_NEWX), or NULL. */
const struct spec_namespace *spec_find_namespace(const struct spec *spec, uint64_t type);

/* The mapping that an id of the container is in, or NULL. */
const struct spec_id_mapping *spec_find_mapping(const struct spec_id_mappings *mappings,
						uint32_t id);

/* How `agentd spec` is to differ from its default. */
struct spec_default {
	bool rootless; /* a user namespace with these mappings */
	struct spec_id_mappings uid_mappings, gid_mappings;
	struct spec_strings args; /* len 0: a shell */
	bool terminal;
};

/* The hardened configuration that `agentd spec` prints, as a tree for json_print(). */
struct json *spec_default(const struct spec_default *with, struct arena *arena);

/* Encodes a spec with the same tables that decode it (state, tests). */
struct json *spec_encode(const struct spec *spec, struct arena *arena);

extern const struct field spec_fields[], spec_process_fields[], spec_hooks_fields[];
