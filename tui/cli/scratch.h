/*
 * A private directory for as long as a command runs. It holds a lock, so that what commands that
 * were killed have left is known by that nobody has its lock, and is removed on the way.
 */
#pragma once

#include "transport/error.h"
#include "transport/paths.h"

struct scratch {
    char path[BJ_PATH_MAX]; /* "" when there is none */
    int lock;               /* its descriptor; owned */
};

/* Makes PARENT/PREFIX and six characters, and PARENT where it is missing. PARENT is for such
 * directories only: every other one in it that nobody has locked is taken for left and removed. */
int scratch_make(struct scratch *scratch, const char *parent, const char *prefix,
                 struct bj_error *error);

/* rm -rf; nothing when there is none. */
void scratch_remove(struct scratch *scratch);

/* rm -rf of something of ours; follows no symbolic link. */
void scratch_remove_tree(const char *path);
