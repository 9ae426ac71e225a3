/*
 * Keeping our own executable out of the container's reach (CVE-2019-5736): a process inside that
 * gets hold of /proc/PID/exe of ours must not be able to write through it.
 */
#pragma once

#include "runtime/base/err.h"

/*
 * Executes this program again from a read-only place if the caller could write the file that it
 * runs from; returns 0 if there is nothing to do. Call before anything else is done: the program
 * starts again with the same arguments.
 */
int seal_executable(char **argv, struct err *err);
