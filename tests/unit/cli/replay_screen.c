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

/* Whatever was printed: what reaches the terminal are cursor moves, SGR and text. */
START_TEST(nothing_of_the_recording_reaches_the_terminal)
{
    struct replay_screen *screen = replay_screen_new(5, 20, NULL);
    FILE *out = open_text();
    put(screen, "\x1b]0;title\x07\x1b]52;c;aGk=\x07\x1b[?1000h\x1b[6n\x1b[c\x1bP$qm\x1b\\"
                "\x1b[8;99;99t\xc2\x9b"
                "31m\x0e\x07"
                "a\xe2\x80\xae"
                "b\x1b[?1049h\x1b[!pvisible");
    replay_screen_paint(screen, out, 5, 20, REPLAY_DIRECT, true);
    replay_screen_free(screen);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "visible"));
    for (const char *at = text; (at = strchr(at, '\x1b')); at++) {
        size_t length = strspn(at + 2, "0123456789;?");
        ck_assert_int_eq(at[1], '[');
        ck_assert_msg(strchr("HmKlh", at[2 + length]) != NULL, "CSI %s", at + 2);
        if (at[2] == '?')
            ck_assert_int_eq(strncmp(at + 3, "25", 2), 0);
    }
    ck_assert_ptr_null(strchr(text, '\x07'));
    ck_assert_ptr_null(strstr(text, "title"));
    free(text);
}
END_TEST

START_TEST(only_what_changed_is_painted_again)
{
    struct replay_screen *screen = replay_screen_new(5, 20, NULL);
    FILE *out = open_text();
    put(screen, "first\r\nsecond");
    replay_screen_paint(screen, out, 5, 20, REPLAY_MONO, true);
    fflush(out);
    size_t before = text_size;
    put(screen, "!");
    replay_screen_paint(screen, out, 5, 20, REPLAY_MONO, false);
    fclose(out);
    ck_assert_ptr_null(strstr(text + before, "first"));
    ck_assert_ptr_nonnull(strstr(text + before, "second!"));
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
        replay_screen_paint(screen, out, 10, 10, REPLAY_256, true);
        replay_screen_text(screen, out);
        fclose(out);
        free(text);
    }
    replay_screen_free(screen);
}
END_TEST

START_TEST(colours_become_what_the_terminal_has)
{
    static const char *const expected[] = {NULL, "38;5;", "38;2;1;2;3"};
    struct replay_screen *screen = replay_screen_new(2, 10, NULL);
    FILE *out = open_text();
    put(screen, "\x1b[38;2;1;2;3mx");
    replay_screen_paint(screen, out, 2, 10, (enum replay_colours)_i, true);
    fclose(out);
    if (expected[_i])
        ck_assert_ptr_nonnull(strstr(text, expected[_i]));
    else
        ck_assert_ptr_null(strstr(text, "38;"));
    replay_screen_free(screen);
    free(text);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("replay_screen");
    tcase_add_test(tests, text_holds_scrollback_and_screen);
    tcase_add_test(tests, nothing_of_the_recording_reaches_the_terminal);
    tcase_add_test(tests, only_what_changed_is_painted_again);
    tcase_add_test(tests, any_size_is_survived);
    tcase_add_loop_test(tests, colours_become_what_the_terminal_has, 0, 3);
    return run_suite("replay_screen", tests);
}
