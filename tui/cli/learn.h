/*
 * What the audit log teaches: rules that would have answered past requests (`belljar suggest`), and
 * how often humans are asked (`belljar stats`). Only reads; see audit.h about the include.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int learn_suggest(const struct args *args, const struct bj_paths *paths);
int learn_stats(const struct args *args, const struct bj_paths *paths);
