/*
 * Decoys, see decoys.h. Sockets and the process end with the supervisor, however it ends; a System
 * V segment, a message queue and keys do not, and are removed by name.
 */
#include "selftest/decoys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"

#define NAME_PREFIX "agentd-"
#define SHM_SIZE 4096
#define KEY_SECONDS 3600 /* a key that nobody removes goes by itself */
#define SHORT_LEN 8	 /* digits of the nonce where a name must be short */

static const int32_t keyrings[] = { KEY_SPEC_SESSION_KEYRING, KEY_SPEC_USER_KEYRING };

/* --- names ----------------------------------------------------------------------------------- */

static void name_decoys(struct attempt_decoys *told, const char *nonce)
{
	char digits[SHORT_LEN + 1];

	snprintf(told->nonce, sizeof(told->nonce), "%s", nonce);
	snprintf(digits, sizeof(digits), "%s", nonce);
	told->shm_key = (int32_t)(strtoul(digits, NULL, 16) | 1); /* 0 is IPC_PRIVATE */
	snprintf(told->mq_name, sizeof(told->mq_name), "/" NAME_PREFIX "%s", nonce);
	snprintf(told->key_name, sizeof(told->key_name), NAME_PREFIX "%s", nonce);
	snprintf(told->abstract, sizeof(told->abstract), NAME_PREFIX "%s", nonce);
	snprintf(told->host_comm, sizeof(told->host_comm), NAME_PREFIX "%s", digits);
}

int decoys_name(struct attempt_decoys *told, struct err *err)
{
	unsigned char random[16];
	char nonce[sizeof(told->nonce)];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_sys(err, "getrandom");
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(nonce + 2 * i, 3, "%02x", random[i]);
	name_decoys(told, nonce);
	return 0;
}

/* --- what ends with a process ---------------------------------------------------------------- */

/* -1 where it cannot be had: a sandbox that is not ours may forbid it. */
static int listen_on(const void *address, socklen_t size)
{
	const struct sockaddr *generic = address;
	autoclose int fd = socket(generic->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, generic, size) < 0 || listen(fd, SOMAXCONN) < 0)
		return -1;
	return fd_take(&fd);
}

static int listen_tcp(struct attempt_decoys *told)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	autoclose int fd = listen_on(&address, size);

	if (fd < 0 || getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return -1;
	told->tcp_port = ntohs(address.sin_port);
	return fd_take(&fd);
}

static int listen_abstract(struct attempt_decoys *told)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(told->abstract);
	int fd;

	memcpy(address.sun_path + 1, told->abstract, len);
	fd = listen_on(&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len));
	if (fd < 0)
		told->abstract[0] = '\0';
	return fd;
}

static int listen_path(struct attempt_decoys *told)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(told->unix_path);
	int fd = -1;

	if (len < sizeof(address.sun_path)) {
		memcpy(address.sun_path, told->unix_path, len);
		fd = listen_on(&address, sizeof(address));
	}
	if (fd < 0)
		told->unix_path[0] = '\0';
	return fd;
}

enum { LISTENERS_LEN = 3 };

/* Says the nonce to everybody who comes, until it is killed or its parent ends. */
static void __attribute__((noreturn)) serve(const struct attempt_decoys *told, const int *listeners)
{
	struct pollfd list[LISTENERS_LEN];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, told->host_comm);
	/* The control must be allowed to trace it: with Yama only whom it names may. */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	for (int i = 0; i < LISTENERS_LEN; i++)
		list[i] = (struct pollfd){ .fd = listeners[i], .events = POLLIN };
	while (poll(list, LISTENERS_LEN, -1) >= 0 || errno == EINTR) {
		for (int i = 0; i < LISTENERS_LEN; i++) {
			autoclose int client = list[i].revents ? accept(list[i].fd, NULL, NULL)
							       : -1;

			if (client >= 0)
				send(client, told->nonce, strlen(told->nonce), MSG_NOSIGNAL);
		}
	}
	_exit(1);
}

static int plant_server(struct decoys *decoys, struct err *err)
{
	struct attempt_decoys *told = &decoys->told;
	autoclose int tcp = listen_tcp(told);
	autoclose int abstract = listen_abstract(told);
	autoclose int path = listen_path(told);

	decoys->server = fork();
	if (decoys->server < 0)
		return err_sys(err, "fork");
	if (decoys->server == 0)
		serve(told, (const int[LISTENERS_LEN]){ tcp, abstract, path });
	told->host_pid = decoys->server;
	return 0;
}

/* --- what does not --------------------------------------------------------------------------- */

static void plant_ipc(struct attempt_decoys *told)
{
	mqd_t queue = mq_open(told->mq_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, NULL);

	if (queue == (mqd_t)-1)
		told->mq_name[0] = '\0';
	else
		mq_close(queue);
	told->shm_id = shmget(told->shm_key, SHM_SIZE, IPC_CREAT | IPC_EXCL | 0600);
	if (told->shm_id < 0)
		told->shm_key = told->shm_id = 0;
}

static void plant_keys(struct attempt_decoys *told)
{
	bool planted = false;

	for (size_t i = 0; i < ARRAY_LEN(keyrings); i++) {
		long key = syscall(SYS_add_key, "user", told->key_name, told->nonce,
				   strlen(told->nonce), keyrings[i]);

		planted |= key >= 0;
		if (key >= 0)
			sys_keyctl(KEYCTL_SET_TIMEOUT, (unsigned long)key, KEY_SECONDS);
	}
	if (!planted)
		told->key_name[0] = '\0';
}

static int plant_files(struct attempt_decoys *told, const char *path, struct err *err)
{
	struct {
		struct file_handle head;
		unsigned char room[sizeof(told->handle)];
	} handle = { .head.handle_bytes = sizeof(handle.room) };
	autoclose int fd = -1;
	int mount;

	if ((size_t)snprintf(told->host_file, sizeof(told->host_file), "%s/decoy", path) >=
	    sizeof(told->host_file))
		return err_set(err, ENAMETOOLONG, "the path of the decoys is too long: %s", path);
	snprintf(told->unix_path, sizeof(told->unix_path), "%s/socket", path);
	fd = open(told->host_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || file_write_all(fd, told->nonce, strlen(told->nonce)) < 0)
		return err_sys(err, "make the decoy %s", told->host_file);
	/* Not every file system has handles: 0 then. */
	if (name_to_handle_at(AT_FDCWD, told->host_file, &handle.head, &mount, 0) == 0) {
		told->handle_size =
			(uint32_t)(sizeof(struct file_handle) + handle.head.handle_bytes);
		if (told->handle_size <= sizeof(told->handle))
			memcpy(told->handle, &handle, told->handle_size);
		else
			told->handle_size = 0;
	}
	return 0;
}

/* --- all of them ----------------------------------------------------------------------------- */

static int plant_token(struct attempt_decoys *told, struct err *err)
{
	struct stat st;

	if (stat("/proc/self/ns/mnt", &st) < 0)
		return err_sys(err, "stat /proc/self/ns/mnt");
	told->mount_token = st.st_ino;
	return 0;
}

int decoys_plant(struct decoys *decoys, const char *path, struct err *err)
{
	struct attempt_decoys *told = &decoys->told;

	if (plant_token(told, err) < 0 || plant_files(told, path, err) < 0)
		return -1;
	plant_ipc(told);
	plant_keys(told);
	return plant_server(decoys, err);
}

void decoys_remove(struct decoys *decoys)
{
	int status;

	if (decoys->server > 0) {
		kill(decoys->server, SIGKILL); /* not waited for yet: still that process */
		while (waitpid(decoys->server, &status, 0) < 0 && errno == EINTR)
			;
		decoys->server = 0;
	}
	decoys_sweep(decoys->told.nonce);
}

void decoys_sweep(const char *nonce)
{
	struct attempt_decoys told = { 0 };
	int segment;

	if (strlen(nonce) != sizeof(told.nonce) - 1)
		return;
	name_decoys(&told, nonce);
	mq_unlink(told.mq_name);
	segment = shmget(told.shm_key, 0, 0);
	if (segment >= 0)
		shmctl(segment, IPC_RMID, NULL);
	for (size_t i = 0; i < ARRAY_LEN(keyrings); i++) {
		long key =
			syscall(SYS_keyctl, KEYCTL_SEARCH, keyrings[i], "user", told.key_name, 0);

		if (key >= 0)
			sys_keyctl(KEYCTL_UNLINK, (unsigned long)key, (unsigned long)keyrings[i]);
	}
}
