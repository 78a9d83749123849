#include <stdio.h>
#include <string.h>

#include "tui/model/control_parts.h"

#define MORE_BYTES 24 /* of " and N more" */

/* ---- which sandboxes an action means ---- */

const char *control_target(const struct control *control)
{
    return control->list == LIST_FLEET ? control->roster.at_id : control->selected;
}

size_t control_marked(const struct fleet *fleet)
{
    size_t count = 0;
    for (size_t i = 0; i < fleet->count; i++)
        count += fleet->sandboxes[i]->marked;
    return count;
}

static bool fits(const struct sandbox *sandbox, enum control_prompt prompt)
{
    switch (prompt) {
    case PROMPT_PAUSE_MANY:
    case PROMPT_BROADCAST:
        return sandbox_alive(sandbox) && sandbox->state != SANDBOX_PAUSED;
    case PROMPT_RESUME_MANY:
        return sandbox->state == SANDBOX_PAUSED;
    case PROMPT_KILL_MANY:
        return sandbox_alive(sandbox);
    default:
        return !sandbox_alive(sandbox);
    }
}

static size_t collect(struct control *control, const struct fleet *fleet,
                      enum control_prompt prompt)
{
    control->target_count = 0;
    for (size_t i = 0; i < fleet->count; i++)
        if ((fleet->sandboxes[i]->marked || prompt == PROMPT_REMOVE_ENDED) &&
            fits(fleet->sandboxes[i], prompt))
            memcpy(control->targets[control->target_count++], fleet->sandboxes[i]->id,
                   FLEET_ID_MAX);
    return control->target_count;
}

bool control_ask_many(struct control *control, const struct control_view *view, enum action action)
{
    static const char *const none[] = {
        [PROMPT_RESUME_MANY] = "none of the marked ones can be paused or resumed",
        [PROMPT_KILL_MANY] = "none of the marked ones runs",
        [PROMPT_REMOVE_MANY] = "none of the marked ones has ended: {kill} kills them first",
        [PROMPT_BROADCAST] =
            "mark those first that are to hear it: {mark} marks one, {mark all} all",
        [PROMPT_REMOVE_ENDED] = "no sandbox has ended",
    };
    enum control_prompt prompt = action == ACTION_PAUSE          ? PROMPT_PAUSE_MANY
                                 : action == ACTION_RESUME       ? PROMPT_RESUME_MANY
                                 : action == ACTION_KILL         ? PROMPT_KILL_MANY
                                 : action == ACTION_REMOVE       ? PROMPT_REMOVE_MANY
                                 : action == ACTION_BROADCAST    ? PROMPT_BROADCAST
                                 : action == ACTION_REMOVE_ENDED ? PROMPT_REMOVE_ENDED
                                                                 : PROMPT_NONE;
    bool marks = prompt != PROMPT_BROADCAST && prompt != PROMPT_REMOVE_ENDED;
    if (prompt == PROMPT_NONE || (marks && (control->named || control_marked(view->fleet) == 0)))
        return false;
    size_t count = collect(control, view->fleet, prompt);
    if (count == 0 && prompt == PROMPT_PAUSE_MANY)
        count = collect(control, view->fleet, prompt = PROMPT_RESUME_MANY);
    if (count == 0)
        control_note(control, view->now, false, "%s", keys_say(0, none[prompt]).text);
    else
        control_open_prompt(control, prompt, "");
    return true;
}

void control_question_many(const struct control *control, const struct fleet *fleet, char *out,
                           size_t size)
{
    static const char *const verbs[] = {
        [PROMPT_PAUSE_MANY] = "Pause",    [PROMPT_RESUME_MANY] = "Resume",
        [PROMPT_KILL_MANY] = "Kill",      [PROMPT_REMOVE_MANY] = "Remove with all files",
        [PROMPT_BROADCAST] = "Type into", [PROMPT_REMOVE_ENDED] = "Remove with all files"};
    const char *which = control->prompt == PROMPT_REMOVE_ENDED ? "exited" : "marked";
    size_t count = control->target_count;
    int used = snprintf(out, size, "%s %zu %s: ", verbs[control->prompt], count, which);
    for (size_t i = 0; i < count && used >= 0 && (size_t)used < size; i++) {
        const struct sandbox *sandbox = fleet_find(fleet, control->targets[i]);
        const char *name = sandbox ? sandbox->name : "(gone)";
        size_t left = i + 1 < count ? MORE_BYTES : 0;
        if ((size_t)used + strlen(name) + 3 + left > size) {
            if (i > 0)
                snprintf(out + used, size - (size_t)used, " and %zu more", count - i);
            break;
        }
        used += snprintf(out + used, size - (size_t)used, "%s%s", i > 0 ? ", " : "", name);
    }
}

/* ---- typing into many ---- */

bool control_broadcasts(const struct control *control, const char *id)
{
    for (size_t i = 0; control->mode == CONTROL_BROADCAST && i < control->target_count; i++)
        if (strcmp(control->targets[i], id) == 0)
            return true;
    return false;
}

void control_broadcast_key(struct control *control, const struct control_view *view,
                           const struct chord *chord, struct order *order)
{
    if (keys_equal(chord, &control->prefix)) {
        control->mode = CONTROL_SUPERVISE;
        control_note(control, view->now, false, "no longer typing into %zu panes",
                     control->target_count);
        return;
    }
    order->kind = ORDER_KEY;
    order->chord = *chord;
    order->many = true;
}

void control_broadcast_sync(struct control *control, const struct fleet *fleet)
{
    bool any = false;
    for (size_t i = 0; i < control->target_count && !any; i++) {
        const struct sandbox *sandbox = fleet_find(fleet, control->targets[i]);
        any = sandbox && sandbox_alive(sandbox);
    }
    if (control->mode == CONTROL_BROADCAST && !any)
        control->mode = CONTROL_SUPERVISE;
}

static void mark(struct control *control, const struct control_view *view)
{
    struct sandbox *sandbox = fleet_find(view->fleet, control_target(control));
    if (!sandbox)
        return;
    sandbox->marked = !sandbox->marked;
    if (control->list == LIST_FLEET)
        roster_move(&control->roster, view->fleet, 1);
}

/* Marks all (of the list: all that it shows), or clears all marks when there are any. */
static void mark_all(struct control *control, const struct control_view *view)
{
    struct fleet *fleet = view->fleet;
    bool any = control_marked(fleet) > 0;
    for (size_t i = 0; i < fleet->count; i++)
        fleet->sandboxes[i]->marked =
            !any && (control->list != LIST_FLEET ||
                     roster_matches(fleet->sandboxes[i], control->roster.filter));
}

/* ---- the list ---- */

void control_filter(struct control *control, const struct fleet *fleet)
{
    snprintf(control->roster.filter, sizeof(control->roster.filter), "%.*s", ROSTER_FILTER_MAX - 1,
             control->line.text);
    roster_make(&control->roster, fleet);
}

/* The selection goes along to the tab, to its first one when it is of another. */
static void change_tab(struct control *control, const struct control_view *view, int by)
{
    struct fleet *fleet = view->fleet;
    if (!fleet_tab_move(fleet, by)) {
        control_note(control, view->now, false, "all sandboxes are of one project: no tabs");
        return;
    }
    size_t index = fleet_index(fleet, control->selected);
    control_select(control, fleet, index < fleet->shown ? index : 0);
}

bool control_fleet_look(struct control *control, const struct control_view *view,
                        enum action action)
{
    struct roster *roster = &control->roster;
    switch (action) {
    case ACTION_LIST:
        list_open(control, view, LIST_FLEET);
        return true;
    case ACTION_FILTER:
        if (control->list != LIST_FLEET)
            list_open(control, view, LIST_FLEET);
        control_open_prompt(control, PROMPT_FILTER, roster->filter);
        return true;
    case ACTION_SORT_NEXT:
    case ACTION_SORT_PREVIOUS:
        roster_sort(roster, action == ACTION_SORT_NEXT ? 1 : -1);
        break;
    case ACTION_SORT_REVERSE:
        roster->reversed = !roster->reversed;
        break;
    case ACTION_MARK:
    case ACTION_MARK_HERE:
        mark(control, view);
        return true;
    case ACTION_MARK_ALL:
        mark_all(control, view);
        return true;
    case ACTION_PIN:
        if (fleet_find(view->fleet, control_target(control)))
            fleet_pin(view->fleet, fleet_find(view->fleet, control_target(control)));
        return true;
    case ACTION_ORDER:
        control_note(control, view->now, false, "%s", fleet_order_by(view->fleet));
        return true;
    case ACTION_TAB_NEXT:
    case ACTION_TAB_PREVIOUS:
        change_tab(control, view, action == ACTION_TAB_NEXT ? 1 : -1);
        return true;
    default:
        return false;
    }
    roster_make(roster, view->fleet);
    return true;
}
