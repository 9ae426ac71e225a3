/*
 * Attempts on files but Landlock's (attempts_landlock.c): leaving the root by every form of a path,
 * writing where nothing may be written, running what must not run, filling what must not grow.
 *
 * The host's decoy is opened and at most read; nothing that is not ours is written. Where several
 * doors are tried for one id, the first that opens is the answer, and otherwise the last refusal.
 */
#include "selftest/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEVELS 64 /* deeper than any root */
#define FDS_MAX 1024
#define PATH_SIZE 512
#define TMPFS_MAGIC 0x01021994

/* Opens, notes the answer, and closes. Whether it opened. */
static bool try_open_at(struct attempt_result *result, int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	attempt_set(result, fd);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Where the supervisor prepared nothing, nothing is said. */
static bool prepared(struct attempt_result *result, const char *decoy)
{
	if (decoy[0])
		return true;
	errno = ECANCELED;
	attempt_set(result, -1);
	return false;
}

/* --- leaving the root ------------------------------------------------------------------------ */

static void try_identity(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct stat st;

	if (!prepared(result, decoys->host_file))
		return;
	if (stat("/", &st) == 0)
		attempt_say(result, "root=%u:%u:%llu", major(st.st_dev), minor(st.st_dev),
			    (unsigned long long)st.st_ino);
	try_open_at(result, AT_FDCWD, decoys->host_file);
}

static void try_dotdot(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	int dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (!prepared(result, decoys->host_file))
		return;
	for (int i = 0; dir >= 0 && i < LEVELS; i++) {
		int above = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		close(dir);
		dir = above;
	}
	if (dir < 0)
		attempt_set(result, -1);
	else
		try_open_at(result, dir, decoys->host_file + 1);
}

static void try_symlink(const struct attempt_decoys *decoys, struct attempt_result *result,
			const char *upwards)
{
	char target[PATH_SIZE], link[PATH_SIZE];

	if (!prepared(result, decoys->host_file) || !prepared(result, decoys->scratch))
		return;
	snprintf(target, sizeof(target), "%s%s", upwards, decoys->host_file);
	snprintf(link, sizeof(link), "%s/link-%s", decoys->scratch, decoys->nonce);
	if (symlink(target, link) < 0) {
		attempt_set(result, -1);
		attempt_say(result, "step=symlink");
		return;
	}
	try_open_at(result, AT_FDCWD, link);
	unlink(link);
}

static void try_symlink_absolute(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	try_symlink(decoys, result, "");
}

static void try_symlink_relative(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	try_symlink(decoys, result, "../../../../../../../../../../../../../../../..");
}

static void try_magic_links(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const char *const magic[] = {
		"/proc/1/root",
		"/proc/self/root",
		"/proc/thread-self/root",
		"/proc/1/cwd/../../../../../../../..",
		"/proc/self/cwd/../../../../../../../..",
	};
	char path[PATH_SIZE];

	if (!prepared(result, decoys->host_file))
		return;
	for (size_t i = 0; i < sizeof(magic) / sizeof(magic[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", magic[i], decoys->host_file);
		if (try_open_at(result, AT_FDCWD, path)) {
			attempt_say(result, "link=%s", magic[i]);
			return;
		}
	}
}

/* Every directory that is open, and one of our own root: on the host that one reaches the decoy,
 * which shows that a leaked one would here. */
static void try_descriptors(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char upwards[PATH_SIZE];
	int directories = 0;
	int own = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (!prepared(result, decoys->host_file))
		return;
	snprintf(upwards, sizeof(upwards), "../../../../../../../../../../../..%s",
		 decoys->host_file);
	errno = EBADF;
	attempt_set(result, -1);
	for (int fd = 0; fd < FDS_MAX; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		directories += fd != own;
		if (try_open_at(result, fd, decoys->host_file + 1) ||
		    try_open_at(result, fd, upwards)) {
			attempt_say(result, "fd=%s", fd == own ? "own" : "leaked");
			break;
		}
	}
	attempt_say(result, "directories=%d", directories);
}

/* What it holds, not only that it is there. */
static void try_secret(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char text[sizeof(decoys->nonce)] = "";
	int fd;

	if (!prepared(result, decoys->host_file))
		return;
	fd = open(decoys->host_file, O_RDONLY | O_CLOEXEC);
	attempt_set(result, fd < 0 ? -1 : read(fd, text, sizeof(text) - 1));
	if (fd >= 0)
		close(fd);
	attempt_say(result, "nonce=%s", strcmp(text, decoys->nonce) == 0 ? "read" : "unread");
}

static long connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;
	long answer;

	if (fd < 0)
		return -1;
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	answer = connect(fd, (struct sockaddr *)&address, sizeof(address));
	error = errno;
	close(fd);
	errno = error;
	return answer;
}

/* The decoy first: where it can be reached no other is tried. Nothing is sent. */
static void try_unix_sockets(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	const char *const paths[] = {
		decoys->unix_path,	"/run/docker.sock",
		"/var/run/docker.sock", "/run/containerd/containerd.sock",
		"/run/crio/crio.sock",	"/run/podman/podman.sock",
	};
	int refused = 0;

	if (!prepared(result, decoys->unix_path))
		return;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		long answer = connect_to(paths[i]);

		if (i == 0 && answer < 0)
			refused = errno;
		if (answer == 0 || errno == EAGAIN) {
			attempt_set(result, 0);
			attempt_say(result, "socket=%s", i ? paths[i] : "decoy");
			return;
		}
	}
	errno = refused;
	attempt_set(result, -1);
}

/* --- writing --------------------------------------------------------------------------------- */

/* The least good refusal is the answer: EROFS only if it is that everywhere. */
static void try_root(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	const char *const directories[] = {
		"", "/etc", "/usr", "/lib", "/bin", decoys->read_only,
	};
	char path[PATH_SIZE];
	int worst = 0, tried = 0;

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		int fd;

		if (i && (!directories[i][0] || access(directories[i], F_OK) < 0))
			continue;
		snprintf(path, sizeof(path), "%s/agentd-canary-%s", directories[i], decoys->nonce);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		tried++;
		if (fd >= 0) {
			unlink(path);
			close(fd);
			attempt_set(result, fd);
			attempt_say(result, "directory=%s", i ? directories[i] : "/");
			return;
		}
		if (!worst || errno != EROFS)
			worst = errno;
	}
	errno = worst;
	attempt_set(result, -1);
	attempt_say(result, "tried=%d", tried);
}

/* What is impossible is refused before a page is taken (shmem_fallocate() in mm/shmem.c), so this
 * costs nothing where there is a limit, and is not tried where there is none. */
static void try_fill(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	struct statfs fs;
	struct sysinfo system;
	char path[PATH_SIZE];
	uint64_t size;
	int fd;

	if (!prepared(result, decoys->scratch))
		return;
	snprintf(path, sizeof(path), "%s/fill", decoys->scratch);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || fstatfs(fd, &fs) < 0 || sysinfo(&system) < 0) {
		attempt_set(result, -1);
		return;
	}
	unlink(path);
	size = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
	attempt_say(result, "size=%llu type=%s pair=%s", (unsigned long long)size,
		    fs.f_type == TMPFS_MAGIC ? "tmpfs" : "other",
		    fallocate(fd, 0, 0, 4096) == 0 ? "ok" : strerrorname_np(errno));
	/* tmpfs without a size may take half of the memory */
	if (fs.f_type != TMPFS_MAGIC)
		errno = ENOTSUP, attempt_set(result, -1);
	else if (size == 0 || size >= (uint64_t)system.totalram * system.mem_unit / 2)
		attempt_set(result, 0);
	else
		attempt_set(result, fallocate(fd, 0, 0, (off_t)size + 4096));
	close(fd);
}

static void try_file_size(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	static const struct rlimit limit = { 4096, 4096 };
	char path[PATH_SIZE];
	int fd;

	if (!prepared(result, decoys->scratch))
		return;
	snprintf(path, sizeof(path), "%s/large", decoys->scratch);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || setrlimit(RLIMIT_FSIZE, &limit) < 0) {
		attempt_set(result, -1);
		return;
	}
	unlink(path);
	signal(SIGXFSZ, SIG_IGN);
	attempt_say(result, "pair=%s",
		    pwrite(fd, "", 1, 4095) == 1 ? "ok" : strerrorname_np(errno));
	attempt_set(result, pwrite(fd, "", 1, 4096));
	close(fd);
}

/* --- running --------------------------------------------------------------------------------- */

/* A program that was never a file. */
static void try_memfd(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	int memory = memfd_create("agentd-canary", MFD_CLOEXEC);
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char block[65536];
	ssize_t got;

	(void)decoys;
	if (memory < 0 || self < 0) {
		attempt_set(result, -1);
		attempt_say(result, "step=%s", memory < 0 ? "memfd" : "open");
		return;
	}
	while ((got = read(self, block, sizeof(block))) > 0)
		if (write(memory, block, (size_t)got) != got)
			break;
	attempt_set(result, got ? -1 : attempt_execute(memory, "", AT_EMPTY_PATH));
	close(memory);
	close(self);
}

/* What the dynamic loader does with a program that execve(2) refuses. */
static void try_loader(const struct attempt_decoys *decoys, struct attempt_result *result)
{
	char path[PATH_SIZE];
	void *code;
	int fd;

	if (!prepared(result, decoys->denied))
		return;
	snprintf(path, sizeof(path), "%s/script", decoys->denied);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		attempt_set(result, -1);
		return;
	}
	code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	attempt_set(result, code == MAP_FAILED ? -1 : 0);
	if (code != MAP_FAILED)
		munmap(code, 4096);
	close(fd);
}

const struct attempt attempts_files[] = {
	{ "fs.root-identity", try_identity },
	{ "fs.dotdot", try_dotdot },
	{ "fs.symlink-abs", try_symlink_absolute },
	{ "fs.symlink-rel", try_symlink_relative },
	{ "fs.magic-root", try_magic_links },
	{ "fs.fd-root", try_descriptors },
	{ "fs.ro-root", try_root },
	{ "fs.ldso", try_loader },
	{ "fs.memfd-exec", try_memfd },
	{ "fs.tmpfs-size", try_fill },
	{ "fs.fsize", try_file_size },
	{ "fs.unix-path", try_unix_sockets },
	{ "fs.secrets", try_secret },
	{ 0 },
};
