/*
 * own_root COMMAND...: runs a command whose root directory is the root of a mount, as on any
 * machine. In a chroot(2) it is not, and the kernel then makes no user namespaces, and tests that
 * pivot or set the propagation of / could not be run: there, root gets a mount namespace of its own
 * in which the directory becomes a mount and the root. Elsewhere the command is just run.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/sys.h"

static int fail(const char *what)
{
	fprintf(stderr, "own_root: %s: %s\n", what, strerror(errno));
	return 125;
}

/* setns(2) into the mount namespace that one is in gives its root, whatever chroot(2) said before.
 */
static int become_root(void)
{
	char working[4096];
	int root, tree, namespace;

	if (!getcwd(working, sizeof(working)) || unshare(CLONE_NEWNS) < 0)
		return fail("a mount namespace of its own");
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (root < 0 || namespace < 0 || setns(namespace, CLONE_NEWNS) < 0)
		return fail("leave the chroot");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail("make / private");
	tree = sys_open_tree(root, "", AT_EMPTY_PATH | SYS_OPEN_TREE_CLONE | SYS_AT_RECURSIVE);
	if (tree < 0 ||
	    sys_move_mount(tree, "", root, "",
			   SYS_MOVE_MOUNT_F_EMPTY_PATH | SYS_MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return fail("bind the directory onto itself");
	if (fchdir(tree) < 0 || sys_pivot_root(".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
		return fail("pivot_root");
	return chdir(working) < 0 ? fail(working) : 0;
}

int main(int argc, char **argv)
{
	struct statx root;

	if (argc < 2)
		return 2;
	if (geteuid() == 0 && statx(AT_FDCWD, "/", 0, STATX_BASIC_STATS, &root) == 0 &&
	    !(root.stx_attributes & STATX_ATTR_MOUNT_ROOT) && become_root() != 0)
		return 125;
	execvp(argv[1], argv + 1);
	return fail(argv[1]);
}
