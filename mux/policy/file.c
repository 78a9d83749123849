#include "mux/policy/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mux/json/json.h"
#include "transport/file.h"

#define FILE_BYTES_MAX (16 * 1024 * 1024)

int file_replace_json(const char *path, json_t *root, struct bj_error *error)
{
    char *text = json_text(root, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        return bj_fail(error, -ENOMEM, "out of memory, or text that is no UTF-8, for %s", path);
    int status = bj_file_replace(path, text, strlen(text), true, error);
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
