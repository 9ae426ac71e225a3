/*
 * One character of a text that claims to be UTF-8 (RFC 3629). What a text may have besides is for
 * whoever asks: JSON, a log, a report.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The number of bytes of the character at `at`, with its number, if it is one: not overlong, not
 * cut off by the end, no half of a surrogate pair. Else 0. */
static inline size_t utf8_size(const char *at, size_t left, uint32_t *code)
{
	/* by the first four bits, and by size */
	static const unsigned char sizes[] = { 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4 };
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char first = (unsigned char)at[0];
	const size_t size = sizes[first >> 4];

	*code = first;
	if (size <= 1)
		return size;
	if (first > 0xf4 || size > left)
		return 0;
	*code = first & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (at[i] & 0x3f);
	}
	if (*code < smallest[size] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return size;
}
