#include "tui/model/control.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/control_parts.h"

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

void control_note_long(struct control *control, uint64_t now)
{
    control->note_until = now + CONTROL_LONG_NOTE_MS;
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
                     control->prompt == PROMPT_RENAME || control->prompt == PROMPT_PULL ||
                     control->prompt == PROMPT_COMMENT;
    if (about_one && !fleet_find(fleet, control->subject))
        control->prompt = PROMPT_NONE;
    control_broadcast_sync(control, fleet);
    control_copy_sync(control, fleet);
    control_review_sync(control, fleet, now);
    control_replay_sync(control, fleet, now);
    list_sync(control, fleet);
    decide_sync(control, fleet, now);
}

/* ---- supervise mode ---- */

/* Among cards, of which more may be there than fit. */
static size_t beside(const struct layout *layout, size_t from, size_t count,
                     enum layout_direction direction)
{
    bool sideways = direction == LAYOUT_LEFT || direction == LAYOUT_RIGHT;
    size_t step = sideways ? 1 : layout->card_columns;
    if (sideways && layout->card_columns == 1)
        return layout_neighbour(layout, from, direction);
    if (direction == LAYOUT_LEFT || direction == LAYOUT_UP)
        return from >= step ? from - step : from;
    return from + step < count ? from + step : from;
}

static void move(struct control *control, const struct control_view *view,
                 enum layout_direction direction)
{
    const struct layout *layout = view->layout;
    size_t from = control->selected_index;
    size_t to = layout_neighbour(layout, from, direction);
    size_t count = view->fleet->shown;
    /* In a scrolled list, and among tabs, there is more than what is placed. */
    bool hidden = to == from && layout->card_count + layout->pane_count < count;
    if (hidden && layout->card_count == 0)
        to = direction == LAYOUT_LEFT || direction == LAYOUT_UP ? (from + count - 1) % count
                                                                : (from + 1) % count;
    else if (layout->card_columns > 0)
        to = beside(layout, from, count, direction);
    control_select(control, view->fleet, to);
}

static void scroll(const struct control *control, struct order *order, int amount)
{
    order->kind = ORDER_SCROLL;
    order->amount = amount;
    memcpy(order->id, control->selected, FLEET_ID_MAX);
}

static void pause_one(struct order *order, const struct sandbox *sandbox)
{
    if (!sandbox || !sandbox_alive(sandbox))
        return;
    order->kind = sandbox->state == SANDBOX_PAUSED ? ORDER_RESUME : ORDER_PAUSE;
    memcpy(order->id, sandbox->id, FLEET_ID_MAX);
}

static void set_layout(struct control *control, enum layout_kind kind)
{
    if (kind == LAYOUT_ZOOM && control->layout != LAYOUT_ZOOM)
        control->before_zoom = control->layout;
    control->layout = kind;
}

static void ask_about(struct control *control, const struct control_view *view,
                      enum control_prompt prompt)
{
    const struct sandbox *sandbox = fleet_find(view->fleet, control_target(control));
    if (!sandbox)
        return;
    bool alive = sandbox_alive(sandbox);
    if (prompt == PROMPT_KILL && !alive)
        control_note(control, view->now, false, "%s has ended; %s removes it", sandbox->name,
                     keys_first(0, ACTION_REMOVE).text);
    else if (prompt == PROMPT_REMOVE && alive)
        control_note(control, view->now, false, "%s still runs: %s kills it first", sandbox->name,
                     keys_first(0, ACTION_KILL).text);
    else
        control_open_prompt(control, prompt,
                            prompt == PROMPT_RENAME ? sandbox_own_name(sandbox) : "");
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
bool control_look(struct control *control, const struct control_view *view, enum action action)
{
    size_t count = view->fleet->shown;
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
        control_select(control, view->fleet, control->nth);
        return true;
    case ACTION_WAITING: /* in an empty place nobody waits */
        if (view->fleet->count > 0)
            decide_next(control, view);
        else if (control_allowed(control, view, ACTION_FORM))
            control_form_open(control, view, false);
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
        list_open(control, view, LIST_REQUESTS);
        return true;
    case ACTION_ALERTS:
        list_open(control, view, LIST_ALERTS);
        return true;
    case ACTION_DIGEST:
        control->digest.open = !digest_empty(&control->digest);
        if (!control->digest.open)
            control_note(control, view->now, false, "nothing happened while you were away");
        return true;
    case ACTION_CLIENTS:
        list_open(control, view, LIST_CLIENTS);
        return true;
    case ACTION_HELP:
        list_open(control, view, LIST_HELP);
        return true;
    case ACTION_DETAILS:
        list_open(control, view, LIST_CARD);
        return true;
    default:
        return control_fleet_look(control, view, action);
    }
}

bool control_changes(enum action action)
{
    static const enum action changing[] = {ACTION_ALLOW,       ACTION_DENY,
                                           ACTION_ALLOW_RULE,  ACTION_DENY_RULE,
                                           ACTION_UNDO,        ACTION_RUN,
                                           ACTION_FORM,        ACTION_AGAIN,
                                           ACTION_PAUSE,       ACTION_PAUSE_ALL,
                                           ACTION_KILL,        ACTION_REMOVE,
                                           ACTION_RENAME,      ACTION_FOCUS,
                                           ACTION_ACKNOWLEDGE, ACTION_ACKNOWLEDGE_ALL,
                                           ACTION_REVIEW_PULL, ACTION_REVIEW_COMMENT,
                                           ACTION_BROADCAST,   ACTION_REMOVE_ENDED,
                                           ACTION_RESUME,      ACTION_RESTART,
                                           ACTION_PULL,        ACTION_LIKE};
    for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++)
        if (action == changing[i])
            return true;
    return false;
}

bool control_allowed(struct control *control, const struct control_view *view, enum action action)
{
    bool refused = view->readonly && control_changes(action);
    if (refused)
        control_note(control, view->now, true, "this dashboard only looks (read-only)");
    return !refused;
}

void control_act(struct control *control, const struct control_view *view, enum action action,
                 struct order *order)
{
    if (action != ACTION_WAITING)
        control->tour[0] = '\0';
    if (!control_allowed(control, view, action) || decide_act(control, view, action, order) ||
        control_look(control, view, action) || control_ask_many(control, view, action))
        return;
    const struct sandbox *sandbox = fleet_find(view->fleet, control_target(control));
    switch (action) {
    case ACTION_FOCUS:
        if (sandbox && sandbox_alive(sandbox))
            control->mode = CONTROL_FOCUS;
        else if (sandbox)
            control_note(control, view->now, false, "%s has ended: nobody reads keys there",
                         sandbox->name);
        break;
    case ACTION_ACKNOWLEDGE:
        if (!sandbox || !fleet_alerted(view->fleet, sandbox->id)) {
            control_note(control, view->now, false, "no alert of this sandbox waits: %s lists all",
                         keys_first(0, ACTION_ALERTS).text);
            break;
        }
        order->kind = ORDER_ACKNOWLEDGE;
        memcpy(order->id, control->selected, FLEET_ID_MAX);
        break;
    case ACTION_ACKNOWLEDGE_ALL:
        order->kind = ORDER_ACKNOWLEDGE_ALL;
        break;
    case ACTION_RUN:
        control_open_prompt(control, PROMPT_RUN, "");
        break;
    case ACTION_PAUSE:
        if (control->named && sandbox && sandbox->state == SANDBOX_PAUSED)
            control_note(control, view->now, false, "%s is paused already", sandbox->name);
        else
            pause_one(order, sandbox);
        break;
    case ACTION_RESUME:
        if (sandbox && sandbox->state == SANDBOX_PAUSED)
            pause_one(order, sandbox);
        else if (sandbox)
            control_note(control, view->now, false, "%s is not paused", sandbox->name);
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
    case ACTION_COPY:
        control_copy_open(control, view, order);
        break;
    case ACTION_REPLAY:
        control_replay_open(control, view, order);
        break;
    case ACTION_REVIEW:
        control_review_open(control, view, order);
        break;
    case ACTION_FORM:
        control_form_open(control, view, false);
        break;
    case ACTION_LIKE:
        control_form_open(control, view, true);
        break;
    case ACTION_AGAIN:
        if (!sandbox || sandbox_alive(sandbox)) {
            control_form_open(control, view, true);
            break;
        }
        order->kind = ORDER_RESTART;
        memcpy(order->id, sandbox->id, FLEET_ID_MAX);
        break;
    case ACTION_RESTART:
        if (sandbox && sandbox_alive(sandbox)) {
            control_note(control, view->now, false, "%s still runs: %s kills it first",
                         sandbox->name, keys_first(0, ACTION_KILL).text);
        } else if (sandbox) {
            order->kind = ORDER_RESTART;
            memcpy(order->id, sandbox->id, FLEET_ID_MAX);
        }
        break;
    case ACTION_PULL:
        ask_about(control, view, PROMPT_PULL);
        break;
    case ACTION_PALETTE:
        palette_open(&control->palette);
        break;
    case ACTION_THEME:
        order->kind = ORDER_THEME;
        break;
    case ACTION_RELOAD:
        order->kind = ORDER_RELOAD;
        break;
    case ACTION_DETACH:
        order->kind = ORDER_DETACH;
        break;
    case ACTION_QUIT:
        control_open_prompt(control, PROMPT_DETACH, "");
        break;
    default:
        break;
    }
}

/* ---- inputs ---- */

/* Whether it is the second click of two on the same. */
static bool clicked_twice(struct control *control, const struct control_view *view, size_t index)
{
    bool again = index == control->click_index && control->click_at != 0 &&
                 view->now - control->click_at < CONTROL_DOUBLE_MS;
    control->click_at = again ? 0 : view->now;
    control->click_index = index;
    return again;
}

static void on_click(struct control *control, const struct control_view *view, size_t index)
{
    bool again = clicked_twice(control, view, index);
    bool same = index == control->selected_index;
    control_select(control, view->fleet, index);
    struct order unused = {0};
    if (again && same)
        control_act(control, view, ACTION_FOCUS, &unused);
}

/* A click selects; a second one goes there. No click decides anything. */
static void on_list_click(struct control *control, const struct control_view *view,
                          struct order *order)
{
    struct roster *roster = &control->roster;
    const struct hit *hit = &view->hit;
    if (hit->kind == HIT_ROW) {
        bool again = clicked_twice(control, view, hit->index);
        size_t at = control->list == LIST_FLEET ? roster->at : control->list_at;
        list_move(control, view, (int64_t)hit->index - (int64_t)at);
        if (again)
            list_action(control, view, ACTION_GO, order);
    } else if (hit->kind == HIT_COLUMN && control->list == LIST_FLEET) {
        roster->reversed = hit->index == roster->key && !roster->reversed;
        roster->key = (enum roster_key)hit->index;
        roster_make(roster, view->fleet);
    }
}

static void on_tab_click(struct control *control, const struct control_view *view)
{
    struct fleet_tab tabs[FLEET_TABS_MAX];
    size_t index = view->hit.index, count = fleet_tabs(view->fleet, tabs);
    if (view->hit.kind == HIT_TAB) {
        on_click(control, view, index);
    } else if (index <= count) {
        fleet_tab(view->fleet, index == 0 ? NULL : tabs[index - 1].project);
        index = fleet_index(view->fleet, control->selected);
        control_select(control, view->fleet, index < view->fleet->shown ? index : 0);
    }
}

static void on_mouse(struct control *control, const struct control_view *view,
                     const struct input *input, struct order *order)
{
    control->digest.open &= input->action == MOUSE_MOVE;
    if (control->prompt != PROMPT_NONE || control->menu.open || control->palette.open ||
        control->form.open)
        return;
    bool wheel = input->button >= 4, click = input->button == 1 && input->action == MOUSE_PRESS;
    if (control->copy.open) {
        const struct chord step = {.key = "up"}, back = {.key = "down"};
        if (wheel)
            copy_forget(&control->copy);
        for (int i = 0; wheel && !control->copy.searching && i < WHEEL_LINES; i++)
            control_copy_key(control, view, input->button == 4 ? &step : &back, order);
        return;
    }
    if (control->list != LIST_NONE) {
        if (wheel)
            list_move(control, view, input->button == 4 ? -WHEEL_LINES : WHEEL_LINES);
        else if (click)
            on_list_click(control, view, order);
        return;
    }
    if (control->review.open || control->player.open) {
        if (wheel && control->review.open)
            review_move(&control->review, input->button == 4 ? -WHEEL_LINES : WHEEL_LINES);
        else if (wheel)
            player_step(&control->player, input->button == 4 ? -PLAYER_STEP : PLAYER_STEP);
        else if (click && view->hit.kind == HIT_TIME)
            player_put(&control->player, view->hit.part);
        return;
    }
    if (view->agent_wants_mouse) {
        order->kind = ORDER_MOUSE;
        return;
    }
    if (click && (view->hit.kind == HIT_PROJECT || view->hit.kind == HIT_TAB)) {
        on_tab_click(control, view);
        return;
    }
    size_t index = layout_at(view->layout, input->row, input->col, view->fleet->shown);
    if (index >= view->fleet->shown || input->action != MOUSE_PRESS)
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
        control_key(control, view, &input->chord, order);
        break;
    case INPUT_MOUSE:
        on_mouse(control, view, input, order);
        break;
    case INPUT_PASTE:
        control->digest.open = false;
        /* A paste in supervise mode is dropped, and so it is in copy mode but for the line of a
         * search: its letters are no commands. */
        if (control_prompt_is_line(control->prompt))
            control_prompt_paste(control, view, input);
        else if (control->form.open)
            form_paste(&control->form, input->text, input->size);
        else if (control->menu.open)
            menu_paste(&control->menu, input->text, input->size);
        else if (control->palette.open)
            palette_paste(&control->palette, input->text, input->size);
        else if (control_copy_paste(control, view, input))
            ;
        else if (control->prompt == PROMPT_NONE && control->mode != CONTROL_SUPERVISE)
            order->kind = ORDER_PASTE;
        else
            control_note(control, view->now, false, "pasted text needs a focused pane");
        break;
    default:
        break;
    }
    order->many |= control->mode == CONTROL_BROADCAST && order->kind == ORDER_PASTE;
    if (order->kind == ORDER_KEY || order->kind == ORDER_PASTE || order->kind == ORDER_MOUSE)
        memcpy(order->id, control->selected, FLEET_ID_MAX);
}
