/*
 * reports FORMAT: the report of a made-up run in that format, for parsers to read.
 */
#include <stdio.h>

#include "selftest/report.h"
#include "tests/unit/made_up_run.h"

int main(int argc, char *argv[])
{
	const struct report_format *format = argc == 2 ? report_find(argv[1]) : NULL;
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct err err = { 0 };
	int status = 0;

	if (!format || format->write(&made_up_run, stdout, arena, &err) < 0) {
		fprintf(stderr, "%s\n", format ? err.text : "usage: reports FORMAT");
		status = 1;
	}
	arena_free(arena);
	return status;
}
