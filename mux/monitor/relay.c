#include "mux/monitor/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mux/monitor/link_private.h"
#include "mux/monitor/monitor.h"
#include "transport/socket.h"

#define WANTED_MS 1000U
#define SLOTS     (BJ_STREAMS_MAX + RELAY_EXECS_MAX)

/* The slot of an open channel, or of a free one for channel 0; SLOTS when there is none. */
static size_t find_slot(const struct relay *relay, uint32_t channel)
{
    size_t slot = 0;
    while (slot < SLOTS && relay->open[slot].channel != channel)
        slot++;
    return slot;
}

static void send_close(struct monitor *monitor, uint32_t channel, const char *why)
{
    struct bj_message message = {.type = BJ_CLOSE, .channel = channel};
    message.field[BJ_CLOSE_REASON] =
        (struct bj_field){.data = why, .size = (uint32_t)strnlen(why, 1023)};
    link_send(monitor, &message);
}

static void release_slot(struct relay *relay, size_t slot)
{
    if (relay->open[slot].channel < BJ_CHANNEL_FIRST_HOST)
        relay->streams--;
    relay->open[slot].channel = 0;
    relay->open[slot].peer = NULL;
}

void relay_forget(struct relay_peer *peer, const char *why)
{
    struct monitor *monitor = peer->monitor;
    struct relay *relay = &monitor->relay;
    for (size_t slot = 0; slot < SLOTS; slot++) {
        if (relay->open[slot].channel == 0 || relay->open[slot].peer != peer)
            continue;
        send_close(monitor, relay->open[slot].channel,
                   why[0]       ? why
                   : peer->exec ? "the caller is gone"
                                : "the egress proxy is gone");
        release_slot(relay, slot);
    }
    if (relay->egress == peer) {
        relay->egress = NULL;
        uv_timer_stop(&relay->wait);
    }
    for (struct relay_peer **at = &relay->execs; *at; at = &(*at)->next)
        if (*at == peer) {
            *at = peer->next;
            relay->exec_count--;
            break;
        }
}

/* --- from the shim --- */

static void on_waited(uv_timer_t *timer)
{
    struct monitor *monitor = timer->data;
    struct relay *relay = &monitor->relay;
    if (uv_now(&monitor->loop) - relay->wanted_at < RELAY_WAIT_MS) {
        control_egress_wanted(monitor); /* it may have been too soon after another's end */
        return;
    }
    uv_timer_stop(timer);
    if (relay->egress && relay->egress->fd < 0)
        relay_peer_close(relay->egress, "the egress proxy does not answer");
    link_flush(monitor);
}

/* The egress proxy, or what keeps its messages until it comes. NULL when out of memory. */
static struct relay_peer *egress_peer(struct monitor *monitor)
{
    struct relay *relay = &monitor->relay;
    if (!relay->egress) {
        relay->egress = calloc(1, sizeof(*relay->egress));
        if (!relay->egress)
            return NULL;
        relay->egress->monitor = monitor;
        relay->egress->fd = -1;
        relay->wanted_at = uv_now(&monitor->loop);
        uv_timer_start(&relay->wait, on_waited, WANTED_MS, WANTED_MS);
        control_egress_wanted(monitor);
    }
    return relay->egress;
}

static int on_open(struct monitor *monitor, const struct bj_message *message,
                   struct bj_error *error)
{
    struct relay *relay = &monitor->relay;
    if (message->channel <= relay->highest || message->channel >= BJ_CHANNEL_FIRST_HOST)
        return bj_fail(error, -EPROTO, "OPEN of channel %u, which is not the next",
                       message->channel);
    if (relay->streams >= BJ_STREAMS_MAX)
        return bj_fail(error, -EPROTO, "more than %u open streams", BJ_STREAMS_MAX);
    relay->highest = message->channel;
    size_t slot = find_slot(relay, 0);
    struct relay_peer *peer = slot < SLOTS ? egress_peer(monitor) : NULL;
    if (!peer) {
        send_close(monitor, message->channel, "out of memory");
        return 0;
    }
    relay->open[slot].channel = message->channel;
    relay->open[slot].peer = peer;
    relay->streams++;
    relay_peer_send(peer, message);
    return 0;
}

int relay_take(struct monitor *monitor, const struct bj_message *message, struct bj_error *error)
{
    struct relay *relay = &monitor->relay;
    if (message->type == BJ_OPEN)
        return on_open(monitor, message, error);
    size_t slot = find_slot(relay, message->channel);
    if (slot == SLOTS) {
        /* It may have been sent before our CLOSE was read; an ask's channel may be closed twice. */
        bool was = message->channel < BJ_CHANNEL_FIRST_HOST
                       ? message->channel <= relay->highest || message->type == BJ_CLOSE
                       : message->channel < relay->next_host;
        return was ? 0
                   : bj_fail(error, -EPROTO, "%s on channel %u, which was never open",
                             bj_message_find(message->type)->name, message->channel);
    }
    struct relay_peer *peer = relay->open[slot].peer;
    struct bj_message passed = *message;
    if (peer->exec)
        passed.channel = BJ_CHANNEL_FIRST_HOST;
    if (message->type == BJ_CLOSE)
        release_slot(relay, slot);
    relay_peer_send(peer, &passed);
    return 0;
}

void relay_link_down(struct monitor *monitor)
{
    static const char why[] = "the link to the sandbox was lost";
    struct relay *relay = &monitor->relay;
    if (relay->egress)
        relay_peer_close(relay->egress, why);
    while (relay->execs)
        relay_peer_close(relay->execs, why);
    relay->highest = relay->next_host = 0;
}

void relay_link_drained(struct monitor *monitor)
{
    struct relay *relay = &monitor->relay;
    if (relay->egress && relay->egress->paused)
        relay_peer_pace(relay->egress);
    for (struct relay_peer *peer = relay->execs; peer; peer = peer->next)
        if (peer->paused)
            relay_peer_pace(peer);
}

/* --- from the host --- */

static int on_exec(struct relay_peer *peer, struct bj_message *message, struct bj_error *error)
{
    struct relay *relay = &peer->monitor->relay;
    if (!peer->exec || peer->channel || message->channel != BJ_CHANNEL_FIRST_HOST)
        return bj_fail(error, -EPROTO, "EXEC is taken once, on channel %u", BJ_CHANNEL_FIRST_HOST);
    if (!link_is_up(peer->monitor))
        return bj_fail(error, -ENOTCONN, "the link to the sandbox is down");
    size_t slot = find_slot(relay, 0);
    if (slot == SLOTS || relay->next_host >= BJ_CHANNEL_MAX)
        return bj_fail(error, -EAGAIN, "too many streams are open");
    if (relay->next_host < BJ_CHANNEL_FIRST_HOST)
        relay->next_host = BJ_CHANNEL_FIRST_HOST;
    peer->channel = message->channel = relay->next_host++;
    relay->open[slot].channel = peer->channel;
    relay->open[slot].peer = peer;
    link_send(peer->monitor, message);
    return 0;
}

int relay_from_peer(struct relay_peer *peer, const struct bj_message *message,
                    struct bj_error *error)
{
    struct monitor *monitor = peer->monitor;
    struct relay *relay = &monitor->relay;
    struct bj_message passed = *message;
    switch (message->type) {
    case BJ_EXEC:
        return on_exec(peer, &passed, error);
    case BJ_DATA:
    case BJ_CREDIT:
    case BJ_EOF:
    case BJ_CLOSE:
        break;
    case BJ_ERROR:
        return bj_fail(error, -EPROTO, "the peer found an error");
    default:
        return bj_fail(error, -EPROTO, "%s does not belong on a stream",
                       bj_message_find(message->type)->name);
    }
    if (peer->exec)
        passed.channel = peer->channel;
    size_t slot = find_slot(relay, passed.channel);
    if (passed.channel == 0 || slot == SLOTS || relay->open[slot].peer != peer)
        return 0; /* closed from inside meanwhile */
    if (message->type == BJ_CLOSE)
        release_slot(relay, slot);
    link_send(monitor, &passed);
    return 0;
}

static int accept_owner(struct monitor *monitor, int listen_fd)
{
    int fd = bj_socket_accept(listen_fd);
    if (fd >= 0 && bj_socket_check_peer(fd, monitor->owner, NULL) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void on_egress_dial(uv_poll_t *poll, int status, int events)
{
    struct monitor *monitor = poll->data;
    struct relay *relay = &monitor->relay;
    int fd = status < 0 ? -1 : accept_owner(monitor, relay->egress_listener.fd);
    if (fd < 0)
        return;
    if (relay->egress && relay->egress->fd >= 0)
        relay_peer_close(relay->egress, "another egress proxy came");
    struct relay_peer *peer = egress_peer(monitor);
    uv_timer_stop(&relay->wait);
    if (peer)
        relay_adopt(peer, fd);
    else
        close(fd);
    link_flush(monitor);
}

static void on_exec_dial(uv_poll_t *poll, int status, int events)
{
    struct monitor *monitor = poll->data;
    struct relay *relay = &monitor->relay;
    int fd = status < 0 ? -1 : accept_owner(monitor, relay->exec_listener.fd);
    if (fd < 0)
        return;
    struct relay_peer *peer = relay->exec_count < RELAY_EXECS_MAX ? calloc(1, sizeof(*peer)) : NULL;
    if (!peer) {
        close(fd);
        return;
    }
    peer->monitor = monitor;
    peer->exec = true;
    peer->fd = -1;
    peer->next = relay->execs;
    relay->execs = peer;
    relay->exec_count++;
    relay_adopt(peer, fd);
}

/* --- both listeners --- */

static int listen_with(struct monitor *monitor, struct relay_listener *listener, int fd,
                       uv_poll_cb on_dial, struct bj_error *error)
{
    listener->fd = fd;
    listener->poll.data = monitor;
    int status = uv_poll_init(&monitor->loop, &listener->poll, fd);
    if (status == 0)
        status = uv_poll_start(&listener->poll, UV_READABLE, on_dial);
    return status < 0 ? bj_fail(error, status, "cannot wait for streams: %s", uv_strerror(status))
                      : 0;
}

int relay_open(struct monitor *monitor, int egress_fd, int exec_fd, struct bj_error *error)
{
    struct relay *relay = &monitor->relay;
    uv_timer_init(&monitor->loop, &relay->wait);
    relay->wait.data = monitor;
    int status = listen_with(monitor, &relay->egress_listener, egress_fd, on_egress_dial, error);
    return status < 0 ? status
                      : listen_with(monitor, &relay->exec_listener, exec_fd, on_exec_dial, error);
}

void relay_close(struct monitor *monitor)
{
    struct relay *relay = &monitor->relay;
    relay_link_down(monitor);
    uv_close((uv_handle_t *)&relay->egress_listener.poll, NULL);
    uv_close((uv_handle_t *)&relay->exec_listener.poll, NULL);
    uv_close((uv_handle_t *)&relay->wait, NULL);
}
