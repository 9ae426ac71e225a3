/*
 * Attempts on /proc, /sys and /dev: what masks hide, what is read-only, which devices there are.
 *
 * Dangerous files are opened and closed, never written; of a masked one at most 64 bytes are read.
 * Two answers are of our own making, so that an errno says it: ENODATA is a path that is hidden
 * (/dev/null or an empty directory is there instead), EROFS one whose mount is read-only, even if
 * permissions refuse before the mount does.
 */
#include "selftest/attempt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PATH_SIZE 300
#define SAMPLE 64

static void refuse(struct attempt_result *result, int error)
{
	errno = error;
	attempt_set(result, -1);
}

/* -1: it cannot be listed. */
static int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int entries = 0;

	if (!dir)
		return -1;
	for (struct dirent *entry; (entry = readdir(dir));)
		entries += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return entries;
}

/* --- masks ----------------------------------------------------------------------------------- */

static int sample(const char *path)
{
	char bytes[SAMPLE];
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

	if (fd >= 0)
		close(fd);
	return (int)got;
}

/* What is there counts, not whether permissions let us read it: who has more of them could. */
static void try_masked(struct attempt_result *result, const char *path)
{
	struct stat st;
	int entries;

	if (stat(path, &st) < 0) {
		attempt_set(result, -1);
		return;
	}
	entries = S_ISDIR(st.st_mode) ? count_entries(path) : -1;
	if (entries == 0 || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))) {
		refuse(result, ENODATA);
		attempt_say(result, "masked=%s", entries == 0 ? "empty" : "null");
		return;
	}
	attempt_set(result, 0);
	if (S_ISDIR(st.st_mode))
		attempt_say(result, "entries=%d", entries);
	else
		attempt_say(result, "read=%d", sample(path));
}

/* --- read-only ------------------------------------------------------------------------------- */

static bool is_read_only(const char *path)
{
	struct statvfs fs;

	return statvfs(path, &fs) == 0 && fs.f_flag & ST_RDONLY;
}

/* A directory of procfs has nothing that could be made in it: its mount is the answer. */
static void try_protected(struct attempt_result *result, const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st) < 0) {
		attempt_set(result, -1);
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		if (is_read_only(path))
			refuse(result, EROFS);
		else
			attempt_set(result, 0);
		return;
	}
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	attempt_set(result, fd);
	if (fd >= 0)
		close(fd);
	else if ((result->error == EACCES || result->error == EPERM) && is_read_only(path))
		refuse(result, EROFS);
}

/* Opens for writing; lists what is a directory, where an empty one is as good as none. */
static void try_kernel_file(struct attempt_result *result, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		attempt_set(result, -1);
	} else if (S_ISDIR(st.st_mode)) {
		int entries = count_entries(path);

		attempt_set(result, entries);
		if (entries == 0)
			refuse(result, ENODATA);
	} else {
		try_protected(result, path);
	}
}

/* The first that opens. No directory is made where opening is enough to get through. */
static void try_cgroup(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const char *const paths[] = {
		"/sys/fs/cgroup/cgroup.procs",		"/sys/fs/cgroup/unified/cgroup.procs",
		"/sys/fs/cgroup/release_agent",		"/sys/fs/cgroup/memory/release_agent",
		"/sys/fs/cgroup/systemd/release_agent",
	};
	char path[PATH_SIZE];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd = open(paths[i], O_WRONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		close(fd);
		attempt_set(result, fd);
		attempt_say(result, "file=%s", paths[i]);
		return;
	}
	snprintf(path, sizeof(path), "/sys/fs/cgroup/agentd-canary-%s", decoys->nonce);
	attempt_set(result, mkdir(path, 0700));
	if (result->value >= 0)
		rmdir(path);
}

/* --- processes ------------------------------------------------------------------------------- */

static bool is_same_file(const char *first, const char *second)
{
	struct stat a, b;

	return stat(first, &a) == 0 && stat(second, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* The host's decoy by its number, and whose root the first process has. */
static void try_first_process(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const char *const members[] = { "environ", "root", "cwd", "exe", "mem" };
	char path[PATH_SIZE];

	if (!decoys->host_pid) {
		refuse(result, ECANCELED);
		return;
	}
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/%s", decoys->host_pid, members[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		attempt_set(result, fd);
		if (fd < 0)
			continue;
		close(fd);
		attempt_say(result, "member=%s", members[i]);
		return;
	}
	attempt_say(result, "root=%s",
		    access("/proc/1/root/.", F_OK) < 0	  ? strerrorname_np(errno)
		    : is_same_file("/proc/1/root/.", "/") ? "own"
							  : "other");
}

/* The allowed half is a file of our own. */
static void try_own_program(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const char *const programs[] = { "/proc/self/exe", "/proc/1/exe" };
	char path[PATH_SIZE];
	int fd;

	snprintf(path, sizeof(path), "%s/program", decoys->scratch);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	attempt_say(result, "pair=%s", fd < 0 ? strerrorname_np(errno) : "ok");
	if (fd >= 0)
		close(fd);
	unlink(path);
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		fd = open(programs[i], O_WRONLY | O_CLOEXEC);
		attempt_set(result, fd);
		if (fd < 0)
			continue;
		close(fd);
		attempt_say(result, "program=%s", programs[i]);
		return;
	}
}

/* --- devices --------------------------------------------------------------------------------- */

static void try_device(struct attempt_result *result, const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	attempt_set(result, fd);
	if (fd >= 0)
		close(fd);
}

/* Says the numbers of every node below /dev, without those of /dev/pts. */
static void list_devices(struct attempt_result *result, const char *directory, int depth)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	char path[PATH_SIZE];
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%.*s", directory, 100, entry->d_name);
		if (lstat(path, &st) < 0)
			continue;
		if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
			result->value++;
			attempt_say(result, "%c%u:%u", S_ISCHR(st.st_mode) ? 'c' : 'b',
				    major(st.st_rdev), minor(st.st_rdev));
		} else if (S_ISDIR(st.st_mode) && depth && strcmp(path, "/dev/pts") != 0) {
			list_devices(result, path, depth - 1);
		}
	}
	if (dir)
		closedir(dir);
}

static void try_device_list(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, 0);
	list_devices(result, "/dev", 2);
}

/* The first of /proc/partitions, after a head and an empty line; 0: none. */
static dev_t find_disk(void)
{
	int fd = open("/proc/partitions", O_RDONLY | O_CLOEXEC);
	char text[512] = "", *at;
	unsigned long first, second;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		*text = '\0';
	if (fd >= 0)
		close(fd);
	at = strstr(text, "\n\n");
	if (!at)
		return 0;
	first = strtoul(at, &at, 10);
	second = strtoul(at, &at, 10);
	return makedev(first, second);
}

/* A device of a disk that the machine has: made, opened, not read. */
static void try_disk(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	dev_t disk = find_disk();
	char path[PATH_SIZE];

	if (!disk || !decoys->scratch[0]) {
		refuse(result, disk ? ECANCELED : ENODEV);
		return;
	}
	snprintf(path, sizeof(path), "%s/disk", decoys->scratch);
	unlink(path);
	if (mknod(path, S_IFBLK | 0600, disk) < 0) {
		attempt_set(result, -1);
		attempt_say(result, "step=mknod");
		return;
	}
	try_device(result, path);
	attempt_say(result, "step=open");
	unlink(path);
}

/* Which filesystem it is, for the supervisor to compare with its own. */
static void say_filesystem(struct attempt_result *result, const char *path)
{
	struct stat st;

	attempt_set(result, stat(path, &st));
	if (result->value >= 0)
		attempt_say(result, "device=%u:%u node=%u:%u", major(st.st_dev), minor(st.st_dev),
			    major(st.st_rdev), minor(st.st_rdev));
}

/* --- rows ------------------------------------------------------------------------------------ */

/* clang-format off */
#define PATH_ATTEMPTS(ROW) \
	ROW("proc.masked-kcore",         masked_kcore,         try_masked, "/proc/kcore") \
	ROW("proc.masked-keys",          masked_keys,          try_masked, "/proc/keys") \
	ROW("proc.masked-latency_stats", masked_latency_stats, try_masked, "/proc/latency_stats") \
	ROW("proc.masked-timer_list",    masked_timer_list,    try_masked, "/proc/timer_list") \
	ROW("proc.masked-timer_stats",   masked_timer_stats,   try_masked, "/proc/timer_stats") \
	ROW("proc.masked-sched_debug",   masked_sched_debug,   try_masked, "/proc/sched_debug") \
	ROW("proc.masked-scsi",          masked_scsi,          try_masked, "/proc/scsi") \
	ROW("proc.masked-acpi",          masked_acpi,          try_masked, "/proc/acpi") \
	ROW("proc.masked-asound",        masked_asound,        try_masked, "/proc/asound") \
	ROW("proc.masked-interrupts",    masked_interrupts,    try_masked, "/proc/interrupts") \
	ROW("proc.masked-kpagecgroup",   masked_kpagecgroup,   try_masked, "/proc/kpagecgroup") \
	ROW("proc.masked-kpagecount",    masked_kpagecount,    try_masked, "/proc/kpagecount") \
	ROW("proc.masked-kpageflags",    masked_kpageflags,    try_masked, "/proc/kpageflags") \
	ROW("proc.masked-firmware",      masked_firmware,      try_masked, "/sys/firmware") \
	ROW("proc.masked-powercap",      masked_powercap,      try_masked, "/sys/devices/virtual/powercap") \
	ROW("proc.masked-block",         masked_block,         try_masked, "/sys/dev/block") \
	ROW("proc.masked-selinux",       masked_selinux,       try_masked, "/sys/fs/selinux") \
	ROW("proc.ro-core_pattern",      ro_core_pattern,      try_protected, "/proc/sys/kernel/core_pattern") \
	ROW("proc.ro-modprobe",          ro_modprobe,          try_protected, "/proc/sys/kernel/modprobe") \
	ROW("proc.ro-hotplug",           ro_hotplug,           try_protected, "/proc/sys/kernel/hotplug") \
	ROW("proc.ro-panic_on_oom",      ro_panic_on_oom,      try_protected, "/proc/sys/vm/panic_on_oom") \
	ROW("proc.ro-binfmt_misc",       ro_binfmt_misc,       try_protected, "/proc/sys/fs/binfmt_misc/register") \
	ROW("proc.ro-sysrq-trigger",     ro_sysrq_trigger,     try_protected, "/proc/sysrq-trigger") \
	ROW("proc.ro-smp_affinity",      ro_smp_affinity,      try_protected, "/proc/irq/default_smp_affinity") \
	ROW("proc.ro-bus",               ro_bus,               try_protected, "/proc/bus") \
	ROW("proc.ro-fs",                ro_fs,                try_protected, "/proc/fs") \
	ROW("proc.sys-net",              sys_net,              try_protected, "/proc/sys/net/ipv4/ping_group_range") \
	ROW("sys.uevent-helper",         uevent_helper,        try_kernel_file, "/sys/kernel/uevent_helper") \
	ROW("sys.kernel-debug",          kernel_debug,         try_kernel_file, "/sys/kernel/debug") \
	ROW("sys.kernel-tracing",        kernel_tracing,       try_kernel_file, "/sys/kernel/tracing") \
	ROW("sys.kernel-security",       kernel_security,      try_kernel_file, "/sys/kernel/security") \
	ROW("sys.kernel-kexec",          kernel_kexec,         try_kernel_file, "/sys/kernel/kexec_crash_size") \
	ROW("dev.mem",                   dev_mem,              try_device, "/dev/mem") \
	ROW("dev.kmsg",                  dev_kmsg,             try_device, "/dev/kmsg") \
	ROW("dev.kvm",                   dev_kvm,              try_device, "/dev/kvm") \
	ROW("dev.fuse",                  dev_fuse,             try_device, "/dev/fuse") \
	ROW("dev.net-tun",               dev_net_tun,          try_device, "/dev/net/tun") \
	ROW("dev.vsock",                 dev_vsock,            try_device, "/dev/vsock") \
	ROW("dev.loop-control",          dev_loop_control,     try_device, "/dev/loop-control") \
	ROW("dev.mapper",                dev_mapper,           try_device, "/dev/mapper/control") \
	ROW("dev.pts",                   dev_pts,              say_filesystem, "/dev/pts") \
	ROW("dev.console",               dev_console,          say_filesystem, "/dev/console") \
	ROW("dev.shm",                   dev_shm,              say_filesystem, "/dev/shm")

#define RUN(id, name, try, path) \
	static void run_##name(const struct attempt_decoys *decoys, struct attempt_result *result) \
	{ \
		(void)decoys; \
		try(result, path); \
	}
#define ROW(id, name, try, path) { id, run_##name },

PATH_ATTEMPTS(RUN)

const struct attempt attempts_procfs[] = {
	PATH_ATTEMPTS(ROW)
	{ "proc.pid1",       try_first_process },
	{ "proc.self-exe-w", try_own_program },
	{ "sys.cgroup-ro",   try_cgroup },
	{ "dev.list",        try_device_list },
	{ "dev.disk",        try_disk },
	{ 0 }
};
/* clang-format on */
