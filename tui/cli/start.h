/*
 * Starting a sandbox: run, and what restart and up have in common with it.
 */
#pragma once

#include <jansson.h>

#include "transport/paths.h"
#include "tui/cli/args.h"

int start_run(const struct args *args, const struct bj_paths *paths);

/* The first --env that is no NAME=VALUE, or NULL. */
const char *start_wrong_variable(const struct args *args);
/* Adds the --env there are to a call's parameters. */
int start_environment(json_t *params, const struct args *args, struct bj_error *error);
/* A sandbox that is not looked at yet is as large as this terminal, if this is one. */
void start_size(json_t *params);
