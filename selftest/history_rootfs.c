/*
 * Past vulnerabilities of how a runtime trusts the root filesystem: links and look-alikes where it
 * mounts, masks and writes.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "selftest/scenes.h"

/* A configuration in which the root filesystem's own /dev and /proc are what the runtime finds. */
#define MOUNTS(list) "\"mounts\":[" list "]"
#define PROC_AT(path) "{\"destination\":\"" path "\",\"type\":\"proc\",\"source\":\"proc\"}"
#define NOTHING_HIDDEN "\"maskedPaths\":[],\"readonlyPaths\":[]"

/* Whether a path in the root filesystem, followed as the host follows links, is the decoy's file.
 */
static bool leads_to_decoy(const struct scene *scene, const char *name)
{
	const char *path = arena_format(scene->arena, "%s/rootfs/%s", scene->bundle.path, name);
	const char *file = arena_format(scene->arena, "%s/file", scene->decoy);
	struct stat found, decoy;

	return stat(path, &found) == 0 && stat(file, &decoy) == 0 && found.st_dev == decoy.st_dev &&
	       found.st_ino == decoy.st_ino;
}

/* CVE-2025-31133: paths are masked with whatever /dev/null of the root filesystem is. */
int history_mask(struct scene *scene, struct err *err)
{
	static const char patch[] = "{" MOUNTS(
		PROC_AT("/proc")) ","
				  "\"linux\":{\"maskedPaths\":[\"/secret\"],\"readonlyPaths\":[]}}";
	static const char *const targets[] = { "the decoy", "/proc/sys/kernel/core_pattern", NULL };

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		const char *target = targets[i];

		scene_end(scene); /* each has a bundle of its own */
		if (scene_make(scene, err) < 0 ||
		    scene_add_file(scene, "secret", "secret\n", 0644, err) < 0)
			return -1;
		if (i == 0)
			target = arena_format(scene->arena, "%s/file", scene->decoy);
		if ((target ? scene_add_link(scene, "dev/null", target, err)
			    : scene_add_file(scene, "dev/null", "", 0666, err)) < 0 ||
		    scene_launch(scene, SCENE_RUN, "\"stat\",\"/secret\"", patch, err) < 0)
			return -1;
		scene_judge(scene,
			    scene_says(scene, "/secret=char") && scene_says(scene, "device=1:3"),
			    "the mask is the null device");
		if (scene->result->verdict != VERDICT_PASS)
			return 0;
	}
	return 0;
}

/* CVE-2025-52565: the terminal is mounted on /dev/console, which leads elsewhere. */
int history_console(struct scene *scene, struct err *err)
{
	static const char patch[] = "{\"process\":{\"terminal\":true}," MOUNTS(PROC_AT(
		"/proc") ","
			 "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
			 "\"options\":[\"newinstance\",\"ptmxmode=0666\"]}") ","
									     "\"linux\":"
									     "{" NOTHING_HIDDEN
									     "}}";
	const char *file = arena_format(scene->arena, "%s/file", scene->decoy);

	if (scene_add_link(scene, "dev/console", file, err) < 0)
		return -1;
	if (!leads_to_decoy(scene, "dev/console"))
		return scene_undecided(scene, VERDICT_INCONCLUSIVE, "the trap does not work here");
	if (scene_launch(scene, SCENE_RUN, "\"stat\",\"/dev/console\"", patch, err) < 0)
		return -1;
	return scene_judge(scene, scene_says(scene, "/dev/console="),
			   "the host's file is untouched");
}

/* A sysctl that is set (to 77) must not land in a file of this name, that looks like it. */
static int try_sysctl(struct scene *scene, const char *name, const char *patch, struct err *err)
{
	static const char untouched[] = "fake\n";
	autoclose int fake = -1;
	char text[16];

	if (scene_add_file(scene, name, untouched, 0666, err) < 0 ||
	    scene_launch(scene, SCENE_RUN, "\"cat\",\"/real/sys/net/ipv4/ip_default_ttl\"", patch,
			 err) < 0)
		return -1;
	fake = scene_open(scene, name);
	if (fake < 0 || read(fake, text, sizeof(text)) != (ssize_t)strlen(untouched) ||
	    memcmp(text, untouched, strlen(untouched)) != 0)
		return scene_escaped(scene, "a sysctl was written into %s", name);
	return scene_judge(scene, scene_says(scene, "77"), "the sysctl is set in the real /proc");
}

/* CVE-2025-52881: what is written to /proc lands in files that only look like it. */
int history_fake_proc(struct scene *scene, struct err *err)
{
	static const char patch[] =
		"{" MOUNTS(PROC_AT("/real")) ",\"linux\":{" NOTHING_HIDDEN ","
					     "\"sysctl\":{\"net.ipv4.ip_default_ttl\":\"77\"}}}";

	return scene_add_file(scene, "proc/self/attr/exec", "fake\n", 0666, err) < 0
		       ? -1
		       : try_sysctl(scene, "proc/sys/net/ipv4/ip_default_ttl", patch, err);
}

/* CVE-2021-30465, CVE-2024-45310: what is made for a mount point, and what is mounted, would be on
 * the host if the link were followed. */
static int try_mount_link(struct scene *scene, const char *mount, struct err *err)
{
	const char *patch = arena_format(scene->arena,
					 "{\"root\":{\"readonly\":false},\"mounts\":[%s]}", mount);

	/* the same path inside, so that there is somewhere else to lead to */
	if (scene_add_file(scene, arena_format(scene->arena, "%s/keep", scene->decoy + 1), "", 0644,
			   err) < 0 ||
	    scene_add_link(scene, "out", scene->decoy, err) < 0 ||
	    scene_add_link(
		    scene, "up",
		    arena_format(scene->arena, "../../../../../../../../../..%s", scene->decoy),
		    err) < 0)
		return -1;
	if (!leads_to_decoy(scene, "out/file") || !leads_to_decoy(scene, "up/file"))
		return scene_undecided(scene, VERDICT_INCONCLUSIVE, "the trap does not work here");
	if (scene_launch(scene, SCENE_RUN, "\"true\"", patch, err) < 0)
		return -1;
	return scene_judge(scene, scene->status == 0, "resolved inside the root filesystem");
}

int history_mount_link(struct scene *scene, struct err *err)
{
	return try_mount_link(
		scene,
		"{\"destination\":\"/out/new\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},"
		"{\"destination\":\"/up/new\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}",
		err);
}

int history_bind_link(struct scene *scene, struct err *err)
{
	const char *source = arena_format(scene->arena, "%s/decoy/file", scene->bundle.path);

	return try_mount_link(
		scene,
		arena_format(scene->arena,
			     "{\"destination\":\"/out/new\",\"type\":\"bind\",\"source\":\"%s\","
			     "\"options\":[\"bind\",\"ro\"]}",
			     source),
		err);
}

/* CVE-2019-16884: a volume in the place of /proc takes what is meant for the kernel. */
int history_proc_volume(struct scene *scene, struct err *err)
{
	const char *patch = arena_format(
		scene->arena,
		"{\"mounts\":[{\"destination\":\"/proc\",\"type\":\"bind\",\"source\":\"%s/rootfs/"
		"volume\",\"options\":[\"bind\"]}," PROC_AT(
			"/real") "],"
				 "\"linux\":{" NOTHING_HIDDEN
				 ",\"sysctl\":{\"net.ipv4.ip_default_ttl\":\"77\"}}}",
		scene->bundle.path);

	return try_sysctl(scene, "volume/sys/net/ipv4/ip_default_ttl", patch, err);
}

/* CVE-2023-28642: /proc is a link, so that what protects it misses. */
int history_proc_link(struct scene *scene, struct err *err)
{
	static const char patch[] =
		"{" MOUNTS(PROC_AT("/proc")) ",\"linux\":{"
					     "\"maskedPaths\":[\"/proc/version\"],"
					     "\"readonlyPaths\":[\"/proc/sys\"]}}";

	if (scene_add_link(scene, "proc", "/elsewhere", err) < 0 ||
	    scene_add_file(scene, "elsewhere/version", "fake\n", 0644, err) < 0 ||
	    scene_launch(scene, SCENE_RUN, "\"stat\",\"/elsewhere/version\"", patch, err) < 0)
		return -1;
	return scene_judge(scene, scene_says(scene, "device=1:3"), "masked where the link leads");
}
