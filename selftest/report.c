/*
 * The table of formats, see report.h. The writers are in report_FORMAT.c.
 */
#include "selftest/report.h"

#include <string.h>

#include "selftest/report_common.h"

/* clang-format off */
const struct report_format report_formats[] = {
	{ "text",  "txt",   report_text_write },
	{ "json",  "json",  report_json_write },
	{ "junit", "xml",   report_junit_write },
	{ "tap",   "tap",   report_tap_write },
	{ "sarif", "sarif", report_sarif_write },
	{ "html",  "html",  report_html_write },
	{ 0 },
};
/* clang-format on */

const struct report_format *report_find(const char *name_or_file)
{
	const char *dot = strrchr(name_or_file, '.');

	for (const struct report_format *format = report_formats; format->name; format++)
		if (strcmp(format->name, name_or_file) == 0 ||
		    (dot && strcmp(format->ending, dot + 1) == 0))
			return format;
	return NULL;
}
