#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "transport/pack.h"
#include "tui/dashboard_state.h"
#include "tui/model/text.h"

#define IDS_AT_ONCE 256 /* more than a pile has: they arm together */

/* ---- what is on screen ---- */

static void tell_shown(struct server_link *link)
{
    struct fleet *fleet = &link->dashboard->fleet;
    const char *ids[IDS_AT_ONCE];
    size_t count = 0;
    for (size_t i = 0; i < fleet->request_count && count < IDS_AT_ONCE; i++) {
        struct request *request = fleet->requests[i];
        if (!request->painted || request->told || request->origin != link->origin)
            continue;
        request->told = true;
        ids[count++] = origin_bare(request->id);
    }
    if (count == 0)
        return;
    msgpack_packer *packer = bj_rpc_request(&link->rpc, "request.shown", server_on_done, NULL);
    msgpack_pack_map(packer, 1);
    bj_pack_str(packer, "ids");
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < count; i++)
        bj_pack_str(packer, ids[i]);
    bj_rpc_send(&link->rpc);
}

void decide_tell_shown(struct dashboard *dashboard)
{
    for (size_t i = 0; i < dashboard->server_count && !dashboard->options->readonly; i++)
        if (server_ready(&dashboard->servers[i]))
            tell_shown(&dashboard->servers[i]);
}

/* ---- details ---- */

static void on_details(struct bj_rpc *rpc, const msgpack_object *error,
                       const msgpack_object *result, void *argument)
{
    struct dashboard *dashboard = server_dashboard(rpc);
    unsigned serial = (unsigned)(uintptr_t)argument;
    if (rpc->closing)
        return;
    if (error) {
        struct bj_error why = {0};
        bj_rpc_error_read(error, &why);
        details_fail(&dashboard->details, serial, why.text);
    } else if (details_take(&dashboard->details, serial, result) < 0) {
        details_fail(&dashboard->details, serial, "out of memory");
    }
    dashboard_touch(dashboard, true);
}

void decide_want_details(struct dashboard *dashboard)
{
    struct details *details = &dashboard->details;
    struct details_wish wish;
    control_wish(&dashboard->control, &dashboard->fleet, &wish);
    if (!details_want(details, &wish) || !wish.id[0])
        return;
    struct server_link *link = server_of(dashboard, wish.id);
    if (!server_ready(link)) {
        details_fail(details, details->serial, "there is no server at the moment");
        return;
    }
    msgpack_packer *packer = bj_rpc_request(&link->rpc, "request.details", on_details,
                                            (void *)(uintptr_t)details->serial);
    msgpack_pack_map(packer, 3);
    bj_pack_key_str(packer, "id", origin_bare(wish.id));
    bj_pack_key_str(packer, "answer", wish.deny ? "deny" : "allow");
    bj_pack_key_uint(packer, "seconds", wish.seconds);
    bj_rpc_send(&link->rpc);
}

/* ---- verdicts and rules ---- */

/* A sentence of the server, made of a pattern that came from inside. */
static void note_sentence(struct dashboard *dashboard, const char *before,
                          const msgpack_object *result)
{
    char sentence[sizeof(dashboard->control.note)];
    uint64_t now = dashboard_now(dashboard);
    field_copy(result, "sentence", sentence, sizeof(sentence));
    control_note(&dashboard->control, now, false, "%s%s", before, sentence);
    control_note_long(&dashboard->control, now);
}

static void on_resolved(struct bj_rpc *rpc, const msgpack_object *error,
                        const msgpack_object *result, void *argument)
{
    struct dashboard *dashboard = server_dashboard(rpc);
    bool deny = argument != NULL;
    if (rpc->closing)
        return;
    struct bj_error why = {0};
    if (error)
        bj_rpc_error_read(error, &why);
    if (why.code == -EAGAIN)
        control_note(&dashboard->control, dashboard_now(dashboard), false, "not yet: %.230s",
                     why.text);
    else if (error)
        server_note_error(dashboard, error);
    else if (bj_get_uint(result, "rule", 0) > 0) {
        dashboard->ruled = ((const struct server_link *)rpc->owner)->origin->number;
        note_sentence(dashboard, "Remembered (u forgets it): ", result);
    } else if (bj_get_uint(result, "count", 1) > 1)
        control_note(&dashboard->control, dashboard_now(dashboard), false, "%s for %llu sandboxes",
                     deny ? "denied" : "allowed",
                     (unsigned long long)bj_get_uint(result, "count", 1));
    dashboard_touch(dashboard, true);
}

static void on_undone(struct bj_rpc *rpc, const msgpack_object *error, const msgpack_object *result,
                      void *argument)
{
    struct dashboard *dashboard = server_dashboard(rpc);
    (void)argument;
    if (rpc->closing)
        return;
    if (error)
        server_note_error(dashboard, error);
    else
        note_sentence(dashboard, "Forgotten, it counts no more: ", result);
    dashboard_touch(dashboard, true);
}

static void resolve(struct server_link *link, const struct order *order, const char *id)
{
    static char deny_mark;
    bool deny = order->kind == ORDER_DENY;
    msgpack_packer *packer =
        bj_rpc_request(&link->rpc, "request.resolve", on_resolved, deny ? &deny_mark : NULL);
    msgpack_pack_map(packer, 2U + (order->text[0] ? 1 : 0) + (order->remember ? 2 : 0));
    bj_pack_key_str(packer, "id", origin_bare(id));
    bj_pack_key_str(packer, "answer", deny ? "deny" : "allow");
    if (order->text[0])
        bj_pack_key_str(packer, "reason", order->text);
    if (order->remember) {
        bj_pack_key_str(packer, "scope", details_scope_name(order->scope));
        bj_pack_key_uint(packer, "seconds", order->seconds);
    }
}

/* All of the pile is of one sandbox. What is cut has not been read: it can only be denied. */
static void resolve_pile(struct server_link *link, const struct order *order)
{
    struct dashboard *dashboard = link->dashboard;
    struct request *pile[PILE_MAX];
    size_t most = control_piled(&dashboard->control, &dashboard->fleet, pile), count = 0;
    for (size_t i = 0; i < most; i++) {
        if (order->kind == ORDER_ALLOW && pile[i]->cut)
            continue;
        resolve(link, order, pile[i]->id);
        count++;
    }
    control_note(&dashboard->control, dashboard_now(dashboard), false, "%s %zu requests",
                 order->kind == ORDER_ALLOW ? "allowed" : "denied", count);
}

void decide_order(struct server_link *link, const struct order *order)
{
    if (order->kind == ORDER_UNDO)
        msgpack_pack_map(bj_rpc_request(&link->rpc, "rule.undo", on_undone, NULL), 0);
    else if (order->many)
        resolve_pile(link, order);
    else
        resolve(link, order, order->id);
    bj_rpc_send(&link->rpc);
}
