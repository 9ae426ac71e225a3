/*
 * The conversation between agentd and init: one packet type on a SOCK_SEQPACKET pair.
 *
 *      outside (agentd)                     inside (init)
 *      id maps, limits ...
 *      GO       ------------------------->  may use its privileges
 *      state, device program, filter        mounts, devices
 *               <-------------------------  MOUNTED, if createRuntime hooks wait for it
 *      createRuntime hooks
 *      HOOKED   ------------------------->  createContainer hooks, pivot, ... identity
 *               <-------------------------  CONSOLE + descriptor (with a terminal)
 *               <-------------------------  READY
 *      status: created
 *                 later, another agentd on start.sock; run and exec: START on the same pair
 *      start    ---- connect ------------>  accept
 *               <---- end of stream ------  exec succeeded     (or ERROR and a text)
 *
 * LOG, NOTE and ERROR may come at any time; anything else must be the message expected. End of
 * stream is an error.
 */
#pragma once

#include <sys/types.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "runtime/base/log.h"

enum wire_kind {
	WIRE_GO = 1,
	WIRE_PID,
	WIRE_MOUNTED,
	WIRE_HOOKED,
	WIRE_CONSOLE,
	WIRE_READY,
	WIRE_START,
	WIRE_LOG,
	WIRE_NOTE,
	WIRE_ERROR
};

/* What came along the way that the state is to remember (WIRE_NOTE); bounded. */
#define WIRE_NOTES_MAX 32
struct wire_notes {
	char text[WIRE_NOTES_MAX][256];
	size_t len;
};

/* Makes both ends, to be closed by the caller. */
int wire_pair(int ends[2], struct err *err);

/* Sends a message without text; `fd` -1: no descriptor. Where the other side has ended, the error
 * is the one that it had sent. */
int wire_send(int end, enum wire_kind kind, int fd, struct err *err);
int wire_send_pid(int end, pid_t pid, struct err *err);

/* 0, or -1 with errno. For logs and notes it is well if nobody listens any more. */
int wire_send_error(int end, const struct err *what);
void wire_send_log(int end, enum log_level level, const char *text);
void wire_send_note(int end, const char *text);

/*
 * Waits for one kind of message: logs are written, notes kept, an error becomes ours, everything
 * else and the end of the stream are errors. *fd (if wanted) is the descriptor that came along,
 * *pid (if wanted) the pid of a WIRE_PID message.
 */
int wire_expect(int end, enum wire_kind kind, struct wire_notes *notes, int *fd, pid_t *pid,
		struct err *err);

/* Waits until the stream ends (0) or an ERROR comes (-1): what `start` hears of its exec. */
int wire_expect_end(int end, struct wire_notes *notes, struct err *err);
