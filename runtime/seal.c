/*
 * The seal, see seal.h.
 *
 * With CAP_SYS_ADMIN the program goes on from a detached read-only mount of its own file: no copy,
 * no memory charged to anybody. The mount is dissolved when its descriptor closes, so it cannot be
 * made writable again, while the running program keeps its read-only view. It need not even be
 * executed again: what is mapped of the file is mapped again from the mount, the same pages at the
 * same addresses, and prctl(2), PR_SET_MM_MAP, makes the mount's file the one that runs. Without
 * that capability, or where the kernel lacks CONFIG_CHECKPOINT_RESTORE, the program is executed
 * again, from the mount or from a sealed copy in memory. Whether the running program is sealed is
 * read from the kernel (a read-only mount, or the seals), not remembered.
 */
#include "runtime/seal.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "runtime/base/array.h"
#include "runtime/base/fd.h"
#include "runtime/base/process_stat.h"
#include "runtime/base/sys.h"

#define SELF "/proc/self/exe"
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

extern char **environ;

static bool is_sealed(int exe)
{
	int seals = fcntl(exe, F_GET_SEALS);
	struct statvfs st;
	struct stat file;

	if (seals >= 0 && (seals & SEALS) == SEALS)
		return true;
	if (fstatvfs(exe, &st) == 0 && (st.f_flag & ST_RDONLY))
		return true;
	/* Not ours and not writable by us: then neither by a container, which has at most our
	 * rights. Of what is ours it could change the mode. */
	return fstat(exe, &file) == 0 && file.st_uid != geteuid() &&
	       faccessat(AT_FDCWD, SELF, W_OK, AT_EACCESS) < 0 && errno == EACCES;
}

/* A read-only mount of the file, or -1 with errno. */
static int open_mount(void)
{
	struct sys_mount_attr attr = { .attr_set = SYS_MOUNT_ATTR_RDONLY };
	autoclose int tree =
		sys_open_tree(AT_FDCWD, SELF, SYS_OPEN_TREE_CLONE | SYS_OPEN_TREE_CLOEXEC);

	if (tree < 0 || sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr) < 0)
		return -1;
	return fd_take(&tree);
}

/* --- without executing again ----------------------------------------------------------------- */

static uintptr_t page_floor(uintptr_t at)
{
	return at & ~((uintptr_t)getpagesize() - 1);
}

static uintptr_t page_ceiling(uintptr_t at)
{
	return page_floor(at + (uintptr_t)getpagesize() - 1);
}

static int protection(const ElfW(Phdr) * segment)
{
	return (segment->p_flags & PF_R ? PROT_READ : 0) |
	       (segment->p_flags & PF_W ? PROT_WRITE : 0) |
	       (segment->p_flags & PF_X ? PROT_EXEC : 0);
}

/* A loop, since the memcpy(3) of a sanitizer objects to what lies between our variables. */
static void __attribute__((no_sanitize("address")))
copy_words(uint64_t *to, const volatile uint64_t *from, size_t size)
{
	for (size_t i = 0; i < size / sizeof(*to); i++)
		to[i] = from[i];
}

/* What we have written to is not in the file: it moves, in one call, to memory without a file. */
static int replace_by_copy(void *start, size_t size)
{
	void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (copy == MAP_FAILED)
		return -1;
	copy_words(copy, start, size);
	if (mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, start) != MAP_FAILED)
		return 0;
	munmap(copy, size);
	return -1;
}

static int replace_segment(const ElfW(Phdr) * segment, uintptr_t base, int file)
{
	uintptr_t start = page_floor(base + segment->p_vaddr);
	uintptr_t end = page_ceiling(base + segment->p_vaddr + segment->p_filesz);

	if (segment->p_flags & PF_W)
		return replace_by_copy((void *)start, end - start);
	return mmap((void *)start, end - start, protection(segment), MAP_PRIVATE | MAP_FIXED, file,
		    (off_t)page_floor(segment->p_offset)) == MAP_FAILED
		       ? -1
		       : 0;
}

/* Whether `file` is what is mapped at `base`: /proc/self/exe is another where a loader or an
 * emulator was told to run us. The first page has the headers and the build's own id. */
static bool is_mapped(int file, uintptr_t base)
{
	char page[4096];

	return base && pread(file, page, sizeof(page), 0) == sizeof(page) &&
	       memcmp(page, (const void *)base, sizeof(page)) == 0;
}

/* Nothing of the running file may be mapped when the kernel is told of another (EBUSY). */
static int replace_mappings(int file)
{
	const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	size_t len = getauxval(AT_PHNUM);
	uintptr_t base = 0;

	for (size_t i = 0; i < len; i++)
		if (header[i].p_type == PT_PHDR)
			base = (uintptr_t)header - header[i].p_vaddr;
	if (!is_mapped(file, base))
		return -1;
	for (size_t i = 0; i < len; i++)
		if (header[i].p_type == PT_LOAD && replace_segment(&header[i], base, file) < 0)
			return -1;
	/* Its memory is ours again, and writable: as the loader left it. */
	for (size_t i = 0; i < len; i++) {
		uintptr_t start = page_floor(base + header[i].p_vaddr);

		if (header[i].p_type == PT_GNU_RELRO &&
		    mprotect((void *)start,
			     page_floor(base + header[i].p_vaddr + header[i].p_memsz) - start,
			     PROT_READ) < 0)
			return -1;
	}
	return 0;
}

/* PR_SET_MM_MAP sets all or nothing: what is to stay is taken from proc_pid_stat(5). */
static int read_map(struct prctl_mm_map *map)
{
	static const struct {
		unsigned field;
		size_t offset;
	} fields[] = {
		{ 26, offsetof(struct prctl_mm_map, start_code) },
		{ 27, offsetof(struct prctl_mm_map, end_code) },
		{ 28, offsetof(struct prctl_mm_map, start_stack) },
		{ 45, offsetof(struct prctl_mm_map, start_data) },
		{ 46, offsetof(struct prctl_mm_map, end_data) },
		{ 47, offsetof(struct prctl_mm_map, start_brk) },
		{ 48, offsetof(struct prctl_mm_map, arg_start) },
		{ 49, offsetof(struct prctl_mm_map, arg_end) },
		{ 50, offsetof(struct prctl_mm_map, env_start) },
		{ 51, offsetof(struct prctl_mm_map, env_end) },
	};
	char line[PROCESS_STAT_SIZE];

	if (process_stat_read(0, line) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const char *text = process_stat_field(line, fields[i].field);
		uint64_t value;

		if (!text)
			return -1;
		value = strtoull(text, NULL, 10);
		memcpy((char *)map + fields[i].offset, &value, sizeof(value));
	}
	map->brk = (uintptr_t)sbrk(0);
	return 0;
}

/* Whether we run from the read-only mount now. */
static bool exchange_executable(int mount)
{
	struct prctl_mm_map map = { 0 };
	char path[32];
	autoclose int file = -1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", mount);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || read_map(&map) < 0 || replace_mappings(file) < 0)
		return false;
	map.exe_fd = (uint32_t)file;
	return prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0) == 0;
}

/* --- executing again ------------------------------------------------------------------------- */

static int open_copy(int exe, struct err *err)
{
	autoclose int copy = memfd_create("agentd", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;
	off_t at = 0;

	if (copy < 0)
		return err_sys(err, "make a file in memory");
	if (fstat(exe, &st) < 0)
		return err_sys(err, "stat " SELF);
	while (at < st.st_size)
		if (sendfile(copy, exe, &at, (size_t)(st.st_size - at)) <= 0)
			return err_sys(err, "copy " SELF);
	if (fcntl(copy, F_ADD_SEALS, SEALS) < 0)
		return err_sys(err, "seal the copy of " SELF);
	return fd_take(&copy);
}

int seal_executable(char **argv, int *mount, struct err *err)
{
	autoclose int exe = open(SELF, O_RDONLY | O_CLOEXEC);
	autoclose int sealed = -1;

	*mount = -1;
	if (exe < 0) {
		err_sys(err, "open " SELF);
		return err->code == ENOENT ? err_hint(err, "agentd needs a procfs mounted on /proc")
					   : -1;
	}
	if (is_sealed(exe))
		return 0;
	sealed = open_mount();
	if (sealed >= 0 && exchange_executable(sealed)) {
		*mount = fd_take(&sealed);
		return 0;
	}
	if (sealed < 0)
		sealed = open_copy(exe, err);
	if (sealed < 0)
		return -1;
	fexecve(sealed, argv, environ);
	return err_sys(err, "execute the sealed " SELF);
}
