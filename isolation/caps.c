/*
 * Capabilities (capabilities(7)): from five masks of the configuration to those of the process.
 *
 * The home of libcap. All but caps_plan() and caps_text() run in the child, where of libcap only
 * its one-call wrappers of prctl(2) will do: cap_t and its texts are allocated.
 */
#include "isolation/caps.h"

#include <sys/capability.h>
#include <sys/prctl.h>

#include "runtime/base/log.h"
#include "spec/names.h"

struct sets {
	uint64_t effective, permitted, inheritable;
};

static int sets_get(struct sets *sets)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (capget(&head, data) < 0)
		return -1;
	sets->effective = (uint64_t)data[1].effective << 32 | data[0].effective;
	sets->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	sets->inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable;
	return 0;
}

static int sets_set(const struct sets *sets)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ (uint32_t)sets->effective, (uint32_t)sets->permitted,
		  (uint32_t)sets->inheritable },
		{ (uint32_t)(sets->effective >> 32), (uint32_t)(sets->permitted >> 32),
		  (uint32_t)(sets->inheritable >> 32) },
	};

	return capset(&head, data);
}

static uint64_t cap_bit(int cap)
{
	return UINT64_C(1) << cap;
}

static const char *cap_word(int cap)
{
	const char *word = name_text(capability_names, (uint64_t)cap);

	return word ? word : "a capability without a name here";
}

/* The specification: what cannot be granted is warned of, never an error. */
static void warn_left_out(uint64_t mask, const char *set, const char *why)
{
	for (int cap = 0; cap < 64; cap++)
		if (mask & cap_bit(cap))
			log_warn("process.capabilities.%s: %s (%d) is left out: %s", set,
				 cap_word(cap), cap, why);
}

static uint64_t plan_set(uint64_t asked, uint64_t known, const char *set)
{
	warn_left_out(asked & ~known, set, "this kernel does not know it");
	return asked & known;
}

int caps_plan(const struct spec_process *process, const struct host *host, struct caps_plan *plan,
	      struct err *err)
{
	const struct spec_capabilities *asked = &process->capabilities;
	uint64_t known = UINT64_MAX >> (63 - host->last_cap);

	(void)err; /* nothing here may fail */
	*plan = (struct caps_plan){
		.bounding = plan_set(asked->bounding, known, "bounding"),
		.effective = plan_set(asked->effective, known, "effective"),
		.inheritable = plan_set(asked->inheritable, known, "inheritable"),
		.permitted = plan_set(asked->permitted, known, "permitted"),
		.ambient = plan_set(asked->ambient, known, "ambient"),
		.last_cap = host->last_cap,
	};
	return 0;
}

bool caps_can_apply_bounding(const struct caps_plan *plan)
{
	for (int cap = 0; cap <= plan->last_cap; cap++)
		if (!(plan->bounding & cap_bit(cap)) && cap_get_bound(cap) != 0)
			return caps_have(CAP_SETPCAP);
	return true;
}

/* Without CAP_SETPCAP nothing can be dropped, which is well where nothing is there. */
int caps_apply_bounding(const struct caps_plan *plan, struct err *err)
{
	for (int cap = 0; cap <= plan->last_cap; cap++) {
		bool wanted = plan->bounding & cap_bit(cap);

		if (wanted && cap_get_bound(cap) != 1)
			warn_left_out(cap_bit(cap), "bounding", "it is not in agentd's own set");
		if (!wanted && cap_drop_bound(cap) < 0 && cap_get_bound(cap) != 0)
			return err_sys(err, "drop %s (%d) from the bounding set", cap_word(cap),
				       cap);
	}
	return 0;
}

int caps_raise_effective(struct err *err)
{
	struct sets sets;

	if (sets_get(&sets) < 0)
		return err_sys(err, "get the capabilities");
	sets.effective = sets.permitted;
	if (sets_set(&sets) < 0)
		return err_sys(err, "raise the effective capabilities");
	return 0;
}

/* Of those asked for. With or without CAP_SETPCAP (capset(2)), what may become inheritable is what
 * is, and what is both permitted and in the bounding set. */
static uint64_t inheritable_possible(const struct caps_plan *plan, const struct sets *own)
{
	uint64_t possible = plan->inheritable & (own->inheritable | own->permitted);

	for (int cap = 0; cap <= plan->last_cap; cap++)
		if (possible & ~own->inheritable & cap_bit(cap) && cap_get_bound(cap) != 1)
			possible &= ~cap_bit(cap);
	return possible;
}

/* Last: a capability is ambient only while it is both permitted and inheritable. */
static int apply_ambient(const struct caps_plan *plan, uint64_t possible, struct err *err)
{
	uint64_t ambient = plan->ambient & possible;

	warn_left_out(plan->ambient & ~possible, "ambient",
		      "it is not both permitted and inheritable");
	/* libcap's cap_reset_ambient() looks for each capability before. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(err, "empty the ambient set");
	for (int cap = 0; cap <= plan->last_cap; cap++)
		if (ambient & cap_bit(cap) && cap_set_ambient(cap, CAP_SET) < 0)
			return err_sys(err, "add %s (%d) to the ambient set", cap_word(cap), cap);
	return 0;
}

int caps_apply(const struct caps_plan *plan, struct err *err)
{
	struct sets own, next;

	if (sets_get(&own) < 0)
		return err_sys(err, "get the capabilities");
	next.permitted = plan->permitted & own.permitted;
	next.effective = plan->effective & next.permitted;
	next.inheritable = inheritable_possible(plan, &own);
	warn_left_out(plan->permitted & ~next.permitted, "permitted",
		      "it is not in agentd's own permitted set");
	warn_left_out(plan->effective & ~next.effective, "effective", "it is not permitted");
	warn_left_out(plan->inheritable & ~next.inheritable, "inheritable",
		      "it is not both in agentd's own permitted and bounding set");
	if (sets_set(&next) < 0)
		return err_sys(err, "set the capabilities");
	return apply_ambient(plan, next.permitted & next.inheritable, err);
}

int caps_last(void)
{
	return cap_max_bits() - 1;
}

bool caps_have(int cap)
{
	struct sets sets;

	return sets_get(&sets) == 0 && sets.effective & cap_bit(cap);
}

const char *caps_text(uint64_t mask, struct arena *arena)
{
	const char *text = "";

	for (int cap = 0; cap < 64; cap++)
		if (mask & cap_bit(cap))
			text = arena_format(arena, "%s%s%s", text, *text ? " " : "", cap_word(cap));
	return text;
}
