#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

/* A box in the middle of the screen. Returns what is inside. */
static struct rect paint_box(struct view *view, const struct view_input *input, int rows, int cols,
                             const char *title, const char *foot)
{
    struct paint *paint = &view->paint;
    int most_rows = input->rows - 1, most_cols = input->cols;
    rows = rows < most_rows ? rows : most_rows;
    cols = cols < most_cols ? cols : most_cols;
    struct rect box = {(most_rows - rows) / 2, (most_cols - cols) / 2, rows, cols};
    struct style text = paint_style(paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
    struct style border = paint_style(paint, ROLE_BORDER_SELECTED, ROLE_BACKGROUND, 0);
    struct style name = paint_style(paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style dim = paint_style(paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    paint_fill(paint, &box, " ", &text);
    paint_border(paint, &box, BORDER_PLAIN, &border);
    struct pen pen = {paint, box.row, box.col + 2, box.col + box.cols - 2};
    pen_put(&pen, &name, " ");
    pen_put(&pen, &name, title);
    pen_put(&pen, &name, " ");
    int width = text_width(foot) + 2;
    int from = box.col + box.cols - 2 - width;
    pen = (struct pen){paint, box.row + box.rows - 1, from > box.col + 2 ? from : box.col + 2,
                       box.col + box.cols - 2};
    pen_put(&pen, &dim, " ");
    pen_put(&pen, &dim, foot);
    pen_put(&pen, &dim, " ");
    return (struct rect){box.row + 1, box.col + 2, box.rows - 2, box.cols - 4};
}

/* Keeps the selected row inside the rows that are shown. */
static size_t keep_inside(struct view *view, size_t at, size_t count, int rows)
{
    size_t room = rows > 0 ? (size_t)rows : 1;
    view->list_rows = rows;
    if (view->list_top > at)
        view->list_top = at;
    if (at >= view->list_top + room)
        view->list_top = at - room + 1;
    if (view->list_top + room > count)
        view->list_top = count > room ? count - room : 0;
    return view->list_top;
}

static void paint_nothing(struct view *view, const struct rect *inside, const char *text)
{
    struct style dim = paint_style(&view->paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    paint_text(&view->paint, inside->row + inside->rows / 2, inside->col, inside->cols, text, &dim);
}

/* Wrapped text from `row` on; returns the row behind it. *whole is false when it was cut. */
static int paint_wrapped(struct view *view, int row, int end, const struct rect *inside,
                         const char *text, const struct style *style, bool *whole)
{
    while (*text && row < end) {
        char line[1024];
        const char *next;
        size_t size = text_wrap(text, inside->cols, &next);
        size = size < sizeof(line) ? size : sizeof(line) - 1;
        memcpy(line, text, size);
        line[size] = '\0';
        bool last = row == end - 1 && *next;
        if (last)
            snprintf(line, sizeof(line), "%s", text); /* so that the cut is marked */
        paint_text(&view->paint, row++, inside->col, inside->cols, line, style);
        text = next;
    }
    *whole = !*text;
    return row;
}

/* A column of a table: cut or filled to its width. */
static void put_column(struct pen *pen, const struct style *style, const char *text, int width)
{
    struct pen column = {pen->paint, pen->row, pen->col, pen->col + width - 1};
    if (column.end > pen->end)
        column.end = pen->end;
    pen_put(&column, style, text);
    pen->col += width;
}

/* ---- requests ---- */

static void paint_request_row(struct view *view, const struct view_input *input,
                              const struct request *request, const struct rect *inside, int row,
                              bool selected)
{
    struct paint *paint = &view->paint;
    enum theme_role ground = selected ? ROLE_CURSOR_LINE : ROLE_BACKGROUND;
    struct style text = paint_style(paint, ROLE_TITLE, ground, selected ? BJ_ATTR_BOLD : 0);
    struct style class = paint_style(paint, request->wall ? ROLE_STATE_LOST : ROLE_STATE_WAITING,
                                     ground, BJ_ATTR_BOLD);
    struct style dim = paint_style(paint, ROLE_DIM, ground, 0);
    struct rect line = {row, inside->col, 1, inside->cols};
    char words[160], age[FORMAT_MAX];
    bool utf8 = paint->facts.utf8;
    paint_fill(paint, &line, " ", &text);
    format_age(age, input->wall - request->created);
    struct pen pen = {paint, row, inside->col, inside->col + inside->cols};
    snprintf(words, sizeof(words), "%s %-8s ",
             request->wall ? utf8 ? "▣" : "#"
             : utf8        ? "◆"
                           : "?",
             request->wall ? "wall" : "courtesy");
    pen_put(&pen, &class, words);
    snprintf(words, sizeof(words), "%5s  ", age);
    pen_put(&pen, &dim, words);
    put_column(&pen, &dim, request->sandbox, inside->cols > 80 ? 16 : 10);
    put_column(&pen, &dim, request->kind, 8);
    pen_put(&pen, &text, request->title);
}

static void paint_requests(struct view *view, const struct view_input *input)
{
    struct fleet *fleet = input->fleet;
    int cols = input->cols - 4 < 110 ? input->cols - 4 : 110;
    const struct request *chosen =
        fleet->request_count > 0 ? fleet->requests[input->control->list_at] : NULL;
    int text_rows = chosen ? text_lines(chosen->title, cols - 4) +
                                 (chosen->detail ? text_lines(chosen->detail, cols - 4) : 0) + 1
                           : 2;
    int wanted = (int)fleet->request_count + text_rows + 4;
    wanted = wanted < input->rows / 2 ? input->rows / 2 : wanted;
    struct rect inside = paint_box(view, input, wanted < input->rows - 3 ? wanted : input->rows - 3,
                                   cols < 30 ? input->cols : cols, "Requests, oldest first",
                                   "a allow  d deny  Enter go there  Esc close");
    if (fleet->request_count == 0) {
        paint_nothing(view, &inside, "Nothing waits for you.");
        return;
    }
    /* The selected one is shown whole below the list. */
    int below = inside.rows * 3 / 5 < text_rows ? inside.rows * 3 / 5 : text_rows;
    int rows = inside.rows - below - 1;
    if (rows > (int)fleet->request_count)
        rows = (int)fleet->request_count;
    rows = rows < 1 ? 1 : rows;
    size_t at = input->control->list_at;
    size_t top = keep_inside(view, at, fleet->request_count, rows);
    for (int i = 0; i < rows && top + (size_t)i < fleet->request_count; i++)
        paint_request_row(view, input, fleet->requests[top + (size_t)i], &inside, inside.row + i,
                          top + (size_t)i == at);
    struct request *request = fleet->requests[at];
    struct style line = paint_style(&view->paint, ROLE_BORDER, ROLE_BACKGROUND, 0);
    struct style text = paint_style(&view->paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style dim = paint_style(&view->paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    struct rect rule = {inside.row + rows, inside.col, 1, inside.cols};
    paint_fill(&view->paint, &rule, view->paint.facts.utf8 ? "─" : "-", &line);
    int row = rule.row + 1, end = inside.row + inside.rows;
    bool whole, detail_whole = true;
    row = paint_wrapped(view, row, end, &inside, request->title, &text, &whole);
    if (request->detail)
        row = paint_wrapped(view, row, end, &inside, request->detail, &dim, &detail_whole);
    if (request->detail_left > 0 && row < end) {
        char words[80];
        snprintf(words, sizeof(words), "(%zu bytes more are not shown)", request->detail_left);
        paint_text(&view->paint, row, inside.col, inside.cols, words, &dim);
    }
    if (input->control->prompt == PROMPT_NONE)
        fleet_painted(request, input->now);
}

/* ---- alerts ---- */

static void paint_alerts(struct view *view, const struct view_input *input)
{
    static const enum theme_role roles[] = {ROLE_ALERT_INFO, ROLE_ALERT_WARNING,
                                            ROLE_ALERT_CRITICAL};
    static const char *const words[] = {"info", "warning", "critical"};
    const struct fleet *fleet = input->fleet;
    struct paint *paint = &view->paint;
    int cols = input->cols - 4 < 110 ? input->cols - 4 : 110;
    struct rect inside =
        paint_box(view, input, input->rows - 3, cols < 30 ? input->cols : cols,
                  "Alerts, newest first", "c acknowledge  C all  Enter go there  Esc close");
    if (fleet->alert_count == 0) {
        paint_nothing(view, &inside, "No alerts.");
        return;
    }
    size_t at = input->control->list_at;
    size_t top = keep_inside(view, at, fleet->alert_count, inside.rows - 3);
    for (int i = 0; i < inside.rows - 3 && top + (size_t)i < fleet->alert_count; i++) {
        const struct alert *alert = fleet->alerts[fleet->alert_count - 1 - top - (size_t)i];
        bool selected = top + (size_t)i == at;
        enum theme_role ground = selected ? ROLE_CURSOR_LINE : ROLE_BACKGROUND;
        enum theme_role role = alert->acknowledged ? ROLE_DIM : roles[alert->severity];
        struct style mark = paint_style(paint, role, ground, BJ_ATTR_BOLD);
        struct style dim = paint_style(paint, ROLE_DIM, ground, 0);
        struct style text =
            paint_style(paint, alert->acknowledged ? ROLE_DIM : ROLE_TITLE, ground, 0);
        struct rect line = {inside.row + i, inside.col, 1, inside.cols};
        char part[80], age[FORMAT_MAX];
        format_age(age, input->wall - alert->last);
        paint_fill(paint, &line, " ", &text);
        struct pen pen = {paint, line.row, line.col, line.col + line.cols};
        snprintf(part, sizeof(part), "%s %-8s ", alert->acknowledged ? " " : "!",
                 words[alert->severity]);
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
    paint_wrapped(view, inside.row + inside.rows - 2, inside.row + inside.rows, &inside,
                  alert->text, &text, &whole);
}

/* ---- help ---- */

static void paint_help_row(struct view *view, const struct key_action *action,
                           const struct rect *inside, int row, bool first)
{
    struct style head = paint_style(&view->paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style key = paint_style(&view->paint, ROLE_KEY, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style text = paint_style(&view->paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
    struct pen pen = {&view->paint, row, inside->col, inside->col + inside->cols};
    int group = inside->cols >= 64 ? 11 : 0;
    if (first && group > 0)
        pen_put(&pen, &head, keys_group_name(action->group));
    pen.col = inside->col + group;
    pen_put(&pen, &key, action->action == ACTION_NUMBER ? "1 to 9" : action->keys);
    pen.col = inside->col + group + 13;
    pen_put(&pen, &text, action->help);
}

static void paint_help(struct view *view, const struct view_input *input)
{
    char prefix[32], title[120];
    keys_name(&input->control->prefix, prefix, sizeof(prefix));
    snprintf(title, sizeof(title),
             "Keys while supervising; in focus only %s is ours, twice sends it", prefix);
    int wanted = (int)keys_count + 2;
    struct rect inside = paint_box(view, input, wanted, input->cols - 4 < 96 ? input->cols - 4 : 96,
                                   title, "? or Esc close");
    /* Groups in order; the table is, but for what only lists have. */
    const struct key_action *sorted[64];
    size_t count = 0;
    for (int group = 0; group < KEYS_GROUPS; group++)
        for (size_t i = 0; i < keys_count && count < 64; i++)
            if (keys_table[i].group == (enum key_group)group)
                sorted[count++] = &keys_table[i];
    size_t last = count > (size_t)inside.rows ? count - (size_t)inside.rows : 0;
    size_t top = input->control->list_at < last ? input->control->list_at : last;
    view->list_rows = inside.rows;
    for (int i = 0; i < inside.rows && top + (size_t)i < count; i++) {
        size_t at = top + (size_t)i;
        paint_help_row(view, sorted[at], &inside, inside.row + i,
                       i == 0 || sorted[at]->group != sorted[at - 1]->group);
    }
}

void view_list_paint(struct view *view, const struct view_input *input)
{
    switch (input->control->list) {
    case LIST_REQUESTS:
        paint_requests(view, input);
        break;
    case LIST_ALERTS:
        paint_alerts(view, input);
        break;
    case LIST_HELP:
        paint_help(view, input);
        break;
    default:
        view->list_top = 0;
        break;
    }
}

/* ---- prompts ---- */

static void paint_line(struct view *view, const struct line *line, const struct rect *inside)
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

void view_prompt_paint(struct view *view, const struct view_input *input)
{
    const struct control *control = input->control;
    if (control->prompt == PROMPT_NONE)
        return;
    char question[160];
    control_question(control, input->fleet, question, sizeof(question));
    bool line = control_prompt_is_line(control->prompt);
    struct rect inside =
        paint_box(view, input, 3, input->cols - 4 < 72 ? input->cols - 4 : 72,
                  line ? question : "Are you sure?", line ? "Enter does it  Esc leaves it" : "");
    if (line) {
        paint_line(view, &control->line, &inside);
        return;
    }
    struct style text = paint_style(&view->paint, ROLE_TITLE, ROLE_BACKGROUND, 0);
    struct style key = paint_style(&view->paint, ROLE_KEY, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct pen pen = {&view->paint, inside.row, inside.col, inside.col + inside.cols - 12};
    pen_put(&pen, &text, question);
    pen.end = inside.col + inside.cols;
    pen.col = pen.end - 11;
    pen_put(&pen, &key, "y");
    pen_put(&pen, &text, " yes  ");
    pen_put(&pen, &key, "N");
    pen_put(&pen, &text, " no");
}
