/*
 * process.rlimits, see limits.h. That no type stands there twice and no soft limit is above its
 * hard one was checked when the configuration was read.
 */
#include "isolation/limits.h"

#include <errno.h>

#include "spec/names.h"

/*
 * A mount row may need a descriptor while the container is built, and so does a namespace to join.
 * 1024 is the soft limit that most systems start with.
 */
#define USUAL_SOFT_FILES 1024
#define OTHER_FILES 64

int limits_plan(const struct spec *spec, const struct spec_process *process,
		struct limits_plan *plan, struct err *err)
{
	(void)err;
	*plan = (struct limits_plan){
		.raise_files = spec->mounts.len > USUAL_SOFT_FILES - OTHER_FILES,
	};
	for (size_t i = 0; i < process->rlimits.len; i++) {
		const struct spec_rlimit *from = &process->rlimits.item[i];

		plan->row[plan->len].type = (int)from->type;
		plan->row[plan->len].limit.rlim_cur = from->soft;
		plan->row[plan->len].limit.rlim_max = from->hard;
		plan->row[plan->len].name = name_text(rlimit_names, from->type);
		plan->len++;
	}
	return 0;
}

int limits_raise_files(const struct limits_plan *plan, struct rlimit *before, struct err *err)
{
	struct rlimit raised;

	if (!plan->raise_files)
		return 0;
	if (getrlimit(RLIMIT_NOFILE, before) < 0)
		return err_sys(err, "getrlimit RLIMIT_NOFILE");
	raised = *before;
	raised.rlim_cur = raised.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &raised) < 0)
		return err_sys(err, "setrlimit RLIMIT_NOFILE");
	return 0;
}

int limits_raise(const struct limits_plan *plan, pid_t pid, struct err *err)
{
	for (size_t i = 0; i < plan->len; i++) {
		struct rlimit now, raised = plan->row[i].limit;

		if (prlimit(pid, plan->row[i].type, NULL, &now) < 0)
			return err_sys(err, "process.rlimits %s: prlimit", plan->row[i].name);
		if (raised.rlim_max <= now.rlim_max)
			continue;
		raised.rlim_cur = now.rlim_cur;
		if (prlimit(pid, plan->row[i].type, &raised, NULL) == 0)
			continue;
		err_sys(err, "process.rlimits %s: prlimit", plan->row[i].name);
		if (err->code == EPERM)
			err_hint(err,
				 "raising the hard limit above the current %llu needs "
				 "CAP_SYS_RESOURCE: ask for less, or raise the limit of the caller "
				 "first",
				 (unsigned long long)now.rlim_max);
		return -1;
	}
	return 0;
}

static int limits_set(int type, const struct rlimit *limit, const char *name, struct err *err)
{
	if (setrlimit(type, limit) < 0)
		return err_sys(err, "process.rlimits %s: setrlimit", name);
	return 0;
}

int limits_apply(const struct limits_plan *plan, const struct rlimit *files_before, struct err *err)
{
	bool give_back = plan->raise_files;

	for (size_t i = 0; i < plan->len; i++) {
		if (limits_set(plan->row[i].type, &plan->row[i].limit, plan->row[i].name, err) < 0)
			return -1;
		give_back &= plan->row[i].type != RLIMIT_NOFILE;
	}
	/* A soft limit above 1024 surprises programs that use select(2): nobody asked for it. */
	return give_back ? limits_set(RLIMIT_NOFILE, files_before, "RLIMIT_NOFILE", err) : 0;
}
