/*
 * Looking a container up, see found.h. Which status allows what is container.c's.
 */
#include "runtime/found.h"

#include <errno.h>

#include "isolation/host.h"
#include "runtime/base/fd.h"

int found_open_root(const struct settings *settings, bool make, int *root, struct err *err)
{
	bool rootless = false;

	if (!settings->root && host_rootless(settings->rootless, &rootless, err) < 0)
		return -1;
	return state_root_open(settings->root, rootless, make, root, err);
}

void found_close(struct found *found)
{
	fd_close(&found->dir);
	fd_close(&found->root);
}

int found_open(const struct settings *settings, const char *id, bool lock, struct found *found,
	       struct err *err)
{
	struct cgroup_top top = { .fd = -1 };

	found->root = found->dir = -1;
	if (found_open_root(settings, false, &found->root, err) < 0)
		return err->code == ENOENT ? err_wrap(err, "container does not exist: %s", id) : -1;
	if (state_open(found->root, id, lock, &found->dir, err) < 0 ||
	    state_load(found->root, id, settings->arena, &found->state, err) < 0) {
		found_close(found);
		return -1;
	}
	found->status = state_status(found->root, &top, found->state);
	fd_close(&top.fd);
	return 0;
}

int found_config(const struct settings *settings, const struct found *found, struct spec **spec,
		 struct err *err)
{
	return spec_load(found->dir, SPEC_FILE, settings->arena, spec, NULL, NULL, err);
}
