/*
 * The canary's eyes: what the process is and has, from system calls rather than procfs wherever
 * there is one.
 */
#include "selftest/canary.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int show_environment(int argc, char **argv)
{
	if (argc > 1) /* a hook cannot tell, but for how it ends */
		return getenv(argv[1]) != NULL;
	for (char **item = environ; *item; item++)
		dprintf(STDOUT_FILENO, "%s\n", *item);
	return 0;
}

static int show_arguments(int argc, char **argv)
{
	char key[32];

	for (int i = 0; i < argc; i++) {
		snprintf(key, sizeof(key), "args[%d]", i);
		canary_say(key, "%s", argv[i]);
	}
	return 0;
}

static int show_directory(int argc, char **argv)
{
	char path[4096];

	(void)argc;
	/* Not getcwd(3), which hides "(unreachable)". */
	if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
		return canary_report(argv[0], -1);
	canary_say(argv[0], "%s", path);
	return 0;
}

static int show_identity(int argc, char **argv)
{
	char groups[2048] = "";
	gid_t list[256];
	uid_t uid, euid, suid;
	gid_t gid, egid, sgid;
	mode_t mask = umask(0);
	int count = getgroups(256, list);

	(void)argc, (void)argv;
	getresuid(&uid, &euid, &suid);
	getresgid(&gid, &egid, &sgid);
	for (int i = 0, at = 0; i < count; i++)
		at += snprintf(groups + at, sizeof(groups) - at, "%s%u", i ? "," : "", list[i]);
	canary_say("uid", "%u", uid);
	canary_say("gid", "%u", gid);
	canary_say("effective", "%u:%u", euid, egid);
	canary_say("saved", "%u:%u", suid, sgid);
	canary_say("groups", "%s", groups);
	canary_say("umask", "%04o", mask);
	return 0;
}

static uint64_t prctl_mask(int option, int command)
{
	uint64_t mask = 0;

	for (int cap = 0; cap < 64; cap++) {
		int set = option == PR_CAPBSET_READ ? prctl(option, cap)
						    : prctl(option, command, cap, 0, 0);

		if (set > 0)
			mask |= UINT64_C(1) << cap;
	}
	return mask;
}

static int show_capabilities(int argc, char **argv)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	(void)argc;
	if (syscall(SYS_capget, &header, data) < 0)
		return canary_report(argv[0], -1);
#define BOTH(set) ((unsigned long long)data[1].set << 32 | data[0].set)
	canary_say("inheritable", "%016llx", BOTH(inheritable));
	canary_say("permitted", "%016llx", BOTH(permitted));
	canary_say("effective", "%016llx", BOTH(effective));
#undef BOTH
	canary_say("bounding", "%016llx", (unsigned long long)prctl_mask(PR_CAPBSET_READ, 0));
	canary_say("ambient", "%016llx",
		   (unsigned long long)prctl_mask(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET));
	return 0;
}

static int show_protection(int argc, char **argv)
{
	(void)argc, (void)argv;
	canary_say("no_new_privs", "%d", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	canary_say("seccomp", "%d", prctl(PR_GET_SECCOMP));
	canary_say("dumpable", "%d", prctl(PR_GET_DUMPABLE));
	canary_say("securebits", "%d", prctl(PR_GET_SECUREBITS));
	return 0;
}

static void say_limit(const char *key, const struct rlimit *limit)
{
	char text[2][24];
	const rlim_t value[2] = { limit->rlim_cur, limit->rlim_max };

	for (int i = 0; i < 2; i++) {
		if (value[i] == RLIM_INFINITY)
			snprintf(text[i], sizeof(text[i]), "unlimited");
		else
			snprintf(text[i], sizeof(text[i]), "%llu", (unsigned long long)value[i]);
	}
	canary_say(key, "%s:%s", text[0], text[1]);
}

static int show_limits(int argc, char **argv)
{
	static const char *const names[RLIM_NLIMITS] = {
		[RLIMIT_AS] = "RLIMIT_AS",
		[RLIMIT_CORE] = "RLIMIT_CORE",
		[RLIMIT_CPU] = "RLIMIT_CPU",
		[RLIMIT_DATA] = "RLIMIT_DATA",
		[RLIMIT_FSIZE] = "RLIMIT_FSIZE",
		[RLIMIT_LOCKS] = "RLIMIT_LOCKS",
		[RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",
		[RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE",
		[RLIMIT_NICE] = "RLIMIT_NICE",
		[RLIMIT_NOFILE] = "RLIMIT_NOFILE",
		[RLIMIT_NPROC] = "RLIMIT_NPROC",
		[RLIMIT_RSS] = "RLIMIT_RSS",
		[RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",
		[RLIMIT_RTTIME] = "RLIMIT_RTTIME",
		[RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
		[RLIMIT_STACK] = "RLIMIT_STACK",
	};
	struct rlimit limit;

	(void)argc, (void)argv;
	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (getrlimit(i, &limit) == 0)
			say_limit(names[i], &limit);
	return 0;
}

static int show_namespaces(int argc, char **argv)
{
	static const char *const names[] = { "cgroup", "ipc",  "mnt",  "net",
					     "pid",    "time", "user", "uts" };
	char path[32];
	struct stat st;

	(void)argc, (void)argv;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		if (stat(path, &st) < 0)
			canary_report(names[i], -1);
		else
			canary_say(names[i], "%llu", (unsigned long long)st.st_ino);
	}
	return 0;
}

static int show_mounts(int argc, char **argv)
{
	char *words[] = { argv[0], (char *)"/proc/self/mountinfo", NULL };

	(void)argc;
	return canary_find("cat")->run(2, words);
}

static int show_terminal(int argc, char **argv)
{
	struct winsize size;
	struct stat st;
	char key[2] = "0";

	(void)argc, (void)argv;
	for (int fd = 0; fd < 3; fd++, key[0]++) {
		if (isatty(fd) && fstat(fd, &st) == 0)
			canary_say(key, "tty owner=%u", st.st_uid);
		else
			canary_say(key, "no");
	}
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		canary_say("size", "%ux%u", size.ws_row, size.ws_col);
	canary_say("session", "%s", getsid(0) == getpid() ? "own" : "inherited");
	return canary_report("/dev/tty", open("/dev/tty", O_RDWR | O_CLOEXEC));
}

static int show_names(int argc, char **argv)
{
	struct utsname names;

	(void)argc, (void)argv;
	uname(&names);
	canary_say("hostname", "%s", names.nodename);
	canary_say("domainname", "%s", names.domainname);
	canary_say("machine", "%s", names.machine);
	return 0;
}

static int show_personality(int argc, char **argv)
{
	(void)argc;
	canary_say(argv[0], "%#x", personality(0xffffffff));
	return 0;
}

static int show_scheduling(int argc, char **argv)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { .size = sizeof(attr) };
	cpu_set_t cpus;

	(void)argc;
	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0)
		return canary_report(argv[0], -1);
	canary_say("policy", "%u", attr.policy);
	canary_say("flags", "%llu", (unsigned long long)attr.flags);
	canary_say("nice", "%d", attr.nice);
	canary_say("priority", "%u", attr.priority);
	canary_say("deadline", "%llu/%llu/%llu", (unsigned long long)attr.runtime,
		   (unsigned long long)attr.deadline, (unsigned long long)attr.period);
	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		canary_say("cpus", "%d", CPU_COUNT(&cpus));
	return 0;
}

static int show_io_priority(int argc, char **argv)
{
	long value = syscall(SYS_ioprio_get, 1 /* IOPRIO_WHO_PROCESS */, 0);

	(void)argc;
	if (value < 0)
		return canary_report(argv[0], -1);
	canary_say("class", "%ld", value >> 13);
	canary_say("level", "%ld", value & 0x1fff);
	return 0;
}

static int show_memory_policy(int argc, char **argv)
{
	unsigned long nodes[16] = { 0 };
	int mode;

	(void)argc;
	if (syscall(SYS_get_mempolicy, &mode, nodes, sizeof(nodes) * 8, 0, 0) < 0)
		return canary_report(argv[0], -1);
	canary_say("mode", "%d", mode);
	canary_say("nodes", "%lx", nodes[0]);
	return 0;
}

static int show_clocks(int argc, char **argv)
{
	static const struct {
		const char *name;
		clockid_t clock;
	} clocks[] = { { "monotonic", CLOCK_MONOTONIC }, { "boottime", CLOCK_BOOTTIME } };
	struct timespec now;

	(void)argc, (void)argv;
	for (size_t i = 0; i < 2; i++)
		if (clock_gettime(clocks[i].clock, &now) == 0)
			canary_say(clocks[i].name, "%lld", (long long)now.tv_sec);
	return 0;
}

static int show_keyring(int argc, char **argv)
{
	const long get_id = 0, session = -3; /* KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING */
	long id = syscall(SYS_keyctl, get_id, session, 0);

	(void)argc;
	if (id < 0)
		return canary_report(argv[0], -1);
	canary_say(argv[0], "%ld", id);
	return 0;
}

const struct canary canary_facts[] = {
	{ "env", show_environment, "the environment, or [NAME]: leaves with 1 if it is there" },
	{ "args", show_arguments, "[ARGUMENT...]: what it was called with" },
	{ "cwd", show_directory, "the working directory, as the kernel says it" },
	{ "id", show_identity, "user, groups, umask" },
	{ "caps", show_capabilities, "the five sets of capabilities" },
	{ "status", show_protection, "no_new_privs, seccomp, dumpable, securebits" },
	{ "rlimits", show_limits, "every limit as SOFT:HARD" },
	{ "ns", show_namespaces, "the inode of each namespace" },
	{ "mounts", show_mounts, "/proc/self/mountinfo" },
	{ "tty", show_terminal, "which of 0 1 2 are terminals, their size, the session" },
	{ "hostname", show_names, "hostname, domainname, machine" },
	{ "personality", show_personality, "the execution domain" },
	{ "sched", show_scheduling, "policy, nice, priority, number of cpus" },
	{ "ioprio", show_io_priority, "class and level" },
	{ "mempolicy", show_memory_policy, "mode and nodes" },
	{ "time-offsets", show_clocks, "the clocks that a time namespace shifts" },
	{ "keyring", show_keyring, "the session keyring's serial number" },
	{ 0 },
};
