/*
 * The line of /proc/PID/stat, see process_stat.h.
 */
#include "runtime/base/process_stat.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/file.h"

#define FIELD_NAME 2 /* in parentheses */

int process_stat_read(pid_t pid, char line[PROCESS_STAT_SIZE])
{
	char path[32] = "/proc/self/stat";

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return file_read_small(AT_FDCWD, path, line, PROCESS_STAT_SIZE) < 0 ? -1 : 0;
}

const char *process_stat_field(const char *line, unsigned field)
{
	/* the name of the program may hold anything, even this */
	const char *at = strrchr(line, ')');

	for (unsigned i = FIELD_NAME; at && i < field; i++)
		at = strchr(at + 1, ' ');
	return at ? at + 1 : NULL;
}
