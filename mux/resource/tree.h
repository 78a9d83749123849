/*
 * How much disk a tree of files takes. Its files are the sandbox's: no link is followed, no other
 * file system entered, and what is made to be uncountable is said to be so.
 */
#pragma once

#include <stdint.h>

#define TREE_DEPTH 128U     /* folders inside each other; one descriptor is open for each */
#define TREE_FILES 5000000U /* of all trees that are added to one sum */

struct tree_use {
    uint64_t bytes; /* on disk; a file with several names is counted once if all are seen */
    uint64_t files; /* and folders */
};

/*
 * Adds the tree at `root`. 0; or a negative code, with what was counted before added: -E2BIG or
 * -EACCES when it is too deep, has too many files, or has a folder that cannot be read; any other
 * when it could not be counted now (-ENOENT: no such folder, -ENOMEM, -EMFILE).
 */
int tree_add(struct tree_use *use, const char *root);
