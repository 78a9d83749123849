#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mux/monitor/link_private.h"
#include "mux/monitor/monitor.h"
#include "mux/monitor/relay.h"

#define IN_CAPACITY (2U * 68 * 1024) /* two of the link's greatest frames */

static void on_closed(uv_handle_t *handle)
{
    struct relay_peer *peer = handle->data;
    close(peer->fd);
    free(peer->in);
    outbox_free(&peer->out);
    free(peer);
}

/* The peer is told first, as far as its socket takes it. */
void relay_peer_close(struct relay_peer *peer, const char *why)
{
    if (peer->closing)
        return;
    if (why[0] && peer->fd >= 0) {
        struct bj_message message = {.type = BJ_ERROR};
        message.field[BJ_ERROR_TEXT] =
            (struct bj_field){.data = why, .size = (uint32_t)strnlen(why, 511)};
        relay_peer_send(peer, &message);
    }
    if (peer->closing) /* the sending failed */
        return;
    peer->closing = true;
    relay_forget(peer, why);
    if (peer->fd >= 0) {
        uv_close((uv_handle_t *)&peer->poll, on_closed);
    } else {
        outbox_free(&peer->out);
        free(peer->in);
        free(peer);
    }
}

/* Returns false when the peer is gone. */
static bool write_out(struct relay_peer *peer)
{
    if (peer->fd >= 0 && outbox_write(&peer->out, peer->fd) < 0)
        return false;
    if (outbox_waiting(&peer->out) == 0 && peer->out.bytes.capacity > IN_CAPACITY)
        outbox_free(&peer->out); /* after a flood */
    return true;
}

static void on_poll(uv_poll_t *poll, int status, int events);

void relay_peer_pace(struct relay_peer *peer)
{
    struct link_connection *link = peer->monitor->link.connection;
    bool paused = link && outbox_waiting(&link->out) > RELAY_FILL;
    bool writing = outbox_waiting(&peer->out) > 0;
    if (peer->closing || peer->fd < 0 || (paused == peer->paused && writing == peer->writing))
        return;
    peer->paused = paused;
    peer->writing = writing;
    int events = (paused ? 0 : UV_READABLE) | (writing ? UV_WRITABLE : 0);
    if (events)
        uv_poll_start(&peer->poll, events | UV_DISCONNECT, on_poll);
    else
        uv_poll_stop(&peer->poll);
}

void relay_peer_send(struct relay_peer *peer, const struct bj_message *message)
{
    struct bytes *out = &peer->out.bytes;
    if (message->type == BJ_DATA) {
        uint8_t head[BJ_DATA_HEAD_MAX];
        const struct bj_field *bytes = &message->field[BJ_DATA_BYTES];
        bytes_add(out, head,
                  bj_message_data_head(head, message->channel, message->field[BJ_DATA_OFFSET].u,
                                       bytes->size));
        bytes_add(out, bytes->data, bytes->size);
    } else {
        link_encode(out, message);
    }
    if (outbox_waiting(&peer->out) > RELAY_BEHIND || out->failed || !write_out(peer))
        relay_peer_close(peer, "");
    else
        relay_peer_pace(peer);
}

static int take_frames(struct relay_peer *peer, struct bj_error *error)
{
    size_t start = 0;
    while (!peer->closing) {
        size_t end;
        struct bj_message message;
        int status = bj_frame_scan(&peer->frame, &bj_frame_limits_link, peer->in + start,
                                   peer->in_size - start, &end, error);
        if (status == 0)
            break;
        if (status > 0) {
            bj_frame_reset(&peer->frame);
            status = bj_message_decode(&message, BJ_SIDE_MONITOR, peer->in + start, end, error);
        }
        if (status == 0)
            status = relay_from_peer(peer, &message, error);
        if (status < 0)
            return status;
        start += end;
    }
    if (!peer->closing) {
        peer->in_size -= start;
        memmove(peer->in, peer->in + start, peer->in_size);
    }
    return 0;
}

static void read_in(struct relay_peer *peer)
{
    struct monitor *monitor = peer->monitor;
    struct bj_error error = {0};
    ssize_t got =
        recv(peer->fd, peer->in + peer->in_size, IN_CAPACITY - peer->in_size, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        relay_peer_close(peer, "");
    } else {
        peer->in_size += (size_t)got;
        if (take_frames(peer, &error) < 0)
            relay_peer_close(peer, error.text);
        else
            relay_peer_pace(peer);
    }
    link_flush(monitor);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct relay_peer *peer = poll->data;
    if (peer->closing)
        return;
    if (status < 0 || ((events & UV_WRITABLE) && !write_out(peer)))
        relay_peer_close(peer, "");
    else if (events & UV_READABLE)
        read_in(peer);
    else if (events & UV_DISCONNECT)
        relay_peer_close(peer, "");
    else
        relay_peer_pace(peer);
}

void relay_adopt(struct relay_peer *peer, int fd)
{
    peer->in = malloc(IN_CAPACITY);
    if (!peer->in || uv_poll_init(&peer->monitor->loop, &peer->poll, fd) < 0) {
        close(fd);
        relay_peer_close(peer, "");
        return;
    }
    peer->fd = fd;
    peer->poll.data = peer;
    peer->paused = peer->writing = false;
    bj_frame_reset(&peer->frame);
    uv_poll_start(&peer->poll, UV_READABLE | UV_DISCONNECT, on_poll);
    if (!write_out(peer))
        relay_peer_close(peer, "");
    else
        relay_peer_pace(peer);
}
