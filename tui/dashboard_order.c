#include <limits.h>
#include <stdlib.h>

#include "transport/pack.h"
#include "tui/dashboard_state.h"

/* ---- what is told to the server ---- */

void server_save(struct dashboard *dashboard)
{
    struct server_link *here = &dashboard->servers[0];
    if (!server_ready(here) || !dashboard->restored || dashboard->options->readonly)
        return;
    const struct fleet *fleet = &dashboard->fleet;
    bool far = origin_number(dashboard->control.selected) > 0;
    const char *ids[FLEET_SANDBOXES_MAX];
    size_t first, count = 0, pinned = 0, all = fleet_saved(fleet, ids, &first);
    for (size_t i = 0; i < all; i++) {
        count += origin_number(ids[i]) == 0;
        pinned += i < first && origin_number(ids[i]) == 0;
    }
    msgpack_packer *packer = bj_rpc_request(&here->rpc, "session.save", server_on_done, NULL);
    msgpack_pack_map(packer, 5 + (dashboard->keeps_sorting ? 2 : 0));
    if (dashboard->keeps_sorting) {
        char sort[ROSTER_SORT_MAX];
        roster_sorted(&dashboard->control.roster, sort);
        bj_pack_key_str(packer, "order", fleet_sorting_word(fleet->sorting));
        bj_pack_key_str(packer, "sort", sort);
    }
    bj_pack_key_str(packer, "name", fleet->session);
    bj_pack_key_str(packer, "layout", layout_name(dashboard->control.layout));
    bj_pack_key_str(packer, "selected", far ? "" : dashboard->control.selected);
    bj_pack_str(packer, "panes");
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < all; i++)
        if (origin_number(ids[i]) == 0)
            bj_pack_str(packer, ids[i]);
    bj_pack_key_uint(packer, "pinned", pinned);
    bj_rpc_send(&here->rpc);
}

/* Says that a server cannot be told. */
static void note_missing(struct server_link *link)
{
    struct dashboard *dashboard = link->dashboard;
    const char *label = link->origin->label;
    control_note(&dashboard->control, dashboard_now(dashboard), true,
                 "not done%s%s: there is no %s at the moment", label[0] ? " on " : "", label,
                 label[0] ? "link to it" : "server");
}

/* The id of the i-th sandbox that an order is about. */
static const char *named(const struct dashboard *dashboard, const struct order *order, size_t i)
{
    return order->many ? dashboard->control.targets[i] : order->id;
}

/* Of a server: those of its sandboxes that the order names and that are still there. */
static void call_named(struct server_link *link, const char *method, const struct order *order)
{
    struct dashboard *dashboard = link->dashboard;
    size_t most = order->many ? dashboard->control.target_count : 1, count = 0;
    for (size_t i = 0; i < most; i++) {
        const struct sandbox *sandbox = fleet_find(&dashboard->fleet, named(dashboard, order, i));
        count += sandbox && sandbox->origin == link->origin;
    }
    if (count == 0)
        return;
    if (!server_ready(link)) {
        note_missing(link);
        return;
    }
    msgpack_packer *packer = bj_rpc_request(&link->rpc, method, server_on_done, NULL);
    msgpack_pack_map(packer, 1);
    bj_pack_str(packer, "names");
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < most; i++) {
        struct sandbox *sandbox = fleet_find(&dashboard->fleet, named(dashboard, order, i));
        if (!sandbox || sandbox->origin != link->origin)
            continue;
        bj_pack_str(packer, sandbox_own_name(sandbox));
        sandbox->marked &= order->kind == ORDER_PAUSE || order->kind == ORDER_RESUME;
    }
    bj_rpc_send(&link->rpc);
}

static void call_every(struct dashboard *dashboard, const char *method, const struct order *order)
{
    for (size_t i = 0; i < dashboard->server_count; i++)
        call_named(&dashboard->servers[i], method, order);
}

/* All sandboxes of all hosts: who cannot be reached is named. */
static void call_all(struct dashboard *dashboard, const char *method)
{
    for (size_t i = 0; i < dashboard->server_count; i++) {
        struct server_link *link = &dashboard->servers[i];
        if (!server_ready(link)) {
            note_missing(link);
            continue;
        }
        msgpack_packer *packer = bj_rpc_request(&link->rpc, method, server_on_done, NULL);
        msgpack_pack_map(packer, 1);
        bj_pack_key_bool(packer, "all", true);
        bj_rpc_send(&link->rpc);
    }
}

static void rename_one(struct server_link *link, const struct order *order)
{
    const struct sandbox *sandbox = fleet_find(&link->dashboard->fleet, order->id);
    if (!sandbox)
        return;
    msgpack_packer *packer = bj_rpc_request(&link->rpc, "sandbox.rename", server_on_done, NULL);
    msgpack_pack_map(packer, 2);
    bj_pack_key_str(packer, "name", sandbox_own_name(sandbox));
    bj_pack_key_str(packer, "new_name", order->text);
    bj_rpc_send(&link->rpc);
}

/* As `belljar restart` does: a profile's agent goes on with its conversation. */
static void restart(struct server_link *link, const struct order *order)
{
    const struct sandbox *sandbox = fleet_find(&link->dashboard->fleet, order->id);
    const char *path = link->origin->number == 0 ? getenv("PATH") : NULL;
    if (!sandbox)
        return;
    msgpack_packer *packer = bj_rpc_request(&link->rpc, "sandbox.restart", server_on_done, NULL);
    msgpack_pack_map(packer, path ? 2 : 1);
    bj_pack_key_str(packer, "name", sandbox_own_name(sandbox));
    if (path)
        bj_pack_key_str(packer, "path", path);
    bj_rpc_send(&link->rpc);
}

static void acknowledge(struct server_link *link, const struct sandbox *sandbox)
{
    msgpack_packer *packer = bj_rpc_request(&link->rpc, "alert.acknowledge", server_on_done, NULL);
    msgpack_pack_map(packer, sandbox ? 1 : 0);
    if (sandbox)
        bj_pack_key_str(packer, "sandbox", sandbox_own_name(sandbox));
    bj_rpc_send(&link->rpc);
}

void server_on_run(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                   void *argument)
{
    struct dashboard *dashboard = server_dashboard(rpc);
    (void)argument;
    if (rpc->closing)
        return;
    if (error) {
        server_note_error(dashboard, error);
        return;
    }
    bj_get_copy(result, "id", dashboard->select_next, sizeof(dashboard->select_next));
    server_select_wanted(dashboard);
    dashboard_changed(dashboard);
}

/* Born with the size that its pane will have, so that nothing is drawn twice. */
bool server_new_size(const struct dashboard *dashboard, struct rect *inner)
{
    size_t count = dashboard->fleet.shown;
    struct layout *layout = malloc(sizeof(*layout));
    if (!layout)
        return false;
    (dashboard->fleet.tabbed ? layout_make_below : layout_make)(
        layout, dashboard->control.layout, dashboard->rows, dashboard->cols, count + 1, count);
    const struct rect *rect = layout_pane(layout, count);
    if (rect)
        *inner = layout_inner(rect);
    bool placed = rect != NULL;
    free(layout);
    return placed;
}

static void run(struct server_link *here, const char *text)
{
    struct dashboard *dashboard = here->dashboard;
    struct bj_error error = {0};
    struct run_line line;
    char project[PATH_MAX];
    int status = line_run(text, &line, &error);
    if (status == 0 && line.project)
        status = form_real_path(line.project, "project", project, &error);
    if (status < 0) {
        control_note(&dashboard->control, dashboard_now(dashboard), true, "%.240s", error.text);
        return;
    }
    struct rect inner;
    bool sized = server_new_size(dashboard, &inner);
    msgpack_packer *packer = bj_rpc_request(&here->rpc, "sandbox.run", server_on_run, NULL);
    msgpack_pack_map(packer, 2U + (line.name ? 1 : 0) + (line.project ? 1 : 0) + (sized ? 2 : 0));
    bj_pack_key_str(packer, "session", dashboard->fleet.session);
    bj_pack_str(packer, "argv");
    if (line.first == line.words.count) {
        msgpack_pack_array(packer, 1);
        bj_pack_str(packer, line_shell());
    } else {
        msgpack_pack_array(packer, line.words.count - line.first);
        for (size_t i = line.first; i < line.words.count; i++)
            bj_pack_str(packer, line.words.word[i]);
    }
    if (line.name)
        bj_pack_key_str(packer, "name", line.name);
    if (line.project)
        bj_pack_key_str(packer, "project", project);
    if (sized) {
        bj_pack_key_uint(packer, "rows", (uint64_t)inner.rows);
        bj_pack_key_uint(packer, "cols", (uint64_t)inner.cols);
    }
    bj_rpc_send(&here->rpc);
}

/* What is about one server only. */
static void order_one(struct server_link *link, const struct order *order)
{
    if (!server_ready(link)) {
        note_missing(link);
        return;
    }
    switch (order->kind) {
    case ORDER_ALLOW:
    case ORDER_DENY:
    case ORDER_UNDO:
        decide_order(link, order);
        break;
    case ORDER_RENAME:
        rename_one(link, order);
        break;
    case ORDER_RUN:
        run(link, order->text);
        break;
    case ORDER_RESTART:
        restart(link, order);
        break;
    case ORDER_ACKNOWLEDGE: {
        const struct sandbox *sandbox = fleet_find(&link->dashboard->fleet, order->id);
        if (sandbox)
            acknowledge(link, sandbox);
        break;
    }
    default:
        break;
    }
}

void server_order(struct dashboard *dashboard, const struct order *order)
{
    switch (order->kind) {
    case ORDER_PAUSE:
        call_every(dashboard, "sandbox.pause", order);
        break;
    case ORDER_RESUME:
        call_every(dashboard, "sandbox.resume", order);
        break;
    case ORDER_PAUSE_ALL:
        call_all(dashboard, "sandbox.pause");
        break;
    case ORDER_RESUME_ALL:
        call_all(dashboard, "sandbox.resume");
        break;
    case ORDER_KILL:
        call_every(dashboard, "sandbox.kill", order);
        break;
    case ORDER_REMOVE:
        call_every(dashboard, "sandbox.remove", order);
        break;
    case ORDER_ACKNOWLEDGE_ALL:
        for (size_t i = 0; i < dashboard->server_count; i++)
            if (server_ready(&dashboard->servers[i]))
                acknowledge(&dashboard->servers[i], NULL);
        break;
    case ORDER_RUN:
        order_one(&dashboard->servers[0], order);
        break;
    case ORDER_UNDO:
        order_one(&dashboard->servers[dashboard->ruled], order);
        break;
    default:
        order_one(server_of(dashboard, order->id), order);
    }
}
