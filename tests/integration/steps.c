/*
 * Prints the names of the steps of a launch, one a line, for tests that go over all of them: those
 * of create (and run) or of exec.
 */
#include <stdio.h>
#include <string.h>

#include "runtime/init.h"
#include "runtime/outside.h"

static void print(const struct step *steps, size_t len, unsigned in)
{
	for (size_t i = 0; i < len; i++)
		if (steps[i].in & in)
			puts(steps[i].name);
}

int main(int argc, char *argv[])
{
	unsigned in = argc > 1 && strcmp(argv[1], "exec") == 0 ? FOR_EXEC : FOR_CREATE;

	print(outside_steps, outside_steps_len, in);
	print(inside_steps, inside_steps_len, in);
	return 0;
}
