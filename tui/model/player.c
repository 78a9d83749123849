#include "tui/model/player.h"

#include <stdio.h>
#include <string.h>

#include "tui/keymap.h"

#define SAME 0.05 /* seconds: as good as the same moment */

void player_open(struct player *player, const char *id)
{
    *player = (struct player){.open = true, .speed = 1, .idle = 2};
    snprintf(player->id, sizeof(player->id), "%s", id);
}

void player_ready(struct player *player, double start, double end, const struct player_mark *marks,
                  size_t mark_count)
{
    player->state = PLAYER_READY;
    player->start = start;
    player->end = end > 0 ? end : 0;
    player->marks = marks;
    player->mark_count = mark_count;
    player->behind = true;
}

void player_fail(struct player *player, const char *why)
{
    player->state = PLAYER_FAILED;
    snprintf(player->error, sizeof(player->error), "%s", why);
}

bool player_over(const struct player *player)
{
    return player->time >= player->end;
}

/* ---- time ---- */

static void go_to(struct player *player, double time)
{
    player->time = time < 0 ? 0 : time > player->end ? player->end : time;
    player->behind = true;
}

void player_put(struct player *player, double part)
{
    if (player->state == PLAYER_READY)
        go_to(player, player->end * part);
}

void player_step(struct player *player, double seconds)
{
    if (player->state == PLAYER_READY)
        go_to(player, player->time + seconds);
}

void player_stop_at(struct player *player, double time)
{
    player->outputs = 0;
    player->paused = true;
    go_to(player, time);
}

void player_advance(struct player *player, double seconds, double next)
{
    if (player->state != PLAYER_READY || player->paused || player->behind)
        return;
    double until = next < 0 ? player->end : next;
    for (size_t i = 0; i < player->mark_count; i++)
        if (player->marks[i].time > player->time && player->marks[i].time < until)
            until = player->marks[i].time;
    if (player->idle > 0 && until - player->time > player->idle)
        player->time = until - player->idle;
    player->time += seconds * player->speed;
    if (player->time > player->end)
        player->time = player->end;
}

/* ---- marks ---- */

static const struct player_mark *mark_beside(const struct player *player, int step)
{
    /* While it plays, time has passed since the human saw the mark that he was on. */
    double slack = player->paused || step > 0 ? SAME : player->speed;
    const struct player_mark *found = NULL;
    for (size_t i = 0; i < player->mark_count; i++) {
        const struct player_mark *mark = &player->marks[i];
        if (step > 0 && mark->time > player->time + SAME)
            return mark;
        if (step < 0 && mark->time < player->time - slack)
            found = mark;
    }
    return found;
}

const struct player_mark *player_near(const struct player *player)
{
    const struct player_mark *found = NULL;
    for (size_t i = 0; i < player->mark_count; i++) {
        double since = player->time - player->marks[i].time;
        /* One just ahead does not hide the one that was jumped to. */
        if (since >= (found ? 0 : -SAME) &&
            since < PLAYER_NEAR * (player->speed > 1 ? player->speed : 1))
            found = &player->marks[i];
    }
    return found;
}

int player_column(const struct player *player, double time, int count)
{
    if (count < 2 || player->end <= 0 || time <= 0)
        return 0;
    return time >= player->end ? count - 1 : (int)(time / player->end * (count - 1) + 0.5);
}

void player_bar(const struct player *player, enum mark_kind *columns, int count)
{
    for (int i = 0; i < count; i++)
        columns[i] = MARK_NONE;
    for (size_t i = 0; i < player->mark_count && count > 0; i++) {
        int column = player_column(player, player->marks[i].time, count);
        if (player->marks[i].kind > columns[column])
            columns[column] = player->marks[i].kind;
    }
}

void player_clock(double seconds, char out[16])
{
    unsigned long whole = seconds > 0 ? (unsigned long)seconds : 0;
    unsigned hours = (unsigned)(whole / 3600 % 100000), minutes = (unsigned)(whole / 60 % 60);
    if (hours > 0)
        snprintf(out, 16, "%u:%02u:%02u", hours, minutes, (unsigned)(whole % 60));
    else
        snprintf(out, 16, "%u:%02u", minutes, (unsigned)(whole % 60));
}

/* ---- keys ---- */

/* At the end it begins again. */
static void toggle(struct player *player)
{
    if (player_over(player)) {
        go_to(player, 0);
        player->paused = false;
        return;
    }
    player->paused = !player->paused;
}

static void jump(struct player *player, int step)
{
    const struct player_mark *mark = mark_beside(player, step);
    if (mark)
        go_to(player, mark->time);
}

void player_other_run(struct player *player)
{
    bool previous = !player->previous;
    char id[FLEET_ID_MAX];
    memcpy(id, player->id, sizeof(id));
    player_open(player, id);
    player->previous = previous;
}

static void move(struct player *player, enum action action, unsigned nth)
{
    static const struct {
        enum action action;
        double seconds;
    } steps[] = {{ACTION_REPLAY_BACK, -PLAYER_STEP},
                 {ACTION_REPLAY_FORWARD, PLAYER_STEP},
                 {ACTION_REPLAY_MINUTE_BACK, -PLAYER_MINUTE},
                 {ACTION_REPLAY_MINUTE_FORWARD, PLAYER_MINUTE}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (steps[i].action == action)
            player_step(player, steps[i].seconds);
    switch (action) {
    case ACTION_REPLAY_OUTPUT_BACK:
        player->outputs--;
        break;
    case ACTION_REPLAY_OUTPUT_FORWARD:
        player->outputs++;
        break;
    case ACTION_REPLAY_TENTH:
        go_to(player, player->end * (nth + 1) / 10);
        break;
    case ACTION_REPLAY_NEXT:
        jump(player, 1);
        break;
    case ACTION_REPLAY_PREVIOUS:
        jump(player, -1);
        break;
    case ACTION_REPLAY_START:
        go_to(player, 0);
        break;
    case ACTION_REPLAY_END:
        go_to(player, player->end);
        break;
    default:
        break;
    }
}

enum player_outcome player_key(struct player *player, const struct chord *chord)
{
    unsigned nth;
    enum action action = keys_find_at(KEYS_REPLAY, chord, &nth);
    if (action == ACTION_REPLAY_LEAVE)
        return PLAYER_LEAVES;
    if (action == ACTION_REPLAY_HELP)
        return PLAYER_HELPS;
    if (action == ACTION_REPLAY_RUN)
        return PLAYER_RELOADS; /* also from one that is not there */
    if (player->state != PLAYER_READY)
        return PLAYER_STAYS;
    switch (action) {
    case ACTION_REPLAY_SAVE:
        return PLAYER_EXPORTS;
    case ACTION_REPLAY_PAUSE:
        toggle(player);
        break;
    case ACTION_REPLAY_FASTER:
        player->speed = player->speed * 2 < PLAYER_SPEED_MAX ? player->speed * 2 : PLAYER_SPEED_MAX;
        break;
    case ACTION_REPLAY_SLOWER:
        player->speed = player->speed / 2 > PLAYER_SPEED_MIN ? player->speed / 2 : PLAYER_SPEED_MIN;
        break;
    default:
        move(player, action, nth);
    }
    return PLAYER_STAYS;
}
