#include "mux/resource/reader.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "mux/resource/procfs.h"

#define MASTER_MAX 16 /* the shim opens it among its first descriptors */

/* A copy of the terminal's master, or a negative code. What else is looked at on the way is the
 * shim's as well: sockets, signals, pipes. */
static int borrow_master(const struct process_id *init)
{
    int process = process_open(init->pid);
    if (process < 0)
        return process;
    int status = process_alive(init) ? -ENOTTY : -ESRCH;
    for (int number = 3; status == -ENOTTY && number < MASTER_MAX; number++) {
        struct stat info;
        int fd = (int)syscall(SYS_pidfd_getfd, process, number, 0);
        if (fd < 0 && errno != EBADF)
            status = -errno;
        else if (fd >= 0 && fstat(fd, &info) == 0 && S_ISCHR(info.st_mode) &&
                 info.st_rdev == makedev(5, 2))
            status = fd;
        else if (fd >= 0)
            close(fd);
    }
    close(process);
    return status;
}

/* The foreground group of the terminal when it takes lines, 0 when it does not. */
static pid_t group_of_lines(const struct process_id *init)
{
    int master = borrow_master(init);
    struct termios modes;
    pid_t group = 0;
    if (master < 0)
        return master;
    if (tcgetattr(master, &modes) < 0 || ioctl(master, TIOCGPGRP, &group) < 0)
        group = -errno;
    else if (!(modes.c_lflag & ICANON) || group < 0)
        group = 0;
    close(master);
    return group;
}

static bool sleeps_in_group(pid_t pid, pid_t group)
{
    char path[64], text[1024], state;
    int its;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (process_read_file(path, text, sizeof(text)) <= 0)
        return false;
    const char *fields = strrchr(text, ')');
    return fields && sscanf(fields + 1, " %c %*d %d", &state, &its) == 2 && its == group &&
           state != 'Z' && state != 'X';
}

static bool is_terminal(pid_t pid, unsigned long number)
{
    char path[64], name[64];
    snprintf(path, sizeof(path), "/proc/%d/fd/%lu", (int)pid, number);
    ssize_t size = readlink(path, name, sizeof(name) - 1);
    if (size < 0)
        return false;
    name[size] = '\0';
    return strncmp(name, "/dev/pts/", 9) == 0 || strcmp(name, "/dev/tty") == 0 ||
           strcmp(name, "/dev/console") == 0;
}

/* The file has the call's number and its arguments, or "running". */
static int thread_reads(pid_t pid, const char *thread)
{
    char path[64], text[256];
    long call;
    unsigned long number;
    snprintf(path, sizeof(path), "/proc/%d/task/%.16s/syscall", (int)pid, thread);
    ssize_t size = process_read_file(path, text, sizeof(text));
    if (size < 0)
        return size == -ENOENT || size == -ESRCH ? 0 : (int)size;
    return sscanf(text, "%ld %lx", &call, &number) == 2 && call == SYS_read &&
           is_terminal(pid, number);
}

static int process_reads(pid_t pid, unsigned *left)
{
    char path[64];
    int status = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (!threads)
        return 0;
    for (const struct dirent *entry; status == 0 && *left > 0 && (entry = readdir(threads));)
        if (isdigit((unsigned char)entry->d_name[0])) {
            status = thread_reads(pid, entry->d_name);
            --*left;
        }
    closedir(threads);
    return status;
}

static bool has_job_control(pid_t pid)
{
    char path[64], text[4096];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    const char *line =
        process_read_file(path, text, sizeof(text)) > 0 ? strstr(text, "\nSigIgn:") : NULL;
    uint64_t ignored = line ? strtoull(line + strlen("\nSigIgn:"), NULL, 16) : 0;
    uint64_t stops = 1ULL << (SIGTSTP - 1) | 1ULL << (SIGTTOU - 1);
    return (ignored & stops) == stops;
}

int reader_looks(const struct process_id *init)
{
    struct procfs_pids pids = {0};
    unsigned left = READER_THREADS;
    pid_t group = group_of_lines(init);
    if (group <= 0)
        return (int)group;
    int status = procfs_tree(init->pid, &pids);
    for (size_t i = 0; status == 0 && left > 0 && i < pids.count; i++) {
        pid_t pid = pids.pid[i];
        if (pid == init->pid || !sleeps_in_group(pid, group))
            continue;
        status = process_reads(pid, &left);
        if (status == 1 && has_job_control(pid))
            status = 0;
    }
    procfs_pids_free(&pids);
    return status;
}
