/*
 * Files and mounts but Landlock's: the root and the ways out of it, what is read-only, mount flags,
 * sizes, owners.
 *
 * "No such file" counts because a child of the host opens the same decoy right before and after.
 * Mount flags and owners are read by the host from the kernel's own lists, not asked of the canary.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "runtime/base/file.h"
#include "selftest/judge_posture.h"
#include "selftest/judges.h"

#define say(result, ...) snprintf((result)->observed, sizeof((result)->observed), __VA_ARGS__)

static bool without_posture(struct result *result)
{
	return judge_undecided(result, VERDICT_INCONCLUSIVE,
			       "what the kernel tells of the process was not read");
}

static void name_file(const struct stat *st, char name[64])
{
	snprintf(name, 64, "%u:%u:%llu", major(st->st_dev), minor(st->st_dev),
		 (unsigned long long)st->st_ino);
}

/* A root of its own: another directory than ours, and no way to the decoy. That is that of its
 * mount namespace: below a chroot(2) the host's mounts are all still there. */
bool judge_identity(const struct evidence *evidence, struct result *result)
{
	char root[64], ours[64], whole[64];
	struct stat st;

	if (!judge_errno(evidence, result))
		return false;
	judge_fact(evidence->target, "root", root, sizeof(root));
	if (stat("/", &st) < 0 || !*root)
		return judge_undecided(result, VERDICT_INCONCLUSIVE, "the roots were not read");
	name_file(&st, ours);
	if (strcmp(root, ours) == 0) {
		say(result, "its root is the host's (%s)", ours);
		return false;
	}
	if (!evidence->posture || !judge_own_namespace(evidence->posture, "mnt"))
		return true;
	if (judge_namespace_root(evidence->posture, &st) < 0)
		return judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "its mount namespace cannot be looked at from the host");
	name_file(&st, whole);
	if (strcmp(root, whole) == 0)
		return true;
	say(result, "its root (%s) is below that of its mount namespace (%s)", root, whole);
	return false;
}

/* If a read-only root was asked for, another layer's refusal does not make up for it. */
bool judge_root(const struct evidence *evidence, struct result *result)
{
	const struct posture_mount *root = judge_mount(evidence->posture, "/");
	char error[32];

	if (!judge_errno(evidence, result))
		return false;
	if (!evidence->spec->root.readonly)
		return true;
	if (!root)
		return without_posture(result);
	if (judge_option(root->options, "ro") || judge_option(root->super_options, "ro"))
		return true;
	say(result, "%s, but the root is not read-only",
	    judge_error(evidence->target->error, error));
	return false;
}

/* A tmpfs alone has a size of its own that can be tried without filling a disk. */
bool judge_size(const struct evidence *evidence, struct result *result)
{
	char type[16];

	judge_fact(evidence->target, "type", type, sizeof(type));
	if (strcmp(type, "tmpfs") != 0)
		return judge_undecided(result, VERDICT_NOT_APPLICABLE,
				       "the container has no writable tmpfs");
	return judge_paired(evidence, result) && judge_errno(evidence, result);
}

bool judge_file_size(const struct evidence *evidence, struct result *result)
{
	return judge_paired(evidence, result) && judge_errno(evidence, result);
}

/* Every mount that asks for the flag has it. `flag` is the last word of the id. */
bool judge_flag(const struct evidence *evidence, struct result *result)
{
	const struct spec_mounts *mounts = &evidence->spec->mounts;
	const char *flag = strchr(result->row->id, '.') + 1;
	unsigned asked = 0;

	if (!evidence->posture)
		return without_posture(result);
	for (size_t i = 0; i < mounts->len; i++) {
		const struct spec_mount *mount = &mounts->item[i];
		const struct posture_mount *found =
			judge_mount(evidence->posture, mount->destination);

		for (size_t j = 0; j < mount->options.len; j++) {
			if (strcmp(mount->options.item[j], flag) != 0)
				continue;
			asked++;
			if (found && judge_option(found->options, flag))
				continue;
			say(result, "%s is mounted without %s", mount->destination, flag);
			return false;
		}
	}
	say(result, "%u mounts have it", asked);
	if (asked == 0)
		return judge_undecided(result, VERDICT_NOT_APPLICABLE, "no mount asks for %s",
				       flag);
	return true;
}

bool judge_hardlinks(const struct evidence *evidence, struct result *result)
{
	static const char file[] = "/proc/sys/fs/protected_hardlinks";
	char text[16] = "";

	(void)evidence;
	if (file_read_small(AT_FDCWD, file, text, sizeof(text)) < 0)
		return judge_undecided(result, VERDICT_INCONCLUSIVE, "%s cannot be read", file);
	say(result, "fs.protected_hardlinks is %ld", strtol(text, NULL, 10));
	if (*text == '1')
		return true;
	return judge_undecided(result, VERDICT_INCONCLUSIVE,
			       "fs.protected_hardlinks is 0 on this host");
}

static bool is_bind(const struct spec_mount *mount)
{
	for (size_t i = 0; i < mount->options.len; i++)
		if (strcmp(mount->options.item[i], "bind") == 0 ||
		    strcmp(mount->options.item[i], "rbind") == 0)
			return true;
	return mount->type && strcmp(mount->type, "bind") == 0;
}

/* Not what we have bound ourselves, nor /sys, which has rows of its own and is bound where an
 * ordinary user may not mount it. */
bool judge_bound(const struct evidence *evidence, struct result *result)
{
	const struct spec_mounts *mounts = &evidence->spec->mounts;
	struct stat st;

	if (!evidence->posture)
		return without_posture(result);
	say(result, "none");
	for (size_t i = 0; i < mounts->len; i++) {
		const struct spec_mount *mount = &mounts->item[i];

		if (!is_bind(mount) || !mount->source ||
		    judge_beneath(mount->destination, evidence->decoys->denied) ||
		    judge_beneath(mount->source, "/sys") || stat(mount->source, &st) < 0 ||
		    !S_ISDIR(st.st_mode))
			continue;
		say(result, "%.80s of the host is bound on %.80s", mount->source,
		    mount->destination);
		return false;
	}
	return true;
}

/* The host's id of one of the container's, by the map of its process ("inside outside count"). */
static bool map_id(const char *map, uint32_t inside, uint32_t *outside)
{
	while (*map) {
		char *end;
		unsigned long first = strtoul(map, &end, 10);
		unsigned long to = strtoul(end, &end, 10);
		unsigned long count = strtoul(end, &end, 10);

		if (end == map)
			return false;
		if (inside - first < count) {
			*outside = (uint32_t)(to + (inside - first));
			return true;
		}
		map = end + strspn(end, " \n");
	}
	return false;
}

/* The filesystem uid, which owns what the process makes. */
bool judge_owner(const struct evidence *evidence, struct result *result)
{
	const struct posture *posture = evidence->posture;
	uint32_t uid = evidence->spec->process.user.uid, gid = evidence->spec->process.user.gid;

	if (!posture || !posture->threads_len || !posture->uid_map || !posture->gid_map)
		return without_posture(result);
	if (!map_id(posture->uid_map, uid, &uid) || !map_id(posture->gid_map, gid, &gid)) {
		say(result, "%u:%u of the configuration is not mapped", uid, gid);
		return false;
	}
	say(result, "files are made as %u:%u on the host", posture->threads[0].uid[3],
	    posture->threads[0].gid[3]);
	return posture->threads[0].uid[3] == uid && posture->threads[0].gid[3] == gid;
}

/* clang-format off */
#define QUICK PROFILE_ALL
#define LATER PROFILE_FROM_STANDARD
#define PLACES .group = "files", .severity = SEVERITY_CRITICAL, .control = CONTROL_DECOY, \
	.remedy = "a mount namespace, and pivot_root instead of chroot (no --no-pivot)"
#define FLAG_ROW(flag, weight) \
	{ .id = "fs." flag, .group = "files", .severity = weight, .profiles = LATER, \
	  .attempt = "the mounts that ask for " flag, .layers = LAYER_MOUNTS, .control = CONTROL_NONE, \
	  .judge = JUDGE_flag, .remedy = "update agentd: it did not set what mounts[].options asks for", \
	  .references = "C5.18", .limitation = "reads the kernel's list of mounts; does not try it" }

const struct selftest_case cases_files[] = {
	{ .id = "fs.root-identity", PLACES, .profiles = QUICK,
	  .attempt = "the root directory, and a file of the host by its path",
	  .contained = { ENOENT, EACCES }, .layers = LAYER_NAMESPACES | LAYER_MOUNTS,
	  .judge = JUDGE_identity, .references = "T1611 N4.5.5" },
	{ .id = "fs.dotdot", PLACES, .profiles = QUICK,
	  .attempt = "64 times .. and from there a file of the host",
	  .contained = { ENOENT, EACCES }, .layers = LAYER_MOUNTS, .references = "T1611" },
	{ .id = "fs.symlink-abs", PLACES, .profiles = LATER,
	  .attempt = "an absolute symbolic link to a file of the host",
	  .contained = { ENOENT, EACCES }, .layers = LAYER_NAMESPACES | LAYER_LANDLOCK, .references = "T1611" },
	{ .id = "fs.symlink-rel", PLACES, .profiles = LATER,
	  .attempt = "a symbolic link with many .. to a file of the host",
	  .contained = { ENOENT, EACCES }, .layers = LAYER_NAMESPACES | LAYER_LANDLOCK, .references = "T1611" },
	{ .id = "fs.magic-root", PLACES, .profiles = LATER,
	  .attempt = "a file of the host through root and cwd of /proc",
	  .contained = { ENOENT, EACCES, EPERM }, .layers = LAYER_NAMESPACES | LAYER_LANDLOCK, .references = "T1611" },
	{ .id = "fs.fd-root", .group = "files", .severity = SEVERITY_CRITICAL, .profiles = QUICK,
	  .attempt = "a file of the host from every open directory",
	  .contained = { ENOENT, EACCES, EBADF }, .layers = LAYER_RUNTIME | LAYER_LANDLOCK, .control = CONTROL_DECOY,
	  .remedy = "close the descriptors that agentd was started with; update agentd if they are its own",
	  .references = "CVE-2024-21626 T1611" },
	{ .id = "fs.secrets", PLACES, .profiles = LATER,
	  .attempt = "read a secret of the host that is mounted nowhere",
	  .contained = { ENOENT, EACCES }, .layers = LAYER_NAMESPACES, .references = "T1552.007" },
	{ .id = "fs.unix-path", .group = "files", .severity = SEVERITY_CRITICAL, .profiles = LATER,
	  .attempt = "connect to a socket of the host, and to those of container daemons",
	  .contained = { ENOENT, EACCES }, .layers = LAYER_NAMESPACES | LAYER_LANDLOCK, .control = CONTROL_DECOY,
	  .remedy = "do not mount sockets of container daemons: they are root on the host",
	  .references = "C5.32 N4.4.3 T1611 T1613",
	  .limitation = "sockets at their usual paths only" },
	{ .id = "fs.bound", .group = "files", .severity = SEVERITY_HIGH, .profiles = LATER,
	  .attempt = "directories of the host among the mounts",
	  .layers = LAYER_MOUNTS, .control = CONTROL_NONE, .judge = JUDGE_bound,
	  .remedy = "copy the files in, or bind single files; --skip fs.bound if it is meant",
	  .references = "C5.5 N4.4.3 T1611", .limitation = "files and sockets that are bound are not told" },
	{ .id = "fs.ro-root", .group = "files", .severity = SEVERITY_HIGH, .profiles = QUICK,
	  .attempt = "create a file in /, /etc, /usr, /lib and /bin",
	  .contained = { EROFS, EACCES, EPERM }, .layers = LAYER_MOUNTS | LAYER_LANDLOCK | LAYER_CAPABILITIES,
	  .control = CONTROL_TWIN, .judge = JUDGE_root,
	  .remedy = "root.readonly: true, with a tmpfs where the program must write",
	  .references = "C5.13 N4.4.4" },
	FLAG_ROW("noexec", SEVERITY_MEDIUM),
	FLAG_ROW("nosuid", SEVERITY_HIGH),
	FLAG_ROW("nodev", SEVERITY_HIGH),
	{ .id = "fs.ldso", .group = "files", .severity = SEVERITY_INFO, .profiles = LATER,
	  .attempt = "map a file that must not be run as code, as the dynamic loader does",
	  .contained = { EACCES, EPERM }, .layers = LAYER_MOUNTS | LAYER_LANDLOCK, .control = CONTROL_HOST,
	  .judge = JUDGE_limitation, .remedy = "noexec on what is writable; no read_file where nothing is read",
	  .limitation = "Landlock's execute is about execve(2): what can be read can be mapped" },
	{ .id = "fs.memfd-exec", .group = "files", .severity = SEVERITY_INFO, .profiles = LATER,
	  .attempt = "run a program from memfd_create(2)",
	  .contained = { EACCES, EPERM, ENOSYS }, .layers = LAYER_SECCOMP | LAYER_KERNEL, .control = CONTROL_HOST,
	  .judge = JUDGE_limitation, .remedy = "sysctl vm.memfd_noexec=2, or a filter without memfd_create",
	  .limitation = "a program in memory is no file: neither noexec nor Landlock stops it" },
	{ .id = "fs.tmpfs-size", .group = "files", .severity = SEVERITY_MEDIUM, .profiles = LATER,
	  .attempt = "more than the size of a writable tmpfs",
	  .contained = { ENOSPC }, .layers = LAYER_MOUNTS, .control = CONTROL_NONE, .judge = JUDGE_size,
	  .remedy = "size= in the options of every tmpfs", .references = "N4.4.3 P11.1",
	  .limitation = "one tmpfs; a part of it is filled before, as the control" },
	{ .id = "fs.fsize", .group = "files", .severity = SEVERITY_LOW, .profiles = LATER,
	  .attempt = "write beyond RLIMIT_FSIZE",
	  .contained = { EFBIG }, .layers = LAYER_RLIMITS | LAYER_KERNEL, .control = CONTROL_NONE,
	  .judge = JUDGE_file_size, .remedy = "none: the kernel does not enforce RLIMIT_FSIZE",
	  .references = "C5.19", .limitation = "sets the limit itself: shows that one would be enforced" },
	{ .id = "fs.hardlink", .group = "files", .severity = SEVERITY_LOW, .profiles = LATER,
	  .attempt = "the kernel's protection of files against links by others",
	  .layers = LAYER_KERNEL, .control = CONTROL_NONE, .judge = JUDGE_hardlinks,
	  .remedy = "sysctl fs.protected_hardlinks=1",
	  .limitation = "reads the setting of the host; does not try it" },
	{ .id = "fs.ids", .group = "files", .severity = SEVERITY_HIGH, .profiles = LATER,
	  .attempt = "the ids under which the process makes files, on the host",
	  .layers = LAYER_NAMESPACES | LAYER_CAPABILITIES, .control = CONTROL_NONE, .judge = JUDGE_owner,
	  .remedy = "process.user and linux.uidMappings say who it is", .references = "C5.31" },
	{ .id = "" }
};
/* clang-format on */
