/*
 * What the sections of `agentd explain` are written with: lines of a key and a text.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "runtime/base/arena.h"
#include "runtime/base/names.h"

struct plan;

/* Where to, and where texts are put together. */
struct page {
	FILE *to;
	struct arena *arena;
};

void page_line(const struct page *page, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For a section that has nothing to say. */
void page_none(const struct page *page);

/* The names whose bits are in the mask, or "none". */
const char *page_mask(const struct name *table, uint64_t mask, struct arena *arena);

/* The sections of explain_confinement.c. */
void explain_caps(const struct plan *plan, const struct page *page);
void explain_landlock(const struct plan *plan, const struct page *page);
void explain_seccomp(const struct plan *plan, const struct page *page);
