/*
 * Who the process is, see identity.h. Numbers only: names are the caller's business, and the
 * container's user database is hostile.
 */
#include "isolation/identity.h"

#include <errno.h>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

/* No maps: no user namespace, or a joined one whose maps we do not know. */
static bool has_id(const struct spec_id_mappings *maps, uint32_t id)
{
	return !maps->len || spec_find_mapping(maps, id);
}

static int check_ids(const struct spec *spec, const struct spec_user *user, struct err *err)
{
	const struct spec_id_mappings *gids = &spec->linux.gid_mappings;

	if (!has_id(&spec->linux.uid_mappings, user->uid))
		return err_set(err, EINVAL, "process.user.uid: linux.uidMappings have no %u",
			       user->uid);
	if (!has_id(gids, user->gid))
		return err_set(err, EINVAL, "process.user.gid: linux.gidMappings have no %u",
			       user->gid);
	for (size_t i = 0; i < user->additional_gids.len; i++)
		if (!has_id(gids, user->additional_gids.item[i]))
			return err_set(err, EINVAL,
				       "process.user.additionalGids[%zu]: linux.gidMappings have "
				       "no %u",
				       i, user->additional_gids.item[i]);
	return 0;
}

/* The user is in his own group anyway: podman names it once more for root. */
static bool has_other_groups(const struct spec_user *user)
{
	for (size_t i = 0; i < user->additional_gids.len; i++)
		if (user->additional_gids.item[i] != user->gid)
			return true;
	return false;
}

int identity_plan(const struct spec *spec, const struct spec_process *process,
		  const struct idmap_plan *idmap, struct identity_plan *plan, struct err *err)
{
	const struct spec_user *user = &process->user;

	if (check_ids(spec, user, err) < 0)
		return -1;
	if (idmap->deny_setgroups && has_other_groups(user))
		return err_set(err, EPERM,
			       "process.user.additionalGids: this user namespace may not set "
			       "groups; leave them out, or map more than one id with newgidmap(1)");
	_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "the list is passed on as it is");
	*plan = (struct identity_plan){
		.uid = user->uid,
		.gid = user->gid,
		.groups = user->additional_gids.item,
		.groups_len = user->additional_gids.len,
		.set_groups = !idmap->deny_setgroups,
		.may_keep_groups = idmap->unprivileged && !user->additional_gids.len,
	};
	return 0;
}

/* Groups before gid before uid: each needs the right that the next takes away. An empty list drops
 * the caller's groups. */
int identity_apply(const struct identity_plan *plan, struct err *err)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(err, "keep capabilities");
	if (plan->set_groups && setgroups(plan->groups_len, plan->groups) < 0 &&
	    !(errno == EPERM && plan->may_keep_groups))
		return err_sys(err, "set %zu supplementary groups", plan->groups_len);
	if (setresgid(plan->gid, plan->gid, plan->gid) < 0)
		return err_sys(err, "process.user.gid: become group %u", plan->gid);
	if (setresuid(plan->uid, plan->uid, plan->uid) < 0)
		return err_sys(err, "process.user.uid: become user %u", plan->uid);
	return 0;
}
