/*
 * The machine, see host.h: a few small system calls, none of which starts anything.
 *
 * mountinfo is parsed only where cgroup v2 is in neither of its two usual places: on a machine with
 * many containers that file is long. Nothing may be decided here: whoever plans decides.
 */
#include "isolation/host.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "isolation/caps.h"
#include "isolation/cgroup.h"
#include "runtime/base/array.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"

/* PROC_USER_INIT_INO, include/linux/proc_ns.h: always the inode of the first user namespace */
#define INITIAL_USER_NAMESPACE 0xEFFFFFFDu

#define MOUNTINFO_MAX (4u << 20)

static bool has_filesystem(const char *path, unsigned long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (unsigned long)fs.f_type == magic;
}

/* proc_pid_mountinfo(5): "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS ... - TYPE SOURCE OPTIONS" */
static const char *find_cgroup_mount(struct arena *arena)
{
	struct err ignored;
	char *text, *line, *rest;

	if (file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, arena, &text, NULL,
		      &ignored) < 0)
		return NULL;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *word, *words;
		int i = 1;

		if (!strstr(line, " - cgroup2 "))
			continue;
		word = strtok_r(line, " ", &words);
		for (; word && i < 5; i++)
			word = strtok_r(NULL, " ", &words);
		if (word && has_filesystem(word, CGROUP2_SUPER_MAGIC))
			return word;
	}
	return NULL;
}

static const char *cgroup_root(struct arena *arena)
{
	static const char *const usual[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		if (has_filesystem(usual[i], CGROUP2_SUPER_MAGIC))
			return usual[i];
	return find_cgroup_mount(arena);
}

/* From within a cgroup namespace a cgroup outside looks like "/../x": it has no name to use. */
static const char *cgroup_own(struct arena *arena)
{
	char text[8192], *path;

	if (file_read_small(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0)
		return NULL;
	path = cgroup_path_in(text);
	return path && !strstr(path, "/..") ? arena_copy(arena, path, strlen(path)) : NULL;
}

/* A kernel without user namespaces has no such file. */
static int probe_user_namespace(struct host *host, struct err *err)
{
	struct stat st;
	char text[8];

	if (stat("/proc/self/ns/user", &st) == 0) {
		host->initial_user_ns = st.st_ino == INITIAL_USER_NAMESPACE;
		host->setgroups_denied =
			!host->initial_user_ns &&
			file_read_small(AT_FDCWD, "/proc/self/setgroups", text, sizeof(text)) > 0 &&
			!strcmp(text, "deny\n");
	} else if (access("/proc/self/ns", F_OK) < 0) {
		err_sys(err, "look at /proc/self/ns");
		return err_hint(err, "agentd needs a procfs mounted on /proc");
	}
	return 0;
}

/* Whoever may make cgroups at the top needs to know no place of his own. */
static void probe_cgroup(struct host *host, struct arena *arena)
{
	host->cgroup_root = cgroup_root(arena);
	if (!host->cgroup_root)
		return;
	host->cgroup_hybrid = strcmp(host->cgroup_root, "/sys/fs/cgroup") != 0;
	if (!cgroup_may_make_below(AT_FDCWD, host->cgroup_root))
		host->cgroup_own = cgroup_own(arena);
}

/* /sys/module/apparmor/parameters/enabled; selinux(8) mounts its file system only when enabled */
static void probe_security_modules(struct host *host)
{
	char enabled[4];

	host->apparmor = file_read_small(AT_FDCWD, "/sys/module/apparmor/parameters/enabled",
					 enabled, sizeof(enabled)) > 0 &&
			 enabled[0] == 'Y';
	host->selinux = has_filesystem("/sys/fs/selinux", SELINUX_MAGIC);
}

/* landlock_create_ruleset(2) */
static void probe_landlock(struct host *host)
{
	int abi = sys_landlock_create_ruleset(NULL, 0, SYS_LANDLOCK_CREATE_RULESET_VERSION);

	host->landlock_errno = abi < 0 ? errno : 0;
	host->landlock_abi = abi < 0 ? 0 : abi;
}

static bool is_rootless(const struct host *host, int rootless)
{
	return rootless < 0 ? !(host->privileged && host->initial_user_ns) : rootless;
}

int host_rootless(int rootless, bool *result, struct err *err)
{
	struct host host = { .privileged = caps_have(CAP_SYS_ADMIN) };

	if (probe_user_namespace(&host, err) < 0)
		return -1;
	*result = is_rootless(&host, rootless);
	return 0;
}

int host_probe(struct host *host, int rootless, struct arena *arena, struct err *err)
{
	struct utsname name;

	if (uname(&name) < 0)
		return err_sys(err, "uname");
	*host = (struct host){
		.uid = geteuid(),
		.gid = getegid(),
		.privileged = caps_have(CAP_SYS_ADMIN),
		.last_cap = caps_last(),
		.machine = arena_copy(arena, name.machine, strlen(name.machine)),
	};
	if (probe_user_namespace(host, err) < 0)
		return -1;
	host->rootless = is_rootless(host, rootless);
	probe_cgroup(host, arena);
	probe_landlock(host);
	probe_security_modules(host);
	return 0;
}
