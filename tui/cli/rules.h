/*
 * `belljar rules`: remembered verdicts.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int rules_command(const struct args *args, const struct bj_paths *paths);
