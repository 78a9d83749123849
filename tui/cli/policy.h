/*
 * `belljar policy`: checks a policy file here (see audit.h about the include), and asks the server
 * what counts for a sandbox and why.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int policy_command(const struct args *args, const struct bj_paths *paths);
