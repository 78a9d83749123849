#include "mux/monitor/link.h"

#include <errno.h>
#include <inttypes.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mux/monitor/link_private.h"
#include "mux/monitor/monitor.h"

#define IN_CAPACITY (128U * 1024)
#define IN_BATCH    (256U * 1024) /* read before others get their turn */
#define OUT_MAX     (1024U * 1024)
#define OUT_FILL    (64U * 1024) /* input is encoded up to here, the rest stays in the ring */
#define INPUT_PART  (16U * 1024)
#define ECHO_MS     1U

static void on_closed(uv_handle_t *handle)
{
    struct link_connection *connection = handle->data;
    close(connection->fd);
    free(connection->in);
    outbox_free(&connection->out);
    free(connection);
}

void link_disconnect(struct monitor *monitor, const char *why)
{
    struct link_connection *connection = monitor->link.connection;
    if (!connection)
        return;
    monitor->link.connection = NULL;
    relay_link_down(monitor);
    connection->closing = true;
    uv_close((uv_handle_t *)&connection->poll, on_closed);
    if (connection->greeted)
        control_link_down(monitor, why);
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct link_connection *connection)
{
    bool writing = outbox_waiting(&connection->out) > 0;
    if (writing == connection->writing)
        return;
    connection->writing = writing;
    uv_poll_start(&connection->poll, UV_READABLE | (writing ? UV_WRITABLE : 0), on_poll);
}

static void add_input(struct link *link)
{
    struct bytes *out = &link->connection->out.bytes;
    while (link->input_placed && outbox_waiting(&link->connection->out) < OUT_FILL) {
        size_t held = (size_t)(link->input.end - link->sender.next);
        size_t size = bj_sender_allowed(&link->sender, held < INPUT_PART ? held : INPUT_PART);
        struct iovec pieces[2];
        int count = bj_ring_peek(&link->input, link->sender.next, size, pieces);
        uint8_t head[BJ_DATA_HEAD_MAX];
        if (count == 0)
            return;
        bytes_add(out, head,
                  bj_message_data_head(head, BJ_CHANNEL_PTY, link->sender.next, (uint32_t)size));
        for (int i = 0; i < count; i++)
            bytes_add(out, pieces[i].iov_base, pieces[i].iov_len);
        link->sender.next += size;
    }
}

void link_flush(struct monitor *monitor)
{
    struct link *link = &monitor->link;
    struct link_connection *connection = link->connection;
    if (!connection)
        return;
    struct outbox *out = &connection->out;
    int status = 0;
    do {
        if (connection->greeted)
            add_input(link);
        if (outbox_waiting(out) == 0 && !out->bytes.failed)
            break;
        status = outbox_write(out, connection->fd);
    } while (status == 0 && outbox_waiting(out) == 0);
    if (status == 0 && link_input_sent(monitor))
        view_input_sent(monitor);
    if (status < 0 || outbox_waiting(out) > OUT_MAX) {
        link_disconnect(monitor, status == 0         ? "the shim does not read"
                                 : status == -ENOMEM ? "out of memory"
                                                     : "");
    } else {
        watch(connection);
        relay_link_drained(monitor);
    }
}

void link_encode(struct bytes *out, const struct bj_message *message)
{
    msgpack_sbuffer encoded;
    msgpack_sbuffer_init(&encoded);
    int status = bj_message_encode(message, &encoded);
    if (status == 0)
        bytes_add(out, encoded.data, encoded.size);
    else if (status == -ENOMEM)
        out->failed = true;
    msgpack_sbuffer_destroy(&encoded);
}

/* One without memory would be missing: the shim then dials again and is told all anew. */
void link_send(struct monitor *monitor, const struct bj_message *message)
{
    struct link_connection *connection = monitor->link.connection;
    if (connection)
        link_encode(&connection->out.bytes, message);
}

void link_send_uints(struct monitor *monitor, enum bj_message_type type, uint32_t channel,
                     size_t count, const uint64_t *values)
{
    struct bj_message message = {.type = type, .channel = channel};
    for (size_t i = 0; i < count; i++)
        message.field[i].u = values[i];
    link_send(monitor, &message);
}

/* A protocol error: says why, closes, and tells the human. */
static void refuse(struct monitor *monitor, const struct bj_error *error)
{
    struct bj_message message = {.type = BJ_ERROR};
    message.field[BJ_ERROR_TEXT].data = error->text;
    message.field[BJ_ERROR_TEXT].size = (uint32_t)strnlen(error->text, 500);
    link_send(monitor, &message);
    outbox_write(&monitor->link.connection->out, monitor->link.connection->fd);
    char text[256];
    snprintf(text, sizeof(text), "link protocol error: %.220s", error->text);
    link_disconnect(monitor, text);
    monitor_alert(monitor, "warning", "link", text);
}

/* Acknowledges what is safe and grants what there is room for. */
static void settle(struct monitor *monitor)
{
    struct link *link = &monitor->link;
    struct bj_error error = {0};
    int status =
        recording_flush(&monitor->recording, monitor->terminal, monitor->agent.exited, &error);
    if (status < 0 && status != -EAGAIN)
        monitor_alert(monitor, "critical", "recording", error.text);
    if (!link->connection || !link->connection->greeted)
        return;
    if (monitor->recording.safe > link->output.acked) {
        link->output.acked = monitor->recording.safe;
        link_send_uints(monitor, BJ_ACK, BJ_CHANNEL_PTY, 1, &link->output.acked);
    }
    link_grant(monitor);
}

void link_settle(struct monitor *monitor)
{
    settle(monitor);
    link_flush(monitor);
}

static void on_echo(uv_timer_t *timer)
{
    link_settle(timer->data);
}

/*
 * What comes first after a key is most likely its echo. The client that was just woken to show it
 * may have to run where this process does, so this one sleeps at once: the disk and the shim hear
 * of the output a moment later.
 */
static bool is_echo(struct monitor *monitor)
{
    bool echo = monitor->link.echo.inputs != monitor->control.inputs;
    monitor->link.echo.inputs = monitor->control.inputs;
    return echo;
}

/* Takes every whole frame. Returns 0, or -EPROTO. */
static int take_frames(struct monitor *monitor, struct link_connection *connection,
                       struct bj_error *error)
{
    size_t start = 0;
    while (!connection->closing && start < connection->in_size) {
        size_t end;
        int found = bj_frame_scan(&connection->frame, &bj_frame_limits_link, connection->in + start,
                                  connection->in_size - start, &end, error);
        if (found < 0)
            return found;
        if (found == 0)
            break;
        bj_frame_reset(&connection->frame);
        struct bj_message message;
        int status = bj_message_decode(&message, BJ_SIDE_SHIM, connection->in + start, end, error);
        if (status == 0)
            status = link_take_message(monitor, connection, &message, error);
        if (status < 0)
            return status;
        start += end;
    }
    if (start > 0) {
        connection->in_size -= start;
        memmove(connection->in, connection->in + start, connection->in_size);
    }
    return 0;
}

static void read_in(struct monitor *monitor, struct link_connection *connection)
{
    terminal_batch(monitor->terminal);
    uint64_t before = monitor->link.output.next;
    bool ended = false;
    struct bj_error error = {0};
    for (size_t total = 0; total < IN_BATCH && !ended && !connection->closing;) {
        size_t room = IN_CAPACITY - connection->in_size;
        ssize_t got =
            recv(connection->fd, connection->in + connection->in_size, room, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            break;
        ended = got <= 0;
        if (ended)
            break;
        total += (size_t)got;
        connection->in_size += (size_t)got;
        if (take_frames(monitor, connection, &error) < 0) {
            refuse(monitor, &error);
            break;
        }
        if ((size_t)got < room)
            break;
    }
    bool taken = monitor->link.output.next != before;
    if (taken)
        monitor_output_taken(monitor); /* the human sees it before the disk does */
    if (taken && is_echo(monitor) && !ended && !monitor->agent.exited)
        uv_timer_start(&monitor->link.echo.timer, on_echo, ECHO_MS, 0);
    else
        settle(monitor);
    if (ended && !connection->closing)
        link_disconnect(monitor, "");
    else if (!connection->closing)
        link_flush(monitor);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct link_connection *connection = poll->data;
    struct monitor *monitor = connection->monitor;
    if (connection->closing)
        return;
    if (status < 0) {
        link_disconnect(monitor, uv_strerror(status));
        return;
    }
    if (events & UV_WRITABLE)
        link_flush(monitor);
    if ((events & UV_READABLE) && !connection->closing)
        read_in(monitor, connection);
}

void link_adopt(struct monitor *monitor, int fd, pid_t pid)
{
    link_disconnect(monitor, "the shim dialled again");
    struct link_connection *connection = calloc(1, sizeof(*connection));
    if (connection)
        connection->in = malloc(IN_CAPACITY);
    if (!connection || !connection->in || uv_poll_init(&monitor->loop, &connection->poll, fd) < 0) {
        if (connection)
            free(connection->in);
        free(connection);
        close(fd);
        return;
    }
    connection->monitor = monitor;
    connection->fd = fd;
    connection->pid = pid;
    connection->poll.data = connection;
    bj_frame_reset(&connection->frame);
    monitor->link.connection = connection;
    monitor->link.serial++;
    uv_poll_start(&connection->poll, UV_READABLE, on_poll);
}

int link_input(struct monitor *monitor, const void *bytes, size_t size)
{
    if (bj_ring_room(&monitor->link.input) < size)
        return -ENOBUFS;
    bj_ring_write(&monitor->link.input, bytes, size);
    link_flush(monitor);
    return 0;
}

bool link_is_up(const struct monitor *monitor)
{
    return monitor->link.connection && monitor->link.connection->greeted;
}

bool link_input_sent(const struct monitor *monitor)
{
    const struct link *link = &monitor->link;
    const struct link_connection *connection = link->connection;
    if (!link_is_up(monitor) || outbox_waiting(&connection->out) > 0 ||
        connection->out.bytes.failed)
        return false;
    bool full = connection->credited && link->sender.next >= link->sender.limit;
    return link->sender.next == link->input.end || full;
}

static int send_now(struct monitor *monitor, enum bj_message_type type, size_t count,
                    const uint64_t *values)
{
    if (!link_is_up(monitor))
        return -ENOTCONN;
    link_send_uints(monitor, type, BJ_CHANNEL_CONTROL, count, values);
    link_flush(monitor);
    return 0;
}

void link_send_size(struct monitor *monitor, int rows, int cols)
{
    uint64_t values[] = {(uint64_t)rows, (uint64_t)cols};
    send_now(monitor, BJ_SIZE, 2, values);
}

int link_signal(struct monitor *monitor, int number)
{
    uint64_t value = (uint64_t)number;
    return send_now(monitor, BJ_SIGNAL, 1, &value);
}

int link_shutdown(struct monitor *monitor)
{
    return send_now(monitor, BJ_SHUTDOWN, 0, NULL);
}

void link_send_verdict(struct monitor *monitor, uint32_t channel, enum bj_answer answer,
                       const char *reason)
{
    struct bj_message message = {.type = BJ_VERDICT, .channel = channel};
    message.field[BJ_VERDICT_ANSWER].u = answer;
    message.field[BJ_VERDICT_REASON].data = reason;
    message.field[BJ_VERDICT_REASON].size = (uint32_t)strlen(reason);
    link_send(monitor, &message);
}

int link_verdict(struct monitor *monitor, uint32_t channel, enum bj_answer answer,
                 const char *reason)
{
    struct ask *ask = asks_find(&monitor->link.asks, channel);
    if (!ask)
        return -ENOENT;
    /* While the link is down the shim hears it when it asks again. */
    asks_answer(ask, answer, reason, monitor->link.serial);
    if (link_is_up(monitor)) {
        link_send_verdict(monitor, channel, answer, reason);
        link_flush(monitor);
    }
    return 0;
}
