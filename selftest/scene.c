/*
 * Scenes, see scene.h. The process that launches does nothing that `agentd run` does not do; it is
 * there so that the container's standard output is a pipe, and a launch that hangs can be ended.
 */
#include "selftest/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isolation/cgroup.h"
#include "runtime/base/array.h"
#include "runtime/base/clock.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/process_stat.h"

#define DECOY_TEXT "decoy\n"

/* What the launching process tells when it is done: smaller than PIPE_BUF, so in one piece. */
struct report {
	bool launched;
	int status;
	char refusal[ERR_TEXT_MAX];
};

/* --- bundles --------------------------------------------------------------------------------- */

static int make_decoy(struct scene *scene, struct err *err)
{
	autoclose int dir = -1, fd = -1;

	if (mkdirat(scene->bundle.dir, "decoy", 0755) < 0)
		return err_sys(err, "make the decoy");
	dir = openat(scene->bundle.dir, "decoy", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = openat(dir, "file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (dir < 0 || fd < 0 || file_write_all(fd, DECOY_TEXT, strlen(DECOY_TEXT)) < 0)
		return err_sys(err, "make the decoy");
	scene->decoy = arena_format(scene->arena, "%s/decoy", scene->bundle.path);
	return 0;
}

int scene_make(struct scene *scene, struct err *err)
{
	static const char *const patches[] = {
		"{\"process\":{\"terminal\":false,\"landlock\":null}}", NULL
	};

	if (bundle_make(scene->config, patches, scene->arena, &scene->bundle, err) < 0)
		return -1;
	/* mkdtemp(3) has made its end up: two scenes never have the same */
	scene->id = arena_format(scene->arena, "selftest-%s", strrchr(scene->bundle.path, '-') + 1);
	return make_decoy(scene, err);
}

static int configure(struct scene *scene, const char *arguments, const char *patch, struct err *err)
{
	const struct bundle *bundle = &scene->bundle;
	struct arena *arena = scene->arena;
	const char *const patches[] = { arena_format(arena, "{\"process\":{\"args\":[\"%s\",%s]}}",
						     scene->canary, arguments),
					patch ? patch : "{}" };
	struct json *config, *change;
	size_t size;
	char *text;

	if (json_parse(bundle->config, bundle->config_size, arena, &config, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(patches); i++) {
		if (json_parse(patches[i], strlen(patches[i]), arena, &change, err) < 0)
			return err_wrap(err, "patch %s", patches[i]);
		config = json_merge(config, change, arena);
	}
	text = json_print(config, false, arena, &size);
	return file_replace(bundle->dir, SPEC_FILE, text, size, 0644, err);
}

void scene_end(struct scene *scene)
{
	struct err unused;

	if (scene->bundle.dir < 0)
		return;
	container_delete(scene->settings, scene->id, true, &unused); /* mostly there is none */
	bundle_remove(&scene->bundle);
}

/* Opens the directory of a name in the root filesystem, which is ours alone; *last: the rest. */
static int open_parent(const struct scene *scene, const char *name, const char **last,
		       struct err *err)
{
	autoclose int dir = openat(scene->bundle.dir, "rootfs", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *slash;

	for (; dir >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
		const char *part = arena_copy(scene->arena, name, (size_t)(slash - name));
		int next;

		if (mkdirat(dir, part, 0755) < 0 && errno != EEXIST)
			return err_sys(err, "make rootfs/%s", part);
		next = openat(dir, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		fd_close(&dir);
		dir = next;
	}
	*last = name;
	return dir < 0 ? err_sys(err, "open rootfs/%s", name) : fd_take(&dir);
}

int scene_add_file(struct scene *scene, const char *name, const char *text, mode_t mode,
		   struct err *err)
{
	const char *last;
	autoclose int dir = open_parent(scene, name, &last, err), fd = -1;

	if (dir < 0)
		return -1;
	fd = openat(dir, last, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 || file_write_all(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0)
		return err_sys(err, "make rootfs/%s", name);
	return 0;
}

int scene_add_link(struct scene *scene, const char *name, const char *target, struct err *err)
{
	const char *last;
	autoclose int dir = open_parent(scene, name, &last, err);

	if (dir < 0)
		return -1;
	return symlinkat(target, dir, last) < 0 ? err_sys(err, "make rootfs/%s", name) : 0;
}

bool scene_is_alive(pid_t pid)
{
	char line[PROCESS_STAT_SIZE];
	const char *letter;

	if (process_stat_read(pid, line) < 0)
		return false;
	letter = process_stat_field(line, PROCESS_STAT_LETTER);
	return letter && *letter != 'Z' && *letter != 'X';
}

int scene_open(const struct scene *scene, const char *name)
{
	return open(arena_format(scene->arena, "%s/rootfs/%s", scene->bundle.path, name),
		    O_RDONLY | O_CLOEXEC);
}

bool scene_says(const struct scene *scene, const char *text)
{
	return strstr(scene->output, text) != NULL;
}

/* Whether the decoy is as it was made: one file, that says what it said, and nothing mounted. */
static bool decoy_untouched(const struct scene *scene)
{
	autoclose int dir = open(scene->decoy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat bundle, decoy, file;
	char text[16];

	/* a mount would be another device, and what a scene makes in it is "new" */
	return dir >= 0 && fstat(scene->bundle.dir, &bundle) == 0 && fstat(dir, &decoy) == 0 &&
	       fstatat(dir, "file", &file, AT_SYMLINK_NOFOLLOW) == 0 &&
	       bundle.st_dev == decoy.st_dev && bundle.st_dev == file.st_dev &&
	       S_ISREG(file.st_mode) && faccessat(dir, "new", F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	       file_read_small(dir, "file", text, sizeof(text)) > 0 && !strcmp(text, DECOY_TEXT);
}

/* --- launching ------------------------------------------------------------------------------- */

static void __attribute__((noreturn))
launch(const struct scene *scene, enum scene_until until, int output, int wire)
{
	struct report report = { .launched = true };
	const struct request request = { .id = scene->id,
					 .bundle = scene->bundle.path,
					 .detach = until != SCENE_RUN,
					 .best_effort_cgroup = true };
	int none = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct err err;
	int result;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (none < 0 || dup2(none, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0)
		_exit(1);
	if (until == SCENE_CREATE)
		result = container_create(scene->settings, &request, &err);
	else
		result = container_run(scene->settings, &request, &report.status, &err);
	if (result < 0) {
		report.launched = false;
		snprintf(report.refusal, sizeof(report.refusal), "%s", err.text);
	}
	_exit(write(wire, &report, sizeof(report)) != sizeof(report));
}

/* Appends what is there. False: the end. What does not fit is thrown away. */
static bool read_output(struct scene *scene, int output)
{
	size_t len = strlen(scene->output);
	char piece[512];
	ssize_t got = read(output, piece, sizeof(piece));

	if (got <= 0)
		return got < 0 && (errno == EINTR || errno == EAGAIN);
	snprintf(scene->output + len, sizeof(scene->output) - len, "%.*s", (int)got, piece);
	return true;
}

/* Reads what the container says and what came of the launch. ETIMEDOUT if that takes too long. */
static int follow(struct scene *scene, enum scene_until until, int output, int wire,
		  struct err *err)
{
	struct pollfd ends[] = { { output, POLLIN, 0 }, { wire, POLLIN, 0 } };
	int64_t deadline = clock_ms() + SCENE_PATIENCE_MS;
	struct report report = { 0 };
	bool told = false;

	while (ends[1].fd >= 0 || (until == SCENE_START && scene->launched &&
				   !strchr(scene->output, '\n') && ends[0].fd >= 0)) {
		int64_t left = deadline - clock_ms();

		if (left <= 0)
			return err_set(err, ETIMEDOUT, "the container of %s did not %s in time",
				       scene->result->row->id,
				       until == SCENE_RUN ? "end" : "start");
		if (poll(ends, 2, (int)left) < 0)
			continue;
		if (ends[0].revents && !read_output(scene, output))
			ends[0].fd = -1;
		if (!ends[1].revents)
			continue;
		told = read(wire, &report, sizeof(report)) == sizeof(report);
		ends[1].fd = -1;
		scene->launched = told && report.launched;
	}
	/* what its last words were; they are in the pipe by now */
	fcntl(output, F_SETFL, O_NONBLOCK);
	while (until == SCENE_RUN && ends[0].fd >= 0 && read_output(scene, output) &&
	       poll(ends, 1, 0) > 0)
		;
	if (!told)
		return err_set(err, ECHILD, "the process that launches has failed");
	scene->status = report.status;
	memcpy(scene->refusal, report.refusal, sizeof(scene->refusal));
	scene->refusal[sizeof(scene->refusal) - 1] = '\0';
	return 0;
}

int scene_launch(struct scene *scene, enum scene_until until, const char *arguments,
		 const char *patch, struct err *err)
{
	int output[2], wire[2], result = -1;
	pid_t child;

	if (configure(scene, arguments, patch, err) < 0)
		return -1;
	scene->launched = false;
	scene->output[0] = scene->refusal[0] = '\0';
	if (pipe2(output, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	if (pipe2(wire, O_CLOEXEC) < 0) {
		err_sys(err, "pipe");
		goto close_output;
	}
	child = fork();
	if (child == 0)
		launch(scene, until, output[1], wire[1]);
	fd_close(&output[1]);
	fd_close(&wire[1]);
	if (child < 0) {
		err_sys(err, "fork");
	} else {
		result = follow(scene, until, output[0], wire[0], err);
		if (result < 0)
			kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	fd_close(&wire[0]);
	fd_close(&wire[1]);
close_output:
	fd_close(&output[0]);
	fd_close(&output[1]);
	return result;
}

int scene_find(struct scene *scene, pid_t *pid, int *cgroup, struct err *err)
{
	enum state_status status;
	struct state *state;

	*cgroup = -1;
	if (container_state(scene->settings, scene->id, &state, &status, err) < 0)
		return -1;
	*pid = state_pid(state, status);
	if (*pid == 0)
		return err_set(err, ESRCH, "container %s has ended", scene->id);
	if (state->cgroup_path &&
	    cgroup_open(state->cgroup_root, state->cgroup_path, cgroup, err) < 0)
		return -1;
	return 0;
}

int scene_hold(struct scene *scene, enum scene_until until, const char *arguments,
	       const char *patch, pid_t *pid, int *cgroup, struct err *err)
{
	if (scene_launch(scene, until, arguments, patch, err) < 0)
		return -1;
	if (!scene->launched)
		return scene_undecided(scene, VERDICT_INCONCLUSIVE, "%s", scene->refusal);
	return scene_find(scene, pid, cgroup, err) < 0 ? -1 : 1;
}

/* --- verdicts -------------------------------------------------------------------------------- */

/* In one line: a container had a part in it. */
static void __attribute__((format(printf, 3, 0)))
write_line(char *to, size_t size, const char *format, va_list args)
{
	vsnprintf(to, size, format, args);
	log_clean(to);
}

int scene_contained(struct scene *scene, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(scene->result->observed, sizeof(scene->result->observed), format, args);
	va_end(args);
	scene->result->verdict = VERDICT_PASS;
	scene->result->observed_layers = scene->result->row->layers;
	return 0;
}

int scene_escaped(struct scene *scene, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(scene->result->observed, sizeof(scene->result->observed), format, args);
	va_end(args);
	snprintf(scene->result->reason, sizeof(scene->result->reason), "it got through: %s",
		 scene->result->observed);
	scene->result->verdict = VERDICT_FAIL;
	return 0;
}

int scene_undecided(struct scene *scene, enum verdict verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(scene->result->reason, sizeof(scene->result->reason), format, args);
	va_end(args);
	scene->result->verdict = verdict;
	return 0;
}

int scene_judge(struct scene *scene, bool held, const char *words)
{
	if (!decoy_untouched(scene))
		return scene_escaped(scene, "the decoy on the host was changed");
	if (!scene->launched)
		return scene_contained(scene, "refused: %.150s", scene->refusal);
	return held ? scene_contained(scene, "%s", words)
		    : scene_escaped(scene, "not so: %s", words);
}
