/*
 * Telling init to start, see start.h. Either way init answers by the end of the stream, which is
 * close-on-exec, or by an error.
 */
#include "runtime/start.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/base/fd.h"

/* An address has 108 bytes (unix(7)); through /proc/self/fd every directory is near enough. */
static struct sockaddr_un start_address(int state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" STATE_START_SOCKET,
		 state);
	return address;
}

int start_listen(struct launch *launch, struct err *err)
{
	struct sockaddr_un address = start_address(launch->state);

	launch->start = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (launch->start < 0)
		return err_sys(err, "make a socket");
	if (bind(launch->start, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(err, "bind " STATE_START_SOCKET);
	if (listen(launch->start, 1) < 0)
		return err_sys(err, "listen on " STATE_START_SOCKET);
	return 0;
}

int start_await(struct launch *launch, struct err *err)
{
	int accepted;

	if (launch->start < 0)
		return wire_expect(launch->wire, WIRE_START, NULL, NULL, NULL, err);
	fd_close(&launch->wire);
	do
		accepted = accept4(launch->start, NULL, NULL, SOCK_CLOEXEC);
	while (accepted < 0 && errno == EINTR);
	if (accepted < 0)
		return err_sys(err, "accept on " STATE_START_SOCKET);
	launch->wire = accepted;
	fd_close(&launch->start);
	return 0;
}

int start_by_wire(struct launch *launch, struct err *err)
{
	if (wire_send(launch->wire, WIRE_START, -1, err) < 0)
		return -1;
	return wire_expect_end(launch->wire, &launch->notes, err);
}

int start_by_socket(int state, struct err *err)
{
	struct sockaddr_un address = start_address(state);
	autoclose int end = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (end < 0)
		return err_sys(err, "make a socket");
	if (connect(end, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == ECONNREFUSED)
			return err_set(err, ESRCH, "init ended before it was started");
		return err_sys(err, "connect to " STATE_START_SOCKET);
	}
	/* Begun, and not to be begun again, whatever comes of it. */
	unlinkat(state, STATE_START_SOCKET, 0);
	return fd_take(&end);
}
