/*
 * Look-up in tables of words, see names.h.
 */
#include "runtime/base/names.h"

#include <string.h>

bool name_value(const struct name *table, const char *name, uint64_t *value)
{
	for (; *table->name; table++) {
		if (strcmp(table->name, name) == 0) {
			*value = table->value;
			return true;
		}
	}
	return false;
}

const char *name_text(const struct name *table, uint64_t value)
{
	for (; *table->name; table++)
		if (table->value == value)
			return table->name;
	return NULL;
}
