/*
 * Diagnostics: where they go, and at which level. The only mutable file-scope state of the program.
 *
 * Only main.c prints errors; everything below returns them. Warnings go to the log file alone
 * (callers read our standard error together with our output), unless there is no log file and
 * debugging was asked for. In the child, messages travel over the wire to the parent, which writes
 * them.
 */
#pragma once

#include "runtime/base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/*
 * Opens the log file for appending ("file:" in front is taken off). NULL: no file; with
 * LOG_LEVEL_DEBUG all but errors goes to stderr, else nothing. Call once, before anything can be
 * logged.
 */
int log_open(const char *path, enum log_format format, enum log_level level, struct err *err);

/* Sends all further messages of this process through `forward` instead: those up to `level`, and
 * every warning. `to` is the child's wire, wherever that leads when there is a message. */
void log_forward(void (*forward)(int to, enum log_level level, const char *text), const int *to);

/* One line, no newline at the end. Allocates nothing; safe in the child. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes text that the container had a part in fit for a terminal and one line of a log: control
 * characters become '?'. Done to all that is logged. */
void log_clean(char *text);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
