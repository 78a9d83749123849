#include <stdio.h>
#include <string.h>

#include "tui/model/control_parts.h"

/* What takes all keys while it is open. False: nothing is. */
static bool overlay_key(struct control *control, const struct control_view *view,
                        const struct chord *chord, struct order *order)
{
    if (control->prompt != PROMPT_NONE)
        control_prompt_key(control, view, chord, order);
    else if (control->menu.open)
        decide_menu_key(control, view, chord, order);
    else if (control->form.open)
        control_form_key(control, chord, order);
    else if (control->palette.open)
        control_palette_key(control, view, chord, order);
    else if (control->copy.open)
        control_copy_key(control, view, chord, order);
    else if (control->review.open && control->list == LIST_NONE)
        control_review_key(control, view, chord, order);
    else if (control->player.open && control->list == LIST_NONE)
        control_replay_key(control, view, chord, order);
    else
        return false;
    return true;
}

static void focus_key(struct control *control, const struct control_view *view,
                      const struct chord *chord, struct order *order)
{
    const struct sandbox *sandbox = fleet_find(view->fleet, control->selected);
    if (sandbox && !sandbox_alive(sandbox)) {
        control_note(control, view->now, false, "%s has ended; %s comes back to supervising",
                     sandbox->name, keys_way_out(&control->prefix).text);
        return;
    }
    order->kind = ORDER_KEY;
    order->chord = *chord;
}

/* The prefix alone: between focus and supervise mode. Twice it goes to the agent. */
static void prefix_key(struct control *control, const struct control_view *view,
                       const struct chord *chord, struct order *order)
{
    if (control->mode == CONTROL_FOCUS) {
        control->mode = CONTROL_SUPERVISE;
        control->prefix_at = view->now;
        return;
    }
    bool twice = control->prefix_at != 0 && view->now - control->prefix_at < CONTROL_DOUBLE_MS;
    control->list = LIST_NONE;
    control_act(control, view, ACTION_FOCUS, order);
    if (twice && control->mode == CONTROL_FOCUS) {
        order->kind = ORDER_KEY;
        order->chord = *chord;
    }
    control->prefix_at = 0;
}

/* The key behind a prefix that has keys of its own, as in tmux. */
static void behind_prefix(struct control *control, const struct control_view *view,
                          const struct chord *chord, struct order *order)
{
    enum action action = keys_find_at(KEYS_PREFIX, chord, &control->nth);
    bool focus = control->mode == CONTROL_FOCUS;
    control->prefix_waits = false;
    if (keys_equal(chord, &control->prefix)) { /* twice */
        if (focus)
            focus_key(control, view, chord, order);
        else
            control_act(control, view, ACTION_FOCUS, order);
        return;
    }
    if (action == ACTION_NONE) {
        char name[40], prefix[40];
        keys_name(chord, name, sizeof(name));
        keys_name(&control->prefix, prefix, sizeof(prefix));
        control_note(control, view->now, false, "%s %s is bound to nothing: %s %s lists all keys",
                     prefix, name, prefix, keys_first(KEYS_PREFIX, ACTION_HELP).text);
        return;
    }
    control->mode = CONTROL_SUPERVISE;
    control->returns = focus && action != ACTION_SUPERVISE && action != ACTION_WAITING;
    control_act(control, view, action, order);
}

bool control_has_open(const struct control *control)
{
    return control->list != LIST_NONE || control->prompt != PROMPT_NONE || control->menu.open ||
           control->form.open || control->palette.open || control->copy.open ||
           control->review.open || control->player.open;
}

/* Focus mode comes back once everything that was opened from it is closed. */
static void return_to_focus(struct control *control, const struct control_view *view)
{
    if (!control->returns || control_has_open(control))
        return;
    const struct sandbox *sandbox = fleet_find(view->fleet, control->selected);
    control->returns = false;
    /* With a prefix that waits for a key, focus goes on over panes that have ended, too. */
    if (sandbox && (sandbox_alive(sandbox) || keys_prefixed()) && !view->readonly)
        control->mode = CONTROL_FOCUS;
}

void control_key(struct control *control, const struct control_view *view,
                 const struct chord *chord, struct order *order)
{
    control->returns &=
        control_has_open(control); /* else it was closed by what happened, not here */
    if (digest_key(&control->digest, chord))
        ; /* it closed the card, no more */
    else if (control->prefix_waits)
        behind_prefix(control, view, chord, order);
    else if (overlay_key(control, view, chord, order))
        ;
    else if (control->mode == CONTROL_BROADCAST)
        control_broadcast_key(control, view, chord, order);
    else if (keys_equal(chord, &control->prefix) && keys_prefixed())
        control->prefix_waits = true;
    else if (keys_equal(chord, &control->prefix))
        prefix_key(control, view, chord, order);
    else if (control->mode == CONTROL_FOCUS)
        focus_key(control, view, chord, order);
    else if (control->list != LIST_NONE)
        list_action(control, view, keys_find_at(KEYS_LIST, chord, &control->nth), order);
    else
        control_act(control, view, keys_find_at(KEYS_SUPERVISE, chord, &control->nth), order);
    if (!keys_equal(chord, &control->prefix))
        control->prefix_at = 0;
    return_to_focus(control, view);
}
