/*
 * Maps of user and group ids, see idmap.h.
 *
 * The maps are written from outside, by a caller who has CAP_SETUID and CAP_SETGID over the parent
 * namespace, or through the setuid helpers newuidmap(1) and newgidmap(1), or, for one's own single
 * id, without any right (user_namespaces(7)).
 */
#include "isolation/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isolation/proc.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"

#define SUBID_FILE_MAX (1u << 20)
#define MAPPINGS_MAX 340 /* rows that the kernel takes (user_namespaces(7), since Linux 4.15) */
#define PID_TEXT_SIZE 16

static bool is_own_id(const struct spec_id_mappings *map, uint32_t own)
{
	return map->len == 1 && map->item[0].size == 1 && map->item[0].host_id == own;
}

static const char *map_text(const struct spec_id_mappings *map, struct arena *arena)
{
	char *text = "";

	for (size_t i = 0; i < map->len; i++)
		text = arena_format(arena, "%s%u %u %u\n", text, map->item[i].container_id,
				    map->item[i].host_id, map->item[i].size);
	return text;
}

/* The helpers take: PROGRAM PID INSIDE OUTSIDE COUNT ... */
static const char **helper_argv(const char *program, const struct spec_id_mappings *map,
				struct arena *arena)
{
	const char **argv = arena_new_array(arena, const char *, map->len * 3 + 3);
	size_t len = 0;

	argv[len++] = program;
	argv[len++] = arena_alloc(arena, PID_TEXT_SIZE, 1);
	for (size_t i = 0; i < map->len; i++) {
		argv[len++] = arena_format(arena, "%u", map->item[i].container_id);
		argv[len++] = arena_format(arena, "%u", map->item[i].host_id);
		argv[len++] = arena_format(arena, "%u", map->item[i].size);
	}
	return argv;
}

static bool overlap(uint32_t first, uint32_t size, uint32_t other, uint32_t other_size)
{
	return (uint64_t)first < (uint64_t)other + other_size &&
	       (uint64_t)other < (uint64_t)first + size;
}

/* The kernel says no more than "Invalid argument" of a map that is none. */
static int check_ranges(const struct spec_id_mappings *map, const char *name, struct err *err)
{
	if (map->len > MAPPINGS_MAX)
		return err_set(err, E2BIG, "linux.%s: has more than %d rows, the kernel's limit",
			       name, MAPPINGS_MAX);
	for (size_t i = 0; i < map->len; i++) {
		const struct spec_id_mapping *row = &map->item[i];

		for (size_t j = 0; j < i; j++) {
			const struct spec_id_mapping *other = &map->item[j];

			if (overlap(row->container_id, row->size, other->container_id,
				    other->size) ||
			    overlap(row->host_id, row->size, other->host_id, other->size))
				return err_set(err, EINVAL,
					       "linux.%s[%zu]: overlaps with linux.%s[%zu]", name,
					       i, name, j);
		}
	}
	return 0;
}

/* `namespace`: the container's user namespace, or NULL. */
static int check(const struct spec *spec, const struct host *host,
		 const struct spec_namespace *namespace, struct err *err)
{
	const struct spec_id_mappings *uids = &spec->linux.uid_mappings;
	const struct spec_id_mappings *gids = &spec->linux.gid_mappings;

	if (!namespace && (uids->len || gids->len))
		return err_set(
			err, EINVAL,
			"linux.uidMappings: needs a user namespace; add {\"type\": \"user\"} to "
			"linux.namespaces");
	if (!namespace && !host->privileged)
		return err_set(
			err, EPERM,
			"linux.namespaces: without privileges a container needs a user namespace: "
			"Operation not permitted; make the configuration with agentd spec "
			"--rootless, or run as root");
	if (namespace && namespace->path && (uids->len || gids->len))
		return err_set(
			err, EINVAL,
			"linux.uidMappings: the user namespace is joined by path and has its "
			"maps already; remove uidMappings and gidMappings");
	if (namespace && !namespace->path && (!uids->len || !gids->len))
		return err_set(err, EINVAL, "linux.%s: is required with a new user namespace",
			       uids->len ? "gidMappings" : "uidMappings");
	return check_ranges(uids, "uidMappings", err) < 0 ? -1
							  : check_ranges(gids, "gidMappings", err);
}

int idmap_plan(const struct spec *spec, const struct host *host, struct arena *arena,
	       struct idmap_plan *plan, struct err *err)
{
	const struct spec_id_mappings *uids = &spec->linux.uid_mappings;
	const struct spec_id_mappings *gids = &spec->linux.gid_mappings;
	const struct spec_namespace *namespace = spec_find_namespace(spec, CLONE_NEWUSER);

	if (check(spec, host, namespace, err) < 0)
		return -1;
	plan->unprivileged = !host->privileged;
	plan->become_root = namespace;
	plan->write = namespace && !namespace->path;
	plan->deny_setgroups = host->setgroups_denied;
	if (!plan->write)
		return 0;
	if (!spec_find_mapping(uids, 0) || !spec_find_mapping(gids, 0))
		return err_set(err, EINVAL,
			       "linux.%s: container id 0 is not mapped; the container is set up as "
			       "root inside",
			       spec_find_mapping(uids, 0) ? "gidMappings" : "uidMappings");
	plan->uid_map = map_text(uids, arena);
	plan->gid_map = map_text(gids, arena);
	if (!plan->unprivileged)
		return 0;
	plan->helpers = !is_own_id(uids, host->uid) || !is_own_id(gids, host->gid);
	plan->deny_setgroups |= !plan->helpers;
	plan->uid_argv = helper_argv("newuidmap", uids, arena);
	plan->gid_argv = helper_argv("newgidmap", gids, arena);
	return 0;
}

/* The helper's own words on what is wrong ("uid range [1-65536) -> ... not allowed") go into the
 * error. */
static int run_helper(const char **argv, pid_t pid, struct err *err)
{
	char said[256] = "";
	posix_spawn_file_actions_t actions;
	extern char **environ;
	int status, code;
	pid_t helper;
	ssize_t got;
	int ends[2];

	snprintf((char *)argv[1], PID_TEXT_SIZE, "%d", (int)pid);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
	code = posix_spawnp(&helper, argv[0], &actions, NULL, (char **)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (code) {
		close(ends[0]);
		err_set(err, code, "run %s: %s", argv[0], strerror(code));
		return err_hint(err, "install it (package uidmap), or map only your own id");
	}
	got = read(ends[0], said, sizeof(said) - 1);
	said[got > 0 ? got : 0] = '\0';
	said[strcspn(said, "\n")] = '\0';
	close(ends[0]);
	while (waitpid(helper, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	err_set(err, EPERM, "%s: %s: Operation not permitted", argv[0], said[0] ? said : "failed");
	return err_hint(err, "the ranges must be yours in /etc/subuid and /etc/subgid");
}

int idmap_write(const struct idmap_plan *plan, int proc, pid_t pid, struct err *err)
{
	char path[64];

	if (plan->helpers) {
		if (run_helper(plan->uid_argv, pid, err) < 0)
			return -1;
		return run_helper(plan->gid_argv, pid, err);
	}
	if (plan->deny_setgroups) {
		snprintf(path, sizeof(path), "%d/setgroups", (int)pid);
		if (proc_write(proc, path, "deny", err) < 0)
			return -1;
	}
	snprintf(path, sizeof(path), "%d/uid_map", (int)pid);
	if (proc_write(proc, path, plan->uid_map, err) < 0)
		return err_wrap(err, "linux.uidMappings");
	snprintf(path, sizeof(path), "%d/gid_map", (int)pid);
	if (proc_write(proc, path, plan->gid_map, err) < 0)
		return err_wrap(err, "linux.gidMappings");
	return 0;
}

int idmap_become_root(const struct idmap_plan *plan, struct err *err)
{
	/* Denied where an unprivileged caller wrote the map: then there is nothing to drop that
	 * could be dropped. */
	if (!plan->deny_setgroups && setgroups(0, NULL) < 0 && errno != EPERM)
		return err_sys(err, "setgroups in the user namespace");
	if (setresgid(0, 0, 0) < 0)
		return err_sys(err, "become gid 0 of the user namespace");
	if (setresuid(0, 0, 0) < 0)
		return err_sys(err, "become uid 0 of the user namespace");
	return 0;
}

/*
 * The user's name, for the lines of /etc/subuid that use it. Read from /etc/passwd itself:
 * getpwuid(3) would load modules, which a statically linked or confined agentd need not be able to.
 * NULL: has none.
 */
static const char *user_name(uid_t uid, struct arena *arena)
{
	struct err ignored;
	char *text;

	if (file_read(AT_FDCWD, "/etc/passwd", SUBID_FILE_MAX, arena, &text, NULL, &ignored) < 0)
		return NULL;
	for (char *rest, *line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *password = strchr(line, ':');
		char *id = password ? strchr(password + 1, ':') : NULL;

		if (!id)
			continue;
		*password = '\0';
		if (strtoul(id + 1, NULL, 10) == uid && id[1] >= '0' && id[1] <= '9')
			return line;
	}
	return NULL;
}

/* Appends the ranges of the user in a file of lines USER:FIRST:COUNT (subuid(5)), one after the
 * other from id 1 on. */
static void add_ranges(const char *path, const char *name, uid_t uid, struct arena *arena,
		       struct spec_id_mappings *map)
{
	uint32_t next = 1;
	struct err ignored;
	char *text, number[16];

	if (file_read(AT_FDCWD, path, SUBID_FILE_MAX, arena, &text, NULL, &ignored) < 0)
		return;
	snprintf(number, sizeof(number), "%u", (unsigned)uid);
	for (char *rest, *line = strtok_r(text, "\n", &rest); line && map->len < MAPPINGS_MAX;
	     line = strtok_r(NULL, "\n", &rest)) {
		unsigned long first, count;
		char *at = strchr(line, ':');

		if (!at)
			continue;
		*at = '\0';
		if (strcmp(line, number) != 0 && (!name || strcmp(line, name) != 0))
			continue;
		first = strtoul(at + 1, &at, 10);
		count = *at == ':' ? strtoul(at + 1, NULL, 10) : 0;
		if (first == 0 || count == 0 || first + count > UINT32_MAX ||
		    next + count > UINT32_MAX)
			continue;
		map->item[map->len++] =
			(struct spec_id_mapping){ next, (uint32_t)first, (uint32_t)count };
		next += (uint32_t)count;
	}
}

void idmap_subordinate(const struct host *host, struct arena *arena, struct spec_id_mappings *uids,
		       struct spec_id_mappings *gids)
{
	const char *name = user_name(host->uid, arena);

	uids->item = arena_new_array(arena, struct spec_id_mapping, MAPPINGS_MAX);
	gids->item = arena_new_array(arena, struct spec_id_mapping, MAPPINGS_MAX);
	uids->item[0] = (struct spec_id_mapping){ 0, host->uid, 1 };
	gids->item[0] = (struct spec_id_mapping){ 0, host->gid, 1 };
	uids->len = gids->len = 1;
	add_ranges("/etc/subuid", name, host->uid, arena, uids);
	add_ranges("/etc/subgid", name, host->uid, arena, gids);
	/* The helpers write both maps or none. */
	if (uids->len == 1 || gids->len == 1)
		uids->len = gids->len = 1;
}
