/*
 * The life of a site, see site.h. Containers are launched by container_run(), what `agentd run
 * --detach` does, each by a process of ours, so that many are launched at once and the canary's end
 * of the conversation can be descriptor 3 (--preserve-fds 1).
 *
 * Whoever launches is a sloppy caller on purpose: with a directory of the host's left open, a
 * signal ignored and a variable that is nobody's business, so that hygiene has something to clean.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "runtime/wire.h"
#include "selftest/site.h"

#define ID_PREFIX "selftest-"
#define DEADLINE_MAX_S 60
#define FIRST_FREE_FD 10 /* for what must not be in the way of ATTEMPT_FD */
#ifndef MFD_EXEC
#define MFD_EXEC 0x10u /* Linux 6.3 */
#endif

/* --- in the process that launches ------------------------------------------------------------ */

static void __attribute__((noreturn)) fail(int wire, const struct err *err)
{
	wire_send_error(wire, err);
	_exit(1);
}

/* Moves our descriptors out of the way, and gives the canary its end. *wire: ours, for good. */
static void become_caller(const struct site *site, const char *nonce, int *wire)
{
	int end = fcntl(site->end, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	struct err err;

	*wire = fcntl(site->wire, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	close(site->wire); /* whoever awaits us hears the end of the stream */
	if (*wire < 0 || end < 0 || dup2(end, ATTEMPT_FD) < 0) {
		err_sys(&err, "give the canary its descriptor");
		fail(*wire, &err);
	}
	log_forward(wire_send_log, wire);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGUSR1, SIG_IGN);
	setenv("AGENTD_SELFTEST_SECRET", nonce, 1);
	/* not close-on-exec, and that is the point */
	fcntl(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), F_DUPFD, FIRST_FREE_FD);
}

static void __attribute__((noreturn))
launch_container(const struct stage *stage, const struct site *site)
{
	int wire, status;
	const struct request request = { .id = site->id,
					 .bundle = site->bundle.path,
					 .keep_fds = 1,
					 .detach = true,
					 .best_effort_cgroup = true };
	struct err err;

	become_caller(site, stage->decoys.told.nonce, &wire);
	if (container_run(stage->settings, &request, &status, &err) < 0)
		fail(wire, &err);
	_exit(0);
}

static void __attribute__((noreturn))
launch_exec(const struct stage *stage, const struct site *site)
{
	int wire, status;
	const char *argv[] = { site->canary, "attempts", NULL };
	const struct request request = {
		.id = site->exec_id, .pid_file = site->pid_file, .keep_fds = 1, .detach = true
	};
	const struct exec_process process = { .args = { argv, 2 } };
	struct err err;

	become_caller(site, stage->decoys.told.nonce, &wire);
	if (container_exec(stage->settings, &request, &process, &status, &err) < 0)
		fail(wire, &err);
	_exit(0);
}

/* --- children of the host -------------------------------------------------------------------- */

/* The canary as a file in memory: a child must need no path for it. */
static int canary_file(struct err *err)
{
	autoclose int fd = memfd_create("agentd-canary", MFD_CLOEXEC | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("agentd-canary", MFD_CLOEXEC);
	if (fd < 0 || file_write_all(fd, canary_program, canary_program_size) < 0)
		return err_sys(err, "make the canary in memory");
	return fd_take(&fd);
}

static int write_map(const char *path, unsigned id, struct err *err)
{
	char text[32];

	snprintf(text, sizeof(text), "%u %u 1", id, id);
	return file_write(AT_FDCWD, path, text, err);
}

/* Mounts of its own, so that what gets through does so there. An ordinary user needs a user
 * namespace for that, in which he stays who he is, and at exec without capabilities. */
static int leave_mounts(const struct host *host, struct err *err)
{
	if (unshare(host->privileged ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) < 0)
		return err_sys(err, "unshare the mount namespace");
	if (!host->privileged && (file_write(AT_FDCWD, "/proc/self/setgroups", "deny", err) < 0 ||
				  write_map("/proc/self/uid_map", host->uid, err) < 0 ||
				  write_map("/proc/self/gid_map", host->gid, err) < 0))
		return -1;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, "make the mounts private");
	return 0;
}

struct confinement {
	bool no_new_privileges;
	struct caps_plan caps;
	struct limits_plan limits;
	struct landlock_plan landlock;
	struct seccomp_plan seccomp;
	struct sock_fprog filter;
};

/* The layers that a process can put on itself, by the same plans and in the same order as init. */
static int confine(const struct confinement *plan, struct err *err)
{
	static const struct mounts_plan by_name;
	static const struct rlimit unused;
	autoclose int ruleset = -1;

	if (plan->landlock.wanted &&
	    landlock_prepare(&plan->landlock, &by_name, NULL, &ruleset, err) < 0)
		return -1;
	/* where it cannot be had, no attempt asks for it: runner_look() */
	if (caps_can_apply_bounding(&plan->caps) && caps_apply_bounding(&plan->caps, err) < 0)
		return -1;
	if (plan->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "set no_new_privs");
	if (limits_apply(&plan->limits, &unused, err) < 0)
		return -1;
	if (plan->seccomp.wanted && !plan->no_new_privileges &&
	    seccomp_apply(&plan->seccomp, &plan->filter, err) < 0)
		return -1;
	if (caps_apply(&plan->caps, err) < 0 ||
	    (plan->landlock.wanted && landlock_apply(&plan->landlock, ruleset, err) < 0))
		return -1;
	if (plan->seccomp.wanted && plan->no_new_privileges)
		return seccomp_apply(&plan->seccomp, &plan->filter, err);
	return 0;
}

static int plan_confinement(const struct stage *stage, const struct spec *spec,
			    struct confinement *plan, struct err *err)
{
	*plan = (struct confinement){ .no_new_privileges = spec->process.no_new_privileges };
	if (caps_plan(&spec->process, stage->host, &plan->caps, err) < 0 ||
	    limits_plan(spec, &spec->process, &plan->limits, err) < 0 ||
	    landlock_plan(&spec->process, stage->host, stage->arena, &plan->landlock, err) < 0 ||
	    seccomp_plan(spec, stage->host, stage->arena, &plan->seccomp, err) < 0)
		return -1;
	plan->limits.raise_files = false; /* that is for building */
	return plan->seccomp.wanted
		       ? seccomp_compile(&plan->seccomp, stage->arena, &plan->filter, err)
		       : 0;
}

static void __attribute__((noreturn))
launch_child(const struct stage *stage, const struct site *site, int program)
{
	static char *const argv[] = { "agentd-canary", "attempts", NULL };
	struct confinement plan;
	extern char **environ;
	sigset_t none;
	struct err err;
	int wire;

	become_caller(site, stage->decoys.told.nonce, &wire);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!stage->in_place && leave_mounts(stage->host, &err) < 0)
		fail(wire, &err);
	if (site->spec &&
	    (plan_confinement(stage, site->spec, &plan, &err) < 0 || confine(&plan, &err) < 0))
		fail(wire, &err);
	fexecve(program, argv, environ);
	err_sys(&err, "execute the canary");
	fail(wire, &err);
}

/* --- outside --------------------------------------------------------------------------------- */

static int begin_launch(const struct stage *stage, struct site *site, int program, struct err *err)
{
	int ends[2], wires[2];

	if (wire_pair(wires, err) < 0)
		return -1;
	site->wire = wires[1];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		close(wires[0]);
		return err_sys(err, "make a pair of sockets");
	}
	site->end = ends[1];
	site->child = fork();
	if (site->child == 0) {
		close(wires[0]);
		close(ends[0]);
		if (site->place == PLACE_EXEC)
			launch_exec(stage, site);
		if (program >= 0)
			launch_child(stage, site, program);
		launch_container(stage, site);
	}
	fd_close(&site->wire);
	fd_close(&site->end);
	site->wire = wires[0];
	site->end = ends[0];
	return site->child < 0 ? err_sys(err, "fork") : 0;
}

int site_begin(const struct stage *stage, struct site *site, struct err *err)
{
	bool child = stage->in_place || site->place == PLACE_HOST;
	autoclose int program = child ? canary_file(err) : -1;

	if (child && program < 0)
		return -1;
	if (!child && site->place != PLACE_EXEC)
		site->id = arena_format(stage->arena, ID_PREFIX "%.8s-%s-%x",
					stage->decoys.told.nonce,
					name_text(place_names, site->place), site->without);
	return begin_launch(stage, site, program, err);
}

static void wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

static int find_container(const struct stage *stage, struct site *site, struct err *err)
{
	enum state_status status;
	struct state *state;

	if (container_state(stage->settings, site->id ? site->id : site->exec_id, &state, &status,
			    err) < 0)
		return -1;
	site->pid = (pid_t)state->pid;
	/* One that is gone already is what the conversation will find out. */
	if (state->cgroup_path)
		cgroup_open(state->cgroup_root, state->cgroup_path, &site->cgroup, err);
	return 0;
}

/* The further process is our child too, and the container's first one cannot end before somebody
 * has waited for all others (pid_namespaces(7)). */
static int find_process(const struct stage *stage, struct site *site, struct err *err)
{
	char *text;

	if (find_container(stage, site, err) < 0 ||
	    file_read(AT_FDCWD, site->pid_file, 32, stage->arena, &text, NULL, err) < 0)
		return -1;
	site->pid = site->child = atoi(text);
	return 0;
}

/* The part of a processor that a cgroup may use, by its cpu.max; 1: one or more. */
static double processor_share(int cgroup)
{
	char text[64], *period;
	double quota;

	if (cgroup < 0 || file_read_small(cgroup, "cpu.max", text, sizeof(text)) <= 0)
		return 1;
	quota = strtod(text, &period); /* "max": 0 */
	return quota > 0 && quota < strtod(period, NULL) ? quota / strtod(period, NULL) : 1;
}

/* The less it may compute, the longer it may take; but not for ever. */
static int32_t find_deadline(int cgroup)
{
	double seconds = ATTEMPT_DEADLINE_S / processor_share(cgroup);

	return seconds < DEADLINE_MAX_S ? (int32_t)seconds : DEADLINE_MAX_S;
}

void site_await(const struct stage *stage, struct site *site)
{
	struct err err;
	int result = wire_expect_end(site->wire, NULL, &err);

	fd_close(&site->wire);
	if (site->place == PLACE_HOST || stage->in_place) {
		site->pid = site->child; /* it has become the canary */
	} else {
		wait_for(site->child);
		site->child = 0;
		if (result == 0)
			result = site->place == PLACE_EXEC ? find_process(stage, site, &err)
							   : find_container(stage, site, &err);
	}
	site->decoys.deadline_s = find_deadline(site->cgroup);
	if (result == 0)
		return;
	site->failed = arena_copy(stage->arena, err.text, strlen(err.text));
	fd_close(&site->end);
}

int site_end(const struct stage *stage, struct site *site, struct err *err)
{
	int result = 0;

	fd_close(&site->talk.fd);
	fd_close(&site->wire);
	fd_close(&site->end);
	fd_close(&site->cgroup);
	if (site->child > 0) {
		kill(site->child, SIGKILL); /* not waited for yet: still that process */
		wait_for(site->child);
		site->child = 0;
	}
	if (site->id) {
		result = container_delete(stage->settings, site->id, true, err);
		/* It became ours when who launched it ended (PR_SET_CHILD_SUBREAPER). */
		if (result == 0 && site->pid > 0)
			wait_for(site->pid);
	}
	site->id = NULL;
	if (site->place != PLACE_EXEC) {
		bundle_remove(&site->outside);
		bundle_remove(&site->bundle);
	}
	return result;
}
