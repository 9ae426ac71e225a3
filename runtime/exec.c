/*
 * The process of exec, see exec.h.
 */
#include "runtime/exec.h"

#include <errno.h>
#include <string.h>

/* The container's environment and more; where a name comes again, process_plan() takes the later.
 */
static struct spec_strings append_env(const struct spec_strings *base,
				      const struct spec_strings *more, struct arena *arena)
{
	size_t len = base->len + more->len;
	struct spec_strings env = { arena_new_array(arena, const char *, len + 1), len };

	for (size_t i = 0; i < len; i++)
		env.item[i] = i < base->len ? base->item[i] : more->item[i - base->len];
	return env;
}

/* The container's own process with what the command line says otherwise. Never the inheritable set
 * (CVE-2022-29162), never a user by name (CVE-2026-30892). */
static void apply_flags(const struct exec_process *flags, struct arena *arena,
			struct spec_process *process)
{
	process->args = flags->args;
	process->terminal = flags->terminal;
	process->env = append_env(&process->env, &flags->env, arena);
	if (flags->cwd)
		process->cwd = flags->cwd;
	if (flags->apparmor_profile)
		process->apparmor_profile = flags->apparmor_profile;
	if (flags->selinux_label)
		process->selinux_label = flags->selinux_label;
	if (flags->no_new_privileges)
		process->no_new_privileges = true;
	if (flags->user_set)
		process->user.uid = flags->uid;
	if (flags->gid_set)
		process->user.gid = flags->gid;
	if (flags->additional_gids.len)
		process->user.additional_gids = flags->additional_gids;
	process->capabilities.bounding |= flags->capabilities;
	process->capabilities.effective |= flags->capabilities;
	process->capabilities.permitted |= flags->capabilities;
}

int exec_process_make(const struct exec_process *flags, const struct spec *spec,
		      struct arena *arena, struct spec_process *process, struct err *err)
{
	*process = spec->process;
	if (flags->file) {
		memset(process, 0, sizeof(*process));
		if (spec_process_load(flags->file, arena, process, err) < 0)
			return -1;
	} else {
		if (flags->cwd && flags->cwd[0] != '/')
			return err_set(err, EINVAL, "--cwd: '%s' is not an absolute path",
				       flags->cwd);
		apply_flags(flags, arena, process);
		if (spec_process_check(process, err) < 0)
			return -1;
	}
	/* The sandbox is the container's, whoever describes the process (CVE-2019-10144). Labels,
	 * limits and the OOM score may be others, but not none, or the caller's. */
	if (!process->apparmor_profile || !*process->apparmor_profile)
		process->apparmor_profile = spec->process.apparmor_profile;
	if (!process->selinux_label || !*process->selinux_label)
		process->selinux_label = spec->process.selinux_label;
	if (!process->rlimits.len)
		process->rlimits = spec->process.rlimits;
	if (!process->oom_score_adj.set)
		process->oom_score_adj = spec->process.oom_score_adj;
	process->landlock = spec->process.landlock;
	process->no_new_privileges |= process->landlock.set;
	return 0;
}
