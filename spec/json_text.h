/*
 * Which characters a JSON text may have. yajl's lexer lets through overlong UTF-8 and turns half a
 * surrogate pair into '?', and knows no reason against an escaped NUL: a text is checked before
 * yajl sees it. Nothing else about it is known here.
 */
#pragma once

#include <stddef.h>

#include "runtime/base/arena.h"

/* Returns what is wrong with the characters of the text, and where; or NULL. */
const char *json_text_check(const char *text, size_t size, size_t *at);

/* A text that is to be a string: what in it is no UTF-8 becomes '?', in a copy. */
const char *json_text_repair(const char *text, struct arena *arena);
