/*
 * What a process has, compared with what its configuration says, see posture.h.
 *
 * Every row of `comparisons` looks at one thing. What a program may do by itself (drop rights,
 * lower limits, change its umask) is told but is not weaker; what only a runtime, a leak or an
 * escape can have done is. The expectations are made from the configuration here, not taken from a
 * plan, so that a mistake in a plan is seen.
 */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "isolation/caps.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/sys.h"
#include "selftest/posture_compare.h"
#include "spec/names.h"

/* In the order of posture_namespace_names. */
static const uint64_t namespace_types[POSTURE_NAMESPACES] = { CLONE_NEWUSER,   CLONE_NEWPID,
							      CLONE_NEWNET,    CLONE_NEWIPC,
							      CLONE_NEWUTS,    CLONE_NEWTIME,
							      CLONE_NEWCGROUP, CLONE_NEWNS };

void posture_add(struct comparison *with, bool weaker, const char *what, const char *expected,
		 const char *found)
{
	struct posture_findings *findings = with->findings;

	findings->item =
		arena_grow(with->arena, findings->item, findings->len, sizeof(*findings->item));
	findings->item[findings->len++] = (struct posture_finding){ what, expected, found, weaker };
}

/* --- threads --------------------------------------------------------------------------------- */

/* The same difference in a thousand threads is one: the first thread is named. */
static const char *of_thread(struct comparison *with, const struct posture_thread *thread,
			     const char *what)
{
	if (thread->tid == with->posture->pid)
		return what;
	return arena_format(with->arena, "thread %d: %s", (int)thread->tid, what);
}

/* An id of the container as the reader sees it, by the map that the kernel tells; UINT32_MAX: not
 * mapped. Within one user namespace both see the same. */
static uint32_t map_id(const struct posture *posture, const char *map, uint32_t id)
{
	if (posture->namespaces[NAMESPACE_USER] == posture->own[NAMESPACE_USER])
		return id;
	while (*map) {
		unsigned long inside = strtoul(map, (char **)&map, 10);
		unsigned long outside = strtoul(map, (char **)&map, 10);
		unsigned long count = strtoul(map, (char **)&map, 10);

		if (id >= inside && id - inside < count)
			return (uint32_t)(outside + (id - inside));
		map += strspn(map, " \n");
	}
	return UINT32_MAX;
}

/* Whoever begins as root may become another; whoever does not, may not (set-user-ID programs are
 * told by no_new_privs). */
static void compare_ids(struct comparison *with, const char *what, bool users, uint32_t id)
{
	const struct posture *posture = with->posture;
	uint32_t expected = map_id(posture, users ? posture->uid_map : posture->gid_map, id);

	for (size_t i = 0; i < posture->threads_len; i++) {
		const struct posture_thread *thread = &posture->threads[i];
		const uint32_t *ids = users ? thread->uid : thread->gid;

		if (ids[0] == expected && ids[1] == expected && ids[2] == expected &&
		    ids[3] == expected)
			continue;
		posture_add(
			with, with->spec->process.user.uid != 0, of_thread(with, thread, what),
			arena_format(with->arena, "%u on the host", expected),
			arena_format(with->arena, "%u %u %u %u", ids[0], ids[1], ids[2], ids[3]));
		return;
	}
}

static void compare_identity(struct comparison *with)
{
	compare_ids(with, "process.user.uid", true, with->spec->process.user.uid);
	compare_ids(with, "process.user.gid", false, with->spec->process.user.gid);
}

/* Where setgroups(2) is denied for good, the caller's groups cannot be dropped by anyone. */
static void compare_groups(struct comparison *with)
{
	const struct posture *posture = with->posture;
	const struct spec_u32s *groups = &with->spec->process.user.additional_gids;

	for (size_t i = 0; i < posture->groups_len; i++) {
		bool expected = false;

		for (size_t j = 0; j < groups->len; j++)
			expected |= posture->groups[i] ==
				    map_id(posture, posture->gid_map, groups->item[j]);
		if (!expected)
			posture_add(with, strcmp(posture->setgroups, "deny") != 0,
				    "process.user.additionalGids", "not in this group",
				    arena_format(with->arena, "%u", posture->groups[i]));
	}
}

/*
 * The most that each set may hold. A program may raise its inheritable set as far as its permitted
 * one; without no_new_privs, execve(2) by root or of a file with capabilities gives all of the
 * bounding set (capabilities(7)).
 */
static void compare_capabilities(struct comparison *with)
{
	const struct spec_process *process = &with->spec->process;
	const struct spec_capabilities *caps = &process->capabilities;
	uint64_t most = caps->permitted |
			(process->no_new_privileges ? 0 : caps->bounding | caps->inheritable);
	const struct {
		const char *what;
		size_t offset;
		uint64_t expected, most;
	} sets[] = {
		{ "process.capabilities.bounding", offsetof(struct posture_thread, bounding),
		  caps->bounding, caps->bounding },
		{ "process.capabilities.effective", offsetof(struct posture_thread, effective),
		  caps->effective, most },
		{ "process.capabilities.permitted", offsetof(struct posture_thread, permitted),
		  caps->permitted, most },
		{ "process.capabilities.inheritable", offsetof(struct posture_thread, inheritable),
		  caps->inheritable, caps->inheritable | most },
		{ "process.capabilities.ambient", offsetof(struct posture_thread, ambient),
		  caps->ambient, caps->ambient },
	};

	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		for (size_t j = 0; j < with->posture->threads_len; j++) {
			const struct posture_thread *thread = &with->posture->threads[j];
			uint64_t found = *(const uint64_t *)((const char *)thread + sets[i].offset);

			if (!(found & ~sets[i].most))
				continue;
			posture_add(with, true, of_thread(with, thread, sets[i].what),
				    sets[i].expected ? caps_text(sets[i].expected, with->arena)
						     : "none",
				    arena_format(with->arena, "%s besides",
						 caps_text(found & ~sets[i].most, with->arena)));
			break;
		}
	}
}

static void compare_no_new_privs(struct comparison *with)
{
	for (size_t i = 0; i < with->posture->threads_len; i++) {
		const struct posture_thread *thread = &with->posture->threads[i];

		if (thread->no_new_privs == with->spec->process.no_new_privileges)
			continue;
		posture_add(with, !thread->no_new_privs,
			    of_thread(with, thread, "process.noNewPrivileges"),
			    thread->no_new_privs ? "not set" : "set",
			    thread->no_new_privs ? "set" : "not set");
		return;
	}
}

static void compare_seccomp(struct comparison *with)
{
	bool wanted = with->spec->linux.seccomp.set;

	for (size_t i = 0; i < with->posture->threads_len; i++) {
		const struct posture_thread *thread = &with->posture->threads[i];
		bool found = thread->seccomp == SECCOMP_MODE_FILTER;

		if (found == wanted)
			continue;
		posture_add(
			with, !found, of_thread(with, thread, "linux.seccomp"),
			wanted ? "a filter" : "no filter",
			found ? arena_format(with->arena, "%u filters", thread->seccomp_filters)
			      : arena_format(with->arena, "mode %u, no filter", thread->seccomp));
		return;
	}
}

static void compare_label(struct comparison *with)
{
	const struct spec_process *process = &with->spec->process;
	const char *expected = process->apparmor_profile ? process->apparmor_profile
							 : process->selinux_label;
	const char *found = with->posture->label;
	size_t len = expected ? strlen(expected) : 0;

	/* AppArmor adds its mode: "profile (enforce)" */
	if (len && (strncmp(found, expected, len) != 0 || (found[len] && found[len] != ' ')))
		posture_add(with, true,
			    process->apparmor_profile ? "process.apparmorProfile"
						      : "process.selinuxLabel",
			    expected, *found ? found : "no label");
	else if (len && strstr(found, "(complain)"))
		posture_add(with, true, "process.apparmorProfile", "enforced", found);
}

/* --- namespaces ------------------------------------------------------------------------------ */

static void compare_namespaces(struct comparison *with)
{
	const struct posture *posture = with->posture;

	for (size_t i = 0; i < POSTURE_NAMESPACES; i++) {
		const struct spec_namespace *wanted =
			spec_find_namespace(with->spec, namespace_types[i]);
		bool own = posture->namespaces[i] != posture->own[i];
		const char *what = arena_format(with->arena, "linux.namespaces: %s",
						posture_namespace_names[i]);

		if (wanted && wanted->path) {
			/* whose it is was for whoever wrote the path to decide; that it still
			 * exists under that name is not sure */
			struct stat st;

			if (stat(wanted->path, &st) == 0 && st.st_ino != posture->namespaces[i])
				posture_add(with, !own, what, wanted->path,
					    own ? "another one" : "the host's");
		} else if (own != (wanted != NULL)) {
			posture_add(with, !own, what, own ? "the host's" : "its own",
				    own ? "its own" : "the host's");
		}
	}
}

static const char *map_text(const struct spec_id_mappings *mappings, struct arena *arena)
{
	const char *text = "";

	for (size_t i = 0; i < mappings->len; i++)
		text = arena_format(arena, "%s%10u %10u %10u\n", text,
				    mappings->item[i].container_id, mappings->item[i].host_id,
				    mappings->item[i].size);
	return text;
}

static void compare_maps(struct comparison *with)
{
	const struct posture *posture = with->posture;
	const struct spec_namespace *user = spec_find_namespace(with->spec, CLONE_NEWUSER);
	const struct {
		const char *what, *expected, *found;
	} maps[] = {
		{ "linux.uidMappings", map_text(&with->spec->linux.uid_mappings, with->arena),
		  posture->uid_map },
		{ "linux.gidMappings", map_text(&with->spec->linux.gid_mappings, with->arena),
		  posture->gid_map },
	};

	if (!user || user->path ||
	    posture->namespaces[NAMESPACE_USER] == posture->own[NAMESPACE_USER])
		return;
	for (size_t i = 0; i < ARRAY_LEN(maps); i++)
		if (strcmp(maps[i].expected, maps[i].found) != 0)
			posture_add(with, true, maps[i].what, maps[i].expected, maps[i].found);
}

/* --- limits ---------------------------------------------------------------------------------- */

static const char *limit_text(const struct rlimit *limit, struct arena *arena)
{
	const char *soft =
		limit->rlim_cur == RLIM_INFINITY
			? "unlimited"
			: arena_format(arena, "%llu", (unsigned long long)limit->rlim_cur);

	if (limit->rlim_max == RLIM_INFINITY)
		return arena_format(arena, "%s, at most unlimited", soft);
	return arena_format(arena, "%s, at most %llu", soft, (unsigned long long)limit->rlim_max);
}

static void compare_limits(struct comparison *with)
{
	const struct spec_rlimits *rlimits = &with->spec->process.rlimits;

	for (size_t i = 0; i < rlimits->len; i++) {
		const struct spec_rlimit *wanted = &rlimits->item[i];
		struct rlimit limit = { wanted->soft, wanted->hard };
		const struct rlimit *found = &with->posture->limits[wanted->type];

		if (found->rlim_cur != limit.rlim_cur || found->rlim_max != limit.rlim_max)
			posture_add(with, found->rlim_max > limit.rlim_max,
				    arena_format(with->arena, "process.rlimits: %s",
						 name_text(rlimit_names, wanted->type)),
				    limit_text(&limit, with->arena),
				    limit_text(found, with->arena));
	}
}

static void compare_oom_score(struct comparison *with)
{
	const struct optional_i64 *wanted = &with->spec->process.oom_score_adj;
	int found = with->posture->oom_score_adj;

	if (wanted->set && found != wanted->value)
		posture_add(with, found < wanted->value, "process.oomScoreAdj",
			    arena_format(with->arena, "%lld", (long long)wanted->value),
			    arena_format(with->arena, "%d", found));
}

static void compare_umask(struct comparison *with)
{
	const struct optional_u64 *wanted = &with->spec->process.user.umask;

	if (wanted->set && with->posture->umask != wanted->value)
		posture_add(with, false, "process.user.umask",
			    arena_format(with->arena, "%04o", (unsigned)wanted->value),
			    arena_format(with->arena, "%04o", with->posture->umask));
}

/* Names alone: values may be secrets. A script that starts another program may have set them. */
static void compare_environment(struct comparison *with)
{
	const struct posture *posture = with->posture;
	const struct spec_strings *env = &with->spec->process.env;
	const char *others = NULL;

	for (size_t at = 0; at < posture->environment_size;) {
		const char *text = posture->environment + at;
		size_t name = strcspn(text, "=") + 1;
		/* HOME is the runtime's where the configuration has none */
		bool known = !*text || strncmp(text, "HOME=", 5) == 0;

		for (size_t i = 0; i < env->len; i++)
			known |= strncmp(env->item[i], text, name) == 0;
		if (!known)
			others = arena_format(with->arena, "%s%s%.*s", others ? others : "",
					      others ? ", " : "", (int)name - 1, text);
		at += strlen(text) + 1;
	}
	if (others)
		posture_add(with, false, "process.env", "no other variable", others);
}

void posture_compare(const struct posture *posture, const struct spec *spec, struct arena *arena,
		     struct posture_findings *findings)
{
	static void (*const comparisons[])(struct comparison *) = {
		compare_identity,
		compare_groups,
		compare_capabilities,
		compare_no_new_privs,
		compare_seccomp,
		compare_label,
		compare_namespaces,
		compare_maps,
		posture_compare_filesystem,
		posture_compare_descriptors,
		compare_limits,
		compare_oom_score,
		compare_umask,
		compare_environment,
	};
	autoclose int root = -1;
	char path[64];
	struct comparison with = { posture, spec,
				   arena,   findings,
				   -1,	    arena_new_array(arena, bool, posture->mounts_len + 1) };

	snprintf(path, sizeof(path), "/proc/%d/root", (int)posture->pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	with.root = root;
	*findings = (struct posture_findings){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(comparisons); i++)
		comparisons[i](&with);
}
