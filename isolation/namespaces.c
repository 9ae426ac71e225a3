/*
 * Namespaces, see namespaces.h.
 *
 * One rule decides: what is created is created by one clone3(2), what is joined is joined by the
 * joiner before that clone. Two exceptions are init's own: a new cgroup namespace takes its root
 * from the cgroup that the caller is in, so it is unshared after init was born in the container's
 * cgroup; and a time namespace takes its offsets before anybody enters it.
 */
#include "isolation/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "isolation/proc.h"
#include "runtime/base/fd.h"
#include "runtime/base/sys.h"
#include "spec/names.h"

#define NS_GET_NSTYPE _IO(0xb7, 0x3) /* ioctl_ns(2); <linux/nsfs.h> */

/*
 * The order of joining. A caller with privileges joins the user namespace last: they may be needed
 * for the others, which the user namespace need not own. A caller without has none before he is in
 * it. The mount namespace comes after all whose files it could hide.
 */
static const uint64_t join_order_privileged[] = { CLONE_NEWPID, CLONE_NEWNET,  CLONE_NEWIPC,
						  CLONE_NEWUTS, CLONE_NEWTIME, CLONE_NEWCGROUP,
						  CLONE_NEWNS,	CLONE_NEWUSER, 0 };
static const uint64_t join_order_unprivileged[] = { CLONE_NEWUSER,   CLONE_NEWPID, CLONE_NEWNET,
						    CLONE_NEWIPC,    CLONE_NEWUTS, CLONE_NEWTIME,
						    CLONE_NEWCGROUP, CLONE_NEWNS,  0 };

/* clang-format off */
static const struct name callers_files[] = {
	{ "/proc/self/ns/cgroup", CLONE_NEWCGROUP },
	{ "/proc/self/ns/ipc",    CLONE_NEWIPC },
	{ "/proc/self/ns/mnt",    CLONE_NEWNS },
	{ "/proc/self/ns/net",    CLONE_NEWNET },
	{ "/proc/self/ns/pid",    CLONE_NEWPID },
	{ "/proc/self/ns/time",   CLONE_NEWTIME },
	{ "/proc/self/ns/user",   CLONE_NEWUSER },
	{ "/proc/self/ns/uts",    CLONE_NEWUTS },
	{ .name = "" },
};
/* clang-format on */

/* A file that cannot be looked at cannot be joined either, which namespaces_open() says. */
static bool is_callers(const struct spec_namespace *row)
{
	struct stat callers, st;

	return stat(name_text(callers_files, row->type), &callers) == 0 &&
	       stat(row->path, &st) == 0 && st.st_dev == callers.st_dev &&
	       st.st_ino == callers.st_ino;
}

static const uint64_t *join_order(const struct host *host)
{
	return host->privileged ? join_order_privileged : join_order_unprivileged;
}

static int time_offsets_plan(const struct spec_time_offsets *offsets, struct arena *arena,
			     struct namespaces_plan *plan, struct err *err)
{
	if (!offsets->set)
		return 0;
	if (!(plan->clone & CLONE_NEWTIME))
		return err_set(
			err, EINVAL,
			"linux.timeOffsets: needs a time namespace of the container's own; add "
			"{\"type\": \"time\"} to linux.namespaces");
	plan->clone &= ~(uint64_t)CLONE_NEWTIME;
	plan->unshare |= CLONE_NEWTIME;
	plan->time_offsets =
		arena_format(arena, "monotonic %lld %u\nboottime %lld %u\n",
			     (long long)offsets->monotonic.secs, offsets->monotonic.nanosecs,
			     (long long)offsets->boottime.secs, offsets->boottime.nanosecs);
	return 0;
}

int namespaces_plan(const struct spec *spec, const struct host *host, struct arena *arena,
		    struct namespaces_plan *plan, struct err *err)
{
	for (const uint64_t *type = join_order(host); *type; type++) {
		const struct spec_namespace *row = spec_find_namespace(spec, *type);

		if (!row)
			continue;
		plan->all |= *type;
		if (!row->path || !is_callers(row))
			plan->own |= *type;
		if (row->path)
			plan->join[plan->join_len++] = (struct namespace_join){ *type, row->path };
		else
			plan->clone |= *type;
	}
	plan->unshare = plan->clone & CLONE_NEWCGROUP;
	plan->clone &= ~(uint64_t)CLONE_NEWCGROUP;
	return time_offsets_plan(&spec->linux.time_offsets, arena, plan, err);
}

int namespaces_plan_exec(pid_t pid, uint64_t own, struct namespaces_plan *plan, struct err *err)
{
	struct stat mine, st;
	char path[32];

	plan->all = plan->own = own;
	/* setns(2) into the user namespace that one is in already is an error. */
	if (own & CLONE_NEWUSER) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
		if (stat("/proc/self/ns/user", &mine) < 0 || stat(path, &st) < 0)
			return err_sys(err, "stat %s: container not running", path);
		if (st.st_ino == mine.st_ino)
			own &= ~(uint64_t)CLONE_NEWUSER;
	}
	if (own)
		plan->join[plan->join_len++] =
			(struct namespace_join){ own, "the container's init" };
	return 0;
}

int namespaces_open(const struct namespaces_plan *plan, int fds[], struct err *err)
{
	for (size_t i = 0; i < plan->join_len; i++) {
		const struct namespace_join *join = &plan->join[i];
		int type;

		fds[i] = open(join->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fds[i] < 0)
			return err_sys(err, "linux.namespaces: open %s", join->path);
		type = ioctl(fds[i], NS_GET_NSTYPE);
		if (type < 0)
			return err_set(err, EINVAL, "linux.namespaces: %s is not a namespace",
				       join->path);
		if ((uint64_t)type != join->types)
			return err_set(err, EINVAL,
				       "linux.namespaces: %s is a namespace of type %s, not %s",
				       join->path, name_text(namespace_names, (uint64_t)type),
				       name_text(namespace_names, join->types));
	}
	return 0;
}

int namespaces_join(const struct namespaces_plan *plan, int fds[], struct err *err)
{
	for (size_t i = 0; i < plan->join_len; i++) {
		const struct namespace_join *join = &plan->join[i];
		const char *type = name_text(namespace_names, join->types);

		if (setns(fds[i], (int)join->types) < 0)
			return type ? err_sys(err, "join the %s namespace %s", type, join->path)
				    : err_sys(err, "join the namespaces of %s", join->path);
		fd_close(&fds[i]);
	}
	return 0;
}

int namespaces_unshare_cgroup(const struct namespaces_plan *plan, struct err *err)
{
	if ((plan->unshare & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(err, "unshare the cgroup namespace");
	return 0;
}

/*
 * A process that unshares a time namespace is not in it, its children are, and until somebody is
 * the offsets can be written. setns(2) then takes the process itself in, which freezes them.
 */
int namespaces_enter_time(const struct namespaces_plan *plan, int proc, struct err *err)
{
	autoclose int fd = -1;
	char self[64], path[96];

	if (!plan->time_offsets)
		return 0;
	if (unshare(CLONE_NEWTIME) < 0)
		return err_sys(err, "unshare the time namespace");
	if (proc_self(proc, self, sizeof(self), err) < 0)
		return -1;
	self[strcspn(self, "/")] = '\0';
	snprintf(path, sizeof(path), "%s/timens_offsets", self);
	if (proc_write(proc, path, plan->time_offsets, err) < 0)
		return err_wrap(err, "linux.timeOffsets");
	snprintf(path, sizeof(path), "%s/ns/time_for_children", self);
	/* A magic link, which proc_open_file() does not follow. */
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open /proc/%s", path);
	if (setns(fd, CLONE_NEWTIME) < 0)
		return err_sys(err, "enter the time namespace");
	return 0;
}
