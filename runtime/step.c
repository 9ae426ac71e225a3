/*
 * Running a list of steps and undoing it, see step.h. All branching of a launch is here.
 */
#include "runtime/step.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/log.h"
#include "runtime/launch.h"

bool step_wants_runtime_hooks(const struct plan *plan)
{
	return plan->hooks.prestart.len || plan->hooks.create_runtime.len;
}

bool step_wants_terminal(const struct plan *plan)
{
	return plan->process.terminal;
}

bool step_wanted(const struct step *step, const struct plan *plan)
{
	return (step->in & (plan->exec ? FOR_EXEC : FOR_CREATE)) &&
	       (!step->wanted || step->wanted(plan));
}

/* In test builds a step can be made to fail by name, so that the tests reach every clean-up. */
static int run_one(const struct step *step, struct launch *launch, struct err *err)
{
#ifdef AGENTD_FAULTS
	const char *fail = getenv("AGENTD_FAIL_STEP");

	if (fail && strcmp(fail, step->name) == 0)
		return err_set(err, EIO, "made to fail by the test");
#endif
	return step->run(launch, err);
}

int steps_run(const struct step *steps, size_t len, struct launch *launch, size_t *reached,
	      struct err *err)
{
	for (size_t i = 0; i < len; i++) {
		if (!step_wanted(&steps[i], launch->plan))
			continue;
		log_debug("%s", steps[i].name);
		if (run_one(&steps[i], launch, err) == 0)
			continue;
		/* What init reports has the name of its own step in front. */
		if (!err->placed)
			err_wrap(err, "%s", steps[i].name);
		if (reached)
			*reached = i + 1;
		return -1;
	}
	return 0;
}

int steps_undo(const struct step *steps, size_t len, struct launch *launch, struct err *err)
{
	int result = 0;

	while (len--) {
		struct err now;

		if (!steps[len].undo || (launch->plan && !step_wanted(&steps[len], launch->plan)))
			continue;
		if (steps[len].undo(launch, &now) == 0)
			continue;
		err_wrap(&now, "undo %s", steps[len].name);
		log_warn("%s", now.text);
		launch->stuck = true;
		if (result == 0)
			*err = now;
		result = -1;
	}
	return result;
}
