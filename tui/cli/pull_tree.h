/*
 * An agent's files become a new directory of the user's: a tar archive is made inside, lies in a
 * file until it is checked, and is unpacked by extract.h into a directory beside the target, which
 * takes its name at the end.
 */
#pragma once

#include <stdint.h>

#include "tui/cli/pulled.h"
#include "tui/cli/work.h"

struct pull_limits {
    uint64_t size, files; /* bytes and entries of the archive */
};

/* Takes the files to `directory`, which must be missing or empty. Fills `pulled`. */
int pull_tree(struct work *work, const char *directory, const struct pull_limits *limits,
              struct pulled *pulled, struct bj_error *error);

/* Only to be looked at: fills an empty directory of the work's scratch directory with the files of
 * the sandbox or, by the same rules, with those of its project on the host. The policy is not
 * asked. */
int pull_tree_look(struct work *work, bool host, const char *directory,
                   const struct pull_limits *limits, struct pulled *pulled, struct bj_error *error);
