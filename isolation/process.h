/*
 * The process itself: session, names, personality, umask, working directory, standard streams,
 * environment, program.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "spec/spec.h"

#define PROCESS_HOME_SIZE 256 /* a longer one is not taken */

struct process_plan {
	const char *hostname, *domainname; /* NULL: leave */
	bool personality_set;
	unsigned long personality;
	mode_t umask; /* 0022 where the configuration is silent */
	const char *cwd;
	const char **argv, **envp;
	char *home; /* the value of HOME in envp where it was added, which init may yet replace */
	const char *path; /* PATH of envp, or the default of execvp(3) */
	bool terminal;
	unsigned short rows, columns; /* 0: leave */
	unsigned keep_fds;	      /* descriptors 3 .. 3 + keep_fds - 1 stay open */
};

int process_plan(const struct spec *spec, const struct spec_process *process, uint64_t own,
		 unsigned keep_fds, struct arena *arena, struct process_plan *plan,
		 struct err *err);

/* All that follows is done in init, but for process_close_others(). */

/* setsid(2) */
int process_apply_session(struct err *err);

/* hostname, domainname */
int process_apply_names(const struct process_plan *plan, struct err *err);

/* personality(2), umask(2) */
int process_apply_personality(const struct process_plan *plan, struct err *err);

/* fchown(2) of the standard streams to the user where they are a terminal or a pipe, so that he can
 * open /dev/stdout; a host's /dev/null replaced by the container's. */
int process_apply_stdio(uid_t uid, struct err *err);

/* HOME: what the container's /etc/passwd says, or as it was planned: /root for uid 0, else "/". The
 * one part of a plan that is replaced, in init's own copy of it. */
void process_apply_home(const struct process_plan *plan, uid_t uid);

/*
 * chdir(2) while still root, made if missing (`make`). EACCES is left to process_check_cwd(): a
 * directory of a filesystem that root may not enter can be open to the user.
 */
int process_apply_cwd(const struct process_plan *plan, bool make, struct err *err);

/* As the user: tries the chdir again where it was refused, then checks that it is inside
 * (CVE-2024-21626): getcwd(2) must give a path that begins with "/". */
int process_check_cwd(const struct process_plan *plan, struct err *err);

/* Finds the program as execvp(3) would: "executable file not found in $PATH". program has PATH_MAX
 * bytes. */
int process_find(const struct process_plan *plan, char *program, struct err *err);

/* Closes everything from `first` on, but for `keep`, where -1 means none. */
int process_close_others(unsigned first, const int *keep, size_t len, struct err *err);

/* Marks everything from 3 on, but for the kept ones, close-on-exec. */
int process_close_fds(const struct process_plan *plan, struct err *err);

/* execve(2); returns only with an error that says which: no such file, no interpreter, wrong
 * architecture, not executable. */
int process_exec(const struct process_plan *plan, const char *program, struct err *err);

/*
 * A terminal from the container's own /dev/pts (CVE-2025-52565): *master is checked to be on
 * devpts, the peer (TIOCGPTPEER, never a path) is given to `uid`, becomes standard input, output
 * and error and the controlling terminal, and is bound on /dev/console if that is the container's
 * own. In terminal.c.
 */
int process_open_terminal(const struct process_plan *plan, uid_t uid, bool bind_console,
			  int *master, struct err *err);
