#include "tui/bridge/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport/channel.h"

#define FULL (256U * 1024) /* bytes that wait to be sent, from which on locals are not read */
#define ROOM (BJ_DATA_MAX + 4096U)

struct line_channel {
    struct line *line;
    struct line_channel *next;
    uint32_t number;
    uv_pipe_t local;
    bool reading;
    bool ending; /* the other end closed it: what came is still written, then the local ends */
    struct bj_sender out;
    struct bj_receiver in;
    uint64_t written; /* bytes that the local end took */
    uv_shutdown_t shutdown;
};

struct line_write {
    uv_write_t request;
    struct line_channel *channel; /* NULL: to the line itself */
    size_t size;
    char bytes[];
};

static void update_reading(struct line_channel *channel);

/* ---- the end ---- */

static void fail(struct line *line, int code, const char *text)
{
    if (line->closing)
        return;
    bj_fail(&line->why, code, "%s", text);
    line_close(line);
}

static void on_handle_closed(struct line *line)
{
    if (--line->handles > 0)
        return;
    free(line->bytes);
    line->bytes = NULL;
    struct bj_error why = line->why;
    line->events->ended(line, &why);
}

static void on_pipe_closed(uv_handle_t *handle)
{
    on_handle_closed(handle->data);
}

static void on_local_closed(uv_handle_t *handle)
{
    struct line_channel *channel = handle->data;
    struct line *line = channel->line;
    free(channel);
    on_handle_closed(line);
}

/* Takes a channel off the list; libuv still knows it until it is closed. */
static void discard(struct line_channel *channel)
{
    struct line *line = channel->line;
    for (struct line_channel **at = &line->channels; *at; at = &(*at)->next)
        if (*at == channel) {
            *at = channel->next;
            line->channel_count--;
            break;
        }
    if (!uv_is_closing((uv_handle_t *)&channel->local))
        uv_close((uv_handle_t *)&channel->local, on_local_closed);
}

void line_close(struct line *line)
{
    if (line->closing)
        return;
    line->closing = true;
    while (line->channels)
        discard(line->channels);
    uv_close((uv_handle_t *)&line->in, on_pipe_closed);
    uv_close((uv_handle_t *)&line->out, on_pipe_closed);
}

/* ---- sending ---- */

static void update_all(struct line *line)
{
    bool full = line->flying > (line->full ? FULL / 2 : FULL);
    if (full == line->full)
        return;
    line->full = full;
    for (struct line_channel *at = line->channels; at; at = at->next)
        update_reading(at);
}

static void on_sent(uv_write_t *request, int status)
{
    struct line_write *write = (struct line_write *)request;
    struct line *line = request->handle->data;
    line->flying -= write->size;
    free(write);
    if (status < 0 && !line->closing)
        fail(line, status, uv_strerror(status));
    if (!line->closing)
        update_all(line);
}

static void send_bytes(struct line *line, const void *head, size_t head_size, const void *body,
                       size_t body_size)
{
    if (line->closing)
        return;
    struct line_write *write = malloc(sizeof(*write) + head_size + body_size);
    if (!write) {
        fail(line, -ENOMEM, "out of memory");
        return;
    }
    *write = (struct line_write){.size = head_size + body_size};
    memcpy(write->bytes, head, head_size);
    if (body_size > 0)
        memcpy(write->bytes + head_size, body, body_size);
    uv_buf_t part = uv_buf_init(write->bytes, (unsigned)write->size);
    int status = uv_write(&write->request, (uv_stream_t *)&line->out, &part, 1, on_sent);
    if (status < 0) {
        free(write);
        fail(line, status, uv_strerror(status));
        return;
    }
    line->flying += write->size;
    update_all(line);
}

void line_send(struct line *line, const struct bj_message *message)
{
    msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    int status = bj_message_encode(message, &buffer);
    if (status < 0)
        fail(line, status, "cannot make a message for the other end");
    else
        send_bytes(line, buffer.data, buffer.size, NULL, 0);
    msgpack_sbuffer_destroy(&buffer);
}

static void send_credit(struct line_channel *channel)
{
    struct bj_message message = {.type = BJ_CREDIT, .channel = channel->number};
    message.field[BJ_CREDIT_LIMIT].u = channel->in.limit;
    line_send(channel->line, &message);
}

static struct bj_field text_field(const char *text)
{
    return (struct bj_field){.data = text, .size = (uint32_t)strlen(text)};
}

void line_refuse(struct line *line, uint32_t number, const char *reason)
{
    struct bj_message message = {.type = BJ_CLOSE, .channel = number};
    message.field[BJ_CLOSE_REASON] = text_field(reason);
    line_send(line, &message);
}

/* The local end is gone. */
static void drop(struct line_channel *channel)
{
    uint32_t number = channel->number;
    struct line *line = channel->line;
    discard(channel);
    line_refuse(line, number, "");
}

/* ---- from a local stream to the line ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct line_channel *channel = handle->data;
    size_t room = bj_sender_allowed(&channel->out, BJ_DATA_MAX);
    *buffer = uv_buf_init(channel->line->piece, (unsigned)room);
}

static void on_local_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct line_channel *channel = stream->data;
    struct line *line = channel->line;
    if (size < 0) {
        drop(channel);
        return;
    }
    if (size == 0)
        return;
    uint8_t head[BJ_DATA_HEAD_MAX];
    size_t length = bj_message_data_head(head, channel->number, channel->out.next, (uint32_t)size);
    channel->out.next += (uint64_t)size;
    send_bytes(line, head, length, buffer->base, (size_t)size);
    if (!line->closing)
        update_reading(channel);
}

/* A local stream is read while the other end takes something and the line is not full. */
static void update_reading(struct line_channel *channel)
{
    bool wanted =
        !channel->ending && !channel->line->full && bj_sender_allowed(&channel->out, 1) > 0;
    if (wanted == channel->reading)
        return;
    channel->reading = wanted;
    if (wanted)
        uv_read_start((uv_stream_t *)&channel->local, on_alloc, on_local_read);
    else
        uv_read_stop((uv_stream_t *)&channel->local);
}

/* ---- from the line to a local stream ---- */

static void on_written(uv_write_t *request, int status)
{
    struct line_write *write = (struct line_write *)request;
    struct line_channel *channel = write->channel;
    size_t size = write->size;
    free(write);
    if (uv_is_closing((uv_handle_t *)&channel->local) || channel->ending)
        return;
    if (status < 0) {
        /* Nobody listens any more. What it said last is still to be read, if it is read at all. */
        if (!channel->reading)
            drop(channel);
        return;
    }
    channel->written += size;
    if (bj_receiver_refill(&channel->in, channel->written))
        send_credit(channel);
}

static int on_data(struct line_channel *channel, const struct bj_message *message,
                   struct bj_error *error)
{
    const struct bj_field *bytes = &message->field[BJ_DATA_BYTES];
    int status =
        bj_receiver_on_data(&channel->in, message->field[BJ_DATA_OFFSET].u, bytes->size, error);
    if (status < 0)
        return status;
    struct line_write *write = malloc(sizeof(*write) + bytes->size);
    if (!write)
        return bj_fail(error, -ENOMEM, "out of memory");
    *write = (struct line_write){.channel = channel, .size = bytes->size};
    memcpy(write->bytes, bytes->data, bytes->size);
    uv_buf_t part = uv_buf_init(write->bytes, bytes->size);
    if (uv_write(&write->request, (uv_stream_t *)&channel->local, &part, 1, on_written) < 0)
        free(write); /* as above */
    return 0;
}

static void on_shut(uv_shutdown_t *request, int status)
{
    (void)status;
    struct line_channel *channel = request->data;
    if (!uv_is_closing((uv_handle_t *)&channel->local))
        discard(channel);
}

static void on_close(struct line_channel *channel, const struct bj_message *message)
{
    struct line *line = channel->line;
    const struct bj_field *reason = &message->field[BJ_CLOSE_REASON];
    channel->ending = true;
    update_reading(channel);
    if (line->events->dropped)
        line->events->dropped(line, reason->data, reason->size);
    channel->shutdown.data = channel;
    if (uv_shutdown(&channel->shutdown, (uv_stream_t *)&channel->local, on_shut) < 0)
        discard(channel);
}

static int on_credit(struct line_channel *channel, const struct bj_message *message,
                     struct bj_error *error)
{
    int status = bj_sender_on_credit(&channel->out, message->field[BJ_CREDIT_LIMIT].u, error);
    if (status == 0)
        update_reading(channel);
    return status;
}

static struct line_channel *find(const struct line *line, uint32_t number)
{
    for (struct line_channel *at = line->channels; at; at = at->next)
        if (at->number == number)
            return at;
    return NULL;
}

static int on_channel(struct line *line, const struct bj_message *message, struct bj_error *error)
{
    struct line_channel *channel = find(line, message->channel);
    if (message->channel == BJ_CHANNEL_CONTROL || message->channel > line->highest)
        return bj_fail(error, -EPROTO, "a message for channel %u, which nobody opened",
                       message->channel);
    if (!channel) {
        /* Closed here while this was on its way; the far end may have joined it only now. */
        if (message->type == BJ_CREDIT && line->events->peer == BJ_SIDE_FAR)
            line_refuse(line, message->channel, "");
        return 0;
    }
    if (channel->ending && message->type == BJ_CLOSE)
        return 0;
    if (channel->ending)
        return bj_fail(error, -EPROTO, "a message for channel %u behind its CLOSE",
                       message->channel);
    if (message->type == BJ_DATA)
        return on_data(channel, message, error);
    if (message->type == BJ_CREDIT)
        return on_credit(channel, message, error);
    on_close(channel, message);
    return 0;
}

static int on_message(struct line *line, const struct bj_message *message, struct bj_error *error)
{
    switch (message->type) {
    case BJ_DATA:
    case BJ_CREDIT:
    case BJ_CLOSE:
        return on_channel(line, message, error);
    case BJ_DIAL:
        if (message->channel <= line->highest)
            return bj_fail(error, -EPROTO, "DIAL of channel %u, which was used", message->channel);
        line->highest = message->channel;
        return line->events->message(line, message, error);
    case BJ_GREET:
        return line->events->message(line, message, error);
    default:
        return bj_fail(error, -EPROTO, "a message of type %d", (int)message->type);
    }
}

/* ---- receiving ---- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct line *line = handle->data;
    *buffer = uv_buf_init((char *)line->bytes + line->size, (unsigned)(ROOM - line->size));
}

static void take_messages(struct line *line)
{
    size_t start = 0, size;
    struct bj_error error = {0};
    while (!line->closing) {
        struct bj_message message;
        int status = bj_frame_scan(&line->frame, &bj_frame_limits_link, line->bytes + start,
                                   line->size - start, &size, &error);
        if (status == 0)
            break;
        if (status > 0) {
            bj_frame_reset(&line->frame);
            status =
                bj_message_decode(&message, line->events->peer, line->bytes + start, size, &error);
        }
        if (status == 0)
            status = on_message(line, &message, &error);
        if (status < 0) {
            fail(line, status, error.text);
            return;
        }
        start += size;
    }
    if (line->closing)
        return;
    line->size -= start;
    memmove(line->bytes, line->bytes + start, line->size);
}

static void on_line_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    (void)buffer;
    struct line *line = stream->data;
    if (size == UV_EOF || size == UV_ECONNRESET) {
        line_close(line);
    } else if (size < 0) {
        fail(line, (int)size, uv_strerror((int)size));
    } else {
        line->size += (size_t)size;
        take_messages(line);
    }
}

/* ---- beginnings ---- */

static struct line_channel *make(struct line *line, uint32_t number, int descriptor)
{
    struct line_channel *channel = NULL;
    if (!line->closing && line->channel_count < BJ_BRIDGE_CHANNELS)
        channel = calloc(1, sizeof(*channel));
    if (!channel) {
        close(descriptor);
        return NULL;
    }
    uv_pipe_init(line->in.loop, &channel->local, 0);
    channel->line = line;
    channel->number = number;
    channel->local.data = channel;
    channel->in = (struct bj_receiver){.window = BJ_STREAM_WINDOW};
    channel->next = line->channels;
    line->channels = channel;
    line->channel_count++;
    line->handles++;
    if (uv_pipe_open(&channel->local, descriptor) < 0) {
        close(descriptor);
        discard(channel);
        return NULL;
    }
    return channel;
}

void line_dial(struct line *line, int descriptor, const char *service, const char *id)
{
    if (line->highest == BJ_CHANNEL_MAX) {
        close(descriptor);
        fail(line, -EOVERFLOW, "all channel numbers of the bridge are used up");
        return;
    }
    uint32_t number = line->highest + 1;
    struct line_channel *channel = make(line, number, descriptor);
    if (!channel)
        return;
    line->highest = number;
    channel->in.limit = BJ_STREAM_WINDOW;
    struct bj_message message = {.type = BJ_DIAL, .channel = number};
    message.field[BJ_DIAL_SERVICE] = text_field(service);
    message.field[BJ_DIAL_ID] = text_field(id);
    line_send(line, &message);
}

void line_join(struct line *line, uint32_t number, int descriptor)
{
    struct line_channel *channel = make(line, number, descriptor);
    if (!channel) {
        line_refuse(line, number, "no room for one more connection");
        return;
    }
    channel->out.limit = BJ_STREAM_WINDOW;
    bj_receiver_refill(&channel->in, 0);
    send_credit(channel);
    if (!line->closing)
        update_reading(channel);
}

static int open_pipe(struct line *line, uv_loop_t *loop, uv_pipe_t *pipe, int descriptor)
{
    uv_pipe_init(loop, pipe, 0);
    line->handles++;
    pipe->data = line;
    int status = uv_pipe_open(pipe, descriptor);
    if (status < 0)
        close(descriptor);
    return status;
}

void line_open(struct line *line, uv_loop_t *loop, int in, int out,
               const struct line_events *events, void *owner)
{
    *line = (struct line){.events = events, .owner = owner};
    bj_frame_reset(&line->frame);
    line->bytes = malloc(ROOM);
    int first = open_pipe(line, loop, &line->in, in);
    int second = open_pipe(line, loop, &line->out, out);
    int status = !line->bytes ? -ENOMEM : first < 0 ? first : second;
    if (status == 0)
        status = uv_read_start((uv_stream_t *)&line->in, on_room, on_line_read);
    if (status < 0)
        fail(line, status, uv_strerror(status));
}
