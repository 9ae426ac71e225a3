/*
 * The posture of a running process, read from the host: what `agentd audit` reports of a container
 * and what selftest's host-side judgements look at. Nothing here asks the process itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "spec/spec.h"

#define POSTURE_NAMESPACES 8

/* Of one thread: /proc/PID/task/TID/status. */
struct posture_thread {
	pid_t tid;
	uid_t uid[4]; /* real, effective, saved, filesystem */
	gid_t gid[4];
	uint64_t inheritable, permitted, effective, bounding, ambient;
	uint64_t signals_blocked, signals_ignored;
	unsigned seccomp, seccomp_filters;
	bool no_new_privs;
};

struct posture_fd {
	int fd;
	uint64_t mount; /* where it leads: an id as in struct posture_mount, or of no mount there */
	char target[256]; /* readlink of /proc/PID/fd/N */
};

struct posture_mount {
	uint64_t id;
	const char *root; /* what of the filesystem is mounted */
	const char *destination, *type, *source, *options, *super_options, *propagation;
};

struct posture {
	pid_t pid;
	struct posture_thread *threads;
	size_t threads_len;
	gid_t *groups;
	size_t groups_len;
	ino_t namespaces[POSTURE_NAMESPACES], own[POSTURE_NAMESPACES]; /* the process's, and ours */
	struct posture_fd *fds;
	size_t fds_len;
	struct posture_mount *mounts;
	size_t mounts_len;
	struct rlimit limits[RLIM_NLIMITS];
	const char *cgroup;	      /* its cgroup v2 path */
	const char *root, *cwd, *exe; /* links of /proc/PID */
	uint64_t root_mount, cwd_mount, exe_mount;
	const char *label; /* of AppArmor or SELinux; "" without either */
	const char *uid_map, *gid_map, *setgroups;
	const char *environment; /* NUL-separated */
	size_t environment_size;
	int oom_score_adj;
	unsigned umask;
};

/* The words of namespaces[], in its order: "user", "pid", "net", "ipc", "uts", "time", "cgroup",
 * "mnt". */
extern const char *const posture_namespace_names[POSTURE_NAMESPACES];

/*
 * Reads everything of a process, through one descriptor of /proc/PID, so that another process that
 * gets its pid is never taken for it. A process that ended, or ends meanwhile, is ESRCH. What the
 * process can make as large as it likes is bounded: descriptors, threads and mounts by an error
 * (E2BIG, EFBIG), the environment by being cut.
 */
int posture_read(pid_t pid, struct arena *arena, struct posture *posture, struct err *err);

/* One difference between a configuration and what runs. */
struct posture_finding {
	const char *what, *expected, *found;
	bool weaker;
};
struct posture_findings {
	struct posture_finding *item;
	size_t len;
};

/*
 * Compares with the configuration; `weaker`: the process has more than it should. What hides or
 * protects a path is looked at below /proc/PID/root.
 */
void posture_compare(const struct posture *posture, const struct spec *spec, struct arena *arena,
		     struct posture_findings *findings);
