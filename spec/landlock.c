/*
 * Landlock in the configuration: two spellings, one struct spec_landlock.
 *
 * Ours follows landlockconfig: mode, minimumAbi, abi, ruleset, pathBeneath, netPort, log. The other
 * is that of the proposal for the runtime specification (pull request 1241): handledAccess, rules,
 * enableBestEffort. A rule may allow only what is handled, and what is handled must be said: a
 * ruleset that handles just what its rules name would leave all else open.
 */
#include "spec/landlock.h"

#include <inttypes.h>

#include "runtime/base/sys.h"
#include "spec/names.h"
#include "spec/spec.h"

/* clang-format off */
static const struct name mode_names[] = {
	{ "enforce",    LANDLOCK_ENFORCE },
	{ "bestEffort", LANDLOCK_BEST_EFFORT },
	{ .name = "" },
};

/* Groups are bits that no right has, until the ABI that they depend on is known: expand(). */
#define GROUP_ALL          (1ULL << 63)
#define GROUP_READ_EXECUTE (1ULL << 62)
#define GROUP_READ_WRITE   (1ULL << 61)
#define GROUPS             (GROUP_ALL | GROUP_READ_EXECUTE | GROUP_READ_WRITE)

static const struct name fs_groups[] = {
	{ "abi.all",          GROUP_ALL },
	{ "abi.read_execute", GROUP_READ_EXECUTE },
	{ "abi.read_write",   GROUP_READ_WRITE },
	{ .name = "" },
};
static const struct name all_group[] = {
	{ "abi.all", GROUP_ALL },
	{ .name = "" },
};
static const struct name proposal_net_names[] = {
	{ "bind",    1ULL << 0 }, /* bind_tcp */
	{ "connect", 1ULL << 1 }, /* connect_tcp */
	{ .name = "" },
};
/* clang-format on */

/* What the words of a list of rights may be. */
struct vocabulary {
	const struct name *names, *groups;
};
static const struct vocabulary fs_words = { landlock_fs_names, fs_groups };
static const struct vocabulary net_words = { landlock_net_names, all_group };
static const struct vocabulary scope_words = { landlock_scope_names, all_group };
static const struct vocabulary proposal_net_words = { proposal_net_names, landlock_net_names };

/* A list of rights: words, groups, and numbers for rights that have no word here yet. */
static int rights_decode(const struct field *field, const struct json *from, void *member,
			 struct arena *arena, struct err *err)
{
	static const struct field_range numbers = { .min = 1, .max = GROUP_READ_WRITE - 1 };
	const struct vocabulary *words = field->arg;
	size_t i = 0;

	(void)arena;
	if (field_array(from, "an array of rights", err) < 0)
		return -1;
	for (const struct json *child = from->first; child; child = child->next, i++) {
		uint64_t right;

		if (child->kind == JSON_NUMBER) {
			if (field_integer(child, &numbers, err) < 0)
				return field_path(err, "[%zu]", i);
			json_u64(child, &right);
		} else if (child->kind != JSON_STRING) {
			field_type_error(child, "a word or a number", err);
			return field_path(err, "[%zu]", i);
		} else if (!name_value(words->names, child->text, &right) &&
			   !name_value(words->groups, child->text, &right)) {
			field_error(err, "unknown name '%s'", child->text);
			return field_path(err, "[%zu]", i);
		}
		*(uint64_t *)member |= right;
	}
	return 0;
}

static void rights_encode(const struct field *field, const void *member, struct json *parent,
			  struct arena *arena)
{
	const struct vocabulary *words = field->arg;
	uint64_t rights = *(const uint64_t *)member;
	struct json *list;

	if (!rights)
		return;
	list = json_array(parent, field->key, arena);
	for (const struct name *name = words->names; *name->name; name++)
		if (rights & name->value)
			json_string(list, NULL, name->name, arena);
	for (const struct name *name = words->names; *name->name; name++)
		rights &= ~name->value;
	if (rights)
		json_unsigned(list, NULL, rights, arena);
}

static const struct field_kind rights = { rights_decode, rights_encode };

/* A list of ports; the proposal has them as strings in one place and as integers in another. */
static int ports_decode(const struct field *field, const struct json *from, void *member,
			struct arena *arena, struct err *err)
{
	struct spec_u64s *to = member;

	(void)field;
	if (field_array(from, "an array of ports", err) < 0)
		return -1;
	to->item = arena_new_array(arena, uint64_t, from->len);
	for (const struct json *child = from->first; child; child = child->next) {
		struct json port = *child;

		if (port.kind == JSON_STRING && *port.text)
			port.kind = JSON_NUMBER;
		if (field_integer(&port, RANGE(0, UINT16_MAX), err) < 0)
			return field_path(err, "[%zu]", to->len);
		json_u64(&port, &to->item[to->len++]);
	}
	return 0;
}

static void ports_encode(const struct field *field, const void *member, struct json *parent,
			 struct arena *arena)
{
	const struct spec_u64s *from = member;
	struct json *list = json_array(parent, field->key, arena);

	for (size_t i = 0; i < from->len; i++)
		json_unsigned(list, NULL, from->item[i], arena);
}

static const struct field_kind ports = { ports_decode, ports_encode };

/* A boolean that is a flag of landlock_restrict_self(2) if it differs from its default. */
struct log_flag {
	uint64_t flag;
	bool when;
};

static int log_flag_decode(const struct field *field, const struct json *from, void *member,
			   struct arena *arena, struct err *err)
{
	const struct log_flag *flag = field->arg;
	bool truth;

	if (field_bool.decode(field, from, &truth, arena, err) < 0)
		return -1;
	if (truth == flag->when)
		*(uint64_t *)member |= flag->flag;
	return 0;
}

static void log_flag_encode(const struct field *field, const void *member, struct json *parent,
			    struct arena *arena)
{
	const struct log_flag *flag = field->arg;

	if (*(const uint64_t *)member & flag->flag)
		json_boolean(parent, field->key, flag->when, arena);
}

static const struct field_kind log_flag = { log_flag_decode, log_flag_encode };

static int best_effort_decode(const struct field *field, const struct json *from, void *member,
			      struct arena *arena, struct err *err)
{
	bool truth;

	if (field_bool.decode(field, from, &truth, arena, err) < 0)
		return -1;
	*(uint64_t *)member = truth ? LANDLOCK_BEST_EFFORT : LANDLOCK_ENFORCE;
	return 0;
}

/* The proposal is only read: what we write is ours. */
static void never_encode(const struct field *field, const void *member, struct json *parent,
			 struct arena *arena)
{
	(void)field, (void)member, (void)parent, (void)arena;
}

static const struct field_kind best_effort = { best_effort_decode, never_encode };

/* clang-format off */
#define RIGHTS(key, T, m, flags, words) CUSTOM(key, T, m, uint64_t, flags, rights, &(words))
#define PORTS(key)                      CUSTOM(key, struct spec_landlock_port, ports, struct spec_u64s, REQUIRED, ports, NULL)
#define LOG_FLAG(key, flag, when) \
	CUSTOM(key, struct spec_landlock, restrict_flags, uint64_t, 0, log_flag, (&(const struct log_flag){ flag, when }))

static const struct field ruleset_fields[] = {
	RIGHTS("handledAccessFs",  struct spec_landlock, handled_fs, 0, fs_words),
	RIGHTS("handledAccessNet", struct spec_landlock, handled_net, 0, net_words),
	RIGHTS("scoped",           struct spec_landlock, scoped, 0, scope_words),
	{ 0 },
};

static const struct field path_fields[] = {
	RIGHTS ("allowedAccess", struct spec_landlock_path, allowed, REQUIRED, fs_words),
	STRINGS("parent",        struct spec_landlock_path, paths, REQUIRED | ABSOLUTE),
	{ 0 },
};

static const struct field port_fields[] = {
	RIGHTS("allowedAccess", struct spec_landlock_port, allowed, REQUIRED, net_words),
	PORTS ("port"),
	{ 0 },
};

static const struct field log_fields[] = {
	LOG_FLAG("sameExec",   SYS_LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF, false),
	LOG_FLAG("newExec",    SYS_LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON, true),
	LOG_FLAG("subdomains", SYS_LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF, false),
	{ 0 },
};
/* clang-format on */

/* One ruleset, or a list of them, which handle what any of them does. */
static int ruleset_decode(const struct field *field, const struct json *from, void *member,
			  struct arena *arena, struct err *err)
{
	size_t i = 0;

	(void)field;
	if (from->kind == JSON_OBJECT)
		return fields_decode_inside(from, ruleset_fields, member, arena, err);
	if (field_array(from, "an object or an array of objects", err) < 0)
		return -1;
	for (const struct json *child = from->first; child; child = child->next, i++)
		if (fields_decode_inside(child, ruleset_fields, member, arena, err) < 0)
			return field_path(err, "[%zu]", i);
	return 0;
}

static void ruleset_encode(const struct field *field, const void *member, struct json *parent,
			   struct arena *arena)
{
	struct json *list = json_array(parent, field->key, arena);

	json_add(list, NULL, fields_encode(member, ruleset_fields, arena));
}

static const struct field_kind ruleset = { ruleset_decode, ruleset_encode };

/* clang-format off */
static const struct field landlock_fields[] = {
	NAME  ("mode",        struct spec_landlock, mode, 0, mode_names),
	U32   ("minimumAbi",  struct spec_landlock, minimum_abi, 0, NULL),
	U32   ("abi",         struct spec_landlock, abi, 0, RANGE(1, LANDLOCK_ABI_NEWEST)),
	{ "ruleset", &ruleset, 0, 0, 0, NULL },
	LIST  ("pathBeneath", struct spec_landlock, path_beneath, struct spec_landlock_path, 0, path_fields),
	LIST  ("netPort",     struct spec_landlock, net_port, struct spec_landlock_port, 0, port_fields),
	INLINE("log",         0, log_fields),
	{ 0 },
};

static const struct field proposal_handled_fields[] = {
	RIGHTS("handledAccessFS",      struct spec_landlock, handled_fs, 0, fs_words),
	RIGHTS("handledAccessFs",      struct spec_landlock, handled_fs, 0, fs_words),
	RIGHTS("handledAccessNetwork", struct spec_landlock, handled_net, 0, proposal_net_words),
	RIGHTS("handledAccessNet",     struct spec_landlock, handled_net, 0, proposal_net_words),
	{ 0 },
};

static const struct field proposal_path_fields[] = {
	RIGHTS ("allowedAccess", struct spec_landlock_path, allowed, REQUIRED, fs_words),
	STRINGS("paths",         struct spec_landlock_path, paths, REQUIRED | ABSOLUTE),
	{ 0 },
};

static const struct field proposal_port_fields[] = {
	RIGHTS("allowedAccess", struct spec_landlock_port, allowed, REQUIRED, proposal_net_words),
	PORTS ("ports"),
	{ 0 },
};

static const struct field proposal_rule_fields[] = {
	LIST("pathBeneath", struct spec_landlock, path_beneath, struct spec_landlock_path, 0, proposal_path_fields),
	LIST("networkPort", struct spec_landlock, net_port, struct spec_landlock_port, 0, proposal_port_fields),
	{ 0 },
};

static const struct field proposal_fields[] = {
	INLINE("handledAccess",    0, proposal_handled_fields),
	INLINE("rules",            0, proposal_rule_fields),
	CUSTOM("enableBestEffort", struct spec_landlock, mode, uint64_t, 0, best_effort, NULL),
	{ 0 },
};
/* clang-format on */

static bool has_key_of(const struct json *object, const struct field *table)
{
	for (; table->key; table++)
		if (json_member(object, table->key))
			return true;
	return false;
}

/* Puts the rights of an ABI in the place of groups. */
static uint64_t expand(uint64_t mask, uint64_t all)
{
	return (mask & ~GROUPS) | (mask & GROUP_ALL ? all : 0) |
	       (mask & GROUP_READ_EXECUTE ? all & landlock_fs_read_execute : 0) |
	       (mask & GROUP_READ_WRITE ? all & landlock_fs_read_write : 0);
}

/* Expands a rule's rights; what they name must be handled, or the kernel refuses the rule. */
static int rule_check(uint64_t *allowed, uint64_t all, uint64_t handled, const struct name *names,
		      struct err *err)
{
	uint64_t extra;

	*allowed = expand(*allowed, all);
	extra = *allowed & ~handled;
	if (!extra)
		return 0;
	for (; *names->name; names++)
		if (extra & names->value)
			return field_error(err, "allows %s, which the ruleset does not handle",
					   names->name);
	return field_error(err, "allows 0x%" PRIx64 ", which the ruleset does not handle", extra);
}

static int landlock_finish(struct spec_landlock *landlock, struct err *err)
{
	const struct landlock_abi *abi =
		&landlock_abis[landlock->abi ? landlock->abi : LANDLOCK_ABI_NEWEST];

	landlock->handled_fs = expand(landlock->handled_fs, abi->fs);
	landlock->handled_net = expand(landlock->handled_net, abi->net);
	landlock->scoped = expand(landlock->scoped, abi->scoped);
	if (!landlock->handled_fs && !landlock->handled_net && !landlock->scoped)
		return field_error(err,
				   "handles nothing; ruleset must say what is forbidden unless "
				   "a rule allows it, for example "
				   "{\"handledAccessFs\":[\"abi.all\"]}");
	for (size_t i = 0; i < landlock->path_beneath.len; i++)
		if (rule_check(&landlock->path_beneath.item[i].allowed, abi->fs,
			       landlock->handled_fs, landlock_fs_names, err) < 0)
			return field_path(err, ".pathBeneath[%zu].allowedAccess", i);
	for (size_t i = 0; i < landlock->net_port.len; i++)
		if (rule_check(&landlock->net_port.item[i].allowed, abi->net, landlock->handled_net,
			       landlock_net_names, err) < 0)
			return field_path(err, ".netPort[%zu].allowedAccess", i);
	return 0;
}

static int landlock_decode(const struct field *field, const struct json *from, void *member,
			   struct arena *arena, struct err *err)
{
	struct spec_landlock *landlock = member;
	bool proposal = from->kind == JSON_OBJECT && has_key_of(from, proposal_fields);

	(void)field;
	if (proposal && has_key_of(from, landlock_fields))
		return field_error(err, "mixes two spellings; use mode, ruleset, pathBeneath and "
					"netPort, or handledAccess, rules and enableBestEffort");
	landlock->set = true;
	if (fields_decode_inside(from, proposal ? proposal_fields : landlock_fields, landlock,
				 arena, err) < 0)
		return -1;
	return landlock_finish(landlock, err);
}

static void landlock_encode(const struct field *field, const void *member, struct json *parent,
			    struct arena *arena)
{
	const struct spec_landlock *landlock = member;

	if (landlock->set)
		json_add(parent, field->key, fields_encode(landlock, landlock_fields, arena));
}

const struct field_kind spec_landlock_kind = { landlock_decode, landlock_encode };
