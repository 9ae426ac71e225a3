/*
 * Loading configurations: read, parse, decode by the tables of spec.c, fill in what absence means,
 * check by the rules of check.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/file.h"
#include "spec/landlock.h"
#include "spec/spec.h"

static void resources_complete(struct spec_resources *resources)
{
	for (size_t i = 0; i < resources->devices.len; i++)
		if (!resources->devices.item[i].type)
			resources->devices.item[i].type = 'a';
}

static const char *annotation(const struct spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->annotations.len; i++)
		if (strcmp(spec->annotations.item[i].key, key) == 0)
			return spec->annotations.item[i].value;
	return NULL;
}

/* The annotation is for callers who cannot add properties to config.json. */
static int annotation_decode(struct spec *spec, struct arena *arena, struct err *err)
{
	static const struct field table[] = {
		CUSTOM("annotations[\"" LANDLOCK_ANNOTATION "\"]", struct spec_process, landlock,
		       struct spec_landlock, 0, spec_landlock_kind, NULL),
		{ 0 },
	};
	const char *text = annotation(spec, LANDLOCK_ANNOTATION);
	struct json *value, *object = json_object(NULL, NULL, arena);

	if (!text)
		return 0;
	if (spec->process.landlock.set)
		return err_set(err, EINVAL, "%s: process.landlock is there too; remove one of them",
			       table[0].key);
	if (json_parse(text, strlen(text), arena, &value, err) < 0)
		return err_wrap(err, "%s", table[0].key);
	json_add(object, table[0].key, value);
	return fields_decode(object, table, &spec->process, arena, err);
}

/*
 * Before 1.3.0 a limit of 0 processes meant that none was set, and callers who write an older
 * version (podman) still mean that: taken literally their containers could not fork.
 */
static void pids_limit_complete(const char *version, struct optional_i64 *limit)
{
	if (limit->set && limit->value == 0 && strncmp(version, "1.", 2) == 0 &&
	    strtoul(version + 2, NULL, 10) < 3)
		limit->value = -1;
}

static int complete(struct spec *spec, struct arena *arena, struct err *err)
{
	for (size_t i = 0; i < spec->mounts.len; i++) {
		struct spec_mount *mount = &spec->mounts.item[i];

		/* deprecated by the specification, but its meaning is defined */
		if (mount->destination[0] != '/')
			mount->destination = arena_format(arena, "/%s", mount->destination);
	}
	resources_complete(&spec->linux.resources);
	pids_limit_complete(spec->oci_version, &spec->linux.resources.pids_limit);
	return annotation_decode(spec, arena, err);
}

int spec_parse(const char *text, size_t size, struct arena *arena, struct spec **spec,
	       struct err *err)
{
	struct json *tree;

	*spec = arena_new_object(arena, struct spec);
	if (json_parse(text, size, arena, &tree, err) < 0 ||
	    fields_decode(tree, spec_fields, *spec, arena, err) < 0 ||
	    complete(*spec, arena, err) < 0)
		return -1;
	return spec_check(*spec, err);
}

int spec_load(int dir, const char *name, struct arena *arena, struct spec **spec, const char **text,
	      size_t *size, struct err *err)
{
	size_t file_size;
	char *file;

	if (file_read_regular(dir, name, JSON_BYTES_MAX, arena, &file, &file_size, err) < 0)
		return err->code == ENOENT ? err_hint(err, "'agentd spec' makes one") : -1;
	if (spec_parse(file, file_size, arena, spec, err) < 0)
		return err_wrap(err, "%s", name);
	if (text)
		*text = file;
	if (size)
		*size = file_size;
	return 0;
}

int spec_load_bundle(const char *bundle, struct arena *arena, struct spec **spec, const char **text,
		     size_t *size, struct err *err)
{
	const char *path = arena_format(arena, "%s/" SPEC_FILE, bundle);

	return spec_load(AT_FDCWD, path, arena, spec, text, size, err);
}

int spec_process_load(const char *path, struct arena *arena, struct spec_process *process,
		      struct err *err)
{
	struct json *tree;
	size_t size;
	char *text;

	*process = (struct spec_process){ .set = true };
	if (file_read(AT_FDCWD, path, JSON_BYTES_MAX, arena, &text, &size, err) < 0)
		return -1;
	if (json_parse(text, size, arena, &tree, err) < 0 ||
	    fields_decode(tree, spec_process_fields, process, arena, err) < 0 ||
	    spec_process_check(process, err) < 0)
		return err_wrap(err, "%s", path);
	return 0;
}

struct json *spec_encode(const struct spec *spec, struct arena *arena)
{
	struct spec encoded = *spec;

	/* It came from there, and must not be in both. */
	if (annotation(spec, LANDLOCK_ANNOTATION))
		encoded.process.landlock.set = false;
	return fields_encode(&encoded, spec_fields, arena);
}
