/*
 * The supervisor's end of the conversation with canaries (attempt.h): one attempt at a time with
 * each of them, all of them at once.
 *
 * A canary is the thing under test, and may lie, hang, flood or die. So every packet must be of the
 * right size, nonce and attempt, each kind comes once, the supervisor has a deadline of its own,
 * and nothing here waits but in poll(2). What did not come stays unset in the observation.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "selftest/cases.h"

/* Packets of no attempt under way that one canary may send before it counts as flooding: what
 * processes of earlier attempts say too late. */
#define TALK_STRAYS_MAX 64

struct talk {
	int fd;
	bool hold;  /* stays open when all was tried: whoever set it closes the descriptor */
	bool ended; /* no more is tried */
	const char *nonce;
	const char *const *ids;	  /* what to try, in order */
	struct observation *seen; /* one for each */
	size_t len, at;		  /* of ids; the one under way */
	int64_t patience_ms;	  /* for each */
	int64_t deadline;	  /* of the one under way: as of clock_ms() */
	unsigned strays;
	const char *broken; /* why it ended before all was tried; NULL: it did not */
};

/* Sends the decoys and the first attempt. Takes the descriptor. A canary that is gone already is no
 * error: nothing was observed. */
void talk_begin(struct talk *talk, int fd, const struct attempt_decoys *decoys,
		const char *const *ids, struct observation *seen, size_t len);

/*
 * Until every conversation has ended, `until` has passed (then what is under way is broken off), or
 * `interrupt` (a descriptor, or -1) is readable: that is an error, EINTR.
 */
int talk_run(struct talk *const *talks, size_t len, int64_t until, int interrupt, struct err *err);
