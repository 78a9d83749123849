/*
 * What an agent changed in a folder that is no git repository: the files as the sandbox has them
 * beside those of the project on the host as it is now (none, when the sandbox has no project), by
 * git in a scratch repository.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tui/cli/git.h"
#include "tui/cli/work.h"

struct diff_folder {
    bool stat;         /* counts instead of lines */
    uint64_t size_max; /* bytes of each side's archive */
    uint64_t left_out; /* result: files inside that a pull would not take as they are either */
};

/* The difference as text, in the form of git diff; free output->text. */
int diff_folder(struct work *work, struct diff_folder *folder, struct git_output *output,
                struct bj_error *error);
