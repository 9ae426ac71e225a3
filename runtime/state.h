/*
 * A container's directory: <root>/<id>, its lock, state.json, a copy of config.json, and the status
 * told from facts.
 *
 *	<root>/		0700, ours; /run/agentd or $XDG_RUNTIME_DIR/agentd
 *	  <id>/		made by mkdir(2), which takes the id; locked by flock(2) on itself
 *	    config.json	as read at create: later changes of the bundle mean nothing
 *	    state.json	its name is creating.json until create is through: hooks may look before.
 *			Without a pid in it, or without it, the container is still being created
 *	    start.sock	init waits here to be started; gone afterwards
 *
 * A status is never stored, it is looked at: a stored one would be wrong after a crash.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "isolation/cgroup.h"
#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "spec/spec.h"

#define STATE_FILE "state.json"
#define STATE_START_SOCKET "start.sock"
#define STATE_ID_MAX 200 /* bytes of an id: with what we put round it, it must stay a file name */

enum state_status {
	STATUS_CREATING,
	STATUS_CREATED,
	STATUS_RUNNING,
	STATUS_PAUSED,
	STATUS_STOPPED
};

struct state {
	const char *id, *bundle, *rootfs;
	const char *created;		       /* RFC 3339, UTC */
	const char *owner;		       /* "root" or the number of the user: no NSS here */
	const char *cgroup_root, *cgroup_path; /* NULL: has none */
	int64_t pid;			       /* of init, as we see it; 0: there is none yet */
	/* of pid, against its reuse, one or the other: of its pidfd (pidfs, Linux 6.9), where the
	 * record is on a tmpfs and goes with the machine too; else field 22 of /proc/PID/stat */
	uint64_t pid_inode, start_time;
	bool creating; /* create is not through: kept in the name of the file */
	bool run;      /* started over the wire by `agentd run`: never waits on a start socket */
	bool poststart, poststop; /* whether config.json has such hooks: else it need not be read */
	struct spec_map annotations;
	struct spec_strings notes; /* what was relaxed: best effort that dropped something */
};

/* "created", "running", ... */
const char *state_status_text(enum state_status status);

/* Letters, digits, "_+-." and no "." first. */
int state_id_check(const char *id, struct err *err);

/*
 * Opens the directory of all containers. If it is missing: `make` makes it (0700), else ENOENT.
 * NULL: the default, which is $XDG_RUNTIME_DIR/agentd for a rootless caller and else /run/agentd. A
 * directory that is not ours or that others may write to is refused.
 */
int state_root_open(const char *root, bool rootless, bool make, int *dir, struct err *err);

/* Takes the id by making its directory, and locks it. Its status is creating until
 * state_created(); the state must have been saved before that. */
int state_create(int root, const char *id, int *dir, struct err *err);
int state_created(int dir, struct state *state, struct err *err);

/* Opens the directory of an existing container; `lock`: and locks it. */
int state_open(int root, const char *id, bool lock, int *dir, struct err *err);

/* Waits for the lock, but not for ever. ENOENT if the container was deleted meanwhile. */
int state_lock(int dir, const char *id, struct err *err);

/* Lets others have the lock, before `dir` is closed. */
void state_unlock(int dir);

/* Writes state.json in one piece. Not synced to disk: after a reboot the directory is gone. */
int state_save(int dir, const struct state *state, struct arena *arena, struct err *err);

/* Reads state.json into the arena; the state keeps `id` itself. Where there is none yet, the state
 * of a container being created: no pid. ENOENT if there is no such container, or other files;
 * EBADMSG if its state is damaged. */
int state_load(int root, const char *id, struct arena *arena, struct state **state,
	       struct err *err);

/* The status now. `top` is kept open from one container to the next. */
enum state_status state_status(int root, struct cgroup_top *top, const struct state *state);

/* Removes the directory and all that we put in it; what else is there makes that an error. */
int state_remove(int root, const char *id, int dir, struct err *err);

/* Records the container's init; `dir` is where the record is kept. */
void state_set_process(struct state *state, int dir, pid_t pid, int pidfd);

/* Opens the pidfd of the container's init if that very process still lives; -1 with errno ESRCH if
 * not. */
int state_open_pid(const struct state *state);

/* The ids of all containers below `root`, sorted. */
int state_ids(int root, struct arena *arena, struct spec_strings *ids, struct err *err);

/* The pid to tell: 0 of a container that has stopped. */
pid_t state_pid(const struct state *state, enum state_status status);

/* The state of the OCI specification: as a tree below `parent` (or NULL), and as text. */
struct json *state_tree(struct json *parent, const struct state *state, enum state_status status,
			struct arena *arena);
char *state_oci(const struct state *state, enum state_status status, struct arena *arena,
		size_t *size);
