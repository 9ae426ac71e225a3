/*
 * The network namespace's own affairs, by rtnetlink. The home of libmnl.
 */
#pragma once

#include "runtime/base/err.h"

/* Brings the loopback interface of the calling process's network namespace up. */
int network_loopback_up(struct err *err);
