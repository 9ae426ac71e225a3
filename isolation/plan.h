/*
 * The plan: everything decided. plan = f(spec, host, request); const from here on.
 *
 * After plan_make() nobody looks at the spec again, and no step writes to the plan. Same input,
 * same plan: the machine is looked at for struct host alone, and by cgroup_plan() and
 * namespaces_plan() at what the configuration names.
 */
#pragma once

#include "isolation/caps.h"
#include "isolation/cgroup.h"
#include "isolation/devices.h"
#include "isolation/devices_bpf.h"
#include "isolation/host.h"
#include "isolation/identity.h"
#include "isolation/idmap.h"
#include "isolation/label.h"
#include "isolation/landlock.h"
#include "isolation/limits.h"
#include "isolation/mounts.h"
#include "isolation/namespaces.h"
#include "isolation/priority.h"
#include "isolation/process.h"
#include "isolation/rootfs.h"
#include "isolation/seccomp.h"
#include "isolation/sysctl.h"
#include "spec/spec.h"

/* What the caller asked for. */
struct request {
	const char *id;
	const char *bundle;				      /* absolute */
	const char *console_socket, *pid_file, *pidfd_socket; /* NULL: none */
	unsigned keep_fds;				      /* --preserve-fds */
	bool detach, keep, no_pivot, no_new_keyring;
	bool run; /* started by the process that created it: no start socket is needed */
	enum cgroup_manager cgroup_manager;
	bool best_effort_cgroup;
	/* exec alone */
	pid_t init;		 /* of the container, as the caller's procfs sees it */
	bool in_cgroup;		 /* the container has a cgroup */
	const char *exec_cgroup; /* below the container's cgroup, or NULL */
	bool ignore_paused;
};

struct plan {
	const char *id, *bundle;
	bool exec; /* a further process in a running container */
	bool run;  /* started over the wire, not the start socket */
	bool no_new_privileges;
	struct namespaces_plan namespaces;
	struct idmap_plan idmap;
	struct cgroup_plan cgroup;
	struct devices_bpf_plan devices_bpf;
	struct limits_plan limits;
	struct priority_plan priority;
	struct sysctl_plan sysctl;
	struct rootfs_plan rootfs;
	struct mounts_plan mounts;
	struct devices_plan devices;
	struct label_plan label;
	struct process_plan process;
	struct identity_plan identity;
	struct caps_plan caps;
	struct landlock_plan landlock;
	struct seccomp_plan seccomp;
	struct spec_hooks hooks;
	struct spec_map annotations;
	const char **notes; /* what was relaxed, by name: for the log and the state */
	size_t notes_len;
};

/* The plan of a new container, of a spec that spec_check() found good. Like that of exec it is from
 * the arena, and has texts and lists in common with the spec and the request: they must live as
 * long. */
int plan_make(const struct spec *spec, const struct host *host, const struct request *request,
	      struct arena *arena, struct plan **plan, struct err *err);

/* The plan of exec: joins everything, creates nothing; filter and Landlock are the container's
 * (CVE-2019-10144). */
int plan_make_exec(const struct spec *spec, const struct spec_process *process,
		   const struct host *host, const struct request *request, struct arena *arena,
		   struct plan **plan, struct err *err);
