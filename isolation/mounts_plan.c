/*
 * What is decided of mounts[], see mounts.h: kinds, which options each kind may have, what goes to
 * fsconfig(2), which destinations are refused. Pure; carried out in mounts.c.
 */
#include <errno.h>
#include <string.h>

#include "isolation/mounts.h"
#include "isolation/path.h"
#include "isolation/tree.h"
#include "runtime/base/names.h"

static const struct name super_names[] = {
	{ "ro", MS_RDONLY },
	{ "sync", MS_SYNCHRONOUS },
	{ "dirsync", MS_DIRSYNC },
	{ "lazytime", MS_LAZYTIME },
	{ .name = "" },
};

/*
 * "ro" makes the mount read-only, and the superblock too unless it is one of these: theirs is
 * shared with the host, or has to be filled first.
 */
static const char *const read_only_by_mount[] = {
	"tmpfs",   "ramfs",	"proc",	      "sysfs",	     "devpts",	"devtmpfs", "mqueue",
	"cgroup2", "hugetlbfs", "bpf",	      "debugfs",     "tracefs", "configfs", "fusectl",
	"pstore",  "efivarfs",	"securityfs", "binfmt_misc", NULL,
};

/* Cannot have a label of their own: the policy labels what is in them. */
static const char *const without_label[] = { "proc", "sysfs", "mqueue", "cgroup2", NULL };

/* All that may be mounted on inside of /proc (emulated by LXCFS, or switched by CRIU and FIPS). */
static const char *const proc_files[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/uptime",
	"/proc/loadavg",
	"/proc/slabinfo",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/sys/crypto/fips_enabled",
	NULL,
};

/* We work in them when they are mounted, so it must be known where they are. */
static const char *const guarded[] = { "/proc", "/sys", "/dev", NULL };

static bool is_one_of(const char *text, const char *const list[])
{
	for (; *list; list++)
		if (!strcmp(*list, text))
			return true;
	return false;
}

static bool is_type(const struct mount_row *row, const char *type)
{
	return row->kind == MOUNT_FILESYSTEM && !strcmp(row->type, type);
}

/* A bind option decides whatever the type says: the kernel ignores the type then (mount(2)). */
static int plan_kind(const struct spec_mount *mount, const struct host *host, uint64_t own,
		     const char *bundle, struct arena *arena, struct mount_row *row,
		     struct err *err)
{
	const char *type = mount->type ? mount->type : "none";

	row->type = type;
	row->source = mount->source;
	if (row->flags.what & MOUNT_OPTION_REMOUNT) {
		row->kind = MOUNT_REMOUNT;
	} else if (row->flags.what & (MOUNT_OPTION_BIND | MOUNT_OPTION_RBIND) ||
		   !strcmp(type, "bind")) {
		row->kind = MOUNT_BIND;
		row->type = "bind";
		if (!mount->source)
			return err_set(err, EINVAL, "source: is required for a bind mount");
		if (mount->source[0] != '/')
			row->source = arena_format(arena, "%s/%s", bundle, mount->source);
	} else if (!strcmp(type, "none") || !*type) {
		return err_set(err, EINVAL,
			       "type: is required; only a bind mount ('bind' or 'rbind' in its "
			       "options) has none");
	} else if (strcmp(type, "cgroup") && strcmp(type, "cgroup2")) {
		row->kind = MOUNT_FILESYSTEM;
	} else if (own & CLONE_NEWCGROUP) {
		row->kind = MOUNT_FILESYSTEM;
		row->type = "cgroup2";
	} else {
		/* Without a cgroup namespace it is the host's: never writable (CVE-2023-25809). */
		row->kind = MOUNT_CGROUP;
		row->source = host->cgroup_root;
		row->flags.attr_set |= SYS_MOUNT_ATTR_RDONLY;
		row->flags.attr_clear &= ~(uint64_t)SYS_MOUNT_ATTR_RDONLY;
		if (!host->cgroup_root)
			return err_set(
				err, ENOENT,
				"type: '%s': cgroup v2 is not mounted on this machine; mount "
				"cgroup2, give the container a cgroup namespace, or leave "
				"this mount out",
				type);
	}
	return 0;
}

/* What only a new filesystem can have is refused for the others: the kernel would ignore it. */
static int check_options(const struct mount_row *row, struct err *err)
{
	const char *word = row->flags.data_len ? row->flags.data[0] : NULL;

	for (const struct name *flag = super_names; !word && *flag->name; flag++)
		if (row->flags.super & flag->value)
			word = flag->name;
	if (word && row->kind != MOUNT_FILESYSTEM)
		return err_set(err, EINVAL,
			       "options: '%s' is an option of a filesystem; %s takes none", word,
			       row->kind == MOUNT_REMOUNT  ? "a remount"
			       : row->kind == MOUNT_CGROUP ? "a cgroup mount"
							   : "a bind mount");
	if ((row->flags.what & MOUNT_OPTION_TMPCOPYUP) && !is_type(row, "tmpfs"))
		return err_set(err, EINVAL, "options: 'tmpcopyup' is for tmpfs alone");
	return 0;
}

static int plan_destination(const char *destination, struct arena *arena, struct mount_row *row,
			    struct err *err)
{
	row->destination = path_clean("/", destination, arena);
	row->destination_len = strlen(row->destination);
	if (!strcmp(row->destination, "/"))
		return err_set(err, EINVAL,
			       "destination: '%s' is the root filesystem itself; use root.path",
			       destination);
	row->in_proc = !strcmp(row->destination, "/proc") ||
		       is_one_of(row->destination, proc_files);
	if (!strncmp(row->destination, "/proc/", 6) && !row->in_proc)
		return err_set(err, EPERM,
			       "destination: %s: mounting inside of /proc is not allowed, but for "
			       "a few files such as /proc/cpuinfo",
			       row->destination);
	return 0;
}

static void plan_read_only(struct mount_row *row)
{
	struct mount_flags *flags = &row->flags;

	if (!(flags->attr_set & SYS_MOUNT_ATTR_RDONLY))
		return;
	if (is_type(row, "tmpfs") || !strcmp(row->destination, "/dev")) {
		row->late_read_only = true;
		flags->attr_set &= ~(uint64_t)SYS_MOUNT_ATTR_RDONLY;
	} else if (!is_one_of(row->type, read_only_by_mount)) {
		flags->super |= MS_RDONLY;
	}
}

static int plan_filesystem(const struct spec *spec, uint64_t own, struct arena *arena,
			   struct mount_row *row, struct err *err)
{
	const struct mount_flags *flags = &row->flags;
	bool mode = false, owner = false;

	/* Nothing is mounted below a new filesystem. */
	row->flags.attr_set = mount_flags_set(flags);
	row->flags.rec_set = row->flags.rec_clear = 0;
	plan_read_only(row);
	row->fallback_bind = is_type(row, "sysfs") ||
			     (is_type(row, "proc") && !(own & CLONE_NEWPID));
	row->options = arena_new_array(arena, const char *, flags->data_len + 8);
	if (row->source && strlen(row->source) > TREE_OPTION_MAX)
		return err_set(err, EINVAL,
			       "source: is longer than the %d bytes that the kernel takes",
			       TREE_OPTION_MAX);
	if (row->source)
		row->options[row->options_len++] = arena_format(arena, "source=%s", row->source);
	for (const struct name *flag = super_names; *flag->name; flag++)
		if (flags->super & flag->value)
			row->options[row->options_len++] = flag->name;
	for (size_t i = 0; i < flags->data_len; i++) {
		row->options[row->options_len++] = flags->data[i];
		mode = mode || !strncmp(flags->data[i], "mode=", 5);
		owner = owner || !strncmp(flags->data[i], "uid=", 4) ||
			!strncmp(flags->data[i], "gid=", 4);
	}
	if (spec->linux.mount_label && !is_one_of(row->type, without_label))
		row->options[row->options_len++] =
			arena_format(arena, "context=%s", spec->linux.mount_label);
	row->keep_mode = is_type(row, "tmpfs") && !mode;
	row->keep_owner = (flags->what & MOUNT_OPTION_TMPCOPYUP) && !owner;
	return 0;
}

static int plan_row(const struct spec *spec, const struct host *host, uint64_t own,
		    const char *bundle, const struct spec_mount *mount, struct arena *arena,
		    struct mount_row *row, struct err *err)
{
	if (plan_destination(mount->destination, arena, row, err) < 0 ||
	    mount_options_parse(&mount->options, arena, &row->flags, err) < 0 ||
	    plan_kind(mount, host, own, bundle, arena, row, err) < 0 || check_options(row, err) < 0)
		return -1;
	row->guarded = is_type(row, "proc") || is_type(row, "sysfs") ||
		       is_one_of(row->destination, guarded);
	return row->kind == MOUNT_FILESYSTEM ? plan_filesystem(spec, own, arena, row, err) : 0;
}

/* A remount speaks of what is on top there: "rw" takes back its "ro" that is yet to come. */
static void plan_remount(struct mounts_plan *plan, const struct mount_row *remount)
{
	if (!(remount->flags.attr_clear & SYS_MOUNT_ATTR_RDONLY))
		return;
	for (size_t i = remount->index; i-- > 0;) {
		struct mount_row *row = &plan->row[i];

		if (row->kind == MOUNT_REMOUNT || strcmp(row->destination, remount->destination))
			continue;
		row->late_read_only = false;
		return;
	}
}

int mounts_plan(const struct spec *spec, const struct host *host, uint64_t own, const char *bundle,
		struct arena *arena, struct mounts_plan *plan, struct err *err)
{
	if (spec->linux.mount_label && !host->selinux)
		return err_set(err, ENOTSUP,
			       "linux.mountLabel '%s': SELinux is not enabled on this host; "
			       "boot with selinux=1, or remove the property",
			       spec->linux.mount_label);
	*plan = (struct mounts_plan){ .len = spec->mounts.len };
	plan->row = arena_new_array(arena, struct mount_row, plan->len);
	for (size_t i = 0; i < plan->len; i++) {
		plan->row[i].index = i;
		if (plan_row(spec, host, own, bundle, &spec->mounts.item[i], arena, &plan->row[i],
			     err) < 0)
			return err_within(err, "mounts[%zu]", i);
		if (plan->row[i].kind == MOUNT_REMOUNT)
			plan_remount(plan, &plan->row[i]);
	}
	return 0;
}
