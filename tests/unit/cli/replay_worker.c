#include "suite.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "transport/api.h"
#include "tui/cli/replay_worker.h"

static char *text;
static size_t text_size;
static FILE *out;
static struct replay_worker worker;
static struct bj_error error;

static void setup(void)
{
    error = (struct bj_error){0};
    out = open_memstream(&text, &text_size);
    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(replay_worker_start(&worker, 3, 20, true, &error), 0);
}

static void teardown(void)
{
    replay_worker_stop(&worker);
    fclose(out);
    free(text);
}

static void put(const char *bytes)
{
    ck_assert_int_eq(replay_worker_write(&worker, bytes, strlen(bytes), out, &error), 0);
}

START_TEST(lines_and_screen_come_back)
{
    put("one\r\ntwo\r\n");
    put("漢字\r\nfour\r\n");
    ck_assert_int_eq(replay_worker_text(&worker, out, &error), 0);
    fflush(out);
    ck_assert_str_eq(text, "one\ntwo\n漢字\nfour\n");
}
END_TEST

static const struct picture_cell *cell(const struct picture *picture, int row, int col)
{
    return &picture->cells[row * picture->cols + col];
}

START_TEST(the_picture_follows_the_screen)
{
    struct picture picture = {0};
    put("\x1b[1;38;2;1;2;3mA\x1b[0m漢e\xcc\x81\x1b[31mz\x1b[?25l");
    ck_assert_int_eq(replay_worker_picture(&worker, &picture, &error), 0);
    ck_assert_int_eq(picture.rows, 3);
    ck_assert_int_eq(picture.cols, 20);
    ck_assert_str_eq(cell(&picture, 0, 0)->text, "A");
    ck_assert_uint_eq(cell(&picture, 0, 0)->fg, BJ_COLOR_RGB | 0x010203);
    ck_assert_uint_eq(cell(&picture, 0, 0)->flags, BJ_ATTR_BOLD);
    ck_assert_str_eq(cell(&picture, 0, 1)->text, "漢");
    ck_assert(cell(&picture, 0, 1)->wide);
    ck_assert_str_eq(cell(&picture, 0, 3)->text, "e\xcc\x81");
    ck_assert_uint_eq(cell(&picture, 0, 4)->fg, BJ_COLOR_PALETTE | 1);
    ck_assert_uint_eq(cell(&picture, 0, 4)->bg, BJ_COLOR_DEFAULT);
    ck_assert(!picture.cursor_visible);
    ck_assert_int_eq(picture.cursor_col, 5);
    /* Only what changed comes, and what did not stays. */
    put("\r\n\x1b[32msecond");
    ck_assert_int_eq(replay_worker_picture(&worker, &picture, &error), 0);
    ck_assert_str_eq(cell(&picture, 0, 0)->text, "A");
    ck_assert_str_eq(cell(&picture, 1, 0)->text, "s");
    ck_assert_int_eq(replay_worker_resize(&worker, 5, 10, out, &error), 0);
    ck_assert_int_eq(replay_worker_picture(&worker, &picture, &error), 0);
    ck_assert_int_eq(picture.rows, 5);
    ck_assert_int_eq(picture.cols, 10);
    ck_assert_str_eq(cell(&picture, 1, 0)->text, "s");
    picture_free(&picture);
}
END_TEST

/* Its signals are the terminal's, not its own. */
START_TEST(a_resized_terminal_does_not_end_it)
{
    static const int numbers[] = {SIGWINCH, SIGINT, SIGTSTP, SIGHUP, SIGCONT};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        ck_assert_int_eq(kill(worker.pid, numbers[i]), 0);
        put("x");
    }
}
END_TEST

START_TEST(much_output_at_once)
{
    size_t size = 1000000;
    char *bytes = malloc(size);
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = i % 10 == 9 ? '\n' : 'x';
    ck_assert_int_eq(replay_worker_write(&worker, bytes, size, out, &error), 0);
    ck_assert_int_eq(replay_worker_resize(&worker, 10, 30, out, &error), 0);
    ck_assert_int_eq(replay_worker_text(&worker, out, &error), 0);
    fflush(out);
    ck_assert_uint_gt(text_size, 900000);
    free(bytes);
}
END_TEST

START_TEST(its_end_is_an_error)
{
    kill(worker.pid, SIGKILL);
    int status = 0;
    for (int i = 0; status == 0 && i < 100000; i++)
        status = replay_worker_write(&worker, "x", 1, out, &error);
    ck_assert_int_eq(status, -EPIPE);
    ck_assert_ptr_nonnull(strstr(error.text, "the recording is damaged"));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("replay_worker");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, lines_and_screen_come_back);
    tcase_add_test(tests, the_picture_follows_the_screen);
    tcase_add_test(tests, a_resized_terminal_does_not_end_it);
    tcase_add_test(tests, much_output_at_once);
    tcase_add_test(tests, its_end_is_an_error);
    return run_suite("replay_worker", tests);
}
