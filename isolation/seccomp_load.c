/*
 * A compiled filter into the kernel, see seccomp.h. Knows nothing of profiles and nothing of
 * libseccomp: it runs in the child, on the bare system call.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "isolation/seccomp.h"
#include "runtime/base/sys.h"

/* The kernel looks at the flags before it looks at the program (seccomp(2), EFAULT). */
bool seccomp_flag_supported(uint32_t flag)
{
	if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
		flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return sys_seccomp(SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 && errno == EFAULT;
}

static int apply_error(const struct seccomp_plan *plan, struct err *err)
{
	int code = errno;

	err_sys(err, "load the system call filter");
	if (code == EACCES)
		return err_hint(err, "it needs process.noNewPrivileges or CAP_SYS_ADMIN");
	for (const struct name *flag = seccomp_flag_names; code == EINVAL && *flag->name; flag++)
		if (plan->flags & flag->value && !seccomp_flag_supported((uint32_t)flag->value))
			return err_hint(err, "this kernel does not know %s of linux.seccomp.flags",
					flag->name);
	return -1;
}

int seccomp_apply(const struct seccomp_plan *plan, const struct sock_fprog *program,
		  struct err *err)
{
	if (sys_seccomp(SECCOMP_SET_MODE_FILTER, plan->flags, program) != 0)
		return apply_error(plan, err);
	return 0;
}
