/*
 * `belljar up`: the sandboxes of a manifest run. What runs already is left alone, what ended runs
 * again on its own work, what is missing is made. Everything is checked before the first starts.
 * Returns the exit code.
 *
 * A manifest is data that may have come with a clone, so its very bytes (and its policy files')
 * count only after the human has seen the plan and said yes; STATE/up.accepted remembers.
 *
 * `belljar down`: those of them that run are ended, their work stays. What has only the name of one
 * is left alone, so a manifest needs no yes for that.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int up_run(const struct args *args, const struct bj_paths *paths);
int up_end(const struct args *args, const struct bj_paths *paths);
