#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tui/model/control_parts.h"
#include "tui/model/help.h"

size_t control_list_rows(const struct control *control, const struct fleet *fleet)
{
    switch (control->list) {
    case LIST_REQUESTS:
        return fleet_rows(fleet);
    case LIST_ALERTS:
        return fleet->alert_count;
    case LIST_FLEET:
        return control->roster.count;
    case LIST_CLIENTS:
        return fleet->crowd.count;
    case LIST_HELP:
        return help_rows(NULL);
    default:
        return 0;
    }
}

/* It has lines that are scrolled, and no selected row. */
static bool is_text(enum control_list list)
{
    return list == LIST_HELP || list == LIST_CARD || list == LIST_PILE || list == LIST_OUTPUT;
}

/* The cursor is on a request, not on a row. */
static void remember_row(struct control *control, const struct fleet *fleet)
{
    const struct request *request = fleet_row(fleet, control->list_at);
    snprintf(control->list_id, sizeof(control->list_id), "%s", request ? request->id : "");
}

/* A card is of the request that is shown, else of the sandbox. False: there is neither. */
static bool card_of(struct control *control, const struct control_view *view,
                    enum control_list *list)
{
    const struct request *request = control_request(control, view->fleet);
    const struct sandbox *sandbox = fleet_find(view->fleet, control_target(control));
    if (control->list == LIST_ABOUT || control->list == LIST_PILE) {
        list_close(control);
        return false;
    }
    if (!request && (!sandbox || control->list == LIST_REQUESTS || control->list == LIST_ALERTS ||
                     control->list == LIST_CLIENTS)) {
        control_note(control, view->now, false, "nothing here to look at");
        return false;
    }
    bool pile = control->list == LIST_REQUESTS && request->pile > 1;
    control->list_before = control->list;
    *list = pile ? LIST_PILE : request ? LIST_CARD : LIST_ABOUT;
    if (pile)
        decide_pile(control, view->fleet, request);
    memcpy(control->list_id, request ? request->id : sandbox->id, sizeof(control->list_id));
    return true;
}

void list_open(struct control *control, const struct control_view *view, enum control_list list)
{
    if (control->list == list) {
        list_close(control);
        return;
    }
    if (list == LIST_CARD && !card_of(control, view, &list))
        return;
    control->list = list;
    control->list_at = 0;
    if (list == LIST_REQUESTS)
        remember_row(control, view->fleet);
    if (list == LIST_FLEET)
        roster_put(&control->roster, view->fleet, control->selected);
}

void list_help(struct control *control, const struct control_view *view, enum key_group group)
{
    struct help_row rows[HELP_ROWS_MAX];
    size_t count = help_rows(rows);
    list_open(control, view, LIST_HELP);
    while (control->list_at < count && rows[control->list_at].action->group != group)
        control->list_at++;
}

void list_close(struct control *control)
{
    bool back =
        control->list == LIST_CARD || control->list == LIST_PILE || control->list == LIST_ABOUT;
    control->list = back ? control->list_before : LIST_NONE;
    control->list_at = 0; /* list_sync finds the row of list_id */
}

void list_sync(struct control *control, const struct fleet *fleet)
{
    if (control->list == LIST_FLEET) {
        roster_make(&control->roster, fleet);
        return;
    }
    size_t rows = control_list_rows(control, fleet);
    if (control->list == LIST_ABOUT && !fleet_find(fleet, control->list_id))
        list_close(control);
    if (is_text(control->list) || control->list == LIST_ABOUT)
        return; /* the view knows where they end */
    if (control->list == LIST_REQUESTS) {
        size_t row = fleet_row_of(fleet, control->list_id);
        control->list_at = row < rows ? row : control->list_at;
    }
    if (control->list_at >= rows)
        control->list_at = rows ? rows - 1 : 0;
    if (control->list == LIST_REQUESTS)
        remember_row(control, fleet);
}

static const char *list_sandbox(const struct control *control, const struct fleet *fleet)
{
    const struct request *request = control_request(control, fleet);
    if (control->list == LIST_FLEET)
        return control->roster.at_id;
    if (request && control->list != LIST_NONE)
        return request->sandbox_id;
    if (control->list == LIST_ALERTS && control->list_at < fleet->alert_count)
        return fleet->alerts[fleet->alert_count - 1 - control->list_at]->sandbox_id;
    if (control->list == LIST_CLIENTS && control->list_at < fleet->crowd.count)
        return fleet->crowd.list[control->list_at].sandbox_id;
    return "";
}

void list_move(struct control *control, const struct control_view *view, int64_t by)
{
    if (control->list == LIST_FLEET) {
        roster_move(&control->roster, view->fleet, by);
        return;
    }
    int64_t rows = (int64_t)control_list_rows(control, view->fleet);
    if (is_text(control->list)) /* what moves is the first line */
        rows = (int64_t)view->card_last + 1;
    int64_t from = (int64_t)control->list_at, at = (from < rows ? from : rows - 1) + by;
    control->list_at = (size_t)(at >= rows ? (rows > 0 ? rows - 1 : 0) : at < 0 ? 0 : at);
    if (control->list == LIST_REQUESTS)
        remember_row(control, view->fleet);
}

/* The list stays when there is nowhere to go. */
static void go_there(struct control *control, const struct control_view *view)
{
    struct request *request = control_request(control, view->fleet);
    const char *id = list_sandbox(control, view->fleet);
    size_t index = fleet_index(view->fleet, id);
    const struct sandbox *other = fleet_find_elsewhere(view->fleet, id);
    if (index < view->fleet->count) {
        if (request)
            fleet_face(view->fleet, id, request);
        control_select(control, view->fleet, index);
        control->list = LIST_NONE;
    } else if (other) {
        control_note(control, view->now, false, "%s is in another session: belljar attach %s",
                     other->name, other->session);
    } else if (control_list_rows(control, view->fleet) > 0) {
        control_note(control, view->now, false, "no sandbox to go to");
    }
}

void list_action(struct control *control, const struct control_view *view, enum action action,
                 struct order *order)
{
    int page = view->page > 1 ? view->page - 1 : 1;
    if (!control_allowed(control, view, action) || decide_act(control, view, action, order))
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
        list_move(control, view, INT_MIN);
        break;
    case ACTION_SCROLL_LIVE:
        list_move(control, view, INT_MAX);
        break;
    case ACTION_GO:
        go_there(control, view);
        break;
    case ACTION_ACKNOWLEDGE:
    case ACTION_ACKNOWLEDGE_ALL:
        if (control->list != LIST_ALERTS || view->fleet->alert_count == 0)
            break;
        order->kind = action == ACTION_ACKNOWLEDGE ? ORDER_ACKNOWLEDGE : ORDER_ACKNOWLEDGE_ALL;
        snprintf(order->id, sizeof(order->id), "%s", list_sandbox(control, view->fleet));
        break;
    case ACTION_CLOSE:
        list_close(control);
        break;
    case ACTION_PAUSE:
    case ACTION_KILL:
    case ACTION_REMOVE:
    case ACTION_RENAME:
    case ACTION_AGAIN:
    case ACTION_LIKE:
    case ACTION_REVIEW:
    case ACTION_REPLAY:
        if (control->list == LIST_FLEET)
            control_act(control, view, action, order);
        break;
    case ACTION_BROADCAST:
    case ACTION_REMOVE_ENDED:
        control_ask_many(control, view, action);
        break;
    case ACTION_PIN:
    case ACTION_MARK:
    case ACTION_MARK_HERE:
    case ACTION_MARK_ALL:
    case ACTION_SORT_NEXT:
    case ACTION_SORT_PREVIOUS:
    case ACTION_SORT_REVERSE:
        if (control->list == LIST_FLEET)
            control_fleet_look(control, view, action);
        break;
    default:
        control_look(control, view, action); /* r, !, i, l and ? change the list */
    }
}
