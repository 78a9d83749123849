/*
 * `belljar exec`: a program beside the agent, in its sandbox, as its user; one that has ended gets
 * a wall around its work for as long. What it prints is cleaned, unless its bytes are asked for and
 * do not go to a terminal.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int exec_command(const struct args *args, const struct bj_paths *paths);
