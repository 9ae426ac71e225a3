/*
 * What the judgements of postures share, see judge_posture.h.
 */
#include "selftest/judge_posture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"

#define FINDINGS_LIMIT (4u << 20)

bool judge_has_posture(const struct evidence *evidence, struct result *result)
{
	return evidence->posture ||
	       judge_undecided(result, VERDICT_INCONCLUSIVE, "the host cannot read the process");
}

bool judge_as_configured(const struct evidence *evidence, const char *property,
			 struct result *result)
{
	struct posture_findings findings;
	struct arena *arena;
	bool same = true;

	if (!judge_has_posture(evidence, result))
		return false;
	arena = arena_new(FINDINGS_LIMIT);
	posture_compare(evidence->posture, evidence->spec, arena, &findings);
	judge_say(result, "as configured");
	for (size_t i = 0; i < findings.len && same; i++) {
		const struct posture_finding *finding = &findings.item[i];

		/* "thread 5: process.noNewPrivileges" too */
		same = strstr(finding->what, property) == NULL;
		if (!same)
			judge_say(result, "%s: found %s, expected %s", finding->what,
				  finding->found, finding->expected);
	}
	arena_free(arena);
	return same;
}

bool judge_own_namespace(const struct posture *posture, const char *kind)
{
	for (size_t i = 0; i < POSTURE_NAMESPACES; i++)
		if (strcmp(posture_namespace_names[i], kind) == 0)
			return posture->namespaces[i] != posture->own[i];
	return false;
}

/* In a child: setns(2) gives whoever enters a mount namespace the root of that. */
static void __attribute__((noreturn)) look_from_inside(int users, int mounts, int answer)
{
	struct stat st;

	if ((users >= 0 && setns(users, CLONE_NEWUSER) < 0) || setns(mounts, CLONE_NEWNS) < 0 ||
	    stat("/", &st) < 0)
		_exit(1);
	_exit(write(answer, &st, sizeof(st)) != sizeof(st));
}

static int open_namespace(const struct posture *posture, const char *kind)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)posture->pid, kind);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int judge_namespace_root(const struct posture *posture, struct stat *st)
{
	bool enter = judge_own_namespace(posture, "user");
	autoclose int users = enter ? open_namespace(posture, "user") : -1;
	autoclose int mounts = open_namespace(posture, "mnt");
	autoclose int answer = -1;
	int ends[2], status;
	bool read_all;
	pid_t child;

	if (mounts < 0 || (enter && users < 0) || pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	answer = ends[0];
	child = fork();
	if (child == 0)
		look_from_inside(users, mounts, ends[1]);
	close(ends[1]);
	if (child < 0)
		return -1;
	read_all = read(answer, st, sizeof(*st)) == sizeof(*st);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return read_all ? 0 : -1;
}
