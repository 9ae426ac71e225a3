/*
 * The words, see names.h. Constants come from kernel headers; those that Linux 6.1's lack are spelt
 * out with the header that has them.
 */
#include "spec/names.h"

#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sys/resource.h>

#include "runtime/base/sys.h"

/* clang-format off */
const struct name namespace_names[] = {
	{ "cgroup",  CLONE_NEWCGROUP },
	{ "ipc",     CLONE_NEWIPC },
	{ "mount",   CLONE_NEWNS },
	{ "network", CLONE_NEWNET },
	{ "pid",     CLONE_NEWPID },
	{ "time",    CLONE_NEWTIME },
	{ "user",    CLONE_NEWUSER },
	{ "uts",     CLONE_NEWUTS },
	{ .name = "" },
};

const struct name capability_names[] = {
	{ "CAP_CHOWN",              CAP_CHOWN },
	{ "CAP_DAC_OVERRIDE",       CAP_DAC_OVERRIDE },
	{ "CAP_DAC_READ_SEARCH",    CAP_DAC_READ_SEARCH },
	{ "CAP_FOWNER",             CAP_FOWNER },
	{ "CAP_FSETID",             CAP_FSETID },
	{ "CAP_KILL",               CAP_KILL },
	{ "CAP_SETGID",             CAP_SETGID },
	{ "CAP_SETUID",             CAP_SETUID },
	{ "CAP_SETPCAP",            CAP_SETPCAP },
	{ "CAP_LINUX_IMMUTABLE",    CAP_LINUX_IMMUTABLE },
	{ "CAP_NET_BIND_SERVICE",   CAP_NET_BIND_SERVICE },
	{ "CAP_NET_BROADCAST",      CAP_NET_BROADCAST },
	{ "CAP_NET_ADMIN",          CAP_NET_ADMIN },
	{ "CAP_NET_RAW",            CAP_NET_RAW },
	{ "CAP_IPC_LOCK",           CAP_IPC_LOCK },
	{ "CAP_IPC_OWNER",          CAP_IPC_OWNER },
	{ "CAP_SYS_MODULE",         CAP_SYS_MODULE },
	{ "CAP_SYS_RAWIO",          CAP_SYS_RAWIO },
	{ "CAP_SYS_CHROOT",         CAP_SYS_CHROOT },
	{ "CAP_SYS_PTRACE",         CAP_SYS_PTRACE },
	{ "CAP_SYS_PACCT",          CAP_SYS_PACCT },
	{ "CAP_SYS_ADMIN",          CAP_SYS_ADMIN },
	{ "CAP_SYS_BOOT",           CAP_SYS_BOOT },
	{ "CAP_SYS_NICE",           CAP_SYS_NICE },
	{ "CAP_SYS_RESOURCE",       CAP_SYS_RESOURCE },
	{ "CAP_SYS_TIME",           CAP_SYS_TIME },
	{ "CAP_SYS_TTY_CONFIG",     CAP_SYS_TTY_CONFIG },
	{ "CAP_MKNOD",              CAP_MKNOD },
	{ "CAP_LEASE",              CAP_LEASE },
	{ "CAP_AUDIT_WRITE",        CAP_AUDIT_WRITE },
	{ "CAP_AUDIT_CONTROL",      CAP_AUDIT_CONTROL },
	{ "CAP_SETFCAP",            CAP_SETFCAP },
	{ "CAP_MAC_OVERRIDE",       CAP_MAC_OVERRIDE },
	{ "CAP_MAC_ADMIN",          CAP_MAC_ADMIN },
	{ "CAP_SYSLOG",             CAP_SYSLOG },
	{ "CAP_WAKE_ALARM",         CAP_WAKE_ALARM },
	{ "CAP_BLOCK_SUSPEND",      CAP_BLOCK_SUSPEND },
	{ "CAP_AUDIT_READ",         CAP_AUDIT_READ },
	{ "CAP_PERFMON",            CAP_PERFMON },
	{ "CAP_BPF",                CAP_BPF },
	{ "CAP_CHECKPOINT_RESTORE", CAP_CHECKPOINT_RESTORE },
	{ .name = "" },
};

const struct name rlimit_names[] = {
	{ "RLIMIT_AS",         RLIMIT_AS },
	{ "RLIMIT_CORE",       RLIMIT_CORE },
	{ "RLIMIT_CPU",        RLIMIT_CPU },
	{ "RLIMIT_DATA",       RLIMIT_DATA },
	{ "RLIMIT_FSIZE",      RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS",      RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK",    RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE",   RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE",       RLIMIT_NICE },
	{ "RLIMIT_NOFILE",     RLIMIT_NOFILE },
	{ "RLIMIT_NPROC",      RLIMIT_NPROC },
	{ "RLIMIT_RSS",        RLIMIT_RSS },
	{ "RLIMIT_RTPRIO",     RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME",     RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK",      RLIMIT_STACK },
	{ .name = "" },
};

/* <linux/sched.h>; SCHED_ISO is reserved there, the kernel refuses it. */
const struct name scheduler_policy_names[] = {
	{ "SCHED_OTHER",    0 },
	{ "SCHED_FIFO",     1 },
	{ "SCHED_RR",       2 },
	{ "SCHED_BATCH",    3 },
	{ "SCHED_ISO",      4 },
	{ "SCHED_IDLE",     5 },
	{ "SCHED_DEADLINE", 6 },
	{ .name = "" },
};

const struct name scheduler_flag_names[] = {
	{ "SCHED_FLAG_RESET_ON_FORK",  SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM",        SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN",     SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_POLICY",    SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS",    SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
	{ .name = "" },
};

const struct name io_priority_class_names[] = {
	{ "IOPRIO_CLASS_RT",   IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE",   IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
	{ .name = "" },
};

/* <linux/personality.h> */
const struct name personality_names[] = {
	{ "LINUX",   0x0000 },
	{ "LINUX32", 0x0008 },
	{ .name = "" },
};

const struct name memory_policy_mode_names[] = {
	{ "MPOL_DEFAULT",             MPOL_DEFAULT },
	{ "MPOL_PREFERRED",           MPOL_PREFERRED },
	{ "MPOL_BIND",                MPOL_BIND },
	{ "MPOL_INTERLEAVE",          MPOL_INTERLEAVE },
	{ "MPOL_LOCAL",               MPOL_LOCAL },
	{ "MPOL_PREFERRED_MANY",      MPOL_PREFERRED_MANY },
	{ "MPOL_WEIGHTED_INTERLEAVE", 6 }, /* Linux 6.9 */
	{ .name = "" },
};

const struct name memory_policy_flag_names[] = {
	{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
	{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_STATIC_NODES",   MPOL_F_STATIC_NODES },
	{ .name = "" },
};

const struct name propagation_names[] = {
	{ "private",     MS_PRIVATE },
	{ "rprivate",    MS_PRIVATE | MS_REC },
	{ "rshared",     MS_SHARED | MS_REC },
	{ "rslave",      MS_SLAVE | MS_REC },
	{ "runbindable", MS_UNBINDABLE | MS_REC },
	{ "shared",      MS_SHARED },
	{ "slave",       MS_SLAVE },
	{ "unbindable",  MS_UNBINDABLE },
	{ .name = "" },
};

const struct name device_type_names[] = {
	{ "b", 'b' }, /* block */
	{ "c", 'c' }, /* character */
	{ "u", 'u' }, /* the same, unbuffered */
	{ "p", 'p' }, /* FIFO */
	{ .name = "" },
};

const struct name device_rule_type_names[] = {
	{ "a", 'a' }, /* all */
	{ "b", 'b' },
	{ "c", 'c' },
	{ .name = "" },
};

/* <linux/landlock.h>, whose newer bits old headers lack */
#define BIT(n) (1ULL << (n))

const struct name landlock_fs_names[] = {
	{ "execute",      BIT(0) },
	{ "write_file",   BIT(1) },
	{ "read_file",    BIT(2) },
	{ "read_dir",     BIT(3) },
	{ "remove_dir",   BIT(4) },
	{ "remove_file",  BIT(5) },
	{ "make_char",    BIT(6) },
	{ "make_dir",     BIT(7) },
	{ "make_reg",     BIT(8) },
	{ "make_sock",    BIT(9) },
	{ "make_fifo",    BIT(10) },
	{ "make_block",   BIT(11) },
	{ "make_sym",     BIT(12) },
	{ "refer",        BIT(13) },
	{ "truncate",     BIT(14) },
	{ "ioctl_dev",    BIT(15) },
	{ "resolve_unix", BIT(16) },
	{ .name = "" },
};

const struct name landlock_net_names[] = {
	{ "bind_tcp",         BIT(0) },
	{ "connect_tcp",      BIT(1) },
	{ "bind_udp",         BIT(2) },
	{ "connect_send_udp", BIT(3) },
	{ .name = "" },
};

const struct name landlock_scope_names[] = {
	{ "abstract_unix_socket", BIT(0) },
	{ "signal",               BIT(1) },
	{ .name = "" },
};

/* Every right up to bit n. */
#define UP_TO(n) (BIT((n) + 1) - 1)

const struct landlock_abi landlock_abis[LANDLOCK_ABI_NEWEST + 1] = {
	/*       fs         net       scoped    restrict_flags */
	[1]  = { UP_TO(12), 0,        0,        0,        "5.13" },
	[2]  = { UP_TO(13), 0,        0,        0,        "5.19" }, /* refer */
	[3]  = { UP_TO(14), 0,        0,        0,        "6.2" },  /* truncate */
	[4]  = { UP_TO(14), UP_TO(1), 0,        0,        "6.7" },  /* TCP */
	[5]  = { UP_TO(15), UP_TO(1), 0,        0,        "6.10" }, /* ioctl_dev */
	[6]  = { UP_TO(15), UP_TO(1), UP_TO(1), 0,        "6.12" }, /* scopes */
	[7]  = { UP_TO(15), UP_TO(1), UP_TO(1), UP_TO(2), "6.15" }, /* LOG_X */
	[8]  = { UP_TO(15), UP_TO(1), UP_TO(1), UP_TO(3), "7.0" },  /* TSYNC */
	[9]  = { UP_TO(16), UP_TO(1), UP_TO(1), UP_TO(3), "7.1" },  /* resolve_unix */
	[10] = { UP_TO(16), UP_TO(3), UP_TO(1), UP_TO(3), "7.2" },  /* UDP */
};

const uint64_t landlock_fs_read_execute = BIT(0) | BIT(2) | BIT(3);
const uint64_t landlock_fs_read_write = UP_TO(16) & ~BIT(0);
const uint64_t landlock_fs_file = UP_TO(2) | BIT(14) | BIT(15) | BIT(16);
/* clang-format on */
