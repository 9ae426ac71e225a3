/*
 * The table language: one row per JSON key ties a key to a member of a struct, in both directions.
 *
 * The decoder and the C type of the member are tied at compile time, so a wrong row does not build.
 * Keys that no row names are ignored, as the specification demands; a key that is known and not
 * done is an UNSUPPORTED row and refused by name; null is the same as absent.
 */
#pragma once

#include <stddef.h>

#include "runtime/base/names.h"
#include "spec/json.h"

struct field {
	const char *key;	       /* NULL ends a table */
	const struct field_kind *kind; /* how to decode and encode: field.c */
	unsigned flags;
	size_t offset;	 /* of the member */
	size_t size;	 /* of an item, for lists of objects */
	const void *arg; /* the kind's own: a table of names, a table of fields, a function */
};

/* Decodes an object into a struct. The error is the path and the reason:
 * "process.capabilities.bounding[1]: ...". */
int fields_decode(const struct json *from, const struct field *table, void *to, struct arena *arena,
		  struct err *err);

/* Makes an object of a struct; members that were absent stay absent. */
struct json *fields_encode(const void *from, const struct field *table, struct arena *arena);
