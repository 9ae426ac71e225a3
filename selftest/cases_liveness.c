/*
 * What must work. No layer is credited with it. A row here passes where the attempt got through;
 * the errnos are those that a configuration may want: then the row is not applicable. Anything else
 * means that the container is broken and that nothing else can be proven in it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "selftest/judges.h"

/* The word of this run came through the container and back. */
bool judge_nonce(const struct evidence *evidence, struct result *result)
{
	char expected[sizeof("nonce=") + sizeof(evidence->decoys->nonce)];

	snprintf(expected, sizeof(expected), "nonce=%s", evidence->decoys->nonce);
	if (strcmp(evidence->target->text, expected) == 0)
		return true;
	snprintf(result->observed, sizeof(result->observed), "a wrong nonce, or none");
	return false;
}

/* clang-format off */
const struct selftest_case cases_liveness[] = {
	{ .id = "live.nonce", .group = "liveness", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_ALL,
	  .attempt = "say the nonce of this run", .control = CONTROL_NONE, .judge = JUDGE_nonce,
	  .remedy = "start the container by hand (agentd run) to see why its program does not run" },
	{ .id = "live.basic", .group = "liveness", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_ALL,
	  .attempt = "pipe, mmap, futex, a thread, fork and execve, clocks", .control = CONTROL_NONE,
	  .remedy = "allow these system calls in linux.seccomp, and executing in process.landlock" },
	{ .id = "live.fs", .group = "liveness", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_ALL,
	  .attempt = "create, write, rename and remove a file of a writable directory; read the own program",
	  .contained = { EROFS }, .control = CONTROL_NONE,
	  .remedy = "give process.landlock a rule that allows writing to the container's tmpfs" },
	{ .id = "live.net", .group = "liveness", .severity = SEVERITY_INFO, .profiles = PROFILE_ALL,
	  .attempt = "socket(AF_INET, SOCK_STREAM) and socketpair(AF_UNIX)",
	  .contained = { EPERM, EACCES, ENOSYS, EAFNOSUPPORT }, .control = CONTROL_NONE,
	  .remedy = "allow socket and socketpair in linux.seccomp if programs need them" },
	{ .id = "live.unknown-nr", .group = "liveness", .severity = SEVERITY_INFO, .profiles = PROFILE_ALL,
	  .attempt = "a system call that does not exist answers ENOSYS",
	  .contained = { EPERM, EACCES }, .control = CONTROL_NONE,
	  .remedy = "let linux.seccomp answer ENOSYS (38) to unknown calls: EPERM breaks the fallbacks of C libraries" },
	{ .id = "live.landlock-nested", .group = "liveness", .severity = SEVERITY_INFO, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "landlock_create_ruleset(VERSION): programs may confine themselves further",
	  .contained = { EPERM, ENOSYS, EOPNOTSUPP }, .control = CONTROL_NONE,
	  .remedy = "allow landlock_* in linux.seccomp: they only give up rights" },
	{ .id = "live.seccomp-nested", .group = "liveness", .severity = SEVERITY_INFO, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "seccomp(GET_ACTION_AVAIL): programs may filter themselves further",
	  .contained = { EPERM, ENOSYS }, .control = CONTROL_NONE,
	  .remedy = "allow seccomp in linux.seccomp: it only gives up rights" },
	{ .id = "" },
};
/* clang-format on */
