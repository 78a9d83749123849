#include "mux/server/egress.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mux/server/egress_line.h"
#include "mux/driver/helper.h"
#include "mux/server/hold.h"
#include "mux/server/log.h"
#include "mux/server/server.h"
#include "transport/pack.h"
#include "transport/socket.h"

#define HOLD_SECONDS "600" /* then whoever waits is told to try again later */
#define RESPAWN_MS   1000U
#define LINES_MAX    1024

/* --- the process --- */

/* Only to reap it: the process outlives us. */
struct child {
    uv_process_t process;
    struct server *server;
    struct child *next;
};

static void on_child_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;
    for (struct child **at = &child->server->egress.children; *at; at = &(*at)->next)
        if (*at == child) {
            *at = child->next;
            break;
        }
    free(child);
}

static void on_child_exit(uv_process_t *process, int64_t status, int signal)
{
    if (signal && signal != SIGTERM)
        log_line("egress proxy %d was ended by signal %d", process->pid, signal);
    else if (status)
        log_line("egress proxy %d ended with code %d", process->pid, (int)status);
    uv_close((uv_handle_t *)process, on_child_closed);
}

static int spawn(struct sandbox *sandbox, int log, struct bj_error *error)
{
    struct server *server = sandbox->server;
    char program[BJ_PATH_MAX + 32], stream[BJ_PATH_MAX], path[BJ_PATH_MAX];
    int status = sandbox_runtime_path(sandbox, "egress.sock", stream, error);
    if (status == 0)
        status = bj_path(path, sizeof(path), error, "%s/egress.sock", server->paths.runtime);
    struct child *child = status == 0 ? calloc(1, sizeof(*child)) : NULL;
    if (!child)
        return status < 0 ? status : bj_fail(error, -ENOMEM, "out of memory");
    snprintf(program, sizeof(program), "%s/belljar-egress", server->paths.libexec);
    char *argv[] = {"belljar-egress", "--id", sandbox->record.id, "--stream",   stream,
                    "--server",       path,   "--hold-seconds",   HOLD_SECONDS, NULL};
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = log},
    };
    char *environment[HELPER_ENVIRONMENT_MAX + 1];
    helper_environment(environment);
    uv_process_options_t options = {
        .exit_cb = on_child_exit,
        .file = program,
        .args = argv,
        .env = environment,
        .stdio = stdio,
        .stdio_count = 3,
        .flags = UV_PROCESS_DETACHED,
    };
    child->server = server;
    child->process.data = child;
    child->next = server->egress.children;
    server->egress.children = child;
    status = uv_spawn(&server->loop, &child->process, &options);
    if (status < 0) {
        uv_close((uv_handle_t *)&child->process, on_child_closed);
        return bj_fail(error, status, "cannot start %s: %s", program, uv_strerror(status));
    }
    status = process_identify(child->process.pid, &sandbox->record.egress);
    if (status < 0) {
        uv_process_kill(&child->process, SIGKILL);
        return bj_fail(error, status, "cannot look at the egress proxy: %s", strerror(-status));
    }
    traffic_restart(&sandbox->traffic);
    sandbox_save(sandbox);
    log_line("sandbox %s (%s) has the egress proxy %d", sandbox->record.id, sandbox->record.name,
             child->process.pid);
    return 0;
}

void egress_wanted(struct sandbox *sandbox)
{
    struct bj_error error = {0};
    uint64_t now = server_clock();
    if (sandbox->ended || process_alive(&sandbox->record.egress) ||
        (sandbox->egress_started && now - sandbox->egress_started < RESPAWN_MS))
        return;
    sandbox->egress_started = now;
    int log = sandbox_open_log(sandbox, "egress.log", &error);
    int status = log < 0 ? log : spawn(sandbox, log, &error);
    if (log >= 0)
        close(log);
    if (status < 0)
        server_alert(sandbox->server, sandbox, ALERT_CRITICAL, "egress",
                     "there is no way out: the egress proxy did not start: %s", error.text);
}

void egress_end(struct sandbox *sandbox)
{
    hold_drop(sandbox, ASKER_EGRESS);
    process_signal(&sandbox->record.egress, SIGTERM);
}

/* --- connections --- */

static void on_call(struct bj_rpc *rpc, uint32_t id, const struct bj_method *method,
                    const msgpack_object *params)
{
    egress_line_call(rpc->owner, id, method, params);
}

static void on_notification(struct bj_rpc *rpc, const char *name, const msgpack_object *params)
{
    egress_line_notification(rpc->owner, name, params);
}

static void on_rpc_closed(struct bj_rpc *rpc, const struct bj_error *why)
{
    struct egress_line *line = rpc->owner;
    struct server *server = line->server;
    if (why->code)
        log_line("egress proxy %d: %s", (int)line->pid, why->text);
    for (struct egress_line **at = &server->egress.lines; *at; at = &(*at)->next)
        if (*at == line) {
            *at = line->next;
            break;
        }
    egress_line_unbind(line);
    free(line);
}

static const struct bj_rpc_events handler = {
    .methods = bj_api_egress,
    .events = bj_events_egress,
    .call = on_call,
    .notification = on_notification,
    .closed = on_rpc_closed,
};

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct server *server = poll->data;
    struct bj_error error = {0};
    size_t count = 0;
    int fd = bj_socket_accept(server->egress.listen_fd);
    if (fd < 0)
        return;
    for (struct egress_line *at = server->egress.lines; at; at = at->next)
        count++;
    struct egress_line *line = count < LINES_MAX ? calloc(1, sizeof(*line)) : NULL;
    if (!line || bj_socket_check_peer(fd, geteuid(), &error) < 0 ||
        bj_socket_peer(fd, &line->pid, NULL, NULL, &error) < 0) {
        log_line("egress proxy refused: %s", error.code ? error.text : "too many");
        free(line);
        close(fd);
        return;
    }
    line->server = server;
    if (bj_rpc_open(&line->rpc, &server->loop, fd, &handler, line, &error) < 0) {
        free(line);
        return;
    }
    line->next = server->egress.lines;
    server->egress.lines = line;
}

int egress_open(struct server *server, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = bj_path(path, sizeof(path), error, "%s/egress.sock", server->paths.runtime);
    if (status == 0)
        status = server->egress.listen_fd = bj_socket_listen(path, error);
    if (status < 0)
        return status;
    server->egress.listener.data = server;
    status = uv_poll_init(&server->loop, &server->egress.listener, server->egress.listen_fd);
    if (status == 0)
        status = uv_poll_start(&server->egress.listener, UV_READABLE, on_connection);
    return status < 0 ? bj_fail(error, status, "cannot watch %s: %s", path, uv_strerror(status))
                      : 0;
}

void egress_close(struct server *server)
{
    char path[BJ_PATH_MAX];
    if (!uv_is_closing((uv_handle_t *)&server->egress.listener)) {
        uv_close((uv_handle_t *)&server->egress.listener, NULL);
        if (bj_path(path, sizeof(path), NULL, "%s/egress.sock", server->paths.runtime) == 0)
            unlink(path);
        close(server->egress.listen_fd);
    }
    for (struct egress_line *line = server->egress.lines; line; line = line->next)
        bj_rpc_close(&line->rpc);
    for (struct child *child = server->egress.children; child; child = child->next)
        if (!uv_is_closing((uv_handle_t *)&child->process))
            uv_close((uv_handle_t *)&child->process, on_child_closed);
}
