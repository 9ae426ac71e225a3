/*
 * `agentd explain`, see explain.h. Prints what the plan says, in the order in which a launch uses
 * it, and the two lists. Decides nothing and looks at nothing but the plan, so that the same plan
 * always gives the same text (tests/golden).
 */
#include "runtime/explain.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "runtime/init.h"
#include "runtime/launch.h"
#include "spec/names.h"

#define KEY_WIDTH 14
#define NAMES_SHOWN 5		/* of the system calls of a rule */
#define ACTION_DATA 0x0000ffffu /* the errno in an action (seccomp(2)) */
#define ATIME SYS_MOUNT_ATTR__ATIME

/* What every section writes to, and where it puts texts together. */
struct page {
	FILE *to;
	struct arena *arena;
};

static void line(const struct page *page, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void line(const struct page *page, const char *key, const char *format, ...)
{
	va_list args;

	fprintf(page->to, "  %-*s ", KEY_WIDTH, key);
	va_start(args, format);
	vfprintf(page->to, format, args);
	va_end(args);
	fputc('\n', page->to);
}

static const char *yes_no(bool truth)
{
	return truth ? "yes" : "no";
}

/* The names whose bits are in the mask. */
static const char *mask_text(const struct name *table, uint64_t mask, struct arena *arena)
{
	const char *text = "";

	for (; table->name; table++)
		if (table->value & mask)
			text = arena_format(arena, "%s%s%s", text, *text ? " " : "", table->name);
	return *text ? text : "none";
}

static const char *propagation_text(uint64_t propagation)
{
	const char *text = name_text(propagation_names, propagation);

	return text ? text : "left as it is";
}

static const char *strings_text(const char *const *item, struct arena *arena)
{
	const char *text = "";

	for (; item && *item; item++)
		text = arena_format(arena, "%s%s%s", text, *text ? " " : "", *item);
	return text;
}

static void print_namespaces(const struct plan *plan, const struct page *page)
{
	const struct namespaces_plan *namespaces = &plan->namespaces;

	line(page, "created", "%s",
	     mask_text(namespace_names, namespaces->clone | namespaces->unshare, page->arena));
	for (size_t i = 0; i < namespaces->join_len; i++)
		line(page, "joined", "%s from %s",
		     name_text(namespace_names, namespaces->join[i].type),
		     namespaces->join[i].path);
	line(page, "shared", "%s", mask_text(namespace_names, ~namespaces->all, page->arena));
	if (namespaces->time_offsets)
		line(page, "time offsets", "%s", namespaces->time_offsets);
}

/* A map of several lines on one. */
static const char *map_text(const char *map, struct arena *arena)
{
	char *text = arena_copy(arena, map, strlen(map));
	size_t len = strlen(text);

	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	for (char *at = text; (at = strchr(at, '\n')); at++)
		*at = ',';
	return text;
}

static void print_idmap(const struct plan *plan, const struct page *page)
{
	const struct idmap_plan *idmap = &plan->idmap;

	if (!idmap->write) {
		line(page, "written", "no");
		return;
	}
	line(page, "uids", "%s", map_text(idmap->uid_map, page->arena));
	line(page, "gids", "%s", map_text(idmap->gid_map, page->arena));
	line(page, "by", "%s", idmap->helpers ? "newuidmap(1) and newgidmap(1)" : "agentd");
	line(page, "setgroups", "%s", idmap->deny_setgroups ? "denied" : "allowed");
}

static void print_cgroup(const struct plan *plan, const struct page *page)
{
	const struct cgroup_plan *cgroup = &plan->cgroup;

	if (cgroup->wanted) {
		line(page, "path", "%s/%s", cgroup->root, cgroup->path);
		line(page, "controllers", "%s",
		     cgroup->controllers && *cgroup->controllers ? cgroup->controllers : "none");
		line(page, "delegated", "%s", yes_no(cgroup->delegate));
	} else {
		line(page, "path", "none");
	}
	for (size_t i = 0; cgroup->wanted && i < cgroup->limits_len; i++)
		line(page, "limit", "%s = %s (%s)", cgroup->limits[i].file, cgroup->limits[i].text,
		     cgroup->limits[i].what);
	if (plan->devices_bpf.wanted)
		line(page, "devices", "a program of %zu instructions", plan->devices_bpf.len);
}

static void print_priority(const struct plan *plan, const struct page *page)
{
	const struct priority_plan *priority = &plan->priority;

	for (size_t i = 0; i < plan->limits.len; i++)
		line(page, "limit", "%s soft %llu hard %llu", plan->limits.row[i].name,
		     (unsigned long long)plan->limits.row[i].limit.rlim_cur,
		     (unsigned long long)plan->limits.row[i].limit.rlim_max);
	if (priority->oom_set)
		line(page, "oom score", "%s", priority->oom_score_adj);
	if (priority->scheduler_set)
		line(page, "scheduler", "%s nice %d priority %u",
		     name_text(scheduler_policy_names, priority->scheduler.sched_policy),
		     (int)priority->scheduler.sched_nice,
		     (unsigned)priority->scheduler.sched_priority);
	if (priority->io_set)
		line(page, "io priority", "0x%x", (unsigned)priority->io_priority);
	if (priority->memory_set)
		line(page, "memory policy", "0x%x", (unsigned)priority->memory_mode);
	for (size_t i = 0; i < plan->sysctl.len; i++)
		line(page, "sysctl", "%s = %s", plan->sysctl.row[i].key, plan->sysctl.row[i].value);
}

/* Words of the flags, from the table that gave the flags; those that only choose an access time
 * that is the default are left out. */
static const char *flags_text(const struct mount_flags *flags, struct arena *arena)
{
	const char *text = "";

	for (const struct mount_option *option = mount_options; option->name; option++) {
		uint64_t set = option->attr_set, clear = option->attr_clear;
		bool says =
			(set && (set & flags->attr_set) == set) ||
			(!set && clear && !(clear & ATIME) && (clear & flags->attr_clear)) ||
			(option->rec_set && (option->rec_set & flags->rec_set)) ||
			(!option->rec_set && option->rec_clear && !(option->rec_clear & ATIME) &&
			 (option->rec_clear & flags->rec_clear)) ||
			(option->super_set & flags->super);

		if (says)
			text = arena_format(arena, "%s %s", text, option->name);
	}
	for (size_t i = 0; i < flags->propagation_len; i++)
		text = arena_format(arena, "%s %s", text, propagation_text(flags->propagation[i]));
	for (size_t i = 0; i < flags->data_len; i++)
		text = arena_format(arena, "%s %s", text, flags->data[i]);
	return text;
}

static void print_rootfs(const struct plan *plan, const struct page *page)
{
	const struct rootfs_plan *rootfs = &plan->rootfs;

	line(page, "path", "%s", rootfs->path ? rootfs->path : "none");
	line(page, "read-only", "%s", yes_no(rootfs->read_only));
	line(page, "pivot", "%s", yes_no(!rootfs->no_pivot));
	line(page, "propagation", "of the host's root %s, of ours %s",
	     propagation_text(rootfs->host_propagation), propagation_text(rootfs->propagation));
	for (size_t i = 0; i < rootfs->masked.len; i++)
		line(page, "masked", "%s", rootfs->masked.item[i]);
	for (size_t i = 0; i < rootfs->read_only_paths.len; i++)
		line(page, "read-only", "%s", rootfs->read_only_paths.item[i]);
}

static void print_mounts(const struct plan *plan, const struct page *page)
{
	static const char *const kinds[] = { [MOUNT_BIND] = "bind",
					     [MOUNT_FILESYSTEM] = "filesystem",
					     [MOUNT_REMOUNT] = "remount",
					     [MOUNT_CGROUP] = "cgroup" };

	for (size_t i = 0; i < plan->mounts.len; i++) {
		const struct mount_row *row = &plan->mounts.row[i];
		bool recursive = row->flags.what & MOUNT_OPTION_RBIND;

		line(page, recursive ? "rbind" : kinds[row->kind], "%s from %s%s", row->destination,
		     row->kind == MOUNT_BIND || !row->type ? row->source : row->type,
		     flags_text(&row->flags, page->arena));
	}
}

static void print_devices(const struct plan *plan, const struct page *page)
{
	const struct devices_plan *devices = &plan->devices;

	line(page, "made by", "%s", devices->bind ? "bind mounts of the host's" : "mknod(2)");
	for (size_t i = 0; i < devices->len; i++) {
		const struct device_row *row = &devices->row[i];

		line(page, "device", "%s %c %u:%u mode %04o owner %u:%u", row->path,
		     S_ISBLK(row->type)	   ? 'b'
		     : S_ISFIFO(row->type) ? 'p'
					   : 'c',
		     major(row->device), minor(row->device), (unsigned)row->mode,
		     (unsigned)row->uid, (unsigned)row->gid);
	}
}

static void print_process(const struct plan *plan, const struct page *page)
{
	const struct process_plan *process = &plan->process;
	const struct identity_plan *identity = &plan->identity;

	line(page, "program", "%s", strings_text(process->argv, page->arena));
	for (const char **env = process->envp; env && *env; env++)
		line(page, "environment", "%s", *env);
	line(page, "directory", "%s", process->cwd);
	line(page, "terminal", "%s", yes_no(process->terminal));
	line(page, "user", "uid %u gid %u umask %04o", (unsigned)identity->uid,
	     (unsigned)identity->gid, (unsigned)process->umask);
	for (size_t i = 0; i < identity->groups_len; i++)
		line(page, "group", "%u", (unsigned)identity->groups[i]);
	if (process->hostname)
		line(page, "hostname", "%s", process->hostname);
	if (process->domainname)
		line(page, "domainname", "%s", process->domainname);
	if (process->keep_fds)
		line(page, "descriptors", "0 to %u", 2 + process->keep_fds);
	if (plan->label.apparmor)
		line(page, "apparmor", "%s", plan->label.apparmor);
	if (plan->label.selinux)
		line(page, "selinux", "%s", plan->label.selinux);
	line(page, "keyring", "%s", plan->label.keyring ? "its own" : "the caller's");
	line(page, "no new privs", "%s", yes_no(plan->no_new_privileges));
}

static void print_caps(const struct plan *plan, const struct page *page)
{
	const struct {
		const char *name;
		uint64_t mask;
	} sets[] = { { "bounding", plan->caps.bounding },
		     { "permitted", plan->caps.permitted },
		     { "effective", plan->caps.effective },
		     { "inheritable", plan->caps.inheritable },
		     { "ambient", plan->caps.ambient } };

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		line(page, sets[i].name, "%s",
		     sets[i].mask ? caps_text(sets[i].mask, page->arena) : "none");
}

static void print_landlock(const struct plan *plan, const struct page *page)
{
	const struct landlock_plan *landlock = &plan->landlock;

	if (!landlock->wanted) {
		line(page, "wanted", "no");
		return;
	}
	line(page, "mode", "%s, ABI %d", landlock->best_effort ? "best effort" : "enforce",
	     landlock->abi);
	line(page, "filesystem", "%s", mask_text(landlock_fs_names, landlock->fs, page->arena));
	line(page, "network", "%s", mask_text(landlock_net_names, landlock->net, page->arena));
	line(page, "scoped", "%s", mask_text(landlock_scope_names, landlock->scoped, page->arena));
	for (size_t i = 0; i < landlock->rules_len; i++)
		line(page, "path", "%s: %s", landlock->rules[i].path,
		     mask_text(landlock_fs_names, landlock->rules[i].allowed, page->arena));
	for (size_t i = 0; i < landlock->ports_len; i++)
		line(page, "port", "%llu: %s", (unsigned long long)landlock->ports[i].port,
		     mask_text(landlock_net_names, landlock->ports[i].allowed, page->arena));
}

static const char *action_text(uint32_t action, struct arena *arena)
{
	const char *name = name_text(seccomp_action_names, action & ~ACTION_DATA);

	if (action & ACTION_DATA)
		return arena_format(arena, "%s %u", name, action & ACTION_DATA);
	return name;
}

/* A rule by arguments, of one system call. */
static bool compares(const struct seccomp_rule *rule)
{
	return rule->args_len && rule->names_len == 1;
}

/* Prints a rule, and with it those that follow for other arguments of the same system call. Returns
 * how many they are. */
static size_t print_rules(const struct seccomp_plan *seccomp, size_t at, const struct page *page)
{
	const struct seccomp_rule *rule = &seccomp->rules[at];
	const char *names = "";
	size_t len = 1;

	if (compares(rule)) {
		while (at + len < seccomp->rules_len && compares(rule + len) &&
		       rule[len].action == rule->action &&
		       strcmp(rule[len].names[0], rule->names[0]) == 0)
			len++;
		line(page, "rule", "%s by arguments: %s (%zu rules)",
		     action_text(rule->action, page->arena), rule->names[0], len);
		return len;
	}
	for (size_t i = 0; i < rule->names_len && i < NAMES_SHOWN; i++)
		names = arena_format(page->arena, "%s %s", names, rule->names[i]);
	line(page, "rule", "%s%s:%s%s (%zu)", action_text(rule->action, page->arena),
	     rule->args_len ? " by arguments" : "", names,
	     rule->names_len > NAMES_SHOWN ? " ..." : "", rule->names_len);
	return len;
}

static void print_seccomp(const struct plan *plan, const struct page *page)
{
	const struct seccomp_plan *seccomp = &plan->seccomp;

	if (!seccomp->wanted) {
		line(page, "wanted", "no");
		return;
	}
	line(page, "loaded", "%s",
	     plan->no_new_privileges ? "last, just before the program"
				     : "before the capabilities are dropped");
	line(page, "default", "%s", action_text(seccomp->default_action, page->arena));
	for (size_t i = 0; i < seccomp->architectures_len; i++)
		line(page, "architecture", "%s",
		     name_text(seccomp_architecture_names, seccomp->architectures[i]));
	for (size_t i = 0; i < seccomp->rules_len;)
		i += print_rules(seccomp, i, page);
}

static void print_hooks(const struct plan *plan, const struct page *page)
{
	const struct {
		const char *kind;
		const struct spec_hook_list *list;
	} kinds[] = { { "prestart", &plan->hooks.prestart },
		      { "createRuntime", &plan->hooks.create_runtime },
		      { "createContainer", &plan->hooks.create_container },
		      { "startContainer", &plan->hooks.start_container },
		      { "poststart", &plan->hooks.poststart },
		      { "poststop", &plan->hooks.poststop } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (size_t hook = 0; hook < kinds[i].list->len; hook++)
			line(page, kinds[i].kind, "%s", kinds[i].list->item[hook].path);
}

static void print_notes(const struct plan *plan, const struct page *page)
{
	for (size_t i = 0; i < plan->notes_len; i++)
		line(page, "note", "%s", plan->notes[i]);
}

/* clang-format off */
static const struct {
	const char *title;
	void (*print)(const struct plan *plan, const struct page *page);
} sections[] = {
	{ "namespaces", print_namespaces },
	{ "ids", print_idmap },
	{ "cgroup", print_cgroup },
	{ "limits", print_priority },
	{ "root filesystem", print_rootfs },
	{ "mounts", print_mounts },
	{ "devices", print_devices },
	{ "process", print_process },
	{ "capabilities", print_caps },
	{ "landlock", print_landlock },
	{ "seccomp", print_seccomp },
	{ "hooks", print_hooks },
	{ "relaxed", print_notes },
};
/* clang-format on */

static void print_steps(const char *title, const struct step *steps, size_t len,
			const struct plan *plan, FILE *to)
{
	fprintf(to, "%s\n", title);
	for (size_t i = 0; i < len; i++)
		if (step_wanted(&steps[i], plan))
			fprintf(to, "  %-27s %s\n", steps[i].name, steps[i].why);
}

void explain_print(const struct plan *plan, struct arena *arena, FILE *to)
{
	const struct page page = { to, arena };

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		fprintf(to, "%s\n", sections[i].title);
		sections[i].print(plan, &page);
		fputc('\n', to);
	}
	print_steps("outside, in order", outside_steps, outside_steps_len, plan, to);
	fputc('\n', to);
	print_steps("inside, in order", inside_steps, inside_steps_len, plan, to);
}
