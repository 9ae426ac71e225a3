/*
 * Id maps: what is decided for which caller, on invented hosts.
 */
#include <errno.h>
#include <linux/sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "isolation/idmap.h"
#include "runtime/base/array.h"
#include "tests/unit/sandbox.h"

static struct spec_namespace user_new[] = { { CLONE_NEWUSER, NULL } };
static struct spec_namespace user_join[] = { { CLONE_NEWUSER, "/proc/1/ns/user" } };
static struct spec_id_mapping own_id[] = { { 0, 1000, 1 } };
static struct spec_id_mapping range[] = { { 0, 1000, 1 }, { 1, 100000, 65536 } };
static struct spec_id_mapping inside_overlaps[] = { { 0, 1000, 2 }, { 1, 100000, 2 } };
static struct spec_id_mapping outside_overlaps[] = { { 0, 1000, 2 }, { 2, 1001, 2 } };
static struct spec_id_mapping no_root[] = { { 1, 100000, 65536 } };

static const struct host root_host = { .privileged = true, .initial_user_ns = true };
static const struct host denied_host = { .privileged = true, .setgroups_denied = true };
static const struct host user_host = { .uid = 1000, .gid = 1000, .rootless = true };

#define ROWS(rows)                    \
	{                             \
		rows, ARRAY_LEN(rows) \
	}

struct row {
	const char *name;
	const struct host *host;
	struct spec_namespaces namespaces;
	struct spec_id_mappings uids, gids;
	const char *error;	/* a part of it; NULL: none */
	struct idmap_plan want; /* flags and maps; argv is looked at apart */
};

static const struct row rows[] = {
	{ "root without a user namespace", &root_host, { 0 }, { 0 }, { 0 }, NULL, { 0 } },
	{ "user without a user namespace",
	  &user_host,
	  { 0 },
	  { 0 },
	  { 0 },
	  "agentd spec --rootless",
	  { 0 } },
	{ "mappings without a namespace",
	  &root_host,
	  { 0 },
	  ROWS(own_id),
	  ROWS(own_id),
	  "linux.uidMappings: needs a user namespace",
	  { 0 } },
	{ "joined with mappings",
	  &root_host,
	  { user_join, 1 },
	  ROWS(range),
	  ROWS(range),
	  "has its maps already",
	  { 0 } },
	{ "joined", &root_host, { user_join, 1 }, { 0 }, { 0 }, NULL, { .become_root = true } },
	{ "no gid mappings",
	  &root_host,
	  { user_new, 1 },
	  ROWS(range),
	  { 0 },
	  "linux.gidMappings: is required",
	  { 0 } },
	{ "no uid mappings",
	  &root_host,
	  { user_new, 1 },
	  { 0 },
	  ROWS(range),
	  "linux.uidMappings: is required",
	  { 0 } },
	{ "overlap inside",
	  &root_host,
	  { user_new, 1 },
	  ROWS(inside_overlaps),
	  ROWS(range),
	  "linux.uidMappings[1]: overlaps with linux.uidMappings[0]",
	  { 0 } },
	{ "overlap outside",
	  &root_host,
	  { user_new, 1 },
	  ROWS(range),
	  ROWS(outside_overlaps),
	  "linux.gidMappings[1]: overlaps with linux.gidMappings[0]",
	  { 0 } },
	{ "no root inside",
	  &root_host,
	  { user_new, 1 },
	  ROWS(no_root),
	  ROWS(range),
	  "linux.uidMappings: container id 0 is not mapped",
	  { 0 } },
	{ "root writes the maps itself",
	  &root_host,
	  { user_new, 1 },
	  ROWS(range),
	  ROWS(range),
	  NULL,
	  { .write = true,
	    .become_root = true,
	    .uid_map = "0 1000 1\n1 100000 65536\n",
	    .gid_map = "0 1000 1\n1 100000 65536\n" } },
	{ "groups are denied already",
	  &denied_host,
	  { 0 },
	  { 0 },
	  { 0 },
	  NULL,
	  { .deny_setgroups = true } },
	{ "groups are denied to all below",
	  &denied_host,
	  { user_new, 1 },
	  ROWS(range),
	  ROWS(range),
	  NULL,
	  { .write = true,
	    .become_root = true,
	    .deny_setgroups = true,
	    .uid_map = "0 1000 1\n1 100000 65536\n",
	    .gid_map = "0 1000 1\n1 100000 65536\n" } },
	{ "a user maps his own id",
	  &user_host,
	  { user_new, 1 },
	  ROWS(own_id),
	  ROWS(own_id),
	  NULL,
	  { .write = true,
	    .become_root = true,
	    .deny_setgroups = true,
	    .uid_map = "0 1000 1\n",
	    .gid_map = "0 1000 1\n" } },
	{ "a user maps a range",
	  &user_host,
	  { user_new, 1 },
	  ROWS(range),
	  ROWS(range),
	  NULL,
	  { .write = true,
	    .become_root = true,
	    .helpers = true,
	    .uid_map = "0 1000 1\n1 100000 65536\n",
	    .gid_map = "0 1000 1\n1 100000 65536\n" } },
};

static void check_text(const char *name, const char *got, const char *want)
{
	if (!got != !want || (got && strcmp(got, want) != 0))
		fail_msg("%s: '%s', not '%s'", name, got ? got : "(none)", want ? want : "(none)");
}

static void test_decisions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct spec spec = { .linux = { .namespaces = rows[i].namespaces,
						.uid_mappings = rows[i].uids,
						.gid_mappings = rows[i].gids } };
		struct idmap_plan plan = { 0 };
		struct err err = { 0 };
		int result = idmap_plan(&spec, rows[i].host, arena, &plan, &err);

		if (rows[i].error) {
			if (result == 0 || !strstr(err.text, rows[i].error))
				fail_msg("%s: '%s' is not in '%s'", rows[i].name, rows[i].error,
					 err.text);
			arena_free(arena);
			continue;
		}
		if (result < 0)
			fail_msg("%s: %s", rows[i].name, err.text);
		assert_int_equal(plan.write, rows[i].want.write);
		assert_int_equal(plan.become_root, rows[i].want.become_root);
		assert_int_equal(plan.deny_setgroups, rows[i].want.deny_setgroups);
		assert_int_equal(plan.helpers, rows[i].want.helpers);
		check_text(rows[i].name, plan.uid_map, rows[i].want.uid_map);
		check_text(rows[i].name, plan.gid_map, rows[i].want.gid_map);
		arena_free(arena);
	}
}

static void test_helper_arguments(void **state)
{
	static const char *const want[] = { "newuidmap", NULL, "0",	 "1000",
					    "1",	 "1",  "100000", "65536" };
	struct spec spec = { .linux = { .namespaces = { user_new, 1 },
					.uid_mappings = ROWS(range),
					.gid_mappings = ROWS(range) } };
	struct arena *arena = arena_new(1 << 20);
	struct idmap_plan plan = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(idmap_plan(&spec, &user_host, arena, &plan, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		if (want[i])
			assert_string_equal(plan.uid_argv[i], want[i]);
	assert_null(plan.uid_argv[8]);
	assert_string_equal(plan.gid_argv[0], "newgidmap");
	arena_free(arena);
}

/* The kernel takes 340 rows; one more would fail late and without a reason. */
static void test_too_many_rows(void **state)
{
	static struct spec_id_mapping many[341];
	struct spec spec = { .linux = { .namespaces = { user_new, 1 },
					.uid_mappings = ROWS(many),
					.gid_mappings = ROWS(range) } };
	struct arena *arena = arena_new(1 << 20);
	struct idmap_plan plan = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(idmap_plan(&spec, &root_host, arena, &plan, &err), -1);
	assert_int_equal(err.code, E2BIG);
	assert_non_null(strstr(err.text, "linux.uidMappings"));
	spec.linux.uid_mappings.len--;
	assert_int_equal(idmap_plan(&spec, &root_host, arena, &plan, &err), -1);
	assert_non_null(strstr(err.text, "container id 0 is not mapped"));
	arena_free(arena);
}

static bool is_row(const struct spec_id_mappings *map, size_t at, uint32_t inside, uint32_t outside,
		   uint32_t size)
{
	return at < map->len && map->item[at].container_id == inside &&
	       map->item[at].host_id == outside && map->item[at].size == size;
}

/* By number and by name, one range behind the other; what is none, and what is others', counts for
 * nothing. */
static void subordinate_in_sandbox(void)
{
	struct arena *arena = arena_new(1 << 20);
	struct spec_id_mappings uids, gids;

	check(mount("tmpfs", "/etc", "tmpfs", 0, NULL) == 0);
	write_file("/etc/passwd", "root:x:0:0::/:\nother:x:10001:1::/:\nme:x:1000:7::/:\n");
	write_file("/etc/subuid", "other:5000:10\nme:100000:65536\n10001:6000:10\n1000:300000:100\n"
				  "me:0:5\nme:7:0\nme:8\nme\nme:4294967200:100\nme:900000:1\n");
	write_file("/etc/subgid", "me:200000:1000\n");
	idmap_subordinate(&user_host, arena, &uids, &gids);
	check(uids.len == 4 && is_row(&uids, 0, 0, 1000, 1) && is_row(&uids, 1, 1, 100000, 65536));
	check(is_row(&uids, 2, 65537, 300000, 100) && is_row(&uids, 3, 65637, 900000, 1));
	check(gids.len == 2 && is_row(&gids, 0, 0, 1000, 1) && is_row(&gids, 1, 1, 200000, 1000));
	/* the helpers write both maps or none */
	write_file("/etc/subgid", "other:200000:1000\n");
	idmap_subordinate(&user_host, arena, &uids, &gids);
	check(uids.len == 1 && gids.len == 1 && is_row(&gids, 0, 0, 1000, 1));
	check(unlink("/etc/passwd") == 0 && unlink("/etc/subuid") == 0);
	idmap_subordinate(&user_host, arena, &uids, &gids);
	check(uids.len == 1 && is_row(&uids, 0, 0, 1000, 1));
	arena_free(arena);
}

static void test_subordinate(void **state)
{
	(void)state;
	in_sandbox(subordinate_in_sandbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decisions),
		cmocka_unit_test(test_helper_arguments),
		cmocka_unit_test(test_too_many_rows),
		cmocka_unit_test(test_subordinate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
