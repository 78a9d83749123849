#include "tui/cli/track.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tui/cli/report.h"
#include "tui/cli/track_marks.h"

int track_find(const struct bj_paths *paths, const char *name, char directory[BJ_PATH_MAX],
               char *id, struct bj_error *error)
{
    DIR *state = opendir(paths->state);
    double newest = -1; /* none */
    if (!state)
        return bj_fail(error, -errno, "cannot read %.300s: %s", paths->state, strerror(errno));
    for (struct dirent *entry; (entry = readdir(state));) {
        char path[BJ_PATH_MAX];
        if (entry->d_name[0] == '.' || bj_path(path, sizeof(path), NULL, "%s/%s/sandbox.json",
                                               paths->state, entry->d_name) < 0)
            continue;
        json_t *record = json_load_file(path, 0, NULL);
        double created = json_number_value(json_object_get(record, "created"));
        bool named = strcmp(report_text(record, "name"), name) == 0 ||
                     (record && strcmp(entry->d_name, name) == 0);
        if (named && created > newest) {
            newest = created;
            snprintf(directory, BJ_PATH_MAX, "%.*s", (int)(strlen(path) - strlen("/sandbox.json")),
                     path);
            snprintf(id, FLEET_ID_MAX, "%.*s", FLEET_ID_MAX - 1, entry->d_name);
        }
        json_decref(record);
    }
    closedir(state);
    return newest < 0
               ? bj_fail(error, -ENOENT, "no sandbox is named %.64s: belljar ls lists them", name)
               : 0;
}

void track_free(struct track *track)
{
    free(track->bytes);
    free(track->events);
    free(track->marks);
    memset(track, 0, sizeof(*track));
}

/* ---- reading ---- */

static int keep_bytes(struct track *track, const char *bytes, size_t size)
{
    if (track->size + size > track->room) {
        size_t room = track->size + size + track->room / 2 + 65536;
        char *larger = realloc(track->bytes, room);
        if (!larger)
            return -ENOMEM;
        track->bytes = larger;
        track->room = room;
    }
    memcpy(track->bytes + track->size, bytes, size);
    track->size += size;
    return 0;
}

static int keep_event(struct track *track, const struct recording_event *event, bool repeated)
{
    if (track->count == track->events_room) {
        size_t room = track->events_room * 2 + 1024;
        struct track_event *larger = realloc(track->events, room * sizeof(*larger));
        if (!larger)
            return -ENOMEM;
        track->events = larger;
        track->events_room = room;
    }
    bool output = event->kind == RECORDING_OUTPUT;
    struct track_event kept = {.time = event->time,
                               .at = track->size,
                               .size = output ? (uint32_t)event->size : 0,
                               .rows = output ? 0 : event->rows,
                               .cols = output ? 0 : event->cols,
                               .redraw = repeated};
    /* Time goes forward only, whatever is written. */
    if (kept.time < track->end)
        kept.time = track->end;
    track->end = kept.time;
    if (output && keep_bytes(track, event->bytes, event->size) < 0)
        return -ENOMEM;
    track->events[track->count++] = kept;
    return 0;
}

/* A file whose first output repeats the state can be begun with. */
static void keep_base(struct track *track, const struct recording *recording,
                      const struct recording_event *event)
{
    const struct recording_file *file = &recording->files[recording->current];
    if (track->bases == RECORDING_FILES || (track->bases > 0 && !event->redraw))
        return;
    track->base[track->bases++] = (struct track_base){
        track->count, track->bases == 0 ? 0 : event->time, file->rows, file->cols};
}

static int read_events(struct track *track, struct recording *recording, const atomic_bool *stop,
                       struct bj_error *error)
{
    struct recording_event event;
    int status;
    track->start = recording->files[0].start;
    track->lost_before = recording->files[0].offset;
    while ((status = recording_next(recording, &event, error)) > 0) {
        bool repeated = event.redraw && recording->current > 0 && recording->missing == 0;
        if (stop && atomic_load(stop))
            return bj_fail(error, -EINTR, "interrupted");
        if (track->count == 0 || event.redraw)
            keep_base(track, recording, &event);
        if (track->size + event.size > TRACK_BYTES_MAX) {
            track->cut = true;
            break;
        }
        if (keep_event(track, &event, repeated) < 0)
            return bj_fail(error, -ENOMEM, "out of memory for the recording");
    }
    track->lost_within = recording->missing;
    track->bad_lines = recording->bad_lines;
    return status < 0 ? status : 0;
}

/* When the last run began, in unix seconds. */
static double last_run(const char *directory)
{
    char path[BJ_PATH_MAX];
    if (bj_path(path, sizeof(path), NULL, "%s/sandbox.json", directory) < 0)
        return 0;
    json_t *record = json_load_file(path, 0, NULL);
    double created = json_number_value(json_object_get(record, "created"));
    json_decref(record);
    return created;
}

int track_load(struct track *track, const struct bj_paths *paths, const char *directory,
               bool previous, const char *id, const atomic_bool *stop, struct bj_error *error)
{
    struct recording recording;
    *track = (struct track){0};
    int status = recording_open(&recording, directory, previous, error);
    if (status < 0)
        return status;
    status = read_events(track, &recording, stop, error);
    if (status == 0 && track->bases == 0)
        track->base[track->bases++] =
            (struct track_base){0, 0, recording.files[0].rows, recording.files[0].cols};
    recording_close(&recording);
    if (status == 0)
        status =
            track_marks(track, paths->state, id, previous ? last_run(directory) : 0, stop, error);
    if (status < 0)
        track_free(track);
    return status;
}

void track_missing(const struct track *track, char *out, size_t size)
{
    out[0] = '\0';
    if (track->lost_before > 0)
        snprintf(out, size, "the first %" PRIu64 " bytes of output are not kept any more",
                 track->lost_before);
    else if (track->lost_within > 0)
        snprintf(out, size, "%" PRIu64 " bytes of output are missing in the middle",
                 track->lost_within);
    else if (track->cut)
        snprintf(out, size, "only the first %zu MiB are shown", TRACK_BYTES_MAX >> 20);
    else if (track->bad_lines > 0)
        snprintf(out, size, "%zu lines of the recording cannot be read", track->bad_lines);
}
