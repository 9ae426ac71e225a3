/*
 * The seal, see seal.h.
 *
 * With CAP_SYS_ADMIN the program is executed from a detached read-only mount of its own file: no
 * copy, no memory charged to anybody. The mount is dissolved when its descriptor closes at exec, so
 * it cannot be made writable again, while the running program keeps its read-only view. Without
 * that capability it is executed from a sealed copy in memory. Whether the running program is
 * sealed is read from the kernel (a read-only mount, or the seals), not remembered.
 */
#include "runtime/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/sys.h"

#define SELF "/proc/self/exe"
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

extern char **environ;

static bool is_sealed(int exe)
{
	int seals = fcntl(exe, F_GET_SEALS);
	struct statvfs st;
	struct stat file;

	if (seals >= 0 && (seals & SEALS) == SEALS)
		return true;
	if (fstatvfs(exe, &st) == 0 && (st.f_flag & ST_RDONLY))
		return true;
	/* Not ours and not writable by us: then neither by a container, which has at most our
	 * rights. Of what is ours it could change the mode. */
	return fstat(exe, &file) == 0 && file.st_uid != geteuid() &&
	       faccessat(AT_FDCWD, SELF, W_OK, AT_EACCESS) < 0 && errno == EACCES;
}

/* A read-only mount of the file, or -1 with errno. */
static int open_mount(void)
{
	struct sys_mount_attr attr = { .attr_set = SYS_MOUNT_ATTR_RDONLY };
	autoclose int tree =
		sys_open_tree(AT_FDCWD, SELF, SYS_OPEN_TREE_CLONE | SYS_OPEN_TREE_CLOEXEC);

	if (tree < 0 || sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr) < 0)
		return -1;
	return fd_take(&tree);
}

static int open_copy(int exe, struct err *err)
{
	autoclose int copy = memfd_create("agentd", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;
	off_t at = 0;

	if (copy < 0)
		return err_sys(err, "make a file in memory");
	if (fstat(exe, &st) < 0)
		return err_sys(err, "stat " SELF);
	while (at < st.st_size)
		if (sendfile(copy, exe, &at, (size_t)(st.st_size - at)) <= 0)
			return err_sys(err, "copy " SELF);
	if (fcntl(copy, F_ADD_SEALS, SEALS) < 0)
		return err_sys(err, "seal the copy of " SELF);
	return fd_take(&copy);
}

int seal_executable(char **argv, struct err *err)
{
	autoclose int exe = open(SELF, O_RDONLY | O_CLOEXEC);
	autoclose int sealed = -1;

	if (exe < 0)
		return err_sys(err, "open " SELF);
	if (is_sealed(exe))
		return 0;
	sealed = open_mount();
	if (sealed < 0)
		sealed = open_copy(exe, err);
	if (sealed < 0)
		return -1;
	fexecve(sealed, argv, environ);
	return err_sys(err, "execute the sealed " SELF);
}
