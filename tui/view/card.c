#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

/* What stands behind name and state, from what must be there to what may. */
static void put_figures(struct pen *pen, const struct sandbox *sandbox, const struct style *dim)
{
    char cpu[FORMAT_MAX], memory[FORMAT_MAX], text[80];
    bool alive = sandbox_alive(sandbox);
    format_percent(cpu, sandbox->figures.cpu);
    format_bytes(memory, sandbox->figures.memory);
    snprintf(text, sizeof(text), "%5s %5s ", alive ? cpu : "", alive ? memory : "");
    if (pen->end - pen->col >= 12)
        pen_put(pen, dim, text);
}

/* The request that waits, else the last line; returns the row from which lines above it are read.
 */
static int put_news(struct pen *pen, const struct view_input *input, const struct sandbox *sandbox,
                    const struct style *state, const struct style *dim)
{
    char text[REQUEST_TITLE_MAX + 2];
    bool ascii = !pen->paint->facts.utf8;
    size_t waiting;
    const struct request *request = fleet_request(input->fleet, sandbox->id, &waiting);
    struct view_pane *pane = input->pane(input->owner, sandbox->id);
    int row = -1;
    if (request) {
        struct style chip = request_chip(pen->paint, request);
        snprintf(text, sizeof(text), " %s %s ", request_glyph(request, ascii),
                 request_class(request));
        pen_put(pen, &chip, text);
        snprintf(text, sizeof(text), " %s", request->title);
        row = pane && pane->screen.drawn ? pane->screen.rows : -1;
    } else if (pane && pane->screen.drawn) {
        row = screen_line_above(&pane->screen, pane->screen.rows, text, sizeof(text));
    } else {
        snprintf(text, sizeof(text), "%s", sandbox->command);
    }
    pen_put(pen, request ? state : dim, text);
    return row;
}

/* The newest line stands last, as in the pane. */
static void paint_lines(struct view *view, const struct view_input *input,
                        const struct sandbox *sandbox, const struct rect *rect,
                        const struct style *state, const struct style *dim)
{
    struct view_pane *pane = input->pane(input->owner, sandbox->id);
    struct pen pen = {&view->paint, rect->row + rect->rows - 1, rect->col + 3,
                      rect->col + rect->cols - 1};
    int row = put_news(&pen, input, sandbox, state, dim);
    for (int line = rect->rows - 2; line > 0 && row > 0; line--) {
        char text[1200];
        row = screen_line_above(&pane->screen, row, text, sizeof(text));
        pen =
            (struct pen){&view->paint, rect->row + line, rect->col + 3, rect->col + rect->cols - 1};
        pen_put(&pen, dim, text);
    }
}

/* Of the alerts in narrow cards: none or the same in all, so that states stand below each other. */
static int alert_columns(const struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        if (fleet->sandboxes[i]->alerts > 0)
            return 4;
    return 1;
}

void view_card_paint(struct view *view, const struct view_input *input, size_t index,
                     const struct rect *rect)
{
    struct paint *paint = &view->paint;
    const struct sandbox *sandbox = input->fleet->sandboxes[index];
    bool selected = index == input->control->selected_index, ascii = !paint->facts.utf8;
    enum theme_role ground = selected ? ROLE_CURSOR_LINE : ROLE_BACKGROUND;
    struct style dim = paint_style(paint, ROLE_DIM, ground, 0);
    struct style name = paint_style(paint, ROLE_TITLE, ground, BJ_ATTR_BOLD);
    struct style state = paint_style(paint, state_role(sandbox), ground,
                                     state_needs(sandbox->doing.doing) ? BJ_ATTR_BOLD : 0);
    struct style mark = paint_style(paint, ROLE_BORDER_SELECTED, ground, BJ_ATTR_BOLD);
    int severity = fleet_severity(input->fleet, sandbox->id);
    struct style alert = paint_style(paint, severity_role(severity), ground, BJ_ATTR_BOLD);
    struct style heard = paint_style(paint, ROLE_MODE_TEXT, ROLE_MODE_FOCUS, BJ_ATTR_BOLD);
    char word[FORMAT_MAX], since[FORMAT_MAX], text[80], label[SANDBOX_LABEL_MAX];
    paint_fill(paint, rect, " ", &dim);
    sandbox_state_text(sandbox, true, word);
    sandbox_state_age(sandbox, input->wall, since);
    for (int row = 0; selected && row < rect->rows; row++)
        paint_text(paint, rect->row + row, rect->col, 1, ascii ? ">" : "▌", &mark);

    struct pen pen = {paint, rect->row, rect->col + 1, rect->col + rect->cols};
    bool hears = control_broadcasts(input->control, sandbox->id);
    pen_put(&pen, &mark, mark_glyph(sandbox, ascii));
    snprintf(text, sizeof(text), "%s ", sandbox_state_glyph(sandbox, ascii));
    pen_put(&pen, &state, text);
    sandbox_label(input->fleet, sandbox, label);
    char alerts[24] = "";
    if (sandbox->alerts > 0)
        snprintf(alerts, sizeof(alerts), "%s%u ", severity_glyph(severity, ascii), sandbox->alerts);
    box_column(&pen, &name, label,
               rect->cols >= 60 ? 17 : rect->cols - 20 - alert_columns(input->fleet));
    snprintf(text, sizeof(text), "%s %s", word, since);
    box_column(&pen, hears ? &heard : &state, hears ? "BROADCAST" : text, 15);
    pen.end--;
    pen_put(&pen, &alert, alerts);
    put_figures(&pen, sandbox, &dim);
    if (rect->rows > 1)
        paint_lines(view, input, sandbox, rect, &state, &dim);
    else if (pen.end - pen.col >= 8)
        put_news(&pen, input, sandbox, &state, &dim);
    struct view_pane *pane = input->pane(input->owner, sandbox->id);
    if (pane && pane->state == PANE_LIVE)
        pane->acknowledge = pane->screen.frame;
}

const char *mark_glyph(const struct sandbox *sandbox, bool ascii)
{
    if (sandbox->marked)
        return ascii ? "+" : "✓";
    return !sandbox->pinned ? " " : ascii ? "^" : "▴";
}

void view_projects_paint(struct view *view, const struct view_input *input)
{
    struct paint *paint = &view->paint;
    const struct fleet *fleet = input->fleet;
    const struct rect *rect = &input->layout->projects;
    struct style blank = paint_style(paint, ROLE_BAR_DIM, ROLE_BAR, 0);
    struct style here = paint_style(paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style need = paint_style(paint, ROLE_STATE_WAITING, ROLE_BAR, BJ_ATTR_BOLD);
    struct fleet_tab tabs[FLEET_TABS_MAX];
    size_t count = fleet_tabs(fleet, tabs), at = 0;
    char text[FLEET_TITLE_MAX + 32];
    paint_fill(paint, rect, " ", &blank);
    while (at < count && strcmp(tabs[at].project, fleet->tab) != 0)
        at++;
    struct pen pen = {paint, rect->row, rect->col, rect->col + rect->cols};
    snprintf(text, sizeof(text), " all %zu ", fleet->count);
    pen_put(&pen, &blank, text);
    hit_add(view, HIT_PROJECT, 0, rect->row, rect->col, pen.col - rect->col);
    /* Begins so that this one is inside: tabs take at most 24 columns. */
    size_t room = (size_t)(rect->cols / 24 > 0 ? rect->cols / 24 : 1);
    for (size_t i = at + 1 > room ? at + 1 - room : 0; i < count; i++) {
        char fitted[32];
        int from = pen.col;
        text_fit(fitted, sizeof(fitted), fleet_project_name(tabs[i].project), 14,
                 !paint->facts.utf8);
        snprintf(text, sizeof(text), " %s %zu ", fitted, tabs[i].count);
        pen_put(&pen, i == at ? &here : &blank, text);
        snprintf(text, sizeof(text), "%s%zu ", state_glyph(tabs[i].doing, !paint->facts.utf8),
                 tabs[i].need);
        if (tabs[i].need > 0)
            pen_put(&pen, &need, text);
        hit_add(view, HIT_PROJECT, i + 1, rect->row, from, pen.col - from);
    }
}

/* The name in a tab, at most 16 columns of it, with its mark. */
static void tab_name(const struct sandbox *sandbox, bool ascii, char out[FLEET_SHOWN_MAX + 8])
{
    char fitted[FLEET_SHOWN_MAX + 4];
    text_fit(fitted, sizeof(fitted), sandbox->name, 16, ascii);
    snprintf(out, FLEET_SHOWN_MAX + 8, " %s%s ", sandbox->marked ? mark_glyph(sandbox, ascii) : "",
             fitted);
}

/* Where the tabs begin so that the selected one is inside, and as many of those before as fit. */
static size_t first_tab(const struct fleet *fleet, size_t selected, int columns, bool ascii)
{
    size_t first = selected;
    for (size_t i = selected + 1; i-- > 0 && i < fleet->shown;) {
        char name[FLEET_SHOWN_MAX + 8];
        tab_name(fleet->sandboxes[i], ascii, name);
        columns -= text_width(name) + (i < 9 ? 4 : 2);
        if (columns < 0)
            break;
        first = i;
    }
    return first;
}

void view_tabs_paint(struct view *view, const struct view_input *input)
{
    struct paint *paint = &view->paint;
    const struct fleet *fleet = input->fleet;
    bool ascii = !paint->facts.utf8;
    const struct rect *rect = &input->layout->tabs;
    struct style blank = paint_style(paint, ROLE_BAR_DIM, ROLE_BAR, 0);
    paint_fill(paint, rect, " ", &blank);
    size_t selected = input->control->selected_index;
    size_t first = first_tab(fleet, selected, rect->cols - 1, ascii);
    struct pen pen = {paint, rect->row, rect->col, rect->col + rect->cols};
    if (first > 0)
        pen_put(&pen, &blank, ascii ? "<" : "‹");
    for (size_t i = first; i < fleet->shown && pen.col + 6 < pen.end; i++) {
        const struct sandbox *sandbox = fleet->sandboxes[i];
        bool here = i == selected;
        int from = pen.col;
        enum theme_role ground = here ? ROLE_BACKGROUND : ROLE_BAR;
        struct style name =
            paint_style(paint, here ? ROLE_TITLE : ROLE_BAR_DIM, ground, here ? BJ_ATTR_BOLD : 0);
        struct style state = paint_style(paint, state_role(sandbox), ground, BJ_ATTR_BOLD);
        char text[FLEET_SHOWN_MAX + 8];
        snprintf(text, sizeof(text), i < 9 ? " %zu " : " ", i + 1);
        pen_put(&pen, &name, text);
        pen_put(&pen, &state, sandbox_state_glyph(sandbox, ascii));
        tab_name(sandbox, ascii, text);
        pen_put(&pen, &name, text);
        hit_add(view, HIT_TAB, i, rect->row, from, pen.col - from);
    }
}
