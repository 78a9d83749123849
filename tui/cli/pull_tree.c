#include "tui/cli/pull_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transport/file.h"
#include "tui/cli/extract.h"
#include "tui/cli/host_tar.h"
#include "tui/cli/script.h"
#include "tui/cli/tree_check.h"

struct tree {
    struct work *work;
    struct pulled *pulled;
    uint64_t files_max;
    int archive;
    bool look;         /* nothing comes out: the policy is not asked */
    char **names;      /* of all entries that the policy is asked about, in the archive's order */
    bool *denied;      /* for each of them */
    uint64_t *indices; /* of each among all entries */
    size_t count, room;
    size_t at; /* the next to be asked for */
};

static int on_output(void *owner, const void *bytes, size_t size, struct bj_error *error)
{
    const struct tree *tree = owner;
    int status = bj_file_write(tree->archive, bytes, size);
    return status < 0 ? bj_fail(error, status, "cannot store the archive: %s", strerror(-status))
                      : 0;
}

static int receive(struct tree *tree, uint64_t size_max, struct bj_error *error)
{
    static const char *const argv[] = {"sh", "-c", script_tree, "tar", NULL};
    struct inside_end end;
    struct inside_program program = {.argv = argv,
                                     .directory = WORK_INSIDE,
                                     .input = -1,
                                     .limit = size_max,
                                     .output = on_output,
                                     .owner = tree};
    int status = work_run(tree->work, &program, &end, error);
    if (status == -EFBIG)
        return bj_fail(error, status,
                       "the work of %s is more than %" PRIu64 " MiB: give a greater "
                       "--max-size",
                       tree->work->name, size_max >> 20);
    if (status == -EIO && end.status == 1) { /* tar: a file changed while it was read */
        pulled_refused(tree->pulled, ".", "it changed while it was read: pull again to be sure");
        return 0;
    }
    if (status == -EIO && end.status > 1)
        return bj_fail(error, status, "tar failed inside the sandbox: %.300s", end.text);
    return status;
}

/* The same of the project on the host, by its own tar. */
static int pack_host(struct tree *tree, uint64_t size_max, struct bj_error *error)
{
    const char *project = tree->work->project;
    const char *const words[] = {"tar",
                                 "--create",
                                 "--file=-",
                                 "--format=pax",
                                 "--numeric-owner",
                                 "--no-xattrs",
                                 "--no-acls",
                                 "--no-selinux",
                                 "--warning=no-file-changed",
                                 "-C",
                                 project,
                                 ".",
                                 NULL};
    int how;
    pid_t pid = host_tar_start(words, tree->archive, size_max, error);
    int status = pid < 0 ? (int)pid : host_tar_wait(pid, &how, error);
    if (status < 0)
        return status;
    if (work_stop)
        return bj_fail(error, -EINTR, "interrupted");
    if (WIFSIGNALED(how) && WTERMSIG(how) == SIGXFSZ)
        return bj_fail(error, -EFBIG,
                       "%.200s is more than %" PRIu64 " MiB: give a greater --max-size", project,
                       size_max >> 20);
    if (WIFEXITED(how) && WEXITSTATUS(how) == 127)
        return bj_fail(error, -ENOENT, "tar is not installed here");
    return WIFEXITED(how) && WEXITSTATUS(how) <= 1
               ? 0
               : bj_fail(error, -EIO, "tar could not read all of %.200s", project);
}

static int add_name(struct tree *tree, const char *name, uint64_t index, struct bj_error *error)
{
    if (tree->count == tree->room) {
        size_t room = tree->room ? tree->room * 2 : 256;
        char **names = realloc(tree->names, room * sizeof(*names));
        if (names)
            tree->names = names;
        uint64_t *indices = realloc(tree->indices, room * sizeof(*indices));
        if (indices)
            tree->indices = indices;
        if (!names || !indices)
            return bj_fail(error, -ENOMEM, "out of memory");
        tree->room = room;
    }
    tree->names[tree->count] = strdup(name);
    if (!tree->names[tree->count])
        return bj_fail(error, -ENOMEM, "out of memory");
    tree->indices[tree->count++] = index;
    return 0;
}

/* Reads the whole archive once, so that nothing is unpacked of one that is broken, and asks the
 * policy. */
static int inspect(struct tree *tree, struct bj_error *error)
{
    static struct tar_entry entry;
    char path[TREE_PATH_MAX];
    struct tar tar;
    uint64_t index = 0;
    int status = tar_open(&tar, tree->archive, error);
    while (status == 0 && (status = tar_next(&tar, &entry, error)) == 1) {
        status = 0;
        if (index >= tree->files_max)
            return bj_fail(error, -E2BIG,
                           "the sandbox has more than %" PRIu64 " files: see "
                           "--max-files",
                           tree->files_max);
        if (entry.type != TAR_DIRECTORY && tree_path(entry.path, path, NULL) == 0 && path[0])
            status = add_name(tree, path, index, error);
        index++;
    }
    if (status < 0)
        return status;
    tree->denied = calloc(tree->count + 1, sizeof(*tree->denied));
    if (!tree->denied)
        return bj_fail(error, -ENOMEM, "out of memory");
    if (tree->look)
        return 0;
    return work_check(tree->work, (const char *const *)tree->names, tree->count, tree->denied,
                      error);
}

/* Entries are asked for in the archive's order, twice over. */
static bool is_denied(void *owner, uint64_t index)
{
    struct tree *tree = owner;
    if (tree->at > 0 && tree->indices[tree->at - 1] >= index)
        tree->at = 0;
    while (tree->at < tree->count && tree->indices[tree->at] < index)
        tree->at++;
    return tree->at < tree->count && tree->indices[tree->at] == index && tree->denied[tree->at];
}

static void on_refused(void *owner, const char *path, const char *why)
{
    struct tree *tree = owner;
    pulled_refused(tree->pulled, path, why);
}

static void on_symlink(void *owner, const char *path, const char *target)
{
    struct tree *tree = owner;
    pulled_symlink(tree->pulled, path, target);
}

static int unpack(struct tree *tree, const char *directory, struct bj_error *error)
{
    int root = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (root < 0)
        return bj_fail(error, -errno, "cannot open %.200s: %s", directory, strerror(errno));
    struct extract extract = {.root = root,
                              .files_max = tree->files_max,
                              .stop = &work_stop,
                              .denied = is_denied,
                              .refused = on_refused,
                              .symlink = on_symlink,
                              .owner = tree};
    int status = extract_archive(&extract, tree->archive, error);
    close(root);
    tree->pulled->files = extract.files;
    tree->pulled->bytes = extract.bytes;
    return status;
}

/* -EEXIST unless it is missing, or an empty directory. */
static int check_target(const char *directory, struct bj_error *error)
{
    struct stat info;
    if (lstat(directory, &info) < 0)
        return errno == ENOENT ? 0
                               : bj_fail(error, -errno, "cannot look at %.200s: %s", directory,
                                         strerror(errno));
    DIR *listing = S_ISDIR(info.st_mode) ? opendir(directory) : NULL;
    bool empty = listing != NULL;
    for (struct dirent *entry; listing && (entry = readdir(listing));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            empty = false;
    if (listing)
        closedir(listing);
    return empty
               ? 0
               : bj_fail(error, -EEXIST,
                         "%.200s is there already: --to names a new or empty directory", directory);
}

/* A directory beside the target, so that it can take its name. */
static int make_beside(const char *directory, char out[BJ_PATH_MAX], struct bj_error *error)
{
    mode_t mask = umask(0);
    umask(mask);
    int status = bj_path(out, BJ_PATH_MAX, error, "%s.pull-XXXXXX", directory);
    if (status < 0)
        return status;
    if (!mkdtemp(out))
        return bj_fail(error, -errno, "cannot make %.200s: %s", directory, strerror(errno));
    return chmod(out, 0777 & ~mask) < 0
               ? bj_fail(error, -errno, "cannot open %.200s to others: %s", out, strerror(errno))
               : 0;
}

static int receive_and_unpack(struct tree *tree, const char *directory, uint64_t size_max,
                              struct bj_error *error)
{
    char beside[BJ_PATH_MAX] = "";
    int status = receive(tree, size_max, error);
    if (status == 0)
        status = inspect(tree, error);
    if (status == 0 && tree->count == 0 && !tree->work->project[0]) {
        tree->pulled->unchanged = true; /* it began with nothing as well */
        tree->pulled->directory = NULL;
        return 0;
    }
    if (status == 0)
        status = make_beside(directory, beside, error);
    if (status == 0)
        status = unpack(tree, beside, error);
    if (status == 0 && rename(beside, directory) < 0)
        status = bj_fail(error, -errno, "cannot name it %.200s: %s", directory, strerror(errno));
    if (status < 0 && beside[0])
        scratch_remove_tree(beside);
    return status;
}

/* The archive has no name any more. */
static int open_archive(struct tree *tree, struct bj_error *error)
{
    char archive[BJ_PATH_MAX];
    int status = work_scratch(tree->work, error);
    if (status == 0)
        status = bj_path(archive, sizeof(archive), error, "%s/archive", tree->work->scratch.path);
    if (status < 0)
        return status;
    tree->archive = open(archive, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (tree->archive < 0)
        return bj_fail(error, -errno, "cannot make %s: %s", archive, strerror(errno));
    unlink(archive);
    return 0;
}

static void free_tree(struct tree *tree)
{
    if (tree->archive >= 0)
        close(tree->archive);
    for (size_t i = 0; i < tree->count; i++)
        free(tree->names[i]);
    free(tree->names);
    free(tree->indices);
    free(tree->denied);
}

int pull_tree(struct work *work, const char *directory, const struct pull_limits *limits,
              struct pulled *pulled, struct bj_error *error)
{
    char target[BJ_PATH_MAX];
    struct tree tree = {.work = work, .pulled = pulled, .files_max = limits->files, .archive = -1};
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/') /* "DIR/" is DIR */
        length--;
    int status = bj_path(target, sizeof(target), error, "%.*s", (int)length, directory);
    if (status == 0)
        status = check_target(target, error);
    if (status == 0)
        status = open_archive(&tree, error);
    if (status == 0)
        status = receive_and_unpack(&tree, target, limits->size, error);
    free_tree(&tree);
    return status;
}

int pull_tree_look(struct work *work, bool host, const char *directory,
                   const struct pull_limits *limits, struct pulled *pulled, struct bj_error *error)
{
    struct tree tree = {
        .work = work, .pulled = pulled, .files_max = limits->files, .archive = -1, .look = true};
    int status = open_archive(&tree, error);
    if (status == 0)
        status = host ? pack_host(&tree, limits->size, error) : receive(&tree, limits->size, error);
    if (status == 0)
        status = inspect(&tree, error);
    if (status == 0)
        status = unpack(&tree, directory, error);
    free_tree(&tree);
    return status;
}
