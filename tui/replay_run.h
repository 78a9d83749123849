/*
 * `belljar replay` on a terminal: the same view and keys as in the dashboard, alone.
 */
#pragma once

#include "transport/paths.h"
#include "tui/cli/track.h"

struct replay_options {
    const char *name;
    double speed; /* 2: twice as fast */
    double idle;  /* seconds to which silences are shortened; 0: none is */
};

/* Plays until the human leaves. The terminal is given back on every way out, signals included. */
int replay_run(const struct bj_paths *paths, const struct track *track,
               const struct replay_options *options, struct bj_error *error);
