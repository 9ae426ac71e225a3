/*
 * linux.sysctl, see sysctl.h: one table says which namespace a key belongs to. A key that belongs
 * to none would change the host, and is refused whatever the caller's privileges.
 *
 * A value that ends a line or a key that climbs out of /proc/sys has let containers write any
 * sysctl (CVE-2022-0811): both are refused before anything is looked up.
 */
#include "isolation/sysctl.h"

#include <string.h>

#include "isolation/path.h"
#include "isolation/proc.h"
#include "runtime/base/sys.h"

struct sysctl_rule {
	const char *key;    /* with '/'; one that ends with '/' stands for all below it */
	uint64_t namespace; /* CLONE_NEWX that must be the container's own; 0: refused */
	const char *word;   /* its name in linux.namespaces; refused: why */
};

/* clang-format off */
static const struct sysctl_rule rules[] = {
	{ "kernel/msgmax",          CLONE_NEWIPC,  "ipc" },
	{ "kernel/msgmnb",          CLONE_NEWIPC,  "ipc" },
	{ "kernel/msgmni",          CLONE_NEWIPC,  "ipc" },
	{ "kernel/sem",             CLONE_NEWIPC,  "ipc" },
	{ "kernel/shmall",          CLONE_NEWIPC,  "ipc" },
	{ "kernel/shmmax",          CLONE_NEWIPC,  "ipc" },
	{ "kernel/shmmni",          CLONE_NEWIPC,  "ipc" },
	{ "kernel/shm_rmid_forced", CLONE_NEWIPC,  "ipc" },
	{ "fs/mqueue/",             CLONE_NEWIPC,  "ipc" },
	{ "net/",                   CLONE_NEWNET,  "network" },
	{ "kernel/domainname",      CLONE_NEWUTS,  "uts" },
	{ "user/",                  CLONE_NEWUSER, "user" },
	{ "kernel/hostname",        0,             "use the property hostname instead" },
	{ "",                       0,             "it belongs to no namespace and would change the host" },
};
/* clang-format on */

static bool rule_matches(const struct sysctl_rule *rule, const char *key)
{
	size_t len = strlen(rule->key);

	if (len == 0)
		return true;
	return rule->key[len - 1] == '/' ? strncmp(key, rule->key, len) == 0
					 : strcmp(key, rule->key) == 0;
}

/* The last row matches everything. */
static const struct sysctl_rule *rule_find(const char *key)
{
	const struct sysctl_rule *rule = rules;

	while (!rule_matches(rule, key))
		rule++;
	return rule;
}

/*
 * sysctl.d(5): the first separator decides. After a '.' the two change places, so that a name that
 * has a dot in it can be written: "net.ipv4.conf.eth0/1.forwarding" is the interface eth0.1.
 */
static char *key_to_path(const char *key, struct arena *arena)
{
	char *path = arena_copy(arena, key, strlen(key));
	char *first = strpbrk(path, "./");

	if (!first || *first == '/')
		return path;
	for (char *at = first; *at; at++)
		*at = *at == '.' ? '/' : *at == '/' ? '.' : *at;
	return path;
}

int sysctl_plan(const struct spec *spec, uint64_t own, struct arena *arena,
		struct sysctl_plan *plan, struct err *err)
{
	const struct spec_map *map = &spec->linux.sysctl;

	plan->row = arena_new_array(arena, struct sysctl_row, map->len);
	plan->len = map->len;
	for (size_t i = 0; i < map->len; i++) {
		const char *key = map->item[i].key, *path = key_to_path(key, arena);
		const struct sysctl_rule *rule;

		if (strchr(key, '\n') || !path_is_plain(path))
			return err_set(err, EINVAL,
				       "linux.sysctl '%s': is not the name of a sysctl", key);
		if (strchr(map->item[i].value, '\n'))
			return err_set(err, EINVAL,
				       "linux.sysctl '%s': a value must not have line breaks", key);
		rule = rule_find(path);
		if (!rule->namespace)
			return err_set(err, EPERM, "linux.sysctl '%s': not allowed: %s", key,
				       rule->word);
		if (!(own & rule->namespace))
			return err_set(err, EPERM,
				       "linux.sysctl '%s': not allowed: the container shares the "
				       "%s namespace of the host; add {\"type\": \"%s\"} to "
				       "linux.namespaces",
				       key, rule->word, rule->word);
		plan->row[i] = (struct sysctl_row){
			.path = arena_format(arena, "sys/%s", path),
			.value = map->item[i].value,
			.key = key,
		};
	}
	return 0;
}

int sysctl_apply(const struct sysctl_plan *plan, int proc, struct err *err)
{
	for (size_t i = 0; i < plan->len; i++)
		if (proc_write(proc, plan->row[i].path, plan->row[i].value, err) < 0)
			return err_wrap(err, "linux.sysctl '%s'", plan->row[i].key);
	return 0;
}
