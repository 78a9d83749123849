#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/dashboard_state.h"
#include "tui/model/text.h"

/*
 * The recording of a sandbox on another host comes as an asciicast over ssh, into a private
 * directory of this host, and is then played like one of ours; its marks stay in the audit log over
 * there.
 */

#define FETCH_MAX ((size_t)256 << 20) /* bytes; a longer recording is cut */

static void forget(struct dashboard_replay *replay)
{
    char path[BJ_PATH_MAX];
    if (replay->fetched)
        fclose(replay->fetched);
    replay->fetched = NULL;
    if (!replay->place[0] || replay->loading)
        return;
    if (bj_recording_path(path, sizeof(path), NULL, replay->place, false, 0) == 0)
        unlink(path);
    rmdir(replay->place);
    replay->place[0] = '\0';
}

void replay_fetch_end(struct dashboard *dashboard)
{
    struct dashboard_replay *replay = &dashboard->replay;
    if (replay->fetch)
        child_stop(replay->fetch);
    replay->fetch = NULL;
    forget(replay);
}

static void fail(struct dashboard *dashboard, const char *why)
{
    replay_fetch_end(dashboard);
    player_fail(&dashboard->control.player, why);
    dashboard_touch(dashboard, true);
}

static void on_bytes(struct child *child, const char *bytes, size_t size)
{
    struct dashboard *dashboard = child->owner;
    struct dashboard_replay *replay = &dashboard->replay;
    if (replay->fetched_size + size > FETCH_MAX)
        fail(dashboard, "its recording is too long to be fetched: use belljar replay there");
    else if (fwrite(bytes, 1, size, replay->fetched) != size)
        fail(dashboard, strerror(errno));
    else
        replay->fetched_size += size;
}

static void on_fetched(struct child *child, int code, const char *said)
{
    struct dashboard *dashboard = child->owner;
    struct dashboard_replay *replay = &dashboard->replay;
    char why[CHILD_SAID_MAX];
    replay->fetch = NULL;
    text_clean(why, sizeof(why), said, strcspn(said, "\n"));
    int closed = fclose(replay->fetched);
    replay->fetched = NULL;
    if (code != 0)
        fail(dashboard, why[0] ? why : "ssh ended without a word");
    else if (closed != 0)
        fail(dashboard, strerror(errno));
    else
        replay_load(dashboard);
}

static int make_place(struct dashboard *dashboard, struct bj_error *error)
{
    struct dashboard_replay *replay = &dashboard->replay;
    char path[BJ_PATH_MAX];
    int status = bj_path(replay->place, sizeof(replay->place), error, "%s/replay.XXXXXX",
                         dashboard->paths->runtime);
    if (status == 0 && !mkdtemp(replay->place))
        status = bj_fail(error, -errno, "cannot make %.300s: %s", replay->place, strerror(errno));
    if (status < 0) {
        replay->place[0] = '\0';
        return status;
    }
    status = bj_recording_path(path, sizeof(path), error, replay->place, false, 0);
    if (status == 0 && !(replay->fetched = fopen(path, "wxe")))
        status = bj_fail(error, -errno, "cannot make %.300s: %s", path, strerror(errno));
    return status;
}

void replay_fetch(struct dashboard *dashboard, const struct sandbox *sandbox)
{
    static const struct child_events events = {.output = on_bytes, .ended = on_fetched};
    struct dashboard_replay *replay = &dashboard->replay;
    const char *words[FAR_WORDS];
    struct bj_error error = {0};
    replay_fetch_end(dashboard);
    replay->fetched_size = 0;
    far_words(dashboard, sandbox, "--recording", words);
    if (make_place(dashboard, &error) == 0)
        replay->fetch = child_start(&dashboard->loop, words, &events, dashboard, &error);
    if (!replay->fetch)
        fail(dashboard, error.text);
}
