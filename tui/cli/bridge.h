/*
 * The command behind `--host`: both ends of a bridge between hosts. For programs, not for people.
 */
#pragma once

#include "tui/cli/args.h"

int bridge_command(const struct args *args, const struct bj_paths *paths);
