/*
 * Mounts and namespaces. What gets through is undone at once: in the container's own namespaces,
 * on the scratch directory, or with arguments that are wrong after the permission was checked. The
 * host's namespaces are looked for and never entered.
 */
#include "selftest/attempts_common.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MISSING "/nonexistent-agentd"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#define NR_OPEN_TREE 428
#define NR_MOVE_MOUNT 429
#define NR_FSOPEN 430
#define NR_FSPICK 433
#define NR_CLONE3 435
#define NR_MOUNT_SETATTR 442
#define NR_OPEN_TREE_ATTR 467
#define OPEN_TREE_CLONE_FLAG 1u
#define TREE_RECURSIVE 0x8000u
#define FSPICK_EMPTY 8u
#define ATTR_READ_ONLY 1u

/* struct mount_attr of <linux/mount.h>, which cannot be included beside <sys/mount.h> */
struct attributes {
	uint64_t set, clear, propagation, user_ns;
};

/* --- mounts ---------------------------------------------------------------------------------- */

static void try_mount(const struct attempt_decoys *decoys, struct attempt_result *result,
		      const char *source, const char *type, unsigned long flags, const char *data)
{
	attempt_set(result, mount(source, decoys->scratch, type, flags, data));
	if (result->value >= 0)
		umount2(decoys->scratch, MNT_DETACH);
}

static void mount_tmpfs(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	try_mount(decoys, result, "agentd-canary", "tmpfs", MS_NOSUID | MS_NODEV, "size=4k");
}

static void mount_proc(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	try_mount(decoys, result, "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* With MS_REC: in a user namespace the mounts beneath must not be left out (mount_namespaces(7)).
 */
static void mount_bind(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	try_mount(decoys, result, "/", NULL, MS_BIND | MS_REC, NULL);
}

static bool remount(const char *path, unsigned long flags, struct attempt_result *result)
{
	attempt_set(result, mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | flags, NULL));
	return result->value >= 0;
}

/* What came from outside a user namespace is locked there, so that one of our own is tried too. */
static void remount_writable(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	unsigned long before = 0;
	struct statvfs fs;

	if (statvfs(decoys->read_only, &fs) == 0) /* ST_X are MS_X */
		before = fs.f_flag & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
	if (remount(decoys->read_only, before & ~(unsigned long)MS_RDONLY, result)) {
		attempt_say(result, "mount=given");
		mount(NULL, decoys->read_only, NULL, MS_REMOUNT | MS_BIND | before, NULL);
	} else if (mount("agentd-canary", decoys->scratch, "tmpfs", MS_RDONLY, "size=4k") == 0) {
		attempt_say(result, "mount=own");
		remount(decoys->scratch, 0, result);
		umount2(decoys->scratch, MNT_DETACH);
	}
}

static void unmount_missing(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, umount2(MISSING, MNT_DETACH));
}

/* A file under a mask, or one that is no mount: then EINVAL shows that the permission was there. */
static const char *find_mask(void)
{
	static const char *const paths[] = { "/proc/kcore", "/proc/keys", "/proc/interrupts",
					     "/proc/timer_list", "/proc/sched_debug" };
	struct stat st;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (stat(paths[i], &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
			return paths[i];
	return "/proc/version";
}

static void unmount_mask(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	const char *path = find_mask();

	(void)decoys;
	attempt_set(result, umount2(path, MNT_DETACH));
	attempt_say(result, "path=%s", path);
	if (result->value >= 0)
		mount("/dev/null", path, NULL, MS_BIND, NULL);
}

static void pivot_missing(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(SYS_pivot_root, MISSING, MISSING));
}

static void open_filesystem(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(NR_FSOPEN, "tmpfs", 0UL));
}

static void pick_filesystem(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(NR_FSPICK, -1L, "", (unsigned long)FSPICK_EMPTY));
}

static void clone_tree(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, syscall(NR_OPEN_TREE, (long)AT_FDCWD, "/",
				    (unsigned long)(OPEN_TREE_CLONE_FLAG | TREE_RECURSIVE)));
}

static void move_missing(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result,
		    syscall(NR_MOVE_MOUNT, (long)AT_FDCWD, MISSING, (long)AT_FDCWD, MISSING, 0UL));
}

static void change_missing(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct attributes attributes = { .set = ATTR_READ_ONLY };

	(void)decoys;
	attempt_set(result, syscall(NR_MOUNT_SETATTR, (long)AT_FDCWD, MISSING, 0UL, &attributes,
				    sizeof(attributes)));
}

static void clone_tree_changed(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct attributes attributes = { .set = ATTR_READ_ONLY };

	(void)decoys;
	attempt_set(result,
		    syscall(NR_OPEN_TREE_ATTR, (long)AT_FDCWD, MISSING,
			    (unsigned long)OPEN_TREE_CLONE_FLAG, &attributes, sizeof(attributes)));
}

/* --- making namespaces ----------------------------------------------------------------------- */

static int leave(void *unused)
{
	(void)unused;
	return 0;
}

/* By the library's wrapper: the order of the arguments depends on the architecture. */
static void clone_user(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static char stack[16384] __attribute__((aligned(16)));

	(void)decoys;
	attempt_set(result, clone(leave, stack + sizeof(stack), CLONE_NEWUSER | SIGCHLD, NULL));
	if (result->value > 0)
		waitpid((pid_t)result->value, NULL, 0);
}

static void clone3_user(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} arguments = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	long pid = syscall(NR_CLONE3, &arguments, sizeof(arguments));

	(void)decoys;
	if (pid == 0)
		_exit(0);
	attempt_set(result, pid);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
}

/* An attempt has no argument: one function for each flag. */
#define UNSHARE(name, flag)                                             \
	static void unshare_##name(const struct attempt_decoys *decoys, \
				   struct attempt_result *result)       \
	{                                                               \
		(void)decoys;                                           \
		attempt_set(result, unshare(flag));                     \
	}
UNSHARE(user, CLONE_NEWUSER)
UNSHARE(mount, CLONE_NEWNS)
UNSHARE(network, CLONE_NEWNET)
UNSHARE(pid, CLONE_NEWPID)
UNSHARE(ipc, CLONE_NEWIPC)
UNSHARE(uts, CLONE_NEWUTS)
UNSHARE(cgroup, CLONE_NEWCGROUP)
UNSHARE(time, CLONE_NEWTIME)

static void enter_missing(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	(void)decoys;
	attempt_set(result, setns(-1, 0));
}

/* --- seeing the host's ----------------------------------------------------------------------- */

/* Getting the descriptor is enough; setns(2) is not called with it. */
static void find_host_namespace(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char decoy[32];
	const char *const paths[] = { "/proc/1/ns/mnt", decoy };

	snprintf(decoy, sizeof(decoy), "/proc/%d/ns/mnt", decoys->host_pid);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		struct stat st;

		attempt_set(result, fd);
		if (fd < 0)
			continue;
		if (fstat(fd, &st) == 0 && st.st_ino == decoys->mount_token) {
			attempt_say(result, "path=%s", paths[i]);
			return;
		}
		close(fd);
		attempt_fail(result, ESRCH);
	}
}

static void signal_host(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	attempt_set(result, kill(decoys->host_pid, 0));
}

static bool has_name(const char *pid, const char *name)
{
	char path[300], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, name) == 0;
}

static void list_processes(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	unsigned count = 0;

	attempt_set(result, dir ? 0 : -1);
	if (!dir)
		return;
	attempt_fail(result, ENOENT);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		count++;
		if (has_name(entry->d_name, decoys->host_comm))
			attempt_set(result, atoi(entry->d_name));
	}
	closedir(dir);
	attempt_say(result, "processes=%u", count);
}

static void find_segment(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	attempt_set(result, shmget(decoys->shm_key, 0, 0));
}

static void attach_segment(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	const void *at = shmat(decoys->shm_id, NULL, SHM_RDONLY);

	attempt_set(result, at == (void *)-1 ? -1 : 0);
	if (result->value >= 0)
		shmdt(at);
}

/* The system call: mq_open(3) takes the name with a slash, which the kernel does not. */
static void open_queue(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	const char *name = decoys->mq_name;

	attempt_set(result,
		    syscall(SYS_mq_open, name + (*name == '/'), O_RDONLY | O_CLOEXEC, 0UL, NULL));
}

static void connect_abstract(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strnlen(decoys->abstract, sizeof(decoys->abstract));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path + 1, decoys->abstract, len);
	attempt_set(result, fd < 0 ? -1
				   : connect(fd, (struct sockaddr *)&address,
					     offsetof(struct sockaddr_un, sun_path) + 1 + len));
}

/* Waits for an event on a socket; the error that the kernel has for it, or ETIMEDOUT. */
static int await(int fd, short events, const struct attempt_decoys *decoys)
{
	struct pollfd pollfd = { .fd = fd, .events = events };
	int error = 0;
	socklen_t size = sizeof(error);

	if (poll(&pollfd, 1, attempt_patience_ms(decoys)) != 1)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

/* Whatever listens, only what says the nonce is the host's. */
static void connect_loopback(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)decoys->tcp_port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char said[sizeof(decoys->nonce)] = "";
	int error = 0;

	if (fd < 0 ||
	    (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 && errno != EINPROGRESS))
		error = errno;
	if (!error)
		error = await(fd, POLLOUT, decoys);
	if (!error)
		error = await(fd, POLLIN, decoys);
	if (error) {
		attempt_fail(result, error);
		return;
	}
	if (read(fd, said, sizeof(said) - 1) < 0 || strcmp(said, decoys->nonce) != 0)
		attempt_fail(result, EBADMSG);
	else
		attempt_set(result, 0);
}

/* Those that the kernel puts into every new network namespace once their module is loaded
 * (net.core.fb_tunnels_only_for_init_net): nobody's way out. */
static bool is_fallback(const char *name)
{
	static const char *const names[] = { "lo",   "tunl0",	"gre0",	   "gretap0", "erspan0",
					     "sit0", "ip6gre0", "ip6tnl0", "ip_vti0", "ip6_vti0" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void list_interfaces(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct if_nameindex *list = if_nameindex();

	(void)decoys;
	attempt_set(result, list ? 0 : -1);
	if (!list)
		return;
	attempt_fail(result, ENODEV);
	for (struct if_nameindex *row = list; row->if_index && row->if_name; row++) {
		if (is_fallback(row->if_name))
			continue;
		attempt_set(result, row->if_index);
		attempt_say(result, "interface=%s", row->if_name);
	}
	if_freenameindex(list);
}

static void set_hostname(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char name[HOST_NAME_MAX + 1] = "";

	(void)decoys;
	gethostname(name, sizeof(name) - 1);
	attempt_set(result, sethostname(name, strlen(name)));
}

/* A hierarchy of which more than its own root is seen. */
static void read_cgroup(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char text[4096] = "";
	int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	(void)decoys;
	attempt_set(result, size);
	if (size < 0)
		return;
	attempt_fail(result, ENODATA);
	for (char *rest = text, *line; (line = strsep(&rest, "\n")) && *line;) {
		char *path = strchr(line, '/');

		if (path && path[1])
			attempt_set(result, 0);
	}
}

/* clang-format off */
const struct attempt attempts_mounts[] = {
	{ "sys.mount-tmpfs",    mount_tmpfs },
	{ "sys.mount-proc",     mount_proc },
	{ "sys.mount-bind",     mount_bind },
	{ "sys.remount-rw",     remount_writable },
	{ "sys.umount",         unmount_missing },
	{ "sys.umount-mask",    unmount_mask },
	{ "sys.pivot-root",     pivot_missing },
	{ "sys.fsopen",         open_filesystem },
	{ "sys.fspick",         pick_filesystem },
	{ "sys.open-tree",      clone_tree },
	{ "sys.move-mount",     move_missing },
	{ "sys.mount-setattr",  change_missing },
	{ "sys.open-tree-attr", clone_tree_changed },
	{ "sys.unshare-user",   unshare_user },
	{ "sys.clone-user",     clone_user },
	{ "sys.clone3-user",    clone3_user },
	{ "sys.unshare-mnt",    unshare_mount },
	{ "sys.unshare-net",    unshare_network },
	{ "sys.unshare-pid",    unshare_pid },
	{ "sys.unshare-ipc",    unshare_ipc },
	{ "sys.unshare-uts",    unshare_uts },
	{ "sys.unshare-cgroup", unshare_cgroup },
	{ "sys.unshare-time",   unshare_time },
	{ "sys.setns",          enter_missing },
	{ "ns.setns-host",      find_host_namespace },
	{ "ns.pid-kill",        signal_host },
	{ "ns.pid-list",        list_processes },
	{ "ns.ipc-shm",         find_segment },
	{ "ns.ipc-shmat",       attach_segment },
	{ "ns.ipc-mq",          open_queue },
	{ "ns.abstract",        connect_abstract },
	{ "ns.loopback",        connect_loopback },
	{ "ns.ifaces",          list_interfaces },
	{ "ns.uts",             set_hostname },
	{ "ns.cgroup",          read_cgroup },
	{ 0 },
};
/* clang-format on */
