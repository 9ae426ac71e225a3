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
#include "runtime/base/utf8.h"

#define TEXT_MAX_ESCAPED (2 * ERR_TEXT_MAX)
#define LINE_MAX_SIZE (TEXT_MAX_ESCAPED + 128) /* and the rest of the object */

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

/* Writes `text`, which is clean, as the inside of a JSON string. */
static void json_escape(char to[TEXT_MAX_ESCAPED], const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			*to++ = '\\';
		*to++ = *text;
	}
	*to = '\0';
}

void log_clean(char *text)
{
	size_t left = strlen(text), size;
	uint32_t code;

	for (; left; text += size, left -= size) {
		size = utf8_size(text, left, &code);
		if (size && code >= ' ' && (code < 0x7f || code >= 0xa0))
			continue;
		size = size ? size : 1;
		memset(text, '?', size);
	}
}

static size_t format_line(char *line, size_t size, enum log_level level, const char *text)
{
	char escaped[TEXT_MAX_ESCAPED], when[CLOCK_TEXT_SIZE];

	if (target.format == LOG_FORMAT_TEXT)
		return (size_t)snprintf(line, size, "agentd: %s: %s\n", level_names[level], text);
	clock_text(time(NULL), when);
	json_escape(escaped, text);
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
