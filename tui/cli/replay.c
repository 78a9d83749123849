#include "tui/cli/replay.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

#include <jansson.h>

#include "tui/cli/recording.h"
#include "tui/cli/replay_play.h"
#include "tui/cli/replay_worker.h"
#include "tui/cli/report.h"

#define IDLE_LIMIT_MS 2000

/* The directory of the sandbox with this name or id: the newest, when there are several. */
static int find_directory(const struct bj_paths *paths, const char *name, char out[BJ_PATH_MAX],
                          struct bj_error *error)
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
            snprintf(out, BJ_PATH_MAX, "%.*s", (int)(strlen(path) - strlen("/sandbox.json")), path);
        }
        json_decref(record);
    }
    closedir(state);
    return newest < 0
               ? bj_fail(error, -ENOENT, "no sandbox is named %.64s: belljar ls lists them", name)
               : 0;
}

/* A redraw repeats what the file before has shown, unless something is missing between them. */
static bool is_repeated(const struct recording *recording, const struct recording_event *event)
{
    return event->redraw && recording->current > 0 && recording->missing == 0;
}

static int export_raw(struct recording *recording, struct bj_error *error)
{
    struct recording_event event;
    int status;
    while ((status = recording_next(recording, &event, error)) > 0)
        if (event.kind == RECORDING_OUTPUT && !event.redraw &&
            fwrite(event.bytes, 1, event.size, stdout) != event.size)
            return bj_fail(error, -EIO, "cannot write the output: %s", strerror(errno));
    return status;
}

static int export_text(struct recording *recording, struct bj_error *error)
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
                     ? replay_worker_resize(&worker, event.rows, event.cols, stdout, error)
                     : replay_worker_write(&worker, event.bytes, event.size, stdout, error);
    }
    if (status == 0)
        status = replay_worker_text(&worker, stdout, error);
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

static int print_cast_line(json_t *value, struct bj_error *error)
{
    int failed = value ? json_dumpf(value, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12)) : -1;
    json_decref(value);
    return failed < 0 || putchar('\n') == EOF
               ? bj_fail(error, -EIO, "cannot write the output: %s", strerror(errno))
               : 0;
}

static int export_cast(struct recording *recording, struct bj_error *error)
{
    const struct recording_file *first = &recording->files[0];
    struct recording_event event;
    int status = print_cast_line(json_pack("{s:i,s:i,s:i,s:I}", "version", 2, "width",
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
            json_pack("[f,s,o]", event.time, output ? "o" : "r",
                      output ? as_utf8(event.bytes, event.size) : json_string(size)),
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

static int export(struct recording *recording, const char *form, struct bj_error *error)
{
    if (strcmp(form, "raw") == 0)
        return export_raw(recording, error);
    return strcmp(form, "text") == 0 ? export_text(recording, error)
                                     : export_cast(recording, error);
}

int replay_command(const struct args *args, const struct bj_paths *paths)
{
    struct bj_error error = {0};
    struct recording recording;
    char directory[BJ_PATH_MAX];
    const char *form = args_text(args, "export");
    if (form && strcmp(form, "raw") == 0 && isatty(STDOUT_FILENO))
        return report_failure("raw output of an agent does not go to a terminal: redirect it to a "
                              "file");
    if (!form && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
        return report_failure("replay needs a terminal: use --export text, cast or raw");
    struct replay_options options = {
        .name = args->words[0],
        .speed = (double)args_number(args, "speed", 1000) / 1000,
        .idle_limit = (double)args_number(args, "idle-limit", IDLE_LIMIT_MS) / 1000,
    };
    if (options.speed <= 0)
        return report_usage("replay: --speed: must be more than 0");
    int status = find_directory(paths, args->words[0], directory, &error);
    if (status == 0)
        status = recording_open(&recording, directory, &error);
    if (status < 0)
        return report_error(&error);
    status = form ? export(&recording, form, &error) : replay_play(&recording, &options, &error);
    int code = status < 0 ? report_error(&error) : report_end();
    say_what_is_missing(&recording);
    recording_close(&recording);
    return code;
}
