/*
 * Attempts: what the canary tries when selftest asks it to, one row for each id of the catalogue.
 *
 * This side of the house knows no verdict. It includes nothing of agentd, so that it cannot share a
 * mistake with it; the id is all that it has in common with cases.h. Each attempt runs in a process
 * of its own with a deadline, saves errno at once, and must harm nothing where it gets through:
 * that is exactly the case it exists for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What the supervisor prepared; 0 or "" where it did not. Every text is absolute or a bare name. */
struct attempt_decoys {
	char nonce[33];	     /* 32 hexadecimal digits, new for every run */
	char scratch[64];    /* a writable directory of the container's own (tmpfs) */
	char read_only[64];  /* a directory that must not be writable */
	char denied[64];     /* a directory that only Landlock denies: ours, on a writable mount */
	char host_file[128]; /* the host's path of a decoy that exists on the host alone */
	char host_comm[16];  /* the name of a decoy process on the host */
	int32_t host_pid;    /* its pid in the host's pid namespace */
	int32_t tcp_port;    /* a listener on the host's 127.0.0.1, which says the nonce */
	int32_t shm_key, shm_id; /* a System V segment of the host's */
	char abstract[64];	 /* an abstract socket of the host's, without the NUL */
	char unix_path[128];	 /* a pathname socket of the host's */
	char mq_name[64];	 /* a POSIX message queue of the host's */
	char key_name[64];	 /* a key in the host's user and session keyring */
	uint64_t mount_token;	 /* inode of the mount namespace in which nothing may be tried */
	uint32_t handle_size;	 /* a file handle of host_file for open_by_handle_at(2) */
	uint8_t handle[128];
	int32_t deadline_s; /* of each attempt: SIGALRM then. The supervisor has its own, later */
};

/* How long an attempt may wait for somebody else: a few times before its deadline. */
static inline int attempt_patience_ms(const struct attempt_decoys *decoys)
{
	return decoys->deadline_s * 1000 / 10;
}

/* The answer of the kernel. `value` >= 0: it got through. */
struct attempt_result {
	int64_t value;
	int32_t error;	/* errno, saved at once; 0 if it got through */
	char text[200]; /* facts for the supervisor: "key=value key=value" */
};

/* A call in one line: RESULT(result, mount(...)); saves errno at once. */
void attempt_set(struct attempt_result *result, int64_t returned);
void attempt_say(struct attempt_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Whether execveat(2) takes it, in a child of its own that has nothing open: 0, or -1 with errno.
 */
long attempt_execute(int dir, const char *path, int flags);

struct attempt {
	const char *id;
	void (*run)(const struct attempt_decoys *decoys, struct attempt_result *result);
};

/* Each ends with { 0 }; one table a file, in the order of the catalogue's groups. */
extern const struct attempt attempts_liveness[], attempts_tracing[], attempts_mounts[],
	attempts_kernel[], attempts_credentials[], attempts_files[], attempts_landlock[],
	attempts_procfs[], attempts_limits[], attempts_network[], attempts_history[],
	attempts_hygiene[];

/*
 * The conversation on descriptor 3 (SOCK_SEQPACKET). The supervisor sends one DECOYS and any number
 * of TRY; for each TRY the canary answers ALIVE (from the process that will try, before it does),
 * DONE (from the same, after) and ENDED (from its parent, with the wait status). An attempt that is
 * killed sends no DONE. Every packet carries the nonce. The end of the stream ends the canary.
 */
enum attempt_kind {
	ATTEMPT_DECOYS = 1,
	ATTEMPT_TRY,
	ATTEMPT_ALIVE,
	ATTEMPT_DONE,
	ATTEMPT_ENDED,
	ATTEMPT_UNKNOWN
};

#define ATTEMPT_FD 3
/* Longer than any attempt takes on a slow and busy machine; nobody waits for it but in vain. */
#define ATTEMPT_DEADLINE_S 10

struct attempt_packet {
	uint32_t kind;
	char nonce[33];
	char id[47];
	int32_t wait_status;	      /* of ENDED */
	uint32_t microseconds;	      /* of ENDED: how long it took */
	struct attempt_result result; /* of DONE */
	struct attempt_decoys decoys; /* of DECOYS; absent (the packet is shorter) elsewhere */
};
