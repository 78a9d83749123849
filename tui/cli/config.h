/*
 * `belljar config`: what is wrong with the configuration, and what is in force.
 */
#pragma once

#include <stdio.h>

#include "tui/cli/args.h"
#include "transport/paths.h"

int config_command(const struct args *args, const struct bj_paths *paths);
/* The options of a section `keys` for the man page. */
void config_scdoc(FILE *out);
