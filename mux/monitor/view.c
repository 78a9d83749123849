#include "mux/monitor/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mux/monitor/monitor.h"
#include "mux/monitor/view_frame.h"
#include "mux/monitor/view_calls.h"
#include "transport/socket.h"

#define FRAME_MS      16U /* between two frames of a client */
#define FRAMES_FLYING 2U
#define SYNC_MS       150U /* a synchronized update is waited for so long */

static void on_pace(uv_timer_t *timer)
{
    view_changed(timer->data);
}

/* Milliseconds for which an open synchronized update still holds frames back. */
static uint64_t sync_wait(struct monitor *monitor, uint64_t now)
{
    struct view *view = &monitor->view;
    const struct terminal *terminal = monitor->terminal;
    if (!(terminal->modes & TERMINAL_SYNC))
        return 0;
    if (view->syncs != terminal->syncs) {
        view->syncs = terminal->syncs;
        view->sync_since = now;
    }
    return now - view->sync_since < SYNC_MS ? SYNC_MS - (now - view->sync_since) : 0;
}

/* Sends a frame when one is due. Returns the milliseconds to wait for it, 0 for none. */
static uint64_t serve(struct view_client *client, uint64_t now, uint64_t hold)
{
    if (!client->attached || client->hidden || client->rpc.closing)
        return 0;
    view_frame_follow(client);
    if (client->frame - client->acked >= FRAMES_FLYING || !view_frame_due(client))
        return 0; /* view.ack comes by itself */
    uint64_t since = now - client->sent_at;
    if (hold > 0 && since < SYNC_MS)
        return hold;
    if (client->frame > 0 && since < FRAME_MS)
        return FRAME_MS - since;
    client->sent_at = now;
    view_frame_send(client);
    return view_frame_due(client) ? FRAME_MS : 0;
}

void view_changed(struct monitor *monitor)
{
    uint64_t now = uv_now(&monitor->loop), wait = 0;
    uint64_t hold = monitor->view.clients ? sync_wait(monitor, now) : 0;
    for (struct view_client *client = monitor->view.clients, *next; client; client = next) {
        next = client->next;
        uint64_t due = serve(client, now, hold);
        if (due > 0 && (wait == 0 || due < wait))
            wait = due;
    }
    if (wait > 0)
        uv_timer_start(&monitor->view.pace, on_pace, wait, 0);
    else
        uv_timer_stop(&monitor->view.pace);
}

static bool has_room(const struct view_client *client)
{
    return client->attached && !client->hidden && !client->readonly && !client->rpc.closing &&
           client->wish_rows > 0 && client->wish_cols > 0;
}

void view_size(struct monitor *monitor)
{
    struct view *view = &monitor->view;
    const struct view_client *best = NULL;
    /* The oldest is the last one; where nobody acted it is who has the size, else the oldest. */
    for (const struct view_client *client = view->clients; client; client = client->next)
        if (has_room(client) && (!best || client->acted > best->acted ||
                                 (client->acted == best->acted && best != view->sized)))
            best = client;
    view->sized = best;
    if (best)
        monitor_resize(monitor, best->wish_rows, best->wish_cols);
}

static void on_closed(struct bj_rpc *rpc, const struct bj_error *why)
{
    (void)why;
    struct view_client *client = rpc->owner;
    struct monitor *monitor = client->monitor;
    struct view *view = &monitor->view;
    struct view_client **at = &view->clients;
    while (*at && *at != client)
        at = &(*at)->next;
    if (*at)
        *at = client->next;
    view->count--;
    if (view->sized == client)
        view->sized = NULL;
    free(client->shadow);
    free(client->looks);
    free(client);
    view_size(monitor);
}

static const struct bj_rpc_events events = {
    .methods = bj_api_view,
    .events = bj_events_view,
    .call = view_call,
    .closed = on_closed,
};

static void on_dial(uv_poll_t *poll, int status, int what)
{
    (void)what;
    struct monitor *monitor = poll->data;
    struct view *view = &monitor->view;
    int fd = status < 0 ? -1 : bj_socket_accept(view->listen_fd);
    if (fd < 0)
        return;
    struct view_client *client = calloc(1, sizeof(*client));
    if (!client || view->count >= VIEW_CLIENTS_MAX ||
        bj_socket_check_peer(fd, monitor->owner, NULL) < 0) {
        free(client);
        close(fd);
        return;
    }
    client->monitor = monitor;
    if (bj_rpc_open(&client->rpc, &monitor->loop, fd, &events, client, NULL) < 0) {
        free(client);
        return;
    }
    client->next = view->clients;
    view->clients = client;
    view->count++;
}

int view_open(struct monitor *monitor, int listen_fd, struct bj_error *error)
{
    struct view *view = &monitor->view;
    view->listen_fd = listen_fd;
    view->listener.data = view->pace.data = monitor;
    uv_timer_init(&monitor->loop, &view->pace);
    int status = uv_poll_init(&monitor->loop, &view->listener, listen_fd);
    if (status == 0)
        status = uv_poll_start(&view->listener, UV_READABLE, on_dial);
    return status < 0 ? bj_fail(error, status, "cannot wait for clients: %s", uv_strerror(status))
                      : 0;
}

void view_close(struct monitor *monitor)
{
    for (struct view_client *client = monitor->view.clients; client; client = client->next)
        bj_rpc_close(&client->rpc);
    uv_close((uv_handle_t *)&monitor->view.listener, NULL);
    uv_close((uv_handle_t *)&monitor->view.pace, NULL);
}
