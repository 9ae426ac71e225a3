/*
 * The conversation with canaries, see talk.h.
 *
 * Texts that come from a canary are cut and cleaned here, before anybody else sees them.
 */
#include "selftest/talk.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/base/clock.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"

#define TALKS_MAX 64

static void end(struct talk *talk, const char *why)
{
	if (talk->at < talk->len && !talk->broken)
		talk->broken = why;
	talk->ended = true;
	if (!talk->hold || talk->broken)
		fd_close(&talk->fd);
}

/* A canary that does not read is as good as one that hangs. */
static void send_packet(struct talk *talk, const struct attempt_packet *packet, size_t size)
{
	if (send(talk->fd, packet, size, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)size)
		end(talk, "the canary ended");
}

/* The next attempt, or the end: closing is how the canary is told. */
static void send_try(struct talk *talk)
{
	struct attempt_packet packet = { .kind = ATTEMPT_TRY };

	if (talk->at == talk->len) {
		end(talk, NULL);
		return;
	}
	memcpy(packet.nonce, talk->nonce, sizeof(packet.nonce));
	strncpy(packet.id, talk->ids[talk->at], sizeof(packet.id) - 1);
	talk->seen[talk->at].tried = true;
	/* its own alarm comes first, and its report of that */
	talk->deadline = clock_ms() + talk->patience_ms + talk->patience_ms / 2;
	send_packet(talk, &packet, offsetof(struct attempt_packet, decoys));
}

void talk_begin(struct talk *talk, int fd, const struct attempt_decoys *decoys,
		const char *const *ids, struct observation *seen, size_t len)
{
	struct attempt_packet packet = { .kind = ATTEMPT_DECOYS, .decoys = *decoys };

	*talk = (struct talk){ .hold = talk->hold,
			       .fd = fd,
			       .nonce = decoys->nonce,
			       .patience_ms = decoys->deadline_s * INT64_C(1000),
			       .ids = ids,
			       .seen = seen,
			       .len = len };
	memcpy(packet.nonce, decoys->nonce, sizeof(packet.nonce));
	send_packet(talk, &packet, sizeof(packet));
	if (!talk->ended)
		send_try(talk);
}

static void take_result(struct observation *seen, const struct attempt_result *result)
{
	seen->value = result->value;
	seen->error = result->error;
	memcpy(seen->text, result->text, sizeof(seen->text));
	seen->text[sizeof(seen->text) - 1] = '\0';
	log_clean(seen->text);
}

/* Whether a packet of this kind is the first; what is said twice was said by two. */
static bool once(bool *flag, struct observation *seen)
{
	if (*flag)
		seen->flooded = true;
	*flag = true;
	return !seen->flooded;
}

static void take_packet(struct talk *talk, const struct attempt_packet *packet, size_t size)
{
	struct observation *seen = &talk->seen[talk->at];

	if (size != offsetof(struct attempt_packet, decoys) ||
	    memcmp(packet->nonce, talk->nonce, sizeof(packet->nonce)) != 0 ||
	    strncmp(packet->id, talk->ids[talk->at], sizeof(packet->id)) != 0) {
		if (++talk->strays > TALK_STRAYS_MAX) {
			seen->flooded = true;
			end(talk, "the canary floods");
		}
		return;
	}
	switch (packet->kind) {
	case ATTEMPT_ALIVE:
		once(&seen->alive, seen);
		break;
	case ATTEMPT_DONE:
		if (once(&seen->done, seen))
			take_result(seen, &packet->result);
		break;
	case ATTEMPT_UNKNOWN:
		seen->unknown = true;
		talk->at++;
		send_try(talk);
		break;
	case ATTEMPT_ENDED:
		seen->ended = true;
		seen->wait_status = packet->wait_status;
		seen->microseconds = packet->microseconds;
		seen->late = packet->microseconds >= talk->patience_ms * 1000;
		talk->at++;
		send_try(talk);
		break;
	default:
		seen->flooded = true;
	}
	if (seen->flooded)
		end(talk, "the canary floods");
}

static void receive(struct talk *talk)
{
	struct attempt_packet packet;
	/* With recv(2) descriptors that come along are closed by the kernel. */
	ssize_t got = recv(talk->fd, &packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	/* ECONNRESET: ended with something unread of ours */
	if (got <= 0)
		end(talk, "the canary ended");
	else
		take_packet(talk, &packet, (size_t)got);
}

/* The conversations that go on, in poll(2)'s form. Returns their number; *next is the first
 * deadline. */
static nfds_t list_open(struct talk *const *talks, size_t len, struct pollfd *list, int64_t *next)
{
	nfds_t open = 0;

	for (size_t i = 0; i < len; i++) {
		struct talk *talk = talks[i];

		list[i] = (struct pollfd){ .fd = talk->ended ? -1 : talk->fd, .events = POLLIN };
		if (talk->ended)
			continue;
		open++;
		if (talk->deadline < *next)
			*next = talk->deadline;
	}
	return open;
}

static void check_deadlines(struct talk *const *talks, size_t len, int64_t until)
{
	int64_t now = clock_ms();

	for (size_t i = 0; i < len; i++) {
		if (!talks[i]->ended && now >= until)
			end(talks[i], "the time for the whole run was over");
		else if (!talks[i]->ended && now >= talks[i]->deadline)
			end(talks[i], "the canary hung");
	}
}

int talk_run(struct talk *const *talks, size_t len, int64_t until, int interrupt, struct err *err)
{
	struct pollfd list[TALKS_MAX + 1];

	if (len > TALKS_MAX)
		return err_set(err, E2BIG, "%zu canaries at once", len);
	for (;;) {
		int64_t next = until, now;

		if (list_open(talks, len, list, &next) == 0)
			return 0;
		list[len] = (struct pollfd){ .fd = interrupt, .events = POLLIN };
		now = clock_ms();
		if (poll(list, len + 1, next > now ? (int)(next - now) : 0) < 0 && errno != EINTR)
			return err_sys(err, "wait for the canaries");
		if (list[len].revents)
			return err_set(err, EINTR, "interrupted by a signal");
		for (size_t i = 0; i < len; i++)
			if (list[i].fd >= 0 && list[i].revents)
				receive(talks[i]);
		check_deadlines(talks, len, until);
	}
}
