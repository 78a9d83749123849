/*
 * An agent's commits become a branch of the user's repository.
 *
 * The pack is made inside and lies in a file until it is checked, in a scratch repository that
 * borrows the user's objects: its form (index-pack --strict, which is fsck), that it is whole,
 * every name and symbolic link that it changes, and what the policy says about every path in every
 * new commit. Only then is the one commit fetched. The user's working tree, current branch,
 * configuration, hooks and other branches stay as they are.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tui/cli/pulled.h"
#include "tui/cli/work.h"

struct pull_options {
    const char *branch; /* without refs/heads/ */
    bool force;         /* replace the branch when it is no ancestor */
    bool submodules;    /* links to submodules pass */
    uint64_t size_max;  /* bytes of the pack */
    uint64_t files_max; /* changed files */
};

/* Fills `pulled`. -EPERM when something is refused (pulled->refused says what), -EEXIST when the
 * branch has commits that would be lost. */
int pull_git(struct work *work, const struct pull_options *options, struct pulled *pulled,
             struct bj_error *error);
