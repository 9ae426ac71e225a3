/*
 * The commands that change a container that runs: exec, pause, resume.
 */
#include <limits.h>
#include <string.h>

#include "runtime/cmd.h"
#include "spec/names.h"

#define ID_MAX 4294967294u /* 4294967295 is -1: "leave it as it is" to setresuid(2) */

/* clang-format off */
static const struct option_row exec_options[] = {
	{ "detach", 'd', OPTION_FLAG, offsetof(struct options, detach), NULL, "do not wait for the program" },
	{ "tty", 't', OPTION_FLAG, offsetof(struct options, tty), NULL, "give it a terminal" },
	{ "process", 'p', OPTION_TEXT, offsetof(struct options, process), "FILE", "a JSON process object that says it all" },
	{ "cwd", 0, OPTION_TEXT, offsetof(struct options, cwd), "DIR", "its working directory" },
	{ "user", 'u', OPTION_TEXT, offsetof(struct options, user), "UID[:GID]", "who it is; numbers" },
	{ "additional-gids", 'g', OPTION_LIST, offsetof(struct options, additional_gids), "GID", "one of its further groups" },
	{ "env", 'e', OPTION_LIST, offsetof(struct options, env), "NAME=VALUE", "a variable more" },
	{ "cap", 'c', OPTION_LIST, offsetof(struct options, caps), "CAP", "a capability more" },
	{ "no-new-privs", 0, OPTION_FLAG, offsetof(struct options, no_new_privs), NULL, "executing never gains privileges" },
	{ "apparmor", 0, OPTION_TEXT, offsetof(struct options, apparmor), "PROFILE", "its AppArmor profile" },
	{ "process-label", 0, OPTION_TEXT, offsetof(struct options, process_label), "LABEL", "its SELinux label" },
	{ "cgroup", 0, OPTION_TEXT, offsetof(struct options, cgroup), "PATH", "a cgroup below the container's" },
	{ "ignore-paused", 0, OPTION_FLAG, offsetof(struct options, ignore_paused), NULL, "also in a paused container" },
	{ 0 }
};
/* clang-format on */

/* UID[:GID], numbers to the last character: a name, or what is left of one, must never become an id
 * (CVE-2026-30892). */
static int parse_user(const char *text, struct arena *arena, struct exec_process *process,
		      struct err *err)
{
	const char *colon = strchr(text, ':');
	const char *uid = colon ? arena_copy(arena, text, (size_t)(colon - text)) : text;

	process->user_set = options_number(uid, ID_MAX, &process->uid);
	process->gid_set = colon && options_number(colon + 1, ID_MAX, &process->gid);
	if (!process->user_set || (colon && !process->gid_set))
		return err_set(err, OPTIONS_USAGE,
			       "exec: --user is UID or UID:GID, numbers up to %u, not '%s'", ID_MAX,
			       text);
	return 0;
}

static int parse_gids(const struct spec_strings *texts, struct arena *arena, struct spec_u32s *gids,
		      struct err *err)
{
	gids->item = arena_new_array(arena, uint32_t, texts->len);
	for (; gids->len < texts->len; gids->len++)
		if (!options_number(texts->item[gids->len], ID_MAX, &gids->item[gids->len]))
			return err_set(err, OPTIONS_USAGE,
				       "exec: --additional-gids is a number up to %u, not '%s'",
				       ID_MAX, texts->item[gids->len]);
	return 0;
}

static int parse_caps(const struct spec_strings *names, uint64_t *mask, struct err *err)
{
	uint64_t bit;

	for (size_t i = 0; i < names->len; i++) {
		if (!name_value(capability_names, names->item[i], &bit))
			return err_set(err, OPTIONS_USAGE,
				       "exec: unknown capability '%s'; they are written CAP_KILL",
				       names->item[i]);
		*mask |= 1ULL << bit;
	}
	return 0;
}

static int parse_env(const struct spec_strings *env, struct err *err)
{
	for (size_t i = 0; i < env->len; i++)
		if (!strchr(env->item[i], '=') || env->item[i][0] == '=')
			return err_set(err, OPTIONS_USAGE, "exec: --env is NAME=VALUE, not '%s'",
				       env->item[i]);
	return 0;
}

static int parse_process(const struct options *options, struct arena *arena,
			 struct exec_process *process, struct err *err)
{
	*process = (struct exec_process){ .file = options->process,
					  .args = { options->arguments.item + 1,
						    options->arguments.len - 1 },
					  .env = options->env,
					  .cwd = options->cwd,
					  .apparmor_profile = options->apparmor,
					  .selinux_label = options->process_label,
					  .terminal = options->tty,
					  .no_new_privileges = options->no_new_privs };
	if (!process->file && process->args.len == 0)
		return err_set(err, OPTIONS_USAGE,
			       "exec: neither a program nor --process is given");
	if (options->user && parse_user(options->user, arena, process, err) < 0)
		return -1;
	if (parse_gids(&options->additional_gids, arena, &process->additional_gids, err) < 0 ||
	    parse_caps(&options->caps, &process->capabilities, err) < 0)
		return -1;
	return parse_env(&options->env, err);
}

static int cmd_exec(const struct options *options, const struct settings *settings, struct err *err)
{
	struct request request = { .id = options->arguments.item[0],
				   .console_socket = options->console_socket,
				   .pid_file = options->pid_file,
				   .pidfd_socket = options->pidfd_socket,
				   .keep_fds = options->preserve_fds,
				   .detach = options->detach,
				   .exec_cgroup = options->cgroup,
				   .ignore_paused = options->ignore_paused };
	struct exec_process process;
	int status;

	if (cmd_check_launch(options, err) < 0 ||
	    parse_process(options, settings->arena, &process, err) < 0 ||
	    container_exec(settings, &request, &process, &status, err) < 0)
		return -1;
	return status;
}

static int cmd_pause(const struct options *options, const struct settings *settings,
		     struct err *err)
{
	return container_pause(settings, options->arguments.item[0], true, err);
}

static int cmd_resume(const struct options *options, const struct settings *settings,
		      struct err *err)
{
	return container_pause(settings, options->arguments.item[0], false, err);
}

/* clang-format off */
const struct command change_commands[] = {
	{ "exec", "ID [PROGRAM ARGUMENTS...]", "run a further program in a running container", 1, UINT_MAX,
	  .verbatim = true, .launches = true, .run = cmd_exec, .groups = { exec_options, launch_options, help_options } },
	{ "pause", "ID", "freeze all processes of a container", 1, 1, .run = cmd_pause, .groups = { help_options } },
	{ "resume", "ID", "let a paused container go on", 1, 1, .run = cmd_resume, .groups = { help_options } },
	{ 0 }
};
/* clang-format on */
