/*
 * Scenes: one hostile bundle, its launch by a process of ours, and what the host sees of it.
 *
 * The launch is container_run(), as everywhere; its standard output is ours to read, and it has a
 * deadline. Landlock is left out of every scene unless a patch puts it back: it would hide what is
 * looked for.
 */
#pragma once

#include "selftest/bundle.h"
#include "selftest/selftest.h"

#define SCENE_OUTPUT_MAX 4096
/* For what comes at once on a machine with nothing else to do, and must come. */
#define SCENE_PATIENCE_MS 10000

struct scene {
	const struct settings *settings;
	const char *canary; /* its path in the container */
	struct host host;
	struct json *config; /* of `agentd spec` */
	struct arena *arena;
	struct result *result;
	/* one bundle at a time */
	struct bundle bundle;
	const char *id;	   /* of the container */
	const char *decoy; /* a directory of the host's, with a file "file" in it */
	/* of the last launch */
	bool launched; /* false: refused, and why */
	int status;    /* of its program, if it was waited for */
	char output[SCENE_OUTPUT_MAX];
	char refusal[ERR_TEXT_MAX];
};

/* An ordinary bundle, and a decoy beside its root filesystem. */
int scene_make(struct scene *scene, struct err *err);

/* Deletes the container and the bundle. */
void scene_end(struct scene *scene);

/* Puts things into the root filesystem: names without "/" in front; parents are made. */
int scene_add_file(struct scene *scene, const char *name, const char *text, mode_t mode,
		   struct err *err);
int scene_add_link(struct scene *scene, const char *name, const char *target, struct err *err);

/* Opens one of its files for reading. -1 with errno. */
int scene_open(const struct scene *scene, const char *name);

/* Whether the container said this. */
bool scene_says(const struct scene *scene, const char *text);

/*
 * Launches the canary with these arguments (the inside of a JSON list: "\"cwd\"") and one more
 * patch of the configuration (NULL: none), and waits for its end (SCENE_RUN), for its first line of
 * output (SCENE_START), or until it is created (SCENE_CREATE). Being refused is no error:
 * scene->launched says so.
 */
enum scene_until { SCENE_RUN, SCENE_START, SCENE_CREATE };
int scene_launch(struct scene *scene, enum scene_until until, const char *arguments,
		 const char *patch, struct err *err);

/*
 * The same for a container that is to be there after it, with its process and its cgroup (-1:
 * none). 1: it is. 0: it was refused, and the case is undecided.
 */
int scene_hold(struct scene *scene, enum scene_until until, const char *arguments,
	       const char *patch, pid_t *pid, int *cgroup, struct err *err);

/* The process of a container that is there, and its cgroup (-1: none). */
int scene_find(struct scene *scene, pid_t *pid, int *cgroup, struct err *err);

/* Whether a process runs still: who ended and is not waited for does not. */
bool scene_is_alive(pid_t pid);

/* The verdict. Each returns 0. */
int scene_contained(struct scene *scene, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int scene_escaped(struct scene *scene, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int scene_undecided(struct scene *scene, enum verdict verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Contained if it was refused; else by `held`, which the words say something of. */
int scene_judge(struct scene *scene, bool held, const char *words);
