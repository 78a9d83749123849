#include "suite.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

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

START_TEST(painting_passes_the_filter_whole)
{
    put("\x1b[1;31mred\x1b[0m\x1b[?25l");
    ck_assert_int_eq(replay_worker_paint(&worker, out, 3, 20, REPLAY_DIRECT, true, &error), 0);
    fflush(out);
    ck_assert_ptr_nonnull(strstr(text, "\x1b[1;1H\x1b[0m\x1b[0;1;38;5;1m"));
    ck_assert_ptr_null(strstr(text, "^["));
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
    tcase_add_test(tests, painting_passes_the_filter_whole);
    tcase_add_test(tests, much_output_at_once);
    tcase_add_test(tests, its_end_is_an_error);
    return run_suite("replay_worker", tests);
}
