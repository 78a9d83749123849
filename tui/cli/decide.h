/*
 * Commands about requests: what waits, and the verdicts.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int decide_requests(const struct args *args, const struct bj_paths *paths);
int decide_allow(const struct args *args, const struct bj_paths *paths);
int decide_deny(const struct args *args, const struct bj_paths *paths);
