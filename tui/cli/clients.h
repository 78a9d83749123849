/*
 * `belljar clients`: the dashboards that are attached.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int clients_command(const struct args *args, const struct bj_paths *paths);
