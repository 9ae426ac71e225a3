/*
 * Terminals: what is sent over a console socket, and the foreground: bytes, signals, size, raw mode
 * and the exit status. The side under test runs in a process of its own, because it takes its
 * standard streams.
 */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/array.h"
#include "runtime/base/sys.h"
#include "runtime/console.h"

/* A socket whose path is longer than an address has room for. */
static void test_send_over_a_long_path(void **state)
{
	char dir[] = "/tmp/agentd-test-console-XXXXXX", path[512], text[32] = "";
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = { text, sizeof(text) - 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	int listening = socket(AF_UNIX, SOCK_STREAM, 0), connected = -1, accepted, received;
	struct stat sent, got;
	struct err err;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/%0200d", dir, 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chdir(path), 0);
	assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listening, 1), 0);
	snprintf(path, sizeof(path), "%s/%0200d/socket", dir, 0);
	assert_int_equal(console_connect(path, &connected, &err), 0);
	assert_int_equal(console_send(connected, listening, &err), 0);
	accepted = accept(listening, NULL, NULL);
	assert_true(recvmsg(accepted, &message, 0) > 0);
	assert_string_equal(text, "/dev/ptmx");
	memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(received));
	assert_int_equal(fstat(listening, &sent), 0);
	assert_int_equal(fstat(received, &got), 0);
	assert_int_equal(sent.st_ino, got.st_ino);
	unlink("socket");
	assert_int_equal(chdir("/"), 0);
	path[strlen(path) - strlen("/socket")] = '\0';
	rmdir(path);
	rmdir(dir);
	close(received);
	close(accepted);
	close(connected);
	close(listening);
}

static void test_no_socket(void **state)
{
	struct err err;
	int fd;

	(void)state;
	assert_int_equal(console_connect("/nonexistent/socket", &fd, &err), -1);
	assert_string_equal(err.text,
			    "open the socket /nonexistent/socket: No such file or directory");
	assert_int_equal(console_connect("/dev/null", &fd, &err), -1);
}

/* A foreground run of a line of shell, in a process of its own with the streams given. */
struct run {
	int master; /* of the program's terminal, -1: it has none */
	int slave;
	int in, out; /* our standard streams */
	int writer;  /* of `in`, if the end of input matters: the test's alone; 0: none */
	const char *script;
};

static void __attribute__((noreturn)) program(const struct run *run)
{
	setsid();
	if (run->slave >= 0) {
		ioctl(run->slave, TIOCSCTTY, 0);
		for (int fd = 0; fd < 3; fd++)
			dup2(run->slave, fd);
	}
	sys_close_range(3, ~0u, 0);
	execl("/bin/sh", "sh", "-c", run->script, NULL);
	_exit(99);
}

/* Exits with the program's status, 128 + n for a signal; 98: failed. */
static pid_t foreground(const struct run *run)
{
	struct err err;
	int status, pidfd;
	pid_t pid = fork(), child;

	if (pid)
		return pid;
	if (run->writer)
		close(run->writer);
	child = fork();
	if (child == 0)
		program(run);
	pidfd = sys_pidfd_open(child, 0);
	if (run->slave >= 0)
		close(run->slave);
	dup2(run->in, STDIN_FILENO);
	dup2(run->out, STDOUT_FILENO);
	if (console_foreground(run->master, child, pidfd, &status, &err) < 0)
		_exit(98);
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static int exit_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Reads until the end, or until `word` was there. */
static void read_until(int fd, const char *word, char *text, size_t size)
{
	size_t used = 0;
	ssize_t got = 1;

	text[0] = '\0';
	while (got > 0 && used + 1 < size && !(word && strstr(text, word))) {
		got = read(fd, text + used, size - 1 - used);
		used += got > 0 ? (size_t)got : 0;
		text[used] = '\0';
	}
}

static void test_output_and_status(void **state)
{
	struct run run = { .script = "printf hello; exit 7" };
	int out[2], in[2];
	char text[256];
	pid_t pid;

	(void)state;
	assert_int_equal(openpty(&run.master, &run.slave, NULL, NULL, NULL), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	run.in = in[0];
	run.out = out[1];
	pid = foreground(&run);
	close(run.slave);
	close(run.master);
	close(out[1]);
	read_until(out[0], NULL, text, sizeof(text));
	assert_string_equal(text, "hello");
	assert_int_equal(exit_of(pid), 7);
	close(out[0]);
	close(in[0]);
	close(in[1]);
}

/* More than any buffer on the way holds, and it comes whole. */
static void test_much_output(void **state)
{
	enum { SIZE = 300000 };
	struct run run = { .script = "head -c 300000 /dev/zero | tr '\\0' x" };
	char *text = malloc(SIZE + 2);
	int out[2];
	pid_t pid;

	(void)state;
	assert_int_equal(openpty(&run.master, &run.slave, NULL, NULL, NULL), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	run.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	run.out = out[1];
	pid = foreground(&run);
	close(run.slave);
	close(run.master);
	close(out[1]);
	read_until(out[0], NULL, text, SIZE + 2);
	assert_int_equal(strlen(text), SIZE);
	assert_int_equal(exit_of(pid), 0);
	close(out[0]);
	close(run.in);
	free(text);
}

/* Writes to the terminal as long as there is one, whoever else has it. */
static pid_t flood(const char *terminal)
{
	static char text[4096];
	pid_t pid = fork();

	if (pid)
		return pid;
	setsid();
	sys_close_range(3, ~0u, 0);
	memset(text, 'x', sizeof(text));
	for (;;) {
		int fd = open(terminal, O_WRONLY | O_NOCTTY);

		while (fd >= 0 && write(fd, text, sizeof(text)) > 0)
			;
		close(fd);
	}
}

/* Another process of the container writes on when the program has ended, faster than we are read.
 */
static void test_output_without_end(void **state)
{
	struct run run = { .script = "exec sleep 60" };
	int out[2], status;
	char name[64], text[1024];
	pid_t floods[3], pid;
	size_t used = 0;

	(void)state;
	assert_int_equal(openpty(&run.master, &run.slave, name, NULL, NULL), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	for (size_t i = 0; i < ARRAY_LEN(floods); i++)
		floods[i] = flood(name);
	run.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	run.out = out[1];
	pid = foreground(&run);
	close(run.slave);
	close(out[1]);
	while (used < 2000000 && waitpid(pid, &status, WNOHANG) == 0) {
		ssize_t got = read(out[0], text, sizeof(text));

		if (used < 500000 && used + sizeof(text) >= 500000)
			kill(pid, SIGTERM); /* is forwarded */
		used += got > 0 ? (size_t)got : 0;
		usleep(500);
	}
	for (size_t i = 0; i < ARRAY_LEN(floods); i++) {
		kill(floods[i], SIGKILL);
		waitpid(floods[i], NULL, 0);
	}
	close(out[0]);
	close(run.master);
	close(run.in);
	if (used >= 2000000) {
		kill(pid, SIGKILL);
		fail_msg("still running, %zu bytes after the start", used);
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGTERM);
}

/* The end of our input is the end of the program's. */
static void test_input_and_its_end(void **state)
{
	struct run run = { .script = "read line; echo \"got $line\"; cat; exit 5" };
	int out[2], in[2];
	char text[256];
	pid_t pid;

	(void)state;
	assert_int_equal(openpty(&run.master, &run.slave, NULL, NULL, NULL), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	run.in = in[0];
	run.writer = in[1];
	run.out = out[1];
	pid = foreground(&run);
	close(run.slave);
	close(run.master);
	close(out[1]);
	close(in[0]);
	assert_int_equal(write(in[1], "word\n", 5), 5);
	close(in[1]);
	read_until(out[0], NULL, text, sizeof(text));
	assert_non_null(strstr(text, "got word"));
	assert_int_equal(exit_of(pid), 5);
	close(out[0]);
}

/* Our own terminal: raw while the program runs, its size copied, and as before afterwards. */
static void test_raw_mode_and_size(void **state)
{
	struct winsize size = { .ws_row = 33, .ws_col = 77 };
	/* the size comes from us, perhaps only after the program has begun */
	struct run run = { .script = "while test \"$(stty size)\" != '33 77'; do :; done; "
				     "echo ready; read line; exit 0" };
	struct termios before, during, after;
	int ours, theirs;
	char text[256];
	pid_t pid;

	(void)state;
	assert_int_equal(openpty(&run.master, &run.slave, NULL, NULL, NULL), 0);
	assert_int_equal(openpty(&ours, &theirs, NULL, NULL, &size), 0);
	fcntl(ours, F_SETFD, FD_CLOEXEC);
	assert_int_equal(tcgetattr(theirs, &before), 0);
	run.in = run.out = theirs;
	pid = foreground(&run);
	close(run.slave);
	close(run.master);
	read_until(ours, "ready", text, sizeof(text));
	assert_int_equal(tcgetattr(theirs, &during), 0);
	assert_int_equal(during.c_lflag & (ICANON | ECHO | ISIG), 0);
	assert_int_equal(write(ours, "x\r", 2), 2);
	assert_int_equal(exit_of(pid), 0);
	assert_int_equal(tcgetattr(theirs, &after), 0);
	assert_int_equal(before.c_lflag, after.c_lflag);
	assert_int_equal(before.c_iflag, after.c_iflag);
	close(ours);
	close(theirs);
}

static void test_signals_are_forwarded(void **state)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGUSR1, SIGINT };
	struct run run = { .master = -1, .slave = -1, .script = "echo ready; exec sleep 1000" };
	int out[2];
	char text[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		pid_t pid;
		struct err err;

		assert_int_equal(pipe2(out, O_CLOEXEC), 0);
		run.in = STDIN_FILENO;
		run.out = STDOUT_FILENO;
		/* as container.c does: blocked before anybody can send one */
		pid = fork();
		if (pid == 0) {
			pid_t child = fork();
			int status;

			if (child == 0) {
				dup2(out[1], STDOUT_FILENO);
				program(&run);
			}
			console_block_signals(&err);
			dprintf(out[1], "blocked\n");
			if (console_foreground(-1, child, sys_pidfd_open(child, 0), &status, &err) <
			    0)
				_exit(98);
			_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
		}
		close(out[1]);
		text[0] = '\0';
		read_until(out[0], "blocked", text, sizeof(text));
		if (!strstr(text, "ready"))
			read_until(out[0], "ready", text, sizeof(text));
		assert_int_equal(kill(pid, signals[i]), 0);
		assert_int_equal(exit_of(pid), 128 + signals[i]);
		close(out[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_send_over_a_long_path),
		cmocka_unit_test(test_no_socket),
		cmocka_unit_test(test_output_and_status),
		cmocka_unit_test(test_much_output),
		cmocka_unit_test(test_output_without_end),
		cmocka_unit_test(test_input_and_its_end),
		cmocka_unit_test(test_raw_mode_and_size),
		cmocka_unit_test(test_signals_are_forwarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
