/*
 * A compiled filter into the kernel, see seccomp.h. Knows nothing of profiles and nothing of
 * libseccomp: it runs in the child, on the bare system call.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "isolation/seccomp.h"
#include "runtime/base/sys.h"

int seccomp_filter_size(int fd, size_t *size, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat the system call filter");
	*size = (size_t)st.st_size;
	if (*size == 0 || *size % sizeof(struct sock_filter))
		return err_set(err, EINVAL, "the system call filter has a size of %zu bytes",
			       *size);
	if (*size > BPF_MAXINSNS * sizeof(struct sock_filter))
		return err_set(err, E2BIG,
			       "linux.seccomp: the filter has %zu instructions, the kernel takes "
			       "%d: the profile is too large",
			       *size / sizeof(struct sock_filter), BPF_MAXINSNS);
	return 0;
}

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
	for (const struct name *flag = seccomp_flag_names; code == EINVAL && flag->name; flag++)
		if (plan->flags & flag->value && !seccomp_flag_supported((uint32_t)flag->value))
			return err_hint(err, "this kernel does not know %s of linux.seccomp.flags",
					flag->name);
	return -1;
}

int seccomp_apply(const struct seccomp_plan *plan, int fd, struct err *err)
{
	struct sock_fprog program;
	size_t size;
	void *code;

	if (seccomp_filter_size(fd, &size, err) < 0)
		return -1;
	code = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (code == MAP_FAILED)
		return err_sys(err, "map the system call filter");
	program.len = (unsigned short)(size / sizeof(struct sock_filter));
	program.filter = code;
	if (sys_seccomp(SECCOMP_SET_MODE_FILTER, plan->flags, &program) != 0)
		return apply_error(plan, err);
	return 0; /* the mapping stays: the filter may kill us for munmap */
}
