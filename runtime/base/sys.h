/*
 * System calls and kernel constants that a C library of today's stable distributions may lack;
 * nothing else.
 *
 * The oldest headers supported are Linux 6.1's with glibc 2.36. <linux/mount.h> cannot be included
 * beside glibc's <sys/mount.h>, so the structures of the mount interface are spelt out here under
 * our own names; the layouts are the kernel's (include/uapi/linux/mount.h, sched.h, openat2.h,
 * landlock.h). Every function is the bare call: -1 and errno.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

#define SYS_OPEN_TREE_CLONE 1u
#define SYS_OPEN_TREE_CLOEXEC ((unsigned)O_CLOEXEC)
#define SYS_AT_RECURSIVE 0x8000u
#define SYS_MOVE_MOUNT_F_EMPTY_PATH 0x04u
#define SYS_MOVE_MOUNT_T_EMPTY_PATH 0x40u
#define SYS_FSOPEN_CLOEXEC 1u
#define SYS_FSMOUNT_CLOEXEC 1u
#define SYS_FSCONFIG_SET_FLAG 0u
#define SYS_FSCONFIG_SET_STRING 1u
#define SYS_FSCONFIG_CMD_CREATE 6u
#define SYS_MOUNT_ATTR_RDONLY 0x1u
#define SYS_MOUNT_ATTR_NOSUID 0x2u
#define SYS_MOUNT_ATTR_NODEV 0x4u
#define SYS_MOUNT_ATTR_NOEXEC 0x8u
#define SYS_MOUNT_ATTR__ATIME 0x70u
#define SYS_MOUNT_ATTR_NOATIME 0x10u
#define SYS_MOUNT_ATTR_STRICTATIME 0x20u
#define SYS_MOUNT_ATTR_NODIRATIME 0x80u
#define SYS_MOUNT_ATTR_NOSYMFOLLOW 0x200000u

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif
#ifndef MS_LAZYTIME
#define MS_LAZYTIME (1 << 25)
#endif

/* mount_setattr(2) */
struct sys_mount_attr {
	uint64_t attr_set, attr_clr, propagation, userns_fd;
};

/* sched_setattr(2), SCHED_ATTR_SIZE_VER1 */
struct sys_sched_attr {
	uint32_t size, sched_policy;
	uint64_t sched_flags;
	int32_t sched_nice;
	uint32_t sched_priority;
	uint64_t sched_runtime, sched_deadline, sched_period;
	uint32_t sched_util_min, sched_util_max;
};

/* landlock(7); shorter sizes are passed to older kernels */
struct sys_landlock_ruleset_attr {
	uint64_t handled_access_fs, handled_access_net, scoped;
};

struct sys_landlock_path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

struct sys_landlock_net_port_attr {
	uint64_t allowed_access, port;
};

#define SYS_LANDLOCK_CREATE_RULESET_VERSION 1u
#define SYS_LANDLOCK_CREATE_RULESET_ERRATA 2u
#define SYS_LANDLOCK_RULE_PATH_BENEATH 1
#define SYS_LANDLOCK_RULE_NET_PORT 2
#define SYS_LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF 1u
#define SYS_LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON 2u
#define SYS_LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF 4u

/* Calls of Linux 5.1 and later have one number on every architecture but alpha. */
#define SYS_NR_pidfd_send_signal 424
#define SYS_NR_open_tree 428
#define SYS_NR_move_mount 429
#define SYS_NR_fsopen 430
#define SYS_NR_fsconfig 431
#define SYS_NR_fsmount 432
#define SYS_NR_pidfd_open 434
#define SYS_NR_clone3 435
#define SYS_NR_close_range 436
#define SYS_NR_openat2 437
#define SYS_NR_mount_setattr 442
#define SYS_NR_landlock_create_ruleset 444
#define SYS_NR_landlock_add_rule 445
#define SYS_NR_landlock_restrict_self 446

static inline int sys_openat2(int dir, const char *path, const struct open_how *how)
{
	return (int)syscall(SYS_NR_openat2, dir, path, how, sizeof(*how));
}

static inline pid_t sys_clone3(const struct clone_args *args)
{
	return (pid_t)syscall(SYS_NR_clone3, args, sizeof(*args));
}

static inline int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return (int)syscall(SYS_NR_close_range, first, last, flags);
}

static inline int sys_pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_NR_pidfd_open, pid, flags);
}

static inline int sys_pidfd_send_signal(int pidfd, int signal)
{
	return (int)syscall(SYS_NR_pidfd_send_signal, pidfd, signal, NULL, 0);
}

static inline int sys_open_tree(int dir, const char *path, unsigned flags)
{
	return (int)syscall(SYS_NR_open_tree, dir, path, flags);
}

static inline int sys_move_mount(int from_dir, const char *from, int to_dir, const char *to,
				 unsigned flags)
{
	return (int)syscall(SYS_NR_move_mount, from_dir, from, to_dir, to, flags);
}

static inline int sys_fsopen(const char *type)
{
	return (int)syscall(SYS_NR_fsopen, type, SYS_FSOPEN_CLOEXEC);
}

static inline int sys_fsconfig(int fs, unsigned command, const char *key, const char *value)
{
	return (int)syscall(SYS_NR_fsconfig, fs, command, key, value, 0);
}

static inline int sys_fsmount(int fs, unsigned attributes)
{
	return (int)syscall(SYS_NR_fsmount, fs, SYS_FSMOUNT_CLOEXEC, attributes);
}

static inline int sys_mount_setattr(int dir, const char *path, unsigned flags,
				    const struct sys_mount_attr *attr)
{
	return (int)syscall(SYS_NR_mount_setattr, dir, path, flags, attr, sizeof(*attr));
}

/* SIG_DFL for any signal: signal(2) of glibc refuses the two that it keeps for itself (nptl(7)). */
static inline int sys_signal_default(int number)
{
	const unsigned long kernel_sigaction[8] = { 0 }; /* longer than any architecture's */

	return (int)syscall(SYS_rt_sigaction, number, kernel_sigaction, NULL, 64 / 8);
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

static inline int sys_landlock_create_ruleset(const struct sys_landlock_ruleset_attr *attr,
					      size_t size, unsigned flags)
{
	return (int)syscall(SYS_NR_landlock_create_ruleset, attr, size, flags);
}

static inline int sys_landlock_add_rule(int ruleset, int type, const void *attr)
{
	return (int)syscall(SYS_NR_landlock_add_rule, ruleset, type, attr, 0);
}

static inline int sys_landlock_restrict_self(int ruleset, unsigned flags)
{
	return (int)syscall(SYS_NR_landlock_restrict_self, ruleset, flags);
}

static inline int sys_seccomp(unsigned operation, unsigned flags, const void *args)
{
	return (int)syscall(SYS_seccomp, operation, flags, args);
}

static inline int sys_sched_setattr(pid_t pid, const struct sys_sched_attr *attr)
{
	return (int)syscall(SYS_sched_setattr, pid, attr, 0);
}

static inline int sys_ioprio_set(int which, int who, int value)
{
	return (int)syscall(SYS_ioprio_set, which, who, value);
}

static inline int sys_set_mempolicy(int mode, const unsigned long *nodes, unsigned long max_node)
{
	return (int)syscall(SYS_set_mempolicy, mode, nodes, max_node);
}

static inline int sys_bpf(int command, void *attr, unsigned size)
{
	return (int)syscall(SYS_bpf, command, attr, size);
}

static inline long sys_keyctl(int operation, unsigned long arg2, unsigned long arg3)
{
	return syscall(SYS_keyctl, operation, arg2, arg3, 0, 0);
}
