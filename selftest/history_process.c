/*
 * Past vulnerabilities of how a runtime treats itself: its own program, the descriptors it has
 * open, the environment of its hooks.
 */
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
#include "selftest/scenes.h"

#define FD_FIRST 3
#define FD_LAST 30
#define NOBODY 65534

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

/* Of a container that waits to be started, the program is ours. */
static int try_waiting(struct scene *scene, struct err *err)
{
	autoclose int exe = -1, cgroup = -1, control = scene_open(scene, "script");
	pid_t pid;
	int result = scene_hold(scene, SCENE_CREATE, "\"true\"", NULL, &pid, &cgroup, err);

	if (result <= 0)
		return result;
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
int history_self_exe(struct scene *scene, struct err *err)
{
	struct stat before, after;

	if (stat("/proc/self/exe", &before) < 0)
		return err_sys(err, "stat /proc/self/exe");
	if (scene_add_file(scene, "script", "#!/proc/self/exe\n", 0755, err) < 0 ||
	    scene_launch(scene, SCENE_RUN, "\"true\"", "{\"process\":{\"args\":[\"/script\"]}}",
			 err) < 0)
		return -1;
	if (stat("/proc/self/exe", &after) < 0 || !is_same_file(&before, &after))
		return scene_escaped(scene, "agentd's own program was changed");
	return try_waiting(scene, err);
}

/* --- descriptors of the host ----------------------------------------------------------------- */

/* CVE-2024-21626: the working directory is a descriptor that the runtime forgot to close. */
int history_cwd(struct scene *scene, struct err *err)
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

		if (scene_launch(scene, SCENE_RUN, read, patch, err) < 0)
			return -1;
		refused += !scene->launched;
		if (scene->launched &&
		    (scene_says(scene, "read=ok") || !scene_says(scene, "cwd=/")))
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

int history_dumpable(struct scene *scene, struct err *err)
{
	const char *patch =
		arena_format(scene->arena, "{\"process\":{\"user\":{\"uid\":%d,\"gid\":%d}}}",
			     scene->host.rootless ? 0 : NOBODY, scene->host.rootless ? 0 : NOBODY);
	autoclose int cgroup = -1;
	uid_t owner, real;
	pid_t pid;
	int result = scene_hold(scene, SCENE_CREATE, "\"true\"", patch, &pid, &cgroup, err);

	if (result <= 0)
		return result;
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

/* --- the environment ------------------------------------------------------------------------- */

/* CVE-2023-25809: without a cgroup namespace, the host's own cgroups are under /sys/fs/cgroup. */
int history_cgroup_write(struct scene *scene, struct err *err)
{
	static const char arguments[] = "\"open\",\"/sys/fs/cgroup/cgroup.procs\",\"w\"";
	const char *patch = arena_format(
		scene->arena,
		"{\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"},"
		"{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"mount\"}%s]}}",
		scene->host.rootless ? ",{\"type\":\"user\"}" : "");

	if (scene_launch(scene, SCENE_RUN, arguments, patch, err) < 0)
		return -1;
	if (scene_says(scene, "open=ENOENT"))
		return scene_undecided(scene, VERDICT_INCONCLUSIVE,
				       "the container has no /sys/fs/cgroup");
	return scene_judge(scene,
			   scene_says(scene, "open=EROFS") || scene_says(scene, "open=EACCES"),
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

	return scene_launch(scene, SCENE_CREATE, "\"true\"", patch, err);
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
int history_hooks(struct scene *scene, struct err *err)
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
