/*
 * Any bytes: spec_parse() refuses them with a text, or gives a configuration that survives being
 * encoded and decoded again.
 */
#include <stdlib.h>
#include <string.h>

#include "spec/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct spec *spec, *again;
	struct err err = { 0 };
	size_t text_size;
	char *text;

	if (spec_parse((const char *)data, size, arena, &spec, &err) < 0) {
		if (!err.code || !err.text[0])
			abort();
		arena_free(arena);
		return 0;
	}
	text = json_print(spec_encode(spec, arena), false, arena, &text_size);
	if (spec_parse(text, text_size, arena, &again, &err) < 0 ||
	    strcmp(json_print(spec_encode(again, arena), false, arena, NULL), text) != 0)
		abort();
	arena_free(arena);
	return 0;
}
