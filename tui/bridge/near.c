#include "tui/bridge/near.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tui/bridge/host.h"
#include "tui/bridge/line.h"
#include "tui/cli/plain.h"
#include "tui/model/text.h"

#define RETRY_FIRST_MS 1000
#define RETRY_MOST_MS  30000
#define STEADY_MS      5000 /* a link that held so long was a good one: the next try comes soon */
#define GRACE_MS       3000 /* for ssh to say why and end, once its output has ended */

struct near {
    const struct near_options *options;
    uv_loop_t loop;
    uv_poll_t control;
    uv_timer_t retry, grace;
    bool stopping, running; /* running: ssh, or what is left of it */
    bool ask;               /* ssh may talk to the human */
    bool up, greeted;
    uint64_t up_at, wait; /* ms */

    uv_process_t ssh;
    uv_pipe_t errors;
    struct line line;
    unsigned parts; /* of the running ssh: process, errors, line */
    int code;       /* its exit status */
    struct ssh_words words;
    char odd[SSH_WORDS_MAX]; /* why we ended it */
};

static void start(struct near *near);

static void report(struct near *near, enum host_state state, const char *words)
{
    struct host_report report = {.state = state, .wait = (uint32_t)near->wait};
    snprintf(report.words, sizeof(report.words), "%s", words);
    /* A client that does not listen misses a word, and asks again. */
    send(near->options->control, &report, sizeof(report), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- the end of ssh ---- */

static void on_retry(uv_timer_t *timer)
{
    start(timer->data);
}

static void broken(struct near *near)
{
    char why[SSH_WORDS_MAX];
    near->running = false;
    uv_timer_stop(&near->grace);
    if (near->stopping)
        return;
    if (near->odd[0])
        snprintf(why, sizeof(why), "%s", near->odd);
    else
        ssh_explain(&near->words, near->code, near->options->remote, why);
    bool steady = near->up && uv_now(&near->loop) - near->up_at >= STEADY_MS;
    near->wait = near->wait == 0 || steady ? RETRY_FIRST_MS : near->wait * 2;
    if (near->wait > RETRY_MOST_MS)
        near->wait = RETRY_MOST_MS;
    near->up = false;
    near->ask = false;
    report(near, HOST_DOWN, why);
    uv_timer_start(&near->retry, on_retry, near->wait, 0);
}

static void part_ended(struct near *near)
{
    if (--near->parts == 0)
        broken(near);
}

static void on_part_closed(uv_handle_t *handle)
{
    part_ended(handle->data);
}

static void end_ssh(struct near *near)
{
    if (!uv_is_closing((uv_handle_t *)&near->ssh))
        uv_process_kill(&near->ssh, SIGTERM);
}

static void on_grace(uv_timer_t *timer)
{
    end_ssh(timer->data);
}

static void on_line_ended(struct line *line, const struct bj_error *why)
{
    struct near *near = line->owner;
    if (why->code && !near->greeted)
        snprintf(near->odd, sizeof(near->odd),
                 "what answers there is not belljar bridge (%.80s): does the shell there print "
                 "something when it starts?",
                 why->text);
    else if (why->code && !near->odd[0])
        snprintf(near->odd, sizeof(near->odd), "the other end breaks the protocol: %.160s",
                 why->text);
    near->greeted = false;
    if (near->odd[0] || near->stopping)
        end_ssh(near);
    else
        uv_timer_start(&near->grace, on_grace, GRACE_MS, 0);
    part_ended(near);
}

static void take_errors(struct near *near, const char *bytes, size_t size)
{
    ssh_words_feed(&near->words, bytes, size);
    if (!near->ask)
        return;
    plain_write(stderr, bytes, size, PLAIN_LINES);
    fflush(stderr);
}

static void close_errors(struct near *near)
{
    if (!uv_is_closing((uv_handle_t *)&near->errors))
        uv_close((uv_handle_t *)&near->errors, on_part_closed);
}

/* A master connection that ssh left behind keeps the pipe open: what is in it is all there is. */
static void on_ssh_exit(uv_process_t *process, int64_t status, int signal)
{
    struct near *near = process->data;
    char bytes[1024];
    ssize_t size;
    int descriptor;
    near->code = signal ? 128 + signal : (int)status;
    if (!uv_is_closing((uv_handle_t *)&near->errors) &&
        uv_fileno((uv_handle_t *)&near->errors, &descriptor) == 0)
        while ((size = read(descriptor, bytes, sizeof(bytes))) > 0)
            take_errors(near, bytes, (size_t)size);
    close_errors(near);
    line_close(&near->line);
    uv_close((uv_handle_t *)process, on_part_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static char bytes[1024];
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(bytes, sizeof(bytes));
}

static void on_errors(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct near *near = stream->data;
    if (size > 0)
        take_errors(near, buffer->base, (size_t)size);
    else if (size < 0)
        close_errors(near);
}

/* ---- the other end ---- */

static int on_message(struct line *line, const struct bj_message *message, struct bj_error *error)
{
    struct near *near = line->owner;
    const struct bj_field *program = &message->field[BJ_GREET_PROGRAM];
    if (near->greeted)
        return bj_fail(error, -EPROTO, "a second GREET");
    if (message->field[BJ_GREET_VERSION].u != BJ_BRIDGE_VERSION) {
        char version[65];
        text_clean(version, sizeof(version), program->data, program->size);
        snprintf(near->odd, sizeof(near->odd),
                 "Belljar %s there and " BJ_VERSION
                 " here do not speak the same bridge (%u and %u): install the same version on both "
                 "hosts",
                 version, (unsigned)message->field[BJ_GREET_VERSION].u, BJ_BRIDGE_VERSION);
        line_close(line);
        return 0;
    }
    near->greeted = near->up = true;
    near->ask = false;
    near->words = (struct ssh_words){0}; /* what was said until now is no reason for an end */
    near->up_at = uv_now(&near->loop);
    report(near, HOST_UP, "");
    return 0;
}

static void on_dropped(struct line *line, const char *reason, size_t size)
{
    char clean[SSH_WORDS_MAX];
    text_clean(clean, sizeof(clean), reason ? reason : "", size);
    if (clean[0])
        report(line->owner, HOST_REFUSED, clean);
}

static const struct line_events events = {
    .peer = BJ_SIDE_FAR, .message = on_message, .dropped = on_dropped, .ended = on_line_ended};

/* ---- starting ssh ---- */

struct pipes {
    int in[2], out[2], errors[2];
};

static void close_pair(int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

static int spawn(struct near *near, const struct ssh_call *call, struct pipes *pipes)
{
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_INHERIT_FD, .data.fd = pipes->in[0]},
        {.flags = UV_INHERIT_FD, .data.fd = pipes->out[1]},
        {.flags = UV_INHERIT_FD, .data.fd = pipes->errors[1]},
    };
    uv_process_options_t options = {
        .file = call->argv[0],
        .args = (char **)call->argv,
        .exit_cb = on_ssh_exit,
        .stdio = stdio,
        .stdio_count = 3,
        .flags = near->ask ? 0 : UV_PROCESS_DETACHED, /* without a terminal nothing can be asked */
    };
    near->ssh.data = near;
    return uv_spawn(&near->loop, &near->ssh, &options);
}

static int open_pipes(struct pipes *pipes)
{
    *pipes = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
    if (pipe2(pipes->in, O_CLOEXEC) < 0 || pipe2(pipes->out, O_CLOEXEC) < 0 ||
        pipe2(pipes->errors, O_CLOEXEC) < 0)
        return -errno;
    return 0;
}

static void start(struct near *near)
{
    struct ssh_call call;
    struct pipes pipes;
    struct bj_error error = {0};
    near->words = (struct ssh_words){0};
    near->odd[0] = '\0';
    near->code = 0;
    near->parts = 1; /* the process */
    near->running = true;
    report(near, HOST_CONNECTING, "");
    int status =
        ssh_call_make(&call, near->options->destination, near->options->remote, !near->ask, &error);
    if (status == 0 && (status = open_pipes(&pipes)) < 0)
        bj_fail(&error, status, "cannot start ssh: %s", strerror(-status));
    if (status < 0) {
        snprintf(near->odd, sizeof(near->odd), "%.250s", error.text);
        part_ended(near);
        return;
    }
    status = spawn(near, &call, &pipes);
    if (status < 0) {
        snprintf(near->odd, sizeof(near->odd), "cannot run %.100s: %s", call.argv[0],
                 uv_strerror(status));
        close_pair(pipes.in);
        close_pair(pipes.out);
        close_pair(pipes.errors);
        uv_close((uv_handle_t *)&near->ssh, on_part_closed);
        return;
    }
    close(pipes.in[0]);
    close(pipes.out[1]);
    close(pipes.errors[1]);
    near->parts += 2;
    uv_pipe_init(&near->loop, &near->errors, 0);
    near->errors.data = near;
    if (uv_pipe_open(&near->errors, pipes.errors[0]) < 0) {
        close(pipes.errors[0]);
        close_errors(near);
    } else {
        uv_read_start((uv_stream_t *)&near->errors, on_alloc, on_errors);
    }
    line_open(&near->line, &near->loop, pipes.out[0], pipes.in[1], &events, near);
}

/* ---- the client ---- */

static void close_own(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void stop(struct near *near)
{
    near->stopping = true;
    close_own((uv_handle_t *)&near->control);
    close_own((uv_handle_t *)&near->retry);
    close_own((uv_handle_t *)&near->grace);
    if (!near->running)
        return;
    if (near->parts > 1)
        line_close(&near->line);
    end_ssh(near);
}

static int received_descriptor(struct msghdr *message)
{
    int descriptor = -1;
    for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at))
        if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SCM_RIGHTS)
            memcpy(&descriptor, CMSG_DATA(at), sizeof(descriptor));
    return descriptor;
}

/* False when nothing more is there. */
static bool take_dial(struct near *near)
{
    struct host_dial dial;
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec part = {&dial, sizeof(dial)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t size = recvmsg(near->options->control, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (size <= 0) {
        stop(near);
        return false;
    }
    int descriptor = received_descriptor(&message);
    if (descriptor < 0)
        return true;
    dial.service[sizeof(dial.service) - 1] = dial.id[sizeof(dial.id) - 1] = '\0';
    if (size == (ssize_t)sizeof(dial) && near->greeted)
        line_dial(&near->line, descriptor, dial.service, dial.id);
    else
        close(descriptor);
    return true;
}

static void on_control(uv_poll_t *poll, int status, int events_seen)
{
    struct near *near = poll->data;
    (void)events_seen;
    if (status < 0)
        stop(near);
    while (!near->stopping && take_dial(near))
        continue;
}

int near_run(const struct near_options *options, struct bj_error *error)
{
    struct near *near = calloc(1, sizeof(*near));
    if (!near || uv_loop_init(&near->loop) < 0) {
        free(near);
        return bj_fail(error, -ENOMEM, "cannot begin: out of memory or descriptors");
    }
    near->options = options;
    near->ask = options->ask;
    uv_timer_init(&near->loop, &near->retry);
    uv_timer_init(&near->loop, &near->grace);
    near->retry.data = near->grace.data = near->control.data = near;
    int status = uv_poll_init(&near->loop, &near->control, options->control);
    if (status == 0) {
        near->control.data = near;
        uv_poll_start(&near->control, UV_READABLE, on_control);
        start(near);
        uv_run(&near->loop, UV_RUN_DEFAULT);
    }
    close(options->control);
    free(near);
    return status < 0 ? bj_fail(error, status, "--control names no socket: %s", uv_strerror(status))
                      : 0;
}
