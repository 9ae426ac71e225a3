/*
 * `agentd explain`, see explain.h. Prints what the plan says, in the order in which a launch uses
 * it, and the two lists. Decides nothing and looks at nothing but the plan, so that the same plan
 * always gives the same text (tests/golden).
 */
#include "runtime/explain.h"

#include <linux/ioprio.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "runtime/base/array.h"
#include "runtime/explain_page.h"
#include "runtime/init.h"
#include "runtime/outside.h"
#include "spec/names.h"

#define ATIME SYS_MOUNT_ATTR__ATIME
#define KEY_WIDTH 15

void page_line(const struct page *page, const char *key, const char *format, ...)
{
	va_list args;

	fprintf(page->to, "  %-*s ", KEY_WIDTH, key);
	va_start(args, format);
	vfprintf(page->to, format, args);
	va_end(args);
	fputc('\n', page->to);
}

void page_none(const struct page *page)
{
	fprintf(page->to, "  none\n");
}

const char *page_mask(const struct name *table, uint64_t mask, struct arena *arena)
{
	const char *text = "";

	for (; *table->name; table++)
		if (table->value & mask)
			text = arena_format(arena, "%s%s%s", text, *text ? " " : "", table->name);
	return *text ? text : "none";
}

static const char *yes_no(bool truth)
{
	return truth ? "yes" : "no";
}

/* The lines of a text on one. */
static const char *lines_text(const char *lines, struct arena *arena)
{
	const char *text = "";

	for (size_t len; (len = strcspn(lines, "\n")); lines += len + (lines[len] != '\0'))
		text = arena_format(arena, "%s%s%.*s", text, *text ? ", " : "", (int)len, lines);
	return text;
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

	page_line(page, "created", "%s",
		  page_mask(namespace_names, namespaces->clone | namespaces->unshare, page->arena));
	for (size_t i = 0; i < namespaces->join_len; i++)
		page_line(page, "joined", "%s from %s",
			  page_mask(namespace_names, namespaces->join[i].types, page->arena),
			  namespaces->join[i].path);
	page_line(page, "shared", "%s", page_mask(namespace_names, ~namespaces->own, page->arena));
	if (namespaces->time_offsets)
		page_line(page, "time offsets", "%s",
			  lines_text(namespaces->time_offsets, page->arena));
}

/* user_namespaces(7): lines of the first id inside, the first outside, how many. */
static void print_map(const char *key, const char *map, const struct page *page)
{
	unsigned inside, outside, size;

	for (; sscanf(map, "%u %u %u", &inside, &outside, &size) == 3;
	     map += strcspn(map, "\n"), map += *map == '\n')
		if (size == 1)
			page_line(page, key, "%u is %u outside", inside, outside);
		else
			page_line(page, key, "%u to %u are %u to %u outside", inside,
				  inside + (size - 1), outside, outside + (size - 1));
}

static void print_idmap(const struct plan *plan, const struct page *page)
{
	const struct idmap_plan *idmap = &plan->idmap;

	if (!idmap->write) {
		page_line(page, "mapped", "%s",
			  idmap->become_root ? "in the joined namespace already"
					     : "no, they are the host's");
		return;
	}
	print_map("uids", idmap->uid_map, page);
	print_map("gids", idmap->gid_map, page);
	page_line(page, "written by", "%s",
		  idmap->helpers ? "newuidmap(1) and newgidmap(1)" : "agentd");
	page_line(page, "setgroups", "%s", idmap->deny_setgroups ? "denied" : "allowed");
}

static void print_cgroup(const struct plan *plan, const struct page *page)
{
	const struct cgroup_plan *cgroup = &plan->cgroup;

	if (cgroup->wanted) {
		page_line(page, "path", "%s/%s", cgroup->root, cgroup->path);
		page_line(page, "controllers", "%s",
			  cgroup->controllers && *cgroup->controllers ? cgroup->controllers
								      : "none");
		page_line(page, "delegated", "%s", yes_no(cgroup->delegate));
	} else {
		page_line(page, "path", "none");
	}
	for (size_t i = 0; cgroup->wanted && i < cgroup->limits_len; i++)
		page_line(page, cgroup->limits[i].alternative ? "or else" : "limit", "%s = %s (%s)",
			  cgroup->limits[i].file, cgroup->limits[i].text, cgroup->limits[i].what);
	if (cgroup->wanted && plan->devices_bpf.wanted)
		page_line(page, "device rules", "as a program of %zu instructions",
			  plan->devices_bpf.len);
}

static const char *limit_text(rlim_t limit, struct arena *arena)
{
	if (limit == RLIM_INFINITY)
		return "unlimited";
	return arena_format(arena, "%llu", (unsigned long long)limit);
}

static void print_limits(const struct plan *plan, const struct page *page)
{
	for (size_t i = 0; i < plan->limits.len; i++)
		page_line(page, "limit", "%s soft %s hard %s", plan->limits.row[i].name,
			  limit_text(plan->limits.row[i].limit.rlim_cur, page->arena),
			  limit_text(plan->limits.row[i].limit.rlim_max, page->arena));
	if (!plan->limits.len)
		page_none(page);
}

static void print_scheduler(const struct sys_sched_attr *scheduler, const struct page *page)
{
	page_line(page, "scheduler", "%s nice %d priority %u",
		  name_text(scheduler_policy_names, scheduler->sched_policy),
		  (int)scheduler->sched_nice, (unsigned)scheduler->sched_priority);
	if (scheduler->sched_flags)
		page_line(page, "scheduler", "%s",
			  page_mask(scheduler_flag_names, scheduler->sched_flags, page->arena));
	if (scheduler->sched_period || scheduler->sched_deadline)
		page_line(page, "scheduler", "runtime %llu deadline %llu period %llu ns",
			  (unsigned long long)scheduler->sched_runtime,
			  (unsigned long long)scheduler->sched_deadline,
			  (unsigned long long)scheduler->sched_period);
}

/* set_mempolicy(2): flags in the upper bits of the mode. */
static void print_memory_policy(const struct priority_plan *priority, const struct page *page)
{
	const size_t bits = 8 * sizeof(unsigned long);
	uint64_t mode = (uint64_t)priority->memory_mode, flags = 0;
	const char *nodes = "";

	for (const struct name *flag = memory_policy_flag_names; *flag->name; flag++)
		flags |= flag->value;
	for (size_t i = 0; i + 1 < priority->memory_nodes_max; i++)
		if (priority->memory_nodes[i / bits] & 1ul << (i % bits))
			nodes = arena_format(page->arena, "%s %zu", nodes, i);
	page_line(page, "memory policy", "%s%s%s%s%s",
		  name_text(memory_policy_mode_names, mode & ~flags), mode & flags ? " " : "",
		  mode & flags ? page_mask(memory_policy_flag_names, mode & flags, page->arena)
			       : "",
		  *nodes ? " nodes" : "", nodes);
}

static void print_priority(const struct plan *plan, const struct page *page)
{
	const struct priority_plan *priority = &plan->priority;

	if (priority->oom_set)
		page_line(page, "oom score", "%s", priority->oom_score_adj);
	if (priority->scheduler_set)
		print_scheduler(&priority->scheduler, page);
	if (priority->io_set)
		page_line(page, "io priority", "%s %d",
			  name_text(io_priority_class_names,
				    (uint64_t)IOPRIO_PRIO_CLASS(priority->io_priority)),
			  (int)IOPRIO_PRIO_DATA(priority->io_priority));
	if (priority->memory_set)
		print_memory_policy(priority, page);
	if (!priority->oom_set && !priority->scheduler_set && !priority->io_set &&
	    !priority->memory_set)
		page_none(page);
}

static void print_sysctls(const struct plan *plan, const struct page *page)
{
	for (size_t i = 0; i < plan->sysctl.len; i++)
		page_line(page, "set", "%s = %s", plan->sysctl.row[i].key,
			  plan->sysctl.row[i].value);
	if (!plan->sysctl.len)
		page_none(page);
}

/* Words of the flags, from the table that gave the flags; those that only choose an access time
 * that is the default are left out. */
static const char *flags_text(const struct mount_flags *flags, struct arena *arena)
{
	const char *text = "";

	for (const struct mount_option *option = mount_options; *option->name; option++) {
		uint64_t set = option->attr_set, clear = option->attr_clear;
		bool says =
			(set && (set & flags->attr_set) == set) ||
			(!set && clear && !(clear & ATIME) && (clear & flags->attr_clear)) ||
			(option->rec_set && (option->rec_set & flags->rec_set)) ||
			(!option->rec_set && option->rec_clear && !(option->rec_clear & ATIME) &&
			 (option->rec_clear & flags->rec_clear)) ||
			(option->super_set & flags->super) ||
			(option->what & flags->what & MOUNT_OPTION_TMPCOPYUP);

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

	page_line(page, "path", "%s", rootfs->path ? rootfs->path : "none");
	page_line(page, "read-only", "%s", yes_no(rootfs->read_only));
	page_line(page, "pivot", "%s", yes_no(!rootfs->no_pivot));
	page_line(page, "propagation", "inherited mounts %s, the root %s",
		  propagation_text(rootfs->host_propagation),
		  propagation_text(rootfs->propagation));
	for (size_t i = 0; i < rootfs->masked.len; i++)
		page_line(page, "masked path", "%s", rootfs->masked.item[i]);
	for (size_t i = 0; i < rootfs->read_only_paths.len; i++)
		page_line(page, "read-only path", "%s", rootfs->read_only_paths.item[i]);
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
		bool filesystem = row->kind == MOUNT_FILESYSTEM || row->kind == MOUNT_CGROUP;
		const char *from = filesystem ? row->type : row->source;

		if (row->kind == MOUNT_REMOUNT)
			from = NULL;
		page_line(page, recursive ? "rbind" : kinds[row->kind], "%s%s%s%s",
			  row->destination, from ? " from " : "", from ? from : "",
			  flags_text(&row->flags, page->arena));
	}
	if (!plan->mounts.len)
		page_none(page);
}

static void print_devices(const struct plan *plan, const struct page *page)
{
	const struct devices_plan *devices = &plan->devices;

	page_line(page, "made by", "%s", devices->bind ? "bind mounts of the host's" : "mknod(2)");
	for (size_t i = 0; i < devices->len; i++) {
		const struct device_row *row = &devices->row[i];

		page_line(page, "device", "%s %c %u:%u mode %04o owner %u:%u", row->path,
			  S_ISBLK(row->type)	? 'b'
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

	page_line(page, "program", "%s", strings_text(process->argv, page->arena));
	for (const char **env = process->envp; env && *env; env++)
		page_line(page, "environment", "%s%s", *env,
			  process->home && *env + strlen("HOME=") == process->home
				  ? ", or what the container's /etc/passwd says"
				  : "");
	page_line(page, "directory", "%s", process->cwd);
	if (process->terminal && process->rows)
		page_line(page, "terminal", "yes, of %u rows and %u columns", process->rows,
			  process->columns);
	else
		page_line(page, "terminal", "%s", yes_no(process->terminal));
	page_line(page, "user", "uid %u gid %u umask %04o", (unsigned)identity->uid,
		  (unsigned)identity->gid, (unsigned)process->umask);
	for (size_t i = 0; i < identity->groups_len; i++)
		page_line(page, "group", "%u", (unsigned)identity->groups[i]);
	if (process->personality_set)
		page_line(page, "personality", "%s",
			  name_text(personality_names, process->personality));
	if (process->hostname)
		page_line(page, "hostname", "%s", process->hostname);
	if (process->domainname)
		page_line(page, "domainname", "%s", process->domainname);
	if (process->keep_fds)
		page_line(page, "descriptors", "0 to %u", 2 + process->keep_fds);
	if (plan->label.apparmor)
		page_line(page, "apparmor", "%s", plan->label.apparmor + strlen("exec "));
	if (plan->label.selinux)
		page_line(page, "selinux", "%s", plan->label.selinux);
	page_line(page, "keyring", "%s", plan->label.keyring ? "its own" : "the caller's");
	page_line(page, "no new privs", "%s", yes_no(plan->no_new_privileges));
}

static void print_hook(const char *kind, const struct spec_hook *hook, const struct page *page)
{
	if (hook->timeout)
		page_line(page, kind, "%s, killed after %llu s", hook->path,
			  (unsigned long long)hook->timeout);
	else
		page_line(page, kind, "%s", hook->path);
}

static void print_hooks(const struct plan *plan, const struct page *page)
{
	const char *hooks = (const char *)&plan->hooks;
	bool any = false;

	for (const struct field *kind = spec_hooks_fields; kind->key; kind++) {
		const struct spec_hook_list *list = (const void *)(hooks + kind->offset);

		for (size_t i = 0; i < list->len; i++)
			print_hook(kind->key, &list->item[i], page);
		any |= list->len > 0;
	}
	if (!any)
		page_none(page);
}

static void print_notes(const struct plan *plan, const struct page *page)
{
	for (size_t i = 0; i < plan->notes_len; i++)
		page_line(page, "note", "%s", plan->notes[i]);
	if (!plan->notes_len)
		page_none(page);
}

/* clang-format off */
static const struct {
	const char *title;
	unsigned in; /* as in struct step */
	void (*print)(const struct plan *plan, const struct page *page);
} sections[] = {
	{ "namespaces", FOR_BOTH, print_namespaces },
	{ "ids", FOR_CREATE, print_idmap },
	{ "cgroup", FOR_CREATE, print_cgroup },
	{ "limits", FOR_BOTH, print_limits },
	{ "priority", FOR_BOTH, print_priority },
	{ "sysctls", FOR_CREATE, print_sysctls },
	{ "root filesystem", FOR_CREATE, print_rootfs },
	{ "mounts", FOR_CREATE, print_mounts },
	{ "devices", FOR_CREATE, print_devices },
	{ "process", FOR_BOTH, print_process },
	{ "capabilities", FOR_BOTH, explain_caps },
	{ "landlock", FOR_BOTH, explain_landlock },
	{ "seccomp", FOR_BOTH, explain_seccomp },
	{ "hooks", FOR_CREATE, print_hooks },
	{ "relaxed", FOR_BOTH, print_notes },
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

	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		if (!(sections[i].in & (plan->exec ? FOR_EXEC : FOR_CREATE)))
			continue;
		fprintf(to, "%s\n", sections[i].title);
		sections[i].print(plan, &page);
		fputc('\n', to);
	}
	print_steps("outside, in order", outside_steps, outside_steps_len, plan, to);
	fputc('\n', to);
	print_steps("inside, in order", inside_steps, inside_steps_len, plan, to);
}
