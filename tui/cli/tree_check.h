/*
 * What a name from inside may be, before it becomes a name on the host. Pure.
 *
 * Repositories (pull_git.c) and plain folders (pull_tree.c) are checked alike; what git itself
 * checks (fsck) comes on top.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "transport/error.h"

#define TREE_PATH_MAX  4096
#define TREE_DEPTH_MAX 256

/*
 * Copies a path relative to the tree's top, without "." parts, into out ("" for the top itself).
 * -EPERM with the reason when it is absolute, has ".." or empty parts, is too long or too deep.
 */
int tree_path(const char *path, char out[TREE_PATH_MAX], struct bj_error *error);

/* Whether any part of the path would be ".git" on some file system (case, ignored characters,
 * short names): git would take its configuration and run what it says. */
bool tree_is_git(const char *path);

/*
 * -EPERM unless a symbolic link at `path` (as tree_path gives it) stays in the tree, whatever other
 * links the tree has: its target is relative, and climbs only at its beginning, over directories
 * that are there. A ".." behind a name could leave through another link.
 */
int tree_link(const char *path, const char *target, struct bj_error *error);
