/* Rows, scrolling, ids, and the scrollback's packing, below the terminal. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/monitor/grid.h"
#include "mux/monitor/scrollback.h"
#include "screen.h"

static void fill(struct row *row, const char *text)
{
    for (int i = 0; text[i]; i++)
        row->cells[i] = (struct cell){.glyph = (uint8_t)text[i]};
    row->used = (uint16_t)strlen(text);
}

static void numbered(struct grid *grid)
{
    for (int row = 0; row < grid->rows; row++)
        fill(grid_row(grid, row), (char[]){(char)('0' + row), '\0'});
}

static const char *order(const struct grid *grid)
{
    static char text[64];
    for (int row = 0; row < grid->rows; row++) {
        uint32_t glyph = grid_row(grid, row)->cells[0].glyph;
        text[row] = glyph ? (char)glyph : '.';
    }
    text[grid->rows] = '\0';
    return text;
}

static const struct {
    int top, bottom, count;
    const char *order;
} scrolls[] = {
    {0, 6, 1, "12345."}, {0, 6, -1, ".01234"}, {0, 6, 99, "......"}, {0, 6, -99, "......"},
    {1, 4, 1, "023.45"}, {1, 4, -1, "0.1245"}, {1, 4, 2, "03..45"},  {1, 4, 3, "0...45"},
    {5, 6, 1, "01234."}, {0, 6, 0, "012345"},
};

START_TEST(test_scroll)
{
    struct grid grid;
    ck_assert_int_eq(grid_init(&grid, 6, 8), 0);
    /* Also when the ring does not begin at its start. */
    for (int i = 0; i < _i % 6; i++)
        free(grid_scroll_up(&grid, 0, 6, row_new(8)));
    numbered(&grid);
    grid.now = 9;
    grid_scroll(&grid, scrolls[_i].top, scrolls[_i].bottom, scrolls[_i].count, 0);
    ck_assert_str_eq(order(&grid), scrolls[_i].order);
    for (int row = 0; row < 6; row++)
        ck_assert_int_eq(grid_stamp(&grid, row) == 9,
                         row >= scrolls[_i].top && row < scrolls[_i].bottom);
    grid_free(&grid);
}
END_TEST

START_TEST(test_scroll_up_hands_out_the_row)
{
    struct grid grid;
    ck_assert_int_eq(grid_init(&grid, 4, 8), 0);
    numbered(&grid);
    struct row *gone = grid_scroll_up(&grid, 0, 4, row_new(8));
    ck_assert_uint_eq(gone->cells[0].glyph, '0');
    ck_assert_str_eq(order(&grid), "123.");
    free(gone);
    gone = grid_scroll_up(&grid, 1, 3, row_new(8));
    ck_assert_uint_eq(gone->cells[0].glyph, '2');
    ck_assert_str_eq(order(&grid), "13..");
    free(gone);
    grid_free(&grid);
}
END_TEST

START_TEST(test_rows)
{
    struct row *row = row_new(10);
    fill(row, "abcdef");
    ck_assert_int_eq(row_length(row, 10), 6);
    row_erase(row, 10, 4, 10, 0);
    ck_assert_int_eq(row_length(row, 10), 4);
    row_shift(row, 10, 1, 2, 3);
    ck_assert_uint_eq(row->cells[1].attr, 3);
    ck_assert_uint_eq(row->cells[3].glyph, 'b');
    row_shift(row, 10, 1, -99, 0);
    ck_assert_uint_eq(row->cells[0].glyph, 'a');
    ck_assert_int_eq(row_length(row, 10), 1);
    /* Half of a wide glyph is never left. */
    row->cells[4].glyph = 0x4f60 | GLYPH_WIDE;
    row->cells[5].glyph = GLYPH_TAIL;
    row->used = 6;
    row_erase(row, 10, 5, 7, 0);
    ck_assert_uint_eq(row->cells[4].glyph, ' ');
    free(row);
}
END_TEST

START_TEST(test_attributes)
{
    struct attributes table;
    ck_assert_int_eq(attributes_init(&table), 0);
    for (uint32_t i = 1; i < ATTRIBUTES_MAX; i++) {
        struct attribute look = {.fg = i};
        ck_assert_uint_eq(attributes_intern(&table, &look), i);
    }
    struct attribute look = {.fg = ATTRIBUTES_MAX + 5};
    ck_assert_uint_eq(attributes_intern(&table, &look), ATTRIBUTE_FULL);
    uint32_t *used = calloc(attributes_bitmap_words(), sizeof(*used));
    ck_assert_ptr_nonnull(used);
    used[3] = 0xff; /* 96..103 stay */
    attributes_sweep(&table, used);
    free(used);
    ck_assert_uint_eq(table.generation, 1);
    ck_assert_uint_eq(attributes_intern(&table, &(struct attribute){.fg = 100}), 100);
    ck_assert_uint_ne(attributes_intern(&table, &look), ATTRIBUTE_FULL);
    ck_assert_uint_eq(attributes_get(&table, attributes_intern(&table, &look))->fg, look.fg);
    ck_assert_uint_eq(attributes_get(&table, 0xfff0)->fg, 0);
    attributes_free(&table);
}
END_TEST

START_TEST(test_links)
{
    struct hyperlinks links = {0};
    static const char *const refused[] = {"",
                                          "javascript:x",
                                          "https://",
                                          "ftp://x/",
                                          "https://a b",
                                          "https://a\nb",
                                          "https://\xc3\xa4/",
                                          "data:text/html,x"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        ck_assert_uint_eq(hyperlinks_intern(&links, refused[i], strlen(refused[i])), 0);
    uint32_t first = hyperlinks_intern(&links, "https://a/", 10);
    ck_assert_uint_eq(hyperlinks_intern(&links, "https://a/", 10), first);
    for (uint32_t i = 0; i < HYPERLINKS_KEPT; i++) {
        char url[32];
        int size = snprintf(url, sizeof(url), "file:///%u", i);
        ck_assert_uint_gt(hyperlinks_intern(&links, url, (size_t)size), first);
    }
    /* A forgotten id never comes to mean another target. */
    ck_assert_ptr_null(hyperlinks_get(&links, first));
    ck_assert_uint_gt(hyperlinks_intern(&links, "https://a/", 10), first);
    hyperlinks_free(&links);
}
END_TEST

/* Coloured lines of words and numbers, some with wide characters and clusters. */
static struct terminal *colored_lines(int count, bool wide)
{
    struct terminal *t = screen_new(50, 200, 10000, NULL);
    uint32_t seed = 1;
    for (int i = 0; i < count; i++) {
        for (int word = 0; word < 20; word++) {
            static const char *const words[] = {"src/main.c:%u", "warning:", "unused",
                                                "in function",   "%u tests", "passed",
                                                "[%u/900]",      "compiling"};
            char text[64];
            seed = seed * 1664525U + 1013904223U;
            int size = snprintf(text, sizeof(text), "\x1b[38;5;%um", seed >> 20 & 255);
            snprintf(text + size, sizeof(text) - (size_t)size, words[seed >> 8 & 7],
                     seed >> 12 & 511);
            screen_write(t, text);
            screen_write(t, wide && word % 7 == 3 ? "\xe6\xb0\xb4 e\xcc\x81 " : " ");
        }
        screen_write(t, "\r\n");
    }
    return t;
}

static size_t scrollback_bytes(const struct terminal *t)
{
    return t->scrollback.stored + t->scrollback.open.capacity +
           (size_t)(t->scrollback.hot_count + t->scrollback.spare_count) *
               (sizeof(struct row) + 200 * sizeof(struct cell));
}

/* At most a third of tmux's 3.9 MB for 10,000, once idle; until then at most what may wait. */
START_TEST(test_memory)
{
    struct terminal *t = colored_lines(10100, false);
    ck_assert_uint_le(scrollback_bytes(t), 1300000 + 1200000);
    scrollback_trim(&t->scrollback);
    ck_assert_uint_eq(t->scrollback.unpacked, 0);
    ck_assert_uint_le(scrollback_bytes(t), 1300000);
    ck_assert_uint_ge(terminal_history(t), 10000);
    terminal_free(t);
}
END_TEST

static bool same_cell(const struct styles *styles, const struct cell *cell,
                      const struct styles *other_styles, const struct cell *other)
{
    uint32_t points[CLUSTER_POINTS_MAX], other_points[CLUSTER_POINTS_MAX];
    uint32_t count = clusters_points(&styles->clusters, cell->glyph, points);
    return memcmp(attributes_get(&styles->attributes, cell->attr),
                  attributes_get(&other_styles->attributes, other->attr),
                  sizeof(struct attribute)) == 0 &&
           clusters_points(&other_styles->clusters, other->glyph, other_points) == count &&
           memcmp(points, other_points, count * sizeof(points[0])) == 0;
}

/* Every 17th row: each is found by its block's lines before it. */
static void compare_history(struct terminal *one, struct terminal *other)
{
    size_t rows = terminal_history(one), wrong = 0;
    ck_assert_uint_eq(terminal_history(other), rows);
    for (size_t row = 0; row < rows; row += 17) {
        struct cell cells[2][200];
        bool wrapped[2];
        scrollback_get(&one->scrollback, &one->styles, one->cols, row, cells[0], &wrapped[0]);
        scrollback_get(&other->scrollback, &other->styles, other->cols, row, cells[1], &wrapped[1]);
        wrong += wrapped[0] != wrapped[1];
        for (int col = 0; col < one->cols; col++)
            wrong += !same_cell(&one->styles, &cells[0][col], &other->styles, &cells[1][col]);
    }
    ck_assert_uint_eq(wrong, 0);
}

/* Packed or not, the lines are the same: through other widths, and where a higher screen takes them
 * back. */
START_TEST(test_packed_lines)
{
    struct terminal *waits = colored_lines(2000, true), *packed = colored_lines(2000, true);
    static const int sizes[][2] = {{50, 200}, {50, 37}, {170, 120}, {20, 200}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        ck_assert_uint_gt(waits->scrollback.unpacked, 0);
        scrollback_trim(&packed->scrollback);
        ck_assert_uint_eq(packed->scrollback.unpacked, 0);
        ck_assert_uint_lt(packed->scrollback.stored, waits->scrollback.stored);
        ck_assert_int_eq(terminal_resize(waits, sizes[i][0], sizes[i][1]), 0);
        ck_assert_int_eq(terminal_resize(packed, sizes[i][0], sizes[i][1]), 0);
        compare_history(waits, packed);
    }
    scrollback_clear(&waits->scrollback);
    ck_assert_uint_eq(waits->scrollback.stored, 0);
    ck_assert_uint_eq(waits->scrollback.unpacked, 0);
    terminal_free(waits);
    terminal_free(packed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("grid");
    TCase *tcase = tcase_create("grid");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_scroll, 0, sizeof(scrolls) / sizeof(scrolls[0]));
    tcase_add_test(tcase, test_scroll_up_hands_out_the_row);
    tcase_add_test(tcase, test_rows);
    tcase_add_test(tcase, test_attributes);
    tcase_add_test(tcase, test_links);
    tcase_add_test(tcase, test_memory);
    tcase_add_test(tcase, test_packed_lines);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
