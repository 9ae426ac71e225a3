/*
 * Tracing and other processes' memory. Neither the uid nor Landlock keeps a process from tracing
 * its own children: there the system call filter is alone.
 */
#include <errno.h>

#include "selftest/cases.h"

#define REFUSE(calls) "remove " calls " from what linux.seccomp allows"

/* clang-format off */
const struct selftest_case cases_tracing[] = {
	{ .id = "sys.ptrace-traceme", .group = "tracing", .severity = SEVERITY_HIGH, .profiles = PROFILE_ALL,
	  .attempt = "ptrace(PTRACE_TRACEME)",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = REFUSE("ptrace"), .references = "C5.22 N4.4.3 T1055.008 P9.1" },
	{ .id = "sys.ptrace-sibling", .group = "tracing", .severity = SEVERITY_HIGH, .profiles = PROFILE_ALL,
	  .attempt = "ptrace(PTRACE_SEIZE) of a child",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = REFUSE("ptrace"), .references = "C5.22 N4.4.3 T1055.008 P9.1" },
	{ .id = "sys.ptrace-host", .group = "tracing", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_ALL,
	  .attempt = "ptrace(PTRACE_SEIZE) of a process of the host by its pid",
	  .contained = { ESRCH, EPERM }, .layers = LAYER_NAMESPACES | LAYER_LANDLOCK | LAYER_SECCOMP,
	  .control = CONTROL_DECOY,
	  .remedy = "give the container a pid namespace of its own (linux.namespaces)", .references = "C5.16 T1055.008 T1611" },
	{ .id = "sys.vm-readv", .group = "tracing", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "process_vm_readv of a child, 8 bytes",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = REFUSE("process_vm_readv"), .references = "C5.22 N4.4.3" },
	{ .id = "sys.vm-writev", .group = "tracing", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "process_vm_writev to a child, 8 bytes",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = REFUSE("process_vm_writev"), .references = "C5.22 N4.4.3" },
	{ .id = "sys.pidfd-getfd", .group = "tracing", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "pidfd_getfd of a descriptor of one's own",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = REFUSE("pidfd_getfd"), .references = "C5.22" },
	{ .id = "sys.kcmp", .group = "tracing", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "kcmp(KCMP_FILE) of one's own descriptors",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST,
	  .remedy = REFUSE("kcmp"), .references = "C5.22" },
	{ .id = "sys.process-madvise", .group = "tracing", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "process_madvise with a wrong descriptor",
	  .contained = { EPERM }, .layers = LAYER_SECCOMP, .control = CONTROL_HOST, .through = { EBADF, EINVAL },
	  .remedy = REFUSE("process_madvise"), .references = "C5.22" },
	{ .id = "sys.proc-mem", .group = "tracing", .severity = SEVERITY_CRITICAL, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "open /proc/PID/mem of a process of the host",
	  .contained = { ENOENT, EACCES, EPERM }, .layers = LAYER_NAMESPACES | LAYER_LANDLOCK, .control = CONTROL_DECOY,
	  .remedy = "give the container a pid namespace and a /proc of its own", .references = "T1611" },
	{ .id = "" },
};
/* clang-format on */
