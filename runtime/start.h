/*
 * How init waits to be started and how it is told: over the wire by the process that made it (run,
 * exec), else through a socket in the state directory (create, and later start). In contrast to a
 * fifo either says why the program could not be executed.
 */
#pragma once

#include "runtime/launch.h"

/* The socket in the state directory, for init to inherit: a row of the outside list. */
int start_listen(struct launch *launch, struct err *err);

/*
 * In init: waits, a row of the inside list. On the socket if there is one: the process at the other
 * end of the wire has done its part and is gone, and whoever connects takes its place.
 */
int start_await(struct launch *launch, struct err *err);

/* Lets init go on, and hears whether it executed the program (0) or why it did not (-1). */
int start_by_wire(struct launch *launch, struct err *err);

/* Lets init go on through the socket in the directory `state`, which is gone afterwards, and
 * returns the descriptor on which it answers. Before that nothing has begun. */
int start_by_socket(int state, struct err *err);
