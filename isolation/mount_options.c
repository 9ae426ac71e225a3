/*
 * Mount options, see mount_options.h: which word means which flag, and nothing else. Whether a flag
 * is allowed for a kind of mount is decided in mounts_plan.c.
 */
#include "isolation/mount_options.h"

#include <errno.h>
#include <string.h>

#include "isolation/tree.h"
#include "runtime/base/sys.h"

#define RDONLY SYS_MOUNT_ATTR_RDONLY
#define NOSUID SYS_MOUNT_ATTR_NOSUID
#define NODEV SYS_MOUNT_ATTR_NODEV
#define NOEXEC SYS_MOUNT_ATTR_NOEXEC
#define ATIME SYS_MOUNT_ATTR__ATIME /* a value in several bits; 0 is relatime */
#define NOATIME SYS_MOUNT_ATTR_NOATIME
#define STRICTATIME SYS_MOUNT_ATTR_STRICTATIME
#define NODIRATIME SYS_MOUNT_ATTR_NODIRATIME
#define NOSYMFOLLOW SYS_MOUNT_ATTR_NOSYMFOLLOW

/*
 * Words without an effect, because the kernel does so in any case: mand (removed in Linux 5.15),
 * norelatime (relatime is the default that remains), silent and loud (fsopen(2) reports to us, not
 * to the kernel's log), iversion (filesystems that count versions do so always since Linux 6.1).
 */
/* clang-format off */
const struct mount_option mount_options[] = {
	/* what is mounted */
	{ "bind",		.what = MOUNT_OPTION_BIND },
	{ "rbind",		.what = MOUNT_OPTION_RBIND },
	{ "remount",		.what = MOUNT_OPTION_REMOUNT },
	{ "tmpcopyup",		.what = MOUNT_OPTION_TMPCOPYUP },

	/* of this mount */
	{ "ro",			.attr_set = RDONLY },
	{ "rw",			.attr_clear = RDONLY },
	{ "nosuid",		.attr_set = NOSUID },
	{ "suid",		.attr_clear = NOSUID },
	{ "nodev",		.attr_set = NODEV },
	{ "dev",		.attr_clear = NODEV },
	{ "noexec",		.attr_set = NOEXEC },
	{ "exec",		.attr_clear = NOEXEC },
	{ "nosymfollow",	.attr_set = NOSYMFOLLOW },
	{ "symfollow",		.attr_clear = NOSYMFOLLOW },
	{ "nodiratime",		.attr_set = NODIRATIME },
	{ "diratime",		.attr_clear = NODIRATIME },
	{ "noatime",		.attr_set = NOATIME,	.attr_clear = ATIME },
	{ "atime",		.attr_clear = NOATIME },
	{ "relatime",		.attr_clear = ATIME },
	{ "strictatime",	.attr_set = STRICTATIME, .attr_clear = ATIME },
	{ "nostrictatime",	.attr_clear = STRICTATIME },

	/* of this mount and all below it */
	{ "rro",		.rec_set = RDONLY },
	{ "rrw",		.rec_clear = RDONLY },
	{ "rnosuid",		.rec_set = NOSUID },
	{ "rsuid",		.rec_clear = NOSUID },
	{ "rnodev",		.rec_set = NODEV },
	{ "rdev",		.rec_clear = NODEV },
	{ "rnoexec",		.rec_set = NOEXEC },
	{ "rexec",		.rec_clear = NOEXEC },
	{ "rnosymfollow",	.rec_set = NOSYMFOLLOW },
	{ "rsymfollow",		.rec_clear = NOSYMFOLLOW },
	{ "rnodiratime",	.rec_set = NODIRATIME },
	{ "rdiratime",		.rec_clear = NODIRATIME },
	{ "rnoatime",		.rec_set = NOATIME,	.rec_clear = ATIME },
	{ "ratime",		.rec_clear = NOATIME },
	{ "rrelatime",		.rec_clear = ATIME },
	{ "rstrictatime",	.rec_set = STRICTATIME,	.rec_clear = ATIME },
	{ "rnostrictatime",	.rec_clear = STRICTATIME },

	/* of the superblock */
	{ "sync",		.super_set = MS_SYNCHRONOUS },
	{ "async",		.super_clear = MS_SYNCHRONOUS },
	{ "dirsync",		.super_set = MS_DIRSYNC },
	{ "lazytime",		.super_set = MS_LAZYTIME },
	{ "nolazytime",		.super_clear = MS_LAZYTIME },

	/* propagation */
	{ "shared",		.propagation = MS_SHARED },
	{ "rshared",		.propagation = MS_SHARED | MS_REC },
	{ "slave",		.propagation = MS_SLAVE },
	{ "rslave",		.propagation = MS_SLAVE | MS_REC },
	{ "private",		.propagation = MS_PRIVATE },
	{ "rprivate",		.propagation = MS_PRIVATE | MS_REC },
	{ "unbindable",		.propagation = MS_UNBINDABLE },
	{ "runbindable",	.propagation = MS_UNBINDABLE | MS_REC },

	/* already so */
	{ "defaults",		.what = MOUNT_OPTION_NOTHING },
	{ "iversion",		.what = MOUNT_OPTION_NOTHING },
	{ "noiversion",		.what = MOUNT_OPTION_NOTHING },
	{ "loud",		.what = MOUNT_OPTION_NOTHING },
	{ "silent",		.what = MOUNT_OPTION_NOTHING },
	{ "mand",		.what = MOUNT_OPTION_NOTHING },
	{ "nomand",		.what = MOUNT_OPTION_NOTHING },
	{ "norelatime",		.what = MOUNT_OPTION_NOTHING },
	{ "rnorelatime",	.what = MOUNT_OPTION_NOTHING },

	/* refused */
	{ "idmap",		.what = MOUNT_OPTION_LATER },
	{ "ridmap",		.what = MOUNT_OPTION_LATER },
	{ "copy-symlink",	.what = MOUNT_OPTION_LATER },
	{ "src-nofollow",	.what = MOUNT_OPTION_LATER },
	{ "dest-nofollow",	.what = MOUNT_OPTION_LATER },
	{ .name = "" }
};
/* clang-format on */

static const struct mount_option *find(const char *word)
{
	for (const struct mount_option *option = mount_options; *option->name; option++)
		if (!strcmp(option->name, word))
			return option;
	return NULL;
}

static void override(uint64_t *set, uint64_t *clear, uint64_t new_set, uint64_t new_clear)
{
	*set = (*set & ~new_clear) | new_set;
	*clear = (*clear & ~new_set) | (new_clear & ~new_set);
}

/* fsconfig(2) takes each option on its own and as it is: quotes, which protect commas in an SELinux
 * context, were for mount(2). */
static int add_data(struct mount_flags *flags, char *word, struct err *err)
{
	char *equals = strchr(word, '=');
	size_t key_size = equals ? (size_t)(equals - word) : strlen(word);

	if (equals && equals[1] == '"') {
		size_t len = strlen(equals + 2);

		memmove(equals + 1, equals + 2, len + 1);
		if (len && equals[len] == '"')
			equals[len] = '\0';
	}
	if (key_size > TREE_OPTION_MAX || (equals && strlen(equals + 1) > TREE_OPTION_MAX))
		return err_set(err, EINVAL,
			       "options: '%.40s...': the kernel takes at most %d bytes", word,
			       TREE_OPTION_MAX);
	flags->data[flags->data_len++] = word;
	return 0;
}

static int add_word(struct mount_flags *flags, char *word, struct err *err)
{
	const struct mount_option *option = find(word);

	if (!option)
		return add_data(flags, word, err);
	if (option->what == MOUNT_OPTION_LATER)
		return err_set(err, ENOTSUP, "options: '%s' is not supported", word);
	/* Recursive ones are applied first: each takes back what was said of the top alone. */
	flags->attr_set &= ~(option->rec_set | option->rec_clear);
	flags->attr_clear &= ~(option->rec_set | option->rec_clear);
	override(&flags->attr_set, &flags->attr_clear, option->attr_set, option->attr_clear);
	override(&flags->rec_set, &flags->rec_clear, option->rec_set, option->rec_clear);
	flags->super = (flags->super & ~option->super_clear) | option->super_set;
	if (option->propagation)
		flags->propagation[flags->propagation_len++] = option->propagation;
	flags->what |= option->what;
	return 0;
}

uint64_t mount_flags_set(const struct mount_flags *flags)
{
	return flags->attr_set | (flags->rec_set & ~flags->attr_clear);
}

/* The end of a word: a comma outside quotes, since peers join all words with commas. */
static char *word_end(char *word)
{
	bool quoted = false;

	for (; *word && (quoted || *word != ','); word++)
		if (*word == '"')
			quoted = !quoted;
	return word;
}

int mount_options_parse(const struct spec_strings *words, struct arena *arena,
			struct mount_flags *flags, struct err *err)
{
	size_t most = words->len;

	for (size_t i = 0; i < words->len; i++)
		for (const char *at = words->item[i]; (at = strchr(at, ',')); at++)
			most++;
	*flags = (struct mount_flags){ 0 };
	flags->data = arena_new_array(arena, const char *, most + 1);
	flags->propagation = arena_new_array(arena, uint64_t, most + 1);
	for (size_t i = 0; i < words->len; i++) {
		char *word = arena_copy(arena, words->item[i], strlen(words->item[i]));

		for (bool more = true; more;) {
			char *end = word_end(word);

			more = *end != '\0';
			*end = '\0';
			if (*word && add_word(flags, word, err) < 0)
				return -1;
			word = end + 1;
		}
	}
	return 0;
}
