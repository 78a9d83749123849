/*
 * `belljar replay`: plays a recording on the terminal, or writes it to stdout in another form.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int replay_command(const struct args *args, const struct bj_paths *paths);
