#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/keymap.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

/* The styles of one row. */
struct looks {
    struct style text, title, dim, key, added, removed, hit;
};

static struct looks make_looks(const struct paint *paint, bool here)
{
    enum theme_role ground = here ? ROLE_CURSOR_LINE : ROLE_BACKGROUND;
    return (struct looks){
        .text = paint_style(paint, ROLE_FOREGROUND, ground, 0),
        .title = paint_style(paint, ROLE_TITLE, ground, BJ_ATTR_BOLD),
        .dim = paint_style(paint, ROLE_DIM, ground, 0),
        .key = paint_style(paint, ROLE_KEY, ground, 0),
        .added = paint_style(paint, ROLE_DIFF_ADDED, ground, 0),
        .removed = paint_style(paint, ROLE_DIFF_REMOVED, ground, 0),
        .hit = paint_style(paint, ROLE_NOTE_TEXT, ROLE_NOTE, BJ_ATTR_BOLD),
    };
}

/* "+12 -3" in two colours, ending at `end`. Returns where it begins. */
static int put_counts(struct paint *paint, int row, int end, uint64_t added, uint64_t removed,
                      const struct looks *looks)
{
    char plus[24], minus[24];
    snprintf(plus, sizeof(plus), "+%llu ", (unsigned long long)added);
    snprintf(minus, sizeof(minus), "-%llu", (unsigned long long)removed);
    int from = end - text_width(plus) - text_width(minus);
    struct pen pen = {paint, row, from > 0 ? from : 0, end};
    pen_put(&pen, &looks->added, plus);
    pen_put(&pen, &looks->removed, minus);
    return from;
}

/* As much of the end of a path as fits: the end tells files apart. */
static void put_path(struct pen *pen, const struct style *style, const char *path)
{
    int room = pen->end - pen->col, width = text_width(path);
    if (width > room && room > 1) {
        while (width > room - 1)
            width -= text_columns(text_next(&path, NULL));
        pen_put(pen, style, pen->paint->facts.utf8 ? "…" : "~");
    }
    pen_put(pen, style, path);
}

/* ---- a file, in the list or the panel ---- */

static void paint_entry(struct view *view, const struct review *review, uint32_t number,
                        const struct rect *rect, bool here)
{
    struct paint *paint = &view->paint;
    struct looks looks = make_looks(paint, here);
    const struct diff_file *file = &review->diff.files[number];
    const char change[] = {file->change, ' ', '\0'};
    paint_fill(paint, rect, " ", &looks.text);
    int end = put_counts(paint, rect->row, rect->col + rect->cols - 1, file->added, file->removed,
                         &looks);
    struct pen pen = {paint, rect->row, rect->col, end - 1};
    pen_put(&pen, &looks.key, here ? paint->facts.utf8 ? "▸" : ">" : " ");
    pen_put(&pen,
            file->change == 'A'   ? &looks.added
            : file->change == 'D' ? &looks.removed
                                  : &looks.dim,
            change);
    put_path(&pen, here ? &looks.title : &looks.text, diff_text(&review->diff, file->name));
}

static void paint_panel(struct view *view, const struct review *review, const struct rect *rect)
{
    struct paint *paint = &view->paint;
    struct style border = paint_style(paint, ROLE_BORDER, ROLE_BACKGROUND, 0);
    long here = review_file(review);
    size_t count = review->diff.file_count, rows = (size_t)rect->rows;
    size_t top = here > 0 && (size_t)here > rows / 2 ? (size_t)here - rows / 2 : 0;
    if (top + rows > count)
        top = count > rows ? count - rows : 0;
    for (int i = 0; i < rect->rows; i++) {
        struct rect line = {rect->row + i, rect->col, 1, rect->cols - 1};
        size_t number = top + (size_t)i;
        struct looks looks = make_looks(paint, false);
        if (number < count)
            paint_entry(view, review, (uint32_t)number, &line, here == (long)number);
        else
            paint_fill(paint, &line, " ", &looks.text);
        paint_cell(paint, line.row, line.col + line.cols, paint->facts.utf8 ? "│" : "|", false,
                   &border);
    }
}

/* ---- lines ---- */

/* One side of a row: number, sign and text. `number` is 0 where there is none. */
static void paint_side(struct view *view, const struct review *review, uint32_t at, bool both,
                       bool new, const struct rect *rect, bool here)
{
    struct paint *paint = &view->paint;
    struct looks looks = make_looks(paint, here);
    const struct diff_line *line = at ? &review->diff.lines[at - 1] : NULL;
    int digits = review_number_cols(review);
    char gutter[64];
    paint_fill(paint, rect, " ", &looks.text);
    if (!line)
        return;
    bool added = line->kind == DIFF_ADDED, removed = line->kind == DIFF_REMOVED;
    char old_number[16] = "", new_number[16] = "";
    if (line->old)
        snprintf(old_number, sizeof(old_number), "%u", line->old);
    if (line->new)
        snprintf(new_number, sizeof(new_number), "%u", line->new);
    if (both)
        snprintf(gutter, sizeof(gutter), "%*s %*s ", digits, old_number, digits, new_number);
    else
        snprintf(gutter, sizeof(gutter), "%*s ", digits, new ? new_number : old_number);
    struct pen pen = {paint, rect->row, rect->col, rect->col + rect->cols};
    pen_put(&pen, &looks.dim, gutter);
    struct review_line text = {
        .text = diff_text(&review->diff, line->text),
        .pattern = review->pattern,
        .style = added     ? looks.added
                 : removed ? looks.removed
                           : looks.text,
        .hit = looks.hit,
        .left = review->left,
    };
    pen_put(&pen, &text.style, added ? "+ " : removed ? "- " : "  ");
    if (!diff_differs(&review->diff, at - 1, &text.from, &text.to))
        text.from = text.to = 0;
    struct rect rest = {rect->row, pen.col, 1, pen.end - pen.col};
    if (rest.cols > 0)
        view_review_text(view, &rest, &text);
}

/* A hunk's head or a note, over the whole width. */
static void paint_wide(struct view *view, const struct review *review, const struct diff_line *line,
                       const struct rect *rect, bool here)
{
    struct looks looks = make_looks(&view->paint, here);
    struct review_line text = {
        .text = diff_text(&review->diff, line->text),
        .pattern = review->pattern,
        .style = line->kind == DIFF_HUNK ? looks.key : looks.dim,
        .hit = looks.hit,
    };
    view_review_text(view, rect, &text);
}

static void paint_line(struct view *view, const struct review *review, const struct review_row *row,
                       const struct rect *rect, bool here)
{
    struct paint *paint = &view->paint;
    const struct diff_line *lines = review->diff.lines;
    uint32_t first = row->left ? row->left : row->right;
    bool wide = lines[first - 1].kind == DIFF_HUNK || lines[first - 1].kind == DIFF_NOTE;
    if (wide) {
        paint_wide(view, review, &lines[first - 1], rect, here);
    } else if (!review->split_shown) {
        paint_side(view, review, row->left, true, false, rect, here);
    } else {
        int half = (rect->cols - 1) / 2;
        struct rect left = {rect->row, rect->col, 1, half};
        struct rect right = {rect->row, rect->col + half + 1, 1, rect->cols - half - 1};
        struct style border = paint_style(paint, ROLE_BORDER, ROLE_BACKGROUND, 0);
        paint_side(view, review, row->left, false, false, &left, here);
        paint_side(view, review, row->right, false, true, &right, here);
        paint_cell(paint, rect->row, rect->col + half, paint->facts.utf8 ? "│" : "|", false,
                   &border);
    }
}

static void paint_file(struct view *view, const struct review *review, uint32_t number,
                       const struct rect *rect, bool here)
{
    struct paint *paint = &view->paint;
    struct looks looks = make_looks(paint, here);
    struct style border =
        paint_style(paint, ROLE_BORDER_SELECTED, here ? ROLE_CURSOR_LINE : ROLE_BACKGROUND, 0);
    const struct diff_file *file = &review->diff.files[number];
    static const struct {
        char change;
        const char *word;
    } words[] = {{'A', " new"}, {'D', " deleted"}, {'R', " renamed"}};
    paint_fill(paint, rect, paint->facts.utf8 ? "─" : "-", &border);
    int end = put_counts(paint, rect->row, rect->col + rect->cols - 2, file->added, file->removed,
                         &looks);
    paint_text(paint, rect->row, end - 1, 1, " ", &looks.text);
    paint_text(paint, rect->row, rect->col + rect->cols - 2, 1, " ", &looks.text);
    struct pen pen = {paint, rect->row, rect->col + 1, end - 12};
    pen_put(&pen, &looks.title, " ");
    put_path(&pen, &looks.title, diff_text(&review->diff, file->name));
    pen.end = end - 2;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i].change == file->change)
            pen_put(&pen, &looks.dim, words[i].word);
    pen_put(&pen, &looks.title, " ");
}

static void paint_row(struct view *view, const struct review *review, size_t number,
                      const struct rect *rect)
{
    const struct review_row *row = number < review->count ? &review->rows[number] : NULL;
    bool here = row && number == review->at;
    struct looks looks = make_looks(&view->paint, here);
    struct rect text = {rect->row, rect->col + 1, 1, rect->cols - 1};
    paint_fill(&view->paint, rect, " ", &looks.text);
    if (!row)
        return;
    switch (row->kind) {
    case ROW_ENTRY:
        paint_entry(view, review, row->file, rect, here);
        return; /* has a mark of its own */
    case ROW_FILE:
        paint_file(view, review, row->file, &text, here);
        break;
    case ROW_LINE:
        paint_line(view, review, row, &text, here);
        break;
    case ROW_CUT:
        paint_text(&view->paint, rect->row, text.col, text.cols,
                   "What follows is left out: there is more than a screen is good for. "
                   "belljar diff shows all of it.",
                   &looks.removed);
        break;
    default:
        break;
    }
    if (here)
        paint_text(&view->paint, rect->row, rect->col, 1, view->paint.facts.utf8 ? "▸" : ">",
                   &looks.key);
}

/* ---- the whole ---- */

static void paint_title(struct view *view, const struct view_input *input, const char *name)
{
    struct paint *paint = &view->paint;
    const struct review *review = &input->control->review;
    struct looks looks = make_looks(paint, false);
    struct rect line = {0, 0, 1, input->cols};
    char words[80];
    paint_fill(paint, &line, " ", &looks.text);
    struct pen pen = {paint, 0, 1, input->cols - 1};
    if (review->searching) {
        pen_put(&pen, &looks.key, "/");
        struct rect field = {0, pen.col, 1, input->cols - pen.col - 16};
        if (field.cols > 2)
            view_line_paint(view, &review->search, &field);
        pen.col = input->cols - 15;
    } else {
        pen_put(&pen, &looks.title, name);
        if (input->cols >= 60)
            pen_put(&pen, &looks.dim, " since its start");
    }
    if (review->state == REVIEW_READY && review->count > 0 && !review->searching) {
        int at =
            put_counts(paint, 0, input->cols - 1, review->diff.added, review->diff.removed, &looks);
        snprintf(words, sizeof(words), "%zu%s file%s", review->diff.file_count,
                 review->diff.cut ? "+" : "", review->diff.file_count == 1 ? "" : "s");
        paint_text(paint, 0, at - text_width(words) - 2, text_width(words), words, &looks.text);
    }
    if (review->pattern[0]) {
        snprintf(words, sizeof(words), "  %zu hit%s", review->hits, review->hits == 1 ? "" : "s");
        pen_put(&pen, review->hits ? &looks.text : &looks.removed, words);
    }
}

/* In the place of rows, when there are none. */
static void say(struct view *view, const struct rect *body, const char *text, const char *more,
                enum theme_role role)
{
    struct style style = paint_style(&view->paint, role, ROLE_BACKGROUND, 0);
    struct style dim = paint_style(&view->paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    int cols = body->cols - 4 < 76 ? body->cols - 4 : 76;
    int lines = text_lines(text, cols > 1 ? cols : 1), width = text_width(text);
    int from = lines == 1 && width < cols ? width : cols;
    struct rect inside = {body->row, body->col + (body->cols - from) / 2, body->rows, from};
    int row = body->row + body->rows / 3;
    bool whole;
    row = box_wrapped(view, row, body->row + body->rows, &inside, text, &style, &whole);
    width = text_width(more);
    if (row + 1 < body->row + body->rows && width < body->cols)
        paint_text(&view->paint, row + 1, body->col + (body->cols - width) / 2, width, more, &dim);
}

static void paint_state(struct view *view, const struct review *review, const struct rect *body)
{
    struct style blank = paint_style(&view->paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0);
    struct keys_text leave = keys_say(KEYS_REVIEW, "{review leave} leave");
    struct keys_text again =
        keys_say(KEYS_REVIEW, "{review again} look again  {review leave} leave");
    paint_fill(&view->paint, body, " ", &blank);
    if (review->state == REVIEW_LOADING)
        say(view, body, "git looks inside for what has changed", leave.text, ROLE_DIM);
    else if (review->state == REVIEW_FAILED)
        say(view, body, review->error, again.text, ROLE_STATE_LOST);
    else
        say(view, body, "Nothing has changed since it began.", again.text, ROLE_TITLE);
}

void view_review_paint(struct view *view, const struct view_input *input)
{
    const struct review *review = &input->control->review;
    const struct sandbox *sandbox = fleet_find(input->fleet, review->id);
    struct rect body = {1, 0, review_body_rows(review), input->cols};
    paint_title(view, input, sandbox ? sandbox->name : "?");
    if (review->state != REVIEW_READY || review->count == 0) {
        paint_state(view, review, &body);
        return;
    }
    struct rect panel = {1, 0, body.rows, review_panel_cols(review)};
    if (panel.cols > 0)
        paint_panel(view, review, &panel);
    for (int i = 0; i < body.rows; i++) {
        struct rect row = {body.row + i, panel.cols, 1, body.cols - panel.cols};
        paint_row(view, review, review->top + (size_t)i, &row);
    }
}
