/*
 * /proc, /sys and /dev: what is hidden, what is read-only, which devices there are.
 *
 * A row about a path says it at the end of `attempt`; where the host has no such path there is
 * nothing to prove: not applicable. The control is a child of the host that finds the same path
 * unhidden, or opens it. What the configuration asks for must be what refuses: a file that is to be
 * read-only and is refused by its permissions alone has lost its protection.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "runtime/base/array.h"
#include "selftest/judge.h"
#include "selftest/judges.h"

#define say(result, ...) snprintf((result)->observed, sizeof((result)->observed), __VA_ARGS__)

static const char *path_of(const struct result *result)
{
	return strchr(result->row->attempt, '/');
}

static bool is_covered(const struct spec_strings *paths, const char *path)
{
	for (size_t i = 0; i < paths->len; i++)
		if (judge_beneath(path, paths->item[i]))
			return true;
	return false;
}

/* The errnos decide, where the host has the path. */
bool judge_path(const struct evidence *evidence, struct result *result)
{
	bool contained = judge_errno(evidence, result);

	if (judge_host_has(path_of(result)))
		return contained;
	return judge_undecided(result, VERDICT_NOT_APPLICABLE, "this host has no %s",
			       path_of(result));
}

bool judge_masked(const struct evidence *evidence, struct result *result)
{
	char mask[16];

	if (!judge_path(evidence, result)) {
		if (evidence->target->done && evidence->target->value >= 0)
			say(result, "not hidden: %.100s", evidence->target->text);
		return false;
	}
	judge_fact(evidence->target, "masked", mask, sizeof(mask));
	if (*mask)
		say(result, "hidden by %s", *mask == 'n' ? "/dev/null" : "an empty directory");
	return true;
}

static bool is_read_only(const struct posture_mount *mount)
{
	return mount &&
	       (judge_option(mount->options, "ro") || judge_option(mount->super_options, "ro"));
}

/* Another layer's refusal, or the file's mode, does not make up for a mount that can be written. */
bool judge_protected(const struct evidence *evidence, struct result *result)
{
	const char *path = path_of(result);
	int error = evidence->target->error;

	if (!judge_path(evidence, result))
		return false;
	if (error == EROFS || error == ENOENT || error == ENODATA ||
	    is_read_only(judge_mount(evidence->posture, path)))
		return true;
	snprintf(result->observed + strlen(result->observed),
		 sizeof(result->observed) - strlen(result->observed),
		 ", but the mount is not read-only");
	return false;
}

/* It is about the container's own network: who leaves it writable may. */
bool judge_network_settings(const struct evidence *evidence, struct result *result)
{
	if (judge_protected(evidence, result))
		return true;
	if (!is_covered(&evidence->spec->linux.readonly_paths, path_of(result)))
		return judge_undecided(
			result, VERDICT_NOT_APPLICABLE,
			"linux.readonlyPaths leaves the settings of its network writable");
	return false;
}

bool judge_first_process(const struct evidence *evidence, struct result *result)
{
	char root[16];

	if (!judge_errno(evidence, result))
		return false;
	judge_fact(evidence->target, "root", root, sizeof(root));
	if (strcmp(root, "other") != 0)
		return true;
	say(result, "/proc/1/root is not its own root");
	return false;
}

bool judge_program(const struct evidence *evidence, struct result *result)
{
	return judge_paired(evidence, result) && judge_errno(evidence, result);
}

/* What the kernel says is mounted there, not what it looks like (CVE-2025-52881). */
bool judge_magic(const struct evidence *evidence, struct result *result)
{
	static const struct {
		const char *path, *asked, *type;
	} places[] = {
		{ "/proc", "proc", "proc" },
		{ "/sys", "sysfs", "sysfs" },
		{ "/sys/fs/cgroup", "cgroup", "cgroup2" },
	};
	const struct spec_mounts *mounts = &evidence->spec->mounts;

	if (!evidence->posture)
		return judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "what the kernel tells of the process was not read");
	for (size_t i = 0; i < mounts->len; i++) {
		const struct spec_mount *mount = &mounts->item[i];
		const struct posture_mount *found =
			judge_mount(evidence->posture, mount->destination);

		for (size_t j = 0; j < ARRAY_LEN(places); j++) {
			if (strcmp(mount->destination, places[j].path) != 0 || !mount->type ||
			    strcmp(mount->type, places[j].asked) != 0)
				continue;
			if (found && strcmp(found->destination, mount->destination) == 0 &&
			    strcmp(found->type, places[j].type) == 0)
				continue;
			say(result, "%s is a %s", mount->destination,
			    found ? found->type : "blank");
			return false;
		}
	}
	say(result, "each is of its type");
	return true;
}

/* --- devices --------------------------------------------------------------------------------- */

#define PTY_FIRST 136 /* UNIX98 slaves: Documentation/admin-guide/devices.txt of Linux */
#define PTY_LAST 143

static bool is_pty(unsigned number)
{
	return number >= PTY_FIRST && number <= PTY_LAST;
}

/* The devices of config-linux.md, "Default Devices", and what the configuration adds. */
static bool is_expected_device(const struct spec_devices *devices, char type, unsigned first,
			       unsigned second)
{
	static const unsigned char standard[][2] = { { 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 },
						     { 1, 9 }, { 5, 0 }, { 5, 2 } };

	for (size_t i = 0; i < ARRAY_LEN(standard); i++)
		if (type == 'c' && first == standard[i][0] && second == standard[i][1])
			return true;
	for (size_t i = 0; i < devices->len; i++) {
		const struct spec_device *device = &devices->item[i];

		if ((device->type == 'b') == (type == 'b') && device->major.value == first &&
		    device->minor.value == second)
			return true;
	}
	return type == 'c' && is_pty(first);
}

/* Words of the canary: "c1:3". */
bool judge_devices(const struct evidence *evidence, struct result *result)
{
	const struct observation *target = evidence->target;
	const char *word = target->text;
	int64_t seen = 0;

	if (!target->done || target->value < 0)
		return judge_errno(evidence, result);
	for (; *word; word += strspn(word, " ")) {
		char type = *word;
		char *end;
		unsigned first = (unsigned)strtoul(word + 1, &end, 10);
		unsigned second = *end == ':' ? (unsigned)strtoul(end + 1, &end, 10) : 0;

		if (end == word + 1 ||
		    !is_expected_device(&evidence->spec->linux.devices, type, first, second)) {
			say(result, "device %.*s", (int)strcspn(word, " "), word);
			return false;
		}
		word = end;
		seen++;
	}
	say(result, "%lld devices", (long long)target->value);
	return seen == target->value;
}

static bool is_host_filesystem(const char *path, const char *device)
{
	char ours[32];
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	snprintf(ours, sizeof(ours), "%u:%u", major(st.st_dev), minor(st.st_dev));
	return strcmp(ours, device) == 0;
}

/* A filesystem of its own, or none. */
bool judge_own_filesystem(const struct evidence *evidence, struct result *result)
{
	char device[32];

	if (!evidence->target->done || evidence->target->value < 0)
		return judge_errno(evidence, result);
	judge_fact(evidence->target, "device", device, sizeof(device));
	say(result, "filesystem %s", device);
	return *device && !is_host_filesystem(path_of(result), device);
}

bool judge_console(const struct evidence *evidence, struct result *result)
{
	char device[32], node[32];

	if (!evidence->target->done || evidence->target->value < 0)
		return judge_errno(evidence, result);
	judge_fact(evidence->target, "device", device, sizeof(device));
	judge_fact(evidence->target, "node", node, sizeof(node));
	say(result, "device %s of filesystem %s", node, device);
	return is_pty((unsigned)strtoul(node, NULL, 10)) && *device &&
	       !is_host_filesystem("/dev/pts", device);
}

/* clang-format off */
#define QUICK PROFILE_ALL
#define LATER PROFILE_FROM_STANDARD

#define MASKED_ROW(name, weight, when, path) \
	{ .id = "proc.masked-" name, .group = "procfs", .severity = weight, .profiles = when, \
	  .attempt = "what is at " path, .contained = { ENODATA, ENOENT, EACCES }, .layers = LAYER_MOUNTS, \
	  .control = CONTROL_HOST, .judge = JUDGE_masked, \
	  .remedy = "linux.maskedPaths: " path, .references = "N4.4.3 T1611 P9.1" }

#define PROTECTED_ROW(name, weight, when, path) \
	{ .id = "proc.ro-" name, .group = "procfs", .severity = weight, .profiles = when, \
	  .attempt = "open for writing " path, .contained = { EROFS, EACCES, EPERM, ENOENT }, \
	  .layers = LAYER_MOUNTS | LAYER_LANDLOCK | LAYER_CAPABILITIES, .control = CONTROL_HOST, \
	  .judge = JUDGE_protected, \
	  .remedy = "linux.readonlyPaths: " path ", or a directory above it", .references = "T1611 N4.5.5 P9.1" }

#define KERNEL_ROW(name, weight, path) \
	{ .id = "sys." name, .group = "procfs", .severity = weight, .profiles = LATER, \
	  .attempt = "open for writing, or list, " path, \
	  .contained = { EROFS, EACCES, EPERM, ENOENT, ENODATA }, \
	  .layers = LAYER_MOUNTS | LAYER_LANDLOCK | LAYER_CAPABILITIES, .control = CONTROL_HOST, \
	  .judge = JUDGE_path, .remedy = "mount /sys with \"ro\", and nothing below it", .references = "T1611" }

#define DEVICE_ROW(name, weight, path) \
	{ .id = "dev." name, .group = "procfs", .severity = weight, .profiles = LATER, \
	  .attempt = "open " path, .contained = { ENOENT, EPERM, EACCES }, \
	  .layers = LAYER_MOUNTS | LAYER_CGROUP | LAYER_LANDLOCK | LAYER_CAPABILITIES, \
	  .control = CONTROL_HOST, .judge = JUDGE_path, \
	  .remedy = "take it out of linux.devices, mounts and linux.resources.devices", \
	  .references = "C5.18 T1611" }

#define OWN_ROW(name, path, refs) \
	{ .id = "dev." name, .group = "procfs", .severity = SEVERITY_HIGH, .profiles = LATER, \
	  .attempt = "which filesystem is " path, .contained = { ENOENT, EACCES }, \
	  .layers = LAYER_MOUNTS, .control = CONTROL_HOST, .judge = JUDGE_own_filesystem, \
	  .remedy = "mount a filesystem of the container's own on " path, .references = refs }

const struct selftest_case cases_procfs[] = {
	MASKED_ROW("kcore",         SEVERITY_HIGH,   QUICK, "/proc/kcore"),
	MASKED_ROW("keys",          SEVERITY_HIGH,   QUICK, "/proc/keys"),
	MASKED_ROW("latency_stats", SEVERITY_LOW,    LATER, "/proc/latency_stats"),
	MASKED_ROW("timer_list",    SEVERITY_MEDIUM, LATER, "/proc/timer_list"),
	MASKED_ROW("timer_stats",   SEVERITY_LOW,    LATER, "/proc/timer_stats"),
	MASKED_ROW("sched_debug",   SEVERITY_MEDIUM, LATER, "/proc/sched_debug"),
	MASKED_ROW("scsi",          SEVERITY_MEDIUM, LATER, "/proc/scsi"),
	MASKED_ROW("acpi",          SEVERITY_MEDIUM, LATER, "/proc/acpi"),
	MASKED_ROW("asound",        SEVERITY_LOW,    LATER, "/proc/asound"),
	MASKED_ROW("interrupts",    SEVERITY_LOW,    QUICK, "/proc/interrupts"),
	MASKED_ROW("kpagecgroup",   SEVERITY_MEDIUM, LATER, "/proc/kpagecgroup"),
	MASKED_ROW("kpagecount",    SEVERITY_MEDIUM, LATER, "/proc/kpagecount"),
	MASKED_ROW("kpageflags",    SEVERITY_MEDIUM, LATER, "/proc/kpageflags"),
	MASKED_ROW("firmware",      SEVERITY_MEDIUM, LATER, "/sys/firmware"),
	MASKED_ROW("powercap",      SEVERITY_MEDIUM, LATER, "/sys/devices/virtual/powercap"),
	MASKED_ROW("block",         SEVERITY_LOW,    LATER, "/sys/dev/block"),
	MASKED_ROW("selinux",       SEVERITY_MEDIUM, LATER, "/sys/fs/selinux"),

	PROTECTED_ROW("core_pattern",  SEVERITY_CRITICAL, QUICK, "/proc/sys/kernel/core_pattern"),
	PROTECTED_ROW("modprobe",      SEVERITY_CRITICAL, LATER, "/proc/sys/kernel/modprobe"),
	PROTECTED_ROW("hotplug",       SEVERITY_CRITICAL, LATER, "/proc/sys/kernel/hotplug"),
	PROTECTED_ROW("panic_on_oom",  SEVERITY_HIGH,     LATER, "/proc/sys/vm/panic_on_oom"),
	PROTECTED_ROW("binfmt_misc",   SEVERITY_CRITICAL, LATER, "/proc/sys/fs/binfmt_misc/register"),
	PROTECTED_ROW("sysrq-trigger", SEVERITY_CRITICAL, QUICK, "/proc/sysrq-trigger"),
	PROTECTED_ROW("smp_affinity",  SEVERITY_MEDIUM,   LATER, "/proc/irq/default_smp_affinity"),
	PROTECTED_ROW("bus",           SEVERITY_MEDIUM,   LATER, "/proc/bus"),
	PROTECTED_ROW("fs",            SEVERITY_MEDIUM,   LATER, "/proc/fs"),
	{ .id = "proc.sys-net", .group = "procfs", .severity = SEVERITY_LOW, .profiles = LATER,
	  .attempt = "open for writing /proc/sys/net/ipv4/ping_group_range",
	  .contained = { EROFS, EACCES, EPERM, ENOENT },
	  .layers = LAYER_MOUNTS | LAYER_LANDLOCK | LAYER_CAPABILITIES, .control = CONTROL_HOST,
	  .judge = JUDGE_network_settings, .remedy = "linux.readonlyPaths: /proc/sys; set what is needed with linux.sysctl",
	  .references = "N4.5.5" },
	{ .id = "proc.pid1", .group = "procfs", .severity = SEVERITY_CRITICAL, .profiles = LATER,
	  .attempt = "environment, root and memory of a process of the host, and the root of process 1",
	  .contained = { ENOENT, EACCES, EPERM }, .layers = LAYER_NAMESPACES | LAYER_LANDLOCK,
	  .control = CONTROL_DECOY, .judge = JUDGE_first_process,
	  .remedy = "a pid namespace, and a proc mounted in it", .references = "T1611 T1552.007" },
	{ .id = "proc.self-exe-w", .group = "procfs", .severity = SEVERITY_CRITICAL, .profiles = LATER,
	  .attempt = "open /proc/self/exe and /proc/1/exe for writing",
	  .contained = { ETXTBSY, EACCES, EROFS, EPERM, ENOENT }, .layers = LAYER_RUNTIME | LAYER_MOUNTS | LAYER_LANDLOCK,
	  .control = CONTROL_NONE, .judge = JUDGE_program, .remedy = "update agentd: it must not run from a file that the container can reach",
	  .references = "CVE-2019-5736",
	  .limitation = "the canary's own program; agentd's is cve.2019-5736" },
	{ .id = "proc.fs-magic", .group = "procfs", .severity = SEVERITY_HIGH, .profiles = LATER,
	  .attempt = "the types of the filesystems on /proc, /sys and /sys/fs/cgroup",
	  .layers = LAYER_RUNTIME | LAYER_MOUNTS, .control = CONTROL_NONE, .judge = JUDGE_magic,
	  .remedy = "no link and no other mount in the place of /proc and /sys in the root filesystem",
	  .references = "CVE-2025-52881" },

	KERNEL_ROW("uevent-helper",   SEVERITY_CRITICAL, "/sys/kernel/uevent_helper"),
	KERNEL_ROW("kernel-debug",    SEVERITY_HIGH,     "/sys/kernel/debug"),
	KERNEL_ROW("kernel-tracing",  SEVERITY_HIGH,     "/sys/kernel/tracing"),
	KERNEL_ROW("kernel-security", SEVERITY_HIGH,     "/sys/kernel/security"),
	KERNEL_ROW("kernel-kexec",    SEVERITY_HIGH,     "/sys/kernel/kexec_crash_size"),
	{ .id = "sys.cgroup-ro", .group = "procfs", .severity = SEVERITY_HIGH, .profiles = LATER,
	  .attempt = "open files of cgroups for writing, and mkdir, in /sys/fs/cgroup",
	  .contained = { EROFS, EACCES, EPERM, ENOENT },
	  .layers = LAYER_MOUNTS | LAYER_LANDLOCK | LAYER_CAPABILITIES, .control = CONTROL_HOST,
	  .remedy = "mount /sys/fs/cgroup with \"ro\"", .references = "CVE-2022-0492 T1611" },

	{ .id = "dev.list", .group = "procfs", .severity = SEVERITY_HIGH, .profiles = LATER,
	  .attempt = "the devices below /dev, against those of the configuration",
	  .contained = { ENOENT, EACCES }, .layers = LAYER_MOUNTS, .control = CONTROL_HOST, .judge = JUDGE_devices,
	  .remedy = "a tmpfs on /dev, and linux.devices with what is needed", .references = "C5.18 N4.4.3" },
	DEVICE_ROW("mem",          SEVERITY_CRITICAL, "/dev/mem"),
	DEVICE_ROW("kmsg",         SEVERITY_HIGH,     "/dev/kmsg"),
	DEVICE_ROW("kvm",          SEVERITY_MEDIUM,   "/dev/kvm"),
	DEVICE_ROW("fuse",         SEVERITY_MEDIUM,   "/dev/fuse"),
	DEVICE_ROW("net-tun",      SEVERITY_MEDIUM,   "/dev/net/tun"),
	DEVICE_ROW("vsock",        SEVERITY_MEDIUM,   "/dev/vsock"),
	DEVICE_ROW("loop-control", SEVERITY_HIGH,     "/dev/loop-control"),
	DEVICE_ROW("mapper",       SEVERITY_HIGH,     "/dev/mapper/control"),
	{ .id = "dev.disk", .group = "procfs", .severity = SEVERITY_CRITICAL, .profiles = LATER,
	  .attempt = "mknod of a disk that the machine has, and open",
	  .contained = { EPERM, EACCES, ENODEV }, .layers = LAYER_CAPABILITIES | LAYER_CGROUP | LAYER_MOUNTS,
	  .control = CONTROL_HOST, .remedy = "drop CAP_MKNOD; linux.resources.devices: deny all",
	  .references = "C5.18 T1611" },
	OWN_ROW("pts", "/dev/pts", ""),
	{ .id = "dev.console", .group = "procfs", .severity = SEVERITY_HIGH, .profiles = LATER,
	  .attempt = "what is at /dev/console", .contained = { ENOENT, EACCES }, .layers = LAYER_MOUNTS,
	  .control = CONTROL_NONE, .judge = JUDGE_console,
	  .remedy = "do not mount the host's console", .references = "CVE-2025-52565" },
	OWN_ROW("shm", "/dev/shm", "C5.17"),
	{ .id = "" }
};
/* clang-format on */
