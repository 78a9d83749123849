#include "mux/server/server.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mux/policy/run.h"
#include "mux/server/client.h"
#include "mux/server/egress.h"
#include "mux/server/hold.h"
#include "mux/server/log.h"
#include "mux/server/monitor.h"
#include "mux/server/registry.h"
#include "mux/server/rule.h"
#include "mux/server/start.h"
#include "mux/server/supervise.h"
#include "transport/socket.h"

#define ALERTS_SAVE_MS 500 /* what is raised or seen meanwhile is saved at once */

double server_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

uint64_t server_clock(void)
{
    return uv_hrtime() / 1000000U;
}

void server_alert(struct server *server, struct sandbox *sandbox, enum alert_severity severity,
                  const char *kind, const char *format, ...)
{
    char text[ALERT_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct alert *alert =
        alert_raise(&server->alerts, sandbox ? sandbox->record.id : "",
                    sandbox ? sandbox->record.name : "", severity, kind, text, server_time());
    /* A flood of one kind is one line, then one each thousand. */
    if (alert->count == 1 || alert->count % 1000 == 0)
        log_line("%s: %s%s%s (%llu)", alert_severity_name(severity), alert->sandbox,
                 alert->sandbox[0] ? ": " : "", alert->text, (unsigned long long)alert->count);
    if (alert->count == 1 && severity >= ALERT_WARNING)
        ledger_note(server, AUDIT_ALERT, sandbox,
                    json_pack("{s:s, s:s, s:o}", "severity", alert_severity_name(severity), "about",
                              alert->kind, "text", audit_text(alert->text, strlen(alert->text))));
    if (sandbox)
        sandbox_touch(sandbox);
    clients_schedule(server);
    server_keep_alerts(server);
}

static int alerts_path(const struct server *server, char *out, struct bj_error *error)
{
    return bj_path(out, BJ_PATH_MAX, error, "%s/alerts.json", server->paths.state);
}

static void save_alerts(struct server *server)
{
    char path[BJ_PATH_MAX];
    struct bj_error error = {0};
    uv_timer_stop(&server->alerts_timer);
    if (alerts_path(server, path, &error) < 0 || alerts_save(&server->alerts, path, &error) < 0)
        log_line("alerts cannot be saved: %s", error.text); /* an alert would come here again */
}

static void on_alerts(uv_timer_t *timer)
{
    save_alerts(timer->data);
}

void server_keep_alerts(struct server *server)
{
    if (!server->stopping && !uv_is_active((uv_handle_t *)&server->alerts_timer))
        uv_timer_start(&server->alerts_timer, on_alerts, ALERTS_SAVE_MS, 0);
}

/* Before any other alert is raised; what is wrong with them waits for the audit log. */
static int load_alerts(struct server *server, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = alerts_path(server, path, error);
    return status < 0 ? status : alerts_load(&server->alerts, path, error);
}

/* Of sandboxes that were removed just before the server ended. */
static void drop_stale_alerts(struct server *server)
{
    for (size_t i = 0; i < server->alerts.count;) {
        char id[ID_SIZE];
        memcpy(id, server->alerts.list[i].sandbox_id, sizeof(id));
        if (id[0] && !registry_find_id(server, id))
            alert_forget(&server->alerts, id);
        else
            i++;
    }
}

static int sessions_path(const struct server *server, char *out, struct bj_error *error)
{
    return bj_path(out, BJ_PATH_MAX, error, "%s/sessions.json", server->paths.state);
}

void server_save_sessions(struct server *server)
{
    char path[BJ_PATH_MAX];
    struct bj_error error = {0};
    if (!server->sessions_dirty)
        return;
    server->sessions_dirty = false;
    if (sessions_path(server, path, &error) < 0 ||
        sessions_save(&server->sessions, path, &error) < 0)
        server_alert(server, NULL, ALERT_WARNING, "session", "sessions cannot be saved: %s",
                     error.text);
}

static void load_sessions(struct server *server)
{
    char path[BJ_PATH_MAX];
    struct bj_error error = {0};
    if (sessions_path(server, path, &error) < 0 ||
        sessions_load(&server->sessions, path, &error) < 0)
        server_alert(server, NULL, ALERT_WARNING, "session",
                     "the layouts of sessions were not found again: %s", error.text);
    for (size_t i = 0; i < server->sandbox_count; i++) {
        struct session *session;
        const struct record *record = &server->sandboxes[i]->record;
        if (session_use(&server->sessions, record->session, &session, &error) == 0)
            session_add_pane(session, record->id, &error);
    }
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;
    log_line("signal %d: stopping, agents go on", number);
    server_stop(server, false);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    client_accept(poll->data);
}

static int listen_here(struct server *server, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = bj_path(path, sizeof(path), error, "%s/server.sock", server->paths.runtime);
    if (status == 0)
        status = server->listen_descriptor = bj_socket_listen(path, error);
    if (status < 0)
        return status;
    status = uv_poll_init(&server->loop, &server->listener, server->listen_descriptor);
    if (status == 0)
        status = uv_poll_start(&server->listener, UV_READABLE, on_connection);
    server->listener.data = server;
    return status < 0 ? bj_fail(error, status, "cannot watch %s: %s", path, uv_strerror(status))
                      : 0;
}

int server_open(struct server *server, struct bj_error *error)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    const char *stuck = getenv("BELLJAR_TEST_STUCK_MS");
    server->started = server_time();
    server->stuck_ms = stuck ? strtoull(stuck, NULL, 10) : 0;
    server->listen_descriptor = -1;
    server->egress.listen_fd = -1;
    int status = process_boot_id(server->boot_id);
    if (status < 0) /* else all that runs would be taken for what ran before this boot */
        return bj_fail(error, status, "cannot read this boot's id: %s", strerror(-status));
    status = uv_loop_init(&server->loop);
    if (status < 0)
        return bj_fail(error, status, "cannot make an event loop: %s", uv_strerror(status));
    uv_timer_init(&server->loop, &server->flush);
    uv_timer_init(&server->loop, &server->sample);
    uv_timer_init(&server->loop, &server->sweep);
    uv_timer_init(&server->loop, &server->monitors_missing);
    uv_timer_init(&server->loop, &server->alerts_timer);
    server->flush.data = server->sample.data = server->sweep.data = server;
    server->monitors_missing.data = server->alerts_timer.data = server;
    struct bj_error lost = {0};
    load_alerts(server, &lost);
    for (size_t i = 0; i < 3; i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
        uv_signal_start(&server->signals[i], on_signal, numbers[i]);
    }
    status = listen_here(server, error);
    if (status == 0)
        status = egress_open(server, error);
    if (status < 0)
        return status;
    quota_open(server);
    ledger_open(server);
    if (lost.code)
        server_alert(server, NULL, ALERT_WARNING, "alert",
                     "the alerts of before were not found again: %s", lost.text);
    guards_open(server);
    rule_open(server);
    if (server->ledger.audit) /* ids of requests are never used twice */
        server->requests.next_number = audit_seq(server->ledger.audit);
    cgroup_find(&server->cgroups);
    status = registry_load(server, error);
    if (status < 0)
        return status;
    load_sessions(server);
    drop_stale_alerts(server);
    for (size_t i = 0; status == 0 && i < server->sandbox_count; i++)
        status = supervise_recover(server->sandboxes[i], error);
    if (status < 0)
        return status;
    if (server->sandbox_count)
        quota_adjust(server);
    log_line("server %d serves %s, %zu sandboxes; cgroups: %s", (int)getpid(),
             server->paths.runtime, server->sandbox_count,
             server->cgroups.path[0] ? server->cgroups.path : server->cgroups.why);
    return 0;
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void server_stop(struct server *server, bool killed)
{
    char path[BJ_PATH_MAX];
    struct bj_error error = {0};
    if (server->stopping)
        return;
    clients_flush(server);
    clients_send_stopping(server, killed);
    server->stopping = true;
    server_save_sessions(server);
    if (uv_is_active((uv_handle_t *)&server->alerts_timer))
        save_alerts(server);
    bj_fail(&error, -ECANCELED, "the server was stopped");
    for (size_t i = server->sandbox_count; i > 0; i--)
        if (server->sandboxes[i - 1]->start)
            start_fail(server->sandboxes[i - 1]->start, &error);
    close_handle((uv_handle_t *)&server->listener);
    if (bj_path(path, sizeof(path), NULL, "%s/server.sock", server->paths.runtime) == 0)
        unlink(path);
    close(server->listen_descriptor);
    close_handle((uv_handle_t *)&server->flush);
    close_handle((uv_handle_t *)&server->sample);
    close_handle((uv_handle_t *)&server->sweep);
    close_handle((uv_handle_t *)&server->monitors_missing);
    close_handle((uv_handle_t *)&server->alerts_timer);
    close_handle((uv_handle_t *)&server->quota);
    close_handle((uv_handle_t *)&server->rules_timer);
    close_handle((uv_handle_t *)&server->ledger.retry);
    egress_close(server);
    run_stop();
    for (size_t i = 0; i < 3; i++)
        close_handle((uv_handle_t *)&server->signals[i]);
    clients_close(server);
    /* What was being started still has to end; the loop runs until that is done. */
    for (size_t i = 0; i < server->sandbox_count; i++) {
        struct sandbox *sandbox = server->sandboxes[i];
        if (sandbox->start)
            continue;
        watch_cancel(sandbox->init_watch);
        watch_cancel(sandbox->outer_watch);
        sandbox->init_watch = sandbox->outer_watch = NULL;
    }
    monitors_close(server);
    watch_close_all();
}

void server_run(struct server *server)
{
    uv_run(&server->loop, UV_RUN_DEFAULT);
    monitors_close(server);
    watch_close_all();
    uv_run(&server->loop, UV_RUN_DEFAULT);
    registry_free(server);
    ledger_close(server);
    guards_close(server);
    requests_free(&server->requests);
    secret_forget(&server->secrets);
    sessions_free(&server->sessions);
    if (uv_loop_close(&server->loop) < 0)
        log_line("the loop still had handles when the server ended");
    log_line("server %d ends", (int)getpid());
}
