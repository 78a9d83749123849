#include "tui/cli/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#define SIZE_MAX_CELLS 10000 /* rows or columns */

/* One parsed line. */
struct recording_line {
    bool there; /* false: the file's end */
    double time;
    char code;  /* 'o', 'b', 'r', 'm' */
    bool torn;  /* lines before it could not be read */
    bool exact; /* an 'o' that has the bytes of its 'b' */
    char *bytes;
    size_t size;
};

static void drop_line(struct recording_line *line)
{
    free(line->bytes);
    *line = (struct recording_line){0};
}

/* Reads [time, code, data]; false when it is not one. */
static bool parse_line(struct recording_line *line, const char *text, size_t size)
{
    json_t *root = json_loadb(text, size, JSON_ALLOW_NUL, NULL);
    const json_t *time = json_array_get(root, 0), *code = json_array_get(root, 1);
    const json_t *data = json_array_get(root, 2);
    bool good = json_is_number(time) && json_string_length(code) == 1 && json_is_string(data);
    if (good) {
        line->time = json_number_value(time);
        line->code = json_string_value(code)[0];
        line->size = json_string_length(data);
        line->bytes = malloc(line->size + 1);
        good = line->bytes != NULL;
        if (good)
            memcpy(line->bytes, json_string_value(data), line->size + 1);
    }
    if (good && line->code == 'b')
        good = sodium_base642bin((unsigned char *)line->bytes, line->size + 1,
                                 json_string_value(data), line->size, NULL, &line->size, NULL,
                                 sodium_base64_VARIANT_ORIGINAL) == 0;
    json_decref(root);
    if (!good)
        drop_line(line);
    line->there = good;
    return good;
}

/* The next line that can be read. 0 also at the end, where line->there is false. */
static int read_line(struct recording *recording, FILE *file, struct recording_line *line,
                     struct bj_error *error)
{
    char *text = NULL;
    size_t capacity = 0;
    ssize_t size;
    size_t bad = recording->bad_lines;
    drop_line(line);
    errno = 0;
    while ((size = getline(&text, &capacity, file)) > 0) {
        if (text[size - 1] != '\n') /* being written */
            break;
        if ((size_t)size <= RECORDING_LINE_MAX && parse_line(line, text, (size_t)size))
            break;
        recording->bad_lines++;
    }
    free(text);
    line->torn = recording->bad_lines != bad;
    if (ferror(file))
        return bj_fail(error, errno ? -errno : -EIO, "cannot read the recording: %s",
                       strerror(errno ? errno : EIO));
    return 0;
}

/* The first line: an object with the size and where in the agent's stream the file begins. */
static int read_header(struct recording_file *file, struct bj_error *error)
{
    char *text = NULL;
    size_t capacity = 0;
    ssize_t size = getline(&text, &capacity, file->file);
    json_t *root = size > 0 ? json_loadb(text, (size_t)size, 0, NULL) : NULL;
    free(text);
    json_int_t rows = json_integer_value(json_object_get(root, "height"));
    json_int_t cols = json_integer_value(json_object_get(root, "width"));
    json_int_t version = json_integer_value(json_object_get(root, "version"));
    const json_t *ours = json_object_get(root, "belljar");
    json_int_t offset = json_integer_value(json_object_get(ours, "offset"));
    file->sequence = json_integer_value(json_object_get(ours, "sequence"));
    file->redraw = json_is_true(json_object_get(ours, "redraw"));
    file->start = json_number_value(json_object_get(root, "timestamp"));
    json_decref(root);
    if (version != 2 || rows < 1 || cols < 1 || rows > SIZE_MAX_CELLS || cols > SIZE_MAX_CELLS ||
        offset < 0)
        return bj_fail(error, -EPROTO, "the recording's first line is not an asciicast v2 header");
    file->rows = (unsigned)rows;
    file->cols = (unsigned)cols;
    file->offset = (uint64_t)offset;
    return 0;
}

static int open_file(struct recording_file *file, const char *directory, bool previous, int number,
                     struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    *file = (struct recording_file){0};
    int status = bj_recording_path(path, sizeof(path), error, directory, previous, number);
    if (status < 0)
        return status;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return bj_fail(error, -errno, "cannot open %.300s: %s", path, strerror(errno));
    file->file = fdopen(descriptor, "r");
    if (!file->file) {
        close(descriptor);
        return bj_fail(error, -ENOMEM, "out of memory");
    }
    int first = getc(file->file);
    if (first == EOF) /* its turn has not come yet */
        status = -ENOENT;
    else {
        ungetc(first, file->file);
        status = read_header(file, error);
    }
    if (status < 0) {
        fclose(file->file);
        file->file = NULL;
    }
    return status;
}

int recording_open(struct recording *recording, const char *directory, bool previous,
                   struct bj_error *error)
{
    struct bj_error why = {0};
    int status = 0;
    *recording = (struct recording){0};
    recording->line = calloc(1, sizeof(*recording->line));
    recording->ahead = calloc(1, sizeof(*recording->ahead));
    if (!recording->line || !recording->ahead) {
        recording_close(recording);
        return bj_fail(error, -ENOMEM, "out of memory");
    }
    for (int i = 0; i < RECORDING_FILES; i++) {
        struct bj_error this = {0};
        int opened = open_file(&recording->files[recording->count], directory, previous, i, &this);
        recording->count += opened == 0;
        if (opened < 0 && opened != -ENOENT) {
            status = opened;
            why = this;
        }
    }
    if (recording->count == 0) {
        recording_close(recording);
        if (status < 0)
            return bj_fail(error, status, "%s", why.text);
        if (previous)
            return bj_fail(
                error, -ENOENT,
                "there is no recording of a run before: it was not restarted, or nothing "
                "was recorded then");
        return bj_fail(error, -ENOENT,
                       "nothing was recorded (--no-record or --record-limit 0), or it was older "
                       "than the policy's recording_age");
    }
    struct recording_file *files = recording->files;
    if (recording->count == 2 && files[1].sequence < files[0].sequence) {
        struct recording_file later = files[0];
        files[0] = files[1];
        files[1] = later;
    }
    recording->position = files[0].offset;
    recording->redraw_due = files[0].redraw;
    return read_line(recording, files[0].file, recording->ahead, error);
}

void recording_close(struct recording *recording)
{
    for (size_t i = 0; i < recording->count; i++)
        fclose(recording->files[i].file);
    if (recording->line)
        drop_line(recording->line);
    if (recording->ahead)
        drop_line(recording->ahead);
    free(recording->line);
    free(recording->ahead);
    *recording = (struct recording){0};
}

/* Goes on in the second file. What the first one did not hold of the stream is missing. */
static int next_file(struct recording *recording, struct bj_error *error)
{
    const struct recording_file *file = &recording->files[++recording->current];
    recording->missing =
        file->offset > recording->position ? file->offset - recording->position : 0;
    recording->position = file->offset;
    recording->redraw_due = file->redraw;
    return read_line(recording, file->file, recording->ahead, error);
}

/* Moves `ahead` into `line`, with the exact bytes where a `b` event follows an `o` event. */
static int advance(struct recording *recording, struct bj_error *error)
{
    FILE *file = recording->files[recording->current].file;
    drop_line(recording->line);
    *recording->line = *recording->ahead;
    *recording->ahead = (struct recording_line){0};
    int status = read_line(recording, file, recording->ahead, error);
    if (status < 0 || recording->line->code != 'o' || recording->ahead->code != 'b' ||
        recording->ahead->torn)
        return status;
    free(recording->line->bytes);
    recording->line->bytes = recording->ahead->bytes;
    recording->line->size = recording->ahead->size;
    recording->line->exact = true;
    recording->ahead->bytes = NULL;
    return read_line(recording, file, recording->ahead, error);
}

/* Written whenever the bytes are not what the text says: then a `b` event follows. */
static bool awaits_bytes(const struct recording_line *line)
{
    return memmem(line->bytes, line->size, "\xef\xbf\xbd", 3) != NULL;
}

/* False for events that say nothing here: markers, input, a `b` without its `o`. */
static bool to_event(struct recording *recording, struct recording_event *event)
{
    const struct recording_line *line = recording->line;
    const struct recording_file *files = recording->files;
    *event = (struct recording_event){
        .time = files[recording->current].start - files[0].start + line->time,
    };
    if (line->code == 'r')
        return sscanf(line->bytes, "%ux%u", &event->cols, &event->rows) == 2 && event->cols > 0 &&
               event->rows > 0 && event->cols <= SIZE_MAX_CELLS && event->rows <= SIZE_MAX_CELLS &&
               (event->kind = RECORDING_RESIZE);
    bool last = !recording->ahead->there && recording->current + 1 == recording->count;
    if (line->code != 'o' || (last && !line->exact && awaits_bytes(line)))
        return false;
    event->bytes = line->bytes;
    event->size = line->size;
    event->redraw = recording->redraw_due;
    recording->redraw_due = false;
    if (!event->redraw)
        recording->position += line->size;
    return true;
}

int recording_next(struct recording *recording, struct recording_event *event,
                   struct bj_error *error)
{
    for (;;) {
        while (!recording->ahead->there && recording->current + 1 < recording->count) {
            int status = next_file(recording, error);
            if (status < 0)
                return status;
        }
        if (!recording->ahead->there)
            return 0;
        int status = advance(recording, error);
        if (status < 0)
            return status;
        if (to_event(recording, event))
            return 1;
    }
}
