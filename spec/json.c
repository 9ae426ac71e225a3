/*
 * JSON, see json.h. The only file that knows yajl. Nothing here recurses deeper than
 * JSON_DEPTH_MAX.
 */
#include "spec/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "spec/json_text.h"

/* An object or array that is not closed yet. */
struct open {
	struct json *value;
	uint64_t keys;	  /* three bits for each key's hash */
	bool maybe_twice; /* all three were there already */
};

struct parser {
	struct arena *arena;
	struct open open[JSON_DEPTH_MAX];
	size_t depth, values;
	struct json *root;
	const char *key;    /* of the value to come */
	const char *reason; /* why a callback stopped yajl */
};

static struct json *node(enum json_kind kind, const char *text, struct arena *arena)
{
	struct json *value = arena_new_object(arena, struct json);

	value->kind = kind;
	value->text = text;
	return value;
}

void json_add(struct json *parent, const char *key, struct json *value)
{
	value->key = key;
	if (!parent)
		return;
	if (parent->last)
		parent->last->next = value;
	else
		parent->first = value;
	parent->last = value;
	parent->len++;
}

/* The callbacks return 0 to stop yajl. */
static int stop(struct parser *parser, const char *reason)
{
	parser->reason = reason;
	return 0;
}

static int add(struct parser *parser, enum json_kind kind, const char *text)
{
	struct json *value;

	if (++parser->values > JSON_VALUES_MAX)
		return stop(parser, "too many values");
	value = node(kind, text, parser->arena);
	json_add(parser->depth ? parser->open[parser->depth - 1].value : NULL, parser->key, value);
	parser->key = NULL;
	if (!parser->root)
		parser->root = value;
	if (kind != JSON_ARRAY && kind != JSON_OBJECT)
		return 1;
	if (parser->depth == JSON_DEPTH_MAX)
		return stop(parser, "nested too deeply");
	parser->open[parser->depth++] = (struct open){ .value = value };
	return 1;
}

static int on_null(void *parser)
{
	return add(parser, JSON_NULL, NULL);
}

static int on_boolean(void *parser, int truth)
{
	return add(parser, truth ? JSON_TRUE : JSON_FALSE, NULL);
}

static int on_number(void *context, const char *text, size_t size)
{
	struct parser *parser = context;

	return add(parser, JSON_NUMBER, arena_copy(parser->arena, text, size));
}

static int on_string(void *context, const unsigned char *text, size_t size)
{
	struct parser *parser = context;

	return add(parser, JSON_STRING, arena_copy(parser->arena, (const char *)text, size));
}

static int on_key(void *context, const unsigned char *text, size_t size)
{
	struct parser *parser = context;
	struct open *open = &parser->open[parser->depth - 1];
	uint32_t hash = 0;
	uint64_t bits;

	parser->key = arena_copy(parser->arena, (const char *)text, size);
	for (size_t i = 0; i < size; i++)
		hash = hash * 31 + text[i];
	bits = 1ULL << hash % 64 | 1ULL << hash / 64 % 64 | 1ULL << hash / 4096 % 64;
	open->maybe_twice |= (open->keys & bits) == bits;
	open->keys |= bits;
	return 1;
}

static int on_object(void *parser)
{
	return add(parser, JSON_OBJECT, NULL);
}

static int on_array(void *parser)
{
	return add(parser, JSON_ARRAY, NULL);
}

static int on_array_end(void *context)
{
	struct parser *parser = context;

	parser->depth--;
	return 1;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorting finds a key that is there twice without comparing each with each: maps may be long. Few
 * objects need it: keys whose hashes differ are different. */
static int on_object_end(void *context)
{
	struct parser *parser = context;
	const struct open *open = &parser->open[--parser->depth];
	const struct json *object = open->value;
	const char **keys;
	size_t len = 0;

	if (!open->maybe_twice)
		return 1;
	keys = arena_new_array(parser->arena, const char *, object->len);
	for (const struct json *child = object->first; child; child = child->next)
		keys[len++] = child->key;
	qsort(keys, len, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < len; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			return stop(parser, arena_format(parser->arena,
							 "the object that ends here has the key "
							 "'%s' twice",
							 keys[i]));
	return 1;
}

static int error_at(const char *text, size_t at, const char *reason, size_t len, struct err *err)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < at; i++) {
		column++;
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return err_set(err, EINVAL, "line %zu, column %zu: %.*s", line, column, (int)len, reason);
}

static int parse(yajl_handle yajl, struct parser *parser, const char *text, size_t size,
		 struct err *err)
{
	yajl_status status = yajl_parse(yajl, (const unsigned char *)text, size);
	size_t at = yajl_get_bytes_consumed(yajl);
	unsigned char *message;

	if (status == yajl_status_ok) {
		status = yajl_complete_parse(yajl);
		at = size;
	}
	if (status == yajl_status_ok)
		return 0;
	if (status == yajl_status_client_canceled)
		return error_at(text, at, parser->reason, strlen(parser->reason), err);
	message = yajl_get_error(yajl, 0, NULL, 0);
	error_at(text, at, (const char *)message, strcspn((const char *)message, "\n"), err);
	yajl_free_error(yajl, message);
	return -1;
}

int json_parse(const char *text, size_t size, struct arena *arena, struct json **value,
	       struct err *err)
{
	/* Without on_integer and on_double, as on_number is there: yajl would clamp. */
	static const yajl_callbacks callbacks = {
		.yajl_null = on_null,
		.yajl_boolean = on_boolean,
		.yajl_number = on_number,
		.yajl_string = on_string,
		.yajl_start_map = on_object,
		.yajl_map_key = on_key,
		.yajl_end_map = on_object_end,
		.yajl_start_array = on_array,
		.yajl_end_array = on_array_end,
	};
	struct parser parser = { .arena = arena };
	const char *reason;
	yajl_handle yajl;
	size_t at;
	int result;

	if (size > JSON_BYTES_MAX)
		return err_set(err, EFBIG, "is larger than %u bytes", JSON_BYTES_MAX);
	reason = json_text_check(text, size, &at);
	if (reason)
		return error_at(text, at, reason, strlen(reason), err);
	yajl = yajl_alloc(&callbacks, NULL, &parser);
	if (!yajl)
		return err_set(err, ENOMEM, "parse JSON: out of memory");
	yajl_config(yajl, yajl_dont_validate_strings, 1); /* json_text_check() did */
	result = parse(yajl, &parser, text, size, err);
	yajl_free(yajl);
	*value = parser.root;
	return result;
}

const struct json *json_member(const struct json *object, const char *key)
{
	const struct json *child;

	if (object->kind != JSON_OBJECT)
		return NULL;
	for (child = object->first; child; child = child->next)
		if (child->key[0] == key[0] && strcmp(child->key, key) == 0)
			break;
	return child;
}

static bool digits_value(const char *text, uint64_t *number)
{
	for (*number = 0; *text; text++) {
		unsigned digit = (unsigned)*text - '0';

		if (digit > 9 || __builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, digit, number))
			return false;
	}
	return true;
}

bool json_u64(const struct json *value, uint64_t *number)
{
	return value->kind == JSON_NUMBER && digits_value(value->text, number);
}

bool json_i64(const struct json *value, int64_t *number)
{
	bool negative = value->kind == JSON_NUMBER && value->text[0] == '-';
	uint64_t size;

	if (value->kind != JSON_NUMBER || !digits_value(value->text + negative, &size) ||
	    size > (uint64_t)INT64_MAX + negative)
		return false;
	*number = (int64_t)(negative ? 0 - size : size);
	return true;
}

static struct json *copy(const struct json *from, struct arena *arena)
{
	struct json *to = node(from->kind, from->text, arena);

	for (const struct json *child = from->first; child; child = child->next)
		json_add(to, child->key, copy(child, arena));
	return to;
}

/* Looks each key up in the other object: patches are short. */
struct json *json_merge(const struct json *base, const struct json *patch, struct arena *arena)
{
	static const struct json empty = { .kind = JSON_OBJECT };
	struct json *to;

	if (patch->kind != JSON_OBJECT)
		return copy(patch, arena);
	if (!base || base->kind != JSON_OBJECT)
		base = &empty;
	to = node(JSON_OBJECT, NULL, arena);
	for (const struct json *child = base->first; child; child = child->next) {
		const struct json *change = json_member(patch, child->key);

		if (!change)
			json_add(to, child->key, copy(child, arena));
		else if (change->kind != JSON_NULL)
			json_add(to, child->key, json_merge(child, change, arena));
	}
	for (const struct json *child = patch->first; child; child = child->next)
		if (child->kind != JSON_NULL && !json_member(base, child->key))
			json_add(to, child->key, json_merge(NULL, child, arena));
	return to;
}

static struct json *build(struct json *parent, const char *key, enum json_kind kind,
			  const char *text, struct arena *arena)
{
	struct json *value = node(kind, text, arena);

	json_add(parent, key, value);
	return value;
}

struct json *json_object(struct json *parent, const char *key, struct arena *arena)
{
	return build(parent, key, JSON_OBJECT, NULL, arena);
}

struct json *json_array(struct json *parent, const char *key, struct arena *arena)
{
	return build(parent, key, JSON_ARRAY, NULL, arena);
}

struct json *json_string(struct json *parent, const char *key, const char *text,
			 struct arena *arena)
{
	return build(parent, key, JSON_STRING, json_text_repair(text, arena), arena);
}

struct json *json_integer(struct json *parent, const char *key, int64_t number, struct arena *arena)
{
	return build(parent, key, JSON_NUMBER, arena_format(arena, "%" PRId64, number), arena);
}

struct json *json_unsigned(struct json *parent, const char *key, uint64_t number,
			   struct arena *arena)
{
	return build(parent, key, JSON_NUMBER, arena_format(arena, "%" PRIu64, number), arena);
}

struct json *json_boolean(struct json *parent, const char *key, bool truth, struct arena *arena)
{
	return build(parent, key, truth ? JSON_TRUE : JSON_FALSE, NULL, arena);
}

/* Text on its way out. It is made twice: to measure it, with no memory yet, and to write it. */
struct writer {
	char *to;
	size_t size;
	bool pretty;
};

static void put(struct writer *writer, const char *text, size_t size)
{
	if (writer->to)
		memcpy(writer->to + writer->size, text, size);
	writer->size += size;
}

static void put_escaped(struct writer *writer, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c == '"' || c == '\\')
		put(writer, (char[]){ '\\', (char)c }, 2);
	else if (c == '\n')
		put(writer, "\\n", 2);
	else if (c == '\t')
		put(writer, "\\t", 2);
	else
		put(writer, (char[]){ '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] }, 6);
}

/* The number of bytes that stand for themselves. */
static size_t plain_size(const char *text)
{
	size_t size = 0;

	while ((unsigned char)text[size] >= 0x20 && text[size] != '"' && text[size] != '\\')
		size++;
	return size;
}

static void put_string(struct writer *writer, const char *text)
{
	put(writer, "\"", 1);
	for (;;) {
		size_t plain = plain_size(text);

		put(writer, text, plain);
		text += plain;
		if (!*text)
			break;
		put_escaped(writer, (unsigned char)*text++);
	}
	put(writer, "\"", 1);
}

static void put_line(struct writer *writer, unsigned depth)
{
	if (!writer->pretty)
		return;
	put(writer, "\n", 1);
	while (depth--)
		put(writer, "\t", 1);
}

static void put_value(struct writer *writer, const struct json *value, unsigned depth)
{
	static const char *const words[] = { [JSON_NULL] = "null",
					     [JSON_FALSE] = "false",
					     [JSON_TRUE] = "true",
					     [JSON_ARRAY] = "[]",
					     [JSON_OBJECT] = "{}" };
	const char *word = value->kind == JSON_NUMBER ? value->text : words[value->kind];

	if (value->kind == JSON_STRING) {
		put_string(writer, value->text);
		return;
	}
	if (!value->first) {
		put(writer, word, strlen(word));
		return;
	}
	put(writer, word, 1);
	for (const struct json *child = value->first; child; child = child->next) {
		put_line(writer, depth + 1);
		if (value->kind == JSON_OBJECT) {
			put_string(writer, child->key);
			put(writer, ": ", writer->pretty ? 2 : 1);
		}
		put_value(writer, child, depth + 1);
		if (child->next)
			put(writer, ",", 1);
	}
	put_line(writer, depth);
	put(writer, word + 1, 1);
}

char *json_print(const struct json *value, bool pretty, struct arena *arena, size_t *size)
{
	struct writer writer = { .pretty = pretty };
	char *text = NULL;

	for (int pass = 0; pass < 2; pass++) {
		writer.to = text;
		writer.size = 0;
		put_value(&writer, value, 0);
		put_line(&writer, 0);
		if (!text)
			text = arena_new_array(arena, char, writer.size + 1);
	}
	if (size)
		*size = writer.size;
	return text;
}
