/*
 * The characters of a JSON text, see json_text.h: UTF-8 byte by byte, after words in which there is
 * nothing to look at. A few bits decide what gets through: tests put what is bad at every offset.
 */
#include "spec/json_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/utf8.h"

/* The value of "\uXXXX" at `at`, or -1 if something else is there. */
static long unicode_escape(const char *at, size_t left)
{
	char digits[5] = { 0 };

	if (left < 6 || at[0] != '\\' || at[1] != 'u')
		return -1;
	memcpy(digits, at + 2, 4);
	if (strspn(digits, "0123456789abcdefABCDEF") != 4)
		return -1;
	return strtol(digits, NULL, 16);
}

/* The number of bytes of the escape at `at`; a backslash is legal only in strings, so there is no
 * need to know where strings begin. 0 with a reason if it must not be. */
static size_t escape_size(const char *at, size_t left, const char **reason)
{
	long code = unicode_escape(at, left), low;

	if (code < 0)
		return left < 2 ? left : 2;
	*reason = "a string must not contain NUL";
	if (code == 0)
		return 0;
	if (code < 0xd800 || code > 0xdfff)
		return 6;
	*reason = "half of a surrogate pair";
	low = unicode_escape(at + 6, left - 6);
	return code <= 0xdbff && low >= 0xdc00 && low <= 0xdfff ? 12 : 0;
}

#define BYTES(byte) (UINT64_MAX / 0xff * (byte)) /* of a word, each the same */

/* The number of bytes from `at` on that need no look one by one: words of ASCII alone, without a
 * backslash. */
static size_t plain_size(const char *at, size_t left)
{
	size_t size = 0;
	uint64_t word, other;

	for (; left - size >= sizeof(word); size += sizeof(word)) {
		memcpy(&word, at + size, sizeof(word));
		other = word ^ BYTES('\\');
		/* a byte of `other` that is 0 borrows from its highest bit */
		if ((word | ((other - BYTES(1)) & ~other)) & BYTES(0x80))
			break;
	}
	return size;
}

const char *json_text_check(const char *text, size_t size, size_t *at)
{
	const char *reason = NULL;
	uint32_t code;

	for (*at = 0; *at < size;) {
		size_t step;

		*at += plain_size(text + *at, size - *at);
		if (*at == size)
			break;
		if (text[*at] == '\\') {
			step = escape_size(text + *at, size - *at, &reason);
		} else {
			reason = "invalid UTF-8";
			step = utf8_size(text + *at, size - *at, &code);
		}
		if (step == 0)
			return reason;
		*at += step;
	}
	return NULL;
}

const char *json_text_repair(const char *text, struct arena *arena)
{
	const size_t size = strlen(text);
	char *copy = NULL;
	uint32_t code;
	size_t step;

	for (size_t at = plain_size(text, size); at < size; at += step) {
		step = utf8_size(text + at, size - at, &code);
		if (step)
			continue;
		if (!copy)
			copy = arena_copy(arena, text, size);
		copy[at] = '?';
		step = 1;
	}
	return copy ? copy : text;
}
