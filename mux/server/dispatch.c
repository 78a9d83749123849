#include "mux/server/dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mux/driver/driver.h"
#include "mux/server/event.h"
#include "mux/server/log.h"
#include "mux/server/monitor.h"
#include "mux/server/operation.h"
#include "mux/server/profile.h"
#include "mux/server/registry.h"
#include "transport/message.h"
#include "transport/pack.h"

void dispatch_fail(struct client *client, uint32_t id, const struct bj_error *error)
{
    bj_rpc_error(&client->rpc, id, error);
}

/* The sandboxes that `names` or `all` mean. Returns how many, or a negative code. */
int dispatch_choose(struct server *server, const msgpack_object *params, struct sandbox ***out,
                    struct bj_error *error)
{
    const msgpack_object *names = bj_get(params, "names");
    bool all = bj_get_bool(params, "all", false);
    size_t count = all ? server->sandbox_count : names ? names->via.array.size : 0;
    if (!all && count == 0)
        return bj_fail(error, -EINVAL, "say which sandboxes: names, or all");
    *out = calloc(count + 1, sizeof(**out));
    if (!*out)
        return bj_fail(error, -ENOMEM, "out of memory");
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++) {
        struct sandbox *sandbox = all ? server->sandboxes[i] : NULL;
        char name[64] = "";
        if (!all) {
            const msgpack_object_str *text = &names->via.array.ptr[i].via.str;
            snprintf(name, sizeof(name), "%.*s", (int)(text->size < 60 ? text->size : 60),
                     text->ptr);
            sandbox = registry_find_name(server, name);
            if (!sandbox)
                sandbox = registry_find_id(server, name);
        }
        if (!sandbox) {
            free(*out);
            return bj_fail(error, -ENOENT, "no sandbox is named %s: 'belljar ls' lists them", name);
        }
        bool twice = false;
        for (size_t k = 0; k < chosen; k++)
            twice = twice || (*out)[k] == sandbox;
        if (!twice)
            (*out)[chosen++] = sandbox;
    }
    return (int)chosen;
}

/* --- server --- */

static const char *mechanism(bool cgroup, const char *otherwise)
{
    return cgroup ? "cgroup" : otherwise;
}

static void pack_drivers(msgpack_packer *packer)
{
    size_t count = 0;
    while (drivers[count])
        count++;
    bj_pack_str(packer, "drivers");
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < count; i++) {
        msgpack_pack_map(packer, 2);
        bj_pack_key_str(packer, "name", drivers[i]->name);
        bj_pack_key_str(packer, "summary", drivers[i]->summary);
    }
}

static void pack_audit(msgpack_packer *packer, const struct server *server)
{
    const struct ledger *ledger = &server->ledger;
    bj_pack_str(packer, "audit");
    msgpack_pack_map(packer, 3);
    bj_pack_key_str(packer, "directory", server->paths.state);
    bj_pack_key_uint(packer, "records", ledger->audit ? audit_seq(ledger->audit) : 0);
    bj_pack_key_str(packer, "error", ledger->failing ? ledger->why.text : "");
}

static void server_status(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct server *server = client->server;
    const struct cgroup_place *cgroups = &server->cgroups;
    bool placed = cgroups->path[0] != '\0';
    msgpack_packer *packer = bj_rpc_result(&client->rpc, id);
    if (!packer)
        return;
    msgpack_pack_map(packer, 16);
    bj_pack_key_uint(packer, "pid", (uint64_t)getpid());
    bj_pack_key_str(packer, "version", BJ_VERSION);
    bj_pack_key_double(packer, "started", server->started);
    bj_pack_key_str(packer, "runtime", server->paths.runtime);
    bj_pack_key_str(packer, "state", server->paths.state);
    bj_pack_key_uint(packer, "sandboxes", server->sandbox_count);
    bj_pack_key_uint(packer, "waiting", server->requests.count);
    bj_pack_key_uint(packer, "alerts", alert_open_count(&server->alerts, NULL));
    bj_pack_key_uint(packer, "clients", clients_count(server, NULL));
    bj_pack_str(packer, "limits");
    msgpack_pack_map(packer, 3);
    bj_pack_key_str(packer, "memory", mechanism(cgroups->memory, "none"));
    bj_pack_key_str(packer, "cpus", mechanism(cgroups->cpu, "none"));
    bj_pack_key_str(packer, "pids", mechanism(cgroups->pids, "rlimit"));
    bj_pack_str(packer, "sampling");
    msgpack_pack_map(packer, 3);
    bj_pack_key_str(packer, "cpu", mechanism(placed, "procfs"));
    bj_pack_key_str(packer, "memory", mechanism(cgroups->memory, "procfs"));
    bj_pack_key_str(packer, "network", "procfs");
    bj_pack_key_str(packer, "freeze", mechanism(cgroups->freeze, "signals"));
    bj_pack_key_str(packer, "kill", mechanism(cgroups->kill, "pid namespace"));
    bj_pack_key_str(packer, "cgroup", placed ? cgroups->path : cgroups->why);
    pack_drivers(packer);
    pack_audit(packer, server);
    bj_rpc_send(&client->rpc);
}

static void stop_killed(struct server *server)
{
    server_stop(server, true);
}

static void server_stop_call(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct server *server = client->server;
    struct bj_error error = {0};
    log_line("stop asked for by a client");
    bool kill = bj_get_bool(params, "kill", false) && server->sandbox_count;
    if (kill && operation_start(server, OPERATION_KILL, server->sandboxes, server->sandbox_count,
                                NULL, stop_killed) < 0) {
        bj_fail(&error, -ENOMEM, "out of memory");
        dispatch_fail(client, id, &error);
        return;
    }
    bj_rpc_done(&client->rpc, id);
    if (!kill)
        server_stop(server, false);
}

/* --- sandboxes --- */

static void pack_profile(msgpack_packer *packer, const struct server *server, const char *name,
                         const char *path)
{
    struct profile profile;
    struct profile_place *place = calloc(1, sizeof(*place));
    struct bj_error error = {0};
    bool read = profile_load(&profile, &server->paths, name, &error) == 0;
    bool ready = place && read && profile_find(&profile, path, place, &error) == 0;
    size_t keys = 0;
    while (read && profile.keys[keys])
        keys++;
    char keyless[BJ_ERROR_TEXT_MAX] = "";
    if (read)
        profile_keyless(&profile, &server->paths, &server->secrets, keyless);
    msgpack_pack_map(packer, 8);
    bj_pack_key_str(packer, "name", name);
    bj_pack_key_str(packer, "installs", ready && place->installs ? profile.inside_install : "");
    bj_pack_key_str(packer, "keyless", keyless);
    bj_pack_key_str(packer, "summary", read ? profile.summary : "");
    bj_pack_key_bool(packer, "ready", ready);
    bj_pack_key_str(packer, "why", error.text);
    bj_pack_key_str(packer, "program", ready ? place->found : "");
    bj_pack_str(packer, "keys");
    msgpack_pack_array(packer, keys);
    for (size_t i = 0; i < keys; i++)
        bj_pack_str(packer, profile.keys[i]);
    if (read)
        profile_free(&profile);
    free(place);
}

static void profile_list(struct client *client, uint32_t id, const msgpack_object *params)
{
    char path[BJ_PATH_MAX + 1];
    bj_get_copy(params, "path", path, sizeof(path));
    char **names = profile_names(&client->server->paths);
    size_t count = 0;
    while (names && names[count])
        count++;
    msgpack_packer *packer = bj_rpc_result(&client->rpc, id);
    if (packer) {
        msgpack_pack_array(packer, count);
        for (size_t i = 0; i < count; i++)
            pack_profile(packer, client->server, names[i], path);
        bj_rpc_send(&client->rpc);
    }
    profile_list_free(names);
}

static void sandbox_list(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct server *server = client->server;
    msgpack_packer *packer = bj_rpc_result(&client->rpc, id);
    if (!packer)
        return;
    msgpack_pack_array(packer, server->sandbox_count);
    for (size_t i = 0; i < server->sandbox_count; i++)
        event_sandbox_whole(packer, server->sandboxes[i]);
    bj_rpc_send(&client->rpc);
}

static void operate(struct client *client, uint32_t id, const msgpack_object *params,
                    enum operation_kind kind)
{
    struct server *server = client->server;
    struct bj_error error = {0};
    struct sandbox **chosen = NULL;
    bool all = bj_get_bool(params, "all", false);
    int count = dispatch_choose(server, params, &chosen, &error);
    int kept = 0;
    for (int i = 0; i < count && !error.code; i++) {
        bool over =
            chosen[i]->record.state == SANDBOX_EXITED || chosen[i]->record.state == SANDBOX_LOST;
        bool fits = kind == OPERATION_KILL || (kind == OPERATION_REMOVE ? over : !over);
        if (fits)
            chosen[kept++] = chosen[i];
        else if (!all) /* with `all`, those that it makes no sense for are passed over */
            bj_fail(&error, kind == OPERATION_REMOVE ? -EBUSY : -ESRCH,
                    kind == OPERATION_REMOVE ? "%s still runs: 'belljar kill' it first"
                                             : "%s has exited",
                    chosen[i]->record.name);
    }
    struct call *call = error.code ? NULL : call_keep(client, id);
    if (error.code)
        dispatch_fail(client, id, &error);
    if (call)
        operation_start(server, kind, chosen, (size_t)kept, call, NULL);
    if (count >= 0)
        free(chosen);
}

static void sandbox_kill(struct client *client, uint32_t id, const msgpack_object *params)
{
    operate(client, id, params, OPERATION_KILL);
}

static void sandbox_pause(struct client *client, uint32_t id, const msgpack_object *params)
{
    operate(client, id, params, OPERATION_PAUSE);
}

static void sandbox_resume(struct client *client, uint32_t id, const msgpack_object *params)
{
    operate(client, id, params, OPERATION_RESUME);
}

static void sandbox_remove(struct client *client, uint32_t id, const msgpack_object *params)
{
    operate(client, id, params, OPERATION_REMOVE);
}

static void sandbox_rename(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct server *server = client->server;
    struct bj_error error = {0};
    char name[NAME_SIZE], new_name[NAME_SIZE];
    bj_get_copy(params, "name", name, sizeof(name));
    bj_get_copy(params, "new_name", new_name, sizeof(new_name));
    struct sandbox *sandbox = registry_find_name(server, name);
    if (!sandbox)
        bj_fail(&error, -ENOENT, "no sandbox is named %s: 'belljar ls' lists them", name);
    else if (sandbox->removing)
        bj_fail(&error, -EBUSY, "%s is being removed", name);
    else if (strcmp(name, new_name) != 0)
        registry_check_name(server, new_name, &error);
    if (error.code) {
        dispatch_fail(client, id, &error);
        return;
    }
    memcpy(sandbox->record.name, new_name, sizeof(new_name));
    ledger_note(server, AUDIT_RENAME, sandbox, json_pack("{s:s}", "before", name));
    alert_rename(&server->alerts, sandbox->record.id, new_name);
    server_keep_alerts(server);
    sandbox_save(sandbox);
    sandbox_touch(sandbox);
    bj_rpc_done(&client->rpc, id);
}

/* --- alerts --- */

static void alert_list(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct alerts *alerts = &client->server->alerts;
    msgpack_packer *packer = bj_rpc_result(&client->rpc, id);
    if (!packer)
        return;
    msgpack_pack_array(packer, alerts->count);
    for (size_t i = 0; i < alerts->count; i++)
        event_alert(packer, &alerts->list[i]);
    bj_rpc_send(&client->rpc);
}

static void alert_acknowledge_call(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct server *server = client->server;
    struct bj_error error = {0};
    char name[NAME_SIZE];
    const char *sandbox_id = NULL;
    if (bj_get_copy(params, "sandbox", name, sizeof(name)) > 0) {
        struct sandbox *sandbox = registry_find_name(server, name);
        if (!sandbox) {
            bj_fail(&error, -ENOENT, "no sandbox is named %s: 'belljar ls' lists them", name);
            dispatch_fail(client, id, &error);
            return;
        }
        sandbox_id = sandbox->record.id;
    }
    size_t count = alert_acknowledge(&server->alerts, sandbox_id);
    server_keep_alerts(server);
    for (size_t i = 0; i < server->sandbox_count; i++)
        if (!sandbox_id || strcmp(server->sandboxes[i]->record.id, sandbox_id) == 0)
            sandbox_touch(server->sandboxes[i]);
    clients_schedule(server);
    msgpack_packer *packer = bj_rpc_result(&client->rpc, id);
    if (!packer)
        return;
    msgpack_pack_map(packer, 1);
    bj_pack_key_uint(packer, "count", count);
    bj_rpc_send(&client->rpc);
}

/* --- sessions --- */

static void session_list(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct server *server = client->server;
    msgpack_packer *packer = bj_rpc_result(&client->rpc, id);
    if (!packer)
        return;
    msgpack_pack_array(packer, server->sessions.count);
    for (size_t i = 0; i < server->sessions.count; i++)
        event_session(packer, server, &server->sessions.list[i]);
    bj_rpc_send(&client->rpc);
}

/* Panes named first come in that order; those not named, made meanwhile by another client, stay. */
static int save_panes(struct server *server, struct session *session, const msgpack_object *list,
                      struct bj_error *error)
{
    struct session fresh = {0};
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < list->via.array.size; i++) {
        char id[16];
        const msgpack_object_str *text = &list->via.array.ptr[i].via.str;
        snprintf(id, sizeof(id), "%.*s", (int)(text->size < 15 ? text->size : 15), text->ptr);
        if (registry_find_id(server, id))
            status = session_add_pane(&fresh, id, error);
    }
    for (size_t i = 0; status == 0 && i < session->count; i++)
        if (registry_find_id(server, session->panes[i]))
            status = session_add_pane(&fresh, session->panes[i], error);
    if (status < 0) {
        free(fresh.panes);
        return status;
    }
    free(session->panes);
    session->panes = fresh.panes;
    session->count = fresh.count;
    return 0;
}

static void session_save(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct server *server = client->server;
    struct bj_error error = {0};
    struct session *session;
    char name[NAME_SIZE], layout[20], selected[40], word[SESSION_WORD];
    bj_get_copy(params, "name", name, sizeof(name));
    int status = session_use(&server->sessions, name, &session, &error);
    if (status == 0 && bj_get_copy(params, "layout", layout, sizeof(layout)) > 0)
        status = session_set_layout(session, layout, &error);
    if (status == 0 && bj_get_copy(params, "order", word, sizeof(word)) > 0)
        status = session_set_order(session, word, &error);
    if (status == 0 && bj_get_copy(params, "sort", word, sizeof(word)) > 0)
        status = session_set_sort(session, word, &error);
    if (status == 0 && bj_get(params, "panes"))
        status = save_panes(server, session, bj_get(params, "panes"), &error);
    if (status == 0 && bj_get(params, "pinned"))
        session_pin(session, (size_t)bj_get_uint(params, "pinned", 0));
    if (status < 0) {
        dispatch_fail(client, id, &error);
        return;
    }
    if (bj_get_copy(params, "selected", selected, sizeof(selected)) > 0 &&
        registry_find_id(server, selected))
        memcpy(session->selected, selected, sizeof(session->selected));
    server->sessions_dirty = true;
    clients_schedule(server);
    clients_send_session(server, session);
    bj_rpc_done(&client->rpc, id);
}

static void events_subscribe(struct client *client, uint32_t id, const msgpack_object *params)
{
    client_subscribe(client);
    bj_rpc_done(&client->rpc, id);
}

static const struct dispatch_method methods[] = {
    {"server.status", server_status},
    {"server.stop", server_stop_call},
    {"sandbox.list", sandbox_list},
    {"profile.list", profile_list},
    {"sandbox.kill", sandbox_kill},
    {"sandbox.pause", sandbox_pause},
    {"sandbox.resume", sandbox_resume},
    {"sandbox.rename", sandbox_rename},
    {"sandbox.remove", sandbox_remove},
    {"alert.list", alert_list},
    {"alert.acknowledge", alert_acknowledge_call},
    {"session.list", session_list},
    {"session.save", session_save},
    {"events.subscribe", events_subscribe},
};

/* All that a client may call that only looks. What is new is refused until it is named here. */
static const char *const looks[] = {
    "server.status",   "sandbox.list",   "profile.list",     "alert.list",   "client.hello",
    "client.list",     "client.focus",   "session.list",     "request.list", "rule.list",
    "request.details", "policy.explain", "events.subscribe",
};

static bool only_looks(const char *method)
{
    for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++)
        if (strcmp(looks[i], method) == 0)
            return true;
    return false;
}

bool dispatch_among(const struct dispatch_method *list, size_t count, struct client *client,
                    uint32_t id, const struct bj_method *method, const msgpack_object *params)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, method->name) == 0) {
            list[i].answer(client, id, params);
            return true;
        }
    return false;
}

void dispatch_call(struct client *client, uint32_t id, const struct bj_method *method,
                   const msgpack_object *params)
{
    struct bj_error error = {0};
    if (client->readonly && !only_looks(method->name)) {
        bj_fail(&error, -EPERM, "%s: this client attached read-only", method->name);
        dispatch_fail(client, id, &error);
        return;
    }
    if (dispatch_among(methods, sizeof(methods) / sizeof(*methods), client, id, method, params) ||
        dispatch_run(client, id, method, params) || dispatch_request(client, id, method, params) ||
        dispatch_policy(client, id, method, params) || dispatch_client(client, id, method, params))
        return;
    bj_fail(&error, -ENOSYS, "%s is not answered by this server", method->name);
    dispatch_fail(client, id, &error);
}
