#include "tui/cli/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transport/file.h"
#include "tui/cli/tree_check.h"

#define PIECE (64U * 1024)

static int refuse(struct extract *extract, const char *path, const char *why)
{
    extract->left_out++;
    extract->refused(extract->owner, path, why);
    return 0;
}

/* Said for the directory, and once for an archive that has only what is in it. */
static int refuse_git(struct extract *extract, const char *path)
{
    char parent[TREE_PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 0, path);
    if (extract->git_said && tree_is_git(parent)) {
        extract->left_out++;
        return 0;
    }
    extract->git_said = true;
    return refuse(extract, path, "git would run what is in it");
}

/* Opens the directory `name` below `parent`; makes it when `make` is set. */
static int step(int parent, const char *name, bool make)
{
    if (make && mkdirat(parent, name, 0777) < 0 && errno != EEXIST)
        return -errno;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* The directory that holds `path` (which tree_path has passed), and in *name its last part. */
static int parent_of(const struct extract *extract, const char *path, bool make, const char **name)
{
    char part[TREE_PATH_MAX];
    int fd = fcntl(extract->root, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return -errno;
    for (const char *slash; (slash = strchr(path, '/')); path = slash + 1) {
        memcpy(part, path, (size_t)(slash - path));
        part[slash - path] = '\0';
        int below = step(fd, part, make);
        close(fd);
        if (below < 0)
            return below;
        fd = below;
    }
    *name = path;
    return fd;
}

static int copy(int from, uint64_t offset, uint64_t size, int to, struct bj_error *error)
{
    static char bytes[PIECE];
    while (size > 0) {
        ssize_t got = pread(from, bytes, size < PIECE ? (size_t)size : PIECE, (off_t)offset);
        if (got <= 0)
            return bj_fail(error, got < 0 ? -errno : -EIO, "cannot read the archive: %s",
                           got < 0 ? strerror(errno) : "it is cut off");
        int status = bj_file_write(to, bytes, (size_t)got);
        if (status < 0)
            return bj_fail(error, status, "cannot write a file: %s", strerror(-status));
        offset += (uint64_t)got;
        size -= (uint64_t)got;
    }
    return 0;
}

static int make_file(struct extract *extract, int archive, const struct tar_entry *entry,
                     const char *path, int parent, const char *name, struct bj_error *error)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = entry->mtime}};
    mode_t mode = entry->mode & 0100 ? 0777 : 0666; /* the user's umask applies */
    int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return errno == EEXIST ? refuse(extract, path, "its name comes twice")
                               : bj_fail(error, -errno, "cannot make a file: %s", strerror(errno));
    int status = copy(archive, entry->offset, entry->size, fd, error);
    futimens(fd, times); /* a file system without times is no reason to stop */
    if (close(fd) < 0 && status == 0)
        status = bj_fail(error, -errno, "cannot write a file: %s", strerror(errno));
    if (status == 0) {
        extract->files++;
        extract->bytes += entry->size;
    }
    if (status == 0 && entry->mode & 07000)
        extract->refused(extract->owner, path, "taken without setuid, setgid and sticky bits");
    return status;
}

static int make_hardlink(struct extract *extract, const struct tar_entry *entry, const char *path,
                         int parent, const char *name)
{
    char target[TREE_PATH_MAX];
    const char *target_name;
    struct stat info;
    struct bj_error why = {0};
    if (tree_path(entry->link, target, &why) < 0 || !target[0] || tree_is_git(target))
        return refuse(extract, path, "it is a hard link that leads out");
    int directory = parent_of(extract, target, false, &target_name);
    if (directory < 0)
        return refuse(extract, path, "it is a hard link to a file that is not taken");
    bool good = fstatat(directory, target_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                S_ISREG(info.st_mode) && linkat(directory, target_name, parent, name, 0) == 0;
    close(directory);
    if (!good)
        return refuse(extract, path, "it is a hard link to a file that is not taken");
    extract->files++;
    return 0;
}

static int make_symlink(struct extract *extract, const struct tar_entry *entry, const char *path,
                        int parent, const char *name, struct bj_error *error)
{
    if (symlinkat(entry->link, parent, name) < 0)
        return errno == EEXIST
                   ? refuse(extract, path, "its name comes twice")
                   : bj_fail(error, -errno, "cannot make a symbolic link: %s", strerror(errno));
    extract->symlinks++;
    extract->symlink(extract->owner, path, entry->link);
    return 0;
}

static int make(struct extract *extract, int archive, const struct tar_entry *entry,
                const char *path, struct bj_error *error)
{
    const char *name;
    int parent = parent_of(extract, path, true, &name);
    int status = 0;
    if (parent == -ENOTDIR || parent == -ELOOP)
        return refuse(extract, path, "a file or link is where its directory should be");
    if (parent < 0)
        return bj_fail(error, parent, "cannot make a directory: %s", strerror(-parent));
    if (entry->type == TAR_DIRECTORY) {
        int fd = step(parent, name, true);
        if (fd >= 0)
            close(fd);
        else if (fd == -ENOTDIR || fd == -ELOOP)
            refuse(extract, path, "its name comes twice");
        else
            status = bj_fail(error, fd, "cannot make a directory: %s", strerror(-fd));
    } else if (entry->type == TAR_FILE) {
        status = make_file(extract, archive, entry, path, parent, name, error);
    } else if (entry->type == TAR_HARDLINK) {
        status = make_hardlink(extract, entry, path, parent, name);
    } else {
        status = make_symlink(extract, entry, path, parent, name, error);
    }
    close(parent);
    return status;
}

/* Checks one entry, and makes it when it is its turn. */
static int take(struct extract *extract, int archive, const struct tar_entry *entry, uint64_t index,
                bool links, struct bj_error *error)
{
    char path[TREE_PATH_MAX];
    struct bj_error why = {0};
    bool link = entry->type == TAR_SYMLINK || entry->type == TAR_HARDLINK;
    if (link != links)
        return 0;
    if (tree_path(entry->path, path, &why) < 0)
        return refuse(extract, entry->path, why.text);
    if (!path[0])
        return 0; /* the top itself */
    if (tree_is_git(path))
        return refuse_git(extract, path);
    if (entry->type == TAR_OTHER)
        return refuse(extract, path, "it is no file, directory or link");
    if (extract->denied && extract->denied(extract->owner, index))
        return refuse(extract, path, "the policy does not let it out");
    if (entry->type == TAR_SYMLINK && tree_link(path, entry->link, &why) < 0)
        return refuse(extract, path, why.text);
    return make(extract, archive, entry, path, error);
}

int extract_archive(struct extract *extract, int fd, struct bj_error *error)
{
    static struct tar_entry entry;
    struct tar tar;
    int status = 0;
    for (int links = 0; status == 0 && links < 2; links++) {
        uint64_t index = 0;
        status = tar_open(&tar, fd, error);
        while (status == 0 && (status = tar_next(&tar, &entry, error)) == 1) {
            if (index >= extract->files_max)
                status = bj_fail(error, -E2BIG,
                                 "the sandbox has more than %" PRIu64 " files: see "
                                 "--max-files",
                                 extract->files_max);
            else if (extract->stop && *extract->stop)
                status = bj_fail(error, -EINTR, "interrupted");
            else
                status = take(extract, fd, &entry, index++, links, error);
        }
    }
    return status;
}
