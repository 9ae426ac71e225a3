/*
 * --no-pivot: for a machine that runs from an initramfs, whose root pivot_root(2) cannot put away.
 */
#pragma once

#include "runtime/base/err.h"

/* Moves the mount `rootfs` onto "/" and enters it by chroot(2). In the child. */
int no_pivot_enter(int rootfs, struct err *err);
