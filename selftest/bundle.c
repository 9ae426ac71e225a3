/*
 * Bundles of selftest, see bundle.h.
 *
 * What a container left in its rootfs is not trusted: removing follows no link and crosses no
 * mount. A bundle that is in use is locked (flock(2)), which ends with the process that made it.
 */
#include "selftest/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "isolation/idmap.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "selftest/selftest.h"
#include "spec/spec.h"

#define BUNDLE_PREFIX "agentd-selftest-"
#define PLACES_MAX 6
#define DEPTH_MAX 64 /* of what is removed */

/* --- where ----------------------------------------------------------------------------------- */

/* Where bundles may be, the best first; ends with NULL. */
static void list_places(const char *places[PLACES_MAX])
{
	const char *runtime = geteuid() ? getenv("XDG_RUNTIME_DIR") : "/run";
	const char *temporary = getenv("TMPDIR");
	size_t len = 0;

	if (runtime && runtime[0] == '/')
		places[len++] = runtime;
	if (temporary && temporary[0] == '/')
		places[len++] = temporary;
	places[len++] = "/tmp";
	places[len++] = "/var/tmp";
	places[len] = NULL;
}

/* Many distributions mount /run with noexec, which the container's root would inherit; and with
 * nosuid and nodev, behind which a missing layer would not be seen. */
static const char *choose_place(void)
{
	static const unsigned long unwanted[] = { ST_NOEXEC | ST_NOSUID | ST_NODEV, ST_NOEXEC };
	const char *places[PLACES_MAX];
	struct statvfs fs;

	list_places(places);
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++)
		for (const char **place = places; *place; place++)
			if (statvfs(*place, &fs) == 0 && !(fs.f_flag & (ST_RDONLY | unwanted[i])) &&
			    access(*place, W_OK | X_OK) == 0)
				return *place;
	return NULL;
}

/* --- removing -------------------------------------------------------------------------------- */

/* Empties a directory as far as it can: what is left keeps the directory from being removed. */
static void empty(int dir, unsigned depth)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream) {
		fd_close(&fd);
		return;
	}
	while ((entry = readdir(stream))) {
		autoclose int below = -1;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    unlinkat(fd, entry->d_name, 0) == 0 || depth == DEPTH_MAX)
			continue;
		/* only a directory is left, or what is mounted on (EBUSY) */
		if (unlinkat(fd, entry->d_name, AT_REMOVEDIR) == 0 || errno == EBUSY)
			continue;
		below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below < 0)
			continue;
		empty(below, depth + 1);
		unlinkat(fd, entry->d_name, AT_REMOVEDIR);
	}
	closedir(stream);
}

void bundle_remove(struct bundle *bundle)
{
	if (bundle->dir < 0)
		return;
	empty(bundle->dir, 0);
	rmdir(bundle->path);
	fd_close(&bundle->dir);
}

static void sweep_place(const char *place)
{
	DIR *stream = opendir(place);
	struct dirent *entry;
	struct stat st;

	if (!stream)
		return;
	while ((entry = readdir(stream))) {
		autoclose int dir = -1;

		if (strncmp(entry->d_name, BUNDLE_PREFIX, strlen(BUNDLE_PREFIX)) != 0)
			continue;
		dir = openat(dirfd(stream), entry->d_name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir < 0 || fstat(dir, &st) < 0 || st.st_uid != geteuid() ||
		    flock(dir, LOCK_EX | LOCK_NB) < 0)
			continue;
		empty(dir, 0);
		unlinkat(dirfd(stream), entry->d_name, AT_REMOVEDIR);
	}
	closedir(stream);
}

void bundle_sweep(void)
{
	const char *places[PLACES_MAX];

	list_places(places);
	for (const char **place = places; *place; place++)
		sweep_place(*place);
}

/* --- the configuration ----------------------------------------------------------------------- */

static struct json *default_config(const struct host *host, struct arena *arena)
{
	struct spec_default with = { .rootless = host->rootless };

	if (with.rootless)
		idmap_subordinate(host, arena, &with.uid_mappings, &with.gid_mappings);
	return spec_default(&with, arena);
}

/* Only bind mounts have sources that are paths. */
static void make_sources_absolute(const struct json *config, const char *bundle,
				  struct arena *arena)
{
	const struct json *mounts = json_member(config, "mounts");

	for (struct json *mount = mounts ? mounts->first : NULL; mount; mount = mount->next) {
		const struct json *options = json_member(mount, "options");
		const struct json *type = json_member(mount, "type");
		bool bind = type && type->text && !strcmp(type->text, "bind");

		for (const struct json *row = options ? options->first : NULL; row; row = row->next)
			bind |= row->text &&
				(!strcmp(row->text, "bind") || !strcmp(row->text, "rbind"));
		for (struct json *row = bind ? mount->first : NULL; row; row = row->next)
			if (!strcmp(row->key, "source") && row->text && row->text[0] != '/')
				row->text = arena_format(arena, "%s/%s", bundle, row->text);
	}
}

int bundle_config(const char *path, const struct host *host, struct arena *arena,
		  struct json **config, struct err *err)
{
	char absolute[PATH_MAX];
	struct spec *unused;
	const char *text;
	size_t size;

	if (!path) {
		*config = default_config(host, arena);
		return 0;
	}
	if (!realpath(path, absolute))
		return err_sys(err, "open bundle '%s'", path);
	/* decoded, so that the kinds of what the patches touch are known to be right */
	if (spec_load_bundle(absolute, arena, &unused, &text, &size, err) < 0 ||
	    json_parse(text, size, arena, config, err) < 0)
		return -1;
	make_sources_absolute(*config, arena_copy(arena, absolute, strlen(absolute)), arena);
	return 0;
}

static int patch(const struct json *config, const char *const patches[], struct arena *arena,
		 struct bundle *bundle, struct err *err)
{
	static const char *const root[] = { "{\"root\":{\"path\":\"rootfs\"}}", NULL };
	const char *const *const lists[] = { patches, root };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (const char *const *text = lists[i]; *text; text++) {
			struct json *change;

			if (json_parse(*text, strlen(*text), arena, &change, err) < 0)
				return err_wrap(err, "patch %s", *text);
			config = json_merge(config, change, arena);
		}
	}
	bundle->config = json_print(config, true, arena, &bundle->config_size);
	return 0;
}

/* --- making ---------------------------------------------------------------------------------- */

static int write_file(int dir, const char *name, mode_t mode, const void *data, size_t size,
		      struct err *err)
{
	autoclose int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	/* whatever the umask is */
	if (fd < 0 || file_write_all(fd, data, size) < 0 || fchmod(fd, mode) < 0)
		return err_sys(err, "write %s", name);
	return 0;
}

static uint64_t number(const struct json *object, const char *key)
{
	const struct json *value = json_member(object, key);
	uint64_t result = 0;

	return value && json_u64(value, &result) ? result : 0;
}

/* The host's id of the container's root; without mappings 0 is 0. */
static uid_t root_owner(const struct bundle *bundle, const char *mappings, struct arena *arena)
{
	const struct json *linux, *list = NULL;
	struct json *config;
	struct err unused;

	if (json_parse(bundle->config, bundle->config_size, arena, &config, &unused) == 0) {
		linux = json_member(config, "linux");
		list = linux ? json_member(linux, mappings) : NULL;
	}
	for (const struct json *row = list ? list->first : NULL; row; row = row->next)
		if (number(row, "containerID") == 0 && number(row, "size") > 0)
			return (uid_t)number(row, "hostID");
	return 0;
}

static int make_rootfs(const struct bundle *bundle, struct arena *arena, struct err *err)
{
	static const char *const directories[] = { "bin", "etc", "lib", "usr" };
	uid_t uid = root_owner(bundle, "uidMappings", arena);
	gid_t gid = root_owner(bundle, "gidMappings", arena);
	autoclose int rootfs = -1;

	if (mkdirat(bundle->dir, "rootfs", 0755) < 0)
		return err_sys(err, "make rootfs");
	rootfs = openat(bundle->dir, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (rootfs < 0 || fchmod(rootfs, 0755) < 0)
		return err_sys(err, "open rootfs");
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (mkdirat(rootfs, directories[i], 0755) < 0)
			return err_sys(err, "make rootfs/%s", directories[i]);
	/* An ordinary user may not, and need not: he is the container's root himself. */
	if (geteuid() == 0 && fchown(rootfs, uid, gid) < 0)
		return err_sys(err, "give rootfs to %u:%u", uid, gid);
	return write_file(rootfs, "canary", 0755, canary_program, canary_program_size, err);
}

static int make_directory(struct arena *arena, struct bundle *bundle, struct err *err)
{
	const char *place = choose_place();
	char *path;

	if (!place)
		return err_set(err, EACCES,
			       "no directory to make a bundle in from which programs can be "
			       "executed; set TMPDIR to one");
	path = arena_format(arena, "%s/" BUNDLE_PREFIX "XXXXXX", place);
	if (!mkdtemp(path))
		return err_sys(err, "make a bundle in %s", place);
	bundle->path = path;
	bundle->dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (bundle->dir >= 0 && flock(bundle->dir, LOCK_EX | LOCK_NB) == 0)
		return 0;
	err_sys(err, "lock bundle %s", path);
	fd_close(&bundle->dir);
	rmdir(path);
	return -1;
}

int bundle_make(const struct json *config, const char *const patches[], struct arena *arena,
		struct bundle *bundle, struct err *err)
{
	*bundle = (struct bundle){ .dir = -1 };
	if (patch(config, patches, arena, bundle, err) < 0 ||
	    make_directory(arena, bundle, err) < 0)
		return -1;
	if (make_rootfs(bundle, arena, err) == 0 &&
	    write_file(bundle->dir, SPEC_FILE, 0644, bundle->config, bundle->config_size, err) == 0)
		return 0;
	err_wrap(err, "bundle %s", bundle->path);
	bundle_remove(bundle);
	return -1;
}
