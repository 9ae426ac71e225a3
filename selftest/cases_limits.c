/*
 * Rows of group 7: resource limits. What an errno claims is believed only if the kernel's own
 * counter of the target's cgroup moved: EAGAIN may as well be a limit that does not bind root.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/file.h"
#include "selftest/judge.h"
#include "selftest/judges.h"
#include "selftest/limits.h"
#include "spec/json.h"
#include "spec/names.h"

#define MIB (1 << 20)
#define CPUS_MAX 4096

/* Of a processor, or of what the control got: loose, because a busy host takes from both. */
enum { BURN_PERCENT = 50 };

/* What limits_patch() sets: below the bounds of attempts_limits.c, or they would not be felt. */
enum { LIMIT_PROCESSES = 16, LIMIT_MIB = 32, LIMIT_PERIOD_US = 100000, LIMIT_QUOTA_US = 25000 };

#define say(result, ...) snprintf((result)->observed, sizeof((result)->observed), __VA_ARGS__)

/* --- files of the target's cgroup ------------------------------------------------------------ */

/* The number that follows a word in a file of the cgroup ("max 3", "oom_kill 1"). */
static bool read_counter(const struct evidence *evidence, const char *file, const char *word,
			 uint64_t *value)
{
	size_t len = strlen(word);
	char text[4096];

	if (evidence->cgroup < 0 || file_read_small(evidence->cgroup, file, text, sizeof(text)) < 0)
		return false;
	for (const char *line = text; *line; line += strcspn(line, "\n")) {
		line += strspn(line, "\n");
		if (strncmp(line, word, len) == 0 && line[len] == ' ') {
			*value = strtoull(line + len, NULL, 10);
			return true;
		}
	}
	return false;
}

/* A file that is one number; UINT64_MAX: "max". */
static bool read_limit(const struct evidence *evidence, const char *file, uint64_t *value)
{
	char text[64];

	if (evidence->cgroup < 0 ||
	    file_read_small(evidence->cgroup, file, text, sizeof(text)) <= 0)
		return false;
	*value = strncmp(text, "max", 3) ? strtoull(text, NULL, 10) : UINT64_MAX;
	return true;
}

/* The bomb came through: because there is no limit, or because the limit is above the bomb. */
static bool came_through(const struct evidence *evidence, const char *file, uint64_t unit,
			 struct result *result)
{
	uint64_t limit;

	say(result, "returned %lld", (long long)evidence->target->value);
	if (read_limit(evidence, file, &limit) && limit != UINT64_MAX &&
	    limit / unit >= (uint64_t)evidence->target->value)
		return judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "%s is %llu, more than the canary takes", file,
				       (unsigned long long)limit);
	return false;
}

/* --- processes, memory ----------------------------------------------------------------------- */

bool judge_processes(const struct evidence *evidence, struct result *result)
{
	uint64_t refused;
	char reached[16];

	if (evidence->target->done && evidence->target->value >= 0)
		return came_through(evidence, "pids.max", 1, result);
	if (!judge_errno(evidence, result))
		return false;
	if (!read_counter(evidence, "pids.events", "max", &refused))
		return judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "pids.events of the container cannot be read");
	judge_fact(evidence->target, *evidence->target->text == 't' ? "threads" : "processes",
		   reached, sizeof(reached));
	if (refused == 0) {
		say(result, "EAGAIN after %s, but pids.events did not move", reached);
		return false;
	}
	say(result, "EAGAIN after %s, pids.events max %llu", reached, (unsigned long long)refused);
	return true;
}

bool judge_memory(const struct evidence *evidence, struct result *result)
{
	const struct observation *target = evidence->target;
	uint64_t killed = 0;

	if (target->done && target->value >= 0)
		return came_through(evidence, "memory.max", MIB, result);
	if (!judge_killed(target, SIGKILL))
		return judge_errno(evidence, result);
	if (!read_counter(evidence, "memory.events", "oom_kill", &killed))
		return judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "memory.events of the container cannot be read");
	say(result, "killed by SIGKILL, memory.events oom_kill %llu", (unsigned long long)killed);
	return killed > 0;
}

bool judge_swap(const struct evidence *evidence, struct result *result)
{
	const struct spec_memory *memory = &evidence->spec->linux.resources.memory;
	char swaps[512];
	uint64_t limit;

	if (!memory->limit.set || memory->limit.value < 0)
		return judge_undecided(result, VERDICT_NOT_APPLICABLE,
				       "no memory limit is configured");
	if (file_read_small(AT_FDCWD, "/proc/swaps", swaps, sizeof(swaps)) < 0 ||
	    !strchr(swaps, '\n') || !strchr(swaps, '\n')[1])
		return judge_undecided(result, VERDICT_NOT_APPLICABLE, "the host has no swap");
	if (!read_limit(evidence, "memory.swap.max", &limit))
		return judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "memory.swap.max of the container cannot be read");
	if (limit == UINT64_MAX) {
		say(result, "memory.swap.max is max");
		return false;
	}
	say(result, "memory.swap.max is %llu", (unsigned long long)limit);
	return !memory->swap.set || memory->swap.value < 0 ||
	       limit <= (uint64_t)(memory->swap.value - memory->limit.value);
}

bool judge_huge_pages(const struct evidence *evidence, struct result *result)
{
	static const char pool[] = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages";
	char pages[32];

	if (evidence->spec->linux.resources.hugepage_limits.len == 0)
		return judge_undecided(result, VERDICT_NOT_APPLICABLE,
				       "no limit of huge pages is configured");
	if (file_read_small(AT_FDCWD, pool, pages, sizeof(pages)) <= 0 || pages[0] == '0')
		return judge_undecided(result, VERDICT_NOT_APPLICABLE,
				       "the host has no huge pages of 2 MiB to give");
	return judge_errno(evidence, result);
}

/* --- processor, devices ---------------------------------------------------------------------- */

bool judge_cpu(const struct evidence *evidence, struct result *result)
{
	const struct spec_cpu *cpu = &evidence->spec->linux.resources.cpu;
	const struct observation *control = evidence->control;
	char max[64], *period;
	uint64_t throttled;
	double share = 0;
	bool felt;

	if (!cpu->quota.set || cpu->quota.value <= 0)
		return judge_undecided(result, VERDICT_NOT_APPLICABLE,
				       "no processor quota is configured");
	if (evidence->cgroup < 0 ||
	    file_read_small(evidence->cgroup, "cpu.max", max, sizeof(max)) <= 0 ||
	    !read_counter(evidence, "cpu.stat", "nr_throttled", &throttled))
		return judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "cpu.max and cpu.stat of the container cannot be read");
	if (strncmp(max, "max", 3) != 0) {
		share = 100 * strtod(max, &period);
		share /= strtod(period, NULL);
	}
	if (share > BURN_PERCENT)
		return judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "the quota is %.0f %% of a processor, too much to be felt",
				       share);
	if (!evidence->target->done || !control || !control->done)
		return judge_errno(evidence, result);
	say(result, "%lld ms of processor time (control: %lld), throttled %llu times",
	    (long long)evidence->target->value, (long long)control->value,
	    (unsigned long long)throttled);
	felt = throttled > 0 && evidence->target->value * 100 <= control->value * BURN_PERCENT;
	/* others left it less than would show a difference */
	if (!felt && (double)control->value * BURN_PERCENT < share * control->microseconds / 1000)
		return judge_undecided(
			result, VERDICT_INCONCLUSIVE,
			"the machine is too busy for a quota of %.0f %% to be felt: %s", share,
			result->observed);
	return felt;
}

/* "0-3,7" as flags. */
static void parse_list(const char *list, bool flags[CPUS_MAX])
{
	char *end;

	memset(flags, 0, CPUS_MAX * sizeof(*flags));
	while (*list >= '0' && *list <= '9') {
		long first = strtol(list, &end, 10);
		long last = *end == '-' ? strtol(end + 1, &end, 10) : first;

		for (long i = first; i <= last && i < CPUS_MAX; i++)
			flags[i] = true;
		list = *end == ',' ? end + 1 : end;
	}
}

bool judge_cpuset(const struct evidence *evidence, struct result *result)
{
	const char *allowed = evidence->spec->linux.resources.cpu.cpus;
	bool may[CPUS_MAX], got[CPUS_MAX];
	char list[150];

	if (!allowed || !*allowed)
		return judge_undecided(result, VERDICT_NOT_APPLICABLE,
				       "no set of processors is configured");
	if (!evidence->target->done || evidence->target->value < 0)
		return judge_errno(evidence, result);
	judge_fact(evidence->target, "cpus", list, sizeof(list));
	parse_list(allowed, may);
	parse_list(list, got);
	say(result, "processors %s of %s", list, allowed);
	for (size_t i = 0; i < CPUS_MAX; i++)
		if (got[i] && !may[i])
			return false;
	return *list != '\0';
}

/* Whether io.max has a line for the device with at most this rate. */
static bool is_throttled(const char *text, const struct spec_throttle *throttle, const char *key)
{
	char device[48];
	const char *at;

	snprintf(device, sizeof(device), "%lld:%lld ", (long long)throttle->major,
		 (long long)throttle->minor);
	for (at = text; at && strncmp(at, device, strlen(device)) != 0;) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	at = at ? strstr(at, key) : NULL;
	return at && at[strlen(key)] != 'm' &&
	       strtoull(at + strlen(key), NULL, 10) <= throttle->rate;
}

bool judge_io(const struct evidence *evidence, struct result *result)
{
	const struct spec_block_io *io = &evidence->spec->linux.resources.block_io;
	const struct {
		const struct spec_throttles *list;
		const char *key;
	} kinds[] = { { &io->read_bps, "rbps=" },
		      { &io->write_bps, "wbps=" },
		      { &io->read_iops, "riops=" },
		      { &io->write_iops, "wiops=" } };
	size_t configured = 0, missing = 0;
	char text[4096];

	if (evidence->cgroup < 0 ||
	    file_read_small(evidence->cgroup, "io.max", text, sizeof(text)) < 0)
		text[0] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (size_t j = 0; j < kinds[i].list->len; j++) {
			configured++;
			missing += !is_throttled(text, &kinds[i].list->item[j], kinds[i].key);
		}
	}
	if (!configured)
		return judge_undecided(result, VERDICT_NOT_APPLICABLE,
				       "no rate of a block device is configured");
	say(result, "%zu of %zu rates are in io.max", configured - missing, configured);
	return missing == 0;
}

/* --- what the host reads --------------------------------------------------------------------- */

/* No limit asked for, or one that is at most that. */
static bool holds(const struct evidence *evidence, const char *file,
		  const struct optional_i64 *asked)
{
	uint64_t limit;

	return !asked->set || asked->value < 0 ||
	       (read_limit(evidence, file, &limit) && limit <= (uint64_t)asked->value);
}

bool judge_membership(const struct evidence *evidence, struct result *result)
{
	const struct spec_resources *asked = &evidence->spec->linux.resources;
	const struct posture *posture = evidence->posture;
	char link[64], path[PATH_MAX];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", evidence->cgroup);
	len = readlink(link, path, sizeof(path) - 1);
	if (!posture || !posture->cgroup || len < 0)
		return judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "the container's cgroup cannot be read");
	path[len] = '\0';
	if (strlen(posture->cgroup) < 2 || strlen(posture->cgroup) > (size_t)len ||
	    strcmp(path + len - strlen(posture->cgroup), posture->cgroup) != 0) {
		say(result, "the process is in %s", posture->cgroup);
		return false;
	}
	if (!holds(evidence, "pids.max", &asked->pids_limit) ||
	    !holds(evidence, "memory.max", &asked->memory.limit)) {
		say(result, "pids.max or memory.max is above what is configured");
		return false;
	}
	say(result, "in %s, limits as configured", posture->cgroup);
	return true;
}

bool judge_rlimits(const struct evidence *evidence, struct result *result)
{
	const struct spec_rlimits *asked = &evidence->spec->process.rlimits;

	if (!asked->len)
		return judge_undecided(result, VERDICT_NOT_APPLICABLE, "no rlimits are configured");
	if (!evidence->posture)
		return judge_undecided(result, VERDICT_INCONCLUSIVE,
				       "the limits of the process cannot be read");
	for (size_t i = 0; i < asked->len; i++) {
		const struct spec_rlimit *limit = &asked->item[i];
		const struct rlimit *found = &evidence->posture->limits[limit->type];

		if (found->rlim_cur == limit->soft && found->rlim_max == limit->hard)
			continue;
		say(result, "%s is %llu:%llu, not %llu:%llu", name_text(rlimit_names, limit->type),
		    (unsigned long long)found->rlim_cur, (unsigned long long)found->rlim_max,
		    (unsigned long long)limit->soft, (unsigned long long)limit->hard);
		return false;
	}
	say(result, "%zu limits as configured", asked->len);
	return true;
}

/* --- the configuration under test ------------------------------------------------------------ */

const char *limits_patch(const struct spec *spec, struct arena *arena)
{
	const struct spec_resources *asked = &spec->linux.resources;
	struct json *patch = json_object(NULL, NULL, arena);
	struct json *linux = json_object(patch, "linux", arena);
	struct json *resources = json_object(linux, "resources", arena);
	const int64_t memory = (int64_t)LIMIT_MIB * MIB;
	const uint64_t period = asked->cpu.period.set ? asked->cpu.period.value : LIMIT_PERIOD_US;
	size_t size;

	if (asked->pids_limit.set && asked->pids_limit.value > LIMIT_PROCESSES)
		json_integer(json_object(resources, "pids", arena), "limit", LIMIT_PROCESSES,
			     arena);
	if (asked->memory.limit.set && asked->memory.limit.value > memory) {
		struct json *lower = json_object(resources, "memory", arena);

		json_integer(lower, "limit", memory, arena);
		/* of memory and swap together; what may be swapped stays as it is */
		if (asked->memory.swap.set && asked->memory.swap.value > 0)
			json_integer(lower, "swap",
				     memory + asked->memory.swap.value - asked->memory.limit.value,
				     arena);
	}
	if (asked->cpu.quota.set && asked->cpu.quota.value > 0 &&
	    (uint64_t)asked->cpu.quota.value * LIMIT_PERIOD_US > LIMIT_QUOTA_US * period) {
		struct json *lower = json_object(resources, "cpu", arena);

		json_integer(lower, "quota", LIMIT_QUOTA_US, arena);
		json_integer(lower, "period", LIMIT_PERIOD_US, arena);
		if (asked->cpu.burst.set) /* the kernel takes none above the quota */
			json_integer(lower, "burst", 0, arena);
	}
	return json_print(patch, false, arena, &size);
}

/* --- the rows -------------------------------------------------------------------------------- */

/* clang-format off */
#define GROUP .group = "limits"
#define CGROUP GROUP, .needs = LAYER_CGROUP, .layers = LAYER_CGROUP

const struct selftest_case cases_limits[] = {
	{ CGROUP, .id = "cg.membership", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the host finds the process in the container's cgroup, with the limits configured",
	  .control = CONTROL_NONE, .judge = JUDGE_membership,
	  .remedy = "delegate the cgroup controllers of linux.resources to agentd, and do not run with --best-effort cgroup",
	  .references = "C5.25" },
	{ CGROUP, .id = "cg.fork-bomb", .severity = SEVERITY_HIGH, .profiles = PROFILE_ALL,
	  .attempt = "fork 64 children that stay", .contained = { EAGAIN },
	  .control = CONTROL_COUNTER, .judge = JUDGE_processes,
	  .remedy = "set linux.resources.pids.limit; RLIMIT_NPROC does not bind root",
	  .references = "C5.29 N4.4.3 T1499 P11.1" },
	{ CGROUP, .id = "cg.thread-bomb", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "clone(CLONE_THREAD) 64 times", .contained = { EAGAIN },
	  .control = CONTROL_COUNTER, .judge = JUDGE_processes,
	  .remedy = "set linux.resources.pids.limit: it counts threads too", .references = "C5.29" },
	{ CGROUP, .id = "cg.fork-fast", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "fork daemons that fork daemons", .contained = { EAGAIN },
	  .control = CONTROL_COUNTER, .judge = JUDGE_processes,
	  .remedy = "set linux.resources.pids.limit", .references = "C5.29" },
	{ GROUP, .id = "cg.nproc-not-enough", .severity = SEVERITY_INFO, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the fork bomb against RLIMIT_NPROC alone: selftest must not call that contained",
	  .control = CONTROL_NONE, .layers = LAYER_RUNTIME,
	  .remedy = "report it: selftest takes a limit that does not bind root for containment", .references = "C5.19" },
	{ CGROUP, .id = "cg.memory", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "touch 96 MiB", .control = CONTROL_COUNTER, .judge = JUDGE_memory,
	  .remedy = "set linux.resources.memory.limit", .references = "C5.11 N4.4.3 P11.1" },
	{ CGROUP, .id = "cg.memory-swap", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the host reads memory.swap.max back", .control = CONTROL_NONE, .judge = JUDGE_swap,
	  .remedy = "set linux.resources.memory.swap to memory.limit, so that nothing is swapped instead",
	  .references = "C5.11" },
	{ CGROUP, .id = "cg.memory-shm", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "write 96 MiB into a memfd", .contained = { ENOSPC },
	  .control = CONTROL_COUNTER, .judge = JUDGE_memory,
	  .remedy = "set linux.resources.memory.limit: it counts memory of tmpfs and memfd too", .references = "C5.11" },
	{ GROUP, .needs = LAYER_CGROUP, .id = "cg.memory-kernel", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "fill 48 pipes of 1 MiB", .contained = { EPERM, ENOMEM, EMFILE, ENFILE },
	  .layers = LAYER_CGROUP | LAYER_RLIMITS | LAYER_KERNEL,
	  .control = CONTROL_COUNTER, .judge = JUDGE_memory,
	  .remedy = "set linux.resources.memory.limit; lower fs.pipe-user-pages-soft on the host",
	  .limitation = "one kind of the kernel's memory among many" },
	{ CGROUP, .id = "cg.oom-group", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "with memory.oom.group, take 96 MiB beside a sibling: both must go", .control = CONTROL_NONE,
	  .remedy = "Linux 4.19 or newer, and unified \"memory.oom.group\": \"1\"" },
	{ CGROUP, .id = "cg.cpu", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "compute for 600 ms", .control = CONTROL_COUNTER, .judge = JUDGE_cpu,
	  .remedy = "set linux.resources.cpu.quota and period", .references = "C5.12 T1496 P11.1",
	  .limitation = "a busy host takes time from the target and the control" },
	{ CGROUP, .id = "cg.cpuset", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "sched_setaffinity to all processors", .control = CONTROL_COUNTER, .judge = JUDGE_cpuset,
	  .remedy = "set linux.resources.cpu.cpus", .references = "C5.12" },
	{ CGROUP, .id = "cg.io", .severity = SEVERITY_LOW, .profiles = PROFILE_COMPREHENSIVE,
	  .attempt = "the host reads io.max back", .control = CONTROL_NONE, .judge = JUDGE_io,
	  .remedy = "delegate the io controller, and set linux.resources.blockIO.throttle*",
	  .limitation = "that the kernel keeps the rate is not measured" },
	{ CGROUP, .id = "cg.hugetlb", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "map a huge page and touch it", .contained = { ENOMEM, EFAULT },
	  .control = CONTROL_NONE, .judge = JUDGE_huge_pages,
	  .remedy = "set linux.resources.hugepageLimits for 2MB" },
	{ GROUP, .id = "cg.migrate", .severity = SEVERITY_HIGH, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "open cgroup.procs for writing, to move elsewhere", .contained = { EROFS, EACCES, EPERM, ENOENT },
	  .layers = LAYER_MOUNTS | LAYER_NAMESPACES | LAYER_LANDLOCK | LAYER_CAPABILITIES,
	  .control = CONTROL_HOST,
	  .remedy = "mount /sys/fs/cgroup with \"ro\" and add a cgroup namespace", .references = "C5.25" },
	{ GROUP, .id = "cg.subtree", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "make a cgroup below its own", .contained = { EROFS, EACCES, EPERM, ENOENT },
	  .layers = LAYER_MOUNTS | LAYER_LANDLOCK | LAYER_CAPABILITIES, .control = CONTROL_HOST,
	  .remedy = "mount /sys/fs/cgroup with \"ro\"",
	  .limitation = "where it is allowed on purpose, the limits above still bind" },
	{ GROUP, .id = "cg.kill", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "delete a container full of processes: none may be left",
	  .layers = LAYER_CGROUP | LAYER_RUNTIME, .control = CONTROL_NONE, .remedy = "a writable cgroup v2 and Linux 5.14 for cgroup.kill" },
	{ GROUP, .id = "cg.freeze", .severity = SEVERITY_LOW, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "pause a container that computes: it must stand still",
	  .layers = LAYER_CGROUP | LAYER_RUNTIME, .control = CONTROL_NONE, .remedy = "a writable cgroup v2 for cgroup.freeze" },
	{ GROUP, .id = "cg.rlimits", .severity = SEVERITY_MEDIUM, .profiles = PROFILE_FROM_STANDARD,
	  .attempt = "the host reads /proc/PID/limits", .layers = LAYER_RLIMITS,
	  .control = CONTROL_NONE, .judge = JUDGE_rlimits,
	  .remedy = "report it: process.rlimits are not what the process has", .references = "C5.19" },
	{ .id = "" },
};
/* clang-format on */
