/*
 * linux.resources.devices as an eBPF program on the container's cgroup (kernel
 * Documentation/admin-guide/cgroup-v2.rst, "Device controller").
 *
 * The kernel runs the program for every open and mknod of a device node, with the type, the numbers
 * and the accesses wanted; the call is allowed if it returns 1. A request may want several accesses
 * at once, and each is decided by the last rule that speaks of it. So the rules are emitted in
 * reverse, and the program carries along which accesses are still to be decided. The plan is pure;
 * nothing but devices_bpf_attach() talks to the kernel.
 */
#include "isolation/devices_bpf.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/sys.h"

#define ACCESS_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define RULE_LEN_MAX 12	   /* instructions of one rule */
#define PROGRAM_LEN_MORE 4 /* of the beginning and the end */
#define LOG_SIZE 4096
#define PROGRAM_LICENSE "Apache-2.0"

/*
 * Which register holds what. Type and numbers are loaded anew for every comparison: a verifier that
 * remembers what earlier rules found out about them takes time quadratic in the number of rules,
 * and gives up at two thousand (measured).
 */
enum {
	ANSWER = BPF_REG_0,
	CONTEXT = BPF_REG_1,
	WANTED = BPF_REG_2, /* the accesses that no rule has decided yet */
	VALUE = BPF_REG_3,
};

struct access_letter {
	char letter;
	uint32_t access;
};

/* clang-format off */
static const struct access_letter access_letters[] = {
	{ 'r', BPF_DEVCG_ACC_READ },
	{ 'w', BPF_DEVCG_ACC_WRITE },
	{ 'm', BPF_DEVCG_ACC_MKNOD },
};

/*
 * What no configuration can take away, since nothing runs without it: making nodes of any device
 * (to open one is another thing), null, zero, full, random, urandom, tty, console, ptmx, and the
 * terminals of /dev/pts. As in runc and crun, but without /dev/net/tun.
 */
#define ANY { false, 0 }
static const struct spec_device_rule default_rules[] = {
	{ true, 'a', ANY,           ANY,         "m" },
	{ true, 'c', { true, 1 },   { true, 3 }, NULL },
	{ true, 'c', { true, 1 },   { true, 5 }, NULL },
	{ true, 'c', { true, 1 },   { true, 7 }, NULL },
	{ true, 'c', { true, 1 },   { true, 8 }, NULL },
	{ true, 'c', { true, 1 },   { true, 9 }, NULL },
	{ true, 'c', { true, 5 },   { true, 0 }, NULL },
	{ true, 'c', { true, 5 },   { true, 1 }, NULL },
	{ true, 'c', { true, 5 },   { true, 2 }, NULL },
	{ true, 'c', { true, 136 }, ANY,         NULL },
};
/* clang-format on */

static void emit(struct devices_bpf_plan *plan, struct bpf_insn instruction)
{
	plan->program[plan->len++] = instruction;
}

static void emit_load(struct devices_bpf_plan *plan, unsigned to, size_t offset)
{
	emit(plan, (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
				      .dst_reg = to,
				      .src_reg = CONTEXT,
				      .off = (int16_t)offset });
}

static void emit_constant(struct devices_bpf_plan *plan, unsigned operation, unsigned to,
			  uint32_t constant)
{
	emit(plan, (struct bpf_insn){ .code = (uint8_t)(BPF_ALU | operation | BPF_K),
				      .dst_reg = to,
				      .imm = (int32_t)constant });
}

static void emit_copy(struct devices_bpf_plan *plan, unsigned to, unsigned from)
{
	emit(plan, (struct bpf_insn){
			   .code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from });
}

/* A jump of 32-bit comparison; where to is filled in by rule_end(). */
static void emit_jump(struct devices_bpf_plan *plan, unsigned operation, unsigned what,
		      uint32_t constant)
{
	emit(plan, (struct bpf_insn){ .code = (uint8_t)(BPF_JMP32 | operation | BPF_K),
				      .dst_reg = what,
				      .imm = (int32_t)constant });
}

static void emit_return(struct devices_bpf_plan *plan, bool allow)
{
	emit_constant(plan, BPF_MOV, ANSWER, allow);
	emit(plan, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

/* All jumps since `start` lead behind what was emitted last: to the next rule. */
static void rule_end(struct devices_bpf_plan *plan, size_t start)
{
	for (size_t i = start; i < plan->len; i++)
		if (BPF_CLASS(plan->program[i].code) == BPF_JMP32)
			plan->program[i].off = (int16_t)(plan->len - i - 1);
}

static uint32_t access_mask(const char *letters)
{
	uint32_t mask = 0;

	if (!letters)
		return ACCESS_ALL;
	for (size_t i = 0; i < ARRAY_LEN(access_letters); i++)
		if (strchr(letters, access_letters[i].letter))
			mask |= access_letters[i].access;
	return mask;
}

/* True: the rule decides every request that comes to it, so that nothing may follow. The verifier
 * refuses a program with instructions that cannot be reached. */
static bool emit_rule(struct devices_bpf_plan *plan, const struct spec_device_rule *rule)
{
	uint32_t access = access_mask(rule->access);
	size_t start = plan->len;
	bool every_device;

	if (rule->type != 'a') {
		emit_load(plan, VALUE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
		emit_constant(plan, BPF_AND, VALUE, 0xffff);
		emit_jump(plan, BPF_JNE, VALUE,
			  rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	}
	if (rule->major.set) {
		emit_load(plan, VALUE, offsetof(struct bpf_cgroup_dev_ctx, major));
		emit_jump(plan, BPF_JNE, VALUE, (uint32_t)rule->major.value);
	}
	if (rule->minor.set) {
		emit_load(plan, VALUE, offsetof(struct bpf_cgroup_dev_ctx, minor));
		emit_jump(plan, BPF_JNE, VALUE, (uint32_t)rule->minor.value);
	}
	every_device = plan->len == start;
	if (access != ACCESS_ALL && rule->allow) {
		emit_constant(plan, BPF_AND, WANTED, ~access);
		emit_jump(plan, BPF_JNE, WANTED, 0);
	} else if (access != ACCESS_ALL) {
		emit_copy(plan, ANSWER, WANTED);
		emit_constant(plan, BPF_AND, ANSWER, access);
		emit_jump(plan, BPF_JEQ, ANSWER, 0);
	}
	emit_return(plan, rule->allow);
	rule_end(plan, start);
	return every_device && access == ACCESS_ALL;
}

int devices_bpf_plan(const struct spec *spec, const struct host *host, struct arena *arena,
		     struct devices_bpf_plan *plan, struct err *err)
{
	const struct spec_device_rules *rules = &spec->linux.resources.devices;
	bool decided = false;

	(void)err; /* every word was checked when it was read */
	*plan = (struct devices_bpf_plan){ .wanted = rules->len || host->privileged };
	if (!plan->wanted)
		return 0;
	plan->program = arena_new_array(arena, struct bpf_insn,
					(rules->len + ARRAY_LEN(default_rules)) * RULE_LEN_MAX +
						PROGRAM_LEN_MORE);
	emit_load(plan, WANTED, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit_constant(plan, BPF_RSH, WANTED, 16);
	for (size_t i = 0; i < ARRAY_LEN(default_rules); i++)
		emit_rule(plan, &default_rules[i]);
	for (size_t i = rules->len; i-- > 0;) {
		plan->must |= !rules->item[i].allow && !host->rootless;
		decided = decided || emit_rule(plan, &rules->item[i]);
	}
	if (!decided)
		emit_return(plan, false);
	return 0;
}

/* The last line that the verifier wrote is the reason: cuts the log down to it. */
static const char *last_line(char *log)
{
	size_t len = strnlen(log, LOG_SIZE - 1);
	char *line;

	while (len && log[len - 1] == '\n')
		len--;
	log[len] = '\0';
	line = strrchr(log, '\n');
	return line ? line + 1 : log;
}

static int program_load(const struct devices_bpf_plan *plan, struct err *err)
{
	char log[LOG_SIZE] = "";
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t)plan->program,
		.insn_cnt = (uint32_t)plan->len,
		.license = (uintptr_t)PROGRAM_LICENSE,
		.prog_name = "agentd_devices",
	};
	int fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));

	if (fd >= 0)
		return fd;
	err_sys(err, "load the device program");
	if (err->code == EPERM)
		return -1;
	attr.log_buf = (uintptr_t)log;
	attr.log_size = sizeof(log);
	attr.log_level = 1;
	fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	return fd >= 0 ? fd : err_hint(err, "the verifier says: %s", last_line(log));
}

static int program_attach(int program, int dir, struct err *err)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)dir,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};

	if (sys_bpf(BPF_PROG_ATTACH, &attr, sizeof(attr)) < 0)
		return err_sys(err, "attach the device program to the cgroup");
	return 0;
}

int devices_bpf_attach(const struct devices_bpf_plan *plan, int dir, struct err *err)
{
	autoclose int program = program_load(plan, err);

	if (program >= 0 && program_attach(program, dir, err) == 0)
		return 0;
	if (!plan->must) {
		log_warn("linux.resources.devices: %s: access to devices is limited only by the "
			 "nodes there are and their modes",
			 err->text);
		return 0;
	}
	err_wrap(err, "linux.resources.devices");
	return err_hint(err, "it needs CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN, in the first "
			     "user namespace, and CONFIG_CGROUP_BPF");
}
