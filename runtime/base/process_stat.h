/*
 * The fields of /proc/PID/stat (proc_pid_stat(5)).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#define PROCESS_STAT_SIZE 1024 /* more than the longest such line has */
#define PROCESS_STAT_LETTER 3  /* 'Z': a zombie, 'X': dead */
#define PROCESS_STAT_START_TIME 22

/* Reads the line of a process, 0: our own. -1 with errno: there is no such process. Allocates
 * nothing. */
int process_stat_read(pid_t pid, char line[PROCESS_STAT_SIZE]);

/* The text of a field from the third on, which are those behind the name, up to a space or the end
 * of the line; NULL: the line has not so many. */
const char *process_stat_field(const char *line, unsigned field);
