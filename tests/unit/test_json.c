/*
 * spec/json.c: what is refused and where the error points, numbers, merging, printing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/base/array.h"
#include "spec/json.h"

static struct json *parse(struct arena *arena, const char *text)
{
	struct json *value;
	struct err err = { 0 };

	if (json_parse(text, strlen(text), arena, &value, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return value;
}

/* clang-format off */
#define TEXT(s) s, sizeof(s) - 1
static const struct {
	const char *text;
	size_t size;
	const char *error;
} refused[] = {
	{ TEXT(""),                             "line 1, column 1: parse error: premature EOF" },
	{ TEXT(" "),                            "line 1, column 2: parse error: premature EOF" },
	{ TEXT("{"),                            "line 1, column 2: parse error: premature EOF" },
	{ TEXT("[1,\n2"),                       "line 2, column 2: parse error: premature EOF" },
	{ TEXT("[1] x"),                        "line 1, column 6: parse error: trailing garbage" },
	{ TEXT("[1] [2]"),                      "line 1, column 6: parse error: trailing garbage" },
	{ TEXT("[1,]"),                         "line 1, column 5: parse error: unallowed token at this point in JSON text" },
	{ TEXT("{\"a\" 1}"),                    "line 1, column 7: parse error: object key and value must be separated by a colon (':')" },
	{ TEXT("{1:2}"),                        "line 1, column 3: parse error: invalid object key (must be a string)" },
	{ TEXT("// c\n1"),                      "line 1, column 1: lexical error: probable comment found in input text, comments are not enabled." },
	{ TEXT("[1 /* c */]"),                  "line 1, column 4: lexical error: probable comment found in input text, comments are not enabled." },
	{ TEXT("nul"),                          "line 1, column 4: lexical error: invalid string in json text." },
	{ TEXT("NaN"),                          "line 1, column 2: lexical error: invalid char in json text." },
	{ TEXT("'a'"),                          "line 1, column 2: lexical error: invalid char in json text." },
	{ TEXT("\xef\xbb\xbf{}"),               "line 1, column 2: lexical error: invalid char in json text." },
	{ TEXT("01"),                           "line 1, column 3: parse error: trailing garbage" },
	{ TEXT("[-]"),                          "line 1, column 3: lexical error: malformed number, a digit is required after the minus sign." },
	{ TEXT("[\"\t\"]"),                     "line 1, column 3: lexical error: invalid character inside string." },
	{ TEXT("[\"\0\"]"),                     "line 1, column 3: lexical error: invalid character inside string." },
	{ TEXT("{}\0"),                         "line 1, column 4: parse error: trailing garbage" },
	{ TEXT("[\"\\x\"]"),                    "line 1, column 4: lexical error: inside a string, '\\' occurs before a character which it may not." },
	{ TEXT("\"\\"),                         "line 1, column 3: lexical error: inside a string, '\\' occurs before a character which it may not." },
	{ TEXT("[\"a\\u0000b\"]"),              "line 1, column 4: a string must not contain NUL" },
	{ TEXT("{\n \"a\\u0000\": 1}"),         "line 2, column 4: a string must not contain NUL" },
	{ TEXT("[\"\\ud800\"]"),                "line 1, column 3: half of a surrogate pair" },
	{ TEXT("[\"\\udc00\"]"),                "line 1, column 3: half of a surrogate pair" },
	{ TEXT("[\"\\ud800\\u0041\"]"),         "line 1, column 3: half of a surrogate pair" },
	{ TEXT("[\"\\ud800\\tdc00\"]"),         "line 1, column 3: half of a surrogate pair" },
	{ TEXT("[\"\\ud800xudc00\"]"),          "line 1, column 3: half of a surrogate pair" },
	{ TEXT("[\"\xff\"]"),                   "line 1, column 3: invalid UTF-8" },
	{ TEXT("[\"\xc0\x80\"]"),               "line 1, column 3: invalid UTF-8" }, /* overlong NUL */
	{ TEXT("[\"\xc1\xbf\"]"),               "line 1, column 3: invalid UTF-8" },
	{ TEXT("[\"\xe0\x80\x80\"]"),           "line 1, column 3: invalid UTF-8" },
	{ TEXT("[\"\xed\xa0\x80\"]"),           "line 1, column 3: invalid UTF-8" }, /* surrogate */
	{ TEXT("[\"\xf4\x90\x80\x80\"]"),       "line 1, column 3: invalid UTF-8" }, /* above U+10FFFF */
	{ TEXT("[\"\xf8\x80\x80\x80\x80\"]"),   "line 1, column 3: invalid UTF-8" },
	{ TEXT("[\"\xe2\x82"),                  "line 1, column 3: invalid UTF-8" },
	{ TEXT("[\"\x80\"]"),                   "line 1, column 3: invalid UTF-8" },
	{ TEXT("{\"a\":1,\"b\":2,\"a\":3}"),    "line 1, column 20: the object that ends here has the key 'a' twice" },
	{ TEXT("{\"a\":1,\"\\u0061\":2}"),      "line 1, column 19: the object that ends here has the key 'a' twice" },
	{ TEXT("[{\"\":1,\"\":2}]"),            "line 1, column 13: the object that ends here has the key '' twice" },
};
/* clang-format on */

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct arena *arena = arena_new(ARENA_LIMIT);
		struct json *value;
		struct err err = { 0 };

		if (json_parse(refused[i].text, refused[i].size, arena, &value, &err) == 0)
			fail_msg("accepted: %s", refused[i].text);
		assert_string_equal(err.text, refused[i].error);
		assert_int_not_equal(err.code, 0);
		arena_free(arena);
	}
}

/* Most of a text is looked at a word at a time: what is bad must be found in every byte of it. */
static void test_refused_at_every_offset(void **state)
{
	static const struct {
		const char *bad, *error;
	} rows[] = { { "\xff", "invalid UTF-8" },
		     { "\xc0\x80", "invalid UTF-8" },
		     { "\\u0000", "a string must not contain NUL" },
		     { "\\udc00", "half of a surrogate pair" } };
	struct arena *arena = arena_new(ARENA_LIMIT);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows) * 40; i++) {
		const char *bad = rows[i / 40].bad;
		char text[64], expected[100];
		struct err err = { 0 };
		struct json *value;

		memset(text, 'a', sizeof(text));
		memcpy(text, "[\"", 2);
		memcpy(text + sizeof(text) - 2, "\"]", 2);
		memcpy(text + 2 + i % 40, bad, strlen(bad));
		snprintf(expected, sizeof(expected), "line 1, column %zu: %s", 3 + i % 40,
			 rows[i / 40].error);
		assert_int_equal(json_parse(text, sizeof(text), arena, &value, &err), -1);
		assert_string_equal(err.text, expected);
	}
	arena_free(arena);
}

/* The first and the last of each length, and those beside the surrogates. */
static void test_all_of_unicode(void **state)
{
	static const char *const texts[][2] = {
		{ "\xc2\x80", "\\u0080" },
		{ "\xdf\xbf", "\\u07ff" },
		{ "\xe0\xa0\x80", "\\u0800" },
		{ "\xed\x9f\xbf", "\\ud7ff" },
		{ "\xee\x80\x80", "\\ue000" },
		{ "\xef\xbf\xbf", "\\uffff" },
		{ "\xf0\x90\x80\x80", "\\ud800\\udc00" },
		{ "\xf4\x8f\xbf\xbf", "\\udbff\\udfff" },
	};
	struct arena *arena = arena_new(ARENA_LIMIT);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		for (size_t j = 0; j < 2; j++)
			assert_string_equal(
				parse(arena, arena_format(arena, "\"%s\"", texts[i][j]))->text,
				texts[i][0]);
	arena_free(arena);
}

static void repeat(char *to, const char *what, size_t times)
{
	size_t len = strlen(what);

	for (size_t i = 0; i < times; i++)
		memcpy(to + i * len, what, len);
}

/* The greatest that is accepted, and one more. */
static void test_limits(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	char *text = arena_alloc(arena, JSON_BYTES_MAX + 2, 1);
	struct json *value;
	struct err err = { 0 };

	(void)state;
	repeat(text, "[", JSON_DEPTH_MAX);
	repeat(text + JSON_DEPTH_MAX, "]", JSON_DEPTH_MAX);
	assert_int_equal(json_parse(text, 2 * JSON_DEPTH_MAX, arena, &value, &err), 0);
	repeat(text, "[", JSON_DEPTH_MAX + 1);
	repeat(text + JSON_DEPTH_MAX + 1, "]", JSON_DEPTH_MAX + 1);
	assert_int_equal(json_parse(text, 2 * JSON_DEPTH_MAX + 2, arena, &value, &err), -1);
	assert_string_equal(err.text, "line 1, column 34: nested too deeply");
	/* a million brackets must not reach the stack either */
	repeat(text, "[", 1000000);
	assert_int_equal(json_parse(text, 1000000, arena, &value, &err), -1);

	memset(text, ' ', JSON_BYTES_MAX + 1);
	text[0] = '1';
	assert_int_equal(json_parse(text, JSON_BYTES_MAX, arena, &value, &err), 0);
	assert_int_equal(json_parse(text, JSON_BYTES_MAX + 1, arena, &value, &err), -1);
	assert_string_equal(err.text, "is larger than 4194304 bytes");
	arena_free(arena);
}

static void test_values_max(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	char *text = arena_alloc(arena, JSON_BYTES_MAX, 1);
	struct json *value;
	struct err err = { 0 };

	(void)state;
	text[0] = '[';
	repeat(text + 1, "1,", JSON_VALUES_MAX - 1);
	text[2 * (JSON_VALUES_MAX - 1)] = ']';
	assert_int_equal(json_parse(text, 2 * JSON_VALUES_MAX - 1, arena, &value, &err), 0);
	assert_int_equal(value->len, JSON_VALUES_MAX - 1);
	arena_free(arena);

	arena = arena_new(ARENA_LIMIT);
	text = arena_alloc(arena, JSON_BYTES_MAX, 1);
	text[0] = '[';
	repeat(text + 1, "1,", JSON_VALUES_MAX);
	text[2 * JSON_VALUES_MAX] = ']';
	assert_int_equal(json_parse(text, 2 * JSON_VALUES_MAX + 1, arena, &value, &err), -1);
	assert_non_null(strstr(err.text, ": too many values"));
	arena_free(arena);
}

/* 100,000 keys of one object: comparing each with each would take minutes. */
static void test_many_keys(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct json *object = json_object(NULL, NULL, arena), *value;
	struct err err = { 0 };
	size_t size;
	char *text;

	(void)state;
	for (int i = 0; i < 100000; i++)
		json_boolean(object, arena_format(arena, "key%d", i), true, arena);
	text = json_print(object, false, arena, &size);
	assert_int_equal(json_parse(text, size, arena, &value, &err), 0);
	assert_int_equal(value->len, 100000);
	json_boolean(object, "key31415", true, arena);
	text = json_print(object, false, arena, &size);
	assert_int_equal(json_parse(text, size, arena, &value, &err), -1);
	assert_non_null(strstr(err.text, "the key 'key31415' twice"));
	arena_free(arena);
}

static void test_values(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct json *value = parse(arena, " {\"a\":[null,true,false,-1.5e3,\"x\"],\"b\":{}} \n");
	const struct json *a = json_member(value, "a");
	const struct json *at = a->first;

	(void)state;
	assert_int_equal(value->kind, JSON_OBJECT);
	assert_int_equal(value->len, 2);
	assert_string_equal(a->key, "a");
	assert_int_equal(a->len, 5);
	assert_int_equal(at->kind, JSON_NULL);
	assert_int_equal((at = at->next)->kind, JSON_TRUE);
	assert_int_equal((at = at->next)->kind, JSON_FALSE);
	assert_int_equal((at = at->next)->kind, JSON_NUMBER);
	assert_string_equal(at->text, "-1.5e3");
	assert_int_equal((at = at->next)->kind, JSON_STRING);
	assert_string_equal(at->text, "x");
	assert_null(at->key);
	assert_null(at->next);
	assert_int_equal(json_member(value, "b")->kind, JSON_OBJECT);
	assert_null(json_member(value, "c"));
	assert_null(json_member(a, "a"));
	arena_free(arena);
}

static void test_strings(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);

	(void)state;
	assert_string_equal(parse(arena, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")->text,
			    "\"\\/\b\f\n\r\t");
	assert_string_equal(parse(arena, "\"\\u20ac\\ud83d\\ude00\"")->text,
			    "\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_string_equal(parse(arena, "\"\xf4\x8f\xbf\xbf\xc2\x80\xe0\xa0\x80\"")->text,
			    "\xf4\x8f\xbf\xbf\xc2\x80\xe0\xa0\x80");
	/* a backslash before u that is itself escaped is no escape */
	assert_string_equal(parse(arena, "\"\\\\u0000\"")->text, "\\u0000");
	arena_free(arena);
}

/* clang-format off */
static const struct {
	const char *text;
	bool is_u64, is_i64;
	uint64_t u64;
	int64_t i64;
} numbers[] = {
	{ "0",                    true,  true,  0, 0 },
	{ "-0",                   false, true,  0, 0 },
	{ "9007199254740993",     true,  true,  9007199254740993, 9007199254740993 }, /* 2^53 + 1 */
	{ "9223372036854775807",  true,  true,  INT64_MAX, INT64_MAX },
	{ "9223372036854775808",  true,  false, 9223372036854775808u, 0 },
	{ "18446744073709551615", true,  false, UINT64_MAX, 0 },
	{ "18446744073709551616", false, false, 0, 0 },
	{ "-1",                   false, true,  0, -1 },
	{ "-9223372036854775808", false, true,  0, INT64_MIN },
	{ "-9223372036854775809", false, false, 0, 0 },
	{ "1.0",                  false, false, 0, 0 },
	{ "1e3",                  false, false, 0, 0 },
	{ "\"1\"",                false, false, 0, 0 },
	{ "true",                 false, false, 0, 0 },
};
/* clang-format on */

static void test_numbers(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		const struct json *value = parse(arena, numbers[i].text);
		uint64_t u64;
		int64_t i64;

		assert_int_equal(json_u64(value, &u64), numbers[i].is_u64);
		if (numbers[i].is_u64)
			assert_true(u64 == numbers[i].u64);
		assert_int_equal(json_i64(value, &i64), numbers[i].is_i64);
		if (numbers[i].is_i64)
			assert_true(i64 == numbers[i].i64);
	}
	arena_free(arena);
}

/* RFC 7396, appendix A */
static const char *const merges[][3] = {
	{ "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
	{ "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
	{ "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
	{ "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
	{ "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
	{ "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
	{ "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}" },
	{ "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
	{ "[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]" },
	{ "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]" },
	{ "{\"a\":\"foo\"}", "null", "null" },
	{ "{\"a\":\"foo\"}", "\"bar\"", "\"bar\"" },
	{ "{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}" },
	{ "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
	{ "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
	{ "{}", "{\"a\":[{\"b\":null}]}", "{\"a\":[{\"b\":null}]}" },
};

static void test_merge(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(merges); i++) {
		struct json *base = parse(arena, merges[i][0]), *patch = parse(arena, merges[i][1]);
		struct json *merged = json_merge(base, patch, arena);

		assert_string_equal(json_print(merged, false, arena, NULL), merges[i][2]);
		/* the inputs are as they were, also when the result grows */
		if (merged->kind == JSON_OBJECT && merged->last)
			json_boolean(merged->last, "more", true, arena);
		assert_string_equal(json_print(base, false, arena, NULL), merges[i][0]);
		assert_string_equal(json_print(patch, false, arena, NULL), merges[i][1]);
	}
	arena_free(arena);
}

static void test_print(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct json *object = json_object(NULL, NULL, arena);
	struct json *array = json_array(object, "array", arena);
	size_t size;

	(void)state;
	json_integer(array, NULL, INT64_MIN, arena);
	json_unsigned(array, NULL, UINT64_MAX, arena);
	json_string(object, "q\"\n", "\"\\\b\t\x1f\x7f\xe2\x82\xac/", arena);
	json_object(object, "none", arena);
	json_boolean(object, "no", false, arena);
	assert_string_equal(json_print(object, false, arena, &size),
			    "{\"array\":[-9223372036854775808,18446744073709551615],"
			    "\"q\\\"\\n\":\"\\\"\\\\\\u0008\\t\\u001f\x7f\xe2\x82\xac/\","
			    "\"none\":{},\"no\":false}");
	assert_int_equal(size, strlen(json_print(object, false, arena, NULL)));
	object = json_object(NULL, NULL, arena);
	json_string(object, "cut", "long enough\\ \xe2\x82\xac\xe2\x82", arena);
	json_string(object, "path", "/\xff\xc0\x80/", arena);
	assert_string_equal(json_print(object, false, arena, NULL),
			    "{\"cut\":\"long enough\\\\ \xe2\x82\xac\?\?\",\"path\":\"/\?\?\?/\"}");
	assert_string_equal(json_print(parse(arena, "{\"a\":[1,{}],\"b\":[]}"), true, arena, NULL),
			    "{\n\t\"a\": [\n\t\t1,\n\t\t{}\n\t],\n\t\"b\": []\n}\n");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_values_max),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_refused_at_every_offset),
		cmocka_unit_test(test_all_of_unicode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
