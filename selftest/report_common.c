/*
 * What the writers of reports share, see report_common.h. Reads the finished run and the name of
 * the kernel, and decides nothing: verdicts and the status come from elsewhere.
 */
#include "selftest/report_common.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "runtime/base/utf8.h"

/* --- a run --- */

struct report_counts report_count(const struct selftest_run *run, const char *group)
{
	struct report_counts counts = { 0 };

	for (size_t i = 0; i < run->results_len; i++) {
		const struct result *result = &run->results[i];

		if (group && strcmp(result->row->group, group) != 0)
			continue;
		counts.of[result->verdict]++;
		counts.total++;
	}
	return counts;
}

static void find_groups(struct report *report)
{
	const struct selftest_run *run = report->run;
	size_t known;

	report->groups = arena_new_array(report->arena, const char *, run->results_len + 1);
	for (size_t i = 0; i < run->results_len; i++) {
		const char *group = run->results[i].row->group;

		for (known = 0; known < report->groups_len; known++)
			if (strcmp(report->groups[known], group) == 0)
				break;
		if (known == report->groups_len)
			report->groups[report->groups_len++] = group;
	}
}

struct report report_open(const struct selftest_run *run, FILE *to, struct arena *arena)
{
	struct report report = { .run = run, .to = to, .arena = arena };

	uname(&report.kernel);
	report.status = selftest_status(run, arena, &report.why);
	report.why = report_clean(report.why, arena);
	report.counts = report_count(run, NULL);
	find_groups(&report);
	return report;
}

int report_close(const struct report *report, struct err *err)
{
	if (fflush(report->to) != 0 || ferror(report->to))
		return err_sys(err, "write the report");
	return 0;
}

/* --- texts --- */

/* Not in a report, though valid UTF-8: control characters, what is invisible or changes the
 * direction of writing, and what XML forbids. */
static const struct {
	uint32_t first, last;
} unfit[] = {
	{ 0, 0x1f },	    { 0x7f, 0x9f },	{ 0x200b, 0x200f },
	{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0xe0fff },
};

/* The bytes of the character in UTF-8, or 0 if it is not fit for a report. */
static size_t character_len(const char *text)
{
	uint32_t code;
	size_t len = utf8_size(text, strnlen(text, 4), &code);

	for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++)
		if (code >= unfit[i].first && code <= unfit[i].last)
			return 0;
	return len;
}

char *report_clean(const char *text, struct arena *arena)
{
	char *copy = arena_copy(arena, text, strlen(text));

	for (char *at = copy; *at;) {
		size_t len = character_len(at);

		if (len == 0)
			*at = '?';
		at += len ? len : 1;
	}
	return copy;
}

char *report_escape(const char *text, struct arena *arena)
{
	static const char *const escaped[] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;",
	};
	const char *clean = report_clean(text, arena);
	char *copy = arena_new_array(arena, char, 6 * strlen(clean) + 1), *to = copy;

	for (; *clean; clean++) {
		unsigned char c = (unsigned char)*clean;
		const char *word = c < sizeof(escaped) / sizeof(escaped[0]) ? escaped[c] : NULL;

		if (word)
			to = mempcpy(to, word, strlen(word));
		else
			*to++ = *clean;
	}
	return copy;
}

const char *report_outcome(const struct report *report)
{
	static const char *const outcomes[] = {
		[SELFTEST_CONTAINED] = "contained",	     [SELFTEST_ESCAPED] = "NOT contained",
		[SELFTEST_USAGE] = "nothing was tested",     [SELFTEST_UNDECIDED] = "undecided",
		[SELFTEST_BROKEN] = "the test itself broke",
	};

	return outcomes[report->status];
}

const char *report_profile(const struct selftest_run *run)
{
	static const struct name profiles[] = {
		{ "quick", PROFILE_QUICK },
		{ "standard", PROFILE_STANDARD },
		{ "comprehensive", PROFILE_COMPREHENSIVE },
		{ .name = "" },
	};
	const char *name = name_text(profiles, run->options->profile);

	return name ? name : "none";
}

const char *report_target(const struct report *report)
{
	const struct selftest_options *options = report->run->options;

	return arena_format(report->arena, "%s profile, %s, %s", report_profile(report->run),
			    options->bundle ? report_clean(options->bundle, report->arena)
					    : "the configuration of agentd spec",
			    options->in_place ? "in this very process's place, no container"
					      : "in containers");
}

const char *report_platform(const struct report *report)
{
	const struct host *host = &report->run->host;
	const char *landlock = host->landlock_abi ? arena_format(report->arena, "Landlock ABI %d",
								 host->landlock_abi)
						  : "no Landlock";
	return arena_format(report->arena, "Linux %s %s, %s, %s, uid %u%s%s",
			    report_clean(report->kernel.release, report->arena),
			    report->kernel.machine, landlock,
			    host->cgroup_root ? "cgroup v2" : "no cgroup v2", host->uid,
			    host->rootless ? " (rootless)" : "",
			    report->run->outer ? ", inside a sandbox that is not agentd's" : "");
}

const char *report_demand(const struct report *report, size_t index)
{
	const struct selftest_run *run = report->run;
	const char *worse = run->worse ? run->worse : "";

	if (index < run->unmet_len)
		return arena_format(report->arena, "required and not there: %s",
				    report_clean(run->unmet[index], report->arena));
	for (index -= run->unmet_len; index > 0 && *worse; index--) {
		worse += strcspn(worse, "\n");
		worse += *worse == '\n';
	}
	return *worse ? arena_format(report->arena, "worse than the baseline: %.*s",
				     (int)strcspn(worse, "\n"), worse)
		      : NULL;
}

const char *report_counts_text(const struct report_counts *counts, struct arena *arena)
{
	static const struct {
		enum verdict verdict;
		const char *word;
	} words[] = {
		{ VERDICT_FAIL, "failed" },
		{ VERDICT_ERROR, "broken" },
		{ VERDICT_INCONCLUSIVE, "undecided" },
		{ VERDICT_PASS, "passed" },
		{ VERDICT_SKIPPED, "skipped" },
		{ VERDICT_NOT_APPLICABLE, "not applicable" },
	};
	const char *text = "";

	for (size_t i = 0; i < VERDICTS_LEN; i++)
		if (counts->of[words[i].verdict])
			text = arena_format(arena, "%s%s%zu %s", text, *text ? ", " : "",
					    counts->of[words[i].verdict], words[i].word);
	return *text ? text : "none";
}

const char *report_errno(int error, struct arena *arena)
{
	const char *name = strerrorname_np(error);

	return name ? name : arena_format(arena, "errno %d", error);
}

const char *report_layers(unsigned layers, struct arena *arena)
{
	const char *text = "";

	for (const struct name *layer = layer_names; *layer->name; layer++)
		if (layers & layer->value)
			text = arena_format(arena, "%s%s%s", text, *text ? ", " : "", layer->name);
	return *text ? text : "none";
}

const char *report_observation(const struct observation *observation, struct arena *arena)
{
	if (!observation->tried)
		return "not tried";
	if (observation->unknown)
		return "the canary has no such attempt";
	if (observation->flooded)
		return "the canary sent more than there is to say";
	if (!observation->alive)
		return "never began";
	if (WIFSIGNALED(observation->wait_status))
		return arena_format(arena, "killed by SIG%s",
				    sigabbrev_np(WTERMSIG(observation->wait_status)));
	if (!observation->done)
		return "gave no answer";
	if (observation->value >= 0)
		return arena_format(arena, "got through (%lld)", (long long)observation->value);
	return report_errno(observation->error, arena);
}

/* "EPERM or EACCES or killed by SIGSYS" */
static const char *expected_text(const struct selftest_case *row, struct arena *arena)
{
	const char *text = "";

	if (row->judge)
		return "what the configuration asks for, as seen from the host";
	for (size_t i = 0; i < CASE_ERRNOS_MAX && row->contained[i]; i++)
		text = arena_format(arena, "%s%s%s", text, *text ? " or " : "",
				    report_errno(row->contained[i], arena));
	if (row->layers & LAYER_SECCOMP)
		text = arena_format(arena, "%s%skilled by SIGSYS", text, *text ? " or " : "");
	return *text ? text : "success";
}

static const char *layers_text(const struct result *result, struct arena *arena)
{
	return arena_format(arena, "expected %s; observed %s%s",
			    report_layers(result->row->layers, arena),
			    report_layers(result->observed_layers, arena),
			    !result->observed_layers ? ""
			    : result->measured	     ? " (measured)"
						     : " (by the error alone)");
}

static const char *control_text(const struct result *result, struct arena *arena)
{
	const char *name = name_text(control_names, result->row->control);

	if (result->row->control == CONTROL_NONE)
		return "none";
	return arena_format(arena, "%s: %s", name, report_observation(&result->control, arena));
}

size_t report_details(const struct report *report, const struct result *result,
		      struct report_detail details[REPORT_DETAILS_MAX])
{
	const struct selftest_case *row = result->row;
	struct arena *arena = report->arena;
	size_t len = 0;

	details[len++] = (struct report_detail){ "expected", expected_text(row, arena) };
	details[len++] =
		(struct report_detail){ "observed", report_clean(result->observed, arena) };
	details[len++] = (struct report_detail){ "layers", layers_text(result, arena) };
	details[len++] = (struct report_detail){ "control", control_text(result, arena) };
	if (*result->reason)
		details[len++] =
			(struct report_detail){ "reason", report_clean(result->reason, arena) };
	if (result->verdict == VERDICT_FAIL && *row->remedy)
		details[len++] = (struct report_detail){ "fix", report_clean(row->remedy, arena) };
	if (*row->limitation)
		details[len++] = (struct report_detail){ "limitation",
							 report_clean(row->limitation, arena) };
	return len;
}

/* --- the matrix, and what speaks for each layer --- */

/* clang-format off */
const struct report_cell_look report_cells[CELLS_LEN] = {
	[CELL_NONE]     = { '.', "none",     "not its business" },
	[CELL_EXPECTED] = { '?', "expected", "it may stop this; not measured" },
	[CELL_OTHERS]   = { 'o', "others",   "left out in turn: others stop it too" },
	[CELL_DECIDED]  = { 'd', "decided",  "it stopped it" },
	[CELL_ALONE]    = { 'A', "alone",    "it stopped it, and does so without the others" },
	[CELL_MISSED]   = { 'X', "missed",   "it may stop this, and it got through" },
};

const struct name report_columns[] = {
	{ "seccomp",  LAYER_SECCOMP },
	{ "landlock", LAYER_LANDLOCK },
	{ "caps",     LAYER_CAPABILITIES },
	{ "nnp",      LAYER_NO_NEW_PRIVS },
	{ "ns",       LAYER_NAMESPACES },
	{ "mounts",   LAYER_MOUNTS },
	{ "cgroup",   LAYER_CGROUP },
	{ "rlimits",  LAYER_RLIMITS },
	{ "runtime",  LAYER_RUNTIME },
	{ "kernel",   LAYER_KERNEL },
	{ .name = "" },
};
/* clang-format on */

enum report_cell report_cell(const struct result *result, unsigned layer)
{
	if (result->verdict == VERDICT_FAIL && result->row->layers & layer)
		return CELL_MISSED;
	if (result->alone & layer)
		return CELL_ALONE;
	if (result->observed_layers & layer)
		return CELL_DECIDED;
	if (!(result->row->layers & layer))
		return CELL_NONE;
	return result->ablated & layer ? CELL_OTHERS : CELL_EXPECTED;
}

bool report_has_matrix(const struct selftest_run *run)
{
	return run->options->profile == PROFILE_COMPREHENSIVE;
}

struct report_evidence report_evidence(const struct selftest_run *run, unsigned layer)
{
	struct report_evidence evidence = { 0 };

	for (size_t i = 0; i < run->results_len; i++) {
		const struct result *result = &run->results[i];
		bool observed = result->verdict == VERDICT_PASS && result->observed_layers & layer;

		evidence.expected += (result->row->layers & layer) != 0;
		evidence.observed += observed;
		evidence.measured += observed && result->measured;
	}
	return evidence;
}

/* --- references --- */

static const struct report_framework frameworks[] = {
	{ 'C', "CIS Docker Benchmark", "1.6.0" },
	{ 'N', "NIST SP 800-190", "" },
	{ 'T', "MITRE ATT&CK", "" },
	{ 'P', "PCI SSC Guidance for Containers and Container Orchestration Tools", "1.0" },
};

bool report_reference(const char **references, struct arena *arena,
		      struct report_reference *reference)
{
	const char *word = *references ? *references + strspn(*references, " ") : "";
	size_t len = strcspn(word, " ");

	*reference = (struct report_reference){ NULL,
						report_clean(arena_copy(arena, word, len), arena) };
	*references = word + len;
	for (size_t i = 0; i < sizeof(frameworks) / sizeof(frameworks[0]); i++)
		if (*word == frameworks[i].letter && word[1] >= '0' && word[1] <= '9') {
			reference->framework = &frameworks[i];
			/* a technique's letter is a part of its number */
			reference->control += frameworks[i].letter != 'T';
		}
	return len > 0;
}
