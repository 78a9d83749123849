#include "tui/child.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tui/model/text.h"

#define WORDS_MAX 16

static void on_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;
    if (--child->handles == 0)
        free(child);
}

static void close_handle(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

/* One of the three has come to its end. */
static void end_part(struct child *child)
{
    if (--child->going > 0 || child->muted)
        return;
    while (child->said_size > 0 && child->said[child->said_size - 1] == '\n')
        child->said_size--;
    child->said[child->said_size] = '\0';
    child->muted = true;
    child->events->ended(child, child->code, child->said);
}

static void on_ended(uv_process_t *process, int64_t status, int signal)
{
    struct child *child = process->data;
    child->code = signal ? 128 + signal : (int)status;
    close_handle(process);
    end_part(child);
}

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    static char bytes[65536]; /* used up before the next read */
    (void)handle;
    (void)wanted;
    *buffer = uv_buf_init(bytes, sizeof(bytes));
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct child *child = stream->data;
    if (size > 0 && !child->muted && child->events->output)
        child->events->output(child, buffer->base, (size_t)size);
    if (size < 0) {
        close_handle(stream);
        end_part(child);
    }
}

static void on_said(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct child *child = stream->data;
    if (size < 0) {
        close_handle(stream);
        end_part(child);
        return;
    }
    size_t room = sizeof(child->said) - 1 - child->said_size;
    size_t taken = (size_t)size < room ? (size_t)size : room;
    memcpy(child->said + child->said_size, buffer->base, taken);
    child->said_size += taken;
}

struct child *child_start(uv_loop_t *loop, const char *const argv[],
                          const struct child_events *events, void *owner, struct bj_error *error)
{
    char program[PATH_MAX];
    size_t size = sizeof(program), count = 1;
    char *words[WORDS_MAX + 1] = {program};
    struct child *child = calloc(1, sizeof(*child));
    if (!child) {
        bj_fail(error, -ENOMEM, "out of memory");
        return NULL;
    }
    if (uv_exepath(program, &size) < 0) {
        free(child);
        bj_fail(error, -ENOENT, "this program does not find itself: is /proc there?");
        return NULL;
    }
    for (; argv[count - 1] && count < WORDS_MAX; count++)
        words[count] = (char *)argv[count - 1];
    child->events = events;
    child->owner = owner;
    child->going = child->handles = 3;
    uv_pipe_init(loop, &child->out, 0);
    uv_pipe_init(loop, &child->err, 0);
    child->process.data = child->out.data = child->err.data = child;
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&child->out},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&child->err},
    };
    const uv_process_options_t options = {
        .exit_cb = on_ended, .file = program, .args = words, .stdio_count = 3, .stdio = stdio};
    int status = uv_spawn(loop, &child->process, &options);
    if (status == 0) {
        uv_read_start((uv_stream_t *)&child->out, give_buffer, on_output);
        uv_read_start((uv_stream_t *)&child->err, give_buffer, on_said);
        return child;
    }
    bj_fail(error, status, "cannot start %.300s: %s", program, uv_strerror(status));
    child->muted = true;
    close_handle(&child->process);
    close_handle(&child->out);
    close_handle(&child->err);
    return NULL;
}

void child_stop(struct child *child)
{
    child->muted = true;
    if (!uv_is_closing((uv_handle_t *)&child->process)) /* else its number may be another's */
        uv_process_kill(&child->process, SIGTERM);
    close_handle(&child->out);
    close_handle(&child->err);
}

void child_leave(struct child *child)
{
    child->muted = true;
    close_handle(&child->out);
    close_handle(&child->err);
    close_handle(&child->process);
}

void child_line(const char *said, char *out, size_t size)
{
    char line[CHILD_SAID_MAX];
    if (strncmp(said, "belljar: ", 9) == 0)
        said += 9;
    size_t length = strcspn(said, "\n"), used = 0;
    if (length > 0 && said[length - 1] == ':')
        length = strlen(said);
    for (size_t i = 0; i < length && used < sizeof(line); i++)
        if (said[i] != '\n')
            line[used++] = said[i];
        else if (i + 1 < length && said[i + 1] != ' ' && used < sizeof(line))
            line[used++] = ' ';
    text_clean(out, size, line, used);
}
