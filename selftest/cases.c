/*
 * The catalogue as a whole: the tables of all groups in the order of reports, and the words for
 * what is in their rows.
 */
#include <string.h>

#include "runtime/base/array.h"
#include "selftest/cases.h"

/* clang-format off */
const struct name layer_names[] = {
	{ "seccomp", LAYER_SECCOMP }, { "landlock", LAYER_LANDLOCK }, { "capabilities", LAYER_CAPABILITIES },
	{ "no_new_privs", LAYER_NO_NEW_PRIVS }, { "namespaces", LAYER_NAMESPACES }, { "mounts", LAYER_MOUNTS },
	{ "cgroup", LAYER_CGROUP }, { "rlimits", LAYER_RLIMITS }, { "runtime", LAYER_RUNTIME },
	{ "kernel", LAYER_KERNEL },
	{ .name = "" }
};

const struct name control_names[] = {
	{ "host", CONTROL_HOST }, { "twin", CONTROL_TWIN }, { "oracle", CONTROL_ORACLE },
	{ "decoy", CONTROL_DECOY }, { "ablation", CONTROL_ABLATION },
	{ "counter", CONTROL_COUNTER }, { "none", CONTROL_NONE },
	{ .name = "" }
};

const struct name severity_names[] = {
	{ "info", SEVERITY_INFO }, { "low", SEVERITY_LOW }, { "medium", SEVERITY_MEDIUM },
	{ "high", SEVERITY_HIGH }, { "critical", SEVERITY_CRITICAL },
	{ .name = "" }
};

const struct name verdict_names[] = {
	{ "pass", VERDICT_PASS }, { "not_applicable", VERDICT_NOT_APPLICABLE },
	{ "skipped", VERDICT_SKIPPED }, { "inconclusive", VERDICT_INCONCLUSIVE },
	{ "error", VERDICT_ERROR }, { "fail", VERDICT_FAIL },
	{ .name = "" }
};

static const struct selftest_case *const tables[] = {
	cases_liveness, cases_tracing, cases_mounts, cases_kernel, cases_credentials, cases_files,
	cases_landlock, cases_procfs, cases_limits, cases_network, cases_history, cases_hygiene,
};
/* clang-format on */

void cases_each(bool (*visit)(const struct selftest_case *row, void *context), void *context)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		for (const struct selftest_case *row = tables[i]; *row->id; row++)
			if (!visit(row, context))
				return;
}

const struct selftest_case *case_find(const char *id)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		for (const struct selftest_case *row = tables[i]; *row->id; row++)
			if (strcmp(row->id, id) == 0)
				return row;
	return NULL;
}
