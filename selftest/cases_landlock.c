/*
 * Landlock: a row for each right over files and each form of a path, what Landlock has no right
 * for, and what the ruleset handles.
 *
 * The decoys of attempts_landlock.c are so placed that nothing but Landlock can refuse. Two things
 * show that it was Landlock: the attempt itself does the allowed half first ("pair=ok"), and the
 * target without Landlock gets through. A right that the configuration grants at that place, or
 * that the kernel does not know, proves nothing: not applicable.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "selftest/judge.h"
#include "selftest/judges.h"
#include "spec/names.h"

/* The names of rights, as far as they fit. */
static void list_rights(uint64_t rights, char *text, size_t size)
{
	size_t len = 0;

	snprintf(text, size, "none");
	for (const struct name *row = landlock_fs_names; *row->name && len < size; row++)
		if (rights & row->value)
			len += (size_t)snprintf(text + len, size - len, "%s%s", len ? " " : "",
						row->name);
}

/* The rights that the kernel can refuse, of those that we know. */
static uint64_t kernel_rights(const struct host *host)
{
	int abi = host->landlock_abi;

	return landlock_abis[abi > LANDLOCK_ABI_NEWEST ? LANDLOCK_ABI_NEWEST : abi].fs;
}

/* The path of the rule that grants a right at a place, or NULL. */
static const char *find_grant(const struct spec_landlock *landlock, uint64_t right,
			      const char *place)
{
	for (size_t i = 0; i < landlock->path_beneath.len; i++) {
		const struct spec_landlock_path *rule = &landlock->path_beneath.item[i];

		for (size_t j = 0; rule->allowed & right && j < rule->paths.len; j++)
			if (judge_beneath(place, rule->paths.item[j]))
				return rule->paths.item[j];
	}
	return NULL;
}

/* "fs.ll-make_dir" is of make_dir; the forms of a path are of opening for writing. */
static uint64_t right_of(const char *id)
{
	uint64_t right;

	if (name_value(landlock_fs_names, id + strlen("fs.ll-"), &right) ||
	    name_value(landlock_fs_names, "write_file", &right))
		return right;
	return 0;
}

bool judge_right(const struct evidence *evidence, struct result *result)
{
	const struct spec_landlock *landlock = &evidence->spec->process.landlock;
	const char *place = evidence->decoys->denied;
	uint64_t right = right_of(result->row->id);
	const char *grant = landlock->set ? find_grant(landlock, right, place) : NULL;
	const char *name = name_text(landlock_fs_names, right);
	bool contained = judge_errno(evidence, result);

	if (!(kernel_rights(evidence->host) & right))
		return judge_undecided(result, VERDICT_NOT_APPLICABLE,
				       "Landlock ABI %d of this kernel does not know %s",
				       evidence->host->landlock_abi, name);
	if (grant)
		return judge_undecided(result, VERDICT_NOT_APPLICABLE,
				       "the configuration grants %s beneath %s", name, grant);
	if (!judge_paired(evidence, result))
		return false;
	/* Only root can prepare the device that ioctl_dev is about. */
	if (evidence->target->error == ENOENT)
		return judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "the decoy is missing: it could not be prepared");
	return contained;
}

/* Opens the directory to list it. */
bool judge_ring(const struct evidence *evidence, struct result *result)
{
	const struct spec_landlock *landlock = &evidence->spec->process.landlock;
	const char *grant = NULL;
	uint64_t right;

	if (landlock->set && name_value(landlock_fs_names, "read_dir", &right))
		grant = find_grant(landlock, right, evidence->decoys->denied);
	if (judge_errno(evidence, result))
		return true;
	if (grant)
		return judge_undecided(result, VERDICT_NOT_APPLICABLE,
				       "the configuration grants read_dir beneath %s", grant);
	return false;
}

bool judge_handled(const struct evidence *evidence, struct result *result)
{
	const struct spec_landlock *landlock = &evidence->spec->process.landlock;
	uint64_t missing = kernel_rights(evidence->host);
	char names[150];

	if (landlock->set)
		missing &= ~landlock->handled_fs;
	list_rights(missing, names, sizeof(names));
	snprintf(result->observed, sizeof(result->observed), "not handled: %s", names);
	return missing == 0;
}

bool judge_abi(const struct evidence *evidence, struct result *result)
{
	char names[120];

	list_rights(landlock_abis[LANDLOCK_ABI_NEWEST].fs & ~kernel_rights(evidence->host), names,
		    sizeof(names));
	snprintf(result->observed, sizeof(result->observed), "ABI %d, which does not know: %s",
		 evidence->host->landlock_abi, names);
	return evidence->host->landlock_abi > 0;
}

bool judge_gap(const struct evidence *evidence, struct result *result)
{
	return judge_paired(evidence, result) && judge_limitation(evidence, result);
}

/* clang-format off */
#define QUICK PROFILE_ALL
#define LATER PROFILE_FROM_STANDARD

#define LANDLOCK_ROW(name, weight, when, what, ...) \
	{ .id = "fs.ll-" name, .group = "landlock", .severity = weight, .profiles = when, \
	  .attempt = what, .contained = { __VA_ARGS__ }, .layers = LAYER_LANDLOCK, \
	  .control = CONTROL_ABLATION, .without = LAYER_LANDLOCK, .needs = LAYER_LANDLOCK, \
	  .judge = JUDGE_right, \
	  .remedy = "handle the right in process.landlock.ruleset, and grant it only where it is needed", \
	  .references = "N4.4.4 N4.5.5" }

#define GAP_ROW(name, what, limit) \
	{ .id = "fs.gap-" name, .group = "landlock", .severity = SEVERITY_INFO, .profiles = LATER, \
	  .attempt = what, .contained = { EROFS, EPERM, EACCES, ENOENT }, \
	  .layers = LAYER_MOUNTS | LAYER_CAPABILITIES | LAYER_NAMESPACES, .control = CONTROL_NONE, \
	  .needs = LAYER_LANDLOCK, .judge = JUDGE_gap, \
	  .remedy = "keep what must not be touched on read-only mounts, or owned by another uid", \
	  .references = "N4.4.4", .limitation = limit }

const struct selftest_case cases_landlock[] = {
	LANDLOCK_ROW("execute",     SEVERITY_HIGH,   LATER, "run a program of a denied directory", EACCES),
	LANDLOCK_ROW("write_file",  SEVERITY_HIGH,   QUICK, "open a file of a denied directory for writing", EACCES),
	LANDLOCK_ROW("read_file",   SEVERITY_HIGH,   LATER, "open a file of a denied directory for reading", EACCES),
	LANDLOCK_ROW("read_dir",    SEVERITY_MEDIUM, LATER, "list a denied directory", EACCES),
	LANDLOCK_ROW("remove_dir",  SEVERITY_MEDIUM, LATER, "rmdir in a denied directory", EACCES),
	LANDLOCK_ROW("remove_file", SEVERITY_HIGH,   QUICK, "unlink in a denied directory", EACCES),
	LANDLOCK_ROW("make_char",   SEVERITY_MEDIUM, LATER, "mknod of a character device in a denied directory", EACCES),
	LANDLOCK_ROW("make_dir",    SEVERITY_MEDIUM, QUICK, "mkdir in a denied directory", EACCES),
	LANDLOCK_ROW("make_reg",    SEVERITY_HIGH,   QUICK, "mknod of a file in a denied directory", EACCES),
	LANDLOCK_ROW("make_sock",   SEVERITY_MEDIUM, LATER, "mknod of a socket in a denied directory", EACCES),
	LANDLOCK_ROW("make_fifo",   SEVERITY_MEDIUM, LATER, "mknod of a pipe in a denied directory", EACCES),
	LANDLOCK_ROW("make_block",  SEVERITY_MEDIUM, LATER, "mknod of a block device in a denied directory", EACCES),
	LANDLOCK_ROW("make_sym",    SEVERITY_MEDIUM, LATER, "symlink in a denied directory", EACCES),
	LANDLOCK_ROW("refer",       SEVERITY_HIGH,   LATER, "link and rename between denied directories", EACCES, EXDEV),
	LANDLOCK_ROW("truncate",    SEVERITY_HIGH,   LATER, "truncate a file of a denied directory, to its size", EACCES),
	LANDLOCK_ROW("ioctl_dev",   SEVERITY_MEDIUM, LATER, "ioctl on a device of a denied directory", EACCES),
	LANDLOCK_ROW("symlink",     SEVERITY_HIGH,   LATER, "open a denied file for writing through a symbolic link", EACCES),
	LANDLOCK_ROW("dotdot",      SEVERITY_HIGH,   LATER, "open a denied file for writing through ..", EACCES),
	LANDLOCK_ROW("dirfd",       SEVERITY_HIGH,   LATER, "open a denied file for writing from its directory's descriptor", EACCES),
	LANDLOCK_ROW("procroot",    SEVERITY_HIGH,   LATER, "open a denied file for writing through /proc/self/root", EACCES),

	{ .id = "fs.ll-io-uring", .group = "landlock", .severity = SEVERITY_HIGH, .profiles = LATER,
	  .attempt = "list a denied directory through a ring of io_uring",
	  .contained = { EACCES, EPERM, ENOSYS }, .layers = LAYER_LANDLOCK | LAYER_SECCOMP | LAYER_KERNEL,
	  .control = CONTROL_TWIN, .needs = LAYER_LANDLOCK, .judge = JUDGE_ring,
	  .remedy = "a filter without io_uring_setup, and read_dir only where it is needed",
	  .references = "N4.4.4 N4.5.5", .limitation = "where rings are refused it shows that alone" },
	{ .id = "fs.ll-handled", .group = "landlock", .severity = SEVERITY_HIGH, .profiles = QUICK,
	  .attempt = "the rights that the ruleset handles, against those of the kernel",
	  .layers = LAYER_LANDLOCK, .control = CONTROL_NONE, .needs = LAYER_LANDLOCK, .judge = JUDGE_handled,
	  .remedy = "handledAccessFs: [\"abi.all\"]: what is not handled is allowed everywhere",
	  .references = "N4.4.4 N4.5.5",
	  .limitation = "what the configuration asks for; that it is in force is shown by the rights' own rows" },
	{ .id = "fs.ll-abi", .group = "landlock", .severity = SEVERITY_INFO, .profiles = LATER,
	  .attempt = "the version of Landlock, and the rights that it lacks",
	  .layers = LAYER_LANDLOCK, .control = CONTROL_NONE, .needs = LAYER_LANDLOCK, .judge = JUDGE_abi,
	  .remedy = "a newer kernel; process.landlock.minimumAbi refuses to start on an older one",
	  .references = "N4.5.1",
	  .limitation = "says which rights are not enforced, not that the others are" },

	GAP_ROW("chmod", "chmod of a denied file, to its mode",  "Landlock has no right for chmod(2)"),
	GAP_ROW("chown", "chown of a denied file, to its owner", "Landlock has no right for chown(2)"),
	GAP_ROW("utime", "utimensat of a denied file",           "Landlock has no right for utimensat(2)"),
	GAP_ROW("xattr", "setxattr of a denied file",            "Landlock has no right for setxattr(2)"),
	GAP_ROW("stat",  "stat of a denied file",                "Landlock has no right for stat(2)"),
	GAP_ROW("opath", "open of a denied file with O_PATH",    "Landlock has no right for O_PATH"),
	GAP_ROW("chdir", "chdir to a denied directory",          "Landlock has no right for chdir(2)"),
	{ .id = "" }
};
/* clang-format on */
