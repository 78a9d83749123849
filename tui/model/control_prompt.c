#include <stdio.h>
#include <string.h>

#include "tui/model/control_parts.h"

void control_open_prompt(struct control *control, enum control_prompt prompt, const char *text)
{
    control->prompt = prompt;
    control->prompt_seen = false;
    memcpy(control->subject, control_target(control), FLEET_ID_MAX);
    line_set(&control->line, text);
}

void control_open_question(struct control *control, enum control_prompt prompt)
{
    control_open_prompt(control, prompt, "");
}

bool control_prompt_is_line(enum control_prompt prompt)
{
    return prompt == PROMPT_RUN || prompt == PROMPT_RENAME || prompt == PROMPT_FILTER ||
           prompt == PROMPT_SAVE || prompt == PROMPT_EXPORT || prompt == PROMPT_COMMENT;
}

void control_question(const struct control *control, const struct fleet *fleet, char *out,
                      size_t size)
{
    const struct sandbox *sandbox = fleet_find(fleet, control->subject);
    const char *name = sandbox ? sandbox->name : "?";
    char place[REVIEW_PLACE_MAX];
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
        snprintf(out, size, "New sandbox: [-n NAME] [--project DIR] [COMMAND]");
        break;
    case PROMPT_SAVE:
        snprintf(out, size, "Save the selection to a new file");
        break;
    case PROMPT_EXPORT:
        snprintf(out, size, "Export to a new file; as text when it ends in .txt");
        break;
    case PROMPT_PULL:
        snprintf(out, size,
                 "Pull the work of %s as the branch belljar/%s (of a plain folder: as the new "
                 "directory ./%s)?",
                 name, name, name);
        break;
    case PROMPT_COMMENT:
        review_place(&control->review, place);
        snprintf(out, size, "Tell %s about %s", name, place);
        break;
    case PROMPT_OPEN:
        snprintf(out, size, "Open %s ?", control->target.text);
        break;
    case PROMPT_RENAME:
        snprintf(out, size, "New name of %s", name);
        break;
    case PROMPT_ALLOW_PILE:
        snprintf(out, size, "Allow these %zu, each of them once?",
                 control_allowable(control, fleet));
        break;
    case PROMPT_PAUSE_MANY:
    case PROMPT_RESUME_MANY:
    case PROMPT_KILL_MANY:
    case PROMPT_REMOVE_MANY:
    case PROMPT_BROADCAST:
    case PROMPT_REMOVE_ENDED:
        control_question_many(control, fleet, out, size);
        break;
    default:
        out[0] = '\0';
    }
}

static void prompt_done(struct control *control, struct order *order)
{
    static const enum order_kind orders[] = {
        [PROMPT_KILL] = ORDER_KILL,          [PROMPT_REMOVE] = ORDER_REMOVE,
        [PROMPT_DETACH] = ORDER_DETACH,      [PROMPT_RUN] = ORDER_RUN,
        [PROMPT_RENAME] = ORDER_RENAME,      [PROMPT_SAVE] = ORDER_SAVE,
        [PROMPT_PULL] = ORDER_PULL,          [PROMPT_PAUSE_MANY] = ORDER_PAUSE,
        [PROMPT_RESUME_MANY] = ORDER_RESUME, [PROMPT_KILL_MANY] = ORDER_KILL,
        [PROMPT_REMOVE_MANY] = ORDER_REMOVE, [PROMPT_REMOVE_ENDED] = ORDER_REMOVE,
        [PROMPT_BROADCAST] = ORDER_NONE,     [PROMPT_OPEN] = ORDER_OPEN,
        [PROMPT_EXPORT] = ORDER_EXPORT,      [PROMPT_ALLOW_PILE] = ORDER_ALLOW,
    };
    if (control->prompt == PROMPT_BROADCAST) {
        control->mode = CONTROL_BROADCAST;
        control->list = LIST_NONE;
        if (control->layout == LAYOUT_ZOOM) /* nobody types into what he does not see */
            control->layout = control->before_zoom;
    }
    order->kind = orders[control->prompt];
    order->many = control->prompt >= PROMPT_PAUSE_MANY;
    memcpy(order->id, control->subject, FLEET_ID_MAX);
    memcpy(order->text, control->line.text, sizeof(order->text));
    control->prompt = PROMPT_NONE;
}

/* The list follows every key; leaving shows all again. */
static void filter_key(struct control *control, const struct control_view *view,
                       const struct chord *chord)
{
    enum action action = keys_find(KEYS_LINE, chord);
    if (action == ACTION_LINE_LEAVE)
        line_set(&control->line, "");
    if (action == ACTION_LINE_LEAVE || action == ACTION_LINE_ENTER)
        control->prompt = PROMPT_NONE;
    else if (action == ACTION_LINE_UP || action == ACTION_LINE_DOWN)
        list_move(control, view, action == ACTION_LINE_UP ? -1 : 1);
    else
        line_key(&control->line, chord);
    control_filter(control, view->fleet);
}

static void line_prompt_key(struct control *control, const struct control_view *view,
                            const struct chord *chord, struct order *order)
{
    enum action action = keys_find(KEYS_LINE, chord);
    bool done =
        action == ACTION_LINE_ENTER && (control->line.size > 0 || control->prompt == PROMPT_RUN);
    if (action == ACTION_LINE_LEAVE)
        control->prompt = PROMPT_NONE;
    else if (done && control->prompt == PROMPT_COMMENT)
        control_review_comment(control, view, order);
    else if (done)
        prompt_done(control, order);
    else
        line_key(&control->line, chord);
}

static void question_key(struct control *control, const struct control_view *view,
                         const struct chord *chord, struct order *order)
{
    if (keys_find(KEYS_QUESTION, chord) != ACTION_YES)
        control->prompt = PROMPT_NONE;
    else if (!control->prompt_seen)
        control_note(control, view->now, true, "not yet: read the whole question first");
    else
        prompt_done(control, order);
}

void control_prompt_key(struct control *control, const struct control_view *view,
                        const struct chord *chord, struct order *order)
{
    if (control->prompt == PROMPT_FILTER)
        filter_key(control, view, chord);
    else if (control_prompt_is_line(control->prompt))
        line_prompt_key(control, view, chord, order);
    else
        question_key(control, view, chord, order);
}

void control_prompt_paste(struct control *control, const struct control_view *view,
                          const struct input *input)
{
    line_insert(&control->line, input->text, input->size);
    if (control->prompt == PROMPT_FILTER)
        control_filter(control, view->fleet);
}
