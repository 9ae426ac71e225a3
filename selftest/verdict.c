/*
 * The verdict on an attempt, from what was observed outside of the canary, see cases.h. Pure.
 *
 * Every check may only make it worse. Three things make a pass: it was contained, the control got
 * through, and what must work in the container worked.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "selftest/judge.h"
#include "selftest/judges.h"
#include "selftest/selftest.h"

/* What verdict_make() was asked. */
struct question {
	const struct evidence *evidence;
	const struct selftest_case *row;
	bool alive, outer;
};

/* Of two reasons of one weight the later one tells more: it is nearer to the cause. */
static void __attribute__((format(printf, 3, 4)))
consider(struct result *result, enum verdict verdict, const char *format, ...)
{
	va_list args;

	if (verdict < result->verdict)
		return;
	result->verdict = verdict;
	va_start(args, format);
	vsnprintf(result->reason, sizeof(result->reason), format, args);
	va_end(args);
}

static bool is_single(unsigned layers)
{
	return layers && !(layers & (layers - 1));
}

static bool is_liveness(const struct selftest_case *row)
{
	return strcmp(row->group, "liveness") == 0;
}

/* The canary has no part in it: the host reads a fact. */
static bool is_of_the_host(const struct selftest_case *row, const struct observation *seen)
{
	return row->control == CONTROL_NONE && row->judge && (!seen->tried || seen->unknown);
}

/* Deaths that are an answer; every other leaves the attempt without one. */
static bool is_expected_death(const struct selftest_case *row, const struct observation *seen)
{
	if (judge_killed(seen, SIGSYS))
		return true;
	if (!row->judge)
		return false;
	if (row->control == CONTROL_COUNTER)
		return judge_killed(seen, SIGKILL) || judge_killed(seen, SIGBUS);
	return row->layers & LAYER_RLIMITS &&
	       (judge_killed(seen, SIGXFSZ) || judge_killed(seen, SIGXCPU));
}

/* Why an observation is none, or NULL. */
static const char *find_fault(const struct selftest_case *row, const struct observation *seen)
{
	if (seen->unknown)
		return "the canary does not know this attempt";
	if (seen->flooded)
		return "the canary said more than there is to say";
	if (!seen->alive)
		return seen->done ? "the canary answered before it began"
				  : "the canary did not begin";
	if (!seen->ended)
		return "the canary did not come to an end";
	if (seen->done)
		return NULL;
	if (seen->late)
		return "the canary hung until its deadline";
	if (!is_expected_death(row, seen))
		return "the canary ended without an answer";
	return NULL;
}

static bool is_denial(const struct observation *seen)
{
	return seen->done && (seen->error == EPERM || seen->error == EACCES);
}

/* Refused where no layer of ours is: then what was in the way there is named. */
static void consider_control(const struct question *question, struct result *result)
{
	const struct selftest_case *row = question->row;
	const struct observation *control = question->evidence->control;
	const char *where = name_text(control_names, row->control);
	const char *fault;
	char seen[200];

	/* A judge that finds nothing to prove here needs no control. */
	if (row->control == CONTROL_NONE || result->verdict == VERDICT_NOT_APPLICABLE)
		return;
	if (!control || !control->tried) {
		consider(result, VERDICT_INCONCLUSIVE, "the control (%s) was not made", where);
		return;
	}
	fault = find_fault(row, control);
	if (fault) {
		consider(result, VERDICT_ERROR, "the control (%s): %s", where, fault);
		return;
	}
	if (judge_through(row, control))
		return;
	judge_describe(control, seen, sizeof(seen));
	/* a filter says so, too */
	if (judge_absent(row, control) && !(question->outer && control->error == ENOSYS))
		consider(result, VERDICT_NOT_APPLICABLE,
			 "%s in the control (%s): there is no such thing here", seen, where);
	else if (question->outer)
		consider(result, VERDICT_INCONCLUSIVE,
			 "%s in the control (%s) too: already blocked by the outer sandbox", seen,
			 where);
	else if (is_denial(control) && question->evidence->host &&
		 question->evidence->host->rootless)
		consider(result, VERDICT_INCONCLUSIVE,
			 "%s in the control (%s) too: it needs root to tell", seen, where);
	else
		consider(result, VERDICT_INCONCLUSIVE,
			 "%s in the control (%s) too: it could not have got through", seen, where);
}

/*
 * Where nothing but the filter can refuse, it must be seen to: a canary that says "refused" without
 * trying says so with the marker, too. ENOSYS may be the filter's for numbers that it does not
 * know.
 */
static void consider_marker(const struct question *question, struct result *result)
{
	const struct observation *marker = question->evidence->marker;
	char seen[200];

	if (question->row->layers != LAYER_SECCOMP || question->row->judge || !marker ||
	    !marker->done || marker->error == MARKER_ERRNO || marker->error == ENOSYS)
		return;
	judge_describe(marker, seen, sizeof(seen));
	consider(result, VERDICT_INCONCLUSIVE,
		 "%s, and %s where the filter says %d: something else is in the way",
		 result->observed, seen, MARKER_ERRNO);
}

/* By what the marker shows, or because nothing else could be expected. */
static void find_layers(const struct question *question, struct result *result)
{
	const struct observation *marker = question->evidence->marker;
	unsigned layers = question->row->layers;

	result->observed_layers = is_single(layers) ? layers : 0;
	result->measured = false;
	if (question->row->control == CONTROL_NONE) /* a fact, nobody's refusal */
		return;
	if (judge_killed(question->evidence->target, SIGSYS) ||
	    (marker && marker->done && marker->value < 0 && marker->error == MARKER_ERRNO)) {
		result->observed_layers = LAYER_SECCOMP;
		result->measured = true;
	} else if (marker && marker->done && layers & LAYER_SECCOMP) {
		result->observed_layers = layers & ~(unsigned)LAYER_SECCOMP;
		result->measured = is_single(result->observed_layers);
	}
}

/* Calls a row's judge, whose false is a leak unless it says what else it is. */
static void consider_target(const struct question *question, struct result *result)
{
	const struct evidence *evidence = question->evidence;
	const struct selftest_case *row = question->row;
	const char *fault = NULL;

	if (row->control == CONTROL_NONE && !evidence->posture) {
		consider(result, VERDICT_ERROR, "the process could not be read from the host");
		return;
	}
	if (!judge_row(evidence, result) && result->verdict == VERDICT_PASS)
		consider(result, VERDICT_FAIL, "it got through: %s", result->observed);
	if (!is_of_the_host(row, evidence->target))
		fault = find_fault(row, evidence->target);
	if (fault)
		consider(result, VERDICT_ERROR, "%s", fault);
}

/* Here getting through is the good end, and a row's errnos are those of a configuration that does
 * not want it. */
static void judge_liveness(const struct question *question, struct result *result)
{
	const struct selftest_case *row = question->row;
	const struct observation *target = question->evidence->target;
	const char *fault = find_fault(row, target);

	if (fault)
		consider(result, VERDICT_ERROR, "%s", fault);
	else if (row->judge && !judge_row(question->evidence, result))
		consider(result, VERDICT_ERROR, "it must work: %s", result->observed);
	else if (target->done && target->value >= 0)
		return;
	else if (row->contained[0] &&
		 (judge_killed(target, SIGSYS) || judge_lists(row->contained, target->error)))
		consider(result, VERDICT_NOT_APPLICABLE, "%s: this configuration does not allow it",
			 result->observed);
	else
		consider(result, VERDICT_ERROR, "%s: nothing is proven where this does not work",
			 result->observed);
}

void verdict_make(const struct evidence *evidence, bool alive, bool outer, struct result *result)
{
	const struct question question = { evidence, result->row, alive, outer };
	const struct selftest_case *row = result->row;

	result->verdict = VERDICT_PASS;
	result->observed_layers = 0;
	result->measured = false;
	*result->reason = '\0';
	judge_describe(evidence->target, result->observed, sizeof(result->observed));
	if (!evidence->target->tried && !is_of_the_host(row, evidence->target)) {
		consider(result, VERDICT_SKIPPED, "it was not tried");
		return;
	}
	if (is_liveness(row)) {
		judge_liveness(&question, result);
		return;
	}
	consider_target(&question, result);
	consider_marker(&question, result);
	consider_control(&question, result);
	if (!alive)
		consider(result, VERDICT_INCONCLUSIVE,
			 "what must work in the container did not work");
	if (result->verdict < VERDICT_ERROR)
		find_layers(&question, result);
}
