#include <stdio.h>
#include <string.h>
#include <time.h>

#include "transport/api.h"
#include "tui/keymap.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

#define BAR_MOST 1024 /* columns of the time bar */

static const struct mark_look {
    const char *glyph, *ascii;
    enum theme_role role;
} looks[] = {
    [MARK_STATE] = {"•", "*", ROLE_STATE_PAUSED},  [MARK_ALLOWED] = {"✓", "+", ROLE_DIFF_ADDED},
    [MARK_ALERT] = {"▲", "!", ROLE_ALERT_WARNING}, [MARK_REQUEST] = {"◆", "?", ROLE_STATE_WAITING},
    [MARK_DENIED] = {"✗", "x", ROLE_DIFF_REMOVED},
};

/* ---- the picture ---- */

static void paint_cells(struct view *view, const struct picture *picture, int from,
                        const struct rect *body, int row)
{
    struct style blank = {BJ_COLOR_DEFAULT, BJ_COLOR_DEFAULT, 0};
    for (int c = 0; c < body->cols; c++) {
        if (from >= picture->rows || c >= picture->cols) {
            paint_cell(&view->paint, row, body->col + c, " ", false, &blank);
            continue;
        }
        const struct picture_cell *cell =
            &picture->cells[(size_t)from * (size_t)picture->cols + (size_t)c];
        struct style style = {cell->fg, cell->bg, cell->flags};
        bool wide = cell->wide && c + 1 < body->cols;
        bool cut = cell->wide && !wide; /* the edge cuts it in two */
        paint_cell(&view->paint, row, body->col + c, cell->text[0] && !cut ? cell->text : " ", wide,
                   &style);
        c += wide;
    }
}

/* Where the recorded screen ends when there is more room. */
static void paint_edges(struct view *view, const struct picture *picture, const struct rect *body)
{
    struct style border = paint_style(&view->paint, ROLE_BORDER, ROLE_BACKGROUND, 0);
    bool utf8 = view->paint.facts.utf8;
    if (picture->cols < body->cols)
        for (int r = 0; r < body->rows && r < picture->rows; r++)
            paint_cell(&view->paint, body->row + r, body->col + picture->cols, utf8 ? "│" : "|",
                       false, &border);
    if (picture->rows < body->rows)
        for (int c = 0; c < body->cols && c < picture->cols; c++)
            paint_cell(&view->paint, body->row + picture->rows, body->col + c, utf8 ? "─" : "-",
                       false, &border);
    if (picture->rows < body->rows && picture->cols < body->cols)
        paint_cell(&view->paint, body->row + picture->rows, body->col + picture->cols,
                   utf8 ? "┘" : "+", false, &border);
}

static void paint_picture(struct view *view, const struct picture *picture, const struct rect *body)
{
    /* One that is higher is shown around its cursor. */
    int first = picture->cursor_row - body->rows + 1;
    first = picture->rows <= body->rows || first < 0 ? 0 : first;
    for (int r = 0; r < body->rows; r++)
        paint_cells(view, picture, first + r, body, body->row + r);
    paint_edges(view, picture, body);
    int row = picture->cursor_row - first;
    if (!picture->cursor_visible || row >= body->rows || picture->cursor_col >= body->cols)
        return;
    view->cursor_row = body->row + row;
    view->cursor_col = body->col + picture->cursor_col;
    view->cursor_shape = 0;
    view->cursor_blink = false;
}

/* ---- around it ---- */

static void paint_title(struct view *view, const struct player *player, const char *name,
                        const struct rect *line)
{
    struct paint *paint = &view->paint;
    struct style text = paint_style(paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
    struct style title = paint_style(paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style dim = paint_style(paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    const struct player_mark *mark = player_near(player);
    time_t now = (time_t)(player->start + player->time);
    struct tm local;
    char clock[32];
    paint_fill(paint, line, " ", &text);
    struct pen pen = {paint, line->row, line->col + 1, line->col + line->cols - 1};
    pen_put(&pen, &title, name);
    if (player->state != PLAYER_READY)
        return;
    if (localtime_r(&now, &local)) {
        strftime(clock, sizeof(clock), line->cols < 60 ? "  %H:%M:%S  " : "  %Y-%m-%d %H:%M:%S  ",
                 &local);
        pen_put(&pen, &dim, clock);
    }
    if (mark) {
        const struct mark_look *look = &looks[mark->kind];
        struct style style = paint_style(paint, look->role, ROLE_BACKGROUND, BJ_ATTR_BOLD);
        pen_put(&pen, &style, paint->facts.utf8 ? look->glyph : look->ascii);
        pen_put(&pen, &style, " ");
        pen_put(&pen, &style, mark->text);
    } else if (player->note[0]) {
        pen_put(&pen, &dim, player->note);
    }
}

static void paint_bar(struct view *view, const struct player *player, const struct rect *line)
{
    struct paint *paint = &view->paint;
    bool utf8 = paint->facts.utf8;
    struct style text = paint_style(paint, ROLE_TITLE, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style dim = paint_style(paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    struct style done = paint_style(paint, ROLE_KEY, ROLE_BACKGROUND, 0);
    struct style rest = paint_style(paint, ROLE_BORDER, ROLE_BACKGROUND, 0);
    char now[16], end[16], left[64], right[64];
    enum mark_kind columns[BAR_MOST];
    player_clock(player->time, now);
    player_clock(player->end, end);
    const char *state = player->behind        ? utf8 ? "…" : "~"
                        : player_over(player) ? utf8 ? "■" : "#"
                        : player->paused      ? utf8 ? "‖" : "="
                        : utf8                ? "▶"
                                              : ">";
    snprintf(left, sizeof(left), "%s %s ", state, now);
    snprintf(right, sizeof(right), " %s  x%g", end, player->speed);
    paint_fill(paint, line, " ", &text);
    struct pen pen = {paint, line->row, line->col + 1, line->col + line->cols - 1};
    int count = pen.end - pen.col - text_width(left) - text_width(right);
    count = count < 0 ? 0 : count > BAR_MOST ? BAR_MOST : count;
    int here = player_column(player, player->time, count);
    player_bar(player, columns, count);
    pen_put(&pen, &text, left);
    hit_add(view, HIT_TIME, 0, line->row, pen.col, count);
    for (int i = 0; i < count; i++) {
        const struct mark_look *look = &looks[columns[i]];
        struct style style = i <= here ? done : rest;
        const char *glyph = i < here ? utf8 ? "━" : "=" : utf8 ? "─" : "-";
        if (columns[i] != MARK_NONE) {
            style = paint_style(paint, look->role, ROLE_BACKGROUND, BJ_ATTR_BOLD);
            glyph = utf8 ? look->glyph : look->ascii;
        }
        if (i == here)
            style.flags |= BJ_ATTR_REVERSE | BJ_ATTR_BOLD;
        if (i == here && columns[i] == MARK_NONE)
            glyph = utf8 ? "●" : "O";
        pen_put(&pen, &style, glyph);
    }
    pen_put(&pen, &dim, right);
}

/* In the place of a picture. */
static void say(struct view *view, const struct rect *body, const char *text, enum theme_role role)
{
    struct style blank = paint_style(&view->paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
    struct style style = paint_style(&view->paint, role, ROLE_BACKGROUND, 0);
    struct style dim = paint_style(&view->paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    struct keys_text leave = keys_say(KEYS_REPLAY, "{replay leave} leave");
    int cols = text_width(text) < body->cols - 4 ? text_width(text) : body->cols - 4;
    struct rect inside = {body->row, body->col + (body->cols - cols) / 2, body->rows, cols};
    int row = body->row + body->rows / 3, end = body->row + body->rows;
    bool whole;
    paint_fill(&view->paint, body, " ", &blank);
    if (cols < 1)
        return;
    row = box_wrapped(view, row, end, &inside, text, &style, &whole) + 1;
    int width = text_width(leave.text);
    if (row < end && width < body->cols)
        paint_text(&view->paint, row, body->col + (body->cols - width) / 2, width, leave.text,
                   &dim);
}

void view_replay_paint(struct view *view, const struct rect *area, const struct player *player,
                       const struct picture *picture, const char *name)
{
    struct rect title = {area->row, area->col, 1, area->cols};
    struct rect bar = {area->row + area->rows - 1, area->col, 1, area->cols};
    struct rect body = {area->row + 1, area->col, area->rows - 2, area->cols};
    view->cursor_row = -1;
    paint_title(view, player, name, &title);
    if (body.rows < 1)
        return;
    if (player->state == PLAYER_FAILED)
        say(view, &body, player->error, ROLE_STATE_LOST);
    else if (player->state == PLAYER_LOADING || !picture || picture->rows == 0)
        say(view, &body, "reading the recording", ROLE_DIM);
    else
        paint_picture(view, picture, &body);
    if (player->state == PLAYER_READY)
        paint_bar(view, player, &bar);
    else
        say(view, &bar, "", ROLE_DIM);
}
