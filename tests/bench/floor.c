/*
 * floor: the same kernel work as `agentd run`, and nothing else. What agentd is measured against.
 *
 * All that can be known beforehand is in a table (floor.h, written by tables.c from agentd's own
 * plan); here are only the system calls, for each result the cheapest that gives it: no messages,
 * no state directory, no JSON, no search, nothing closed that exec closes. The isolation is that of
 * agentd; tests/bench/run compares the two before it measures. So no path of the root filesystem is
 * followed across a link: each is one name in a mount, or lies in one of the kernel's own.
 *
 * usage: floor [-c CGROUP] TABLE ROOTFS PROGRAM [ARGUMENTS...]	a container; CGROUP: where its
 *							cgroup is made, else as the table says
 *        floor -e PID [-c CGROUP] TABLE - PROGRAM ...	a further process in that of PID, in CGROUP
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <linux/capability.h>

#include "runtime/base/sys.h"
#include "tests/bench/floor.h"

#define MOVE (SYS_MOVE_MOUNT_F_EMPTY_PATH)
#define MASK (SYS_MOUNT_ATTR_RDONLY | SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_NOEXEC)
#define CLONE_TREE (SYS_OPEN_TREE_CLONE | SYS_OPEN_TREE_CLOEXEC)

struct floor {
	const struct floor_table *table;
	const char *cgroup;
	char **argv;
	int root;
	int mounts[FLOOR_ROWS_MAX];
	int cgroup_fd;
};

static void __attribute__((noreturn)) fail(const char *what, const char *on)
{
	fprintf(stderr, "floor: %s %s: %s\n", what, on, strerror(errno));
	_exit(1);
}

static long check(long result, const char *what, const char *on)
{
	if (result < 0)
		fail(what, on);
	return result;
}

static int under(const struct floor *floor, int mount)
{
	return mount == FLOOR_ROOT ? floor->root : floor->mounts[mount];
}

static int attach(const struct floor *floor, int tree, const struct floor_place *at)
{
	return sys_move_mount(tree, "", under(floor, at->under), at->name, MOVE);
}

static bool is_absent(int result)
{
	return result < 0 && (errno == ENOENT || errno == ENOTDIR);
}

static void write_file(int dir, const char *name, const char *text)
{
	int fd = (int)check(openat(dir, name, O_WRONLY | O_CLOEXEC), "open", name);

	check(write(fd, text, strlen(text)), "write", name);
}

/* --- outside --------------------------------------------------------------------------------- */

static void load_device_program(const struct floor *floor)
{
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t)floor->table->device_program,
		.insn_cnt = floor->table->device_program_len,
		.license = (uintptr_t) "Apache-2.0",
		.prog_name = "floor_devices",
	};
	union bpf_attr attach_to = {
		.target_fd = (uint32_t)floor->cgroup_fd,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};

	attach_to.attach_bpf_fd = (uint32_t)check(sys_bpf(BPF_PROG_LOAD, &load, sizeof(load)),
						  "load", "the device program");
	check(sys_bpf(BPF_PROG_ATTACH, &attach_to, sizeof(attach_to)), "attach",
	      "the device program");
}

static void make_cgroup(struct floor *floor)
{
	const struct floor_table *table = floor->table;

	check(mkdir(floor->cgroup, 0755), "mkdir", floor->cgroup);
	floor->cgroup_fd = (int)check(open(floor->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				      "open", floor->cgroup);
	for (uint32_t i = 0; i < table->cgroup_files_len; i++)
		write_file(floor->cgroup_fd, table->cgroup_files[i].name,
			   table->cgroup_files[i].text);
	if (table->device_program_len)
		load_device_program(floor);
}

/* --- inside ---------------------------------------------------------------------------------- */

static void start_clean(void)
{
	sigset_t none;

	sigemptyset(&none);
	check(sys_close_range(3, ~0u, 0), "close", "descriptors");
	for (int i = 1; i <= 64; i++)
		if (i != SIGKILL && i != SIGSTOP)
			check(sys_signal_default(i), "reset", "a signal");
	check(sigprocmask(SIG_SETMASK, &none, NULL), "unblock", "signals");
	check(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl", "PR_SET_DUMPABLE");
	check(setsid(), "setsid", "");
	check(sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0), "keyctl", "a session keyring");
}

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = (int)check(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket", "AF_INET");

	check(ioctl(fd, SIOCSIFFLAGS, &request), "raise", "lo");
}

static int make_tree(const char *type, const struct floor_option *options, uint32_t len,
		     uint32_t attributes)
{
	int fs = (int)check(sys_fsopen(type), "fsopen", type);

	for (uint32_t i = 0; i < len; i++)
		check(sys_fsconfig(
			      fs, options[i].flag ? SYS_FSCONFIG_SET_FLAG : SYS_FSCONFIG_SET_STRING,
			      options[i].key, options[i].flag ? NULL : options[i].value),
		      "fsconfig", options[i].key);
	check(sys_fsconfig(fs, SYS_FSCONFIG_CMD_CREATE, NULL, NULL), "create", type);
	return (int)check(sys_fsmount(fs, attributes), "fsmount", type);
}

static void open_root(struct floor *floor, int rootfs)
{
	struct sys_mount_attr slave = { .propagation = MS_SLAVE };

	check(sys_mount_setattr(AT_FDCWD, "/", SYS_AT_RECURSIVE, &slave), "make rslave", "/");
	floor->root =
		(int)check(sys_open_tree(rootfs, "", CLONE_TREE | AT_EMPTY_PATH | SYS_AT_RECURSIVE),
			   "open_tree", "the root filesystem");
	check(sys_move_mount(floor->root, "", rootfs, "", MOVE | SYS_MOVE_MOUNT_T_EMPTY_PATH),
	      "bind", "the root filesystem");
}

static void mount_all(struct floor *floor)
{
	const struct floor_table *table = floor->table;

	for (uint32_t i = 0; i < table->mounts_len; i++) {
		const struct floor_mount *mount = &table->mounts[i];

		if (mount->make)
			check(mkdirat(under(floor, mount->at.under), mount->at.name, 0755), "mkdir",
			      mount->at.name);
		floor->mounts[i] = make_tree(mount->type, mount->options, mount->options_len,
					     mount->attributes);
		check(attach(floor, floor->mounts[i], &mount->at), "attach", mount->at.name);
	}
}

static void bind_device(const struct floor *floor, const struct floor_device *device)
{
	struct sys_mount_attr attr = { .attr_set = MASK };
	int tree = (int)check(sys_open_tree(AT_FDCWD, device->host, CLONE_TREE), "open_tree",
			      device->host);

	check(sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr), "mount_setattr", device->host);
	check(mknodat(under(floor, device->at.under), device->at.name, S_IFREG | 0644, 0), "mknod",
	      device->at.name);
	check(attach(floor, tree, &device->at), "bind", device->host);
}

static void fill_dev(const struct floor *floor)
{
	static const char *const links[][2] = {
		{ "pts/ptmx", "ptmx" },		 { "/proc/self/fd", "fd" },
		{ "/proc/self/fd/0", "stdin" },	 { "/proc/self/fd/1", "stdout" },
		{ "/proc/self/fd/2", "stderr" },
	};
	const struct floor_table *table = floor->table;

	umask(0);
	for (uint32_t i = 0; i < table->devices_len; i++) {
		const struct floor_device *device = &table->devices[i];

		if (table->bind_devices)
			bind_device(floor, device);
		else
			check(mknodat(under(floor, device->at.under), device->at.name, device->mode,
				      device->number),
			      "mknod", device->at.name);
	}
	umask(022);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		check(symlinkat(links[i][0], under(floor, table->dev), links[i][1]), "link",
		      links[i][1]);
}

static void protect_all(const struct floor *floor)
{
	const struct floor_table *table = floor->table;
	struct sys_mount_attr attr = { .attr_set = SYS_MOUNT_ATTR_RDONLY };

	for (uint32_t i = 0; i < table->protected_len; i++) {
		const struct floor_place *at = &table->protected[i];
		int tree = sys_open_tree(under(floor, at->under), at->name,
					 CLONE_TREE | SYS_AT_RECURSIVE);

		if (is_absent(tree))
			continue;
		check(tree, "open_tree", at->name);
		check(sys_mount_setattr(tree, "", AT_EMPTY_PATH | SYS_AT_RECURSIVE, &attr),
		      "mount_setattr", at->name);
		check(attach(floor, tree, at), "bind", at->name);
	}
}

/* A tree that found no place waits for the next one. */
static void mask_all(const struct floor *floor)
{
	static const struct floor_option empty[] = {
		{ "nr_blocks", "1", false },
		{ "nr_inodes", "2", false },
		{ "mode", "555", false },
	};
	const struct floor_table *table = floor->table;
	struct sys_mount_attr attr = { .attr_set = MASK };
	int tree[2] = { -1, -1 }, first[2] = { -1, -1 };

	for (uint32_t i = 0; i < table->masked_len; i++) {
		const struct floor_place *at = &table->masked[i];
		bool directory = at->directory;
		int result;

		if (tree[directory] < 0 && first[directory] >= 0)
			tree[directory] = (int)check(
				sys_open_tree(first[directory], "", CLONE_TREE | AT_EMPTY_PATH),
				"clone", "a mask");
		else if (tree[directory] < 0 && directory)
			tree[directory] = make_tree("tmpfs", empty, 3, MASK);
		else if (tree[directory] < 0) {
			tree[directory] =
				(int)check(sys_open_tree(AT_FDCWD, "/dev/null", CLONE_TREE),
					   "open_tree", "/dev/null");
			check(sys_mount_setattr(tree[directory], "", AT_EMPTY_PATH, &attr),
			      "mount_setattr", "/dev/null");
		}
		result = attach(floor, tree[directory], at);
		if (result < 0 && errno == ENOENT)
			continue;
		check(result, "mask", at->name);
		first[directory] = tree[directory];
		tree[directory] = -1;
	}
}

/* The old root is a slave already, so that nothing of this reaches the host. */
static void pivot(const struct floor *floor)
{
	struct sys_mount_attr attr = { .attr_set = SYS_MOUNT_ATTR_RDONLY };

	check(fchdir(floor->root), "chdir", "the root filesystem");
	check(sys_pivot_root(".", "."), "pivot_root", "");
	check(umount2(".", MNT_DETACH), "detach", "the old root");
	if (floor->table->read_only)
		check(sys_mount_setattr(floor->root, "", AT_EMPTY_PATH, &attr), "make read-only",
		      "/");
}

/* The host's /dev/null is a way to the host's devtmpfs: it becomes the container's. */
static void own_null(void)
{
	struct stat st;
	int null;

	for (int fd = 0; fd <= 2; fd++) {
		if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
			continue;
		null = (int)check(open("/dev/null", (fd ? O_WRONLY : O_RDONLY) | O_CLOEXEC), "open",
				  "/dev/null");
		check(dup2(null, fd), "dup2", "/dev/null");
	}
}

static void drop_capabilities(const struct floor_table *table)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)table->effective, (uint32_t)table->permitted,
		  (uint32_t)table->inheritable },
		{ (uint32_t)(table->effective >> 32), (uint32_t)(table->permitted >> 32),
		  (uint32_t)(table->inheritable >> 32) },
	};

	for (int i = 0; i <= table->last_cap; i++)
		if (!(table->bounding >> i & 1))
			check(prctl(PR_CAPBSET_DROP, i, 0, 0, 0), "prctl", "PR_CAPBSET_DROP");
	if (table->set_groups)
		check(syscall(SYS_setgroups, 0, NULL), "setgroups", "");
	check(syscall(SYS_setresgid, 0, 0, 0), "setresgid", "0");
	check(syscall(SYS_setresuid, 0, 0, 0), "setresuid", "0");
	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl", "PR_SET_NO_NEW_PRIVS");
	check(syscall(SYS_capset, &head, data), "capset", "");
}

static int make_ruleset(const struct floor *floor)
{
	const struct floor_table *table = floor->table;
	struct sys_landlock_ruleset_attr attr = { table->landlock_fs, table->landlock_net,
						  table->landlock_scoped };
	int ruleset;

	if (!table->landlock_size)
		return -1;
	ruleset = (int)check(sys_landlock_create_ruleset(&attr, table->landlock_size, 0),
			     "landlock", "ruleset");
	for (uint32_t i = 0; i < table->rules_len; i++) {
		struct sys_landlock_path_beneath_attr rule = {
			table->rules[i].allowed, under(floor, table->rules[i].under)
		};

		check(sys_landlock_add_rule(ruleset, SYS_LANDLOCK_RULE_PATH_BENEATH, &rule),
		      "landlock", "rule");
	}
	return ruleset;
}

static void __attribute__((noreturn)) confine(const struct floor *floor)
{
	const struct floor_table *table = floor->table;
	struct sock_fprog filter = { (unsigned short)table->filter_len,
				     (struct sock_filter *)(uintptr_t)table->filter };
	int ruleset = make_ruleset(floor);
	char *env[FLOOR_ROWS_MAX + 1] = { 0 };

	own_null();
	drop_capabilities(table);
	for (uint32_t i = 0; i < table->env_len; i++)
		env[i] = (char *)(uintptr_t)table->env[i];
	for (uint32_t i = 0; i < table->limits_len; i++) {
		struct rlimit limit = { table->limits[i].soft, table->limits[i].hard };

		check(setrlimit((__rlimit_resource_t)table->limits[i].type, &limit), "setrlimit",
		      "");
	}
	if (ruleset >= 0)
		check(sys_landlock_restrict_self(ruleset, 0), "landlock", "restrict");
	if (filter.len)
		check(sys_seccomp(SECCOMP_SET_MODE_FILTER, table->filter_flags, &filter), "load",
		      "the filter");
	execve(floor->argv[0], floor->argv, env);
	fail("exec", floor->argv[0]);
}

static void __attribute__((noreturn)) container(struct floor *floor, const char *rootfs_path)
{
	const struct floor_table *table = floor->table;
	int rootfs;

	start_clean();
	rootfs = (int)check(open(rootfs_path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
			    "open", rootfs_path);
	if (table->user_namespace) {
		/* A process that cannot be dumped may not write its own maps. */
		check(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl", "PR_SET_DUMPABLE");
		write_file(AT_FDCWD, "/proc/self/setgroups", "deny");
		write_file(AT_FDCWD, "/proc/self/uid_map", table->uid_map);
		write_file(AT_FDCWD, "/proc/self/gid_map", table->gid_map);
		check(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl", "PR_SET_DUMPABLE");
	}
	check(unshare(CLONE_NEWCGROUP), "unshare", "CLONE_NEWCGROUP");
	if (table->namespaces & CLONE_NEWNET)
		raise_loopback();
	if (*table->hostname)
		check(sethostname(table->hostname, strlen(table->hostname)), "sethostname",
		      table->hostname);
	umask(022);
	open_root(floor, rootfs);
	mount_all(floor);
	fill_dev(floor);
	mask_all(floor);
	protect_all(floor);
	pivot(floor);
	confine(floor);
}

static void __attribute__((noreturn)) further(struct floor *floor)
{
	const struct floor_table *table = floor->table;

	start_clean();
	umask(022);
	floor->root = (int)check(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "open", "/");
	for (uint32_t i = 0; i < table->mounts_len; i++)
		for (uint32_t j = 0; j < table->rules_len; j++) {
			const struct floor_place *at = &table->mounts[i].at;

			if (table->rules[j].under == (int)i)
				floor->mounts[i] =
					(int)check(openat(under(floor, at->under), at->name,
							  O_PATH | O_NOFOLLOW | O_CLOEXEC),
						   "open", at->name);
		}
	confine(floor);
}

/* --- the whole ------------------------------------------------------------------------------- */

static pid_t clone_child(const struct floor *floor, uint64_t flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };

	if (floor->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)floor->cgroup_fd;
	}
	return (pid_t)check(sys_clone3(&args), "clone3", "");
}

static void join(struct floor *floor, pid_t pid)
{
	int pidfd = (int)check(sys_pidfd_open(pid, 0), "pidfd_open", "");

	if (floor->cgroup)
		floor->cgroup_fd =
			(int)check(open(floor->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open",
				   floor->cgroup);
	check(setns(pidfd, (int)(floor->table->namespaces | CLONE_NEWCGROUP)), "setns", "");
}

int main(int argc, char *argv[])
{
	struct floor floor = { .cgroup_fd = -1 };
	char own[FLOOR_TEXT_MAX + 32];
	const char *parent = NULL;
	pid_t joined = 0, pid;
	int option, fd, status;

	while ((option = getopt(argc, argv, "+c:e:")) != -1) {
		if (option == 'c')
			parent = optarg;
		else if (option == 'e')
			joined = (pid_t)strtol(optarg, NULL, 10);
		else
			return 2;
	}
	if (argc - optind < 3) {
		fprintf(stderr, "usage: floor [-e PID] [-c CGROUP] TABLE ROOTFS PROGRAM "
				"[ARGUMENTS...]\n");
		return 2;
	}
	fd = (int)check(open(argv[optind], O_RDONLY | O_CLOEXEC), "open", argv[optind]);
	floor.table = mmap(NULL, sizeof(*floor.table), PROT_READ, MAP_PRIVATE, fd, 0);
	if (floor.table == MAP_FAILED)
		fail("map", argv[optind]);
	floor.argv = argv + optind + 2;
	if (joined) {
		floor.cgroup = parent;
		join(&floor, joined);
		pid = clone_child(&floor, 0);
		if (pid == 0)
			further(&floor);
	} else {
		if (floor.table->cgroup) {
			snprintf(own, sizeof(own), "%s/floor-%d",
				 parent ? parent : floor.table->cgroup_parent, (int)getpid());
			floor.cgroup = own;
			make_cgroup(&floor);
		}
		pid = clone_child(&floor, floor.table->namespaces);
		if (pid == 0)
			container(&floor, argv[optind + 1]);
	}
	check(waitpid(pid, &status, 0), "wait", "");
	if (!joined && floor.cgroup)
		check(rmdir(floor.cgroup), "rmdir", floor.cgroup);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
