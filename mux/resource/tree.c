#include "mux/resource/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct walk {
    struct tree_use *use;
    dev_t device;
    unsigned depth;
};

static int add_folder(struct walk *walk, int fd);

static int add_entry(struct walk *walk, int folder, const char *name)
{
    struct stat info;
    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno; /* it was removed meanwhile */
    if (++walk->use->files > TREE_FILES)
        return -E2BIG;
    uint64_t bytes = (uint64_t)info.st_blocks * 512;
    if (!S_ISDIR(info.st_mode)) {
        walk->use->bytes += info.st_nlink > 1 ? bytes / info.st_nlink : bytes;
        return 0;
    }
    walk->use->bytes += bytes;
    if (info.st_dev != walk->device)
        return 0;
    if (walk->depth == TREE_DEPTH)
        return -E2BIG;
    int fd = openat(folder, name, OPEN_FOLDER);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
    walk->depth++;
    int status = add_folder(walk, fd);
    walk->depth--;
    return status;
}

/* Takes over `fd`. */
static int add_folder(struct walk *walk, int fd)
{
    DIR *folder = fdopendir(fd);
    if (!folder) {
        int status = -errno;
        close(fd);
        return status;
    }
    int status = 0;
    const struct dirent *entry = NULL;
    while (status == 0 && (errno = 0, entry = readdir(folder)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = add_entry(walk, fd, entry->d_name);
    if (!entry)
        status = -errno;
    closedir(folder);
    return status;
}

int tree_add(struct tree_use *use, const char *root)
{
    struct stat info;
    int fd = open(root, OPEN_FOLDER);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &info) < 0) {
        int status = -errno;
        close(fd);
        return status;
    }
    struct walk walk = {.use = use, .device = info.st_dev};
    use->files++;
    use->bytes += (uint64_t)info.st_blocks * 512;
    return add_folder(&walk, fd);
}
