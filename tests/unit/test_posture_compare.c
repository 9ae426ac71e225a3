/*
 * Differences between an invented process and a configuration; the filesystem is in
 * tests/integration/audit.bats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <linux/capability.h>
#include <sched.h>

#include "selftest/posture.h"

#define CHOWN (1ULL << CAP_CHOWN)
#define KILL (1ULL << CAP_KILL)

static struct posture_thread threads[2];
static const char config[] = "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"process\":{"
			     "\"cwd\":\"/\",\"args\":[\"x\"],\"env\":[\"A=1\"],\"user\":{"
			     "\"uid\":1000,\"gid\":1000},\"noNewPrivileges\":true,"
			     "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"]}},\"linux\":{"
			     "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}}}";

/* A process just as the configuration says. */
static struct posture good(void)
{
	static const struct posture_thread thread = { .tid = 10,
						      .uid = { 1000, 1000, 1000, 1000 },
						      .gid = { 1000, 1000, 1000, 1000 },
						      .bounding = CHOWN,
						      .seccomp = 2,
						      .seccomp_filters = 1,
						      .no_new_privs = true };

	threads[0] = threads[1] = thread;
	threads[1].tid = 11;
	return (struct posture){ .pid = 10,
				 .threads = threads,
				 .threads_len = 2,
				 .namespaces = { 1, 2, 3, 4, 5, 6, 7, 8 },
				 .own = { 1, 2, 3, 4, 5, 6, 7, 8 },
				 .label = "",
				 .uid_map = "         0          0 4294967295\n",
				 .gid_map = "         0          0 4294967295\n",
				 .setgroups = "allow",
				 .root = "/",
				 .environment = "A=2\0HOME=/",
				 .environment_size = sizeof("A=2\0HOME=/") };
}

/* The findings in words: "what!" for what is weaker, "what" for what is not. */
static const char *differences(const struct posture *posture, struct arena *arena)
{
	struct posture_findings findings;
	struct err err = { 0 };
	const char *text = "";
	struct spec *spec;

	assert_int_equal(spec_parse(config, sizeof(config) - 1, arena, &spec, &err), 0);
	posture_compare(posture, spec, arena, &findings);
	for (size_t i = 0; i < findings.len; i++)
		text = arena_format(arena, "%s%s%s%s", text, *text ? "; " : "",
				    findings.item[i].what, findings.item[i].weaker ? "!" : "");
	return text;
}

static void test_threads(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct posture posture = good();

	(void)state;
	assert_string_equal(differences(&posture, arena), "");
	threads[1].seccomp = 0;
	assert_string_equal(differences(&posture, arena), "thread 11: linux.seccomp!");
	posture = good();
	threads[0].no_new_privs = threads[1].no_new_privs = false;
	assert_string_equal(differences(&posture, arena), "process.noNewPrivileges!");
	posture = good();
	threads[1].uid[2] = 0;
	assert_string_equal(differences(&posture, arena), "thread 11: process.user.uid!");
	arena_free(arena);
}

static void test_capabilities(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct posture posture = good();

	(void)state;
	threads[0].bounding = threads[1].bounding = 0; /* gave up more */
	assert_string_equal(differences(&posture, arena), "");
	posture = good();
	threads[1].bounding |= KILL;
	assert_string_equal(differences(&posture, arena),
			    "thread 11: process.capabilities.bounding!");
	posture = good();
	threads[0].effective = threads[0].permitted = CHOWN; /* no_new_privs: never */
	assert_string_equal(differences(&posture, arena),
			    "process.capabilities.effective!; process.capabilities.permitted!");
	arena_free(arena);
}

static void test_rest(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct posture posture = good();
	gid_t groups[] = { 5 };

	(void)state;
	posture.groups = groups;
	posture.groups_len = 1;
	assert_string_equal(differences(&posture, arena), "process.user.additionalGids!");
	posture.setgroups = "deny"; /* then nobody could have dropped them */
	assert_string_equal(differences(&posture, arena), "process.user.additionalGids");
	posture = good();
	posture.namespaces[2] = 33; /* of its own, where none was asked for */
	assert_string_equal(differences(&posture, arena), "linux.namespaces: net");
	posture = good();
	posture.environment = "A=2\0B=3\0C";
	posture.environment_size = sizeof("A=2\0B=3\0C");
	assert_string_equal(differences(&posture, arena), "process.env");
	arena_free(arena);
}

/* In a user namespace the container's 1000 is another's outside. */
static void test_maps(void **state)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct posture posture = good();
	static const char map[] = "         0     100000      65536\n";

	(void)state;
	posture.namespaces[0] = 11;
	posture.uid_map = posture.gid_map = map;
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 2; j++)
			threads[j].uid[i] = threads[j].gid[i] = 101000;
	assert_string_equal(differences(&posture, arena), "linux.namespaces: user");
	threads[0].uid[0] = 1000;
	assert_string_equal(differences(&posture, arena),
			    "process.user.uid!; linux.namespaces: user");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
