#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

#define QUESTION_MOST  2048 /* bytes */
#define QUESTION_LEAST 64

/* ---- alerts ---- */

static void paint_alerts(struct view *view, const struct view_input *input)
{
    const struct fleet *fleet = input->fleet;
    struct paint *paint = &view->paint;
    int cols = input->cols - 4 < 110 ? input->cols - 4 : 110;
    struct rect inside = box_paint(
        view, input, input->rows - 3, cols < 30 ? input->cols : cols, "Alerts, newest first",
        keys_say(KEYS_LIST,
                 "{acknowledge} acknowledge  {acknowledge all} all  {go} go there  {close} close")
            .text);
    if (fleet->alert_count == 0) {
        box_say(view, &inside, "No alerts.");
        return;
    }
    size_t at = input->control->list_at;
    size_t top = box_keep_inside(view, at, fleet->alert_count, inside.rows - 3);
    for (int i = 0; i < inside.rows - 3 && top + (size_t)i < fleet->alert_count; i++) {
        const struct alert *alert = fleet->alerts[fleet->alert_count - 1 - top - (size_t)i];
        bool selected = top + (size_t)i == at;
        enum theme_role ground = selected ? ROLE_CURSOR_LINE : ROLE_BACKGROUND;
        enum theme_role role = alert->acknowledged ? ROLE_DIM : severity_role(alert->severity);
        struct style mark = paint_style(paint, role, ground, BJ_ATTR_BOLD);
        struct style dim = paint_style(paint, ROLE_DIM, ground, 0);
        struct style text =
            paint_style(paint, alert->acknowledged ? ROLE_DIM : ROLE_TITLE, ground, 0);
        struct rect line = {inside.row + i, inside.col, 1, inside.cols};
        char part[FLEET_SHOWN_MAX + 48], age[FORMAT_MAX];
        format_age(age, input->wall - alert->last);
        paint_fill(paint, &line, " ", &text);
        hit_add(view, HIT_ROW, top + (size_t)i, line.row, line.col, line.cols);
        struct pen pen = {paint, line.row, line.col, line.col + line.cols};
        snprintf(part, sizeof(part), "%s %-8s ",
                 alert->acknowledged ? " " : severity_glyph(alert->severity, !paint->facts.utf8),
                 severity_word(alert->severity));
        pen_put(&pen, &mark, part);
        snprintf(part, sizeof(part), "%5s  %s  ", age, alert->sandbox);
        pen_put(&pen, &dim, part);
        if (alert->count > 1) {
            snprintf(part, sizeof(part), "%llux ", (unsigned long long)alert->count);
            pen_put(&pen, &dim, part);
        }
        pen_put(&pen, &text, alert->text);
    }
    const struct alert *alert = fleet->alerts[fleet->alert_count - 1 - at];
    struct style text = paint_style(paint, ROLE_TITLE, ROLE_BACKGROUND, 0);
    bool whole;
    box_wrapped(view, inside.row + inside.rows - 2, inside.row + inside.rows, &inside, alert->text,
                &text, &whole);
}

void view_list_paint(struct view *view, const struct view_input *input)
{
    switch (input->control->list) {
    case LIST_REQUESTS:
        view_inbox_paint(view, input);
        break;
    case LIST_ALERTS:
        paint_alerts(view, input);
        break;
    case LIST_HELP:
        view_help_paint(view, input);
        break;
    case LIST_FLEET:
        view_fleet_paint(view, input);
        break;
    case LIST_ABOUT:
        view_about_paint(view, input);
        break;
    case LIST_CLIENTS:
        view_clients_paint(view, input);
        break;
    case LIST_OUTPUT:
        view_output_paint(view, input);
        break;
    case LIST_CARD:
        view_details_paint(view, input);
        break;
    case LIST_PILE:
        view_pile_paint(view, input);
        break;
    default:
        view->list_top = 0;
        break;
    }
}

/* ---- prompts ---- */

void view_line_paint(struct view *view, const struct line *line, const struct rect *inside)
{
    struct style text = paint_style(&view->paint, ROLE_TITLE, ROLE_CURSOR_LINE, 0);
    struct rect field = {inside->row, inside->col, 1, inside->cols};
    paint_fill(&view->paint, &field, " ", &text);
    /* Shows the end that has the cursor. */
    char before[LINE_MAX_BYTES];
    memcpy(before, line->text, line->cursor);
    before[line->cursor] = '\0';
    const char *from = line->text;
    int width = text_width(before);
    while (width >= inside->cols) {
        const char *next = from;
        width -= text_columns(text_next(&next, NULL));
        from = next;
    }
    paint_text(&view->paint, inside->row, inside->col, inside->cols, from, &text);
    view->cursor_row = inside->row;
    view->cursor_col = inside->col + width;
    view->cursor_shape = 3;
    view->cursor_blink = true;
}

#define YES_OR_NO "{yes} yes  other keys no"
#define DO_IT     "{line enter} do it  {line leave} close"

/* All of where it leads, or it cannot be answered. */
static void paint_target(struct view *view, const struct view_input *input)
{
    const struct target *target = &input->control->target;
    struct style text = paint_style(&view->paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style dim = paint_style(&view->paint, ROLE_ALERT_WARNING, ROLE_BACKGROUND, 0);
    int cols = input->cols - 4 < 100 ? input->cols - 4 : 100;
    int lines = text_lines(target->text, cols - 4) + (target->words[0] ? 2 : 0);
    struct rect inside = box_paint(view, input, lines + 4, cols, "Open this outside?",
                                   keys_say(KEYS_QUESTION, YES_OR_NO).text);
    int end = inside.row + inside.rows;
    bool noted = true;
    if (target->words[0] && inside.rows > 2) {
        struct style words = paint_style(&view->paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
        struct style arrow = paint_style(&view->paint, ROLE_DIM, ROLE_BACKGROUND, 0);
        paint_text(&view->paint, inside.row++, inside.col, inside.cols, target->words, &words);
        paint_text(&view->paint, inside.row++, inside.col, inside.cols,
                   view->paint.facts.utf8 ? "→ leads to" : "-> leads to", &arrow);
        inside.rows -= 2;
    }
    int row = box_wrapped(view, inside.row, end, &inside, target->text, &text, &view->prompt_whole);
    if (!view->prompt_whole)
        paint_text(&view->paint, end - 1, inside.col, inside.cols,
                   "too long to be shown whole: it cannot be opened here", &dim);
    else if (target->note[0])
        box_wrapped(view, row + 1, end, &inside, target->note, &dim, &noted);
    view->prompt_whole &= noted;
}

/* The question wrapped, as much of it as there is room for. One about many names fewer of them
 * where there is less. Returns its lines. */
static int fit_question(const struct view_input *input, int cols, int most, char *out, size_t size)
{
    bool many = input->control->prompt >= PROMPT_PAUSE_MANY;
    int lines;
    do {
        control_question(input->control, input->fleet, out, size);
        lines = text_lines(out, cols);
        size = size * 3 / 4;
    } while (many && lines > most && size > QUESTION_LEAST);
    return lines;
}

void view_prompt_paint(struct view *view, const struct view_input *input)
{
    const struct control *control = input->control;
    if (control->prompt == PROMPT_NONE || control->prompt == PROMPT_FILTER)
        return; /* the filter's line is in the list */
    if (control->prompt == PROMPT_OPEN) {
        paint_target(view, input);
        return;
    }
    char question[QUESTION_MOST];
    bool line = control_prompt_is_line(control->prompt);
    int cols = input->cols < 34 ? input->cols : input->cols - 4 < 72 ? input->cols - 4 : 72;
    int lines = fit_question(input, cols - 4, input->rows - 3 - line, question, sizeof(question));
    bool above = line && text_width(question) + 6 <= cols; /* in the border */
    struct rect inside =
        box_paint(view, input, (above ? 0 : lines) + line + 2, cols,
                  above  ? question
                  : line ? ""
                         : "Are you sure?",
                  line ? keys_say(KEYS_LINE, DO_IT).text : keys_say(KEYS_QUESTION, YES_OR_NO).text);
    int end = inside.row + inside.rows - line;
    struct style text = paint_style(&view->paint, ROLE_TITLE, ROLE_BACKGROUND, 0);
    view->prompt_whole = true;
    if (!above)
        box_wrapped(view, inside.row, end, &inside, question, &text, &view->prompt_whole);
    if (line) {
        struct rect field = {end, inside.col, 1, inside.cols};
        view_line_paint(view, &control->line, &field);
    }
}
