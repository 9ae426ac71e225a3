/*
 * The user's home directory, see home.h.
 *
 * passwd(5) is read as text, never by getpwuid(3), which loads what the container's nsswitch.conf
 * names (CVE-2019-14271).
 */
#include "isolation/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "isolation/path.h"
#include "runtime/base/fd.h"

#define LINE_SIZE 4096	     /* a longer line is nobody's */
#define PASSWD_MAX (1 << 20) /* what is behind is not looked at */
#define HOME_FIELD 5
#define UID_FIELD 2

/* The home directory in a line of passwd(5), which is cut to pieces, if it is that of `uid`. */
static const char *home_in_line(char *line, uid_t uid)
{
	char *field[HOME_FIELD + 1], *end;

	for (size_t i = 0; i <= HOME_FIELD; i++) {
		field[i] = strsep(&line, ":");
		if (!field[i])
			return NULL;
	}
	if (field[UID_FIELD][0] < '0' || field[UID_FIELD][0] > '9' ||
	    strtoul(field[UID_FIELD], &end, 10) != uid || *end)
		return NULL;
	return field[HOME_FIELD][0] == '/' ? field[HOME_FIELD] : NULL;
}

/* In the whole lines of `text`; *rest: behind the last one. */
static const char *home_in_text(char *text, char **rest, uid_t uid)
{
	const char *home = NULL;
	char *end;

	for (; !home && (end = strchr(text, '\n')); text = end + 1) {
		*end = '\0';
		home = home_in_line(text, uid);
	}
	*rest = text;
	return home;
}

/* `text` has LINE_SIZE + 1 bytes; what is found points into it. */
static const char *home_in_file(int fd, uid_t uid, char *text)
{
	const char *home = NULL;
	size_t have = 0;
	ssize_t got = 1;

	for (size_t total = 0; !home && got > 0 && total < PASSWD_MAX; total += (size_t)got) {
		char *rest;

		if (have == LINE_SIZE)
			have = 0;
		got = read(fd, text + have, LINE_SIZE - have);
		if (got < 0)
			return NULL;
		have += (size_t)got;
		if (!got && have)
			text[have++] = '\n'; /* the last line may lack it */
		text[have] = '\0';
		home = home_in_text(text, &rest, uid);
		have -= (size_t)(rest - text);
		if (!home)
			memmove(text, rest, have);
	}
	return home;
}

void home_find(int root, uid_t uid, char *home, size_t size)
{
	autoclose int fd = path_open(root, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY);
	char text[LINE_SIZE + 1];
	const char *found = NULL;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		found = home_in_file(fd, uid, text);
	if (found && strlen(found) < size)
		memcpy(home, found, strlen(found) + 1);
}
