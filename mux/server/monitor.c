#include "mux/server/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mux/driver/helper.h"
#include "mux/server/log.h"
#include "mux/server/server.h"
#include "mux/server/supervise.h"
#include "transport/message.h"
#include "transport/pack.h"
#include "transport/rpc.h"
#include "transport/socket.h"

#define READY_FD 3 /* in the monitor */

struct monitor {
    struct monitor *next; /* server->monitors */
    struct server *server;
    struct sandbox *sandbox; /* NULL once abandoned */
    uv_timer_t delay;
    uv_process_t process;
    uv_pipe_t ready;
    struct bj_rpc rpc;
    bool delay_open, process_open, ready_open, rpc_open;
    bool up;
    char line[BJ_ERROR_TEXT_MAX];
    size_t line_size;
};

struct delivery {
    monitor_delivered *done;
    void *argument;
};

static struct monitor *monitor_new(struct sandbox *sandbox, struct bj_error *error)
{
    struct monitor *monitor = calloc(1, sizeof(*monitor));
    if (!monitor) {
        bj_fail(error, -ENOMEM, "out of memory");
        return NULL;
    }
    struct server *server = sandbox->server;
    monitor->server = server;
    monitor->sandbox = sandbox;
    monitor->next = server->monitors;
    server->monitors = monitor;
    sandbox->monitor = monitor;
    return monitor;
}

static void release(struct monitor *monitor)
{
    if (monitor->sandbox || monitor->delay_open || monitor->process_open || monitor->ready_open ||
        monitor->rpc_open)
        return;
    for (struct monitor **at = &monitor->server->monitors; *at; at = &(*at)->next)
        if (*at == monitor) {
            *at = monitor->next;
            break;
        }
    free(monitor);
}

static void on_delay_closed(uv_handle_t *handle)
{
    struct monitor *monitor = handle->data;
    monitor->delay_open = false;
    release(monitor);
}

static void on_process_closed(uv_handle_t *handle)
{
    struct monitor *monitor = handle->data;
    monitor->process_open = false;
    release(monitor);
}

static void on_ready_closed(uv_handle_t *handle)
{
    struct monitor *monitor = handle->data;
    monitor->ready_open = false;
    release(monitor);
}

static void close_handle(bool open, uv_handle_t *handle, uv_close_cb closed)
{
    if (open && !uv_is_closing(handle))
        uv_close(handle, closed);
}

void monitor_abandon(struct monitor *monitor)
{
    if (!monitor->sandbox)
        return;
    monitor->sandbox->monitor = NULL;
    monitor->sandbox = NULL;
    monitor->up = false;
    close_handle(monitor->delay_open, (uv_handle_t *)&monitor->delay, on_delay_closed);
    close_handle(monitor->ready_open, (uv_handle_t *)&monitor->ready, on_ready_closed);
    if (monitor->rpc_open)
        bj_rpc_close(&monitor->rpc);
    /* The process handle stays until the process ends, to reap it. */
    release(monitor);
}

void monitors_close(struct server *server)
{
    struct monitor *next;
    for (struct monitor *monitor = server->monitors; monitor; monitor = next) {
        next = monitor->next;
        close_handle(monitor->process_open, (uv_handle_t *)&monitor->process, on_process_closed);
        monitor_abandon(monitor);
    }
}

bool monitor_is_up(const struct monitor *monitor)
{
    return monitor && monitor->up;
}

static void fail(struct monitor *monitor, const struct bj_error *why)
{
    struct sandbox *sandbox = monitor->sandbox;
    if (!sandbox)
        return;
    monitor_abandon(monitor);
    supervise_monitor_down(sandbox, why);
}

/* --- the connection --- */

static void on_info(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                    void *argument)
{
    struct monitor *monitor = argument;
    if (!monitor->sandbox)
        return;
    if (error) {
        bj_rpc_error_read(error, &rpc->why);
        bj_rpc_close(rpc);
        return;
    }
    monitor->up = true;
    supervise_monitor_up(monitor->sandbox, result);
}

static void on_notification(struct bj_rpc *rpc, const char *name, const msgpack_object *params)
{
    struct monitor *monitor = rpc->owner;
    if (monitor->sandbox)
        supervise_notification(monitor->sandbox, name, params);
}

static void on_rpc_closed(struct bj_rpc *rpc, const struct bj_error *why)
{
    struct monitor *monitor = rpc->owner;
    struct bj_error error = *why;
    monitor->rpc_open = false;
    if (!error.code)
        bj_fail(&error, -EPIPE, "the monitor closed its connection");
    if (monitor->sandbox)
        fail(monitor, &error);
    else
        release(monitor);
}

static const struct bj_rpc_events handler = {
    .notification = on_notification,
    .closed = on_rpc_closed,
};

static void dial(struct monitor *monitor)
{
    char path[BJ_PATH_MAX];
    struct bj_error error = {0};
    struct sandbox *sandbox = monitor->sandbox;
    int status = sandbox_runtime_path(sandbox, "control.sock", path, &error);
    if (status == 0)
        status = bj_socket_connect(path, &error);
    if (status >= 0)
        status =
            bj_rpc_open(&monitor->rpc, &monitor->server->loop, status, &handler, monitor, &error);
    if (status < 0) {
        fail(monitor, &error);
        return;
    }
    monitor->rpc_open = true;
    msgpack_pack_map(bj_rpc_request(&monitor->rpc, "monitor.info", on_info, monitor), 0);
    monitor_admit(sandbox);
    bj_rpc_send(&monitor->rpc);
}

/* A call whose end nobody waits for; NULL: there is no monitor to hear it. bj_rpc_send() follows.
 */
static msgpack_packer *tell(struct monitor *monitor, const char *method, uint32_t parameters)
{
    if (!monitor || !monitor->rpc_open)
        return NULL;
    msgpack_packer *packer = bj_rpc_request(&monitor->rpc, method, NULL, NULL);
    msgpack_pack_map(packer, parameters);
    return packer;
}

void monitor_admit(struct sandbox *sandbox)
{
    bool known = sandbox->record.init.pid > 0 && !sandbox->ended;
    msgpack_packer *packer = known ? tell(sandbox->monitor, "monitor.admit", 1) : NULL;
    if (!packer)
        return;
    bj_pack_key_uint(packer, "pid", (uint64_t)sandbox->record.init.pid);
    bj_rpc_send(&sandbox->monitor->rpc);
}

void monitor_pace(struct sandbox *sandbox, uint64_t rate, uint64_t ms)
{
    msgpack_packer *packer = tell(sandbox->monitor, "monitor.pace", 2);
    if (!packer)
        return;
    bj_pack_key_uint(packer, "rate", rate);
    bj_pack_key_uint(packer, "ms", ms);
    bj_rpc_send(&sandbox->monitor->rpc);
}

void monitor_mark(struct sandbox *sandbox)
{
    if (tell(sandbox->monitor, "monitor.mark", 0))
        bj_rpc_send(&sandbox->monitor->rpc);
}

void monitor_note(struct sandbox *sandbox, const char *text)
{
    msgpack_packer *packer = tell(sandbox->monitor, "monitor.note", 1);
    if (!packer)
        return;
    bj_pack_key_str(packer, "text", text);
    bj_rpc_send(&sandbox->monitor->rpc);
}

void monitor_again(struct sandbox *sandbox, const struct bj_error *why)
{
    struct monitor *monitor = sandbox->monitor;
    if (!monitor || !monitor->rpc_open)
        return;
    monitor->rpc.why = *why;
    bj_rpc_close(&monitor->rpc); /* then it is replaced, as one that died */
}

static void on_delivered(struct bj_rpc *rpc, const msgpack_object *error,
                         const msgpack_object *result, void *argument)
{
    struct delivery *delivery = argument;
    struct monitor *monitor = rpc->owner;
    struct bj_error why = {0};
    if (error)
        bj_rpc_error_read(error, &why);
    delivery->done(delivery->argument, error ? &why : NULL);
    free(delivery);
    if (why.code == -ENOMEM && monitor->sandbox)
        monitor_again(monitor->sandbox, &why);
}

int monitor_verdict(struct sandbox *sandbox, uint32_t channel, bool allow, const char *reason,
                    monitor_delivered *done, void *argument, struct bj_error *error)
{
    struct monitor *monitor = sandbox->monitor;
    if (!monitor_is_up(monitor))
        return bj_fail(error, -ENOTCONN,
                       "the sandbox's monitor is being restarted: answer again in a moment");
    struct delivery *delivery = calloc(1, sizeof(*delivery));
    if (!delivery) {
        bj_fail(error, -ENOMEM, "out of memory");
        monitor_again(sandbox, error);
        return error->code;
    }
    *delivery = (struct delivery){done, argument};
    msgpack_packer *packer =
        bj_rpc_request(&monitor->rpc, "monitor.verdict", on_delivered, delivery);
    msgpack_pack_map(packer, 3);
    bj_pack_key_uint(packer, "channel", channel);
    bj_pack_key_uint(packer, "answer", allow ? BJ_ANSWER_ALLOW : BJ_ANSWER_DENY);
    bj_pack_key_str(packer, "reason", reason);
    bj_rpc_send(&monitor->rpc);
    return 0;
}

void monitor_stop(struct sandbox *sandbox)
{
    struct monitor *monitor = sandbox->monitor;
    if (!monitor_is_up(monitor)) {
        monitor_end(sandbox);
        return;
    }
    msgpack_pack_map(bj_rpc_request(&monitor->rpc, "monitor.stop", NULL, NULL), 0);
    bj_rpc_send(&monitor->rpc);
}

/* A server that died right after starting a monitor has left one that no record names. It is known
 * by where it listens, in a directory that nobody else can write to. */
static void end_stray(struct sandbox *sandbox)
{
    char path[BJ_PATH_MAX];
    struct process_id stray;
    pid_t pid = 0;
    int fd = sandbox_runtime_path(sandbox, "control.sock", path, NULL) < 0
                 ? -1
                 : bj_socket_connect(path, NULL);
    if (fd < 0)
        return;
    if (bj_socket_peer(fd, &pid, NULL, NULL, NULL) == 0 && pid > 0 &&
        process_identify(pid, &stray) == 0)
        process_signal(&stray, SIGKILL);
    close(fd);
}

void monitor_end(struct sandbox *sandbox)
{
    process_signal(&sandbox->record.monitor, SIGKILL);
    end_stray(sandbox);
}

/* --- the process --- */

static void on_exit_process(uv_process_t *process, int64_t status, int signal)
{
    if (signal)
        log_line("monitor %d was ended by signal %d", process->pid, signal);
    else if (status)
        log_line("monitor %d ended with code %d", process->pid, (int)status);
    uv_close((uv_handle_t *)process, on_process_closed);
}

static void read_answer(struct monitor *monitor)
{
    struct bj_error error = {0};
    monitor->line[monitor->line_size] = '\0';
    char *end = strchr(monitor->line, '\n');
    if (end)
        *end = '\0';
    close_handle(true, (uv_handle_t *)&monitor->ready, on_ready_closed);
    if (!monitor->sandbox)
        return;
    if (strcmp(monitor->line, "ok") == 0) {
        dial(monitor);
        return;
    }
    bj_fail(&error, -EIO, "the monitor did not start: %s",
            monitor->line[0] ? monitor->line
                             : "it exited without an error message (see monitor.log)");
    fail(monitor, &error);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct monitor *monitor = handle->data;
    *buffer = uv_buf_init(monitor->line + monitor->line_size,
                          (unsigned)(sizeof(monitor->line) - 1 - monitor->line_size));
}

static void on_ready(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct monitor *monitor = stream->data;
    if (size == 0)
        return;
    if (size > 0)
        monitor->line_size += (size_t)size;
    if (size < 0 || memchr(monitor->line, '\n', monitor->line_size) ||
        monitor->line_size == sizeof(monitor->line) - 1)
        read_answer(monitor);
}

static int spawn_process(struct monitor *monitor, int log, int ready, struct bj_error *error)
{
    struct sandbox *sandbox = monitor->sandbox;
    const struct record *record = &sandbox->record;
    char program[BJ_PATH_MAX + 32], runtime[BJ_PATH_MAX], state[BJ_PATH_MAX];
    char rows[16], cols[16], scrollback[24], limit[24], uid[16], age[24];
    int status = sandbox_runtime_path(sandbox, "", runtime, error);
    if (status == 0)
        status = sandbox_state_path(sandbox, "", state, error);
    if (status < 0)
        return status;
    snprintf(program, sizeof(program), "%s/belljar-monitor", monitor->server->paths.libexec);
    snprintf(rows, sizeof(rows), "%" PRIu32, sandbox->rows);
    snprintf(cols, sizeof(cols), "%" PRIu32, sandbox->cols);
    snprintf(scrollback, sizeof(scrollback), "%" PRIu64, record->scrollback);
    snprintf(limit, sizeof(limit), "%" PRIu64, record->record_limit);
    snprintf(uid, sizeof(uid), "%" PRIu32, record->uid);
    snprintf(age, sizeof(age), "%" PRIu64, record->quotas.recording_age);
    char *argv[] = {"belljar-monitor",
                    "--id",
                    (char *)record->id,
                    "--runtime",
                    runtime,
                    "--state",
                    state,
                    "--rows",
                    rows,
                    "--cols",
                    cols,
                    "--scrollback",
                    scrollback,
                    "--record-limit",
                    limit,
                    "--record-age",
                    age,
                    "--link-uid",
                    uid,
                    "--ready-fd",
                    "3",
                    NULL};
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = log},
        {.flags = UV_INHERIT_FD, .data.fd = ready},
    };
    char *environment[HELPER_ENVIRONMENT_MAX + 1];
    helper_environment(environment);
    uv_process_options_t options = {
        .exit_cb = on_exit_process,
        .file = program,
        .args = argv,
        .env = environment,
        .stdio = stdio,
        .stdio_count = READY_FD + 1,
        .flags = UV_PROCESS_DETACHED, /* a session of its own: it outlives us */
    };
    monitor->process.data = monitor;
    monitor->process_open = true;
    status = uv_spawn(&monitor->server->loop, &monitor->process, &options);
    if (status < 0) {
        close_handle(true, (uv_handle_t *)&monitor->process, on_process_closed);
        return bj_fail(error, status, "cannot start %s: %s", program, uv_strerror(status));
    }
    return 0;
}

static int start_process(struct monitor *monitor, struct bj_error *error)
{
    struct sandbox *sandbox = monitor->sandbox;
    int pipes[2];
    int log = sandbox_open_log(sandbox, "monitor.log", error);
    if (log < 0)
        return log;
    if (pipe2(pipes, O_CLOEXEC) < 0) {
        close(log);
        return bj_fail(error, -errno, "cannot make a pipe: %s", strerror(errno));
    }
    int status = spawn_process(monitor, log, pipes[1], error);
    close(log);
    close(pipes[1]);
    if (status == 0) {
        status = process_identify(monitor->process.pid, &sandbox->record.monitor);
        if (status < 0) {
            uv_process_kill(&monitor->process, SIGKILL);
            bj_fail(error, status, "cannot look at the monitor: %s", strerror(-status));
        }
    }
    if (status == 0) {
        sandbox->monitor_started = server_clock();
        sandbox->weight = WEIGHT_FULL; /* a new monitor has the full share */
        status = uv_pipe_init(&monitor->server->loop, &monitor->ready, 0);
    }
    if (status < 0) {
        close(pipes[0]);
        return status;
    }
    monitor->ready.data = monitor;
    monitor->ready_open = true;
    status = uv_pipe_open(&monitor->ready, pipes[0]);
    if (status < 0)
        close(pipes[0]);
    else
        status = uv_read_start((uv_stream_t *)&monitor->ready, on_alloc, on_ready);
    return status < 0
               ? bj_fail(error, status, "cannot read from the monitor: %s", uv_strerror(status))
               : 0;
}

static void spawn(struct monitor *monitor)
{
    struct bj_error error = {0};
    if (start_process(monitor, &error) < 0)
        fail(monitor, &error);
    else if (!monitor->sandbox->start) /* a start saves the record itself */
        sandbox_save(monitor->sandbox);
}

static void on_delay(uv_timer_t *timer)
{
    struct monitor *monitor = timer->data;
    close_handle(true, (uv_handle_t *)timer, on_delay_closed);
    if (monitor->sandbox)
        spawn(monitor);
}

int monitor_spawn(struct sandbox *sandbox, uint64_t delay, struct bj_error *error)
{
    struct monitor *monitor = monitor_new(sandbox, error);
    if (!monitor)
        return error->code;
    if (!delay) {
        int status = start_process(monitor, error);
        if (status < 0)
            monitor_abandon(monitor);
        return status;
    }
    uv_timer_init(&sandbox->server->loop, &monitor->delay);
    monitor->delay.data = monitor;
    monitor->delay_open = true;
    uv_timer_start(&monitor->delay, on_delay, delay, 0);
    return 0;
}

int monitor_dial(struct sandbox *sandbox, struct bj_error *error)
{
    struct monitor *monitor = monitor_new(sandbox, error);
    if (!monitor)
        return error->code;
    dial(monitor);
    return 0;
}
