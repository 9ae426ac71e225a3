/*
 * Runs a fuzzer's function over the files of a corpus without libFuzzer, so that every compiler and
 * `make check` can. Prints one TAP line; a crash is the failure.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#define INPUT_MAX (8u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t input[INPUT_MAX];

static int replay(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	ssize_t got = 1;

	if (fd < 0)
		return -1;
	while (got > 0 && size < INPUT_MAX) {
		got = read(fd, input + size, INPUT_MAX - size);
		size += got > 0 ? (size_t)got : 0;
	}
	close(fd);
	return got < 0 ? -1 : LLVMFuzzerTestOneInput(input, size);
}

int main(int argc, char **argv)
{
	DIR *corpus = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	unsigned count = 0;

	if (!corpus) {
		fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(corpus))) {
		if (entry->d_name[0] == '.')
			continue;
		fprintf(stderr, "# %s\n", entry->d_name); /* known before a crash */
		if (replay(dirfd(corpus), entry->d_name) < 0) {
			perror(entry->d_name);
			return 1;
		}
		count++;
	}
	closedir(corpus);
	printf("ok %s: %u inputs\n", argv[0], count);
	return 0;
}
