/*
 * The dashboard's keys for people: `belljar keys`, and the KEYS section of belljar(1).
 */
#pragma once

#include <stdio.h>

#include "transport/paths.h"
#include "tui/cli/args.h"

void keyhelp_scdoc(FILE *out);
int keyhelp_command(const struct args *args, const struct bj_paths *paths);
