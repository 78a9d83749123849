#include "mux/egress/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IN_CAPACITY  (2 * 68 * 1024) /* two of the link's greatest frames */
#define BACKLOG_MAX  (256U * 1024)   /* waiting for the monitor, before streams must wait too */
#define BACKLOG_LEFT (64U * 1024)    /* and when they may go on */

struct write {
    uv_write_t request;
    size_t size;
    char *bytes;
};

static size_t backlog(const struct streams *set)
{
    return set->flying + set->out.size;
}

static void set_fail(struct streams *set, int code, const char *text)
{
    if (!set->closing)
        bj_fail(&set->why, code, "%s", text);
    streams_close(set);
}

static void on_pipe_closed(uv_handle_t *handle)
{
    struct streams *set = handle->data;
    free(set->in);
    set->in = NULL;
    msgpack_sbuffer_destroy(&set->out);
    set->open = false;
    struct bj_error why = set->why;
    set->events->lost(set, &why);
}

static void stream_forget(struct stream *stream)
{
    struct streams *set = stream->set;
    for (size_t i = 0; i < BJ_STREAMS_MAX; i++) {
        if (set->table[i] == stream) {
            set->table[i] = NULL;
            set->count--;
            break;
        }
    }
    buffer_free(&stream->waiting);
    stream->set = NULL;
}

void streams_close(struct streams *set)
{
    if (set->closing)
        return;
    set->closing = true;
    for (size_t i = 0; i < BJ_STREAMS_MAX; i++) {
        struct stream *stream = set->table[i];
        if (!stream)
            continue;
        stream_forget(stream);
        set->events->closed(stream);
    }
    uv_close((uv_handle_t *)&set->pipe, on_pipe_closed);
}

static void flush_all(struct streams *set);

static void on_written(uv_write_t *request, int status)
{
    struct write *write = (struct write *)request;
    struct streams *set = request->handle->data;
    set->flying -= write->size;
    free(write->bytes);
    free(write);
    if (set->closing)
        return;
    if (status < 0)
        set_fail(set, status, uv_strerror(status));
    else if (set->full && backlog(set) <= BACKLOG_LEFT)
        flush_all(set);
}

/* Gives what is encoded to the kernel, or to libuv when that takes no more. */
static void set_send(struct streams *set)
{
    if (set->closing || set->out.size == 0)
        return;
    size_t taken = 0;
    if (set->flying == 0) {
        uv_buf_t part = uv_buf_init(set->out.data, (unsigned)set->out.size);
        int status = uv_try_write((uv_stream_t *)&set->pipe, &part, 1);
        if (status < 0 && status != UV_EAGAIN) {
            set_fail(set, status, uv_strerror(status));
            return;
        }
        taken = status > 0 ? (size_t)status : 0;
        if (taken == set->out.size) {
            msgpack_sbuffer_destroy(&set->out);
            msgpack_sbuffer_init(&set->out);
            return;
        }
    }
    struct write *write = calloc(1, sizeof(*write));
    if (!write) {
        set_fail(set, -ENOMEM, "out of memory");
        return;
    }
    write->size = set->out.size - taken;
    uv_buf_t part = uv_buf_init(set->out.data + taken, (unsigned)write->size);
    write->bytes = msgpack_sbuffer_release(&set->out);
    int status = uv_write(&write->request, (uv_stream_t *)&set->pipe, &part, 1, on_written);
    if (status < 0) {
        free(write->bytes);
        free(write);
        set_fail(set, status, uv_strerror(status));
        return;
    }
    set->flying += write->size;
    if (backlog(set) > BACKLOG_MAX)
        set->full = true;
}

static void set_message(struct streams *set, const struct bj_message *message)
{
    if (set->closing)
        return;
    if (bj_message_encode(message, &set->out) < 0) {
        set_fail(set, -ENOMEM, "out of memory");
        return;
    }
    set_send(set);
}

/* The monitor is told why before the socket closes. */
static void set_protocol_error(struct streams *set, const struct bj_error *why)
{
    size_t size = strnlen(why->text, 511);
    struct bj_message message = {.type = BJ_ERROR, .channel = BJ_CHANNEL_CONTROL};
    message.field[BJ_ERROR_TEXT] = (struct bj_field){.data = why->text, .size = (uint32_t)size};
    set_message(set, &message);
    set_fail(set, -EPROTO, why->text);
}

static void send_data(struct stream *stream, const char *bytes, size_t size)
{
    while (size > 0 && stream->set) {
        size_t part = size < BJ_DATA_MAX ? size : BJ_DATA_MAX;
        struct bj_message message = {.type = BJ_DATA, .channel = stream->channel};
        message.field[BJ_DATA_OFFSET].u = stream->sender.next;
        message.field[BJ_DATA_BYTES] = (struct bj_field){.data = bytes, .size = (uint32_t)part};
        stream->sender.next += part;
        bytes += part;
        size -= part;
        set_message(stream->set, &message);
    }
}

static void send_plain(struct stream *stream, enum bj_message_type type)
{
    struct bj_message message = {.type = type, .channel = stream->channel};
    set_message(stream->set, &message);
}

size_t stream_room(const struct stream *stream)
{
    if (!stream->set || stream->set->full || buffer_size(&stream->waiting) > 0)
        return 0;
    return bj_sender_allowed(&stream->sender, SIZE_MAX);
}

/* Sends what waits, as far as the credit goes, and the EOF behind it. */
static void stream_flush(struct stream *stream)
{
    while (stream->set && !stream->set->full && buffer_size(&stream->waiting) > 0) {
        size_t part = bj_sender_allowed(&stream->sender, buffer_size(&stream->waiting));
        if (part == 0)
            return;
        if (part > BJ_DATA_MAX)
            part = BJ_DATA_MAX;
        send_data(stream, buffer_data(&stream->waiting), part);
        if (stream->set)
            buffer_take(&stream->waiting, part);
    }
    if (stream->set && stream->want_eof && !stream->sent_eof &&
        buffer_size(&stream->waiting) == 0) {
        stream->sent_eof = true;
        send_plain(stream, BJ_EOF);
    }
}

static void stream_advance(struct stream *stream)
{
    stream_flush(stream);
    if (stream->set && !stream->want_eof && stream_room(stream) > 0)
        stream->set->events->writable(stream);
}

static void flush_all(struct streams *set)
{
    set->full = false;
    set->turn = (set->turn + 1) % BJ_STREAMS_MAX;
    for (size_t i = 0; i < BJ_STREAMS_MAX && !set->full && !set->closing; i++) {
        struct stream *stream = set->table[(set->turn + i) % BJ_STREAMS_MAX];
        if (stream)
            stream_advance(stream);
    }
}

void stream_write(struct stream *stream, const void *bytes, size_t size)
{
    if (!stream->set || stream->want_eof)
        return;
    size_t part = size < stream_room(stream) ? size : stream_room(stream);
    send_data(stream, bytes, part);
    if (!stream->set || part == size)
        return;
    if (buffer_append(&stream->waiting, (const char *)bytes + part, size - part) < 0)
        set_fail(stream->set, -ENOMEM, "out of memory");
}

void stream_eof(struct stream *stream)
{
    stream->want_eof = true;
    stream_flush(stream);
}

void stream_consumed(struct stream *stream, size_t size)
{
    stream->consumed += size;
    if (!stream->set || !bj_receiver_refill(&stream->receiver, stream->consumed))
        return;
    struct bj_message message = {.type = BJ_CREDIT, .channel = stream->channel};
    message.field[BJ_CREDIT_LIMIT].u = stream->receiver.limit;
    set_message(stream->set, &message);
}

void stream_close(struct stream *stream, const char *reason)
{
    struct streams *set = stream->set;
    if (!set)
        return;
    struct bj_message message = {.type = BJ_CLOSE, .channel = stream->channel};
    message.field[BJ_CLOSE_REASON] =
        (struct bj_field){.data = reason, .size = (uint32_t)strnlen(reason, 1024)};
    /* Forgotten first: a failing write closes all streams, of which this is none any more. */
    stream_forget(stream);
    set_message(set, &message);
}

static int on_open(struct streams *set, const struct bj_message *message, struct bj_error *error)
{
    const struct bj_field *kind = &message->field[BJ_OPEN_KIND];
    if (kind->size != strlen(STREAM_KIND) || memcmp(kind->data, STREAM_KIND, kind->size) != 0)
        return bj_fail(error, -EPROTO, "OPEN of another kind than " STREAM_KIND);
    if (message->channel < BJ_CHANNEL_FIRST_FREE || message->channel >= BJ_CHANNEL_FIRST_HOST)
        return bj_fail(error, -EPROTO, "OPEN of a channel that the sandbox may not open");
    size_t slot = BJ_STREAMS_MAX;
    for (size_t i = 0; i < BJ_STREAMS_MAX; i++) {
        if (!set->table[i])
            slot = i;
        else if (set->table[i]->channel == message->channel)
            return bj_fail(error, -EPROTO, "OPEN of a channel that is open");
    }
    if (slot == BJ_STREAMS_MAX)
        return bj_fail(error, -EPROTO, "more than %u open streams", BJ_STREAMS_MAX);
    if (message->channel > set->highest)
        set->highest = message->channel;

    struct stream *stream = set->events->opened(set);
    if (!stream) {
        struct bj_message close = {.type = BJ_CLOSE, .channel = message->channel};
        static const char reason[] = "out of memory";
        close.field[BJ_CLOSE_REASON] =
            (struct bj_field){.data = reason, .size = sizeof(reason) - 1};
        set_message(set, &close);
        return 0;
    }
    stream->set = set;
    stream->channel = message->channel;
    stream->sender.limit = BJ_STREAM_WINDOW;
    stream->receiver.limit = stream->receiver.window = BJ_STREAM_WINDOW;
    set->table[slot] = stream;
    set->count++;
    return 0;
}

static int on_data(struct stream *stream, const struct bj_message *message, struct bj_error *error)
{
    const struct bj_field *bytes = &message->field[BJ_DATA_BYTES];
    if (stream->received_eof)
        return bj_fail(error, -EPROTO, "DATA after EOF");
    int status = bj_receiver_on_data(&stream->receiver, message->field[BJ_DATA_OFFSET].u,
                                     bytes->size, error);
    if (status == 0)
        stream->set->events->data(stream, bytes->data, bytes->size);
    return status;
}

static int on_eof(struct stream *stream, struct bj_error *error)
{
    if (stream->received_eof)
        return bj_fail(error, -EPROTO, "EOF twice");
    stream->received_eof = true;
    stream->set->events->eof(stream);
    return 0;
}

static int on_credit(struct stream *stream, const struct bj_message *message,
                     struct bj_error *error)
{
    int status = bj_sender_on_credit(&stream->sender, message->field[BJ_CREDIT_LIMIT].u, error);
    if (status == 0)
        stream_advance(stream);
    return status;
}

static int on_message(struct streams *set, const struct bj_message *message, struct bj_error *error)
{
    if (message->type == BJ_OPEN)
        return on_open(set, message, error);
    if (message->type == BJ_ERROR) { /* the monitor's last word, e.g. that the link is lost */
        streams_close(set);
        return 0;
    }
    if (message->type != BJ_DATA && message->type != BJ_CREDIT && message->type != BJ_EOF &&
        message->type != BJ_CLOSE)
        return bj_fail(error, -EPROTO, "a message that does not belong on a stream");

    struct stream *stream = NULL;
    for (size_t i = 0; i < BJ_STREAMS_MAX && !stream; i++)
        if (set->table[i] && set->table[i]->channel == message->channel)
            stream = set->table[i];
    if (!stream) {
        /* The sandbox may have sent it before it read our CLOSE. */
        if (message->channel >= BJ_CHANNEL_FIRST_FREE && message->channel <= set->highest)
            return 0;
        return bj_fail(error, -EPROTO, "a message for a channel that was never opened");
    }
    switch (message->type) {
    case BJ_DATA:
        return on_data(stream, message, error);
    case BJ_CREDIT:
        return on_credit(stream, message, error);
    case BJ_EOF:
        return on_eof(stream, error);
    default:
        stream_forget(stream);
        set->events->closed(stream);
        return 0;
    }
}

static void consume(struct streams *set)
{
    size_t start = 0;
    while (!set->closing) {
        struct bj_error error = {0};
        size_t end;
        int found = bj_frame_scan(&set->frame, &bj_frame_limits_link, set->in + start,
                                  set->in_size - start, &end, &error);
        if (found == 0)
            break;
        struct bj_message message;
        if (found < 0 ||
            bj_message_decode(&message, BJ_SIDE_SHIM, set->in + start, end, &error) < 0 ||
            on_message(set, &message, &error) < 0) {
            set_protocol_error(set, &error);
            return;
        }
        start += end;
        bj_frame_reset(&set->frame);
    }
    memmove(set->in, set->in + start, set->in_size - start);
    set->in_size -= start;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)suggested;
    struct streams *set = handle->data;
    /* Never empty: a frame over its limit is refused before it could fill this. */
    *out = uv_buf_init((char *)set->in + set->in_size, (unsigned)(IN_CAPACITY - set->in_size));
}

static void on_read(uv_stream_t *pipe, ssize_t size, const uv_buf_t *bytes)
{
    (void)bytes;
    struct streams *set = pipe->data;
    if (size == UV_EOF || size == UV_ECONNRESET) {
        streams_close(set);
    } else if (size < 0) {
        set_fail(set, (int)size, uv_strerror((int)size));
    } else {
        set->in_size += (size_t)size;
        consume(set);
    }
}

int streams_open(struct streams *set, uv_loop_t *loop, int descriptor,
                 const struct stream_events *events, void *owner, struct bj_error *error)
{
    *set = (struct streams){.events = events, .owner = owner, .open = true};
    msgpack_sbuffer_init(&set->out);
    bj_frame_reset(&set->frame);
    set->in = malloc(IN_CAPACITY);
    int status = set->in ? uv_pipe_init(loop, &set->pipe, 0) : UV_ENOMEM;
    if (status < 0) {
        free(set->in);
        set->in = NULL;
        set->open = false;
        close(descriptor);
        return bj_fail(error, status, "cannot open the stream socket: %s", uv_strerror(status));
    }
    set->pipe.data = set;
    status = uv_pipe_open(&set->pipe, descriptor);
    if (status < 0)
        close(descriptor);
    else
        status = uv_read_start((uv_stream_t *)&set->pipe, on_alloc, on_read);
    if (status < 0) /* the handle closes asynchronously, and `lost` tells */
        set_fail(set, status, uv_strerror(status));
    return 0;
}
