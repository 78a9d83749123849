#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/monitor/link_private.h"
#include "mux/monitor/monitor.h"
#include "mux/monitor/sanitize.h"

/* Input that was typed before the shim said where its stream stands is moved to that place. */
static int place_input(struct link *link, uint64_t in_next, struct bj_error *error)
{
    if (link->input_placed) {
        if (bj_ring_release(&link->input, in_next) < 0)
            return bj_fail(error, -EPROTO,
                           "HELLO expects input at %" PRIu64 ", held are %" PRIu64 "..%" PRIu64,
                           in_next, link->input.start, link->input.end);
    } else {
        struct iovec pieces[2];
        size_t size = bj_ring_used(&link->input), at = 0;
        uint8_t *typed = malloc(size ? size : 1);
        if (!typed)
            return bj_fail(error, -EPROTO, "out of memory");
        int count = bj_ring_peek(&link->input, link->input.start, size, pieces);
        for (int i = 0; i < count; i++) {
            memcpy(typed + at, pieces[i].iov_base, pieces[i].iov_len);
            at += pieces[i].iov_len;
        }
        link->input.start = link->input.end = in_next;
        bj_ring_write(&link->input, typed, size);
        free(typed);
        link->input_placed = true;
    }
    link->sender = (struct bj_sender){.next = in_next, .acked = in_next, .limit = in_next};
    return 0;
}

static int place_output(struct monitor *monitor, const uint8_t *epoch, uint64_t start, uint64_t end,
                        struct bj_error *error)
{
    struct link *link = &monitor->link;
    bool same = link->epoch_known && memcmp(link->epoch, epoch, LINK_EPOCH) == 0;
    if (start > end)
        return bj_fail(error, -EPROTO, "HELLO holds output from %" PRIu64 " to %" PRIu64, start,
                       end);
    if (!same && link->epoch_known && link->received)
        return bj_fail(error, -EPROTO, "HELLO of another shim than before");
    if (!same) {
        memcpy(link->epoch, epoch, LINK_EPOCH);
        link->epoch_known = true;
        link->output.next = start;
        recording_begin(&monitor->recording, monitor->terminal, epoch, start);
        link->input_placed = false;
    } else if (link->output.next > end) {
        return bj_fail(error, -EPROTO, "HELLO ends at %" PRIu64 ", output came up to %" PRIu64, end,
                       link->output.next);
    } else if (link->output.next < start) {
        char text[128];
        snprintf(text, sizeof(text), "%" PRIu64 " bytes of output were lost while nobody recorded",
                 start - link->output.next);
        monitor_alert(monitor, "warning", "link", text);
        link->output.next = start;
        recording_skip(&monitor->recording, monitor->terminal, start);
    }
    uint64_t next = link->output.next;
    link->output.window = BJ_OUTPUT_WINDOW;
    link->output.limit =
        next > UINT64_MAX - BJ_OUTPUT_WINDOW ? UINT64_MAX : next + BJ_OUTPUT_WINDOW;
    link->output.acked = start;
    return 0;
}

static int on_hello(struct monitor *monitor, struct link_connection *connection,
                    const struct bj_message *message, struct bj_error *error)
{
    struct link *link = &monitor->link;
    const struct bj_field *epoch = &message->field[BJ_HELLO_EPOCH];
    uint64_t version = message->field[BJ_HELLO_VERSION].u;
    if (version < BJ_PROTOCOL_OLDEST)
        return bj_fail(error, -EPROTO,
                       "the shim speaks protocol version %" PRIu64 ", this monitor %d to %d",
                       version, BJ_PROTOCOL_OLDEST, BJ_PROTOCOL_VERSION);
    if (epoch->size != LINK_EPOCH)
        return bj_fail(error, -EPROTO, "HELLO with an epoch of %u bytes", epoch->size);
    int status =
        place_output(monitor, (const uint8_t *)epoch->data, message->field[BJ_HELLO_OUT_START].u,
                     message->field[BJ_HELLO_OUT_END].u, error);
    if (status == 0)
        status = place_input(link, message->field[BJ_HELLO_IN_NEXT].u, error);
    if (status < 0)
        return status;
    uint64_t welcome[] = {version < BJ_PROTOCOL_VERSION ? version : BJ_PROTOCOL_VERSION,
                          link->output.next,
                          link->output.limit,
                          link->sender.next,
                          (uint64_t)monitor->terminal->rows,
                          (uint64_t)monitor->terminal->cols};
    link_send_uints(monitor, BJ_WELCOME, BJ_CHANNEL_CONTROL, 6, welcome);
    connection->greeted = true;
    control_link_up(monitor, connection->pid);
    link_watch_unconfirmed(monitor);
    return 0;
}

static int on_data(struct monitor *monitor, const struct bj_message *message,
                   struct bj_error *error)
{
    const struct bj_field *bytes = &message->field[BJ_DATA_BYTES];
    int status = bj_receiver_on_data(&monitor->link.output, message->field[BJ_DATA_OFFSET].u,
                                     bytes->size, error);
    if (status < 0)
        return status;
    monitor->link.received = true;
    terminal_write(monitor->terminal, bytes->data, bytes->size);
    recording_output(&monitor->recording, bytes->data, bytes->size);
    return 0;
}

static int on_ack(struct monitor *monitor, const struct bj_message *message, struct bj_error *error)
{
    uint64_t offset = message->field[BJ_ACK_OFFSET].u;
    int status = bj_sender_on_ack(&monitor->link.sender, offset, error);
    if (status == 0)
        bj_ring_release(&monitor->link.input, offset);
    return status;
}

static void on_exited(struct monitor *monitor, const struct bj_message *message)
{
    struct agent *agent = &monitor->agent;
    const struct bj_field *why = &message->field[BJ_EXITED_ERROR];
    if (agent->exited)
        return;
    agent->exited = true;
    agent->code = (int)message->field[BJ_EXITED_CODE].u;
    agent->signal = (int)message->field[BJ_EXITED_SIGNAL].u;
    sanitize_line(agent->error, sizeof(agent->error), why->data, why->size);
    char text[600];
    snprintf(text, sizeof(text), "exited %d %d %s", agent->code, agent->signal, agent->error);
    recording_marker(&monitor->recording, text);
    control_exited(monitor);
}

static void on_turn(uv_timer_t *timer);

static void await_turn(struct monitor *monitor)
{
    uint64_t pause = asks_pause(&monitor->link.asks);
    if (pause > 0 && !uv_is_active((uv_handle_t *)&monitor->link.turn))
        uv_timer_start(&monitor->link.turn, on_turn, pause, 0);
}

static void on_turn(uv_timer_t *timer)
{
    struct monitor *monitor = timer->data;
    struct ask *ask;
    while ((ask = asks_due(&monitor->link.asks, uv_now(&monitor->loop))))
        control_ask_opened(monitor, ask);
    await_turn(monitor);
}

static int on_ask(struct monitor *monitor, const struct bj_message *message, struct bj_error *error)
{
    struct link *link = &monitor->link;
    struct ask *ask;
    struct ask_told told;
    char note[BJ_REASON_MAX + 1] = "";
    int outcome =
        asks_take(&link->asks, message, link->serial, uv_now(&monitor->loop), &ask, &told, error);
    switch (outcome) {
    case ASK_NEW:
        control_ask_opened(monitor, ask);
        return 0;
    case ASK_WAITS:
        monitor_alert(monitor, "warning", "ask-flood",
                      "the agent asks too fast: its questions wait until it is their turn");
        await_turn(monitor);
        return 0;
    case ASK_KNOWN:
        return 0;
    case ASK_REPLY:
        link_send_verdict(monitor, ask->channel, ask->answer, ask->reason);
        return 0;
    case ASK_REFUSE:
        link_send_verdict(monitor, message->channel, BJ_ANSWER_PASS,
                          "too many questions at once: ask again");
        monitor_alert(monitor, "warning", "ask-flood",
                      "the agent has too many questions open; some were not taken");
        return 0;
    case ASK_TOLD:
        if (told.tool_ended)
            asks_take_note(&link->asks, note);
        link_send_verdict(monitor, message->channel, BJ_ANSWER_PASS, told.state ? note : told.text);
        if (told.state && told.state[0])
            control_agent_state(monitor, told.state, told.text);
        else if (!told.state)
            monitor_alert(monitor, "warning", "hook", told.text);
        return 0;
    default:
        return outcome;
    }
}

static int on_close(struct monitor *monitor, const struct bj_message *message,
                    struct bj_error *error)
{
    if (message->channel < BJ_CHANNEL_FIRST_FREE)
        return bj_fail(error, -EPROTO, "CLOSE of channel %u", message->channel);
    if (!asks_known(&monitor->link.asks, message->channel))
        return relay_take(monitor, message, error);
    /* One that was answered meanwhile may still be closed. */
    if (asks_find(&monitor->link.asks, message->channel))
        control_ask_closed(monitor, message->channel);
    asks_remove(&monitor->link.asks, message->channel);
    return 0;
}

static int check_channel(const struct bj_message *message, struct bj_error *error)
{
    bool fits;
    if (message->type < BJ_DATA)
        fits = message->channel == BJ_CHANNEL_CONTROL;
    else if (message->type == BJ_ACK)
        fits = message->channel == BJ_CHANNEL_PTY;
    else if (message->type == BJ_DATA || message->type == BJ_CREDIT)
        fits = message->channel == BJ_CHANNEL_PTY || message->channel >= BJ_CHANNEL_FIRST_FREE;
    else
        fits = message->channel >= BJ_CHANNEL_FIRST_FREE;
    if (fits)
        return 0;
    return bj_fail(error, -EPROTO, "%s on channel %u, which is not open for it",
                   bj_message_find(message->type)->name, message->channel);
}

int link_take_message(struct monitor *monitor, struct link_connection *connection,
                      const struct bj_message *message, struct bj_error *error)
{
    int status = check_channel(message, error);
    if (status < 0)
        return status;
    if ((message->type == BJ_HELLO) == connection->greeted && message->type != BJ_ERROR)
        return bj_fail(error, -EPROTO, "%s %s HELLO", bj_message_find(message->type)->name,
                       connection->greeted ? "after" : "before");
    if (message->type >= BJ_DATA && message->type < BJ_ASK &&
        message->channel >= BJ_CHANNEL_FIRST_FREE)
        return relay_take(monitor, message, error);
    switch (message->type) {
    case BJ_HELLO:
        return on_hello(monitor, connection, message, error);
    case BJ_ERROR: {
        char text[256];
        sanitize_line(text, sizeof(text), message->field[BJ_ERROR_TEXT].data,
                      message->field[BJ_ERROR_TEXT].size);
        return bj_fail(error, -EPROTO, "the shim: %s", text);
    }
    case BJ_STARTED:
        if (!monitor->agent.started) {
            monitor->agent.started = true;
            monitor->agent.pid = (uint32_t)message->field[BJ_STARTED_PID].u;
            control_started(monitor);
        }
        return 0;
    case BJ_EXITED:
        on_exited(monitor, message);
        return 0;
    case BJ_DATA:
        return on_data(monitor, message, error);
    case BJ_ACK:
        return on_ack(monitor, message, error);
    case BJ_CREDIT:
        connection->credited = true;
        return bj_sender_on_credit(&monitor->link.sender, message->field[BJ_CREDIT_LIMIT].u, error);
    case BJ_ASK:
        return on_ask(monitor, message, error);
    case BJ_CLOSE:
        return on_close(monitor, message, error);
    default: /* PONG: nothing waits for it */
        return 0;
    }
}

void link_drop_unconfirmed(struct monitor *monitor)
{
    struct ask *ask;
    while ((ask = asks_unconfirmed(&monitor->link.asks, monitor->link.serial))) {
        uint32_t channel = ask->channel;
        bool open = ask->state == ASK_OPEN;
        asks_remove(&monitor->link.asks, channel);
        if (open)
            control_ask_closed(monitor, channel);
    }
}
