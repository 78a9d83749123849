/*
 * Fuzz target: the archive in which an agent's files come out, and the check of their names.
 */
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "tui/cli/tar.h"
#include "tui/cli/tree_check.h"

static void check_names(const struct tar_entry *entry)
{
    char path[TREE_PATH_MAX], again[TREE_PATH_MAX];
    require(memchr(entry->path, '\0', sizeof(entry->path)) != NULL);
    require(memchr(entry->link, '\0', sizeof(entry->link)) != NULL);
    if (tree_path(entry->path, path, NULL) < 0 || !path[0]) /* "" is the top itself */
        return;
    require(path[0] != '/' && strcmp(path, "..") != 0 && strncmp(path, "../", 3) != 0);
    require(!strstr(path, "/../") && !strstr(path, "//"));
    require(tree_path(path, again, NULL) == 0 && strcmp(path, again) == 0);
    tree_is_git(path);
    if (entry->type == TAR_SYMLINK && tree_link(path, entry->link, NULL) == 0)
        require(entry->link[0] != '/' && entry->link[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tar_entry entry;
    struct tar tar;
    struct bj_error error = {0};
    int fd = fuzz_file(data, size);
    int status = tar_open(&tar, fd, &error);
    while (status == 0 && (status = tar_next(&tar, &entry, &error)) == 1) {
        require(entry.offset <= size && entry.size <= size - entry.offset);
        check_names(&entry);
        status = 0;
    }
    if (status < 0)
        require(error.text[0] != '\0');
    close(fd);
    return 0;
}
