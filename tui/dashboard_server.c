#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport/pack.h"
#include "tui/connect.h"
#include "tui/dashboard_state.h"

#define RECONNECT_MS 1000

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
        server_note_error(rpc->owner, error);
}

/* ---- the state as it comes ---- */

static void select_wanted(struct dashboard *dashboard)
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

static void on_notification(struct bj_rpc *rpc, const char *name, const msgpack_object *params)
{
    struct dashboard *dashboard = rpc->owner;
    if (strcmp(name, "event.detach") == 0) {
        char reason[128];
        bj_get_copy(params, "reason", reason, sizeof(reason));
        snprintf(dashboard->farewell, sizeof(dashboard->farewell), "%s", reason);
        dashboard_stop(dashboard);
        return;
    }
    if (strcmp(name, "event.stopping") == 0) {
        bool killed = bj_get_bool(params, "killed", false);
        snprintf(dashboard->farewell, sizeof(dashboard->farewell), "the server was stopped%s",
                 killed ? ", and every sandbox with it" : "");
        dashboard->server_stopped = true;
        dashboard_stop(dashboard);
        return;
    }
    struct bj_error error = {0};
    int status = fleet_event(&dashboard->fleet, name, params, &error);
    if (status < 0)
        control_note(&dashboard->control, dashboard_now(dashboard), true, "%s", error.text);
    if (status == 0)
        return;
    select_wanted(dashboard);
    dashboard_changed(dashboard);
}

/* Sandboxes that went while nobody told us. */
static void on_list(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                    void *argument)
{
    struct dashboard *dashboard = rpc->owner;
    (void)argument;
    if (error || !result || result->type != MSGPACK_OBJECT_ARRAY)
        return;
    struct fleet *fleet = &dashboard->fleet;
    for (size_t i = fleet->count; i-- > 0;) {
        bool there = false;
        for (uint32_t k = 0; !there && k < result->via.array.size; k++)
            there = bj_is_str(bj_get(&result->via.array.ptr[k], "id"), fleet->sandboxes[i]->id);
        if (there)
            continue;
        msgpack_object_kv pair = {.key = {.type = MSGPACK_OBJECT_STR, .via.str = {2, "id"}},
                                  .val = {.type = MSGPACK_OBJECT_STR,
                                          .via.str = {(uint32_t)strlen(fleet->sandboxes[i]->id),
                                                      fleet->sandboxes[i]->id}}};
        msgpack_object gone = {.type = MSGPACK_OBJECT_MAP, .via.map = {1, &pair}};
        fleet_event(fleet, "event.gone", &gone, NULL);
    }
    dashboard_changed(dashboard);
}

static void on_hello(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                     void *argument)
{
    struct dashboard *dashboard = rpc->owner;
    (void)argument;
    if (rpc->closing)
        return;
    if (error) {
        server_note_error(dashboard, error);
    } else if (!dashboard->restored) {
        char layout[16];
        bj_get_copy(result, "layout", layout, sizeof(layout));
        dashboard->control.layout = layout_find(layout);
        bj_get_copy(result, "selected", dashboard->select_next, sizeof(dashboard->select_next));
        fleet_set_order(&dashboard->fleet, bj_get(result, "panes"));
        select_wanted(dashboard);
    }
    dashboard->restored = true;
    dashboard_changed(dashboard);
}

static void on_status(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                      void *argument)
{
    static const char *const kinds[] = {"memory", "cpus", "pids"};
    struct dashboard *dashboard = rpc->owner;
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

/* ---- the connection ---- */

static void connect_in_thread(uv_work_t *work)
{
    struct dashboard *dashboard = work->data;
    dashboard->connected = connect_server(dashboard->paths, true, &dashboard->connect_error);
}

static void on_connected(uv_work_t *work, int status)
{
    struct dashboard *dashboard = work->data;
    dashboard->connecting = false;
    if (status < 0)
        return;
    if (dashboard->stopping) {
        if (dashboard->connected >= 0)
            close(dashboard->connected);
        return;
    }
    if (dashboard->connected >= 0) {
        dashboard->trouble[0] = '\0';
        control_note(&dashboard->control, dashboard_now(dashboard), false, "the server is back");
        server_attach(dashboard, dashboard->connected);
    } else {
        snprintf(dashboard->trouble, sizeof(dashboard->trouble), "no server: %.130s",
                 dashboard->connect_error.text);
        dashboard->reconnect_at = dashboard_now(dashboard) + RECONNECT_MS;
    }
    dashboard_touch(dashboard, false);
}

static void reconnect(struct dashboard *dashboard)
{
    dashboard->connector.data = dashboard;
    dashboard->connect_error = (struct bj_error){0};
    /* Starting a server takes a while; the panes go on meanwhile. */
    if (uv_queue_work(&dashboard->loop, &dashboard->connector, connect_in_thread, on_connected) ==
        0)
        dashboard->connecting = true;
    else
        dashboard->reconnect_at = dashboard_now(dashboard) + RECONNECT_MS;
}

static void on_closed(struct bj_rpc *rpc, const struct bj_error *why)
{
    struct dashboard *dashboard = rpc->owner;
    dashboard->server_open = false;
    if (dashboard->stopping)
        return;
    snprintf(dashboard->trouble, sizeof(dashboard->trouble),
             "the server is gone%s%.60s: connecting again, the agents run on",
             why->code ? ": " : "", why->code ? why->text : "");
    dashboard_touch(dashboard, false);
    reconnect(dashboard);
}

static const struct bj_rpc_events handler = {.notification = on_notification, .closed = on_closed};

void server_attach(struct dashboard *dashboard, int descriptor)
{
    struct bj_error error = {0};
    struct bj_rpc *rpc = &dashboard->server;
    if (bj_rpc_open(rpc, &dashboard->loop, descriptor, &handler, dashboard, &error) < 0) {
        snprintf(dashboard->trouble, sizeof(dashboard->trouble), "%.150s", error.text);
        dashboard->reconnect_at = dashboard_now(dashboard) + RECONNECT_MS;
        return;
    }
    dashboard->server_open = true;
    fleet_forget_asked(&dashboard->fleet);
    msgpack_packer *packer = bj_rpc_request(rpc, "client.hello", on_hello, NULL);
    msgpack_pack_map(packer, 2);
    bj_pack_key_str(packer, "kind", "dashboard");
    bj_pack_key_str(packer, "session", dashboard->fleet.session);
    msgpack_pack_map(bj_rpc_request(rpc, "events.subscribe", server_on_done, NULL), 0);
    msgpack_pack_map(bj_rpc_request(rpc, "sandbox.list", on_list, NULL), 0);
    msgpack_pack_map(bj_rpc_request(rpc, "server.status", on_status, NULL), 0);
    bj_rpc_send(rpc);
}

void server_tick(struct dashboard *dashboard)
{
    if (!dashboard->server_open && !dashboard->connecting &&
        dashboard_now(dashboard) >= dashboard->reconnect_at)
        reconnect(dashboard);
}

void server_close(struct dashboard *dashboard)
{
    if (dashboard->server_open)
        bj_rpc_close(&dashboard->server);
    if (dashboard->connecting)
        uv_cancel((uv_req_t *)&dashboard->connector);
}

/* ---- what is told to the server ---- */

void server_save(struct dashboard *dashboard)
{
    if (!dashboard->server_open || dashboard->server.closing || !dashboard->restored)
        return;
    const struct fleet *fleet = &dashboard->fleet;
    msgpack_packer *packer =
        bj_rpc_request(&dashboard->server, "session.save", server_on_done, NULL);
    msgpack_pack_map(packer, 4);
    bj_pack_key_str(packer, "name", fleet->session);
    bj_pack_key_str(packer, "layout", layout_name(dashboard->control.layout));
    bj_pack_key_str(packer, "selected", dashboard->control.selected);
    bj_pack_str(packer, "panes");
    msgpack_pack_array(packer, fleet->count);
    for (size_t i = 0; i < fleet->count; i++)
        bj_pack_str(packer, fleet->sandboxes[i]->id);
    bj_rpc_send(&dashboard->server);
}

/* About one sandbox, or all that the question named and that are still there. */
static void call_named(struct dashboard *dashboard, const char *method, const struct order *order)
{
    const struct control *control = &dashboard->control;
    size_t most = order->many ? control->target_count : 1, count = 0;
    for (size_t i = 0; i < most; i++)
        count +=
            fleet_find(&dashboard->fleet, order->many ? control->targets[i] : order->id) != NULL;
    if (count == 0)
        return;
    msgpack_packer *packer = bj_rpc_request(&dashboard->server, method, server_on_done, NULL);
    msgpack_pack_map(packer, 1);
    bj_pack_str(packer, "names");
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < most; i++) {
        struct sandbox *sandbox =
            fleet_find(&dashboard->fleet, order->many ? control->targets[i] : order->id);
        if (!sandbox)
            continue;
        bj_pack_str(packer, sandbox->name);
        sandbox->marked &= order->kind == ORDER_PAUSE || order->kind == ORDER_RESUME;
    }
}

static void call_all(struct dashboard *dashboard, const char *method)
{
    msgpack_packer *packer = bj_rpc_request(&dashboard->server, method, server_on_done, NULL);
    msgpack_pack_map(packer, 1);
    bj_pack_key_bool(packer, "all", true);
}

static void rename_one(struct dashboard *dashboard, const struct order *order)
{
    const struct sandbox *sandbox = fleet_find(&dashboard->fleet, order->id);
    if (!sandbox)
        return;
    msgpack_packer *packer =
        bj_rpc_request(&dashboard->server, "sandbox.rename", server_on_done, NULL);
    msgpack_pack_map(packer, 2);
    bj_pack_key_str(packer, "name", sandbox->name);
    bj_pack_key_str(packer, "new_name", order->text);
}

static void acknowledge(struct dashboard *dashboard, const char *name)
{
    msgpack_packer *packer =
        bj_rpc_request(&dashboard->server, "alert.acknowledge", server_on_done, NULL);
    msgpack_pack_map(packer, name ? 1 : 0);
    if (name)
        bj_pack_key_str(packer, "sandbox", name);
}

void server_on_run(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                   void *argument)
{
    struct dashboard *dashboard = rpc->owner;
    (void)argument;
    if (rpc->closing)
        return;
    if (error) {
        server_note_error(dashboard, error);
        return;
    }
    bj_get_copy(result, "id", dashboard->select_next, sizeof(dashboard->select_next));
    select_wanted(dashboard);
    dashboard_changed(dashboard);
}

static int project_path(const char *project, char out[PATH_MAX], struct bj_error *error)
{
    char named[PATH_MAX];
    const char *home = getenv("HOME");
    bool in_home = project[0] == '~' && (project[1] == '/' || !project[1]) && home;
    snprintf(named, sizeof(named), "%s%s", in_home ? home : "", in_home ? project + 1 : project);
    if (!realpath(named, out))
        return bj_fail(error, -errno, "no project %.200s: %s", named, strerror(errno));
    return 0;
}

/* Born with the size that its pane will have, so that nothing is drawn twice. */
bool server_new_size(const struct dashboard *dashboard, struct rect *inner)
{
    size_t count = dashboard->fleet.count;
    struct layout *layout = malloc(sizeof(*layout));
    if (!layout)
        return false;
    layout_make(layout, dashboard->control.layout, dashboard->rows, dashboard->cols, count + 1,
                count);
    const struct rect *rect = layout_pane(layout, count);
    if (rect)
        *inner = layout_inner(rect);
    bool placed = rect != NULL;
    free(layout);
    return placed;
}

static void run(struct dashboard *dashboard, const char *text)
{
    struct bj_error error = {0};
    struct run_line line;
    char project[PATH_MAX];
    int status = line_run(text, &line, &error);
    if (status == 0 && line.project)
        status = project_path(line.project, project, &error);
    if (status < 0) {
        control_note(&dashboard->control, dashboard_now(dashboard), true, "%.240s", error.text);
        return;
    }
    struct rect inner;
    bool sized = server_new_size(dashboard, &inner);
    msgpack_packer *packer = bj_rpc_request(&dashboard->server, "sandbox.run", server_on_run, NULL);
    msgpack_pack_map(packer, 2U + (line.name ? 1 : 0) + (line.project ? 1 : 0) + (sized ? 2 : 0));
    bj_pack_key_str(packer, "session", dashboard->fleet.session);
    bj_pack_str(packer, "argv");
    msgpack_pack_array(packer, line.words.count - line.first);
    for (size_t i = line.first; i < line.words.count; i++)
        bj_pack_str(packer, line.words.word[i]);
    if (line.name)
        bj_pack_key_str(packer, "name", line.name);
    if (line.project)
        bj_pack_key_str(packer, "project", project);
    if (sized) {
        bj_pack_key_uint(packer, "rows", (uint64_t)inner.rows);
        bj_pack_key_uint(packer, "cols", (uint64_t)inner.cols);
    }
}

void server_order(struct dashboard *dashboard, const struct order *order)
{
    if (!dashboard->server_open || dashboard->server.closing) {
        control_note(&dashboard->control, dashboard_now(dashboard), true,
                     "not done: there is no server at the moment");
        return;
    }
    switch (order->kind) {
    case ORDER_ALLOW:
    case ORDER_DENY:
    case ORDER_UNDO:
        decide_order(dashboard, order);
        break;
    case ORDER_PAUSE:
        call_named(dashboard, "sandbox.pause", order);
        break;
    case ORDER_RESUME:
        call_named(dashboard, "sandbox.resume", order);
        break;
    case ORDER_PAUSE_ALL:
        call_all(dashboard, "sandbox.pause");
        break;
    case ORDER_RESUME_ALL:
        call_all(dashboard, "sandbox.resume");
        break;
    case ORDER_KILL:
        call_named(dashboard, "sandbox.kill", order);
        break;
    case ORDER_REMOVE:
        call_named(dashboard, "sandbox.remove", order);
        break;
    case ORDER_RENAME:
        rename_one(dashboard, order);
        break;
    case ORDER_RUN:
        run(dashboard, order->text);
        break;
    case ORDER_ACKNOWLEDGE: {
        const struct sandbox *sandbox = fleet_find(&dashboard->fleet, order->id);
        if (sandbox)
            acknowledge(dashboard, sandbox->name);
        break;
    }
    case ORDER_ACKNOWLEDGE_ALL:
        acknowledge(dashboard, NULL);
        break;
    default:
        break;
    }
    bj_rpc_send(&dashboard->server);
}
