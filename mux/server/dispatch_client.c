#include "mux/server/dispatch.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "mux/server/event.h"
#include "mux/server/pace.h"
#include "mux/server/registry.h"
#include "transport/pack.h"
#include "transport/socket.h"

/* Printable ASCII without quotation marks only: others are shown it. */
static void make_plain(char *text)
{
    for (char *at = text; *at; at++)
        if (*at < ' ' || *at > '~' || *at == '"')
            *at = '?';
}

/* Asked once: a directory service may take its time, and everybody waits meanwhile. A peer is the
 * server's user, or root. */
static const char *user_name(uid_t uid)
{
    static char names[2][16];
    char *name = names[uid == 0];
    if (!name[0]) {
        const struct passwd *entry = getpwuid(uid);
        snprintf(name, sizeof(names[0]), "%s", entry ? entry->pw_name : "?");
    }
    return name;
}

static void label_client(struct client *client, const msgpack_object *params)
{
    uid_t uid = (uid_t)-1;
    int descriptor;
    if (uv_fileno((uv_handle_t *)&client->rpc.pipe, &descriptor) == 0)
        bj_socket_peer(descriptor, NULL, &uid, NULL, NULL);
    snprintf(client->user, sizeof(client->user), "%s", user_name(uid));
    const char *from = client->from;
    bj_get_copy(params, "from", client->from, sizeof(client->from));
    make_plain(client->user);
    make_plain(client->from);
    snprintf(client->label, sizeof(client->label), "%s of %.10s%s%.12s%s",
             client->dashboard ? "dashboard" : "cli", client->user, from[0] ? " \"" : "", from,
             from[0] ? "\"" : "");
}

static void client_hello(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct server *server = client->server;
    struct bj_error error = {0};
    struct session *session;
    char kind[20], name[NAME_SIZE];
    bj_get_copy(params, "kind", kind, sizeof(kind));
    if (bj_get_copy(params, "session", name, sizeof(name)) == 0)
        strcpy(name, BJ_SESSION_DEFAULT);
    if (session_use(&server->sessions, name, &session, &error) < 0) {
        dispatch_fail(client, id, &error);
        return;
    }
    bool attaches = !client->dashboard && strcmp(kind, "dashboard") == 0;
    client->dashboard = strcmp(kind, "dashboard") == 0;
    client->readonly |= bj_get_bool(params, "readonly", false);
    label_client(client, params);
    memcpy(client->session, name, sizeof(name));
    if (attaches)
        ledger_note(server, AUDIT_ATTACH, NULL,
                    json_pack("{s:I, s:s, s:s, s:s, s:b}", "client", (json_int_t)client->number,
                              "session", name, "user", client->user, "from", client->from,
                              "readonly", client->readonly));
    server->sessions_dirty = true;
    clients_crowd_changed(server);
    msgpack_packer *packer = bj_rpc_result(&client->rpc, id);
    if (!packer)
        return;
    msgpack_pack_map(packer, 8);
    bj_pack_key_str(packer, "order", session->order);
    bj_pack_key_str(packer, "sort", session->sort);
    bj_pack_key_str(packer, "client", client->dashboard ? "dashboard" : "cli");
    bj_pack_key_str(packer, "session", session->name);
    bj_pack_key_str(packer, "layout", session->layout);
    bj_pack_key_str(packer, "selected", session->selected);
    bj_pack_str(packer, "panes");
    msgpack_pack_array(packer, session->count);
    for (size_t i = 0; i < session->count; i++)
        bj_pack_str(packer, session->panes[i]);
    bj_pack_key_uint(packer, "pinned", session->pinned);
    bj_rpc_send(&client->rpc);
}

static void client_detach(struct client *client, uint32_t id, const msgpack_object *params)
{
    char session[NAME_SIZE];
    bj_get_copy(params, "session", session, sizeof(session));
    size_t count = clients_send_detach(client->server, session);
    msgpack_packer *packer = bj_rpc_result(&client->rpc, id);
    if (!packer)
        return;
    msgpack_pack_map(packer, 1);
    bj_pack_key_uint(packer, "count", count);
    bj_rpc_send(&client->rpc);
}

static void client_list(struct client *client, uint32_t id, const msgpack_object *params)
{
    msgpack_packer *packer = bj_rpc_result(&client->rpc, id);
    if (!packer)
        return;
    event_clients(packer, client);
    bj_rpc_send(&client->rpc);
}

static void client_focus(struct client *client, uint32_t id, const msgpack_object *params)
{
    char focus[CLIENT_ID_MAX];
    bool typing = bj_get_bool(params, "typing", false) && !client->readonly;
    bj_get_copy(params, "sandbox_id", focus, sizeof(focus));
    if (!registry_find_id(client->server, focus))
        focus[0] = '\0';
    if (strcmp(focus, client->focus) != 0 || typing != client->typing) {
        memcpy(client->focus, focus, sizeof(focus));
        client->typing = typing;
        if (typing)
            pace_typed(client->server);
        clients_crowd_changed(client->server);
    }
    bj_rpc_done(&client->rpc, id);
}

static const struct dispatch_method methods[] = {
    {"client.hello", client_hello},
    {"client.focus", client_focus},
    {"client.list", client_list},
    {"client.detach", client_detach},
};

bool dispatch_client(struct client *client, uint32_t id, const struct bj_method *method,
                     const msgpack_object *params)
{
    return dispatch_among(methods, sizeof(methods) / sizeof(*methods), client, id, method, params);
}
