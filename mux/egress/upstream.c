#include "mux/egress/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mux/egress/address.h"

#define ATTEMPT_MS      4000 /* for one address, while there are others to try */
#define LAST_ATTEMPT_MS 15000

/* libuv reads and hands over in one go, and there is one loop: all upstreams share it. */
static char read_buffer[UPSTREAM_READ_MAX];

static void attempt(struct upstream *upstream);

static void on_closed(uv_handle_t *handle)
{
    struct upstream *upstream = handle->data;
    if (--upstream->handles > 0)
        return;
    upstream->opened = false;
    free(upstream->kept);
    upstream->kept = NULL;
    if (upstream->retrying && !upstream->closing) {
        upstream->retrying = false;
        attempt(upstream);
        return;
    }
    upstream->events->closed(upstream);
}

static void close_handles(struct upstream *upstream)
{
    if (!upstream->opened || uv_is_closing((uv_handle_t *)&upstream->timer))
        return;
    uv_close((uv_handle_t *)&upstream->tcp, on_closed);
    uv_close((uv_handle_t *)&upstream->timer, on_closed);
}

bool upstream_close(struct upstream *upstream)
{
    if (!upstream->opened && !upstream->retrying)
        return false;
    upstream->closing = true;
    close_handles(upstream);
    return true;
}

static void fail(struct upstream *upstream, int code, const char *what)
{
    if (upstream->closing)
        return;
    struct bj_error error = {0};
    char text[ADDRESS_TEXT_MAX];
    address_text(&upstream->addresses->list[upstream->current].any, text);
    bj_fail(&error, code, "%s %s: %s", what, text, uv_strerror(code));
    upstream->events->failed(upstream, &error);
}

/* The next address, after the handles of this attempt have closed. */
static void attempt_failed(struct upstream *upstream, int code)
{
    if (upstream->closing || upstream->retrying)
        return;
    if (upstream->next >= upstream->addresses->count) {
        fail(upstream, code, "cannot connect to");
        return;
    }
    upstream->retrying = true;
    close_handles(upstream);
}

static void on_timer(uv_timer_t *timer)
{
    attempt_failed(timer->data, UV_ETIMEDOUT);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct upstream *upstream = request->data;
    if (upstream->closing || upstream->retrying)
        return;
    if (status < 0) {
        attempt_failed(upstream, status);
        return;
    }
    uv_timer_stop(&upstream->timer);
    uv_tcp_nodelay(&upstream->tcp, 1);
    upstream->connected = true;
    upstream->events->connected(upstream);
    if (!upstream->closing)
        upstream_resume(upstream);
}

static void attempt(struct upstream *upstream)
{
    upstream->current = upstream->next++;
    const struct sockaddr *address = &upstream->addresses->list[upstream->current].any;
    bool last = upstream->next >= upstream->addresses->count;
    upstream->handles = 2;
    upstream->opened = true;
    upstream->tcp.data = upstream->timer.data = upstream->connect.data = upstream;
    uv_timer_init(upstream->loop, &upstream->timer);
    int status = uv_tcp_init(upstream->loop, &upstream->tcp);
    if (status == 0)
        status = uv_timer_start(&upstream->timer, on_timer, last ? LAST_ATTEMPT_MS : ATTEMPT_MS, 0);
    if (status == 0)
        status = uv_tcp_connect(&upstream->connect, &upstream->tcp, address, on_connected);
    if (status < 0)
        attempt_failed(upstream, status);
}

void upstream_open(struct upstream *upstream, uv_loop_t *loop, const struct addresses *addresses,
                   const struct upstream_events *events)
{
    *upstream = (struct upstream){.loop = loop, .addresses = addresses, .events = events};
    attempt(upstream);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)suggested;
    struct upstream *upstream = handle->data;
    size_t room = upstream->events->room(upstream);
    *out = uv_buf_init(read_buffer,
                       (unsigned)(room < sizeof(read_buffer) ? room : sizeof(read_buffer)));
}

static void pause_reading(struct upstream *upstream)
{
    uv_read_stop((uv_stream_t *)&upstream->tcp);
    upstream->reading = false;
}

static void on_read(uv_stream_t *tcp, ssize_t size, const uv_buf_t *bytes)
{
    struct upstream *upstream = tcp->data;
    if (size == UV_ENOBUFS) {
        pause_reading(upstream);
    } else if (size == UV_EOF) {
        pause_reading(upstream);
        upstream->ended = true;
        upstream->events->eof(upstream);
    } else if (size < 0) {
        fail(upstream, (int)size, "the connection broke to");
    } else if (size > 0) {
        upstream->events->data(upstream, bytes->base, (size_t)size);
        if (!upstream->closing && upstream->reading && upstream->events->room(upstream) == 0)
            pause_reading(upstream);
    }
}

void upstream_resume(struct upstream *upstream)
{
    if (!upstream->connected || upstream->closing || upstream->reading || upstream->ended ||
        upstream->events->room(upstream) == 0)
        return;
    upstream->reading = true;
    int status = uv_read_start((uv_stream_t *)&upstream->tcp, on_alloc, on_read);
    if (status < 0)
        fail(upstream, status, "cannot read from");
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    /* A failure shows when reading. */
    (void)request;
    (void)status;
}

static void shut_now(struct upstream *upstream)
{
    upstream->shutdown.data = upstream;
    uv_shutdown(&upstream->shutdown, (uv_stream_t *)&upstream->tcp, on_shutdown);
}

static void on_written(uv_write_t *request, int status)
{
    struct upstream *upstream = request->data;
    size_t size = upstream->kept_size;
    free(upstream->kept);
    upstream->kept = NULL;
    upstream->writing = false;
    if (upstream->closing)
        return;
    if (status < 0) {
        fail(upstream, status, "cannot write to");
        return;
    }
    upstream->events->written(upstream, size);
}

bool upstream_write(struct upstream *upstream, const char *bytes, size_t size)
{
    if (!upstream->connected || upstream->closing || upstream->shut)
        return false;
    uv_buf_t part = uv_buf_init((char *)bytes, (unsigned)size);
    int status = uv_try_write((uv_stream_t *)&upstream->tcp, &part, 1);
    size_t taken = status > 0 ? (size_t)status : 0;
    if (taken == size)
        return false;
    if (status < 0 && status != UV_EAGAIN) {
        fail(upstream, status, "cannot write to");
        return true;
    }
    upstream->kept = malloc(size - taken);
    if (!upstream->kept) {
        fail(upstream, UV_ENOMEM, "cannot write to");
        return true;
    }
    upstream->kept_size = size - taken;
    memcpy(upstream->kept, bytes + taken, upstream->kept_size);
    part = uv_buf_init(upstream->kept, (unsigned)upstream->kept_size);
    upstream->write.data = upstream;
    upstream->writing = true;
    status = uv_write(&upstream->write, (uv_stream_t *)&upstream->tcp, &part, 1, on_written);
    if (status < 0)
        fail(upstream, status, "cannot write to");
    return true;
}

void upstream_shutdown(struct upstream *upstream)
{
    if (!upstream->connected || upstream->closing || upstream->shut)
        return;
    upstream->shut = true;
    shut_now(upstream); /* libuv does it behind what is being written */
}
