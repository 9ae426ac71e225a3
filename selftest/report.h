/*
 * Reports of a finished run, one writer a format. A writer prints to a stream and decides nothing.
 */
#pragma once

#include <stdio.h>

#include "selftest/selftest.h"

struct report_format {
	const char *name;   /* "text", "json", "junit", "tap", "sarif", "html" */
	const char *ending; /* of a file, without the dot */
	int (*write)(const struct selftest_run *run, FILE *to, struct arena *arena,
		     struct err *err);
};

extern const struct report_format report_formats[]; /* ends with { 0 } */

/* The format by its name, or by a file's ending (".xml" is junit); NULL: none. */
const struct report_format *report_find(const char *name_or_file);

/* The run as a tree: the JSON report (schema in contrib/schema/selftest-1.json). */
struct json *report_tree(const struct selftest_run *run, struct arena *arena);

/* What became worse since a JSON report of earlier: ids, one a line, or "" (err: it cannot be
 * read). */
int report_compare(const struct selftest_run *run, const char *baseline, struct arena *arena,
		   const char **worse, struct err *err);
