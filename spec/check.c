/*
 * Rules that span several properties or look into a string. One row per property: its path, which
 * begins the error, and a function.
 *
 * Rules for a single value are in the tables of spec.c. What depends on the machine is decided when
 * a plan is made: nothing here looks at anything but the configuration.
 */
#include <string.h>

#include "runtime/base/array.h"
#include "spec/names.h"
#include "spec/spec.h"

/* Skips "NUMBER" and then the character `end`, or fails. */
static const char *skip_number(const char *at, char end)
{
	size_t digits = strspn(at, "0123456789");

	if (digits == 0 || (digits > 1 && at[0] == '0') || at[digits] != end)
		return NULL;
	return at + digits + 1;
}

/* Semantic Versioning 2.0.0: 1.MINOR.PATCH[-PRE][+BUILD]. All of major version 1 is compatible. */
static int check_version(const struct spec *spec, struct err *err)
{
	const char *at = spec->oci_version;
	size_t patch;

	at = strncmp(at, "1.", 2) == 0 ? skip_number(at + 2, '.') : NULL;
	patch = at ? strspn(at, "0123456789") : 0;
	if (patch == 0 || (patch > 1 && at[0] == '0') || !strchr("-+", at[patch]) ||
	    strspn(at + patch,
		   "-+.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") !=
		    strlen(at + patch) ||
	    (at[patch] && !at[patch + 1]))
		return field_error(err, "'%s' is not a version 1.x.y of the specification",
				   spec->oci_version);
	return 0;
}

static int check_root(const struct spec *spec, struct err *err)
{
	return spec->root.set ? 0 : field_error(err, "is required");
}

/* process */

static int check_args(const struct spec_process *process, struct err *err)
{
	if (process->args.len == 0)
		return field_error(err, "is required: at least the program to run");
	if (!*process->args.item[0])
		return field_error(err, "the name of the program is empty");
	return 0;
}

static int env_item_check(const char *item, struct err *err)
{
	const char *equals = strchr(item, '=');

	if (!equals)
		return field_error(err, "'%s' is not of the form NAME=VALUE", item);
	return equals == item ? field_error(err, "'%s' has no name", item) : 0;
}

static int env_check(const struct spec_strings *env, struct err *err)
{
	for (size_t i = 0; i < env->len; i++)
		if (env_item_check(env->item[i], err) < 0)
			return field_path(err, "[%zu]", i);
	return 0;
}

static int check_env(const struct spec_process *process, struct err *err)
{
	return env_check(&process->env, err);
}

static int check_rlimits(const struct spec_process *process, struct err *err)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < process->rlimits.len; i++) {
		const struct spec_rlimit *limit = &process->rlimits.item[i];
		const char *name = name_text(rlimit_names, limit->type);

		if (seen & 1ULL << limit->type)
			field_error(err, "%s is there twice", name);
		else if (limit->soft > limit->hard)
			field_error(err, "%s: the soft limit is above the hard limit", name);
		else {
			seen |= 1ULL << limit->type;
			continue;
		}
		return field_path(err, "[%zu]", i);
	}
	return 0;
}

/* sched(7): which policies look at which values. */
enum { NICE = 1, PRIORITY = 2, DEADLINE = 4 };
static const unsigned policy_values[] = {
	[0] = NICE /* OTHER */, [1] = PRIORITY /* FIFO */, [2] = PRIORITY /* RR */,
	[3] = NICE /* BATCH */, [4] = 0 /* ISO */,	   [5] = 0 /* IDLE */,
	[6] = DEADLINE,
};

static int check_scheduler(const struct spec_process *process, struct err *err)
{
	const struct spec_scheduler *scheduler = &process->scheduler;
	const char *policy = name_text(scheduler_policy_names, scheduler->policy);
	unsigned values = policy_values[scheduler->policy];

	if (!scheduler->set)
		return 0;
	if (scheduler->nice && !(values & NICE))
		return field_error(err, "nice means nothing with %s", policy);
	if (scheduler->priority && !(values & PRIORITY))
		return field_error(err, "priority means nothing with %s", policy);
	if (!scheduler->priority && values & PRIORITY)
		return field_error(err, "%s needs a priority of 1 to 99", policy);
	if ((scheduler->runtime || scheduler->deadline || scheduler->period) &&
	    !(values & DEADLINE))
		return field_error(err, "runtime, deadline and period mean nothing with %s",
				   policy);
	return 0;
}

/* Without it landlock_restrict_self(2) needs CAP_SYS_ADMIN, which the program is not to have. */
static int check_landlock(const struct spec_process *process, struct err *err)
{
	if (!process->landlock.set || process->no_new_privileges)
		return 0;
	field_error(err, "needs process.noNewPrivileges");
	return err_hint(err, "set it to true");
}

/* hooks */

static int check_hooks(const struct spec *spec, struct err *err)
{
	for (const struct field *kind = spec_hooks_fields; kind->key; kind++) {
		const char *member = (const char *)&spec->hooks + kind->offset;
		const struct spec_hook_list *hooks = (const void *)member;

		for (size_t i = 0; i < hooks->len; i++)
			if (env_check(&hooks->item[i].env, err) < 0)
				return field_path(err, ".%s[%zu].env", kind->key, i);
	}
	return 0;
}

/* linux */

static int check_namespaces(const struct spec *spec, struct err *err)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < spec->linux.namespaces.len; i++) {
		uint64_t type = spec->linux.namespaces.item[i].type;

		if (seen & type) {
			field_error(err, "%s is there twice", name_text(namespace_names, type));
			return field_path(err, "[%zu]", i);
		}
		seen |= type;
	}
	return 0;
}

static int mappings_check(const struct spec_id_mappings *mappings, struct err *err)
{
	for (size_t i = 0; i < mappings->len; i++) {
		const struct spec_id_mapping *mapping = &mappings->item[i];
		uint32_t end;

		if (__builtin_add_overflow(mapping->container_id, mapping->size, &end) ||
		    __builtin_add_overflow(mapping->host_id, mapping->size, &end)) {
			field_error(err, "reaches beyond the largest id");
			return field_path(err, "[%zu]", i);
		}
	}
	return 0;
}

static int check_uid_mappings(const struct spec *spec, struct err *err)
{
	if (spec->linux.uid_mappings.len == 0 && spec->linux.gid_mappings.len)
		return field_error(err, "is required where linux.gidMappings is given");
	return mappings_check(&spec->linux.uid_mappings, err);
}

static int check_gid_mappings(const struct spec *spec, struct err *err)
{
	if (spec->linux.gid_mappings.len == 0 && spec->linux.uid_mappings.len)
		return field_error(err, "is required where linux.uidMappings is given");
	return mappings_check(&spec->linux.gid_mappings, err);
}

static int check_device_nodes(const struct spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->linux.devices.len; i++) {
		const struct spec_device *device = &spec->linux.devices.item[i];

		if (device->type == 'p' || (device->major.set && device->minor.set))
			continue;
		field_error(err, "is required, but for a FIFO (type 'p')");
		return field_path(err, "[%zu].%s", i, device->major.set ? "minor" : "major");
	}
	return 0;
}

static int check_listener(const struct spec *spec, struct err *err)
{
	const struct spec_seccomp *seccomp = &spec->linux.seccomp;

	if (seccomp->listener_metadata && !seccomp->listener_path)
		return field_error(err, "needs linux.seccomp.listenerPath");
	return 0;
}

/* linux.resources */

static int check_devices(const struct spec_resources *resources, struct err *err)
{
	for (size_t i = 0; i < resources->devices.len; i++) {
		const char *access = resources->devices.item[i].access;

		if (access && strspn(access, "rwm") != strlen(access)) {
			field_error(err, "'%s' is not made of r, w and m", access);
			return field_path(err, "[%zu].access", i);
		}
	}
	return 0;
}

/* The size is part of a file's name: hugetlb.2MB.max. */
static bool is_page_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits && text[0] != '0' && text[digits] && strchr("KMG", text[digits]) &&
	       strcmp(text + digits + 1, "B") == 0;
}

static int check_hugepages(const struct spec_resources *resources, struct err *err)
{
	for (size_t i = 0; i < resources->hugepage_limits.len; i++) {
		const char *size = resources->hugepage_limits.item[i].page_size;

		if (!is_page_size(size)) {
			field_error(err, "'%s' is not a size such as 64KB, 2MB or 1GB", size);
			return field_path(err, "[%zu].pageSize", i);
		}
	}
	return 0;
}

/* The keys are names of files in the container's cgroup, and must not lead out of it. What is
 * written to some is no setting: it moves, stops or ends processes, whoever's. */
static int check_unified(const struct spec_resources *resources, struct err *err)
{
	static const char commands[][16] = { "cgroup.procs", "cgroup.threads", "cgroup.freeze",
					     "cgroup.kill" };

	for (size_t i = 0; i < resources->unified.len; i++) {
		const char *key = resources->unified.item[i].key;

		if (strchr(key, '/') || key[0] == '.')
			return field_error(err, "'%s' is not the name of a file of a cgroup", key);
		for (size_t j = 0; j < ARRAY_LEN(commands); j++)
			if (!strcmp(key, commands[j]))
				return field_error(err, "'%s' is no setting of a cgroup", key);
	}
	return 0;
}

/* clang-format off */
static const struct process_rule {
	const char *path;
	int (*check)(const struct spec_process *process, struct err *err);
} process_rules[] = {
	{ "process.args",      check_args },
	{ "process.env",       check_env },
	{ "process.rlimits",   check_rlimits },
	{ "process.scheduler", check_scheduler },
	{ "process.landlock",  check_landlock },
};

static const struct resources_rule {
	const char *path;
	int (*check)(const struct spec_resources *resources, struct err *err);
} resources_rules[] = {
	{ "linux.resources.devices",        check_devices },
	{ "linux.resources.hugepageLimits", check_hugepages },
	{ "linux.resources.unified",        check_unified },
};

static const struct spec_rule {
	const char *path;
	int (*check)(const struct spec *spec, struct err *err);
} spec_rules[] = {
	{ "ociVersion",                     check_version },
	{ "root",                           check_root },
	{ "hooks",                          check_hooks },
	{ "linux.namespaces",               check_namespaces },
	{ "linux.uidMappings",              check_uid_mappings },
	{ "linux.gidMappings",              check_gid_mappings },
	{ "linux.devices",                  check_device_nodes },
	{ "linux.seccomp.listenerMetadata", check_listener },
};
/* clang-format on */

int spec_process_check(const struct spec_process *process, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(process_rules); i++)
		if (process_rules[i].check(process, err) < 0)
			return field_path(err, "%s", process_rules[i].path);
	return 0;
}

static int check_resources(const struct spec_resources *resources, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(resources_rules); i++)
		if (resources_rules[i].check(resources, err) < 0)
			return field_path(err, "%s", resources_rules[i].path);
	return 0;
}

int spec_check(const struct spec *spec, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(spec_rules); i++)
		if (spec_rules[i].check(spec, err) < 0)
			return field_path(err, "%s", spec_rules[i].path);
	if (!spec->process.set) {
		field_error(err, "is required to create a container");
		return field_path(err, "process");
	}
	if (spec_process_check(&spec->process, err) < 0)
		return -1;
	return check_resources(&spec->linux.resources, err);
}
