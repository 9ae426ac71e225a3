/*
 * The process: its environment, finding and executing the program with an error that says what is
 * wrong, the working directory, standard streams, the terminal.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "isolation/process.h"
#include "runtime/base/array.h"
#include "tests/unit/fixture.h"
#include "tests/unit/sandbox.h"

/* --- plan ------------------------------------------------------------------------------------ */

static void test_plan_environment(void **state)
{
	const char *args[] = { "sh", NULL }, *env[] = { "A=1", "PATH=/x:/y", "HOMEX=2", NULL };
	struct spec spec = { 0 };
	struct spec_process process = { .args = { args, 1 }, .env = { env, 3 }, .cwd = "/" };
	struct process_plan plan;
	struct err err;

	(void)state;
	assert_int_equal(process_plan(&spec, &process, 0, 2, arena, &plan, &err), 0);
	assert_string_equal(plan.path, "/x:/y");
	assert_string_equal(plan.envp[2], "HOMEX=2");
	assert_string_equal(plan.envp[3], "HOME=/root");
	assert_null(plan.envp[4]);
	assert_int_equal(plan.umask, 022);
	assert_int_equal(plan.keep_fds, 2);
	env[1] = "HOME=";
	process.user.uid = 7;
	process.user.umask = (struct optional_u64){ true, 0 };
	assert_int_equal(process_plan(&spec, &process, 0, 0, arena, &plan, &err), 0);
	assert_string_equal(plan.path, "/bin:/usr/bin");
	assert_null(plan.envp[3]);
	assert_int_equal(plan.umask, 0);
	env[1] = "B=";
	assert_int_equal(process_plan(&spec, &process, 0, 0, arena, &plan, &err), 0);
	assert_string_equal(plan.envp[3], "HOME=/");
}

static void test_plan_environment_twice(void **state)
{
	const char *args[] = { "sh", NULL };
	const char *env[] = { "A=1", "PATH=/x", "AA=2", "A=", "HOME=/h", "PATH=/y", "A=3", NULL };
	struct spec spec = { 0 };
	struct spec_process process = { .args = { args, 1 }, .env = { env, 7 }, .cwd = "/" };
	struct process_plan plan;
	struct err err;

	(void)state;
	assert_int_equal(process_plan(&spec, &process, 0, 0, arena, &plan, &err), 0);
	assert_string_equal(plan.envp[0], "A=3");
	assert_string_equal(plan.envp[1], "PATH=/y");
	assert_string_equal(plan.envp[2], "AA=2");
	assert_string_equal(plan.envp[3], "HOME=/h");
	assert_null(plan.envp[4]);
	assert_string_equal(plan.path, "/y");
}

/* Each of a thousand names three times: one of each is left, the last, in the order of the first.
 */
static void test_plan_environment_many(void **state)
{
	enum { NAMES = 1000, TIMES = 3 };
	static char text[NAMES * TIMES][32];
	static const char *env[NAMES * TIMES + 1];
	const char *args[] = { "sh", NULL };
	struct spec spec = { 0 };
	struct spec_process process = { .args = { args, 1 },
					.env = { env, NAMES * TIMES },
					.cwd = "/" };
	struct process_plan plan;
	struct err err;

	(void)state;
	for (int i = 0; i < NAMES * TIMES; i++) {
		snprintf(text[i], sizeof(text[i]), "N%d=%d", i % NAMES, i);
		env[i] = text[i];
	}
	assert_int_equal(process_plan(&spec, &process, 0, 0, arena, &plan, &err), 0);
	for (int i = 0; i < NAMES; i++)
		assert_ptr_equal(plan.envp[i], text[(TIMES - 1) * NAMES + i]);
	assert_string_equal(plan.envp[NAMES], "HOME=/root");
	assert_null(plan.envp[NAMES + 1]);
}

static void test_plan_refuses(void **state)
{
	const char *args[] = { "sh", NULL };
	struct spec spec = { .hostname = "x" };
	struct spec_process process = { .args = { args, 1 }, .cwd = "/" };
	struct process_plan plan;
	struct err err;

	(void)state;
	assert_int_equal(process_plan(&spec, &process, CLONE_NEWNS, 0, arena, &plan, &err), -1);
	assert_non_null(strstr(err.text, "hostname:"));
	assert_non_null(strstr(err.text, "linux.namespaces"));
	assert_int_equal(process_plan(&spec, &process, CLONE_NEWUTS, 0, arena, &plan, &err), 0);
	spec.domainname = "0123456789012345678901234567890123456789012345678901234567890123";
	assert_int_equal(process_plan(&spec, &process, CLONE_NEWUTS, 0, arena, &plan, &err), 0);
	spec.domainname = "01234567890123456789012345678901234567890123456789012345678901234";
	assert_int_equal(process_plan(&spec, &process, CLONE_NEWUTS, 0, arena, &plan, &err), -1);
	assert_non_null(strstr(err.text, "domainname: is longer than the 64 bytes"));
}

/* --- the program ----------------------------------------------------------------------------- */

static int find(const char *name, const char *path, char *program, struct err *err)
{
	const char *argv[] = { name, NULL };
	const struct process_plan plan = { .argv = argv, .path = path };

	*err = (struct err){ 0 };
	return process_find(&plan, program, err);
}

static void write_program(const char *path, const char *text)
{
	write_file(path, text);
	check(chmod(path, 0755) == 0);
}

static void body_find(void)
{
	char program[PATH_MAX], name[PATH_MAX];
	struct err err;

	check(mkdir("/tmp/a", 0755) == 0 && mkdir("/tmp/b", 0755) == 0);
	write_file("/tmp/a/tool", "#!/bin/sh\n");
	write_program("/tmp/b/tool", "#!/bin/sh\n");
	check(mkdir("/tmp/a/dir", 0755) == 0);
	check_err(find("tool", "/none:/tmp/a:/tmp/b", program, &err) == 0);
	check(!strcmp(program, "/tmp/b/tool"));
	check(find("tool", "/tmp/a", program, &err) < 0 && err.code == EACCES);
	check_err(strstr(err.text, "found in $PATH, but permission denied"));
	check(find("none", "/tmp/a:/tmp/b", program, &err) < 0 && err.code == ENOENT);
	check_err(strstr(err.text,
			 "exec \"none\": executable file not found in $PATH: No such file"));
	check(find("", "/tmp/a", program, &err) < 0);
	check(find("/tmp/a/dir", "", program, &err) < 0 && err.code == EACCES);
	check(find("/tmp/none", "/tmp/b", program, &err) < 0 && err.code == ENOENT);
	check_err(!strcmp(err.text, "exec \"/tmp/none\": no such file or directory"));
	check(chdir("/tmp") == 0);
	check_err(find("b/tool", "", program, &err) == 0 && !strcmp(program, "b/tool"));
	check(chdir("/tmp/b") == 0);
	check_err(find("tool", "/tmp/a:", program, &err) == 0 && !strcmp(program, "./tool"));
	check_err(find("tool", ":/tmp/a", program, &err) == 0 && !strcmp(program, "./tool"));
	/* As long as a path may be, and longer. */
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	check(find(name, "/tmp/b:", program, &err) < 0 && err.code == ENOENT);
	name[sizeof(name) - 3] = '\0';
	check(find(name, ":/", program, &err) < 0 && strlen(program) == PATH_MAX - 1);
}

static void test_find(void **state)
{
	(void)state;
	in_sandbox(body_find);
}

static void exec(const char *program, struct err *err)
{
	const char *argv[] = { program, NULL }, *envp[] = { NULL };
	const struct process_plan plan = { .argv = argv, .envp = envp };

	*err = (struct err){ 0 };
	check(process_exec(&plan, program, err) < 0);
}

/* A copy of /bin/true whose loader has another name. */
static void write_program_without_loader(const char *path)
{
	static char image[1 << 20];
	int in = open("/bin/true", O_RDONLY), out;
	ssize_t size = read(in, image, sizeof(image));
	char *loader;

	check(in >= 0 && size > 0);
	loader = memmem(image, (size_t)size, "/lib", 4);
	check(loader != NULL);
	memcpy(loader, "/nib", 4);
	out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	check(out >= 0 && write(out, image, (size_t)size) == size);
	close(out);
	close(in);
}

static void body_exec_errors(void)
{
	struct err err;

	write_program("/tmp/script", "#! /no/shell -x\n");
	exec("/tmp/script", &err);
	check_err(err.code == ENOENT && strstr(err.text, "No such file or directory"));
	check_err(strstr(err.text, "interpreter or loader is missing: /no/shell"));
	write_program_without_loader("/tmp/binary");
	exec("/tmp/binary", &err);
	check_err(strstr(err.text, "interpreter or loader is missing: /nib"));
	write_program("/tmp/text", "echo\n");
	exec("/tmp/text", &err);
	check_err(err.code == ENOEXEC && strstr(err.text, "Exec format error"));
	check_err(strstr(err.text, "another architecture"));
	write_file("/tmp/plain", "#!/bin/sh\n");
	exec("/tmp/plain", &err);
	check_err(!strcmp(err.text, "exec /tmp/plain: Permission denied"));
	exec("/tmp/none", &err);
	check_err(!strcmp(err.text, "exec /tmp/none: No such file or directory"));
	/* Heads that lie about what follows. */
	write_program("/tmp/short", "\177ELF");
	exec("/tmp/short", &err);
	write_program("/tmp/bare", "#!");
	exec("/tmp/bare", &err);
}

static void test_exec_errors(void **state)
{
	(void)state;
	in_sandbox(body_exec_errors);
}

/* --- working directory, descriptors ---------------------------------------------------------- */

static int enter(const char *cwd, bool make, struct err *err)
{
	const struct process_plan plan = { .cwd = cwd };

	*err = (struct err){ 0 };
	check(chdir("/") == 0);
	return process_apply_cwd(&plan, make, err) < 0 ? -1 : process_check_cwd(&plan, err);
}

static void body_cwd(void)
{
	int outside = open(OUTSIDE, O_RDONLY | O_DIRECTORY);
	char path[PATH_MAX];
	struct err err;

	check(mkdir(ROOTFS "/proc", 0755) == 0);
	check(mount("proc", ROOTFS "/proc", "proc", 0, NULL) == 0);
	check(chroot(ROOTFS) == 0);
	check(enter("/srv/data", false, &err) < 0 && err.code == ENOENT);
	check_err(enter("/srv/data", true, &err) == 0);
	check(getcwd(path, sizeof(path)) && !strcmp(path, "/srv/data"));
	/* CVE-2024-21626 */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", outside);
	check(enter(path, true, &err) < 0 && err.code == ELOOP);
	check(symlink(path, "/srv/link") == 0);
	check(enter("/srv/link", true, &err) < 0 && err.code == ELOOP);
	/* Closed to the user, but root went there for him; and the reverse. */
	check(mkdir("/closed", 0700) == 0 && mkdir("/closed/in", 0755) == 0 && chdir("/") == 0);
	{
		const struct process_plan plan = { .cwd = "/closed/in" };

		check_err(process_apply_cwd(&plan, false, &err) == 0);
		check(setresgid(7, 7, 7) == 0 && setresuid(7, 7, 7) == 0);
		check_err(process_check_cwd(&plan, &err) == 0);
		check(chdir("/") == 0);
		check_err(process_apply_cwd(&plan, false, &err) == 0);
		check(process_check_cwd(&plan, &err) < 0 && err.code == EACCES);
	}
	check(fchdir(outside) == 0);
	{
		const struct process_plan plan = { .cwd = "/closed/in" };

		check(process_check_cwd(&plan, &err) < 0);
		check_err(strstr(err.text, "leads out of the container"));
	}
}

static void test_cwd(void **state)
{
	(void)state;
	in_sandbox(body_cwd);
}

static void test_close_fds(void **state)
{
	int fds[4];
	const struct process_plan plan = { .keep_fds = 100 };
	struct err err = { 0 };
	pid_t pid;
	int status;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	fds[2] = fcntl(fds[0], F_DUPFD, 103);
	fds[3] = fcntl(fds[0], F_DUPFD, 50);
	pid = fork();
	if (pid == 0) {
		check_err(process_close_fds(&plan, &err) == 0);
		check(fcntl(fds[2], F_GETFD) == FD_CLOEXEC);
		check(fds[3] < 103 && fcntl(fds[3], F_GETFD) == 0);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
}

static void body_stdio(void)
{
	struct stat before, after, st;
	struct err err = { 0 };
	int fds[2], file = open(OUTSIDE "/secret", O_RDWR);

	check(mkdir(ROOTFS "/dev", 0755) == 0);
	check(mknod(ROOTFS "/dev/null", S_IFCHR | 0666, makedev(1, 3)) == 0);
	check(dup2(open("/dev/null", O_RDONLY), 0) == 0 && fstat(0, &before) == 0);
	check(pipe(fds) == 0 && dup2(fds[1], 1) == 1 && dup2(file, 2) == 2);
	check(chroot(ROOTFS) == 0);
	check_err(process_apply_stdio(1234, &err) == 0);
	check(fstat(0, &after) == 0 && after.st_rdev == makedev(1, 3) &&
	      after.st_dev != before.st_dev && after.st_uid == 0);
	check(fstat(1, &st) == 0 && st.st_uid == 1234 && st.st_gid == 0);
	check(fstat(2, &st) == 0 && st.st_uid == 0); /* a file is the caller's */
	/* An image that has something else there gets no say. */
	check(unlink("/dev/null") == 0 && symlink("/proc/version", "/dev/null") == 0);
	check_err(process_apply_stdio(1234, &err) == 0);
	check(fstat(0, &st) == 0 && st.st_ino == after.st_ino);
	close(2);
	check_err(process_apply_stdio(1234, &err) == 0);
}

static void test_stdio(void **state)
{
	(void)state;
	in_sandbox(body_stdio);
}

/* --- terminal -------------------------------------------------------------------------------- */

static void body_terminal(void)
{
	const struct process_plan plan = { .terminal = true, .rows = 11, .columns = 22 };
	struct stat console, terminal;
	struct err err = { 0 };
	struct winsize size;
	int master = -1;

	check(mkdir(ROOTFS "/dev", 0755) == 0 && mkdir(ROOTFS "/dev/pts", 0755) == 0);
	write_file(ROOTFS "/dev/console", "");
	check(chroot(ROOTFS) == 0 && chdir("/") == 0 && setsid() > 0);
	check(process_open_terminal(&plan, 1234, true, &master, &err) < 0);
	check_err(err.code == ENOENT && strstr(err.text, "devpts"));
	check(symlink("/dev/pts/ptmx", "/dev/pts/ptmx") == 0);
	check(process_open_terminal(&plan, 1234, true, &master, &err) < 0 && err.code == ELOOP);
	check(unlink("/dev/pts/ptmx") == 0);
	check(mknod("/dev/pts/ptmx", S_IFCHR | 0666, makedev(1, 3)) == 0);
	check(process_open_terminal(&plan, 1234, true, &master, &err) < 0);
	check_err(strstr(err.text, "not on a devpts"));
	check(mount("devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=620") == 0);
	check_err(process_open_terminal(&plan, 1234, true, &master, &err) == 0);
	check(isatty(0) && isatty(1) && isatty(2));
	check(fstat(0, &terminal) == 0 && stat("/dev/console", &console) == 0);
	check(console.st_rdev == terminal.st_rdev && console.st_uid == 1234);
	check(major(terminal.st_rdev) == 136);
	check(ioctl(0, TIOCGWINSZ, &size) == 0 && size.ws_row == 11 && size.ws_col == 22);
	check(tcgetpgrp(0) == getpgrp());
	check(fcntl(master, F_GETFD) == FD_CLOEXEC);
	/* An image's /dev/console that is a link is not followed. */
	check(umount("/dev/console") == 0 && unlink("/dev/console") == 0);
	check(symlink("/dev/pts", "/dev/console") == 0);
	check(process_open_terminal(&plan, 1234, true, &master, &err) < 0);
	check(err.code == ELOOP);
}

static void test_terminal(void **state)
{
	(void)state;
	in_sandbox(body_terminal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_environment),
		cmocka_unit_test(test_plan_environment_twice),
		cmocka_unit_test(test_plan_environment_many),
		cmocka_unit_test(test_plan_refuses),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_exec_errors),
		cmocka_unit_test(test_cwd),
		cmocka_unit_test(test_close_fds),
		cmocka_unit_test(test_stdio),
		cmocka_unit_test(test_terminal),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
