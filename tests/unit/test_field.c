/*
 * spec/field.c and spec/kinds.c: every kind of row, with a table of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/base/array.h"
#include "spec/field.h"

struct child {
	const char *name;
	uint32_t size;
};
struct children {
	struct child *item;
	size_t len;
};
struct part {
	bool set;
	int64_t weight;
};
struct thing {
	bool flag, must;
	const char *text, *path, *full;
	struct spec_strings words, paths;
	uint32_t u32, id;
	uint64_t u64;
	int64_t i64;
	struct optional_u64 some_u64;
	struct optional_i64 some_i64;
	struct spec_u32s ids;
	uint64_t colour, colours, bits;
	struct spec_map map;
	struct child child;
	struct part part;
	struct children children, named;
};

/* clang-format off */
static const struct name colours[] = {
	{ "none",  0 },
	{ "red",   1 },
	{ "green", 2 },
	{ "both",  3 },
	{ .name = "" },
};
static const struct name bit_numbers[] = {
	{ "zero", 0 },
	{ "top",  63 },
	{ .name = "" },
};
static const struct field child_fields[] = {
	STRING("name", struct child, name, REQUIRED),
	U32   ("size", struct child, size, 0, NULL),
	{ 0 },
};
static const struct field named_fields[] = {
	U32("size", struct child, size, REQUIRED, NULL),
	{ 0 },
};
static const struct field part_fields[] = {
	I64("weight", struct part, weight, 0, RANGE(-5, 5)),
	{ 0 },
};
static const struct field inline_fields[] = {
	STRING("text", struct thing, text, 0),
	{ 0 },
};
static const struct field fields[] = {
	BOOL           ("must",     struct thing, must, REQUIRED),
	BOOL           ("flag",     struct thing, flag, 0),
	INLINE         ("inline",   0, inline_fields),
	STRING         ("path",     struct thing, path, ABSOLUTE),
	STRING         ("full",     struct thing, full, NOT_EMPTY),
	STRINGS        ("words",    struct thing, words, 0),
	STRINGS        ("paths",    struct thing, paths, ABSOLUTE),
	U32            ("u32",      struct thing, u32, 0, NULL),
	U32            ("id",       struct thing, id, 0, &field_id_range),
	U64            ("u64",      struct thing, u64, 0, NULL),
	I64            ("i64",      struct thing, i64, 0, NULL),
	OPTIONAL_U64   ("someU64",  struct thing, some_u64, NULL),
	OPTIONAL_I64   ("someI64",  struct thing, some_i64, NULL),
	U32S           ("ids",      struct thing, ids, 0, &field_id_range),
	NAME           ("colour",   struct thing, colour, 0, colours),
	MASK           ("colours",  struct thing, colours, 0, colours),
	MASK           ("bits",     struct thing, bits, BIT_NUMBERS | UNKNOWN_WARNS, bit_numbers),
	MAP            ("map",      struct thing, map, 0),
	OBJECT         ("child",    struct thing, child, struct child, 0, child_fields),
	OPTIONAL_OBJECT("part",     struct thing, part, struct part, ONLY_KNOWN, part_fields),
	LIST           ("children", struct thing, children, struct child, 0, child_fields),
	KEYED_LIST     ("named",    struct thing, named, struct child, 0, named_fields),
	UNSUPPORTED    ("later"),
	{ 0 },
};
/* clang-format on */

static int decode(struct arena *arena, const char *text, struct thing *thing, struct err *err)
{
	struct json *tree;

	*thing = (struct thing){ 0 };
	if (json_parse(text, strlen(text), arena, &tree, err) < 0)
		fail_msg("%s: %s", text, err->text);
	return fields_decode(tree, fields, thing, arena, err);
}

static const char everything[] =
	"{\"must\":false,\"flag\":true,\"inline\":{\"text\":\"t\"},\"path\":\"/p\",\"full\":\"f\","
	"\"words\":[\"a\",\"\"],\"paths\":[\"/\"],\"u32\":4294967295,\"id\":4294967294,"
	"\"u64\":18446744073709551615,\"i64\":-9223372036854775808,\"someU64\":0,\"someI64\":-1,"
	"\"ids\":[0,4294967294],\"colour\":\"red\",\"colours\":[\"red\",\"green\",\"both\"],"
	"\"bits\":[\"zero\",\"top\"],\"map\":{\"k\":\"\",\"l\":\"v\"},\"child\":{\"name\":\"c\"},"
	"\"part\":{\"weight\":-5},\"children\":[{\"name\":\"d\",\"size\":1},{\"name\":\"e\"}],"
	"\"named\":{\"x\":{\"size\":0},\"y\":{\"size\":2}}}";

static void test_everything(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct thing thing;
	struct err err = { 0 };

	(void)state;
	if (decode(arena, everything, &thing, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(thing.flag);
	assert_false(thing.must);
	assert_string_equal(thing.text, "t");
	assert_string_equal(thing.path, "/p");
	assert_int_equal(thing.words.len, 2);
	assert_string_equal(thing.words.item[1], "");
	assert_null(thing.words.item[2]);
	assert_int_equal(thing.u32, UINT32_MAX);
	assert_int_equal(thing.id, UINT32_MAX - 1);
	assert_true(thing.u64 == UINT64_MAX);
	assert_true(thing.i64 == INT64_MIN);
	assert_true(thing.some_u64.set && thing.some_u64.value == 0);
	assert_true(thing.some_i64.set && thing.some_i64.value == -1);
	assert_int_equal(thing.ids.len, 2);
	assert_int_equal(thing.ids.item[1], UINT32_MAX - 1);
	assert_int_equal(thing.colour, 1);
	assert_int_equal(thing.colours, 3);
	assert_true(thing.bits == (1ULL << 63 | 1));
	assert_int_equal(thing.map.len, 2);
	assert_string_equal(thing.map.item[1].key, "l");
	assert_string_equal(thing.map.item[0].value, "");
	assert_string_equal(thing.child.name, "c");
	assert_true(thing.part.set && thing.part.weight == -5);
	assert_int_equal(thing.children.len, 2);
	assert_string_equal(thing.children.item[1].name, "e");
	assert_int_equal(thing.named.len, 2);
	assert_string_equal(thing.named.item[1].name, "y");
	assert_int_equal(thing.named.item[1].size, 2);
	assert_string_equal(json_print(fields_encode(&thing, fields, arena), false, arena, NULL),
			    everything);
	arena_free(arena);
}

/* What is absent, null, unknown or empty leaves no trace, in both directions. */
static const char *const nothing[] = {
	"{\"must\":false}",
	"{\"must\":false,\"other\":{\"deep\":[1]}}",
	("{\"must\":false,\"flag\":null,\"path\":null,\"words\":null,\"u32\":null,"
	 "\"someI64\":null,\"colour\":null,\"bits\":null,\"map\":null,\"child\":null,"
	 "\"part\":null,\"children\":null,\"named\":null,\"later\":null}"),
	("{\"must\":false,\"inline\":{},\"path\":\"\",\"colours\":[],\"map\":{},"
	 "\"children\":[],\"named\":{},\"later\":[]}"),
	"{\"must\":false,\"later\":{}}",
	"{\"must\":false,\"later\":\"\"}",
	"{\"must\":false,\"bits\":[\"unheard-of\"]}",
};

static void test_nothing(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
		struct thing thing;
		struct err err = { 0 };

		if (decode(arena, nothing[i], &thing, &err) < 0)
			fail_msg("%s: %s", nothing[i], err.text);
		assert_null(thing.path);
		assert_null(thing.words.item);
		assert_false(thing.some_i64.set);
		assert_false(thing.part.set);
		/* 0 has a word in this table */
		assert_string_equal(
			json_print(fields_encode(&thing, fields, arena), false, arena, NULL),
			"{\"must\":false,\"colour\":\"none\"}");
	}
	arena_free(arena);
}

/* Present and empty differs from absent where there is a `set`, and for lists of strings. */
static void test_set(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct thing thing;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(decode(arena, "{\"must\":true,\"words\":[],\"part\":{}}", &thing, &err),
			 0);
	assert_true(thing.part.set);
	assert_non_null(thing.words.item);
	assert_null(thing.words.item[0]);
	assert_string_equal(json_print(fields_encode(&thing, fields, arena), false, arena, NULL),
			    "{\"must\":true,\"words\":[],\"colour\":\"none\",\"part\":{}}");
	arena_free(arena);
}

/* clang-format off */
static const struct {
	const char *text, *error;
} refused[] = {
	{ "[]",                     "expected an object, found an array" },
	{ "{}",                     "must: is required" },
	{ "{\"must\":null}",        "must: is required" },
	{ "{\"must\":0}",           "must: expected true or false, found a number" },
	{ "{\"must\":\"true\"}",    "must: expected true or false, found a string" },
#define WITH(s) "{\"must\":true," s "}"
	{ WITH("\"path\":1"),                     "path: expected a string, found a number" },
	{ WITH("\"path\":\"a/b\""),               "path: 'a/b' is not an absolute path" },
	{ WITH("\"full\":\"\""),                  "full: must not be empty" },
	{ WITH("\"inline\":[]"),                  "inline: expected an object, found an array" },
	{ WITH("\"inline\":{\"text\":true}"),     "inline.text: expected a string, found true" },
	{ WITH("\"words\":\"a\""),                "words: expected an array of strings, found a string" },
	{ WITH("\"words\":[\"a\",null]"),         "words[1]: expected a string, found null" },
	{ WITH("\"paths\":[\"/a\",\"b\"]"),       "paths[1]: 'b' is not an absolute path" },
	{ WITH("\"paths\":[\"\"]"),               "paths[0]: '' is not an absolute path" },
	{ WITH("\"u32\":\"1\""),                  "u32: expected an integer, found a string" },
	{ WITH("\"u32\":-1"),                     "u32: -1 is not in the range 0 to 4294967295" },
	{ WITH("\"u32\":4294967296"),             "u32: 4294967296 is not in the range 0 to 4294967295" },
	{ WITH("\"u32\":1.0"),                    "u32: 1.0 is not an integer" },
	{ WITH("\"u32\":1e3"),                    "u32: 1e3 is not an integer" },
	{ WITH("\"u32\":1E3"),                    "u32: 1E3 is not an integer" },
	{ WITH("\"id\":4294967295"),              "id: 4294967295 is not in the range 0 to 4294967294; 4294967295 means \"no change\" to the kernel" },
	{ WITH("\"u64\":-1"),                     "u64: -1 is not in the range 0 to 18446744073709551615" },
	{ WITH("\"u64\":18446744073709551616"),   "u64: 18446744073709551616 is not in the range 0 to 18446744073709551615" },
	{ WITH("\"i64\":9223372036854775808"),    "i64: 9223372036854775808 is not in the range -9223372036854775808 to 9223372036854775807" },
	{ WITH("\"i64\":-9223372036854775809"),   "i64: -9223372036854775809 is not in the range -9223372036854775808 to 9223372036854775807" },
	{ WITH("\"i64\":99999999999999999999999"), "i64: 99999999999999999999999 is not in the range -9223372036854775808 to 9223372036854775807" },
	{ WITH("\"someU64\":true"),               "someU64: expected an integer, found true" },
	{ WITH("\"someI64\":{}"),                 "someI64: expected an integer, found an object" },
	{ WITH("\"ids\":[0,4294967295]"),         "ids[1]: 4294967295 is not in the range 0 to 4294967294; 4294967295 means \"no change\" to the kernel" },
	{ WITH("\"ids\":1"),                      "ids: expected an array of integers, found a number" },
	{ WITH("\"colour\":\"blue\""),            "colour: unknown name 'blue'" },
	{ WITH("\"colour\":1"),                   "colour: expected a string, found a number" },
	{ WITH("\"colours\":[\"red\",\"blue\"]"), "colours[1]: unknown name 'blue'" },
	{ WITH("\"colours\":[1]"),                "colours[0]: expected a string, found a number" },
	{ WITH("\"bits\":{}"),                    "bits: expected an array of strings, found an object" },
	{ WITH("\"map\":[]"),                     "map: expected an object of strings, found an array" },
	{ WITH("\"map\":{\"k\":1}"),              "map[\"k\"]: expected a string, found a number" },
	{ WITH("\"map\":{\"\":\"v\"}"),           "map: a key must not be empty" },
	{ WITH("\"child\":{}"),                   "child.name: is required" },
	{ WITH("\"child\":{\"name\":\"\"}"),      "child.name: must not be empty" },
	{ WITH("\"part\":{\"weight\":-6}"),       "part.weight: -6 is not in the range -5 to 5" },
	{ WITH("\"part\":{\"weight\":6}"),        "part.weight: 6 is not in the range -5 to 5" },
	{ WITH("\"part\":{\"wait\":1}"),          "part: unknown key 'wait'" },
	{ WITH("\"children\":{}"),                "children: expected an array of objects, found an object" },
	{ WITH("\"children\":[1]"),               "children[0]: expected an object, found a number" },
	{ WITH("\"children\":[{\"name\":\"a\"},{}]"), "children[1].name: is required" },
	{ WITH("\"named\":[]"),                   "named: expected an object of objects, found an array" },
	{ WITH("\"named\":{\"x\":{}}"),           "named[\"x\"].size: is required" },
	{ WITH("\"later\":{\"a\":1}"),            "later: is not supported yet by agentd" },
	{ WITH("\"later\":[0]"),                  "later: is not supported yet by agentd" },
	{ WITH("\"later\":\"x\""),                "later: is not supported yet by agentd" },
	{ WITH("\"later\":false"),                "later: is not supported yet by agentd" },
};
/* clang-format on */

static void test_refused(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct thing thing;
		struct err err = { 0 };

		if (decode(arena, refused[i].text, &thing, &err) == 0)
			fail_msg("accepted: %s", refused[i].text);
		assert_string_equal(err.text, refused[i].error);
		assert_int_not_equal(err.code, 0);
	}
	arena_free(arena);
}

/* SPEC_LIST_MAX items are accepted in each kind of list, and one more is not. */
static void test_list_max(void **state)
{
	static const char *const keys[] = { "words", "ids", "bits", "children", "map", "named" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct arena *arena = arena_new(ARENA_LIMIT);
		struct json *object = json_object(NULL, NULL, arena), *list, *child;
		struct err err = { 0 };
		struct thing thing = { 0 };

		json_boolean(object, "must", true, arena);
		list = i < 4 ? json_array(object, keys[i], arena)
			     : json_object(object, keys[i], arena);
		for (int n = 0; n <= SPEC_LIST_MAX; n++) {
			const char *key = i < 4 ? NULL : arena_format(arena, "k%d", n);

			if (n == SPEC_LIST_MAX)
				assert_int_equal(fields_decode(object, fields, &thing, arena, &err),
						 0);
			if (i == 1) {
				json_integer(list, key, n, arena);
			} else if (i == 3 || i == 5) {
				child = json_object(list, key, arena);
				json_string(child, "name", "n", arena);
				json_integer(child, "size", n, arena);
			} else {
				json_string(list, key, "zero", arena);
			}
		}
		assert_int_equal(fields_decode(object, fields, &thing, arena, &err), -1);
		assert_string_equal(err.text,
				    arena_format(arena,
						 "%s: has 16385 items, more than the 16384 that "
						 "are allowed",
						 keys[i]));
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything), cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_set),	   cmocka_unit_test(test_refused),
		cmocka_unit_test(test_list_max),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
