/*
 * Who a process is: its number alone may be given to another one later, number and start time
 * (since this boot) may not. All of it is read from /proc (proc(5)); nothing is kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_BOOT_ID_MAX 40

struct process_id {
    pid_t pid;      /* 0: none */
    uint64_t start; /* clock ticks since boot, field 22 of /proc/PID/stat */
};

/* Fills `id` for a running process; -ESRCH when there is none, another code when that cannot be
 * looked at now. A zombie counts as running. */
int process_identify(pid_t pid, struct process_id *id);

/* Whether this very process still exists and is no zombie; true when it cannot be told. */
bool process_alive(const struct process_id *id);

/* State letter of /proc/PID/stat: R S D T t Z X; 0 when there is no such process. */
char process_state(pid_t pid);

/* The pid inside the innermost pid namespace, 0 when unknown (NSpid of /proc/PID/status). */
pid_t process_inner_pid(pid_t pid);
pid_t process_parent(pid_t pid);

/* A descriptor that becomes readable when the process ends; -ESRCH, or -ENOSYS on old kernels. */
int process_open(pid_t pid);

/* Sends a signal to this very process, never to a later one of that number. 0, -ESRCH, or
 * another code when it cannot be told whether it is that one. */
int process_signal(const struct process_id *id, int number);

/* This boot's id. 0 or a negative code. */
int process_boot_id(char out[PROCESS_BOOT_ID_MAX]);

/* Reads a small file of /proc or a cgroup whole; returns the length or a negative code. */
ssize_t process_read_file(const char *path, char *out, size_t size);
