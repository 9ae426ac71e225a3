/*
 * What runs in the container whose memory is measured: says so, and ends. Without a C library, so
 * that the memory is that of the container and not of a program.
 */
#include <sys/syscall.h>

static long call(long number, long a, const void *b, long c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

void _start(void);
void __attribute__((noreturn)) _start(void)
{
	static const char text[] = "started\n";
	long written = call(SYS_write, 1, text, sizeof(text) - 1);

	for (;;)
		call(SYS_exit, written != sizeof(text) - 1, text, 0);
}
