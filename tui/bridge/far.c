#include "tui/bridge/far.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport/socket.h"
#include "tui/bridge/line.h"
#include "tui/connect.h"

#define DIALS_MAX 16 /* at the same time, of the server */

struct far {
    const struct bj_paths *paths;
    uv_loop_t loop;
    struct line line;
    unsigned dials;
    struct bj_error why;
};

/* A dial of the server, which may have to be started first: done in a thread. */
struct far_dial {
    uv_work_t work;
    struct far *far;
    uint32_t channel;
    int descriptor;
    struct bj_error error;
};

static void connect_in_thread(uv_work_t *work)
{
    struct far_dial *dial = work->data;
    dial->descriptor = connect_server(dial->far->paths, true, &dial->error);
}

static void on_connected(uv_work_t *work, int status)
{
    struct far_dial *dial = work->data;
    struct far *far = dial->far;
    far->dials--;
    if (status < 0 || dial->descriptor < 0)
        line_refuse(&far->line, dial->channel, dial->error.text);
    else
        line_join(&far->line, dial->channel, dial->descriptor);
    free(dial);
}

static void dial_server(struct far *far, uint32_t channel)
{
    struct far_dial *dial = far->dials < DIALS_MAX ? calloc(1, sizeof(*dial)) : NULL;
    if (!dial) {
        line_refuse(&far->line, channel, "too many connections at once");
        return;
    }
    *dial = (struct far_dial){.far = far, .channel = channel, .descriptor = -1};
    dial->work.data = dial;
    far->dials++;
    uv_queue_work(&far->loop, &dial->work, connect_in_thread, on_connected);
}

/* Ids are made of letters and digits: no path can be made of them. */
static bool copy_id(const struct bj_field *field, char out[BJ_BRIDGE_ID_MAX + 1])
{
    for (uint32_t i = 0; i < field->size; i++) {
        char c = field->data[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
            return false;
        out[i] = c;
    }
    out[field->size] = '\0';
    return field->size > 0;
}

static void dial_monitor(struct far *far, uint32_t channel, const char *service,
                         const struct bj_field *id)
{
    char name[BJ_BRIDGE_ID_MAX + 1], path[BJ_PATH_MAX];
    struct bj_error error = {0};
    int descriptor = -EINVAL;
    if (!copy_id(id, name))
        bj_fail(&error, -EINVAL, "no sandbox has such an id");
    else if (bj_path(path, sizeof(path), &error, "%s/%s/%s.sock", far->paths->runtime, name,
                     service) == 0)
        descriptor = bj_socket_connect(path, &error);
    if (descriptor >= 0 && bj_socket_check_peer(descriptor, geteuid(), &error) < 0) {
        close(descriptor);
        descriptor = -EPERM;
    }
    if (descriptor < 0)
        line_refuse(&far->line, channel, error.text);
    else
        line_join(&far->line, channel, descriptor);
}

static bool is_text(const struct bj_field *field, const char *text)
{
    return field->size == strlen(text) && memcmp(field->data, text, field->size) == 0;
}

static int on_message(struct line *line, const struct bj_message *message, struct bj_error *error)
{
    struct far *far = line->owner;
    const struct bj_field *service = &message->field[BJ_DIAL_SERVICE];
    const struct bj_field *id = &message->field[BJ_DIAL_ID];
    if (is_text(service, "server"))
        dial_server(far, message->channel);
    else if (is_text(service, "view"))
        dial_monitor(far, message->channel, "view", id);
    else if (is_text(service, "exec"))
        dial_monitor(far, message->channel, "exec", id);
    else
        return bj_fail(error, -EPROTO, "a DIAL of an unknown service");
    return 0;
}

static void on_ended(struct line *line, const struct bj_error *why)
{
    struct far *far = line->owner;
    far->why = *why;
}

static const struct line_events events = {
    .peer = BJ_SIDE_NEAR, .message = on_message, .ended = on_ended};

static void greet(struct far *far)
{
    struct bj_message message = {.type = BJ_GREET};
    message.field[BJ_GREET_VERSION].u = BJ_BRIDGE_VERSION;
    message.field[BJ_GREET_PROGRAM] =
        (struct bj_field){.data = BJ_VERSION, .size = (uint32_t)strlen(BJ_VERSION)};
    line_send(&far->line, &message);
}

int far_run(const struct bj_paths *paths, struct bj_error *error)
{
    struct far *far = calloc(1, sizeof(*far));
    int in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3),
        out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (!far || in < 0 || out < 0 || uv_loop_init(&far->loop) < 0) {
        free(far);
        return bj_fail(error, -ENOMEM, "cannot begin: out of memory or descriptors");
    }
    far->paths = paths;
    line_open(&far->line, &far->loop, in, out, &events, far);
    greet(far);
    uv_run(&far->loop, UV_RUN_DEFAULT);
    uv_loop_close(&far->loop);
    int status = far->why.code ? bj_fail(error, far->why.code, "%s", far->why.text) : 0;
    free(far);
    return status;
}
