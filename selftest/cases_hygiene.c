/*
 * What a process should not have got from whoever started it: descriptors, environment, signals,
 * a terminal, groups. The host reads most of it itself; the canary's word is only asked where the
 * kernel tells nobody else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "selftest/judge_posture.h"
#include "selftest/judges.h"

#define UMASK_DEFAULT 022

/* --- what the host reads --------------------------------------------------------------------- */

bool judge_fds(const struct evidence *evidence, struct result *result)
{
	const struct posture *posture = evidence->posture;

	if (!judge_has_posture(evidence, result))
		return false;
	for (size_t i = 0; i < posture->fds_len; i++) {
		if (posture->fds[i].fd <= ATTEMPT_FD)
			continue;
		judge_say(result, "descriptor %d is open: %.100s", posture->fds[i].fd,
			  posture->fds[i].target);
		return false;
	}
	judge_say(result, "0, 1, 2, and that of the supervisor");
	return posture->fds_len > 0;
}

static bool is_configured(const struct spec_process *process, const char *item)
{
	bool has_home = false;

	for (size_t i = 0; i < process->env.len; i++) {
		if (strcmp(process->env.item[i], item) == 0)
			return true;
		has_home |= strncmp(process->env.item[i], "HOME=", 5) == 0;
	}
	return !has_home && strncmp(item, "HOME=", 5) == 0;
}

/* HOME is the one variable that agentd adds. Names alone are told: values may be secrets. */
bool judge_environment(const struct evidence *evidence, struct result *result)
{
	const struct posture *posture = evidence->posture;

	if (!judge_has_posture(evidence, result))
		return false;
	for (size_t at = 0; at < posture->environment_size;
	     at += strlen(posture->environment + at) + 1) {
		const char *item = posture->environment + at;

		if (!*item || is_configured(&evidence->spec->process, item))
			continue;
		judge_say(result, "%.*s is not of the configuration",
			  (int)(strcspn(item, "=") < 64 ? strcspn(item, "=") : 64), item);
		return false;
	}
	judge_say(result, "as configured");
	return true;
}

/* Compares directories, not names: the configured one may lead through symbolic links, which are
 * the container's. A directory outside of the root has a name, too (CVE-2024-21626). */
bool judge_directory(const struct evidence *evidence, struct result *result)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	autoclose int root = -1, wanted = -1;
	struct stat configured, found;
	char path[64];

	if (!judge_has_posture(evidence, result))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/root", (int)evidence->posture->pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		wanted = sys_openat2(root, evidence->spec->process.cwd, &how);
	snprintf(path, sizeof(path), "/proc/%d/cwd", (int)evidence->posture->pid);
	if (wanted < 0 || fstat(wanted, &configured) < 0 || stat(path, &found) < 0)
		return judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "the working directory cannot be looked at: %s",
				       strerror(errno));
	judge_say(result, "%.150s", evidence->posture->cwd);
	return configured.st_dev == found.st_dev && configured.st_ino == found.st_ino;
}

bool judge_umask(const struct evidence *evidence, struct result *result)
{
	const struct optional_u64 *wanted = &evidence->spec->process.user.umask;

	if (!judge_has_posture(evidence, result))
		return false;
	judge_say(result, "%04o", evidence->posture->umask);
	return evidence->posture->umask == (wanted->set ? wanted->value : UMASK_DEFAULT);
}

/* Its own group among them is no more than it has. */
bool judge_groups(const struct evidence *evidence, struct result *result)
{
	const struct posture *posture = evidence->posture;
	bool inherited = false;

	if (!judge_has_posture(evidence, result))
		return false;
	for (size_t i = 0; i < posture->groups_len; i++)
		inherited |= posture->groups[i] != posture->threads[0].gid[1];
	if (!inherited) {
		judge_say(result, "none but its own");
		return true;
	}
	if (judge_as_configured(evidence, "process.user.additionalGids", result))
		return true;
	return strcmp(posture->setgroups, "deny") == 0 &&
	       judge_undecided(result, VERDICT_INCONCLUSIVE,
			       "the caller's groups stay: setgroups(2) is denied to a user "
			       "namespace without newgidmap(1)");
}

static bool read_proc(const struct evidence *evidence, const char *name, char *text, size_t size,
		      struct result *result)
{
	char path[64];

	if (!judge_has_posture(evidence, result))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)evidence->posture->pid, name);
	if (file_read_small(AT_FDCWD, path, text, size) > 0)
		return true;
	return judge_undecided(result, VERDICT_INCONCLUSIVE, "%s cannot be read: %s", path,
			       strerror(errno));
}

/* Not the caller's: with ADDR_NO_RANDOMIZE, of debuggers, it weakens every program. */
bool judge_personality(const struct evidence *evidence, struct result *result)
{
	const struct spec_personality *wanted = &evidence->spec->linux.personality;
	char text[32];
	uint64_t found;

	if (!read_proc(evidence, "personality", text, sizeof(text), result))
		return false;
	found = strtoull(text, NULL, 16);
	judge_say(result, "%#llx", (unsigned long long)found);
	return found == (wanted->set ? wanted->domain : 0);
}

bool judge_signals(const struct evidence *evidence, struct result *result)
{
	const struct posture *posture = evidence->posture;

	if (!judge_has_posture(evidence, result))
		return false;
	for (size_t i = 0; i < posture->threads_len; i++) {
		const struct posture_thread *thread = &posture->threads[i];

		if (!thread->signals_blocked && !thread->signals_ignored)
			continue;
		judge_say(result, "blocked %#llx, ignored %#llx",
			  (unsigned long long)thread->signals_blocked,
			  (unsigned long long)thread->signals_ignored);
		return false;
	}
	judge_say(result, "none blocked, none ignored");
	return posture->threads_len > 0;
}

/* The field tty_nr of stat, behind the name, which may hold anything (proc_pid_stat(5)). */
bool judge_terminal(const struct evidence *evidence, struct result *result)
{
	char text[512], *at;
	long terminal;

	if (judge_through(result->row, evidence->target)) {
		judge_say(result, "/dev/tty could be opened");
		return false;
	}
	if (!read_proc(evidence, "stat", text, sizeof(text), result))
		return false;
	at = strrchr(text, ')');
	for (int field = 3; at && field <= 7; field++)
		at = strchr(at + 1, ' ');
	terminal = at ? strtol(at, NULL, 10) : -1;
	judge_say(result, terminal ? "a controlling terminal" : "no controlling terminal");
	return terminal == 0;
}

/* A core file is written by the host's handler, with the host's rights, where the host likes. */
bool judge_core(const struct evidence *evidence, struct result *result)
{
	const struct spec_rlimits *rlimits = &evidence->spec->process.rlimits;
	const struct rlimit *found;

	if (!judge_has_posture(evidence, result))
		return false;
	found = &evidence->posture->limits[RLIMIT_CORE];
	for (size_t i = 0; i < rlimits->len; i++) {
		const struct spec_rlimit *wanted = &rlimits->item[i];

		if (wanted->type != RLIMIT_CORE)
			continue;
		judge_say(result, "RLIMIT_CORE is %llu:%llu", (unsigned long long)found->rlim_cur,
			  (unsigned long long)found->rlim_max);
		return found->rlim_cur <= wanted->soft && found->rlim_max <= wanted->hard;
	}
	return judge_undecided(result, VERDICT_NOT_APPLICABLE,
			       "the configuration sets no RLIMIT_CORE");
}

/* --- what the canary tries ------------------------------------------------------------------- */

/* What was let through before has a row of its own; here what was not is looked for. */
bool judge_inherited(const struct evidence *evidence, struct result *result)
{
	const struct observation *target = evidence->target;
	unsigned long before, after;
	char text[2][16];

	if (!judge_through(result->row, target))
		return judge_errno(evidence, result);
	judge_fact(target, "before", text[0], sizeof(text[0]));
	judge_fact(target, "after", text[1], sizeof(text[1]));
	before = strtoul(text[0], NULL, 16);
	after = strtoul(text[1], NULL, 16);
	judge_say(result, "got through before: %#lx, and after: %#lx", before, after);
	return !(after & ~before);
}

/* --- rows ------------------------------------------------------------------------------------ */

/* clang-format off */
#define GROUP .group = "hygiene"
/* of a launch: --in-place has none */
#define LAUNCH GROUP, .layers = LAYER_RUNTIME, .needs = LAYER_NAMESPACES, .control = CONTROL_NONE
#define REPORT "this is agentd's own fault: report it"

const struct selftest_case cases_hygiene[] = {
	{ LAUNCH, .id = "hyg.fds", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_ALL,
	  .attempt = "the host lists the descriptors of the process", .judge = JUDGE_fds,
	  .remedy = "open descriptors of agentd's caller with O_CLOEXEC; agentd closes what it was not told to keep",
	  .references = "CVE-2024-21626 T1611" },
	{ LAUNCH, .id = "hyg.env", .severity = SEVERITY_HIGH, .profiles = PROFILE_ALL,
	  .attempt = "the host compares the environment with process.env", .judge = JUDGE_environment,
	  .remedy = REPORT, .references = "T1552.007" },
	{ LAUNCH, .id = "hyg.cwd", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the host compares the working directory with process.cwd", .judge = JUDGE_directory,
	  .remedy = REPORT, .references = "CVE-2024-21626" },
	{ LAUNCH, .id = "hyg.umask", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the host compares the umask with process.user.umask, or 0022", .judge = JUDGE_umask,
	  .remedy = REPORT },
	{ LAUNCH, .id = "hyg.groups", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the host compares the groups with process.user.additionalGids", .judge = JUDGE_groups,
	  .remedy = "give the caller subordinate ids (/etc/subgid), so that groups can be dropped", .references = "C5.4" },
	{ LAUNCH, .id = "hyg.personality", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the host compares the execution domain with linux.personality", .judge = JUDGE_personality,
	  .remedy = "do not start agentd under setarch(8), or set linux.personality" },
	{ GROUP, .id = "hyg.securebits", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "look for securebits that keep capabilities",
	  .contained = { ENODATA }, .layers = LAYER_RUNTIME, .control = CONTROL_NONE,
	  .remedy = REPORT, .references = "C5.4",
	  .limitation = "by the canary's word: the kernel tells nobody else" },
	{ LAUNCH, .id = "hyg.signals", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the host reads the blocked and the ignored signals", .judge = JUDGE_signals,
	  .remedy = REPORT },
	{ LAUNCH, .id = "hyg.tty", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "open /dev/tty; the host looks for a controlling terminal", .judge = JUDGE_terminal,
	  .remedy = REPORT, .references = "CVE-2017-5226",
	  .limitation = "the configuration is tried with process.terminal off" },
	{ LAUNCH, .id = "hyg.dumpable", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the host compares RLIMIT_CORE with process.rlimits", .judge = JUDGE_core,
	  .remedy = "set RLIMIT_CORE to 0 in process.rlimits" },
	/* both of history_hygiene.c */
	{ LAUNCH, .id = "hyg.parent-death", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the process that launched a container ends: agentd delete --force still ends all of it",
	  .remedy = REPORT,
	  .limitation = "the container itself goes on: agentd has no daemon, and ends it when it is told to" },
	{ LAUNCH, .id = "hyg.zombies", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "kill the first process of a container from outside: its children end as well",
	  .remedy = "add {\"type\": \"pid\"} to linux.namespaces" },
	{ GROUP, .id = "hyg.sig-outside", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "pidfd_send_signal of 0 to a process of the host",
	  .contained = { ESRCH, EPERM, ENOSYS }, .control = CONTROL_DECOY, .needs = LAYER_NAMESPACES,
	  .layers = LAYER_NAMESPACES | LAYER_LANDLOCK | LAYER_SECCOMP,
	  .remedy = "add {\"type\": \"pid\"} to linux.namespaces", .references = "C5.16" },
	{ GROUP, .id = "hyg.fown", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "F_SETOWN: have the kernel signal a process of the host for a socket",
	  .contained = { ESRCH, EPERM }, .control = CONTROL_DECOY, .needs = LAYER_NAMESPACES,
	  .layers = LAYER_NAMESPACES,
	  .remedy = "add {\"type\": \"pid\"} to linux.namespaces",
	  .limitation = "no signal is sent: Landlock may stop it then" },
	/* The runner's: the attempts of the quick profile again, through agentd exec. */
	{ GROUP, .id = "hyg.exec-second", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the attempts of the quick profile again, in a process of agentd exec",
	  .layers = LAYER_RUNTIME, .needs = LAYER_NAMESPACES, .control = CONTROL_NONE,
	  .remedy = REPORT },
	{ GROUP, .id = "hyg.after-fork", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "five attempts again in a grandchild with a session of its own",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP | LAYER_LANDLOCK | LAYER_CAPABILITIES,
	  .control = CONTROL_HOST, .judge = JUDGE_inherited,
	  .remedy = REPORT,
	  .limitation = "what is let through in the first place is told by its own row" },
	{ GROUP, .id = "hyg.after-exec", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "five attempts again after execve",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP | LAYER_LANDLOCK | LAYER_CAPABILITIES,
	  .control = CONTROL_HOST, .judge = JUDGE_inherited,
	  .remedy = REPORT,
	  .limitation = "what is let through in the first place is told by its own row" },
	{ .id = "" },
};
/* clang-format on */
