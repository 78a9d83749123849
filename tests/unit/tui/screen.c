#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/model/screen.h"

static struct screen screen;

static void open_screen(void)
{
    screen_init(&screen);
}

/* Applies events in a frame. */
static void apply(const char *events)
{
    char frame[8192];
    snprintf(frame, sizeof(frame), "[7, [%s]]", events);
    ck_assert_int_eq(screen_redraw(&screen, object(frame), NULL), 0);
    /* Whatever came, the screen is sound. */
    for (int r = 0; r < screen.rows; r++)
        for (int c = 0; c < screen.cols; c++) {
            const struct screen_cell *cell = &screen.row[r][c];
            ck_assert_uint_lt(cell->attr, SCREEN_ATTRS_MAX);
            if (cell->glyph & SCREEN_CLUSTER)
                ck_assert_uint_lt(cell->glyph & ~SCREEN_CLUSTER, screen.cluster_count);
            if (cell->glyph == SCREEN_WIDE)
                ck_assert(c > 0 && screen.row[r][c - 1].glyph != SCREEN_WIDE);
        }
    if (screen.rows > 0) {
        ck_assert_int_lt(screen.cursor_row, screen.rows);
        ck_assert_int_lt(screen.cursor_col, screen.cols);
    }
}

static const char *row_text(int row)
{
    static char out[1024];
    size_t size = 0;
    for (int c = 0; c < screen.cols; c++) {
        char text[SCREEN_CLUSTER_MAX];
        screen_text(&screen, &screen.row[row][c], text);
        size += (size_t)snprintf(out + size, sizeof(out) - size, "%s", text);
    }
    return out;
}

/* Ids that lie far apart take no memory for those between, which look like the default. */
START_TEST(sparse_attributes)
{
    open_screen();
    apply("[\"resize\", 4, 1], [\"attr\", 1, 0, 0, 1, 0], [\"attr\", 262143, 0, 0, 2, 0],"
          "[\"line\", 0, 0, [[\"a\", 262143], [\"b\", 70000], [\"c\", 262000], [\"d\", 1]]]");
    ck_assert_uint_eq(screen_attr(&screen, screen.row[0][0].attr)->flags, 2);
    ck_assert_uint_eq(screen_attr(&screen, screen.row[0][1].attr)->flags, 0);
    ck_assert_uint_eq(screen_attr(&screen, screen.row[0][2].attr)->flags, 0);
    ck_assert_uint_eq(screen_attr(&screen, screen.row[0][3].attr)->flags, 1);
    size_t parts = 0;
    for (size_t i = 0; i < screen.attr_parts; i++)
        parts += screen.attrs[i] != NULL;
    ck_assert_uint_eq(parts, 2);
    screen_forget_ids(&screen);
    ck_assert_uint_eq(screen_attr(&screen, 262143)->flags, 0);
    screen_free(&screen);
}
END_TEST

START_TEST(draws_lines)
{
    open_screen();
    apply("[\"resize\", 6, 2], [\"attr\", 1, 33554687, 0, 1, 0],"
          "[\"line\", 0, 0, [[\"a\", 1], [\"b\"], [\" \", 0, 4]]], [\"line\", 1, 2, [[\"x\", 0, "
          "9]]]");
    ck_assert_int_eq(screen.rows, 2);
    ck_assert_int_eq(screen.cols, 6);
    ck_assert_str_eq(row_text(0), "ab    ");
    ck_assert_str_eq(row_text(1), "  xxxx");
    ck_assert_uint_eq(screen.row[0][1].attr, 1);
    ck_assert_uint_eq(screen.row[0][2].attr, 0);
    ck_assert_uint_eq(screen_attr(&screen, 1)->fg, BJ_COLOR_RGB | 0xff);
    ck_assert_uint_eq(screen.frame, 7);
    ck_assert_int_eq(screen.dirty[0].from, 0);
    ck_assert_int_eq(screen.dirty[1].to, 6);
    memset(screen.dirty, 0, 2 * sizeof(screen.dirty[0]));

    apply("[\"line\", 1, 3, [[\"y\"]]], [\"line\", 1, 1, [[\"z\"]]]");
    ck_assert_int_eq(screen.dirty[0].to, 0);
    ck_assert_int_eq(screen.dirty[1].from, 0); /* with its neighbours */
    ck_assert_int_eq(screen.dirty[1].to, 5);
    apply("[\"scroll\", 0, 2, 1]");
    ck_assert_int_eq(screen.dirty[0].to, 6);
    screen_free(&screen);
}
END_TEST

START_TEST(wide_characters_and_marks)
{
    open_screen();
    apply("[\"resize\", 6, 1], [\"line\", 0, 0, [[\"\u6f22\"], [\"\"], [\"e\u0301\"], [\"z\"]]]");
    ck_assert_str_eq(row_text(0), "\u6f22e\u0301z  ");
    ck_assert_uint_eq(screen.row[0][1].glyph, SCREEN_WIDE);
    /* The first half is overwritten: the second is not left alone. */
    apply("[\"line\", 0, 0, [[\"a\"]]], [\"line\", 0, 1, [[\"\"], [\"\"], [\"\"]]]");
    apply("[\"line\", 0, 0, [[\"\"]]]");
    ck_assert_uint_eq(screen.row[0][0].glyph, ' ');
    screen_free(&screen);
}
END_TEST

START_TEST(resize_is_a_blank_screen)
{
    open_screen();
    apply("[\"resize\", 4, 2], [\"attr\", 3, 0, 0, 1, 0], [\"line\", 0, 0, [[\"x\", 3, 4]]],"
          "[\"cursor\", 1, 3, true, 3, true]");
    apply("[\"resize\", 3, 1]");
    ck_assert_str_eq(row_text(0), "   ");
    ck_assert_int_eq(screen.cursor_row, 0);
    ck_assert_int_eq(screen.cursor_col, 2);
    screen_free(&screen);
}
END_TEST

START_TEST(scrolls_both_ways)
{
    open_screen();
    apply("[\"resize\", 2, 4], [\"line\", 0, 0, [[\"a\"]]], [\"line\", 1, 0, [[\"b\"]]],"
          "[\"line\", 2, 0, [[\"c\"]]], [\"line\", 3, 0, [[\"d\"]]], [\"scroll\", 0, 4, 1]");
    ck_assert_str_eq(row_text(0), "b ");
    ck_assert_str_eq(row_text(3), "  ");
    apply("[\"scroll\", 1, 3, -1]");
    ck_assert_str_eq(row_text(0), "b ");
    ck_assert_str_eq(row_text(1), "  ");
    ck_assert_str_eq(row_text(2), "c ");
    apply("[\"scroll\", 0, 4, 4]");
    ck_assert_str_eq(row_text(2), "  ");
    screen_free(&screen);
}
END_TEST

START_TEST(state_events)
{
    open_screen();
    apply("[\"resize\", 80, 24], [\"cursor\", 3, 80, true, 2, false], [\"mode\", 17],"
          "[\"title\", \"a\\u001b]0;b\\u0007c\"], [\"view\", 12, 100], [\"bell\"],"
          "[\"link\", 1, \"https://example.org/\\u202ex\"], [\"attr\", 1, 0, 0, 0, 1],"
          "[\"line\", 0, 0, [[\"l\", 1]]]");
    ck_assert_int_eq(screen.cursor_col, 79); /* behind the last column: pending wrap */
    ck_assert_int_eq(screen.cursor_shape, 2);
    ck_assert_uint_eq(screen.modes, BJ_MODE_ALTSCREEN | BJ_MODE_PASTE);
    ck_assert_str_eq(screen.title, "a\ufffd]0;b\ufffdc");
    ck_assert_uint_eq(screen.view_offset, 12);
    ck_assert(screen.bell);
    ck_assert_str_eq(screen_link(&screen, 0, 0), "https://example.org/x");
    ck_assert_ptr_null(screen_link(&screen, 0, 1));
    ck_assert_ptr_null(screen_link(&screen, 99, 1));
    screen_free(&screen);
}
END_TEST

/* Ids only grow. One whose place another took means nothing, never the other. */
START_TEST(links_beyond_the_table)
{
    open_screen();
    apply("[\"resize\", 4, 1], [\"link\", 7, \"https://a.example\"], [\"attr\", 1, 0, 0, 0, 7],"
          "[\"line\", 0, 0, [[\"a\", 1]]]");
    ck_assert_str_eq(screen_link(&screen, 0, 0), "https://a.example");
    apply("[\"link\", 4103, \"https://b.example\"], [\"attr\", 2, 0, 0, 0, 4103],"
          "[\"line\", 0, 1, [[\"b\", 2]]]");
    ck_assert_str_eq(screen_link(&screen, 0, 1), "https://b.example");
    ck_assert_ptr_null(screen_link(&screen, 0, 0));
    screen_forget_ids(&screen);
    ck_assert_ptr_null(screen_link(&screen, 0, 1));
    screen_free(&screen);
}
END_TEST

/* A monitor that was taken over: none of this may do more than nothing. */
static const char *const hostile[] = {
    "[\"resize\", 0, 0]",
    "[\"resize\", -1, 5]",
    "[\"resize\", 10000, 10000]",
    "[\"resize\", 9223372036854775807, 1]",
    "[\"resize\", \"a\", []]",
    "[\"resize\"]",
    "[\"line\", 99, 0, [[\"x\"]]]",
    "[\"line\", -1, 0, [[\"x\"]]]",
    "[\"line\", 0, -1, [[\"x\"]]]",
    "[\"line\", 0, 5, [[\"x\"]]]",
    "[\"line\", 0, 0, [[\"x\", 999999]]]",
    "[\"line\", 0, 0, [[\"x\", -4]]]",
    "[\"line\", 0, 0, [[\"x\", 0, 4294967295]]]",
    "[\"line\", 0, 0, [[\"x\", 0, -1]]]",
    "[\"line\", 0, 0, [[], 5, [5], [null], [[\"x\"]], [true, true, true]]]",
    "[\"line\", 0, 0, [[\"\\u001b\"], [\"\\u009b\"], [\"\\u0000\"], [\"ab\"], [\"\\n\"]]]",
    "[\"line\", 0, 0, [[\"\"], [\"\"], [\"\"], [\"\"], [\"\"]]]",
    "[\"line\", 0, 0, 7]",
    "[\"line\"]",
    "[\"attr\", 0, 1, 1, 1, 1]",
    "[\"attr\", 262144, 1, 1, 1, 1]",
    "[\"attr\", 262143, 1, 1, 1, 1]",
    "[\"attr\", -1, 1, 1, 1, 1]",
    "[\"attr\", 1, -1, 4294967296, 1, 1]",
    "[\"attr\", 1, 4294967295, 4294967295, 65535, 4095]",
    "[\"link\", 4294967296, \"x\"]",
    "[\"link\", 0, \"x\"]",
    "[\"link\", 4095, 5]",
    "[\"scroll\", 0, 99, 1]",
    "[\"scroll\", 3, 1, 1]",
    "[\"scroll\", 0, 3, 99]",
    "[\"scroll\", 0, 3, -99]",
    "[\"scroll\", -1, 3, 1]",
    "[\"cursor\", 99, 0, true, 1, true]",
    "[\"cursor\", 0, 99, true, 1, true]",
    "[\"cursor\", 0, 0, 5, 99, \"x\"]",
    "[\"mode\", -1]",
    "[\"title\", 5]",
    "[\"view\", -1, -1]",
    "[\"view\", 500, 10]",
    "[\"unknown\", 1, 2, 3]",
    "[]",
    "5",
    "[5, 5]",
};

START_TEST(hostile_events_do_nothing)
{
    open_screen();
    apply(hostile[0]); /* before there is a screen at all */
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
        apply(hostile[i]);
    screen_free(&screen);
    open_screen();
    apply("[\"resize\", 5, 3]");
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        apply(hostile[i]);
        ck_assert_int_eq(screen.rows, 3);
        ck_assert_int_eq(screen.cols, 5);
    }
    for (int r = 0; r < 3; r++)
        for (const char *at = row_text(r); *at; at++)
            ck_assert((unsigned char)*at >= 0x20);
    ck_assert_uint_le(screen.view_offset, screen.view_lines);
    screen_free(&screen);
}
END_TEST

START_TEST(frames_that_are_none)
{
    static const char *const frames[] = {"5", "[]", "[1]", "[\"a\", []]", "[1, 5]", "{}", "null"};
    struct bj_error error = {0};
    open_screen();
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
        ck_assert_int_eq(screen_redraw(&screen, object(frames[i]), &error), -EPROTO);
    ck_assert_int_eq(screen_redraw(&screen, NULL, &error), -EPROTO);
    ck_assert(!screen.drawn);
    screen_free(&screen);
}
END_TEST

START_TEST(clusters_are_bounded)
{
    open_screen();
    apply("[\"resize\", 3, 2], [\"line\", 1, 0, [[\"o\u0302\"]]]");
    /* Far more distinct ones than are kept, never more than two on the screen. */
    for (int i = 0; i < 3 * SCREEN_CLUSTERS_MAX; i++) {
        char event[80];
        snprintf(event, sizeof(event), "[\"line\", 0, 0, [[\"\\u%04x\\u0301\"]]]", 0x4e00 + i);
        apply(event);
        ck_assert_uint_le(screen.cluster_count, SCREEN_CLUSTERS_MAX);
    }
    char last[SCREEN_CLUSTER_MAX];
    screen_text(&screen, &screen.row[0][0], last);
    ck_assert_uint_eq(strlen(last), 5); /* still with its mark */
    screen_text(&screen, &screen.row[1][0], last);
    ck_assert_str_eq(last, "o\u0302");
    screen_free(&screen);
}
END_TEST

START_TEST(last_line_for_a_card)
{
    char out[16];
    open_screen();
    screen_line_above(&screen, 10000, out, sizeof(out));
    ck_assert_str_eq(out, "");
    apply("[\"resize\", 20, 3], [\"line\", 1, 2, [[\"h\"], [\"i\"], [\" \"], [\"y\"]]]");
    screen_line_above(&screen, 10000, out, sizeof(out));
    ck_assert_str_eq(out, "hi y");
    apply("[\"line\", 2, 0, [[\"w\", 0, 20]]]");
    screen_line_above(&screen, 10000, out, sizeof(out));
    ck_assert_uint_eq(strlen(out), sizeof(out) - 1);
    screen_free(&screen);
}
END_TEST

SUITE_MAIN("screen", draws_lines, sparse_attributes, wide_characters_and_marks,
           resize_is_a_blank_screen, scrolls_both_ways, state_events, links_beyond_the_table,
           hostile_events_do_nothing, frames_that_are_none, clusters_are_bounded,
           last_line_for_a_card)
