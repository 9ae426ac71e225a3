/*
 * Selecting cases, see select.h.
 */
#include "selftest/select.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/options.h"

#define WORD_MAX 128

/* What people also call a layer; its own name is in layer_names[]. */
static const struct name layer_aliases[] = {
	{ "caps", LAYER_CAPABILITIES },
	{ "nnp", LAYER_NO_NEW_PRIVS },
	{ "namespace", LAYER_NAMESPACES },
	{ "mount", LAYER_MOUNTS },
	{ "cgroups", LAYER_CGROUP },
	{ "rlimit", LAYER_RLIMITS },
	{ .name = "" },
};

static bool layer_value(char *word, uint64_t *value)
{
	return name_value(layer_names, word, value) || name_value(layer_aliases, word, value);
}

/* Word number `at` of all items of a list, cut at commas; NULL behind the last. */
static const char *list_word(const struct spec_strings *list, size_t at, char word[WORD_MAX])
{
	for (size_t i = 0; i < list->len; i++) {
		const char *text = list->item[i];

		while (*text) {
			size_t len = strcspn(text, ",");

			if (len && at-- == 0) {
				if (len >= WORD_MAX)
					len = WORD_MAX - 1;
				memcpy(word, text, len);
				word[len] = '\0';
				return word;
			}
			text += len + (text[len] == ',');
		}
	}
	return NULL;
}

static bool list_matches(const struct spec_strings *list, const char *text)
{
	char word[WORD_MAX];

	for (size_t i = 0; list_word(list, i, word); i++)
		if (fnmatch(word, text, 0) == 0)
			return true;
	return false;
}

enum selection select_case(const struct selftest_options *options, const struct selftest_case *row)
{
	if (options->only.len ? !list_matches(&options->only, row->id)
			      : !(row->profiles & options->profile))
		return SELECT_NOT;
	if (options->group.len && !list_matches(&options->group, row->group))
		return SELECT_NOT;
	return list_matches(&options->skip, row->id) ? SELECT_SKIP : SELECT_RUN;
}

/* --- checking -------------------------------------------------------------------------------- */

struct look {
	const char *pattern;
	bool group, found;
};

static bool look_at(const struct selftest_case *row, void *context)
{
	struct look *look = context;

	look->found = fnmatch(look->pattern, look->group ? row->group : row->id, 0) == 0;
	return !look->found;
}

static int check_patterns(const struct spec_strings *list, const char *option, bool group,
			  struct err *err)
{
	char word[WORD_MAX];

	for (size_t i = 0; list_word(list, i, word); i++) {
		struct look look = { .pattern = word, .group = group };

		cases_each(look_at, &look);
		if (!look.found)
			return err_set(err, OPTIONS_USAGE,
				       "%s: no %s is '%s'; see agentd selftest --list", option,
				       group ? "group" : "case", word);
	}
	return 0;
}

/* "landlock=4": the name, and the number or 0. */
static unsigned long split_number(char *word)
{
	char *equals = strchr(word, '=');

	if (!equals)
		return 0;
	*equals = '\0';
	return strtoul(equals + 1, NULL, 10);
}

enum requirement {
	REQUIRE_SECCOMP,
	REQUIRE_LANDLOCK,
	REQUIRE_USERNS,
	REQUIRE_NETNS,
	REQUIRE_CGROUP,
	REQUIRE_MOUNTS
};

static const struct name requirement_words[] = {
	{ "seccomp", REQUIRE_SECCOMP }, { "landlock", REQUIRE_LANDLOCK },
	{ "userns", REQUIRE_USERNS },	{ "netns", REQUIRE_NETNS },
	{ "cgroup", REQUIRE_CGROUP },	{ "cgroups", REQUIRE_CGROUP },
	{ "mounts", REQUIRE_MOUNTS },	{ .name = "" },
};

static bool requirement_value(char *word, uint64_t *value)
{
	split_number(word);
	return name_value(requirement_words, word, value);
}

static int check_words(const struct spec_strings *list, const char *option,
		       bool (*known)(char *word, uint64_t *value), struct err *err)
{
	char word[WORD_MAX];
	uint64_t value;

	for (size_t i = 0; list_word(list, i, word); i++)
		if (!known(word, &value))
			return err_set(err, OPTIONS_USAGE, "%s: unknown word '%s'", option, word);
	return 0;
}

int select_check(const struct selftest_options *options, struct err *err)
{
	if (check_patterns(&options->only, "--only", false, err) < 0 ||
	    check_patterns(&options->skip, "--skip", false, err) < 0 ||
	    check_patterns(&options->group, "--group", true, err) < 0 ||
	    check_words(&options->require, "--require", requirement_value, err) < 0)
		return -1;
	return check_words(&options->allow_skip, "--allow-skip", layer_value, err);
}

/* --- layers ---------------------------------------------------------------------------------- */

unsigned select_allowed(const struct selftest_options *options)
{
	char word[WORD_MAX];
	unsigned layers = 0;
	uint64_t value;

	for (size_t i = 0; list_word(&options->allow_skip, i, word); i++)
		if (layer_value(word, &value))
			layers |= (unsigned)value;
	return layers;
}

static bool is_met(enum requirement requirement, unsigned long number,
		   const struct select_facts *facts)
{
	switch (requirement) {
	case REQUIRE_SECCOMP:
		return facts->seccomp;
	case REQUIRE_LANDLOCK:
		return facts->landlock_abi > 0 && (unsigned long)facts->landlock_abi >= number;
	case REQUIRE_USERNS:
		return facts->userns;
	case REQUIRE_NETNS:
		return facts->netns;
	case REQUIRE_CGROUP:
		return facts->cgroup;
	case REQUIRE_MOUNTS:
		return facts->mounts;
	}
	return false;
}

const char *select_unmet(const struct selftest_options *options, const struct select_facts *facts,
			 size_t *at, struct arena *arena)
{
	char word[WORD_MAX];
	uint64_t value;

	while (list_word(&options->require, (*at)++, word)) {
		const char *whole = arena_copy(arena, word, strlen(word));
		unsigned long number = split_number(word);

		if (!name_value(requirement_words, word, &value) ||
		    !is_met((enum requirement)value, number, facts))
			return whole;
	}
	return NULL;
}
