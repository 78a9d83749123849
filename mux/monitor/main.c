#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "mux/monitor/lockdown.h"
#include "mux/monitor/monitor.h"
#include "transport/paths.h"
#include "transport/socket.h"

#define MEMORY_BASE (512ULL * 1024 * 1024)
#define MEMORY_KEEP (1024 * 1024) /* bytes: pages anew from the kernel for each batch cost more */

struct options {
    const char *id, *runtime, *state;
    uint64_t rows, cols, scrollback, record_limit, record_age, link_uid, ready_fd, parent;
};

static const struct {
    struct option option;
    size_t text, number; /* offset in struct options; number when text is 0 and value is 'n' */
    uint64_t most;
} table[] = {
    {{"id", required_argument, NULL, 't'}, offsetof(struct options, id), 0, 0},
    {{"runtime", required_argument, NULL, 't'}, offsetof(struct options, runtime), 0, 0},
    {{"state", required_argument, NULL, 't'}, offsetof(struct options, state), 0, 0},
    {{"rows", required_argument, NULL, 'n'}, 0, offsetof(struct options, rows), 10000},
    {{"cols", required_argument, NULL, 'n'}, 0, offsetof(struct options, cols), 10000},
    {{"scrollback", required_argument, NULL, 'n'},
     0,
     offsetof(struct options, scrollback),
     10000000},
    {{"record-limit", required_argument, NULL, 'n'},
     0,
     offsetof(struct options, record_limit),
     UINT64_MAX},
    {{"record-age", required_argument, NULL, 'n'},
     0,
     offsetof(struct options, record_age),
     UINT64_MAX},
    {{"link-uid", required_argument, NULL, 'n'}, 0, offsetof(struct options, link_uid), UINT32_MAX},
    {{"ready-fd", required_argument, NULL, 'n'}, 0, offsetof(struct options, ready_fd), 1 << 20},
    {{"parent", required_argument, NULL, 'n'}, 0, offsetof(struct options, parent), INT32_MAX},
};

#define OPTIONS (sizeof(table) / sizeof(table[0]))

static int take_option(struct options *options, size_t index, const char *value,
                       struct bj_error *error)
{
    if (table[index].option.val == 't') {
        memcpy((char *)options + table[index].text, &value, sizeof(value));
        return 0;
    }
    char *end;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (errno || end == value || *end || value[0] == '-' || number > table[index].most)
        return bj_fail(error, -EINVAL, "--%s: %s is not a number up to %" PRIu64,
                       table[index].option.name, value, table[index].most);
    uint64_t wide = number;
    memcpy((char *)options + table[index].number, &wide, sizeof(wide));
    return 0;
}

static int parse(struct options *options, int argc, char **argv, struct bj_error *error)
{
    struct option list[OPTIONS + 1] = {{0}};
    for (size_t i = 0; i < OPTIONS; i++)
        list[i] = table[i].option;
    *options = (struct options){.rows = 24,
                                .cols = 80,
                                .scrollback = 10000,
                                .record_limit = 64 << 20,
                                .link_uid = UINT32_MAX,
                                .ready_fd = 1};
    int found, index = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, "", list, &index)) != -1) {
        if (found == '?')
            return bj_fail(error, -EINVAL, "unknown option %s", argv[optind - 1]);
        int status = take_option(options, (size_t)index, optarg, error);
        if (status < 0)
            return status;
    }
    if (!options->id || !options->runtime || !options->state || optind < argc)
        return bj_fail(error, -EINVAL,
                       "usage: belljar-monitor --id ID --runtime DIR --state DIR [--rows N] "
                       "[--cols N] [--scrollback LINES] [--record-limit BYTES] [--link-uid UID] "
                       "[--ready-fd FD] [--parent PID]; the server starts it");
    return 0;
}

int monitor_input(struct monitor *monitor, const void *bytes, size_t size)
{
    return size > 0 ? link_input(monitor, bytes, size) : 0;
}

void monitor_resize(struct monitor *monitor, int rows, int cols)
{
    struct terminal *terminal = monitor->terminal;
    int old_rows = terminal->rows, old_cols = terminal->cols;
    terminal_batch(terminal);
    if (terminal_resize(terminal, rows, cols) < 0) {
        monitor_alert(monitor, "warning", "memory", "no memory for another size of the terminal");
        return;
    }
    if (terminal->rows == old_rows && terminal->cols == old_cols)
        return;
    recording_resize(&monitor->recording, terminal->rows, terminal->cols);
    link_send_size(monitor, terminal->rows, terminal->cols);
    link_settle(monitor); /* recorded now: it may be played before the next output */
    control_size(monitor);
    view_changed(monitor);
}

void monitor_alert(struct monitor *monitor, const char *severity, const char *kind,
                   const char *text)
{
    struct alert alert = {0};
    if (!alerts_allow(&monitor->alerts, kind, uv_now(&monitor->loop)))
        return;
    snprintf(alert.severity, sizeof(alert.severity), "%s", severity);
    snprintf(alert.kind, sizeof(alert.kind), "%s", kind);
    snprintf(alert.text, sizeof(alert.text), "%s", text);
    if (!control_alert(monitor, &alert))
        alerts_keep(&monitor->alerts, &alert);
}

#define IDLE_MS 3000

static void on_idle(uv_timer_t *timer)
{
    struct monitor *monitor = timer->data;
    scrollback_trim(&monitor->terminal->scrollback);
    link_settle(monitor); /* nothing is lost with the buffer */
    bytes_free(&monitor->recording.buffer);
    malloc_trim(0);
}

void monitor_output_taken(struct monitor *monitor)
{
    view_changed(monitor);
    control_output(monitor);
    uv_timer_start(&monitor->idle, on_idle, IDLE_MS, 0);
}

void monitor_stop(struct monitor *monitor)
{
    if (monitor->stopping)
        return;
    monitor->stopping = true;
    recording_flush(&monitor->recording, monitor->terminal, true, NULL);
    link_close(monitor);
    relay_close(monitor);
    view_close(monitor);
    control_close(monitor);
    uv_close((uv_handle_t *)&monitor->idle, NULL);
}

static void on_reply(void *owner, const void *bytes, size_t size)
{
    monitor_input(owner, bytes, size); /* an agent that asks and does not read loses answers */
}

static void on_title(void *owner, const char *title)
{
    (void)title; /* the terminal holds it */
    control_title(owner);
}

static void on_bell(void *owner)
{
    control_bell(owner);
}

static void on_alert(void *owner, const char *severity, const char *kind, const char *text)
{
    monitor_alert(owner, severity, kind, text);
}

static const struct terminal_events terminal_events = {on_reply, on_title, on_bell, on_alert};

static int listen_at(const char *directory, const char *name, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = bj_path(path, sizeof(path), error, "%s/%s", directory, name);
    return status < 0 ? status : bj_socket_listen(path, error);
}

/* The shim dials as another user when the server runs as root. */
static int give_link_away(const struct options *options, struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    if (getuid() != 0 || options->link_uid == UINT32_MAX)
        return 0;
    int status = bj_path(path, sizeof(path), error, "%s/link/link.sock", options->runtime);
    if (status == 0 && lchown(path, (uid_t)options->link_uid, (gid_t)-1) < 0)
        status = bj_fail(error, -errno, "cannot give %s to user %" PRIu64 ": %s", path,
                         options->link_uid, strerror(errno));
    return status;
}

static int open_sockets(struct monitor *monitor, const struct options *options,
                        struct bj_error *error)
{
    char path[BJ_PATH_MAX];
    int status = bj_path(path, sizeof(path), error, "%s/link", options->runtime);
    if (status == 0)
        status = bj_directory_private(options->runtime, error);
    if (status == 0 && mkdir(path, 0700) < 0 && errno != EEXIST)
        status = bj_fail(error, -errno, "cannot make %s: %s", path, strerror(errno));
    if (status < 0)
        return status;
    int link = listen_at(path, "link.sock", error);
    int view = link < 0 ? link : listen_at(options->runtime, "view.sock", error);
    int egress = view < 0 ? view : listen_at(options->runtime, "egress.sock", error);
    int exec = egress < 0 ? egress : listen_at(options->runtime, "exec.sock", error);
    int control = exec < 0 ? exec : listen_at(options->runtime, "control.sock", error);
    if (control < 0)
        return control;
    if ((status = give_link_away(options, error)) < 0 ||
        (status = link_open(monitor, link, error)) < 0 ||
        (status = view_open(monitor, view, error)) < 0 ||
        (status = relay_open(monitor, egress, exec, error)) < 0)
        return status;
    return control_open(monitor, control, error);
}

/* The past comes back from the recording; whoever died may have left it in mid-line. */
static int restore(struct monitor *monitor, const struct options *options, struct bj_error *error)
{
    int status = recording_open(&monitor->recording, options->state, options->id,
                                options->record_limit, error);
    struct recording_past past = {0};
    monitor->recording.age = options->record_age;
    if (status == 0)
        status = recording_restore(&monitor->recording, monitor->terminal, &past, error);
    if (status < 0 || !past.any)
        return status;
    monitor->agent.started = true;
    monitor->agent.exited = past.exited;
    monitor->agent.code = past.code;
    monitor->agent.signal = past.signal;
    snprintf(monitor->agent.error, sizeof(monitor->agent.error), "%s", past.error);
    link_restore(monitor, past.epoch, monitor->recording.offset);
    return 0;
}

/* libuv opens /dev/null for its first stream; after the lock-down it could not. */
static void warm_up(uv_loop_t *loop)
{
    uv_pipe_t pipe;
    if (uv_pipe_init(loop, &pipe, 0) < 0)
        return;
    uv_close((uv_handle_t *)&pipe, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
}

static int start(struct monitor *monitor, const struct options *options, struct bj_error *error)
{
    monitor->id = options->id;
    monitor->owner = getuid();
    int status = uv_loop_init(&monitor->loop);
    if (status < 0)
        return bj_fail(error, status, "cannot make an event loop: %s", uv_strerror(status));
    warm_up(&monitor->loop);
    json_object_seed(0); /* reads /dev/urandom, which cannot be opened later */
    uv_timer_init(&monitor->loop, &monitor->idle);
    monitor->idle.data = monitor;
    monitor->terminal = terminal_new((int)options->rows, (int)options->cols, options->scrollback,
                                     &terminal_events, monitor);
    if (!monitor->terminal)
        return bj_fail(error, -ENOMEM, "no memory for a terminal");
    if ((status = open_sockets(monitor, options, error)) < 0 ||
        (status = restore(monitor, options, error)) < 0)
        return status;
    scrollback_trim(&monitor->terminal->scrollback);
    malloc_trim(0);
    return lockdown(MEMORY_BASE + monitor->terminal->scrollback.bytes_limit, (pid_t)options->parent,
                    error);
}

static void tell_ready(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0 || write(fd, "\n", 1) < 0)
        return; /* nobody waits: then nobody is to be told */
}

int main(int argc, char **argv)
{
    static struct monitor monitor;
    struct options options;
    struct bj_error error = {0};
    int status = parse(&options, argc, argv, &error);
    if (status < 0) {
        fprintf(stderr, "belljar-monitor: %s\n", error.text);
        return 2;
    }
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, MEMORY_KEEP); /* until on_idle gives it back */
    mallopt(M_TRIM_THRESHOLD, MEMORY_KEEP);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a size limit on files is a full disk to us */
    signal(SIGHUP, SIG_IGN);
    umask(077);
    int ready = (int)options.ready_fd;
    lockdown_close_inherited(ready);
    status = start(&monitor, &options, &error);
    tell_ready(ready, status < 0 ? error.text : "ok");
    if (ready > 2)
        close(ready);
    if (status < 0) {
        fprintf(stderr, "belljar-monitor: %s\n", error.text);
        return 1;
    }
    uv_run(&monitor.loop, UV_RUN_DEFAULT);
    uv_loop_close(&monitor.loop);
    terminal_free(monitor.terminal);
    recording_close(&monitor.recording);
    return 0;
}
