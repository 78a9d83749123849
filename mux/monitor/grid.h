/*
 * A screen: rows of cells, held by pointer in a ring, so that a full scroll moves no cell.
 *
 * What changed is known per row by a stamp: grid_touch stamps a row with `now`, which the owner
 * raises once per batch of output. A reader that saw everything up to stamp s looks at the rows
 * with grid_stamp() > s. The grid owns its rows; grid_scroll_up hands out the one that leaves the
 * top. Rows and columns count from 0; all functions expect positions inside the grid.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mux/monitor/cell.h"

#define GRID_ROWS_MAX 1000
#define GRID_COLS_MAX 2000

struct grid {
    int rows, cols;
    int top; /* index in ring of row 0 */
    struct row **ring;
    uint64_t *stamps; /* by position on screen */
    uint64_t all;     /* stamp of the last change of every row at once */
    uint64_t now;
};

int grid_init(struct grid *grid, int rows, int cols); /* 0 or -ENOMEM */
void grid_free(struct grid *grid);

struct row *row_new(int cols); /* blank, or NULL */
void row_clear(struct row *row, int cols, uint16_t attr);

/* Cells that belong to the row's line: when it goes on, all but a pad, else up to the last that was
 * written. */
int row_length(const struct row *row, int cols);

/* Blanks a wide glyph of which one half is about to be overwritten: call it before cells
 * [start, end) change. */
static inline void row_split_wide(struct row *row, int cols, int start, int end)
{
    if (start > 0 && row->cells[start].glyph == GLYPH_TAIL)
        row->cells[start - 1].glyph = ' ';
    if (end < cols && row->cells[end].glyph == GLYPH_TAIL)
        row->cells[end].glyph = ' ';
}

/* Erases cells [start, end) with an attribute (background colour erase). */
void row_erase(struct row *row, int cols, int start, int end, uint16_t attr);

/* Moves the cells from `start` on by `count` columns: to the right when positive, else to the left.
 * The cells that come free are erased. */
void row_shift(struct row *row, int cols, int start, int count, uint16_t attr);

static inline struct row *grid_row(const struct grid *grid, int row)
{
    int at = grid->top + row;
    return grid->ring[at >= grid->rows ? at - grid->rows : at];
}

static inline void grid_touch(struct grid *grid, int row)
{
    grid->stamps[row] = grid->now;
}

static inline void grid_touch_all(struct grid *grid)
{
    grid->all = grid->now;
}

static inline uint64_t grid_stamp(const struct grid *grid, int row)
{
    return grid->stamps[row] > grid->all ? grid->stamps[row] : grid->all;
}

/*
 * Moves rows [top, bottom) up by one. The row that leaves is returned; `fresh`, a blank row, takes
 * its place at the bottom.
 */
struct row *grid_scroll_up(struct grid *grid, int top, int bottom, struct row *fresh);

/* Moves rows [top, bottom) by `count`, up when positive; the rows that come free are erased. */
void grid_scroll(struct grid *grid, int top, int bottom, int count, uint16_t attr);

void grid_erase(struct grid *grid, int top, int bottom, int left, int right, uint16_t attr);

/* Changes the size; cuts or pads at the right and, when `from` rows at the top are to go, there.
 * Returns 0, or -ENOMEM with the grid as it was. */
int grid_resize(struct grid *grid, int rows, int cols, int from);

/* Takes over `rows` rows of `cols` cells in place of its own. The array is copied, the rows are
 * not.
 */
int grid_replace(struct grid *grid, struct row **list, int rows, int cols);
