/*
 * `belljar audit`: the audit log shown and verified. It is read as files, so that it works without
 * a server, and whatever the server says.
 *
 * The command line includes mux/audit (and learn.c, policy.c mux/policy): both are libraries
 * without parts of the server, and the one reader of their formats. Nothing else of mux/ is
 * included here.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/args.h"

int audit_command(const struct args *args, const struct bj_paths *paths);
