/*
 * An agent's files become a new directory of the user's: a tar archive is made inside, lies in a
 * file until it is checked, and is unpacked by extract.h into a directory beside the target, which
 * takes its name at the end.
 */
#pragma once

#include <stdint.h>

#include "tui/cli/pulled.h"
#include "tui/cli/work.h"

/* Takes the files to `directory`, which must be missing or empty. Fills `pulled`. */
int pull_tree(struct work *work, const char *directory, uint64_t size_max, uint64_t files_max,
              struct pulled *pulled, struct bj_error *error);
