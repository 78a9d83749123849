#include "mux/egress/connection_private.h"

#include <errno.h>
#include <string.h>

#define PREFIX "/belljar/credential/"

/* The verdict is asked about the host that the credential is for. */
static void on_credential(struct credential_wait *wait, struct credential *credential,
                          const struct bj_error *error)
{
    struct connection *connection =
        (struct connection *)((char *)wait - offsetof(struct connection, credential_wait));
    if (error) {
        connection_answer(connection, ANSWER_DENIED, "%s.", error->text);
        return;
    }
    connection->credential = credential;
    connection->host = credential->host;
    connection->port = credential->port;
    connection_decide(connection, "credential");
}

static void on_credential_over(uv_timer_t *timer)
{
    connection_answer(timer->data, ANSWER_NOBODY_DECIDED,
                      "the credential did not come. Try again later.");
}

static void ask_credential(struct connection *connection, const char *rest, size_t size)
{
    struct bj_error error = {0};
    char name[CREDENTIAL_NAME_MAX + 1];
    size_t length = 0;
    while (length < size && rest[length] != '/' && rest[length] != '?')
        length++;
    connection->path_at = (size_t)(rest + length - connection->request->head);
    connection->path_size = size - length;
    if (!credential_name_ok(rest, length)) {
        connection_answer(connection, ANSWER_NO_SUCH_PLACE,
                          "write " PREFIX "NAME/PATH, with the name of a credential.");
        return;
    }
    if (http_slice_is(connection->request, connection->request->method, "TRACE") ||
        broker_check_path(rest + length, size - length, &error) < 0) {
        connection_answer(connection, ANSWER_BAD_REQUEST, "this request is refused: %s.",
                          error.code ? error.text : "TRACE would show the credential");
        return;
    }
    memcpy(name, rest, length);
    name[length] = '\0';
    connection->phase = PHASE_HELD;
    uv_timer_start(&connection->timer, on_credential_over,
                   connection->egress->options->hold_seconds * 1000ULL, 0);
    credential_get(&connection->egress->credentials, name, &connection->credential_wait,
                   on_credential);
}

bool connection_broker_wants(struct connection *connection)
{
    const struct http_request *request = connection->request;
    const char *path = request->head + request->path.at;
    /* A client that sends even 127.0.0.1 through its proxy means the same. */
    bool to_us = request->form == HTTP_ORIGIN ||
                 (request->form == HTTP_ABSOLUTE && host_is_loopback(&request->host));
    if (!to_us || request->path.size < strlen(PREFIX) || memcmp(path, PREFIX, strlen(PREFIX)) != 0)
        return false;
    connection->protocol = PROTOCOL_CREDENTIAL;
    ask_credential(connection, path + strlen(PREFIX), request->path.size - strlen(PREFIX));
    return true;
}

/* Payload of the request's body, from what the sandbox has sent so far. */
static long on_input(struct broker_call *call, char *out, size_t size)
{
    struct connection *connection = broker_owner(call);
    while (!body_is_done(&connection->body)) {
        size_t have = buffer_size(&connection->in), payload;
        if (connection->phase != PHASE_BROKER)
            return BROKER_FAIL;
        if (have == 0)
            return connection->stream.received_eof ? BROKER_FAIL : BROKER_PAUSE;
        struct bj_error error = {0};
        const char *bytes = buffer_data(&connection->in);
        long used =
            body_next(&connection->body, bytes, have < size ? have : size, &payload, &error);
        if (used < 0)
            return BROKER_FAIL;
        if (payload > 0)
            memcpy(out, bytes, payload);
        connection_take(connection, (size_t)used);
        if (payload > 0) {
            connection_count(connection, 0, payload);
            return (long)payload;
        }
    }
    return 0;
}

static bool on_room(struct broker_call *call)
{
    struct connection *connection = broker_owner(call);
    return connection->phase != PHASE_BROKER || stream_room(&connection->stream) > 0;
}

static void on_output(struct broker_call *call, const char *bytes, size_t size)
{
    struct connection *connection = broker_owner(call);
    if (connection->phase != PHASE_BROKER)
        return;
    connection_count(connection, size, 0);
    stream_write(&connection->stream, bytes, size);
}

static void on_finished(struct broker_call *call, const struct bj_error *error, bool begun)
{
    struct connection *connection = broker_owner(call);
    connection->call = NULL;
    if (!error)
        connection_linger(connection);
    else if (begun) /* cut off, so that the client does not take it for whole */
        connection_end(connection, "the upstream's response broke off");
    else
        connection_answer(connection, ANSWER_NO_CONNECTION, "%s: %s.", connection->host.text,
                          error->text);
    if (error && error->code == -EACCES)
        report_refused(&connection->egress->report, connection->host.text, connection->port,
                       error->text);
    connection_unpin(connection);
}

static const struct broker_events events = {
    .input = on_input,
    .room = on_room,
    .output = on_output,
    .finished = on_finished,
};

void connection_broker_start(struct connection *connection)
{
    struct bj_error error = {0};
    const char *path = connection->request->head + connection->path_at;
    connection->phase = PHASE_BROKER;
    connection->call =
        broker_start(&connection->egress->broker, connection->request, path, connection->path_size,
                     connection->credential, &connection->addresses, &events, connection, &error);
    if (!connection->call) {
        connection_answer(connection, ANSWER_BUSY, "%s.", error.text);
        return;
    }
    connection->pins++;
    connection_reported(connection, &connection->addresses.list[0].any);
}
