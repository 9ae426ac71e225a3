/*
 * What the containers of the benchmark run. Static and small, so that it does not drown the
 * difference between those that start it. The name that it is called by says what it does.
 *
 *   true    ends at once
 *   pause   waits for its end
 *   look    prints what the process has become, to compare containers
 *   calls   prints how long a system call takes here, in nanoseconds, as JSON
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define CALLS_PER_ROUND 20000
#define ROUNDS 15

static int do_true(void)
{
	return 0;
}

/* The first process of a pid namespace gets only the signals that it handles. */
static void end(int number)
{
	(void)number;
	_exit(0);
}

static int __attribute__((noreturn)) do_pause(void)
{
	signal(SIGTERM, end);
	for (;;)
		pause();
}

/* --- look ------------------------------------------------------------------------------------ */

/* Numbers that no two containers share are left out: ids of mounts and devices, pids, memory. */
static void print_lines(const char *path)
{
	static const char *const status_words[] = { "Umask", "Uid",   "Gid",	 "Groups", "Sig",
						    "Cap",   "NoNew", "Seccomp", "Spec" };
	bool mounts = strcmp(path, "/proc/self/mountinfo") == 0;
	bool status = strcmp(path, "/proc/self/status") == 0;
	FILE *file = fopen(path, "re");
	char line[4096];

	printf("%s\n", path);
	while (file && fgets(line, sizeof(line), file)) {
		char *rest = line;

		for (int i = 0; mounts && i < 3 && strchr(rest, ' '); i++)
			rest = strchr(rest, ' ') + 1;
		for (size_t i = 0; status && i < sizeof(status_words) / sizeof(*status_words); i++)
			if (strncmp(line, status_words[i], strlen(status_words[i])) == 0 &&
			    strncmp(line, "SigQ", 4) != 0)
				printf("  %s", rest);
		if (!status)
			printf("  %s", rest);
	}
	if (file)
		fclose(file);
}

static void print_directory(const char *path)
{
	struct dirent **entries;
	int len = scandir(path, &entries, NULL, alphasort);

	printf("%s\n", path);
	for (int i = 0; i < len; i++) {
		char name[512], link[256] = "";
		struct stat st;

		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		if (lstat(name, &st) == 0 && entries[i]->d_name[0] != '.' &&
		    (!S_ISLNK(st.st_mode) || readlink(name, link, sizeof(link) - 1) >= 0))
			printf("  %s %o %u:%u %u:%u %s\n", entries[i]->d_name, st.st_mode,
			       st.st_uid, st.st_gid, major(st.st_rdev), minor(st.st_rdev), link);
		free(entries[i]);
	}
}

static int do_look(void)
{
	static const char *const files[] = { "/proc/self/mountinfo", "/proc/self/status",
					     "/proc/self/limits",    "/proc/self/uid_map",
					     "/proc/self/gid_map",   "/sys/class/net/lo/flags" };
	static const char *const directories[] = {
		"/dev", "/dev/pts", "/dev/shm",	  "/dev/mqueue",
		"/tmp", "/run",	    "/proc/acpi", "/sys/firmware"
	};
	static const char *const namespaces[] = { "cgroup", "ipc", "mnt",  "net",
						  "pid",    "uts", "user", "time" };
	char text[256], path[64];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		print_lines(files[i]);
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		print_directory(directories[i]);
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", namespaces[i]);
		len = readlink(path, text, sizeof(text) - 1);
		printf("namespace %.*s\n", len < 0 ? 0 : (int)len, text);
	}
	printf("%s %d\n", getcwd(text, sizeof(text)), (int)getpid());
	if (gethostname(text, sizeof(text)) == 0)
		puts(text);
	for (char **variable = environ; *variable; variable++)
		puts(*variable);
	return 0;
}

/* --- calls ----------------------------------------------------------------------------------- */

static void call_getppid(void)
{
	syscall(SYS_getppid);
}

static void call_openat(void)
{
	int fd = open("/", O_PATH | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
}

static void call_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
}

static double now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The least of some rounds: what disturbs only makes it longer. */
static double time_call(void (*call)(void))
{
	double least = 1e9;

	for (int i = 0; i < ROUNDS; i++) {
		double start = now_ns(), each;

		for (int j = 0; j < CALLS_PER_ROUND; j++)
			call();
		each = (now_ns() - start) / CALLS_PER_ROUND;
		if (each < least)
			least = each;
	}
	return least;
}

static int do_calls(void)
{
	printf("{\"getppid\": %.1f, \"openat and close\": %.1f, \"socket and close\": %.1f}\n",
	       time_call(call_getppid), time_call(call_openat), time_call(call_socket));
	return 0;
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		int (*run)(void);
	} programs[] = {
		{ "true", do_true },
		{ "pause", do_pause },
		{ "look", do_look },
		{ "calls", do_calls },
	};
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];

	(void)argc;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (strcmp(name, programs[i].name) == 0)
			return programs[i].run();
	fprintf(stderr, "%s: unknown\n", name);
	return 2;
}
