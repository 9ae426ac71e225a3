/*
 * Everything that floor does, decided beforehand: a file that tables.c writes and floor.c maps. No
 * pointers, for it is mapped wherever there is room.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#define FLOOR_TEXT_MAX 128 /* of a name, a value, a path of the host's */
#define FLOOR_ROWS_MAX 64  /* of each list */
#define FLOOR_OPTIONS_MAX 8
#define FLOOR_DEVICE_PROGRAM_MAX 256
#define FLOOR_ROOT (-1) /* "under" the root filesystem itself, not one of mounts[] */

struct floor_option {
	char key[FLOOR_TEXT_MAX], value[FLOOR_TEXT_MAX]; /* no value: a flag */
	bool flag;
};

/* A place is named from the mount that it lies in, where no link can lead away from it. */
struct floor_place {
	int under;
	char name[FLOOR_TEXT_MAX];
	bool directory;
};

struct floor_mount {
	struct floor_place at;
	bool make; /* the mount point is not there: it lies in a tmpfs that is new */
	char type[FLOOR_TEXT_MAX];
	uint32_t attributes; /* MOUNT_ATTR_X */
	struct floor_option options[FLOOR_OPTIONS_MAX];
	uint32_t options_len;
};

struct floor_device {
	struct floor_place at;
	char host[FLOOR_TEXT_MAX]; /* bound where no node may be made */
	uint32_t mode;
	uint64_t number;
};

struct floor_rule {
	uint64_t allowed;
	int under;
};

struct floor_limit {
	int type;
	uint64_t soft, hard;
};

struct floor_file {
	char name[FLOOR_TEXT_MAX], text[FLOOR_TEXT_MAX];
};

struct floor_table {
	uint64_t namespaces; /* CLONE_NEWX, without that of cgroups */
	bool cgroup, user_namespace, bind_devices, set_groups;
	char cgroup_parent[FLOOR_TEXT_MAX]; /* absolute; it exists and has its controllers */
	struct floor_file cgroup_files[FLOOR_ROWS_MAX];
	uint32_t cgroup_files_len;
	struct bpf_insn device_program[FLOOR_DEVICE_PROGRAM_MAX];
	uint32_t device_program_len;
	char uid_map[FLOOR_TEXT_MAX], gid_map[FLOOR_TEXT_MAX];
	char hostname[FLOOR_TEXT_MAX];
	bool read_only;
	struct floor_mount mounts[FLOOR_ROWS_MAX];
	uint32_t mounts_len;
	struct floor_device devices[FLOOR_ROWS_MAX];
	uint32_t devices_len;
	int dev; /* the mount on /dev */
	struct floor_place protected[FLOOR_ROWS_MAX], masked[FLOOR_ROWS_MAX];
	uint32_t protected_len, masked_len;
	int last_cap;
	uint64_t bounding, effective, permitted, inheritable;
	struct floor_limit limits[FLOOR_ROWS_MAX];
	uint32_t limits_len;
	uint64_t landlock_fs, landlock_net, landlock_scoped;
	uint32_t landlock_size;
	struct floor_rule rules[FLOOR_ROWS_MAX];
	uint32_t rules_len;
	char env[FLOOR_ROWS_MAX][FLOOR_TEXT_MAX];
	uint32_t env_len;
	uint32_t filter_flags;
	struct sock_filter filter[BPF_MAXINSNS];
	uint32_t filter_len;
};
