#include "mux/egress/egress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "mux/egress/connection.h"
#include "mux/egress/lockdown.h"
#include "transport/pack.h"

#define DELAY_FIRST_MS 50
#define DELAY_MAX_MS   1000
#define POOL_THREADS   "8" /* libuv gives half of them to name resolution */

static void stop(struct egress *egress);

static void on_stream_timer(uv_timer_t *timer)
{
    struct egress *egress = timer->data;
    dialer_ask(&egress->dialer, DIALER_STREAM);
}

static void dial_stream_later(struct egress *egress)
{
    if (egress->stopping)
        return;
    uv_timer_start(&egress->stream_timer, on_stream_timer, egress->stream_delay_ms, 0);
    egress->stream_delay_ms *= 2;
    if (egress->stream_delay_ms > DELAY_MAX_MS)
        egress->stream_delay_ms = DELAY_MAX_MS;
}

static void on_lost(struct streams *set, const struct bj_error *why)
{
    struct egress *egress = set->owner;
    if (why->code == -EPROTO)
        report_refused(&egress->report, NULL, 0, why->text);
    dial_stream_later(egress);
}

static const struct stream_events stream_events = {
    .opened = connection_opened,
    .data = connection_data,
    .eof = connection_eof,
    .writable = connection_writable,
    .closed = connection_closed,
    .lost = on_lost,
};

static void on_stream_dialled(struct egress *egress, int descriptor)
{
    if (descriptor >= 0 && (egress->stopping || egress->streams.open)) {
        close(descriptor);
    } else if (descriptor < 0 || streams_open(&egress->streams, &egress->loop, descriptor,
                                              &stream_events, egress, NULL) < 0) {
        dial_stream_later(egress);
    } else {
        egress->stream_delay_ms = DELAY_FIRST_MS;
    }
}

static void on_dialled(struct dialer *dialer, enum dialer_line line, int descriptor)
{
    struct egress *egress = dialer->owner;
    if (line == DIALER_STREAM)
        on_stream_dialled(egress, descriptor);
    else
        uplink_dialled(&egress->uplink, descriptor);
}

static void on_dialer_ended(struct dialer *dialer)
{
    stop(dialer->owner);
}

static void on_came_up(struct uplink *uplink)
{
    struct egress *egress = uplink->owner;
    decisions_came_up(&egress->decisions);
    credentials_came_up(&egress->credentials);
}

static void revoke_host(struct egress *egress, const msgpack_object *params)
{
    char text[HOST_TEXT_MAX + 2];
    struct host host;
    uint64_t port = bj_get_uint(params, "port", 0);
    size_t size = bj_get_copy(params, "host", text, sizeof(text));
    if (size < sizeof(text) && port <= UINT16_MAX && host_parse(&host, text, size, NULL) == 0)
        connections_revoke(egress, &host, (uint16_t)port, "the verdict was revoked");
}

static void on_notified(struct uplink *uplink, const char *name, const msgpack_object *params)
{
    struct egress *egress = uplink->owner;
    if (strcmp(name, "egress.verdict") == 0) {
        decisions_verdict(&egress->decisions, params);
    } else if (strcmp(name, "egress.revoke") == 0) {
        revoke_host(egress, params);
    } else if (strcmp(name, "egress.forget") == 0) {
        char text[CREDENTIAL_NAME_MAX + 1];
        bj_get_copy(params, "name", text, sizeof(text));
        credentials_forget(&egress->credentials, text);
    }
}

static void stop(struct egress *egress)
{
    if (egress->stopping)
        return;
    egress->stopping = true;
    connections_revoke(egress, NULL, 0, "the egress proxy ends");
    broker_stop(&egress->broker);
    report_stop(&egress->report);
    if (egress->streams.open)
        streams_close(&egress->streams);
    uv_close((uv_handle_t *)&egress->stream_timer, NULL);
    uplink_stop(&egress->uplink);
    dialer_close(&egress->dialer);
}

static void warm_up(uv_work_t *work)
{
    (void)work;
}

static void on_warm(uv_work_t *work, int status)
{
    (void)work;
    (void)status;
}

/* After the filter is loaded no thread can be started: the pool starts all of its own at first use.
 */
static int start_threads(struct egress *egress, struct bj_error *error)
{
    static uv_work_t work;
    setenv("UV_THREADPOOL_SIZE", POOL_THREADS, 1);
    /* The name that was decided about is the one that is resolved: no search domains. */
    setenv("LOCALDOMAIN", ".", 1);
    int status = uv_queue_work(&egress->loop, &work, warm_up, on_warm);
    if (status < 0)
        return bj_fail(error, status, "cannot start threads: %s", uv_strerror(status));
    return 0;
}

int egress_start(struct egress *egress, const struct egress_options *options, int dialer_socket,
                 struct bj_error *error)
{
    *egress = (struct egress){.options = options, .stream_delay_ms = DELAY_FIRST_MS};
    if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return bj_fail(error, -EIO, "cannot start libsodium and libcurl");
    int status = uv_loop_init(&egress->loop);
    if (status < 0)
        return bj_fail(error, status, "cannot start an event loop: %s", uv_strerror(status));
    /* Read by this process's first user, who may read files that `nobody` may not. */
    status = broker_init(&egress->broker, &egress->loop, options->ca_file, error);
    if (status == 0)
        status = lockdown_begin(error);
    if (status == 0)
        status = dialer_open(&egress->dialer, &egress->loop, dialer_socket, on_dialled,
                             on_dialer_ended, egress, error);
    if (status == 0)
        status = start_threads(egress, error);
    if (status < 0)
        return status;

    uv_timer_init(&egress->loop, &egress->stream_timer);
    egress->stream_timer.data = egress;
    uplink_init(&egress->uplink, &egress->loop, &egress->dialer, options->id);
    egress->uplink.owner = egress;
    egress->uplink.came_up = on_came_up;
    egress->uplink.notified = on_notified;
    report_init(&egress->report, &egress->loop, &egress->uplink);
    egress->decisions = (struct decisions){.uplink = &egress->uplink, .loop = &egress->loop};
    egress->credentials = (struct credentials){.uplink = &egress->uplink};
    status = lockdown_finish(error);
    if (status < 0)
        return status;
    uplink_start(&egress->uplink);
    dialer_ask(&egress->dialer, DIALER_STREAM);
    return 0;
}

void egress_run(struct egress *egress)
{
    uv_run(&egress->loop, UV_RUN_DEFAULT);
    decisions_free(&egress->decisions);
    credentials_free(&egress->credentials);
    uv_loop_close(&egress->loop);
    curl_global_cleanup();
    uv_library_shutdown();
}
