/*
 * `belljar push`: the user's own files go in, as a tar stream that is unpacked inside.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int push_command(const struct args *args, const struct bj_paths *paths);
