#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

#define LABEL 10 /* columns */

/* All about one sandbox; above all what it does, who says so, and since when. */
struct about {
    struct view *view;
    struct rect inside;
    int row;
};

static void say(struct about *about, const char *label, enum theme_role role, const char *text)
{
    struct paint *paint = &about->view->paint;
    struct style dim = paint_style(paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    struct style style = paint_style(paint, role, ROLE_BACKGROUND, 0);
    const struct rect *inside = &about->inside;
    struct rect room = {about->row, inside->col + LABEL, 1, inside->cols - LABEL};
    bool whole;
    if (!text[0] || about->row >= inside->row + inside->rows)
        return;
    paint_text(paint, about->row, inside->col, LABEL, label, &dim);
    about->row = box_wrapped(about->view, about->row, inside->row + inside->rows, &room, text,
                             &style, &whole);
}

static void say_state(struct about *about, const struct sandbox *sandbox, double wall)
{
    char word[FORMAT_MAX], age[FORMAT_MAX], text[120];
    sandbox_state_text(sandbox, false, word);
    sandbox_state_age(sandbox, wall, age);
    snprintf(text, sizeof(text), "%s %s%s%s",
             sandbox_state_glyph(sandbox, !about->view->paint.facts.utf8), word,
             age[0] ? ", for " : "", age);
    say(about, "state", state_role(sandbox), text);
    say(about, "because", ROLE_FOREGROUND, state_evidence(sandbox->doing.evidence));
    say(about, "it says", ROLE_FOREGROUND, sandbox->agent_text);
    say(about, "error", ROLE_STATE_LOST, sandbox->error);
    if (!sandbox->link_up && sandbox_alive(sandbox))
        say(about, "link", ROLE_STATE_LOST, "down: its monitor does not hear the shim");
}

static void say_figures(struct about *about, const struct sandbox *sandbox)
{
    const struct figures *figures = &sandbox->figures;
    char one[FORMAT_MAX], other[FORMAT_MAX], text[160];
    if (sandbox_alive(sandbox)) {
        char pids[FORMAT_MAX];
        format_percent(one, figures->cpu);
        format_bytes(other, figures->memory);
        format_count(pids, figures->pids);
        snprintf(text, sizeof(text), "cpu %s, memory %s, %s processes", one, other, pids);
        say(about, "uses", ROLE_FOREGROUND, text);
    }
    format_bytes(one, figures->net_in);
    format_bytes(other, figures->net_out);
    snprintf(text, sizeof(text), "in %s, out %s", one, other);
    say(about, "network", ROLE_FOREGROUND, text);
    format_bytes(one, sandbox->limit_memory);
    format_count(other, sandbox->limit_pids);
    snprintf(text, sizeof(text), "memory %s, cpus %.1f, processes %s (0: none)", one,
             (double)sandbox->limit_millicpus / 1000, other);
    say(about, "limits", ROLE_FOREGROUND, text);
}

void view_about_paint(struct view *view, const struct view_input *input)
{
    const struct sandbox *sandbox = fleet_find(input->fleet, input->control->list_id);
    char age[FORMAT_MAX], text[80];
    if (!sandbox)
        return;
    int cols = input->cols < 34 ? input->cols : input->cols - 4 < 84 ? input->cols - 4 : 84;
    struct rect inside = box_paint(view, input, input->rows - 3 < 18 ? input->rows - 3 : 18, cols,
                                   sandbox->name, keys_say(KEYS_LIST, "{close} close").text);
    struct about about = {view, inside, inside.row};
    view->list_rows = inside.rows;
    say_state(&about, sandbox, input->wall);
    struct pen pen = {&view->paint, about.row, inside.col + LABEL, inside.col + inside.cols};
    if (about.row < inside.row + inside.rows && inside.cols > LABEL + 10) {
        say(&about, "10 minutes", ROLE_DIM, " ");
        strip_put(&pen, sandbox, ROLE_BACKGROUND);
    }
    say_figures(&about, sandbox);
    format_age(age, input->wall - sandbox->created);
    snprintf(text, sizeof(text), "%s, wall %s", age, sandbox->driver);
    say(&about, "age", ROLE_FOREGROUND, text);
    if (sandbox->alerts > 0) {
        snprintf(text, sizeof(text), "%u not acknowledged: ! lists them", sandbox->alerts);
        say(&about, "alerts", ROLE_ALERT_WARNING, text);
    }
    say(&about, "title", ROLE_FOREGROUND, sandbox->title);
    say(&about, "project", ROLE_FOREGROUND, sandbox->project);
    say(&about, "command", ROLE_FOREGROUND, sandbox->command);
}
