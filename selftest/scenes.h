/*
 * The scenes, one for each case whose attempt is a whole bundle; history.c has the table.
 *
 * Each is given a bundle that was made and is not configured yet, and writes the verdict. Returns
 * 0, or -1 if the harness broke.
 */
#pragma once

#include "selftest/scene.h"

/* history_process.c */
int history_self_exe(struct scene *scene, struct err *err);
int history_cwd(struct scene *scene, struct err *err);
int history_dumpable(struct scene *scene, struct err *err);
int history_cgroup_write(struct scene *scene, struct err *err);
int history_hooks(struct scene *scene, struct err *err);

/* history_rootfs.c */
int history_mask(struct scene *scene, struct err *err);
int history_console(struct scene *scene, struct err *err);
int history_fake_proc(struct scene *scene, struct err *err);
int history_mount_link(struct scene *scene, struct err *err);
int history_bind_link(struct scene *scene, struct err *err);
int history_proc_volume(struct scene *scene, struct err *err);
int history_proc_link(struct scene *scene, struct err *err);

/* history_cgroup.c */
int history_cgroup_kill(struct scene *scene, struct err *err);
int history_cgroup_freeze(struct scene *scene, struct err *err);
int history_cgroup_oom(struct scene *scene, struct err *err);
int history_processes(struct scene *scene, struct err *err);

/* history_hygiene.c */
int history_parent_death(struct scene *scene, struct err *err);
int history_orphans(struct scene *scene, struct err *err);
