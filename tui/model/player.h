/*
 * What the human does with a recording: time, speed, pause, where he wants to be.
 *
 * Pure: the picture belongs to somebody else, who asks for the time and says when nothing comes for
 * long. Times are seconds since the recording's beginning. Keys are those of the table
 * (KEYS_REPLAY).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tui/keys.h"
#include "tui/model/field.h"

#define PLAYER_SPEED_MIN 0.5
#define PLAYER_SPEED_MAX 16.0
#define PLAYER_STEP      10.0 /* seconds of a jump to the side */
#define PLAYER_MINUTE    60.0
#define PLAYER_MARK_MAX  240 /* bytes of a mark's text */
#define PLAYER_NEAR      5.0 /* seconds for which a mark's text stands */

/* The more important one is shown where two fall together. */
enum mark_kind { MARK_NONE, MARK_STATE, MARK_ALLOWED, MARK_ALERT, MARK_REQUEST, MARK_DENIED };

struct player_mark {
    double time;
    enum mark_kind kind;
    char text[PLAYER_MARK_MAX]; /* clean */
};

enum player_state { PLAYER_LOADING, PLAYER_READY, PLAYER_FAILED };

struct player {
    bool open;
    enum player_state state;
    char id[FLEET_ID_MAX]; /* whose recording */
    char error[512];
    double time, end;
    double start; /* unix seconds */
    double speed; /* 2: twice as fast */
    double idle;  /* seconds to which silences are shortened; 0: none is */
    bool paused;
    bool behind;                     /* the picture is not there yet */
    int outputs;                     /* by how many outputs to move on, whoever has them */
    bool previous;                   /* the run before the last restart */
    const struct player_mark *marks; /* borrowed, by time */
    size_t mark_count;
    char note[160]; /* what is missing; "" nothing */
};

void player_open(struct player *player, const char *id);
void player_ready(struct player *player, double start, double end, const struct player_mark *marks,
                  size_t mark_count);
void player_fail(struct player *player, const char *why);
/* Waits for the run before the last restart, or for the last one again. */
void player_other_run(struct player *player);

enum player_outcome { PLAYER_STAYS, PLAYER_LEAVES, PLAYER_HELPS, PLAYER_EXPORTS, PLAYER_RELOADS };
enum player_outcome player_key(struct player *player, const struct chord *chord);
void player_step(struct player *player, double seconds); /* to the side */
void player_put(struct player *player, double part);     /* to this part of it, 0 to 1 */
/* Stops at this moment: the answer to `outputs`. */
void player_stop_at(struct player *player, double time);

/* Lets `seconds` of the viewer's time pass. `next` is when the next output comes; below zero: none
 * comes. */
void player_advance(struct player *player, double seconds, double next);
bool player_over(const struct player *player);

/* The mark that tells of now, or NULL. */
const struct player_mark *player_near(const struct player *player);
/* What the bar shows in each of its columns. */
void player_bar(const struct player *player, enum mark_kind *columns, int count);
int player_column(const struct player *player, double time, int count);
/* "1:02:03", or "2:03". */
void player_clock(double seconds, char out[16]);
