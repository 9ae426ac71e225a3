/*
 * The filesystem of a process compared with its configuration: root, mounts, masks, what is
 * read-only, and where its descriptors lead. A part of posture_compare().
 *
 * Paths of the container are resolved below /proc/PID/root and opened as places only: its
 * filesystems, which it may serve itself, are asked nothing but where a name leads.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isolation/mount_options.h"
#include "isolation/path.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "selftest/posture_compare.h"

static const struct posture_mount *find_mount(const struct posture *posture, uint64_t id)
{
	for (size_t i = 0; i < posture->mounts_len; i++)
		if (posture->mounts[i].id == id)
			return &posture->mounts[i];
	return NULL;
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, word, len) == 0 && (!at[len] || at[len] == ','))
			return true;
	}
	return false;
}

static bool is_read_only(const struct posture_mount *mount)
{
	return has_word(mount->options, "ro") || has_word(mount->super_options, "ro");
}

/*
 * The mount that a path of the container leads to, and whether the path is its very root. 0: no
 * such path. Opened as a place only, and asked nothing.
 */
static int look_at(struct comparison *with, const char *path, const struct posture_mount **mount,
		   bool *top)
{
	autoclose int fd = path_open(with->root, path, O_PATH);
	/* in a container that was not pivoted (no_pivot), names begin at the host's root */
	size_t prefix = with->posture->root[1] ? strlen(with->posture->root) : 0;
	char name[64], text[4096];
	const char *at;
	ssize_t len;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	if (file_read_small(AT_FDCWD, name, text, sizeof(text)) < 0 ||
	    !(at = strstr(text, "mnt_id:")))
		return -1;
	*mount = find_mount(with->posture, strtoull(at + strlen("mnt_id:"), NULL, 10));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	len = readlink(name, text, sizeof(text) - 1);
	if (len < (ssize_t)prefix || !*mount) {
		errno = ESTALE; /* the mounts have changed since they were read */
		return -1;
	}
	text[len] = '\0';
	*top = strcmp((*mount)->destination, text + prefix) == 0;
	with->seen[*mount - with->posture->mounts] |= *top;
	return 1;
}

/* Finds where a path leads; what cannot be looked at is a finding. 1: there it is. */
static int look_or_tell(struct comparison *with, const char *what, const char *path,
			const struct posture_mount **mount, bool *top)
{
	int found = look_at(with, path, mount, top);

	if (found < 0)
		posture_add(with, true, what,
			    arena_format(with->arena, "%s can be looked at", path),
			    strerror(errno));
	return found;
}

static void compare_root(struct comparison *with)
{
	const struct posture_mount *root = find_mount(with->posture, with->posture->root_mount);

	if (!root) {
		posture_add(with, true, "root.path", "a mount of its own",
			    "a directory of another mount");
		return;
	}
	with->seen[root - with->posture->mounts] = true;
	if (with->spec->root.readonly && !is_read_only(root))
		posture_add(with, true, "root.readonly", "ro", root->options);
	if (strstr(root->propagation, "shared:") &&
	    !(with->spec->linux.rootfs_propagation & MS_SHARED))
		posture_add(with, true, "linux.rootfsPropagation", "not shared", root->propagation);
}

static void compare_mount(struct comparison *with, const struct spec_mount *wanted,
			  const char *path, const char *what)
{
	static const struct name flags[] = { { "ro", SYS_MOUNT_ATTR_RDONLY },
					     { "nosuid", SYS_MOUNT_ATTR_NOSUID },
					     { "nodev", SYS_MOUNT_ATTR_NODEV },
					     { "noexec", SYS_MOUNT_ATTR_NOEXEC },
					     { "nosymfollow", SYS_MOUNT_ATTR_NOSYMFOLLOW },
					     { .name = "" } };
	const struct posture_mount *mount;
	struct mount_flags options;
	struct err ignored;
	bool top;
	int found;

	if (mount_options_parse(&wanted->options, with->arena, &options, &ignored) < 0 ||
	    (options.what & MOUNT_OPTION_REMOUNT))
		return;
	found = look_or_tell(with, what, path, &mount, &top);
	if (found == 0 || (found > 0 && !top)) {
		posture_add(with, true, what, "mounted", found ? "not a mount" : "not there");
		return;
	}
	if (found < 0)
		return;
	for (const struct name *flag = flags; *flag->name; flag++) {
		bool is = flag->value == SYS_MOUNT_ATTR_RDONLY
				  ? is_read_only(mount)
				  : has_word(mount->options, flag->name);

		if ((mount_flags_set(&options) & flag->value) && !is)
			posture_add(with, true, what, flag->name, mount->options);
	}
	if (wanted->type && !(options.what & (MOUNT_OPTION_BIND | MOUNT_OPTION_RBIND)) &&
	    strcmp(wanted->type, "bind") != 0 && strncmp(wanted->type, "cgroup", 6) != 0 &&
	    strcmp(wanted->type, mount->type) != 0)
		posture_add(with, true, what, wanted->type, mount->type);
}

static void compare_mounts(struct comparison *with)
{
	const struct spec_mounts *mounts = &with->spec->mounts;

	for (size_t i = 0; i < mounts->len; i++) {
		const char *path = path_clean("/", mounts->item[i].destination, with->arena);
		bool hidden = false;

		for (size_t j = i + 1; j < mounts->len; j++)
			hidden |= !strcmp(
				path, path_clean("/", mounts->item[j].destination, with->arena));
		if (!hidden)
			compare_mount(with, &mounts->item[i], path,
				      arena_format(with->arena, "mounts[%zu] (%s)", i, path));
	}
}

/* Directories are hidden by an empty tmpfs that is read-only, files by /dev/null. */
static void compare_masked(struct comparison *with)
{
	const struct spec_strings *paths = &with->spec->linux.masked_paths;

	for (size_t i = 0; i < paths->len; i++) {
		const struct posture_mount *mount;
		const char *what =
			arena_format(with->arena, "linux.maskedPaths: %s", paths->item[i]);
		bool top;

		if (look_or_tell(with, what, paths->item[i], &mount, &top) <= 0)
			continue;
		if (!top || !((!strcmp(mount->type, "tmpfs") && is_read_only(mount)) ||
			      !strcmp(mount->root, "/null") || !strcmp(mount->root, "/dev/null")))
			posture_add(with, true, what, "hidden", top ? mount->type : "visible");
	}
}

static void compare_read_only(struct comparison *with)
{
	const struct spec_strings *paths = &with->spec->linux.readonly_paths;

	for (size_t i = 0; i < paths->len; i++) {
		const struct posture_mount *mount;
		const char *what =
			arena_format(with->arena, "linux.readonlyPaths: %s", paths->item[i]);
		bool top;

		if (look_or_tell(with, what, paths->item[i], &mount, &top) > 0 &&
		    !is_read_only(mount))
			posture_add(with, true, what, "ro", mount->options);
	}
}

static bool is_device(const struct spec *spec, const char *path)
{
	static const char *const nodes[] = { "/dev/null",   "/dev/zero",    "/dev/full",
					     "/dev/random", "/dev/urandom", "/dev/tty",
					     "/dev/console" };

	for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
		if (!strcmp(path, nodes[i]))
			return true;
	for (size_t i = 0; i < spec->linux.devices.len; i++)
		if (!strcmp(path, spec->linux.devices.item[i].path))
			return true;
	return false;
}

/* Below a recursive bind mount whatever the host has there; under a mount of the configuration what
 * it covers. */
static bool is_accounted(struct comparison *with, const struct posture_mount *mount)
{
	const struct spec_mounts *mounts = &with->spec->mounts;

	if (is_device(with->spec, mount->destination))
		return true;
	for (size_t i = 0; i < with->posture->mounts_len; i++)
		if (with->seen[i] &&
		    !strcmp(with->posture->mounts[i].destination, mount->destination))
			return true;
	for (size_t i = 0; i < mounts->len; i++) {
		const char *path = path_clean("/", mounts->item[i].destination, with->arena);
		size_t len = strlen(path);

		for (size_t j = 0; j < mounts->item[i].options.len; j++)
			if (!strcmp(mounts->item[i].options.item[j], "rbind") &&
			    !strncmp(path, mount->destination, len) &&
			    mount->destination[len] == '/')
				return true;
	}
	return false;
}

static void compare_surplus(struct comparison *with)
{
	for (size_t i = 0; i < with->posture->mounts_len; i++) {
		const struct posture_mount *mount = &with->posture->mounts[i];

		if (!with->seen[i] && !is_accounted(with, mount))
			posture_add(with, true, "mounts",
				    "no mount of which the configuration says nothing",
				    arena_format(with->arena, "%s on %s", mount->type,
						 mount->destination));
	}
}

void posture_compare_filesystem(struct comparison *with)
{
	const struct spec_namespace *wanted = spec_find_namespace(with->spec, CLONE_NEWNS);

	/* a joined one is not of our making, and the host's was told already */
	if (!wanted || wanted->path ||
	    with->posture->namespaces[NAMESPACE_MOUNT] == with->posture->own[NAMESPACE_MOUNT])
		return;
	if (with->root < 0) {
		posture_add(with, true, "root.path", "can be looked at", strerror(errno));
		return;
	}
	compare_root(with);
	compare_mounts(with);
	compare_masked(with);
	compare_read_only(with);
	compare_surplus(with);
}

/* Files of mounts that the container does not have: its caller's, or ours (CVE-2024-21626). What
 * has no path (pipes, sockets) does not say whose it is; the first three were given. */
void posture_compare_descriptors(struct comparison *with)
{
	const struct posture *posture = with->posture;
	const struct {
		const char *what, *target;
		uint64_t mount;
	} links[] = { { "working directory", posture->cwd, posture->cwd_mount },
		      { "program", posture->exe, posture->exe_mount } };

	if (posture->namespaces[NAMESPACE_MOUNT] == posture->own[NAMESPACE_MOUNT])
		return;
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (!find_mount(posture, links[i].mount))
			posture_add(
				with, true, links[i].what, "in the container",
				arena_format(with->arena, "%s, outside of it", links[i].target));
	for (size_t i = 0; i < posture->fds_len; i++) {
		const struct posture_fd *fd = &posture->fds[i];

		if (fd->fd > STDERR_FILENO && fd->target[0] == '/' &&
		    strncmp(fd->target, "/memfd:", strlen("/memfd:")) != 0 &&
		    !find_mount(posture, fd->mount))
			posture_add(with, true, arena_format(with->arena, "descriptor %d", fd->fd),
				    "in the container",
				    arena_format(with->arena, "%s, outside of it", fd->target));
	}
}
