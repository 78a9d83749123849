#include "transport/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "transport/paths.h"

int bj_file_write(int fd, const void *content, size_t size)
{
    const char *at = content;
    while (size > 0) {
        ssize_t written = write(fd, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? -errno : -EIO;
        at += written;
        size -= (size_t)written;
    }
    return 0;
}

/* The rename is only as durable as the directory. */
static int sync_directory(const char *path)
{
    char directory[BJ_PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (bj_path(directory, sizeof(directory), NULL, "%.*s", slash ? (int)(slash - path) + 1 : 1,
                slash ? path : ".") < 0)
        return -ENAMETOOLONG;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int status = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return status;
}

int bj_file_replace(const char *path, const void *content, size_t size, bool durable,
                    struct bj_error *error)
{
    char beside[BJ_PATH_MAX];
    int status = bj_path(beside, sizeof(beside), error, "%s.new", path);
    if (status < 0)
        return status;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return bj_fail(error, -errno, "cannot write %s: %s", beside, strerror(errno));
    status = bj_file_write(fd, content, size);
    if (status == 0 && durable && fsync(fd) < 0)
        status = -errno;
    if (close(fd) < 0 && status == 0)
        status = -errno;
    if (status == 0 && rename(beside, path) < 0)
        status = -errno;
    if (status < 0) {
        unlink(beside);
        return bj_fail(error, status, "cannot write %s: %s", path, strerror(-status));
    }
    /* From here on the new content is what everybody reads, so this is no failure of the change. */
    if (durable)
        sync_directory(path);
    return 0;
}
