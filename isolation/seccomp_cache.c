/*
 * Compiled filters kept between launches: compiling a large profile for three architectures costs
 * more than all the rest of a start.
 *
 * An entry is a file: head, key in full, filter. The hash of the key only names the file; the key
 * is compared byte for byte, so a wrong filter is never used, and two profiles with one hash merely
 * take turns. An entry that is not ours alone, or damaged, is compiled anew and replaced. Nothing
 * here may fail a launch: without the cache it is only slower.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "isolation/seccomp.h"
#include "runtime/base/fd.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"

#define CACHE_ENTRIES_MAX 64
#define CACHE_NAME_SIZE 17 /* a 64-bit number in hexadecimal */
#define FILTER_SIZE_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))

static const char cache_magic[8] = "agentdF1";

struct cache_head {
	char magic[8];
	uint64_t key_size, filter_size;
	uint64_t filter_hash; /* rename(2) without fsync(2) may leave zeros after a power cut */
};

/* FNV-1a, 64 bits. Not against forgery: who can write the directory needs none. */
static uint64_t cache_hash(const char *data, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)data[i]) * 0x100000001b3;
	return hash;
}

/* The filter in the bytes of an entry, or NULL if they are not an entry for this key. */
static const char *entry_filter(const char *entry, size_t size, const struct seccomp_plan *plan,
				size_t *filter_size)
{
	struct cache_head head;
	const char *key = entry + sizeof(head), *filter = key + plan->cache_key_size;

	memcpy(&head, entry, sizeof(head));
	if (memcmp(head.magic, cache_magic, sizeof(head.magic)) != 0 ||
	    head.key_size != plan->cache_key_size || head.filter_size == 0 ||
	    head.filter_size > FILTER_SIZE_MAX || head.filter_size % sizeof(struct sock_filter) ||
	    size != sizeof(head) + head.key_size + head.filter_size)
		return NULL;
	if (memcmp(key, plan->cache_key, head.key_size) != 0 ||
	    cache_hash(filter, head.filter_size) != head.filter_hash)
		return NULL;
	*filter_size = head.filter_size;
	return filter;
}

/* Copies the filter of the entry `name` to `fd`; false: there is none to use. */
static bool cache_load(const struct seccomp_plan *plan, int cache, const char *name, int fd)
{
	autoclose int file = openat(cache, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	const char *filter;
	size_t size, filter_size;
	struct stat st;
	bool loaded;
	void *entry;

	if (file < 0 || fstat(file, &st) < 0)
		return false;
	size = (size_t)st.st_size;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH) ||
	    size < sizeof(struct cache_head) ||
	    size > sizeof(struct cache_head) + plan->cache_key_size + FILTER_SIZE_MAX)
		return false;
	entry = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
	if (entry == MAP_FAILED)
		return false;
	filter = entry_filter(entry, size, plan, &filter_size);
	loaded = filter && file_write_all(fd, filter, filter_size) == 0;
	munmap(entry, size);
	return loaded;
}

/* Removes the oldest entry if the cache is full. Files that a crash left half-written count too. */
static void cache_make_room(int cache)
{
	int copy = openat(cache, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	int64_t oldest_time = INT64_MAX;
	char oldest[NAME_MAX + 1] = "";
	size_t entries = 0;
	struct dirent *row;

	if (!dir) {
		fd_close(&copy);
		return;
	}
	while ((row = readdir(dir))) {
		struct stat st;
		int64_t time;

		if (fstatat(cache, row->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		entries++;
		time = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
		if (time < oldest_time) {
			oldest_time = time;
			memcpy(oldest, row->d_name, strlen(row->d_name) + 1);
		}
	}
	closedir(dir);
	if (entries >= CACHE_ENTRIES_MAX)
		unlinkat(cache, oldest, 0);
}

/* Writes what was compiled into `fd` as the entry `name`. */
static int cache_store(const struct seccomp_plan *plan, int cache, const char *name, int fd,
		       struct err *err)
{
	struct cache_head head = { .key_size = plan->cache_key_size };
	char *entry, *filter;
	struct stat st;
	size_t size;
	int result;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat the system call filter");
	head.filter_size = (uint64_t)st.st_size;
	size = sizeof(head) + head.key_size + head.filter_size;
	entry = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (entry == MAP_FAILED)
		return err_sys(err, "map memory for a cache entry");
	filter = entry + sizeof(head) + head.key_size;
	if (pread(fd, filter, head.filter_size, 0) != (ssize_t)head.filter_size) {
		err_sys(err, "read the system call filter");
		munmap(entry, size);
		return -1;
	}
	memcpy(head.magic, cache_magic, sizeof(head.magic));
	head.filter_hash = cache_hash(filter, head.filter_size);
	memcpy(entry, &head, sizeof(head));
	memcpy(entry + sizeof(head), plan->cache_key, head.key_size);
	cache_make_room(cache);
	result = file_replace(cache, name, entry, size, 0600, err);
	munmap(entry, size);
	return result;
}

int seccomp_compile_cached(const struct seccomp_plan *plan, int cache, int fd, struct err *err)
{
	char name[CACHE_NAME_SIZE];
	struct err ignored;

	if (cache < 0)
		return seccomp_compile(plan, fd, err);
	snprintf(name, sizeof(name), "%016llx",
		 (unsigned long long)cache_hash(plan->cache_key, plan->cache_key_size));
	if (cache_load(plan, cache, name, fd))
		return 0;
	if (seccomp_compile(plan, fd, err) < 0)
		return -1;
	if (cache_store(plan, cache, name, fd, &ignored) < 0)
		log_debug("seccomp cache: %s", ignored.text);
	return 0;
}
