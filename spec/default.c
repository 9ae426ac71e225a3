/*
 * The configuration that `agentd spec` prints: everything is closed that an ordinary program does
 * not need. Only what depends on the request or the machine's architecture is built by code; the
 * rest stands here as it is printed.
 *
 * The default must be safe when it is used unread: whoever needs more opens it by name. It has to
 * suffice for a shell, coreutils and the usual language run-times.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/array.h"
#include "spec/spec.h"

/* The name that libseccomp gives to the architecture that we are built for. */
#if defined(__x86_64__) && defined(__ILP32__)
#define ARCHITECTURE "SCMP_ARCH_X32"
#elif defined(__x86_64__)
#define ARCHITECTURE "SCMP_ARCH_X86_64"
#elif defined(__i386__)
#define ARCHITECTURE "SCMP_ARCH_X86"
#elif defined(__aarch64__)
#define ARCHITECTURE "SCMP_ARCH_AARCH64"
#elif defined(__arm__)
#define ARCHITECTURE "SCMP_ARCH_ARM"
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE "SCMP_ARCH_RISCV64"
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE "SCMP_ARCH_PPC64LE"
#elif defined(__s390x__)
#define ARCHITECTURE "SCMP_ARCH_S390X"
#elif defined(__loongarch64)
#define ARCHITECTURE "SCMP_ARCH_LOONGARCH64"
#elif defined(__mips64) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE "SCMP_ARCH_MIPSEL64"
#else
#error "which SCMP_ARCH is this? see seccomp_rule_add(3)"
#endif

/* clone(2): the flags come second on s390. */
#ifdef __s390x__
#define CLONE_FLAGS_INDEX 1
#else
#define CLONE_FLAGS_INDEX 0
#endif

/* clang-format off */

/* JSON as it is, without quotes round it and backslashes in it; and a format of printf(3): group of
 * terminals, user namespace, architecture. */
#define JSON(...) #__VA_ARGS__

static const char template[] = JSON(
{
	"ociVersion": "1.3.0",
	"root": { "path": "rootfs", "readonly": true },
	"process": {
		"terminal": false,
		"user": { "uid": 0, "gid": 0 },
		"args": ["sh"],
		"env": [
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"TERM=xterm"
		],
		"cwd": "/",
		"capabilities": {
			"bounding": [],
			"effective": [],
			"inheritable": [],
			"permitted": [],
			"ambient": []
		},
		"rlimits": [
			{ "type": "RLIMIT_CORE", "soft": 0, "hard": 0 },
			{ "type": "RLIMIT_NOFILE", "soft": 1024, "hard": 1024 }
		],
		"noNewPrivileges": true,
		"landlock": {
			"mode": "bestEffort",
			"ruleset": [
				{
					"handledAccessFs": ["abi.all"],
					"handledAccessNet": ["bind_tcp", "connect_tcp"],
					"scoped": ["abstract_unix_socket", "signal"]
				}
			],
			"pathBeneath": [
				{ "allowedAccess": ["abi.read_execute"], "parent": ["/"] },
				{ "allowedAccess": ["abi.read_write"], "parent": ["/tmp", "/run", "/dev/shm", "/dev/mqueue"] },
				{ "allowedAccess": ["read_file", "write_file", "ioctl_dev"], "parent": ["/dev"] }
			]
		}
	},
	"hostname": "agentd",
	"mounts": [
		{
			"destination": "/proc", "type": "proc", "source": "proc",
			"options": ["nosuid", "noexec", "nodev"]
		},
		{
			"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
			"options": ["nosuid", "noexec", "strictatime", "mode=755", "size=65536k"]
		},
		{
			"destination": "/dev/pts", "type": "devpts", "source": "devpts",
			"options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620" %s]
		},
		{
			"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
			"options": ["nosuid", "noexec", "nodev", "mode=1777", "size=64m"]
		},
		{
			"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
			"options": ["nosuid", "noexec", "nodev"]
		},
		{
			"destination": "/sys", "type": "sysfs", "source": "sysfs",
			"options": ["nosuid", "noexec", "nodev", "ro"]
		},
		{
			"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
			"options": ["nosuid", "noexec", "nodev", "relatime", "ro"]
		},
		{
			"destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
			"options": ["nosuid", "noexec", "nodev", "mode=1777", "size=64m"]
		},
		{
			"destination": "/run", "type": "tmpfs", "source": "tmpfs",
			"options": ["nosuid", "noexec", "nodev", "mode=755", "size=16m"]
		}
	],
	"linux": {
		"namespaces": [
			{ "type": "pid" },
			{ "type": "network" },
			{ "type": "ipc" },
			{ "type": "uts" },
			{ "type": "mount" },
			{ "type": "cgroup" }%s
		],
		"resources": {
			"devices": [ { "allow": false, "access": "rwm" } ],
			"memory": { "limit": 536870912, "swap": 536870912 },
			"pids": { "limit": 512 }
		},
		"maskedPaths": [
			"/proc/acpi",
			"/proc/asound",
			"/proc/interrupts",
			"/proc/kcore",
			"/proc/keys",
			"/proc/kpagecgroup",
			"/proc/kpagecount",
			"/proc/kpageflags",
			"/proc/latency_stats",
			"/proc/sched_debug",
			"/proc/scsi",
			"/proc/timer_list",
			"/proc/timer_stats",
			"/sys/dev/block",
			"/sys/devices/virtual/powercap",
			"/sys/firmware",
			"/sys/fs/selinux"
		],
		"readonlyPaths": [
			"/proc/bus",
			"/proc/fs",
			"/proc/irq",
			"/proc/sys",
			"/proc/sysrq-trigger"
		],
		"seccomp": {
			"defaultAction": "SCMP_ACT_ERRNO",
			"defaultErrnoRet": 1,
			"architectures": ["%s"]
		}
	}
});

/*
 * System calls that any argument may be given to. Not here, so refused: tracing and reading other
 * processes, mounting, namespaces, loading code into the kernel, its keys, clocks and logs,
 * io_uring and userfaultfd (the usual tools of exploits), file handles (CVE-2014-3519), NUMA placement.
 */
static const char *const allowed[] = {
	/* files */
	"access chdir chmod chown close close_range creat dup dup2 dup3 faccessat faccessat2 fallocate fchdir fchmod fchmodat "
	"fchmodat2 fchown fchownat fcntl fdatasync flock fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 lchown "
	"link linkat lseek lstat mkdir mkdirat mknod mknodat newfstatat open openat openat2 readlink readlinkat rename renameat "
	"renameat2 rmdir stat statfs statx symlink symlinkat sync sync_file_range sync_file_range2 syncfs truncate umask unlink "
	"unlinkat utime utimensat utimes",
	/* extended attributes */
	"fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr lremovexattr "
	"lsetxattr removexattr removexattrat setxattr setxattrat",
	/* reading and writing */
	"cachestat copy_file_range fadvise64 pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readv "
	"sendfile splice tee write writev",
	/* waiting */
	"epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 inotify_add_watch inotify_init "
	"inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit poll ppoll pselect6 select "
	"signalfd signalfd4",
	/* memory */
	"brk get_mempolicy madvise map_shadow_stack membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap mseal "
	"msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect",
	/* processes and threads */
	"execve execveat exit exit_group fork futex futex_requeue futex_wait futex_waitv futex_wake get_robust_list "
	"get_thread_area getcpu getpgid getpgrp getpid getppid getsid gettid pause pidfd_open pidfd_send_signal prctl rseq "
	"set_robust_list set_thread_area set_tid_address setpgid setsid vfork wait4 waitid waitpid",
	/* scheduling and limits */
	"getpriority getrlimit getrusage ioprio_get ioprio_set nice prlimit64 sched_get_priority_max sched_get_priority_min "
	"sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr "
	"sched_setparam sched_setscheduler sched_yield setpriority setrlimit sysinfo times uname",
	/* signals */
	"kill restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
	"rt_tgsigqueueinfo sigaltstack tgkill tkill",
	/* identity; without capabilities these only give up rights */
	"capget capset getegid geteuid getgid getgroups getresgid getresuid getuid setfsgid setfsuid setgid setgroups setregid "
	"setresgid setresuid setreuid setuid",
	/* time */
	"alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer time timer_create timer_delete "
	"timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime",
	/* sockets that exist; which may be made: conditional[] */
	"accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto "
	"setsockopt shutdown",
	/* System V and POSIX IPC, in a namespace of its own */
	"mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop "
	"semtimedop shmat shmctl shmdt shmget",
	/* giving up more */
	"landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp",
	/* randomness */
	"getrandom",
	/* of one architecture; the others have no number for it */
	"arch_prctl arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush riscv_flush_icache riscv_hwprobe set_tls",
#if __SIZEOF_POINTER__ == 4
	/* what 32-bit architectures call things */
	"_llseek _newselect chown32 clock_getres_time64 clock_gettime64 clock_nanosleep_time64 fadvise64_64 fchown32 fcntl64 fstat64 "
	"fstatat64 fstatfs64 ftruncate64 futex_time64 getegid32 geteuid32 getgid32 getgroups32 getresgid32 getresuid32 getuid32 "
	"io_pgetevents_time64 ipc lchown32 lstat64 mmap2 mq_timedreceive_time64 mq_timedsend_time64 ppoll_time64 pselect6_time64 "
	"recv recvmmsg_time64 rt_sigtimedwait_time64 sched_rr_get_interval_time64 semtimedop_time64 send sendfile64 setfsgid32 "
	"setfsuid32 setgid32 setgroups32 setregid32 setresgid32 setresuid32 setreuid32 setuid32 sigaction signal sigpending "
	"sigprocmask sigreturn sigsuspend stat64 statfs64 timer_gettime64 timer_settime64 timerfd_gettime64 timerfd_settime64 "
	"truncate64 ugetrlimit utimensat_time64",
#endif
};

/* Comparisons are (argument & mask) == value, so that the upper half of the register, which the
 * kernel does not look at where it takes an int, cannot be used to get round them. */
#define INT 0xffffffffu
#define SOCKET_TYPE 0xfu /* without SOCK_NONBLOCK and SOCK_CLOEXEC */

/* CLONE_NEW* but NEWTIME, whose bit clone(2) takes for a part of the exit signal */
#define CLONE_NAMESPACES 0x7e020000u

struct comparison {
	uint64_t index, mask, value;
};

/* System calls that depend on their arguments; rows of the same name are alternatives. */
static const struct conditional {
	char name[16];
	struct comparison compare[3]; /* all of them; a mask of 0 ends it */
} conditional[] = {
	{ "clone", { { CLONE_FLAGS_INDEX, CLONE_NAMESPACES, 0 } } },

	{ "personality", { { 0, INT, 0x0 } } },        /* PER_LINUX */
	{ "personality", { { 0, INT, 0x8 } } },        /* PER_LINUX32 */
	{ "personality", { { 0, INT, 0x20000 } } },    /* UNAME26 */
	{ "personality", { { 0, INT, 0x20008 } } },
	{ "personality", { { 0, INT, 0xffffffff } } }, /* which is it? */

	{ "socket", { { 0, INT, 1 }, { 1, SOCKET_TYPE, 1 } } },  /* AF_UNIX, SOCK_STREAM */
	{ "socket", { { 0, INT, 1 }, { 1, SOCKET_TYPE, 2 } } },  /* SOCK_DGRAM */
	{ "socket", { { 0, INT, 1 }, { 1, SOCKET_TYPE, 5 } } },  /* SOCK_SEQPACKET */
	/* AF_INET and AF_INET6: TCP, UDP and ping. Landlock looks at TCP alone, which MPTCP and SCTP
	 * get round; rarer protocols load modules. */
	{ "socket", { { 0, INT, 2 }, { 1, SOCKET_TYPE, 1 }, { 2, INT, 0 } } },
	{ "socket", { { 0, INT, 2 }, { 1, SOCKET_TYPE, 1 }, { 2, INT, 6 } } },
	{ "socket", { { 0, INT, 2 }, { 1, SOCKET_TYPE, 2 }, { 2, INT, 0 } } },
	{ "socket", { { 0, INT, 2 }, { 1, SOCKET_TYPE, 2 }, { 2, INT, 17 } } },
	{ "socket", { { 0, INT, 2 }, { 1, SOCKET_TYPE, 2 }, { 2, INT, 1 } } },
	{ "socket", { { 0, INT, 10 }, { 1, SOCKET_TYPE, 1 }, { 2, INT, 0 } } },
	{ "socket", { { 0, INT, 10 }, { 1, SOCKET_TYPE, 1 }, { 2, INT, 6 } } },
	{ "socket", { { 0, INT, 10 }, { 1, SOCKET_TYPE, 2 }, { 2, INT, 0 } } },
	{ "socket", { { 0, INT, 10 }, { 1, SOCKET_TYPE, 2 }, { 2, INT, 17 } } },
	{ "socket", { { 0, INT, 10 }, { 1, SOCKET_TYPE, 2 }, { 2, INT, 58 } } },
	/* AF_NETLINK, NETLINK_ROUTE: getifaddrs(3), with SOCK_RAW, which means no more than
	 * SOCK_DGRAM there */
	{ "socket", { { 0, INT, 16 }, { 1, SOCKET_TYPE, 2 }, { 2, INT, 0 } } },
	{ "socket", { { 0, INT, 16 }, { 1, SOCKET_TYPE, 3 }, { 2, INT, 0 } } },
	{ "socketpair", { { 0, INT, 1 } } }, /* AF_UNIX */
};

/* ioctl(2) requests that type into the terminal, and so into whatever reads it outside
 * (CVE-2017-5226), or load line disciplines into the kernel (CVE-2017-2636). */
static const uint32_t refused_requests[] = {
	0x5412, /* TIOCSTI */
	0x541c, /* TIOCLINUX */
	0x5423, /* TIOCSETD */
};
/* clang-format on */

/* Adds a rule for some system calls; the names are separated by spaces. */
static struct json *add_rule(struct json *rules, const char *names, const char *action,
			     struct arena *arena)
{
	struct json *rule = json_object(rules, NULL, arena);
	struct json *list = json_array(rule, "names", arena);

	while (*names) {
		size_t len = strcspn(names, " ");

		json_string(list, NULL, arena_copy(arena, names, len), arena);
		names += len + strspn(names + len, " ");
	}
	json_string(rule, "action", action, arena);
	return rule;
}

/* Allows a system call if all comparisons hold. */
static void allow_if(struct json *rules, const char *name, const struct comparison *compare,
		     size_t len, struct arena *arena)
{
	struct json *rule = add_rule(rules, name, "SCMP_ACT_ALLOW", arena);
	struct json *args = json_array(rule, "args", arena);

	for (size_t i = 0; i < len && compare[i].mask; i++) {
		struct json *arg = json_object(args, NULL, arena);

		json_unsigned(arg, "index", compare[i].index, arena);
		json_unsigned(arg, "value", compare[i].mask, arena);
		json_unsigned(arg, "valueTwo", compare[i].value, arena);
		json_string(arg, "op", "SCMP_CMP_MASKED_EQ", arena);
	}
}

/*
 * Allows ioctl(2) for every request whose bits under `mask`, its highest ones, are `prefix`, but
 * for the refused ones. "Not equal" would compare all 64 bits, of which the kernel looks at 32; and
 * an exception from a rule cannot be said in a profile. So the 32-bit numbers are cut in halves
 * until none has a refused one in it: at most 32 rules for each.
 */
static void allow_requests(struct json *rules, uint32_t prefix, uint32_t mask, struct arena *arena)
{
	uint32_t next = mask ? (mask >> 1) & ~mask : 0x80000000u;
	bool refused = false;

	for (size_t i = 0; i < ARRAY_LEN(refused_requests); i++)
		refused |= (refused_requests[i] & mask) == prefix;
	if (!refused) {
		allow_if(rules, "ioctl", &(struct comparison){ 1, mask, prefix }, 1, arena);
	} else if (next) {
		allow_requests(rules, prefix, mask | next, arena);
		allow_requests(rules, prefix | next, mask | next, arena);
	}
}

static void add_syscalls(struct json *seccomp, struct arena *arena)
{
	struct json *rules = json_array(seccomp, "syscalls", arena);

	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		add_rule(rules, allowed[i], "SCMP_ACT_ALLOW", arena);
	for (size_t i = 0; i < ARRAY_LEN(conditional); i++)
		allow_if(rules, conditional[i].name, conditional[i].compare,
			 ARRAY_LEN(conditional[i].compare), arena);
	allow_requests(rules, 0, 0, arena);
	/* Its flags are behind a pointer, where a filter cannot look; C libraries fall back to
	 * clone(2). */
	json_unsigned(add_rule(rules, "clone3", "SCMP_ACT_ERRNO", arena), "errnoRet", ENOSYS,
		      arena);
}

static void add_mappings(struct json *parent, const char *key,
			 const struct spec_id_mappings *mappings, struct arena *arena)
{
	struct json *list = json_array(parent, key, arena);

	for (size_t i = 0; i < mappings->len; i++) {
		struct json *mapping = json_object(list, NULL, arena);

		json_unsigned(mapping, "containerID", mappings->item[i].container_id, arena);
		json_unsigned(mapping, "hostID", mappings->item[i].host_id, arena);
		json_unsigned(mapping, "size", mappings->item[i].size, arena);
	}
}

/* What the request changes, to be merged into the template. */
static struct json *changes(const struct spec_default *with, struct arena *arena)
{
	struct json *patch = json_object(NULL, NULL, arena);
	struct json *process = json_object(patch, "process", arena);
	struct json *linux = json_object(patch, "linux", arena);

	json_boolean(process, "terminal", with->terminal, arena);
	if (with->args.len) {
		struct json *args = json_array(process, "args", arena);

		for (size_t i = 0; i < with->args.len; i++)
			json_string(args, NULL, with->args.item[i], arena);
	}
	if (with->rootless) {
		add_mappings(linux, "uidMappings", &with->uid_mappings, arena);
		add_mappings(linux, "gidMappings", &with->gid_mappings, arena);
	}
	add_syscalls(json_object(linux, "seccomp", arena), arena);
	return patch;
}

struct json *spec_default(const struct spec_default *with, struct arena *arena)
{
	/* devpts(5): group 5 is tty wherever there is one. */
	bool tty_group = !with->rootless || spec_find_mapping(&with->gid_mappings, 5);
	const char *text = arena_format(arena, template, tty_group ? ", \"gid=5\"" : "",
					with->rootless ? ", { \"type\": \"user\" }" : "",
					ARCHITECTURE);
	struct json *base;
	struct err err;

	if (json_parse(text, strlen(text), arena, &base, &err) < 0)
		abort(); /* the template is wrong; the tests would have seen it */
	return json_merge(base, changes(with, arena), arena);
}
