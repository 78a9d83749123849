#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport/pack.h"
#include "tui/connect.h"
#include "tui/dashboard_state.h"

#define RETRY_FIRST_MS 1000
#define RETRY_MOST_MS  15000
#define LATE_MS        1000 /* for the first answer */
#define VARIABLE_MAX   8448 /* NAME=VALUE; mux/server/secret.h */

struct dashboard *server_dashboard(const struct bj_rpc *rpc)
{
    const struct server_link *link = rpc->owner;
    return link->dashboard;
}

struct server_link *server_of(struct dashboard *dashboard, const char *id)
{
    return &dashboard->servers[origin_number(id)];
}

bool server_ready(const struct server_link *link)
{
    return link->open && !link->rpc.closing;
}

void server_note_error(struct dashboard *dashboard, const msgpack_object *error)
{
    struct bj_error why = {0};
    bj_rpc_error_read(error, &why);
    control_note(&dashboard->control, dashboard_now(dashboard), true, "%.240s", why.text);
    dashboard_touch(dashboard, false);
}

void server_on_done(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                    void *argument)
{
    (void)result;
    (void)argument;
    if (error && !rpc->closing)
        server_note_error(server_dashboard(rpc), error);
}

/* ---- the state as it comes ---- */

void server_select_wanted(struct dashboard *dashboard)
{
    struct control *control = &dashboard->control;
    size_t index = fleet_index(&dashboard->fleet, dashboard->select_next);
    if (dashboard->select_next[0] && index < dashboard->fleet.count) {
        control_select(control, &dashboard->fleet, index);
        dashboard->select_next[0] = '\0';
    }
    for (size_t i = 0; dashboard->focus_next && i < dashboard->fleet.count; i++)
        if (strcmp(dashboard->fleet.sandboxes[i]->name, dashboard->options->focus) == 0) {
            control_select(control, &dashboard->fleet, i);
            if (!dashboard->options->readonly && sandbox_alive(dashboard->fleet.sandboxes[i]))
                control->mode = CONTROL_FOCUS;
            dashboard->focus_next = false;
            dashboard->select_next[0] = '\0';
        }
}

/* Another host's server ends nothing here: its sandboxes are without one until it is there again.
 */
static bool ends_all(struct server_link *link, const char *name, const msgpack_object *params)
{
    struct dashboard *dashboard = link->dashboard;
    if (link->origin->number > 0)
        return false;
    if (strcmp(name, "event.detach") == 0) {
        char reason[128];
        bj_get_copy(params, "reason", reason, sizeof(reason));
        snprintf(dashboard->farewell, sizeof(dashboard->farewell), "%s", reason);
        dashboard_stop(dashboard);
        return true;
    }
    if (strcmp(name, "event.stopping") == 0) {
        bool killed = bj_get_bool(params, "killed", false);
        snprintf(dashboard->farewell, sizeof(dashboard->farewell), "the server was stopped%s",
                 killed ? ", and every sandbox with it" : "");
        dashboard->server_stopped = true;
        dashboard_stop(dashboard);
        return true;
    }
    return false;
}

static void on_notification(struct bj_rpc *rpc, const char *name, const msgpack_object *params)
{
    struct server_link *link = rpc->owner;
    struct dashboard *dashboard = link->dashboard;
    struct bj_error error = {0};
    if (ends_all(link, name, params))
        return;
    int status = fleet_event_from(&dashboard->fleet, link->origin->number, name, params, &error);
    if (status < 0)
        control_note(&dashboard->control, dashboard_now(dashboard), true, "%s", error.text);
    if (status == 0)
        return;
    server_select_wanted(dashboard);
    dashboard_changed(dashboard);
}

/* Whether the list of a server has a sandbox of ours. */
static bool is_listed(const msgpack_object_array *list, const struct sandbox *sandbox)
{
    for (uint32_t i = 0; i < list->size; i++)
        if (bj_is_str(bj_get(&list->ptr[i], "id"), origin_bare(sandbox->id)))
            return true;
    return false;
}

/* Sandboxes that went while nobody told us, and what the others did meanwhile. */
static void on_list(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                    void *argument)
{
    struct server_link *link = rpc->owner;
    struct fleet *fleet = &link->dashboard->fleet;
    (void)argument;
    if (error || !result || result->type != MSGPACK_OBJECT_ARRAY)
        return;
    for (size_t i = fleet->count; i-- > 0;) {
        const struct sandbox *sandbox = fleet->sandboxes[i];
        if (sandbox->origin != link->origin || is_listed(&result->via.array, sandbox))
            continue;
        const char *id = origin_bare(sandbox->id);
        msgpack_object_kv pair = {
            .key = {.type = MSGPACK_OBJECT_STR, .via.str = {2, "id"}},
            .val = {.type = MSGPACK_OBJECT_STR, .via.str = {(uint32_t)strlen(id), id}}};
        msgpack_object gone = {.type = MSGPACK_OBJECT_MAP, .via.map = {1, &pair}};
        fleet_event_from(fleet, link->origin->number, "event.gone", &gone, NULL);
    }
    for (uint32_t i = 0; i < result->via.array.size; i++)
        fleet_timeline(fleet, link->origin->number, &result->via.array.ptr[i]);
    dashboard_changed(link->dashboard);
}

static void on_hello(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                     void *argument)
{
    struct server_link *link = rpc->owner;
    struct dashboard *dashboard = link->dashboard;
    (void)argument;
    if (rpc->closing)
        return;
    link->retry_wait = 0;
    if (error)
        server_note_error(dashboard, error);
    if (link->origin->number > 0)
        return;
    if (!error)
        dashboard->keeps_sorting = bj_get(result, "order") != NULL;
    if (!error && !dashboard->restored) {
        char layout[16], order[16], sort[ROSTER_SORT_MAX];
        bj_get_copy(result, "layout", layout, sizeof(layout));
        dashboard->control.layout = layout_find(layout);
        bj_get_copy(result, "selected", dashboard->select_next, sizeof(dashboard->select_next));
        fleet_set_order(&dashboard->fleet, bj_get(result, "panes"),
                        (size_t)bj_get_uint(result, "pinned", 0));
        bj_get_copy(result, "order", order, sizeof(order));
        fleet_set_sorting(&dashboard->fleet, fleet_sorting_find(order));
        bj_get_copy(result, "sort", sort, sizeof(sort));
        roster_sort_as(&dashboard->control.roster, sort);
        server_select_wanted(dashboard);
    }
    dashboard->restored = true;
    dashboard_changed(dashboard);
}

/* Its state has come: it is there. */
static void on_subscribed(struct bj_rpc *rpc, const msgpack_object *error,
                          const msgpack_object *result, void *argument)
{
    struct server_link *link = rpc->owner;
    struct dashboard *dashboard = link->dashboard;
    const char *label = link->origin->label;
    server_on_done(rpc, error, result, argument);
    if (error || rpc->closing)
        return;
    if (link->trouble[0] && link->seen)
        control_note(&dashboard->control, dashboard_now(dashboard), false, "%s%sthe server is back",
                     label, label[0] ? ": " : "");
    if (!link->seen)
        fleet_settle(&dashboard->fleet); /* nobody has seen them elsewhere */
    link->seen = true;
    link->trouble[0] = '\0';
    link->trouble_at = 0;
    fleet_cut(&dashboard->fleet, link->origin->number, false);
    if (link->origin->number == 0)
        dashboard_listen(dashboard);
    dashboard_changed(dashboard);
}

static void on_status(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                      void *argument)
{
    static const char *const kinds[] = {"memory", "cpus", "pids"};
    struct dashboard *dashboard = server_dashboard(rpc);
    (void)argument;
    if (error)
        return;
    const msgpack_object *limits = bj_get(result, "limits");
    int missing = 0;
    char which[40] = "";
    for (size_t i = 0; i < 3; i++) {
        const msgpack_object *how = bj_get(limits, kinds[i]);
        if (!how || !bj_is_str(how, "none"))
            continue;
        missing++;
        strcat(strcat(which, " "), kinds[i]);
    }
    if (missing == 3)
        strcpy(which, "");
    dashboard->limits[0] = '\0';
    if (missing > 0)
        snprintf(dashboard->limits, sizeof(dashboard->limits), "limits not enforced%s%s",
                 which[0] ? ":" : "", which);
    dashboard_touch(dashboard, false);
}

/* NAME=VALUE of this environment; an empty text when it lacks it. */
static void own_variable(const msgpack_object *name, char *out, size_t size)
{
    char text[256];
    out[0] = '\0';
    if (name->type != MSGPACK_OBJECT_STR || name->via.str.size >= sizeof(text))
        return;
    snprintf(text, sizeof(text), "%.*s", (int)name->via.str.size, name->via.str.ptr);
    const char *value = getenv(text);
    if (value && *value && (size_t)snprintf(out, size, "%s=%s", text, value) >= size)
        out[0] = '\0';
}

/* What credentials are taken from may be in the human's environment and not in the server's. */
static void on_wanted(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                      void *argument)
{
    char variable[VARIABLE_MAX];
    uint32_t count = 0;
    (void)argument;
    if (error || rpc->closing || result->type != MSGPACK_OBJECT_ARRAY)
        return;
    const msgpack_object_array *names = &result->via.array;
    for (uint32_t i = 0; i < names->size; i++) {
        own_variable(&names->ptr[i], variable, sizeof(variable));
        count += variable[0] != '\0';
    }
    if (count == 0)
        return;
    msgpack_packer *packer = bj_rpc_request(rpc, "credential.give", server_on_done, NULL);
    msgpack_pack_map(packer, 1);
    bj_pack_str(packer, "variables");
    msgpack_pack_array(packer, count);
    for (uint32_t i = 0; i < names->size; i++) {
        own_variable(&names->ptr[i], variable, sizeof(variable));
        if (variable[0])
            bj_pack_str(packer, variable);
    }
    bj_rpc_send(rpc);
}

/* ---- the connection ---- */

void server_trouble(struct server_link *link, const char *format, ...)
{
    struct dashboard *dashboard = link->dashboard;
    va_list args;
    va_start(args, format);
    vsnprintf(link->trouble, sizeof(link->trouble), format, args);
    va_end(args);
    if (link->trouble_at == 0)
        link->trouble_at = dashboard_now(dashboard);
    if (link->origin->number > 0)
        fleet_cut(&dashboard->fleet, link->origin->number, true);
    else
        dashboard_listen(dashboard);
    link->retry_wait = link->retry_wait ? link->retry_wait * 2 : RETRY_FIRST_MS;
    uint64_t most = link->origin->number > 0 ? RETRY_MOST_MS : RETRY_FIRST_MS;
    if (link->retry_wait > most)
        link->retry_wait = most;
    link->retry_at = dashboard_now(dashboard) + link->retry_wait;
    dashboard_changed(dashboard);
}

const char *server_complaint(struct dashboard *dashboard)
{
    const struct server_link *link = &dashboard->servers[0];
    if (link->trouble[0])
        return link->trouble;
    bool late = link->open && !link->seen && dashboard_now(dashboard) - link->opened_at >= LATE_MS;
    return late ? "the server has not answered yet" : NULL;
}

static void connect_in_thread(uv_work_t *work)
{
    struct server_link *link = work->data;
    link->connected = connect_server(link->dashboard->paths, true, &link->connect_error);
}

static void on_connected(uv_work_t *work, int status)
{
    struct server_link *link = work->data;
    struct dashboard *dashboard = link->dashboard;
    link->connecting = false;
    if (status < 0)
        return;
    if (dashboard->stopping) {
        if (link->connected >= 0)
            close(link->connected);
        return;
    }
    if (link->connected >= 0)
        server_attach(link, link->connected);
    else
        server_trouble(link, "no server: %.130s", link->connect_error.text);
}

/* Starting a server takes a while; the panes go on meanwhile. */
static void connect_here(struct server_link *link)
{
    struct dashboard *dashboard = link->dashboard;
    link->connector.data = link;
    link->connect_error = (struct bj_error){0};
    if (uv_queue_work(&dashboard->loop, &link->connector, connect_in_thread, on_connected) == 0)
        link->connecting = true;
    else
        link->retry_at = dashboard_now(dashboard) + RETRY_FIRST_MS;
}

void server_connect_far(struct server_link *link)
{
    struct bj_error error = {0};
    int descriptor = host_dial(&link->host, "server", "", &error);
    if (descriptor >= 0)
        server_attach(link, descriptor);
    else
        server_trouble(link, "%.150s", error.text);
}

static void on_closed(struct bj_rpc *rpc, const struct bj_error *why)
{
    struct server_link *link = rpc->owner;
    struct dashboard *dashboard = link->dashboard;
    link->open = false;
    if (dashboard->stopping)
        return;
    if (link->origin->number > 0) {
        bool cut = link->host.report.state != HOST_UP; /* then ssh's words are better */
        server_trouble(link, "%.150s",
                       cut                ? link->host.report.words
                       : link->refused[0] ? link->refused
                                          : "its server is gone");
        return;
    }
    server_trouble(link, "the server is gone%s%.60s: connecting again, the agents run on",
                   why->code ? ": " : "", why->code ? why->text : "");
    connect_here(link);
}

static const struct bj_rpc_events handler = {.notification = on_notification, .closed = on_closed};

/* What the server is told of this terminal, for others who are attached. */
static const char *own_words(char out[64])
{
    const char *ssh = getenv("SSH_CONNECTION"), *name = ttyname(STDIN_FILENO);
    if (ssh)
        snprintf(out, 64, "%.*s", (int)strcspn(ssh, " ") < 48 ? (int)strcspn(ssh, " ") : 48, ssh);
    else
        snprintf(out, 64, "%.60s", name ? name + (strncmp(name, "/dev/", 5) == 0 ? 5 : 0) : "");
    return out;
}

void server_attach(struct server_link *link, int descriptor)
{
    char words[64];
    struct bj_error error = {0};
    struct dashboard *dashboard = link->dashboard;
    struct bj_rpc *rpc = &link->rpc;
    if (bj_rpc_open(rpc, &dashboard->loop, descriptor, &handler, link, &error) < 0) {
        server_trouble(link, "%.150s", error.text);
        return;
    }
    link->open = true;
    link->opened_at = dashboard_now(dashboard);
    link->refused[0] = link->looks_told[0] = '\0';
    link->typing_told = false;
    fleet_forget_asked(&dashboard->fleet, link->origin->number);
    msgpack_packer *packer = bj_rpc_request(rpc, "client.hello", on_hello, NULL);
    msgpack_pack_map(packer, 3 + dashboard->options->readonly);
    bj_pack_key_str(packer, "kind", "dashboard");
    bj_pack_key_str(packer, "from", own_words(words));
    if (dashboard->options->readonly)
        bj_pack_key_bool(packer, "readonly", true);
    bj_pack_key_str(packer, "session", dashboard->fleet.session);
    msgpack_pack_map(bj_rpc_request(rpc, "events.subscribe", on_subscribed, NULL), 0);
    msgpack_pack_map(bj_rpc_request(rpc, "sandbox.list", on_list, NULL), 0);
    if (link->origin->number == 0)
        msgpack_pack_map(bj_rpc_request(rpc, "server.status", on_status, NULL), 0);
    if (link->origin->number == 0 && !dashboard->options->readonly)
        msgpack_pack_map(bj_rpc_request(rpc, "credential.wanted", on_wanted, NULL), 0);
    bj_rpc_send(rpc);
}

void server_tick(struct dashboard *dashboard)
{
    for (size_t i = 0; i < dashboard->server_count; i++) {
        struct server_link *link = &dashboard->servers[i];
        bool due = dashboard_now(dashboard) >= link->retry_at;
        if (link->open || link->connecting || !due)
            continue;
        if (i == 0)
            connect_here(link);
        else if (link->host.report.state == HOST_UP)
            server_connect_far(link);
    }
    hosts_tick(dashboard);
}

void server_close(struct dashboard *dashboard)
{
    for (size_t i = 0; i < dashboard->server_count; i++) {
        struct server_link *link = &dashboard->servers[i];
        if (link->open)
            bj_rpc_close(&link->rpc);
        if (link->connecting)
            uv_cancel((uv_req_t *)&link->connector);
    }
    hosts_close(dashboard);
}
