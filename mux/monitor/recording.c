#include "mux/monitor/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mux/monitor/base64.h"
#include "mux/monitor/redraw.h"
#include "mux/monitor/scan.h"
#include "transport/paths.h"
#include "transport/utf8.h"

#define RETRY_MS     5000U
#define EVENT_BYTES  (64U * 1024) /* output in one event */
#define BROKEN_BYTES 512U         /* output in one event that needs its bytes in base64 */
#define ROTATE_SLACK (1024U * 1024)
#define ROTATE_LEAST (256U * 1024)

static double wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int recording_open(struct recording *recording, const char *directory, const char *id,
                   uint64_t limit, struct bj_error *error)
{
    *recording = (struct recording){.fds = {-1, -1}, .limit = limit};
    snprintf(recording->id, sizeof(recording->id), "%s", id);
    for (int i = 0; limit > 0 && i < RECORDING_FILES; i++) {
        char path[BJ_PATH_MAX];
        int status = bj_recording_path(path, sizeof(path), error, directory, false, i);
        if (status == 0) {
            recording->fds[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
            if (recording->fds[i] < 0)
                status = bj_fail(error, -errno, "cannot open %s: %s", path, strerror(errno));
        }
        if (status < 0) {
            recording_close(recording);
            return status;
        }
    }
    return 0;
}

void recording_close(struct recording *recording)
{
    for (int i = 0; i < RECORDING_FILES; i++)
        if (recording->fds[i] >= 0)
            close(recording->fds[i]);
    bytes_free(&recording->buffer);
    recording->fds[0] = recording->fds[1] = -1;
}

/* Behind what JSON takes as it is: at the first byte below 0x20, quote, backslash or DEL. */
static size_t plain_end(const uint8_t *text, size_t at, size_t size)
{
    while (size - at >= 8) {
        uint64_t word = scan_load(text + at);
        uint64_t found = scan_below(word, 0x20) | scan_equal(word, '"') | scan_equal(word, '\\') |
                         scan_equal(word, 0x7f);
        if (found)
            return at + scan_first(found);
        at += 8;
    }
    while (at < size && text[at] >= 0x20 && text[at] != '"' && text[at] != '\\' && text[at] != 0x7f)
        at++;
    return at;
}

static void add_json(struct bytes *out, const uint8_t *text, size_t size)
{
    size_t start = 0;
    for (size_t i = plain_end(text, 0, size); i < size; i = plain_end(text, start, size)) {
        uint8_t byte = text[i];
        bytes_add(out, text + start, i - start);
        start = i + 1;
        char escaped[8];
        switch (byte) {
        case '\n':
            bytes_add(out, "\\n", 2);
            break;
        case '\r':
            bytes_add(out, "\\r", 2);
            break;
        case '\t':
            bytes_add(out, "\\t", 2);
            break;
        case 0x1b:
            bytes_add(out, "\\u001b", 6);
            break;
        case '"':
        case '\\':
            escaped[0] = '\\';
            escaped[1] = (char)byte;
            bytes_add(out, escaped, 2);
            break;
        default:
            bytes_add(out, escaped, (size_t)snprintf(escaped, sizeof(escaped), "\\u%04x", byte));
            break;
        }
    }
    bytes_add(out, text + start, size - start);
}

static void begin_event(struct recording *recording, char code)
{
    char head[48];
    double time = wall_clock() - recording->start;
    int size = snprintf(head, sizeof(head), "[%.6f, \"%c\", \"", time > 0 ? time : 0, code);
    bytes_add(&recording->buffer, head, (size_t)size);
}

static void add_event(struct recording *recording, char code, const void *text, size_t size)
{
    begin_event(recording, code);
    add_json(&recording->buffer, text, size);
    bytes_add(&recording->buffer, "\"]\n", 3);
}

/* Output that is no plain text: what players show for it, then the exact bytes. */
static void add_broken(struct recording *recording, const uint8_t *bytes, size_t size)
{
    begin_event(recording, 'o');
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] < 0x80)
            add_json(&recording->buffer, bytes + i, 1);
        else if (i == 0 || bytes[i - 1] < 0x80)
            bytes_add(&recording->buffer, "\xef\xbf\xbd", 3);
    }
    bytes_add(&recording->buffer, "\"]\n", 3);
    begin_event(recording, 'b');
    uint8_t *room = bytes_room(&recording->buffer, BASE64_SIZE(size));
    if (room) {
        base64_encode((char *)room, bytes, size);
        recording->buffer.size += BASE64_SIZE(size);
    }
    bytes_add(&recording->buffer, "\"]\n", 3);
}

/* Length of a valid sequence at `at`, 0 when the end cuts it, -1 when it is broken (or U+FFFD). */
static int sequence_length(const uint8_t *at, size_t size)
{
    size_t length = utf8_length(at, size);
    if (length == 0)
        return utf8_broken(at, size) == 0 ? 0 : -1;
    return at[0] == 0xef && memcmp(at, "\xef\xbf\xbd", 3) == 0 ? -1 : (int)length;
}

/* Bytes of plain text from the start. */
static size_t plain_length(const uint8_t *bytes, size_t size, bool *cut)
{
    size_t at = 0;
    *cut = false;
    while (at < size) {
        while (size - at >= 8 && scan_ascii(scan_load(bytes + at)))
            at += 8;
        if (at == size)
            break;
        int length = sequence_length(bytes + at, size - at);
        if (length <= 0) {
            *cut = length == 0;
            break;
        }
        at += (size_t)length;
    }
    return at;
}

static void add_output(struct recording *recording, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        bool cut;
        size_t part = size < EVENT_BYTES ? size : EVENT_BYTES;
        size_t plain = plain_length(bytes, part, &cut);
        if (plain > 0) {
            add_event(recording, 'o', bytes, plain);
        } else if (cut && part == size) {
            memcpy(recording->tail, bytes, size);
            recording->tail_size = (uint8_t)size;
            return;
        } else {
            plain = size < BROKEN_BYTES ? size : BROKEN_BYTES;
            add_broken(recording, bytes, plain);
        }
        bytes += plain;
        size -= plain;
        recording->offset += plain;
    }
}

static void flush_tail(struct recording *recording)
{
    if (recording->tail_size == 0)
        return;
    add_broken(recording, recording->tail, recording->tail_size);
    recording->offset += recording->tail_size;
    recording->tail_size = 0;
}

static bool records(const struct recording *recording)
{
    return recording->fds[0] >= 0 && recording->begun && !recording->paused;
}

void recording_output(struct recording *recording, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    if (!records(recording)) {
        recording->offset += size;
        return;
    }
    if (recording->tail_size > 0) {
        uint8_t joined[sizeof(recording->tail)];
        size_t had = recording->tail_size, count = had;
        memcpy(joined, recording->tail, had);
        int length = 0;
        while (length == 0 && count - had < size && count < sizeof(joined)) {
            joined[count] = bytes[count - had];
            count++;
            length = sequence_length(joined, count);
        }
        recording->tail_size = 0;
        if (length < 0) /* the byte that broke it belongs to what follows */
            count = count - 1 > had ? count - 1 : had;
        if (length < 0) {
            add_broken(recording, joined, count);
            recording->offset += count;
        } else {
            add_output(recording, joined, count);
        }
        bytes += count - had;
        size -= count - had;
    }
    add_output(recording, bytes, size);
}

void recording_resize(struct recording *recording, int rows, int cols)
{
    char text[32];
    if (!records(recording))
        return;
    flush_tail(recording);
    int size = snprintf(text, sizeof(text), "%dx%d", cols, rows);
    add_event(recording, 'r', text, (size_t)size);
}

void recording_marker(struct recording *recording, const char *text)
{
    if (!records(recording))
        return;
    flush_tail(recording);
    add_event(recording, 'm', text, strlen(text));
}

static void add_redraw(struct recording *recording, struct terminal *terminal)
{
    struct bytes picture = {0};
    redraw(terminal, &picture);
    recording->buffer.failed |= picture.failed;
    size_t before = recording->buffer.size;
    add_event(recording, 'o', picture.data, picture.size);
    if (recording->buffer.size - before > RECORDING_LINE_MAX) { /* it could not be read again */
        recording->buffer.size = before;
        add_event(recording, 'o', "\033c", 2); /* an empty screen */
    }
    bytes_free(&picture);
}

static void add_header(struct recording *recording, const struct terminal *terminal)
{
    char text[512], epoch[2 * RECORDING_EPOCH + 1];
    for (size_t i = 0; i < RECORDING_EPOCH; i++)
        snprintf(epoch + 2 * i, 3, "%02x", recording->epoch[i]);
    double now = wall_clock();
    recording->start = (double)(uint64_t)now;
    int size = snprintf(text, sizeof(text),
                        "{\"version\": 2, \"width\": %d, \"height\": %d, \"timestamp\": %" PRIu64
                        ", \"env\": {\"TERM\": \"xterm-256color\"}, \"belljar\": {\"id\": \"%s\", "
                        "\"epoch\": \"%s\", \"offset\": %" PRIu64 ", \"sequence\": %" PRIu64
                        ", \"redraw\": true}}\n",
                        terminal->cols, terminal->rows, (uint64_t)now, recording->id, epoch,
                        recording->offset, recording->sequence);
    bytes_add(&recording->buffer, text, (size_t)size);
}

/* Writes the buffer behind what is there, the first one in place of it; leaves the file as it was
 * when that fails. */
static int write_buffer(struct recording *recording)
{
    size_t done = 0;
    int fd = recording->fds[recording->active];
    int status = recording->buffer.failed ? -ENOMEM : 0;
    if (status == 0 && recording->size == 0 && ftruncate(fd, 0) < 0)
        status = -errno;
    while (status == 0 && done < recording->buffer.size) {
        ssize_t count = pwrite(fd, recording->buffer.data + done, recording->buffer.size - done,
                               (off_t)(recording->size + done));
        if (count > 0)
            done += (size_t)count;
        else if (count == 0 || errno != EINTR)
            status = count == 0 ? -ENOSPC : -errno;
    }
    recording->buffer.size = 0;
    recording->buffer.failed = false;
    if (recording->buffer.capacity > 2 * ROTATE_SLACK)
        bytes_free(&recording->buffer);
    if (status == 0)
        recording->size += done;
    else if (ftruncate(fd, (off_t)recording->size) < 0)
        return status; /* the reader ignores a line that is cut short */
    return status;
}

/* What a file begins with is all that was before, in place of what is buffered. */
static void add_beginning(struct recording *recording, struct terminal *terminal)
{
    recording->sequence++;
    recording->buffer.size = 0;
    add_header(recording, terminal);
    add_redraw(recording, terminal);
}

static int begin_file(struct recording *recording, struct terminal *terminal)
{
    recording->size = 0;
    add_beginning(recording, terminal);
    return write_buffer(recording);
}

void recording_begin(struct recording *recording, struct terminal *terminal,
                     const uint8_t epoch[RECORDING_EPOCH], uint64_t offset)
{
    memcpy(recording->epoch, epoch, RECORDING_EPOCH);
    recording->offset = recording->safe = offset;
    recording->begun = true;
    recording->size = 0;
    recording->tail_size = 0;
    if (records(recording))
        add_beginning(recording, terminal);
}

/* The stream goes on at another place than it ended, or after a pause. */
static void add_resumption(struct recording *recording, struct terminal *terminal)
{
    char text[40];
    int size = snprintf(text, sizeof(text), "resumed %" PRIu64, recording->offset);
    add_event(recording, 'm', text, (size_t)size);
    size = snprintf(text, sizeof(text), "%dx%d", terminal->cols, terminal->rows);
    add_event(recording, 'r', text, (size_t)size);
    add_redraw(recording, terminal);
}

void recording_skip(struct recording *recording, struct terminal *terminal, uint64_t offset)
{
    if (records(recording))
        flush_tail(recording);
    recording->offset = offset;
    if (records(recording))
        add_resumption(recording, terminal);
}

static bool at_rest(const struct terminal *terminal, const struct recording *recording)
{
    return terminal->sequence.state == PARSE_GROUND && terminal->partial_size == 0 &&
           recording->tail_size == 0;
}

static int pause_recording(struct recording *recording, int status, struct bj_error *error)
{
    recording->paused = true;
    recording->retry_at = monotonic_ms() + RETRY_MS;
    recording->offset += recording->tail_size;
    recording->tail_size = 0;
    recording->safe = recording->offset;
    if (status == -ENOSPC || status == -EDQUOT)
        return bj_fail(
            error, status,
            "recording stopped: disk full (the agent goes on; make room and it resumes)");
    return bj_fail(error, status, "recording stopped: %s (the agent goes on)", strerror(-status));
}

/* The disk may have room again: goes on behind what is there. */
static int resume(struct recording *recording, struct terminal *terminal)
{
    if (monotonic_ms() < recording->retry_at || !at_rest(terminal, recording))
        return -EAGAIN;
    int status;
    if (recording->size == 0) { /* the first one, or one that lacks even its header */
        status = begin_file(recording, terminal);
    } else {
        add_resumption(recording, terminal);
        status = write_buffer(recording);
    }
    if (status < 0) {
        recording->retry_at = monotonic_ms() + RETRY_MS;
        return -EAGAIN;
    }
    recording->paused = false;
    recording->safe = recording->offset;
    return 0;
}

static bool rotation_due(const struct recording *recording, const struct terminal *terminal)
{
    uint64_t half = recording->limit / 2 > ROTATE_LEAST ? recording->limit / 2 : ROTATE_LEAST;
    /* Each file has half of the time, so that the other one is too old as a whole. */
    bool old = recording->age && wall_clock() - recording->start > (double)recording->age / 2;
    if (recording->size < half && !old)
        return false;
    return at_rest(terminal, recording) || recording->size > half + ROTATE_SLACK;
}

int recording_flush(struct recording *recording, struct terminal *terminal, bool whole,
                    struct bj_error *error)
{
    if (recording->fds[0] < 0 || !recording->begun) {
        recording->safe = recording->offset;
        return 0;
    }
    if (recording->paused) {
        recording->safe = recording->offset;
        return resume(recording, terminal);
    }
    int status = 0;
    if (whole)
        flush_tail(recording);
    if (recording->buffer.size > 0)
        status = write_buffer(recording);
    if (status == 0 && rotation_due(recording, terminal)) {
        recording->active = 1 - recording->active;
        status = begin_file(recording, terminal);
    }
    if (status < 0)
        return pause_recording(recording, status, error);
    recording->safe = recording->offset;
    return 0;
}
