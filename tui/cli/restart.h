/* `belljar restart`: sandboxes that ended run again. Returns the exit code. */
#pragma once

#include "tui/cli/args.h"

int restart_run(const struct args *args, const struct bj_paths *paths);
