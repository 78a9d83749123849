#include "tui/cli/export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

#include <jansson.h>

#include "tui/cli/args.h"
#include "tui/cli/cast_clean.h"
#include "tui/cli/recording.h"
#include "tui/cli/replay_worker.h"
#include "tui/cli/report.h"
#include "tui/cli/track.h"

/* A redraw repeats what the file before has shown, unless something is missing between them. */
static bool is_repeated(const struct recording *recording, const struct recording_event *event)
{
    return event->redraw && recording->current > 0 && recording->missing == 0;
}

static int export_raw(struct recording *recording, FILE *out, struct bj_error *error)
{
    struct recording_event event;
    int status;
    while ((status = recording_next(recording, &event, error)) > 0)
        if (event.kind == RECORDING_OUTPUT && !event.redraw &&
            fwrite(event.bytes, 1, event.size, out) != event.size)
            return bj_fail(error, -EIO, "cannot write the output: %s", strerror(errno));
    return status;
}

static int export_text(struct recording *recording, FILE *out, struct bj_error *error)
{
    struct recording_event event;
    struct replay_worker worker;
    int status = replay_worker_start(&worker, recording->files[0].rows, recording->files[0].cols,
                                     true, error);
    if (status < 0)
        return status;
    while (status >= 0 && (status = recording_next(recording, &event, error)) > 0) {
        if (is_repeated(recording, &event))
            continue;
        status = event.kind == RECORDING_RESIZE
                     ? replay_worker_resize(&worker, event.rows, event.cols, out, error)
                     : replay_worker_write(&worker, event.bytes, event.size, out, error);
    }
    if (status == 0)
        status = replay_worker_text(&worker, out, error);
    replay_worker_stop(&worker);
    return status;
}

/* JSON holds UTF-8 only: what is not becomes U+FFFD, as asciicast players expect. */
static json_t *as_utf8(const char *bytes, size_t size)
{
    json_t *value = json_stringn(bytes, size);
    if (value)
        return value;
    char *copy = malloc(size * 3 + 1);
    size_t used = 0;
    for (size_t at = 0; copy && at < size;) {
        utf8proc_int32_t code;
        utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)bytes + at,
                                                   (utf8proc_ssize_t)(size - at), &code);
        memcpy(copy + used, length > 0 ? bytes + at : "\xef\xbf\xbd", length > 0 ? length : 3);
        used += length > 0 ? (size_t)length : 3;
        at += length > 0 ? (size_t)length : 1;
    }
    value = copy ? json_stringn(copy, used) : NULL;
    free(copy);
    return value;
}

/* What is shown of it, see cast_clean.h. NULL when memory is short. */
static json_t *as_shown(struct cast_clean *clean, const char *bytes, size_t size)
{
    char *shown = malloc(size + CAST_CLEAN_MORE);
    json_t *value = shown ? as_utf8(shown, cast_clean(clean, bytes, size, shown)) : NULL;
    free(shown);
    return value;
}

static int print_cast_line(FILE *out, json_t *value, struct bj_error *error)
{
    int failed = value ? json_dumpf(value, out, JSON_COMPACT | JSON_REAL_PRECISION(12)) : -1;
    json_decref(value);
    return failed < 0 || fputc('\n', out) == EOF
               ? bj_fail(error, -EIO, "cannot write the output: %s", strerror(errno))
               : 0;
}

static int export_cast(struct recording *recording, FILE *out, struct bj_error *error)
{
    const struct recording_file *first = &recording->files[0];
    struct recording_event event;
    struct cast_clean clean = {0};
    int status = print_cast_line(out,
                                 json_pack("{s:i,s:i,s:i,s:I}", "version", 2, "width",
                                           (int)first->cols, "height", (int)first->rows,
                                           "timestamp", (json_int_t)first->start),
                                 error);
    int more = 1;
    while (status == 0 && (more = recording_next(recording, &event, error)) > 0) {
        char size[32];
        snprintf(size, sizeof(size), "%ux%u", event.cols, event.rows);
        if (is_repeated(recording, &event))
            continue;
        bool output = event.kind == RECORDING_OUTPUT;
        status = print_cast_line(
            out,
            json_pack("[f,s,o]", event.time, output ? "o" : "r",
                      output ? as_shown(&clean, event.bytes, event.size) : json_string(size)),
            error);
    }
    return status < 0 ? status : more < 0 ? more : 0;
}

/* What is not in the recording is said, never passed over. */
static void say_what_is_missing(const struct recording *recording)
{
    if (recording->files[0].offset > 0)
        report_failure("note: the first %" PRIu64 " bytes of output are not kept any more",
                       recording->files[0].offset);
    if (recording->missing > 0)
        report_failure("note: %" PRIu64 " bytes of output are missing in the middle",
                       recording->missing);
    if (recording->bad_lines > 0)
        report_failure("note: %zu lines of the recording cannot be read", recording->bad_lines);
}

int export_recording(const char *directory, bool previous, const char *form, FILE *out,
                     struct bj_error *error)
{
    struct recording recording;
    int status = recording_open(&recording, directory, previous, error);
    if (status < 0)
        return status;
    if (strcmp(form, "raw") == 0)
        status = export_raw(&recording, out, error);
    else if (strcmp(form, "text") == 0)
        status = export_text(&recording, out, error);
    else
        status = export_cast(&recording, out, error);
    say_what_is_missing(&recording);
    recording_close(&recording);
    return status;
}

/* A new file: nothing that is there is overwritten, and no link is followed. */
static int to_file(const char *directory, bool previous, const char *form, const char *path,
                   struct bj_error *error)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return bj_fail(error, -errno, "cannot make %.300s: %s", path, strerror(errno));
    FILE *out = fdopen(descriptor, "w");
    int status = out ? export_recording(directory, previous, form, out, error)
                     : bj_fail(error, -ENOMEM, "out of memory");
    if (!out)
        close(descriptor);
    else if (fclose(out) != 0 && status == 0)
        status = bj_fail(error, -EIO, "cannot write %.300s: %s", path, strerror(errno));
    if (status < 0)
        unlink(path);
    return status;
}

int export_command(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    char directory[BJ_PATH_MAX], id[FLEET_ID_MAX];
    const char *form = args_text(args, "format"), *path = args_text(args, "output");
    bool previous = args_set(args, "previous");
    form = form ? form : "asciicast";
    if (strcmp(form, "raw") == 0 && !path && isatty(STDOUT_FILENO))
        return report_failure(EXPORT_RAW_REFUSED);
    int status = track_find(paths, args->words[0], directory, id, &error);
    if (status == 0)
        status = path ? to_file(directory, previous, form, path, &error)
                      : export_recording(directory, previous, form, stdout, &error);
    return status < 0 ? report_error(&error) : report_end();
}
