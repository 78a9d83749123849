#include "tui/cli/replay_engine.h"

#include <string.h>

#define PORTION (128U * 1024) /* bytes of output in one step */

void replay_engine_open(struct replay_engine *engine, const struct track *track)
{
    *engine = (struct replay_engine){.track = track};
}

void replay_engine_close(struct replay_engine *engine)
{
    if (engine->running)
        replay_worker_stop(&engine->worker);
    picture_free(&engine->picture);
    *engine = (struct replay_engine){0};
}

static int begin_at(struct replay_engine *engine, const struct track_base *base,
                    struct bj_error *error)
{
    if (engine->running)
        replay_worker_stop(&engine->worker);
    picture_free(&engine->picture);
    engine->next = engine->began = base->event;
    engine->time = base->time;
    int status = replay_worker_start(&engine->worker, base->rows, base->cols, false, error);
    engine->running = status == 0;
    return status;
}

/* Where to begin for a moment; NULL: where it is, it goes on. */
static const struct track_base *base_for(const struct replay_engine *engine, double time)
{
    const struct track *track = engine->track;
    const struct track_base *base = &track->base[0];
    for (size_t i = 1; i < track->bases; i++)
        if (track->base[i].time <= time)
            base = &track->base[i];
    bool forward = engine->running && time >= engine->time;
    bool nearer = base->event > engine->next &&
                  track->events[base->event].at - track->events[engine->next].at > PORTION;
    return forward && !nearer ? NULL : base;
}

static int play(struct replay_engine *engine, const struct track_event *event,
                struct bj_error *error)
{
    if (event->rows > 0)
        return replay_worker_resize(&engine->worker, event->rows, event->cols, NULL, error);
    if (event->redraw && engine->next != engine->began)
        return 0;
    return replay_worker_write(&engine->worker, engine->track->bytes + event->at, event->size, NULL,
                               error);
}

/* Plays up to a moment, a portion at most. */
static int go_to(struct replay_engine *engine, double time, bool *there, struct bj_error *error)
{
    const struct track *track = engine->track;
    const struct track_base *base = base_for(engine, time);
    size_t done = 0;
    int status = base ? begin_at(engine, base, error) : 0;
    while (status == 0 && engine->next < track->count && done < PORTION &&
           track->events[engine->next].time <= time) {
        const struct track_event *event = &track->events[engine->next];
        status = play(engine, event, error);
        done += event->size + 1;
        engine->time = event->time;
        engine->next++;
    }
    *there = engine->next == track->count || track->events[engine->next].time > time;
    if (*there)
        engine->time = time;
    if (status == 0)
        status = replay_worker_picture(&engine->worker, &engine->picture, error);
    return status;
}

/* Moves by outputs that stand apart: those of one moment are one. */
static void move_by_outputs(const struct track *track, struct player *player)
{
    double time = player->time;
    for (size_t i = 0; player->outputs > 0 && i < track->count; i++)
        if (track->events[i].time > time && !track->events[i].redraw) {
            time = track->events[i].time;
            player->outputs--;
        }
    for (size_t i = track->count; player->outputs < 0 && i > 0; i--)
        if (track->events[i - 1].time < time && !track->events[i - 1].redraw) {
            time = track->events[i - 1].time;
            player->outputs++;
        }
    player_stop_at(player, player->outputs > 0 ? player->end : player->outputs < 0 ? 0 : time);
}

int replay_engine_step(struct replay_engine *engine, struct player *player, double seconds,
                       struct bj_error *error)
{
    const struct track *track = engine->track;
    double next = engine->next < track->count ? track->events[engine->next].time : -1;
    bool there;
    if (player->outputs != 0)
        move_by_outputs(track, player);
    player_advance(player, seconds, next);
    int status = go_to(engine, player->time, &there, error);
    player->behind = status == 0 && !there;
    return status;
}
