/*
 * explain FILE: what `agentd explain` prints for a configuration, but on an invented machine, so
 * that the text is the same on every one. The beginning of the name of FILE says who asks for what.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "isolation/plan.h"
#include "runtime/exec.h"
#include "runtime/explain.h"

#define KERNEL .initial_user_ns = true, .last_cap = 40, .machine = "x86_64"
#define ROOT .privileged = true, .cgroup_root = "cgroup", .cgroup_own = "/" /* a directory here */
#define USER .uid = 1000, .gid = 1000, .rootless = true

/* clang-format off */
static const struct {
	const char *prefix;
	struct host host;
	struct request request;
} variants[] = {
	{ "rootless", { KERNEL, USER, .landlock_abi = 7 }, { .best_effort_cgroup = true } },
	{ "old", { KERNEL, ROOT, .landlock_abi = 1 }, { 0 } },
	{ "exec", { KERNEL, ROOT, .landlock_abi = 7 }, { .in_cgroup = true } },
	{ "", { KERNEL, ROOT, .landlock_abi = 7 }, { 0 } },
};
/* clang-format on */

/* A process in a container with all of its namespaces: nothing is there to be joined. */
static int plan_exec(const struct spec *spec, const struct host *host, struct request *request,
		     struct arena *arena, struct plan **plan, struct err *err)
{
	const char *args[] = { "/bin/sh", "-c", "id", NULL };
	const struct exec_process flags = { .args = { args, 3 }, .terminal = true };
	struct spec_process process;

	request->init = getpid();
	if (exec_process_make(&flags, spec, arena, &process, err) < 0)
		return -1;
	return plan_make_exec(spec, &process, host, request, arena, plan, err);
}

static int explain(const char *path, struct arena *arena, struct err *err)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct request request;
	struct spec *spec;
	struct plan *plan;
	size_t i = 0;

	while (strncmp(name, variants[i].prefix, strlen(variants[i].prefix)) != 0)
		i++;
	request = variants[i].request;
	request.id = "ID";
	request.bundle = "/bundle";
	if (spec_load(AT_FDCWD, path, arena, &spec, NULL, NULL, err) < 0)
		return -1;
	if (strcmp(variants[i].prefix, "exec") == 0) {
		if (plan_exec(spec, &variants[i].host, &request, arena, &plan, err) < 0)
			return -1;
	} else if (plan_make(spec, &variants[i].host, &request, arena, &plan, err) < 0) {
		return -1;
	}
	explain_print(plan, arena, stdout);
	return 0;
}

int main(int argc, char *argv[])
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct err err;
	int status = 0;

	if (argc != 2 || explain(argv[1], arena, &err) < 0) {
		fprintf(stderr, "%s\n", argc == 2 ? err.text : "usage: explain FILE");
		status = 1;
	}
	arena_free(arena);
	return status;
}
