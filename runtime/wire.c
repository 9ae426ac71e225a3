/*
 * The wire, see wire.h. Allocates nothing, so that both ends may use it.
 */
#include "runtime/wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/passed_fd.h"

struct packet {
	int32_t kind;		 /* enum wire_kind */
	int32_t number;		 /* errno of an ERROR, level of a LOG, pid of a PID */
	char text[ERR_TEXT_MAX]; /* as much as was sent; the receiver ends it with NUL */
};

#define PACKET_HEAD offsetof(struct packet, text)

static const char *const kind_names[] = {
	[WIRE_GO] = "GO",	  [WIRE_PID] = "PID",	      [WIRE_MOUNTED] = "MOUNTED",
	[WIRE_HOOKED] = "HOOKED", [WIRE_CONSOLE] = "CONSOLE", [WIRE_READY] = "READY",
	[WIRE_START] = "START",	  [WIRE_LOG] = "LOG",	      [WIRE_NOTE] = "NOTE",
	[WIRE_ERROR] = "ERROR",
};

static const char *kind_name(int kind)
{
	bool known = kind >= WIRE_GO && kind <= WIRE_ERROR;

	return known ? kind_names[kind] : "an unknown message";
}

int wire_pair(int ends[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(err, "make the wire");
	return 0;
}

static int send_packet(int end, const struct packet *packet, size_t text_size, int fd)
{
	struct iovec part = { (void *)packet, PACKET_HEAD + text_size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	union passed_fd passed;

	if (fd >= 0)
		passed_fd_put(&passed, fd, &message);
	for (;;) {
		if (sendmsg(end, &message, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		/* Under a filter of the user's that forbids sending: write(2) is hardly ever
		 * forbidden. */
		if (errno != EPIPE && fd < 0 && write(end, packet, part.iov_len) >= 0)
			return 0;
		return -1;
	}
}

static int send_text(int end, enum wire_kind kind, int number, const char *text)
{
	struct packet packet = { .kind = kind, .number = number };
	size_t size = strnlen(text, sizeof(packet.text) - 1);

	memcpy(packet.text, text, size);
	return send_packet(end, &packet, size, -1);
}

int wire_send_pid(int end, pid_t pid, struct err *err)
{
	struct packet packet = { .kind = WIRE_PID, .number = pid };

	if (send_packet(end, &packet, 0, -1) < 0)
		return err_sys(err, "send PID");
	return 0;
}

int wire_send_error(int end, const struct err *what)
{
	return send_text(end, WIRE_ERROR, what->code, what->text);
}

void wire_send_log(int end, enum log_level level, const char *text)
{
	/* Nobody listens any more: then nobody misses it. */
	(void)send_text(end, WIRE_LOG, (int)level, text);
}

void wire_send_note(int end, const char *text)
{
	(void)send_text(end, WIRE_NOTE, 0, text);
}

/* Receives a packet and perhaps a descriptor. 1, 0 at the end of the stream, or -1 with errno. */
static int receive_packet(int end, struct packet *packet, int *fd)
{
	union passed_fd passed;
	struct iovec part = { packet, sizeof(*packet) - 1 };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &passed,
				  .msg_controllen = sizeof(passed) };
	ssize_t got;

	*fd = -1;
	/* ECONNRESET comes once, from a peer that ended with something unread of ours, and before
	 * what it had sent. */
	do
		got = recvmsg(end, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && (errno == EINTR || errno == ECONNRESET));
	if (got <= 0)
		return (int)got;
	*fd = passed_fd_get(&message);
	if ((size_t)got < PACKET_HEAD) {
		fd_close(fd);
		errno = EPROTO;
		return -1;
	}
	((char *)packet)[got] = '\0';
	return 1;
}

static void note_add(struct wire_notes *notes, const char *text)
{
	log_warn("%s", text);
	if (!notes || notes->len == WIRE_NOTES_MAX)
		return;
	snprintf(notes->text[notes->len++], sizeof(notes->text[0]), "%.255s", text);
}

/* Receives until something comes that is neither LOG nor NOTE: 1, 0 at the end of the stream, -1 on
 * failure or ERROR. */
static int receive(int end, struct packet *packet, struct wire_notes *notes, int *fd,
		   struct err *err)
{
	for (;;) {
		int got = receive_packet(end, packet, fd);

		if (got < 0)
			return err_sys(err, "receive from the container");
		if (got == 0)
			return 0;
		switch (packet->kind) {
		case WIRE_LOG:
			log_write((enum log_level)packet->number, "%s", packet->text);
			break;
		case WIRE_NOTE:
			note_add(notes, packet->text);
			break;
		case WIRE_ERROR:
			err_set(err, packet->number, "%s", packet->text);
			err->placed = true;
			return -1;
		default:
			return 1;
		}
		fd_close(fd);
	}
}

/* A peer that is gone may have said why. */
int wire_send(int end, enum wire_kind kind, int fd, struct err *err)
{
	struct packet packet = { .kind = kind };
	autoclose int came = -1;

	if (send_packet(end, &packet, 0, fd) == 0)
		return 0;
	err_sys(err, "send %s", kind_name(kind));
	if (err->code == EPIPE)
		receive(end, &packet, NULL, &came, err);
	return -1;
}

int wire_expect(int end, enum wire_kind kind, struct wire_notes *notes, int *fd, pid_t *pid,
		struct err *err)
{
	autoclose int came = -1;
	struct packet packet;
	int got = receive(end, &packet, notes, &came, err);

	if (got < 0)
		return -1;
	if (got == 0)
		return err_set(err, EPIPE, "the other side ended before it sent %s",
			       kind_name(kind));
	if (packet.kind != (int32_t)kind)
		return err_set(err, EPROTO, "%s came where %s was expected", kind_name(packet.kind),
			       kind_name(kind));
	if (fd)
		*fd = fd_take(&came);
	if (pid)
		*pid = packet.number;
	return 0;
}

int wire_expect_end(int end, struct wire_notes *notes, struct err *err)
{
	autoclose int came = -1;
	struct packet packet;
	int got = receive(end, &packet, notes, &came, err);

	if (got > 0)
		return err_set(err, EPROTO, "%s came where the end was expected",
			       kind_name(packet.kind));
	return got;
}
