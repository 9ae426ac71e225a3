/*
 * Credentials and capabilities: becoming another, having more, and what only capabilities allow.
 * The process that tries is thrown away afterwards, and with it whatever it got.
 */
#include "selftest/attempts_common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define OTHER_UID 12345
#define FAR_UP 64 /* levels of directories above the deepest that we are in */

/* --- capabilities ---------------------------------------------------------------------------- */

struct sets {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct half[2];
};

static int get_sets(struct sets *sets)
{
	*sets = (struct sets){ .header.version = _LINUX_CAPABILITY_VERSION_3 };
	return (int)syscall(SYS_capget, &sets->header, sets->half);
}

static int set_sets(struct sets *sets)
{
	return (int)syscall(SYS_capset, &sets->header, sets->half);
}

static void raise_all(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct sets sets;

	(void)decoys;
	get_sets(&sets);
	for (int i = 0; i < 2; i++)
		sets.half[i].permitted = sets.half[i].effective = UINT32_MAX;
	attempt_set(result, set_sets(&sets));
}

/* A capability becomes ambient only if it is inheritable, which it may become if it is permitted.
 */
static void raise_ambient(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct sets sets;

	(void)decoys;
	get_sets(&sets);
	sets.half[0].inheritable |= 1u << CAP_SYS_ADMIN;
	set_sets(&sets);
	attempt_set(result, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0));
}

static void get_no_new_privs(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

/* --- users and groups ------------------------------------------------------------------------ */

/* From root to another user, who takes the capabilities along, as a program would that means to
 * come back. */
static int leave_root(void)
{
	struct sets sets;

	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	if (setresuid(OTHER_UID, OTHER_UID, OTHER_UID) < 0)
		return -1;
	get_sets(&sets);
	for (int i = 0; i < 2; i++)
		sets.half[i].effective = sets.half[i].permitted;
	return set_sets(&sets);
}

/* Root itself has to leave first: to stay what one is proves nothing. */
static void become_root(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	if (getuid() == 0 && leave_root() < 0)
		attempt_set(result, -1);
	else
		attempt_set(result, setresuid(0, 0, 0));
}

static void become_other(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, setresuid(OTHER_UID, OTHER_UID, OTHER_UID));
}

static void join_group(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	gid_t root = 0;

	(void)decoys;
	attempt_set(result, setgroups(1, &root));
}

/* --- programs that would give more ----------------------------------------------------------- */

/* A copy of the canary that the supervisor put beside it. */
static void helper_path(const char *name, char path[256])
{
	char self[128] = "/";
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len > 0)
		self[len] = '\0';
	snprintf(path, 256, "%.*s/%s", (int)(strrchr(self, '/') - self), self, name);
}

/* The value that a copy of the canary prints behind "KEY=". -1 and errno. */
static int ask_program(const char *path, const char *what, const char *key, char *value,
		       size_t size)
{
	char *const args[] = { (char *)path, (char *)what, NULL };
	char text[1024];
	const char *at;

	if (attempt_program(args, text, sizeof(text)) < 0)
		return -1;
	at = strstr(text, key);
	if (!at) {
		errno = EPROTO;
		return -1;
	}
	at += strlen(key);
	snprintf(value, size, "%.*s", (int)strcspn(at, "\n"), at);
	return 0;
}

/* A copy of the canary that is somebody else's and set-user-ID. EPERM: it ran as we are. */
static void run_setuid(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char path[256], value[64];
	struct stat st;

	(void)decoys;
	helper_path("suid", path);
	if (stat(path, &st) < 0) {
		attempt_set(result, -1);
		return;
	}
	if (!(st.st_mode & S_ISUID) || st.st_uid == getuid()) {
		attempt_fail(result, ECANCELED);
		return;
	}
	if (ask_program(path, "id", "effective=", value, sizeof(value)) < 0) {
		attempt_set(result, -1);
		return;
	}
	attempt_say(result, "owner=%u effective=%s", st.st_uid, value);
	if (strtoul(value, NULL, 10) == st.st_uid)
		attempt_set(result, st.st_uid);
	else
		attempt_fail(result, EPERM);
}

/*
 * A copy of the canary with cap_net_raw+ep. Whoever has the capability gives it up first, and the
 * rule by which root gets all of its bounding set from any program. EPERM: it ran without.
 */
static void run_with_filecap(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char path[256], value[64];
	struct sets sets;

	(void)decoys;
	helper_path("filecap", path);
	if (getxattr(path, "security.capability", value, sizeof(value)) < 0) {
		attempt_set(result, -1);
		return;
	}
	prctl(PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	get_sets(&sets);
	for (int i = 0; i < 2; i++)
		sets.half[i] = (struct __user_cap_data_struct){ 0 };
	if (set_sets(&sets) < 0 ||
	    ask_program(path, "caps", "effective=", value, sizeof(value)) < 0) {
		attempt_set(result, -1);
		return;
	}
	attempt_say(result, "effective=%s", value);
	if (strtoull(value, NULL, 16) >> CAP_NET_RAW & 1)
		attempt_set(result, CAP_NET_RAW);
	else
		attempt_fail(result, EPERM);
}

/* --- device nodes ---------------------------------------------------------------------------- */

static void scratch_path(const struct attempt_decoys *decoys, const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", decoys->scratch, name);
}

/* Where not even a regular file can be made, a refusal says nothing: ECANCELED. 0 or -1. */
static int make_node(const char *path, mode_t type, dev_t device, struct attempt_result *result)
{
	unlink(path);
	if (mknod(path, S_IFREG | 0600, 0) < 0 || unlink(path) < 0) {
		attempt_fail(result, ECANCELED);
		return -1;
	}
	attempt_set(result, mknod(path, type | 0600, device));
	return result->value < 0 ? -1 : 0;
}

static void make_character(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char path[128];

	scratch_path(decoys, "node-c", path);
	if (make_node(path, S_IFCHR, makedev(1, 3), result) == 0)
		unlink(path);
}

static void make_block(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char path[128];

	scratch_path(decoys, "node-b", path);
	if (make_node(path, S_IFBLK, makedev(254, 0), result) == 0)
		unlink(path);
}

/* /dev/kmsg: every host has it, no container is given it, and opening it for writing does nothing.
 */
static void open_node(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char path[128];

	scratch_path(decoys, "node-o", path);
	if (make_node(path, S_IFCHR, makedev(1, 11), result) < 0)
		return;
	attempt_set(result, open(path, O_WRONLY | O_CLOEXEC));
	attempt_say(result, "mknod=ok");
	unlink(path);
}

/* --- roots and files ------------------------------------------------------------------------- */

static void change_root(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	attempt_set(result, chroot(decoys->scratch));
}

/*
 * chroot(2) into a directory that we are not in leaves us above it. Whoever is at the root of a
 * mount namespace (pivot_root) goes nowhere by it. A user namespace of our own is as good as the
 * capability.
 */
static void escape_root(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char path[128];
	struct stat st;

	scratch_path(decoys, "root", path);
	mkdir(path, 0700);
	if (chroot(path) < 0 && (unshare(CLONE_NEWUSER) < 0 || chroot(path) < 0)) {
		attempt_set(result, -1);
		rmdir(path);
		return;
	}
	for (int i = 0; i < FAR_UP; i++)
		if (chdir("..") < 0)
			break;
	attempt_set(result, chroot("."));
	if (result->value >= 0)
		attempt_set(result, stat(decoys->host_file, &st));
	rmdir(path);
}

/* A file of our own whose mode lets nobody in. That the directory lets us is shown first. */
static void open_forbidden(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char path[128];
	int fd;

	scratch_path(decoys, "forbidden", path);
	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	if (fd < 0 || open(path, O_RDONLY | O_CLOEXEC) < 0 || chmod(path, 0) < 0)
		attempt_fail(result, ECANCELED);
	else
		attempt_set(result, open(path, O_RDONLY | O_CLOEXEC));
	unlink(path);
}

/* --- priorities and limits ------------------------------------------------------------------- */

static void raise_nice(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, setpriority(PRIO_PROCESS, 0, -5));
}

static void become_realtime(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	const struct sched_param param = { .sched_priority = 1 };

	(void)decoys;
	attempt_set(result, sched_setscheduler(0, SCHED_FIFO, &param));
}

static void raise_io_priority(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_ioprio_set, (long)IOPRIO_WHO_PROCESS, 0L,
				    (long)IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 4)));
}

/* Of this process alone, which ends at once. */
static void escape_oom(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	(void)decoys;
	attempt_set(result, fd < 0 ? -1 : write(fd, "-1000", 5));
}

/* Down by one, which everybody may, and up again: a limit may be as high as the kernel allows. */
static void raise_limit(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct rlimit limit, lower;

	(void)decoys;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max == 0) {
		attempt_fail(result, ECANCELED);
		return;
	}
	lower.rlim_max = limit.rlim_max - 1;
	lower.rlim_cur = limit.rlim_cur < lower.rlim_max ? limit.rlim_cur : lower.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &lower) < 0)
		attempt_fail(result, ECANCELED);
	else
		attempt_set(result, setrlimit(RLIMIT_NOFILE, &limit));
}

/* --- the network ----------------------------------------------------------------------------- */

/* Asks to change an interface that does not exist: the permission is checked before. */
static int change_no_interface(void)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} request = {
		.head = { .nlmsg_len = sizeof(request),
			  .nlmsg_type = RTM_SETLINK,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.info = { .ifi_family = AF_UNSPEC, .ifi_index = INT32_MAX },
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr answer;
		char rest[256];
	} reply = { 0 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || send(fd, &request, sizeof(request), 0) < 0 ||
	    recv(fd, &reply, sizeof(reply), 0) < (ssize_t)NLMSG_LENGTH(sizeof(reply.answer)))
		return -1;
	errno = -reply.answer.error;
	return errno == 0 || errno == ENODEV ? 0 : -1;
}

static int set_option(int level, int option)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;

	return fd < 0 ? -1 : setsockopt(fd, level, option, &one, sizeof(one));
}

/* Three doors: the first that opens is told, else the last refusal. */
static void administer_network(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, change_no_interface());
	if (result->value >= 0) {
		attempt_say(result, "door=RTM_SETLINK");
		return;
	}
	attempt_set(result, set_option(SOL_SOCKET, SO_MARK));
	if (result->value >= 0) {
		attempt_say(result, "door=SO_MARK");
		return;
	}
	attempt_set(result, set_option(IPPROTO_IP, IP_TRANSPARENT));
	if (result->value >= 0)
		attempt_say(result, "door=IP_TRANSPARENT");
}

static void bind_low(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(80),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)decoys;
	attempt_set(result,
		    fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&address, sizeof(address)));
}

/* --- namespaces above ------------------------------------------------------------------------ */

static int open_parent(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : ioctl(fd, NS_GET_PARENT);
}

/* Whether the parent of a child's, which is our own, can be opened. In a process of its own: a
 * filter may kill who asks for a namespace. */
static bool can_open_parent(void)
{
	pid_t asking = fork();
	int status;

	if (asking == 0)
		_exit(unshare(CLONE_NEWPID) < 0 || open_parent(attempt_start_victim()) < 0);
	return asking > 0 && waitpid(asking, &status, 0) == asking && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

/* Where that of our own is refused, that of a child's shows that the request works. */
static void find_parent(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, open_parent(getpid()));
	if (result->value >= 0) {
		attempt_say(result, "of=own");
	} else if (can_open_parent()) {
		attempt_set(result, 0);
		attempt_say(result, "of=child");
	}
}

/* clang-format off */
const struct attempt attempts_credentials[] = {
	{ "cap.capset",        raise_all },
	{ "cap.ambient",       raise_ambient },
	{ "cap.setuid0",       become_root },
	{ "cap.setuid-other",  become_other },
	{ "cap.setgroups",     join_group },
	{ "cap.suid-exec",     run_setuid },
	{ "cap.filecap-exec",  run_with_filecap },
	{ "cap.nnp",           get_no_new_privs },
	{ "cap.mknod-chr",     make_character },
	{ "cap.mknod-blk",     make_block },
	{ "cap.mknod-open",    open_node },
	{ "cap.chroot",        change_root },
	{ "cap.chroot-escape", escape_root },
	{ "cap.dac",           open_forbidden },
	{ "cap.nice",          raise_nice },
	{ "cap.fifo",          become_realtime },
	{ "cap.ioprio-rt",     raise_io_priority },
	{ "cap.oom-adj",       escape_oom },
	{ "cap.rlimit-raise",  raise_limit },
	{ "cap.net-admin",     administer_network },
	{ "cap.bind-low",      bind_low },
	{ "cap.userns-ioctl",  find_parent },
	{ 0 },
};
/* clang-format on */
