/*
 * `belljar alerts`: what should be known, listed, followed and marked as seen.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int alerts_command(const struct args *args, const struct bj_paths *paths);
