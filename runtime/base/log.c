/*
 * Diagnostics, see log.h. A message is one write(2), so that lines of several processes never mix.
 */
#include "runtime/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/clock.h"
#include "runtime/base/file.h"

#define LINE_MAX_SIZE \
	(ERR_TEXT_MAX * 6 + 128) /* every byte escaped as \u00XX, and the rest of the object */

static struct {
	int fd;
	enum log_format format;
	enum log_level level;
	void (*forward)(int to, enum log_level level, const char *text);
	const int *to;
} target = { .fd = -1, .level = LOG_LEVEL_WARNING };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_DEBUG] = "debug",
};

int log_open(const char *path, enum log_format format, enum log_level level, struct err *err)
{
	target.format = format;
	target.level = level;
	if (!path)
		return 0;
	if (strncmp(path, "file:", 5) == 0)
		path += 5;
	target.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
	if (target.fd < 0)
		return err_sys(err, "open log %s", path);
	return 0;
}

void log_forward(void (*forward)(int to, enum log_level level, const char *text), const int *to)
{
	target.forward = forward;
	target.to = to;
}

/* Writes `text` as the inside of a JSON string; returns the number of bytes. */
static size_t json_escape(char *to, size_t size, const char *text)
{
	size_t len = 0;

	for (; *text && len + 7 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\') {
			to[len++] = '\\';
			to[len++] = (char)c;
		} else if (c < 0x20) {
			len += (size_t)snprintf(to + len, size - len, "\\u%04x", c);
		} else {
			to[len++] = (char)c;
		}
	}
	to[len] = '\0';
	return len;
}

void log_clean(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at; at++) {
		bool c1 = at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0; /* in UTF-8 */

		if (*at < ' ' || *at == 0x7f || c1)
			*at = '?';
		if (c1)
			*++at = '?';
	}
}

static size_t format_line(char *line, size_t size, enum log_level level, const char *text)
{
	char escaped[ERR_TEXT_MAX * 6 + 1], when[CLOCK_TEXT_SIZE];

	if (target.format == LOG_FORMAT_TEXT)
		return (size_t)snprintf(line, size, "agentd: %s: %s\n", level_names[level], text);
	clock_text(time(NULL), when);
	json_escape(escaped, sizeof(escaped), text);
	return (size_t)snprintf(line, size, "{\"msg\":\"%s\",\"level\":\"%s\",\"time\":\"%sZ\"}\n",
				escaped, level_names[level], when);
}

/* Standard error has the errors already, from main.c; -1: nowhere. */
static int log_fd(enum log_level level)
{
	if (target.fd >= 0)
		return target.fd;
	return target.level == LOG_LEVEL_DEBUG && level != LOG_LEVEL_ERROR ? STDERR_FILENO : -1;
}

/* Apart, for its stack: most messages are not wanted, and each page of it that is only looked at
 * costs a fault in whoever launches and another in its child. */
static void __attribute__((noinline, format(printf, 2, 0)))
write_message(enum log_level level, const char *format, va_list args)
{
	char text[ERR_TEXT_MAX], line[LINE_MAX_SIZE];
	int to = log_fd(level);

	vsnprintf(text, sizeof(text), format, args);
	log_clean(text);
	if (target.forward)
		target.forward(*target.to, level, text);
	else if (to >= 0)
		/* A log that cannot be written is no reason to stop, and there is nobody left to
		 * tell. */
		(void)!file_write_all(to, line, format_line(line, sizeof(line), level, text));
}

void log_write(enum log_level level, const char *format, ...)
{
	int saved = errno;
	va_list args;

	/* init's warnings become notes of the state, whatever the log is to have */
	if (level > target.level && !(target.forward && level == LOG_LEVEL_WARNING))
		return;
	va_start(args, format);
	write_message(level, format, args);
	va_end(args);
	errno = saved;
}
