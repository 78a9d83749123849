#include "mux/egress/connection_private.h"

#include <errno.h>

static struct connection *of_upstream(struct upstream *upstream)
{
    return (struct connection *)((char *)upstream - offsetof(struct connection, upstream));
}

static bool is_live(const struct connection *connection)
{
    return connection->phase == PHASE_TUNNEL || connection->phase == PHASE_HTTP;
}

/* Both ways are over. */
static void end_when_done(struct connection *connection)
{
    if (connection->phase != PHASE_TUNNEL || !connection->upstream.ended ||
        !connection->stream.received_eof || connection->upstream.writing ||
        buffer_size(&connection->in) > 0)
        return;
    connection_linger(connection);
}

/* How many of the bytes at the front go to the upstream next; -1 when the request is broken. */
static long next_part(struct connection *connection)
{
    size_t size = buffer_size(&connection->in), payload;
    if (connection->phase == PHASE_TUNNEL)
        return (long)size;
    struct bj_error error = {0};
    long part = body_next(&connection->body, buffer_data(&connection->in), size, &payload, &error);
    if (part < 0) {
        report_refused(&connection->egress->report, connection->host.text, connection->port,
                       error.text);
        connection_end(connection, error.text);
    }
    return part;
}

void connection_pump(struct connection *connection)
{
    while (is_live(connection) && !connection->upstream.writing &&
           buffer_size(&connection->in) > 0) {
        if (connection->phase == PHASE_HTTP && body_is_done(&connection->body)) {
            /* One request for one verdict: what follows is never passed on. */
            connection_take(connection, buffer_size(&connection->in));
            return;
        }
        long part = next_part(connection);
        if (part < 0)
            return;
        bool kept =
            upstream_write(&connection->upstream, buffer_data(&connection->in), (size_t)part);
        if (!is_live(connection))
            return;
        connection->owed = kept ? connection->upstream.kept_size : 0;
        buffer_take(&connection->in, (size_t)part);
        connection_count(connection, 0, (uint64_t)part);
        stream_consumed(&connection->stream, (size_t)part - connection->owed);
    }
    if (!is_live(connection) || connection->upstream.writing || !connection->stream.received_eof)
        return;
    if (connection->phase == PHASE_TUNNEL)
        upstream_shutdown(&connection->upstream);
    else if (!body_is_done(&connection->body))
        connection_end(connection, "the request's body is not whole");
    end_when_done(connection);
}

static void on_connected(struct upstream *upstream)
{
    struct connection *connection = of_upstream(upstream);
    connection_reported(connection, &connection->addresses.list[upstream->current].any);
    static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    struct buffer head = {0};
    uint8_t reply[SOCKS_REPLY_MAX];
    switch (connection->protocol) {
    case PROTOCOL_CONNECT:
        connection->phase = PHASE_TUNNEL;
        stream_write(&connection->stream, established, sizeof(established) - 1);
        break;
    case PROTOCOL_SOCKS:
        connection->phase = PHASE_TUNNEL;
        socks_reply(SOCKS_OK, reply);
        stream_write(&connection->stream, reply, sizeof(reply));
        break;
    default:
        connection->phase = PHASE_HTTP;
        if (http_request_forward(connection->request, &head) < 0) {
            connection_answer(connection, ANSWER_BUSY, "out of memory. Try again later.");
        } else {
            connection_count(connection, 0, buffer_size(&head));
            upstream_write(upstream, buffer_data(&head), buffer_size(&head));
        }
        buffer_free(&head);
        break;
    }
    connection_pump(connection);
}

static void on_failed(struct upstream *upstream, const struct bj_error *error)
{
    struct connection *connection = of_upstream(upstream);
    if (connection->phase == PHASE_CONNECTING ||
        (connection->phase == PHASE_HTTP && !connection->response_done))
        connection_answer(connection, ANSWER_NO_CONNECTION, "%s: %s.", connection->host.text,
                          error->text);
    else
        connection_end(connection, error->text);
}

static size_t room(struct upstream *upstream)
{
    struct connection *connection = of_upstream(upstream);
    return is_live(connection) ? stream_room(&connection->stream) : 0;
}

/* Collects heads until the one of the final response is out; what is behind it passes. */
static void response_data(struct connection *connection, const char *bytes, size_t size)
{
    if (buffer_append(&connection->response, bytes, size) < 0) {
        connection_end(connection, "out of memory");
        return;
    }
    while (!connection->response_done) {
        const char *head = buffer_data(&connection->response);
        size_t have = buffer_size(&connection->response), end = http_head_end(head, have);
        struct buffer out = {0};
        int code = 0, status = 0;
        if (end == 0 && have <= HTTP_RESPONSE_HEAD_MAX)
            return;
        if (end > 0)
            status = http_response_forward(head, end, &code, &out);
        if (end == 0 || status < 0) {
            buffer_free(&out);
            connection_answer(connection, ANSWER_BAD_RESPONSE, "%s sent no usable HTTP response.",
                              connection->host.text);
            return;
        }
        connection->response_done = code >= 200;
        stream_write(&connection->stream, buffer_data(&out), buffer_size(&out));
        buffer_free(&out);
        if (connection->phase != PHASE_HTTP)
            return;
        buffer_take(&connection->response, end);
    }
    stream_write(&connection->stream, buffer_data(&connection->response),
                 buffer_size(&connection->response));
    buffer_free(&connection->response);
}

static void on_data(struct upstream *upstream, const char *bytes, size_t size)
{
    struct connection *connection = of_upstream(upstream);
    connection_count(connection, size, 0);
    if (connection->phase == PHASE_HTTP && !connection->response_done)
        response_data(connection, bytes, size);
    else
        stream_write(&connection->stream, bytes, size);
}

static void on_eof(struct upstream *upstream)
{
    struct connection *connection = of_upstream(upstream);
    if (connection->phase == PHASE_HTTP && !connection->response_done) {
        connection_answer(connection, ANSWER_BAD_RESPONSE,
                          "%s closed the connection without a response.", connection->host.text);
    } else if (connection->phase == PHASE_HTTP) {
        connection_linger(connection);
    } else {
        stream_eof(&connection->stream);
        end_when_done(connection);
    }
}

static void on_written(struct upstream *upstream, size_t size)
{
    struct connection *connection = of_upstream(upstream);
    (void)size;
    size_t owed = connection->owed;
    connection->owed = 0;
    if (owed > 0)
        stream_consumed(&connection->stream, owed);
    if (is_live(connection))
        connection_pump(connection);
}

static void on_closed(struct upstream *upstream)
{
    connection_unpin(of_upstream(upstream));
}

static const struct upstream_events events = {
    .connected = on_connected,
    .failed = on_failed,
    .room = room,
    .data = on_data,
    .eof = on_eof,
    .written = on_written,
    .closed = on_closed,
};

void connection_connect(struct connection *connection)
{
    connection->phase = PHASE_CONNECTING;
    connection->pins++;
    upstream_open(&connection->upstream, &connection->egress->loop, &connection->addresses,
                  &events);
}
