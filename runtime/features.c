/*
 * `agentd features`, see features.h. Every list comes from the table that also decodes the
 * configuration, so that what is told and what is accepted cannot drift apart.
 */
#include "runtime/features.h"

#include "isolation/mount_options.h"
#include "isolation/seccomp.h"
#include "runtime/base/sys.h"
#include "runtime/version.h"
#include "spec/names.h"
#include "spec/spec.h"

static void add_names(struct json *parent, const char *key, const struct name *table,
		      struct arena *arena)
{
	struct json *array = json_array(parent, key, arena);

	for (; *table->name; table++)
		json_string(array, NULL, table->name, arena);
}

/* The names whose bit is in the mask. */
static void add_mask(struct json *parent, const char *key, const struct name *table, uint64_t mask,
		     struct arena *arena)
{
	struct json *array = json_array(parent, key, arena);

	for (; *table->name; table++)
		if (table->value & mask)
			json_string(array, NULL, table->name, arena);
}

static void add_enabled(struct json *parent, const char *key, bool enabled, struct arena *arena)
{
	json_boolean(json_object(parent, key, arena), "enabled", enabled, arena);
}

static void add_hooks(struct json *parent, struct arena *arena)
{
	struct json *array = json_array(parent, "hooks", arena);

	for (const struct field *kind = spec_hooks_fields; kind->key; kind++)
		json_string(array, NULL, kind->key, arena);
}

static void add_mount_options(struct json *parent, struct arena *arena)
{
	struct json *array = json_array(parent, "mountOptions", arena);

	for (const struct mount_option *option = mount_options; *option->name; option++)
		if (!(option->what & MOUNT_OPTION_LATER))
			json_string(array, NULL, option->name, arena);
}

static void add_cgroup(struct json *parent, struct arena *arena)
{
	struct json *cgroup = json_object(parent, "cgroup", arena);

	json_boolean(cgroup, "v1", false, arena);
	json_boolean(cgroup, "v2", true, arena);
	json_boolean(cgroup, "systemd", false, arena);
	json_boolean(cgroup, "systemdUser", false, arena);
	json_boolean(cgroup, "rdma", true, arena);
}

static void add_seccomp(struct json *parent, struct arena *arena)
{
	struct json *seccomp = json_object(parent, "seccomp", arena), *supported;

	json_boolean(seccomp, "enabled", true, arena);
	add_names(seccomp, "actions", seccomp_action_names, arena);
	add_names(seccomp, "operators", seccomp_operator_names, arena);
	add_names(seccomp, "archs", seccomp_architecture_names, arena);
	add_names(seccomp, "knownFlags", seccomp_flag_names, arena);
	supported = json_array(seccomp, "supportedFlags", arena);
	for (const struct name *flag = seccomp_flag_names; *flag->name; flag++)
		if (seccomp_flag_supported((uint32_t)flag->value))
			json_string(supported, NULL, flag->name, arena);
}

static void add_linux(struct json *parent, struct arena *arena)
{
	struct json *object = json_object(parent, "linux", arena), *policy, *extensions, *rdt;

	add_names(object, "namespaces", namespace_names, arena);
	add_names(object, "capabilities", capability_names, arena);
	add_cgroup(object, arena);
	add_seccomp(object, arena);
	add_enabled(object, "apparmor", true, arena);
	add_enabled(object, "selinux", true, arena);
	policy = json_object(object, "memoryPolicy", arena);
	add_names(policy, "modes", memory_policy_mode_names, arena);
	add_names(policy, "flags", memory_policy_flag_names, arena);
	rdt = json_object(object, "intelRdt", arena);
	json_boolean(rdt, "enabled", false, arena);
	extensions = json_object(object, "mountExtensions", arena);
	add_enabled(extensions, "idmap", false, arena);
	add_enabled(object, "netDevices", false, arena);
}

/* What this kernel enforces of what this build knows: the specification has no place for it yet. */
static const char *landlock_text(const struct host *host, struct arena *arena)
{
	int abi = host->landlock_abi < LANDLOCK_ABI_NEWEST ? host->landlock_abi
							   : LANDLOCK_ABI_NEWEST;
	const struct landlock_abi *rights = &landlock_abis[abi];
	struct json *object = json_object(NULL, NULL, arena);
	int errata = sys_landlock_create_ruleset(NULL, 0, SYS_LANDLOCK_CREATE_RULESET_ERRATA);
	size_t size;

	json_integer(object, "abi", host->landlock_abi, arena);
	json_integer(object, "errata", errata < 0 ? 0 : errata, arena);
	add_mask(object, "fs", landlock_fs_names, rights->fs, arena);
	add_mask(object, "net", landlock_net_names, rights->net, arena);
	add_mask(object, "scoped", landlock_scope_names, rights->scoped, arena);
	return json_print(object, false, arena, &size);
}

struct json *features(const struct host *host, struct arena *arena)
{
	struct json *object = json_object(NULL, NULL, arena), *annotations;

	json_string(object, "ociVersionMin", SPEC_OCI_VERSION_MIN, arena);
	json_string(object, "ociVersionMax", SPEC_OCI_VERSION, arena);
	add_hooks(object, arena);
	add_mount_options(object, arena);
	add_linux(object, arena);
	annotations = json_object(object, "annotations", arena);
	json_string(annotations, "io.agentd.version", AGENTD_VERSION, arena);
	json_string(annotations, "io.agentd.landlock", landlock_text(host, arena), arena);
	json_string(annotations, "io.github.seccomp.libseccomp.version",
		    seccomp_library_version(arena), arena);
	json_string(annotations, "org.opencontainers.runc.checkpoint.enabled", "false", arena);
	/* those that make a container less isolated than its configuration says: none */
	json_array(object, "potentiallyUnsafeConfigAnnotations", arena);
	return object;
}
