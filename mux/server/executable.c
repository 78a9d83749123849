#include "mux/server/executable.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transport/paths.h"

#define HEAD_MAX 16384
#define MODULES  "/node_modules/"

/* The beginning of a regular file as text; "" when it cannot be read. False: it is no regular file,
 * which is not opened for reading, as a fifo would wait for a writer. */
static bool read_head(const char *path, char head[HEAD_MAX])
{
    struct stat info;
    head[0] = '\0';
    if (stat(path, &info) < 0 || !S_ISREG(info.st_mode))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t size = fd < 0 ? 0 : read(fd, head, HEAD_MAX - 1);
    head[size > 0 ? size : 0] = '\0';
    if (fd >= 0)
        close(fd);
    return true;
}

static bool is_script(const char *head)
{
    return strncmp(head, "#!", 2) == 0;
}

static bool is_native(const char *head)
{
    static const char magic[] = {0x7f, 'E', 'L', 'F'};
    return strncmp(head, magic, sizeof(magic)) == 0;
}

enum executable executable_kind(const char *real)
{
    char head[HEAD_MAX];
    if (!read_head(real, head))
        return EXECUTABLE_NOT;
    if (!head[0]) /* not for reading, or empty */
        return access(real, X_OK) == 0 && access(real, R_OK) < 0 ? EXECUTABLE_PROGRAM
                                                                 : EXECUTABLE_NOT;
    if (!is_script(head)) /* a package whose own script did not run has a text there */
        return is_native(head) ? EXECUTABLE_PROGRAM : EXECUTABLE_NOT;
    return strstr(real, MODULES) || strstr(head, MODULES) ? EXECUTABLE_LAUNCHER
                                                          : EXECUTABLE_PROGRAM;
}

/* pnpm's scripts name what they start, or older ones have it behind their own directory. */
static bool target_of(const char *path, const char *head, char out[PATH_MAX])
{
    static const char named[] = "\n# cmd-shim-target=", beside[] = "\"$basedir/";
    const char *at = strstr(head, named), *slash = strrchr(path, '/');
    char target[BJ_PATH_MAX];
    if (at) {
        at += sizeof(named) - 1;
        return bj_path(target, sizeof(target), NULL, "%.*s", (int)strcspn(at, "\n"), at) == 0 &&
               realpath(target, out);
    }
    for (at = head; slash && (at = strstr(at, beside)); at++) {
        const char *rest = at + sizeof(beside) - 1;
        int size = (int)strcspn(rest, "\"\n");
        if (bj_path(target, sizeof(target), NULL, "%.*s/%.*s", (int)(slash - path), path, size,
                    rest) == 0 &&
            strstr(target, MODULES) && realpath(target, out))
            return true;
    }
    return false;
}

bool executable_follow(const char *path, char out[PATH_MAX])
{
    char head[HEAD_MAX], target[PATH_MAX];
    if (!realpath(path, out) || !read_head(out, head))
        return false;
    if (is_script(head) && target_of(out, head, target))
        memcpy(out, target, PATH_MAX);
    return true;
}
