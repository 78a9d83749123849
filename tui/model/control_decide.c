#include <stdio.h>
#include <string.h>

#include "tui/model/control_parts.h"

struct request *control_request(const struct control *control, const struct fleet *fleet)
{
    struct request *pile[PILE_MAX];
    size_t count;
    switch (control->list) {
    case LIST_NONE:
        return fleet_request(fleet, control->selected, &count);
    case LIST_REQUESTS:
        return fleet_row(fleet, control->list_at);
    case LIST_PILE:
        return control_piled(control, fleet, pile) > 0 ? pile[0] : NULL;
    case LIST_CARD:
        return fleet_request_find(fleet, control->list_id);
    default:
        return NULL;
    }
}

void control_wish(const struct control *control, const struct fleet *fleet,
                  struct details_wish *wish)
{
    *wish = (struct details_wish){0};
    const char *id = control->menu.open           ? control->menu.request
                     : control->list == LIST_CARD ? control->list_id
                                                  : "";
    const struct request *request = fleet_request_find(fleet, id);
    if (!request)
        return;
    memcpy(wish->id, request->id, sizeof(wish->id));
    wish->count = request->count;
    wish->deny = control->menu.open && control->menu.deny;
    wish->seconds = control->menu.open ? menu_seconds(&control->menu) : 0;
}

static void sooner(uint64_t *wait, uint64_t since, uint64_t ms, uint64_t now)
{
    if (since != 0 && since + ms > now && (*wait == 0 || since + ms - now < *wait))
        *wait = since + ms - now;
}

uint64_t control_arms_in(const struct control *control, const struct fleet *fleet, uint64_t now)
{
    uint64_t wait = 0;
    for (size_t i = 0; i < fleet->request_count; i++)
        sooner(&wait, fleet->requests[i]->painted_at, FLEET_ARM_MS, now);
    sooner(&wait, control->moved_at, FLEET_ARM_MS, now);
    if (control->menu.open)
        sooner(&wait, control->menu.seen_since, MENU_ARM_MS, now);
    return wait;
}

/* The request that a verdict key means, when it has been in view long enough; else says why not. */
static struct request *armed(struct control *control, const struct control_view *view)
{
    struct request *request = control_request(control, view->fleet);
    if (!request) {
        if (view->fleet->request_count > 0)
            control_note(
                control, view->now, false, "%s",
                keys_say(
                    0, "nothing to decide here: {waiting} goes to what waits, {requests} lists it")
                    .text);
        else
            control_note(control, view->now, false, "nothing waits for a verdict");
        return NULL;
    }
    bool moved = control->list == LIST_NONE && control->moved_at != 0 &&
                 view->typed_after < control->moved_at + FLEET_ARM_MS;
    if (!moved && fleet_armed(request, view->typed_after))
        return request;
    if (request->painted_at)
        control_note(control, view->now, false,
                     "not yet, too fast: read it first (the key was not taken)");
    else
        control_note(control, view->now, false,
                     "not yet: not all of it is on screen; %s shows it (the key was not taken)",
                     keys_first(0, ACTION_DETAILS).text);
    return NULL;
}

/* ---- a pile ---- */

size_t control_piled(const struct control *control, const struct fleet *fleet,
                     struct request *pile[PILE_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < control->pile_count; i++) {
        struct request *request = fleet_request_find(fleet, control->pile[i]);
        if (request && fleet_piles(request))
            pile[count++] = request;
    }
    return count;
}

size_t control_allowable(const struct control *control, const struct fleet *fleet)
{
    struct request *pile[PILE_MAX];
    size_t count = control_piled(control, fleet, pile), allowable = 0;
    for (size_t i = 0; i < count; i++)
        allowable += !pile[i]->cut;
    return allowable;
}

void decide_pile(struct control *control, const struct fleet *fleet, const struct request *lead)
{
    control->pile_count = 0;
    control->pile_opened++;
    for (size_t i = 0; i < fleet->request_count && control->pile_count < PILE_MAX; i++)
        if (fleet->requests[i]->lead == lead)
            memcpy(control->pile[control->pile_count++], fleet->requests[i]->id, FLEET_ID_MAX);
}

/* All of it has been in view long enough; else says so. */
static bool pile_armed(struct control *control, const struct control_view *view)
{
    struct request *pile[PILE_MAX];
    size_t count = control_piled(control, view->fleet, pile);
    for (size_t i = 0; i < count; i++)
        if (!fleet_armed(pile[i], view->typed_after)) {
            control_note(control, view->now, false,
                         "not yet: read all of them first, to the end (the key was not taken)");
            return false;
        }
    return true;
}

static void pile_act(struct control *control, const struct control_view *view, enum action action,
                     struct order *order)
{
    if (action == ACTION_ALLOW_RULE || action == ACTION_DENY_RULE) {
        control_note(
            control, view->now, false, "%s",
            keys_say(KEYS_LIST, "a rule is made of one request: {go} goes to the first").text);
    } else if (!pile_armed(control, view)) {
        return;
    } else if (action == ACTION_DENY) {
        order->kind = ORDER_DENY;
        order->many = true;
        memcpy(order->id, control->pile[0], FLEET_ID_MAX);
    } else if (control_allowable(control, view->fleet) > 0) {
        control_open_prompt(control, PROMPT_ALLOW_PILE, "");
    } else {
        control_note(control, view->now, false,
                     "each of these is longer than what is shown: decide them one by one");
    }
}

bool decide_act(struct control *control, const struct control_view *view, enum action action,
                struct order *order)
{
    struct request *request;
    if (action == ACTION_UNDO) {
        order->kind = ORDER_UNDO;
        return true;
    }
    if (action != ACTION_ALLOW && action != ACTION_DENY && action != ACTION_ALLOW_RULE &&
        action != ACTION_DENY_RULE)
        return false;
    if (control->list == LIST_PILE) {
        pile_act(control, view, action, order);
        return true;
    }
    if (control->list == LIST_HELP || control->list == LIST_ALERTS || control->list == LIST_FLEET ||
        !(request = armed(control, view)))
        return true;
    if (action == ACTION_ALLOW_RULE || action == ACTION_DENY_RULE) {
        menu_open(&control->menu, request, action == ACTION_DENY_RULE);
        return true;
    }
    order->kind = action == ACTION_ALLOW ? ORDER_ALLOW : ORDER_DENY;
    memcpy(order->id, request->id, FLEET_ID_MAX);
    memcpy(control->decided, order->id, FLEET_ID_MAX);
    return true;
}

void decide_menu_key(struct control *control, const struct control_view *view,
                     const struct chord *chord, struct order *order)
{
    struct menu *menu = &control->menu;
    const char *note;
    enum menu_outcome outcome = menu_key(menu, view->details, chord, view->typed_after, &note);
    if (note)
        control_note(control, view->now, false, "%.240s", note);
    if (outcome == MENU_STAYS)
        return;
    menu->open = false;
    if (outcome == MENU_LEAVES)
        return;
    order->kind = menu->deny ? ORDER_DENY : ORDER_ALLOW;
    memcpy(order->id, menu->request, sizeof(order->id));
    memcpy(control->decided, order->id, FLEET_ID_MAX);
    order->remember = menu_remembers(menu);
    order->scope = order->remember ? (enum rule_scope)menu->scope : SCOPE_SANDBOX;
    order->seconds = menu_seconds(menu);
    if (menu->deny)
        memcpy(order->text, menu->reason.text, sizeof(order->text));
}

/* ---- going to what waits ---- */

/* A sandbox of this session that asks this, preferably the selected one. */
static size_t asker(const struct control *control, const struct fleet *fleet,
                    const struct request *request)
{
    if (request_asks(request, control->selected))
        return control->selected_index;
    for (size_t i = 0; i < request->asker_count; i++) {
        size_t index = fleet_index(fleet, request->askers[i]);
        if (index < fleet->count)
            return index;
    }
    return fleet->count;
}

/* From a request of the list on, to the first whose sandbox is here. False: there is none. */
static bool go_to_request(struct control *control, struct fleet *fleet, size_t from)
{
    for (size_t i = from; i < fleet->request_count; i++) {
        struct request *request = fleet->requests[i];
        size_t index = asker(control, fleet, request);
        if (index == fleet->count || request->pile == 0)
            continue; /* a pile is one place to go to */
        fleet_face(fleet, fleet->sandboxes[index]->id, request);
        control_select(control, fleet, index);
        memcpy(control->tour, request->id, sizeof(control->tour));
        return true;
    }
    return false;
}

/* To who needs the human most but has no request, among those behind `after` in that order. */
static bool go_to_call(struct control *control, const struct fleet *fleet,
                       const struct sandbox *after)
{
    const struct sandbox *best = NULL;
    for (size_t i = 0; i < fleet->count; i++) {
        const struct sandbox *sandbox = fleet->sandboxes[i];
        bool calls = state_needs(sandbox->doing.doing) && sandbox->doing.doing != DOING_VERDICT;
        if (!calls || sandbox == after ||
            (after && state_compare(&after->doing, &sandbox->doing) > 0))
            continue;
        if (!best || state_compare(&sandbox->doing, &best->doing) < 0)
            best = sandbox;
    }
    if (!best)
        return false;
    control_select(control, fleet, fleet_index(fleet, best->id));
    memcpy(control->tour, best->id, sizeof(control->tour));
    return true;
}

void decide_next(struct control *control, const struct control_view *view)
{
    struct fleet *fleet = view->fleet;
    /* The first one; pressed again, or when the selected pane shows that already, the next: first
     * all requests, then who waits for input or is stuck, then round. */
    size_t count, start = 0;
    const struct request *here = fleet_request(fleet, control->selected, &count);
    if (here)
        here = here->lead;
    const struct sandbox *selected = fleet_find(fleet, control->selected);
    for (size_t i = 0; here && i < fleet->request_count; i++)
        if (fleet->requests[i] == here && (i == 0 || strcmp(control->tour, here->id) == 0))
            start = i + 1;
    bool calls = selected && !here && state_needs(selected->doing.doing);
    bool touring = calls && strcmp(control->tour, control->selected) == 0;
    if ((touring || !go_to_request(control, fleet, start)) &&
        !go_to_call(control, fleet, calls ? selected : NULL) && !go_to_request(control, fleet, 0) &&
        !go_to_call(control, fleet, NULL))
        control_note(control, view->now, false, "nobody waits for you");
}

/* ---- what became of it ---- */

static void say_gone(struct control *control, const struct fleet *fleet, const char *id,
                     const char *what, uint64_t now)
{
    const char *became = "it is no longer open";
    if (strcmp(control->decided, id) == 0)
        return;
    bool known = strcmp(fleet->past.id, id) == 0;
    if (known && strcmp(fleet->past.outcome, "allow") == 0)
        became = "it was allowed";
    else if (known && strcmp(fleet->past.outcome, "deny") == 0)
        became = "it was denied";
    else if (known)
        became = "who asked does not wait any more";
    bool by = known && fleet->past.by[0];
    control_note(control, now, false, "the %s is closed: %s%s%s", what, became, by ? " by " : "",
                 by ? fleet->past.by : "");
}

/* What was on screen here, and another client has decided. */
static void say_decided(struct control *control, const struct fleet *fleet, uint64_t now)
{
    bool allowed = strcmp(fleet->past.outcome, "allow") == 0;
    if (strcmp(control->past, fleet->past.id) == 0)
        return;
    memcpy(control->past, fleet->past.id, FLEET_ID_MAX);
    if (!fleet->past.seen || !fleet->past.by[0] || strcmp(control->decided, fleet->past.id) == 0 ||
        (!allowed && strcmp(fleet->past.outcome, "deny") != 0))
        return;
    control_note(control, now, false, "%s by %s: %s, %s", allowed ? "allowed" : "denied",
                 fleet->past.by, fleet->past.sandbox, fleet->past.title);
}

void decide_sync(struct control *control, const struct fleet *fleet, uint64_t now)
{
    struct menu *menu = &control->menu;
    bool said = false;
    say_decided(control, fleet, now);
    if (menu->open) {
        const struct request *request = fleet_request_find(fleet, menu->request);
        if (!request) {
            menu->open = false;
            said = true;
            say_gone(control, fleet, menu->request, "menu", now);
        } else if (!menu->high && request->risk == RISK_HIGH) {
            menu->open = false;
            control_note(control, now, true, "the menu is closed: its request is of high risk now");
        }
    }
    if (control->list == LIST_CARD && !fleet_request_find(fleet, control->list_id)) {
        if (!said)
            say_gone(control, fleet, control->list_id, "card", now);
        list_close(control);
        list_sync(control, fleet);
    }
    if (control->list == LIST_PILE && !control_request(control, fleet)) {
        if (control->prompt == PROMPT_ALLOW_PILE)
            control->prompt = PROMPT_NONE;
        list_close(control);
        list_sync(control, fleet);
    }
}
