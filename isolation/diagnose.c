/*
 * Why the kernel said no, see diagnose.h: "Operation not permitted" is the complaint that is seen
 * most with containers, and hardly ever says what to do.
 *
 * A table of probes, the most specific first; the first that finds its cause is the answer. A probe
 * only reads, claims nothing that it has not seen, and never fails: an unknown cause stays unknown.
 */
#include "isolation/diagnose.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "runtime/base/array.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"

#define CAUSE_MAX 512
#define MOUNTINFO_MAX (1u << 20)

/* What the probes look at, and the cause that one of them found. */
struct scene {
	const struct plan *plan;
	const struct host *host;
	const struct err *err;
	char cause[CAUSE_MAX];
};

struct probe {
	bool (*found)(struct scene *scene);
	const char *remedy;
	bool absent; /* may be why there is no such system call, too (ENOSYS) */
};

static bool creates_user_namespace(const struct scene *scene)
{
	return scene->plan->namespaces.clone & CLONE_NEWUSER;
}

/* A sysctl that is a small number; -1 if the kernel has none such. */
static long read_sysctl(const char *path)
{
	char text[32];

	return file_read_small(AT_FDCWD, path, text, sizeof(text)) > 0 ? strtol(text, NULL, 10)
								       : -1;
}

static bool user_namespaces_none(struct scene *scene)
{
	snprintf(scene->cause, CAUSE_MAX, "this host allows no user namespaces");
	return creates_user_namespace(scene) &&
	       read_sysctl("/proc/sys/user/max_user_namespaces") == 0;
}

static bool user_namespaces_privileged(struct scene *scene)
{
	snprintf(scene->cause, CAUSE_MAX, "this host allows user namespaces to root alone");
	return creates_user_namespace(scene) && !scene->host->privileged &&
	       read_sysctl("/proc/sys/kernel/unprivileged_userns_clone") == 0;
}

static bool user_namespaces_apparmor(struct scene *scene)
{
	snprintf(scene->cause, CAUSE_MAX,
		 "AppArmor takes all rights from user namespaces that programs without a profile "
		 "make");
	return creates_user_namespace(scene) && !scene->host->privileged &&
	       read_sysctl("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") > 0;
}

/* clone(2), EPERM: a root directory that is not the root of its mount was set by chroot(2). */
static bool caller_in_chroot(struct scene *scene)
{
	struct statx st;

	snprintf(scene->cause, CAUSE_MAX,
		 "agentd runs in a chroot(2), where the kernel makes no user namespaces");
	return creates_user_namespace(scene) &&
	       statx(AT_FDCWD, "/", 0, STATX_BASIC_STATS, &st) == 0 &&
	       (st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) &&
	       !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* The host's id of id 0 in the container (user_namespaces(7)); the first row that has it. */
static uid_t mapped_root(const char *map, uid_t otherwise)
{
	unsigned inside, outside, size;

	for (const char *line = map;
	     line && sscanf(line, "%u %u %u", &inside, &outside, &size) == 3;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (inside == 0)
			return outside;
	return otherwise;
}

/* Groups and access lists are given the benefit of the doubt. */
static bool is_closed(struct scene *scene, const char *directory, uid_t uid)
{
	struct stat st;

	if (stat(directory, &st) < 0 || !S_ISDIR(st.st_mode) ||
	    st.st_mode & (st.st_uid == uid ? 0100 : 0011))
		return false;
	snprintf(scene->cause, CAUSE_MAX,
		 "the directory %s (owner %u, mode %04o) is closed to user %u", directory,
		 (unsigned)st.st_uid, (unsigned)st.st_mode & 07777, (unsigned)uid);
	return true;
}

static bool parent_is_closed(struct scene *scene, const char *path, uid_t uid)
{
	char parent[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(parent))
		return false;
	memcpy(parent, path, len + 1);
	for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (is_closed(scene, parent, uid))
			return true;
		*slash = '/';
	}
	return false;
}

/*
 * In a new user namespace nobody has CAP_DAC_OVERRIDE over files whose owner is not mapped: the
 * paths are opened as the caller, the root filesystem is used as the container's root.
 */
static bool directory_closed(struct scene *scene)
{
	const struct plan *plan = scene->plan;
	uid_t uid = scene->host->uid;

	if (scene->err->code != EACCES ||
	    (scene->host->privileged && !creates_user_namespace(scene)))
		return false;
	if (plan->rootfs.path &&
	    (parent_is_closed(scene, plan->rootfs.path, uid) ||
	     is_closed(scene, plan->rootfs.path, mapped_root(plan->idmap.uid_map, uid))))
		return true;
	for (size_t i = 0; i < plan->mounts.len; i++)
		if (plan->mounts.row[i].kind == MOUNT_BIND && plan->mounts.row[i].source &&
		    parent_is_closed(scene, plan->mounts.row[i].source, uid))
			return true;
	return false;
}

/* mount_namespaces(7), "Restrictions": flags that a user namespace may not take from a mount. */
static bool flags_locked(struct scene *scene)
{
	/* clang-format off */
	static const struct { uint64_t attr; unsigned long flag; const char *name; } flags[] = {
		{ SYS_MOUNT_ATTR_RDONLY, ST_RDONLY, "ro" },
		{ SYS_MOUNT_ATTR_NOSUID, ST_NOSUID, "nosuid" },
		{ SYS_MOUNT_ATTR_NODEV,  ST_NODEV,  "nodev" },
		{ SYS_MOUNT_ATTR_NOEXEC, ST_NOEXEC, "noexec" },
	};
	/* clang-format on */
	const struct mounts_plan *mounts = &scene->plan->mounts;

	for (size_t i = 0; i < mounts->len && creates_user_namespace(scene); i++) {
		const struct mount_row *row = &mounts->row[i];
		struct statvfs fs;

		if (row->kind != MOUNT_BIND || !row->source || statvfs(row->source, &fs) < 0)
			continue;
		for (size_t j = 0; j < ARRAY_LEN(flags); j++)
			if (row->flags.attr_clear & flags[j].attr && fs.f_flag & flags[j].flag) {
				snprintf(scene->cause, CAUSE_MAX,
					 "mounts[%zu]: %s is mounted %s on the host, and a user "
					 "namespace may not lift that",
					 row->index, row->source, flags[j].name);
				return true;
			}
	}
	return false;
}

static bool rootfs_noexec(struct scene *scene)
{
	const char *path = scene->plan->rootfs.path;
	struct statvfs fs;

	if (scene->err->code != EACCES || !path || statvfs(path, &fs) < 0 ||
	    !(fs.f_flag & ST_NOEXEC))
		return false;
	snprintf(scene->cause, CAUSE_MAX, "%s is on a file system that is mounted noexec", path);
	return true;
}

/*
 * The kernel mounts no new procfs for a user namespace that sees none without something mounted
 * over parts of it (mount_too_revealing(), fs/namespace.c), which is how container managers mask
 * /proc. The mount point of binfmt_misc is an empty directory, which it lets pass.
 */
static bool procfs_masked(struct scene *scene)
{
	struct arena *arena = arena_new(8 * MOUNTINFO_MAX);
	bool found = false;
	struct err ignored;
	char *text, *line, *rest, point[256];

	if (strstr(scene->err->text, "proc") &&
	    file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, arena, &text, NULL,
		      &ignored) == 0)
		for (line = strtok_r(text, "\n", &rest); line && !found;
		     line = strtok_r(NULL, "\n", &rest))
			found = sscanf(line, "%*s %*s %*s %*s %255s", point) == 1 &&
				strncmp(point, "/proc/", 6) == 0 &&
				strcmp(point, "/proc/sys/fs/binfmt_misc") != 0;
	arena_free(arena);
	if (found)
		snprintf(
			scene->cause, CAUSE_MAX,
			"something is mounted over %s here, as inside of another container, so the "
			"kernel refuses a fresh /proc",
			point);
	return found;
}

/* proc_pid_status(5), "Seccomp": 2 is a filter. For clone3(2) the profiles of others say ENOSYS. */
static bool filter_of_caller(struct scene *scene)
{
	char text[8192];

	if (file_read_small(AT_FDCWD, "/proc/self/status", text, sizeof(text)) < 0 ||
	    !strstr(text, "\nSeccomp:\t2"))
		return false;
	snprintf(scene->cause, CAUSE_MAX,
		 "agentd itself runs under a seccomp filter, as inside of another container, which "
		 "may be what refused");
	return true;
}

/* clang-format off */
static const struct probe probes[] = {
	{ user_namespaces_none,       "raise it: sysctl user.max_user_namespaces=15000", false },
	{ user_namespaces_privileged, "allow them: sysctl kernel.unprivileged_userns_clone=1, or run as root", false },
	{ caller_in_chroot,           "enter that root by pivot_root(2) (unshare -m, systemd-nspawn), or run as root", false },
	{ directory_closed,           "open it with chmod o+x or setfacl -m u:USER:x, or put the bundle elsewhere", false },
	{ flags_locked,               "leave that flag as it is, or run without a user namespace", false },
	{ procfs_masked,              "run the outer container with an unmasked /proc (podman: --security-opt unmask=ALL, "
				      "docker: --security-opt systempaths=unconfined)", false },
	{ rootfs_noexec,              "put the bundle on a file system that allows programs", false },
	{ user_namespaces_apparmor,   "install agentd's AppArmor profile, or sysctl "
				      "kernel.apparmor_restrict_unprivileged_userns=0", false },
	{ filter_of_caller,           "run the outer container with --security-opt seccomp=unconfined or a wider profile",
				      true },
};
/* clang-format on */

/* ENOSPC: what clone(2) says when the limit of namespaces is reached. */
void diagnose(const struct plan *plan, const struct host *host, struct err *err)
{
	struct scene scene = { .plan = plan, .host = host, .err = err };

	if (err->code != EPERM && err->code != EACCES && err->code != ENOSPC && err->code != ENOSYS)
		return;
	for (size_t i = 0; i < ARRAY_LEN(probes); i++)
		if ((probes[i].absent || err->code != ENOSYS) && probes[i].found(&scene)) {
			err_hint(err, "%s: %s", scene.cause, probes[i].remedy);
			return;
		}
}

/* cgroup-v2.rst, "memory.events": "max" counts how often the limit was about to be passed. */
bool diagnose_memory(int cgroup, struct err *err)
{
	char events[256], limit[32];

	if (cgroup < 0 || (err->code != EPIPE && err->code != ENOMEM) ||
	    file_read_small(cgroup, "memory.events", events, sizeof(events)) < 0 ||
	    file_read_small(cgroup, "memory.max", limit, sizeof(limit)) < 0 ||
	    strstr(events, "\nmax 0\n") || (err->code == EPIPE && strstr(events, "\noom_kill 0\n")))
		return false;
	limit[strcspn(limit, "\n")] = '\0';
	err_hint(err,
		 "the memory limit of the container was reached (memory.max, %s): raise "
		 "linux.resources.memory.limit",
		 limit);
	return true;
}
