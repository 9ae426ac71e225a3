/*
 * The table language: one row per JSON key ties a key to a member of a struct, in both directions.
 *
 * The decoder and the C type of the member are tied at compile time, so a wrong row does not build.
 * Keys that no row names are ignored, as the specification demands; a key that is known and not
 * done is an UNSUPPORTED row and refused by name; null is the same as absent, and so is an empty
 * string where a string is optional (callers written in Go cannot tell them apart).
 */
#pragma once

#include <stddef.h>

#include "runtime/base/names.h"
#include "spec/json.h"

/* Limits of what a file may ask for; beyond them decoding refuses with the path of the list. */
#define SPEC_LIST_MAX 16384 /* rows of any list: mounts, hooks, devices, env, args, ... */

struct optional_u64 {
	bool set;
	uint64_t value;
};

struct optional_i64 {
	bool set;
	int64_t value;
};

/* Lists: `len` items. Lists of strings end with NULL besides, so that they can be passed to
 * execve(2); their `item` is NULL only if the list was absent. */
struct spec_strings {
	const char **item;
	size_t len;
};
struct spec_u32s {
	uint32_t *item;
	size_t len;
};
struct spec_u64s {
	uint64_t *item;
	size_t len;
};
struct spec_pair {
	const char *key, *value;
};
struct spec_map { /* in the order of the file */
	struct spec_pair *item;
	size_t len;
};

/* Flags of rows. */
enum {
	REQUIRED = 1,	    /* must be present, and a string or list must not be empty */
	ABSOLUTE = 2,	    /* a path (each of them, in a list) that begins with '/' */
	NOT_EMPTY = 4,	    /* optional, but then not an empty string */
	BIT_NUMBERS = 8,    /* of a MASK: the table holds bit numbers, not bits */
	UNKNOWN_WARNS = 16, /* of a MASK: an unknown word is logged and ignored */
	ONLY_KNOWN = 32,    /* of an object: a key that no row names is an error */
};

struct field {
	const char *key;	       /* NULL ends a table */
	const struct field_kind *kind; /* how to decode and encode */
	unsigned flags;
	size_t offset;	 /* of the member */
	size_t size;	 /* of an item, for lists of objects */
	const void *arg; /* the kind's own: a table of names, a table of fields, a range */
};

/* How a kind of member is read and written; a row of its own kind is made with CUSTOM. `from` is
 * never null. */
struct field_kind {
	int (*decode)(const struct field *field, const struct json *from, void *member,
		      struct arena *arena, struct err *err);
	/* Adds the key to `parent`, or leaves it out if the member says "absent". */
	void (*encode)(const struct field *field, const void *member, struct json *parent,
		       struct arena *arena);
};

extern const struct field_kind field_bool, field_string, field_strings, field_u32, field_u64,
	field_i64, field_optional_u64, field_optional_i64, field_u32s, field_name, field_mask,
	field_map, field_object, field_optional_object, field_list, field_keyed_list,
	field_unsupported;

/* What an integer may be, beyond what its type can hold. */
struct field_range {
	int64_t min;
	uint64_t max;
	const char *why; /* added to the error, or NULL */
};
#define RANGE(min, max) (&(const struct field_range){ min, max, NULL })
extern const struct field_range field_id_range; /* uids and gids: all but (uint32_t)-1 */

/* 0 if the condition holds; else it does not compile. */
#define ROW_CHECK(condition) (0 * sizeof(char[(condition) ? 1 : -1]))
#define SAME_TYPE(T, m, C) __builtin_types_compatible_p(__typeof__(((T *)0)->m), C)

/* The offset of member m of T, whose type is C. */
#define MEMBER(T, m, C) (offsetof(T, m) + ROW_CHECK(SAME_TYPE(T, m, C)))
/* The same for a list of I. */
#define MEMBER_LIST(T, m, I) (offsetof(T, m) + ROW_CHECK(SAME_TYPE(T, m.item, I *)))
/* The same for a struct C that begins with `bool set`. */
#define BEGINS_WITH_SET(C) (offsetof(C, set) == 0 && SAME_TYPE(C, set, bool))
#define MEMBER_SET(T, m, C) (MEMBER(T, m, C) + ROW_CHECK(BEGINS_WITH_SET(C)))

/* clang-format off */
#define BOOL(key, T, m, flags)                 { key, &field_bool, flags, MEMBER(T, m, bool), 0, NULL }
#define STRING(key, T, m, flags)               { key, &field_string, flags, MEMBER(T, m, const char *), 0, NULL }
#define STRINGS(key, T, m, flags)              { key, &field_strings, flags, MEMBER(T, m, struct spec_strings), 0, NULL }
#define U32(key, T, m, flags, range)           { key, &field_u32, flags, MEMBER(T, m, uint32_t), 0, range }
#define U64(key, T, m, flags, range)           { key, &field_u64, flags, MEMBER(T, m, uint64_t), 0, range }
#define I64(key, T, m, flags, range)           { key, &field_i64, flags, MEMBER(T, m, int64_t), 0, range }
#define OPTIONAL_U64(key, T, m, range)         { key, &field_optional_u64, 0, MEMBER(T, m, struct optional_u64), 0, range }
#define OPTIONAL_I64(key, T, m, range)         { key, &field_optional_i64, 0, MEMBER(T, m, struct optional_i64), 0, range }
#define U32S(key, T, m, flags, range)          { key, &field_u32s, flags, MEMBER(T, m, struct spec_u32s), 0, range }
/* A word, by a table of names. */
#define NAME(key, T, m, flags, names)          { key, &field_name, flags, MEMBER(T, m, uint64_t), 0, names }
/* A list of words, each a bit. */
#define MASK(key, T, m, flags, names)          { key, &field_mask, flags, MEMBER(T, m, uint64_t), 0, names }
/* An object of strings; no key is empty. */
#define MAP(key, T, m, flags)                  { key, &field_map, flags, MEMBER(T, m, struct spec_map), 0, NULL }
/* An object that is a struct, the same beginning with `bool set`, and one whose members are our own. */
#define OBJECT(key, T, m, C, flags, fields)    { key, &field_object, flags, MEMBER(T, m, C), 0, fields }
#define OPTIONAL_OBJECT(key, T, m, C, flags, fields) \
	{ key, &field_optional_object, flags, MEMBER_SET(T, m, C), 0, fields }
#define INLINE(key, flags, fields)             { key, &field_object, flags, 0, 0, fields }
/* A list of objects I. KEYED_LIST: an object of objects; the key goes to I's first member. */
#define LIST(key, T, m, I, flags, fields)      { key, &field_list, flags, MEMBER_LIST(T, m, I), sizeof(I), fields }
#define KEYED_LIST(key, T, m, I, flags, fields) \
	{ key, &field_keyed_list, flags, MEMBER_LIST(T, m, I), sizeof(I), fields }
#define UNSUPPORTED(key)                       { key, &field_unsupported, 0, 0, 0, NULL }
#define CUSTOM(key, T, m, C, flags, kind, arg) { key, &(kind), flags, MEMBER(T, m, C), 0, arg }
/* clang-format on */

/* Decodes an object into a zeroed struct. The error is the path and the reason:
 * "process.capabilities.bounding[1]: ...". */
int fields_decode(const struct json *from, const struct field *table, void *to, struct arena *arena,
		  struct err *err);

/* Makes an object of a struct; members that were absent stay absent. */
struct json *fields_encode(const void *from, const struct field *table, struct arena *arena);

/*
 * For kinds of one's own. While an error travels up, its text is ": reason", then "[1]: reason",
 * then ".bounding[1]: reason"; fields_decode() takes off the first dot.
 */
int field_error(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
int field_path(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ": expected WHAT, found ..." */
int field_type_error(const struct json *found, const char *what, struct err *err);

/* fields_decode() for an object inside of another: the first dot stays. */
int fields_decode_inside(const struct json *from, const struct field *table, void *to,
			 struct arena *arena, struct err *err);

/* Whether `from` is an array (of `what`) that is not too long. */
int field_array(const struct json *from, const char *what, struct err *err);

/* Whether `from` is an integer in the range. */
int field_integer(const struct json *from, const struct field_range *range, struct err *err);
