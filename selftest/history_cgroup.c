/*
 * Containers as a whole in their cgroup: killed, frozen, out of memory; and a limit that is none.
 */
#include "selftest/scenes.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/clock.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"

#define CHILDREN 20
#define LOOK_MS 100
#define POLL_MS 5
#define OOM_PATCH                                                                         \
	"\"resources\":{\"memory\":{\"limit\":33554432,\"swap\":33554432},\"pids\":null," \
	"\"unified\":%s}"

static size_t count_alive(const pid_t *pids, size_t len)
{
	size_t alive = 0;

	for (size_t i = 0; i < len; i++)
		alive += scene_is_alive(pids[i]);
	return alive;
}

/* A container with a cgroup. 1: there it is. 0: the verdict is made. */
static int hold(struct scene *scene, enum scene_until until, const char *arguments, int *cgroup,
		struct err *err)
{
	pid_t pid;
	int result = scene_hold(scene, until, arguments, NULL, &pid, cgroup, err);

	if (result > 0 && *cgroup < 0)
		return scene_undecided(scene, VERDICT_SKIPPED, "the container has no cgroup");
	return result;
}

int history_cgroup_kill(struct scene *scene, struct err *err)
{
	autoclose int cgroup = -1;
	int result = hold(scene, SCENE_START, "\"children\",\"20\"", &cgroup, err);
	size_t len, alive;
	int64_t began;
	pid_t *pids;

	if (result <= 0)
		return result;
	if (container_pids(scene->settings, scene->id, &pids, &len, err) < 0)
		return -1;
	if (len < CHILDREN)
		return scene_undecided(scene, VERDICT_INCONCLUSIVE,
				       "only %zu processes were started", len);
	began = clock_ms();
	if (container_delete(scene->settings, scene->id, true, err) < 0)
		return scene_escaped(scene, "%.150s", err->text);
	began = clock_ms() - began;
	alive = count_alive(pids, len);
	if (alive)
		return scene_escaped(scene, "%zu of %zu processes live after %lld ms", alive, len,
				     (long long)began);
	return scene_contained(scene, "%zu processes gone in %lld ms", len, (long long)began);
}

static uint64_t processor_time(int cgroup)
{
	char text[2048];

	if (file_read_small(cgroup, "cpu.stat", text, sizeof(text)) <= 0 ||
	    strncmp(text, "usage_usec ", 11) != 0)
		return 0;
	return strtoull(text + 11, NULL, 10);
}

/* Until its processes have computed, which on a busy machine takes its time. */
static void await_more(int cgroup, uint64_t before)
{
	int64_t deadline = clock_ms() + SCENE_PATIENCE_MS;

	while (processor_time(cgroup) <= before && clock_ms() < deadline)
		usleep(POLL_MS * 1000);
}

/* Whether it does not compute any more. The kernel calls a cgroup frozen when its last process is
 * about to sleep: what that takes may be seen at the first look, but not at the second. */
static bool is_at_rest(int cgroup, uint64_t *used)
{
	for (int look = 0; look < 2; look++) {
		uint64_t before = processor_time(cgroup);

		usleep(LOOK_MS * 1000);
		*used = processor_time(cgroup) - before;
		if (*used == 0)
			return true;
	}
	return false;
}

int history_cgroup_freeze(struct scene *scene, struct err *err)
{
	autoclose int cgroup = -1;
	int result = hold(scene, SCENE_CREATE, "\"burn-cpu\",\"60000\"", &cgroup, err);
	uint64_t first, used;

	if (result <= 0)
		return result;
	if (container_start(scene->settings, scene->id, err) < 0)
		return -1;
	first = processor_time(cgroup);
	await_more(cgroup, first);
	if (container_pause(scene->settings, scene->id, true, err) < 0)
		return scene_escaped(scene, "%.150s", err->text);
	if (processor_time(cgroup) <= first)
		return scene_undecided(scene, VERDICT_INCONCLUSIVE,
				       "cpu.stat did not move before it was frozen");
	return is_at_rest(cgroup, &used)
		       ? scene_contained(scene, "not a microsecond in %d ms", LOOK_MS)
		       : scene_escaped(scene, "%llu us of processor time while frozen",
				       (unsigned long long)used);
}

/* The canary that eats is the child of one that survives, unless both go together. */
static int eat(struct scene *scene, const char *unified, struct err *err)
{
	const char *patch = arena_format(scene->arena, "{\"linux\":{" OOM_PATCH "}}", unified);

	return scene_launch(scene, SCENE_RUN, "\"many\",\"eat-memory\",\"96\"", patch, err);
}

int history_cgroup_oom(struct scene *scene, struct err *err)
{
	if (eat(scene, "{}", err) < 0)
		return -1;
	if (!scene->launched || !strstr(scene->output, "eat-memory=signal:9"))
		return scene_undecided(scene, VERDICT_INCONCLUSIVE,
				       "a limit of memory alone did not kill: %.100s",
				       scene->launched ? scene->output : scene->refusal);
	if (eat(scene, "{\"memory.oom.group\":\"1\"}", err) < 0)
		return -1;
	if (!scene->launched)
		return scene_undecided(scene, VERDICT_INCONCLUSIVE, "%s", scene->refusal);
	return scene->status == 128 + SIGKILL
		       ? scene_contained(scene, "both were killed")
		       : scene_escaped(scene, "the sibling lived on (status %d)", scene->status);
}

/* What selftest says of a container whose only limit is RLIMIT_NPROC, which does not bind root. */
int history_processes(struct scene *scene, struct err *err)
{
	static const char patch[] = "{\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_NPROC\","
				    "\"soft\":16,\"hard\":16}]},"
				    "\"linux\":{\"resources\":{\"pids\":null}}}";
	struct result judged = { .row = case_find("cg.fork-bomb") };
	struct observation nothing = { 0 };
	struct observation seen = { .tried = true, .alive = true, .done = true, .ended = true };
	struct observation control = seen;
	struct evidence evidence = { .target = &seen,
				     .control = &control,
				     .marker = &nothing,
				     .host = &scene->host,
				     .cgroup = -1 };

	if (!judged.row)
		return err_set(err, ENOENT, "no case cg.fork-bomb");
	if (scene_launch(scene, SCENE_RUN, "\"fork-bomb\",\"64\"", patch, err) < 0)
		return -1;
	if (!scene->launched)
		return scene_undecided(scene, VERDICT_INCONCLUSIVE, "%s", scene->refusal);
	seen.value = control.value = CHILDREN;
	if (!strstr(scene->output, "fork-bomb=ok")) {
		seen.value = -1;
		seen.error = EAGAIN;
	}
	verdict_make(&evidence, true, false, &judged);
	return judged.verdict != VERDICT_PASS
		       ? scene_contained(scene, "fork-bomb %s under RLIMIT_NPROC: called %s",
					 seen.value < 0 ? "refused" : "came through",
					 name_text(verdict_names, judged.verdict))
		       : scene_escaped(scene, "called contained, which it is not");
}
