/*
 * What the judgements of postures share, see judge_posture.h.
 */
#include "selftest/judge_posture.h"

#include <stdio.h>
#include <string.h>

#define FINDINGS_LIMIT (4u << 20)

bool judge_has_posture(const struct evidence *evidence, struct result *result)
{
	return evidence->posture ||
	       judge_undecided(result, VERDICT_INCONCLUSIVE, "the host cannot read the process");
}

bool judge_as_configured(const struct evidence *evidence, const char *property,
			 struct result *result)
{
	struct posture_findings findings;
	struct arena *arena;
	bool same = true;

	if (!judge_has_posture(evidence, result))
		return false;
	arena = arena_new(FINDINGS_LIMIT);
	posture_compare(evidence->posture, evidence->spec, arena, &findings);
	judge_say(result, "as configured");
	for (size_t i = 0; i < findings.len && same; i++) {
		const struct posture_finding *finding = &findings.item[i];

		/* "thread 5: process.noNewPrivileges" too */
		same = strstr(finding->what, property) == NULL;
		if (!same)
			judge_say(result, "%s: found %s, expected %s", finding->what,
				  finding->found, finding->expected);
	}
	arena_free(arena);
	return same;
}

bool judge_own_namespace(const struct posture *posture, const char *kind)
{
	for (size_t i = 0; i < POSTURE_NAMESPACES; i++)
		if (strcmp(posture_namespace_names[i], kind) == 0)
			return posture->namespaces[i] != posture->own[i];
	return false;
}
