/*
 * A canary that is not to be trusted: what it says to selftest is replaced on its way out, in the
 * manner that VARIANT names. Linked in front of the canary's own objects with --wrap=write. Nothing
 * that it says may be taken for "contained".
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "selftest/attempt.h"

#define FLOOD 1000 /* packets */

static int is(const char *name)
{
	return strcmp(VARIANT, name) == 0;
}

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);

static ssize_t say(const struct attempt_packet *packet)
{
	return __real_write(ATTEMPT_FD, packet, offsetof(struct attempt_packet, decoys));
}

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	struct attempt_packet packet;

	if (fd != ATTEMPT_FD || size != offsetof(struct attempt_packet, decoys))
		return __real_write(fd, data, size);
	memcpy(&packet, data, size);
	if (is("canary-dies"))
		_exit(0);
	if (is("canary-forges"))
		memset(packet.nonce, '0', sizeof(packet.nonce) - 1);
	if (packet.kind == ATTEMPT_DONE && is("canary-lies"))
		packet.result = (struct attempt_result){ .value = -1, .error = EPERM };
	for (int i = 0; packet.kind == ATTEMPT_DONE && is("canary-floods") && i < FLOOD; i++)
		say(&packet);
	while (packet.kind == ATTEMPT_DONE && is("canary-hangs"))
		pause();
	return say(&packet);
}
