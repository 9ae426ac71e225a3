/*
 * Our filters against those that libseccomp makes of the same rules: every number of every
 * architecture, and arguments at the edges of what is compared, must get the same answer. Both
 * programs run in bpfsim.c. What libseccomp leaves open, rules that overlap, is compared with the
 * plain words of seccomp_rules.h; so are the multiplexers where rules look at arguments.
 *
 * SEEDS=N in the environment makes so many random profiles instead of the usual number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four that it needs */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "isolation/seccomp.h"
#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "tests/unit/bpfsim.c"

#define X32 0x40000000u
#define ORDINARY_CALL_END 0xf0000
#define SAMPLES_MAX 1024
#define RULES_MAX 128
#define PROFILES 2000

/* Of the last but one nothing is known; the last, x32, comes under x86-64's number. */
static const uint32_t architectures[] = {
	SCMP_ARCH_X86_64,   SCMP_ARCH_X86,	   SCMP_ARCH_AARCH64,
	SCMP_ARCH_ARM,	    SCMP_ARCH_MIPSEL,	   SCMP_ARCH_RISCV64,
	SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64N32, 0,
	SCMP_ARCH_X32,
};
#define ARCHITECTURES ARRAY_LEN(architectures)

struct filter {
	struct sock_filter instructions[BPF_MAXINSNS];
	size_t len;
};

/* One profile, both filters, and what the calls are tried with. */
struct pair {
	struct arena *arena;
	struct seccomp_plan plan;
	struct filter ours, theirs;
	int newest[8]; /* for each architecture the newest call that is named */
	const int *numbers[ARCHITECTURES][RULES_MAX]; /* of each rule's names */
};

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(random_state >> 33) % limit;
}

/* --- libseccomp's filter --------------------------------------------------------------------- */

static enum scmp_compare library_operator(enum seccomp_operator operator)
{
	static const enum scmp_compare operators[] = {
		[SECCOMP_EQ] = SCMP_CMP_EQ, [SECCOMP_GE] = SCMP_CMP_GE,
		[SECCOMP_GT] = SCMP_CMP_GT, [SECCOMP_LE] = SCMP_CMP_LE,
		[SECCOMP_LT] = SCMP_CMP_LT, [SECCOMP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
		[SECCOMP_NE] = SCMP_CMP_NE,
	};

	return operators[operator];
}

static int library_add(scmp_filter_ctx context, const struct seccomp_rule *rule, const char *name)
{
	struct scmp_arg_cmp args[16];
	int call = seccomp_syscall_resolve_name(name), result = 0;

	if (call == __NR_SCMP_ERROR)
		return 0;
	assert_true(rule->args_len < ARRAY_LEN(args));
	for (size_t i = 0; i < rule->args_len; i++) {
		const struct seccomp_comparison *arg = &rule->args[i];
		bool masked = arg->operator== SECCOMP_MASKED_EQ;

		args[i] = (struct scmp_arg_cmp){ arg->argument, library_operator(arg->operator),
						 masked ? arg->mask : arg->value,
						 masked ? arg->value : 0 };
	}
	if (!rule->alternatives)
		return seccomp_rule_add_array(context, rule->action, call, (unsigned)rule->args_len,
					      args);
	for (size_t i = 0; result == 0 && i < rule->args_len; i++)
		result = seccomp_rule_add_array(context, rule->action, call, 1, &args[i]);
	return result;
}

/* False: libseccomp refuses it, because of alternatives that overlap. */
static bool make_theirs(struct pair *pair)
{
	const struct seccomp_plan *plan = &pair->plan;
	scmp_filter_ctx context = seccomp_init(plan->default_action);
	autoclose int fd = memfd_create("filter", MFD_CLOEXEC);
	int result = 0;
	ssize_t size;

	assert_non_null(context);
	for (size_t i = 1; i < plan->architectures_len; i++)
		assert_int_equal(seccomp_arch_add(context, plan->architectures[i]), 0);
	for (size_t i = 0; i < plan->rules_len; i++)
		for (size_t j = 0; result == 0 && j < plan->rules[i].names_len; j++)
			if (plan->rules[i].action != plan->default_action)
				result = library_add(context, &plan->rules[i],
						     plan->rules[i].names[j]);
	if (result == -EEXIST) {
		seccomp_release(context);
		return false;
	}
	assert_int_equal(result, 0);
	assert_int_equal(seccomp_export_bpf(context, fd), 0);
	seccomp_release(context);
	size = pread(fd, pair->theirs.instructions, sizeof(pair->theirs.instructions), 0);
	assert_true(size > 0);
	pair->theirs.len = (size_t)size / sizeof(struct sock_filter);
	return true;
}

/* --- the pair -------------------------------------------------------------------------------- */

static void find_numbers(struct pair *pair)
{
	for (size_t i = 0; i < ARCHITECTURES; i++) {
		for (size_t j = 0; j < pair->plan.rules_len; j++) {
			const struct seccomp_rule *rule = &pair->plan.rules[j];
			int *numbers = arena_new_array(pair->arena, int, rule->names_len);

			for (size_t k = 0; k < rule->names_len; k++)
				numbers[k] = seccomp_syscall_resolve_name_arch(architectures[i],
									       rule->names[k]);
			pair->numbers[i][j] = numbers;
		}
	}
}

/* Of multiplexed calls the last has the number 402, on MIPS 4402. */
static void find_newest(struct pair *pair)
{
	const struct seccomp_plan *plan = &pair->plan;

	for (size_t i = 0; i < plan->architectures_len; i++) {
		uint32_t architecture = plan->architectures[i];
		int socketcall = seccomp_syscall_resolve_name_arch(architecture, "socketcall");

		pair->newest[i] = -1;
		for (size_t j = 0; j < plan->rules_len; j++) {
			for (size_t k = 0; k < plan->rules[j].names_len; k++) {
				int nr = seccomp_syscall_resolve_name_arch(architecture,
									   plan->rules[j].names[k]);

				if (socketcall >= 0 && nr <= -100 && nr > -300)
					nr = socketcall + 300;
				if (nr > pair->newest[i] && nr < ORDINARY_CALL_END)
					pair->newest[i] = nr;
			}
		}
	}
}

static void make_ours(struct pair *pair, const struct spec *spec, struct arena *arena)
{
	struct sock_fprog program;
	struct host host = { 0 };
	struct err err = { 0 };

	pair->arena = arena;
	if (seccomp_plan(spec, &host, arena, &pair->plan, &err) < 0 ||
	    seccomp_compile(&pair->plan, arena, &program, &err) < 0)
		fail_msg("%s", err.text);
	memcpy(pair->ours.instructions, program.filter, program.len * sizeof(*program.filter));
	pair->ours.len = program.len;
	assert_true(pair->plan.architectures_len <= ARRAY_LEN(pair->newest));
	assert_true(pair->plan.rules_len <= RULES_MAX);
	find_newest(pair);
	find_numbers(pair);
}

static uint32_t run(const struct filter *filter, const struct seccomp_data *data)
{
	uint32_t answer;

	if (bpfsim_run(filter->instructions, filter->len, data, &answer) < 0)
		fail_msg("the kernel would refuse the filter");
	return answer;
}

/* What calls newer than all that the profile names are answered, in front of libseccomp's filter.
 * Under x86-64's number come x32's calls too, which are never ordinary. */
static bool answers_enosys(const struct pair *pair, const struct seccomp_data *data)
{
	const struct seccomp_plan *plan = &pair->plan;

	if ((plan->default_action & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO)
		return false;
	for (size_t i = 0; i < plan->architectures_len; i++)
		if (plan->architectures[i] == data->arch)
			return pair->newest[i] >= 0 && data->nr > pair->newest[i] &&
			       data->nr < ORDINARY_CALL_END;
	return false;
}

static uint32_t expected(const struct pair *pair, const struct seccomp_data *data)
{
	return answers_enosys(pair, data) ? SECCOMP_RET_ERRNO | ENOSYS : run(&pair->theirs, data);
}

/* The same by the words of seccomp_rules.h, for calls that no other leads to. */
static bool holds(const struct seccomp_comparison *with, uint64_t argument, bool wide)
{
	const uint64_t all = wide ? UINT64_MAX : UINT32_MAX;
	const uint64_t value = with->value & all;

	argument &= all;
	switch (with->operator) {
	case SECCOMP_EQ:
		return argument == value;
	case SECCOMP_NE:
		return argument != value;
	case SECCOMP_LT:
		return argument < value;
	case SECCOMP_LE:
		return argument <= value;
	case SECCOMP_GT:
		return argument > value;
	case SECCOMP_GE:
		return argument >= value;
	default:
		return (argument & with->mask & all) == value;
	}
}

static bool matches(const struct seccomp_rule *rule, const struct seccomp_data *data, bool wide)
{
	size_t held = 0;

	for (size_t i = 0; i < rule->args_len; i++)
		held += holds(&rule->args[i], data->args[rule->args[i].argument], wide);
	return rule->alternatives ? held > 0 : held == rule->args_len;
}

static size_t architecture_of(const struct seccomp_data *data)
{
	const bool x32 = data->arch == AUDIT_ARCH_X86_64 && (uint32_t)data->nr >= X32;
	size_t i = 0;

	while (architectures[i] != (x32 ? (uint32_t)SCMP_ARCH_X32 : data->arch))
		i++;
	return i;
}

static bool is_named(const struct pair *pair, size_t architecture)
{
	for (size_t i = 0; i < pair->plan.architectures_len; i++)
		if (pair->plan.architectures[i] == architectures[architecture])
			return true;
	return false;
}

static bool names_call(const struct pair *pair, size_t rule, const struct seccomp_data *data)
{
	const int *numbers = pair->numbers[architecture_of(data)][rule];

	for (size_t i = 0; i < pair->plan.rules[rule].names_len; i++)
		if (numbers[i] >= 0 && numbers[i] == data->nr)
			return true;
	return false;
}

static uint32_t by_words(const struct pair *pair, const struct seccomp_data *data)
{
	const uint32_t architecture = architectures[architecture_of(data)];
	const bool wide = architecture & __AUDIT_ARCH_64BIT &&
			  architecture != SCMP_ARCH_MIPSEL64N32;
	const struct seccomp_rule *rules = pair->plan.rules;
	uint32_t answer = pair->plan.default_action;
	bool decided = false;

	if (!is_named(pair, architecture_of(data)) &&
	    (data->arch != AUDIT_ARCH_X86_64 || data->nr != -1))
		return SECCOMP_RET_KILL_THREAD;
	if (answers_enosys(pair, data))
		return SECCOMP_RET_ERRNO | ENOSYS;
	for (size_t i = 0; i < pair->plan.rules_len; i++) {
		if (rules[i].action == pair->plan.default_action || !names_call(pair, i, data))
			continue;
		if (rules[i].args_len == 0)
			return rules[i].action;
		if (!decided && matches(&rules[i], data, wide)) {
			answer = rules[i].action;
			decided = true;
		}
	}
	return answer;
}

static uint32_t ours(const struct pair *pair, const struct seccomp_data *data)
{
	return run(&pair->ours, data);
}

/* Ours too, where differences are wanted and not printed. */
static uint32_t wrong(const struct pair *pair, const struct seccomp_data *data)
{
	return run(&pair->ours, data);
}

/* Multiplexers and what they lead to: the words do not say which numbers that is. */
static bool is_multiplexing(const struct seccomp_data *data)
{
	const int base = data->arch == AUDIT_ARCH_MIPSEL ? 4000 : 0;

	return (data->arch == AUDIT_ARCH_I386 || data->arch == AUDIT_ARCH_MIPSEL) &&
	       data->nr >= base + 102 && data->nr <= base + 402;
}

/* libseccomp's answer where the words say nothing. */
static uint32_t by_words_if_any(const struct pair *pair, const struct seccomp_data *data)
{
	for (size_t i = 0; i < pair->plan.rules_len; i++)
		if (names_call(pair, i, data))
			return by_words(pair, data);
	return is_multiplexing(data) ? expected(pair, data) : by_words(pair, data);
}

/* --- what is tried --------------------------------------------------------------------------- */

struct samples {
	uint64_t value[6][SAMPLES_MAX];
	size_t len[6];
};

static void add_sample(struct samples *samples, unsigned argument, uint64_t value)
{
	if (samples->len[argument] < SAMPLES_MAX)
		samples->value[argument][samples->len[argument]++] = value;
}

/* The edges of a comparison, in both halves. */
static void add_edges(struct samples *samples, const struct seccomp_comparison *with)
{
	const uint64_t edges[] = {
		with->value,
		with->value - 1,
		with->value + 1,
		with->value ^ UINT64_C(0x100000000),
		with->value + UINT64_C(0x100000000),
		with->value - UINT64_C(0x100000000),
		with->value ^ UINT64_C(0x8000000000000000),
		(uint32_t)with->value,
		with->value | ~with->mask,
		with->value ^ (with->mask & -with->mask),
		with->value ^ (with->mask & UINT64_C(0xffffffff00000000) &
			       -(with->mask & UINT64_C(0xffffffff00000000))),
		with->value << 32 | with->value >> 32,
	};

	for (size_t i = 0; i < ARRAY_LEN(edges); i++)
		add_sample(samples, with->argument, edges[i]);
}

/* Those of the neighbours too, who must not get the call's answers. */
static void find_samples(const struct pair *pair, const struct seccomp_data *data,
			 struct samples *samples)
{
	const struct seccomp_plan *plan = &pair->plan;
	struct seccomp_data near = *data;

	memset(samples->len, 0, sizeof(samples->len));
	for (size_t i = 0; i < plan->rules_len; i++)
		for (uint32_t j = 0; plan->rules[i].args_len && j < 3; j++) {
			near.nr = (int)((uint32_t)data->nr + 1 - j);
			for (size_t k = 0;
			     names_call(pair, i, &near) && k < plan->rules[i].args_len; k++)
				add_edges(samples, &plan->rules[i].args[k]);
		}
}

typedef uint32_t answer_fn(const struct pair *pair, const struct seccomp_data *data);

/* The number of differences; those of ours are printed. */
static size_t compare(const struct pair *pair, struct seccomp_data *data, answer_fn *one,
		      answer_fn *other)
{
	uint32_t answer = one(pair, data), theirs = other(pair, data);

	if (answer == theirs)
		return 0;
	if (one == ours)
		print_error("architecture %#x, call %d, arguments %#llx %#llx %#llx %#llx %#llx "
			    "%#llx: %#x, expected %#x\n",
			    data->arch, data->nr, (unsigned long long)data->args[0],
			    (unsigned long long)data->args[1], (unsigned long long)data->args[2],
			    (unsigned long long)data->args[3], (unsigned long long)data->args[4],
			    (unsigned long long)data->args[5], answer, theirs);
	return 1;
}

static size_t compare_call(const struct pair *pair, uint32_t arch, int nr, answer_fn *one,
			   answer_fn *other)
{
	struct seccomp_data data = { .nr = nr, .arch = arch };
	static struct samples samples;
	size_t differences = compare(pair, &data, one, other);

	find_samples(pair, &data, &samples);
	/* every edge of each alone, with all the others by chance */
	for (unsigned i = 0; i < 6; i++) {
		for (size_t j = 0; j < samples.len[i] && differences == 0; j++) {
			for (int round = 0; round < 4; round++) {
				for (unsigned k = 0; k < 6; k++)
					if (samples.len[k])
						data.args[k] = samples.value[k][random_below(
							(uint32_t)samples.len[k])];
				data.args[i] = samples.value[i][j];
				differences += compare(pair, &data, one, other);
			}
		}
	}
	return differences;
}

/* Numbers from `first` on, so many. -1, libseccomp's negative ones and the edges of all areas too.
 */
static const struct {
	uint32_t first, len;
} tried_numbers[] = {
	{ 0, 700 },	    { (uint32_t)-250, 250 }, { X32 - 2, 704 },	{ 0xf0000 - 2, 12 },
	{ 4000, 480 },	    { 5000, 480 },	     { 0x7ffffffe, 4 }, { (uint32_t)-10100, 40 },
	{ X32 * 2 - 1, 3 }, { 0xbffffffe, 4 },
};

/* How socketcall(2) and ipc(2) decide. */
static size_t compare_multiplexers(const struct pair *pair)
{
	size_t differences = 0;

	for (int nr = 102; nr <= 117; nr += 15)
		for (uint64_t i = 0; i < 30; i++) {
			struct seccomp_data data = { nr, AUDIT_ARCH_I386, 0, { i } };

			differences += compare(pair, &data, ours, expected);
			data.args[0] |= UINT64_C(0x100000000);
			differences += compare(pair, &data, ours, expected);
			data.nr += 4000;
			data.arch = AUDIT_ARCH_MIPSEL;
			differences += compare(pair, &data, ours, expected);
		}
	return differences;
}

static size_t compare_all(const struct pair *pair, answer_fn *one, answer_fn *other)
{
	size_t differences = 0;

	for (size_t i = 0; i < ARCHITECTURES - 1; i++) {
		const struct seccomp_data any = { .arch = architectures[i] };
		/* all of its calls are decided alike */
		const uint32_t step = is_named(pair, architecture_of(&any)) || i == 0 ? 1 : 67;

		for (size_t j = 0; j < ARRAY_LEN(tried_numbers); j++)
			for (uint32_t k = 0; k < tried_numbers[j].len && differences == 0;
			     k += step)
				differences += compare_call(pair, architectures[i],
							    (int)(tried_numbers[j].first + k), one,
							    other);
	}
	return differences;
}

static int setup(void **state)
{
	*state = arena_new(ARENA_LIMIT);
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

/* --- profiles of the world ------------------------------------------------------------------- */

static struct spec *load(const char *directory, const char *file, struct arena *arena)
{
	autoclose int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err err = { 0 };
	struct spec *spec;

	assert_return_code(dir, errno);
	if (spec_load(dir, file, arena, &spec, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return spec;
}

static void expect_same(const struct pair *pair)
{
	assert_int_equal(compare_all(pair, ours, expected), 0);
	assert_int_equal(compare_multiplexers(pair), 0);
}

/* `agentd spec`'s, and what podman hands over. */
static void profiles_in_use(void **state)
{
	static const struct {
		const char *directory, *file;
	} profiles[] = { { "tests/golden", "default.json" }, { "tests/fixtures", "podman.json" } };
	static struct pair pair;

	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		make_ours(&pair, load(profiles[i].directory, profiles[i].file, *state), *state);
		assert_true(make_theirs(&pair));
		expect_same(&pair);
		assert_true(pair.ours.len < pair.theirs.len);
	}
}

/* --- made up profiles ------------------------------------------------------------------------ */

static const char *const operators[] = {
	"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",	    "SCMP_CMP_LE",
	"SCMP_CMP_LT", "SCMP_CMP_NE", "SCMP_CMP_MASKED_EQ",
};
static const char *const actions[] = {
	"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS",
	"SCMP_ACT_LOG",	  "SCMP_ACT_TRAP",  "SCMP_ACT_KILL_THREAD",
};
static const uint64_t values[] = {
	0,
	1,
	2,
	5,
	0x1000,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x100000000,
	0x100000005,
	0x7fffffffffffffff,
	0x8000000000000000,
	0xffffffff00000000,
	UINT64_MAX - 1,
	UINT64_MAX,
};
/* Of many kinds: on some architectures only, multiplexed, private to ARM, unknown. */
static const char *const odd_names[] = {
	"socketcall", "ipc",	 "socket",     "bind",	       "accept",     "accept4",
	"send",	      "recv",	 "recvmmsg",   "semop",	       "shmat",	     "msgctl",
	"cacheflush", "set_tls", "waitpid",    "_llseek",      "umount",     "stat64",
	"mmap2",      "set_tls", "breakpoint", "no_such_call", "arch_prctl",
};

static bool is_multiplexed(const char *name)
{
	int nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, name);

	return (nr <= -100 && nr > -300) || nr == 102 || nr == 117;
}

static const char *random_name(struct arena *arena)
{
	char *name;
	const char *copy;

	if (random_below(5) == 0)
		return odd_names[random_below(ARRAY_LEN(odd_names))];
	while (!(name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, (int)random_below(450))))
		;
	copy = arena_copy(arena, name, strlen(name));
	free(name); /* libseccomp's */
	return copy;
}

static struct spec_seccomp_args random_args(bool overlap, struct arena *arena)
{
	struct spec_seccomp_args args = { NULL, 1 + random_below(3) };

	args.item = arena_new_array(arena, struct spec_seccomp_arg, args.len);
	for (size_t i = 0; i < args.len; i++)
		args.item[i] = (struct spec_seccomp_arg){
			.index = overlap ? random_below(6) : 2 * i + random_below(2),
			.op = operators[random_below(ARRAY_LEN(operators))],
			.value = values[random_below(ARRAY_LEN(values))],
			.value_two = values[random_below(ARRAY_LEN(values))],
		};
	return args;
}

static struct spec_seccomp_rule random_rule(bool overlap, struct arena *arena)
{
	struct spec_seccomp_rule rule = { .action = actions[random_below(ARRAY_LEN(actions))] };
	bool compares = random_below(2);

	rule.names.len = compares ? 1 : 1 + random_below(random_below(4) ? 4 : 60);
	rule.names.item = arena_new_array(arena, const char *, rule.names.len);
	for (size_t i = 0; i < rule.names.len; i++)
		do
			rule.names.item[i] = random_name(arena);
		while ((compares || overlap) && is_multiplexed(rule.names.item[i]));
	if (compares) {
		if (!overlap)
			rule.action =
				actions[(unsigned char)rule.names.item[0][1] % ARRAY_LEN(actions)];
		rule.args = random_args(overlap, arena);
	}
	if (strcmp(rule.action, "SCMP_ACT_ERRNO") == 0 && !compares)
		rule.errno_ret = (struct optional_u64){ random_below(2), random_below(4) };
	return rule;
}

/* Of two comparisons that are to be ORed libseccomp may forget the second where the first matches
 * in part: both are in one tree, which is not climbed again. */
static void drop_second(struct spec_seccomp *profile, size_t at)
{
	struct spec_seccomp_rule *rule = &profile->syscalls.item[at];

	for (size_t i = 0; rule->args.len && i < at; i++)
		if (profile->syscalls.item[i].args.len &&
		    strcmp(profile->syscalls.item[i].names.item[0], rule->names.item[0]) == 0)
			rule->args.len = 0;
}

static const struct spec *random_spec(bool overlap, struct arena *arena)
{
	static const char *const words[] = { "SCMP_ARCH_X86",	  "SCMP_ARCH_X32",
					     "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM",
					     "SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64N32",
					     "SCMP_ARCH_RISCV64" };
	struct spec *spec = arena_new_object(arena, struct spec);
	struct spec_seccomp *profile = &spec->linux.seccomp;

	profile->set = true;
	profile->default_action = actions[random_below(ARRAY_LEN(actions))];
	profile->architectures.item = arena_new_array(arena, const char *, ARRAY_LEN(words));
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (random_below(4) == 0)
			profile->architectures.item[profile->architectures.len++] = words[i];
	profile->syscalls.len = random_below(random_below(10) ? 12 : RULES_MAX);
	profile->syscalls.item = arena_new_array(arena, struct spec_seccomp_rule, RULES_MAX);
	for (size_t i = 0; i < profile->syscalls.len; i++) {
		struct spec_seccomp_rule *rule = &profile->syscalls.item[i];

		*rule = random_rule(overlap, arena);
		if (i && overlap && random_below(3) == 0) /* again for the same call */
			rule->names = profile->syscalls.item[i - 1].names;
		if (!overlap)
			drop_second(profile, i);
	}
	return spec;
}

static void print_profile(const struct pair *pair)
{
	const struct seccomp_plan *plan = &pair->plan;

	print_error("default %#x; architectures", plan->default_action);
	for (size_t i = 0; i < plan->architectures_len; i++)
		print_error(" %#x", plan->architectures[i]);
	print_error("\n");
	for (size_t i = 0; i < plan->rules_len; i++) {
		const struct seccomp_rule *rule = &plan->rules[i];

		print_error("%s... %#x%s", rule->names[0], rule->action,
			    rule->alternatives ? " one of" : "");
		for (size_t j = 0; j < rule->args_len; j++)
			print_error(", argument %u %s %#llx/%#llx", rule->args[j].argument,
				    name_text(seccomp_operator_names, rule->args[j].operator),
				    (unsigned long long)rule->args[j].value,
				    (unsigned long long)rule->args[j].mask);
		print_error("\n");
	}
}

static size_t profiles_wanted(size_t usual)
{
	const char *seeds = getenv("SEEDS");

	return seeds ? strtoul(seeds, NULL, 10) : usual;
}

/* Of some profiles of several architectures libseccomp 2.5 makes a filter that takes the
 * architecture for the call's number, or a wrong one of comparisons: those are for the words alone.
 */
static void random_profiles_as_libseccomp(void **state)
{
	const size_t profiles = profiles_wanted(PROFILES);
	static struct pair pair;
	size_t compared = 0;

	(void)state;
	for (size_t seed = 0; seed < profiles; seed++) {
		struct arena *arena = arena_new(ARENA_LIMIT);

		random_state = seed;
		make_ours(&pair, random_spec(false, arena), arena);
		if (make_theirs(&pair) && compare_all(&pair, expected, by_words_if_any) == 0) {
			compared++;
			if (compare_all(&pair, ours, expected) || compare_multiplexers(&pair)) {
				print_profile(&pair);
				fail_msg("seed %zu", seed);
			}
		}
		arena_free(arena);
	}
	print_message("compared %zu of %zu\n", compared, profiles);
	assert_true(compared >= profiles * 4 / 5);
}

static void random_profiles_by_the_words(void **state)
{
	static struct pair pair;

	(void)state;
	for (size_t seed = 0; seed < profiles_wanted(PROFILES / 4); seed++) {
		struct arena *arena = arena_new(ARENA_LIMIT);

		random_state = seed;
		make_ours(&pair, random_spec(true, arena), arena);
		if (compare_all(&pair, ours, by_words)) {
			print_profile(&pair);
			fail_msg("seed %zu", seed);
		}
		arena_free(arena);
	}
}

/* --- can it fail? ---------------------------------------------------------------------------- */

/* With any constant of a comparison changed a little, or its outcomes exchanged, the answers differ
 * from the words: what is tried reaches each instruction's both sides. */
static void wrong_comparisons_are_noticed(void **state)
{
	static struct pair pair;

	for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
		struct spec spec = { .linux.seccomp.set = true };
		struct spec_seccomp_arg arg = { 1, 0x500000007, 0x100000003, operators[i] };
		const char *name = "ioctl";
		struct spec_seccomp_rule rule = { .names = { &name, 1 },
						  .action = "SCMP_ACT_LOG",
						  .args = { &arg, 1 } };

		spec.linux.seccomp.default_action = "SCMP_ACT_TRAP";
		spec.linux.seccomp.syscalls = (struct spec_seccomp_rules){ &rule, 1 };
		make_ours(&pair, &spec, *state);
		assert_true(make_theirs(&pair));
		expect_same(&pair);
		for (size_t j = 0; j < pair.ours.len; j++) {
			struct sock_filter *at = &pair.ours.instructions[j], before = *at;

			if (BPF_CLASS(at->code) != BPF_JMP)
				continue;
			at->k++;
			assert_true(compare_all(&pair, wrong, expected) > 0);
			at->k = before.k - 1;
			assert_true(compare_all(&pair, wrong, expected) > 0);
			*at = before;
			at->jt = before.jf;
			at->jf = before.jt;
			assert_true(compare_all(&pair, wrong, expected) > 0);
			*at = before;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(profiles_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_comparisons_are_noticed, setup, teardown),
		cmocka_unit_test(random_profiles_as_libseccomp),
		cmocka_unit_test(random_profiles_by_the_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
