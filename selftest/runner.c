/*
 * The runner: a run from its first look at the machine to the last thing removed.
 *
 * Whatever happens after the lock is taken, everything that was planted or launched is removed
 * again on the same way out; what a killed run could not remove, the next one does before it
 * begins. The lock's file holds the nonce, from which all names follow.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "runtime/base/array.h"
#include "runtime/base/clock.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/options.h"
#include "selftest/report.h"
#include "selftest/rows.h"
#include "selftest/select.h"
#include "selftest/trials.h"

#define LOCK_FILE ".selftest"
#define ID_PREFIX "selftest-"
#define SITES_AT_ONCE 8 /* of those that are many */

static const struct {
	unsigned profile, seconds;
} timeouts[] = { { PROFILE_QUICK, 30 }, { PROFILE_STANDARD, 120 }, { PROFILE_COMPREHENSIVE, 600 } };

static const char *now_text(struct arena *arena)
{
	time_t now = time(NULL);
	char text[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return arena_copy(arena, text, strlen(text));
}

/* --- one at a time, and after a killed one --------------------------------------------------- */

static void sweep_containers(const struct settings *settings)
{
	struct spec_strings ids = { 0 };
	struct err err;

	if (container_list(settings, &ids, &err) < 0)
		return;
	for (size_t i = 0; i < ids.len; i++)
		if (strncmp(ids.item[i], ID_PREFIX, strlen(ID_PREFIX)) == 0 &&
		    container_delete(settings, ids.item[i], true, &err) < 0)
			log_warn("%s", err.text);
}

static int take_lock(struct runner *runner, int *lock, struct err *err)
{
	autoclose int fd = -1;
	char nonce[64] = "";
	struct stat st;

	if (state_root_open(runner->stage.settings->root, runner->run->host.rootless, true,
			    &runner->root, err) < 0)
		return -1;
	fd = openat(runner->root, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(err, "open " LOCK_FILE " in the directory of containers");
	/* Without a name it is that of a run which has just ended. */
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0 || st.st_nlink == 0)
		return err_set(err, EBUSY,
			       "another agentd selftest is running; wait until it has ended");
	if (pread(fd, nonce, sizeof(nonce) - 1, 0) > 0) {
		decoys_sweep(nonce);
		sweep_containers(runner->stage.settings);
		bundle_sweep();
	}
	*lock = fd_take(&fd);
	return 0;
}

static int name_run(struct runner *runner, int lock, struct err *err)
{
	struct attempt_decoys *told = &runner->stage.decoys.told;

	if (decoys_name(told, err) < 0)
		return -1;
	if (lock < 0)
		return 0;
	if (ftruncate(lock, 0) < 0 ||
	    pwrite(lock, told->nonce, strlen(told->nonce), 0) != (ssize_t)strlen(told->nonce))
		return err_sys(err, "write " LOCK_FILE);
	return 0;
}

/* --- sites ----------------------------------------------------------------------------------- */

static bool is_looked_at(enum place place)
{
	return place == PLACE_TARGET || place == PLACE_LIMITS || place == PLACE_EXEC;
}

static void read_posture(struct runner *runner, struct site *site)
{
	struct arena *arena = runner->stage.arena;
	struct posture *posture = arena_new_object(arena, struct posture);
	struct err err;

	if (posture_read(site->pid, arena, posture, &err) == 0)
		site->posture = posture;
	else
		runner_note(runner, arena_format(arena, "no posture of the %s: %s",
						 name_text(place_names, site->place), err.text));
}

/* Launches all of them, and lets them try. A site that cannot be launched says so itself. */
static int run_sites(struct runner *runner, size_t first, size_t len, struct err *err)
{
	struct stage *stage = &runner->stage;
	struct talk *talks[SITES_MAX];
	size_t talking = 0, attempts = 0;

	for (size_t i = first; i < first + len; i++)
		attempts += runner->sites[i]->len;
	if (runner->run->options->progress)
		runner->run->options->progress(attempts, len);
	for (size_t i = first; i < first + len; i++) {
		struct site *site = runner->sites[i];

		if (site_prepare(stage, site, err) < 0 || site_begin(stage, site, err) < 0)
			site->failed = arena_copy(stage->arena, err->text, strlen(err->text));
	}
	for (size_t i = first; i < first + len; i++)
		if (!runner->sites[i]->failed)
			site_await(stage, runner->sites[i]);
	for (size_t i = first; i < first + len; i++) {
		struct site *site = runner->sites[i];

		if (site->failed)
			continue;
		/* before it tries anything: what it has from the start */
		if (is_looked_at(site->place))
			read_posture(runner, site);
		site->talk.hold = site->place == PLACE_TARGET;
		talk_begin(&site->talk, fd_take(&site->end), &site->decoys, site->ids, site->seen,
			   site->len);
		talks[talking++] = &site->talk;
	}
	return talk_run(talks, talking, runner->until, runner->signals, err);
}

static void note_sites(struct runner *runner)
{
	for (size_t i = 0; i < runner->sites_len; i++) {
		const struct site *site = runner->sites[i];
		const char *why = site->failed ? site->failed : site->talk.broken;

		if (why)
			runner_note(runner, arena_format(runner->stage.arena, "%s: %s",
							 name_text(place_names, site->place), why));
	}
}

static void end_sites(struct runner *runner, size_t first)
{
	struct err err;

	/* all canaries end by this, while the first is waited for */
	for (size_t i = first; i < runner->sites_len; i++)
		fd_close(&runner->sites[i]->talk.fd);
	/* who entered a container before the container */
	for (size_t i = runner->sites_len; i-- > first;)
		if (site_end(&runner->stage, runner->sites[i], &err) < 0)
			runner_note(runner,
				    arena_copy(runner->stage.arena, err.text, strlen(err.text)));
}

/* What processes left behind became ours (PR_SET_CHILD_SUBREAPER); nobody is to outlive the run. */
static void reap_all(void)
{
	char text[4096], *at, *rest;

	while (file_read_small(AT_FDCWD, "/proc/thread-self/children", text, sizeof(text)) > 0) {
		/* our children, not waited for: still those processes */
		for (at = strtok_r(text, " ", &rest); at; at = strtok_r(NULL, " ", &rest))
			kill(atoi(at), SIGKILL);
		if (waitpid(-1, NULL, 0) < 0 && errno != EINTR)
			return;
	}
}

/* --- the course of a run --------------------------------------------------------------------- */

/* The target again, by a further process in it: the first one has ended its conversation, but ends
 * itself only with the container. */
static int run_exec(struct runner *runner, struct err *err)
{
	struct site *target = rows_site(runner, PLACE_TARGET, 0), *site;
	struct arena *arena = runner->stage.arena;

	if (!target || target->failed || runner->sites_len == SITES_MAX)
		return 0;
	site = arena_new_object(arena, struct site);
	*site = (struct site){ .place = PLACE_EXEC,
			       .exec_id = target->id,
			       .pid_file = arena_format(arena, "%s/pid", target->bundle.path),
			       .canary = target->canary,
			       .ids = target->ids,
			       .rows = target->rows,
			       .seen = arena_new_array(arena, struct observation, target->len),
			       .len = target->len };
	runner->sites[runner->sites_len++] = site;
	return run_sites(runner, runner->sites_len - 1, 1, err);
}

static int attribute(struct runner *runner, struct err *err)
{
	size_t first = runner->sites_len, at;
	int result = 0;

	rows_ablate(runner);
	for (at = first; result == 0 && at < runner->sites_len; at += SITES_AT_ONCE) {
		size_t left = runner->sites_len - at, end;
		size_t len = left < SITES_AT_ONCE ? left : SITES_AT_ONCE;

		result = run_sites(runner, at, len, err);
		for (end = at; end < at + len; end++)
			site_end(&runner->stage, runner->sites[end], err);
	}
	rows_attribute(runner);
	return result;
}

static void tell_ways(struct runner *runner, const struct trials *trials, const char *why)
{
	struct selftest_run *run = runner->run;

	run->outer = true;
	run->trials = trials_text(trials, runner->stage.arena);
	runner_note(runner, arena_format(runner->stage.arena,
					 "containers cannot be launched here: %s", why));
	runner_note(runner,
		    "way 1: agentd selftest --in-place --allow-skip=namespaces,cgroups,mounts "
		    "tests what a process can put on itself here");
	runner_note(runner,
		    "way 2: RUN --security=insecure, with a builder that has the entitlement");
	runner_note(runner,
		    "way 3: run agentd selftest when the container starts, or on the real host: "
		    "the builder's kernel is not the one that matters");
	rows_fail(runner, VERDICT_SKIPPED, "containers cannot be launched here");
}

/* Nothing could be launched: is it this place, or is it us? False: it is us. */
static bool explain_place(struct runner *runner, const char *why)
{
	struct trials trials;

	trials_make(&runner->run->host, &trials);
	if (!trials.error[TRIAL_MOUNTS] && !trials.error[TRIAL_NETNS] && !trials.error[TRIAL_NAMES])
		return false;
	tell_ways(runner, &trials, why);
	return true;
}

static int try_all(struct runner *runner, struct err *err)
{
	struct site *target;
	int result;

	rows_assign(runner);
	result = run_sites(runner, 0, runner->sites_len, err);
	target = rows_site(runner, PLACE_TARGET, 0);
	if (result < 0)
		return -1;
	if (target && target->failed) {
		if (!explain_place(runner, target->failed)) {
			runner->run->broken = target->failed;
			rows_fail(runner, VERDICT_ERROR, target->failed);
		}
		return 0;
	}
	rows_judge(runner);
	if (rows_want_exec(runner)) {
		if (run_exec(runner, err) < 0)
			return -1;
		rows_judge_exec(runner);
	}
	if (rows_history(runner, err) < 0)
		return -1;
	if (runner->run->options->profile == PROFILE_COMPREHENSIVE && !runner->stage.in_place &&
	    attribute(runner, err) < 0)
		return -1;
	note_sites(runner);
	return 0;
}

static int catch_signals(struct runner *runner, sigset_t *before, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, before) < 0)
		return err_sys(err, "block signals");
	runner->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (runner->signals < 0)
		return err_sys(err, "signalfd");
	return 0;
}

/* Decoys lie in a site's directory of their own, which is swept like the others. */
static int plant(struct runner *runner, struct bundle *files, struct err *err)
{
	const char *const none[] = { NULL };

	if (bundle_make(runner->stage.config, none, runner->stage.arena, files, err) < 0 ||
	    decoys_plant(&runner->stage.decoys, files->path, err) < 0)
		return -1;
	/* No namespace has this number: in place there is no private one to be had. */
	if (runner->stage.in_place)
		runner->stage.decoys.told.mount_token = 1;
	runner->run->decoys = runner->stage.decoys.told;
	return 0;
}

static int run_locked(struct runner *runner, struct err *err)
{
	struct bundle files = { .dir = -1 };
	int result;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	result = plant(runner, &files, err);
	if (result == 0)
		result = try_all(runner, err);
	end_sites(runner, 0);
	site_uncover(&runner->stage);
	decoys_remove(&runner->stage.decoys);
	bundle_remove(&files);
	reap_all();
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	return result;
}

static int64_t deadline(const struct selftest_options *options)
{
	unsigned seconds = options->timeout_s;

	for (size_t i = 0; !seconds && i < ARRAY_LEN(timeouts); i++)
		if (options->profile == timeouts[i].profile)
			seconds = timeouts[i].seconds;
	return clock_ms() + (int64_t)seconds * 1000;
}

/* In a builder there is no directory of containers for who is nobody outside. In place none is
 * needed; else there would be no container either. 1: there is nothing to do any more. */
static int go_without_lock(struct runner *runner, const struct err *err)
{
	if (runner->root >= 0)
		return -1;
	if (runner->stage.in_place)
		return 0;
	return explain_place(runner, err->text) ? 1 : -1;
}

static int run_selected(struct runner *runner, struct err *err)
{
	struct selftest_run *run = runner->run;
	autoclose int lock = -1;
	sigset_t before;
	int result;

	rows_select(runner);
	/* Of somebody else's filter, above ours. */
	run->outer = prctl(PR_GET_SECCOMP) != 0;
	if (take_lock(runner, &lock, err) < 0) {
		result = go_without_lock(runner, err);
		if (result != 0)
			return result < 0 ? -1 : 0;
	}
	if (catch_signals(runner, &before, err) < 0)
		return -1;
	result = name_run(runner, lock, err);
	if (result == 0)
		result = run_locked(runner, err);
	if (lock >= 0 && unlinkat(runner->root, LOCK_FILE, 0) < 0) /* nothing is left to be swept */
		log_warn("remove " LOCK_FILE ": %s", strerror(errno));
	fd_close(&runner->signals);
	sigprocmask(SIG_SETMASK, &before, NULL); /* a signal that came ends us now */
	if (result < 0)
		return -1;
	runner_require(runner);
	if (runner->stage.in_place)
		runner_note(runner,
			    "in place: this kernel and this process, not the launch of a "
			    "container; a builder's kernel is not the production kernel: a pass "
			    "here says nothing of the host that will run it");
	if (run->options->baseline)
		return report_compare(run, run->options->baseline, runner->stage.arena, &run->worse,
				      err);
	return 0;
}

int selftest_run(const struct settings *settings, const struct selftest_options *options,
		 struct arena *arena, struct selftest_run *run, struct err *err)
{
	int64_t began = clock_ms();
	struct runner *runner = arena_new_object(arena, struct runner);
	int result;

	*run = (struct selftest_run){ .options = options,
				      .settings = settings,
				      .started = now_text(arena) };
	run->notes = arena_new_array(arena, const char *, RUNNER_NOTES_MAX);
	*runner = (struct runner){
		.run = run, .root = -1, .signals = -1, .until = deadline(options)
	};
	runner->stage = (struct stage){ .settings = settings,
					.host = &run->host,
					.arena = arena,
					.in_place = options->in_place };
	if (host_probe(&run->host, settings->rootless, arena, err) < 0 ||
	    runner_look(runner, err) < 0)
		return -1;
	result = run_selected(runner, err);
	fd_close(&runner->root);
	run->milliseconds = (uint64_t)(clock_ms() - began);
	return result;
}
