#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

static void paint_request_row(struct view *view, const struct view_input *input,
                              const struct request *request, const struct rect *inside, int row,
                              bool selected)
{
    static const enum theme_role risks[] = {ROLE_DIM, ROLE_STATE_WAITING, ROLE_STATE_LOST};
    struct paint *paint = &view->paint;
    enum theme_role ground = selected ? ROLE_CURSOR_LINE : ROLE_BACKGROUND;
    struct style text = paint_style(paint, ROLE_TITLE, ground, selected ? BJ_ATTR_BOLD : 0);
    struct style chip = request_chip(paint, request);
    struct style risk = paint_style(paint, risks[request->risk], ground, BJ_ATTR_BOLD);
    struct style dim = paint_style(paint, ROLE_DIM, ground, 0);
    struct rect line = {row, inside->col, 1, inside->cols};
    bool wide = inside->cols > 80, narrow = inside->cols < 56, ascii = !paint->facts.utf8;
    char words[160], age[FORMAT_MAX];
    paint_fill(paint, &line, " ", &text);
    format_age(age, input->wall - request->created);
    struct pen pen = {paint, row, inside->col, inside->col + inside->cols};
    pen_put(&pen, &text, selected ? ascii ? ">" : "▌" : " ");
    snprintf(words, sizeof(words), "%s%s", risk_glyph(request->risk, ascii), wide ? " " : "");
    pen_put(&pen, &risk, words);
    if (wide)
        box_column(&pen, &risk, risk_word(request->risk), 7);
    pen_put(&pen, &text, " ");
    snprintf(words, sizeof(words), " %s %-8s ", request_glyph(request, ascii),
             request_class(request));
    pen_put(&pen, &chip, words);
    snprintf(words, sizeof(words), "%5s ", age);
    pen_put(&pen, &dim, words);
    snprintf(words, sizeof(words), ascii ? "x%llu" : "×%llu", (unsigned long long)request->count);
    if (!narrow || request->count > 1)
        box_column(&pen, &risk, request->count > 1 ? words : "", request->count > 99 ? 5 : 4);
    if (!narrow)
        box_column(&pen, &dim, request->sandbox, wide ? 16 : 10);
    if (request->pile > 1) {
        snprintf(words, sizeof(words), "%zu requests: ", request->pile);
        pen_put(&pen, &risk, words);
    } else if (wide) {
        box_column(&pen, &dim, request->kind, 8);
    }
    pen_put(&pen, &text, request->title);
}

/* A pile's first titles, a line each, and how all of it is shown. */
static void paint_pile_below(struct view *view, const struct fleet *fleet,
                             const struct request *lead, int row, const struct rect *inside)
{
    struct style text = paint_style(&view->paint, ROLE_TITLE, ROLE_BACKGROUND, 0);
    struct style bold = paint_style(&view->paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    int end = inside->row + inside->rows;
    char words[FLEET_SHOWN_MAX + 200];
    size_t left = lead->pile;
    bool whole;
    snprintf(
        words, sizeof(words), "%zu requests of %s: %s", lead->pile, lead->sandbox,
        keys_say(KEYS_LIST, "{details} shows all, to decide them together; {go} one by one").text);
    row = box_wrapped(view, row, end, inside, words, &bold, &whole);
    for (size_t i = 0; i < fleet->request_count && row < end; i++) {
        const struct request *request = fleet->requests[i];
        if (request->lead != lead)
            continue;
        bool cut = row == end - 1 && left > 1;
        snprintf(words, sizeof(words), "... and %zu more", left);
        paint_text(&view->paint, row++, inside->col, inside->cols, cut ? words : request->title,
                   &text);
        left--;
    }
}

/* The selected row stays where it is on screen when others come or go above it. */
static void anchor(struct view *view, const struct control *control)
{
    bool same = strcmp(view->inbox.id, control->list_id) == 0;
    if (same && control->list_at > view->inbox.at)
        view->list_top += control->list_at - view->inbox.at;
    else if (same && view->inbox.at - control->list_at <= view->list_top)
        view->list_top -= view->inbox.at - control->list_at;
    memcpy(view->inbox.id, control->list_id, sizeof(view->inbox.id));
    view->inbox.at = control->list_at;
}

/* What the row cannot show: who, the whole title, the detail. True when the title is there as a
 * whole. */
static bool paint_below(struct view *view, const struct request *request, int row,
                        const struct rect *inside)
{
    struct style text = paint_style(&view->paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style dim = paint_style(&view->paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    int end = inside->row + inside->rows;
    bool whole, subject_whole = true, detail_whole = true;
    row = box_wrapped(view, row, end, inside, request->title, &text, &whole);
    if (request->subject[0] && strcmp(request->subject, request->title) != 0)
        row = box_wrapped(view, row, end, inside, request->subject, &text, &subject_whole);
    if (request->why[0] && row < end)
        row = box_wrapped(view, row, end, inside, request->why, &dim, &detail_whole);
    if (request->detail && row < end)
        row = box_wrapped(view, row, end, inside, request->detail, &dim, &detail_whole);
    if (request->detail_left > 0 && row < end) {
        char words[80];
        snprintf(words, sizeof(words), "(cut: %zu byte%s more)", request->detail_left,
                 request->detail_left == 1 ? "" : "s");
        paint_text(&view->paint, row, inside->col, inside->cols, words, &dim);
    }
    return whole && subject_whole && !request->cut;
}

/* Rows that paint_below would take, at most `most`. */
static int below_rows(const struct request *request, int columns, int most)
{
    int rows = text_lines(request->title, columns);
    if (strcmp(request->subject, request->title) != 0)
        rows += text_lines(request->subject, columns);
    rows += text_lines(request->why, columns);
    if (request->detail && rows < most)
        rows += text_lines(request->detail, columns) + (request->detail_left > 0 ? 1 : 0);
    return rows < most ? rows : most;
}

void view_inbox_paint(struct view *view, const struct view_input *input)
{
    struct fleet *fleet = input->fleet;
    const struct control *control = input->control;
    int cols = box_columns(input, 120);
    char title[60];
    snprintf(title, sizeof(title), "Requests: %zu, highest risk first", fleet->request_count);
    size_t at = control->list_at, count = fleet_rows(fleet);
    struct request *request = fleet_row(fleet, at);
    const char *keys =
        !request     ? "{close} close"
        : cols <= 70 ? "{allow} {allow --rule} {deny} {deny --rule}  {details} details  {close}"
        : request->pile > 1 ? "{details} all of them  {go} one by one  {close} close"
                            : "{allow} once  {allow --rule} remember  {deny} deny  {details} "
                              "details  {go} go there  {close} close";
    struct rect inside =
        box_paint(view, input, input->rows - 3, cols, title, keys_say(KEYS_LIST, keys).text);
    if (!request) {
        box_say(view, &inside, "Nothing waits for you.");
        return;
    }
    /* The selected one is shown whole below the list, whose height does not depend on it. */
    int below = inside.rows / 2;
    if ((int)count + 1 + below < inside.rows)
        below = inside.rows - 1 - (int)count;
    int least = below_rows(request, inside.cols, inside.rows - 2);
    if (below < least && text_lines(request->title, inside.cols) > below)
        below = least; /* a verdict needs its whole title */
    int rows = inside.rows - below - 1;
    rows = rows < 1 ? 1 : rows;
    anchor(view, control);
    size_t top = box_keep_inside(view, at, count, rows);
    for (int i = 0; i < rows && top + (size_t)i < count; i++) {
        hit_add(view, HIT_ROW, top + (size_t)i, inside.row + i, inside.col, inside.cols);
        paint_request_row(view, input, fleet_row(fleet, top + (size_t)i), &inside, inside.row + i,
                          top + (size_t)i == at);
    }
    struct style line = paint_style(&view->paint, ROLE_BORDER, ROLE_BACKGROUND, 0);
    struct rect rule = {inside.row + rows, inside.col, 1, inside.cols};
    paint_fill(&view->paint, &rule, view->paint.facts.utf8 ? "─" : "-", &line);
    if (request->pile > 1) {
        paint_pile_below(view, fleet, request, rule.row + 1, &inside);
        return;
    }
    bool whole = paint_below(view, request, rule.row + 1, &inside);
    if (whole && box_covers_nothing(control))
        fleet_painted(request, input->now);
}
