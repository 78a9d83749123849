/*
 * A pack from inside, received and checked in a scratch repository that nothing else uses.
 */
#pragma once

#include "tui/cli/git.h"
#include "tui/cli/work.h"

struct pack {
    struct git user;              /* the user's repository: only read */
    struct git scratch;           /* borrows the user's objects */
    char repository[BJ_PATH_MAX]; /* the scratch repository's path */
    char head[GIT_ID_MAX];        /* the user's current commit, "" in an empty repository */
    char commit[GIT_ID_MAX];      /* the agent's newest */
    uint64_t bytes;               /* received */
};

/* Receives and checks. Tries again with the whole history when what the agent's copy says about its
 * start does not fit the user's repository. -EFBIG over `size_max` bytes, -EPERM when git refuses
 * it. */
int pack_receive(struct pack *pack, struct work *work, uint64_t size_max, struct bj_error *error);
