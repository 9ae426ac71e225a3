/*
 * The exit status of a run. Worst first: escaped, broken, undecided, contained; and no run of
 * nothing is ever contained.
 *
 * A case that was not decided does not by itself make the run undecided, unless --strict says so:
 * what counts is that each layer that was to be tested has evidence, one case at least that it and
 * no other decided. The kernel's own rules are no layer of ours: nobody is asked for evidence of
 * them.
 */
#include <string.h>

#include "selftest/select.h"

struct tally {
	size_t shown; /* passes, without those of what must work anyway */
	size_t of[VERDICT_FAIL + 1];
	const char *first[VERDICT_FAIL + 1]; /* the id of the first */
	unsigned evident, undecided;	     /* layers */
	unsigned not_allowed;		     /* layers of skips that nobody allowed */
};

static bool is_single(unsigned layers)
{
	return layers && !(layers & (layers - 1));
}

static struct tally count(const struct selftest_run *run)
{
	struct tally tally = { 0 };
	unsigned allowed = select_allowed(run->options);

	for (size_t i = 0; i < run->results_len; i++) {
		const struct result *result = &run->results[i];
		unsigned layers = result->row->layers;

		if (tally.of[result->verdict]++ == 0)
			tally.first[result->verdict] = result->row->id;
		if (result->verdict == VERDICT_PASS) {
			tally.shown += strcmp(result->row->group, "liveness") != 0;
			if (is_single(result->observed_layers))
				tally.evident |= result->observed_layers;
		}
		if (result->verdict == VERDICT_SKIPPED || result->verdict == VERDICT_INCONCLUSIVE)
			tally.undecided |= layers;
		if (result->verdict == VERDICT_SKIPPED && !(layers & allowed))
			tally.not_allowed |= layers;
	}
	return tally;
}

static const char *layers_text(unsigned layers, struct arena *arena)
{
	const char *text = "";

	for (const struct name *row = layer_names; *row->name; row++)
		if (layers & row->value)
			text = arena_format(arena, "%s%s%s", text, *text ? ", " : "", row->name);
	return text;
}

static const char *escaped(const struct selftest_run *run, const struct tally *tally,
			   struct arena *arena)
{
	size_t fails = tally->of[VERDICT_FAIL];

	if (fails)
		return arena_format(arena, "%zu attempt%s got through, first %s", fails,
				    fails == 1 ? "" : "s", tally->first[VERDICT_FAIL]);
	if (run->unmet_len)
		return arena_format(arena, "required and not there: %s", run->unmet[0]);
	if (run->worse && *run->worse)
		return arena_format(arena, "worse than the baseline: %.*s",
				    (int)strcspn(run->worse, "\n"), run->worse);
	return NULL;
}

static const char *broken(const struct selftest_run *run, const struct tally *tally,
			  struct arena *arena)
{
	if (run->broken)
		return run->broken;
	if (tally->of[VERDICT_ERROR])
		return arena_format(arena, "%zu attempt%s could not be made, first %s",
				    tally->of[VERDICT_ERROR],
				    tally->of[VERDICT_ERROR] == 1 ? "" : "s",
				    tally->first[VERDICT_ERROR]);
	return NULL;
}

static const char *undecided(const struct selftest_run *run, const struct tally *tally,
			     struct arena *arena)
{
	/* the kernel's own rules are no layer of ours, and in place nothing is launched */
	unsigned nobody = LAYER_KERNEL | (run->options->in_place ? LAYER_RUNTIME : 0u);
	unsigned without = tally->undecided & ~tally->evident & ~nobody;

	if (!tally->shown)
		return "nothing was shown to be contained";
	if (!run->alive)
		return "what must work in a container did not work";
	without &= ~select_allowed(run->options);
	if (without)
		return arena_format(arena, "no evidence for: %s", layers_text(without, arena));
	if (!run->options->strict)
		return NULL;
	if (tally->of[VERDICT_INCONCLUSIVE])
		return arena_format(arena, "%zu inconclusive, first %s",
				    tally->of[VERDICT_INCONCLUSIVE],
				    tally->first[VERDICT_INCONCLUSIVE]);
	if (tally->not_allowed)
		return arena_format(arena, "skipped and not allowed to be: %s",
				    layers_text(tally->not_allowed, arena));
	return NULL;
}

int selftest_status(const struct selftest_run *run, struct arena *arena, const char **why)
{
	struct tally tally = count(run);

	*why = escaped(run, &tally, arena);
	if (*why)
		return SELFTEST_ESCAPED;
	*why = broken(run, &tally, arena);
	if (*why)
		return SELFTEST_BROKEN;
	*why = undecided(run, &tally, arena);
	if (*why)
		return SELFTEST_UNDECIDED;
	*why = arena_format(arena, "%zu attempts contained", tally.of[VERDICT_PASS]);
	return SELFTEST_CONTAINED;
}
