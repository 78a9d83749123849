#include "mux/monitor/recording_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mux/json/json.h"
#include "mux/monitor/base64.h"
#include "mux/monitor/grid.h"

#define READ_STEP (256U * 1024)

struct lines {
    int fd;
    char *data;
    size_t size, capacity;
    uint64_t position; /* in the file, of data[0] */
    size_t used;       /* of data, by lines already returned */
};

/* The next whole line, without its '\n'; 0 at the end, -ENOMEM, -errno. */
static int next_line(struct lines *lines, char **line, size_t *size)
{
    for (;;) {
        char *start = lines->data ? lines->data + lines->used : NULL;
        char *end =
            lines->size > lines->used ? memchr(start, '\n', lines->size - lines->used) : NULL;
        if (end) {
            *line = start;
            *size = (size_t)(end - start);
            lines->used += *size + 1;
            return 1;
        }
        if (lines->used > 0) {
            memmove(lines->data, start, lines->size - lines->used);
            lines->position += lines->used;
            lines->size -= lines->used;
            lines->used = 0;
        }
        if (lines->size > RECORDING_LINE_MAX)
            return 0;
        if (lines->capacity - lines->size < READ_STEP) {
            size_t capacity = lines->capacity + 2 * READ_STEP;
            char *data = realloc(lines->data, capacity);
            if (!data)
                return -ENOMEM;
            lines->data = data;
            lines->capacity = capacity;
        }
        ssize_t got = pread(lines->fd, lines->data + lines->size, READ_STEP,
                            (off_t)(lines->position + lines->size));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        lines->size += (size_t)got;
    }
}

/* Bad text is cut off as a crash left it; want of memory must not be taken for that. NULL with
 * -EPROTO or -ENOMEM in `status`. */
static json_t *load(const char *line, size_t size, size_t flags, int *status)
{
    json_t *root = json_read(line, size, flags, NULL, status);
    if (*status == -EINVAL)
        *status = -EPROTO;
    return root;
}

static int hex_value(char digit)
{
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                                          : -1;
}

static int parse_header(const char *line, size_t size, struct recording_header *header)
{
    int status;
    json_t *root = load(line, size, 0, &status);
    if (!root)
        return status;
    json_t *ours = json_object_get(root, "belljar");
    const char *epoch = json_string_value(json_object_get(ours, "epoch"));
    if (json_integer_value(json_object_get(root, "version")) != 2 || !epoch ||
        strlen(epoch) != 2 * RECORDING_EPOCH)
        status = -EPROTO;
    for (size_t i = 0; status == 0 && i < RECORDING_EPOCH; i++) {
        int high = hex_value(epoch[2 * i]), low = hex_value(epoch[2 * i + 1]);
        if (high < 0 || low < 0)
            status = -EPROTO;
        else
            header->epoch[i] = (uint8_t)(high << 4 | low);
    }
    json_int_t rows = json_integer_value(json_object_get(root, "height"));
    json_int_t cols = json_integer_value(json_object_get(root, "width"));
    if (rows < 1 || rows > GRID_ROWS_MAX || cols < 1 || cols > GRID_COLS_MAX)
        status = -EPROTO;
    header->rows = status < 0 ? 0 : (int)rows;
    header->cols = status < 0 ? 0 : (int)cols;
    header->timestamp = (uint64_t)json_integer_value(json_object_get(root, "timestamp"));
    header->offset = (uint64_t)json_integer_value(json_object_get(ours, "offset"));
    header->sequence = (uint64_t)json_integer_value(json_object_get(ours, "sequence"));
    header->redraw = json_is_true(json_object_get(ours, "redraw"));
    json_decref(root);
    return status;
}

static int read_header(struct lines *lines, struct recording_header *header, struct bj_error *error)
{
    char *line;
    size_t size;
    *header = (struct recording_header){0};
    int status = next_line(lines, &line, &size);
    if (status == 0)
        return bj_fail(error, -ENODATA, "the recording is empty");
    if (status > 0)
        status = parse_header(line, size, header);
    if (status < 0)
        return bj_fail(error, status, "not a recording: %s", strerror(-status));
    return 0;
}

int recording_read_header(int fd, struct recording_header *header, struct bj_error *error)
{
    struct lines lines = {.fd = fd};
    int status = read_header(&lines, header, error);
    free(lines.data);
    return status;
}

/* An event that waits for the line behind it: an "o" may be taken back by a "b". */
struct held {
    bool any, replaced;
    double time;
    bool redraw, ambiguous;
    char *data;
    size_t size;
    uint64_t end; /* file position behind it */
};

struct reading {
    void (*event)(void *owner, const struct recording_event *event);
    void *owner;
    struct held held;
    bool redraw_due;
    uint64_t good;
};

static void give(struct reading *reading)
{
    struct held *held = &reading->held;
    if (!held->any)
        return;
    const struct recording_event event = {.time = held->time,
                                          .code = 'o',
                                          .redraw = held->redraw,
                                          .data = held->data,
                                          .size = held->size};
    reading->event(reading->owner, &event);
    reading->good = held->end;
    free(held->data);
    *held = (struct held){0};
}

static bool has_replacement(const char *data, size_t size)
{
    return memmem(data, size, "\xef\xbf\xbd", 3) != NULL;
}

static int take_output(struct reading *reading, double time, const char *data, size_t size,
                       uint64_t end)
{
    give(reading);
    struct held *held = &reading->held;
    held->data = malloc(size ? size : 1);
    if (!held->data)
        return -ENOMEM;
    memcpy(held->data, data, size);
    held->any = true;
    held->time = time;
    held->redraw = reading->redraw_due;
    reading->redraw_due = false;
    held->ambiguous = !held->redraw && has_replacement(data, size);
    held->size = size;
    held->end = end;
    return 0;
}

static int take_bytes(struct reading *reading, const char *data, size_t size, uint64_t end)
{
    struct held *held = &reading->held;
    if (!held->any || held->replaced)
        return -EPROTO;
    uint8_t *bytes = malloc(size / 4 * 3 + 1);
    if (!bytes)
        return -ENOMEM;
    ptrdiff_t count = base64_decode(bytes, data, size);
    if (count < 0) {
        free(bytes);
        return -EPROTO;
    }
    free(held->data);
    held->data = (char *)bytes;
    held->size = (size_t)count;
    held->replaced = true;
    held->ambiguous = false;
    held->end = end;
    return 0;
}

static int take_line(struct reading *reading, const char *line, size_t size, uint64_t end)
{
    int status;
    json_t *root = load(line, size, JSON_ALLOW_NUL, &status);
    if (!root)
        return status;
    const char *code = json_string_value(json_array_get(root, 1));
    json_t *text = json_array_get(root, 2);
    if (!code || !json_is_string(text) || !code[0] || code[1])
        status = -EPROTO;
    if (status == 0) {
        double time = json_number_value(json_array_get(root, 0));
        const char *data = json_string_value(text);
        size_t length = json_string_length(text);
        if (code[0] == 'o') {
            status = take_output(reading, time, data, length, end);
        } else if (code[0] == 'b') {
            status = take_bytes(reading, data, length, end);
        } else {
            give(reading);
            const struct recording_event event = {
                .time = time, .code = code[0], .data = data, .size = length};
            if (code[0] == 'm' && length > 8 && memcmp(data, "resumed ", 8) == 0)
                reading->redraw_due = true;
            if (code[0] == 'r' || code[0] == 'm')
                reading->event(reading->owner, &event);
            reading->good = end;
        }
    }
    json_decref(root);
    return status;
}

int recording_read(int fd, struct recording_header *header,
                   void (*event)(void *owner, const struct recording_event *event), void *owner,
                   uint64_t *good_size, struct bj_error *error)
{
    struct lines lines = {.fd = fd};
    *good_size = 0;
    int status = read_header(&lines, header, error);
    struct reading reading = {.event = event, .owner = owner, .redraw_due = header->redraw};
    reading.good = lines.position + lines.used;
    char *line;
    size_t size;
    int found = 0;
    while (status == 0 && (found = next_line(&lines, &line, &size)) > 0) {
        int taken = take_line(&reading, line, size, lines.position + lines.used);
        if (taken == -ENOMEM)
            status = bj_fail(error, taken, "no memory for an event of the recording");
        else if (taken < 0) /* a crash has cut it here */
            break;
    }
    if (status == 0 && found < 0)
        status = bj_fail(error, found, "cannot read the recording: %s", strerror(-found));
    /* The last output counts, unless its exact bytes were to follow. */
    if (status == 0 && !reading.held.ambiguous)
        give(&reading);
    free(reading.held.data);
    free(lines.data);
    if (status == 0)
        *good_size = reading.good;
    return status;
}
