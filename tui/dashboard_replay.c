#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tui/dashboard_state.h"

#define FRAME_MS  33  /* between two pictures */
#define BEHIND_MS 100 /* the same while the picture is on its way */

static void stop_playing(struct dashboard_replay *replay)
{
    uv_timer_stop(&replay->timer);
    replay_engine_close(&replay->engine);
    replay->playing = false;
    if (!replay->loading)
        track_free(&replay->track);
}

static void on_frame(uv_timer_t *timer)
{
    struct dashboard *dashboard = timer->data;
    struct dashboard_replay *replay = &dashboard->replay;
    struct player *player = &dashboard->control.player;
    struct bj_error error = {0};
    uint64_t now = dashboard_now(dashboard);
    double seconds = (double)(now - replay->stepped_at) / 1000;
    replay->stepped_at = now;
    if (replay_engine_step(&replay->engine, player, seconds, &error) < 0) {
        player_fail(player, error.text);
        stop_playing(replay);
        dashboard_touch(dashboard, true);
        return;
    }
    uv_timer_start(timer, on_frame, player->behind ? 1 : FRAME_MS, 0);
    if (!player->behind || now - replay->shown_at >= BEHIND_MS) {
        replay->shown_at = now;
        dashboard_touch(dashboard, false);
    }
}

/* ---- loading, in a thread ---- */

static void load(uv_work_t *work)
{
    struct dashboard *dashboard = work->data;
    struct dashboard_replay *replay = &dashboard->replay;
    char directory[BJ_PATH_MAX];
    replay->error = (struct bj_error){0};
    replay->status = replay->place[0] ? bj_path(directory, sizeof(directory), &replay->error, "%s",
                                                replay->place)
                                      : bj_path(directory, sizeof(directory), &replay->error,
                                                "%s/%s", dashboard->paths->state, replay->id);
    if (replay->status == 0)
        replay->status = track_load(&replay->track, dashboard->paths, directory, replay->previous,
                                    replay->id, &replay->stop, &replay->error);
}

static void on_loaded(uv_work_t *work, int cancelled)
{
    struct dashboard *dashboard = work->data;
    struct dashboard_replay *replay = &dashboard->replay;
    struct player *player = &dashboard->control.player;
    (void)cancelled;
    replay->loading = false;
    bool wanted = player->open && player->state == PLAYER_LOADING && !dashboard->stopping;
    if (!wanted || atomic_load(&replay->stop) || strcmp(player->id, replay->id) != 0 ||
        player->previous != replay->previous) {
        track_free(&replay->track);
        replay_fetch_end(dashboard);
        if (wanted)
            replay_order(dashboard); /* another one was opened meanwhile */
        return;
    }
    replay_fetch_end(dashboard);
    if (replay->status < 0) {
        player_fail(player, replay->error.text);
        dashboard_touch(dashboard, true);
        return;
    }
    player_ready(player, replay->track.start, replay->track.end, replay->track.marks,
                 replay->track.mark_count);
    track_missing(&replay->track, player->note, sizeof(player->note));
    replay_engine_open(&replay->engine, &replay->track);
    replay->playing = true;
    replay->stepped_at = dashboard_now(dashboard);
    uv_timer_start(&replay->timer, on_frame, 0, 0);
}

void replay_load(struct dashboard *dashboard)
{
    struct dashboard_replay *replay = &dashboard->replay;
    snprintf(replay->id, sizeof(replay->id), "%s", dashboard->control.player.id);
    replay->previous = dashboard->control.player.previous;
    atomic_store(&replay->stop, false);
    replay->work.data = dashboard;
    replay->loading = uv_queue_work(&dashboard->loop, &replay->work, load, on_loaded) == 0;
    if (!replay->loading)
        player_fail(&dashboard->control.player, "no thread can be had to read the recording");
}

void replay_order(struct dashboard *dashboard)
{
    struct dashboard_replay *replay = &dashboard->replay;
    struct player *player = &dashboard->control.player;
    const struct sandbox *sandbox = fleet_find(&dashboard->fleet, player->id);
    if (replay->playing)
        stop_playing(replay);
    if (replay->loading)
        atomic_store(&replay->stop, true); /* on_loaded() begins again */
    else if (!sandbox)
        player_fail(player, "the sandbox is gone");
    else if (sandbox->origin->number > 0 && player->previous)
        player_fail(player, "only its last run comes from another host: use belljar replay there");
    else if (sandbox->origin->number > 0)
        replay_fetch(dashboard, sandbox);
    else
        replay_load(dashboard);
}

void replay_sync(struct dashboard *dashboard)
{
    struct dashboard_replay *replay = &dashboard->replay;
    if (dashboard->control.player.open && !dashboard->stopping)
        return;
    replay_fetch_end(dashboard);
    if (replay->loading)
        atomic_store(&replay->stop, true);
    if (replay->playing)
        stop_playing(replay);
}

/* ---- to a file ---- */

static void on_exported(struct child *child, int code, const char *said)
{
    struct dashboard *dashboard = child->owner;
    struct control *control = &dashboard->control;
    char line[CHILD_SAID_MAX];
    uint64_t now = dashboard_now(dashboard);
    dashboard->replay.export = NULL;
    child_line(said, line, sizeof(line));
    if (code == 0) /* what is missing in it was said, too */
        control_note(control, now, false, "the recording is in %.300s%s%s",
                     dashboard->replay.exported, line[0] ? "; " : "", line);
    else
        control_note(control, now, true, "not exported: %s",
                     line[0] ? line : "belljar export ended without a word");
    control_note_long(control, now);
    dashboard_touch(dashboard, true);
}

void replay_export(struct dashboard *dashboard, const struct order *order)
{
    static const struct child_events events = {.ended = on_exported};
    struct dashboard_replay *replay = &dashboard->replay;
    struct control *control = &dashboard->control;
    const struct sandbox *sandbox = fleet_find(&dashboard->fleet, order->id);
    uint64_t now = dashboard_now(dashboard);
    size_t size = strlen(order->text);
    bool text = size > 4 && strcmp(order->text + size - 4, ".txt") == 0;
    char path[BJ_PATH_MAX];
    struct bj_error error = {0};
    int status = bj_path_home(path, sizeof(path), &error, order->text);
    if (!sandbox || sandbox->origin->number > 0)
        status = bj_fail(&error, -ENOTSUP, "use belljar export where the sandbox is");
    else if (replay->export)
        status = bj_fail(&error, -EBUSY, "another export is not through yet");
    const char *words[9] = {"export", "--format", text ? "text" : "asciicast", "--output", path};
    size_t count = 5;
    if (control->player.previous)
        words[count++] = "--previous";
    words[count++] = "--";
    words[count++] = sandbox ? sandbox->name : "";
    if (status == 0)
        replay->export = child_start(&dashboard->loop, words, &events, dashboard, &error);
    if (status == 0 && replay->export) {
        memcpy(replay->exported, path, sizeof(path));
        control_note(control, now, false, "writing %.200s", path);
    } else {
        control_note(control, now, true, "not exported: %s", error.text);
    }
}

void replay_export_end(struct dashboard *dashboard)
{
    if (dashboard->replay.export)
        child_leave(dashboard->replay.export);
    dashboard->replay.export = NULL;
}

const struct picture *replay_picture(const struct dashboard *dashboard)
{
    return dashboard->replay.playing ? &dashboard->replay.engine.picture : NULL;
}

void replay_init(struct dashboard *dashboard)
{
    uv_timer_init(&dashboard->loop, &dashboard->replay.timer);
    dashboard->replay.timer.data = dashboard;
}
