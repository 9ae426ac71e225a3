/*
 * The configurations of places, see site.h: the one under test and what a place changes in it.
 *
 * The target is the configuration as it stands, but for what the canary needs: its arguments, a way
 * to it, and a directory that Landlock alone denies. A place that leaves layers out differs from
 * the target in those and nothing else. A bundle's own root filesystem is used as it is: what is
 * added lies under mounts on directories that it has.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/xattr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "isolation/path.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "selftest/limits.h"
#include "selftest/patches.h"
#include "selftest/site.h"

#define DENIED_OWN_ROOT "/denied"
#define CANARY_IN_DENIED ".canary"
#define COVER_MADE ".agentd-selftest"
#define OTHER_UID 65534 /* nobody */
/* Its namespaces are all that a twin has. */
#define TWIN_WITHOUT                                                                               \
	(LAYER_SECCOMP | LAYER_LANDLOCK | LAYER_CAPABILITIES | LAYER_NO_NEW_PRIVS | LAYER_MOUNTS | \
	 LAYER_CGROUP | LAYER_RLIMITS)

/* clang-format off */
const struct name place_names[] = {
	{ "target", PLACE_TARGET }, { "marker", PLACE_MARKER }, { "twin", PLACE_TWIN },
	{ "host", PLACE_HOST }, { "ablation", PLACE_ABLATION }, { "alone", PLACE_ALONE }, { "limits", PLACE_LIMITS },
	{ "exec", PLACE_EXEC },
	{ .name = "" }
};
/* clang-format on */

/* --- what the canary needs ------------------------------------------------------------------- */

static bool is_beneath(const char *path, const char *parent)
{
	size_t len = strlen(parent);

	if (len == 1)
		return path[0] == '/';
	return strncmp(path, parent, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

/* What Landlock allows at a path: the sum of the rules above it. */
static uint64_t landlock_allows(const struct spec_landlock *landlock, const char *path)
{
	uint64_t allowed = 0;

	if (!landlock->set)
		return ~UINT64_C(0);
	for (size_t i = 0; i < landlock->path_beneath.len; i++) {
		const struct spec_landlock_path *rule = &landlock->path_beneath.item[i];

		for (size_t j = 0; j < rule->paths.len; j++)
			if (is_beneath(path, rule->paths.item[j]))
				allowed |= rule->allowed;
	}
	return allowed | ~landlock->handled_fs;
}

static bool is_writable_tmpfs(const struct spec_mount *mount)
{
	if (!mount->type || strcmp(mount->type, "tmpfs") != 0)
		return false;
	for (size_t i = 0; i < mount->options.len; i++)
		if (strcmp(mount->options.item[i], "ro") == 0)
			return false;
	return true;
}

/* A tmpfs in which files can be made: /tmp where it is one, for all may write there; "": none. */
static const char *find_scratch(const struct spec *spec)
{
	static const uint64_t needed = LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_WRITE_FILE;
	const char *found = "";

	for (size_t i = 0; i < spec->mounts.len; i++) {
		const struct spec_mount *mount = &spec->mounts.item[i];
		const char *path = mount->destination;

		if (!is_writable_tmpfs(mount) || strcmp(path, "/dev") == 0 ||
		    (landlock_allows(&spec->process.landlock, path) & needed) != needed)
			continue;
		if (strcmp(path, "/tmp") == 0)
			return path;
		if (!*found)
			found = path;
	}
	return found;
}

static bool is_mounted_on(const struct spec *spec, const char *path)
{
	for (size_t i = 0; i < spec->mounts.len; i++)
		if (is_beneath(spec->mounts.item[i].destination, path) ||
		    (is_beneath(path, spec->mounts.item[i].destination) &&
		     strcmp(spec->mounts.item[i].destination, "/") != 0))
			return true;
	return false;
}

/*
 * In a root filesystem that is not ours: a directory that it has, that no mount needs, that
 * Landlock lets nobody write to, and that no program misses. Else one that agentd makes for a mount
 * point, as it does for every mount that has none; site_uncover() takes it away.
 */
static const char *find_cover(const struct stage *stage)
{
	static const char *const candidates[] = {
		"/mnt", "/media", "/srv", "/opt", "/home", "/root"
	};
	const struct spec_landlock *landlock = &stage->spec->process.landlock;
	autoclose int rootfs = open(stage->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; rootfs >= 0 && i < ARRAY_LEN(candidates); i++) {
		autoclose int dir = path_open_no_links(rootfs, candidates[i], O_PATH | O_DIRECTORY);

		if (dir >= 0 && !is_mounted_on(stage->spec, candidates[i]) &&
		    !(landlock->set &&
		      landlock_allows(landlock, candidates[i]) & LANDLOCK_ACCESS_FS_WRITE_FILE))
			return candidates[i];
	}
	return "/" COVER_MADE;
}

void site_uncover(const struct stage *stage)
{
	autoclose int rootfs =
		stage->rootfs ? open(stage->rootfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (rootfs >= 0)
		unlinkat(rootfs, COVER_MADE, AT_REMOVEDIR);
}

static void set_text(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
}
#define SET(to, text) set_text(to, sizeof(to), text)

/* --- files ----------------------------------------------------------------------------------- */

static uint32_t host_id(const struct spec_id_mappings *mappings, uint32_t id)
{
	const struct spec_id_mapping *mapping = spec_find_mapping(mappings, id);

	return mapping ? mapping->host_id + (id - mapping->container_id) : id;
}

static int make_file(int dir, const char *name, const char *text, mode_t mode, struct err *err)
{
	autoclose int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0 || file_write_all(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0)
		return err_sys(err, "make the decoy %s", name);
	return 0;
}

/* What attempts on Landlock find in the directory that it denies; see attempts_landlock.c. */
static int fill_denied(int dir, const char *canary, uid_t uid, gid_t gid, struct arena *arena,
		       struct err *err)
{
	static const char *const names[] = { "dir", "empty", "file", "remove", "script" };
	const char *script = arena_format(arena, "#!%s --help\n", canary);

	if (mkdirat(dir, "dir", 0755) < 0 || mkdirat(dir, "empty", 0755) < 0)
		return err_sys(err, "make decoys");
	if (make_file(dir, "file", "decoy\n", 0644, err) < 0 ||
	    make_file(dir, "remove", "decoy\n", 0644, err) < 0 ||
	    make_file(dir, "script", script, 0755, err) < 0 ||
	    make_file(dir, CANARY_IN_DENIED, "", 0755, err) < 0)
		return -1;
	if (geteuid() != 0)
		return 0; /* is the container's root, or nobody else can be meant */
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (fchownat(dir, names[i], uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(err, "give decoys to %u:%u", uid, gid);
	/* As root of the host: it takes a device that every container may open. */
	if (mknodat(dir, "device", S_IFCHR | 0666, makedev(1, 3)) < 0 && errno != EPERM)
		return err_sys(err, "make the decoy device");
	return fchown(dir, uid, gid) < 0 ? err_sys(err, "give decoys to %u:%u", uid, gid) : 0;
}

/* The twin's root is its own, whatever the bundle has. */
static bool has_foreign_root(const struct stage *stage, const struct site *site)
{
	return stage->rootfs && site->place != PLACE_TWIN;
}

/* --- programs that would give more ----------------------------------------------------------- */

static bool tries(const struct site *site, const char *id)
{
	for (size_t i = 0; i < site->len; i++)
		if (strcmp(site->ids[i], id) == 0)
			return true;
	return false;
}

static int copy_canary(int dir, const char *name, int *copy, struct err *err)
{
	*copy = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (*copy < 0 || file_write_all(*copy, canary_program, canary_program_size) < 0)
		return err_sys(err, "make the decoy %s", name);
	return 0;
}

/* The chown first: it takes the bits away. */
static int make_suid(int dir, uid_t owner, struct err *err)
{
	autoclose int copy = -1;

	if (copy_canary(dir, "suid", &copy, err) < 0)
		return -1;
	if (fchown(copy, owner, (gid_t)-1) < 0 || fchmod(copy, 04755) < 0)
		return err_sys(err, "make the decoy suid");
	return 0;
}

static int make_filecap(int dir, struct err *err)
{
	const struct vfs_cap_data data = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = 1u << CAP_NET_RAW,
	};
	autoclose int copy = -1;

	if (copy_canary(dir, "filecap", &copy, err) < 0)
		return -1;
	/* Not every file system has attributes: then there is no such decoy. */
	if (fchmod(copy, 0755) < 0 ||
	    (fsetxattr(copy, XATTR_NAME_CAPS, &data, sizeof(data), 0) < 0 && errno != ENOTSUP))
		return err_sys(err, "make the decoy filecap");
	return 0;
}

/* Beside the canary. Only root can make files that give others more. */
static int make_helpers(const struct stage *stage, const struct site *site, int denied,
			struct err *err)
{
	const struct spec_linux *linux = &stage->spec->linux;
	uint32_t other = stage->spec->process.user.uid == 0 ? OTHER_UID : 0;
	autoclose int rootfs =
		openat(site->bundle.dir, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int dir = has_foreign_root(stage, site) ? denied : rootfs;

	if (!stage->host->privileged)
		return 0;
	if (tries(site, "cap.suid-exec") &&
	    make_suid(dir, host_id(&linux->uid_mappings, other), err) < 0)
		return -1;
	return tries(site, "cap.filecap-exec") ? make_filecap(dir, err) : 0;
}

static int make_directory(const struct site *site, const char *name, int *dir, struct err *err)
{
	if (mkdirat(site->bundle.dir, name, 0755) < 0)
		return err_sys(err, "make %s/%s", site->bundle.path, name);
	*dir = openat(site->bundle.dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *dir < 0 ? err_sys(err, "open %s/%s", site->bundle.path, name) : 0;
}

static int make_denied(const struct stage *stage, struct site *site, struct err *err)
{
	const struct spec_linux *linux = &stage->spec->linux;
	bool mapped = site->place != PLACE_TWIN && !stage->in_place;
	autoclose int dir = -1;

	if (make_directory(site, "denied", &dir, err) < 0 ||
	    make_helpers(stage, site, dir, err) < 0)
		return -1;
	return fill_denied(
		dir, site->canary,
		mapped ? host_id(&linux->uid_mappings, stage->spec->process.user.uid) : 0,
		mapped ? host_id(&linux->gid_mappings, stage->spec->process.user.gid) : 0,
		stage->arena, err);
}

/* In place the paths are the host's: Landlock lets us write where sites are made, so the directory
 * that it denies has to be elsewhere. The like of a bundle, for whoever sweeps. */
static int make_outside(const struct stage *stage, struct site *site, struct err *err)
{
	const struct spec_landlock *landlock = &site->spec->process.landlock;
	char *path = arena_format(stage->arena, "/var/tmp/agentd-selftest-XXXXXX");
	struct site outside = { .place = site->place, .canary = site->canary };

	if (landlock_allows(landlock, path) & LANDLOCK_ACCESS_FS_WRITE_FILE || !mkdtemp(path))
		return make_denied(stage, site, err);
	outside.bundle.path = path;
	outside.bundle.dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (outside.bundle.dir < 0)
		return err_sys(err, "open %s", path);
	site->outside = outside.bundle;
	SET(site->decoys.denied, arena_format(stage->arena, "%s/denied", path));
	return make_denied(stage, &outside, err);
}

/* --- a place --------------------------------------------------------------------------------- */

/* A child of the host has the same directories in its bundle. */
static int prepare_child(const struct stage *stage, struct site *site, struct err *err)
{
	static const char *const names[] = { "scratch", "read-only" };
	const char *const none[] = { NULL };
	struct attempt_decoys *decoys = &site->decoys;
	const char *path;

	if (bundle_make(stage->config, none, stage->arena, &site->bundle, err) < 0)
		return -1;
	path = site->bundle.path;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		autoclose int dir = -1;

		if (make_directory(site, names[i], &dir, err) < 0)
			return -1;
	}
	site->canary = arena_format(stage->arena, "%s/rootfs" CANARY_OWN_ROOT, path);
	SET(decoys->scratch, arena_format(stage->arena, "%s/scratch", path));
	SET(decoys->read_only, arena_format(stage->arena, "%s/read-only", path));
	SET(decoys->denied, arena_format(stage->arena, "%s/denied", path));
	return site->spec ? make_outside(stage, site, err) : make_denied(stage, site, err);
}

static void find_paths(const struct stage *stage, struct site *site)
{
	bool foreign = has_foreign_root(stage, site);
	const char *cover = foreign ? find_cover(stage) : DENIED_OWN_ROOT;
	const char *scratch = site->place == PLACE_TWIN ? "/tmp" : find_scratch(stage->spec);

	site->canary = foreign ? arena_format(stage->arena, "%s/" CANARY_IN_DENIED, cover)
			       : CANARY_OWN_ROOT;
	SET(site->decoys.denied, cover);
	/* Without Landlock what it would deny is as good as any other. */
	SET(site->decoys.scratch, *scratch || stage->spec->process.landlock.set ? scratch : cover);
	SET(site->decoys.read_only, "/");
}

static int write_config(const struct stage *stage, struct site *site, struct json *config,
			struct err *err)
{
	struct bundle *bundle = &site->bundle;
	struct spec *spec;

	patch_root(config, has_foreign_root(stage, site) ? stage->rootfs : "rootfs");
	bundle->config = json_print(config, true, stage->arena, &bundle->config_size);
	if (spec_parse(bundle->config, bundle->config_size, stage->arena, &spec, err) < 0)
		return -1;
	site->spec = spec;
	return file_replace(bundle->dir, SPEC_FILE, bundle->config, bundle->config_size, 0644, err);
}

static int prepare_container(const struct stage *stage, struct site *site, struct err *err)
{
	const char *const none[] = { NULL };
	const struct json *base = site->place == PLACE_TWIN ? patch_twin(stage) : stage->config;
	struct json *config;

	find_paths(stage, site);
	if (bundle_make(base, none, stage->arena, &site->bundle, err) < 0 ||
	    make_denied(stage, site, err) < 0)
		return -1;
	config = patch_leave_out(
		stage,
		patch_process(json_merge(base, base, stage->arena), site->canary, stage->arena),
		site->place == PLACE_TWIN ? TWIN_WITHOUT : site->without);
	patch_bind(config, arena_format(stage->arena, "%s/denied", site->bundle.path),
		   site->decoys.denied, "rw", stage->arena);
	if (has_foreign_root(stage, site)) {
		patch_bind(
			config,
			arena_format(stage->arena, "%s/rootfs" CANARY_OWN_ROOT, site->bundle.path),
			site->canary, "ro", stage->arena);
		patch_allow(config, site->canary, stage->arena);
	}
	if (site->place == PLACE_MARKER)
		patch_mark(config, stage->arena);
	if (site->place == PLACE_LIMITS)
		config = patch_merge(config, limits_patch(stage->spec, stage->arena), stage->arena);
	return write_config(stage, site, config, err);
}

/* Its paths are those of the host, but the process is to be as the configuration says. */
static int prepare_confined(const struct stage *stage, struct site *site, struct err *err)
{
	struct json *config = json_merge(stage->config, stage->config, stage->arena);
	struct spec *spec;
	const char *text;
	size_t size;

	config = patch_leave_out(stage, config, site->without);
	if (site->place == PLACE_MARKER)
		patch_mark(config, stage->arena);
	text = json_print(config, false, stage->arena, &size);
	if (spec_parse(text, size, stage->arena, &spec, err) < 0)
		return -1;
	site->spec = spec;
	return prepare_child(stage, site, err);
}

int site_prepare(const struct stage *stage, struct site *site, struct err *err)
{
	int result;

	site->outside.dir = site->bundle.dir = site->wire = site->end = site->cgroup =
		site->talk.fd = -1;
	site->decoys = stage->decoys.told;
	if (site->place == PLACE_EXEC)
		return 0;
	if (site->place == PLACE_HOST)
		result = prepare_child(stage, site, err);
	else if (stage->in_place)
		result = prepare_confined(stage, site, err);
	else
		result = prepare_container(stage, site, err);
	return result < 0 ? err_wrap(err, "%s", name_text(place_names, site->place)) : 0;
}
