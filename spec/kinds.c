/*
 * The kinds of rows for plain values (see field.h): booleans, strings, integers, words, and lists
 * of those. Each is a pair of functions; what is out of range or of the wrong type is refused here.
 */
#include <inttypes.h>
#include <string.h>

#include "runtime/base/log.h"
#include "spec/field.h"

static int bool_decode(const struct field *field, const struct json *from, void *member,
		       struct arena *arena, struct err *err)
{
	(void)field, (void)arena;
	if (from->kind != JSON_TRUE && from->kind != JSON_FALSE)
		return field_type_error(from, "true or false", err);
	*(bool *)member = from->kind == JSON_TRUE;
	return 0;
}

static void bool_encode(const struct field *field, const void *member, struct json *parent,
			struct arena *arena)
{
	bool truth = *(const bool *)member;

	if (truth || field->flags & REQUIRED)
		json_boolean(parent, field->key, truth, arena);
}

const struct field_kind field_bool = { bool_decode, bool_encode };

/* string, list of strings */

static int string_check(const struct field *field, const struct json *from, struct err *err)
{
	if (from->kind != JSON_STRING)
		return field_type_error(from, "a string", err);
	if (field->flags & ABSOLUTE && from->text[0] != '/')
		return field_error(err, "'%s' is not an absolute path", from->text);
	return 0;
}

static int string_decode(const struct field *field, const struct json *from, void *member,
			 struct arena *arena, struct err *err)
{
	(void)arena;
	if (from->kind == JSON_STRING && !*from->text) {
		if (field->flags & NOT_EMPTY)
			return field_error(err, "must not be empty");
		return 0;
	}
	if (string_check(field, from, err) < 0)
		return -1;
	*(const char **)member = from->text;
	return 0;
}

static void string_encode(const struct field *field, const void *member, struct json *parent,
			  struct arena *arena)
{
	const char *text = *(const char *const *)member;

	if (text)
		json_string(parent, field->key, text, arena);
}

const struct field_kind field_string = { string_decode, string_encode };

static int strings_decode(const struct field *field, const struct json *from, void *member,
			  struct arena *arena, struct err *err)
{
	struct spec_strings *to = member;

	if (field_array(from, "an array of strings", err) < 0)
		return -1;
	to->item = arena_new_array(arena, const char *, from->len + 1);
	for (const struct json *child = from->first; child; child = child->next) {
		if (string_check(field, child, err) < 0)
			return field_path(err, "[%zu]", to->len);
		to->item[to->len++] = child->text;
	}
	return 0;
}

static void strings_encode(const struct field *field, const void *member, struct json *parent,
			   struct arena *arena)
{
	const struct spec_strings *from = member;
	struct json *list;

	if (!from->item)
		return;
	list = json_array(parent, field->key, arena);
	for (size_t i = 0; i < from->len; i++)
		json_string(list, NULL, from->item[i], arena);
}

const struct field_kind field_strings = { strings_decode, strings_encode };

/* integers */

/* uids and gids: (uint32_t)-1 tells setresuid(2), chown(2) and others "no change". */
const struct field_range field_id_range = {
	.max = UINT32_MAX - 1,
	.why = "4294967295 means \"no change\" to the kernel",
};

int field_integer(const struct json *from, const struct field_range *range, struct err *err)
{
	uint64_t number;
	int64_t negative;
	bool good;

	if (from->kind != JSON_NUMBER)
		return field_type_error(from, "an integer", err);
	if (json_u64(from, &number))
		good = number <= range->max && (range->min < 0 || number >= (uint64_t)range->min);
	else
		good = json_i64(from, &negative) && negative >= range->min;
	if (good)
		return 0;
	if (strpbrk(from->text, ".eE"))
		return field_error(err, "%s is not an integer", from->text);
	field_error(err, "%s is not in the range %" PRId64 " to %" PRIu64, from->text, range->min,
		    range->max);
	return range->why ? err_hint(err, "%s", range->why) : -1;
}

static int unsigned_read(const struct field *field, const struct json *from, uint64_t max,
			 uint64_t *number, struct err *err)
{
	struct field_range all = { .max = max };

	if (field_integer(from, field->arg ? field->arg : &all, err) < 0)
		return -1;
	json_u64(from, number);
	return 0;
}

static int signed_read(const struct field *field, const struct json *from, int64_t *number,
		       struct err *err)
{
	static const struct field_range all = { .min = INT64_MIN, .max = INT64_MAX };

	if (field_integer(from, field->arg ? field->arg : &all, err) < 0)
		return -1;
	json_i64(from, number);
	return 0;
}

static int u32_decode(const struct field *field, const struct json *from, void *member,
		      struct arena *arena, struct err *err)
{
	uint64_t number;

	(void)arena;
	if (unsigned_read(field, from, UINT32_MAX, &number, err) < 0)
		return -1;
	*(uint32_t *)member = (uint32_t)number;
	return 0;
}

static void u32_encode(const struct field *field, const void *member, struct json *parent,
		       struct arena *arena)
{
	uint32_t number = *(const uint32_t *)member;

	if (number || field->flags & REQUIRED)
		json_unsigned(parent, field->key, number, arena);
}

const struct field_kind field_u32 = { u32_decode, u32_encode };

static int u64_decode(const struct field *field, const struct json *from, void *member,
		      struct arena *arena, struct err *err)
{
	(void)arena;
	return unsigned_read(field, from, UINT64_MAX, member, err);
}

static void u64_encode(const struct field *field, const void *member, struct json *parent,
		       struct arena *arena)
{
	uint64_t number = *(const uint64_t *)member;

	if (number || field->flags & REQUIRED)
		json_unsigned(parent, field->key, number, arena);
}

const struct field_kind field_u64 = { u64_decode, u64_encode };

static int i64_decode(const struct field *field, const struct json *from, void *member,
		      struct arena *arena, struct err *err)
{
	(void)arena;
	return signed_read(field, from, member, err);
}

static void i64_encode(const struct field *field, const void *member, struct json *parent,
		       struct arena *arena)
{
	int64_t number = *(const int64_t *)member;

	if (number || field->flags & REQUIRED)
		json_integer(parent, field->key, number, arena);
}

const struct field_kind field_i64 = { i64_decode, i64_encode };

static int optional_u64_decode(const struct field *field, const struct json *from, void *member,
			       struct arena *arena, struct err *err)
{
	struct optional_u64 *to = member;

	(void)arena;
	to->set = true;
	return unsigned_read(field, from, UINT64_MAX, &to->value, err);
}

static void optional_u64_encode(const struct field *field, const void *member, struct json *parent,
				struct arena *arena)
{
	const struct optional_u64 *from = member;

	if (from->set)
		json_unsigned(parent, field->key, from->value, arena);
}

const struct field_kind field_optional_u64 = { optional_u64_decode, optional_u64_encode };

static int optional_i64_decode(const struct field *field, const struct json *from, void *member,
			       struct arena *arena, struct err *err)
{
	struct optional_i64 *to = member;

	(void)arena;
	to->set = true;
	return signed_read(field, from, &to->value, err);
}

static void optional_i64_encode(const struct field *field, const void *member, struct json *parent,
				struct arena *arena)
{
	const struct optional_i64 *from = member;

	if (from->set)
		json_integer(parent, field->key, from->value, arena);
}

const struct field_kind field_optional_i64 = { optional_i64_decode, optional_i64_encode };

static int u32s_decode(const struct field *field, const struct json *from, void *member,
		       struct arena *arena, struct err *err)
{
	struct spec_u32s *to = member;

	if (field_array(from, "an array of integers", err) < 0)
		return -1;
	to->item = arena_new_array(arena, uint32_t, from->len);
	for (const struct json *child = from->first; child; child = child->next) {
		if (u32_decode(field, child, &to->item[to->len], arena, err) < 0)
			return field_path(err, "[%zu]", to->len);
		to->len++;
	}
	return 0;
}

static void u32s_encode(const struct field *field, const void *member, struct json *parent,
			struct arena *arena)
{
	const struct spec_u32s *from = member;
	struct json *list;

	if (from->len == 0)
		return;
	list = json_array(parent, field->key, arena);
	for (size_t i = 0; i < from->len; i++)
		json_unsigned(list, NULL, from->item[i], arena);
}

const struct field_kind field_u32s = { u32s_decode, u32s_encode };

/* words */

static int word_error(const struct json *word, struct err *err)
{
	return field_error(err, "unknown name '%s'", word->text);
}

static int name_decode(const struct field *field, const struct json *from, void *member,
		       struct arena *arena, struct err *err)
{
	(void)arena;
	if (from->kind != JSON_STRING)
		return field_type_error(from, "a string", err);
	if (*from->text && !name_value(field->arg, from->text, member))
		return word_error(from, err);
	return 0;
}

/* 0 is "absent" for a word that is not REQUIRED, unless the table has a word for it. */
static void name_encode(const struct field *field, const void *member, struct json *parent,
			struct arena *arena)
{
	const char *word = name_text(field->arg, *(const uint64_t *)member);

	if (word)
		json_string(parent, field->key, word, arena);
}

const struct field_kind field_name = { name_decode, name_encode };

static uint64_t mask_bit(const struct field *field, uint64_t value)
{
	return field->flags & BIT_NUMBERS ? 1ULL << value : value;
}

static int mask_decode(const struct field *field, const struct json *from, void *member,
		       struct arena *arena, struct err *err)
{
	size_t i = 0;

	(void)arena;
	if (field_array(from, "an array of strings", err) < 0)
		return -1;
	for (const struct json *child = from->first; child; child = child->next, i++) {
		uint64_t value;

		if (child->kind != JSON_STRING)
			field_type_error(child, "a string", err);
		else if (name_value(field->arg, child->text, &value)) {
			*(uint64_t *)member |= mask_bit(field, value);
			continue;
		} else if (field->flags & UNKNOWN_WARNS) {
			log_warn("%s[%zu]: unknown name '%s' is ignored", field->key, i,
				 child->text);
			continue;
		} else {
			word_error(child, err);
		}
		return field_path(err, "[%zu]", i);
	}
	return 0;
}

static void mask_encode(const struct field *field, const void *member, struct json *parent,
			struct arena *arena)
{
	uint64_t mask = *(const uint64_t *)member;
	struct json *list;

	if (!mask)
		return;
	list = json_array(parent, field->key, arena);
	for (const struct name *name = field->arg; *name->name; name++)
		if (mask & mask_bit(field, name->value))
			json_string(list, NULL, name->name, arena);
}

const struct field_kind field_mask = { mask_decode, mask_encode };
