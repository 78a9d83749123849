#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/pack.h"
#include "transport/socket.h"
#include "tui/dashboard_state.h"

#define RETRY_FIRST_MS 100
#define RETRY_MOST_MS  3000
#define ECHO_MS        100 /* output so soon after a key is its echo */

struct pane_link *panes_find(struct dashboard *dashboard, const char *id)
{
    for (size_t i = 0; i < dashboard->link_count; i++)
        if (!dashboard->links[i]->gone && strcmp(dashboard->links[i]->id, id) == 0)
            return dashboard->links[i];
    return NULL;
}

static void free_link(struct pane_link *link)
{
    struct dashboard *dashboard = link->dashboard;
    for (size_t i = 0; i < dashboard->link_count; i++)
        if (dashboard->links[i] == link) {
            dashboard->links[i] = dashboard->links[--dashboard->link_count];
            break;
        }
    screen_free(&link->pane.screen);
    free(link);
}

static void broken(struct pane_link *link, const char *why)
{
    link->pane.state = PANE_BROKEN;
    snprintf(link->pane.error, sizeof(link->pane.error), "%.120s", why);
    link->retry_wait = link->retry_wait ? link->retry_wait * 2 : RETRY_FIRST_MS;
    if (link->retry_wait > RETRY_MOST_MS)
        link->retry_wait = RETRY_MOST_MS;
    link->retry_at = dashboard_now(link->dashboard) + link->retry_wait;
    dashboard_touch(link->dashboard, false);
}

/* ---- the connection ---- */

static void on_notification(struct bj_rpc *rpc, const char *name, const msgpack_object *params)
{
    struct pane_link *link = rpc->owner;
    struct dashboard *dashboard = link->dashboard;
    if (strcmp(name, "redraw") != 0)
        return;
    struct bj_error error = {0};
    if (screen_redraw(&link->pane.screen, params, &error) < 0) {
        broken(link, error.text);
        bj_rpc_close(rpc);
        return;
    }
    bool cells = link->pane.state == PANE_LIVE && !link->card;
    link->pane.state = PANE_LIVE;
    link->retry_wait = 0;
    bool echo = strcmp(link->id, dashboard->control.selected) == 0 &&
                dashboard_now(dashboard) - dashboard->key_at < ECHO_MS;
    if (cells)
        dashboard_touch_cells(dashboard, echo);
    else
        dashboard_touch(dashboard, echo);
}

static void on_closed(struct bj_rpc *rpc, const struct bj_error *why)
{
    struct pane_link *link = rpc->owner;
    link->open = false;
    if (link->gone || link->dashboard->stopping) {
        free_link(link);
        return;
    }
    if (link->pane.state != PANE_BROKEN)
        broken(link, why->code ? why->text : "the monitor ended; waiting for another");
}

static const struct bj_rpc_events handler = {.notification = on_notification, .closed = on_closed};

static void on_attached(struct bj_rpc *rpc, const msgpack_object *error,
                        const msgpack_object *result, void *argument)
{
    struct pane_link *link = argument;
    (void)result;
    if (!error || rpc->closing)
        return;
    struct bj_error why = {0};
    bj_rpc_error_read(error, &why);
    broken(link, why.text);
    bj_rpc_close(rpc);
}

static void connect_link(struct pane_link *link, const struct sandbox *sandbox)
{
    struct bj_error error = {0};
    int descriptor = sandbox->origin->number > 0
                         ? host_dial(&server_of(link->dashboard, link->id)->host, "view",
                                     origin_bare(link->id), &error)
                         : bj_socket_connect(sandbox->view, &error);
    link->monitor_pid = sandbox->monitor_pid;
    if (descriptor < 0) {
        broken(link, sandbox_alive(sandbox) ? error.text : "its monitor has ended");
        return;
    }
    if (bj_rpc_open(&link->rpc, &link->dashboard->loop, descriptor, &handler, link, &error) < 0) {
        broken(link, error.text);
        return;
    }
    link->open = true;
    link->hidden = false;
    link->acknowledged = 0;
    link->scroll_wish = 0;
    link->scrolls = 0;
    link->pane.state = PANE_CONNECTING;
    link->pane.acknowledge = 0;
    screen_forget_ids(&link->pane.screen);
    bool sized = link->rows > 0, readonly = link->dashboard->options->readonly;
    msgpack_packer *packer = bj_rpc_request(&link->rpc, "view.attach", on_attached, link);
    msgpack_pack_map(packer, (sized ? 2 : 0) + (readonly ? 1 : 0));
    if (sized) {
        bj_pack_key_uint(packer, "rows", (uint64_t)link->rows);
        bj_pack_key_uint(packer, "cols", (uint64_t)link->cols);
    }
    if (readonly)
        bj_pack_key_bool(packer, "readonly", true);
    bj_rpc_send(&link->rpc);
}

static void tell(struct pane_link *link, const char *method, uint32_t fields)
{
    msgpack_pack_map(bj_rpc_notify(&link->rpc, method), fields);
}

/* ---- what is visible ---- */

static struct pane_link *make_link(struct dashboard *dashboard, const struct sandbox *sandbox)
{
    if (dashboard->link_count == FLEET_SANDBOXES_MAX)
        return NULL;
    struct pane_link *link = calloc(1, sizeof(*link));
    if (!link)
        return NULL;
    screen_init(&link->pane.screen);
    link->dashboard = dashboard;
    memcpy(link->id, sandbox->id, sizeof(link->id));
    dashboard->links[dashboard->link_count++] = link;
    return link;
}

/* Brings one link to what the layout wants of it: `rect` NULL means a card. */
static void show(struct dashboard *dashboard, size_t index, const struct rect *rect)
{
    const struct sandbox *sandbox = dashboard->fleet.sandboxes[index];
    struct pane_link *link = panes_find(dashboard, sandbox->id);
    if (!link)
        link = make_link(dashboard, sandbox);
    if (!link)
        return;
    link->card = !rect;
    bool resized = false;
    /* A dashboard that only looks does not change the agent's size either; a card wants none. */
    if ((rect || link->rows > 0) && !dashboard->options->readonly) {
        struct rect inner = rect ? layout_inner(rect) : (struct rect){0};
        resized = link->rows != inner.rows || link->cols != inner.cols;
        link->rows = inner.rows;
        link->cols = inner.cols;
    }
    if (sandbox->monitor_pid != link->monitor_pid && !link->open)
        link->retry_at = 0; /* another monitor: no need to wait */
    if (!link->open) {
        if (sandbox->view[0] && dashboard_now(dashboard) >= link->retry_at)
            connect_link(link, sandbox);
        return;
    }
    if (link->rpc.closing)
        return;
    if (resized) {
        tell(link, "view.size", 2);
        bj_pack_key_uint(&link->rpc.packer, "rows", (uint64_t)link->rows);
        bj_pack_key_uint(&link->rpc.packer, "cols", (uint64_t)link->cols);
    }
    if (link->hidden)
        tell(link, "view.show", 0);
    link->hidden = false;
    bj_rpc_send(&link->rpc);
}

static bool is_placed(const struct dashboard *dashboard, size_t index)
{
    const struct layout *layout = &dashboard->layout;
    for (size_t i = 0; i < layout->card_count; i++)
        if (layout->cards[i].index == index)
            return true;
    return layout_pane(layout, index) != NULL;
}

/* Where keys go to, whether it is on screen or not. */
static void show_targets(struct dashboard *dashboard)
{
    struct control *control = &dashboard->control;
    for (size_t i = 0; control->mode == CONTROL_BROADCAST && i < control->target_count; i++) {
        size_t index = fleet_index(&dashboard->fleet, control->targets[i]);
        if (index < dashboard->fleet.count && !is_placed(dashboard, index))
            show(dashboard, index, NULL);
    }
}

void panes_sync(struct dashboard *dashboard)
{
    const struct layout *layout = &dashboard->layout;
    for (size_t i = dashboard->link_count; i-- > 0;) {
        struct pane_link *link = dashboard->links[i];
        size_t index = fleet_index(&dashboard->fleet, link->id);
        if (index == dashboard->fleet.count && !link->gone) {
            link->gone = true;
            if (link->open)
                bj_rpc_close(&link->rpc);
            else
                free_link(link);
        } else if (!link->gone && link->open && !link->hidden && !link->rpc.closing &&
                   !is_placed(dashboard, index) &&
                   !control_broadcasts(&dashboard->control, link->id)) {
            tell(link, "view.hide", 0);
            bj_rpc_send(&link->rpc);
            link->hidden = true;
        }
    }
    for (size_t i = 0; i < layout->card_count; i++)
        if (!layout_pane(layout, layout->cards[i].index))
            show(dashboard, layout->cards[i].index, NULL);
    for (size_t i = 0; i < layout->pane_count; i++)
        show(dashboard, layout->panes[i].index, &layout->panes[i].rect);
    show_targets(dashboard);
}

static void acknowledge(struct pane_link *link)
{
    uint64_t frame = link->pane.acknowledge;
    if (!link->open || link->rpc.closing || frame == 0 || frame == link->acknowledged)
        return;
    tell(link, "view.ack", 1);
    bj_pack_key_uint(&link->rpc.packer, "frame", frame);
    bj_rpc_send(&link->rpc);
    link->acknowledged = frame;
}

void panes_painted(struct dashboard *dashboard)
{
    for (size_t i = 0; i < dashboard->link_count; i++)
        if (!dashboard->links[i]->card)
            acknowledge(dashboard->links[i]);
}

void panes_retry(struct dashboard *dashboard, unsigned origin)
{
    for (size_t i = 0; i < dashboard->link_count; i++)
        if (origin_number(dashboard->links[i]->id) == origin)
            dashboard->links[i]->retry_at = dashboard->links[i]->retry_wait = 0;
    panes_sync(dashboard);
}

/* Cards show one line; a frame a second is enough for them. */
void panes_tick(struct dashboard *dashboard)
{
    for (size_t i = 0; i < dashboard->link_count; i++)
        acknowledge(dashboard->links[i]);
    panes_sync(dashboard);
}

/* ---- orders ---- */

static void on_scrolled(struct bj_rpc *rpc, const msgpack_object *error,
                        const msgpack_object *result, void *argument)
{
    struct pane_link *link = argument;
    (void)rpc;
    if (link->scrolls > 0)
        link->scrolls--;
    if (!error && link->scrolls == 0)
        link->scroll_wish = bj_get_uint(result, "offset", link->scroll_wish);
}

static void scroll_to(struct pane_link *link, uint64_t offset)
{
    link->scroll_wish = offset;
    link->scrolls++;
    msgpack_packer *packer = bj_rpc_request(&link->rpc, "view.scroll", on_scrolled, link);
    msgpack_pack_map(packer, 1);
    bj_pack_key_uint(packer, "offset", offset);
    bj_rpc_send(&link->rpc);
}

static void scroll(struct pane_link *link, int amount)
{
    uint64_t lines = link->pane.screen.view_lines;
    uint64_t at = link->scrolls > 0 ? link->scroll_wish : link->pane.screen.view_offset;
    uint64_t back = amount < 0 ? (uint64_t)(-(int64_t)amount) : 0;
    if (amount == INT_MAX)
        at = lines;
    else if (amount == INT_MIN)
        at = 0;
    else if (amount < 0)
        at = at > back ? at - back : 0;
    else
        at = at + (uint64_t)amount < lines ? at + (uint64_t)amount : lines;
    scroll_to(link, at);
}

bool panes_scrolled(const struct dashboard *dashboard)
{
    for (size_t i = 0; i < dashboard->link_count; i++) {
        const struct pane_link *link = dashboard->links[i];
        if (!link->gone && (link->pane.screen.view_offset > 0 || link->scroll_wish > 0))
            return true;
    }
    return false;
}

/* Typing means the live screen. */
static void go_live(struct pane_link *link)
{
    if (link->pane.screen.view_offset > 0 || link->scroll_wish > 0)
        scroll_to(link, 0);
}

static void send_key(struct pane_link *link, const struct chord *chord)
{
    tell(link, "view.key", 2);
    bj_pack_key_str(&link->rpc.packer, "key", chord->key);
    bj_pack_key_uint(&link->rpc.packer, "mods", chord->mods);
    bj_rpc_send(&link->rpc);
}

static void send_paste(struct pane_link *link, const char *pasted, size_t pasted_size)
{
    char *text = malloc(pasted_size);
    size_t size = 0;
    if (!text)
        return;
    for (size_t i = 0; i < pasted_size; i++)
        if (pasted[i]) /* the API takes no NUL */
            text[size++] = pasted[i];
    tell(link, "view.paste", 1);
    bj_pack_str(&link->rpc.packer, "text");
    bj_pack_strn(&link->rpc.packer, text, size);
    bj_rpc_send(&link->rpc);
    free(text);
}

static void send_mouse(struct pane_link *link, const struct input *input)
{
    static const char *const actions[] = {"press", "release", "move"};
    const struct rect *inner = &link->pane.painted;
    int row = input->row - inner->row + link->pane.first_row, col = input->col - inner->col;
    if (row < 0 || col < 0)
        return;
    tell(link, "view.mouse", input->button ? 5 : 4);
    bj_pack_key_str(&link->rpc.packer, "action", actions[input->action]);
    if (input->button)
        bj_pack_key_uint(&link->rpc.packer, "button", (uint64_t)input->button);
    bj_pack_key_uint(&link->rpc.packer, "row", (uint64_t)row);
    bj_pack_key_uint(&link->rpc.packer, "col", (uint64_t)col);
    bj_pack_key_uint(&link->rpc.packer, "mods", input->chord.mods);
    bj_rpc_send(&link->rpc);
}

/* Keys and pasted text to all targets. */
static void order_many(struct dashboard *dashboard, const struct order *order,
                       const struct input *input)
{
    struct control *control = &dashboard->control;
    size_t missed = 0;
    for (size_t i = 0; i < control->target_count; i++) {
        struct pane_link *link = panes_find(dashboard, control->targets[i]);
        if (!link || !link->open || link->rpc.closing) {
            missed++;
            continue;
        }
        go_live(link);
        if (order->kind == ORDER_KEY)
            send_key(link, &order->chord);
        else
            send_paste(link, input->text, input->size);
    }
    if (missed > 0)
        control_note(control, dashboard_now(dashboard), true,
                     "%zu of %zu did not get this: no connection to their monitors", missed,
                     control->target_count);
}

void panes_order(struct dashboard *dashboard, const struct order *order, const struct input *input)
{
    if (order->many) {
        order_many(dashboard, order, input);
        return;
    }
    struct pane_link *link = panes_find(dashboard, order->id);
    if (!link || !link->open || link->rpc.closing) {
        if (order->kind != ORDER_MOUSE)
            control_note(&dashboard->control, dashboard_now(dashboard), true,
                         "not taken: there is no connection to this pane's monitor");
        return;
    }
    switch (order->kind) {
    case ORDER_KEY:
        dashboard->key_at = dashboard_now(dashboard);
        go_live(link);
        send_key(link, &order->chord);
        break;
    case ORDER_PASTE:
        dashboard->key_at = dashboard_now(dashboard);
        go_live(link);
        send_paste(link, input->text, input->size);
        break;
    case ORDER_SEND:
        go_live(link);
        send_paste(link, order->text, strlen(order->text));
        send_key(link, &(struct chord){.key = "enter"});
        control_note(&dashboard->control, dashboard_now(dashboard), false, "sent: %.240s",
                     order->text);
        break;
    case ORDER_MOUSE:
        dashboard->key_at = dashboard_now(dashboard);
        send_mouse(link, input);
        break;
    case ORDER_SCROLL:
        scroll(link, order->amount);
        break;
    default:
        break;
    }
}

static void tell_focus(struct dashboard *dashboard, const char *id, bool focused)
{
    struct pane_link *link = panes_find(dashboard, id);
    if (!link || !link->open || link->rpc.closing)
        return;
    tell(link, "view.focus", 1);
    bj_pack_key_bool(&link->rpc.packer, "focused", focused);
    bj_rpc_send(&link->rpc);
}

void panes_focus(struct dashboard *dashboard)
{
    bool focused = dashboard->control.mode == CONTROL_FOCUS && dashboard->terminal_focused;
    const char *now = focused ? dashboard->control.selected : "";
    if (strcmp(dashboard->focus_told, now) == 0)
        return;
    if (dashboard->focus_told[0])
        tell_focus(dashboard, dashboard->focus_told, false);
    if (now[0])
        tell_focus(dashboard, now, true);
    snprintf(dashboard->focus_told, sizeof(dashboard->focus_told), "%s", now);
}

void panes_take(struct dashboard *dashboard)
{
    struct pane_link *link = panes_find(dashboard, dashboard->control.selected);
    if (dashboard->options->readonly || !link || !link->open || link->rpc.closing)
        return;
    tell(link, "view.take", 0);
    bj_rpc_send(&link->rpc);
}

void panes_close(struct dashboard *dashboard)
{
    for (size_t i = dashboard->link_count; i-- > 0;) {
        struct pane_link *link = dashboard->links[i];
        link->gone = true;
        if (link->open)
            bj_rpc_close(&link->rpc);
        else
            free_link(link);
    }
}
