/*
 * The process itself, see process.h; its terminal is in terminal.c.
 *
 * What is done in the child comes after pivot_root(2), so plain paths are the container's own here.
 * They are hostile all the same: of the container's user database nothing but HOME is taken (see
 * home.h), and the working directory is not reached through a magic link.
 */
#include "isolation/process.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "isolation/home.h"
#include "isolation/path.h"
#include "runtime/base/fd.h"
#include "runtime/base/sys.h"

#define DEFAULT_PATH "/bin:/usr/bin" /* of execvp(3) */
#define DEFAULT_UMASK 022	     /* the specification says nothing; all peers take this */
#define HEAD_SIZE 4096
#define UTS_NAME_MAX 64 /* __NEW_UTS_LEN of linux/utsname.h, without the NUL */

/* --- plan ------------------------------------------------------------------------------------ */

struct variable {
	const char **item; /* "NAME=VALUE", in envp */
	size_t name_len;
};

static int compare_names(const struct variable *a, const struct variable *b)
{
	if (a->name_len != b->name_len)
		return a->name_len < b->name_len ? -1 : 1;
	return memcmp(*a->item, *b->item, a->name_len);
}

/* Of one name, the earlier first. */
static int compare_variables(const void *a, const void *b)
{
	const struct variable *one = a, *other = b;
	int order = compare_names(one, other);

	return order ? order : one->item < other->item ? -1 : one->item > other->item;
}

/*
 * A name that comes twice has the later value, where the earlier was: programs differ in which of
 * two they would take. Sorted, for there may be thousands (Kubernetes has some for each service).
 */
static void unite_variables(const char **envp, size_t len, struct arena *arena)
{
	struct variable *sorted = arena_new_array(arena, struct variable, len + 1);
	size_t kept = 0;

	for (size_t i = 0; i < len; i++)
		sorted[i] = (struct variable){ &envp[i], strcspn(envp[i], "=") };
	qsort(sorted, len, sizeof(*sorted), compare_variables);
	for (size_t i = len; i-- > 1;)
		if (compare_names(&sorted[i - 1], &sorted[i]) == 0) {
			*sorted[i - 1].item = *sorted[i].item;
			*sorted[i].item = NULL;
		}
	for (size_t i = 0; i < len; i++)
		if (envp[i])
			envp[kept++] = envp[i];
	envp[kept] = NULL;
}

/* Where the variable "NAME=" is, or where the next one goes. */
static const char **env_find(const char **envp, const char *name)
{
	while (*envp && strncmp(*envp, name, strlen(name)) != 0)
		envp++;
	return envp;
}

static void plan_environment(const struct spec_process *process, struct arena *arena,
			     struct process_plan *plan)
{
	const struct spec_strings *env = &process->env;
	const char **home, *path;
	char *variable;

	plan->envp = arena_new_array(arena, const char *, env->len + 2);
	for (size_t i = 0; i < env->len; i++)
		plan->envp[i] = env->item[i];
	unite_variables(plan->envp, env->len, arena);
	path = *env_find(plan->envp, "PATH=");
	plan->path = path ? path + strlen("PATH=") : DEFAULT_PATH;
	home = env_find(plan->envp, "HOME=");
	if (*home)
		return;
	variable = arena_alloc(arena, strlen("HOME=") + PROCESS_HOME_SIZE, 1);
	memcpy(variable, "HOME=/root", process->user.uid ? strlen("HOME=/") : strlen("HOME=/root"));
	*home = variable;
	plan->home = variable + strlen("HOME=");
}

static int check_name(const char *member, const char *name, struct err *err)
{
	if (name && strlen(name) > UTS_NAME_MAX)
		return err_set(err, EINVAL, "%s: is longer than the %d bytes that the kernel takes",
			       member, UTS_NAME_MAX);
	return 0;
}

int process_plan(const struct spec *spec, const struct spec_process *process, uint64_t own,
		 unsigned keep_fds, struct arena *arena, struct process_plan *plan, struct err *err)
{
	if (check_name("hostname", spec->hostname, err) < 0 ||
	    check_name("domainname", spec->domainname, err) < 0)
		return -1;
	if ((spec->hostname || spec->domainname) && !(own & CLONE_NEWUTS))
		return err_set(err, EINVAL,
			       "%s: would be the machine's; add {\"type\": \"uts\"} to "
			       "linux.namespaces",
			       spec->hostname ? "hostname" : "domainname");
	*plan = (struct process_plan){
		.hostname = spec->hostname,
		.domainname = spec->domainname,
		.personality_set = spec->linux.personality.set,
		.personality = (unsigned long)spec->linux.personality.domain,
		.umask = process->user.umask.set ? (mode_t)process->user.umask.value
						 : DEFAULT_UMASK,
		.cwd = process->cwd,
		.argv = process->args.item,
		.terminal = process->terminal,
		.rows = (unsigned short)process->console_size.height,
		.columns = (unsigned short)process->console_size.width,
		.keep_fds = keep_fds,
	};
	plan_environment(process, arena, plan);
	return 0;
}

/* --- apply ----------------------------------------------------------------------------------- */

int process_apply_session(struct err *err)
{
	return setsid() < 0 ? err_sys(err, "setsid") : 0;
}

int process_apply_names(const struct process_plan *plan, struct err *err)
{
	if (plan->hostname && sethostname(plan->hostname, strlen(plan->hostname)) < 0)
		return err_sys(err, "hostname: set '%s'", plan->hostname);
	if (plan->domainname && setdomainname(plan->domainname, strlen(plan->domainname)) < 0)
		return err_sys(err, "domainname: set '%s'", plan->domainname);
	return 0;
}

int process_apply_personality(const struct process_plan *plan, struct err *err)
{
	umask(plan->umask);
	if (plan->personality_set && personality(plan->personality) < 0)
		return err_sys(err, "linux.personality");
	return 0;
}

static bool is_null_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* The host's keeps a way to the host's /dev open. A container without a /dev/null keeps it: there
 * is nothing else that is safe to give. */
static int replace_null(int fd, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);
	autoclose int null = -1;
	struct stat st;

	if (flags < 0)
		return err_sys(err, "look at descriptor %d", fd);
	null = open("/dev/null",
		    (flags & O_ACCMODE) | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (null < 0 || fstat(null, &st) < 0 || !is_null_device(&st))
		return 0;
	if (dup2(null, fd) < 0)
		return err_sys(err, "replace descriptor %d", fd);
	return 0;
}

/* Not always ours to give: in a user namespace that has no number for the owner, on a read-only
 * filesystem. Then he cannot reopen it, but use it. */
static bool is_not_ours(int code)
{
	return code == EPERM || code == EINVAL || code == EROFS;
}

int process_apply_stdio(uid_t uid, struct err *err)
{
	struct stat st;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fstat(fd, &st) < 0)
			continue; /* closed: the caller's wish */
		if (is_null_device(&st)) {
			if (replace_null(fd, err) < 0)
				return -1;
		} else if (st.st_uid != uid && (S_ISFIFO(st.st_mode) || isatty(fd)) &&
			   fchown(fd, uid, (gid_t)-1) < 0 && !is_not_ours(errno)) {
			return err_sys(err, "chown descriptor %d to %u", fd, uid);
		}
	}
	return 0;
}

void process_apply_home(const struct process_plan *plan, uid_t uid)
{
	autoclose int root = -1;

	if (!plan->home)
		return;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		home_find(root, uid, plan->home, PROCESS_HOME_SIZE);
}

/* Never through /proc/self/fd/N or another magic link, which lead out of the container. */
static int enter_cwd(const struct process_plan *plan, bool make, struct err *err)
{
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int fd = -1;

	if (root < 0)
		return err_sys(err, "process.cwd: open /");
	fd = path_open(root, plan->cwd, O_PATH | O_DIRECTORY);
	if (fd < 0 && errno == ENOENT && make) {
		fd = path_make(root, plan->cwd, PATH_DIRECTORY, err);
		if (fd < 0)
			return err_wrap(err, "process.cwd");
	}
	if (fd < 0 || fchdir(fd) < 0)
		return err_sys(err, "process.cwd: chdir to %s", plan->cwd);
	return 0;
}

int process_apply_cwd(const struct process_plan *plan, bool make, struct err *err)
{
	struct err refused;

	if (enter_cwd(plan, make, &refused) == 0 || refused.code == EACCES)
		return 0;
	*err = refused;
	return -1;
}

/* A refusal counts only if we are not there yet: process_apply_cwd() left "/" then. */
int process_check_cwd(const struct process_plan *plan, struct err *err)
{
	char path[PATH_MAX];
	struct err refused;
	int entered = enter_cwd(plan, false, &refused);

	/* The system call: the wrapper of libc hides "(unreachable)" (getcwd(3)). */
	if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
		return err_sys(err, "process.cwd: getcwd in %s", plan->cwd);
	if (path[0] != '/')
		return err_set(err, EXDEV, "process.cwd: %s leads out of the container: %s",
			       plan->cwd, path);
	if (entered < 0 && (refused.code != EACCES || !strcmp(path, "/"))) {
		*err = refused;
		return -1;
	}
	return 0;
}

/* The gaps between those to keep, from the lowest upward. */
int process_close_others(unsigned first, const int *keep, size_t len, struct err *err)
{
	for (;;) {
		unsigned next = ~0u;

		for (size_t i = 0; i < len; i++)
			if (keep[i] >= 0 && (unsigned)keep[i] >= first && (unsigned)keep[i] < next)
				next = (unsigned)keep[i];
		if (next > first && sys_close_range(first, next - 1, 0) < 0)
			return err_sys(err, "close descriptors from %u on", first);
		if (next == ~0u)
			return 0;
		first = next + 1;
	}
}

int process_close_fds(const struct process_plan *plan, struct err *err)
{
	if (sys_close_range(3 + plan->keep_fds, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return err_sys(err, "mark descriptors from %u on close-on-exec",
			       3 + plan->keep_fds);
	return 0;
}

/* --- the program ----------------------------------------------------------------------------- */

/* 0, or the errno that execve(2) would give: by the effective ids and capabilities, where access(2)
 * would go without the capabilities of whoever is not root. */
static int try_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

/* "DIRECTORY/NAME" for the first `len` bytes of a search path; an empty directory is the current
 * one. Without printf(3), whose code init has not touched yet: each page of it is a fault. */
static int try_directory(const char *directory, size_t len, const char *name, char *program)
{
	size_t size = strlen(name) + 1;

	if (!len) {
		directory = ".";
		len = 1;
	}
	if (len + 1 + size > PATH_MAX)
		return ENAMETOOLONG;
	memcpy(program, directory, len);
	program[len] = '/';
	memcpy(program + len + 1, name, size);
	return try_program(program);
}

/* By these texts, in small letters, Docker's client chooses its exit status: 127 or 126. */
static const char *exec_reason(int code)
{
	if (code == ENOENT)
		return "no such file or directory";
	return code == EACCES ? "permission denied" : strerror(code);
}

/* Callers look for this text: "executable file not found in $PATH". */
int process_find(const struct process_plan *plan, char *program, struct err *err)
{
	const char *name = plan->argv[0];
	const char *path = plan->path;
	int code = ENOENT;

	if (strchr(name, '/')) {
		if (strlen(name) >= PATH_MAX)
			return err_set(err, ENAMETOOLONG, "exec: process.args[0]: %s",
				       strerror(ENAMETOOLONG));
		memcpy(program, name, strlen(name) + 1);
		code = try_program(program);
		return code ? err_set(err, code, "exec \"%s\": %s", name, exec_reason(code)) : 0;
	}
	for (size_t len = 0; *name; path += len + 1) {
		int failed;

		len = strcspn(path, ":");
		failed = try_directory(path, len, name, program);
		if (!failed)
			return 0;
		if (failed == EACCES)
			code = EACCES;
		if (!path[len])
			break;
	}
	if (code == EACCES)
		return err_set(err, code, "exec \"%s\": found in $PATH, but %s", name,
			       exec_reason(code));
	return err_set(err, code, "exec \"%s\": executable file not found in $PATH: %s", name,
		       strerror(code));
}

/* The path behind "#!", or of an ELF file's loader, in place; NULL if there is none. */
static const char *find_interpreter(char *head, size_t size)
{
	const ElfW(Ehdr) *elf = (const void *)head;
	const ElfW(Phdr) * segment;

	head[size] = '\0';
	if (!strncmp(head, "#!", 2)) {
		head += 2 + strspn(head + 2, " \t");
		head[strcspn(head, " \t\n")] = '\0';
		return head;
	}
	if (size < sizeof(*elf) || memcmp(head, ELFMAG, SELFMAG) != 0 ||
	    elf->e_phentsize != sizeof(*segment) || elf->e_phoff % _Alignof(ElfW(Phdr)) != 0)
		return NULL;
	for (size_t i = 0; i < elf->e_phnum; i++) {
		if (elf->e_phoff > size || (size - elf->e_phoff) / sizeof(*segment) <= i)
			return NULL;
		segment = (const ElfW(Phdr) *)(head + elf->e_phoff) + i;
		if (segment->p_type == PT_INTERP)
			return segment->p_offset < size ? head + segment->p_offset : NULL;
	}
	return NULL;
}

/* ENOENT of a file that is there: what is missing is the program that it names. */
static int explain_missing(const char *program, struct err *err)
{
	_Alignas(ElfW(Ehdr)) char head[HEAD_SIZE + 1];
	autoclose int fd = open(program, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *interpreter;
	ssize_t got;

	if (fd < 0)
		return -1;
	got = read(fd, head, HEAD_SIZE);
	if (got <= 0)
		return -1;
	interpreter = find_interpreter(head, (size_t)got);
	return interpreter
		       ? err_hint(err, "its interpreter or loader is missing: %.256s", interpreter)
		       : -1;
}

int process_exec(const struct process_plan *plan, const char *program, struct err *err)
{
	execve(program, (char *const *)plan->argv, (char *const *)plan->envp);
	err_sys(err, "exec %s", program);
	if (err->code == ENOENT)
		return explain_missing(program, err);
	if (err->code == ENOEXEC)
		return err_hint(err,
				"it is a program for another architecture, or a script without "
				"\"#!\" in its first line");
	return -1;
}
