/*
 * Labels for the next exec and the session keyring, see label.h.
 */
#include "isolation/label.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>

#include "isolation/proc.h"
#include "runtime/base/sys.h"

/* The empty string is what some callers send for "none". */
static const char *label_or_null(const char *label)
{
	return label && *label ? label : NULL;
}

int label_plan(const struct spec_process *process, const struct host *host, bool new_keyring,
	       struct arena *arena, struct label_plan *plan, struct err *err)
{
	const char *profile = label_or_null(process->apparmor_profile);
	const char *selinux = label_or_null(process->selinux_label);

	/* Without AppArmor everything is unconfined already. */
	if (profile && !host->apparmor && strcmp(profile, "unconfined") == 0)
		profile = NULL;
	if (profile && !host->apparmor)
		return err_set(
			err, ENOTSUP,
			"process.apparmorProfile '%s': AppArmor is not enabled on this host; "
			"boot with apparmor=1 security=apparmor, or remove the property",
			profile);
	if (selinux && !host->selinux)
		return err_set(err, ENOTSUP,
			       "process.selinuxLabel '%s': SELinux is not enabled on this host; "
			       "boot with selinux=1, or remove the property",
			       selinux);
	*plan = (struct label_plan){
		.apparmor = profile ? arena_format(arena, "exec %s", profile) : NULL,
		.selinux = selinux,
		.keyring = new_keyring,
	};
	return 0;
}

/* KEYCTL_JOIN_SESSION_KEYRING(2const). Without a name: one that is there already would be joined,
 * and another container of the same user can have made it and let us in. */
int label_apply_keyring(const struct label_plan *plan, struct err *err)
{
	if (!plan->keyring)
		return 0;
	if (sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0) >= 0)
		return 0;
	/* A kernel without keyrings has no keys to inherit. */
	if (errno == ENOSYS)
		return 0;
	err_sys(err, "make a session keyring");
	if (err->code == EDQUOT)
		return err_hint(err, "the user has too many keys: raise "
				     "/proc/sys/kernel/keys/maxkeys, or use --no-new-keyring");
	return err_hint(err, "--no-new-keyring keeps the caller's keyring");
}

/* Writes to PID/task/TID/ATTRIBUTE. -1 with err->code ENOENT where the kernel has no such file. */
static int write_attribute(int proc, const char *attribute, const char *text, struct err *err)
{
	char path[128];
	int len;

	if (proc_self(proc, path, sizeof(path), err) < 0)
		return -1;
	len = (int)strlen(path);
	if (snprintf(path + len, sizeof(path) - (size_t)len, "/%s", attribute) >=
	    (int)sizeof(path) - len)
		return err_set(err, ENAMETOOLONG, "path of %s: too long", attribute);
	return proc_write(proc, path, text, err);
}

int label_apply_exec(const struct label_plan *plan, int proc, struct err *err)
{
	if (plan->apparmor &&
	    write_attribute(proc, "attr/apparmor/exec", plan->apparmor, err) < 0) {
		/* Linux before 5.1 has the file of the first security module alone. */
		if (err->code != ENOENT ||
		    write_attribute(proc, "attr/exec", plan->apparmor, err) < 0) {
			err_wrap(err, "process.apparmorProfile");
			return err->code == ENOENT
				       ? err_hint(err, "load the profile first: apparmor_parser(8)")
				       : -1;
		}
	}
	if (plan->selinux && write_attribute(proc, "attr/exec", plan->selinux, err) < 0)
		return err_wrap(err, "process.selinuxLabel");
	return 0;
}
