/*
 * Words of the specification and the kernel's number for each, for decoding, encoding and `agentd
 * features`: one list.
 *
 * Only constants of kernel headers stand here (those that old headers lack are spelt out in
 * names.c). Words whose constants belong to a library are in that library's home: seccomp's in
 * isolation/seccomp.c. Mount options are in isolation/mount_options.c.
 */
#pragma once

#include "runtime/base/names.h"

extern const struct name namespace_names[];  /* "pid" -> CLONE_NEWPID ... */
extern const struct name capability_names[]; /* "CAP_CHOWN" -> CAP_CHOWN (a bit number) ... */
extern const struct name rlimit_names[];     /* "RLIMIT_NOFILE" -> RLIMIT_NOFILE ... */
extern const struct name scheduler_policy_names[], scheduler_flag_names[];
extern const struct name io_priority_class_names[];
extern const struct name personality_names[];
extern const struct name memory_policy_mode_names[], memory_policy_flag_names[];
extern const struct name propagation_names[];	   /* "rslave" -> MS_SLAVE | MS_REC ... */
extern const struct name device_type_names[];	   /* "c" -> 'c' ... */
extern const struct name device_rule_type_names[]; /* "a" -> 'a' ... */

/* Landlock (landlock(7)): lower-case words of the uapi names without their prefix: "read_file" ->
 * LANDLOCK_ACCESS_FS_READ_FILE */
extern const struct name landlock_fs_names[], landlock_net_names[], landlock_scope_names[];

#define LANDLOCK_ABI_NEWEST 10 /* the newest ABI that the tables know */

/* The rights that exist since an ABI, cumulative; index 0 is "no Landlock". */
struct landlock_abi {
	uint64_t fs, net, scoped, restrict_flags;
	char kernel[8]; /* the first Linux with it */
};
extern const struct landlock_abi landlock_abis[LANDLOCK_ABI_NEWEST + 1];

/* Rights of the groups abi.read_execute and abi.read_write, before cutting to an ABI. read_write is
 * everything but execute, so that what a program may write it cannot run. */
extern const uint64_t landlock_fs_read_execute, landlock_fs_read_write;

/* Rights that make sense for a file that is not a directory; the kernel refuses the others with
 * EINVAL. */
extern const uint64_t landlock_fs_file;
