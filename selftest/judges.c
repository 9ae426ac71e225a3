/*
 * From the number of a judgement to its function, and nothing else: the tests of the verdict have
 * judgements of their own in place of this file.
 */
#include "selftest/judges.h"

#include "selftest/judge.h"

/* clang-format off */
#define JUDGE_ENTRY(name) [JUDGE_##name] = judge_##name,
static bool (*const judges[])(const struct evidence *evidence, struct result *result) = {
	[JUDGE_NONE] = judge_errno, JUDGES(JUDGE_ENTRY)
};
/* clang-format on */

bool judge_row(const struct evidence *evidence, struct result *result)
{
	return judges[result->row->judge](evidence, result);
}
