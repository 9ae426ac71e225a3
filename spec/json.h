/*
 * JSON: text to a bounded tree and back. The home of yajl.
 *
 * yajl is used through its callbacks only: its own tree cuts strings at a NUL, keeps duplicate keys
 * and overflows the stack when it is freed. Refused here: more than JSON_BYTES_MAX or
 * JSON_VALUES_MAX, deeper than JSON_DEPTH_MAX, a NUL in any string, a key twice, comments, trailing
 * text, invalid UTF-8. Numbers stay text until somebody asks for a range.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

#define JSON_BYTES_MAX (4u << 20)
#define JSON_DEPTH_MAX 32
#define JSON_VALUES_MAX (1u << 18) /* so that the tree fits into ARENA_LIMIT */

enum json_kind {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

/* A value; in an object it has a key. Children are a list in the order of the text. */
struct json {
	enum json_kind kind;
	unsigned len;			  /* number of children */
	const char *key;		  /* of this value in its object, else NULL */
	const char *text;		  /* of a string or number */
	struct json *first, *last, *next; /* children, and the next sibling */
};

/* Parses a text. The error has line and column, and the reason. */
int json_parse(const char *text, size_t size, struct arena *arena, struct json **value,
	       struct err *err);

/* The member of an object, or NULL. */
const struct json *json_member(const struct json *object, const char *key);

/* Numbers, exactly: false if the text is not an integer in the range of the type. */
bool json_u64(const struct json *value, uint64_t *number);
bool json_i64(const struct json *value, int64_t *number);

/* JSON merge patch (RFC 7396): a new tree. */
struct json *json_merge(const struct json *base, const struct json *patch, struct arena *arena);

/* Building trees. `key` may be NULL (in arrays, and for the outermost value). Each is appended to
 * `parent` unless NULL. Texts are not copied; but what is no UTF-8 in one, as a path may have and a
 * message that was cut, becomes '?', or nobody could parse what is printed. */
void json_add(struct json *parent, const char *key, struct json *value);
struct json *json_object(struct json *parent, const char *key, struct arena *arena);
struct json *json_array(struct json *parent, const char *key, struct arena *arena);
struct json *json_string(struct json *parent, const char *key, const char *text,
			 struct arena *arena);
struct json *json_integer(struct json *parent, const char *key, int64_t number,
			  struct arena *arena);
struct json *json_unsigned(struct json *parent, const char *key, uint64_t number,
			   struct arena *arena);
struct json *json_boolean(struct json *parent, const char *key, bool truth, struct arena *arena);

/* The text of a tree; `pretty` indents by tabs and ends with a newline. */
char *json_print(const struct json *value, bool pretty, struct arena *arena, size_t *size);
