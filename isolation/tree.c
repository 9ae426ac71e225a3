/*
 * Detached mounts, see tree.h.
 */
#include "isolation/tree.h"

#include <errno.h>
#include <string.h>

#include "runtime/base/sys.h"

/* The first line of the context's log says it better than errno: "tmpfs: Bad value for 'size'". */
static int fail(int fs, const char *what, const char *on, struct err *err)
{
	int code = errno;
	char log[256]; /* one message per read(2), "e " in front */
	ssize_t got = read(fs, log, sizeof(log) - 1);

	errno = code;
	err_sys(err, "%s %s", what, on);
	if (got > 2) {
		log[got] = '\0';
		log[strcspn(log, "\n")] = '\0';
		err_hint(err, "the kernel says: %s", log + 2);
	}
	return -1;
}

int tree_open(const char *type, struct err *err)
{
	int fs = sys_fsopen(type);

	if (fs < 0 && errno == ENODEV)
		return err_set(err, ENODEV,
			       "fsopen %s: this kernel has no such filesystem type: %s", type,
			       strerror(ENODEV));
	if (fs < 0)
		return err_sys(err, "fsopen %s", type);
	return fs;
}

int tree_option(int fs, const char *option, struct err *err)
{
	const char *equals = strchr(option, '=');
	char key[TREE_OPTION_MAX + 1];
	size_t len = equals ? (size_t)(equals - option) : 0;
	int result;

	if (len >= sizeof(key))
		return err_set(err, EINVAL, "option '%.40s...': %s", option, strerror(EINVAL));
	if (equals) {
		memcpy(key, option, len);
		key[len] = '\0';
		result = sys_fsconfig(fs, SYS_FSCONFIG_SET_STRING, key, equals + 1);
	} else {
		result = sys_fsconfig(fs, SYS_FSCONFIG_SET_FLAG, option, NULL);
	}
	return result < 0 ? fail(fs, "option", option, err) : 0;
}

int tree_make(int fs, const char *type, uint64_t attributes, struct err *err)
{
	int tree;

	if (sys_fsconfig(fs, SYS_FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		return fail(fs, "create filesystem of type", type, err);
	tree = sys_fsmount(fs, (unsigned)attributes);
	if (tree < 0)
		return fail(fs, "fsmount", type, err);
	return tree;
}

int tree_clone(int fd, bool recursive)
{
	return sys_open_tree(fd, "",
			     SYS_OPEN_TREE_CLONE | SYS_OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
				     (recursive ? SYS_AT_RECURSIVE : 0));
}

int tree_set(int tree, uint64_t set, uint64_t clear, bool recursive)
{
	struct sys_mount_attr attr = { .attr_set = set, .attr_clr = clear };

	if (!set && !clear)
		return 0;
	if ((set | clear) & SYS_MOUNT_ATTR__ATIME)
		attr.attr_clr |= SYS_MOUNT_ATTR__ATIME;
	return sys_mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? SYS_AT_RECURSIVE : 0),
				 &attr);
}

int tree_propagate(int tree, uint64_t propagation)
{
	struct sys_mount_attr attr = { .propagation = propagation & ~(uint64_t)MS_REC };

	return sys_mount_setattr(
		tree, "", AT_EMPTY_PATH | (propagation & MS_REC ? SYS_AT_RECURSIVE : 0), &attr);
}

int tree_attach(int tree, int destination)
{
	return sys_move_mount(tree, "", destination, "",
			      SYS_MOVE_MOUNT_F_EMPTY_PATH | SYS_MOVE_MOUNT_T_EMPTY_PATH);
}
