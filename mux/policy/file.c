#include "mux/policy/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mux/json/json.h"
#include "transport/paths.h"

#define FILE_BYTES_MAX (16 * 1024 * 1024)

static int write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, text, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? -errno : -EIO;
        text += written;
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

int file_replace(const char *path, const char *text, size_t size, struct bj_error *error)
{
    char beside[BJ_PATH_MAX];
    int status = bj_path(beside, sizeof(beside), error, "%s.new", path);
    if (status < 0)
        return status;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return bj_fail(error, -errno, "cannot write %s: %s", beside, strerror(errno));
    status = write_all(fd, text, size);
    if (status == 0 && fsync(fd) < 0)
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
    sync_directory(path);
    return 0;
}

int file_replace_json(const char *path, json_t *root, struct bj_error *error)
{
    char *text = json_text(root, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        return bj_fail(error, -ENOMEM, "out of memory, or text that is no UTF-8, for %s", path);
    int status = file_replace(path, text, strlen(text), error);
    free(text);
    return status;
}

int file_read_json(const char *path, json_t **root, struct bj_error *error)
{
    *root = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return bj_fail(error, -errno, "cannot read %s: %s", path, strerror(errno));
    struct stat info;
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || info.st_size > FILE_BYTES_MAX) {
        close(fd);
        return bj_fail(error, -EINVAL, "%s is not a file of ours: move it away", path);
    }
    json_error_t why;
    int status;
    json_t *read = json_read_fd(fd, JSON_REJECT_DUPLICATES, &why, &status);
    close(fd);
    if (status == -ENOMEM)
        return bj_fail(error, -ENOMEM, "out of memory while %s was read", path);
    if (!read && status != -EINVAL)
        return bj_fail(error, status, "cannot read %s: %s", path, strerror(-status));
    if (!read)
        return bj_fail(error, -EINVAL, "%s:%d: damaged (%.120s): restore it, or move it away", path,
                       why.line, why.text);
    if (json_integer_value(json_object_get(read, "version")) != 1) {
        json_decref(read);
        return bj_fail(error, -EINVAL,
                       "%s was not written by this version of Belljar: move it away", path);
    }
    *root = read;
    return 0;
}
