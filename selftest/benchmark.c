/*
 * What each layer costs: launches with and without it, and operations of a program with and without
 * filter and Landlock.
 *
 * Only ratios are worth telling: the machine, its load and its clock are in both halves. With and
 * without take turns, every sample is a process of its own, and the spread is that of the
 * quartiles, so that a ratio within its own spread is seen to be none.
 */
#include "selftest/benchmark.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/options.h"
#include "selftest/bundle.h"

#define ROUNDS 15
#define PROGRAM "/bin/true"

/* --- samples --------------------------------------------------------------------------------- */

struct samples {
	double at[ROUNDS];
	size_t len;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int compare(const void *first, const void *second)
{
	double a = *(const double *)first, b = *(const double *)second;

	return (a > b) - (a < b);
}

/* Of the sorted samples: 0.25, 0.5, 0.75. */
static double quantile(const struct samples *samples, double part)
{
	return samples->at[(size_t)(part * (double)(samples->len - 1) + 0.5)];
}

static void print_time(const char *name, struct samples *samples, FILE *to)
{
	double seconds;

	qsort(samples->at, samples->len, sizeof(samples->at[0]), compare);
	seconds = quantile(samples, 0.5);
	if (seconds >= 1e-3)
		fprintf(to, "%-34s %7.2f ms\n", name, seconds * 1e3);
	else
		fprintf(to, "%-34s %7.3f us\n", name, seconds * 1e6);
}

/* `with` against `without`, which is sorted already. */
static void print_ratio(const char *name, struct samples *with, struct samples *without, FILE *to)
{
	qsort(with->at, with->len, sizeof(with->at[0]), compare);
	fprintf(to, "%-34s %7.2f x   (%.2f to %.2f)\n", name,
		quantile(with, 0.5) / quantile(without, 0.5),
		quantile(with, 0.25) / quantile(without, 0.75),
		quantile(with, 0.75) / quantile(without, 0.25));
}

/* --- launches -------------------------------------------------------------------------------- */

/* clang-format off */
static const struct launch_variant {
	const char *name, *patch;
} launch_variants[] = {
	{ "launch with all layers", "{}" },
	{ "  all layers, without seccomp", "{\"linux\":{\"seccomp\":null}}" },
	{ "  all layers, without Landlock", "{\"process\":{\"landlock\":null}}" },
	{ "  all layers, without cgroup", "{\"linux\":{\"resources\":null,\"cgroupsPath\":null}}" },
	{ "  all layers, without masks", "{\"linux\":{\"maskedPaths\":null,\"readonlyPaths\":null}}" },
	{ "  all layers, without network ns", "{\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},"
	  "{\"type\":\"uts\"},{\"type\":\"mount\"},{\"type\":\"cgroup\"}]}}" },
};
/* clang-format on */

static const char launch_patch[] =
	"{\"process\":{\"args\":[\"/canary\",\"cwd\"],\"terminal\":false,"
	"\"cwd\":\"/\"},\"hooks\":null}";

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void launch_child(const struct settings *settings, const struct request *request)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), status;
	struct err err;

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	_exit(container_run(settings, request, &status, &err) < 0 ? 1 : status);
}

static int launch_once(const struct settings *settings, const struct bundle *bundle, bool no_cgroup,
		       struct samples *samples, struct err *err)
{
	const struct request request = {
		.id = arena_format(settings->arena, "benchmark-%d", (int)getpid()),
		.bundle = bundle->path,
		.cgroup_manager = no_cgroup ? CGROUP_MANAGER_DISABLED : CGROUP_MANAGER_CGROUPFS,
		.best_effort_cgroup = true,
	};
	double began = now();
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return err_sys(err, "fork");
	if (pid == 0)
		launch_child(settings, &request);
	status = wait_for(pid);
	if (status != 0)
		return err_set(err, ECHILD, "a container to be measured could not be run");
	samples->at[samples->len++] = now() - began;
	return 0;
}

static int measure_launches(const struct settings *settings, const struct json *config, FILE *to,
			    struct err *err)
{
	enum { VARIANTS = ARRAY_LEN(launch_variants) };
	struct samples samples[VARIANTS] = { 0 };
	struct bundle bundles[VARIANTS];
	int result = 0;

	for (size_t i = 0; i < VARIANTS; i++)
		bundles[i].dir = -1;
	for (size_t i = 0; result == 0 && i < VARIANTS; i++) {
		const char *const patches[] = { launch_patch, launch_variants[i].patch, NULL };

		result = bundle_make(config, patches, settings->arena, &bundles[i], err);
	}
	for (size_t round = 0; result == 0 && round < ROUNDS; round++)
		for (size_t i = 0; result == 0 && i < VARIANTS; i++)
			result = launch_once(settings, &bundles[i],
					     strstr(launch_variants[i].name, "cgroup") != NULL,
					     &samples[i], err);
	for (size_t i = 0; i < VARIANTS; i++)
		bundle_remove(&bundles[i]);
	if (result < 0)
		return -1;
	print_time(launch_variants[0].name, &samples[0], to);
	for (size_t i = 1; i < VARIANTS; i++)
		print_ratio(launch_variants[i].name, &samples[i], &samples[0], to);
	return 0;
}

/* --- operations ------------------------------------------------------------------------------ */

static bool call_once(const char *file, int fd)
{
	(void)file;
	(void)fd;
	return syscall(SYS_getppid) >= 0;
}

static bool open_once(const char *file, int fd)
{
	int opened = open(file, O_RDONLY | O_CLOEXEC);

	(void)fd;
	return opened >= 0 && close(opened) == 0;
}

static bool read_once(const char *file, int fd)
{
	char buffer[4096];

	(void)file;
	return pread(fd, buffer, sizeof(buffer), 0) > 0;
}

static bool exec_once(const char *file, int fd)
{
	char *const argv[] = { (char *)PROGRAM, NULL };
	pid_t pid;

	(void)file;
	(void)fd;
	return posix_spawn(&pid, PROGRAM, NULL, NULL, argv, NULL) == 0 && wait_for(pid) == 0;
}

static const struct operation {
	const char *name;
	bool (*once)(const char *file, int fd);
	unsigned times;
} operations[] = {
	{ "a system call", call_once, 100000 },
	{ "open and close", open_once, 10000 },
	{ "read 4 KiB", read_once, 20000 },
	{ "start a program", exec_once, 20 },
};

/* What a process puts on itself before it is measured. */
struct layers {
	struct seccomp_plan seccomp;
	struct landlock_plan landlock;
	struct sock_fprog filter;
};

enum variant { VARIANT_NONE, VARIANT_SECCOMP, VARIANT_LANDLOCK, VARIANTS_LEN };

static bool put_on(const struct layers *layers, enum variant variant)
{
	static const struct mounts_plan by_name;
	autoclose int ruleset = -1;
	struct err err;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return false;
	if (variant == VARIANT_LANDLOCK)
		return landlock_prepare(&layers->landlock, &by_name, NULL, &ruleset, &err) == 0 &&
		       landlock_apply(&layers->landlock, ruleset, &err) == 0;
	return variant == VARIANT_NONE ||
	       seccomp_apply(&layers->seccomp, &layers->filter, &err) == 0;
}

static void operate(const struct layers *layers, enum variant variant,
		    const struct operation *operation, double *seconds)
{
	int fd = open(PROGRAM, O_RDONLY | O_CLOEXEC);
	double began;

	if (!put_on(layers, variant) || !operation->once(PROGRAM, fd))
		_exit(1);
	began = now();
	for (unsigned i = 0; i < operation->times; i++)
		if (!operation->once(PROGRAM, fd))
			_exit(1);
	*seconds = (now() - began) / operation->times;
	_exit(0);
}

static bool sample_operation(const struct layers *layers, enum variant variant,
			     const struct operation *operation, double *shared,
			     struct samples *samples)
{
	pid_t pid = fork();

	if (pid == 0)
		operate(layers, variant, operation, shared);
	if (pid < 0 || wait_for(pid) != 0)
		return false;
	samples->at[samples->len++] = *shared;
	return true;
}

static void measure_operation(const struct layers *layers, const struct operation *operation,
			      double *shared, FILE *to)
{
	static const char *const names[VARIANTS_LEN] = { NULL, "  with seccomp",
							 "  with Landlock" };
	const bool wanted[VARIANTS_LEN] = { true, layers->seccomp.wanted, layers->landlock.wanted };
	struct samples samples[VARIANTS_LEN] = { 0 };
	bool failed[VARIANTS_LEN] = { 0 };

	for (size_t round = 0; round < ROUNDS; round++)
		for (enum variant i = 0; i < VARIANTS_LEN; i++)
			if (wanted[i] && !failed[i])
				failed[i] = !sample_operation(layers, i, operation, shared,
							      &samples[i]);
	if (failed[VARIANT_NONE]) {
		fprintf(to, "%-34s cannot be measured here\n", operation->name);
		return;
	}
	print_time(operation->name, &samples[VARIANT_NONE], to);
	for (enum variant i = VARIANT_SECCOMP; i < VARIANTS_LEN; i++)
		if (failed[i])
			fprintf(to, "%-34s refused by the configuration\n", names[i]);
		else if (wanted[i])
			print_ratio(names[i], &samples[i], &samples[VARIANT_NONE], to);
}

/* Rules name paths of the container; those that the host lacks are left out. */
static int plan_layers(const struct spec *spec, const struct host *host, struct arena *arena,
		       struct layers *layers, struct err *err)
{
	if (seccomp_plan(spec, host, arena, &layers->seccomp, err) < 0 ||
	    landlock_plan(&spec->process, host, arena, &layers->landlock, err) < 0)
		return -1;
	layers->landlock.best_effort = true;
	return layers->seccomp.wanted
		       ? seccomp_compile(&layers->seccomp, arena, &layers->filter, err)
		       : 0;
}

int benchmark(const struct settings *settings, const struct selftest_options *options, FILE *to,
	      struct err *err)
{
	double *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct layers layers = { 0 };
	struct json *config;
	struct spec *spec;
	struct host host;
	size_t size;
	char *text;

	if (shared == MAP_FAILED)
		return err_sys(err, "mmap");
	if (host_probe(&host, settings->rootless, settings->arena, err) < 0)
		return -1;
	if (bundle_config(options->bundle, &host, settings->arena, &config, err) < 0) {
		err->code = OPTIONS_USAGE;
		return -1;
	}
	text = json_print(config, false, settings->arena, &size);
	if (spec_parse(text, size, settings->arena, &spec, err) < 0 ||
	    plan_layers(spec, &host, settings->arena, &layers, err) < 0)
		return -1;
	fprintf(to, "median of %d; ratios with what the quartiles allow\n\n", ROUNDS);
	if (!options->in_place && measure_launches(settings, config, to, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(operations); i++)
		measure_operation(&layers, &operations[i], shared, to);
	munmap(shared, sizeof(*shared));
	return 0;
}
