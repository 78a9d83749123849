#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/text.h"
#include "tui/view/parts.h"

/* How the cells of one line look: the selection is shown reversed, hits in the colour of notes. */
struct looks {
    struct style plain, hit, current;
    int from, to; /* selected columns */
    bool selected;
};

/* The hit in which a byte of the text is, going on from the last one and over soft wraps. */
struct hits {
    struct copy_hit hit;
    bool any;
};

static void hits_begin(struct hits *hits, const struct copy *copy, const struct copy_place *place)
{
    hits->any = copy_hit(copy, copy_byte(copy, place), &hits->hit);
}

static void paint_copy_line(struct view *view, const struct copy *copy, size_t line,
                            const struct rect *inner, int row, struct looks *looks,
                            struct hits *hits)
{
    const struct copy_place start = {line, 0};
    const char *at = copy_line(copy, line), *end_of_line = at + copy_size(copy, line);
    size_t byte = copy_byte(copy, &start), cursor = copy_byte(copy, &copy->at);
    looks->selected = copy_selected(copy, line, &looks->from, &looks->to);
    int column = 0, end = copy->left + inner->cols;
    while (at < end_of_line && column < end) {
        char cell[SCREEN_CLUSTER_MAX];
        const char *from = at;
        int columns = pen_cell(&at, cell);
        while (hits->any && byte >= hits->hit.end)
            hits->any = copy_hit(copy, hits->hit.end, &hits->hit);
        bool in_hit = hits->any && byte >= hits->hit.begin;
        bool here = in_hit && cursor == hits->hit.begin;
        struct style style = here ? looks->current : in_hit ? looks->hit : looks->plain;
        if (looks->selected && column >= looks->from && column < looks->to)
            style.flags ^= BJ_ATTR_REVERSE;
        if (columns > 0 && column >= copy->left && column + columns <= end)
            paint_cell(&view->paint, row, inner->col + column - copy->left, cell, columns == 2,
                       &style);
        column += columns;
        byte += (size_t)(at - from);
    }
    /* A rectangle goes on where lines end, and an empty line that is selected is seen. */
    int last = copy->selecting == COPY_BLOCK ? looks->to : looks->from + 1;
    struct style blank = looks->plain;
    blank.flags ^= BJ_ATTR_REVERSE;
    for (int c = column > looks->from ? column : looks->from; looks->selected && c < last; c++)
        if (c >= copy->left && c < end)
            paint_cell(&view->paint, row, inner->col + c - copy->left, " ", false, &blank);
}

static void paint_text_of(struct view *view, const struct copy *copy, const struct rect *inner,
                          struct looks *looks)
{
    struct hits hits = {0};
    for (int row = 0; row < inner->rows && copy->top + (size_t)row < copy->lines; row++) {
        size_t line = copy->top + (size_t)row;
        struct copy_place joined = copy_joined(copy, line);
        if (row == 0 || joined.line == line)
            hits_begin(&hits, copy, &joined);
        paint_copy_line(view, copy, line, inner, inner->row + row, looks, &hits);
    }
}

/* Prompts and requests, in the pane's left border. */
static void paint_marks(struct view *view, const struct copy *copy, const struct rect *inner)
{
    bool ascii = !view->paint.facts.utf8;
    struct style prompt = paint_style(&view->paint, ROLE_KEY, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct style request =
        paint_style(&view->paint, ROLE_STATE_WAITING, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    for (int row = 0; row < inner->rows && copy->top + (size_t)row < copy->lines; row++) {
        size_t line = copy->top + (size_t)row;
        if (copy_is_marked(copy, COPY_REQUEST, line))
            paint_text(&view->paint, inner->row + row, inner->col - 1, 1,
                       state_glyph(DOING_VERDICT, ascii), &request);
        else if (copy_is_marked(copy, COPY_PROMPT, line))
            paint_text(&view->paint, inner->row + row, inner->col - 1, 1, ascii ? ">" : "›",
                       &prompt);
    }
}

void view_copy_paint(struct view *view, const struct view_input *input, const struct copy *copy,
                     const struct rect *inner)
{
    struct paint *paint = &view->paint;
    struct looks looks = {
        .plain = paint_style(paint, ROLE_FOREGROUND, ROLE_BACKGROUND, 0),
        .hit = paint_style(paint, ROLE_NOTE_TEXT, ROLE_NOTE, 0),
        .current = paint_style(paint, ROLE_REQUEST_TEXT, ROLE_REQUEST_COURTESY, BJ_ATTR_BOLD),
    };
    (void)input;
    paint_fill(paint, inner, " ", &looks.plain);
    if (copy->loading) {
        box_say(view, inner, "reading the scrollback");
        return;
    }
    paint_text_of(view, copy, inner, &looks);
    paint_marks(view, copy, inner);
    if (copy->searching)
        return;
    view->cursor_row = inner->row + (int)(copy->at.line - copy->top);
    view->cursor_col = inner->col + copy_cursor_column(copy) - copy->left;
    view->cursor_shape = 1;
    view->cursor_blink = false;
}

/* "3 of 200 hits", and where the search went round. */
static void put_hits(struct pen *pen, const struct copy *copy, const struct style *text,
                     const struct style *bad)
{
    char words[120], nth[32] = "";
    if (copy_nth(copy))
        snprintf(nth, sizeof(nth), "%zu of ", copy_nth(copy));
    snprintf(words, sizeof(words), " %s%zu hit%s ", nth, copy->hits, copy->hits == 1 ? "" : "s");
    pen_put(pen, copy->hits || !copy->pattern[0] ? text : bad, words);
    if (copy->round && (!copy->searching || pen->end - pen->col > 40)) {
        pen_put(pen, text, copy->round);
        pen_put(pen, text, " ");
    }
}

/* What was begun with keys that wait for another one. */
static void put_begun(struct pen *pen, const struct copy *copy, const struct style *text)
{
    char words[32];
    snprintf(words, sizeof(words), " %u ", copy->count);
    if (copy->count)
        pen_put(pen, text, words);
    if (copy->waits)
        pen_put(pen, text, " which character? ");
}

void view_copy_foot(struct view *view, const struct copy *copy, const struct rect *pane)
{
    static const char *const selecting[] = {"", " chars ", " lines ", " block "};
    struct paint *paint = &view->paint;
    struct style mode = paint_style(paint, ROLE_MODE_TEXT, ROLE_MODE_FOCUS, BJ_ATTR_BOLD);
    struct style text = paint_style(paint, ROLE_TITLE, ROLE_BACKGROUND, 0);
    struct style dim = paint_style(paint, ROLE_DIM, ROLE_BACKGROUND, 0);
    struct style bad = paint_style(paint, ROLE_STATE_LOST, ROLE_BACKGROUND, BJ_ATTR_BOLD);
    struct pen pen = {paint, pane->row + pane->rows - 1, pane->col + 1, pane->col + pane->cols - 1};
    char words[120];
    pen_put(&pen, &mode, " COPY ");
    if (copy->selecting != COPY_NOTHING)
        pen_put(&pen, &text, selecting[copy->selecting]);
    if (copy->pattern[0] || copy->searching)
        put_hits(&pen, copy, &text, &bad);
    put_begun(&pen, copy, &text);
    if (copy->searching) {
        pen_put(&pen, &text, copy->backward ? "?" : "/");
        struct rect field = {pen.row, pen.col, 1, pen.end - pen.col - 1};
        if (field.cols > 2)
            view_line_paint(view, &copy->search, &field);
        return;
    }
    if (copy->said) {
        pen_put(&pen, &bad, " ");
        pen_put(&pen, &bad, copy->said);
        pen_put(&pen, &bad, " ");
        return;
    }
    snprintf(words, sizeof(words), " line %zu of %zu%s ", copy->lines ? copy->at.line + 1 : 0,
             copy->lines, copy->cut ? ", older ones left out" : "");
    pen_put(&pen, &dim, words);
    if (pen.end - pen.col > 50)
        pen_put(&pen, &dim,
                keys_say(KEYS_COPY, " {copy select} select  {copy search} search  {copy take} copy "
                                    " {copy save} save  {copy leave} leave ")
                    .text);
}
