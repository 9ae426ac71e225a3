/*
 * linux.resources as writes to the files of cgroup v2, see cgroup.h. Pure: whether the files exist
 * is found out when they are written.
 *
 * The specification speaks cgroup v1; the conversions are those on which runc, crun and youki agree
 * (runtime-spec config-linux.md "Control groups"; kernel Documentation/admin-guide/cgroup-v2.rst).
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "isolation/cgroup.h"
#include "runtime/base/array.h"
#include "runtime/base/log.h"

#define WEIGHT_MAX 10000 /* of cpu.weight and io.weight */
#define CPU_SHARES_MIN 2
#define CPU_SHARES_MAX 262144
#define IO_WEIGHT_MIN 10 /* of blockIO.weight */
#define IO_WEIGHT_MAX 1000
#define CPU_PERIOD_DEFAULT 100000 /* microseconds */

/* The rows so far. */
struct limits {
	struct cgroup_limit *row;
	size_t len;
	struct arena *arena;
};

static struct cgroup_limit *limits_add(struct limits *limits, const char *controller,
				       const char *file, const char *what, const char *text)
{
	limits->row = arena_grow(limits->arena, limits->row, limits->len, sizeof(*limits->row));
	limits->row[limits->len] = (struct cgroup_limit){
		.controller = controller, .file = file, .what = what, .text = text
	};
	return &limits->row[limits->len++];
}

/* Any negative number means "unlimited", as update(8) of other runtimes takes it. */
static const char *number_or_max(int64_t number, struct arena *arena)
{
	return number < 0 ? "max" : arena_format(arena, "%" PRId64, number);
}

static void plan_pids(const struct spec_resources *from, struct limits *limits)
{
	if (from->pids_limit.set)
		limits_add(limits, "pids", "pids.max", "linux.resources.pids.limit",
			   number_or_max(from->pids_limit.value, limits->arena));
}

/*
 * memory.swap of the specification is memory and swap together, the kernel's is swap alone. A
 * kernel that does not account swap has no file, which matters only if there is swap to be limited.
 */
static int plan_swap(const struct spec_memory *memory, struct limits *limits, struct err *err)
{
	const char *what = "linux.resources.memory.swap", *text;
	int64_t limit = memory->limit.set ? memory->limit.value : 0;
	int64_t swap = memory->swap.set ? memory->swap.value : 0;

	if (swap == 0 && limit >= 0)
		return 0;
	if (swap <= 0) {
		text = "max";
	} else {
		if (limit <= 0)
			return err_set(err, EINVAL,
				       "%s: needs linux.resources.memory.limit: it is the sum of "
				       "memory and swap",
				       what);
		if (swap < limit)
			return err_set(err, EINVAL,
				       "%s: is below linux.resources.memory.limit: it is the sum "
				       "of memory and swap",
				       what);
		text = arena_format(limits->arena, "%" PRId64, swap - limit);
	}
	limits_add(limits, "memory", "memory.swap.max", what, text)->optional =
		strcmp(text, "max") == 0 || strcmp(text, "0") == 0;
	return 0;
}

/* 0 is what callers send for "no limit asked for". */
static int plan_memory(const struct spec_resources *from, struct limits *limits, struct err *err)
{
	const struct spec_memory *memory = &from->memory;

	if (plan_swap(memory, limits, err) < 0)
		return -1;
	if (memory->limit.set && memory->limit.value)
		limits_add(limits, "memory", "memory.max", "linux.resources.memory.limit",
			   number_or_max(memory->limit.value, limits->arena));
	if (memory->reservation.set && memory->reservation.value)
		limits_add(limits, "memory", "memory.low", "linux.resources.memory.reservation",
			   number_or_max(memory->reservation.value, limits->arena));
	return 0;
}

uint64_t cgroup_io_weight(uint64_t weight)
{
	return weight ? 1 + (weight - IO_WEIGHT_MIN) * (WEIGHT_MAX - 1) /
					(IO_WEIGHT_MAX - IO_WEIGHT_MIN)
		      : 0;
}

/* The BFQ scheduler takes the specification's scale, where it is there; iocost has its own. */
static void add_io_weight(struct limits *limits, const char *device, uint64_t weight,
			  const char *what)
{
	limits_add(limits, "io", "io.bfq.weight", what,
		   arena_format(limits->arena, "%s%" PRIu64, device, weight))
		->optional = true;
	limits_add(limits, "io", "io.weight", what,
		   arena_format(limits->arena, "%s%" PRIu64, device, cgroup_io_weight(weight)))
		->alternative = true;
}

static void plan_io(const struct spec_resources *from, struct limits *limits)
{
	const struct spec_block_io *io = &from->block_io;
	/* clang-format off */
	const struct { const struct spec_throttles *list; const char *key, *what; } throttles[] = {
		{ &io->read_bps,   "rbps",  "linux.resources.blockIO.throttleReadBpsDevice" },
		{ &io->write_bps,  "wbps",  "linux.resources.blockIO.throttleWriteBpsDevice" },
		{ &io->read_iops,  "riops", "linux.resources.blockIO.throttleReadIOPSDevice" },
		{ &io->write_iops, "wiops", "linux.resources.blockIO.throttleWriteIOPSDevice" },
	};
	/* clang-format on */

	if (io->weight.set)
		add_io_weight(limits, "", io->weight.value, "linux.resources.blockIO.weight");
	for (size_t i = 0; i < io->weight_device.len; i++) {
		const struct spec_weight_device *device = &io->weight_device.item[i];

		if (device->weight.set)
			add_io_weight(limits,
				      arena_format(limits->arena, "%" PRId64 ":%" PRId64 " ",
						   device->major, device->minor),
				      device->weight.value, "linux.resources.blockIO.weightDevice");
	}
	for (size_t i = 0; i < ARRAY_LEN(throttles); i++)
		for (size_t j = 0; j < throttles[i].list->len; j++) {
			const struct spec_throttle *device = &throttles[i].list->item[j];
			const char *rate =
				device->rate ? arena_format(limits->arena, "%" PRIu64, device->rate)
					     : "max";

			limits_add(limits, "io", "io.max", throttles[i].what,
				   arena_format(limits->arena, "%" PRId64 ":%" PRId64 " %s=%s",
						device->major, device->minor, throttles[i].key,
						rate));
		}
}

/* The upper half of a product; unsigned __int128 is not on 32-bit machines. */
static uint64_t multiply_high(uint64_t a, uint64_t b)
{
	uint64_t a_low = (uint32_t)a, a_high = a >> 32, b_low = (uint32_t)b, b_high = b >> 32;
	uint64_t middle = a_high * b_low + (a_low * b_low >> 32);

	return a_high * b_high + (middle >> 32) + ((a_low * b_high + (uint32_t)middle) >> 32);
}

/* log2(number) with 40 fractional bits, truncated: each squaring of the mantissa gives one bit. */
static uint64_t log2_fixed(uint64_t number)
{
	unsigned whole = 63 - (unsigned)__builtin_clzll(number);
	uint64_t mantissa = number << (62 - whole), log = whole;

	for (int i = 0; i < 40; i++) {
		mantissa = multiply_high(mantissa << 1, mantissa << 1);
		log = log << 1 | mantissa >> 63;
		mantissa >>= mantissa >> 63;
	}
	return log;
}

/*
 * ceil(10^((l*l + 125*l)/612 - 7/34)), l = log2(shares): 1024, the default, becomes 100, the
 * default. In whole numbers, because pow(3) may be one unit off at 1024 and ceil(3) then says 101:
 * the smallest weight with 612 * log2(weight) >= (l - 1) * (l + 126) * log2(10), both sides with 48
 * fractional bits.
 */
uint64_t cgroup_cpu_weight(uint64_t shares)
{
	const uint64_t one = 1ull << 40, rounding = 1 << 22;
	uint64_t low = 1, high = WEIGHT_MAX, log, wanted;

	if (shares == 0)
		return 0;
	if (shares <= CPU_SHARES_MIN)
		return 1;
	if (shares >= CPU_SHARES_MAX)
		return WEIGHT_MAX;
	log = log2_fixed(shares);
	wanted = multiply_high((log - one) << 18, (log + 126 * one) << 16);
	wanted = multiply_high(wanted, log2_fixed(10) << 22);
	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if ((612 * log2_fixed(middle) << 8) + rounding >= wanted)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* An idle group has no weight: the kernel refuses to set one (EINVAL). */
static void plan_cpu_weight(const struct spec_cpu *cpu, struct limits *limits)
{
	if (cpu->idle.set)
		limits_add(limits, "cpu", "cpu.idle", "linux.resources.cpu.idle",
			   arena_format(limits->arena, "%" PRId64, cpu->idle.value));
	if (cpu->shares.set && cpu->shares.value && !(cpu->idle.set && cpu->idle.value))
		limits_add(limits, "cpu", "cpu.weight", "linux.resources.cpu.shares",
			   arena_format(limits->arena, "%" PRIu64,
					cgroup_cpu_weight(cpu->shares.value)));
}

/*
 * The kernel refuses a burst above the quota at every moment, so that no order of the two suits
 * both more and less: first no burst, then the quota, then the burst.
 */
static void plan_cpu(const struct spec_resources *from, struct limits *limits)
{
	const struct spec_cpu *cpu = &from->cpu;
	bool period = cpu->period.set && cpu->period.value;
	bool quota = cpu->quota.set && cpu->quota.value;

	plan_cpu_weight(cpu, limits);
	if (cpu->burst.set && (quota || period))
		limits_add(limits, "cpu", "cpu.max.burst", "linux.resources.cpu.burst", "0")
			->optional = true;
	if (quota || period)
		limits_add(
			limits, "cpu", "cpu.max",
			quota ? "linux.resources.cpu.quota" : "linux.resources.cpu.period",
			arena_format(limits->arena, "%s %" PRIu64,
				     quota ? number_or_max(cpu->quota.value, limits->arena) : "max",
				     period ? cpu->period.value : CPU_PERIOD_DEFAULT));
	if (cpu->burst.set)
		limits_add(limits, "cpu", "cpu.max.burst", "linux.resources.cpu.burst",
			   arena_format(limits->arena, "%" PRIu64, cpu->burst.value));
	if (cpu->cpus && *cpu->cpus)
		limits_add(limits, "cpuset", "cpuset.cpus", "linux.resources.cpu.cpus", cpu->cpus);
	if (cpu->mems && *cpu->mems)
		limits_add(limits, "cpuset", "cpuset.mems", "linux.resources.cpu.mems", cpu->mems);
}

/* Reservations too: they fail at mmap(2), where a page fault would kill (SIGBUS). */
static void plan_hugetlb(const struct spec_resources *from, struct limits *limits)
{
	for (size_t i = 0; i < from->hugepage_limits.len; i++) {
		const struct spec_hugepage_limit *limit = &from->hugepage_limits.item[i];
		const char *what, *text;

		what = arena_format(limits->arena, "linux.resources.hugepageLimits[%zu]", i);
		text = arena_format(limits->arena, "%" PRIu64, limit->limit);
		limits_add(limits, "hugetlb",
			   arena_format(limits->arena, "hugetlb.%s.rsvd.max", limit->page_size),
			   what, text)
			->optional = true;
		limits_add(limits, "hugetlb",
			   arena_format(limits->arena, "hugetlb.%s.max", limit->page_size), what,
			   text);
	}
}

static const char *rdma_limit(const char *key, const struct optional_u64 *limit,
			      struct arena *arena)
{
	return limit->set ? arena_format(arena, " %s=%" PRIu64, key, limit->value) : "";
}

static void plan_rdma(const struct spec_resources *from, struct limits *limits)
{
	for (size_t i = 0; i < from->rdma.len; i++) {
		const struct spec_rdma *rdma = &from->rdma.item[i];

		if (!rdma->hca_handles.set && !rdma->hca_objects.set)
			continue;
		limits_add(
			limits, "rdma", "rdma.max",
			arena_format(limits->arena, "linux.resources.rdma '%s'", rdma->device),
			arena_format(limits->arena, "%s%s%s", rdma->device,
				     rdma_limit("hca_handle", &rdma->hca_handles, limits->arena),
				     rdma_limit("hca_object", &rdma->hca_objects, limits->arena)));
	}
}

/* The controller that a file belongs to by its name, or NULL. */
static const char *file_controller(const char *file)
{
	size_t len = strcspn(file, ".");

	for (size_t i = 0; cgroup_controllers[i]; i++)
		if (strlen(cgroup_controllers[i]) == len &&
		    strncmp(cgroup_controllers[i], file, len) == 0)
			return cgroup_controllers[i];
	return NULL;
}

/* Verbatim; each line is a write of its own, for the kernel takes one device at a time. */
static void plan_unified(const struct spec_resources *from, struct limits *limits)
{
	for (size_t i = 0; i < from->unified.len; i++) {
		const char *file = from->unified.item[i].key, *line = from->unified.item[i].value;
		const char *what =
			arena_format(limits->arena, "linux.resources.unified '%s'", file);

		for (;;) {
			size_t len = strcspn(line, "\n");

			limits_add(limits, file_controller(file), file, what,
				   arena_copy(limits->arena, line, len));
			if (!line[len] || !line[len + 1])
				break;
			line += len + 1;
		}
	}
}

/* What cgroup v2 has no file for, and the specification allows to ignore. */
static void warn_ignored(const struct spec_resources *from)
{
	const struct spec_memory *memory = &from->memory;
	const struct spec_cpu *cpu = &from->cpu;
	/* clang-format off */
	const struct { bool asked; const char *what; } ignored[] = {
		{ memory->kernel.set,             "memory.kernel" },
		{ memory->kernel_tcp.set,         "memory.kernelTCP" },
		{ memory->swappiness.set,         "memory.swappiness" },
		{ memory->disable_oom_killer,     "memory.disableOOMKiller" },
		{ cpu->realtime_period.set,       "cpu.realtimePeriod" },
		{ cpu->realtime_runtime.set,      "cpu.realtimeRuntime" },
		{ from->block_io.leaf_weight.set, "blockIO.leafWeight" },
		{ from->network_class_id.set,     "network.classID" },
		{ from->network_priorities,       "network.priorities" },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		if (ignored[i].asked)
			log_warn("linux.resources.%s: cgroup v2 has nothing like it; ignored",
				 ignored[i].what);
}

int cgroup_limits_plan(const struct spec_resources *resources, struct arena *arena,
		       struct cgroup_limit **limits, size_t *len, struct err *err)
{
	struct limits rows = { .arena = arena };

	plan_pids(resources, &rows);
	if (plan_memory(resources, &rows, err) < 0)
		return -1;
	plan_io(resources, &rows);
	plan_cpu(resources, &rows);
	plan_hugetlb(resources, &rows);
	plan_rdma(resources, &rows);
	/* last: it may overwrite the others */
	plan_unified(resources, &rows);
	warn_ignored(resources);
	*limits = rows.row;
	*len = rows.len;
	return 0;
}
