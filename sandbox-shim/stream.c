#include "sandbox-shim/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox-shim/proxy.h"

void stream_open(struct stream *stream, int fd, int in_fd, struct exec *exec)
{
    *stream = (struct stream){.used = true, .fd = fd, .in_fd = in_fd, .exec = exec};
    stream->out.limit = BJ_STREAM_WINDOW;
    stream->in.window = stream->in.limit = BJ_STREAM_WINDOW;
}

static void forget(struct stream *stream)
{
    bj_ring_free(&stream->held);
    exec_free(stream->exec);
    *stream = (struct stream){0};
}

static void close_input(struct stream *stream)
{
    if (stream->in_fd >= 0 && stream->exec)
        close(stream->in_fd);
    else if (stream->in_fd >= 0)
        shutdown(stream->in_fd, SHUT_WR);
    stream->in_fd = -1;
    bj_ring_free(&stream->held);
}

static void finish(struct stream *stream)
{
    close_input(stream);
    close(stream->fd);
    forget(stream);
}

void stream_abort(struct stream *stream)
{
    if (stream->exec) {
        finish(stream);
    } else {
        proxy_reset(stream->fd);
        forget(stream);
    }
}

/* The inner end takes no more. A program may have closed its input and go on, so what is meant for
 * it is dropped; a connection is gone. */
static void on_write_error(struct stream *stream)
{
    if (!stream->exec)
        stream->gone = "the connection was reset inside";
    close_input(stream);
}

/* Returns how much the inner end took of it; the stream may have lost its input meanwhile. */
static size_t pass_on(struct stream *stream, const void *bytes, size_t size)
{
    size_t written = 0;
    while (written < size && stream->in_fd >= 0) {
        ssize_t part = write(stream->in_fd, (const char *)bytes + written, size - written);
        if (part >= 0)
            written += (size_t)part;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            on_write_error(stream);
    }
    return written;
}

void stream_write(struct stream *stream)
{
    struct iovec pieces[2];
    struct bj_ring *held = &stream->held;
    while (bj_ring_used(held) > 0 &&
           bj_ring_peek(held, held->start, bj_ring_used(held), pieces) > 0) {
        size_t written = pass_on(stream, pieces[0].iov_base, pieces[0].iov_len);
        if (stream->in_fd < 0) /* and nothing is held any more */
            break;
        bj_ring_release(held, held->start + written);
        if (written < pieces[0].iov_len)
            return;
    }
    bj_ring_free(held);
    if (stream->in_eof)
        close_input(stream);
    if (stream->linger)
        finish(stream);
}

static int on_data(struct stream *stream, const struct bj_message *message, struct bj_error *error)
{
    const struct bj_field *bytes = &message->field[BJ_DATA_BYTES];
    if (stream->in_eof)
        return bj_fail(error, -EPROTO, "DATA behind EOF on channel %u", message->channel);
    int status =
        bj_receiver_on_data(&stream->in, message->field[BJ_DATA_OFFSET].u, bytes->size, error);
    if (status < 0)
        return status;
    if (stream->gone) /* something before it is missing */
        return 0;
    size_t written = 0;
    if (bj_ring_used(&stream->held) == 0)
        written = pass_on(stream, bytes->data, bytes->size);
    if (written == bytes->size || stream->in_fd < 0)
        return 0;
    if (!stream->held.bytes && bj_ring_init(&stream->held, BJ_STREAM_WINDOW) < 0)
        stream->gone = "no memory inside the sandbox";
    else /* it fits: the credit never goes beyond the ring's room */
        bj_ring_write(&stream->held, bytes->data + written, bytes->size - written);
    return 0;
}

static int on_eof(struct stream *stream, const struct bj_message *message, struct bj_error *error)
{
    if (stream->in_eof)
        return bj_fail(error, -EPROTO, "a second EOF on channel %u", message->channel);
    stream->in_eof = true;
    if (!stream->gone)
        stream_write(stream);
    return 0;
}

/* What came before an EOF is whole and still reaches a slow reader; without one, the inner end must
 * see that something is missing. */
static void on_close(struct stream *stream)
{
    if (stream->exec || !stream->in_eof || stream->gone) {
        stream_abort(stream);
    } else if (bj_ring_used(&stream->held) == 0) {
        finish(stream);
    } else {
        stream->linger = true;
        stream->channel = 0;
    }
}

int stream_take(struct stream *stream, const struct bj_message *message, struct bj_error *error)
{
    switch (message->type) {
    case BJ_DATA:
        return on_data(stream, message, error);
    case BJ_CREDIT:
        return bj_sender_on_credit(&stream->out, message->field[BJ_CREDIT_LIMIT].u, error);
    case BJ_EOF:
        return on_eof(stream, message, error);
    case BJ_CLOSE:
        on_close(stream);
        return 0;
    default:
        return bj_fail(error, -EPROTO, "message %d for channel %u, which is a stream",
                       message->type, message->channel);
    }
}

void stream_on_exec_end(struct stream *stream, const siginfo_t *info)
{
    exec_on_end(stream->exec, info);
    stream->readable = true;
}

static void send_data(struct stream *stream, const void *bytes, size_t size, struct link *link,
                      int64_t now)
{
    struct bj_message message = {.type = BJ_DATA, .channel = stream->channel};
    message.field[BJ_DATA_OFFSET].u = stream->out.next;
    message.field[BJ_DATA_BYTES].data = bytes;
    message.field[BJ_DATA_BYTES].size = (uint32_t)size;
    stream->out.next += size;
    link_send(link, &message, now);
}

/* Reads and sends up to one turn, or tells the end. */
static bool speak_bytes(struct stream *stream, struct link *link, int64_t now)
{
    static char bytes[STREAM_TURN];
    size_t size = bj_sender_allowed(&stream->out, sizeof(bytes));
    if (size == 0)
        return false;
    ssize_t got;
    do
        got = read(stream->fd, bytes, size);
    while (got < 0 && errno == EINTR);
    /* Once a program has ended, nothing there is the end, too: who escaped from its group may hold
     * the other end for ever. */
    bool left = stream->exec && stream->exec->pid == 0;
    if (got > 0) {
        stream->readable = left || stream->hung || (size_t)got == size;
        send_data(stream, bytes, (size_t)got, link, now);
        return true;
    }
    if (got < 0 && errno == EAGAIN && !left) {
        stream->readable = false;
        return false;
    }
    if (got < 0 && errno != EAGAIN) {
        stream->gone = "the connection was reset inside";
        return false;
    }
    stream->out_eof = true;
    link_send_uints(link, BJ_EOF, stream->channel, 0, NULL, now);
    return true;
}

static void speak_close(struct stream *stream, struct link *link, int64_t now)
{
    char text[EXEC_REASON_MAX];
    const char *gone = stream->gone ? stream->gone : "";
    struct bj_message message = {.type = BJ_CLOSE, .channel = stream->channel};
    struct bj_field *reason = &message.field[BJ_CLOSE_REASON];
    *reason = (struct bj_field){.data = gone, .size = (uint32_t)strlen(gone)};
    if (stream->exec && !stream->gone)
        *reason =
            (struct bj_field){.data = text, .size = (uint32_t)exec_reason(stream->exec, text)};
    link_send(link, &message, now);
    if (stream->gone)
        stream_abort(stream);
    else
        finish(stream);
}

static bool ended(const struct stream *stream)
{
    if (stream->gone)
        return true;
    if (stream->exec)
        return stream->out_eof && stream->exec->pid == 0;
    return stream->out_eof && stream->in_eof && stream->in_fd < 0;
}

bool stream_speak(struct stream *stream, struct link *link, int64_t now)
{
    if (stream->channel == 0)
        return false;
    uint64_t consumed = stream->in.next - bj_ring_used(&stream->held);
    if (!stream->gone && !stream->in_eof && bj_receiver_refill(&stream->in, consumed)) {
        link_send_uints(link, BJ_CREDIT, stream->channel, 1, &stream->in.limit, now);
        return true;
    }
    if (!stream->gone && !stream->out_eof && stream->readable && speak_bytes(stream, link, now))
        return true;
    if (!ended(stream))
        return false;
    speak_close(stream, link, now);
    return true;
}
