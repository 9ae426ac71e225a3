/*
 * Tables of words and their numbers, looked up in both directions. A table ends with a row whose
 * name is "".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct name {
	char name[40]; /* no pointer, which would be relocated at each start */
	uint64_t value;
};

/* Finds the number of a word; false if no row has it. */
bool name_value(const struct name *table, const char *name, uint64_t *value);

/* The first word with this number, or NULL. */
const char *name_text(const struct name *table, uint64_t value);
