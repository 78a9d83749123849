#include "tui/cli/track_marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mux/audit/audit.h"
#include "tui/cli/report.h"
#include "tui/model/text.h"

#define BIT(kind) (UINT64_C(1) << (kind))

static const uint64_t kinds = BIT(AUDIT_REQUEST) | BIT(AUDIT_VERDICT) | BIT(AUDIT_ALERT) |
                              BIT(AUDIT_EXIT) | BIT(AUDIT_KILL) | BIT(AUDIT_PAUSE) |
                              BIT(AUDIT_RESUME) | BIT(AUDIT_FILE_OUT);

static enum mark_kind kind_of(const struct audit_record *record)
{
    switch (record->kind) {
    case AUDIT_REQUEST:
        return MARK_REQUEST;
    case AUDIT_VERDICT:
        return strcmp(report_text(record->json, "answer"), "allow") == 0 ? MARK_ALLOWED
                                                                         : MARK_DENIED;
    case AUDIT_ALERT:
        return MARK_ALERT;
    default:
        return MARK_STATE;
    }
}

static void describe(const struct audit_record *record, char *out, size_t size)
{
    const json_t *json = record->json;
    const char *title = report_text(json, "title"), *subject = report_text(json, "subject");
    const char *what = *title ? title : subject;
    switch (record->kind) {
    case AUDIT_REQUEST:
        snprintf(out, size, "asks: %s", what);
        break;
    case AUDIT_VERDICT:
        snprintf(out, size, "%s by %s: %s", kind_of(record) == MARK_ALLOWED ? "allowed" : "denied",
                 report_text(json, "by"), what);
        break;
    case AUDIT_ALERT:
        snprintf(out, size, "alert: %s", report_text(json, "text"));
        break;
    case AUDIT_EXIT:
        snprintf(out, size, report_number(json, "signal") ? "ended by signal %lld" : "exited %lld",
                 report_number(json, report_number(json, "signal") ? "signal" : "code"));
        break;
    case AUDIT_FILE_OUT:
        snprintf(out, size, "%s: %s", report_text(json, "action"), report_text(json, "outcome"));
        break;
    default:
        snprintf(out, size, "%s", audit_kind_name((enum audit_kind)record->kind));
        break;
    }
}

static int add_mark(struct track *track, size_t *room, const struct audit_record *record)
{
    char text[4 * PLAYER_MARK_MAX];
    if (track->mark_count == *room) {
        size_t wanted = *room * 2 + 64;
        struct player_mark *larger = realloc(track->marks, wanted * sizeof(*larger));
        if (!larger)
            return -ENOMEM;
        track->marks = larger;
        *room = wanted;
    }
    struct player_mark *mark = &track->marks[track->mark_count++];
    *mark = (struct player_mark){.time = record->time - track->start, .kind = kind_of(record)};
    if (mark->time < 0) /* the header's time is rounded */
        mark->time = 0;
    describe(record, text, sizeof(text));
    text_clean(mark->text, sizeof(mark->text), text, strlen(text));
    if (mark->time > track->end)
        track->end = mark->time;
    return 0;
}

static int by_time(const void *one, const void *other)
{
    double a = ((const struct player_mark *)one)->time;
    double b = ((const struct player_mark *)other)->time;
    return (a > b) - (a < b);
}

int track_marks(struct track *track, const char *state, const char *id, double until,
                const atomic_bool *stop, struct bj_error *error)
{
    struct audit_filter filter = {
        .kinds = kinds, .sandbox = id, .since = track->start - 1, .until = until};
    struct audit_reader *reader;
    struct audit_record record;
    size_t room = 0;
    int status = 0;
    if (audit_read_open(&reader, state, &filter, NULL) < 0)
        return 0;
    while (status == 0 && track->mark_count < TRACK_MARKS_MAX &&
           audit_read_next(reader, &record, NULL) > 0) {
        if (stop && atomic_load(stop))
            status = bj_fail(error, -EINTR, "interrupted");
        else if (add_mark(track, &room, &record) < 0)
            status = bj_fail(error, -ENOMEM, "out of memory for the marks of the recording");
        audit_record_free(&record);
    }
    audit_read_close(reader);
    if (track->mark_count > 0)
        qsort(track->marks, track->mark_count, sizeof(*track->marks), by_time);
    return status;
}
