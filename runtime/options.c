/*
 * Parsing of options, see options.h. Knows no option by name but --help: the other rows are in
 * main.c and cmd_*.c.
 */
#include "runtime/options.h"

#include <string.h>

/* Where --help puts the text beside the option. */
#define HELP_COLUMN 30

const struct option_row help_options[] = {
	{ "help", 'h', OPTION_FLAG, offsetof(struct options, help), NULL, "print this text" }, { 0 }
};

bool options_number(const char *text, uint32_t max, uint32_t *number)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > max)
			return false;
	}
	*number = (uint32_t)value;
	return true;
}

static const struct option_row *find_long(const struct option_row *const *groups, const char *name,
					  size_t len)
{
	for (; *groups; groups++)
		for (const struct option_row *row = *groups; row->name; row++)
			if (strncmp(row->name, name, len) == 0 && !row->name[len])
				return row;
	return NULL;
}

static const struct option_row *find_letter(const struct option_row *const *groups, char letter)
{
	for (; *groups; groups++)
		for (const struct option_row *row = *groups; row->name; row++)
			if (row->letter && row->letter == letter)
				return row;
	return NULL;
}

/* The item behind the last is always NULL. */
static void append(struct spec_strings *list, const char *text, struct arena *arena)
{
	list->item = arena_grow(arena, list->item, list->len + 1, sizeof(*list->item));
	list->item[list->len++] = text;
}

static int set_flag(const struct option_row *row, const char *value, bool *flag, struct err *err)
{
	if (!value || strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
		*flag = true;
	else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
		*flag = false;
	else
		return err_set(err, OPTIONS_USAGE, "--%s is true or false, not '%s'", row->name,
			       value);
	return 0;
}

static int set_value(const struct option_row *row, const char *value, struct arena *arena,
		     struct options *options, struct err *err)
{
	void *member = (char *)options + row->offset;

	switch (row->kind) {
	case OPTION_FLAG:
		return set_flag(row, value, member, err);
	case OPTION_TEXT:
	case OPTION_LIST:
		/* a variable of a script that was not set; nothing here has an empty name */
		if (!*value)
			return err_set(err, OPTIONS_USAGE, "--%s needs %s, not ''", row->name,
				       row->argument);
		if (row->kind == OPTION_LIST)
			append(member, value, arena);
		else
			*(const char **)member = value;
		return 0;
	case OPTION_NUMBER:
		if (!options_number(value, UINT32_MAX, member))
			return err_set(err, OPTIONS_USAGE, "--%s needs a number, not '%s'",
				       row->name, value);
		return 0;
	case OPTION_IGNORED:
		return 0;
	}
	return 0;
}

/* Whether the row is followed by a value of its own word. */
static bool takes_value(const struct option_row *row)
{
	return row->kind != OPTION_FLAG && row->argument;
}

/* Sets an option to `value`, or where that is NULL and it needs one, to the next word. */
static int take(const struct option_row *row, const char *value, int argc, char *const argv[],
		int *at, struct arena *arena, struct options *options, struct err *err)
{
	if (!value && takes_value(row)) {
		if (*at >= argc)
			return err_set(err, OPTIONS_USAGE, "option '--%s' requires an argument: %s",
				       row->name, row->argument);
		value = argv[(*at)++];
	}
	return set_value(row, value, arena, options, err);
}

/* One word behind its first dash: letters, the last of which may have its value behind it. */
static int take_letters(const struct option_row *const *groups, const char *letters, int argc,
			char *const argv[], int *at, struct arena *arena, struct options *options,
			struct err *err)
{
	for (const char *letter = letters; *letter; letter++) {
		const struct option_row *row = find_letter(groups, *letter);
		const char *value = NULL;

		if (!row)
			return err_set(err, OPTIONS_USAGE, "unknown option '-%s'", letters);
		if (letter[1] && (takes_value(row) || letter[1] == '='))
			value = letter + 1 + (letter[1] == '=');
		if (take(row, value, argc, argv, at, arena, options, err) < 0)
			return -1;
		if (value)
			break;
	}
	return 0;
}

static int take_word(const struct option_row *const *groups, const char *word, int argc,
		     char *const argv[], int *at, struct arena *arena, struct options *options,
		     struct err *err)
{
	const char *name = word + (word[1] == '-' ? 2 : 1);
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *row = len > 1 || word[1] == '-' ? find_long(groups, name, len)
								 : NULL;

	if (row)
		return take(row, equals ? equals + 1 : NULL, argc, argv, at, arena, options, err);
	if (word[1] == '-')
		return err_set(err, OPTIONS_USAGE, "unknown option '%.*s'", (int)len + 2, word);
	return take_letters(groups, name, argc, argv, at, arena, options, err);
}

/* How many arguments came is checked by the caller, who may have been asked for help instead. */
int options_parse(const struct option_row *const *groups, const struct command *command, int argc,
		  char *const argv[], int *at, struct arena *arena, struct options *options,
		  struct err *err)
{
	bool more = true;

	while (*at < argc) {
		const char *word = argv[*at];

		if (more && word[0] == '-' && word[1]) {
			++*at;
			if (strcmp(word, "--") == 0)
				more = false;
			else if (take_word(groups, word, argc, argv, at, arena, options, err) < 0)
				return -1;
			continue;
		}
		if (!command)
			return 0;
		++*at;
		append(&options->arguments, word, arena);
		if (command->verbatim && options->arguments.len == 1) {
			more = false;
			/* `exec ID -- PROGRAM`: no program is called "--" */
			if (*at < argc && strcmp(argv[*at], "--") == 0)
				++*at;
		}
	}
	return 0;
}

void options_print_help(const struct option_row *const *groups, FILE *to)
{
	for (; *groups; groups++) {
		for (const struct option_row *row = *groups; row->name; row++) {
			char left[HELP_COLUMN + 32];
			int len;

			if (!row->help)
				continue;
			len = snprintf(left, sizeof(left), "  %c%c%s --%s%s%s",
				       row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
				       row->letter ? "," : " ", row->name, row->argument ? " " : "",
				       row->argument ? row->argument : "");
			if (len < HELP_COLUMN)
				fprintf(to, "%-*s%s\n", HELP_COLUMN, left, row->help);
			else
				fprintf(to, "%s\n%*s%s\n", left, HELP_COLUMN, "", row->help);
		}
	}
}
