/*
 * Errors: one fixed-size value that a failing function fills and its callers put context in front
 * of.
 *
 * Every function that can fail takes `struct err *err` last. It returns 0 (or a value >= 0) and
 * leaves `err` alone, or returns -1 with `err` set; there is no third outcome. A leaf says what it
 * tried and on what, callers say where, and the last one may add the remedy. Nothing here
 * allocates, so it works without memory and between clone and exec.
 */
#pragma once

#include <stdbool.h>

#define ERR_TEXT_MAX 1024

struct err {
	int code;		 /* errno-style; never 0 once set */
	bool placed;		 /* the text names the step that failed already */
	char text[ERR_TEXT_MAX]; /* one line, no newline at the end */
};

/* Each returns -1, so that a failing function ends with: return err_sys(err, "open %s", path); */

/* Sets code and text. */
int err_set(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Sets code to errno and the text to "FORMAT: strerror(errno)". */
int err_sys(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "FORMAT: " in front of the text. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "FORMAT." in front of a text that begins with a member of what that names. */
int err_within(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "; FORMAT" behind the text: what the person can do about it. */
int err_hint(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
