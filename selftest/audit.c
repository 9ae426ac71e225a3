/*
 * The audit of a running container, see audit.h.
 *
 * Nothing is entered and nobody is asked: all is read from outside, so a container cannot talk its
 * way out of it. What cannot be read from outside (Landlock, what a filter says, device rules) is
 * said to be so: `agentd selftest BUNDLE/` tries those.
 */
#include "selftest/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "isolation/caps.h"
#include "isolation/cgroup.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "selftest/posture_compare.h"
#include "selftest/report_common.h"
#include "spec/names.h"

#define LINKS_MAX 16 /* descriptors told in the text */

static const char not_seen[] = "Landlock, the rules of the filter and of devices; agentd selftest "
			       "BUNDLE/ tries those";

/* --- the cgroup ------------------------------------------------------------------------------ */

/* Whether a limit is that, or stricter; the kernel rounds memory down to pages. Files that are not
 * one number are compared as they are. */
static bool is_weaker(const char *wanted, const char *found)
{
	char *wanted_end, *found_end;
	unsigned long long wanted_number = strtoull(wanted, &wanted_end, 10);
	unsigned long long found_number = strtoull(found, &found_end, 10);

	if (strcmp(found, "max") == 0 || strncmp(found, "max ", 4) == 0)
		return strncmp(wanted, "max", 3) != 0;
	if (strncmp(wanted, "max", 3) == 0)
		return false;
	if (found_end == found || wanted_end == wanted)
		return strcmp(wanted, found) != 0;
	return found_number > wanted_number;
}

/* The files whose greatest number is the weakest. */
static bool is_compared(const char *file)
{
	static const char *const files[] = { "pids.max",	"memory.max", "memory.high",
					     "memory.swap.max", "cpu.max",    "cpu.max.burst" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (strcmp(file, files[i]) == 0)
			return true;
	return false;
}

static void compare_limit(struct comparison *with, int dir, const struct cgroup_limit *limit)
{
	char found[256] = "";

	if (dir < 0) {
		posture_add(with, true, limit->what, limit->text, "no limit: it has no cgroup");
		return;
	}
	if (!is_compared(limit->file) ||
	    (limit->optional && faccessat(dir, limit->file, F_OK, 0) < 0))
		return;
	if (file_read_small(dir, limit->file, found, sizeof(found)) < 0) {
		posture_add(with, true, limit->what, limit->text,
			    arena_format(with->arena, "no limit: %s: %s", limit->file,
					 strerror(errno)));
		return;
	}
	found[strcspn(found, "\n")] = '\0';
	if (is_weaker(limit->text, found))
		posture_add(with, true, limit->what, limit->text,
			    arena_copy(with->arena, found, strlen(found)));
}

static int compare_cgroup(struct comparison *with, const struct state *state, struct err *err)
{
	const char *path = state->cgroup_path, *found = with->posture->cgroup;
	struct cgroup_limit *limits;
	autoclose int dir = -1;
	const char *at;
	size_t len;

	if (cgroup_limits_plan(&with->spec->linux.resources, with->arena, &limits, &len, err) < 0)
		return -1;
	if (path && cgroup_open(state->cgroup_root, path, &dir, err) < 0)
		return -1;
	/* seen from a cgroup namespace the path is shorter, and the process may be below */
	at = path ? strstr(found, path) : NULL;
	if (path && (!at || (at[strlen(path)] && at[strlen(path)] != '/')))
		posture_add(with, true, "linux.cgroupsPath", path, found);
	for (size_t i = 0; i < len; i++)
		compare_limit(with, dir, &limits[i]);
	return 0;
}

int audit_make(const struct state *state, const struct spec *spec, struct arena *arena,
	       struct audit *audit, struct err *err)
{
	struct comparison with = { .posture = &audit->posture,
				   .spec = spec,
				   .arena = arena,
				   .findings = &audit->findings };
	autoclose int pidfd = -1;

	*audit = (struct audit){ .state = state, .spec = spec };
	if (posture_read((pid_t)state->pid, arena, &audit->posture, err) < 0)
		return -1;
	posture_compare(&audit->posture, spec, arena, &audit->findings);
	if (compare_cgroup(&with, state, err) < 0)
		return -1;
	/* it was that process from the first to the last */
	pidfd = state_open_pid(state);
	if (pidfd < 0)
		return err_set(err, ESRCH, "container %s has ended", state->id);
	for (size_t i = 0; i < audit->findings.len; i++)
		audit->weaker += audit->findings.item[i].weaker;
	return 0;
}

/* --- for people ------------------------------------------------------------------------------ */

static const char *namespaces_text(const struct posture *posture, bool own, struct arena *arena)
{
	const char *text = "";

	for (size_t i = 0; i < POSTURE_NAMESPACES; i++)
		if (posture->namespaces[i] && (posture->namespaces[i] != posture->own[i]) == own)
			text = arena_format(arena, "%s%s%s", text, *text ? " " : "",
					    posture_namespace_names[i]);
	return *text ? text : "none";
}

static const char *caps_or_none(uint64_t mask, struct arena *arena)
{
	return mask ? caps_text(mask, arena) : "none";
}

static void print_identity(const struct posture *posture, struct arena *arena, FILE *to)
{
	const struct posture_thread *main = &posture->threads[0];

	fprintf(to, "  identity      uid %u, gid %u on the host; groups:", main->uid[1],
		main->gid[1]);
	for (size_t i = 0; i < posture->groups_len; i++)
		fprintf(to, " %u", posture->groups[i]);
	fprintf(to, "%s\n", posture->groups_len ? "" : " none");
	fprintf(to, "  capabilities  effective: %s\n", caps_or_none(main->effective, arena));
	fprintf(to, "                permitted: %s\n", caps_or_none(main->permitted, arena));
	fprintf(to, "                bounding: %s\n", caps_or_none(main->bounding, arena));
	fprintf(to, "  seccomp       mode %u, %u filters; no_new_privs %s\n", main->seccomp,
		main->seccomp_filters, main->no_new_privs ? "set" : "not set");
	fprintf(to, "  label         %s\n",
		*posture->label ? report_clean(posture->label, arena) : "none");
}

static void print_descriptors(const struct posture *posture, struct arena *arena, FILE *to)
{
	fprintf(to, "  descriptors   %zu:", posture->fds_len);
	for (size_t i = 0; i < posture->fds_len && i < LINKS_MAX; i++)
		fprintf(to, " %d %s%s", posture->fds[i].fd,
			report_clean(posture->fds[i].target, arena),
			i + 1 < posture->fds_len ? "," : "");
	fprintf(to, "%s\n", posture->fds_len > LINKS_MAX ? " ..." : "");
}

static void print_limits(const struct posture *posture, FILE *to)
{
	fprintf(to, "  limits       ");
	for (const struct name *row = rlimit_names; *row->name; row++) {
		rlim_t hard = posture->limits[row->value].rlim_max;

		if (hard != RLIM_INFINITY)
			fprintf(to, " %s %llu", row->name + strlen("RLIMIT_"),
				(unsigned long long)hard);
	}
	fprintf(to, "; the others have none\n");
}

static void print_mounts(const struct posture *posture, struct arena *arena, FILE *to)
{
	for (size_t i = 0; i < posture->mounts_len; i++) {
		const struct posture_mount *mount = &posture->mounts[i];

		fprintf(to, "  %s %s (%s, %s)\n", i ? "             " : "mounts       ",
			report_clean(mount->destination, arena), report_clean(mount->type, arena),
			report_clean(mount->options, arena));
	}
}

static void print_findings(const struct audit *audit, struct arena *arena, FILE *to)
{
	const struct posture_findings *findings = &audit->findings;

	for (int weaker = 1; weaker >= 0; weaker--) {
		for (size_t i = 0; i < findings->len; i++) {
			const struct posture_finding *row = &findings->item[i];

			if (row->weaker == (weaker == 1))
				fprintf(to, "%s %s: expected %s, found %s\n",
					weaker ? "WEAKER " : "differs",
					report_clean(row->what, arena),
					report_clean(row->expected, arena),
					report_clean(row->found, arena));
		}
	}
}

void audit_print(const struct audit *audit, struct arena *arena, FILE *to)
{
	const struct posture *posture = &audit->posture;

	print_findings(audit, arena, to);
	fprintf(to, "%s%s: process %d, %zu %s\n", audit->findings.len ? "\n" : "", audit->state->id,
		(int)posture->pid, posture->threads_len,
		posture->threads_len == 1 ? "thread" : "threads, each compared");
	print_identity(posture, arena, to);
	fprintf(to, "  namespaces    its own: %s; the host's: %s\n",
		namespaces_text(posture, true, arena), namespaces_text(posture, false, arena));
	fprintf(to, "  program       %s in %s\n", report_clean(posture->exe, arena),
		report_clean(posture->cwd, arena));
	print_mounts(posture, arena, to);
	print_descriptors(posture, arena, to);
	print_limits(posture, to);
	fprintf(to, "  cgroup        %s\n", report_clean(posture->cgroup, arena));
	fprintf(to, "  not seen      %s\n", not_seen);
	for (size_t i = 0; i < audit->state->notes.len; i++)
		fprintf(to, "  note          %s\n",
			report_clean(audit->state->notes.item[i], arena));
	fprintf(to, "\n%zu differences to its config.json, %zu of them weaker\n",
		audit->findings.len, audit->weaker);
}

/* --- as a tree ------------------------------------------------------------------------------- */

static void add_text(struct json *parent, const char *key, const char *text, struct arena *arena)
{
	json_string(parent, key, report_clean(text, arena), arena);
}

static void add_caps(struct json *parent, const char *key, uint64_t mask, struct arena *arena)
{
	struct json *list = json_array(parent, key, arena);

	for (const struct name *row = capability_names; *row->name; row++)
		if (mask & 1ULL << row->value)
			json_string(list, NULL, row->name, arena);
}

static void add_ids(struct json *parent, const char *key, const uint32_t *ids, size_t len,
		    struct arena *arena)
{
	struct json *list = json_array(parent, key, arena);

	for (size_t i = 0; i < len; i++)
		json_unsigned(list, NULL, ids[i], arena);
}

static void add_threads(struct json *parent, const struct posture *posture, struct arena *arena)
{
	struct json *list = json_array(parent, "threads", arena);

	for (size_t i = 0; i < posture->threads_len; i++) {
		const struct posture_thread *thread = &posture->threads[i];
		struct json *row = json_object(list, NULL, arena);
		struct json *caps;

		json_integer(row, "tid", thread->tid, arena);
		add_ids(row, "uid", thread->uid, 4, arena);
		add_ids(row, "gid", thread->gid, 4, arena);
		caps = json_object(row, "capabilities", arena);
		add_caps(caps, "bounding", thread->bounding, arena);
		add_caps(caps, "effective", thread->effective, arena);
		add_caps(caps, "permitted", thread->permitted, arena);
		add_caps(caps, "inheritable", thread->inheritable, arena);
		add_caps(caps, "ambient", thread->ambient, arena);
		json_unsigned(row, "seccomp", thread->seccomp, arena);
		json_unsigned(row, "seccompFilters", thread->seccomp_filters, arena);
		json_boolean(row, "noNewPrivileges", thread->no_new_privs, arena);
	}
}

static void add_mounts(struct json *parent, const struct posture *posture, struct arena *arena)
{
	struct json *list = json_array(parent, "mounts", arena);

	for (size_t i = 0; i < posture->mounts_len; i++) {
		const struct posture_mount *mount = &posture->mounts[i];
		struct json *row = json_object(list, NULL, arena);

		add_text(row, "destination", mount->destination, arena);
		add_text(row, "type", mount->type, arena);
		add_text(row, "source", mount->source, arena);
		add_text(row, "root", mount->root, arena);
		add_text(row, "options", mount->options, arena);
		add_text(row, "superOptions", mount->super_options, arena);
		add_text(row, "propagation", mount->propagation, arena);
	}
}

static void add_limits(struct json *parent, const struct posture *posture, struct arena *arena)
{
	struct json *limits = json_object(parent, "rlimits", arena);

	for (const struct name *row = rlimit_names; *row->name; row++) {
		struct json *limit = json_object(limits, row->name, arena);

		json_unsigned(limit, "soft", posture->limits[row->value].rlim_cur, arena);
		json_unsigned(limit, "hard", posture->limits[row->value].rlim_max, arena);
	}
}

static void add_posture(struct json *parent, const struct posture *posture, struct arena *arena)
{
	struct json *tree = json_object(parent, "posture", arena), *namespaces, *fds;

	add_threads(tree, posture, arena);
	add_ids(tree, "groups", posture->groups, posture->groups_len, arena);
	namespaces = json_object(tree, "ownNamespaces", arena);
	for (size_t i = 0; i < POSTURE_NAMESPACES; i++)
		json_boolean(namespaces, posture_namespace_names[i],
			     posture->namespaces[i] != posture->own[i], arena);
	add_text(tree, "label", posture->label, arena);
	add_text(tree, "cgroup", posture->cgroup, arena);
	add_text(tree, "exe", posture->exe, arena);
	add_text(tree, "cwd", posture->cwd, arena);
	add_text(tree, "uidMap", posture->uid_map, arena);
	add_text(tree, "gidMap", posture->gid_map, arena);
	json_integer(tree, "oomScoreAdj", posture->oom_score_adj, arena);
	json_unsigned(tree, "umask", posture->umask, arena);
	fds = json_array(tree, "descriptors", arena);
	for (size_t i = 0; i < posture->fds_len; i++) {
		struct json *row = json_object(fds, NULL, arena);

		json_integer(row, "fd", posture->fds[i].fd, arena);
		add_text(row, "target", posture->fds[i].target, arena);
	}
	add_limits(tree, posture, arena);
	add_mounts(tree, posture, arena);
}

struct json *audit_tree(const struct audit *audit, struct arena *arena)
{
	struct json *tree = json_object(NULL, NULL, arena), *list;

	json_string(tree, "id", audit->state->id, arena);
	json_integer(tree, "pid", audit->posture.pid, arena);
	json_unsigned(tree, "weaker", audit->weaker, arena);
	list = json_array(tree, "differences", arena);
	for (size_t i = 0; i < audit->findings.len; i++) {
		const struct posture_finding *finding = &audit->findings.item[i];
		struct json *row = json_object(list, NULL, arena);

		add_text(row, "what", finding->what, arena);
		add_text(row, "expected", finding->expected, arena);
		add_text(row, "found", finding->found, arena);
		json_boolean(row, "weaker", finding->weaker, arena);
	}
	json_string(tree, "notSeen", not_seen, arena);
	list = json_array(tree, "notes", arena);
	for (size_t i = 0; i < audit->state->notes.len; i++)
		add_text(list, NULL, audit->state->notes.item[i], arena);
	add_posture(tree, &audit->posture, arena);
	return tree;
}
