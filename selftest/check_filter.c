/*
 * What a profile lets through, asked of the compiled filter with the very numbers that the kernel
 * would see: words of a profile, and comparisons of its arguments, are easily misread (TIOCSTI with
 * a bit set that the kernel does not look at; 32-bit calls with other numbers).
 */
#include <linux/audit.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "runtime/base/array.h"
#include "runtime/base/sys.h"
#include "selftest/check.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define NATIVE AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define NATIVE AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define NATIVE AUDIT_ARCH_S390X
#elif defined(__loongarch64)
#define NATIVE AUDIT_ARCH_LOONGARCH64
#elif defined(__mips64) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE AUDIT_ARCH_MIPSEL64
#else
#error "which AUDIT_ARCH is this? see <linux/audit.h>"
#endif

/* clone(2): the flags come second on s390. */
#ifdef __s390x__
#define CLONE_ARGS(flags) \
	{                 \
		0, flags  \
	}
#else
#define CLONE_ARGS(flags) \
	{                 \
		flags     \
	}
#endif

#define TIOCSTI_REQUEST 0x5412
#define TIOCLINUX_REQUEST 0x541c

/* Without pointers, which the dynamic loader would have to set in every command of agentd. */
struct call {
	char name[40]; /* "": no more */
	uint32_t architecture;
	int number;
	uint64_t args[6];
};

/* clang-format off */
#define CALLS(...) (const struct call[]){ __VA_ARGS__, { "", 0, 0, { 0 } } }
#define CALL(name, ...) { #name, NATIVE, SYS_##name, { __VA_ARGS__ } }
#define NEWER(name) { #name, NATIVE, SYS_NR_##name, { 0 } }
#define NETLINK(name, protocol) { "netlink " name, NATIVE, SYS_socket, { AF_NETLINK, SOCK_RAW, protocol } }
#define FAMILY(name, family, type) { name, NATIVE, SYS_socket, { family, type, 0 } }

static const struct question {
	const char *name;
	enum severity severity;
	const struct call *calls;
	const char *remedy;
} questions[] = {
	{ "seccomp.tracing", SEVERITY_MEDIUM,
	  CALLS(CALL(ptrace, 16), CALL(process_vm_readv, 1), CALL(process_vm_writev, 1), { "pidfd_getfd", NATIVE, 438, { 0 } }),
	  "leave them out of linux.seccomp: a debugger is not part of a service" },
	{ "seccomp.mounts", SEVERITY_MEDIUM,
	  CALLS(CALL(mount, 1), CALL(umount2, 1), CALL(pivot_root, 1), NEWER(open_tree), NEWER(move_mount), NEWER(fsopen),
	    NEWER(fsmount), NEWER(mount_setattr)),
	  "leave them out of linux.seccomp; with them one capability is all that is in the way" },
	{ "seccomp.namespaces", SEVERITY_MEDIUM,
	  CALLS(CALL(unshare, CLONE_NEWUSER), CALL(setns, 3),
	    { "clone with CLONE_NEWUSER", NATIVE, SYS_clone, CLONE_ARGS(CLONE_NEWUSER | 17) },
	    { "clone3, whose flags no filter sees", NATIVE, SYS_NR_clone3, { 0 } }),
	  "a namespace of its own gives a process all capabilities in it: refuse them, and clone3 with ENOSYS" },
	{ "seccomp.kernel-code", SEVERITY_HIGH,
	  CALLS(CALL(init_module, 1), CALL(finit_module, 3), CALL(delete_module, 1), CALL(kexec_load, 0),
	    CALL(bpf, 0), CALL(perf_event_open, 1), CALL(swapon, 1), CALL(settimeofday, 1), CALL(acct, 1)),
	  "leave them out of linux.seccomp: they are for whoever runs the machine" },
	{ "seccomp.io_uring", SEVERITY_MEDIUM,
	  CALLS({ "io_uring_setup", NATIVE, 425, { 1 } }),
	  "leave it out of linux.seccomp: what is asked for through a ring passes no filter" },
	{ "seccomp.userfaultfd", SEVERITY_MEDIUM, CALLS(CALL(userfaultfd, 0)),
	  "leave it out of linux.seccomp: it makes races in the kernel easy to win" },
	{ "seccomp.keys", SEVERITY_MEDIUM, CALLS(CALL(keyctl, 0), CALL(add_key, 1), CALL(request_key, 1)),
	  "leave them out of linux.seccomp: keys are not in any namespace but the user's" },
	{ "seccomp.file-handles", SEVERITY_MEDIUM, CALLS(CALL(open_by_handle_at, 3)),
	  "leave it out of linux.seccomp: it opens what no path leads to (CVE-2014-3519)" },
	{ "seccomp.raw-sockets", SEVERITY_MEDIUM,
	  CALLS(FAMILY("AF_INET SOCK_RAW", AF_INET, SOCK_RAW), FAMILY("AF_INET6 SOCK_RAW", AF_INET6, SOCK_RAW),
	    FAMILY("AF_PACKET", AF_PACKET, SOCK_RAW)),
	  "allow socket for the types that are needed, by its arguments" },
	{ "seccomp.netlink", SEVERITY_MEDIUM,
	  CALLS(NETLINK("sock_diag", 4), NETLINK("xfrm", 6), NETLINK("audit", 9), NETLINK("netfilter", 12), NETLINK("uevent", 15),
	    NETLINK("generic", 16), NETLINK("crypto", 21)),
	  "allow AF_NETLINK with NETLINK_ROUTE alone, by the third argument of socket" },
	{ "seccomp.socket-families", SEVERITY_MEDIUM,
	  CALLS(FAMILY("AF_ALG", AF_ALG, SOCK_SEQPACKET), FAMILY("AF_VSOCK", AF_VSOCK, SOCK_STREAM),
	    FAMILY("AF_XDP", 44, SOCK_RAW), FAMILY("AF_RDS", AF_RDS, SOCK_SEQPACKET), FAMILY("AF_TIPC", AF_TIPC, SOCK_RDM),
	    FAMILY("AF_CAN", AF_CAN, SOCK_RAW), FAMILY("AF_BLUETOOTH", AF_BLUETOOTH, SOCK_STREAM), FAMILY("AF_KEY", AF_KEY, SOCK_RAW)),
	  "allow AF_UNIX, AF_INET and AF_INET6, by the first argument of socket: the others load modules" },
	{ "seccomp.terminal", SEVERITY_MEDIUM,
	  CALLS(CALL(ioctl, 0, TIOCSTI_REQUEST), { "ioctl TIOCSTI with a high bit", NATIVE, SYS_ioctl, { 0, TIOCSTI_REQUEST | 1ULL << 32 } },
	    { "ioctl TIOCLINUX", NATIVE, SYS_ioctl, { 0, TIOCLINUX_REQUEST } }),
	  "refuse them by the lower 32 bits of the second argument (SCMP_CMP_MASKED_EQ), as agentd spec does" },
	{ "seccomp.personality", SEVERITY_LOW, CALLS(CALL(personality, ADDR_NO_RANDOMIZE)),
	  "allow personality for the values that are needed: others make exploits easier" },
#ifdef __x86_64__
	{ "seccomp.other-architectures", SEVERITY_MEDIUM,
	  CALLS({ "i386 getpid", AUDIT_ARCH_I386, 20, { 0 } }, { "i386 ptrace", AUDIT_ARCH_I386, 26, { 16 } },
	    { "i386 socketcall", AUDIT_ARCH_I386, 102, { 1 } }, { "x32 getpid", NATIVE, 0x40000000 | SYS_getpid, { 0 } }),
	  "name the native architecture alone in linux.seccomp.architectures: others have calls that no test sees" },
#endif
};
/* clang-format on */

static bool allows(const struct sock_fprog *filter, const struct call *call)
{
	struct seccomp_data data = { .nr = call->number, .arch = call->architecture };
	uint32_t action;

	memcpy(data.args, call->args, sizeof(call->args));
	action = bpf_answer(filter, &data) & SECCOMP_RET_ACTION_FULL;
	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

void check_filter(const struct check_context *context, struct check_findings *findings)
{
	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		const struct question *question = &questions[i];
		const char *open = NULL;

		for (const struct call *call = question->calls; *call->name; call++)
			if (allows(context->filter, call))
				open = check_append(open, call->name, context->arena);
		check_add(findings,
			  &(struct check_finding){
				  .name = question->name,
				  .found = open ? arena_format(context->arena, "allowed: %s", open)
						: "refused",
				  .remedy = question->remedy,
				  .severity = question->severity,
				  .good = !open,
			  },
			  context->arena);
	}
}
