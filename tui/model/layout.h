/*
 * Where everything goes: pure geometry, from a size and a number of panes to rectangles.
 *
 * Panes are given by their index in the session's order. A pane is never smaller than
 * LAYOUT_PANE_COLS x LAYOUT_PANE_ROWS with its border; what does not get one is shown as a card:
 * a line with its state, and below it up to three lines of output when there is room. Cards stand
 * in columns and are scrolled so that the selected one is among them. So every sandbox can be
 * reached at every size. Nothing overlaps, nothing leaves the area.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define LAYOUT_PANE_COLS 24
#define LAYOUT_PANE_ROWS 6
#define LAYOUT_CARD_COLS 38 /* least width of a card when there are several beside each other */
#define LAYOUT_CARD_ROWS 4
#define LAYOUT_MAX       1024 /* panes and cards placed at most */

/* Below this no pane is drawn, only a line that says so. */
#define LAYOUT_LEAST_COLS 24
#define LAYOUT_LEAST_ROWS 5

enum layout_kind { LAYOUT_TILED, LAYOUT_MAIN, LAYOUT_ZOOM };
#define LAYOUT_KINDS 3

struct rect {
    int row, col, rows, cols;
};

struct layout_place {
    size_t index; /* which pane */
    struct rect rect;
};

struct layout {
    bool tiny;            /* nothing but one line fits */
    struct rect bar;      /* the global bar, always the last line */
    struct rect tabs;     /* one line of tabs above a zoomed pane; no rows when there is none */
    struct rect projects; /* likewise above all, for the fleet's tabs */
    struct rect list;     /* the cards' area; no rows when there are none */
    struct layout_place panes[LAYOUT_MAX];
    size_t pane_count;
    struct layout_place cards[LAYOUT_MAX];
    size_t card_count;
    size_t card_columns; /* of the grid, 0 when there are no cards */
};

/* `selected` counts only when below `count`. */
void layout_make(struct layout *layout, enum layout_kind kind, int rows, int cols, size_t count,
                 size_t selected);

/* The same with a line for the fleet's tabs above, when there is room. */
void layout_make_below(struct layout *layout, enum layout_kind kind, int rows, int cols,
                       size_t count, size_t selected);

/* "tiled", "main", "zoom", as session.save knows them; an unknown word is tiled. */
const char *layout_name(enum layout_kind kind);
enum layout_kind layout_find(const char *name);

enum layout_direction { LAYOUT_LEFT, LAYOUT_RIGHT, LAYOUT_UP, LAYOUT_DOWN };

/* The pane or card beside `from` in that direction; `from` itself when there is none. */
size_t layout_neighbour(const struct layout *layout, size_t from, enum layout_direction direction);

/* The pane or card at a cell of the terminal; `none` when nothing is there. */
size_t layout_at(const struct layout *layout, int row, int col, size_t none);

/* The agent's part of a pane: without the border. */
struct rect layout_inner(const struct rect *pane);

/* The pane's rectangle, or NULL when it is not shown as a pane. */
const struct rect *layout_pane(const struct layout *layout, size_t index);
