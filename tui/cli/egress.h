/*
 * `belljar egress`: whom a sandbox spoke to, as the egress proxy counted it.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int egress_command(const struct args *args, const struct bj_paths *paths);
