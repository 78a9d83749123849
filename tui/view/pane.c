#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/keymap.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

#define NAME_LEAST     6 /* columns of a name in a title */
#define TIMELINE_LEAST 6 /* columns of a timeline in a title, where a request takes its place */

static bool is_selected(const struct view_input *input, size_t index)
{
    return index == input->control->selected_index;
}

static bool is_focused(const struct view_input *input, size_t index)
{
    return is_selected(input, index) && input->control->mode == CONTROL_FOCUS;
}

/* Whether others may have another size of the pty than this dashboard would. */
static bool size_is_shared(const struct view_input *input)
{
    return input->readonly || crowd_others(&input->fleet->crowd) > 0;
}

/* ---- the agent's cells ---- */

/* What lies beyond the pty is empty, or, when another client made it smaller than the pane, dotted.
 */
static void paint_beyond(struct view *view, bool dotted, int row, int col)
{
    struct style blank = {BJ_COLOR_DEFAULT, BJ_COLOR_DEFAULT, 0};
    struct style dots = paint_style(&view->paint, ROLE_BORDER, ROLE_BACKGROUND, 0);
    if (dotted)
        paint_cell(&view->paint, row, col, view->paint.facts.utf8 ? "·" : ".", false, &dots);
    else
        paint_cell(&view->paint, row, col, " ", false, &blank);
}

static void paint_row(struct view *view, const struct screen *screen, int from,
                      struct screen_span span, const struct rect *inner, int row, bool dotted)
{
    const struct screen_cell *cells = from < screen->rows ? screen->row[from] : NULL;
    if (cells && span.from > 0 && cells[span.from].glyph == SCREEN_WIDE)
        span.from--;
    for (int c = span.from; c < span.to && c < inner->cols; c++) {
        if (!cells || c >= screen->cols) {
            paint_beyond(view, dotted, row, inner->col + c);
            continue;
        }
        const struct screen_attr *attr = screen_attr(screen, cells[c].attr);
        struct style style = {attr->fg, attr->bg, attr->flags};
        bool wide = c + 1 < screen->cols && cells[c + 1].glyph == SCREEN_WIDE;
        char text[SCREEN_CLUSTER_MAX];
        screen_text(screen, &cells[c], text);
        /* A wide character that the pane's edge cuts in two is left out. */
        if (!text[0] || (wide && c + 1 >= inner->cols) || (!wide && cells[c].glyph == ' '))
            strcpy(text, " ");
        else if (wide && text[0]) {
            paint_cell(&view->paint, row, inner->col + c, text, true, &style);
            c++;
            continue;
        }
        paint_cell(&view->paint, row, inner->col + c, text, false, &style);
    }
}

static void paint_line(struct view *view, const struct rect *inner, int row, int col,
                       const char *text, enum theme_role role)
{
    struct style style = paint_style(&view->paint, role, ROLE_BACKGROUND, 0);
    if (row < inner->rows)
        paint_text(&view->paint, inner->row + row, inner->col + col, inner->cols - col, text,
                   &style);
}

static int centred(const struct rect *inner, int width)
{
    return width < inner->cols ? (inner->cols - width) / 2 : 0;
}

static void paint_message(struct view *view, const struct rect *inner, const char *text,
                          enum theme_role role)
{
    paint_line(view, inner, inner->rows / 2, centred(inner, text_width(text)), text, role);
}

/* What can be done with a sandbox whose screen is gone, with the machine for instance. */
static void paint_ways_on(struct view *view, const struct sandbox *sandbox,
                          const struct rect *inner)
{
    const char *ways[3];
    int count = 0, widest = 0;
    ways[count++] = "{run again} goes on with its work";
    if (sandbox->record_limit > 0)
        ways[count++] = "{replay} plays what it showed";
    ways[count++] = "{rm} removes it and its files";
    struct keys_text line[3];
    for (int i = 0; i < count; i++) {
        line[i] = keys_say(KEYS_SUPERVISE, ways[i]);
        int width = text_width(line[i].text);
        widest = width > widest ? width : widest;
    }
    for (int i = 0; i < count; i++)
        paint_line(view, inner, inner->rows / 2 + 2 + i, centred(inner, widest), line[i].text,
                   ROLE_DIM);
}

static bool same_rect(const struct rect *one, const struct rect *other)
{
    return one->row == other->row && one->col == other->col && one->rows == other->rows &&
           one->cols == other->cols;
}

static void paint_content(struct view *view, const struct view_input *input,
                          const struct sandbox *sandbox, struct view_pane *pane,
                          const struct rect *inner, size_t index)
{
    struct style blank = {BJ_COLOR_DEFAULT, BJ_COLOR_DEFAULT, 0};
    if (!pane || !pane->screen.drawn) {
        paint_fill(&view->paint, inner, " ", &blank);
        if (sandbox->state == SANDBOX_STARTING)
            paint_message(view, inner, "the sandbox starts", ROLE_DIM);
        else if (pane && pane->state == PANE_BROKEN)
            paint_message(view, inner, pane->error, ROLE_STATE_LOST);
        else
            paint_message(view, inner, "connecting to the monitor", ROLE_DIM);
        if (pane && pane->state == PANE_BROKEN && !sandbox_alive(sandbox) && !input->readonly)
            paint_ways_on(view, sandbox, inner);
        return;
    }
    struct screen *screen = &pane->screen;
    /* A pty that is higher than the pane (another client's wish) is shown around its cursor. */
    int first = screen->cursor_row - inner->rows + 1;
    first = screen->rows <= inner->rows || first < 0 ? 0 : first;
    bool dotted = size_is_shared(input);
    bool all = view->everything || first != pane->first_row || !same_rect(&pane->painted, inner) ||
               pane->rows != screen->rows || pane->cols != screen->cols || pane->dotted != dotted;
    pane->first_row = first;
    pane->painted = *inner;
    pane->rows = screen->rows;
    pane->cols = screen->cols;
    pane->dotted = dotted;
    for (int r = 0; r < inner->rows; r++) {
        int from = first + r;
        if (!all && from >= screen->rows)
            break;
        struct screen_span span = all ? (struct screen_span){0, inner->cols} : screen->dirty[from];
        if (span.to > 0)
            paint_row(view, screen, from, span, inner, inner->row + r, dotted);
    }
    memset(screen->dirty, 0, (size_t)screen->rows * sizeof(screen->dirty[0]));
    if (pane->state == PANE_LIVE)
        pane->acknowledge = screen->frame;

    int row = screen->cursor_row - first;
    if (is_focused(input, index) && screen->cursor_visible && screen->view_offset == 0 &&
        row < inner->rows && screen->cursor_col < inner->cols) {
        view->cursor_row = inner->row + row;
        view->cursor_col = inner->col + screen->cursor_col;
        view->cursor_shape = screen->cursor_shape;
        view->cursor_blink = screen->cursor_blink;
    }
}

/* ---- timeline ---- */

/* Columns of the timeline of a pane that is so wide. */
static int timeline_columns(const struct rect *rect)
{
    return rect->cols >= 100 ? 40 : rect->cols >= 56 ? 20 : rect->cols >= 34 ? 10 : 0;
}

/* At the right end of a border. Where nothing is known yet the border goes on. Returns the columns
 * taken. */
static int put_timeline(struct paint *paint, const struct sandbox *sandbox, int row, int end,
                        int width)
{
    enum doing doing[STATE_SAMPLES];
    struct style dim = paint_style(paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    int unknown = 0;
    state_strip(&sandbox->doing, width, doing);
    while (unknown < width && doing[unknown] == DOING_UNKNOWN)
        unknown++;
    if (unknown >= width)
        return 0;
    struct pen pen = {paint, row, end - width - 2 + unknown, end - 1};
    pen_put(&pen, &dim, " ");
    strip_put_part(&pen, doing + unknown, width - unknown, ROLE_BACKGROUND);
    return width + 2 - unknown;
}

/* ---- title ---- */

/* That the pty has the size of another client's pane. */
static void add_size(const struct view_input *input, const struct view_pane *pane,
                     const struct rect *rect, const struct style *style, struct piece *piece,
                     int *count)
{
    if (!pane || !pane->screen.drawn)
        return;
    int rows = pane->screen.rows, cols = pane->screen.cols;
    if (rows > rect->rows - 2 || cols > rect->cols - 2)
        pieces_add(piece, count, 2, style, "cut %dx%d ", cols, rows);
    else if (size_is_shared(input) && (rows < rect->rows - 2 || cols < rect->cols - 2))
        pieces_add(piece, count, 4, style, "only %dx%d ", cols, rows);
}

/* The others who look at it. */
static void add_crowd(const struct view_input *input, const struct sandbox *sandbox,
                      const struct rect *rect, const struct style *style, bool ascii,
                      struct piece *piece, int *count)
{
    const struct crowd *crowd = &input->fleet->crowd;
    const struct crowd_client *client = NULL;
    size_t more = 0, shown = 0;
    char name[CROWD_NAME_MAX];
    while ((client = crowd_looking(crowd, sandbox->id, client))) {
        crowd_name(crowd, client, rect->cols >= 100, name);
        if (shown++ < 3)
            pieces_add(piece, count, 2, style, "%s %s ", crowd_glyph(client, ascii), name);
        else
            more++;
    }
    if (more > 0)
        pieces_add(piece, count, 2, style, "+%zu ", more);
}

static void paint_title(struct view *view, const struct view_input *input,
                        const struct sandbox *sandbox, const struct view_pane *pane,
                        const struct rect *rect, size_t index, bool timeline)
{
    struct paint *paint = &view->paint;
    bool selected = is_selected(input, index), focused = is_focused(input, index);
    struct style dim = paint_style(paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    struct style name = paint_style(paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style state = paint_style(paint, state_role(sandbox), ROLE_BACKGROUND,
                                     state_needs(sandbox->doing.doing) ? BJ_ATTR_BOLD : 0);
    struct style focus = paint_style(paint, ROLE_MODE_TEXT, ROLE_MODE_FOCUS, BJ_ATTR_BOLD);
    struct style lost = paint_style(paint, ROLE_STATE_LOST, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    char word[FORMAT_MAX], since[FORMAT_MAX];
    sandbox_state_text(sandbox, rect->cols < 44, word);
    sandbox_state_age(sandbox, input->wall, since);

    struct piece piece[PIECES_MAX];
    int count = 0;
    if (index < 9)
        pieces_add(piece, &count, 4, &dim, " %zu", index + 1);
    pieces_add(piece, &count, 0, &state, " %s ", sandbox_state_glyph(sandbox, !paint->facts.utf8));
    char fitted[SANDBOX_LABEL_MAX + 4], label[SANDBOX_LABEL_MAX];
    sandbox_label(input->fleet, sandbox, label);
    /* The name is cut before what it does is left out. */
    int room = rect->cols - 2 - 3 - 1 - text_width(word) - 1 - (focused ? 8 : 0);
    room -= control_broadcasts(input->control, sandbox->id) ? 11 : 0;
    room -= sandbox->marked ? 10 : 0;
    text_fit(fitted, sizeof(fitted), label, room > NAME_LEAST ? room : NAME_LEAST,
             !paint->facts.utf8);
    pieces_add(piece, &count, 0, selected ? &name : &dim, "%s ", fitted);
    if (focused)
        pieces_add(piece, &count, 1, &focus, " FOCUS ");
    if (control_broadcasts(input->control, sandbox->id))
        pieces_add(piece, &count, 1, &focus, " BROADCAST ");
    if (sandbox->marked)
        pieces_add(piece, &count, 1, &focus, " %s marked ",
                   mark_glyph(sandbox, !paint->facts.utf8));
    if (sandbox->pinned)
        pieces_add(piece, &count, 3, &dim, "pinned ");
    pieces_add(piece, &count, 1, &state, "%s%s ", focused ? " " : "", word);
    if (since[0])
        pieces_add(piece, &count, 4, &state, "%s ", since);
    if (!sandbox->link_up && sandbox_alive(sandbox) && sandbox->state != SANDBOX_STARTING)
        pieces_add(piece, &count, 3, &lost, "no link ");
    else if (sandbox->origin->cut)
        pieces_add(piece, &count, 3, &lost, "no link ");
    else if (pane && pane->state == PANE_BROKEN && pane->screen.drawn)
        pieces_add(piece, &count, 3, &lost, "no monitor ");
    if (pane && pane->screen.bell)
        pieces_add(piece, &count, 3, &name, "bell ");
    if (pane && pane->screen.view_offset > 0)
        pieces_add(piece, &count, 1, &lost, "%s%llu/%llu ", paint->facts.utf8 ? "↑" : "^",
                   (unsigned long long)pane->screen.view_offset,
                   (unsigned long long)pane->screen.view_lines);
    add_size(input, pane, rect, &lost, piece, &count);
    add_crowd(input, sandbox, rect, &name, !paint->facts.utf8, piece, &count);

    struct pen pen = {paint, rect->row, rect->col + 1, rect->col + rect->cols - 1};
    int strip = timeline ? timeline_columns(rect) : 0;
    pieces_fit(piece, count, pen.end - pen.col - (strip ? TIMELINE_LEAST + 2 : 0));
    pieces_put(piece, count, &pen);
    if (strip > pen.end - pen.col - 2)
        strip = pen.end - pen.col - 2;
    pen.end -= put_timeline(paint, sandbox, pen.row, pen.end, strip);

    const char *title = pane && pane->screen.title[0] ? pane->screen.title : sandbox->title;
    if (!title[0])
        title = sandbox->command;
    room = pen.end - pen.col - 4;
    if (room < 8 || !title[0])
        return;
    char text[FLEET_TITLE_MAX + 4];
    int width = text_fit(text, sizeof(text), title, room, !paint->facts.utf8);
    pen.col = pen.end - width - 3;
    pen_put(&pen, &dim, " ");
    pen_put(&pen, &dim, text);
    pen_put(&pen, &dim, " ");
}

/* ---- status ---- */

/* The last `width` samples as shares of `full` (or of the greatest, when that is more). */
static void graph(char *out, const float *history, int width, float full, bool ascii)
{
    float shares[FLEET_HISTORY];
    const float *from = history + FLEET_HISTORY - width;
    for (int i = 0; i < width; i++)
        full = from[i] > full ? from[i] : full;
    for (int i = 0; i < width; i++)
        shares[i] = from[i] < 0 ? -1 : full > 0 ? from[i] / full : 0;
    format_graph(out, shares, width, ascii);
}

/* What a full block of the memory graph means: the limit, else the next power of two. */
static float memory_scale(const struct sandbox *sandbox)
{
    if (sandbox->limit_memory)
        return (float)sandbox->limit_memory;
    float scale = 1 << 20;
    while (sandbox->figures.memory != FIGURE_UNKNOWN && scale < (float)sandbox->figures.memory &&
           scale < 1e18F)
        scale *= 2;
    return scale;
}

static void net_text(const struct figures *figures, bool utf8, char out[2 * FORMAT_MAX + 8])
{
    char in[FORMAT_MAX], sent[FORMAT_MAX];
    out[0] = '\0';
    if (figures->net_in == FIGURE_UNKNOWN && figures->net_out == FIGURE_UNKNOWN)
        return;
    format_bytes(in, figures->net_in);
    format_bytes(sent, figures->net_out);
    snprintf(out, 2 * FORMAT_MAX + 8, utf8 ? "↓%s ↑%s  " : "in %s out %s  ", in, sent);
}

static void paint_status(struct view *view, const struct view_input *input,
                         const struct sandbox *sandbox, const struct rect *rect)
{
    struct paint *paint = &view->paint;
    const struct figures *figures = &sandbox->figures;
    bool ascii = !paint->facts.utf8, alive = sandbox_alive(sandbox);
    struct style dim = paint_style(paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    struct style text = paint_style(paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
    struct style cpu_style = paint_style(paint, ROLE_GRAPH_CPU, ROLE_BACKGROUND, 0);
    struct style memory_style = paint_style(paint, ROLE_GRAPH_MEMORY, ROLE_BACKGROUND, 0);
    int severity = fleet_severity(input->fleet, sandbox->id);
    struct style alert = paint_style(paint, severity_role(severity), ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style lost = paint_style(paint, ROLE_STATE_LOST, ROLE_BACKGROUND, 0);
    char cpu[FORMAT_MAX], memory[FORMAT_MAX], pids[FORMAT_MAX], age[FORMAT_MAX];
    char net[2 * FORMAT_MAX + 8], bars[FLEET_HISTORY * 3 + 1];
    format_percent(cpu, figures->cpu);
    format_bytes(memory, figures->memory);
    format_count(pids, figures->pids);
    format_age(age, input->wall - sandbox->created);
    net_text(figures, !ascii, net);

    struct piece piece[PIECES_MAX];
    int count = 0;
    int width = rect->cols > 100 ? 16 : rect->cols > 56 ? 10 : 6;
    pieces_add(piece, &count, 0, &dim, " ");
    if (sandbox->alerts > 0)
        pieces_add(piece, &count, 1, &alert, "%s %u  ", severity_glyph(severity, ascii),
                   sandbox->alerts);
    if (!alive && sandbox->error[0]) {
        char error[FLEET_TITLE_MAX];
        text_fit(error, sizeof(error), sandbox->error, rect->cols - 14, ascii);
        pieces_add(piece, &count, 2, &lost, "%.190s  ", error);
    }
    if (alive) {
        pieces_add(piece, &count, 2, &dim, "cpu ");
        pieces_add(piece, &count, 2, &text, "%s ", cpu);
        graph(bars, figures->cpu_history, width, 100, ascii);
        pieces_add(piece, &count, 5, &cpu_style, "%s ", bars);
        pieces_add(piece, &count, 3, &dim, " mem ");
        pieces_add(piece, &count, 3, &text, "%s  ", memory);
        graph(bars, figures->memory_history, width, memory_scale(sandbox), ascii);
        pieces_add(piece, &count, 7, &memory_style, "%s ", bars);
        pieces_add(piece, &count, 6, &text, " %s proc  ", pids);
        pieces_add(piece, &count, 8, &dim, "%s", net);
    }
    pieces_add(piece, &count, 4, &dim, "%s ", age);
    struct pen pen = {paint, rect->row + rect->rows - 1, rect->col + 1, rect->col + rect->cols - 1};
    /* The timeline is at the right; it may push out the finer figures. */
    int strip = timeline_columns(rect);
    pieces_fit(piece, count, pen.end - pen.col - 1 - (strip ? strip + 2 : 0));
    pieces_put(piece, count, &pen);
    put_timeline(paint, sandbox, pen.row, pen.end, strip);
}

/* ---- a pane ---- */

void view_pane_paint(struct view *view, const struct view_input *input, size_t index,
                     const struct rect *rect)
{
    struct sandbox *sandbox = input->fleet->sandboxes[index];
    struct view_pane *pane = input->pane(input->owner, sandbox->id);
    bool selected = is_selected(input, index), focused = is_focused(input, index);
    size_t waiting;
    struct request *request = fleet_request(input->fleet, sandbox->id, &waiting);
    struct rect inner = layout_inner(rect);
    struct style border = paint_style(&view->paint,
                                      focused    ? ROLE_BORDER_FOCUS
                                      : selected ? ROLE_BORDER_SELECTED
                                                 : ROLE_BORDER,
                                      ROLE_BACKGROUND, 0);
    paint_border(&view->paint, rect,
                 focused    ? BORDER_FOCUS
                 : selected ? BORDER_SELECTED
                            : BORDER_PLAIN,
                 &border);
    const struct copy *copy = &input->control->copy;
    bool copying = copy->open && strcmp(copy->id, sandbox->id) == 0;
    if (copying)
        view_copy_paint(view, input, copy, &inner);
    else
        paint_content(view, input, sandbox, pane, &inner, index);
    if (copying && pane)
        pane->painted.rows = 0;
    if (pane && selected)
        pane->screen.bell = false; /* it is being looked at */
    if (pane)
        pane->heads = pane->screen.heads;
    paint_title(view, input, sandbox, pane, rect, index, request && !copying);
    if (copying) {
        view_copy_foot(view, copy, rect);
        return;
    }
    if (!request) {
        paint_status(view, input, sandbox, rect);
        return;
    }
    view_request_paint(view, input, request, waiting - 1, rect, selected);
    if (pane)
        pane->painted.rows = 0; /* the request may stand on cells */
}

bool view_pane_paint_cells(struct view *view, const struct view_input *input, size_t index,
                           const struct rect *rect)
{
    const struct sandbox *sandbox = input->fleet->sandboxes[index];
    struct view_pane *pane = input->pane(input->owner, sandbox->id);
    struct rect inner = layout_inner(rect);
    size_t waiting;
    bool settled = pane && pane->state == PANE_LIVE && pane->screen.drawn &&
                   pane->heads == pane->screen.heads && same_rect(&pane->painted, &inner) &&
                   pane->rows == pane->screen.rows && pane->cols == pane->screen.cols &&
                   !fleet_request(input->fleet, sandbox->id, &waiting);
    if (settled)
        paint_content(view, input, sandbox, pane, &inner, index);
    return settled;
}
