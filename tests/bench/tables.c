/*
 * tables BUNDLE >TABLE: agentd's own plan for a bundle on this host, as the table that floor works
 * from. What floor cannot do is an error, so that floor never does less than agentd.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "isolation/plan.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "tests/bench/floor.h"

static int put(char to[FLOOR_TEXT_MAX], const char *text, struct err *err)
{
	if (strlen(text) >= FLOOR_TEXT_MAX)
		return err_set(err, E2BIG, "too long for a table: %s", text);
	memcpy(to, text, strlen(text) + 1);
	return 0;
}

static int check_rows(size_t len, const char *what, struct err *err)
{
	return len <= FLOOR_ROWS_MAX ? 0 : err_set(err, E2BIG, "too many %s: %zu", what, len);
}

/* The deepest of the mounts so far that `path` is on. */
static int put_place(const struct plan *plan, size_t mounts_len, const char *path,
		     struct floor_place *place, struct err *err)
{
	size_t skip = 0;
	struct stat st;

	place->under = FLOOR_ROOT;
	for (size_t i = 0; i < mounts_len; i++) {
		const char *mount = plan->mounts.row[i].destination;
		size_t len = strlen(mount);

		if (strncmp(path, mount, len) == 0 && (path[len] == '/' || !path[len]) &&
		    len >= skip) {
			place->under = (int)i;
			skip = len;
		}
	}
	path += skip;
	place->directory = stat(path - skip, &st) == 0 && S_ISDIR(st.st_mode);
	if (place->under == FLOOR_ROOT && strchr(path + 1, '/'))
		return err_set(err, ENOTSUP, "%s: a link in the root filesystem could lead away",
			       path);
	return put(place->name, *path == '/' ? path + 1 : path, err);
}

static int put_mount(const struct plan *plan, size_t i, struct floor_mount *to, struct err *err)
{
	const struct mount_row *row = &plan->mounts.row[i];
	const struct mount_flags *flags = &row->flags;

	if (row->kind != MOUNT_FILESYSTEM || flags->propagation_len || flags->rec_set ||
	    flags->rec_clear || flags->what & MOUNT_OPTION_TMPCOPYUP || row->late_read_only ||
	    row->keep_mode || row->options_len > FLOOR_OPTIONS_MAX)
		return err_set(err, ENOTSUP, "mounts[%zu] is more than floor can do", row->index);
	if (put_place(plan, i, row->destination, &to->at, err) < 0 ||
	    put(to->type, row->type, err) < 0)
		return -1;
	to->attributes = (uint32_t)flags->attr_set;
	to->make = to->at.under != FLOOR_ROOT &&
		   strcmp(plan->mounts.row[to->at.under].type, "tmpfs") == 0;
	for (size_t j = 0; j < row->options_len; j++) {
		struct floor_option *option = &to->options[to->options_len++];
		char *equals;

		if (put(option->key, row->options[j], err) < 0)
			return -1;
		equals = strchr(option->key, '=');
		option->flag = !equals;
		if (!equals)
			continue;
		*equals = '\0';
		if (put(option->value, equals + 1, err) < 0)
			return -1;
	}
	return 0;
}

static int put_filesystems(const struct plan *plan, struct floor_table *table, struct err *err)
{
	const struct rootfs_plan *rootfs = &plan->rootfs;

	if (!rootfs->wanted || rootfs->no_pivot || rootfs->propagation || rootfs->mask_context ||
	    rootfs->host_propagation != (MS_SLAVE | MS_REC))
		return err_set(err, ENOTSUP, "the root filesystem is more than floor can do");
	if (check_rows(plan->mounts.len, "mounts", err) < 0 ||
	    check_rows(rootfs->masked.len, "masked paths", err) < 0 ||
	    check_rows(rootfs->read_only_paths.len, "read-only paths", err) < 0 ||
	    check_rows(plan->devices.len, "devices", err) < 0)
		return -1;
	table->read_only = rootfs->read_only;
	for (size_t i = 0; i < plan->mounts.len; i++) {
		if (put_mount(plan, i, &table->mounts[table->mounts_len++], err) < 0)
			return -1;
		if (strcmp(plan->mounts.row[i].destination, "/dev") == 0)
			table->dev = (int)i;
	}
	for (size_t i = 0; i < rootfs->masked.len; i++)
		if (put_place(plan, plan->mounts.len, rootfs->masked.item[i],
			      &table->masked[table->masked_len++], err) < 0)
			return -1;
	for (size_t i = 0; i < rootfs->read_only_paths.len; i++)
		if (put_place(plan, plan->mounts.len, rootfs->read_only_paths.item[i],
			      &table->protected[table->protected_len++], err) < 0)
			return -1;
	table->bind_devices = plan->devices.bind;
	for (size_t i = 0; i < plan->devices.len; i++) {
		const struct device_row *row = &plan->devices.row[i];
		struct floor_device *device = &table->devices[table->devices_len++];

		if (row->uid || row->gid || !plan->devices.own_dev)
			return err_set(err, ENOTSUP, "%s is more than floor can do", row->path);
		if (put_place(plan, plan->mounts.len, row->path, &device->at, err) < 0 ||
		    put(device->host, row->path, err) < 0)
			return -1;
		device->mode = row->type | row->mode;
		device->number = row->device;
	}
	return 0;
}

static int put_cgroup(const struct plan *plan, struct floor_table *table, struct err *err)
{
	const struct cgroup_plan *cgroup = &plan->cgroup;

	table->cgroup = cgroup->wanted;
	if (!cgroup->wanted)
		return 0;
	if (cgroup->delegate || check_rows(cgroup->limits_len, "limits", err) < 0 ||
	    plan->devices_bpf.len > ARRAY_LEN(table->device_program))
		return err_set(err, ENOTSUP, "the cgroup is more than floor can do");
	if (put(table->cgroup_parent, cgroup->root, err) < 0)
		return -1;
	for (size_t i = 0; i < cgroup->limits_len; i++) {
		struct floor_file *file = &table->cgroup_files[table->cgroup_files_len++];

		if (cgroup->limits[i].optional || cgroup->limits[i].alternative)
			return err_set(err, ENOTSUP, "%s is more than floor can do",
				       cgroup->limits[i].what);
		if (put(file->name, cgroup->limits[i].file, err) < 0 ||
		    put(file->text, cgroup->limits[i].text, err) < 0)
			return -1;
	}
	table->device_program_len = (uint32_t)plan->devices_bpf.len;
	for (size_t i = 0; i < plan->devices_bpf.len; i++)
		table->device_program[i] = plan->devices_bpf.program[i];
	return 0;
}

static int put_landlock(const struct plan *plan, struct floor_table *table, struct err *err)
{
	const struct landlock_plan *landlock = &plan->landlock;

	if (landlock->flags || landlock->ports_len ||
	    check_rows(landlock->rules_len, "Landlock rules", err) < 0)
		return err_set(err, ENOTSUP, "Landlock is more than floor can do");
	if (!landlock->wanted)
		return 0;
	table->landlock_fs = landlock->fs;
	table->landlock_net = landlock->net;
	table->landlock_scoped = landlock->scoped;
	table->landlock_size = landlock->abi < 4 ? 8 : landlock->abi < 6 ? 16 : 24;
	for (size_t i = 0; i < landlock->rules_len; i++) {
		struct floor_rule *rule = &table->rules[table->rules_len++];
		struct floor_place place = { 0 };

		if (put_place(plan, plan->mounts.len, landlock->rules[i].path, &place, err) < 0)
			return -1;
		if (*place.name)
			return err_set(err, ENOTSUP, "the Landlock rule of %s is not of a mount",
				       landlock->rules[i].path);
		rule->under = place.under;
		rule->allowed = landlock->rules[i].allowed;
	}
	return 0;
}

static int put_process(const struct plan *plan, struct floor_table *table, struct err *err)
{
	const struct caps_plan *caps = &plan->caps;

	if (plan->process.terminal || plan->process.domainname || plan->process.personality_set ||
	    plan->process.umask != 022 || strcmp(plan->process.cwd, "/") != 0 || caps->ambient ||
	    plan->identity.uid || plan->identity.gid || plan->identity.groups_len ||
	    plan->label.apparmor || plan->label.selinux || plan->sysctl.len ||
	    !plan->no_new_privileges || !plan->label.keyring)
		return err_set(err, ENOTSUP, "the process is more than floor can do");
	if (plan->process.hostname && put(table->hostname, plan->process.hostname, err) < 0)
		return -1;
	for (; plan->process.envp[table->env_len]; table->env_len++)
		if (check_rows(table->env_len + 1, "variables", err) < 0 ||
		    put(table->env[table->env_len], plan->process.envp[table->env_len], err) < 0)
			return -1;
	table->last_cap = caps->last_cap;
	table->bounding = caps->bounding;
	table->effective = caps->effective;
	table->permitted = caps->permitted;
	table->inheritable = caps->inheritable;
	table->set_groups = plan->identity.set_groups;
	for (size_t i = 0; i < plan->limits.len; i++)
		table->limits[table->limits_len++] =
			(struct floor_limit){ plan->limits.row[i].type,
					      plan->limits.row[i].limit.rlim_cur,
					      plan->limits.row[i].limit.rlim_max };
	return 0;
}

static int put_filter(const struct plan *plan, struct floor_table *table, struct arena *arena,
		      struct err *err)
{
	struct sock_fprog program;

	if (!plan->seccomp.wanted)
		return 0;
	if (seccomp_compile(&plan->seccomp, arena, &program, err) < 0)
		return -1;
	memcpy(table->filter, program.filter, program.len * sizeof(*program.filter));
	table->filter_len = program.len;
	table->filter_flags = plan->seccomp.flags;
	return 0;
}

static int put_plan(const struct plan *plan, struct floor_table *table, struct arena *arena,
		    struct err *err)
{
	const struct namespaces_plan *namespaces = &plan->namespaces;

	if (namespaces->join_len || namespaces->unshare != CLONE_NEWCGROUP)
		return err_set(err, ENOTSUP, "the namespaces are more than floor can do");
	table->namespaces = namespaces->clone;
	table->user_namespace = namespaces->clone & CLONE_NEWUSER;
	if (table->user_namespace &&
	    (!plan->idmap.deny_setgroups || put(table->uid_map, plan->idmap.uid_map, err) < 0 ||
	     put(table->gid_map, plan->idmap.gid_map, err) < 0))
		return err_set(err, ENOTSUP, "the maps are more than floor can do");
	if (put_filesystems(plan, table, err) < 0 || put_cgroup(plan, table, err) < 0 ||
	    put_landlock(plan, table, err) < 0 || put_process(plan, table, err) < 0)
		return -1;
	return put_filter(plan, table, arena, err);
}

static int write_table(const char *bundle, struct arena *arena, struct err *err)
{
	static struct floor_table table;
	const struct request request = {
		.id = "floor", .bundle = bundle, .run = true, .best_effort_cgroup = true
	};
	autoclose int dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct spec *spec;
	struct plan *plan;
	struct host host;

	if (dir < 0)
		return err_sys(err, "open %s", bundle);
	if (host_probe(&host, -1, arena, err) < 0 ||
	    spec_load(dir, "config.json", arena, &spec, NULL, NULL, err) < 0 ||
	    plan_make(spec, &host, &request, arena, &plan, err) < 0 ||
	    put_plan(plan, &table, arena, err) < 0)
		return -1;
	if (file_write_all(STDOUT_FILENO, &table, sizeof(table)) < 0)
		return err_sys(err, "write the table");
	return 0;
}

int main(int argc, char *argv[])
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct err err;
	int status = 0;

	if (argc != 2 || argv[1][0] != '/') {
		fprintf(stderr, "usage: tables /BUNDLE >TABLE\n");
		status = 2;
	} else if (write_table(argv[1], arena, &err) < 0) {
		fprintf(stderr, "tables: %s\n", err.text);
		status = 1;
	}
	arena_free(arena);
	return status;
}
