/*
 * Cases whose attempt is a whole bundle, see history.h: deterministic, without a race, and harmless
 * where a trap closes. What the bundles have in common is scene.c's.
 */
#include "selftest/history.h"

#include <errno.h>
#include <string.h>

#include "runtime/base/array.h"
#include "selftest/scenes.h"

/* clang-format off */
static const struct {
	const char *id;
	int (*run)(struct scene *scene, struct err *err);
} attempts[] = {
	{ "cve.2019-5736", history_self_exe },
	{ "cve.2024-21626", history_cwd },
	{ "cve.2025-31133", history_mask },
	{ "cve.2025-52565", history_console },
	{ "cve.2025-52881", history_fake_proc },
	{ "cve.2021-30465", history_mount_link },
	{ "cve.2019-16884", history_proc_volume },
	{ "cve.2023-28642", history_proc_link },
	{ "cve.2024-45310", history_bind_link },
	{ "cve.2016-9962", history_dumpable },
	{ "cve.2023-25809", history_cgroup_write },
	{ "cve.hook-env", history_hooks },
	{ "cg.kill", history_cgroup_kill },
	{ "cg.freeze", history_cgroup_freeze },
	{ "cg.oom-group", history_cgroup_oom },
	{ "cg.nproc-not-enough", history_processes },
	{ "hyg.parent-death", history_parent_death },
	{ "hyg.zombies", history_orphans },
};
/* clang-format on */

static size_t find(const char *id)
{
	size_t i = 0;

	while (i < ARRAY_LEN(attempts) && strcmp(attempts[i].id, id) != 0)
		i++;
	return i;
}

bool history_has(const char *id)
{
	return find(id) < ARRAY_LEN(attempts);
}

/* Nothing that is refused proves anything where an ordinary bundle is refused too. */
static int try_ordinary(struct scene *scene, struct err *err)
{
	if (scene_make(scene, err) < 0 || scene_launch(scene, SCENE_RUN, "\"cwd\"", NULL, err) < 0)
		return -1;
	scene_end(scene);
	if (scene->launched && scene->status == 0 && scene_says(scene, "cwd=/\n"))
		return 1;
	return scene_undecided(scene, VERDICT_INCONCLUSIVE, "an ordinary bundle cannot be run: %s",
			       scene->launched ? scene->output : scene->refusal);
}

int history_run(const struct settings *settings, const char *canary, const char *id,
		struct arena *arena, struct result *result, struct err *err)
{
	/* its own memory: there are many bundles, and nothing is kept */
	struct settings own = *settings;
	struct scene *scene = arena_new_object(arena, struct scene);
	size_t at = find(id);
	int returned;

	if (at == ARRAY_LEN(attempts))
		return err_set(err, ENOENT, "no such case: %s", id);
	own.arena = arena_new(ARENA_LIMIT);
	*scene = (struct scene){ .settings = &own,
				 .canary = canary,
				 .arena = own.arena,
				 .result = result,
				 .bundle.dir = -1 };
	result->verdict = VERDICT_ERROR;
	returned = host_probe(&scene->host, settings->rootless, own.arena, err) < 0 ||
				   bundle_config(NULL, &scene->host, own.arena, &scene->config,
						 err) < 0
			   ? -1
			   : try_ordinary(scene, err);
	if (returned > 0)
		returned = scene_make(scene, err) < 0 ? -1 : attempts[at].run(scene, err);
	scene_end(scene);
	arena_free(own.arena);
	return returned < 0 ? err_wrap(err, "%s", id) : 0;
}
