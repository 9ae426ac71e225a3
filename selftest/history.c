/*
 * Past vulnerabilities of container runtimes, as bundles that lay the same traps: deterministic,
 * without a race, and harmless where a trap closes. See history.h; what the bundles have in common
 * is scene.c's.
 *
 * Each trap is shown to be one: an ordinary bundle of the same kind is launched first, and a link
 * is followed from the host to where it leads.
 */
#include "selftest/history.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "selftest/history_cgroup.h"
#include "selftest/history_hygiene.h"
#include "selftest/scene.h"

#define FD_FIRST 3
#define FD_LAST 30
#define NOBODY 65534

/* A configuration in which the root filesystem's own /dev and /proc are what the runtime finds. */
#define MOUNTS(list) "\"mounts\":[" list "]"
#define PROC_AT(path) "{\"destination\":\"" path "\",\"type\":\"proc\",\"source\":\"proc\"}"
#define NOTHING_HIDDEN "\"maskedPaths\":[],\"readonlyPaths\":[]"

/* Whether a path in the root filesystem, followed as the host follows links, is the decoy's file.
 */
static bool leads_to_decoy(const struct scene *scene, const char *name)
{
	const char *path = arena_format(scene->arena, "%s/rootfs/%s", scene->bundle.path, name);
	const char *file = arena_format(scene->arena, "%s/file", scene->decoy);
	struct stat found, decoy;

	return stat(path, &found) == 0 && stat(file, &decoy) == 0 && found.st_dev == decoy.st_dev &&
	       found.st_ino == decoy.st_ino;
}

static bool says(const struct scene *scene, const char *text)
{
	return strstr(scene->output, text) != NULL;
}

/* --- our own program ------------------------------------------------------------------------- */

/* Of a file: everything that writing to it changes. */
static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Whether nobody can write through this descriptor's file: a read-only mount, seals, or rights. */
static bool is_sealed(int exe)
{
	int seals = fcntl(exe, F_GET_SEALS);
	struct statvfs fs;
	struct stat st;

	if ((seals >= 0 && seals & F_SEAL_WRITE) ||
	    (fstatvfs(exe, &fs) == 0 && fs.f_flag & ST_RDONLY))
		return true;
	return fstat(exe, &st) == 0 && st.st_uid != geteuid() &&
	       faccessat(exe, "", W_OK, AT_EMPTY_PATH | AT_EACCESS) < 0;
}

static int open_in_rootfs(const struct scene *scene, const char *name)
{
	return open(arena_format(scene->arena, "%s/rootfs/%s", scene->bundle.path, name),
		    O_RDONLY | O_CLOEXEC);
}

/* Of a container that waits to be started, the program is ours. */
static int try_waiting(struct scene *scene, struct err *err)
{
	autoclose int exe = -1, cgroup = -1, control = open_in_rootfs(scene, "script");
	pid_t pid;

	if (scene_configure(scene, "\"true\"", NULL, err) < 0 ||
	    scene_launch(scene, SCENE_CREATE, err) < 0)
		return -1;
	if (!scene->launched)
		return scene_undecided(scene, VERDICT_INCONCLUSIVE, "%s", scene->refusal);
	if (scene_find(scene, &pid, &cgroup, err) < 0)
		return -1;
	exe = open(arena_format(scene->arena, "/proc/%d/exe", (int)pid), O_RDONLY | O_CLOEXEC);
	/* closed even to the user who runs it; but it is a child of ours that executes nothing yet
	 */
	if (exe < 0 && errno == EACCES)
		exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (exe < 0)
		return err_sys(err, "open /proc/%d/exe", (int)pid);
	if (control < 0 || is_sealed(control))
		return scene_undecided(scene, VERDICT_INCONCLUSIVE,
				       "here no file can be written to anyway");
	return is_sealed(exe) ? scene_contained(scene, "the waiting program is read-only")
			      : scene_escaped(scene, "the waiting program can be written to");
}

/* CVE-2019-5736: the program to run is the runtime itself, by /proc/self/exe. */
static int try_self_exe(struct scene *scene, struct err *err)
{
	struct stat before, after;

	if (stat("/proc/self/exe", &before) < 0)
		return err_sys(err, "stat /proc/self/exe");
	if (scene_add_file(scene, "script", "#!/proc/self/exe\n", 0755, err) < 0 ||
	    scene_configure(scene, "\"true\"", "{\"process\":{\"args\":[\"/script\"]}}", err) < 0 ||
	    scene_launch(scene, SCENE_RUN, err) < 0)
		return -1;
	if (stat("/proc/self/exe", &after) < 0 || !is_same_file(&before, &after))
		return scene_escaped(scene, "agentd's own program was changed");
	return try_waiting(scene, err);
}

/* --- descriptors of the host ----------------------------------------------------------------- */

/* CVE-2024-21626: the working directory is a descriptor that the runtime forgot to close. */
static int try_cwd(struct scene *scene, struct err *err)
{
	const char *read =
		arena_format(scene->arena,
			     "\"many\",\"cwd\",\"--\",\"read\",\"../../../../../../../../"
			     "../..%s/file\"",
			     scene->decoy);
	unsigned refused = 0, tried = 0;

	for (int fd = FD_FIRST; fd <= FD_LAST; fd++, tried++) {
		const char *patch = arena_format(
			scene->arena, "{\"process\":{\"cwd\":\"/proc/self/fd/%d\"}}", fd);

		if (scene_configure(scene, read, patch, err) < 0 ||
		    scene_launch(scene, SCENE_RUN, err) < 0)
			return -1;
		refused += !scene->launched;
		if (scene->launched && (says(scene, "read=ok") || !says(scene, "cwd=/")))
			return scene_escaped(scene, "descriptor %d leads out of the container", fd);
	}
	return scene_contained(scene, "%u of %u refused, the others lead nowhere", refused, tried);
}

/* CVE-2016-9962: what is about to enter must not be open to those inside. The kernel gives the
 * files of an undumpable process to root; proc(5). */
static int owner_of_fds(pid_t pid, uid_t *owner, uid_t *real)
{
	char path[64], status[2048], *line;
	struct stat st;
	unsigned uid;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	if (stat(path, &st) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (file_read_small(AT_FDCWD, path, status, sizeof(status)) <= 0)
		return -1;
	line = strstr(status, "\nUid:");
	if (!line || sscanf(line, "\nUid: %*u %u", &uid) != 1)
		return -1;
	*owner = st.st_uid;
	*real = uid;
	return 0;
}

/* A child that is dumpable, with the uid that the container's process has. */
static bool would_show(uid_t uid)
{
	int ready[2];
	uid_t owner = 0, real = 0;
	bool shown;
	pid_t child;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return false;
	child = fork();
	if (child == 0) {
		if (uid != geteuid() && setresuid(uid, uid, uid) < 0)
			_exit(1);
		prctl(PR_SET_DUMPABLE, 1);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	shown = child > 0 && read(ready[0], &owner, 1) == 0 &&
		owner_of_fds(child, &owner, &real) == 0 && owner == uid && owner != 0;
	close(ready[0]);
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return shown;
}

static int try_dumpable(struct scene *scene, struct err *err)
{
	const char *patch =
		arena_format(scene->arena, "{\"process\":{\"user\":{\"uid\":%d,\"gid\":%d}}}",
			     scene->host.rootless ? 0 : NOBODY, scene->host.rootless ? 0 : NOBODY);
	autoclose int cgroup = -1;
	uid_t owner, real;
	pid_t pid;

	if (scene_configure(scene, "\"true\"", patch, err) < 0 ||
	    scene_launch(scene, SCENE_CREATE, err) < 0)
		return -1;
	if (!scene->launched)
		return scene_undecided(scene, VERDICT_INCONCLUSIVE, "%s", scene->refusal);
	if (scene_find(scene, &pid, &cgroup, err) < 0)
		return -1;
	if (owner_of_fds(pid, &owner, &real) < 0)
		return err_sys(err, "look at /proc/%d", (int)pid);
	if (!would_show(real))
		return scene_undecided(scene, VERDICT_INCONCLUSIVE,
				       "a dumpable process of uid %u cannot be told from another",
				       (unsigned)real);
	return owner != real ? scene_contained(scene, "the waiting process is undumpable")
			     : scene_escaped(scene, "the waiting process is open to uid %u",
					     (unsigned)real);
}

/* --- traps in the root filesystem ------------------------------------------------------------ */

/* CVE-2025-31133: paths are masked with whatever /dev/null of the root filesystem is. */
static int try_mask(struct scene *scene, struct err *err)
{
	static const char patch[] = "{" MOUNTS(
		PROC_AT("/proc")) ","
				  "\"linux\":{\"maskedPaths\":[\"/secret\"],\"readonlyPaths\":[]}}";
	static const char *const targets[] = { "the decoy", "/proc/sys/kernel/core_pattern", NULL };

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		const char *target = targets[i];

		scene_end(scene); /* each has a bundle of its own */
		if (scene_make(scene, err) < 0 ||
		    scene_add_file(scene, "secret", "secret\n", 0644, err) < 0)
			return -1;
		if (i == 0)
			target = arena_format(scene->arena, "%s/file", scene->decoy);
		if ((target ? scene_add_link(scene, "dev/null", target, err)
			    : scene_add_file(scene, "dev/null", "", 0666, err)) < 0 ||
		    scene_configure(scene, "\"stat\",\"/secret\"", patch, err) < 0 ||
		    scene_launch(scene, SCENE_RUN, err) < 0)
			return -1;
		scene_judge(scene, says(scene, "/secret=char") && says(scene, "device=1:3"),
			    "the mask is the null device");
		if (scene->result->verdict != VERDICT_PASS)
			return 0;
	}
	return 0;
}

/* CVE-2025-52565: the terminal is mounted on /dev/console, which leads elsewhere. */
static int try_console(struct scene *scene, struct err *err)
{
	static const char patch[] = "{\"process\":{\"terminal\":true}," MOUNTS(PROC_AT(
		"/proc") ","
			 "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
			 "\"options\":[\"newinstance\",\"ptmxmode=0666\"]}") ","
									     "\"linux\":"
									     "{" NOTHING_HIDDEN
									     "}}";
	const char *file = arena_format(scene->arena, "%s/file", scene->decoy);

	if (scene_add_link(scene, "dev/console", file, err) < 0)
		return -1;
	if (!leads_to_decoy(scene, "dev/console"))
		return scene_undecided(scene, VERDICT_INCONCLUSIVE, "the trap does not work here");
	if (scene_configure(scene, "\"stat\",\"/dev/console\"", patch, err) < 0 ||
	    scene_launch(scene, SCENE_RUN, err) < 0)
		return -1;
	return scene_judge(scene, says(scene, "/dev/console="), "the host's file is untouched");
}

/* CVE-2025-52881: what is written to /proc lands in files that only look like it. */
static int try_fake_proc(struct scene *scene, struct err *err)
{
	static const char patch[] =
		"{" MOUNTS(PROC_AT("/real")) ",\"linux\":{" NOTHING_HIDDEN ","
					     "\"sysctl\":{\"net.ipv4.ip_default_ttl\":\"77\"}}}";
	static const char name[] = "proc/sys/net/ipv4/ip_default_ttl";
	autoclose int fake = -1;
	char text[16];

	if (scene_add_file(scene, name, "fake\n", 0666, err) < 0 ||
	    scene_add_file(scene, "proc/self/attr/exec", "fake\n", 0666, err) < 0 ||
	    scene_configure(scene, "\"cat\",\"/real/sys/net/ipv4/ip_default_ttl\"", patch, err) <
		    0 ||
	    scene_launch(scene, SCENE_RUN, err) < 0)
		return -1;
	fake = open_in_rootfs(scene, name);
	if (fake < 0 || read(fake, text, sizeof(text)) != 5 || memcmp(text, "fake\n", 5) != 0)
		return scene_escaped(scene, "a sysctl was written into a file of the bundle");
	return scene_judge(scene, says(scene, "77"), "the sysctl is set in the real /proc");
}

/* CVE-2021-30465, CVE-2024-45310: what is made for a mount point, and what is mounted, would be on
 * the host if the link were followed. */
static int try_mount_link(struct scene *scene, const char *mount, struct err *err)
{
	const char *patch = arena_format(scene->arena,
					 "{\"root\":{\"readonly\":false},\"mounts\":[%s]}", mount);

	/* the same path inside, so that there is somewhere else to lead to */
	if (scene_add_file(scene, arena_format(scene->arena, "%s/keep", scene->decoy + 1), "", 0644,
			   err) < 0 ||
	    scene_add_link(scene, "out", scene->decoy, err) < 0 ||
	    scene_add_link(
		    scene, "up",
		    arena_format(scene->arena, "../../../../../../../../../..%s", scene->decoy),
		    err) < 0)
		return -1;
	if (!leads_to_decoy(scene, "out/file") || !leads_to_decoy(scene, "up/file"))
		return scene_undecided(scene, VERDICT_INCONCLUSIVE, "the trap does not work here");
	if (scene_configure(scene, "\"true\"", patch, err) < 0 ||
	    scene_launch(scene, SCENE_RUN, err) < 0)
		return -1;
	return scene_judge(scene, scene->status == 0, "resolved inside the root filesystem");
}

static int try_mount_symlink(struct scene *scene, struct err *err)
{
	return try_mount_link(
		scene,
		"{\"destination\":\"/out/new\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},"
		"{\"destination\":\"/up/new\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}",
		err);
}

static int try_bind_symlink(struct scene *scene, struct err *err)
{
	const char *source = arena_format(scene->arena, "%s/decoy/file", scene->bundle.path);

	return try_mount_link(
		scene,
		arena_format(scene->arena,
			     "{\"destination\":\"/out/new\",\"type\":\"bind\",\"source\":\"%s\","
			     "\"options\":[\"bind\",\"ro\"]}",
			     source),
		err);
}

/* CVE-2019-16884: a volume in the place of /proc takes what is meant for the kernel. */
static int try_volume_proc(struct scene *scene, struct err *err)
{
	const char *patch = arena_format(
		scene->arena,
		"{\"mounts\":[{\"destination\":\"/proc\",\"type\":\"bind\",\"source\":\"%s/rootfs/"
		"volume\",\"options\":[\"bind\"]}," PROC_AT(
			"/real") "],"
				 "\"linux\":{" NOTHING_HIDDEN
				 ",\"sysctl\":{\"net.ipv4.ip_default_ttl\":\"77\"}}}",
		scene->bundle.path);
	static const char name[] = "volume/sys/net/ipv4/ip_default_ttl";
	autoclose int fake = -1;
	char text[16];

	if (scene_add_file(scene, name, "fake\n", 0666, err) < 0 ||
	    scene_configure(scene, "\"cat\",\"/real/sys/net/ipv4/ip_default_ttl\"", patch, err) <
		    0 ||
	    scene_launch(scene, SCENE_RUN, err) < 0)
		return -1;
	fake = open_in_rootfs(scene, name);
	if (fake < 0 || read(fake, text, sizeof(text)) != 5 || memcmp(text, "fake\n", 5) != 0)
		return scene_escaped(scene, "a sysctl was written into a volume");
	return scene_judge(scene, says(scene, "77"), "the sysctl is set in the real /proc");
}

/* CVE-2023-28642: /proc is a link, so that what protects it misses. */
static int try_proc_link(struct scene *scene, struct err *err)
{
	static const char patch[] =
		"{" MOUNTS(PROC_AT("/proc")) ",\"linux\":{"
					     "\"maskedPaths\":[\"/proc/version\"],"
					     "\"readonlyPaths\":[\"/proc/sys\"]}}";

	if (scene_add_link(scene, "proc", "/elsewhere", err) < 0 ||
	    scene_add_file(scene, "elsewhere/version", "fake\n", 0644, err) < 0 ||
	    scene_configure(scene, "\"stat\",\"/elsewhere/version\"", patch, err) < 0 ||
	    scene_launch(scene, SCENE_RUN, err) < 0)
		return -1;
	return scene_judge(scene, says(scene, "device=1:3"), "masked where the link leads");
}

/* --- cgroup, environment --------------------------------------------------------------------- */

/* CVE-2023-25809: without a cgroup namespace, the host's own cgroups are under /sys/fs/cgroup. */
static int try_cgroup_write(struct scene *scene, struct err *err)
{
	static const char arguments[] = "\"open\",\"/sys/fs/cgroup/cgroup.procs\",\"w\"";
	const char *patch = arena_format(
		scene->arena,
		"{\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"},"
		"{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"mount\"}%s]}}",
		scene->host.rootless ? ",{\"type\":\"user\"}" : "");

	if (scene_configure(scene, arguments, patch, err) < 0 ||
	    scene_launch(scene, SCENE_RUN, err) < 0)
		return -1;
	if (says(scene, "open=ENOENT"))
		return scene_undecided(scene, VERDICT_INCONCLUSIVE,
				       "the container has no /sys/fs/cgroup");
	return scene_judge(scene, says(scene, "open=EROFS") || says(scene, "open=EACCES"),
			   "/sys/fs/cgroup cannot be written to");
}

/* Creates a container, each of whose hooks fails if it has a variable of this name. */
static int create_with_hooks(struct scene *scene, const char *name, struct err *err)
{
	const char *hook =
		arena_format(scene->arena,
			     "[{\"path\":\"%s/rootfs%s\",\"args\":[\"canary\",\"env\",\"%s\"],"
			     "\"env\":[\"AGENTD_HOOK=1\"]}]",
			     scene->bundle.path, scene->canary, name);
	const char *patch =
		arena_format(scene->arena,
			     "{\"process\":{\"env\":[\"AGENTD_INSIDE=1\",\"LD_PRELOAD=/none.so\"]},"
			     "\"hooks\":{\"createRuntime\":%s,\"createContainer\":%s}}",
			     hook, hook);

	return scene_configure(scene, "\"true\"", patch, err) < 0 ||
			       scene_launch(scene, SCENE_CREATE, err) < 0
		       ? -1
		       : 0;
}

/* Whether a process was started with a variable of this name; -1: it cannot be told. */
static int has_variable(const struct scene *scene, pid_t pid, const char *name)
{
	char environment[65536];
	ssize_t size = file_read_small(AT_FDCWD,
				       arena_format(scene->arena, "/proc/%d/environ", (int)pid),
				       environment, sizeof(environment));

	return size < 0 ? -1 : memmem(environment, (size_t)size, name, strlen(name)) != NULL;
}

/* CVE-2025-23266: a hook that runs with the container's environment loads the container's code. */
static int try_hook_environment(struct scene *scene, struct err *err)
{
	static const char *const inside[] = { "AGENTD_INSIDE", "LD_PRELOAD" };
	autoclose int cgroup = -1;
	pid_t pid;

	if (create_with_hooks(scene, "AGENTD_HOOK", err) < 0)
		return -1;
	if (scene->launched || !strstr(scene->refusal, "hooks."))
		return scene_undecided(scene, VERDICT_INCONCLUSIVE,
				       "hooks did not find their own environment: %s",
				       scene->refusal);
	for (size_t i = 0; i < ARRAY_LEN(inside); i++) {
		struct err unused;

		if (create_with_hooks(scene, inside[i], err) < 0)
			return -1;
		if (!scene->launched)
			return scene_escaped(scene, "a hook has the container's %s", inside[i]);
		if (scene_find(scene, &pid, &cgroup, err) < 0)
			return -1;
		fd_close(&cgroup);
		if (has_variable(scene, pid, inside[0]) > 0)
			return scene_escaped(scene, "agentd has the container's %s", inside[0]);
		container_delete(scene->settings, scene->id, true, &unused);
	}
	return scene_contained(scene, "hooks and agentd have their own environment");
}

/* --- the table ------------------------------------------------------------------------------- */

static const struct {
	const char *id;
	int (*run)(struct scene *scene, struct err *err);
} attempts[] = {
	{ "cve.2019-5736", try_self_exe },
	{ "cve.2024-21626", try_cwd },
	{ "cve.2025-31133", try_mask },
	{ "cve.2025-52565", try_console },
	{ "cve.2025-52881", try_fake_proc },
	{ "cve.2021-30465", try_mount_symlink },
	{ "cve.2019-16884", try_volume_proc },
	{ "cve.2023-28642", try_proc_link },
	{ "cve.2024-45310", try_bind_symlink },
	{ "cve.2016-9962", try_dumpable },
	{ "cve.2023-25809", try_cgroup_write },
	{ "cve.hook-env", try_hook_environment },
	{ "cg.kill", history_cgroup_kill },
	{ "cg.freeze", history_cgroup_freeze },
	{ "cg.oom-group", history_cgroup_oom },
	{ "cg.nproc-not-enough", history_processes },
	{ "hyg.parent-death", history_parent_death },
	{ "hyg.zombies", history_orphans },
};

static size_t find(const char *id)
{
	size_t i = 0;

	while (i < ARRAY_LEN(attempts) && strcmp(attempts[i].id, id) != 0)
		i++;
	return i;
}

bool history_has(const char *id)
{
	return find(id) < ARRAY_LEN(attempts);
}

/* Nothing that is refused proves anything where an ordinary bundle is refused too. */
static int try_ordinary(struct scene *scene, struct err *err)
{
	if (scene_make(scene, err) < 0 || scene_configure(scene, "\"cwd\"", NULL, err) < 0 ||
	    scene_launch(scene, SCENE_RUN, err) < 0)
		return -1;
	scene_end(scene);
	if (scene->launched && scene->status == 0 && says(scene, "cwd=/\n"))
		return 1;
	return scene_undecided(scene, VERDICT_INCONCLUSIVE, "an ordinary bundle cannot be run: %s",
			       scene->launched ? scene->output : scene->refusal);
}

int history_run(const struct settings *settings, const char *canary, const char *id,
		struct arena *arena, struct result *result, struct err *err)
{
	/* its own memory: there are many bundles, and nothing is kept */
	struct settings own = *settings;
	struct scene *scene = arena_new_object(arena, struct scene);
	size_t at = find(id);
	int returned;

	if (at == ARRAY_LEN(attempts))
		return err_set(err, ENOENT, "no such case: %s", id);
	own.arena = arena_new(ARENA_LIMIT);
	*scene = (struct scene){ .settings = &own,
				 .canary = canary,
				 .arena = own.arena,
				 .result = result,
				 .bundle.dir = -1 };
	result->verdict = VERDICT_ERROR;
	returned = host_probe(&scene->host, settings->rootless, own.arena, err) < 0 ||
				   bundle_config(NULL, &scene->host, own.arena, &scene->config,
						 err) < 0
			   ? -1
			   : try_ordinary(scene, err);
	if (returned > 0)
		returned = scene_make(scene, err) < 0 ? -1 : attempts[at].run(scene, err);
	scene_end(scene);
	arena_free(own.arena);
	return returned < 0 ? err_wrap(err, "%s", id) : 0;
}
