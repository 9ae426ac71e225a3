/*
 * `agentd features`: the shape that the runtime specification's schema demands, and that the lists
 * are those of the tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/base/array.h"
#include "runtime/features.h"
#include "spec/names.h"
#include "spec/spec.h"

static struct arena *arena;
static const struct json *root;

static int setup(void **state)
{
	const struct host host = { .landlock_abi = 4 };

	(void)state;
	arena = arena_new(ARENA_LIMIT);
	root = features(&host, arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* "linux.seccomp.actions"; NULL if there is none. */
static const struct json *at(const char *path)
{
	const struct json *value = root;
	char copy[128];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *key = strtok(copy, "."); key && value; key = strtok(NULL, "."))
		value = json_member(value, key);
	return value;
}

static bool has(const struct json *array, const char *word)
{
	for (const struct json *child = array->first; child; child = child->next)
		if (strcmp(child->text, word) == 0)
			return true;
	return false;
}

static void test_shape(void **state)
{
	static const struct {
		const char *path;
		enum json_kind kind;
	} members[] = {
		{ "ociVersionMin", JSON_STRING },
		{ "ociVersionMax", JSON_STRING },
		{ "hooks", JSON_ARRAY },
		{ "mountOptions", JSON_ARRAY },
		{ "linux.namespaces", JSON_ARRAY },
		{ "linux.capabilities", JSON_ARRAY },
		{ "linux.cgroup.v1", JSON_FALSE },
		{ "linux.cgroup.v2", JSON_TRUE },
		{ "linux.cgroup.systemd", JSON_FALSE },
		{ "linux.cgroup.systemdUser", JSON_FALSE },
		{ "linux.cgroup.rdma", JSON_TRUE },
		{ "linux.seccomp.enabled", JSON_TRUE },
		{ "linux.seccomp.actions", JSON_ARRAY },
		{ "linux.seccomp.operators", JSON_ARRAY },
		{ "linux.seccomp.archs", JSON_ARRAY },
		{ "linux.seccomp.knownFlags", JSON_ARRAY },
		{ "linux.seccomp.supportedFlags", JSON_ARRAY },
		{ "linux.apparmor.enabled", JSON_TRUE },
		{ "linux.selinux.enabled", JSON_TRUE },
		{ "linux.memoryPolicy.modes", JSON_ARRAY },
		{ "linux.memoryPolicy.flags", JSON_ARRAY },
		{ "linux.intelRdt.enabled", JSON_FALSE },
		{ "linux.mountExtensions.idmap.enabled", JSON_FALSE },
		{ "linux.netDevices.enabled", JSON_FALSE },
		{ "potentiallyUnsafeConfigAnnotations", JSON_ARRAY },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct json *value = at(members[i].path);

		if (!value || value->kind != members[i].kind)
			fail_msg("%s", members[i].path);
	}
	for (const struct json *child = at("annotations")->first; child; child = child->next)
		assert_int_equal(child->kind, JSON_STRING);
}

static void test_no_word_twice(void **state)
{
	static const char *const lists[] = { "hooks",
					     "mountOptions",
					     "linux.namespaces",
					     "linux.capabilities",
					     "linux.seccomp.actions",
					     "linux.seccomp.operators",
					     "linux.seccomp.archs",
					     "linux.seccomp.knownFlags" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct json *list = at(lists[i]);

		assert_true(list->len > 0);
		for (const struct json *one = list->first; one; one = one->next)
			for (const struct json *other = one->next; other; other = other->next)
				assert_string_not_equal(one->text, other->text);
	}
}

static void test_lists_are_the_tables(void **state)
{
	size_t len = 0;

	(void)state;
	for (const struct name *name = capability_names; *name->name; name++, len++)
		assert_true(has(at("linux.capabilities"), name->name));
	assert_int_equal(at("linux.capabilities")->len, len);
	for (const struct name *name = namespace_names; *name->name; name++)
		assert_true(has(at("linux.namespaces"), name->name));
	assert_int_equal(at("linux.namespaces")->len, 8);
	assert_int_equal(at("hooks")->len, 6);
	assert_true(has(at("mountOptions"), "rro"));
}

/* A text of JSON, cut to the kernel's ABI: 4 has truncate, not yet ioctl_dev. */
static void test_landlock(void **state)
{
	const struct json *text = NULL;
	struct json *landlock;
	struct err err;
	int64_t abi;

	(void)state;
	for (const struct json *child = at("annotations")->first; child; child = child->next)
		if (strcmp(child->key, "io.agentd.landlock") == 0)
			text = child;
	assert_non_null(text);
	assert_int_equal(json_parse(text->text, strlen(text->text), arena, &landlock, &err), 0);
	assert_true(json_i64(json_member(landlock, "abi"), &abi) && abi == 4);
	assert_true(has(json_member(landlock, "fs"), "truncate"));
	assert_false(has(json_member(landlock, "fs"), "ioctl_dev"));
	assert_int_equal(json_member(landlock, "net")->len, 2);
	assert_int_equal(json_member(landlock, "scoped")->len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_no_word_twice),
		cmocka_unit_test(test_lists_are_the_tables),
		cmocka_unit_test(test_landlock),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
