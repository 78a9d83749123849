#include "tui/model/control.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "transport/api.h"

#define WHEEL_LINES 3

void control_init(struct control *control)
{
    *control = (struct control){0};
    keys_parse(KEYS_DEFAULT_PREFIX, strlen(KEYS_DEFAULT_PREFIX), &control->prefix);
}

void control_note(struct control *control, uint64_t now, bool bad, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(control->note, sizeof(control->note), format, args);
    va_end(args);
    control->note_bad = bad;
    control->note_until = now + CONTROL_NOTE_MS;
}

void control_select(struct control *control, const struct fleet *fleet, size_t index)
{
    if (index >= fleet->count)
        return;
    if (strcmp(control->selected, fleet->sandboxes[index]->id) != 0)
        control->mode = CONTROL_SUPERVISE;
    memcpy(control->selected, fleet->sandboxes[index]->id, FLEET_ID_MAX);
    control->selected_index = index;
    control->chosen = true;
}

void control_sync(struct control *control, const struct fleet *fleet, uint64_t now)
{
    size_t index = control->chosen ? fleet_index(fleet, control->selected) : fleet->count;
    if (!control->chosen && fleet->count > 0) {
        /* They come one by one when the dashboard opens. */
        memcpy(control->selected, fleet->sandboxes[0]->id, FLEET_ID_MAX);
        control->selected_index = 0;
    } else if (index < fleet->count) {
        control->selected_index = index;
    } else if (fleet->count > 0) {
        size_t place =
            control->selected_index < fleet->count ? control->selected_index : fleet->count - 1;
        control_select(control, fleet, place);
        control->moved_at = now;
    } else {
        control->selected[0] = '\0';
        control->mode = CONTROL_SUPERVISE;
    }
    bool about_one = control->prompt == PROMPT_KILL || control->prompt == PROMPT_REMOVE ||
                     control->prompt == PROMPT_RENAME;
    if (about_one && !fleet_find(fleet, control->subject))
        control->prompt = PROMPT_NONE;
    size_t rows = control_list_rows(control, fleet);
    if (control->list != LIST_HELP && control->list_at >= rows)
        control->list_at = rows ? rows - 1 : 0;
}

size_t control_list_rows(const struct control *control, const struct fleet *fleet)
{
    switch (control->list) {
    case LIST_REQUESTS:
        return fleet->request_count;
    case LIST_ALERTS:
        return fleet->alert_count;
    case LIST_HELP:
        return keys_count;
    default:
        return 0;
    }
}

struct request *control_request(const struct control *control, const struct fleet *fleet)
{
    size_t count;
    if (control->list == LIST_REQUESTS)
        return control->list_at < fleet->request_count ? fleet->requests[control->list_at] : NULL;
    if (control->list != LIST_NONE)
        return NULL;
    return fleet_request(fleet, control->selected, &count);
}

bool control_prompt_is_line(enum control_prompt prompt)
{
    return prompt == PROMPT_RUN || prompt == PROMPT_RENAME;
}

void control_question(const struct control *control, const struct fleet *fleet, char *out,
                      size_t size)
{
    const struct sandbox *sandbox = fleet_find(fleet, control->subject);
    const char *name = sandbox ? sandbox->name : "?";
    switch (control->prompt) {
    case PROMPT_KILL:
        snprintf(out, size, "Kill %s? Every process in it ends.", name);
        break;
    case PROMPT_REMOVE:
        snprintf(out, size, "Remove %s with its project copy, home and recording?", name);
        break;
    case PROMPT_DETACH:
        snprintf(out, size, "Detach? The sandboxes run on.");
        break;
    case PROMPT_RUN:
        snprintf(out, size, "New sandbox: [-n NAME] [--project DIR] COMMAND");
        break;
    case PROMPT_RENAME:
        snprintf(out, size, "New name of %s", name);
        break;
    default:
        out[0] = '\0';
    }
}

/* ---- supervise mode ---- */

static void open_prompt(struct control *control, const struct control_view *view,
                        enum control_prompt prompt, const char *text)
{
    control->prompt = prompt;
    control->prompt_seen = false;
    memcpy(control->subject, control->selected, FLEET_ID_MAX);
    line_set(&control->line, text);
}

static void verdict(struct control *control, const struct control_view *view, struct order *order,
                    enum order_kind kind)
{
    struct request *request = control_request(control, view->fleet);
    if (!request) {
        if (view->fleet->request_count > 0)
            control_note(control, view->now, false,
                         "nothing to decide here: w goes to what waits, r lists it");
        else
            control_note(control, view->now, false, "nothing waits for a verdict");
        return;
    }
    bool moved = control->list == LIST_NONE && control->moved_at != 0 &&
                 view->now - control->moved_at < FLEET_ARM_MS;
    if (moved || !fleet_armed(request, view->now)) {
        control_note(control, view->now, true, "too fast: read it first (the key was not taken)");
        return;
    }
    order->kind = kind;
    memcpy(order->id, request->id, FLEET_ID_MAX);
}

static void move(struct control *control, const struct control_view *view,
                 enum layout_direction direction)
{
    const struct layout *layout = view->layout;
    size_t from = control->selected_index;
    size_t to = layout_neighbour(layout, from, direction);
    size_t count = view->fleet->count;
    /* In a scrolled list, and among tabs, there is more than what is placed. */
    bool hidden = to == from && layout->card_count + layout->pane_count < count;
    if (hidden && layout->card_count == 0)
        to = direction == LAYOUT_LEFT || direction == LAYOUT_UP ? (from + count - 1) % count
                                                                : (from + 1) % count;
    else if (layout->card_count > 0 && (direction == LAYOUT_UP || direction == LAYOUT_DOWN))
        to = direction == LAYOUT_UP ? (from > 0 ? from - 1 : from)
                                    : (from + 1 < count ? from + 1 : from);
    control_select(control, view->fleet, to);
}

static void scroll(const struct control *control, struct order *order, int amount)
{
    order->kind = ORDER_SCROLL;
    order->amount = amount;
    memcpy(order->id, control->selected, FLEET_ID_MAX);
}

static void pause_one(struct control *control, struct order *order, const struct sandbox *sandbox)
{
    if (!sandbox || !sandbox_alive(sandbox))
        return;
    order->kind = sandbox->state == SANDBOX_PAUSED ? ORDER_RESUME : ORDER_PAUSE;
    memcpy(order->id, control->selected, FLEET_ID_MAX);
}

static void set_layout(struct control *control, enum layout_kind kind)
{
    if (kind == LAYOUT_ZOOM && control->layout != LAYOUT_ZOOM)
        control->before_zoom = control->layout;
    control->layout = kind;
}

static void open_list(struct control *control, enum control_list list)
{
    control->list = control->list == list ? LIST_NONE : list;
    control->list_at = 0;
}

static void number(struct control *control, const struct control_view *view,
                   const struct chord *chord)
{
    size_t index = (size_t)(chord->key[0] - '1');
    if (index < view->fleet->count)
        control_select(control, view->fleet, index);
}

static void go_waiting(struct control *control, const struct control_view *view)
{
    if (view->fleet->request_count == 0) {
        control_note(control, view->now, false, "nothing waits for a verdict");
        return;
    }
    /* From one that waits already to the next one. */
    size_t start = 0;
    for (size_t i = 0; i < view->fleet->request_count; i++)
        if (strcmp(view->fleet->requests[i]->sandbox_id, control->selected) == 0)
            start = i + 1;
    for (size_t i = 0; i < view->fleet->request_count; i++) {
        size_t at = (start + i) % view->fleet->request_count;
        const char *id = view->fleet->requests[at]->sandbox_id;
        if (strcmp(id, control->selected) != 0) {
            control_select(control, view->fleet, fleet_index(view->fleet, id));
            return;
        }
    }
}

static void ask_about(struct control *control, const struct control_view *view,
                      enum control_prompt prompt)
{
    const struct sandbox *sandbox = fleet_find(view->fleet, control->selected);
    if (!sandbox)
        return;
    bool alive = sandbox_alive(sandbox);
    if (prompt == PROMPT_KILL && !alive)
        control_note(control, view->now, false, "%s has ended; x removes it", sandbox->name);
    else if (prompt == PROMPT_REMOVE && alive)
        control_note(control, view->now, false, "%s still runs: k kills it first", sandbox->name);
    else
        open_prompt(control, view, prompt, prompt == PROMPT_RENAME ? sandbox->name : "");
}

static void pause_all(const struct control_view *view, struct order *order)
{
    bool any = false;
    for (size_t i = 0; i < view->fleet->count; i++)
        any |= sandbox_alive(view->fleet->sandboxes[i]) &&
               view->fleet->sandboxes[i]->state != SANDBOX_PAUSED;
    order->kind = any ? ORDER_PAUSE_ALL : ORDER_RESUME_ALL;
}

/* Actions that change nothing outside; the rest is in act(). */
static bool look(struct control *control, const struct control_view *view, enum action action,
                 const struct chord *chord)
{
    size_t count = view->fleet->count;
    switch (action) {
    case ACTION_LEFT:
    case ACTION_RIGHT:
    case ACTION_UP:
    case ACTION_DOWN:
        move(control, view,
             (enum layout_direction)(action == ACTION_LEFT    ? LAYOUT_LEFT
                                     : action == ACTION_RIGHT ? LAYOUT_RIGHT
                                     : action == ACTION_UP    ? LAYOUT_UP
                                                              : LAYOUT_DOWN));
        return true;
    case ACTION_NEXT:
        if (count > 0)
            control_select(control, view->fleet, (control->selected_index + 1) % count);
        return true;
    case ACTION_PREVIOUS:
        if (count > 0)
            control_select(control, view->fleet, (control->selected_index + count - 1) % count);
        return true;
    case ACTION_NUMBER:
        number(control, view, chord);
        return true;
    case ACTION_WAITING:
        go_waiting(control, view);
        return true;
    case ACTION_ZOOM:
        set_layout(control, control->layout == LAYOUT_ZOOM ? control->before_zoom : LAYOUT_ZOOM);
        return true;
    case ACTION_LAYOUT:
        set_layout(control, (enum layout_kind)((control->layout + 1) % LAYOUT_KINDS));
        return true;
    case ACTION_PROMOTE:
        fleet_promote(view->fleet, control->selected_index);
        control->selected_index = 0;
        return true;
    case ACTION_REQUESTS:
        open_list(control, LIST_REQUESTS);
        return true;
    case ACTION_ALERTS:
        open_list(control, LIST_ALERTS);
        return true;
    case ACTION_HELP:
        open_list(control, LIST_HELP);
        return true;
    default:
        return false;
    }
}

static bool allowed(struct control *control, const struct control_view *view, enum action action)
{
    bool changes = action == ACTION_ALLOW || action == ACTION_DENY || action == ACTION_RUN ||
                   action == ACTION_PAUSE || action == ACTION_PAUSE_ALL || action == ACTION_KILL ||
                   action == ACTION_REMOVE || action == ACTION_RENAME || action == ACTION_FOCUS ||
                   action == ACTION_ACKNOWLEDGE || action == ACTION_ACKNOWLEDGE_ALL;
    if (changes && view->readonly)
        control_note(control, view->now, true, "this dashboard only looks (read-only)");
    return !(changes && view->readonly);
}

static void act(struct control *control, const struct control_view *view, enum action action,
                const struct chord *chord, struct order *order)
{
    if (!allowed(control, view, action) || look(control, view, action, chord))
        return;
    const struct sandbox *sandbox = fleet_find(view->fleet, control->selected);
    switch (action) {
    case ACTION_FOCUS:
        if (sandbox && sandbox_alive(sandbox))
            control->mode = CONTROL_FOCUS;
        else if (sandbox)
            control_note(control, view->now, false, "%s has ended: nobody reads keys there",
                         sandbox->name);
        break;
    case ACTION_ALLOW:
        verdict(control, view, order, ORDER_ALLOW);
        break;
    case ACTION_DENY:
        verdict(control, view, order, ORDER_DENY);
        break;
    case ACTION_RUN:
        open_prompt(control, view, PROMPT_RUN, "");
        break;
    case ACTION_PAUSE:
        pause_one(control, order, sandbox);
        break;
    case ACTION_PAUSE_ALL:
        pause_all(view, order);
        break;
    case ACTION_KILL:
        ask_about(control, view, PROMPT_KILL);
        break;
    case ACTION_REMOVE:
        ask_about(control, view, PROMPT_REMOVE);
        break;
    case ACTION_RENAME:
        ask_about(control, view, PROMPT_RENAME);
        break;
    case ACTION_SCROLL_UP:
        scroll(control, order, view->page > 2 ? view->page - 1 : 1);
        break;
    case ACTION_SCROLL_DOWN:
        scroll(control, order, view->page > 2 ? 1 - view->page : -1);
        break;
    case ACTION_SCROLL_TOP:
        scroll(control, order, INT_MAX);
        break;
    case ACTION_SCROLL_LIVE:
        scroll(control, order, INT_MIN);
        break;
    case ACTION_THEME:
        order->kind = ORDER_THEME;
        break;
    case ACTION_DETACH:
        order->kind = ORDER_DETACH;
        break;
    case ACTION_QUIT:
        open_prompt(control, view, PROMPT_DETACH, "");
        break;
    default:
        break;
    }
}

/* ---- lists ---- */

static const char *list_sandbox(const struct control *control, const struct fleet *fleet)
{
    if (control->list == LIST_REQUESTS && control->list_at < fleet->request_count)
        return fleet->requests[control->list_at]->sandbox_id;
    if (control->list == LIST_ALERTS && control->list_at < fleet->alert_count)
        return fleet->alerts[fleet->alert_count - 1 - control->list_at]->sandbox_id;
    return "";
}

static void list_move(struct control *control, const struct control_view *view, int64_t by)
{
    int64_t rows = (int64_t)control_list_rows(control, view->fleet);
    if (control->list == LIST_HELP) /* has no selected row: what moves is the first one */
        rows = rows > view->page ? rows - view->page + 1 : 1;
    int64_t at = (int64_t)control->list_at + by;
    control->list_at = (size_t)(at >= rows ? (rows > 0 ? rows - 1 : 0) : at < 0 ? 0 : at);
}

static void list_action(struct control *control, const struct control_view *view,
                        enum action action, struct order *order)
{
    int page = view->page > 1 ? view->page - 1 : 1;
    if (!allowed(control, view, action))
        return;
    switch (action) {
    case ACTION_UP:
        list_move(control, view, -1);
        break;
    case ACTION_DOWN:
        list_move(control, view, 1);
        break;
    case ACTION_SCROLL_UP:
        list_move(control, view, -page);
        break;
    case ACTION_SCROLL_DOWN:
        list_move(control, view, page);
        break;
    case ACTION_SCROLL_TOP:
        control->list_at = 0;
        break;
    case ACTION_SCROLL_LIVE:
        list_move(control, view, INT_MAX);
        break;
    case ACTION_GO:
        control_select(control, view->fleet,
                       fleet_index(view->fleet, list_sandbox(control, view->fleet)));
        control->list = LIST_NONE;
        break;
    case ACTION_ALLOW:
    case ACTION_DENY:
        if (control->list == LIST_REQUESTS)
            verdict(control, view, order, action == ACTION_ALLOW ? ORDER_ALLOW : ORDER_DENY);
        break;
    case ACTION_ACKNOWLEDGE:
    case ACTION_ACKNOWLEDGE_ALL:
        if (control->list != LIST_ALERTS || view->fleet->alert_count == 0)
            break;
        order->kind = action == ACTION_ACKNOWLEDGE ? ORDER_ACKNOWLEDGE : ORDER_ACKNOWLEDGE_ALL;
        snprintf(order->id, sizeof(order->id), "%s", list_sandbox(control, view->fleet));
        break;
    case ACTION_CLOSE:
        control->list = LIST_NONE;
        break;
    default:
        look(control, view, action, NULL); /* r, ! and ? change the list */
    }
}

/* ---- prompts ---- */

static void prompt_done(struct control *control, struct order *order)
{
    static const enum order_kind orders[] = {
        [PROMPT_KILL] = ORDER_KILL, [PROMPT_REMOVE] = ORDER_REMOVE, [PROMPT_DETACH] = ORDER_DETACH,
        [PROMPT_RUN] = ORDER_RUN,   [PROMPT_RENAME] = ORDER_RENAME,
    };
    order->kind = orders[control->prompt];
    memcpy(order->id, control->subject, FLEET_ID_MAX);
    memcpy(order->text, control->line.text, sizeof(order->text));
    control->prompt = PROMPT_NONE;
}

static void prompt_key(struct control *control, const struct control_view *view,
                       const struct chord *chord, struct order *order)
{
    if (strcmp(chord->key, "escape") == 0 ||
        (chord->mods == BJ_MOD_CTRL && strchr("cg", chord->key[0]) && !chord->key[1])) {
        control->prompt = PROMPT_NONE;
        return;
    }
    if (control_prompt_is_line(control->prompt)) {
        if (strcmp(chord->key, "enter") == 0 && control->line.size > 0)
            prompt_done(control, order);
        else
            line_key(&control->line, chord);
        return;
    }
    bool yes = chord->mods == 0 && (strcmp(chord->key, "y") == 0 || strcmp(chord->key, "Y") == 0);
    if (!yes) {
        control->prompt = PROMPT_NONE;
    } else if (!control->prompt_seen) {
        control_note(control, view->now, true, "too fast: read the question first");
    } else {
        prompt_done(control, order);
    }
}

/* ---- inputs ---- */

static void on_key(struct control *control, const struct control_view *view,
                   const struct chord *chord, struct order *order)
{
    if (control->prompt != PROMPT_NONE) {
        prompt_key(control, view, chord, order);
        return;
    }
    if (control->mode == CONTROL_FOCUS) {
        if (keys_equal(chord, &control->prefix)) {
            control->mode = CONTROL_SUPERVISE;
            control->prefix_at = view->now;
            return;
        }
        const struct sandbox *sandbox = fleet_find(view->fleet, control->selected);
        if (sandbox && !sandbox_alive(sandbox)) {
            char name[32];
            keys_name(&control->prefix, name, sizeof(name));
            control_note(control, view->now, false, "%s has ended; %s comes back to supervising",
                         sandbox->name, name);
            return;
        }
        order->kind = ORDER_KEY;
        order->chord = *chord;
        return;
    }
    if (keys_equal(chord, &control->prefix)) {
        bool twice = control->prefix_at != 0 && view->now - control->prefix_at < CONTROL_DOUBLE_MS;
        control->list = LIST_NONE;
        act(control, view, ACTION_FOCUS, chord, order);
        if (twice && control->mode == CONTROL_FOCUS) {
            order->kind = ORDER_KEY;
            order->chord = *chord;
        }
        control->prefix_at = 0;
        return;
    }
    control->prefix_at = 0;
    if (control->list != LIST_NONE)
        list_action(control, view, keys_find(KEYS_LIST, chord), order);
    else
        act(control, view, keys_find(KEYS_SUPERVISE, chord), chord, order);
}

static void on_click(struct control *control, const struct control_view *view, size_t index)
{
    bool again = index == control->click_index && control->click_at != 0 &&
                 view->now - control->click_at < CONTROL_DOUBLE_MS;
    bool same = index == control->selected_index;
    control->click_at = again ? 0 : view->now;
    control->click_index = index;
    control_select(control, view->fleet, index);
    struct order unused = {0};
    if (again && same)
        act(control, view, ACTION_FOCUS, NULL, &unused);
}

static void on_mouse(struct control *control, const struct control_view *view,
                     const struct input *input, struct order *order)
{
    if (control->prompt != PROMPT_NONE)
        return;
    bool wheel = input->button >= 4;
    if (control->list != LIST_NONE) {
        if (wheel)
            list_move(control, view, input->button == 4 ? -WHEEL_LINES : WHEEL_LINES);
        return;
    }
    if (view->agent_wants_mouse) {
        order->kind = ORDER_MOUSE;
        return;
    }
    size_t index = layout_at(view->layout, input->row, input->col, view->fleet->count);
    if (index >= view->fleet->count || input->action != MOUSE_PRESS)
        return;
    if (wheel) {
        if (!layout_pane(view->layout, index))
            return;
        order->kind = ORDER_SCROLL;
        order->amount = input->button == 4 ? WHEEL_LINES : -WHEEL_LINES;
        memcpy(order->id, view->fleet->sandboxes[index]->id, FLEET_ID_MAX);
    } else if (input->button == 1) {
        on_click(control, view, index);
    }
}

void control_input(struct control *control, const struct control_view *view,
                   const struct input *input, struct order *order)
{
    memset(order, 0, sizeof(*order));
    switch (input->kind) {
    case INPUT_KEY:
        on_key(control, view, &input->chord, order);
        break;
    case INPUT_MOUSE:
        on_mouse(control, view, input, order);
        break;
    case INPUT_PASTE:
        /* A paste in supervise mode is dropped: its letters are no commands. */
        if (control_prompt_is_line(control->prompt))
            line_insert(&control->line, input->text, input->size);
        else if (control->prompt == PROMPT_NONE && control->mode == CONTROL_FOCUS)
            order->kind = ORDER_PASTE;
        else
            control_note(control, view->now, false, "pasted text needs a focused pane");
        break;
    default:
        break;
    }
    if (order->kind == ORDER_KEY || order->kind == ORDER_PASTE || order->kind == ORDER_MOUSE)
        memcpy(order->id, control->selected, FLEET_ID_MAX);
}
