#include <stdio.h>
#include <string.h>

#include "tui/model/control_parts.h"

/* Copy mode and the form, which take all keys while they are open. */

void control_copy_open(struct control *control, const struct control_view *view,
                       struct order *order)
{
    if (!fleet_find(view->fleet, control->selected))
        return;
    /* Zoomed it will have room, if it is selected only now. */
    if (control->layout != LAYOUT_ZOOM && !layout_pane(view->layout, control->selected_index)) {
        control_note(control, view->now, false, "no room for its text here: %s shows it alone",
                     keys_first(0, ACTION_ZOOM).text);
        return;
    }
    copy_open(&control->copy, control->selected);
    order->kind = ORDER_CAPTURE;
    memcpy(order->id, control->selected, FLEET_ID_MAX);
}

/* Nothing is opened before the human has seen where it leads, and said so. */
static void open_here(struct control *control, const struct control_view *view, struct order *order)
{
    struct bj_error error = {0};
    char word[TARGET_MAX], words[TARGET_WORDS_MAX];
    int status;
    if (copy_link(&control->copy, word, sizeof(word), words, sizeof(words))) {
        status = target_link(&control->target, word, words, &error);
    } else if (copy_word(&control->copy, word, sizeof(word))) {
        status = target_read(&control->target, word, &error);
    } else {
        control_note(control, view->now, false, "nothing here that could be opened");
        return;
    }
    if (status < 0) {
        control_note(control, view->now, true, "%.240s", error.text);
        return;
    }
    if (!control->target.path)
        control_open_prompt(control, PROMPT_OPEN, "");
    else
        order->kind = ORDER_LOCATE;
    memcpy(order->id, control->copy.id, sizeof(order->id));
}

static void room_of(const struct control *control, const struct control_view *view, int *rows,
                    int *cols)
{
    const struct rect *rect = layout_pane(view->layout, control->selected_index);
    *rows = rect ? rect->rows - 2 : 1;
    *cols = rect ? rect->cols - 2 : 1;
}

bool control_copy_paste(struct control *control, const struct control_view *view,
                        const struct input *input)
{
    int rows, cols;
    room_of(control, view, &rows, &cols);
    return copy_paste(&control->copy, input->text, input->size, rows, cols);
}

void control_copy_key(struct control *control, const struct control_view *view,
                      const struct chord *chord, struct order *order)
{
    struct copy *copy = &control->copy;
    int rows, cols;
    room_of(control, view, &rows, &cols);
    switch (copy_key(copy, chord, rows, cols)) {
    case COPY_LEAVES:
        copy_close(copy);
        break;
    case COPY_TAKES:
        order->kind = ORDER_COPY;
        memcpy(order->id, copy->id, sizeof(order->id));
        break;
    case COPY_OPENS:
        open_here(control, view, order);
        break;
    case COPY_SAVES:
        control_open_prompt(control, PROMPT_SAVE, "");
        break;
    default:
        break;
    }
}

void control_copy_sync(struct control *control, const struct fleet *fleet)
{
    if (control->copy.open &&
        (strcmp(control->copy.id, control->selected) != 0 || !fleet_find(fleet, control->copy.id)))
        copy_close(&control->copy);
}

void control_form_open(struct control *control, const struct control_view *view, bool like)
{
    const struct sandbox *sandbox = fleet_find(view->fleet, control_target(control));
    struct bj_error error = {0};
    if (!like)
        form_open(&control->form);
    else if (!sandbox)
        control_note(control, view->now, false, "no sandbox is selected: %s starts a new one",
                     keys_first(0, ACTION_FORM).text);
    else if (form_like(&control->form, sandbox, view->fleet, &error) < 0)
        control_note(control, view->now, true, "%.240s", error.text);
}

void control_form_key(struct control *control, const struct chord *chord, struct order *order)
{
    enum form_outcome outcome = form_key(&control->form, chord);
    if (outcome == FORM_SUBMITS)
        order->kind = ORDER_START;
    else if (outcome == FORM_COMPLETES)
        order->kind = ORDER_COMPLETE;
}
