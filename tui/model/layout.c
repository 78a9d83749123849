#include "tui/model/layout.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define PREVIEW_ROWS 8  /* least height of the selected pane below a list of cards */
#define CARD_COLS    30 /* of a list beside a pane */

static const char *const names[LAYOUT_KINDS] = {"tiled", "main", "zoom"};

const char *layout_name(enum layout_kind kind)
{
    return names[kind];
}

enum layout_kind layout_find(const char *name)
{
    for (int i = 0; i < LAYOUT_KINDS; i++)
        if (strcmp(names[i], name) == 0)
            return (enum layout_kind)i;
    return LAYOUT_TILED;
}

static void place_pane(struct layout *layout, size_t index, struct rect rect)
{
    if (layout->pane_count < LAYOUT_MAX)
        layout->panes[layout->pane_count++] = (struct layout_place){index, rect};
}

/* Fills the list's area with a grid of cards around the selected one. */
static void place_cards(struct layout *layout, size_t count, size_t selected, int columns, int high)
{
    const struct rect *list = &layout->list;
    size_t across = (size_t)columns, lines = (size_t)(list->rows / high);
    size_t all = (count + across - 1) / across, first = 0;
    if (all > lines && selected / across >= lines / 2)
        first = selected / across - lines / 2;
    if (all > lines && first > all - lines)
        first = all - lines;
    layout->card_columns = across;
    for (size_t i = 0; i < lines * across && first * across + i < count && i < LAYOUT_MAX; i++) {
        int left = list->cols * (int)(i % across) / columns;
        int right = list->cols * ((int)(i % across) + 1) / columns;
        layout->cards[layout->card_count++] = (struct layout_place){
            first * across + i,
            {list->row + (int)(i / across) * high, list->col + left, high, right - left},
        };
    }
}

/* How many columns of panes look best; 0 when the panes do not fit at all. */
static int best_columns(int rows, int cols, int count)
{
    int best = 0;
    double best_score = 0;
    for (int columns = 1; columns <= count && cols / columns >= LAYOUT_PANE_COLS; columns++) {
        int lines = (count + columns - 1) / columns;
        int height = rows / lines;
        int width = cols / columns;
        if (height < LAYOUT_PANE_ROWS)
            continue;
        /* A pane likes 80 columns and more, and to be a bit over three times as wide as high. */
        double shape = (double)width / height / 3.4;
        double score = 1.0 / (shape > 1 ? shape : 1 / shape);
        score *= width >= 82 ? 1.0 : (double)width / 82 * (0.5 + 0.5 * width / 82);
        score *= (double)count / (lines * columns) * 0.5 + 0.5; /* unequal panes look odd */
        if (score > best_score) {
            best_score = score;
            best = columns;
        }
    }
    return best;
}

static bool make_tiled(struct layout *layout, struct rect area, size_t count)
{
    if (count > LAYOUT_MAX)
        return false;
    int panes = (int)count;
    int columns = best_columns(area.rows, area.cols, panes);
    if (columns == 0)
        return false;
    int lines = (panes + columns - 1) / columns;
    for (int line = 0, index = 0; line < lines; line++) {
        int top = area.rows * line / lines;
        int bottom = area.rows * (line + 1) / lines;
        /* The last line's panes share its whole width. */
        int here = line == lines - 1 ? panes - index : columns;
        for (int i = 0; i < here; i++, index++) {
            int left = area.cols * i / here;
            int right = area.cols * (i + 1) / here;
            place_pane(layout, (size_t)index,
                       (struct rect){area.row + top, area.col + left, bottom - top, right - left});
        }
    }
    return true;
}

/* Cards as high as they can be with all of them in view, else of one line; the selected pane below
 * when there is room. */
static void make_cards(struct layout *layout, struct rect area, size_t count, size_t selected)
{
    int most = area.cols / LAYOUT_CARD_COLS, columns = most > 1 ? most : 1, high = 1;
    for (int rows = LAYOUT_CARD_ROWS; rows > 1 && high == 1; rows--)
        for (int across = 1; across <= most; across++)
            if ((count + (size_t)across - 1) / (size_t)across * (size_t)rows <= (size_t)area.rows) {
                high = rows;
                columns = across;
                break;
            }
    size_t lines = (count + (size_t)columns - 1) / (size_t)columns * (size_t)high;
    int wanted = lines < (size_t)area.rows ? (int)lines : area.rows;
    if (lines > (size_t)area.rows && area.rows >= PREVIEW_ROWS * 2)
        wanted = area.rows - PREVIEW_ROWS;
    layout->list = (struct rect){area.row, area.col, wanted, area.cols};
    place_cards(layout, count, selected, columns, high);
    if (area.rows - wanted >= PREVIEW_ROWS)
        place_pane(layout, selected,
                   (struct rect){area.row + wanted, area.col, area.rows - wanted, area.cols});
}

static void make_main(struct layout *layout, struct rect area, size_t count, size_t selected)
{
    if (count <= 1) {
        place_pane(layout, 0, area);
        return;
    }
    /* Too narrow for two columns: the others are lines below the selected pane. */
    if (area.cols < LAYOUT_PANE_COLS * 2 + 6) {
        int lines = (int)(count < (size_t)area.rows / 3 ? count : (size_t)area.rows / 3);
        if (area.rows - lines < LAYOUT_PANE_ROWS)
            lines = area.rows - LAYOUT_PANE_ROWS;
        if (lines < 1) {
            place_pane(layout, selected, area);
            return;
        }
        place_pane(layout, selected,
                   (struct rect){area.row, area.col, area.rows - lines, area.cols});
        layout->list = (struct rect){area.row + area.rows - lines, area.col, lines, area.cols};
        place_cards(layout, count, selected, 1, 1);
        return;
    }

    int stack = (int)(count - 1 < LAYOUT_MAX ? count - 1 : LAYOUT_MAX);
    bool fits = area.rows / stack >= LAYOUT_PANE_ROWS;
    int side = fits ? area.cols * 2 / 5 : area.cols / 3;
    if (!fits && side > CARD_COLS)
        side = CARD_COLS + (area.cols > 140 ? (area.cols - 140) / 4 : 0);
    if (side < LAYOUT_PANE_COLS)
        side = LAYOUT_PANE_COLS;
    int right = area.col + area.cols - side;
    /* Panes in a stack keep their places; out of a list, the selected one is shown. */
    place_pane(layout, fits ? 0 : selected,
               (struct rect){area.row, area.col, area.rows, area.cols - side});
    if (!fits) {
        layout->list = (struct rect){area.row, right, area.rows, side};
        place_cards(layout, count, selected, 1, 1);
        return;
    }
    for (int i = 0; i < stack; i++) {
        int top = area.rows * i / stack;
        int bottom = area.rows * (i + 1) / stack;
        place_pane(layout, (size_t)i + 1, (struct rect){area.row + top, right, bottom - top, side});
    }
}

void layout_make(struct layout *layout, enum layout_kind kind, int rows, int cols, size_t count,
                 size_t selected)
{
    memset(layout, 0, sizeof(*layout));
    if (rows < 1 || cols < 1) {
        layout->tiny = true;
        return;
    }
    layout->bar = (struct rect){rows - 1, 0, 1, cols};
    layout->tiny = rows < LAYOUT_LEAST_ROWS || cols < LAYOUT_LEAST_COLS;
    if (layout->tiny || count == 0)
        return;
    if (selected >= count)
        selected = count - 1;

    struct rect area = {0, 0, rows - 1, cols};
    bool pane_fits = area.rows >= LAYOUT_PANE_ROWS && area.cols >= LAYOUT_PANE_COLS;
    if (!pane_fits) {
        layout->list = area;
        place_cards(layout, count, selected, 1, 1);
    } else if (kind == LAYOUT_ZOOM) {
        if (count > 1 && area.rows > LAYOUT_PANE_ROWS) {
            layout->tabs = (struct rect){0, 0, 1, cols};
            area.row++;
            area.rows--;
        }
        place_pane(layout, selected, area);
    } else if (kind == LAYOUT_MAIN) {
        make_main(layout, area, count, selected);
    } else if (!make_tiled(layout, area, count)) {
        make_cards(layout, area, count, selected);
    }
}

void layout_make_below(struct layout *layout, enum layout_kind kind, int rows, int cols,
                       size_t count, size_t selected)
{
    layout_make(layout, kind, rows - 1, cols, count, selected);
    if (layout->tiny) {
        layout_make(layout, kind, rows, cols, count, selected);
        return;
    }
    layout->projects = (struct rect){0, 0, 1, cols};
    layout->bar.row++;
    layout->list.row++;
    layout->tabs.row++;
    for (size_t i = 0; i < layout->pane_count; i++)
        layout->panes[i].rect.row++;
    for (size_t i = 0; i < layout->card_count; i++)
        layout->cards[i].rect.row++;
}

const struct rect *layout_pane(const struct layout *layout, size_t index)
{
    for (size_t i = 0; i < layout->pane_count; i++)
        if (layout->panes[i].index == index)
            return &layout->panes[i].rect;
    return NULL;
}

struct rect layout_inner(const struct rect *pane)
{
    return (struct rect){pane->row + 1, pane->col + 1, pane->rows - 2, pane->cols - 2};
}

static const struct rect *rect_of(const struct layout *layout, size_t index)
{
    const struct rect *rect = NULL;
    for (size_t i = 0; !rect && i < layout->card_count; i++)
        if (layout->cards[i].index == index)
            rect = &layout->cards[i].rect;
    return rect ? rect : layout_pane(layout, index);
}

/* Distance from `from` to `to` when that lies in the direction, else INT_MAX. */
static int distance(const struct rect *from, const struct rect *to, enum layout_direction direction)
{
    bool sideways = direction == LAYOUT_LEFT || direction == LAYOUT_RIGHT;
    int gap;
    switch (direction) {
    case LAYOUT_LEFT:
        gap = from->col - (to->col + to->cols);
        break;
    case LAYOUT_RIGHT:
        gap = to->col - (from->col + from->cols);
        break;
    case LAYOUT_UP:
        gap = from->row - (to->row + to->rows);
        break;
    default:
        gap = to->row - (from->row + from->rows);
        break;
    }
    if (gap < 0)
        return INT_MAX;
    /* Off the axis costs, but less than not overlapping at all. Cells are twice as high as wide. */
    int from_start = sideways ? from->row : from->col;
    int to_start = sideways ? to->row : to->col;
    int from_size = sideways ? from->rows : from->cols;
    int to_size = sideways ? to->rows : to->cols;
    bool overlap = from_start < to_start + to_size && to_start < from_start + from_size;
    int aside = abs(2 * from_start + from_size - 2 * to_start - to_size);
    return gap * 4 + aside + (overlap ? 0 : 100000);
}

size_t layout_neighbour(const struct layout *layout, size_t from, enum layout_direction direction)
{
    const struct rect *start = rect_of(layout, from);
    if (!start)
        return from;
    size_t best = from;
    int best_distance = INT_MAX;
    for (size_t i = 0; i < layout->pane_count + layout->card_count; i++) {
        bool card = i >= layout->pane_count;
        const struct layout_place *place =
            card ? &layout->cards[i - layout->pane_count] : &layout->panes[i];
        if (place->index == from)
            continue;
        int here = distance(start, &place->rect, direction);
        if (here < best_distance) {
            best_distance = here;
            best = place->index;
        }
    }
    return best;
}

static bool inside(const struct rect *rect, int row, int col)
{
    return row >= rect->row && row < rect->row + rect->rows && col >= rect->col &&
           col < rect->col + rect->cols;
}

size_t layout_at(const struct layout *layout, int row, int col, size_t none)
{
    for (size_t i = 0; i < layout->card_count; i++)
        if (inside(&layout->cards[i].rect, row, col))
            return layout->cards[i].index;
    for (size_t i = 0; i < layout->pane_count; i++)
        if (inside(&layout->panes[i].rect, row, col))
            return layout->panes[i].index;
    return none;
}
