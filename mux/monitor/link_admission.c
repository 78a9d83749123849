#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mux/monitor/link_private.h"
#include "mux/monitor/monitor.h"
#include "transport/socket.h"

/* An agent may dial as often as it likes; it shall not keep this process busy. */
#define DIALS_BURST      32.0
#define DIALS_PER_SECOND 16.0
#define HOLD_BACK_MS     1000
#define UNCONFIRMED_MS   3000
/* Nothing comes from a sandbox whose shim cannot get through to here, so that is more urgent. */
#define WANTED_HOLD_MS  20
#define WANTED_PER_TURN 64

static void on_dial(uv_poll_t *poll, int status, int events);

static void on_held(uv_timer_t *timer)
{
    struct monitor *monitor = timer->data;
    uv_poll_start(&monitor->link.listener, UV_READABLE, on_dial);
}

static void on_unconfirmed(uv_timer_t *timer)
{
    struct monitor *monitor = timer->data;
    if (link_is_up(monitor))
        link_drop_unconfirmed(monitor);
}

void link_watch_unconfirmed(struct monitor *monitor)
{
    if (asks_unconfirmed(&monitor->link.asks, monitor->link.serial))
        uv_timer_start(&monitor->link.unconfirmed, on_unconfirmed, UNCONFIRMED_MS, 0);
}

static void take_dial(struct monitor *monitor, int fd)
{
    struct link *link = &monitor->link;
    pid_t pid;
    if (bj_socket_peer(fd, &pid, NULL, NULL, NULL) < 0 || pid <= 0) {
        close(fd);
        return;
    }
    if (link->admitted) {
        if (pid == link->admitted)
            link_adopt(monitor, fd, pid);
        else
            close(fd);
        return;
    }
    for (int i = 0; i < LINK_CANDIDATES; i++) {
        if (link->candidates[i].fd >= 0)
            continue;
        link->candidates[i].fd = fd;
        link->candidates[i].pid = pid;
        control_candidate(monitor, pid);
        return;
    }
    close(fd);
}

/* The shim is known, and is not here. */
static bool is_wanted(const struct monitor *monitor)
{
    return monitor->link.admitted && !monitor->link.connection;
}

static void on_dial(uv_poll_t *poll, int status, int events)
{
    struct monitor *monitor = poll->data;
    struct link *link = &monitor->link;
    (void)events;
    bool calm = true;
    for (int i = 0; status == 0 && i < (is_wanted(monitor) ? WANTED_PER_TURN : 1); i++) {
        int fd = bj_socket_accept(link->listen_fd);
        if (fd < 0)
            return;
        calm &= bucket_take(&link->dials, DIALS_BURST, DIALS_PER_SECOND, uv_now(&monitor->loop));
        take_dial(monitor, fd);
    }
    if (calm)
        return;
    uv_poll_stop(&link->listener);
    uv_timer_start(&link->held, on_held, is_wanted(monitor) ? WANTED_HOLD_MS : HOLD_BACK_MS, 0);
}

void link_admit(struct monitor *monitor, pid_t pid)
{
    struct link *link = &monitor->link;
    link->admitted = pid;
    if (link->connection && link->connection->pid != pid)
        link_disconnect(monitor, "another process was admitted");
    for (int i = 0; i < LINK_CANDIDATES; i++) {
        int fd = link->candidates[i].fd;
        if (fd < 0)
            continue;
        link->candidates[i].fd = -1;
        if (link->candidates[i].pid == pid)
            link_adopt(monitor, fd, pid);
        else
            close(fd);
    }
}

void link_restore(struct monitor *monitor, const uint8_t epoch[LINK_EPOCH], uint64_t offset)
{
    struct link *link = &monitor->link;
    memcpy(link->epoch, epoch, LINK_EPOCH);
    link->epoch_known = true;
    link->received = offset > 0;
    link->output.next = offset;
    link->asks.older = BJ_ASKS_MAX;
}

int link_open(struct monitor *monitor, int listen_fd, struct bj_error *error)
{
    struct link *link = &monitor->link;
    link->listen_fd = listen_fd;
    for (int i = 0; i < LINK_CANDIDATES; i++)
        link->candidates[i].fd = -1;
    if (bj_ring_init(&link->input, BJ_INPUT_RING_SIZE) < 0)
        return bj_fail(error, -ENOMEM, "out of memory");
    link->listener.data = link->held.data = link->unconfirmed.data = monitor;
    link->echo.timer.data = link->pace.timer.data = link->turn.data = monitor;
    uv_timer_init(&monitor->loop, &link->held);
    uv_timer_init(&monitor->loop, &link->unconfirmed);
    uv_timer_init(&monitor->loop, &link->echo.timer);
    uv_timer_init(&monitor->loop, &link->pace.timer);
    uv_timer_init(&monitor->loop, &link->turn);
    int status = uv_poll_init(&monitor->loop, &link->listener, listen_fd);
    if (status == 0)
        status = uv_poll_start(&link->listener, UV_READABLE, on_dial);
    return status < 0 ? bj_fail(error, status, "cannot wait for the link: %s", uv_strerror(status))
                      : 0;
}

void link_close(struct monitor *monitor)
{
    struct link *link = &monitor->link;
    link_disconnect(monitor, "");
    for (int i = 0; i < LINK_CANDIDATES; i++)
        if (link->candidates[i].fd >= 0)
            close(link->candidates[i].fd);
    uv_close((uv_handle_t *)&link->listener, NULL);
    uv_close((uv_handle_t *)&link->held, NULL);
    uv_close((uv_handle_t *)&link->unconfirmed, NULL);
    uv_close((uv_handle_t *)&link->echo.timer, NULL);
    uv_close((uv_handle_t *)&link->pace.timer, NULL);
    uv_close((uv_handle_t *)&link->turn, NULL);
    bj_ring_free(&link->input);
    asks_free(&link->asks);
}
