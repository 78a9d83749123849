/*
 * Brings the picture of a recording to any moment: forward by what was printed, backward by
 * beginning again, at the second file's redraw where that is nearer.
 *
 * Work is done in small portions, so that whoever calls it from a loop goes on living. The struct
 * owns the screen's process and the picture, and borrows the track.
 */
#pragma once

#include "tui/cli/replay_worker.h"
#include "tui/cli/track.h"
#include "tui/model/picture.h"
#include "tui/model/player.h"

struct replay_engine {
    const struct track *track;
    struct replay_worker worker;
    bool running;
    size_t next;  /* event to be played next */
    size_t began; /* event that playing began with */
    double time;  /* the picture's */
    struct picture picture;
};

void replay_engine_open(struct replay_engine *engine, const struct track *track);
void replay_engine_close(struct replay_engine *engine); /* idempotent */

/* Lets `seconds` pass for the player and brings the picture nearer to its time; player->behind says
 * whether more is to be done, at once. */
int replay_engine_step(struct replay_engine *engine, struct player *player, double seconds,
                       struct bj_error *error);
