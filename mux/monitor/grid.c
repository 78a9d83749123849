#include "mux/monitor/grid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct row *row_new(int cols)
{
    return calloc(1, sizeof(struct row) + (size_t)cols * sizeof(struct cell));
}

static void fill(struct cell *cells, int count, uint16_t attr)
{
    if (attr == 0) {
        memset(cells, 0, (size_t)count * sizeof(*cells));
        return;
    }
    for (int i = 0; i < count; i++)
        cells[i] = (struct cell){.attr = attr};
}

void row_clear(struct row *row, int cols, uint16_t attr)
{
    fill(row->cells, attr ? cols : row->used, attr);
    row->used = attr ? (uint16_t)cols : 0;
    row->wrapped = false;
}

int row_length(const struct row *row, int cols)
{
    int length = row->wrapped ? cols : row->used;
    if (row->wrapped)
        return row->cells[length - 1].glyph == GLYPH_PAD ? length - 1 : length;
    while (length > 0 && cell_is_blank(&row->cells[length - 1]))
        length--;
    return length;
}

void row_erase(struct row *row, int cols, int start, int end, uint16_t attr)
{
    if (start < 0)
        start = 0;
    if (end > cols)
        end = cols;
    if (start >= end)
        return;
    row_split_wide(row, cols, start, end);
    if (end == cols)
        row->wrapped = false;
    if (attr) {
        fill(row->cells + start, end - start, attr);
        if (end > row->used)
            row->used = (uint16_t)end;
        return;
    }
    if (start < row->used)
        fill(row->cells + start, (end < row->used ? end : row->used) - start, 0);
    if (end >= row->used && start < row->used)
        row->used = (uint16_t)start;
}

void row_shift(struct row *row, int cols, int start, int count, uint16_t attr)
{
    int width = cols - start;
    if (width <= 0 || count == 0)
        return;
    if (count > width)
        count = width;
    if (count < -width)
        count = -width;
    struct cell *cells = row->cells + start;
    if (count > 0) {
        row_split_wide(row, cols, start, cols);
        /* A wide glyph that loses its right half at the margin goes, too. */
        if (width > count && cells[width - count].glyph == GLYPH_TAIL)
            cells[width - count - 1].glyph = ' ';
        memmove(cells + count, cells, (size_t)(width - count) * sizeof(*cells));
        fill(cells, count, attr);
    } else {
        count = -count;
        row_split_wide(row, cols, start, start + count);
        memmove(cells, cells + count, (size_t)(width - count) * sizeof(*cells));
        fill(cells + width - count, count, attr);
    }
    row->used = (uint16_t)cols;
    row->wrapped = false;
}

int grid_init(struct grid *grid, int rows, int cols)
{
    *grid = (struct grid){.rows = rows, .cols = cols, .now = 1, .all = 1};
    grid->ring = calloc((size_t)rows, sizeof(*grid->ring));
    grid->stamps = calloc((size_t)rows, sizeof(*grid->stamps));
    bool failed = !grid->ring || !grid->stamps;
    for (int i = 0; !failed && i < rows; i++)
        failed = !(grid->ring[i] = row_new(cols));
    if (!failed)
        return 0;
    grid_free(grid);
    return -ENOMEM;
}

void grid_free(struct grid *grid)
{
    for (int i = 0; grid->ring && i < grid->rows; i++)
        free(grid->ring[i]);
    free(grid->ring);
    free(grid->stamps);
    *grid = (struct grid){0};
}

static int slot(const struct grid *grid, int row)
{
    int at = grid->top + row;
    return at >= grid->rows ? at - grid->rows : at;
}

struct row *grid_scroll_up(struct grid *grid, int top, int bottom, struct row *fresh)
{
    struct row *gone = grid_row(grid, top);
    if (top == 0 && bottom == grid->rows) {
        grid->ring[grid->top] = fresh;
        grid->top = grid->top + 1 == grid->rows ? 0 : grid->top + 1;
        grid_touch_all(grid);
        return gone;
    }
    for (int row = top; row < bottom - 1; row++) {
        grid->ring[slot(grid, row)] = grid->ring[slot(grid, row + 1)];
        grid_touch(grid, row);
    }
    grid->ring[slot(grid, bottom - 1)] = fresh;
    grid_touch(grid, bottom - 1);
    return gone;
}

/* Reverses the row pointers of [from, to). */
static void reverse(struct grid *grid, int from, int to)
{
    for (to--; from < to; from++, to--) {
        struct row *row = grid->ring[slot(grid, from)];
        grid->ring[slot(grid, from)] = grid->ring[slot(grid, to)];
        grid->ring[slot(grid, to)] = row;
    }
}

void grid_scroll(struct grid *grid, int top, int bottom, int count, uint16_t attr)
{
    int height = bottom - top;
    if (count > height)
        count = height;
    if (count < -height)
        count = -height;
    /* Rotating by three reversals needs no memory. */
    int turn = count >= 0 ? count : height + count;
    reverse(grid, top, top + turn);
    reverse(grid, top + turn, bottom);
    reverse(grid, top, bottom);
    int free_from = count >= 0 ? bottom - count : top;
    int free_to = count >= 0 ? bottom : top - count;
    for (int row = free_from; row < free_to; row++)
        row_clear(grid_row(grid, row), grid->cols, attr);
    for (int row = top; row < bottom; row++)
        grid_touch(grid, row);
}

void grid_erase(struct grid *grid, int top, int bottom, int left, int right, uint16_t attr)
{
    for (int row = top < 0 ? 0 : top; row < bottom && row < grid->rows; row++) {
        row_erase(grid_row(grid, row), grid->cols, left, right, attr);
        grid_touch(grid, row);
    }
}

int grid_replace(struct grid *grid, struct row **list, int rows, int cols)
{
    struct row **ring = calloc((size_t)rows, sizeof(*ring));
    uint64_t *stamps = calloc((size_t)rows, sizeof(*stamps));
    if (!ring || !stamps) {
        free(ring);
        free(stamps);
        return -ENOMEM;
    }
    memcpy(ring, list, (size_t)rows * sizeof(*ring));
    uint64_t now = grid->now + 1;
    grid_free(grid);
    *grid = (struct grid){.rows = rows, .cols = cols, .ring = ring, .stamps = stamps};
    grid->now = grid->all = now;
    return 0;
}

int grid_resize(struct grid *grid, int rows, int cols, int from)
{
    struct row **list = calloc((size_t)rows, sizeof(*list));
    bool failed = !list;
    for (int i = 0; !failed && i < rows; i++) {
        failed = !(list[i] = row_new(cols));
        if (failed || i + from >= grid->rows)
            continue;
        const struct row *old = grid_row(grid, i + from);
        int count = grid->cols < cols ? grid->cols : cols;
        memcpy(list[i]->cells, old->cells, (size_t)count * sizeof(struct cell));
        list[i]->used = old->used < count ? old->used : (uint16_t)count;
        if (count > 0 && (list[i]->cells[count - 1].glyph & GLYPH_WIDE))
            list[i]->cells[count - 1].glyph = ' ';
    }
    failed = failed || grid_replace(grid, list, rows, cols) < 0;
    for (int i = 0; failed && list && i < rows; i++)
        free(list[i]);
    free(list);
    return failed ? -ENOMEM : 0;
}
