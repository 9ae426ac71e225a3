/*
 * Terminals and foreground runs, see console.h.
 *
 * Our own descriptors 0 and 1 belong to the caller: they are never made non-blocking (that would
 * change them for everybody who shares them), only read and written when poll(2) says so, and then
 * little enough not to block. The terminal's master is ours alone.
 */
#include "runtime/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>

#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/passed_fd.h"
#include "runtime/base/sys.h"

int console_connect(const char *path, int *socket_fd, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	autoclose int target = open(path, O_PATH | O_CLOEXEC);
	autoclose int fd = -1;

	if (target < 0)
		return err_sys(err, "open the socket %s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "make a socket");
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", target);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(err, "connect to the socket %s", path);
	*socket_fd = fd_take(&fd);
	return 0;
}

/* The receivers take the descriptor, and the text for a name of it. */
static int send_fd(int socket_fd, const char *text, int fd, struct err *err)
{
	struct iovec data = { .iov_base = (void *)text, .iov_len = strlen(text) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	union passed_fd passed;

	passed_fd_put(&passed, fd, &message);
	if (sendmsg(socket_fd, &message, MSG_NOSIGNAL) < 0)
		return err_sys(err, "send a descriptor to the caller's socket");
	return 0;
}

int console_send(int socket_fd, int master, struct err *err)
{
	return send_fd(socket_fd, "/dev/ptmx", master, err);
}

int console_send_pidfd(const char *path, int pidfd, struct err *err)
{
	autoclose int fd = -1;

	if (console_connect(path, &fd, err) < 0 || send_fd(fd, "pidfd", pidfd, err) < 0)
		return err_wrap(err, "--pidfd-socket");
	return 0;
}

/*
 * All that can be forwarded: not those that a program brings upon itself, nor those by which a
 * shell stops us, who are its job; the container's program is not.
 */
static void forwardable(sigset_t *set)
{
	static const int ours[] = { SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,	SIGTRAP, SIGABRT,
				    SIGSYS,  SIGTSTP, SIGTTIN, SIGTTOU, SIGCHLD };

	sigfillset(set);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		sigdelset(set, ours[i]);
}

int console_block_signals(struct err *err)
{
	sigset_t set;

	forwardable(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(err, "block signals");
	return 0;
}

/* PIPE_BUF: so much can be written to a pipe that poll(2) calls writable. */
#define RELAY_SIZE 4096
#define TERMINAL_SIZE 65536 /* more than the kernel keeps for the reader of a terminal (pty.c) */

/* One direction of the relay. What was read is written before more is read. */
struct relay {
	int from, to; /* -1: has ended */
	size_t used, done;
	char data[RELAY_SIZE];
};

struct foreground {
	int signals, pidfd, master;
	bool terminal; /* our standard input is one, and in raw mode */
	struct termios before;
	struct relay in, out;
};

static void copy_size(const struct foreground *foreground)
{
	struct winsize size;

	if (foreground->master >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(foreground->master, TIOCSWINSZ, &size);
}

static int enter_raw(struct foreground *foreground, struct err *err)
{
	struct termios raw;

	if (foreground->master < 0 || tcgetattr(STDIN_FILENO, &foreground->before) < 0)
		return 0; /* not a terminal: nothing to be changed */
	raw = foreground->before;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return err_sys(err, "put the terminal into raw mode");
	foreground->terminal = true;
	return 0;
}

static void leave_raw(struct foreground *foreground)
{
	if (foreground->terminal)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &foreground->before);
}

static bool relay_full(const struct relay *relay)
{
	return relay->done < relay->used;
}

static void relay_read(struct relay *relay)
{
	ssize_t got = read(relay->from, relay->data, sizeof(relay->data));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	relay->done = 0;
	relay->used = got > 0 ? (size_t)got : 0;
	if (got <= 0)
		relay->from = -1; /* EIO: the last one has closed the terminal (pty(7)) */
}

static void relay_write(struct relay *relay)
{
	ssize_t put = relay->to < 0 ? (ssize_t)relay->used
				    : write(relay->to, relay->data + relay->done,
					    relay->used - relay->done);

	if (put >= 0)
		relay->done += (size_t)put;
	else if (errno != EINTR && errno != EAGAIN)
		relay->to = -1; /* nobody reads any more: the program must not block on that */
	if (relay->to < 0)
		relay->done = relay->used;
}

/* The end of our input becomes the character that ends the program's. */
static void end_input(struct relay *in)
{
	static const char end_of_file = 'D' - '@';

	in->data[0] = end_of_file;
	in->used = 1;
	in->done = 0;
}

static struct pollfd want(const struct relay *relay, short event)
{
	bool full = relay_full(relay);

	if (event == POLLIN)
		return (struct pollfd){ .fd = full ? -1 : relay->from, .events = POLLIN };
	return (struct pollfd){ .fd = full ? relay->to : -1, .events = POLLOUT };
}

/* The signals that have come; those that mean something to us alone are not passed on. */
static void forward_signals(const struct foreground *foreground)
{
	struct signalfd_siginfo info;

	while (read(foreground->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH && foreground->master >= 0)
			copy_size(foreground);
		else if (info.ssi_signo != SIGPIPE && info.ssi_signo != SIGURG)
			sys_pidfd_send_signal(foreground->pidfd, (int)info.ssi_signo);
	}
}

/* What the program wrote before it ended is still in the terminal. What others write to it now, and
 * perhaps for ever, is not waited for. */
static void flush_output(struct relay *out)
{
	size_t left = TERMINAL_SIZE;

	while (out->to >= 0) {
		if (relay_full(out)) {
			relay_write(out);
			continue;
		}
		if (out->from < 0 || !left)
			break;
		relay_read(out);
		if (!relay_full(out))
			break;
		left -= out->used < left ? out->used : left;
	}
}

static int relay_until_end(struct foreground *foreground, struct err *err)
{
	struct relay *in = &foreground->in, *out = &foreground->out;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = foreground->signals, .events = POLLIN },
			{ .fd = foreground->pidfd, .events = POLLIN },
			want(in, POLLIN),
			want(in, POLLOUT),
			want(out, POLLIN),
			want(out, POLLOUT),
		};

		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return err_sys(err, "wait for the program");
		if (fds[0].revents)
			forward_signals(foreground);
		if (fds[1].revents)
			break;
		if (fds[2].revents) {
			relay_read(in);
			if (in->from < 0)
				end_input(in);
		}
		if (fds[3].revents)
			relay_write(in);
		if (fds[4].revents)
			relay_read(out);
		if (fds[5].revents)
			relay_write(out);
	}
	flush_output(out);
	return 0;
}

static int run(struct foreground *foreground, struct err *err)
{
	sigset_t set;
	int result;

	forwardable(&set);
	foreground->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (foreground->signals < 0)
		return err_sys(err, "make a descriptor for signals");
	if (foreground->master >= 0 && fcntl(foreground->master, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, "make the terminal non-blocking");
	if (enter_raw(foreground, err) < 0)
		return -1;
	copy_size(foreground);
	result = relay_until_end(foreground, err);
	leave_raw(foreground);
	return result;
}

int console_foreground(int master, pid_t pid, int pidfd, int *status, struct err *err)
{
	struct foreground foreground = {
		.signals = -1,
		.pidfd = pidfd,
		.master = master,
		.in = { .from = master < 0 ? -1 : STDIN_FILENO, .to = master },
		.out = { .from = master, .to = master < 0 ? -1 : STDOUT_FILENO },
	};
	int result;

	if (console_block_signals(err) < 0)
		return -1;
	result = run(&foreground, err);
	fd_close(&foreground.signals);
	if (result < 0)
		return -1;
	/* a child of the joiner sends no SIGCHLD, which makes it a "clone child" (wait(2)) */
	while (waitpid(pid, status, __WALL) < 0)
		if (errno != EINTR)
			return err_sys(err, "wait for the program");
	return 0;
}
