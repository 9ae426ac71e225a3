/*
 * The table language, see field.h: walking tables, errors with paths, and the kinds that hold other
 * values (maps, objects, lists of objects). Plain values are in kinds.c.
 *
 * Members are reached through the offsets of the rows, whose types the macros have checked. Lists
 * of objects are written and read by memcpy, since here their items have no type.
 */
#include "spec/field.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int field_error(struct err *err, const char *format, ...)
{
	char reason[ERR_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	return err_set(err, EINVAL, ": %s", reason);
}

int field_path(struct err *err, const char *format, ...)
{
	char path[ERR_TEXT_MAX], inner[ERR_TEXT_MAX];
	va_list args;

	memcpy(inner, err->text, sizeof(inner));
	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	return err_set(err, err->code, "%s%s", path, inner);
}

int field_type_error(const struct json *found, const char *what, struct err *err)
{
	static const char *const kinds[] = {
		[JSON_NULL] = "null",	    [JSON_FALSE] = "false",	[JSON_TRUE] = "true",
		[JSON_NUMBER] = "a number", [JSON_STRING] = "a string", [JSON_ARRAY] = "an array",
		[JSON_OBJECT] = "an object"
	};

	return field_error(err, "expected %s, found %s", what, kinds[found->kind]);
}

static int length_check(const struct json *from, struct err *err)
{
	if (from->len > SPEC_LIST_MAX)
		return field_error(err, "has %u items, more than the %d that are allowed",
				   from->len, SPEC_LIST_MAX);
	return 0;
}

int field_array(const struct json *from, const char *what, struct err *err)
{
	if (from->kind != JSON_ARRAY)
		return field_type_error(from, what, err);
	return length_check(from, err);
}

/* maps, objects, lists of objects */

static int map_decode(const struct field *field, const struct json *from, void *member,
		      struct arena *arena, struct err *err)
{
	struct spec_map *to = member;

	(void)field;
	if (from->kind != JSON_OBJECT)
		return field_type_error(from, "an object of strings", err);
	if (length_check(from, err) < 0)
		return -1;
	to->item = arena_new_array(arena, struct spec_pair, from->len);
	for (const struct json *child = from->first; child; child = child->next) {
		if (!*child->key)
			return field_error(err, "a key must not be empty");
		if (child->kind != JSON_STRING) {
			field_type_error(child, "a string", err);
			return field_path(err, "[\"%s\"]", child->key);
		}
		to->item[to->len++] = (struct spec_pair){ child->key, child->text };
	}
	return 0;
}

static void map_encode(const struct field *field, const void *member, struct json *parent,
		       struct arena *arena)
{
	const struct spec_map *from = member;
	struct json *object;

	if (from->len == 0)
		return;
	object = json_object(parent, field->key, arena);
	for (size_t i = 0; i < from->len; i++)
		json_string(object, from->item[i].key, from->item[i].value, arena);
}

const struct field_kind field_map = { map_decode, map_encode };

static int known_check(const struct json *from, const struct field *table, struct err *err)
{
	for (const struct json *child = from->first; child; child = child->next) {
		const struct field *field = table;

		while (field->key && strcmp(field->key, child->key) != 0)
			field++;
		if (!field->key)
			return field_error(err, "unknown key '%s'", child->key);
	}
	return 0;
}

static int object_decode(const struct field *field, const struct json *from, void *member,
			 struct arena *arena, struct err *err)
{
	if (fields_decode_inside(from, field->arg, member, arena, err) < 0)
		return -1;
	return field->flags & ONLY_KNOWN ? known_check(from, field->arg, err) : 0;
}

static void object_encode(const struct field *field, const void *member, struct json *parent,
			  struct arena *arena)
{
	struct json *object = fields_encode(member, field->arg, arena);

	if (object->len)
		json_add(parent, field->key, object);
}

const struct field_kind field_object = { object_decode, object_encode };

static int optional_object_decode(const struct field *field, const struct json *from, void *member,
				  struct arena *arena, struct err *err)
{
	*(bool *)member = true;
	return object_decode(field, from, member, arena, err);
}

static void optional_object_encode(const struct field *field, const void *member,
				   struct json *parent, struct arena *arena)
{
	if (*(const bool *)member)
		json_add(parent, field->key, fields_encode(member, field->arg, arena));
}

const struct field_kind field_optional_object = { optional_object_decode, optional_object_encode };

/* Every list of objects has these members (MEMBER_LIST). */
struct any_list {
	char *item;
	size_t len;
};

static int list_decode(const struct field *field, const struct json *from, void *member,
		       struct arena *arena, struct err *err)
{
	struct any_list to = { 0 };

	if (field_array(from, "an array of objects", err) < 0)
		return -1;
	to.item = arena_alloc(arena, from->len, field->size);
	for (const struct json *child = from->first; child; child = child->next) {
		if (fields_decode_inside(child, field->arg, to.item + to.len * field->size, arena,
					 err) < 0)
			return field_path(err, "[%zu]", to.len);
		to.len++;
	}
	memcpy(member, &to, sizeof(to));
	return 0;
}

static void list_encode(const struct field *field, const void *member, struct json *parent,
			struct arena *arena)
{
	struct any_list from;
	struct json *list;

	memcpy(&from, member, sizeof(from));
	if (from.len == 0)
		return;
	list = json_array(parent, field->key, arena);
	for (size_t i = 0; i < from.len; i++)
		json_add(list, NULL, fields_encode(from.item + i * field->size, field->arg, arena));
}

const struct field_kind field_list = { list_decode, list_encode };

static int keyed_list_decode(const struct field *field, const struct json *from, void *member,
			     struct arena *arena, struct err *err)
{
	struct any_list to = { 0 };

	if (from->kind != JSON_OBJECT)
		return field_type_error(from, "an object of objects", err);
	if (length_check(from, err) < 0)
		return -1;
	to.item = arena_alloc(arena, from->len, field->size);
	for (const struct json *child = from->first; child; child = child->next) {
		char *item = to.item + to.len++ * field->size;

		memcpy(item, &child->key, sizeof(child->key));
		if (fields_decode_inside(child, field->arg, item, arena, err) < 0)
			return field_path(err, "[\"%s\"]", child->key);
	}
	memcpy(member, &to, sizeof(to));
	return 0;
}

static void keyed_list_encode(const struct field *field, const void *member, struct json *parent,
			      struct arena *arena)
{
	struct any_list from;
	struct json *object;

	memcpy(&from, member, sizeof(from));
	if (from.len == 0)
		return;
	object = json_object(parent, field->key, arena);
	for (size_t i = 0; i < from.len; i++) {
		const char *item = from.item + i * field->size, *key;

		memcpy(&key, item, sizeof(key));
		json_add(object, key, fields_encode(item, field->arg, arena));
	}
}

const struct field_kind field_keyed_list = { keyed_list_decode, keyed_list_encode };

/* known, not done */

static int unsupported_decode(const struct field *field, const struct json *from, void *member,
			      struct arena *arena, struct err *err)
{
	bool empty = from->kind == JSON_STRING ? !*from->text : !from->first;

	(void)field, (void)member, (void)arena;
	if (empty && from->kind >= JSON_STRING)
		return 0;
	return field_error(err, "is not supported yet by agentd");
}

static void unsupported_encode(const struct field *field, const void *member, struct json *parent,
			       struct arena *arena)
{
	(void)field, (void)member, (void)parent, (void)arena;
}

const struct field_kind field_unsupported = { unsupported_decode, unsupported_encode };

/* tables */

static int row_decode(const struct json *from, const struct field *field, void *to,
		      struct arena *arena, struct err *err)
{
	bool required = field->flags & REQUIRED;

	if (!from || from->kind == JSON_NULL)
		return required ? field_error(err, "is required") : 0;
	if (required && ((from->kind == JSON_STRING && !*from->text) ||
			 (from->kind == JSON_ARRAY && from->len == 0)))
		return field_error(err, "must not be empty");
	return field->kind->decode(field, from, (char *)to + field->offset, arena, err);
}

int fields_decode_inside(const struct json *from, const struct field *table, void *to,
			 struct arena *arena, struct err *err)
{
	if (from->kind != JSON_OBJECT)
		return field_type_error(from, "an object", err);
	for (const struct field *field = table; field->key; field++)
		if (row_decode(json_member(from, field->key), field, to, arena, err) < 0)
			return field_path(err, ".%s", field->key);
	return 0;
}

int fields_decode(const struct json *from, const struct field *table, void *to, struct arena *arena,
		  struct err *err)
{
	size_t skip;

	if (fields_decode_inside(from, table, to, arena, err) == 0)
		return 0;
	skip = strspn(err->text, ".: ");
	memmove(err->text, err->text + skip, strlen(err->text + skip) + 1);
	return -1;
}

struct json *fields_encode(const void *from, const struct field *table, struct arena *arena)
{
	struct json *object = json_object(NULL, NULL, arena);

	for (const struct field *field = table; field->key; field++)
		field->kind->encode(field, (const char *)from + field->offset, object, arena);
	return object;
}
