#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tui/model/control_parts.h"

/* Takes the first word of *text that is the name of a sandbox of this session, and selects it.
 * False, with a note: there is none. */
static bool take_sandbox(struct control *control, const struct control_view *view,
                         const char **text)
{
    size_t size = strcspn(*text, " ");
    for (size_t i = 0; i < view->fleet->count; i++) {
        const char *name = view->fleet->sandboxes[i]->name;
        if (strlen(name) != size || strncmp(name, *text, size) != 0)
            continue;
        control_select(control, view->fleet, i);
        *text += size;
        *text += strspn(*text, " ");
        return true;
    }
    control_note(control, view->now, true, "no sandbox of this session is called %.*s", (int)size,
                 *text);
    return false;
}

/* Its output is shown in a box. */
static void show_output(struct control *control, const struct control_view *view,
                        const struct palette_command *command, struct order *order)
{
    const struct sandbox *sandbox = fleet_find(view->fleet, control->selected);
    bool about = command->takes == PALETTE_SANDBOX;
    if (about && !sandbox) {
        control_note(control, view->now, false, "no sandbox is selected");
        return;
    }
    char title[sizeof(control->output.words)];
    snprintf(title, sizeof(title), "%s%s%s", command->shows, about ? " " : "",
             about ? sandbox->name : "");
    output_begin(&control->output, title);
    list_open(control, view, LIST_OUTPUT);
    if (control->output.newest)
        control->list_at = INT_MAX;
    order->kind = ORDER_OUTPUT;
    snprintf(order->text, sizeof(order->text), "%s", command->shows);
    memcpy(order->id, about ? sandbox->id : "", about ? FLEET_ID_MAX : 1);
}

static void rename_to(struct control *control, const char *name, struct order *order)
{
    order->kind = ORDER_RENAME;
    memcpy(order->id, control->selected, FLEET_ID_MAX);
    snprintf(order->text, sizeof(order->text), "%s", name);
}

static void run_hit(struct control *control, const struct control_view *view,
                    const struct palette_hit *hit, const char *argument, struct order *order)
{
    enum palette_takes takes = hit->command ? hit->command->takes : PALETTE_NOTHING;
    char words[LINE_MAX_BYTES];
    snprintf(words, sizeof(words), "%s", argument);
    for (size_t size = strlen(words); size > 0 && words[size - 1] == ' '; size--)
        words[size - 1] = '\0';
    argument = words;
    if (hit->action == ACTION_NONE && !hit->command->shows) {
        control_note(control, view->now, false, "%s", hit->help);
        control_note_long(control, view->now);
        return;
    }
    if (hit->action != ACTION_NONE && !control_allowed(control, view, hit->action))
        return;
    if (*argument && takes == PALETTE_LINE) {
        order->kind = ORDER_RUN;
        snprintf(order->text, sizeof(order->text), "%s", argument);
        return;
    }
    size_t before = control->selected_index;
    control->named = *argument && takes != PALETTE_NOTHING;
    if (control->named && !take_sandbox(control, view, &argument))
        return;
    if (*argument && takes == PALETTE_RENAMES && !strchr(argument, ' '))
        rename_to(control, argument, order);
    else if (*argument) {
        control_note(control, view->now, true, "%s%s: \"%s\" is too much here", hit->name,
                     control->named ? " takes one sandbox" : " takes no words", argument);
        control_select(control, view->fleet, before);
    } else if (hit->action == ACTION_NONE)
        show_output(control, view, hit->command, order);
    else
        control_act(control, view, hit->action, order);
}

void control_palette_key(struct control *control, const struct control_view *view,
                         const struct chord *chord, struct order *order)
{
    struct palette *palette = &control->palette;
    switch (palette_key(palette, chord)) {
    case PALETTE_RUNS:
        run_hit(control, view, &palette->hit[palette->at], palette->argument, order);
        control->named = false;
        break;
    case PALETTE_UNSURE:
        control_note(control, view->now, false,
                     palette->count ? keys_say(KEYS_LINE, "no command begins so: choose one with "
                                                          "{line up} and {line down}")
                                          .text
                                    : "no command fits");
        break;
    default:
        break;
    }
}
