#include "mux/server/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "transport/paths.h"

#define LINE_MAX_BYTES 1024

static struct {
    int fd;
    bool stderr_too;
    off_t size;
    char path[BJ_PATH_MAX];
} log_file = {.fd = -1};

static int reopen(struct bj_error *error)
{
    log_file.fd = open(log_file.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log_file.fd < 0)
        return bj_fail(error, -errno, "cannot open %s: %s", log_file.path, strerror(errno));
    struct stat info;
    log_file.size = fstat(log_file.fd, &info) == 0 ? info.st_size : 0;
    return 0;
}

int log_open(const char *path, bool also_stderr, struct bj_error *error)
{
    log_file.stderr_too = also_stderr;
    int status = bj_path(log_file.path, sizeof(log_file.path), error, "%s", path);
    return status < 0 ? status : reopen(error);
}

static void rotate(void)
{
    char older[BJ_PATH_MAX];
    if (bj_path(older, sizeof(older), NULL, "%s.1", log_file.path) < 0)
        return;
    close(log_file.fd);
    rename(log_file.path, older);
    reopen(NULL);
}

void log_line(const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    struct tm when;
    time_t now = time(NULL);
    gmtime_r(&now, &when);
    size_t length = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%SZ ", &when);
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line + length, sizeof(line) - length - 1, format, args);
    va_end(args);
    if (size < 0)
        return;
    length += (size_t)size < sizeof(line) - length - 1 ? (size_t)size : sizeof(line) - length - 2;
    line[length++] = '\n';
    if (log_file.stderr_too && write(STDERR_FILENO, line, length) < 0)
        log_file.stderr_too = false;
    if (log_file.fd < 0 && (!log_file.path[0] || reopen(NULL) < 0)) /* the last time it failed */
        return;
    if (log_file.size + (off_t)length > LOG_BYTES_MAX)
        rotate();
    ssize_t written = log_file.fd >= 0 ? write(log_file.fd, line, length) : 0;
    log_file.size += written > 0 ? written : 0;
}

void log_close(void)
{
    if (log_file.fd >= 0)
        close(log_file.fd);
    log_file.fd = -1;
    log_file.path[0] = '\0';
}
