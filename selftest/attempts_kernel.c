/*
 * The kernel's attack surface: what few programs need and many exploits do. Where a call could harm
 * a host that lets it through, its arguments are wrong in a way that the kernel finds after it has
 * checked the permission. Side doors are in attempts_doors.c.
 */
#include "selftest/attempt.h"
#include "selftest/attempts_doors.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/quota.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#define NO_SUCH_PATH "/nonexistent-agentd"
#define USERFAULTFD_USER_MODE_ONLY 1 /* Linux 5.11: <linux/userfaultfd.h> */

static void make_map(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	union bpf_attr attributes = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
	};

	(void)decoys;
	attempt_set(result, syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)));
}

static void load_program(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const struct bpf_insn leave[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attributes = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
				      .insn_cnt = 2,
				      .insns = (uintptr_t)leave,
				      .license = (uintptr_t) "GPL" };

	(void)decoys;
	attempt_set(result, syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes)));
}

static void count_clock(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct perf_event_attr attributes = { .type = PERF_TYPE_SOFTWARE,
					      .size = sizeof(attributes),
					      .config = PERF_COUNT_SW_CPU_CLOCK,
					      .exclude_kernel = 1 };

	(void)decoys;
	attempt_set(result, syscall(SYS_perf_event_open, &attributes, 0, -1, -1,
				    (unsigned long)PERF_FLAG_FD_CLOEXEC));
}

static void make_userfaultfd(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_userfaultfd, O_CLOEXEC | USERFAULTFD_USER_MODE_ONLY));
}

static void open_userfaultfd(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, open("/dev/userfaultfd", O_RDWR | O_CLOEXEC));
}

static void ask_keyring(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result,
		    syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
}

/* Into a keyring that ends with this process. */
static void add_key(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_add_key, "user", "agentd-canary", "x", 1UL,
				    KEY_SPEC_PROCESS_KEYRING));
}

/* There is none of that name, and without a last argument nobody is asked to make it. */
static void request_key(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_request_key, "user", "agentd-none", NULL, 0));
}

static void find_key(int keyring, const char *name, struct attempt_result *result)
{
	attempt_set(result, syscall(SYS_keyctl, KEYCTL_SEARCH, keyring, "user", name, 0));
}

static void find_session_key(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	find_key(KEY_SPEC_SESSION_KEYRING, decoys->key_name, result);
}

static void find_user_key(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	find_key(KEY_SPEC_USER_KEYRING, decoys->key_name, result);
}

static void load_module(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_init_module, NULL, 0UL, ""));
}

static void load_module_file(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_finit_module, -1, "", 0));
}

static void unload_module(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_delete_module, "agentd_no_such", O_NONBLOCK));
}

/* No segments and valid flags would unload a loaded crash kernel: these flags nobody has. */
static void load_kernel(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_kexec_load, 0UL, 0UL, NULL, 0xfffff000UL));
}

static void load_kernel_file(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
#ifdef SYS_kexec_file_load
	attempt_set(result, syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL, ~0UL));
#else
	errno = ENOSYS;
	attempt_set(result, -1);
#endif
}

/* Without the magic numbers of reboot(2). */
static void reboot_without_magic(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_reboot, 0, 0, 0, NULL));
}

static void swap_on(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_swapon, NO_SUCH_PATH, 0));
}

static void swap_off(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_swapoff, NO_SUCH_PATH));
}

static void account(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_acct, NO_SUCH_PATH));
}

static void ask_quota(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result,
		    syscall(SYS_quotactl, QCMD(Q_GETINFO, USRQUOTA), NO_SUCH_PATH, 0, NULL));
}

static void ask_log(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_syslog, 10 /* SYSLOG_ACTION_SIZE_BUFFER */, NULL, 0));
}

static void raise_io_level(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
#ifdef SYS_iopl
	attempt_set(result, syscall(SYS_iopl, 3));
#else
	errno = ENOSYS;
	attempt_set(result, -1);
#endif
}

static void open_io_port(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
#ifdef SYS_ioperm
	attempt_set(result, syscall(SYS_ioperm, 0x80UL, 1UL, 1));
#else
	errno = ENOSYS;
	attempt_set(result, -1);
#endif
}

/*
 * Two calls that tell the layers apart: clock_settime(2) reads its argument before it asks for the
 * capability, so EPERM for a bad pointer is a filter's; adjtimex(2) asks first.
 */
static void set_time(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct timex slow = { .modes = ADJ_TICK, .tick = 1 };
	const char *name;

	(void)decoys;
	errno = 0;
	syscall(SYS_clock_settime, CLOCK_REALTIME, (void *)8);
	name = strerrorname_np(errno);
	attempt_say(result, "clock_settime=%s", name ? name : "marker");
	attempt_set(result, syscall(SYS_adjtimex, &slow));
}

struct handle {
	uint32_t bytes;
	int32_t type;
	uint8_t data[120];
};

static void open_bad_handle(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct handle handle = { .bytes = 8, .type = 1 };

	(void)decoys;
	attempt_set(result, syscall(SYS_open_by_handle_at, -1, &handle, O_RDONLY));
}

/*
 * The decoy's handle, from a directory of its filesystem: on the host its own, in a container
 * whatever was mounted from there. ESTALE: not that filesystem, but handles are allowed.
 */
static void open_decoy_handle(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char directory[sizeof(decoys->host_file)], *slash;
	const char *const places[] = { directory, "/", (const char *)getauxval(AT_EXECFN),
				       decoys->read_only, decoys->denied };
	uint8_t handle[sizeof(decoys->handle)];

	snprintf(directory, sizeof(directory), "%s", decoys->host_file);
	slash = strrchr(directory, '/');
	errno = ENODATA;
	attempt_set(result, -1);
	if (!slash || decoys->handle_size == 0)
		return;
	slash[slash == directory] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int fd = open(places[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		memcpy(handle, decoys->handle, sizeof(handle));
		attempt_set(result, syscall(SYS_open_by_handle_at, fd, handle, O_RDONLY));
		close(fd);
		if (result->value >= 0)
			return;
	}
}

static void watch_files(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_fanotify_init, FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY));
}

/* That the query works shows that it is the argument which is refused. */
static void fix_addresses(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_say(result, "query=%s", personality(0xffffffff) < 0 ? "refused" : "ok");
	attempt_set(result, personality(ADDR_NO_RANDOMIZE));
}

struct call {
	const char *name;
	long number;
};

/* Each with nothing but zeros; a table ends with { 0 }. */
static void call_each(const struct call *calls, struct attempt_result *result)
{
	for (; calls->name; calls++)
		attempt_count(result, calls->name, syscall(calls->number, 0, 0, 0, 0, 0, 0));
}

static void place_memory(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const struct call calls[] = {
		{ "move_pages", SYS_move_pages },
		{ "mbind", SYS_mbind },
		{ "set_mempolicy", SYS_set_mempolicy },
		{ 0 },
	};

	(void)decoys;
	call_each(calls, result);
}

static void call_old(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const struct call calls[] = {
#ifdef __x86_64__
		{ "uselib", SYS_uselib },
		{ "ustat", SYS_ustat },
		{ "sysfs", SYS_sysfs },
		{ "_sysctl", 156 },
		{ "modify_ldt", SYS_modify_ldt },
#endif
		{ "nfsservctl", SYS_nfsservctl },
		{ "lookup_dcookie", SYS_lookup_dcookie },
		{ 0 },
	};

	(void)decoys;
	call_each(calls, result);
}

/* Newer than most profiles: what becomes of them is the default action's affair. */
static void call_new(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const struct call calls[] = {
		{ "statmount", 457 },	 { "listmount", 458 },	  { "open_tree_attr", 467 },
		{ "file_getattr", 468 }, { "file_setattr", 469 }, { 0 },
	};

	(void)decoys;
	call_each(calls, result);
}

/* Past the permission the address is too low. */
static void move_break(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, prctl(PR_SET_MM, PR_SET_MM_START_BRK, 0UL, 0UL, 0UL));
}

static void type_into_console(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_ioctl, -1, TIOCLINUX, "\002"));
}

static void *ask_mode(void *mode)
{
	*(int *)mode = prctl(PR_GET_SECCOMP, 0UL, 0UL, 0UL, 0UL);
	return NULL;
}

/* Nobody is kept from starting a thread: the supervisor compares what the thread says. */
static void ask_thread(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	pthread_t thread;
	int mode = -1;

	(void)decoys;
	errno = pthread_create(&thread, NULL, ask_mode, &mode);
	attempt_set(result, errno ? -1 : 0);
	if (result->value == 0 && pthread_join(thread, NULL) == 0)
		attempt_say(result, "thread=%d", mode);
}

const struct attempt attempts_kernel[] = {
	{ "sys.bpf-map", make_map },
	{ "sys.bpf-prog", load_program },
	{ "sys.perf-sw", count_clock },
	{ "sys.io-uring", attempt_io_uring_setup },
	{ "sys.io-uring-openat", attempt_io_uring_open },
	{ "sys.io-uring-rawsock", attempt_io_uring_socket },
	{ "sys.userfaultfd", make_userfaultfd },
	{ "dev.userfaultfd", open_userfaultfd },
	{ "sys.keyctl", ask_keyring },
	{ "sys.add-key", add_key },
	{ "sys.request-key", request_key },
	{ "key.session", find_session_key },
	{ "key.user", find_user_key },
	{ "sys.module-init", load_module },
	{ "sys.module-finit", load_module_file },
	{ "sys.module-delete", unload_module },
	{ "sys.kexec-load", load_kernel },
	{ "sys.kexec-file", load_kernel_file },
	{ "sys.reboot", reboot_without_magic },
	{ "sys.swapon", swap_on },
	{ "sys.swapoff", swap_off },
	{ "sys.acct", account },
	{ "sys.quotactl", ask_quota },
	{ "sys.syslog", ask_log },
	{ "sys.iopl", raise_io_level },
	{ "sys.ioperm", open_io_port },
	{ "sys.settime", set_time },
	{ "sys.handle-bad", open_bad_handle },
	{ "sys.handle-decoy", open_decoy_handle },
	{ "sys.fanotify", watch_files },
	{ "sys.personality", fix_addresses },
	{ "sys.numa", place_memory },
	{ "sys.legacy", call_old },
	{ "sys.prctl-mm", move_break },
	{ "sys.i386-getpid", attempt_i386_getpid },
	{ "sys.i386-collision", attempt_i386_collisions },
	{ "sys.x32", attempt_x32 },
	{ "sys.tiocsti", attempt_tiocsti },
	{ "sys.tiocsti-high", attempt_tiocsti_high },
	{ "sys.tioclinux", type_into_console },
	{ "sys.newer", call_new },
	{ "sys.threads", ask_thread },
	{ 0 },
};
