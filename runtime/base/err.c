/*
 * Errors, see err.h. Only vsnprintf and the table of error texts of libc are used: both are safe in
 * a freshly cloned child.
 */
#include "runtime/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	err->code = code ? code : EIO;
	err->placed = false;
	return -1;
}

/* A long name must not push the reason out of the text. */
#define SUBJECT_MAX (ERR_TEXT_MAX / 2)

int err_sys(struct err *err, const char *format, ...)
{
	int code = errno ? errno : EIO;
	char subject[SUBJECT_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(subject, sizeof(subject), format, args);
	va_end(args);
	snprintf(err->text, sizeof(err->text), "%s%s: %s", subject, len >= SUBJECT_MAX ? "..." : "",
		 strerror(code));
	err->code = code;
	err->placed = false;
	return -1;
}

static void __attribute__((format(printf, 2, 0)))
put_in_front(struct err *err, const char *format, va_list args, const char *between)
{
	char inner[ERR_TEXT_MAX], subject[SUBJECT_MAX];
	int len;

	memcpy(inner, err->text, sizeof(inner));
	len = vsnprintf(subject, sizeof(subject), format, args);
	snprintf(err->text, sizeof(err->text), "%s%s%s%s", subject, len >= SUBJECT_MAX ? "..." : "",
		 between, inner);
}

int err_wrap(struct err *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_in_front(err, format, args, ": ");
	va_end(args);
	return -1;
}

int err_within(struct err *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_in_front(err, format, args, ".");
	va_end(args);
	return -1;
}

int err_hint(struct err *err, const char *format, ...)
{
	size_t len = strnlen(err->text, sizeof(err->text) - 1);
	va_list args;

	if (len + 3 >= sizeof(err->text))
		return -1;
	memcpy(err->text + len, "; ", 3);
	va_start(args, format);
	vsnprintf(err->text + len + 2, sizeof(err->text) - len - 2, format, args);
	va_end(args);
	return -1;
}
