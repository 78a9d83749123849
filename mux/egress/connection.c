#include "mux/egress/connection_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/egress/address.h"

#define LINGER_MS (30 * 1000)

static const char *const protocol_names[] = {
    [PROTOCOL_UNKNOWN] = "unknown", [PROTOCOL_CONNECT] = "connect",       [PROTOCOL_HTTP] = "http",
    [PROTOCOL_SOCKS] = "socks5",    [PROTOCOL_CREDENTIAL] = "credential",
};

static struct connection *of_stream(struct stream *stream)
{
    return (struct connection *)((char *)stream - offsetof(struct connection, stream));
}

void connection_unpin(struct connection *connection)
{
    if (--connection->pins > 0)
        return;
    struct connection **at = &connection->egress->connections;
    while (*at != connection)
        at = &(*at)->next;
    *at = connection->next;
    buffer_free(&connection->in);
    buffer_free(&connection->response);
    if (connection->request)
        http_request_free(connection->request);
    free(connection->request);
    if (connection->credential)
        credential_release(connection->credential);
    free(connection);
}

static void on_timer_closed(uv_handle_t *handle)
{
    connection_unpin(handle->data);
}

/* Everything outside ends; the stream may go on to carry an answer. */
static void disconnect(struct connection *connection)
{
    decision_forget(&connection->decision);
    credential_forget_wait(&connection->credential_wait);
    if (connection->call)
        broker_cancel(connection->call);
    upstream_close(&connection->upstream);
    buffer_free(&connection->response);
    if (connection->report)
        report_closed(&connection->egress->report, connection->report, connection->received,
                      connection->sent,
                      (double)(uv_now(&connection->egress->loop) - connection->since) / 1000);
    connection->report = NULL;
}

void connection_end(struct connection *connection, const char *reason)
{
    if (connection->phase == PHASE_DEAD)
        return;
    connection->phase = PHASE_DEAD;
    stream_close(&connection->stream, reason);
    disconnect(connection);
    uv_close((uv_handle_t *)&connection->timer, on_timer_closed);
}

static void on_linger_over(uv_timer_t *timer)
{
    connection_end(timer->data, "");
}

void connection_linger(struct connection *connection)
{
    if (connection->phase == PHASE_DEAD || connection->phase == PHASE_LINGER)
        return;
    connection->phase = PHASE_LINGER;
    disconnect(connection);
    stream_eof(&connection->stream);
    connection_take(connection, buffer_size(&connection->in));
    if (connection->phase == PHASE_DEAD)
        return;
    if (connection->stream.received_eof && connection->stream.sent_eof)
        connection_end(connection, "");
    else
        uv_timer_start(&connection->timer, on_linger_over, LINGER_MS, 0);
}

void connection_answer(struct connection *connection, enum answer answer, const char *format, ...)
{
    char sentence[BJ_REASON_MAX + 512];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    if (connection->phase == PHASE_DEAD || connection->phase == PHASE_LINGER)
        return;
    if (connection->protocol == PROTOCOL_SOCKS) {
        uint8_t reply[SOCKS_REPLY_MAX];
        socks_reply(answer_socks(answer), reply);
        stream_write(&connection->stream, reply, sizeof(reply));
    } else {
        struct buffer out = {0};
        if (answer_http(answer, sentence, &out) == 0)
            stream_write(&connection->stream, buffer_data(&out), buffer_size(&out));
        buffer_free(&out);
    }
    connection_linger(connection);
}

void connection_take(struct connection *connection, size_t size)
{
    if (size == 0)
        return;
    buffer_take(&connection->in, size);
    stream_consumed(&connection->stream, size);
}

void connection_count(struct connection *connection, uint64_t in, uint64_t out)
{
    connection->received += in;
    connection->sent += out;
    report_bytes(&connection->egress->report, connection->report, in, out);
}

void connection_reported(struct connection *connection, const struct sockaddr *address)
{
    char text[ADDRESS_TEXT_MAX];
    address_text(address, text);
    connection->since = uv_now(&connection->egress->loop);
    connection->report =
        report_opened(&connection->egress->report, &connection->host, connection->port, text,
                      protocol_names[connection->protocol]);
}

static void on_hold_over(uv_timer_t *timer)
{
    struct connection *connection = timer->data;
    char place[HOST_AUTHORITY_MAX];
    host_authority(&connection->host, connection->port, 0, place);
    connection_answer(connection, ANSWER_NOBODY_DECIDED,
                      "nobody decided within %u seconds whether %s may be reached. Try again "
                      "later, or ask the human to allow it.",
                      connection->egress->options->hold_seconds, place);
}

static void on_decided(struct decision_wait *wait, const struct verdict *verdict,
                       const struct addresses *addresses, const struct bj_error *error)
{
    struct connection *connection =
        (struct connection *)((char *)wait - offsetof(struct connection, decision));
    char place[HOST_AUTHORITY_MAX];
    host_authority(&connection->host, connection->port, 0, place);
    uv_timer_stop(&connection->timer);
    if (!verdict->allow) {
        connection_answer(connection, ANSWER_DENIED,
                          "%s may not be reached%s%s. Do not try again; "
                          "use what is allowed, or ask the human.",
                          place, verdict->reason[0] ? ": " : "", verdict->reason);
    } else if (error && error->code == -EACCES) {
        report_refused(&connection->egress->report, connection->host.text, connection->port,
                       error->text);
        connection_answer(connection, ANSWER_REFUSED_ADDRESS, "%s.", error->text);
    } else if (error) {
        connection_answer(connection, ANSWER_NO_ADDRESS, "%s.", error->text);
    } else {
        connection->addresses = *addresses;
        if (connection->protocol == PROTOCOL_CREDENTIAL)
            connection_broker_start(connection);
        else
            connection_connect(connection);
    }
}

void connection_decide(struct connection *connection, const char *protocol)
{
    connection->phase = PHASE_HELD;
    uv_timer_start(&connection->timer, on_hold_over,
                   connection->egress->options->hold_seconds * 1000ULL, 0);
    if (decision_ask(&connection->egress->decisions, &connection->host, connection->port, protocol,
                     &connection->decision, on_decided) < 0)
        connection_answer(connection, ANSWER_BUSY,
                          "too many connections wait for a verdict. Try again later.");
}

/* What breaks the rules of a protocol is told to the server, too: it may be an attempt. */
static void refuse(struct connection *connection, enum answer answer, const struct bj_error *error)
{
    report_refused(&connection->egress->report, NULL, 0, error->text);
    connection_answer(connection, answer, "this request is refused: %s.", error->text);
}

static void read_http(struct connection *connection)
{
    const char *bytes = buffer_data(&connection->in);
    size_t size = buffer_size(&connection->in);
    size_t from = connection->scanned > 2 ? connection->scanned - 2 : 0;
    size_t window = size < HTTP_HEAD_MAX ? size : HTTP_HEAD_MAX;
    size_t end = http_head_end(bytes + from, window - from);
    struct bj_error error = {0};
    if (end == 0) {
        connection->scanned = window;
        if (size >= HTTP_HEAD_MAX) {
            bj_fail(&error, -EMSGSIZE, "its head has more than %u bytes", HTTP_HEAD_MAX);
            refuse(connection, ANSWER_LARGE_HEAD, &error);
        }
        return;
    }
    end += from;
    connection->request = calloc(1, sizeof(*connection->request));
    if (!connection->request) {
        connection_answer(connection, ANSWER_BUSY, "out of memory. Try again later.");
        return;
    }
    struct http_request *request = connection->request;
    int status = http_request_parse(request, bytes, end, &error);
    connection_take(connection, end);
    if (connection->phase == PHASE_DEAD)
        return;
    if (status < 0) {
        refuse(connection, ANSWER_BAD_REQUEST, &error);
        return;
    }
    body_init(&connection->body, request);
    if (connection_broker_wants(connection))
        return;
    if (request->form == HTTP_ORIGIN) {
        connection_answer(connection, ANSWER_NO_SUCH_PLACE,
                          "this is the sandbox's proxy. Use it as HTTP or SOCKS5 proxy, or "
                          "/belljar/credential/NAME/ for a service with a credential.");
        return;
    }
    connection->protocol = request->form == HTTP_CONNECT ? PROTOCOL_CONNECT : PROTOCOL_HTTP;
    connection->host = request->host;
    connection->port = request->port;
    connection_decide(connection, protocol_names[connection->protocol]);
}

static void read_socks_greeting(struct connection *connection)
{
    struct bj_error error = {0};
    uint8_t reply[2] = {SOCKS_VERSION, 0};
    long used = socks_greeting((const uint8_t *)buffer_data(&connection->in),
                               buffer_size(&connection->in), &reply[1], &error);
    if (used <= 0)
        return; /* the version was looked at before */
    connection->protocol = PROTOCOL_SOCKS;
    connection->phase = PHASE_SOCKS;
    connection_take(connection, (size_t)used);
    stream_write(&connection->stream, reply, sizeof(reply));
    if (reply[1] != 0)
        connection_linger(connection);
}

static void read_socks_request(struct connection *connection)
{
    struct bj_error error = {0};
    enum socks_reply reply;
    long used =
        socks_request((const uint8_t *)buffer_data(&connection->in), buffer_size(&connection->in),
                      &connection->host, &connection->port, &reply, &error);
    if (used == 0)
        return;
    if (used < 0) {
        uint8_t bytes[SOCKS_REPLY_MAX];
        report_refused(&connection->egress->report, NULL, 0, error.text);
        socks_reply(reply, bytes);
        stream_write(&connection->stream, bytes, sizeof(bytes));
        connection_linger(connection);
        return;
    }
    connection_take(connection, (size_t)used);
    if (connection->phase != PHASE_DEAD)
        connection_decide(connection, protocol_names[PROTOCOL_SOCKS]);
}

static void read_first(struct connection *connection)
{
    uint8_t first = (uint8_t)buffer_data(&connection->in)[0];
    if (first == SOCKS_VERSION) {
        read_socks_greeting(connection);
    } else if (first >= 'A' && first <= 'z') {
        read_http(connection);
    } else {
        struct bj_error error = {0};
        bj_fail(&error, -EPROTO, "it is neither HTTP nor SOCKS5 (TLS needs a CONNECT first)");
        refuse(connection, ANSWER_BAD_REQUEST, &error);
    }
}

static void advance(struct connection *connection)
{
    for (enum phase before = PHASE_DEAD; before != connection->phase;) {
        before = connection->phase;
        if (connection->phase == PHASE_HEAD && buffer_size(&connection->in) > 0)
            read_first(connection);
        else if (connection->phase == PHASE_SOCKS)
            read_socks_request(connection);
    }
    switch (connection->phase) {
    case PHASE_TUNNEL:
    case PHASE_HTTP:
        connection_pump(connection);
        break;
    case PHASE_BROKER:
        if (connection->call)
            broker_resume(connection->call);
        break;
    case PHASE_LINGER:
        connection_take(connection, buffer_size(&connection->in));
        break;
    default:
        break; /* held: it waits in `in`, which the first credit bounds */
    }
}

void connection_data(struct stream *stream, const char *bytes, size_t size)
{
    struct connection *connection = of_stream(stream);
    if (buffer_append(&connection->in, bytes, size) < 0)
        connection_end(connection, "out of memory");
    else
        advance(connection);
}

void connection_eof(struct stream *stream)
{
    struct connection *connection = of_stream(stream);
    switch (connection->phase) {
    case PHASE_TUNNEL:
    case PHASE_HTTP:
        connection_pump(connection);
        break;
    case PHASE_BROKER:
        /* A request that is whole still gets its response. */
        if (connection->call)
            broker_resume(connection->call);
        break;
    case PHASE_LINGER:
        if (stream->sent_eof)
            connection_end(connection, "");
        break;
    default:
        /* Nobody is there any more who could use a verdict. */
        connection_end(connection, "");
        break;
    }
}

void connection_writable(struct stream *stream)
{
    struct connection *connection = of_stream(stream);
    if (connection->phase == PHASE_BROKER && connection->call)
        broker_resume(connection->call);
    else if (connection->phase == PHASE_TUNNEL || connection->phase == PHASE_HTTP)
        upstream_resume(&connection->upstream);
}

void connection_closed(struct stream *stream)
{
    connection_end(of_stream(stream), "");
}

static void on_head_over(uv_timer_t *timer)
{
    struct connection *connection = timer->data;
    if (buffer_size(&connection->in) == 0 || connection->phase == PHASE_SOCKS)
        connection_end(connection, "nothing was asked for");
    else
        connection_answer(connection, ANSWER_SLOW_HEAD,
                          "the request's head took more than %u seconds.",
                          connection->egress->options->head_seconds);
}

struct stream *connection_opened(struct streams *set)
{
    struct egress *egress = set->owner;
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        return NULL;
    connection->egress = egress;
    connection->timer.data = connection;
    connection->pins = 1;
    uv_timer_init(&egress->loop, &connection->timer);
    uv_timer_start(&connection->timer, on_head_over, egress->options->head_seconds * 1000ULL, 0);
    connection->next = egress->connections;
    egress->connections = connection;
    return &connection->stream;
}

void connections_revoke(struct egress *egress, const struct host *host, uint16_t port,
                        const char *reason)
{
    /* Nothing is freed before the loop goes on, so the list stays whole. */
    for (struct connection *at = egress->connections; at; at = at->next) {
        bool held = at->phase == PHASE_HELD || at->phase == PHASE_HEAD || at->phase == PHASE_SOCKS;
        if (!host || (!held && at->phase != PHASE_LINGER && host_equal(&at->host, host) &&
                      (port == 0 || port == at->port)))
            connection_end(at, reason);
    }
}
