/*
 * The directory of a container: taking ids, the lock, state.json there and back, and every status
 * from the facts that make it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/array.h"
#include "runtime/base/sys.h"
#include "runtime/state.h"
#include "spec/json.h"

static struct arena *arena;
static char path[] = "/tmp/agentd-test-state-XXXXXX";
static int root = -1;

static int setup(void **state)
{
	struct err err;

	(void)state;
	arena = arena_new(ARENA_LIMIT);
	if (!mkdtemp(path))
		return -1;
	return state_root_open(path, false, true, &root, &err);
}

static int teardown(void **state)
{
	(void)state;
	close(root);
	arena_free(arena);
	return rmdir(path);
}

static enum state_status status_of(const struct state *facts)
{
	struct cgroup_top top = { .fd = -1 };

	return state_status(root, &top, facts); /* without a cgroup: nothing to close */
}

static void test_ids(void **state)
{
	static const char *const good[] = { "a", "A9", "_x", "+x", "-x", "a.b", "a..b" };
	static const char *const bad[] = { "",	  ".",	 "..",	     ".a", "a/b",
					   "a b", "a\n", "\xc3\xa4", "a:b" };
	char longest[STATE_ID_MAX + 2];
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(state_id_check(good[i], &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(state_id_check(bad[i], &err), -1);
		assert_non_null(strstr(err.text, "invalid container ID format"));
	}
	memset(longest, 'a', sizeof(longest));
	longest[STATE_ID_MAX] = '\0';
	assert_int_equal(state_id_check(longest, &err), 0);
	longest[STATE_ID_MAX] = 'a';
	longest[STATE_ID_MAX + 1] = '\0';
	assert_int_equal(state_id_check(longest, &err), -1);
}

/* A directory that others may write to would let them choose our hooks. */
static void test_root_of_others(void **state)
{
	struct err err;
	int dir;

	(void)state;
	assert_int_equal(chmod(path, 0770), 0);
	assert_int_equal(state_root_open(path, false, true, &dir, &err), -1);
	assert_int_equal(err.code, EPERM);
	assert_int_equal(chmod(path, 0711), 0);
	assert_int_equal(state_root_open(path, false, true, &dir, &err), 0);
	close(dir);
}

static void test_rootless_needs_a_directory(void **state)
{
	struct err err;
	struct stat st;
	int dir;

	(void)state;
	unsetenv("XDG_RUNTIME_DIR");
	assert_int_equal(state_root_open(NULL, true, true, &dir, &err), -1);
	assert_non_null(strstr(err.text, "XDG_RUNTIME_DIR"));
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	assert_int_equal(state_root_open(NULL, true, true, &dir, &err), -1);
	assert_int_not_equal(err.code, ENOENT); /* which means that there are no containers */
	setenv("XDG_RUNTIME_DIR", path, 1);
	assert_int_equal(state_root_open(NULL, true, false, &dir, &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(state_root_open(NULL, true, true, &dir, &err), 0);
	assert_int_equal(fstat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	close(dir);
	assert_int_equal(unlinkat(root, "agentd", AT_REMOVEDIR), 0);
}

static void test_create_takes_the_id(void **state)
{
	struct state *loaded;
	struct err err;
	struct stat st;
	int dir, again;

	(void)state;
	assert_int_equal(state_create(root, "a", &dir, &err), 0);
	assert_int_equal(fstat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(state_create(root, "a", &again, &err), -1);
	assert_string_equal(err.text, "container with given ID already exists: a");
	/* it is locked */
	assert_int_equal(state_open(root, "a", false, &again, &err), 0);
	assert_int_equal(flock(again, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	close(again);
	assert_int_equal(state_remove(root, "a", dir, &err), 0);
	close(dir);
	assert_int_equal(state_open(root, "a", false, &again, &err), -1);
	assert_string_equal(err.text, "container does not exist: a");
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(state_load(root, "a", arena, &loaded, &err), -1);
	assert_string_equal(err.text, "container does not exist: a");
	assert_int_equal(err.code, ENOENT);
}

/* An agentd that was killed left a file that it was about to rename. */
static void test_remove_whatever_is_there(void **state)
{
	struct err err;
	int dir;

	(void)state;
	assert_int_equal(state_create(root, "a", &dir, &err), 0);
	close(openat(dir, ".state.json.4711", O_WRONLY | O_CREAT, 0600));
	close(openat(dir, SPEC_FILE, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(state_remove(root, "a", dir, &err), 0);
	close(dir);
	assert_int_equal(state_open(root, "a", false, &dir, &err), -1);
	assert_int_equal(err.code, ENOENT);
}

/* `--root $HOME`, `delete --force Documents`. */
static void test_what_is_not_ours_stays(void **state)
{
	struct state *loaded;
	struct err err;
	int dir;

	(void)state;
	assert_int_equal(state_create(root, "a", &dir, &err), 0);
	close(openat(dir, ".state.json.4711", O_WRONLY | O_CREAT, 0600));
	assert_int_equal(state_load(root, "a", arena, &loaded, &err), 0);
	assert_int_equal(status_of(loaded), STATUS_CREATING);
	close(openat(dir, SPEC_FILE, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(state_load(root, "a", arena, &loaded, &err), -1);
	assert_int_equal(err.code, ENOENT);
	close(openat(dir, "thesis", O_WRONLY | O_CREAT, 0600));
	assert_int_equal(state_remove(root, "a", dir, &err), -1);
	assert_int_equal(err.code, ENOTEMPTY);
	assert_int_equal(unlinkat(dir, "thesis", 0), 0);
	assert_int_equal(state_remove(root, "a", dir, &err), 0);
	close(dir);
}

/* Who waited for the lock of a container that was deleted meanwhile has nothing. */
static void test_lock_of_a_deleted_one(void **state)
{
	struct err err;
	int dir, other;

	(void)state;
	assert_int_equal(state_create(root, "a", &dir, &err), 0);
	assert_int_equal(state_open(root, "a", false, &other, &err), 0);
	assert_int_equal(state_remove(root, "a", dir, &err), 0);
	close(dir);
	assert_int_equal(state_lock(other, "a", &err), -1);
	assert_int_equal(err.code, ENOENT);
	close(other);
}

static void test_nothing_leads_out(void **state)
{
	struct err err;
	int dir;

	(void)state;
	assert_int_equal(symlinkat("/", root, "link"), 0);
	assert_int_equal(state_open(root, "link", false, &dir, &err), -1);
	assert_int_equal(unlinkat(root, "link", 0), 0);
	assert_int_equal(state_open(root, "..", false, &dir, &err), -1);
	assert_int_equal(err.code, EINVAL);
	assert_int_equal(state_create(root, "../beside", &dir, &err), -1);
	assert_int_equal(err.code, EINVAL);
}

static struct state *save_and_load(int dir, const struct state *saved)
{
	struct state *loaded;
	struct err err;

	assert_int_equal(state_save(dir, saved, arena, &err), 0);
	assert_int_equal(state_load(root, "a", arena, &loaded, &err), 0);
	return loaded;
}

static void test_save_and_load(void **state)
{
	struct spec_pair pairs[] = { { "io.example.key", "value \"quoted\"\n" } };
	const char *notes[] = { "memory.limit was dropped", NULL };
	const struct state saved = { .id = "a",
				     .bundle = "/bundle",
				     .rootfs = "/bundle/rootfs",
				     .created = "2024-01-02T03:04:05.000000006Z",
				     .owner = "root",
				     .cgroup_root = "/sys/fs/cgroup",
				     .cgroup_path = "agentd/a",
				     .pid = 4711,
				     .pid_inode = UINT64_MAX - 1,
				     .start_time = UINT64_MAX,
				     .run = true,
				     .poststop = true,
				     .annotations = { pairs, 1 },
				     .notes = { notes, 1 } };
	struct state *loaded;
	struct err err;
	int dir;

	(void)state;
	assert_int_equal(state_create(root, "a", &dir, &err), 0);
	assert_int_equal(state_load(root, "a", arena, &loaded, &err), 0);
	assert_int_equal(loaded->pid, 0);
	assert_int_equal(status_of(loaded), STATUS_CREATING);
	loaded = save_and_load(dir, &saved);
	assert_string_equal(loaded->id, "a");
	assert_string_equal(loaded->bundle, saved.bundle);
	assert_string_equal(loaded->rootfs, saved.rootfs);
	assert_string_equal(loaded->created, saved.created);
	assert_string_equal(loaded->owner, saved.owner);
	assert_string_equal(loaded->cgroup_root, saved.cgroup_root);
	assert_string_equal(loaded->cgroup_path, saved.cgroup_path);
	assert_int_equal(loaded->pid, 4711);
	assert_true(loaded->pid_inode == UINT64_MAX - 1);
	assert_true(loaded->start_time == UINT64_MAX);
	assert_true(loaded->run);
	assert_true(loaded->poststop);
	assert_false(loaded->poststart);
	assert_int_equal(loaded->annotations.len, 1);
	assert_string_equal(loaded->annotations.item[0].value, pairs[0].value);
	assert_int_equal(loaded->notes.len, 1);
	assert_string_equal(loaded->notes.item[0], notes[0]);
	assert_int_equal(state_remove(root, "a", dir, &err), 0);
	close(dir);
}

/* A bundle may be anywhere, and a note may have been cut: that must not make a container that
 * nobody can look at. */
static void test_texts_that_are_no_utf8(void **state)
{
	const char *notes[] = { "/nowhere/\xc3", NULL };
	const struct state saved = {
		.id = "a", .bundle = "/b\xff", .pid = 4711, .notes = { notes, 1 }
	};
	struct state *loaded;
	struct err err;
	int dir;

	(void)state;
	assert_int_equal(state_create(root, "a", &dir, &err), 0);
	loaded = save_and_load(dir, &saved);
	assert_int_equal(loaded->pid, 4711);
	assert_string_equal(loaded->bundle, "/b?");
	assert_string_equal(loaded->notes.item[0], "/nowhere/?");
	assert_int_equal(state_remove(root, "a", dir, &err), 0);
	close(dir);
}

static void test_creating_until_created(void **state)
{
	struct state saved = { .id = "a", .pid = 4711, .start_time = 1, .creating = true };
	struct state *loaded;
	struct err err;
	int dir;

	(void)state;
	assert_int_equal(state_create(root, "a", &dir, &err), 0);
	loaded = save_and_load(dir, &saved);
	assert_int_equal(loaded->pid, 4711);
	assert_true(loaded->creating);
	assert_int_equal(state_created(dir, &saved, &err), 0);
	assert_false(saved.creating);
	assert_int_equal(state_load(root, "a", arena, &loaded, &err), 0);
	assert_int_equal(loaded->pid, 4711);
	assert_false(loaded->creating);
	/* once more: there is nothing to rename */
	assert_int_equal(state_created(dir, &saved, &err), -1);
	assert_int_equal(state_remove(root, "a", dir, &err), 0);
	close(dir);
}

static void test_damage(void **state)
{
	static const char *const texts[] = { "",
					     "{",
					     "[]",
					     "{}",
					     "{\"pid\":1}",
					     "{\"pid\":-1,\"startTime\":1}",
					     "null",
					     "{\"pid\":\"1\",\"startTime\":1}",
					     "{\"pid\":1,\"startTime\":1,\"cgroupPath\":\"x\"}" };
	struct state *loaded;
	struct err err;
	int dir;

	(void)state;
	assert_int_equal(state_create(root, "a", &dir, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int fd = openat(dir, STATE_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		assert_int_equal(write(fd, texts[i], strlen(texts[i])), strlen(texts[i]));
		close(fd);
		assert_int_equal(state_load(root, "a", arena, &loaded, &err), -1);
		assert_int_equal(err.code, EBADMSG);
		assert_non_null(strstr(err.text, "frees the id, but ends no process"));
	}
	assert_int_equal(state_remove(root, "a", dir, &err), 0);
	close(dir);
}

/* A child that waits until it is killed. */
static pid_t child_start(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed assertion must not leave it behind */
		for (;;)
			pause();
	}
	return pid;
}

/* The record of a child, as if it were kept in the filesystem of `kept`. */
static void record_child(struct state *facts, int kept, pid_t pid)
{
	int pidfd = sys_pidfd_open(pid, 0);

	assert_true(pidfd >= 0);
	*facts = (struct state){ .id = "a" };
	state_set_process(facts, kept, pid, pidfd);
	assert_int_equal(facts->pid, pid);
	assert_true((facts->pid_inode == 0) != (facts->start_time == 0));
	close(pidfd);
}

static void check_status_from_facts(struct state *facts)
{
	uint64_t *identity = facts->pid_inode ? &facts->pid_inode : &facts->start_time;
	struct err err;
	siginfo_t info;
	int dir, pidfd;

	assert_int_equal(state_create(root, "a", &dir, &err), 0);
	/* a process, but create is not through: hooks may be asking */
	facts->creating = true;
	assert_int_equal(status_of(facts), STATUS_CREATING);
	facts->creating = false;
	assert_int_equal(status_of(facts), STATUS_RUNNING);
	close(openat(dir, STATE_START_SOCKET, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(status_of(facts), STATUS_CREATED);
	unlinkat(dir, STATE_START_SOCKET, 0);
	/* somebody else has the pid now */
	++*identity;
	assert_int_equal(status_of(facts), STATUS_STOPPED);
	--*identity;
	pidfd = state_open_pid(facts);
	assert_true(pidfd >= 0);
	close(pidfd);
	/* ended but not waited for: a zombie is still there */
	kill((pid_t)facts->pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)facts->pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(status_of(facts), STATUS_STOPPED);
	assert_int_equal(waitpid((pid_t)facts->pid, NULL, 0), facts->pid);
	assert_int_equal(status_of(facts), STATUS_STOPPED);
	assert_int_equal(state_open_pid(facts), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(state_remove(root, "a", dir, &err), 0);
	close(dir);
}

static void test_status_by_start_time(void **state)
{
	int kept = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* anything but a tmpfs */
	struct state facts;

	(void)state;
	record_child(&facts, kept, child_start());
	assert_true(facts.start_time != 0);
	check_status_from_facts(&facts);
	close(kept);
}

static void test_status_by_inode(void **state)
{
	int kept = memfd_create("tmpfs", MFD_CLOEXEC);
	struct state facts;

	(void)state;
	record_child(&facts, kept, child_start());
	if (facts.pid_inode == 0)
		print_message("no inode of pidfds in %s: no pidfs (Linux 6.9)\n", __func__);
	check_status_from_facts(&facts);
	close(kept);
}

/* Field 3 of /proc/PID/stat. */
static char process_letter(pid_t pid)
{
	char file[32], text[256] = "";
	int fd;

	snprintf(file, sizeof(file), "/proc/%d/stat", (int)pid);
	fd = open(file, O_RDONLY);
	assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return strrchr(text, ')')[2];
}

static void *rest(void *unused)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
	return unused;
}

/* A program may end its first thread and go on in others. */
static void test_first_thread_that_has_ended(void **state)
{
	struct state facts;
	pthread_t thread;
	struct err err;
	pid_t pid;
	int dir;

	(void)state;
	assert_int_equal(state_create(root, "a", &dir, &err), 0);
	pid = fork();
	if (pid == 0) {
		if (pthread_create(&thread, NULL, rest, NULL) == 0)
			syscall(SYS_exit, 0); /* of this thread alone */
		_exit(1);
	}
	while (process_letter(pid) != 'Z')
		sched_yield();
	record_child(&facts, root, pid);
	assert_int_equal(status_of(&facts), STATUS_RUNNING);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(status_of(&facts), STATUS_STOPPED);
	assert_int_equal(state_remove(root, "a", dir, &err), 0);
	close(dir);
}

static void test_oci(void **state)
{
	struct spec_pair pairs[] = { { "k", "v" } };
	const struct state one = {
		.id = "a", .bundle = "/b", .annotations = { pairs, 1 }, .pid = 12
	};
	struct json *object;
	struct err err;
	size_t size;
	char *text = state_oci(&one, STATUS_RUNNING, arena, &size);
	int64_t pid;

	(void)state;
	assert_int_equal(json_parse(text, size, arena, &object, &err), 0);
	assert_string_equal(json_member(object, "ociVersion")->text, SPEC_OCI_VERSION);
	assert_string_equal(json_member(object, "id")->text, "a");
	assert_string_equal(json_member(object, "status")->text, "running");
	assert_string_equal(json_member(object, "bundle")->text, "/b");
	assert_string_equal(json_member(json_member(object, "annotations"), "k")->text, "v");
	assert_true(json_i64(json_member(object, "pid"), &pid) && pid == 12);
	assert_null(json_member(object, "notes"));
}

static void test_list(void **state)
{
	static const char *const names[] = { "b", "c", "a", "e", "d" };
	struct spec_strings ids = { 0 };
	struct err err;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(mkdirat(root, names[i], 0700), 0);
	assert_int_equal(mkdirat(root, ".hidden", 0700), 0);
	assert_int_equal(mknodat(root, "file", S_IFREG | 0600, 0), 0);
	assert_int_equal(symlinkat("a", root, "link"), 0);
	assert_int_equal(state_ids(root, arena, &ids, &err), 0);
	assert_int_equal(ids.len, 5); /* .hidden is none, nor are the file and the link */
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(ids.item[i][0], 'a' + (int)i);
	for (size_t i = 0; i < 5; i++)
		unlinkat(root, names[i], AT_REMOVEDIR);
	unlinkat(root, ".hidden", AT_REMOVEDIR);
	unlinkat(root, "file", 0);
	unlinkat(root, "link", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_root_of_others),
		cmocka_unit_test(test_rootless_needs_a_directory),
		cmocka_unit_test(test_create_takes_the_id),
		cmocka_unit_test(test_remove_whatever_is_there),
		cmocka_unit_test(test_what_is_not_ours_stays),
		cmocka_unit_test(test_lock_of_a_deleted_one),
		cmocka_unit_test(test_nothing_leads_out),
		cmocka_unit_test(test_save_and_load),
		cmocka_unit_test(test_texts_that_are_no_utf8),
		cmocka_unit_test(test_creating_until_created),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_status_by_start_time),
		cmocka_unit_test(test_status_by_inode),
		cmocka_unit_test(test_first_thread_that_has_ended),
		cmocka_unit_test(test_oci),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
