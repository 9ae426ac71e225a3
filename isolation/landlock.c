/*
 * Landlock (landlock(7)): what the configuration asks for, cut to what the kernel has, as one
 * ruleset.
 *
 * The plan knows the machine only through struct host, so every kernel can be invented. What is
 * dropped is either an error or a note, never silent. landlock_prepare() and landlock_apply() run
 * in the child. The words and which ABI has which right are in spec/names.c; rights that a rule
 * allows and the ruleset does not handle were refused when the configuration was read.
 */
#include "isolation/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "isolation/path.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "spec/names.h"

#define MASK_BITS 64

/* A mask of the configuration and the same of an ABI. */
struct right_kind {
	const struct name *words;
	size_t asked, known; /* offsets in struct spec_landlock and struct landlock_abi */
};

/* clang-format off */
static const struct name log_flag_words[] = {
	{ "log.sameExec",   SYS_LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF },
	{ "log.newExec",    SYS_LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON },
	{ "log.subdomains", SYS_LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF },
	{ .name = "" }
};

enum { KIND_FS, KIND_NET, KIND_SCOPED, KIND_FLAGS, KINDS };
#define KIND(words, asked, known) \
	{ words, offsetof(struct spec_landlock, asked), offsetof(struct landlock_abi, known) }
static const struct right_kind right_kinds[KINDS] = {
	[KIND_FS]     = KIND(landlock_fs_names,    handled_fs,     fs),
	[KIND_NET]    = KIND(landlock_net_names,   handled_net,    net),
	[KIND_SCOPED] = KIND(landlock_scope_names, scoped,         scoped),
	[KIND_FLAGS]  = KIND(log_flag_words,       restrict_flags, restrict_flags),
};
/* clang-format on */

static uint64_t mask_at(const void *object, size_t offset)
{
	return *(const uint64_t *)((const char *)object + offset);
}

/* "truncate (ABI 3, Linux 6.2)" */
static const char *right_text(const struct right_kind *kind, uint64_t right, struct arena *arena)
{
	const char *word = name_text(kind->words, right);
	int abi = 1;

	while (abi <= LANDLOCK_ABI_NEWEST && !(mask_at(&landlock_abis[abi], kind->known) & right))
		abi++;
	if (abi > LANDLOCK_ABI_NEWEST)
		return arena_format(arena, "0x%llx (unknown here)", (unsigned long long)right);
	return arena_format(arena, "%s (ABI %d, Linux %s)", word, abi, landlock_abis[abi].kernel);
}

static void note(struct landlock_plan *plan, const char *text)
{
	plan->notes[plan->notes_len++] = text;
}

/*
 * Cuts a mask to what the kernel has, with a note for each right that goes; *missing grows by their
 * names. ABI 1 has no right to rename or link files into another directory: there it is always
 * refused, so dropping it makes the sandbox narrower (landlock(7), "LANDLOCK_ACCESS_FS_REFER").
 */
static uint64_t cut(const struct spec_landlock *landlock, size_t index, struct arena *arena,
		    struct landlock_plan *plan, const char **missing)
{
	const struct right_kind *kind = &right_kinds[index];
	uint64_t asked = mask_at(landlock, kind->asked);
	uint64_t known = mask_at(&landlock_abis[plan->abi], kind->known);
	uint64_t refer = landlock_abis[2].fs & ~landlock_abis[1].fs;

	for (unsigned i = 0; i < MASK_BITS; i++) {
		uint64_t right = asked & ~known & UINT64_C(1) << i;
		const char *text;

		if (!right)
			continue;
		text = right_text(kind, right, arena);
		*missing = arena_format(arena, "%s%s%s", *missing, **missing ? ", " : "", text);
		note(plan,
		     arena_format(arena, "process.landlock: %s is %s: the kernel has ABI %d", text,
				  index == KIND_FS && right == refer ? "refused everywhere"
								     : "not in force",
				  plan->abi));
	}
	return asked & known;
}

static const char *why_unavailable(const struct host *host, struct arena *arena)
{
	if (host->landlock_errno == ENOSYS)
		return "the kernel is built without Landlock (CONFIG_SECURITY_LANDLOCK)";
	if (host->landlock_errno == EOPNOTSUPP)
		return "Landlock is not enabled: add landlock to the lsm= boot parameter";
	return arena_format(arena,
			    "Landlock cannot be used: %s; a system call filter around agentd may "
			    "forbid it",
			    strerror(host->landlock_errno));
}

static void plan_rules(const struct spec_landlock *landlock, struct arena *arena,
		       struct landlock_plan *plan)
{
	size_t paths = 0, ports = 0;

	for (size_t i = 0; i < landlock->path_beneath.len; i++)
		paths += landlock->path_beneath.item[i].paths.len;
	for (size_t i = 0; i < landlock->net_port.len; i++)
		ports += landlock->net_port.item[i].ports.len;
	plan->rules = arena_new_array(arena, struct landlock_rule, paths);
	plan->ports = arena_new_array(arena, struct landlock_port, ports);
	/* Cutting may leave a rule that allows nothing, which the kernel refuses (ENOMSG). */
	for (size_t i = 0; i < landlock->path_beneath.len; i++) {
		const struct spec_landlock_path *from = &landlock->path_beneath.item[i];

		for (size_t j = 0; from->allowed & plan->fs && j < from->paths.len; j++)
			plan->rules[plan->rules_len++] = (struct landlock_rule){
				from->allowed & plan->fs,
				path_clean("/", from->paths.item[j], arena)
			};
	}
	for (size_t i = 0; i < landlock->net_port.len; i++) {
		const struct spec_landlock_port *from = &landlock->net_port.item[i];

		for (size_t j = 0; from->allowed & plan->net && j < from->ports.len; j++)
			plan->ports[plan->ports_len++] =
				(struct landlock_port){ from->allowed & plan->net,
							from->ports.item[j] };
	}
}

int landlock_plan(const struct spec_process *process, const struct host *host, struct arena *arena,
		  struct landlock_plan *plan, struct err *err)
{
	const struct spec_landlock *landlock = &process->landlock;
	const char *missing = "";

	*plan = (struct landlock_plan){ 0 };
	if (!landlock->set)
		return 0;
	plan->best_effort = landlock->mode == LANDLOCK_BEST_EFFORT;
	plan->abi = host->landlock_abi < LANDLOCK_ABI_NEWEST ? host->landlock_abi
							     : LANDLOCK_ABI_NEWEST;
	plan->notes = arena_new_array(arena, const char *, KINDS *MASK_BITS + 1);
	if (plan->abi == 0 && (!plan->best_effort || landlock->minimum_abi))
		return err_set(err, ENOTSUP, "process.landlock: %s", why_unavailable(host, arena));
	if ((int64_t)landlock->minimum_abi > host->landlock_abi)
		return err_set(err, ENOTSUP,
			       "process.landlock.minimumAbi: is %u, but the kernel has Landlock "
			       "ABI %d",
			       landlock->minimum_abi, host->landlock_abi);
	if (plan->abi == 0) {
		note(plan, arena_format(arena, "process.landlock: nothing of it is in force: %s",
					why_unavailable(host, arena)));
		return 0;
	}
	plan->fs = cut(landlock, KIND_FS, arena, plan, &missing);
	plan->net = cut(landlock, KIND_NET, arena, plan, &missing);
	plan->scoped = cut(landlock, KIND_SCOPED, arena, plan, &missing);
	plan->flags = (uint32_t)cut(landlock, KIND_FLAGS, arena, plan, &missing);
	if (*missing && !plan->best_effort) {
		err_set(err, ENOTSUP,
			"process.landlock: the kernel has Landlock ABI %d, without %s", plan->abi,
			missing);
		return err_hint(err,
				"set process.landlock.abi to %d, so that abi.all and the other "
				"groups mean what there is, or mode to bestEffort",
				plan->abi);
	}
	plan->wanted = plan->fs || plan->net || plan->scoped;
	plan_rules(landlock, arena, plan);
	return 0;
}

/*
 * The root filesystem is hostile: a link of its own in the place of a directory that may be written
 * to would make another one writable, such as a volume. /bin and its like are links in most images,
 * so what may only be read is followed.
 */
static int open_path(const struct landlock_rule *rule, const struct mounts_plan *mounts,
		     const int fds[], int root, struct err *err)
{
	bool follow = !(rule->allowed & ~landlock_fs_read_execute);
	int fd = mounts_open_path(mounts, fds, root, rule->path, follow);

	if (fd >= 0)
		return fd;
	err_sys(err, "process.landlock: open %s", rule->path);
	return err->code == ELOOP && !follow
		       ? err_hint(err, "it may be written to, so it must not be reached through a "
				       "symbolic link: name what the link leads to")
		       : -1;
}

/* Rights that only directories have are refused for anything else (EINVAL). */
static int add_path(const struct landlock_plan *plan, const struct landlock_rule *rule,
		    const struct mounts_plan *mounts, const int fds[], int root, int ruleset,
		    struct err *err)
{
	struct err refused;
	autoclose int fd = open_path(rule, mounts, fds, root, &refused);
	struct sys_landlock_path_beneath_attr attr = { rule->allowed, fd };
	struct stat st;

	if (fd < 0 && plan->best_effort && (refused.code == ENOENT || refused.code == ENOTDIR)) {
		log_warn("process.landlock: %s does not exist: its rule is left out", rule->path);
		return 0;
	}
	if (fd < 0) {
		*err = refused;
		return -1;
	}
	if (fstat(fd, &st) < 0)
		return err_sys(err, "process.landlock: stat %s", rule->path);
	if (!S_ISDIR(st.st_mode))
		attr.allowed_access &= landlock_fs_file;
	if (attr.allowed_access &&
	    sys_landlock_add_rule(ruleset, SYS_LANDLOCK_RULE_PATH_BENEATH, &attr) < 0)
		return err_sys(err, "process.landlock: add the rule for %s", rule->path);
	return 0;
}

/* How much of the structure a kernel knows; it refuses what is longer and not zero. */
static size_t ruleset_attr_size(int abi)
{
	if (abi < 4)
		return offsetof(struct sys_landlock_ruleset_attr, handled_access_net);
	if (abi < 6)
		return offsetof(struct sys_landlock_ruleset_attr, scoped);
	return sizeof(struct sys_landlock_ruleset_attr);
}

int landlock_prepare(const struct landlock_plan *plan, const struct mounts_plan *mounts,
		     const int fds[], int *ruleset, struct err *err)
{
	struct sys_landlock_ruleset_attr attr = { plan->fs, plan->net, plan->scoped };
	autoclose int fd = sys_landlock_create_ruleset(&attr, ruleset_attr_size(plan->abi), 0);
	autoclose int root = -1;

	if (fd < 0)
		return err_sys(err, "process.landlock: make a ruleset");
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, "process.landlock: open /");
	for (size_t i = 0; i < plan->rules_len; i++)
		if (add_path(plan, &plan->rules[i], mounts, fds, root, fd, err) < 0)
			return -1;
	for (size_t i = 0; i < plan->ports_len; i++) {
		struct sys_landlock_net_port_attr port = { plan->ports[i].allowed,
							   plan->ports[i].port };

		if (sys_landlock_add_rule(fd, SYS_LANDLOCK_RULE_NET_PORT, &port) < 0)
			return err_sys(err, "process.landlock: add the rule for port %llu",
				       (unsigned long long)port.port);
	}
	*ruleset = fd_take(&fd);
	return 0;
}

int landlock_apply(const struct landlock_plan *plan, int ruleset, struct err *err)
{
	if (sys_landlock_restrict_self(ruleset, plan->flags) == 0)
		return 0;
	err_sys(err, "process.landlock: restrict the process");
	if (err->code == EPERM)
		return err_hint(err, "it needs process.noNewPrivileges or CAP_SYS_ADMIN");
	if (err->code == E2BIG)
		return err_hint(err,
				"the kernel stacks at most 16 rulesets, and agentd itself runs "
				"under some");
	return -1;
}
