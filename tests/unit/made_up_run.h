/*
 * A run that never was: one result of every verdict and hostile texts where a container could have
 * put them, for the tests of the reports.
 */
#pragma once

#include <errno.h>
#include <signal.h>

#include "selftest/judges.h"
#include "selftest/selftest.h"

/* What must not reach a reader as it is: control bytes, markup, a line of its own, bad UTF-8, and a
 * character that turns the direction of writing. */
#define HOSTILE \
	"\033[2J\r\n\t<b>&\"'\\ ]]>--> \xff\xc0\x80\xed\xa0\x80 \xe2\x80\xae\x01\x7f\xc2\x9b # ok"
/* How it looks once it is clean. */
#define HOSTILE_CLEAN "?[2J??" /* no trigraph */ "?<b>&\"'\\ ]]>--> ?????? ??????? # ok"

#define GOT_THROUGH(number)                                                                   \
	{                                                                                     \
		.tried = true, .alive = true, .done = true, .ended = true, .value = (number), \
		.microseconds = 410                                                           \
	}
#define REFUSED(number)                                                                 \
	{                                                                               \
		.tried = true, .alive = true, .done = true, .ended = true, .value = -1, \
		.error = (number), .microseconds = 52                                   \
	}
#define KILLED                                                                     \
	{                                                                          \
		.tried = true, .alive = true, .ended = true, .wait_status = SIGSYS \
	}

/* clang-format off */
static const struct selftest_case made_up_rows[] = {
	{ .id = "live.nonce", .group = "liveness", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_ALL,
	  .attempt = "tell the nonce", .control = CONTROL_NONE },
	{ .id = "sys.ptrace-traceme", .group = "tracing", .severity = SEVERITY_HIGH, .profiles = PROFILE_ALL,
	  .attempt = "ptrace(PTRACE_TRACEME)", .contained = { EPERM }, .layers = LAYER_SECCOMP,
	  .control = CONTROL_HOST, .remedy = "deny ptrace", .references = "C5.22 N4.4.3 T1055.008 P9.1" },
	{ .id = "sys.tiocsti-high", .group = "kernel", .severity = SEVERITY_HIGH, .profiles = PROFILE_ALL,
	  .attempt = "ioctl(pty, TIOCSTI | 1 << 32, \"x\")", .contained = { EPERM, EIO },
	  .layers = LAYER_SECCOMP | LAYER_KERNEL, .control = CONTROL_HOST,
	  .remedy = "compare the request of ioctl with SCMP_CMP_MASKED_EQ, or set dev.tty.legacy_tiocsti=0",
	  .references = "CVE-2019-7303 C5.22 C5.4", .limitation = "a terminal of its own only" },
	{ .id = "sys.mount-tmpfs", .group = "mounts", .severity = SEVERITY_HIGH, .profiles = PROFILE_ALL,
	  .attempt = "mount a tmpfs", .contained = { EPERM },
	  .layers = LAYER_SECCOMP | LAYER_CAPABILITIES | LAYER_LANDLOCK, .control = CONTROL_TWIN,
	  .remedy = "drop CAP_SYS_ADMIN", .references = "C5.4 C5.5 N4.4.3 T1611 P3.1" },
	{ .id = "net.af-alg", .group = "network", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_ALL,
	  .attempt = "socket(AF_ALG)", .contained = { EPERM, EAFNOSUPPORT }, .layers = LAYER_SECCOMP,
	  .control = CONTROL_HOST, .remedy = "deny AF_ALG", .references = "CVE-2026-31431" },
	{ .id = "cg.memory", .group = "limits", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "touch 96 MiB", .layers = LAYER_CGROUP, .needs = LAYER_CGROUP, .control = CONTROL_COUNTER,
	  .judge = JUDGE_memory, .remedy = "set linux.resources.memory.limit", .references = "C5.11 N4.4.3 P11.1" },
	{ .id = "cg.fork-bomb", .group = "limits", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_ALL,
	  .attempt = "fork without end", .contained = { EAGAIN }, .layers = LAYER_CGROUP, .needs = LAYER_CGROUP,
	  .control = CONTROL_COUNTER, .remedy = "set linux.resources.pids.limit", .references = "C5.29 T1499 P11.1" },
	{ .id = "sys.reboot", .group = "kernel", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_ALL,
	  .attempt = "reboot(0)", .contained = { EPERM }, .layers = LAYER_CAPABILITIES | LAYER_SECCOMP,
	  .control = CONTROL_ORACLE, .through = { EINVAL }, .remedy = "drop CAP_SYS_BOOT", .references = "N4.5.2" },
	{ .id = "proc.pid1", .group = "procfs", .severity = SEVERITY_LOW, .profiles = PROFILE_ALL,
	  .attempt = "read /proc/1/environ", .contained = { ENOENT }, .layers = LAYER_NAMESPACES,
	  .control = CONTROL_DECOY, .remedy = "mount a proc of its own", .references = "T1552.007" },
};

static const struct result made_up_results[] = {
	{ .row = &made_up_rows[0], .verdict = VERDICT_PASS, .target = GOT_THROUGH(0), .observed = "told" },
	{ .row = &made_up_rows[1], .verdict = VERDICT_PASS, .target = KILLED, .control = GOT_THROUGH(0),
	  .observed_layers = LAYER_SECCOMP, .measured = true, .alone = LAYER_SECCOMP,
	  .ablated = LAYER_SECCOMP | LAYER_LANDLOCK, .observed = "killed by SIGSYS" },
	{ .row = &made_up_rows[2], .verdict = VERDICT_FAIL, .target = GOT_THROUGH(0), .control = GOT_THROUGH(0),
	  .observed = "returned 0", .reason = "it got through" },
	{ .row = &made_up_rows[3], .verdict = VERDICT_PASS, .target = REFUSED(EPERM), .control = GOT_THROUGH(0),
	  .observed_layers = LAYER_CAPABILITIES, .ablated = LAYER_SECCOMP | LAYER_LANDLOCK, .observed = "EPERM" },
	{ .row = &made_up_rows[4], .verdict = VERDICT_NOT_APPLICABLE, .target = REFUSED(EAFNOSUPPORT),
	  .control = REFUSED(EAFNOSUPPORT), .observed = "EAFNOSUPPORT", .reason = "this kernel has no AF_ALG" },
	{ .row = &made_up_rows[5], .verdict = VERDICT_SKIPPED, .observed = "not tried",
	  .reason = "no cgroup is delegated to this user; systemd-run --user --scope -p Delegate=yes" },
	{ .row = &made_up_rows[6], .verdict = VERDICT_SKIPPED, .observed = "not tried",
	  .reason = "no cgroup is delegated to this user; systemd-run --user --scope -p Delegate=yes" },
	{ .row = &made_up_rows[7], .verdict = VERDICT_INCONCLUSIVE, .target = REFUSED(EPERM), .control = REFUSED(EPERM),
	  .observed = "EPERM", .reason = "refused even without the layers: " HOSTILE },
	{ .row = &made_up_rows[8], .verdict = VERDICT_ERROR, .target = { .tried = true, .flooded = true },
	  .observed = HOSTILE, .reason = "the canary sent more than there is to say" },
};
/* clang-format on */

#define MADE_UP_LEN (sizeof(made_up_results) / sizeof(made_up_results[0]))

static const char *made_up_notes[] = { "limits: memory.max is not enforced here " HOSTILE };
static const char *made_up_skip[] = { "dev.*" };

static const struct selftest_options made_up_options = {
	.profile = PROFILE_COMPREHENSIVE,
	.bundle = "/srv/b\xc3\xbc"
		  "cher & <co>",
	.skip = { made_up_skip, 1 },
};

static const struct selftest_run made_up_run = {
	.options = &made_up_options,
	.host = { .privileged = true,
		  .initial_user_ns = true,
		  .landlock_abi = 7,
		  .cgroup_root = "/sys/fs/cgroup",
		  .machine = "x86_64" },
	.results = (struct result *)made_up_results,
	.results_len = MADE_UP_LEN,
	.started = "2026-11-25T10:00:00Z",
	.milliseconds = 1840,
	.notes = made_up_notes,
	.notes_len = 1,
	.alive = true,
	.trials = "a user namespace: yes; a mount in it: yes",
};
