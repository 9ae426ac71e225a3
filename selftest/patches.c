/*
 * What a site changes in the configuration under test, see patches.h: merge patches where they can
 * say it (RFC 7396), code where a part of a list is meant.
 */
#include "selftest/patches.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/array.h"
#include "runtime/base/file.h"
#include "spec/names.h"

/* clang-format off */
/* What leaving a layer out means. Lists are replaced as a whole: what can only be told by code is
 * in the functions below. */
static const struct {
	unsigned layer;
	const char *patch;
} left_out[] = {
	{ LAYER_SECCOMP, "{\"linux\":{\"seccomp\":null}}" },
	{ LAYER_LANDLOCK, "{\"process\":{\"landlock\":null},\"annotations\":{\"io.agentd.landlock\":null}}" },
	/* Landlock without no_new_privs is refused. */
	{ LAYER_NO_NEW_PRIVS, "{\"process\":{\"noNewPrivileges\":false,\"landlock\":null},"
			      "\"annotations\":{\"io.agentd.landlock\":null}}" },
	{ LAYER_CAPABILITIES, "{\"process\":{\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":null}}}" },
	{ LAYER_NAMESPACES, "{\"hostname\":null,\"domainname\":null,\"linux\":{\"sysctl\":null}}" },
	{ LAYER_MOUNTS, "{\"root\":{\"readonly\":false},\"linux\":{\"maskedPaths\":[],\"readonlyPaths\":[]}}" },
	{ LAYER_CGROUP, "{\"linux\":{\"resources\":null}}" },
	{ LAYER_RLIMITS, "{\"process\":{\"rlimits\":[]}}" },
};
/* clang-format on */

/* --- trees ----------------------------------------------------------------------------------- */

/* A member of a tree that is ours to change; NULL if there is none. */
static struct json *member(struct json *object, const char *key)
{
	for (struct json *at = object ? object->first : NULL; at; at = at->next)
		if (strcmp(at->key, key) == 0)
			return at;
	return NULL;
}

static struct json *member_array(struct json *object, const char *key, struct arena *arena)
{
	struct json *array = member(object, key);

	return array ? array : json_array(object, key, arena);
}

static const char *member_text(struct json *object, const char *key)
{
	const struct json *value = member(object, key);

	return value && value->text ? value->text : "";
}

/* Takes the children of a list out for which `unwanted` is true. */
static void list_remove(struct json *list, bool (*unwanted)(struct json *item))
{
	struct json *item = list ? list->first : NULL;

	if (!list)
		return;
	list->first = list->last = NULL;
	list->len = 0;
	while (item) {
		struct json *next = item->next;

		item->next = NULL;
		if (!unwanted(item))
			json_add(list, NULL, item);
		item = next;
	}
}

/* A merge of our own patch: its text is right. */
struct json *patch_merge(const struct json *config, const char *patch, struct arena *arena)
{
	struct json *change;
	struct err err;

	if (json_parse(patch, strlen(patch), arena, &change, &err) < 0)
		return json_merge(config, config, arena);
	return json_merge(config, change, arena);
}

static void add_words(struct json *array, const char *const *words, size_t len, struct arena *arena)
{
	for (size_t i = 0; i < len; i++)
		json_string(array, NULL, words[i], arena);
}

/* --- leaving layers out ---------------------------------------------------------------------- */

static bool is_separable(struct json *namespace)
{
	static const char *const types[] = { "network", "ipc", "uts", "cgroup" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(member_text(namespace, "type"), types[i]) == 0)
			return true;
	return false;
}

static bool is_queues(struct json *mount)
{
	return strcmp(member_text(mount, "type"), "mqueue") == 0;
}

/* Who is root of a user namespace alone may not mount what belongs to the host's others: its /sys
 * is lent, its message queues (/dev/mqueue) no attempt needs. */
static void lend_filesystems(struct json *config, struct arena *arena)
{
	struct json *mounts = member(config, "mounts");

	list_remove(mounts, is_queues);
	for (struct json *mount = mounts ? mounts->first : NULL; mount; mount = mount->next) {
		if (strcmp(member_text(mount, "type"), "sysfs") != 0)
			continue;
		member(mount, "type")->text = "bind";
		if (!member(mount, "source"))
			json_string(mount, "source", "", arena);
		member(mount, "source")->text = "/sys";
		json_string(member_array(mount, "options", arena), NULL, "rbind", arena);
	}
}

static void share_namespaces(struct json *config, struct arena *arena)
{
	struct json *namespaces = member(member(config, "linux"), "namespaces");

	list_remove(namespaces, is_separable);
	for (struct json *at = namespaces ? namespaces->first : NULL; at; at = at->next)
		if (strcmp(member_text(at, "type"), "user") == 0)
			lend_filesystems(config, arena);
}

static bool is_restriction(struct json *option)
{
	static const char *const words[] = { "ro", "nosuid", "nodev", "noexec" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (option->text && strcmp(option->text, words[i]) == 0)
			return true;
	return false;
}

static void lift_mount_options(struct json *config)
{
	struct json *mounts = member(config, "mounts");

	for (struct json *mount = mounts ? mounts->first : NULL; mount; mount = mount->next)
		list_remove(member(mount, "options"), is_restriction);
}

static void grant_capabilities(struct json *config, const struct host *host, struct arena *arena)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };
	struct json *process = member(config, "process");
	struct json *capabilities = member(process, "capabilities");

	if (!capabilities)
		capabilities = json_object(process, "capabilities", arena);
	capabilities->first = capabilities->last = NULL;
	capabilities->len = 0;
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		struct json *set = json_array(capabilities, sets[i], arena);

		for (const struct name *row = capability_names; *row->name; row++)
			if (row->value <= (uint64_t)host->last_cap)
				json_string(set, NULL, row->name, arena);
	}
}

struct json *patch_leave_out(const struct stage *stage, struct json *config, unsigned layers)
{
	for (size_t i = 0; i < ARRAY_LEN(left_out); i++)
		if (layers & left_out[i].layer)
			config = patch_merge(config, left_out[i].patch, stage->arena);
	if (layers & LAYER_CAPABILITIES)
		grant_capabilities(config, stage->host, stage->arena);
	if (layers & LAYER_NAMESPACES)
		share_namespaces(config, stage->arena);
	if (layers & LAYER_MOUNTS)
		lift_mount_options(config);
	return config;
}

/* --- marker ---------------------------------------------------------------------------------- */

/* Refusals of every kind become an errno that nothing else in the kernel gives. */
static void mark(struct json *object, const char *action_key, const char *errno_key,
		 struct arena *arena)
{
	static const char *const refusals[] = { "SCMP_ACT_ERRNO", "SCMP_ACT_KILL",
						"SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
						"SCMP_ACT_TRAP" };
	struct json *action = member(object, action_key), *number = member(object, errno_key);

	for (size_t i = 0; action && i < ARRAY_LEN(refusals); i++) {
		if (!action->text || strcmp(action->text, refusals[i]) != 0)
			continue;
		action->text = "SCMP_ACT_ERRNO";
		if (!number)
			number = json_unsigned(object, errno_key, 0, arena);
		number->kind = JSON_NUMBER;
		number->text = arena_format(arena, "%d", MARKER_ERRNO);
		return;
	}
}

void patch_mark(struct json *config, struct arena *arena)
{
	struct json *seccomp = member(member(config, "linux"), "seccomp");
	struct json *rules = member(seccomp, "syscalls");

	mark(seccomp, "defaultAction", "defaultErrnoRet", arena);
	for (struct json *rule = rules ? rules->first : NULL; rule; rule = rule->next)
		mark(rule, "action", "errnoRet", arena);
}

/* --- twin ------------------------------------------------------------------------------------ */

/* As many ids from 0 on as we have, up to 65536; an ordinary user has his own. */
static struct spec_id_mapping twin_mapping(const struct stage *stage, uint32_t own)
{
	unsigned first, outer, size;
	char text[128];

	if (!stage->host->privileged || own != 0)
		return (struct spec_id_mapping){ 0, own, 1 };
	if (file_read_small(AT_FDCWD, "/proc/self/uid_map", text, sizeof(text)) < 0 ||
	    sscanf(text, "%u %u %u", &first, &outer, &size) != 3 || first != 0 || size > 65536)
		size = 65536;
	return (struct spec_id_mapping){ 0, 0, size };
}

const struct json *patch_twin(const struct stage *stage)
{
	struct spec_id_mapping uids = twin_mapping(stage, stage->host->uid);
	struct spec_id_mapping gids = twin_mapping(stage, stage->host->gid);
	struct spec_default with = { .rootless = true,
				     .uid_mappings = { &uids, 1 },
				     .gid_mappings = { &gids, 1 } };

	return spec_default(&with, stage->arena);
}

/* --- what the canary needs ------------------------------------------------------------------- */

void patch_bind(struct json *config, const char *source, const char *destination,
		const char *access, struct arena *arena)
{
	const char *const options[] = { "bind", access };
	struct json *mount = json_object(member_array(config, "mounts", arena), NULL, arena);

	json_string(mount, "destination", destination, arena);
	json_string(mount, "type", "bind", arena);
	json_string(mount, "source", source, arena);
	add_words(json_array(mount, "options", arena), options, ARRAY_LEN(options), arena);
}

/* The rules of the bundle may let nobody execute what lies in our directory. */
void patch_allow(struct json *config, const char *path, struct arena *arena)
{
	static const char *const rights[] = { "execute", "read_file" };
	struct json *landlock = member(member(config, "process"), "landlock");
	struct json *rule;

	if (!landlock)
		return;
	rule = json_object(member_array(landlock, "pathBeneath", arena), NULL, arena);
	add_words(json_array(rule, "allowedAccess", arena), rights, ARRAY_LEN(rights), arena);
	json_string(json_array(rule, "parent", arena), NULL, path, arena);
}

struct json *patch_process(struct json *config, const char *canary, struct arena *arena)
{
	struct json *process;

	config = patch_merge(config,
			     "{\"process\":{\"terminal\":false,\"consoleSize\":null,\"args\":[]},"
			     "\"linux\":{\"cgroupsPath\":null}}",
			     arena);
	process = member(config, "process");
	add_words(member(process, "args"), (const char *const[]){ canary, "attempts" }, 2, arena);
	return config;
}

void patch_root(struct json *config, const char *path)
{
	struct json *root = member(config, "root");

	for (struct json *at = root ? root->first : NULL; at; at = at->next)
		if (strcmp(at->key, "path") == 0)
			at->text = path;
}
