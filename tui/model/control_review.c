#include <stdio.h>
#include <string.h>

#include "tui/keymap.h"
#include "tui/model/control_parts.h"

/* The review takes all keys while it is open. */

bool control_take_target(struct control *control, const struct control_view *view)
{
    size_t index = fleet_index(view->fleet, control_target(control));
    if (index == view->fleet->count) {
        control_note(control, view->now, false, "no sandbox is selected: %s starts one",
                     keys_first(0, ACTION_FORM).text);
        return false;
    }
    control_select(control, view->fleet, index);
    control->list = LIST_NONE;
    return true;
}

void control_review_open(struct control *control, const struct control_view *view,
                         struct order *order)
{
    if (!control_take_target(control, view))
        return;
    review_open(&control->review, control->selected);
    order->kind = ORDER_DIFF;
    memcpy(order->id, control->selected, FLEET_ID_MAX);
}

static void again(struct control *control, struct order *order)
{
    char id[FLEET_ID_MAX];
    memcpy(id, control->review.id, sizeof(id));
    review_open(&control->review, id);
    order->kind = ORDER_DIFF;
    memcpy(order->id, id, FLEET_ID_MAX);
}

static void ask(struct control *control, const struct control_view *view, enum action action)
{
    const struct sandbox *sandbox = fleet_find(view->fleet, control->review.id);
    if (!sandbox || !control_allowed(control, view, action))
        return;
    if (action == ACTION_REVIEW_COMMENT && !sandbox_alive(sandbox))
        control_note(control, view->now, true, "%s has ended: nobody reads comments there",
                     sandbox->name);
    else
        control_open_prompt(control, action == ACTION_REVIEW_PULL ? PROMPT_PULL : PROMPT_COMMENT,
                            "");
}

void control_review_key(struct control *control, const struct control_view *view,
                        const struct chord *chord, struct order *order)
{
    struct review *review = &control->review;
    review_fit(review, view->layout->bar.row, view->layout->bar.cols);
    switch (review_key(review, chord)) {
    case REVIEW_LEAVES:
        review_close(review);
        break;
    case REVIEW_RELOADS:
        again(control, order);
        break;
    case REVIEW_PULLS:
        ask(control, view, ACTION_REVIEW_PULL);
        break;
    case REVIEW_COMMENTS:
        ask(control, view, ACTION_REVIEW_COMMENT);
        break;
    case REVIEW_HELPS:
        list_help(control, view, KEYS_REVIEWING);
        break;
    case REVIEW_NARROW:
        control_note(control, view->now, false, "two sides need %d columns more",
                     REVIEW_SPLIT_COLS - review->screen_cols);
        break;
    default:
        break;
    }
}

bool control_review_comment(struct control *control, const struct control_view *view,
                            struct order *order)
{
    char place[REVIEW_PLACE_MAX];
    review_place(&control->review, place);
    if (strlen(place) + 2 + control->line.size >= sizeof(order->text)) {
        control_note(
            control, view->now, true, "too long: a comment has at most %zu bytes here",
            strlen(place) + 3 < sizeof(order->text) ? sizeof(order->text) - strlen(place) - 3 : 0);
        return false;
    }
    memcpy(order->text, place, strlen(place));
    snprintf(order->text + strlen(place), sizeof(order->text) - strlen(place), ": %s",
             control->line.text);
    order->kind = ORDER_SEND;
    memcpy(order->id, control->subject, FLEET_ID_MAX);
    control->prompt = PROMPT_NONE;
    return true;
}

void control_review_sync(struct control *control, const struct fleet *fleet, uint64_t now)
{
    struct review *review = &control->review;
    if (!review->open || strcmp(review->id, control->selected) == 0)
        return;
    if (!fleet_find(fleet, review->id))
        control_note(control, now, true, "the sandbox whose work was looked at is gone");
    review_close(review);
}
