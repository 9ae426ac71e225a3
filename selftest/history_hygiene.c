/*
 * Containers that lose a process above or below: the one that launched them, and their first. No
 * process may be left over.
 */
#include "selftest/scenes.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "runtime/base/clock.h"
#include "runtime/base/fd.h"

#define CHILDREN 20
#define LOOK_MS 5

struct processes {
	pid_t *item;
	size_t len;
};

/* A container whose first process has children; the process that launched it has ended. 1: there
 * it is. 0: the verdict is made. */
static int start(struct scene *scene, struct processes *all, pid_t *first, struct err *err)
{
	autoclose int cgroup = -1;
	int result =
		scene_hold(scene, SCENE_START, "\"children\",\"20\"", NULL, first, &cgroup, err);

	if (result <= 0)
		return result;
	if (cgroup < 0)
		return scene_undecided(scene, VERDICT_SKIPPED,
				       "without a cgroup, the container's processes are not known");
	if (container_pids(scene->settings, scene->id, &all->item, &all->len, err) < 0)
		return -1;
	if (all->len < CHILDREN)
		return scene_undecided(scene, VERDICT_INCONCLUSIVE,
				       "only %zu processes were started", all->len);
	return 1;
}

/* Processes that are still there after a while. */
static size_t count_left(const struct processes *all)
{
	int64_t deadline = clock_ms() + SCENE_PATIENCE_MS;
	size_t left;

	do {
		left = 0;
		for (size_t i = 0; i < all->len; i++)
			left += scene_is_alive(all->item[i]);
		if (left)
			usleep(LOOK_MS * 1000);
	} while (left && clock_ms() < deadline);
	return left;
}

static int judge(struct scene *scene, const struct processes *all)
{
	size_t left = count_left(all);

	if (left)
		return scene_escaped(scene, "%zu of %zu processes are left", left, all->len);
	return scene_contained(scene, "%zu processes gone", all->len);
}

/* There is no daemon: the container goes on, and must not be out of reach for that. */
int history_parent_death(struct scene *scene, struct err *err)
{
	struct processes all;
	pid_t first;
	int result = start(scene, &all, &first, err);

	if (result <= 0)
		return result;
	if (container_delete(scene->settings, scene->id, true, err) < 0)
		return scene_escaped(scene, "%.150s", err->text);
	return judge(scene, &all);
}

int history_orphans(struct scene *scene, struct err *err)
{
	struct processes all;
	pid_t first;
	int result = start(scene, &all, &first, err);

	if (result <= 0)
		return result;
	if (kill(first, SIGKILL) < 0)
		return err_sys(err, "kill %d", (int)first);
	return judge(scene, &all);
}
