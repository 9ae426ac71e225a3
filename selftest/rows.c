/*
 * Rows and sites, see rows.h.
 *
 * A row is tried at the target, and where its control and its layers ask for it: the marker for
 * what seccomp may stop, a twin, the host, the target without some layers.
 */
#include "selftest/rows.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/clock.h"
#include "selftest/history.h"
#include "selftest/judge.h"
#include "selftest/select.h"

#define LIVENESS "liveness"
#define EXEC_ROW "hyg.exec-second"

/* What a place can do without, one by one. */
#define ABLATABLE                                                                   \
	(LAYER_SECCOMP | LAYER_LANDLOCK | LAYER_CAPABILITIES | LAYER_NO_NEW_PRIVS | \
	 LAYER_NAMESPACES | LAYER_MOUNTS | LAYER_RLIMITS)
#define NOT_IN_PLACE (LAYER_NAMESPACES | LAYER_MOUNTS | LAYER_CGROUP)
#define CONTAINER_LAYERS (NOT_IN_PLACE | LAYER_RUNTIME)

/* --- selecting ------------------------------------------------------------------------------- */

static bool is_liveness(const struct selftest_case *row)
{
	return strcmp(row->group, LIVENESS) == 0;
}

static struct result *find_result(struct runner *runner, const char *id)
{
	for (size_t i = 0; i < runner->run->results_len; i++)
		if (strcmp(runner->results[i].row->id, id) == 0)
			return &runner->results[i];
	return NULL;
}

struct collect {
	struct runner *runner;
	bool hidden; /* what is needed, though nobody asked */
	bool second; /* a further process is to try the most telling attempts */
};

static bool collect(const struct selftest_case *row, void *context)
{
	const struct collect *collect = context;
	struct runner *runner = collect->runner;
	enum selection selection = select_case(runner->run->options, row);
	struct result *result = &runner->results[runner->results_len];

	if (collect->hidden ? selection == SELECT_RUN ||
				      !(is_liveness(row) ||
					(collect->second && row->profiles & PROFILE_QUICK))
			    : selection == SELECT_NOT)
		return true;
	*result = (struct result){ .row = row, .verdict = VERDICT_ERROR, .reason = "not tried" };
	if (!collect->hidden && selection == SELECT_SKIP) {
		result->verdict = VERDICT_SKIPPED;
		snprintf(result->reason, sizeof(result->reason), "left out by --skip");
	}
	runner->results_len++;
	return true;
}

static bool count(const struct selftest_case *row, void *context)
{
	(void)row;
	++*(size_t *)context;
	return true;
}

void rows_select(struct runner *runner)
{
	struct collect context = { .runner = runner };
	size_t rows = 0;

	cases_each(count, &rows);
	runner->results = arena_new_array(runner->stage.arena, struct result, 2 * rows + 1);
	cases_each(collect, &context);
	runner->run->results = runner->results;
	runner->run->results_len = runner->results_len;
	context.hidden = true;
	context.second = find_result(runner, EXEC_ROW) != NULL;
	cases_each(collect, &context);
}

/* --- sites ----------------------------------------------------------------------------------- */

struct site *rows_site(const struct runner *runner, enum place place, unsigned without)
{
	for (size_t i = 0; i < runner->sites_len; i++)
		if (runner->sites[i]->place == place && runner->sites[i]->without == without)
			return runner->sites[i];
	return NULL;
}

static struct site *make_site(struct runner *runner, enum place place, unsigned without)
{
	struct site *site = rows_site(runner, place, without);
	struct arena *arena = runner->stage.arena;

	if (site || runner->sites_len == SITES_MAX)
		return site;
	site = arena_new_object(arena, struct site);
	site->place = place;
	site->without = without;
	site->ids = arena_new_array(arena, const char *, runner->results_len);
	site->rows = arena_new_array(arena, size_t, runner->results_len);
	site->seen = arena_new_array(arena, struct observation, runner->results_len);
	return runner->sites[runner->sites_len++] = site;
}

static void add_try(struct site *site, const char *id, size_t row)
{
	if (!site)
		return;
	site->ids[site->len] = id;
	site->rows[site->len++] = row;
}

static const struct observation *seen_at(const struct site *site, const char *id)
{
	static const struct observation nothing;

	for (size_t i = 0; site && i < site->len; i++)
		if (strcmp(site->ids[i], id) == 0)
			return &site->seen[i];
	return &nothing;
}

/* --- assigning ------------------------------------------------------------------------------- */

static bool runs_into_limits(const struct runner *runner, const struct selftest_case *row)
{
	return !runner->stage.in_place && row->needs & LAYER_CGROUP;
}

static enum place target_place(const struct runner *runner, const struct selftest_case *row)
{
	return runs_into_limits(runner, row) ? PLACE_LIMITS : PLACE_TARGET;
}

/* Where the control of a row is; false: it has none of its own. */
static bool control_place(const struct runner *runner, const struct selftest_case *row,
			  enum place *place, unsigned *without)
{
	*without = 0;
	switch (row->control) {
	case CONTROL_TWIN:
	case CONTROL_ORACLE:
	case CONTROL_COUNTER:
		*place = runner->stage.in_place ? PLACE_HOST : PLACE_TWIN;
		return true;
	case CONTROL_HOST:
	case CONTROL_DECOY:
		*place = PLACE_HOST;
		return true;
	case CONTROL_ABLATION:
		*place = PLACE_ABLATION;
		*without = row->without;
		return true;
	case CONTROL_NONE:
		return false;
	}
	return false;
}

/* The others have their own bundles, or look at other rows. */
static bool is_at_site(const struct selftest_case *row)
{
	return strcmp(row->id, EXEC_ROW) != 0 && !history_has(row->id);
}

/* Why a row cannot be tried here; NULL: it can. */
static const char *cannot(const struct runner *runner, const struct selftest_case *row)
{
	unsigned missing = runner->unavailable;

	if (row->needs & missing || (row->layers && !(row->layers & ~missing)) ||
	    (runner->stage.in_place && !is_at_site(row)))
		return runner->remedy;
	return NULL;
}

static void assign(struct runner *runner, size_t index)
{
	const struct selftest_case *row = runner->results[index].row;
	struct site *target = make_site(runner, target_place(runner, row), 0);
	enum place place;
	unsigned without;

	add_try(target, row->id, index);
	if (row->layers & LAYER_SECCOMP && !is_liveness(row) &&
	    runner->stage.spec->linux.seccomp.set && !runs_into_limits(runner, row))
		add_try(make_site(runner, PLACE_MARKER, 0), row->id, index);
	if (control_place(runner, row, &place, &without))
		add_try(make_site(runner, place, without), row->id, index);
}

void rows_assign(struct runner *runner)
{
	if (runner->stage.in_place)
		runner->unavailable |= NOT_IN_PLACE;
	/* what must work first: when it does not, the rest is in vain */
	for (int liveness = 1; liveness >= 0; liveness--) {
		for (size_t i = 0; i < runner->results_len; i++) {
			struct result *result = &runner->results[i];
			const char *why = cannot(runner, result->row);

			if (is_liveness(result->row) != (bool)liveness ||
			    result->verdict == VERDICT_SKIPPED)
				continue;
			if (!why) {
				if (is_at_site(result->row))
					assign(runner, i);
				continue;
			}
			result->verdict = VERDICT_SKIPPED;
			snprintf(result->reason, sizeof(result->reason), "%s", why);
		}
	}
}

void rows_fail(struct runner *runner, enum verdict verdict, const char *reason)
{
	for (size_t i = 0; i < runner->run->results_len; i++) {
		struct result *result = &runner->results[i];

		if (result->verdict == VERDICT_SKIPPED)
			continue;
		result->verdict = verdict;
		snprintf(result->reason, sizeof(result->reason), "%s", reason);
	}
}

/* --- judging --------------------------------------------------------------------------------- */

static void judge(struct runner *runner, struct result *result, const struct observation *target,
		  bool alive, const struct site *site)
{
	const struct selftest_case *row = result->row;
	struct evidence evidence = {
		.target = target,
		.marker = seen_at(rows_site(runner, PLACE_MARKER, 0), row->id),
		.posture = site ? site->posture : NULL,
		.spec = site && site->spec ? site->spec : runner->stage.spec,
		.host = runner->stage.host,
		.decoys = site ? &site->decoys : &runner->run->decoys,
		.cgroup = site ? site->cgroup : -1,
	};
	enum place place;
	unsigned without;

	evidence.control = control_place(runner, row, &place, &without)
				   ? seen_at(rows_site(runner, place, without), row->id)
				   : seen_at(NULL, row->id);
	result->target = *evidence.target;
	result->control = *evidence.control;
	result->marker = *evidence.marker;
	verdict_make(&evidence, alive, runner->run->outer, result);
}

static void judge_at_target(struct runner *runner, struct result *result, bool alive)
{
	const struct site *site = rows_site(runner, target_place(runner, result->row), 0);

	judge(runner, result, seen_at(site, result->row->id), alive, site);
	/* What a container would have had besides might have stopped it. */
	if (runner->stage.in_place && result->verdict == VERDICT_FAIL &&
	    result->row->layers & CONTAINER_LAYERS) {
		result->verdict = VERDICT_SKIPPED;
		snprintf(result->reason, sizeof(result->reason), "%s", runner->remedy);
	}
}

static bool is_judged(const struct result *result)
{
	return result->verdict != VERDICT_SKIPPED && is_at_site(result->row);
}

void rows_judge(struct runner *runner)
{
	bool alive = true;

	for (size_t i = 0; i < runner->results_len; i++) {
		struct result *result = &runner->results[i];

		if (!is_liveness(result->row) || !is_judged(result))
			continue;
		judge_at_target(runner, result, true);
		/* what is only worth knowing does not break anything */
		if (result->row->severity != SEVERITY_INFO && result->verdict != VERDICT_PASS &&
		    result->verdict != VERDICT_NOT_APPLICABLE)
			alive = false;
	}
	runner->run->alive = alive;
	for (size_t i = 0; i < runner->run->results_len; i++)
		if (!is_liveness(runner->results[i].row) && is_judged(&runner->results[i]))
			judge_at_target(runner, &runner->results[i], alive);
}

/* --- whole bundles --------------------------------------------------------------------------- */

int rows_history(struct runner *runner, struct err *err)
{
	struct pollfd interrupt = { .fd = runner->signals, .events = POLLIN };

	for (size_t i = 0; i < runner->run->results_len; i++) {
		struct result *result = &runner->results[i];
		const char *id = result->row->id;

		if (result->verdict == VERDICT_SKIPPED || !history_has(id))
			continue;
		if (poll(&interrupt, 1, 0) > 0)
			return err_set(err, EINTR, "interrupted by a signal");
		*result->reason = '\0';
		if (clock_ms() >= runner->until)
			err_set(err, ETIMEDOUT, "the time for the whole run was over");
		else if (history_run(runner->stage.settings, CANARY_OWN_ROOT, id,
				     runner->stage.arena, result, err) == 0)
			continue;
		result->verdict = VERDICT_ERROR;
		snprintf(result->reason, sizeof(result->reason), "%.*s",
			 (int)sizeof(result->reason) - 1, err->text);
	}
	return 0;
}

/* --- the further process --------------------------------------------------------------------- */

bool rows_want_exec(struct runner *runner)
{
	const struct result *second = find_result(runner, EXEC_ROW);

	return second && second->verdict != VERDICT_SKIPPED;
}

void rows_judge_exec(struct runner *runner)
{
	struct result *second = find_result(runner, EXEC_ROW);
	struct site *site = rows_site(runner, PLACE_EXEC, 0), within = { 0 };
	const char *escaped = NULL;
	size_t passed = 0;

	/* all is the target's, but the process */
	if (site) {
		within = *rows_site(runner, PLACE_TARGET, 0);
		within.posture = site->posture;
	}

	for (size_t i = 0; site && i < site->len; i++) {
		struct result again = { 0 };

		again.row = runner->results[site->rows[i]].row;
		judge(runner, &again, &site->seen[i], true, &within);
		passed += again.verdict == VERDICT_PASS && !is_liveness(again.row);
		/* what gets through in the first process too has its own row */
		if (again.verdict == VERDICT_FAIL && !escaped &&
		    runner->results[site->rows[i]].verdict != VERDICT_FAIL)
			escaped = again.row->id;
	}
	*second->reason = '\0';
	second->observed_layers = second->row->layers;
	second->verdict = escaped ? VERDICT_FAIL : passed ? VERDICT_PASS : VERDICT_ERROR;
	if (escaped)
		snprintf(second->observed, sizeof(second->observed), "%s got through", escaped);
	else
		snprintf(second->observed, sizeof(second->observed), "%zu attempts contained",
			 passed);
	if (second->verdict != VERDICT_PASS)
		snprintf(second->reason, sizeof(second->reason), "%s",
			 escaped ? "what is contained in the first process is not in a second one"
			 : site && site->failed ? site->failed
						: "nothing could be tried in a second process");
}

/* --- attribution ----------------------------------------------------------------------------- */

static bool contained(const struct selftest_case *row, const struct observation *seen)
{
	if (!seen->alive || seen->flooded)
		return false;
	return seen->done ? seen->value < 0 && judge_lists(row->contained, seen->error)
			  : judge_killed(seen, SIGSYS);
}

/* Rows of which the errno tells by itself who got through. */
static bool can_attribute(const struct runner *runner, const struct result *result)
{
	return result->verdict == VERDICT_PASS && !result->row->judge &&
	       !is_liveness(result->row) && !runs_into_limits(runner, result->row);
}

void rows_ablate(struct runner *runner)
{
	for (size_t i = 0; i < runner->run->results_len; i++) {
		const struct result *result = &runner->results[i];
		unsigned layers = result->row->layers & ABLATABLE;

		if (!can_attribute(runner, result))
			continue;
		for (unsigned layer = 1; layer <= layers; layer <<= 1)
			if (layers & layer && layers != layer)
				add_try(make_site(runner, PLACE_ALONE, layers & ~layer),
					result->row->id, i);
		if (layers & (layers - 1)) /* without all of them, it must get through */
			add_try(make_site(runner, PLACE_ALONE, layers), result->row->id, i);
	}
}

/* Something is left that stops it: a namespace that no container of ours can be without (mount,
 * pid), say. Then what is left out proves nothing. */
static bool is_stopped_anyway(const struct runner *runner, const struct selftest_case *row)
{
	unsigned layers = row->layers & ABLATABLE;

	return !judge_through(row, seen_at(rows_site(runner, PLACE_ALONE, layers), row->id));
}

void rows_attribute(struct runner *runner)
{
	for (size_t i = 0; i < runner->run->results_len; i++) {
		struct result *result = &runner->results[i];
		unsigned layers = result->row->layers & ABLATABLE;

		if (!can_attribute(runner, result) || is_stopped_anyway(runner, result->row))
			continue;
		for (unsigned layer = 1; layer <= layers; layer <<= 1) {
			unsigned others = layers & ~layer;
			const struct observation *seen =
				seen_at(rows_site(runner, PLACE_ALONE, others), result->row->id);

			if (!(layers & layer) || !others || !seen->ended)
				continue;
			result->ablated |= others;
			if (contained(result->row, seen))
				result->alone |= layer;
		}
	}
}
