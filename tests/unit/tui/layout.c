#include "suite.h"

#include <string.h>

#include "tui/model/layout.h"

static struct layout layout;

static void inside_screen(const struct rect *rect, int rows, int cols)
{
    ck_assert_int_ge(rect->row, 0);
    ck_assert_int_ge(rect->col, 0);
    ck_assert_int_ge(rect->rows, 1);
    ck_assert_int_ge(rect->cols, 1);
    ck_assert_int_le(rect->row + rect->rows, rows);
    ck_assert_int_le(rect->col + rect->cols, cols);
}

static char taken[64][256];

static void take(const struct rect *rect)
{
    int overlaps = 0; /* an assertion for each cell would take minutes */
    for (int r = rect->row; r < rect->row + rect->rows; r++)
        for (int c = rect->col; c < rect->col + rect->cols; c++) {
            overlaps += taken[r][c];
            taken[r][c] = 1;
        }
    ck_assert_msg(overlaps == 0, "overlap in the place at %d,%d", rect->row, rect->col);
}

static void check(enum layout_kind kind, int rows, int cols, size_t count, size_t selected)
{
    layout_make(&layout, kind, rows, cols, count, selected);
    memset(taken, 0, sizeof(taken));
    inside_screen(&layout.bar, rows, cols);
    take(&layout.bar);
    if (layout.tiny) {
        ck_assert_uint_eq(layout.pane_count + layout.card_count, 0);
        return;
    }
    if (layout.tabs.rows)
        take(&layout.tabs);
    bool selected_there = count == 0;
    for (size_t i = 0; i < layout.pane_count; i++) {
        const struct rect *rect = &layout.panes[i].rect;
        inside_screen(rect, rows, cols);
        take(rect);
        ck_assert_int_ge(rect->rows, LAYOUT_PANE_ROWS);
        ck_assert_int_ge(rect->cols, LAYOUT_PANE_COLS);
        ck_assert_uint_lt(layout.panes[i].index, count);
        selected_there |= layout.panes[i].index == selected;
    }
    for (size_t i = 0; i < layout.card_count; i++) {
        inside_screen(&layout.cards[i].rect, rows, cols);
        take(&layout.cards[i].rect);
        ck_assert_uint_lt(layout.cards[i].index, count);
        selected_there |= layout.cards[i].index == selected;
    }
    ck_assert_msg(selected_there, "%s %dx%d: %zu of %zu is not there", layout_name(kind), cols,
                  rows, selected, count);
}

START_TEST(nothing_overlaps_at_any_size)
{
    static const size_t counts[] = {0, 1, 2, 3, 4, 5, 7, 9, 12, 20, 33, 100, 1024};
    for (int rows = 1; rows <= 61; rows += rows < 12 ? 1 : 16)
        for (int cols = 1; cols <= 250; cols += cols < 60 ? 5 : 38)
            for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
                for (int kind = 0; kind < LAYOUT_KINDS; kind++) {
                    size_t count = counts[i];
                    check((enum layout_kind)kind, rows, cols, count, 0);
                    if (count == 0)
                        continue;
                    check((enum layout_kind)kind, rows, cols, count, count / 2);
                    check((enum layout_kind)kind, rows, cols, count, count - 1);
                }
}
END_TEST

START_TEST(tiles_fill_the_screen)
{
    for (size_t count = 1; count <= 9; count++) {
        check(LAYOUT_TILED, 24, 80, count, 0);
        ck_assert_uint_eq(layout.pane_count, count);
        for (int r = 0; r < 23; r++)
            for (int c = 0; c < 80; c++)
                ck_assert(taken[r][c]);
    }
    check(LAYOUT_TILED, 24, 80, 1, 0);
    ck_assert_int_eq(layout.panes[0].rect.cols, 80);
    check(LAYOUT_TILED, 24, 80, 2, 0); /* one below the other would be too flat to read */
    check(LAYOUT_TILED, 60, 250, 4, 0);
    ck_assert_int_eq(layout.panes[0].rect.cols, 125);
}
END_TEST

START_TEST(twenty_on_a_small_terminal)
{
    check(LAYOUT_TILED, 24, 80, 20, 19);
    ck_assert_uint_eq(layout.card_count, 20);
    check(LAYOUT_MAIN, 24, 80, 20, 19);
    ck_assert_uint_eq(layout.card_count, 20);
    ck_assert_uint_eq(layout.pane_count, 1);
    check(LAYOUT_ZOOM, 24, 80, 20, 19);
    ck_assert_uint_eq(layout.pane_count, 1);
    ck_assert_int_eq(layout.tabs.rows, 1);
}
END_TEST

START_TEST(cards_scroll_to_the_selected)
{
    for (size_t selected = 0; selected < 100; selected++) {
        check(LAYOUT_TILED, 24, 80, 100, selected);
        ck_assert_uint_gt(layout.card_count, 10);
        for (size_t i = 1; i < layout.card_count; i++)
            ck_assert_uint_eq(layout.cards[i].index, layout.cards[i - 1].index + 1);
    }
}
END_TEST

START_TEST(cards_are_as_high_as_they_can_be)
{
    check(LAYOUT_TILED, 24, 80, 20, 0); /* two columns of two lines each */
    ck_assert_uint_eq(layout.card_columns, 2);
    ck_assert_int_eq(layout.cards[0].rect.rows, 2);
    check(LAYOUT_TILED, 24, 80, 100, 50); /* a line each, and the selected pane */
    ck_assert_int_eq(layout.cards[0].rect.rows, 1);
    ck_assert_uint_eq(layout.card_columns, 2);
    ck_assert_uint_eq(layout.pane_count, 1);
    check(LAYOUT_TILED, 40, 120, 100, 0);
    ck_assert_uint_eq(layout.card_count, 100);
    check(LAYOUT_TILED, 60, 250, 100, 0);
    ck_assert_uint_eq(layout.card_count, 100);
    ck_assert_int_eq(layout.cards[0].rect.rows, 3);
}
END_TEST

START_TEST(neighbours)
{
    check(LAYOUT_TILED, 40, 200, 4, 0); /* two by two */
    ck_assert_uint_eq(layout_neighbour(&layout, 0, LAYOUT_RIGHT), 1);
    ck_assert_uint_eq(layout_neighbour(&layout, 0, LAYOUT_DOWN), 2);
    ck_assert_uint_eq(layout_neighbour(&layout, 3, LAYOUT_LEFT), 2);
    ck_assert_uint_eq(layout_neighbour(&layout, 3, LAYOUT_UP), 1);
    ck_assert_uint_eq(layout_neighbour(&layout, 0, LAYOUT_LEFT), 0);
    ck_assert_uint_eq(layout_neighbour(&layout, 77, LAYOUT_LEFT), 77);
    check(LAYOUT_MAIN, 40, 200, 4, 0);
    ck_assert_uint_eq(layout_neighbour(&layout, 2, LAYOUT_LEFT), 0);
    ck_assert_uint_eq(layout_neighbour(&layout, 2, LAYOUT_DOWN), 3);
}
END_TEST

/* From every pane to every other one, with arrows alone. */
START_TEST(arrows_reach_everything)
{
    for (size_t count = 1; count <= 12; count++) {
        for (int kind = 0; kind <= LAYOUT_MAIN; kind++) {
            check((enum layout_kind)kind, 60, 250, count, 0);
            bool reached[12] = {true};
            for (bool more = true; more;) {
                more = false;
                for (size_t from = 0; from < count; from++)
                    for (int direction = 0; reached[from] && direction < 4; direction++) {
                        size_t to =
                            layout_neighbour(&layout, from, (enum layout_direction)direction);
                        more |= !reached[to];
                        reached[to] = true;
                    }
            }
            for (size_t i = 0; i < count; i++)
                ck_assert_msg(reached[i], "%zu of %zu is cut off", i, count);
        }
    }
}
END_TEST

START_TEST(found_under_the_pointer)
{
    check(LAYOUT_TILED, 40, 200, 4, 0);
    ck_assert_uint_eq(layout_at(&layout, 0, 0, 99), 0);
    ck_assert_uint_eq(layout_at(&layout, 38, 199, 99), 3);
    ck_assert_uint_eq(layout_at(&layout, 39, 0, 99), 99); /* the bar */
    ck_assert_uint_eq(layout_at(&layout, 1000, 1000, 99), 99);
    struct rect inner = layout_inner(layout_pane(&layout, 1));
    ck_assert_int_eq(inner.row, 1);
    ck_assert_int_eq(inner.cols, 98);
    ck_assert_ptr_null(layout_pane(&layout, 4));
}
END_TEST

START_TEST(names)
{
    for (int kind = 0; kind < LAYOUT_KINDS; kind++)
        ck_assert_int_eq(layout_find(layout_name((enum layout_kind)kind)), kind);
    ck_assert_int_eq(layout_find("nonsense"), LAYOUT_TILED);
}
END_TEST

SUITE_MAIN("layout", nothing_overlaps_at_any_size, tiles_fill_the_screen,
           twenty_on_a_small_terminal, cards_are_as_high_as_they_can_be,
           cards_scroll_to_the_selected, neighbours, arrows_reach_everything,
           found_under_the_pointer, names)
