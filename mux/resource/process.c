#include "mux/resource/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t process_read_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t filled = 0;
    ssize_t got = 0;
    while (filled < size - 1) {
        got = read(fd, out + filled, size - 1 - filled);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        filled += (size_t)got;
    }
    int code = got < 0 ? -errno : 0;
    close(fd);
    out[filled] = '\0';
    return code < 0 ? code : (ssize_t)filled;
}

/* The program's name in /proc/PID/stat may hold anything, so fields are counted from the last
 * parenthesis: the first behind it is field 3. */
static const char *stat_field(char *text, int field)
{
    char *at = strrchr(text, ')');
    for (int i = 2; at && i < field; i++)
        at = strchr(at + 1, ' ');
    return at ? at + 1 : NULL;
}

static const char *read_stat(pid_t pid, char *text, size_t size, int field)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    return pid > 0 && process_read_file(path, text, size) > 0 ? stat_field(text, field) : NULL;
}

int process_identify(pid_t pid, struct process_id *id)
{
    char text[1024];
    errno = 0;
    const char *field = read_stat(pid, text, sizeof(text), 22);
    if (!field)
        return errno == 0 || errno == ENOENT ? -ESRCH : -errno;
    *id = (struct process_id){pid, strtoull(field, NULL, 10)};
    return 0;
}

char process_state(pid_t pid)
{
    char text[1024];
    const char *field = read_stat(pid, text, sizeof(text), 3);
    return field ? *field : '\0';
}

/* Where /proc cannot be looked at (no descriptor, no memory), one of its number may be it. */
bool process_alive(const struct process_id *id)
{
    struct process_id now;
    if (id->pid <= 0)
        return false;
    int status = process_identify(id->pid, &now);
    if (status < 0 && status != -ESRCH)
        return kill(id->pid, 0) == 0 || errno == EPERM;
    if (status < 0 || now.start != id->start)
        return false;
    char state = process_state(id->pid);
    return state ? state != 'Z' && state != 'X' : kill(id->pid, 0) == 0;
}

pid_t process_parent(pid_t pid)
{
    char text[1024];
    const char *field = read_stat(pid, text, sizeof(text), 4);
    return field ? (pid_t)strtol(field, NULL, 10) : 0;
}

pid_t process_inner_pid(pid_t pid)
{
    char path[64];
    char text[4096];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    if (process_read_file(path, text, sizeof(text)) <= 0)
        return 0;
    char *line = strstr(text, "\nNSpid:");
    if (!line)
        return 0;
    line += strlen("\nNSpid:");
    line[strcspn(line, "\n")] = '\0';
    pid_t last = 0;
    for (char *end = line;; line = end) {
        long value = strtol(line, &end, 10);
        if (end == line)
            return last;
        last = (pid_t)value;
    }
}

int process_open(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : fd;
}

int process_signal(const struct process_id *id, int number)
{
    if (id->pid <= 0)
        return -ESRCH;
    /* The descriptor first, then the check: from then on the number cannot change hands. */
    int fd = process_open(id->pid);
    struct process_id now;
    int known = process_identify(id->pid, &now);
    if (known == 0 && now.start != id->start)
        known = -ESRCH;
    if (known < 0) {
        if (fd >= 0)
            close(fd);
        return known;
    }
    int status =
        fd >= 0 ? (int)syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) : kill(id->pid, number);
    int code = status < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    return code;
}

int process_boot_id(char out[PROCESS_BOOT_ID_MAX])
{
    ssize_t size = process_read_file("/proc/sys/kernel/random/boot_id", out, PROCESS_BOOT_ID_MAX);
    if (size < 0)
        return (int)size;
    out[strcspn(out, "\n")] = '\0';
    return 0;
}
