#include "tui/cli/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(const char *const argv[])
{
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ) != 0)
        return;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
}

/* Programs that go down any depth; what an agent made unwritable for itself is so for its user. */
void scratch_remove_tree(const char *path)
{
    if (geteuid() != 0)
        run((const char *const[]){"chmod", "-R", "-f", "u+rwX", "--", path, NULL});
    run((const char *const[]){"rm", "-rf", "--one-file-system", "--", path, NULL});
}

/* Opens a directory and locks it; -EWOULDBLOCK when `wait` is not set and somebody has it. */
static int lock_directory(const char *path, bool wait)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB) == 0)
        return fd;
    int code = -errno;
    if (fd >= 0)
        close(fd);
    return code;
}

/* Removes what commands that were killed have left: nobody holds its lock. */
static void remove_left_overs(const char *place)
{
    char path[BJ_PATH_MAX];
    DIR *listing = opendir(place);
    for (struct dirent *entry; listing && (entry = readdir(listing));) {
        if (entry->d_name[0] == '.' ||
            bj_path(path, sizeof(path), NULL, "%s/%s", place, entry->d_name) < 0)
            continue;
        int lock = lock_directory(path, false);
        if (lock < 0)
            continue;
        scratch_remove_tree(path);
        close(lock);
    }
    if (listing)
        closedir(listing);
}

int scratch_make(struct scratch *scratch, const char *parent, const char *prefix,
                 struct bj_error *error)
{
    *scratch = (struct scratch){.lock = -1};
    char path[BJ_PATH_MAX];
    int status = bj_directory_private(parent, error);
    if (status == 0)
        status = bj_path(path, sizeof(path), error, "%s/%sXXXXXX", parent, prefix);
    if (status < 0)
        return status;
    int lock = lock_directory(parent, true); /* until ours is locked, or it would be a left-over */
    if (lock < 0)
        return bj_fail(error, lock, "cannot use %s: %s", parent, strerror(-lock));
    remove_left_overs(parent);
    if (!mkdtemp(path))
        status = bj_fail(error, -errno, "cannot make %s: %s", path, strerror(errno));
    else
        memcpy(scratch->path, path, sizeof(path));
    if (status == 0 && (scratch->lock = lock_directory(path, false)) < 0)
        status =
            bj_fail(error, scratch->lock, "cannot lock %s: %s", path, strerror(-scratch->lock));
    close(lock);
    return status;
}

void scratch_remove(struct scratch *scratch)
{
    if (!scratch->path[0])
        return;
    scratch_remove_tree(scratch->path);
    if (scratch->lock >= 0)
        close(scratch->lock);
    *scratch = (struct scratch){.lock = -1};
}
