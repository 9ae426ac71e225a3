/*
 * Sites: the places of a run in being. A site is a container made from the configuration under test
 * by patches, a child of the host, or (--in-place) a child that confines itself.
 *
 * runner_sites.c makes the configuration of a site, runner_launch.c its life.
 */
#pragma once

#include "selftest/bundle.h"
#include "selftest/decoys.h"
#include "selftest/selftest.h"
#include "selftest/talk.h"

#define CANARY_OWN_ROOT "/canary" /* where bundle_make() puts it */

/* What all sites of a run share. */
struct stage {
	const struct settings *settings;
	const struct host *host;
	struct arena *arena;
	bool in_place;		   /* no containers: children that confine themselves */
	const struct json *config; /* under test */
	const struct spec *spec;   /* the same, decoded */
	const char *rootfs;	   /* of the bundle under test; NULL: each site's own */
	struct decoys decoys;
};

struct site {
	enum place place;
	unsigned without;		/* layers that are left out */
	const char *exec_id, *pid_file; /* PLACE_EXEC: the container to enter; a file to be made */
	/* runner_sites.c */
	struct bundle bundle;
	struct bundle outside;	 /* in place: what Landlock denies; a directory and nothing else */
	const struct spec *spec; /* what it is made from; NULL: nothing confines it */
	const char *canary;	 /* its path there */
	struct attempt_decoys decoys;
	/* runner_launch.c */
	const char *id; /* of a container of our making; NULL: there is none */
	int wire, end;	/* while it is launched: to who launches it, and to the canary */
	pid_t child;	/* of ours: who launches it, or the canary itself; 0: none */
	pid_t pid;	/* the canary */
	int cgroup;
	const char *failed; /* why it could not be launched; NULL: it could */
	/* runner.c */
	const char **ids;	  /* what to try here */
	size_t *rows;		  /* and of which result each is */
	struct observation *seen; /* and what came of it */
	size_t len;
	const struct posture *posture; /* before anything was tried; NULL: could not be read */
	struct talk talk;
};

/* The configuration and the decoys of a site, and a directory with the canary. */
int site_prepare(const struct stage *stage, struct site *site, struct err *err);

/* Begins to launch it, without waiting. */
int site_begin(const struct stage *stage, struct site *site, struct err *err);

/* Waits until its canary runs; what went wrong is in site->failed. */
void site_await(const struct stage *stage, struct site *site);

/* Ends and removes all of a site, whatever it has come to. */
int site_end(const struct stage *stage, struct site *site, struct err *err);

/* Takes away what launching made in the root filesystem of the bundle under test. */
void site_uncover(const struct stage *stage);
