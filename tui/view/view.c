#include "tui/view/view.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <curses.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

/* ---- pen and pieces ---- */

void pen_put(struct pen *pen, const struct style *style, const char *text)
{
    pen->col += paint_text(pen->paint, pen->row, pen->col, pen->end - pen->col, text, style);
}

int pen_cell(const char **at, char cell[SCREEN_CLUSTER_MAX])
{
    const char *from = *at, *end;
    int columns = text_columns(text_next(at, NULL));
    for (end = *at; *end && text_columns(text_next(&end, NULL)) == 0;)
        *at = end;
    size_t size = (size_t)(*at - from);
    size = size < SCREEN_CLUSTER_MAX ? size : SCREEN_CLUSTER_MAX - 1;
    memcpy(cell, from, size);
    cell[size] = '\0';
    return columns;
}

void pieces_add(struct piece *pieces, int *count, int rank, const struct style *style,
                const char *format, ...)
{
    if (*count == PIECES_MAX)
        return;
    struct piece *piece = &pieces[(*count)++];
    *piece = (struct piece){.style = *style, .rank = rank};
    va_list args;
    va_start(args, format);
    vsnprintf(piece->text, sizeof(piece->text), format, args);
    va_end(args);
}

int pieces_fit(struct piece *pieces, int count, int columns)
{
    int used = 0;
    for (int rank = 0; rank < PIECES_MAX; rank++)
        for (int i = 0; i < count; i++) {
            if (pieces[i].rank != rank)
                continue;
            int width = text_width(pieces[i].text);
            pieces[i].kept = used + width <= columns;
            used += pieces[i].kept ? width : 0;
        }
    return used;
}

void pieces_put(const struct piece *pieces, int count, struct pen *pen)
{
    for (int i = 0; i < count; i++)
        if (pieces[i].kept)
            pen_put(pen, &pieces[i].style, pieces[i].text);
}

enum theme_role doing_role(enum doing doing)
{
    static const enum theme_role roles[DOINGS] = {
        [DOING_UNKNOWN] = ROLE_DIM,
        [DOING_EXITED] = ROLE_STATE_EXITED,
        [DOING_IDLE] = ROLE_STATE_IDLE,
        [DOING_PAUSED] = ROLE_STATE_PAUSED,
        [DOING_STARTING] = ROLE_STATE_STARTING,
        [DOING_THINKING] = ROLE_STATE_THINKING,
        [DOING_RUNNING] = ROLE_STATE_RUNNING,
        [DOING_FAILED] = ROLE_STATE_FAILED,
        [DOING_LOST] = ROLE_STATE_LOST,
        [DOING_STUCK] = ROLE_STATE_STUCK,
        [DOING_INPUT] = ROLE_STATE_INPUT,
        [DOING_VERDICT] = ROLE_STATE_WAITING,
    };
    return roles[doing];
}

enum theme_role state_role(const struct sandbox *sandbox)
{
    return doing_role(sandbox->doing.doing);
}

enum theme_role severity_role(int severity)
{
    static const enum theme_role roles[] = {ROLE_ALERT_INFO, ROLE_ALERT_WARNING,
                                            ROLE_ALERT_CRITICAL};
    return roles[severity];
}

/* ---- frames without panes ---- */

static void paint_tiny(struct view *view, const struct view_input *input)
{
    struct rect all = {0, 0, input->rows, input->cols};
    struct style plain = paint_style(&view->paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
    struct style bar = paint_style(&view->paint, ROLE_BAR_TEXT, ROLE_BAR, BJ_ATTR_BOLD);
    struct fleet_totals totals;
    fleet_totals(input->fleet, &totals);
    paint_fill(&view->paint, &all, " ", &plain);
    char text[128];
    snprintf(text, sizeof(text), "Too small (%dx%d). %zu wait%s, %zu sandbox%s. Q detaches.",
             input->cols, input->rows, totals.waiting, totals.waiting == 1 ? "s" : "",
             input->fleet->count, input->fleet->count == 1 ? "" : "es");
    paint_text(&view->paint, 0, 0, input->cols, text, &bar);
}

static void centred(struct view *view, const struct view_input *input, int row, const char *text,
                    enum theme_role role, uint16_t flags)
{
    if (row < 0 || row >= input->rows - 1)
        return;
    struct style style = paint_style(&view->paint, role, ROLE_BACKGROUND, flags);
    int width = text_width(text);
    int col = width < input->cols ? (input->cols - width) / 2 : 0;
    paint_text(&view->paint, row, col, input->cols - col, text, &style);
}

/* A key and what it does, in the middle; several below each other begin in one column. */
static void key_line(struct view *view, const struct view_input *input, int row, const char *name,
                     const char *what)
{
    char text[80];
    struct keys_text key = keys_say(KEYS_SUPERVISE, name);
    int width = text_width(key.text) > 1 ? 8 : 1;
    snprintf(text, sizeof(text), "%-*.20s   %-15s%*s", width, key.text, what, width - 1, "");
    centred(view, input, row, text, ROLE_FOREGROUND, 0);
}

static void paint_empty(struct view *view, const struct view_input *input)
{
    static const struct {
        const char *text;
        enum theme_role role;
        uint16_t flags;
        const char *key; /* the text says what it does */
    } lines[] = {
        {"Belljar", ROLE_TITLE, BJ_ATTR_BOLD, NULL},
        {"", ROLE_DIM, 0, NULL},
        {"Each agent runs in a sealed sandbox of its own: no network, no files of", ROLE_DIM, 0,
         NULL},
        {"yours, no secrets. You see all of them here and decide what may pass.", ROLE_DIM, 0,
         NULL},
        {"", ROLE_DIM, 0, NULL},
        {"start a sandbox", ROLE_FOREGROUND, 0, "{run form}"},
        {"all keys", ROLE_FOREGROUND, 0, "{help}"},
        {"leave", ROLE_FOREGROUND, 0, "{detach}"},
        {"", ROLE_DIM, 0, NULL},
        {"or, in another terminal:  belljar run -d -n build --project . -- bash", ROLE_DIM, 0,
         NULL},
    };
    int count = (int)(sizeof(lines) / sizeof(lines[0]));
    int first = (input->rows - 1 - count) / 2;
    bool narrow = input->cols < 74;
    if (narrow || first < 0) {
        int row = (input->rows - 1) / 2 - 1;
        centred(view, input, row, "No sandbox runs", ROLE_TITLE, BJ_ATTR_BOLD);
        centred(view, input, row + 1,
                keys_say(0, "{run form} starts one, {help} lists all keys").text, ROLE_DIM, 0);
    } else {
        for (int i = 0; i < count; i++)
            if (lines[i].key)
                key_line(view, input, first + i, lines[i].key, lines[i].text);
            else
                centred(view, input, first + i, lines[i].text, lines[i].role, lines[i].flags);
    }
    if (input->fleet->elsewhere > 0) {
        char text[80];
        snprintf(text, sizeof(text), "%zu run%s in other sessions: belljar ls shows them",
                 input->fleet->elsewhere, input->fleet->elsewhere == 1 ? "s" : "");
        centred(view, input, first > 0 && !narrow ? first + count + 1 : input->rows - 2, text,
                ROLE_DIM, 0);
    }
}

/* ---- the frame ---- */

static void paint_panes(struct view *view, const struct view_input *input)
{
    const struct layout *layout = input->layout;
    if (input->fleet->count == 0 && input->known)
        paint_empty(view, input);
    for (size_t i = 0; i < layout->card_count; i++)
        view_card_paint(view, input, layout->cards[i].index, &layout->cards[i].rect);
    for (size_t i = 0; i < layout->pane_count; i++)
        view_pane_paint(view, input, layout->panes[i].index, &layout->panes[i].rect);
    if (layout->projects.rows > 0)
        view_projects_paint(view, input);
    if (layout->tabs.rows > 0)
        view_tabs_paint(view, input);
}

static void paint_replay(struct view *view, const struct view_input *input)
{
    const struct player *player = &input->control->player;
    const struct sandbox *sandbox = fleet_find(input->fleet, player->id);
    struct rect area = {0, 0, input->layout->bar.row, input->cols};
    view_replay_paint(view, &area, player, input->picture, sandbox ? sandbox->name : "?");
}

static void paint_all(struct view *view, const struct view_input *input)
{
    const struct layout *layout = input->layout;
    if (view->everything) {
        struct rect all = {0, 0, input->rows, input->cols};
        struct style plain = paint_style(&view->paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
        paint_fill(&view->paint, &all, " ", &plain);
    }
    view->cursor_row = -1;
    view->box_count = view->hit_count = 0;
    view->menu_shown = view->plain = false;
    if (layout->tiny) {
        paint_tiny(view, input);
        return;
    }
    if (input->control->review.open)
        view_review_paint(view, input);
    else if (input->control->player.open)
        paint_replay(view, input);
    else
        paint_panes(view, input);
    view_bar_paint(view, input);
    view_digest_paint(view, input);
    view_list_paint(view, input);
    view_menu_paint(view, input);
    view_palette_paint(view, input);
    view_form_paint(view, input);
    view_prompt_paint(view, input);
    view_note_paint(view, input);
    view->plain = view->box_count == 0 && !input->control->review.open &&
                  !input->control->player.open && !input->control->copy.open &&
                  input->control->prompt == PROMPT_NONE;
}

/* A frame of agents' cells alone. Returns false when more has to be painted. */
static bool paint_cells(struct view *view, const struct view_input *input)
{
    const struct layout *layout = input->layout;
    if (!view->plain || view->everything)
        return false;
    view->cursor_row = -1;
    for (size_t i = 0; i < layout->pane_count; i++)
        if (!view_pane_paint_cells(view, input, layout->panes[i].index, &layout->panes[i].rect))
            return false;
    return !view->paint.flushed; /* else pairs on screen mean other colours now */
}

struct hit view_hit(const struct view *view, int row, int col)
{
    for (size_t i = view->hit_count; i-- > 0;) {
        const struct rect *rect = &view->hits[i].rect;
        struct hit hit = view->hits[i].hit;
        if (row < rect->row || row >= rect->row + rect->rows || col < rect->col ||
            col >= rect->col + rect->cols)
            continue;
        hit.part = rect->cols > 1 ? (double)(col - rect->col) / (rect->cols - 1) : 0;
        return hit;
    }
    return (struct hit){.kind = HIT_NONE};
}

static void send_frame(const struct view *view)
{
    if (view->cursor_row >= 0)
        move(view->cursor_row, view->cursor_col);
    curs_set(view->cursor_row >= 0);
    term_refresh();
    if (view->cursor_row >= 0)
        term_cursor(view->cursor_shape, view->cursor_blink);
}

void view_replay_frame(struct view *view, int rows, int cols, const struct player *player,
                       const struct picture *picture, const char *name, bool help)
{
    const struct view_input input = {.rows = rows, .cols = cols};
    struct rect area = {0, 0, rows > 1 ? rows - 1 : 1, cols};
    struct rect line = {rows - 1, 0, 1, cols};
    struct style bar = paint_style(&view->paint, ROLE_BAR_TEXT, ROLE_BAR, 0);
    struct style mode = paint_style(&view->paint, ROLE_MODE_TEXT, ROLE_MODE_FOCUS, BJ_ATTR_BOLD);
    view->cursor_row = -1;
    view->hit_count = 0;
    paint_begin(&view->paint);
    for (int again = 0; again < 2; again++) {
        view_replay_paint(view, &area, player, picture, name);
        if (rows > 1) {
            struct pen pen = {&view->paint, line.row, 0, cols};
            paint_fill(&view->paint, &line, " ", &bar);
            pen_put(&pen, &mode, " REPLAY ");
            pen_put(&pen, &bar, " ");
            view_replay_hints(view, player, &pen);
        }
        view->box_count = 0;
        if (help)
            view_help_group(view, &input, KEYS_REPLAYING);
        if (!view->paint.flushed)
            break; /* else pairs that were painted before mean other colours now */
        paint_begin(&view->paint);
    }
    send_frame(view);
}

void view_frame(struct view *view, const struct view_input *input)
{
    struct rect before[VIEW_BOXES];
    size_t count = view->box_count;
    memcpy(before, view->boxes, sizeof(before));
    paint_begin(&view->paint);
    if (input->cells_only && paint_cells(view, input)) {
        send_frame(view);
        return;
    }
    view->everything |= view->paint.flushed;
    fleet_paint_begin(input->fleet);
    paint_all(view, input);
    bool uncovered =
        count != view->box_count || memcmp(before, view->boxes, count * sizeof(before[0])) != 0;
    /* An edge of a box may have cut a wide character in two: ncurses takes its other half to be
     * still there, the terminal does not. */
    for (size_t i = 0; uncovered && i < count; i++)
        wredrawln(stdscr, before[i].row, before[i].rows);
    if (view->paint.flushed || (uncovered && !view->everything)) {
        /* Pairs painted before the flush mean other colours now; cells that a box left bare are
         * not changed, yet they must come back. */
        view->everything = true;
        paint_all(view, input);
    }
    fleet_paint_end(input->fleet);
    view->everything = false;
    send_frame(view);
}
