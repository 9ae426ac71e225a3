/*
 * The date, see clock.h. Not by gmtime(3): it reads the machine's time zone from a file first, and
 * takes memory for that.
 */
#include "runtime/base/clock.h"

#include <stdbool.h>
#include <stdio.h>

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

void clock_text(time_t seconds, char text[CLOCK_TEXT_SIZE])
{
	unsigned second = (unsigned)((uint64_t)seconds % 86400);
	int days = (int)(seconds / 86400), year, month;

	for (year = 1970; days >= 365 + is_leap(year); year++)
		days -= 365 + is_leap(year);
	for (month = 1; days >= month_days(year, month); month++)
		days -= month_days(year, month);
	snprintf(text, CLOCK_TEXT_SIZE, "%04d-%02d-%02dT%02u:%02u:%02u", year, month, days + 1,
		 second / 3600, second / 60 % 60, second % 60);
}
