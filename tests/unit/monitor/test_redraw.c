/* The redraw of any state, fed to an empty terminal, gives the same state. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "mux/monitor/redraw.h"
#include "screen.h"

static const char *redrawn_difference(struct terminal *t)
{
    struct bytes out = {0};
    redraw(t, &out);
    ck_assert(!out.failed);
    struct terminal *copy = screen_new(t->rows, t->cols, 100, NULL);
    terminal_write(copy, out.data, out.size);
    const char *difference = screen_difference(t, copy);
    ck_assert_uint_eq(scrollback_rows(&copy->scrollback, &copy->styles, copy->cols), 0);
    terminal_free(copy);
    bytes_free(&out);
    return difference;
}

static const char *const states[] = {
    "",
    "plain text\r\nsecond line",
    "exactly ten",
    "0123456789012345678901234567890123456789wrapped over lines",
    "012345678901234567890123456789",
    "0123456789012345678901234567\xe4\xbd\xa0\xe5\xa5\xbd",
    "01234567890123456789012345678\xe4\xbd\xa0x",
    "\x1b[1;31mred\x1b[44m on blue\x1b[K\x1b[0m\r\n\x1b[7mreverse",
    "\x1b[42m\x1b[2J\x1b[3;3Hx",
    "\x1b]2;a title\x07\x1b[3;6r\x1b[?6h\x1b[2;2Hx",
    "\x1b[5;5H\x1b[35m\x1b"
    "7\x1b[m\x1b[Hy",
    "main\x1b[?1049h\x1b[2;2Halternate\x1b[1m",
    "main\x1b[?1047halternate",
    "\x1b(0\x0e\x1b)0lqqk",
    "\x1b[?1h\x1b[?1002h\x1b[?1006h\x1b[?2004h\x1b[?1004h\x1b[?25l\x1b[4h\x1b[20h\x1b=\x1b[?5h",
    "\x1b[?7lno wrap\x1b[5 q",
    "\x1b]8;;https://example.org/\x1b\\link\x1b]8;;\x1b\\ text",
    "e\xcc\x81 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd",
    "\xf0\x9f\x91\xa9\xe2\x80\x8d\x1b[m\xf0\x9f\x92\xbb",
    "\xcc\x81 mark at the start",
};

START_TEST(test_states)
{
    struct terminal *t = screen_new(8, 30, 100, NULL);
    screen_write(t, states[_i]);
    const char *difference = redrawn_difference(t);
    ck_assert_msg(!difference, "state %d: %s", _i, difference);
    terminal_free(t);
}
END_TEST

START_TEST(test_noise)
{
    uint8_t noise[2000];
    for (uint32_t seed = 1000; seed < 1300; seed++) {
        struct terminal *t = screen_new(10, 30, 50, NULL);
        screen_noise(seed, noise, sizeof(noise));
        terminal_write(t, noise, sizeof(noise));
        /* Half a sequence at the end is not part of the state. */
        screen_write(t, "\x18");
        terminal_write(t, "\r", 1);
        const char *difference = redrawn_difference(t);
        ck_assert_msg(!difference, "seed %u: %s", seed, difference);
        terminal_free(t);
    }
}
END_TEST

START_TEST(test_noise_goes_on_the_same)
{
    uint8_t noise[1000];
    for (uint32_t seed = 2000; seed < 2200; seed++) {
        struct terminal *t = screen_new(10, 30, 50, NULL), *copy = screen_new(10, 30, 50, NULL);
        struct bytes out = {0};
        screen_noise(seed, noise, sizeof(noise));
        terminal_write(t, noise, sizeof(noise));
        screen_write(t, "\x18\r");
        redraw(t, &out);
        terminal_write(copy, out.data, out.size);
        screen_noise(seed + 7777, noise, sizeof(noise));
        /* REP repeats a glyph that a redraw does not know. */
        screen_write(t, "x\r");
        screen_write(copy, "x\r");
        terminal_write(t, noise, sizeof(noise));
        terminal_write(copy, noise, sizeof(noise));
        const char *difference = screen_difference(t, copy);
        ck_assert_msg(!difference, "seed %u: %s", seed, difference);
        bytes_free(&out);
        terminal_free(t);
        terminal_free(copy);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("redraw");
    TCase *tcase = tcase_create("redraw");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_states, 0, sizeof(states) / sizeof(states[0]));
    tcase_add_test(tcase, test_noise);
    tcase_add_test(tcase, test_noise_goes_on_the_same);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
