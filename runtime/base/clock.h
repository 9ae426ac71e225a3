/*
 * Time for deadlines, by a clock that nobody sets; and the date as text.
 */
#pragma once

#include <stdint.h>
#include <time.h>

/* Milliseconds since some moment. */
static inline int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#define CLOCK_TEXT_SIZE 40

/* Seconds since 1970 as "YYYY-MM-DDTHH:MM:SS", in UTC. */
void clock_text(time_t seconds, char text[CLOCK_TEXT_SIZE]);
