#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "tui/cli/replay_screen.h"

static char *text;
static size_t text_size;

static FILE *open_text(void)
{
    text = NULL;
    FILE *out = open_memstream(&text, &text_size);
    ck_assert_ptr_nonnull(out);
    return out;
}

static void put(struct replay_screen *screen, const char *bytes)
{
    replay_screen_write(screen, bytes, strlen(bytes));
}

START_TEST(text_holds_scrollback_and_screen)
{
    FILE *out = open_text();
    struct replay_screen *screen = replay_screen_new(3, 20, out);
    put(screen, "one\r\n\x1b[31mtwo  \x1b[0m\r\n漢字\r\nfour\r\n");
    replay_screen_text(screen, out);
    replay_screen_free(screen);
    fclose(out);
    ck_assert_str_eq(text, "one\ntwo\n漢字\nfour\n");
    free(text);
}
END_TEST

/* All text of the cells that are written, and how many rows they are of. */
static size_t read_cells(char *all, size_t room)
{
    size_t used = 0, rows = 0;
    int last = -1;
    ck_assert_uint_ge(text_size, sizeof(struct replay_frame));
    for (size_t at = sizeof(struct replay_frame); at < text_size;) {
        struct replay_cell cell;
        memcpy(&cell, text + at, sizeof(cell));
        at += sizeof(cell);
        ck_assert_uint_le(at + cell.size, text_size);
        used += (size_t)snprintf(all + used, room - used, "%.*s", (int)cell.size, text + at);
        at += cell.size;
        rows += cell.row != last;
        last = cell.row;
    }
    return rows;
}

/* What was printed is not obeyed, and what controls is no cell. */
START_TEST(nothing_of_the_recording_is_passed_on)
{
    char all[1000] = "";
    struct replay_screen *screen = replay_screen_new(5, 20, NULL);
    FILE *out = open_text();
    put(screen, "\x1b]0;title\x07\x1b]52;c;aGk=\x07\x1b[?1000h\x1b[6n\x1b[c\x1bP$qm\x1b\\"
                "\x1b[8;99;99t\x0e\x07\x1b[?1049h\x1b[!pvisible");
    replay_screen_cells(screen, out, true);
    replay_screen_free(screen);
    fclose(out);
    ck_assert_uint_gt(read_cells(all, sizeof(all)), 0);
    ck_assert_str_eq(all, "visible");
    free(text);
}
END_TEST

START_TEST(only_what_changed_is_written_again)
{
    char all[1000] = "";
    struct replay_screen *screen = replay_screen_new(5, 20, NULL);
    FILE *out = open_text();
    put(screen, "first\r\nsecond");
    replay_screen_cells(screen, out, true);
    fclose(out);
    ck_assert_uint_eq(read_cells(all, sizeof(all)), 5);
    ck_assert_str_eq(all, "firstsecond");
    free(text);
    out = open_text();
    put(screen, "!");
    replay_screen_cells(screen, out, false);
    fclose(out);
    ck_assert_uint_eq(read_cells(all, sizeof(all)), 1);
    ck_assert_str_eq(all, "second!");
    replay_screen_free(screen);
    free(text);
}
END_TEST

START_TEST(any_size_is_survived)
{
    static const unsigned sizes[][2] = {{1, 1}, {0, 0}, {24, 80}, {1, 500}, {60000, 60000}, {2, 2}};
    struct replay_screen *screen = replay_screen_new(24, 80, NULL);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        FILE *out = open_text();
        put(screen, "漢字 and a longer line that wraps around\r\n\x1b[99;99Hx\x1b[2K\x1b[L\x1b[M");
        replay_screen_resize(screen, sizes[i][0], sizes[i][1]);
        put(screen, "漢字\x1b[?1049hx\x1b[?1049l\n\n\n");
        replay_screen_cells(screen, out, true);
        replay_screen_text(screen, out);
        fclose(out);
        free(text);
    }
    replay_screen_free(screen);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("replay_screen");
    tcase_add_test(tests, text_holds_scrollback_and_screen);
    tcase_add_test(tests, nothing_of_the_recording_is_passed_on);
    tcase_add_test(tests, only_what_changed_is_written_again);
    tcase_add_test(tests, any_size_is_survived);
    return run_suite("replay_screen", tests);
}
