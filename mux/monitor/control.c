#include "mux/monitor/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mux/monitor/monitor.h"
#include "transport/pack.h"
#include "transport/socket.h"

#define OUTPUT_MS        500U
#define BELL_BURST       3.0
#define BELLS_PER_SECOND 2.0

/* Begins an event for the server; NULL when there is none that knows the state. */
static msgpack_packer *begin(struct monitor *monitor, const char *name, size_t fields)
{
    struct control_connection *server = monitor->control.server;
    if (!server || !server->informed)
        return NULL;
    msgpack_packer *packer = bj_rpc_notify(&server->rpc, name);
    msgpack_pack_map(packer, fields);
    return packer;
}

static void end(struct monitor *monitor)
{
    bj_rpc_send(&monitor->control.server->rpc);
}

static void tell_uint(struct monitor *monitor, const char *event, const char *key, uint64_t value)
{
    msgpack_packer *packer = begin(monitor, event, 1);
    if (!packer)
        return;
    bj_pack_key_uint(packer, key, value);
    end(monitor);
}

static void tell_str(struct monitor *monitor, const char *event, const char *key, const char *value)
{
    msgpack_packer *packer = begin(monitor, event, 1);
    if (!packer)
        return;
    bj_pack_key_str(packer, key, value);
    end(monitor);
}

void control_candidate(struct monitor *monitor, pid_t pid)
{
    tell_uint(monitor, "link.candidate", "pid", (uint64_t)pid);
}

void control_link_up(struct monitor *monitor, pid_t pid)
{
    tell_uint(monitor, "link.up", "pid", (uint64_t)pid);
}

void control_link_down(struct monitor *monitor, const char *why)
{
    tell_str(monitor, "link.down", "error", why);
}

void control_started(struct monitor *monitor)
{
    tell_uint(monitor, "agent.started", "pid", monitor->agent.pid);
}

void control_exited(struct monitor *monitor)
{
    msgpack_packer *packer = begin(monitor, "agent.exited", 3);
    if (!packer)
        return;
    bj_pack_key_int(packer, "code", monitor->agent.code);
    bj_pack_key_int(packer, "signal", monitor->agent.signal);
    bj_pack_key_str(packer, "error", monitor->agent.error);
    end(monitor);
}

void control_ask_opened(struct monitor *monitor, const struct ask *ask)
{
    msgpack_packer *packer = begin(monitor, "ask.opened", 5);
    if (!packer)
        return;
    bj_pack_key_uint(packer, "channel", ask->channel);
    bj_pack_key_str(packer, "kind", ask->kind);
    bj_pack_key_str(packer, "title", ask->title);
    bj_pack_key_bin(packer, "detail", ask->detail, ask->detail_size);
    bj_pack_key_uint(packer, "waited", uv_now(&monitor->loop) - ask->began);
    end(monitor);
}

void control_ask_closed(struct monitor *monitor, uint32_t channel)
{
    tell_uint(monitor, "ask.closed", "channel", channel);
}

void control_egress_wanted(struct monitor *monitor)
{
    if (begin(monitor, "egress.wanted", 0))
        end(monitor);
}

void control_bell(struct monitor *monitor)
{
    if (!bucket_take(&monitor->control.bells, BELL_BURST, BELLS_PER_SECOND, uv_now(&monitor->loop)))
        return;
    if (begin(monitor, "pane.bell", 0))
        end(monitor);
}

static uint64_t cursor_line(const struct terminal *terminal)
{
    return terminal->scrolled_up + (uint64_t)terminal->row;
}

void control_size(struct monitor *monitor)
{
    monitor->control.furthest = cursor_line(monitor->terminal); /* its lines were wrapped anew */
    msgpack_packer *packer = begin(monitor, "pane.size", 2);
    if (!packer)
        return;
    bj_pack_key_uint(packer, "rows", (uint64_t)monitor->terminal->rows);
    bj_pack_key_uint(packer, "cols", (uint64_t)monitor->terminal->cols);
    end(monitor);
}

static void tell_state(struct monitor *monitor)
{
    const struct control *control = &monitor->control;
    msgpack_packer *packer = begin(monitor, "agent.state", 2);
    if (!packer)
        return;
    bj_pack_key_str(packer, "state", control->state);
    bj_pack_key_str(packer, "text", control->state_text);
    end(monitor);
}

/* Something stands before the cursor that is not a human's typing. */
static bool line_is_open(const struct monitor *monitor)
{
    const struct control *control = &monitor->control;
    const struct terminal *terminal = monitor->terminal;
    bool typed = control->typed && control->typed_line == cursor_line(terminal);
    return !(terminal->modes & TERMINAL_ALTSCREEN) &&
           (typed ? control->typed_behind : terminal->col > 0);
}

#define SIGNS 6 /* fields */
static void pack_signs(msgpack_packer *packer, const struct monitor *monitor)
{
    static const char *const prompts[] = {"", "shown", "left"};
    bj_pack_key_uint(packer, "output", monitor->link.output.next);
    bj_pack_key_uint(packer, "lines", monitor->control.lines);
    bj_pack_key_uint(packer, "inputs", monitor->control.inputs);
    bj_pack_key_uint(packer, "breaks", monitor->control.breaks);
    bj_pack_key_str(packer, "prompt", prompts[monitor->terminal->prompt]);
    bj_pack_key_bool(packer, "open", line_is_open(monitor));
}

static void tell_output(struct monitor *monitor)
{
    msgpack_packer *packer = begin(monitor, "pane.output", SIGNS);
    if (!packer)
        return;
    pack_signs(packer, monitor);
    end(monitor);
}

/* Output and titles come as fast as the agent likes; the server hears of them at its own pace. */
static void on_output_timer(uv_timer_t *timer)
{
    struct monitor *monitor = timer->data;
    struct control *control = &monitor->control;
    control->output_told_at = uv_now(&monitor->loop);
    if (control->title_due)
        tell_str(monitor, "pane.title", "title", monitor->terminal->title);
    if (control->output_due)
        tell_output(monitor);
    if (control->state_due)
        tell_state(monitor);
    control->title_due = control->output_due = control->state_due = false;
}

static void tell_soon(struct monitor *monitor)
{
    struct control *control = &monitor->control;
    if (!control->server || uv_is_active((uv_handle_t *)&control->output_timer))
        return;
    uint64_t since = uv_now(&monitor->loop) - control->output_told_at;
    if (since >= OUTPUT_MS)
        on_output_timer(&control->output_timer);
    else
        uv_timer_start(&control->output_timer, on_output_timer, OUTPUT_MS - since, 0);
}

/* What paints the same rows again, a spinner for instance, gets no further; a program that has the
 * whole screen for itself cannot be told from one. */
static void note_lines(struct monitor *monitor)
{
    const struct terminal *terminal = monitor->terminal;
    struct control *control = &monitor->control;
    uint64_t at = cursor_line(terminal);
    if (control->clears != terminal->clears) { /* it begins at the top again */
        control->clears = terminal->clears;
        control->furthest = at;
    }
    if (at > control->furthest || terminal->modes & TERMINAL_ALTSCREEN)
        control->lines++;
    if (at > control->furthest)
        control->furthest = at;
}

void control_output(struct monitor *monitor)
{
    note_lines(monitor);
    monitor->control.output_due = true;
    tell_soon(monitor);
}

void control_input(struct monitor *monitor, bool breaks)
{
    struct control *control = &monitor->control;
    uint64_t line = cursor_line(monitor->terminal);
    if (!control->typed || control->typed_line != line)
        control->typed_behind = monitor->terminal->col > 0;
    control->typed = true;
    control->typed_line = line;
    control->inputs++;
    control->breaks += breaks;
    control->output_due = true;
    tell_soon(monitor);
}

void control_title(struct monitor *monitor)
{
    monitor->control.title_due = true;
    tell_soon(monitor);
}

void control_agent_state(struct monitor *monitor, const char *state, const char *text)
{
    struct control *control = &monitor->control;
    control->state = state;
    snprintf(control->state_text, sizeof(control->state_text), "%s", text);
    control->state_due = true;
    tell_soon(monitor);
}

bool control_alert(struct monitor *monitor, const struct alert *alert)
{
    msgpack_packer *packer = begin(monitor, "alert", 3);
    if (!packer)
        return false;
    bj_pack_key_str(packer, "severity", alert->severity);
    bj_pack_key_str(packer, "kind", alert->kind);
    bj_pack_key_str(packer, "text", alert->text);
    end(monitor);
    return true;
}

static void answer_info(struct monitor *monitor, struct bj_rpc *rpc, uint32_t id)
{
    const struct agent *agent = &monitor->agent;
    msgpack_packer *packer = bj_rpc_result(rpc, id);
    if (!packer)
        return;
    msgpack_pack_map(packer, 12 + SIGNS);
    bj_pack_key_str(packer, "id", monitor->id);
    bj_pack_key_int(packer, "pid", getpid());
    bj_pack_key_str(packer, "link", link_is_up(monitor) ? "up" : "down");
    bj_pack_key_int(packer, "init_pid", monitor->link.admitted);
    bj_pack_key_uint(packer, "rows", (uint64_t)monitor->terminal->rows);
    bj_pack_key_uint(packer, "cols", (uint64_t)monitor->terminal->cols);
    bj_pack_key_str(packer, "title", monitor->terminal->title);
    bj_pack_key_bool(packer, "started", agent->started);
    bj_pack_key_bool(packer, "exited", agent->exited);
    bj_pack_key_int(packer, "exit_code", agent->code);
    bj_pack_key_int(packer, "exit_signal", agent->signal);
    bj_pack_key_str(packer, "error", agent->error);
    pack_signs(packer, monitor);
    bj_rpc_send(rpc);
}

/* What a server that comes late must still hear. */
static void tell_missed(struct monitor *monitor)
{
    for (size_t i = 0; i < ASKS_KEPT; i++)
        if (monitor->link.asks.list[i] && monitor->link.asks.list[i]->state == ASK_OPEN)
            control_ask_opened(monitor, monitor->link.asks.list[i]);
    for (int i = 0; i < LINK_CANDIDATES; i++)
        if (monitor->link.candidates[i].fd >= 0)
            control_candidate(monitor, monitor->link.candidates[i].pid);
    if (monitor->relay.egress && monitor->relay.egress->fd < 0)
        control_egress_wanted(monitor);
    if (monitor->control.state)
        tell_state(monitor);
    for (size_t i = 0; i < monitor->alerts.kept_count; i++)
        control_alert(monitor, &monitor->alerts.kept[i]);
    monitor->alerts.kept_count = 0;
}

static void info(struct monitor *monitor, struct bj_rpc *rpc, uint32_t id,
                 const msgpack_object *params)
{
    (void)params;
    struct control_connection *connection = rpc->owner;
    answer_info(monitor, rpc, id);
    if (connection->informed || monitor->control.server != connection)
        return;
    connection->informed = true;
    tell_missed(monitor);
}

static void admit(struct monitor *monitor, struct bj_rpc *rpc, uint32_t id,
                  const msgpack_object *params)
{
    link_admit(monitor, (pid_t)bj_get_uint(params, "pid", 0));
    bj_rpc_done(rpc, id);
}

static void finish(struct bj_rpc *rpc, uint32_t id, int status, const char *what)
{
    struct bj_error error = {0};
    if (status == 0) {
        bj_rpc_done(rpc, id);
        return;
    }
    bj_fail(&error, status, "%s: %s", what, strerror(-status));
    bj_rpc_error(rpc, id, &error);
}

static void verdict(struct monitor *monitor, struct bj_rpc *rpc, uint32_t id,
                    const msgpack_object *params)
{
    char reason[BJ_REASON_MAX + 1];
    bj_get_copy(params, "reason", reason, sizeof(reason));
    int status =
        link_verdict(monitor, (uint32_t)bj_get_uint(params, "channel", 0),
                     (enum bj_answer)bj_get_uint(params, "answer", BJ_ANSWER_DENY), reason);
    finish(rpc, id, status, "nothing waits for a verdict there");
}

static void note(struct monitor *monitor, struct bj_rpc *rpc, uint32_t id,
                 const msgpack_object *params)
{
    char text[BJ_REASON_MAX + 1];
    bj_get_copy(params, "text", text, sizeof(text));
    asks_add_note(&monitor->link.asks, text);
    bj_rpc_done(rpc, id);
}

static void mark(struct monitor *monitor, struct bj_rpc *rpc, uint32_t id,
                 const msgpack_object *params)
{
    (void)params;
    terminal_mark(monitor->terminal, ATTRIBUTE_REQUEST);
    bj_rpc_done(rpc, id);
}

static void signal_agent(struct monitor *monitor, struct bj_rpc *rpc, uint32_t id,
                         const msgpack_object *params)
{
    finish(rpc, id, link_signal(monitor, (int)bj_get_uint(params, "number", 0)),
           "the link to the sandbox is down");
}

static void pace(struct monitor *monitor, struct bj_rpc *rpc, uint32_t id,
                 const msgpack_object *params)
{
    link_pace(monitor, bj_get_uint(params, "rate", 0), bj_get_uint(params, "ms", 0));
    bj_rpc_done(rpc, id);
}

static void shut_down(struct monitor *monitor, struct bj_rpc *rpc, uint32_t id,
                      const msgpack_object *params)
{
    (void)params;
    finish(rpc, id, link_shutdown(monitor), "the link to the sandbox is down");
}

static void stop(struct monitor *monitor, struct bj_rpc *rpc, uint32_t id,
                 const msgpack_object *params)
{
    (void)params;
    bj_rpc_done(rpc, id);
    monitor_stop(monitor);
}

static const struct {
    const char *name;
    void (*run)(struct monitor *monitor, struct bj_rpc *rpc, uint32_t id,
                const msgpack_object *params);
} methods[] = {
    {"monitor.info", info}, {"monitor.admit", admit},         {"monitor.verdict", verdict},
    {"monitor.mark", mark}, {"monitor.signal", signal_agent}, {"monitor.shutdown", shut_down},
    {"monitor.pace", pace}, {"monitor.stop", stop},           {"monitor.note", note},
};

static void on_call(struct bj_rpc *rpc, uint32_t id, const struct bj_method *method,
                    const msgpack_object *params)
{
    struct control_connection *connection = rpc->owner;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (strcmp(methods[i].name, method->name) == 0)
            methods[i].run(connection->monitor, rpc, id, params);
}

static void on_closed(struct bj_rpc *rpc, const struct bj_error *why)
{
    (void)why;
    struct control_connection *connection = rpc->owner;
    if (connection->monitor->control.server == connection)
        connection->monitor->control.server = NULL;
    free(connection);
}

static const struct bj_rpc_events events = {
    .methods = bj_api_control,
    .events = bj_events_control,
    .call = on_call,
    .closed = on_closed,
};

static void on_dial(uv_poll_t *poll, int status, int what)
{
    (void)what;
    struct monitor *monitor = poll->data;
    int fd = status < 0 ? -1 : bj_socket_accept(monitor->control.listen_fd);
    if (fd < 0)
        return;
    struct control_connection *connection = calloc(1, sizeof(*connection));
    if (!connection || bj_socket_check_peer(fd, monitor->owner, NULL) < 0) {
        free(connection);
        close(fd);
        return;
    }
    connection->monitor = monitor;
    if (bj_rpc_open(&connection->rpc, &monitor->loop, fd, &events, connection, NULL) < 0) {
        free(connection);
        return;
    }
    if (monitor->control.server)
        bj_rpc_close(&monitor->control.server->rpc);
    monitor->control.server = connection;
}

int control_open(struct monitor *monitor, int listen_fd, struct bj_error *error)
{
    struct control *control = &monitor->control;
    control->listen_fd = listen_fd;
    control->listener.data = control->output_timer.data = monitor;
    uv_timer_init(&monitor->loop, &control->output_timer);
    int status = uv_poll_init(&monitor->loop, &control->listener, listen_fd);
    if (status == 0)
        status = uv_poll_start(&control->listener, UV_READABLE, on_dial);
    return status < 0
               ? bj_fail(error, status, "cannot wait for the server: %s", uv_strerror(status))
               : 0;
}

void control_close(struct monitor *monitor)
{
    if (monitor->control.server)
        bj_rpc_close(&monitor->control.server->rpc);
    uv_close((uv_handle_t *)&monitor->control.listener, NULL);
    uv_close((uv_handle_t *)&monitor->control.output_timer, NULL);
}
