/*
 * Plays a recording on the terminal that is stdin and stdout. q ends, space pauses, + and - change
 * the speed. The terminal is given back on every way out, signals included.
 */
#pragma once

#include "tui/cli/recording.h"

struct replay_options {
    const char *name;
    double speed;      /* 2: twice as fast */
    double idle_limit; /* seconds a pause lasts at most; 0: as long as it did */
};

int replay_play(struct recording *recording, const struct replay_options *options,
                struct bj_error *error);
