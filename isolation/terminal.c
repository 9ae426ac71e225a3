/*
 * The container's terminal, see process.h.
 *
 * Both ends come from one descriptor: the multiplexer of the container's own devpts, checked to be
 * that. The peer has no name that could be swapped (CVE-2025-52565).
 */
#include <errno.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>

#include "isolation/path.h"
#include "isolation/process.h"
#include "isolation/tree.h"
#include "runtime/base/fd.h"
#include "runtime/base/sys.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

static int open_master(int root, struct err *err)
{
	autoclose int master = path_open_no_links(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
	const int unlocked = 0;
	struct statfs fs;

	if (master < 0) {
		err_sys(err, "process.terminal: open /dev/pts/ptmx");
		return err->code == ENOENT ? err_hint(err, "mounts needs a devpts on /dev/pts")
					   : -1;
	}
	if (fstatfs(master, &fs) < 0)
		return err_sys(err, "process.terminal: statfs /dev/pts/ptmx");
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return err_set(err, ENODEV, "process.terminal: /dev/pts/ptmx is not on a devpts");
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return err_sys(err, "process.terminal: unlock");
	return fd_take(&master);
}

static int give_terminal(const struct process_plan *plan, int peer, uid_t uid, struct err *err)
{
	const struct winsize size = { .ws_row = plan->rows, .ws_col = plan->columns };

	/* The group stays the one that the devpts gives (gid=, mostly tty). */
	if (fchown(peer, uid, (gid_t)-1) < 0)
		return err_sys(err, "process.terminal: chown to %u", uid);
	if ((plan->rows || plan->columns) && ioctl(peer, TIOCSWINSZ, &size) < 0)
		return err_sys(err, "process.consoleSize");
	if (ioctl(peer, TIOCSCTTY, 0) < 0)
		return err_sys(err, "process.terminal: become the controlling terminal");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(peer, fd) < 0)
			return err_sys(err, "process.terminal: dup2 to %d", fd);
	return 0;
}

static int bind_on_console(int root, int peer, struct err *err)
{
	autoclose int console = path_open_no_links(root, "/dev/console", O_PATH);
	autoclose int tree = -1;

	if (console < 0)
		return err_sys(err, "process.terminal: open /dev/console");
	tree = tree_clone(peer, false);
	if (tree < 0 || tree_attach(tree, console) < 0)
		return err_sys(err, "process.terminal: bind on /dev/console");
	return 0;
}

int process_open_terminal(const struct process_plan *plan, uid_t uid, bool bind_console,
			  int *master, struct err *err)
{
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int multiplexer = -1, peer = -1;

	if (root < 0)
		return err_sys(err, "process.terminal: open /");
	multiplexer = open_master(root, err);
	if (multiplexer < 0)
		return -1;
	peer = ioctl(multiplexer, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (peer < 0)
		return err_sys(err, "process.terminal: open the peer");
	if (bind_console && bind_on_console(root, peer, err) < 0)
		return -1;
	if (give_terminal(plan, peer, uid, err) < 0)
		return -1;
	*master = fd_take(&multiplexer);
	return 0;
}
