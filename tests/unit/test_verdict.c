/*
 * Verdicts: every way in which an observation can fall short of a pass, and how they are ordered.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "runtime/base/array.h"
#include "selftest/history.h"
#include "selftest/judge.h"
#include "selftest/judges.h"
#include "selftest/selftest.h"

#define ALL .tried = true, .alive = true, .ended = true
#define RETURNED(n)                             \
	{                                       \
		ALL, .done = true, .value = (n) \
	}
#define REFUSED(code)                                           \
	{                                                       \
		ALL, .done = true, .value = -1, .error = (code) \
	}
#define KILLED(number)                                             \
	{                                                          \
		ALL, .wait_status = (number), .microseconds = 1000 \
	}
#define HUNG(number)                                       \
	{                                                  \
		ALL, .wait_status = (number), .late = true \
	}
#define UNKNOWN                                \
	{                                      \
		.tried = true, .unknown = true \
	}
#define UNTRIED                \
	{                      \
		.tried = false \
	}

/* --- judgements, in place of those of selftest/judges.c --------------------------------------- */

enum { LEAK = 1, TIGHT, PROVES_NOTHING };

bool judge_row(const struct evidence *evidence, struct result *result)
{
	switch (result->row->judge) {
	case LEAK:
		snprintf(result->observed, sizeof(result->observed), "the decoy was written to");
		return false;
	case TIGHT:
		snprintf(result->observed, sizeof(result->observed), "the decoy is untouched");
		return true;
	case PROVES_NOTHING:
		return judge_undecided(result, VERDICT_NOT_APPLICABLE, "no swap");
	default:
		return judge_errno(evidence, result);
	}
}

/* clang-format off */
static const struct selftest_case
	filtered = { "sys.filtered", "kernel", .contained = { EPERM, EIO }, .layers = LAYER_SECCOMP,
		     .control = CONTROL_HOST },
	guarded = { "sys.guarded", "kernel", .contained = { EPERM }, .layers = LAYER_SECCOMP | LAYER_CAPABILITIES,
		    .control = CONTROL_TWIN },
	fenced = { "sys.fenced", "kernel", .contained = { EPERM },
		   .layers = LAYER_SECCOMP | LAYER_CAPABILITIES | LAYER_LANDLOCK, .control = CONTROL_TWIN },
	oracle = { "sys.oracle", "kernel", .contained = { EPERM }, .layers = LAYER_CAPABILITIES,
		   .control = CONTROL_ORACLE, .through = { EINVAL, EFAULT } },
	hidden = { "ns.hidden", "mounts", .contained = { ENOENT }, .layers = LAYER_NAMESPACES, .control = CONTROL_DECOY },
	ablated = { "fs.ablated", "files", .contained = { EACCES }, .layers = LAYER_LANDLOCK,
		    .control = CONTROL_ABLATION },
	leaking = { "ns.leaking", "mounts", .layers = LAYER_NAMESPACES, .control = CONTROL_DECOY, .judge = LEAK },
	tight = { "ns.tight", "mounts", .layers = LAYER_NAMESPACES, .control = CONTROL_DECOY, .judge = TIGHT },
	bomb = { "cg.bomb", "limits", .layers = LAYER_CGROUP, .control = CONTROL_COUNTER, .judge = TIGHT },
	size = { "fs.size", "files", .layers = LAYER_RLIMITS, .control = CONTROL_HOST, .judge = TIGHT },
	fact = { "hyg.fact", "hygiene", .layers = LAYER_RUNTIME, .control = CONTROL_NONE, .judge = TIGHT },
	bad_fact = { "hyg.bad", "hygiene", .layers = LAYER_RUNTIME, .control = CONTROL_NONE, .judge = LEAK },
	no_fact = { "hyg.none", "hygiene", .layers = LAYER_RUNTIME, .control = CONTROL_NONE, .judge = PROVES_NOTHING },
	must = { "live.must", "liveness", .control = CONTROL_NONE },
	may = { "live.may", "liveness", .contained = { EPERM }, .control = CONTROL_NONE },
	lies = { "live.lies", "liveness", .control = CONTROL_NONE, .judge = LEAK };

static const struct {
	const char *name;
	const struct selftest_case *row;
	struct observation target, control, marker;
	enum verdict verdict;
	const char *reason; /* a part of it; NULL: any */
	unsigned layers;
	bool measured, dead, outer, unread, user;
} rows[] = {
	/* what a pass needs */
	{ "refused", &filtered, REFUSED(EPERM), RETURNED(0), UNTRIED, .verdict = VERDICT_PASS, .layers = LAYER_SECCOMP },
	{ "by the second errno", &filtered, REFUSED(EIO), RETURNED(0), UNTRIED, .verdict = VERDICT_PASS, .layers = LAYER_SECCOMP },
	{ "killed by the filter", &filtered, KILLED(SIGSYS), RETURNED(0), UNTRIED, .verdict = VERDICT_PASS,
	  .layers = LAYER_SECCOMP, .measured = true },
	{ "several may, nothing measured", &guarded, REFUSED(EPERM), RETURNED(0), UNTRIED, .verdict = VERDICT_PASS },

	/* the marker */
	{ "marker: the filter", &guarded, REFUSED(EPERM), RETURNED(0), REFUSED(MARKER_ERRNO), .verdict = VERDICT_PASS,
	  .layers = LAYER_SECCOMP, .measured = true },
	{ "marker: not the filter", &guarded, REFUSED(EPERM), RETURNED(0), REFUSED(EPERM), .verdict = VERDICT_PASS,
	  .layers = LAYER_CAPABILITIES, .measured = true },
	{ "marker: one of two others", &fenced, REFUSED(EPERM), RETURNED(0), REFUSED(EPERM), .verdict = VERDICT_PASS,
	  .layers = LAYER_CAPABILITIES | LAYER_LANDLOCK },
	{ "marker: an errno of the profile's choice", &filtered, REFUSED(ENOTTY), RETURNED(0), REFUSED(MARKER_ERRNO),
	  .verdict = VERDICT_PASS, .layers = LAYER_SECCOMP, .measured = true },
	{ "marker: the canary lies", &filtered, REFUSED(EPERM), RETURNED(0), REFUSED(EPERM),
	  .verdict = VERDICT_INCONCLUSIVE, .reason = "something else is in the way" },
	{ "marker: too new for the profile", &filtered, REFUSED(EPERM), RETURNED(0), REFUSED(ENOSYS),
	  .verdict = VERDICT_PASS },

	/* getting through */
	{ "through", &filtered, RETURNED(3), RETURNED(3), UNTRIED, .verdict = VERDICT_FAIL, .reason = "returned 3" },
	{ "through, without a control", &filtered, RETURNED(0), UNTRIED, UNTRIED, .verdict = VERDICT_FAIL, .reason = "got through" },
	{ "through, in a dead container", &filtered, RETURNED(0), UNTRIED, UNTRIED, .verdict = VERDICT_FAIL, .dead = true },
	{ "through, against the marker", &guarded, RETURNED(0), RETURNED(0), REFUSED(MARKER_ERRNO), .verdict = VERDICT_FAIL },
	{ "through, and flooded", &filtered,
	  { ALL, .done = true, .flooded = true }, RETURNED(0), UNTRIED, .verdict = VERDICT_FAIL },
	{ "through by the oracle", &oracle, REFUSED(EFAULT), REFUSED(EINVAL), UNTRIED, .verdict = VERDICT_FAIL, .reason = "EFAULT" },
	{ "contained by the oracle", &oracle, REFUSED(EPERM), REFUSED(EINVAL), UNTRIED, .verdict = VERDICT_PASS,
	  .layers = LAYER_CAPABILITIES },

	/* answers that are none */
	{ "an errno that says nothing", &filtered, REFUSED(EBADF), RETURNED(0), UNTRIED, .verdict = VERDICT_INCONCLUSIVE,
	  .reason = "EBADF is no refusal", .layers = LAYER_SECCOMP },
	{ "the filter before the layer", &hidden, KILLED(SIGSYS), RETURNED(0), UNTRIED, .verdict = VERDICT_INCONCLUSIVE,
	  .reason = "filter was in the way", .layers = LAYER_SECCOMP, .measured = true },
	{ "not tried", &filtered, UNTRIED, UNTRIED, UNTRIED, .verdict = VERDICT_SKIPPED, .reason = "not tried" },
	{ "unknown", &filtered, UNKNOWN, RETURNED(0), UNTRIED, .verdict = VERDICT_ERROR, .reason = "does not know" },
	{ "silent", &filtered, { .tried = true }, RETURNED(0), UNTRIED, .verdict = VERDICT_ERROR, .reason = "did not begin" },
	{ "answers before it begins", &filtered, { .tried = true, .done = true, .ended = true, .value = -1, .error = EPERM },
	  RETURNED(0), UNTRIED, .verdict = VERDICT_ERROR, .reason = "before it began" },
	{ "does not end", &filtered, { .tried = true, .alive = true, .done = true, .value = -1, .error = EPERM }, RETURNED(0),
	  UNTRIED, .verdict = VERDICT_ERROR, .reason = "come to an end" },
	{ "floods", &filtered, { ALL, .done = true, .value = -1, .error = EPERM, .flooded = true }, RETURNED(0), UNTRIED,
	  .verdict = VERDICT_ERROR, .reason = "more than there is" },
	{ "hangs", &filtered, HUNG(SIGALRM), RETURNED(0), UNTRIED, .verdict = VERDICT_ERROR, .reason = "hung" },
	{ "crashes", &filtered, KILLED(SIGSEGV), RETURNED(0), UNTRIED, .verdict = VERDICT_ERROR, .reason = "without an answer" },
	{ "leaves", &filtered, KILLED(0), RETURNED(0), UNTRIED, .verdict = VERDICT_ERROR, .reason = "without an answer" },

	/* controls */
	{ "no control", &filtered, REFUSED(EPERM), UNTRIED, UNTRIED, .verdict = VERDICT_INCONCLUSIVE,
	  .reason = "the control (host) was not made", .layers = LAYER_SECCOMP },
	{ "control refused", &filtered, REFUSED(EPERM), REFUSED(EACCES), UNTRIED, .verdict = VERDICT_INCONCLUSIVE,
	  .reason = "EACCES in the control (host)", .layers = LAYER_SECCOMP },
	{ "control refused to a user", &filtered, REFUSED(EPERM), REFUSED(EPERM), UNTRIED,
	  .verdict = VERDICT_INCONCLUSIVE, .reason = "needs root", .layers = LAYER_SECCOMP, .user = true },
	{ "control refused outside", &filtered, REFUSED(EPERM), REFUSED(EPERM), UNTRIED, .verdict = VERDICT_INCONCLUSIVE,
	  .reason = "already blocked by the outer sandbox", .layers = LAYER_SECCOMP, .outer = true },
	{ "control killed outside", &filtered, REFUSED(EPERM), KILLED(SIGSYS), UNTRIED, .verdict = VERDICT_INCONCLUSIVE,
	  .reason = "killed by SIGSYS in the control", .layers = LAYER_SECCOMP, .outer = true },
	{ "control broken", &filtered, REFUSED(EPERM), KILLED(SIGSEGV), UNTRIED, .verdict = VERDICT_ERROR,
	  .reason = "the control (host): the canary ended" },
	{ "the kernel, or the outer filter", &filtered, REFUSED(ENOSYS), REFUSED(ENOSYS), UNTRIED,
	  .verdict = VERDICT_INCONCLUSIVE, .reason = "already blocked by the outer sandbox", .layers = LAYER_SECCOMP, .outer = true },
	{ "the kernel has none", &filtered, REFUSED(ENOSYS), REFUSED(ENOSYS), UNTRIED, .verdict = VERDICT_NOT_APPLICABLE,
	  .reason = "ENOSYS in the control", .layers = LAYER_SECCOMP },
	{ "the kernel has none, refused before", &filtered, REFUSED(EPERM), REFUSED(EAFNOSUPPORT), UNTRIED,
	  .verdict = VERDICT_NOT_APPLICABLE, .reason = "EAFNOSUPPORT", .layers = LAYER_SECCOMP },
	{ "the host has no such file", &filtered, REFUSED(ENOENT), REFUSED(ENOENT), UNTRIED,
	  .verdict = VERDICT_NOT_APPLICABLE, .reason = "ENOENT", .layers = LAYER_SECCOMP },
	{ "the decoy is missing", &hidden, REFUSED(ENOENT), REFUSED(ENOENT), UNTRIED, .verdict = VERDICT_INCONCLUSIVE,
	  .reason = "ENOENT in the control (decoy)", .layers = LAYER_NAMESPACES },
	{ "hidden", &hidden, REFUSED(ENOENT), RETURNED(3), UNTRIED, .verdict = VERDICT_PASS, .layers = LAYER_NAMESPACES },
	{ "oracle refused", &oracle, REFUSED(EPERM), REFUSED(EPERM), UNTRIED, .verdict = VERDICT_INCONCLUSIVE,
	  .reason = "EPERM in the control (oracle)", .layers = LAYER_CAPABILITIES },

	/* ablation */
	{ "ablation", &ablated, REFUSED(EACCES), RETURNED(0), UNTRIED, .verdict = VERDICT_PASS, .layers = LAYER_LANDLOCK },
	{ "ablation, refused too", &ablated, REFUSED(EACCES), REFUSED(EACCES), UNTRIED, .verdict = VERDICT_INCONCLUSIVE,
	  .reason = "EACCES in the control (ablation)", .layers = LAYER_LANDLOCK },

	/* the must-allow set */
	{ "in a dead container", &filtered, REFUSED(EPERM), RETURNED(0), UNTRIED, .verdict = VERDICT_INCONCLUSIVE,
	  .reason = "must work", .layers = LAYER_SECCOMP, .dead = true },
	{ "must work, does", &must, RETURNED(0), UNTRIED, UNTRIED, .verdict = VERDICT_PASS },
	{ "must work, does not", &must, REFUSED(EPERM), UNTRIED, UNTRIED, .verdict = VERDICT_ERROR, .reason = "EPERM" },
	{ "must work, killed", &must, KILLED(SIGSYS), UNTRIED, UNTRIED, .verdict = VERDICT_ERROR, .reason = "SIGSYS" },
	{ "must work, hangs", &must, HUNG(SIGKILL), UNTRIED, UNTRIED, .verdict = VERDICT_ERROR, .reason = "hung" },
	{ "must work, unknown", &must, UNKNOWN, UNTRIED, UNTRIED, .verdict = VERDICT_ERROR, .reason = "does not know" },
	{ "must work, without a nonce", &lies, RETURNED(0), UNTRIED, UNTRIED, .verdict = VERDICT_ERROR, .reason = "decoy" },
	{ "may work, does not", &may, REFUSED(EPERM), UNTRIED, UNTRIED, .verdict = VERDICT_NOT_APPLICABLE, .reason = "does not allow" },
	{ "may work, killed", &may, KILLED(SIGSYS), UNTRIED, UNTRIED, .verdict = VERDICT_NOT_APPLICABLE, .reason = "SIGSYS" },
	{ "may work, breaks", &may, REFUSED(EMFILE), UNTRIED, UNTRIED, .verdict = VERDICT_ERROR, .reason = "EMFILE" },

	/* judges */
	{ "judged tight", &tight, REFUSED(EINVAL), RETURNED(0), UNTRIED, .verdict = VERDICT_PASS, .layers = LAYER_NAMESPACES },
	{ "judged tight, hangs", &tight, HUNG(SIGKILL), RETURNED(0), UNTRIED, .verdict = VERDICT_ERROR, .reason = "hung" },
	{ "judged tight, crashes", &tight, KILLED(SIGKILL), RETURNED(0), UNTRIED, .verdict = VERDICT_ERROR, .reason = "without" },
	{ "judged tight, decoy missing", &tight, REFUSED(ENOENT), REFUSED(ENOENT), UNTRIED, .verdict = VERDICT_INCONCLUSIVE,
	  .reason = "ENOENT", .layers = LAYER_NAMESPACES },
	{ "a leak against the canary's word", &leaking, REFUSED(EPERM), RETURNED(0), UNTRIED, .verdict = VERDICT_FAIL,
	  .reason = "the decoy was written to" },
	{ "a leak against everything", &leaking, { .tried = true, .flooded = true }, REFUSED(ENOENT), UNTRIED,
	  .verdict = VERDICT_FAIL, .reason = "the decoy was written to", .dead = true, .outer = true },
	{ "a bomb that is killed", &bomb, KILLED(SIGKILL), RETURNED(0), UNTRIED, .verdict = VERDICT_PASS, .layers = LAYER_CGROUP },
	{ "a bomb that hangs", &bomb, HUNG(SIGKILL), RETURNED(0), UNTRIED, .verdict = VERDICT_ERROR, .reason = "hung" },
	{ "a bomb that crashes", &bomb, KILLED(SIGSEGV), RETURNED(0), UNTRIED, .verdict = VERDICT_ERROR, .reason = "without" },
	{ "a file too large", &size, KILLED(SIGXFSZ), RETURNED(0), UNTRIED, .verdict = VERDICT_PASS, .layers = LAYER_RLIMITS },

	/* facts of the host */
	{ "fact", &fact, UNTRIED, UNTRIED, UNTRIED, .verdict = VERDICT_PASS, .layers = LAYER_RUNTIME },
	{ "fact that the canary does not know", &fact, UNKNOWN, UNTRIED, UNTRIED, .verdict = VERDICT_PASS, .layers = LAYER_RUNTIME },
	{ "fact in a dead container", &fact, UNTRIED, UNTRIED, UNTRIED, .verdict = VERDICT_INCONCLUSIVE, .reason = "must work",
	  .layers = LAYER_RUNTIME, .dead = true },
	{ "fact that is bad", &bad_fact, UNTRIED, UNTRIED, UNTRIED, .verdict = VERDICT_FAIL, .reason = "decoy" },
	{ "fact that is not here", &no_fact, UNTRIED, UNTRIED, UNTRIED, .verdict = VERDICT_NOT_APPLICABLE, .reason = "no swap",
	  .layers = LAYER_RUNTIME },
	{ "fact that cannot be read", &bad_fact, UNTRIED, UNTRIED, UNTRIED, .verdict = VERDICT_ERROR, .reason = "could not be read", 0,
	  .unread = true },
	{ "fact that is also tried, and hangs", &fact, HUNG(SIGKILL), UNTRIED, UNTRIED, .verdict = VERDICT_ERROR, .reason = "hung" },
};
/* clang-format on */

static void test_verdicts(void **state)
{
	const struct posture posture = { 0 };
	const struct host root = { 0 }, user = { .rootless = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct evidence evidence = { .target = &rows[i].target,
						   .control = &rows[i].control,
						   .marker = &rows[i].marker,
						   .host = rows[i].user ? &user : &root,
						   .posture = rows[i].unread ? NULL : &posture,
						   .cgroup = -1 };
		/* Of a verdict made before nothing may be left. */
		struct result result = { .row = rows[i].row,
					 .verdict = VERDICT_FAIL,
					 .observed_layers = ~0u,
					 .measured = true,
					 .reason = "of before" };

		verdict_make(&evidence, !rows[i].dead, rows[i].outer, &result);
		if (result.verdict != rows[i].verdict ||
		    (rows[i].reason && !strstr(result.reason, rows[i].reason)) ||
		    result.observed_layers != rows[i].layers ||
		    result.measured != rows[i].measured || !*result.observed ||
		    (result.verdict == VERDICT_PASS) == (*result.reason != '\0'))
			fail_msg("%s: %s, layers %#x%s, observed \"%s\", because \"%s\"",
				 rows[i].name, name_text(verdict_names, result.verdict),
				 result.observed_layers, result.measured ? " measured" : "",
				 result.observed, result.reason);
	}
}

/* Whatever is missing is no crash, and never a pass. */
static void test_nothing(void **state)
{
	const struct observation nothing = { 0 }, refused = REFUSED(EPERM);
	const struct evidence evidence[] = { { .target = &nothing, .cgroup = -1 },
					     { .target = &refused, .cgroup = -1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t j = 0; j < ARRAY_LEN(evidence); j++) {
			struct result result = { .row = rows[i].row };

			verdict_make(&evidence[j], true, false, &result);
			assert_int_not_equal(result.verdict, VERDICT_PASS);
		}
}

static void test_words(void **state)
{
	static const struct {
		struct observation seen;
		const char *text;
	} words[] = {
		{ RETURNED(7), "returned 7" },
		{ { ALL, .done = true, .value = 1, .text = "sysfs=ok" }, "returned 1: sysfs=ok" },
		{ REFUSED(EPERM), "EPERM" },
		{ REFUSED(ECANCELED), "ECANCELED (what it needs could not be prepared)" },
		{ REFUSED(MARKER_ERRNO), "errno 3927" },
		{ KILLED(SIGSYS), "killed by SIGSYS" },
		{ KILLED(200 & 0x7f), "killed by SIG?" },
		{ UNTRIED, "no answer" },
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		judge_describe(&words[i].seen, text, sizeof(text));
		assert_string_equal(text, words[i].text);
	}
}

/* --- the catalogue --------------------------------------------------------------------------- */

struct census {
	size_t rows, quick, wrong;
};

/* No room was left for the byte that ends it. */
#define FILLS(array) (memchr(array, '\0', sizeof(array)) == NULL)

/* What the verdict relies on in every row. */
static bool check_row(const struct selftest_case *row, void *context)
{
	bool liveness = strcmp(row->group, "liveness") == 0;
	/* Bundles of their own, and what runs all rows again, have no row's judgement. */
	bool judged = row->judge || history_has(row->id) || strcmp(row->id, "hyg.exec-second") == 0;
	struct census *census = context;
	const char *wrong = NULL;

	if (FILLS(row->id) || FILLS(row->group) || FILLS(row->attempt) || FILLS(row->remedy) ||
	    FILLS(row->references) || FILLS(row->limitation))
		wrong = "a text that is too long for its array";
	else if (case_find(row->id) != row)
		wrong = "the id is not the only one";
	else if (strlen(row->id) >= sizeof(((struct attempt_packet *)NULL)->id))
		wrong = "the id does not fit into a packet";
	else if (!*row->group || !*row->attempt || !*row->remedy || !row->profiles)
		wrong = "group, attempt, remedy or profiles are missing";
	else if (!row->contained[0] && !judged && !liveness)
		wrong = "nothing counts as contained";
	else if (!row->layers != liveness)
		wrong = "no layer, or one that must not have it";
	else if (row->control == CONTROL_NONE && !judged && !liveness && !*row->limitation)
		wrong = "neither control nor judge, and nothing said of it";
	else if (row->control == CONTROL_ORACLE && !row->through[0])
		wrong = "an oracle without what it says";
	else if (row->control == CONTROL_ABLATION && !row->without)
		wrong = "nothing is left out";
	for (size_t i = 0; !wrong && i < CASE_ERRNOS_MAX; i++)
		if (judge_lists(row->contained, row->through[i]))
			wrong = "an errno that is contained and through";
	if (wrong) {
		print_error("%s: %s\n", row->id, wrong);
		census->wrong++;
	}
	census->rows++;
	census->quick += row->profiles & PROFILE_QUICK;
	return true;
}

static bool stop_at_once(const struct selftest_case *row, void *context)
{
	(void)row;
	(*(size_t *)context)++;
	return false;
}

static void test_catalogue(void **state)
{
	struct census census = { 0 };
	size_t visited = 0;

	(void)state;
	cases_each(check_row, &census);
	assert_int_equal(census.wrong, 0);
	assert_true(census.rows > 190);
	assert_in_range(census.quick, 20, 60);
	cases_each(stop_at_once, &visited);
	assert_int_equal(visited, 1);
	assert_null(case_find("sys.none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_catalogue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
