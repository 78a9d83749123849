#include "mux/server/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mux/server/dispatch.h"
#include "mux/server/event.h"
#include "mux/server/log.h"
#include "mux/server/priority.h"
#include "mux/server/signs.h"
#include "mux/server/stats.h"
#include "transport/pack.h"
#include "transport/socket.h"

#define FLUSH_MS 5U

struct call *call_keep(struct client *client, uint32_t id)
{
    struct call *call = calloc(1, sizeof(*call));
    if (!call) {
        struct bj_error error = {0};
        bj_fail(&error, -ENOMEM, "out of memory");
        bj_rpc_error(&client->rpc, id, &error);
        return NULL;
    }
    *call = (struct call){client->calls, client, id};
    client->calls = call;
    return call;
}

static void call_free(struct call *call)
{
    if (call->client)
        for (struct call **at = &call->client->calls; *at; at = &(*at)->next)
            if (*at == call) {
                *at = call->next;
                break;
            }
    free(call);
}

msgpack_packer *call_result(struct call *call)
{
    return call->client ? bj_rpc_result(&call->client->rpc, call->id) : NULL;
}

void call_done(struct call *call)
{
    if (call->client)
        bj_rpc_send(&call->client->rpc);
    call_free(call);
}

void call_fail(struct call *call, const struct bj_error *error)
{
    if (call->client)
        bj_rpc_error(&call->client->rpc, call->id, error);
    call_free(call);
}

static void on_call(struct bj_rpc *rpc, uint32_t id, const struct bj_method *method,
                    const msgpack_object *params)
{
    dispatch_call(rpc->owner, id, method, params);
}

static void on_closed(struct bj_rpc *rpc, const struct bj_error *why)
{
    struct client *client = rpc->owner;
    struct server *server = client->server;
    if (why->code)
        log_line("client dropped: %s", why->text);
    for (struct client **at = &server->clients; *at; at = &(*at)->next)
        if (*at == client) {
            *at = client->next;
            break;
        }
    if (client->dashboard)
        ledger_note(server, AUDIT_DETACH, NULL,
                    json_pack("{s:I, s:s, s:b}", "client", (json_int_t)client->number, "session",
                              client->session, "readonly", client->readonly));
    while (client->calls) {
        struct call *call = client->calls;
        client->calls = call->next;
        call->client = NULL; /* who answers it later finds nobody */
    }
    if (client->dashboard)
        clients_crowd_changed(server);
    free(client);
    stats_adjust(server);
    priority_update(server);
}

static void send_state(struct client *client)
{
    struct server *server = client->server;
    struct bj_rpc *rpc = &client->rpc;
    for (size_t i = 0; i < server->sandbox_count; i++)
        event_sandbox(bj_rpc_notify(rpc, "event.sandbox"), server->sandboxes[i]);
    for (size_t i = 0; i < server->requests.count; i++)
        event_request(bj_rpc_notify(rpc, "event.request"), server, server->requests.list[i]);
    for (size_t i = 0; i < server->alerts.count; i++)
        event_alert(bj_rpc_notify(rpc, "event.alert"), &server->alerts.list[i]);
    event_clients(bj_rpc_notify(rpc, "event.clients"), client);
    bj_rpc_send(rpc);
}

static void on_drained(struct bj_rpc *rpc)
{
    struct client *client = rpc->owner;
    if (!client->behind)
        return;
    client->behind = false;
    send_state(client);
}

static const struct bj_rpc_events handler = {
    .methods = bj_api_server,
    .events = bj_events_server,
    .call = on_call,
    .drained = on_drained,
    .closed = on_closed,
};

static void accept_one(struct server *server, int descriptor)
{
    struct bj_error error = {0};
    size_t count = 0;
    for (struct client *at = server->clients; at; at = at->next)
        count++;
    struct client *client = count < CLIENTS_MAX ? calloc(1, sizeof(*client)) : NULL;
    if (!client) {
        log_line("client refused: %s", count < CLIENTS_MAX ? "out of memory" : "too many");
        close(descriptor);
        return;
    }
    int status = bj_socket_check_peer(descriptor, geteuid(), &error);
    if (status < 0) {
        close(descriptor);
    } else {
        client->server = server;
        status = bj_rpc_open(&client->rpc, &server->loop, descriptor, &handler, client, &error);
    }
    if (status < 0) {
        log_line("client refused: %s", error.text);
        free(client);
        return;
    }
    client->number = ++server->clients_seen;
    client->since = server_time();
    client->next = server->clients;
    server->clients = client;
}

void client_accept(struct server *server)
{
    int descriptor;
    while ((descriptor = bj_socket_accept(server->listen_descriptor)) >= 0)
        accept_one(server, descriptor);
}

void clients_close(struct server *server)
{
    for (struct client *client = server->clients; client; client = client->next)
        bj_rpc_close(&client->rpc);
}

size_t clients_count(const struct server *server, const char *session)
{
    size_t count = 0;
    for (struct client *client = server->clients; client; client = client->next)
        count += client->dashboard && (!session || strcmp(client->session, session) == 0);
    return count;
}

bool clients_subscribed(const struct server *server)
{
    for (struct client *client = server->clients; client; client = client->next)
        if (client->subscribed && !client->rpc.closing)
            return true;
    return false;
}

void client_subscribe(struct client *client)
{
    struct server *server = client->server;
    client->subscribed = true;
    send_state(client);
    for (size_t i = 0; i < server->sandbox_count; i++)
        server->sandboxes[i]->sample_dirty = server->sandboxes[i]->sample.taken != 0;
    clients_schedule(server);
    stats_adjust(server);
}

/* Whether state may be sent now. A slow client gets all of it when it has caught up. */
static bool keeps_up(struct client *client)
{
    if (!client->subscribed || client->rpc.closing)
        return false;
    if (client->behind || bj_rpc_backlog(&client->rpc) > CLIENT_BACKLOG_SOFT) {
        client->behind = true;
        return false;
    }
    return true;
}

static void deliver(struct client *client)
{
    bj_rpc_send(&client->rpc);
    if (bj_rpc_backlog(&client->rpc) <= CLIENT_BACKLOG_MAX)
        return;
    bj_fail(&client->rpc.why, -EOVERFLOW, "it does not read, and too much waits for it");
    bj_rpc_close(&client->rpc);
}

void clients_crowd_changed(struct server *server)
{
    server->crowd_changed = true;
    clients_schedule(server);
}

static void on_flush(uv_timer_t *timer)
{
    clients_flush(timer->data);
    server_save_sessions(timer->data);
}

void clients_schedule(struct server *server)
{
    if (!server->stopping && !uv_is_active((uv_handle_t *)&server->flush))
        uv_timer_start(&server->flush, on_flush, FLUSH_MS, 0);
}

static void pack_stats(struct client *client, size_t changed)
{
    struct server *server = client->server;
    msgpack_packer *packer = bj_rpc_notify(&client->rpc, "event.stats");
    msgpack_pack_map(packer, 1);
    bj_pack_str(packer, "sandboxes");
    msgpack_pack_array(packer, changed);
    for (size_t i = 0; i < server->sandbox_count; i++)
        if (server->sandboxes[i]->sample_dirty)
            event_stats(packer, server->sandboxes[i]);
}

void clients_flush(struct server *server)
{
    size_t samples = 0;
    for (size_t i = 0; i < server->sandbox_count; i++) {
        samples += server->sandboxes[i]->sample_dirty;
        if (server->sandboxes[i]->dirty) /* its timeline has it, whoever looks */
            signs_judge(server->sandboxes[i]);
    }
    for (struct client *client = server->clients; client; client = client->next) {
        if (!keeps_up(client))
            continue;
        for (size_t i = 0; i < server->sandbox_count; i++)
            if (server->sandboxes[i]->dirty)
                event_sandbox(bj_rpc_notify(&client->rpc, "event.sandbox"), server->sandboxes[i]);
        for (size_t i = 0; i < server->alerts.count; i++)
            if (server->alerts.list[i].dirty)
                event_alert(bj_rpc_notify(&client->rpc, "event.alert"), &server->alerts.list[i]);
        if (samples)
            pack_stats(client, samples);
        if (server->crowd_changed)
            event_clients(bj_rpc_notify(&client->rpc, "event.clients"), client);
        deliver(client);
    }
    server->crowd_changed = false;
    for (size_t i = 0; i < server->sandbox_count; i++)
        server->sandboxes[i]->dirty = server->sandboxes[i]->sample_dirty = false;
    for (size_t i = 0; i < server->alerts.count; i++)
        server->alerts.list[i].dirty = false;
    priority_update(server);
}

/* What must not be lost is sent to slow clients, too: it is small, and the hard limit bounds it. */
#define FOR_SUBSCRIBED(client, server)                                                             \
    for (struct client *client = (server)->clients; client; client = client->next)                 \
        if (client->subscribed && !client->rpc.closing)

void clients_send_request(struct server *server, const struct request *request)
{
    FOR_SUBSCRIBED(client, server)
    {
        event_request(bj_rpc_notify(&client->rpc, "event.request"), server, request);
        deliver(client);
    }
}

void clients_send_request_gone(struct server *server, const struct request *request,
                               const char *outcome, const char *by)
{
    FOR_SUBSCRIBED(client, server)
    {
        msgpack_packer *packer = bj_rpc_notify(&client->rpc, "event.request_gone");
        msgpack_pack_map(packer, 4);
        bj_pack_key_str(packer, "id", request->id);
        bj_pack_key_str(packer, "sandbox_id", request->first_asker);
        bj_pack_key_str(packer, "outcome", outcome);
        bj_pack_key_str(packer, "by", by);
        deliver(client);
    }
}

void clients_send_rules(struct server *server)
{
    FOR_SUBSCRIBED(client, server)
    {
        msgpack_packer *packer = bj_rpc_notify(&client->rpc, "event.rules");
        msgpack_pack_map(packer, 1);
        bj_pack_key_uint(packer, "count", server->rules.count);
        deliver(client);
    }
}

void clients_send_gone(struct server *server, const struct sandbox *sandbox)
{
    FOR_SUBSCRIBED(client, server)
    {
        msgpack_packer *packer = bj_rpc_notify(&client->rpc, "event.gone");
        msgpack_pack_map(packer, 2);
        bj_pack_key_str(packer, "id", sandbox->record.id);
        bj_pack_key_str(packer, "name", sandbox->record.name);
        deliver(client);
    }
}

void clients_send_session(struct server *server, const struct session *session)
{
    FOR_SUBSCRIBED(client, server)
    {
        event_session(bj_rpc_notify(&client->rpc, "event.session"), server, session);
        deliver(client);
    }
}

void clients_send_stopping(struct server *server, bool killed)
{
    FOR_SUBSCRIBED(client, server)
    {
        msgpack_packer *packer = bj_rpc_notify(&client->rpc, "event.stopping");
        msgpack_pack_map(packer, 1);
        bj_pack_key_bool(packer, "killed", killed);
        deliver(client);
    }
}

size_t clients_send_detach(struct server *server, const char *session)
{
    size_t count = 0;
    for (struct client *client = server->clients; client; client = client->next) {
        if (!client->dashboard || client->rpc.closing ||
            (session[0] && strcmp(client->session, session) != 0))
            continue;
        msgpack_packer *packer = bj_rpc_notify(&client->rpc, "event.detach");
        msgpack_pack_map(packer, 1);
        bj_pack_key_str(packer, "reason", "detached by another client");
        deliver(client);
        count++;
    }
    return count;
}
