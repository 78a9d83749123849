/*
 * Commands that begin or leave: run, attach, detach.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int start_run(const struct args *args, const struct bj_paths *paths);
int start_attach(const struct args *args, const struct bj_paths *paths);
int start_detach(const struct args *args, const struct bj_paths *paths);
