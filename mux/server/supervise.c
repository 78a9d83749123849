#include "mux/server/supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "mux/server/client.h"
#include "mux/server/egress.h"
#include "mux/server/hold.h"
#include "mux/server/log.h"
#include "mux/server/monitor.h"
#include "mux/server/server.h"
#include "mux/server/signs.h"
#include "mux/server/start.h"
#include "mux/server/text.h"
#include "transport/pack.h"

#define RESTART_STEP_MS   100U
#define RESTART_MAX_MS    5000U
#define SWEEP_MS          20U
#define SWEEPS_MAX        100U
#define RESTART_FORGET_MS 30000U /* a monitor that lived so long starts the count anew */

/* --- the sandbox's end --- */

static void set_exit(struct sandbox *sandbox, int code, int number, const char *error)
{
    struct record *record = &sandbox->record;
    record->has_exit = true;
    record->exit_code = code;
    record->exit_signal = number;
    snprintf(record->error, sizeof(record->error), "%s", error);
}

/* The end is on record once, and an alert when it was no good one. */
static void note_exit(struct sandbox *sandbox)
{
    const struct record *record = &sandbox->record;
    struct server *server = sandbox->server;
    sandbox->exit_noted = true;
    ledger_note(server, AUDIT_EXIT, sandbox,
                json_pack("{s:i, s:i, s:o, s:b}", "code", record->exit_code, "signal",
                          record->exit_signal, "error",
                          audit_text(record->error, strlen(record->error)), "killed",
                          sandbox->killed));
    if (sandbox->killed)
        return;
    if (record->exit_signal == SIGSYS)
        server_alert(server, sandbox, ALERT_CRITICAL, "seccomp",
                     "the agent was ended by the system call filter");
    else if (record->exit_signal)
        server_alert(server, sandbox, ALERT_WARNING, "exited", "the agent was ended by signal %d",
                     record->exit_signal);
    else if (record->exit_code || record->error[0])
        server_alert(server, sandbox, ALERT_INFO, "exited", "the agent ended with code %d%s%.200s",
                     record->exit_code, record->error[0] ? ": " : "", record->error);
}

/* How it ended when its shim did not say: from the wall's exit status, which is init's. */
static void guess_exit(struct sandbox *sandbox, int wait_status)
{
    int code = wait_status >= 0 && WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
    if (sandbox->killed)
        set_exit(sandbox, 0, SIGKILL, "");
    else if (code > 128)
        set_exit(sandbox, 0, code - 128, "the sandbox's init was killed");
    else if (code >= 0)
        set_exit(sandbox, code, 0, "the sandbox's init ended without a report");
}

static void on_sweep(uv_timer_t *timer)
{
    struct server *server = timer->data;
    bool left = false;
    for (size_t i = 0; i < server->sandbox_count; i++) {
        struct record *record = &server->sandboxes[i]->record;
        if (!server->sandboxes[i]->ended || !record->cgroup[0])
            continue;
        if (cgroup_remove(record->cgroup) == 0) {
            record->cgroup[0] = '\0';
            sandbox_save(server->sandboxes[i]);
        }
        left = left || record->cgroup[0];
    }
    if (!left || --server->sweeps_left == 0)
        uv_timer_stop(timer);
}

/* The kernel may count the last process as in the group for a moment longer. */
static void remove_cgroup(struct sandbox *sandbox)
{
    struct server *server = sandbox->server;
    struct record *record = &sandbox->record;
    if (!record->cgroup[0])
        return;
    if (cgroup_remove(record->cgroup) == 0) {
        record->cgroup[0] = '\0';
    } else if (!server->stopping) {
        server->sweeps_left = SWEEPS_MAX;
        uv_timer_start(&server->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    }
}

void supervise_ended(struct sandbox *sandbox, int wait_status)
{
    struct record *record = &sandbox->record;
    sandbox->ended = true;
    sandbox->link_up = false;
    watch_cancel(sandbox->init_watch);
    watch_cancel(sandbox->outer_watch);
    sandbox->init_watch = sandbox->outer_watch = NULL;
    hold_forget(sandbox);
    egress_end(sandbox);
    signs_end(sandbox);
    remove_cgroup(sandbox);
    bool open = record->state != SANDBOX_EXITED && record->state != SANDBOX_LOST;
    if (open && !record->has_exit)
        guess_exit(sandbox, wait_status);
    if (open && !sandbox->exit_noted)
        note_exit(sandbox);
    if (open) {
        if (!record->has_exit && !record->error[0])
            snprintf(record->error, sizeof(record->error),
                     "the sandbox ended while nobody watched");
        record->state = record->has_exit ? SANDBOX_EXITED : SANDBOX_LOST;
        log_line("sandbox %s (%s) %s: code %d, signal %d", record->id, record->name,
                 sandbox_state_name(record->state), record->exit_code, record->exit_signal);
    }
    sandbox_save(sandbox);
    sandbox_touch(sandbox);
}

/* The end is final when init and the wall are gone and the monitor has told what it knows: its
 * report may still be on its way while the link is up. */
static void check_end(struct sandbox *sandbox, int wait_status)
{
    if (sandbox->start || sandbox->init_watch)
        return;
    if (sandbox->outer_watch || (monitor_is_up(sandbox->monitor) && sandbox->link_up))
        return;
    if (sandbox->ended)
        supervise_ended(sandbox, wait_status);
}

static void on_init_ended(void *owner, int wait_status)
{
    struct sandbox *sandbox = owner;
    sandbox->init_watch = NULL;
    sandbox->ended = true;
    check_end(sandbox, -1);
}

static void on_outer_ended(void *owner, int wait_status)
{
    struct sandbox *sandbox = owner;
    sandbox->outer_watch = NULL;
    sandbox->outer_status = wait_status;
    if (sandbox->start)
        start_wall_ended(sandbox->start, wait_status);
    else
        check_end(sandbox, wait_status);
}

int supervise_init(struct sandbox *sandbox, struct bj_error *error)
{
    sandbox->init_watch = watch_process(&sandbox->server->loop, &sandbox->record.init, false,
                                        on_init_ended, sandbox, error);
    return sandbox->init_watch ? 0 : error->code;
}

int supervise_outer(struct sandbox *sandbox, bool ours, struct bj_error *error)
{
    sandbox->outer_status = -1;
    sandbox->outer_watch = watch_process(&sandbox->server->loop, &sandbox->record.outer, ours,
                                         on_outer_ended, sandbox, error);
    return sandbox->outer_watch ? 0 : error->code;
}

/* --- the monitor --- */

/* Two must never listen on the same sockets. */
static int replace_monitor(struct sandbox *sandbox, uint64_t delay, struct bj_error *error)
{
    monitor_end(sandbox);
    int status = monitor_spawn(sandbox, delay, error);
    if (status == 0)
        sandbox_save(sandbox);
    return status;
}

/* Needs no memory of its own: want of it is why one is missing. */
static void on_monitors_missing(uv_timer_t *timer)
{
    struct server *server = timer->data;
    struct bj_error error = {0};
    bool left = false;
    for (size_t i = 0; i < server->sandbox_count; i++) {
        struct sandbox *sandbox = server->sandboxes[i];
        if (!sandbox->monitor_missing)
            continue;
        bool wanted = !sandbox->monitor && !sandbox->start && !sandbox->killed && !server->stopping;
        sandbox->monitor_missing = wanted && replace_monitor(sandbox, 0, &error) < 0;
        left = left || sandbox->monitor_missing;
        if (wanted && !sandbox->monitor_missing)
            server_alert(server, sandbox, ALERT_INFO, "monitor", "the sandbox has a monitor again");
    }
    if (!left)
        uv_timer_stop(timer);
}

static void restart_monitor(struct sandbox *sandbox, const struct bj_error *why)
{
    struct server *server = sandbox->server;
    struct bj_error error = {0};
    if (server_clock() - sandbox->monitor_started > RESTART_FORGET_MS)
        sandbox->monitor_restarts = 0;
    uint64_t delay = sandbox->monitor_restarts ? RESTART_STEP_MS << sandbox->monitor_restarts : 0;
    if (sandbox->monitor_restarts < 6)
        sandbox->monitor_restarts++;
    server_alert(server, sandbox, ALERT_WARNING, "monitor", "the monitor was restarted: %s",
                 why->text);
    if (delay > RESTART_MAX_MS)
        delay = RESTART_MAX_MS;
    if (replace_monitor(sandbox, delay, &error) == 0)
        return;
    sandbox->monitor_missing = true;
    uv_timer_start(&server->monitors_missing, on_monitors_missing, RESTART_MAX_MS, RESTART_MAX_MS);
    server_alert(server, sandbox, ALERT_CRITICAL, "monitor",
                 "the sandbox has no monitor and cannot be looked at; another is tried every "
                 "%u s: %s",
                 RESTART_MAX_MS / 1000, error.text);
}

void supervise_monitor_down(struct sandbox *sandbox, const struct bj_error *why)
{
    sandbox->link_up = false;
    hold_drop(sandbox, ASKER_HOOK); /* the next monitor announces those again that still wait */
    if (sandbox->start) {
        start_monitor_failed(sandbox->start, why);
        return;
    }
    if (sandbox->ended || sandbox->killed)
        check_end(sandbox, sandbox->outer_status);
    /* What has ended by itself can still be looked at. */
    bool ending = sandbox->ended && sandbox->record.state != SANDBOX_EXITED;
    if (!ending && !sandbox->killed && !sandbox->server->stopping)
        restart_monitor(sandbox, why);
}

static void read_title(struct sandbox *sandbox, const msgpack_object *params)
{
    text_read(params, "title", sandbox->title, sizeof(sandbox->title));
}

static void read_size(struct sandbox *sandbox, const msgpack_object *params)
{
    uint64_t rows = bj_get_uint(params, "rows", 0);
    uint64_t cols = bj_get_uint(params, "cols", 0);
    if (rows >= 1 && rows <= 10000 && cols >= 1 && cols <= 10000) {
        sandbox->rows = (uint32_t)rows;
        sandbox->cols = (uint32_t)cols;
    }
}

static void agent_exited(struct sandbox *sandbox, int code, int number, const char *error)
{
    if (sandbox->record.has_exit)
        return;
    if (code < 0 || code > 255)
        code = 255;
    if (number < 0 || number > 64)
        number = 0;
    set_exit(sandbox, code, number, error);
    note_exit(sandbox);
    signs_end(sandbox);
    if (!sandbox->start)
        sandbox_set_state(sandbox, SANDBOX_EXITED);
}

void supervise_monitor_up(struct sandbox *sandbox, const msgpack_object *info)
{
    char link[8];
    char error[BJ_ERROR_TEXT_MAX];
    bj_get_copy(info, "link", link, sizeof(link));
    sandbox->link_up = strcmp(link, "up") == 0;
    signs_begin(sandbox, info);
    read_size(sandbox, info);
    read_title(sandbox, info);
    if (bj_get_bool(info, "started", false))
        sandbox->agent_started = true;
    if (bj_get_bool(info, "exited", false)) {
        text_read(info, "error", error, sizeof(error));
        agent_exited(sandbox, (int)bj_get_int(info, "exit_code", 0),
                     (int)bj_get_int(info, "exit_signal", 0), error);
    }
    if (sandbox->start) {
        start_monitor_up(sandbox->start);
        return;
    }
    if (sandbox->agent_started && sandbox->record.state == SANDBOX_STARTING)
        sandbox_set_state(sandbox, SANDBOX_RUNNING);
    sandbox_touch(sandbox);
    if (sandbox->ended)
        check_end(sandbox, sandbox->outer_status);
}

/* --- notifications --- */

static void on_link_candidate(struct sandbox *sandbox, const msgpack_object *params)
{
    pid_t pid = (pid_t)bj_get_uint(params, "pid", 0);
    if (sandbox->record.init.pid > 0 && pid == sandbox->record.init.pid)
        monitor_admit(sandbox);
    else if (sandbox->record.init.pid > 0)
        server_alert(sandbox->server, sandbox, ALERT_WARNING, "link",
                     "a process that is not the shim dialled the link and was refused");
}

static void on_link_up(struct sandbox *sandbox, const msgpack_object *params)
{
    sandbox->link_up = true;
    sandbox_touch(sandbox);
}

static void on_link_down(struct sandbox *sandbox, const msgpack_object *params)
{
    char error[ALERT_TEXT_MAX];
    sandbox->link_up = false;
    text_read(params, "error", error, sizeof(error));
    if (error[0])
        server_alert(sandbox->server, sandbox, ALERT_WARNING, "link", "the link was closed: %s",
                     error);
    sandbox_touch(sandbox);
    check_end(sandbox, sandbox->outer_status);
}

static void on_agent_started(struct sandbox *sandbox, const msgpack_object *params)
{
    sandbox->agent_started = true;
    if (!sandbox->start && sandbox->record.state == SANDBOX_STARTING)
        sandbox_set_state(sandbox, SANDBOX_RUNNING);
}

static void on_agent_exited(struct sandbox *sandbox, const msgpack_object *params)
{
    char error[BJ_ERROR_TEXT_MAX];
    text_read(params, "error", error, sizeof(error));
    agent_exited(sandbox, (int)bj_get_int(params, "code", 0), (int)bj_get_int(params, "signal", 0),
                 error);
}

static void on_ask_opened(struct sandbox *sandbox, const msgpack_object *params)
{
    struct request_text text = {0};
    uint64_t channel = bj_get_uint(params, "channel", 0);
    text.kind = bj_get_bytes(params, "kind", &text.kind_size);
    text.title = bj_get_bytes(params, "title", &text.title_size);
    text.detail = bj_get_bytes(params, "detail", &text.detail_size);
    if (channel == 0 || channel > UINT32_MAX || !text.kind || !text.title)
        return;
    if (!text.detail) {
        text.detail = "";
        text.detail_size = 0;
    }
    signs_asked(sandbox);
    hold_hook(sandbox, (uint32_t)channel, &text, hold_asked(sandbox, params));
}

static void on_ask_closed(struct sandbox *sandbox, const msgpack_object *params)
{
    hold_gone(sandbox, ASKER_HOOK, bj_get_uint(params, "channel", 0));
}

static void on_egress_wanted(struct sandbox *sandbox, const msgpack_object *params)
{
    egress_wanted(sandbox);
}

static void on_pane_title(struct sandbox *sandbox, const msgpack_object *params)
{
    read_title(sandbox, params);
    signs_title(sandbox);
    sandbox_touch(sandbox);
}

static void on_pane_bell(struct sandbox *sandbox, const msgpack_object *params)
{
    signs_bell(sandbox);
    sandbox_touch(sandbox);
}

static void on_pane_size(struct sandbox *sandbox, const msgpack_object *params)
{
    read_size(sandbox, params);
    sandbox->facts.sized_at = server_clock();
    sandbox_touch(sandbox);
}

static void on_pane_output(struct sandbox *sandbox, const msgpack_object *params)
{
    enum activity_prompt prompt = sandbox->facts.prompt;
    quota_output(sandbox, bj_get_uint(params, "output", 0));
    signs_output(sandbox, params);
    if (sandbox->facts.prompt != prompt)
        sandbox_touch(sandbox);
}

static void on_alert(struct sandbox *sandbox, const msgpack_object *params)
{
    char severity[16];
    char kind[32];
    char text[ALERT_TEXT_MAX];
    bj_get_copy(params, "severity", severity, sizeof(severity));
    text_read(params, "kind", kind, sizeof(kind));
    bj_get_copy(params, "text", text, sizeof(text));
    if (strcmp(kind, "notification") == 0)
        signs_notice(sandbox);
    server_alert(sandbox->server, sandbox, alert_severity_read(severity), kind, "%s", text);
}

static const struct {
    const char *name;
    void (*handle)(struct sandbox *sandbox, const msgpack_object *params);
} notifications[] = {
    {"link.candidate", on_link_candidate}, {"link.up", on_link_up},
    {"link.down", on_link_down},           {"agent.started", on_agent_started},
    {"agent.exited", on_agent_exited},     {"agent.state", signs_state},
    {"ask.opened", on_ask_opened},         {"ask.closed", on_ask_closed},
    {"egress.wanted", on_egress_wanted},   {"pane.title", on_pane_title},
    {"pane.bell", on_pane_bell},           {"pane.size", on_pane_size},
    {"pane.output", on_pane_output},       {"alert", on_alert},
};

void supervise_notification(struct sandbox *sandbox, const char *name, const msgpack_object *params)
{
    for (size_t i = 0; i < sizeof(notifications) / sizeof(*notifications); i++)
        if (strcmp(notifications[i].name, name) == 0) {
            notifications[i].handle(sandbox, params);
            return;
        }
}
