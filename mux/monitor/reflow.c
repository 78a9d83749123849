#include "mux/monitor/terminal_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * A new size for the terminal. The rows of the primary screen and the newest of the scrollback are
 * joined to lines and broken again at the new width; older lines are kept without a width and need
 * nothing. Cursor and saved places stay with the character that they stood on.
 */

#define PLACES_MAX 2

/* A place to be followed: where it was in the source, and where it came to be. */
struct place {
    int source, col;
    size_t row;
    int new_col;
};

struct flow {
    struct row **rows;
    size_t count, capacity;
    int cols;
    int filled; /* cells of the last row; -1: the next cell begins a row */
    struct place places[PLACES_MAX];
    int places_count;
    bool failed;
};

static struct row *flow_row(struct flow *flow)
{
    if (flow->count == flow->capacity) {
        size_t capacity = flow->capacity ? flow->capacity * 2 : 64;
        struct row **rows = realloc(flow->rows, capacity * sizeof(struct row *));
        if (!rows) {
            flow->failed = true;
            return NULL;
        }
        flow->rows = rows;
        flow->capacity = capacity;
    }
    struct row *row = row_new(flow->cols);
    if (!row) {
        flow->failed = true;
        return NULL;
    }
    flow->rows[flow->count++] = row;
    flow->filled = 0;
    return row;
}

static void flow_wrap(struct flow *flow)
{
    struct row *row = flow->rows[flow->count - 1];
    if (flow->filled < flow->cols) {
        row->cells[flow->cols - 1].glyph = GLYPH_PAD;
        row->used = (uint16_t)flow->cols;
    }
    row->wrapped = true;
    flow_row(flow);
}

static void follow(struct flow *flow, int source, int col, int new_col)
{
    for (int i = 0; i < flow->places_count; i++) {
        struct place *place = &flow->places[i];
        if (place->source == source && place->col == col) {
            place->row = flow->count - 1;
            place->new_col = new_col < flow->cols ? new_col : flow->cols - 1;
        }
    }
}

static void flow_cell(struct flow *flow, const struct cell *cell, int source, int col)
{
    struct cell copy = *cell;
    if ((copy.glyph & GLYPH_WIDE) && flow->cols < 2)
        copy.glyph = GLYPH_REPLACEMENT;
    if (copy.glyph == GLYPH_TAIL && flow->cols < 2)
        return;
    int width = copy.glyph & GLYPH_WIDE ? 2 : 1;
    if (flow->filled + width > flow->cols)
        flow_wrap(flow);
    if (flow->failed)
        return;
    struct row *row = flow->rows[flow->count - 1];
    follow(flow, source, col, flow->filled);
    row->cells[flow->filled++] = copy;
    row->used = (uint16_t)flow->filled;
}

/* Adds one row of the old width; `wrapped` says whether the row before went on in it. */
static void flow_source(struct flow *flow, const struct row *row, int old_cols, int source,
                        bool wrapped)
{
    if (!wrapped || flow->count == 0)
        flow_row(flow);
    int length = row_length(row, old_cols);
    for (int col = 0; col < length && !flow->failed; col++)
        flow_cell(flow, &row->cells[col], source, col);
    if (flow->failed)
        return;
    for (int i = 0; i < flow->places_count; i++) {
        const struct place *place = &flow->places[i];
        if (place->source == source && place->col >= length)
            follow(flow, source, place->col, flow->filled + place->col - length);
    }
}

static bool row_blank(const struct row *row, int cols)
{
    return row_length(row, cols) == 0;
}

static void flow_free(struct flow *flow)
{
    for (size_t i = 0; i < flow->count; i++)
        free(flow->rows[i]);
    free(flow->rows);
}

/*
 * Which row of the flow becomes row 0: as far as possible the one that was it before. A screen that
 * was full stays full, so that more height brings back lines from above.
 */
static size_t first_row(const struct flow *flow, size_t old_top, bool was_full, int rows)
{
    size_t last = 0;
    for (size_t i = 0; i < flow->count; i++)
        if (!row_blank(flow->rows[i], flow->cols))
            last = i;
    if (flow->places[0].row > last)
        last = flow->places[0].row;
    size_t least = last + 1 > (size_t)rows ? last + 1 - (size_t)rows : 0;
    if (was_full)
        return least;
    return least > old_top ? least : old_top;
}

/* Puts the flow's rows where they belong: scrollback, then screen. */
static int flow_commit(struct terminal *terminal, struct flow *flow, size_t first, int rows)
{
    struct row **screen = calloc((size_t)rows, sizeof(struct row *));
    if (!screen)
        return -ENOMEM;
    for (int i = 0; i < rows; i++) {
        size_t at = first + (size_t)i;
        bool mine = at < flow->count;
        screen[i] = mine ? flow->rows[at] : row_new(flow->cols);
        if (!screen[i]) {
            while (--i >= 0)
                if (first + (size_t)i >= flow->count)
                    free(screen[i]);
            free(screen);
            return -ENOMEM;
        }
    }
    struct row *hot[SCROLLBACK_HOT_MAX];
    int count = scrollback_take_hot(&terminal->scrollback, hot);
    if (grid_replace(&terminal->primary, screen, rows, flow->cols) < 0) {
        /* Only the two small arrays can fail; the old grid and rows are untouched then. */
        for (int i = 0; i < count; i++)
            terminal->scrollback.hot[i] = hot[i];
        terminal->scrollback.hot_start = 0;
        terminal->scrollback.hot_count = count;
        for (int i = 0; i < rows; i++)
            if (first + (size_t)i >= flow->count)
                free(screen[i]);
        free(screen);
        return -ENOMEM;
    }
    free(screen);
    for (int i = 0; i < count; i++)
        free(hot[i]);
    scrollback_forget_spares(&terminal->scrollback);
    uint64_t pushed = terminal->scrollback.pushed;
    for (size_t i = 0; i < first && i < flow->count; i++) {
        struct row *fresh =
            scrollback_push(&terminal->scrollback, &terminal->styles, flow->rows[i], flow->cols);
        free(fresh ? fresh : flow->rows[i]);
    }
    terminal->scrollback.pushed = pushed;
    for (size_t i = first + (size_t)rows; i < flow->count; i++)
        free(flow->rows[i]);
    flow->count = 0;
    return 0;
}

/* Flows the primary screen; the places' new positions on the screen are left in them. */
static int flow_primary(struct terminal *terminal, struct flow *flow, int rows)
{
    struct grid *grid = &terminal->primary;
    scrollback_unpack(&terminal->scrollback, &terminal->styles, grid->cols, rows);
    const struct scrollback *scrollback = &terminal->scrollback;
    int hot = scrollback->hot_count, total = hot + grid->rows, last = 0;
    for (int row = 0; row < grid->rows; row++)
        if (!row_blank(grid_row(grid, row), grid->cols))
            last = row;
    for (int i = 0; i < flow->places_count; i++) {
        if (i == 0 && flow->places[i].source > last)
            last = flow->places[i].source;
        flow->places[i].source += hot;
    }
    bool was_full = last == grid->rows - 1;
    size_t old_top = 0;
    bool wrapped = false;
    for (int i = 0; i < total && i <= hot + last && !flow->failed; i++) {
        const struct row *row =
            i < hot ? scrollback->hot[(scrollback->hot_start + i) % SCROLLBACK_HOT_MAX]
                    : grid_row(grid, i - hot);
        flow_source(flow, row, grid->cols, i, wrapped);
        if (i == hot - 1)
            old_top = flow->count;
        wrapped = row->wrapped;
    }
    if (flow->failed)
        return -ENOMEM;
    size_t first = first_row(flow, old_top, was_full, rows);
    for (int i = 0; i < flow->places_count; i++) {
        struct place *place = &flow->places[i];
        place->row = place->row > first ? place->row - first : 0;
        if (place->row >= (size_t)rows)
            place->row = (size_t)rows - 1;
    }
    return flow_commit(terminal, flow, first, rows);
}

static void keep_inside(struct terminal_saved *saved, int rows, int cols)
{
    if (saved->row >= rows)
        saved->row = rows - 1;
    if (saved->col >= cols)
        saved->col = cols - 1;
}

int terminal_resize(struct terminal *terminal, int rows, int cols)
{
    rows = rows < 1 ? 1 : rows > GRID_ROWS_MAX ? GRID_ROWS_MAX : rows;
    cols = cols < 1 ? 1 : cols > GRID_COLS_MAX ? GRID_COLS_MAX : cols;
    if (rows == terminal->rows && cols == terminal->cols)
        return 0;

    if (terminal_vterm_prepare(terminal, rows) < 0)
        return -ENOMEM;
    bool alternate = terminal->grid == &terminal->alternate;
    int cut = terminal->row >= rows ? terminal->row - rows + 1 : 0;

    struct terminal_saved *left = &terminal->entered;
    struct flow flow = {.cols = cols, .places_count = 2};
    flow.places[0] = alternate ? (struct place){.source = left->row, .col = left->col}
                               : (struct place){.source = terminal->row, .col = terminal->col};
    flow.places[1] = (struct place){.source = terminal->saved.row, .col = terminal->saved.col};
    int status = flow_primary(terminal, &flow, rows);
    flow_free(&flow);
    if (status < 0)
        return status;

    int row = (int)flow.places[0].row, col = flow.places[0].new_col;
    terminal->saved.row = (int)flow.places[1].row;
    terminal->saved.col = flow.places[1].new_col;
    if (alternate) {
        left->row = row;
        left->col = col;
        row = terminal->row - cut;
        col = terminal->col < cols ? terminal->col : cols - 1;
        keep_inside(&terminal->saved_alternate, rows, cols);
        if (grid_resize(&terminal->alternate, rows, cols, cut) < 0) {
            /* The program is about to redraw it; the primary screen is the one to keep. */
            terminal->grid = &terminal->primary;
            grid_free(&terminal->alternate);
        }
    }
    terminal->rows = rows;
    terminal->cols = cols;
    terminal->region_top = 0;
    terminal->region_bottom = rows;
    terminal->debt = 0;
    terminal->phantom = false;
    vterm_set_size(terminal->vt, rows, cols);
    terminal_forward(terminal, "\x1b[r", 3);
    terminal_move(terminal, row, col);
    return 0;
}
