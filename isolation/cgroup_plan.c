/*
 * Where the container's cgroup is to be and which of its limits this host can enforce, see
 * cgroup.h. Only looks: nothing is made or changed here.
 *
 * A limit that cannot be enforced is an error; only --best-effort cgroup makes it a note.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "isolation/cgroup.h"
#include "isolation/mount_options.h"
#include "isolation/path.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"

#define DELEGATE_REMEDY                                                                   \
	"run agentd in a cgroup that is delegated to you (systemd-run --user --scope -p " \
	"Delegate=yes, or Delegate=yes in its unit)"

/* What callers read for statistics: memory.current, pids.current, io.stat; every cgroup has a
 * cpu.stat. */
#define ACCOUNTING "memory pids io"

const char *const cgroup_controllers[] = { "cpuset", "cpu",  "io",   "memory", "hugetlb",
					   "pids",   "rdma", "misc", "dmem",   NULL };

/* Why something cannot be had, and what the person can do. */
struct lack {
	const char *reason, *remedy;
};

unsigned cgroup_controllers_mask(const char *list)
{
	unsigned mask = 0;

	while (*(list += strspn(list, " \n"))) {
		size_t len = strcspn(list, " \n");

		for (unsigned i = 0; cgroup_controllers[i]; i++)
			if (strlen(cgroup_controllers[i]) == len &&
			    strncmp(cgroup_controllers[i], list, len) == 0)
				mask |= 1u << i;
		list += len;
	}
	return mask;
}

static const char *controllers_text(unsigned mask, struct arena *arena)
{
	const char *text = "";

	for (unsigned i = 0; cgroup_controllers[i]; i++)
		if (mask & 1u << i)
			text = arena_format(arena, "%s%s%s", text, *text ? " " : "",
					    cgroup_controllers[i]);
	return text;
}

unsigned cgroup_controllers_read(int dir, const char *file)
{
	char text[512];

	return file_read_small(dir, file, text, sizeof(text)) < 0 ? 0
								  : cgroup_controllers_mask(text);
}

int cgroup_check_path(const char *path, struct err *err)
{
	if (path_is_plain(path))
		return 0;
	return err_set(err, EINVAL, "cgroup path '%.200s': has an empty, \".\" or \"..\" component",
		       path);
}

bool cgroup_may_make_below(int root, const char *path)
{
	char procs[PATH_MAX];

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	return faccessat(root, path, W_OK, AT_EACCESS) == 0 &&
	       faccessat(root, procs, W_OK, AT_EACCESS) == 0;
}

/*
 * The place for names of our choice: the top, or the nearest one above us that is ours to use.
 * Beside us is better than below: a cgroup that holds processes (us) can give controllers to none
 * below it (cgroups(7), "no internal processes"). NULL: there is none.
 */
static const char *find_place(int root, const char *own, struct arena *arena)
{
	char *above, *slash;

	if (cgroup_may_make_below(root, "."))
		return "";
	if (!own || !own[1])
		return NULL;
	above = arena_copy(arena, own + 1, strlen(own + 1));
	while ((slash = strrchr(above, '/'))) {
		*slash = '\0';
		if (cgroup_may_make_below(root, above))
			return arena_format(arena, "%s/", above);
	}
	return cgroup_may_make_below(root, own + 1) ? arena_format(arena, "%s/", own + 1) : NULL;
}

/* Chooses plan->path, or leaves it NULL and says why in `lack`. */
static int choose_path(const char *wanted, const char *id, const struct host *host, int root,
		       struct arena *arena, struct cgroup_plan *plan, struct lack *lack,
		       struct err *err)
{
	const char *place, *colon = wanted ? strchr(wanted, ':') : NULL;

	if (colon && strchr(colon + 1, ':') && !strchr(wanted, '/'))
		return err_set(
			err, EINVAL,
			"linux.cgroupsPath '%s': is in the form of the systemd cgroup driver, "
			"which is not supported yet by agentd; use a path with the cgroupfs "
			"driver",
			wanted);
	if (wanted && *wanted == '/') {
		plan->path = wanted + strspn(wanted, "/");
	} else {
		place = find_place(root, host->cgroup_own, arena);
		if (!place) {
			lack->reason = "this user may not make cgroups here";
			lack->remedy = DELEGATE_REMEDY;
			return 0;
		}
		plan->path = wanted && *wanted
				     ? arena_format(arena, "%s%s", place, wanted)
				     : arena_format(arena, "%s" CGROUP_PLACE "/%s", place, id);
	}
	return cgroup_check_path(plan->path, err) < 0 ? err_wrap(err, "linux.cgroupsPath") : 0;
}

/*
 * Walks down the part of the path that exists: which controllers the top has, and which of them can
 * reach the container's cgroup, being enabled on the way already or for us to enable. False, with
 * errno: we may make nothing at its end.
 */
static bool survey(int root, const char *path, unsigned *top, unsigned *available)
{
	autoclose int dir = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC), above = -1;
	char component[NAME_MAX + 1];
	unsigned reaching = 0; /* what can reach `dir` */

	*available = *top = cgroup_controllers_read(dir, "cgroup.controllers");
	while (*path) {
		size_t len = strcspn(path, "/");
		int next;

		if (len >= sizeof(component)) {
			errno = ENAMETOOLONG;
			return false;
		}
		memcpy(component, path, len);
		component[len] = '\0';
		if (faccessat(dir, "cgroup.subtree_control", W_OK, AT_EACCESS) < 0)
			*available &= cgroup_controllers_read(dir, "cgroup.subtree_control");
		next = openat(dir, component, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			break;
		fd_close(&above);
		above = dir;
		dir = next;
		reaching = *available;
		path += len + (path[len] == '/');
	}
	if (cgroup_may_make_below(dir, "."))
		return true;
	if (errno != ENOENT || above < 0)
		return false;
	/* Another agentd has removed CGROUP_PLACE with its last container: it will be made anew. */
	*available = reaching;
	return cgroup_may_make_below(above, ".");
}

/* What tells why a controller is missing. */
struct top {
	unsigned here;	   /* its controllers */
	bool known;	   /* what follows */
	bool in_namespace; /* only there has the top cgroup.events: the machine's own has not */
	unsigned v1;	   /* the controllers that cgroup v1 has */
};

/* /proc/cgroups, cgroups(7): "NAME HIERARCHY CGROUPS ENABLED" */
static unsigned v1_controllers(void)
{
	char text[4096], *line, *lines;
	unsigned mask = 0;

	if (file_read_small(AT_FDCWD, "/proc/cgroups", text, sizeof(text)) < 0)
		return 0;
	for (line = strtok_r(text, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		char *words, *name = strtok_r(line, "\t", &words);
		const char *hierarchy = strtok_r(NULL, "\t", &words);

		if (hierarchy && strcmp(hierarchy, "0") != 0)
			mask |= cgroup_controllers_mask(strcmp(name, "blkio") == 0 ? "io" : name);
	}
	return mask;
}

/* The same for all controllers: looked at when the first is missing. */
static void top_look(int root, struct top *top)
{
	if (top->known)
		return;
	top->known = true;
	top->in_namespace = faccessat(root, "cgroup.events", F_OK, 0) == 0;
	top->v1 = v1_controllers();
}

static struct lack why_missing(const char *controller, const struct top *top, struct arena *arena)
{
	unsigned mask = cgroup_controllers_mask(controller);

	if (top->here & mask || top->in_namespace)
		return (struct lack){
			arena_format(arena, "the %s controller is not delegated to this user",
				     controller),
			DELEGATE_REMEDY,
		};
	if (top->v1 & mask)
		return (struct lack){
			arena_format(arena,
				     "the %s controller is not available in cgroup v2 on this host "
				     "(it belongs to a cgroup v1 hierarchy)",
				     controller),
			"boot with cgroup_no_v1=all (or systemd.unified_cgroup_hierarchy=1)",
		};
	return (struct lack){
		arena_format(arena, "the %s controller is not available in cgroup v2 on this host",
			     controller),
		"use a kernel that has it, and boot without cgroup_disable",
	};
}

/*
 * Whether a missing controller takes nothing away: an optional limit, and what every cgroup has
 * before anybody writes to it: no limit, and the weight 100, which callers of runc ask for as 1024
 * shares.
 */
static bool is_no_loss(const struct cgroup_limit *limit)
{
	return limit->optional || strncmp(limit->text, "max", 3) == 0 ||
	       (strcmp(limit->file, "cpu.weight") == 0 && strcmp(limit->text, "100") == 0);
}

/* A limit that cannot be set: an error or a note. */
static int drop_limit(const struct cgroup_limit *limit, const struct lack *lack,
		      struct arena *arena, struct cgroup_plan *plan, struct err *err)
{
	if (is_no_loss(limit))
		return 0;
	if (!plan->best_effort)
		return err_set(err, ENOTSUP,
			       "%s: %s; %s, or run with --best-effort cgroup to go without this "
			       "limit",
			       limit->what, lack->reason, lack->remedy);
	plan->notes[plan->notes_len++] =
		arena_format(arena, "%s is not enforced: %s", limit->what, lack->reason);
	return 0;
}

static int keep_available(unsigned here, unsigned available, int root, bool manages,
			  struct arena *arena, struct cgroup_plan *plan, struct err *err)
{
	unsigned extra = manages ? available : available & cgroup_controllers_mask(ACCOUNTING);
	struct top top = { .here = here };
	unsigned needed = 0;
	size_t kept = 0;

	for (size_t i = 0; i < plan->limits_len; i++) {
		const struct cgroup_limit *limit = &plan->limits[i];
		unsigned mask = limit->controller ? cgroup_controllers_mask(limit->controller) : 0;
		struct lack lack;

		if ((mask & available) == mask) {
			needed |= mask;
			plan->limits[kept++] = *limit;
			continue;
		}
		if (is_no_loss(limit))
			continue;
		top_look(root, &top);
		lack = why_missing(limit->controller, &top, arena);
		if (drop_limit(limit, &lack, arena, plan, err) < 0)
			return -1;
	}
	plan->limits_len = kept;
	plan->controllers = controllers_text(needed, arena);
	plan->extra = controllers_text(extra & ~needed, arena);
	return 0;
}

/* The container runs in the cgroup of its caller, if nothing was asked for that needs its own. */
static int go_without(const struct lack *lack, struct arena *arena, struct cgroup_plan *plan,
		      struct err *err)
{
	for (size_t i = 0; i < plan->limits_len; i++)
		if (drop_limit(&plan->limits[i], lack, arena, plan, err) < 0)
			return -1;
	plan->limits_len = 0;
	plan->path = NULL;
	plan->lack = arena_format(arena, "%s; %s", lack->reason, lack->remedy);
	plan->notes[plan->notes_len++] =
		arena_format(arena, "the container has no cgroup of its own: %s", lack->reason);
	return 0;
}

/*
 * config-linux.md "Cgroup ownership": with a cgroup namespace of its own and a writable cgroup file
 * system (`manages`), to the container's root. Only where that is somebody else than the maker.
 */
static int plan_delegation(const struct spec *spec, const struct host *host, struct arena *arena,
			   struct cgroup_plan *plan, bool *manages, struct err *err)
{
	const struct spec_namespace *namespace = spec_find_namespace(spec, CLONE_NEWCGROUP);
	const struct spec_id_mapping *root = spec_find_mapping(&spec->linux.uid_mappings, 0);
	bool writable = false;

	for (size_t i = 0; i < spec->mounts.len; i++) {
		const struct spec_mount *mount = &spec->mounts.item[i];
		struct mount_flags flags;

		if (!mount->type || strncmp(mount->type, "cgroup", 6) != 0)
			continue;
		if (mount_options_parse(&mount->options, arena, &flags, err) < 0)
			return err_within(err, "mounts[%zu]", i);
		writable |= !(mount_flags_set(&flags) & SYS_MOUNT_ATTR_RDONLY);
	}
	*manages = namespace && !namespace->path && writable;
	plan->delegate_uid = root ? root->host_id : 0;
	plan->delegate = *manages && root && root->host_id != host->uid;
	return 0;
}

int cgroup_plan(const struct spec *spec, const struct host *host, enum cgroup_manager manager,
		bool best_effort, const char *id, struct arena *arena, struct cgroup_plan *plan,
		struct err *err)
{
	struct lack lack = { 0 };
	autoclose int root = -1;
	unsigned top = 0, available = 0;
	bool manages;

	*plan = (struct cgroup_plan){ .best_effort = best_effort, .root = host->cgroup_root };
	if (manager == CGROUP_MANAGER_SYSTEMD)
		return err_set(err, ENOTSUP,
			       "the systemd cgroup driver is not supported yet by agentd; use "
			       "--cgroup-manager cgroupfs");
	if (cgroup_limits_plan(&spec->linux.resources, arena, &plan->limits, &plan->limits_len,
			       err) < 0)
		return -1;
	plan->notes = arena_new_array(arena, const char *, plan->limits_len + 1);
	if (manager == CGROUP_MANAGER_DISABLED)
		lack = (struct lack){ "--cgroup-manager disabled was given",
				      "leave that option out" };
	else if (!plan->root)
		lack = (struct lack){ "cgroup v2 is not mounted on this host",
				      "mount -t cgroup2 none /sys/fs/cgroup" };
	if (lack.reason)
		return go_without(&lack, arena, plan, err);
	root = open(plan->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, "open %s", plan->root);
	if (choose_path(spec->linux.cgroups_path, id, host, root, arena, plan, &lack, err) < 0)
		return -1;
	if (plan->path && !survey(root, plan->path, &top, &available))
		lack = (struct lack){ arena_format(arena, "cannot make the cgroup %s below %s: %s",
						   plan->path, plan->root, strerror(errno)),
				      DELEGATE_REMEDY };
	if (lack.reason)
		return go_without(&lack, arena, plan, err);
	plan->wanted = true;
	if (plan_delegation(spec, host, arena, plan, &manages, err) < 0)
		return -1;
	return keep_available(top, available, root, manages, arena, plan, err);
}
