/*
 * The sections of `agentd explain` about what a process may do, see explain_page.h: capabilities,
 * Landlock, system calls.
 */
#include <string.h>

#include "isolation/plan.h"
#include "runtime/base/array.h"
#include "runtime/explain_page.h"
#include "spec/names.h"

#define NAMES_SHOWN 5		/* of the system calls of a rule */
#define ACTION_DATA 0x0000ffffu /* the errno in an action (seccomp(2)) */

void explain_caps(const struct plan *plan, const struct page *page)
{
	const struct {
		const char *name;
		uint64_t mask;
	} sets[] = { { "bounding", plan->caps.bounding },
		     { "permitted", plan->caps.permitted },
		     { "effective", plan->caps.effective },
		     { "inheritable", plan->caps.inheritable },
		     { "ambient", plan->caps.ambient } };

	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		page_line(page, sets[i].name, "%s",
			  sets[i].mask ? caps_text(sets[i].mask, page->arena) : "none");
}

/* Prints a rule, and with it those that follow with the same rights. Returns how many they are. */
static size_t print_paths(const struct landlock_plan *landlock, size_t at, const struct page *page)
{
	const struct landlock_rule *rule = &landlock->rules[at];
	const char *paths = rule->path;
	size_t len = 1;

	for (; at + len < landlock->rules_len && rule[len].allowed == rule->allowed; len++)
		paths = arena_format(page->arena, "%s %s", paths, rule[len].path);
	page_line(page, len > 1 ? "paths" : "path", "%s: %s", paths,
		  page_mask(landlock_fs_names, rule->allowed, page->arena));
	return len;
}

void explain_landlock(const struct plan *plan, const struct page *page)
{
	const struct landlock_plan *landlock = &plan->landlock;

	if (!landlock->wanted) {
		page_none(page);
		return;
	}
	page_line(page, "mode", "%s, ABI %d", landlock->best_effort ? "best effort" : "enforce",
		  landlock->abi);
	page_line(page, "filesystem", "%s",
		  page_mask(landlock_fs_names, landlock->fs, page->arena));
	page_line(page, "network", "%s", page_mask(landlock_net_names, landlock->net, page->arena));
	page_line(page, "scoped", "%s",
		  page_mask(landlock_scope_names, landlock->scoped, page->arena));
	if (landlock->flags)
		page_line(page, "flags", "0x%x", (unsigned)landlock->flags);
	for (size_t i = 0; i < landlock->rules_len;)
		i += print_paths(landlock, i, page);
	for (size_t i = 0; i < landlock->ports_len; i++)
		page_line(page, "port", "%llu: %s", (unsigned long long)landlock->ports[i].port,
			  page_mask(landlock_net_names, landlock->ports[i].allowed, page->arena));
}

static const char *action_text(uint32_t action, struct arena *arena)
{
	const char *name = name_text(seccomp_action_names, action & ~ACTION_DATA);

	if (strcmp(name, "SCMP_ACT_ERRNO") == 0)
		return arena_format(arena, "%s (%s)", name, strerror((int)(action & ACTION_DATA)));
	if (action & ACTION_DATA)
		return arena_format(arena, "%s %u", name, action & ACTION_DATA);
	return name;
}

/* A rule by arguments, of one system call. */
static bool compares(const struct seccomp_rule *rule)
{
	return rule->args_len && rule->names_len == 1;
}

/* Prints a rule, and with it those that follow for other arguments of the same system call. Returns
 * how many they are. */
static size_t print_rules(const struct seccomp_plan *seccomp, size_t at, const struct page *page)
{
	const struct seccomp_rule *rule = &seccomp->rules[at];
	const char *names = "";
	size_t len = 1;

	if (compares(rule)) {
		while (at + len < seccomp->rules_len && compares(rule + len) &&
		       rule[len].action == rule->action &&
		       strcmp(rule[len].names[0], rule->names[0]) == 0)
			len++;
		page_line(page, "rule", "%s by arguments: %s (%zu rule%s)",
			  action_text(rule->action, page->arena), rule->names[0], len,
			  len > 1 ? "s" : "");
		return len;
	}
	for (size_t i = 0; i < rule->names_len && i < NAMES_SHOWN; i++)
		names = arena_format(page->arena, "%s %s", names, rule->names[i]);
	if (rule->names_len > NAMES_SHOWN)
		names = arena_format(page->arena, "%s and %zu more", names,
				     rule->names_len - NAMES_SHOWN);
	page_line(page, "rule", "%s%s:%s", action_text(rule->action, page->arena),
		  rule->args_len ? " by arguments" : "", names);
	return len;
}

void explain_seccomp(const struct plan *plan, const struct page *page)
{
	const struct seccomp_plan *seccomp = &plan->seccomp;

	if (!seccomp->wanted) {
		page_none(page);
		return;
	}
	page_line(page, "loaded", "%s",
		  plan->no_new_privileges ? "last, just before the program"
					  : "before the capabilities are dropped");
	page_line(page, "default", "%s", action_text(seccomp->default_action, page->arena));
	if (seccomp->flags)
		page_line(page, "flags", "%s",
			  page_mask(seccomp_flag_names, seccomp->flags, page->arena));
	for (size_t i = 0; i < seccomp->architectures_len; i++)
		page_line(page, "architecture", "%s",
			  name_text(seccomp_architecture_names, seccomp->architectures[i]));
	for (size_t i = 0; i < seccomp->rules_len;)
		i += print_rules(seccomp, i, page);
}
