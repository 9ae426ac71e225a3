/*
 * The first look of a run: what is to be tested, what this machine lacks for it, and what was
 * required of it.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "isolation/caps.h"
#include "runtime/options.h"
#include "selftest/report.h"
#include "selftest/rows.h"
#include "selftest/select.h"
#include "selftest/trials.h"

void runner_note(struct runner *runner, const char *text)
{
	struct selftest_run *run = runner->run;

	if (run->notes_len < RUNNER_NOTES_MAX)
		run->notes[run->notes_len++] = text;
}

/* --- what is tested -------------------------------------------------------------------------- */

/* The plan that `agentd run` would carry out: what it notes is not enforced. */
static int check_plan(struct runner *runner, struct err *err)
{
	const struct request request = { .id = "selftest",
					 .bundle = "/",
					 .keep_fds = 1,
					 .detach = true,
					 .best_effort_cgroup = true };
	struct spec spec = *runner->stage.spec;
	struct plan *plan;

	spec.process.terminal = false;
	if (plan_make(&spec, &runner->run->host, &request, runner->stage.arena, &plan, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->notes_len; i++)
		runner_note(runner, plan->notes[i]);
	if (!plan->cgroup.wanted || plan->cgroup.notes_len)
		runner->unavailable |= LAYER_CGROUP;
	return 0;
}

/* What the machine lacks, in words that a reader can act on. */
static void find_remedy(struct runner *runner)
{
	const struct host *host = &runner->run->host;
	struct arena *arena = runner->stage.arena;

	if (host->landlock_abi == 0)
		runner->unavailable |= LAYER_LANDLOCK;
	if (runner->stage.in_place)
		runner->remedy = "not possible in place: a process cannot give this to itself "
				 "here; run agentd selftest where containers can be launched";
	else if (runner->unavailable & LAYER_CGROUP && host->rootless)
		runner->remedy = "the limits need delegated cgroup v2 controllers: systemd-run "
				 "--user --scope -p Delegate=yes agentd selftest";
	else if (runner->unavailable & LAYER_CGROUP && host->cgroup_hybrid)
		runner->remedy = "cgroup v1 has the controllers: boot with "
				 "systemd.unified_cgroup_hierarchy=1 "
				 "cgroup_no_v1=all";
	else if (runner->unavailable & LAYER_CGROUP)
		runner->remedy = "the limits need a writable cgroup v2 with the controllers pids, "
				 "memory and cpu";
	else
		runner->remedy = arena_format(arena, "this kernel has no Landlock: %s",
					      strerror(host->landlock_errno));
	if (runner->unavailable & LAYER_CGROUP && !runner->stage.in_place)
		runner_note(runner, arena_format(arena, "attempts on limits are skipped: %s",
						 runner->remedy));
}

/* The bounding set is a part of what the configuration says of capabilities. */
static void check_capabilities(struct runner *runner)
{
	struct caps_plan plan;
	struct err err;

	if (caps_plan(&runner->stage.spec->process, runner->stage.host, &plan, &err) == 0 &&
	    caps_can_apply_bounding(&plan))
		return;
	runner->unavailable |= LAYER_CAPABILITIES;
	runner_note(runner, "without CAP_SETPCAP the bounding set of capabilities stays as it is: "
			    "attempts on capabilities alone are skipped");
}

static int load_config(struct runner *runner, struct err *err)
{
	struct stage *stage = &runner->stage;
	const char *bundle = runner->run->options->bundle, *text;
	struct json *config;
	struct spec *spec;
	size_t size;
	char path[PATH_MAX];

	if (bundle_config(bundle, stage->host, stage->arena, &config, err) < 0)
		return -1;
	text = json_print(config, true, stage->arena, &size);
	if (spec_parse(text, size, stage->arena, &spec, err) < 0)
		return -1;
	stage->config = config;
	stage->spec = runner->run->spec = spec;
	runner->run->config_text = text;
	if (!bundle)
		return 0;
	if (!spec->process.set)
		return err_set(err, EINVAL, "process: is required to create a container");
	/* in place it stays where it is */
	if (stage->in_place)
		return 0;
	if (!spec->root.set)
		return err_set(err, EINVAL, "root: is required to create a container");
	if (spec->root.path[0] != '/')
		stage->rootfs = arena_format(stage->arena, "%s/%s", bundle, spec->root.path);
	else
		stage->rootfs = spec->root.path;
	if (!realpath(stage->rootfs, path))
		return err_sys(err, "open the root filesystem %s", stage->rootfs);
	stage->rootfs = arena_copy(stage->arena, path, strlen(path));
	return 0;
}

/* Whatever is wrong here was said by the caller: wrong usage. */
int runner_look(struct runner *runner, struct err *err)
{
	const struct selftest_options *options = runner->run->options;
	const char *unused;

	if (select_check(options, err) < 0)
		return -1;
	/* compared with nothing yet, the baseline is looked at: afterwards were too late */
	if ((!options->baseline || report_compare(runner->run, options->baseline,
						  runner->stage.arena, &unused, err) == 0) &&
	    load_config(runner, err) == 0 &&
	    (runner->stage.in_place || check_plan(runner, err) == 0)) {
		find_remedy(runner);
		if (runner->stage.in_place)
			check_capabilities(runner);
		return 0;
	}
	err->code = OPTIONS_USAGE;
	return -1;
}

/* --- what was required --- */

void runner_require(struct runner *runner)
{
	const struct selftest_options *options = runner->run->options;
	const struct spec *spec = runner->stage.spec;
	struct selftest_run *run = runner->run;
	struct select_facts facts = { 0 };
	struct trials trials;
	const char *unmet;
	size_t at = 0;

	if (!options->require.len)
		return;
	trials_make(&run->host, &trials);
	facts.seccomp = spec->linux.seccomp.set && !trials.error[TRIAL_SECCOMP];
	facts.landlock_abi = spec->process.landlock.set ? run->host.landlock_abi : 0;
	facts.userns = !trials.error[TRIAL_USERNS];
	facts.netns = !trials.error[TRIAL_NETNS];
	facts.mounts = !trials.error[TRIAL_MOUNTS];
	facts.cgroup = !(runner->unavailable & LAYER_CGROUP) && !trials.error[TRIAL_CGROUP];
	run->unmet = arena_new_array(runner->stage.arena, const char *, RUNNER_NOTES_MAX);
	while (run->unmet_len < RUNNER_NOTES_MAX &&
	       (unmet = select_unmet(options, &facts, &at, runner->stage.arena)))
		run->unmet[run->unmet_len++] = unmet;
}
