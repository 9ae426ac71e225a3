/*
 * What a configuration leaves open: rows of check.h about a bundle. Only the configuration is
 * looked at, and what it says of the host's paths.
 */
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "isolation/mount_options.h"
#include "isolation/path.h"
#include "runtime/base/array.h"
#include "runtime/base/sys.h"
#include "selftest/check.h"
#include "spec/names.h"

#define BIT(cap) (1ULL << (cap))

/* Each of them is as good as being root on the host, or nearly so (capabilities(7)). */
const uint64_t check_ruling_capabilities =
	BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_MODULE) | BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_PTRACE) |
	BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_SYS_BOOT) | BIT(CAP_BPF) | BIT(CAP_PERFMON) |
	BIT(CAP_MAC_ADMIN) | BIT(CAP_MAC_OVERRIDE) | BIT(CAP_SYSLOG) | BIT(CAP_SYS_TIME) |
	BIT(CAP_CHECKPOINT_RESTORE) | BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_AUDIT_CONTROL) |
	BIT(CAP_AUDIT_READ) | BIT(CAP_WAKE_ALARM) | BIT(CAP_BLOCK_SUSPEND);
static const uint64_t strong = BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_MKNOD) |
			       BIT(CAP_SYS_CHROOT) | BIT(CAP_SYS_RESOURCE) | BIT(CAP_SYS_NICE) |
			       BIT(CAP_IPC_OWNER) | BIT(CAP_IPC_LOCK) | BIT(CAP_SETFCAP);

static uint64_t all_capabilities(const struct check_context *context)
{
	const struct spec_capabilities *caps = &context->spec->process.capabilities;

	return caps->bounding | caps->effective | caps->permitted | caps->inheritable |
	       caps->ambient;
}

static const char *granted(const struct check_context *context, uint64_t mask)
{
	const char *list = NULL;

	for (const struct name *row = capability_names; *row->name; row++)
		if (all_capabilities(context) & mask & BIT(row->value))
			list = check_append(list, row->name, context->arena);
	return list;
}

static const char *probe_ruling(const struct check_context *context, const char **good)
{
	*good = "none that rules the host";
	return granted(context, check_ruling_capabilities);
}

static const char *probe_strong(const struct check_context *context, const char **good)
{
	*good = "none of the network, devices or resources";
	return granted(context, strong);
}

static const char *probe_root(const struct check_context *context, const char **good)
{
	const struct spec_process *process = &context->spec->process;

	*good = context->own & CLONE_NEWUSER ? "in a user namespace" : "not root";
	return process->set && process->user.uid == 0 && !(context->own & CLONE_NEWUSER)
		       ? "uid 0 of the host"
		       : NULL;
}

static const char *probe_no_new_privs(const struct check_context *context, const char **good)
{
	*good = "set";
	return context->spec->process.no_new_privileges
		       ? NULL
		       : "not set: set-user-ID programs of the image give rights";
}

static const char *probe_seccomp(const struct check_context *context, const char **good)
{
	*good = "a filter";
	return context->spec->linux.seccomp.set ? NULL : "no filter: every system call is allowed";
}

static const char *probe_landlock(const struct check_context *context, const char **good)
{
	*good = "rules";
	return context->spec->process.landlock.set ? NULL : "no rules";
}

static const char *probe_label(const struct check_context *context, const char **good)
{
	const struct spec_process *process = &context->spec->process;

	*good = process->apparmor_profile ? process->apparmor_profile : process->selinux_label;
	return *good ? NULL : "no profile of AppArmor, no label of SELinux";
}

/* --- namespaces ------------------------------------------------------------------------------ */

static const char *shared(const struct check_context *context, uint64_t types)
{
	const char *list = NULL;

	for (const struct name *row = namespace_names; *row->name; row++)
		if (row->value & types & ~context->own)
			list = check_append(list, row->name, context->arena);
	return list ? arena_format(context->arena, "the host's: %s", list) : NULL;
}

static const char *probe_namespaces(const struct check_context *context, const char **good)
{
	*good = "its own: mount, pid, network";
	return shared(context, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET);
}

static const char *probe_lesser_namespaces(const struct check_context *context, const char **good)
{
	*good = "its own: ipc, cgroup, uts";
	return shared(context, CLONE_NEWIPC | CLONE_NEWCGROUP | CLONE_NEWUTS);
}

static const char *probe_joined(const struct check_context *context, const char **good)
{
	const struct spec_namespaces *namespaces = &context->spec->linux.namespaces;
	const char *list = NULL;

	*good = "none";
	for (size_t i = 0; i < namespaces->len; i++)
		if (namespaces->item[i].path)
			list = check_append(list, namespaces->item[i].path, context->arena);
	return list;
}

/* --- mounts ---------------------------------------------------------------------------------- */

static bool is_mount_type(const struct spec_mount *mount, const char *type)
{
	return mount->type && strcmp(mount->type, type) == 0;
}

static bool is_bind(const struct spec_mount *mount, const struct mount_flags *flags)
{
	return flags->what & (MOUNT_OPTION_BIND | MOUNT_OPTION_RBIND) ||
	       is_mount_type(mount, "bind");
}

static bool is_read_only(const struct mount_flags *flags)
{
	return mount_flags_set(flags) & SYS_MOUNT_ATTR_RDONLY;
}

static const struct spec_mount *find_mount(const struct spec *spec, const char *type)
{
	for (size_t i = 0; i < spec->mounts.len; i++)
		if (is_mount_type(&spec->mounts.item[i], type))
			return &spec->mounts.item[i];
	return NULL;
}

/* Directories that hold the host's secrets, programs or controls, and sockets that command it. */
static bool is_sensitive(const char *source)
{
	static const char *const directories[] = {
		"/",	  "/bin", "/boot", "/dev",     "/etc",	   "/home",    "/lib",
		"/lib64", "/opt", "/proc", "/root",    "/run",	   "/sbin",    "/srv",
		"/sys",	  "/usr", "/var",  "/var/lib", "/var/log", "/var/run", "/tmp"
	};
	static const char *const sockets[] = { "/docker.sock", "/containerd.sock", "/crio.sock",
					       "/podman.sock", "/buildkitd.sock" };
	size_t len = strlen(source);

	for (size_t i = 0; i < ARRAY_LEN(directories); i++)
		if (strcmp(source, directories[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(sockets); i++) {
		size_t end = strlen(sockets[i]);

		if (len >= end && strcmp(source + len - end, sockets[i]) == 0)
			return true;
	}
	return strncmp(source, "/etc/", 5) == 0 || strncmp(source, "/sys/", 5) == 0 ||
	       strncmp(source, "/proc/", 6) == 0 || strncmp(source, "/root/", 6) == 0 ||
	       strncmp(source, "/boot/", 6) == 0;
}

enum bound { BOUND_SENSITIVE, BOUND_WRITABLE, BOUND_READ_ONLY };

static const char *bound(const struct check_context *context, enum bound which)
{
	const char *list = NULL;

	for (size_t i = 0; i < context->spec->mounts.len; i++) {
		const struct spec_mount *mount = &context->spec->mounts.item[i];
		struct mount_flags flags;
		const char *source;
		struct err ignored;
		enum bound is;

		if (!mount->source ||
		    mount_options_parse(&mount->options, context->arena, &flags, &ignored) < 0 ||
		    !is_bind(mount, &flags))
			continue;
		source = mount->source[0] == '/' ? path_clean("/", mount->source, context->arena)
						 : mount->source;
		is = is_sensitive(source)   ? BOUND_SENSITIVE
		     : is_read_only(&flags) ? BOUND_READ_ONLY
					    : BOUND_WRITABLE;
		if (is == which)
			list = check_append(list,
					    arena_format(context->arena, "%s on %s%s", source,
							 mount->destination,
							 is_read_only(&flags) ? " (ro)" : ""),
					    context->arena);
	}
	return list;
}

static const char *probe_sensitive(const struct check_context *context, const char **good)
{
	*good = "no directory of the system, no socket that commands the host";
	return bound(context, BOUND_SENSITIVE);
}

static const char *probe_writable(const struct check_context *context, const char **good)
{
	*good = "none writable";
	return bound(context, BOUND_WRITABLE);
}

static const char *probe_bound(const struct check_context *context, const char **good)
{
	*good = "none read-only";
	return bound(context, BOUND_READ_ONLY);
}

static const char *probe_root_writable(const struct check_context *context, const char **good)
{
	*good = "read-only";
	return context->spec->root.readonly ? NULL : "writable: what gets in can stay";
}

static const char *probe_propagation(const struct check_context *context, const char **good)
{
	*good = "not shared with the host";
	return context->spec->linux.rootfs_propagation & MS_SHARED
		       ? "shared: mounts made inside appear on the host"
		       : NULL;
}

static bool is_covered(const struct spec_strings *paths, const char *path)
{
	for (size_t i = 0; i < paths->len; i++) {
		size_t len = strlen(paths->item[i]);

		if (strncmp(path, paths->item[i], len) == 0 && (!path[len] || path[len] == '/'))
			return true;
	}
	return false;
}

/* Paths of a mounted filesystem that are hidden nowhere, nor read-only if that is enough. */
static const char *uncovered(const struct check_context *context, const char *const *paths,
			     size_t len, bool read_only_is_enough)
{
	const struct spec_linux *linux = &context->spec->linux;
	const char *list = NULL;

	for (size_t i = 0; i < len; i++) {
		bool proc = strncmp(paths[i], "/proc/", 6) == 0;

		if (find_mount(context->spec, proc ? "proc" : "sysfs") &&
		    !is_covered(&linux->masked_paths, paths[i]) &&
		    !(read_only_is_enough && is_covered(&linux->readonly_paths, paths[i])))
			list = check_append(list, paths[i], context->arena);
	}
	return list;
}

static const char *probe_proc_writable(const struct check_context *context, const char **good)
{
	static const char *const paths[] = { "/proc/sys", "/proc/sysrq-trigger", "/proc/irq",
					     "/proc/bus" };
	const struct spec_mount *proc = find_mount(context->spec, "proc");
	struct mount_flags flags;
	struct err ignored;

	*good = "read-only where it rules the kernel";
	if (proc && mount_options_parse(&proc->options, context->arena, &flags, &ignored) == 0 &&
	    is_read_only(&flags))
		return NULL;
	return uncovered(context, paths, ARRAY_LEN(paths), true);
}

static const char *probe_visible(const struct check_context *context, const char **good)
{
	static const char *const paths[] = { "/proc/kcore",  "/proc/keys", "/proc/timer_list",
					     "/proc/acpi",   "/proc/scsi", "/proc/sched_debug",
					     "/sys/firmware" };

	*good = "hidden where it tells of the host";
	return uncovered(context, paths, ARRAY_LEN(paths), false);
}

static const char *probe_sys(const struct check_context *context, const char **good)
{
	const struct spec_mount *sysfs = find_mount(context->spec, "sysfs");
	struct mount_flags flags;
	struct err ignored;

	*good = sysfs ? "read-only" : "not mounted";
	if (!sysfs || mount_options_parse(&sysfs->options, context->arena, &flags, &ignored) < 0 ||
	    is_read_only(&flags) || is_covered(&context->spec->linux.readonly_paths, "/sys"))
		return NULL;
	return arena_format(context->arena, "%s is writable", sysfs->destination);
}

/* --- devices and limits ---------------------------------------------------------------------- */

/* The last rule that speaks of a device decides; none does: no. */
static bool may_open(const struct spec *spec, uint64_t type, int64_t major, int64_t minor)
{
	const struct spec_device_rules *rules = &spec->linux.resources.devices;
	bool allowed = false;

	for (size_t i = 0; i < rules->len; i++) {
		const struct spec_device_rule *rule = &rules->item[i];

		if ((rule->type == 'a' || rule->type == type) &&
		    (!rule->major.set || rule->major.value == major) &&
		    (!rule->minor.set || rule->minor.value == minor) &&
		    (!rule->access || strpbrk(rule->access, "rw")))
			allowed = rule->allow;
	}
	return allowed;
}

static const char *probe_devices(const struct check_context *context, const char **good)
{
	static const struct {
		const char *name;
		uint64_t type;
		int64_t major, minor;
	} devices[] = { { "disks (8:0)", 'b', 8, 0 },	     { "disks (253:0)", 'b', 253, 0 },
			{ "memory (1:1)", 'c', 1, 1 },	     { "ports (1:4)", 'c', 1, 4 },
			{ "kernel log (1:11)", 'c', 1, 11 }, { "kvm (10:232)", 'c', 10, 232 } };
	const char *list = NULL;

	*good = "no disk, no memory";
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		if (may_open(context->spec, devices[i].type, devices[i].major, devices[i].minor))
			list = check_append(list, devices[i].name, context->arena);
	return list ? arena_format(context->arena, "may be opened: %s", list) : NULL;
}

static const char *probe_memory(const struct check_context *context, const char **good)
{
	const struct optional_i64 *limit = &context->spec->linux.resources.memory.limit;

	*good = "limited";
	return limit->set && limit->value > 0 ? NULL : "no limit of memory";
}

static const char *probe_pids(const struct check_context *context, const char **good)
{
	const struct optional_i64 *limit = &context->spec->linux.resources.pids_limit;

	*good = "limited";
	return limit->set && limit->value > 0 ? NULL
					      : "no limit of processes: a fork bomb is the host's";
}

static const char *probe_cpu(const struct check_context *context, const char **good)
{
	const struct optional_i64 *quota = &context->spec->linux.resources.cpu.quota;

	*good = "limited";
	return quota->set && quota->value > 0 ? NULL : "no quota";
}

static const char *probe_oom(const struct check_context *context, const char **good)
{
	const struct optional_i64 *score = &context->spec->process.oom_score_adj;

	*good = "not spared";
	return score->set && score->value < 0 ? "others are killed before it" : NULL;
}

static const char *probe_hooks(const struct check_context *context, const char **good)
{
	const struct spec_hooks *hooks = &context->spec->hooks;
	const struct spec_hook_list *lists[] = { &hooks->prestart, &hooks->create_runtime,
						 &hooks->create_container, &hooks->poststart,
						 &hooks->poststop };
	const char *list = NULL;

	*good = "none";
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (size_t j = 0; j < lists[i]->len; j++)
			list = check_append(list, lists[i]->item[j].path, context->arena);
	return list;
}

/* clang-format off */
const struct check_row check_spec_rows[] = {
	{ "capabilities.ruling", SEVERITY_CRITICAL, probe_ruling, "take them out of all five sets of process.capabilities" },
	{ "capabilities.strong", SEVERITY_LOW, probe_strong, "take out what the program does not need" },
	{ "user.root", SEVERITY_LOW, probe_root, "set process.user.uid, or add a user namespace with linux.uidMappings" },
	{ "no-new-privileges", SEVERITY_HIGH, probe_no_new_privs, "set process.noNewPrivileges to true" },
	{ "seccomp", SEVERITY_CRITICAL, probe_seccomp, "add linux.seccomp: agentd spec prints one to begin with" },
	{ "landlock", SEVERITY_LOW, probe_landlock, "add process.landlock: agentd spec prints one to begin with" },
	{ "label", SEVERITY_INFO, probe_label, "set process.apparmorProfile or process.selinuxLabel where the host has one" },
	{ "namespaces", SEVERITY_HIGH, probe_namespaces, "add them to linux.namespaces" },
	{ "namespaces.lesser", SEVERITY_MEDIUM, probe_lesser_namespaces, "add them to linux.namespaces" },
	{ "namespaces.joined", SEVERITY_INFO, probe_joined, "whoever is in them shares them" },
	{ "mounts.system", SEVERITY_CRITICAL, probe_sensitive, "bind the one directory that the program needs, read-only" },
	{ "mounts.writable", SEVERITY_MEDIUM, probe_writable, "add ro, nosuid, nodev to its options, or copy the files in" },
	{ "mounts.bound", SEVERITY_LOW, probe_bound, "whatever is below it can be read" },
	{ "mounts.propagation", SEVERITY_HIGH, probe_propagation, "set linux.rootfsPropagation to private, or leave it out" },
	{ "root.writable", SEVERITY_LOW, probe_root_writable, "set root.readonly to true, with a tmpfs where it must write" },
	{ "proc.writable", SEVERITY_HIGH, probe_proc_writable, "add them to linux.readonlyPaths" },
	{ "proc.visible", SEVERITY_MEDIUM, probe_visible, "add them to linux.maskedPaths" },
	{ "sys.writable", SEVERITY_HIGH, probe_sys, "add ro to its options" },
	{ "devices", SEVERITY_CRITICAL, probe_devices, "begin linux.resources.devices with { \"allow\": false }, then allow single devices" },
	{ "limits.memory", SEVERITY_MEDIUM, probe_memory, "set linux.resources.memory.limit" },
	{ "limits.processes", SEVERITY_MEDIUM, probe_pids, "set linux.resources.pids.limit" },
	{ "limits.cpu", SEVERITY_INFO, probe_cpu, "set linux.resources.cpu.quota if others must not wait for it" },
	{ "limits.oom", SEVERITY_LOW, probe_oom, "leave process.oomScoreAdj out" },
	{ "hooks", SEVERITY_INFO, probe_hooks, "they run on the host with agentd's rights" },
	{ 0 }
};
/* clang-format on */
