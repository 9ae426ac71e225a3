/*
 * Trials, see trials.h. Each child ends with the errno that it met as its exit status.
 */
#include "selftest/trials.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "runtime/base/sys.h"

static int try_mounting(int namespaces)
{
	if (unshare(namespaces) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno;
	return mount("agentd", "/", "tmpfs", 0, "size=4k") < 0 ? errno : 0;
}

static int try_userns(const struct host *host)
{
	(void)host;
	return try_mounting(CLONE_NEWUSER | CLONE_NEWNS);
}

/* An ordinary user gets the rest by a user namespace, or not at all. */
static int with_userns(const struct host *host)
{
	return host->privileged ? 0 : CLONE_NEWUSER;
}

static int try_mounts(const struct host *host)
{
	return try_mounting(with_userns(host) | CLONE_NEWNS);
}

static int try_netns(const struct host *host)
{
	return unshare(with_userns(host) | CLONE_NEWNET) < 0 ? errno : 0;
}

static int try_names(const struct host *host)
{
	return unshare(with_userns(host) | CLONE_NEWUTS) < 0 || sethostname("agentd", 6) < 0 ? errno
											     : 0;
}

static int try_cgroup(const struct host *host)
{
	char path[4096];

	if (!host->cgroup_root)
		return ENOENT;
	snprintf(path, sizeof(path), "%s%s/agentd-trial-%d", host->cgroup_root,
		 host->privileged || !host->cgroup_own ? "" : host->cgroup_own, (int)getpid());
	if (mkdir(path, 0700) < 0)
		return errno;
	rmdir(path);
	return 0;
}

static int try_landlock(const struct host *host)
{
	return host->landlock_errno;
}

static int try_seccomp(const struct host *host)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	(void)host;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return errno;
	return sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? errno : 0;
}

static const struct {
	const char *name;
	int (*run)(const struct host *host);
} trial_rows[TRIALS_LEN] = {
	[TRIAL_USERNS] = { "user namespaces", try_userns },
	[TRIAL_MOUNTS] = { "mounts", try_mounts },
	[TRIAL_NETNS] = { "network namespaces", try_netns },
	[TRIAL_NAMES] = { "host names", try_names },
	[TRIAL_CGROUP] = { "cgroups", try_cgroup },
	[TRIAL_LANDLOCK] = { "Landlock", try_landlock },
	[TRIAL_SECCOMP] = { "seccomp", try_seccomp },
};

void trials_make(const struct host *host, struct trials *trials)
{
	for (int i = 0; i < TRIALS_LEN; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(trial_rows[i].run(host));
		while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		/* killed: by somebody's filter */
		trials->error[i] = pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
	}
}

const char *trials_text(const struct trials *trials, struct arena *arena)
{
	const char *text = "";

	for (int i = 0; i < TRIALS_LEN; i++) {
		int error = trials->error[i];

		text = arena_format(arena, "%s%s%s: %s%s%s", text, i ? "; " : "",
				    trial_rows[i].name, error ? "no (" : "yes",
				    error ? strerror(error) : "", error ? ")" : "");
	}
	return text;
}
