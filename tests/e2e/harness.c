/*
 * The harness looks at itself: a test that cannot fail proves nothing.
 */
#include "eye.h"
#include "world.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct world world;

static void setup(void)
{
    world_open(&world);
}

static void teardown(void)
{
    world_close(&world);
}

START_TEST(sees_text_colours_and_cursor)
{
    struct eye *eye =
        eye_open(5, 20,
                 (const char *const[]){"sh", "-c",
                                       "printf 'a\\033[31mb\\033[0m \\346\\227\\245z\\n'; "
                                       "read x; echo got $x; exit 3",
                                       NULL});
    EYE_WAIT_TEXT(eye, "ab \xe6\x97\xa5z");
    int col;
    ck_assert_int_eq(eye_find(eye, "z", &col), 0);
    ck_assert_int_eq(col, 5); /* the wide character takes two */
    VTermScreenCell cell;
    eye_cell(eye, 0, 1, &cell);
    ck_assert(VTERM_COLOR_IS_INDEXED(&cell.fg) && cell.fg.indexed.idx == 1);
    eye_type(eye, "word\r");
    EYE_WAIT_TEXT(eye, "got word");
    ck_assert_int_eq(eye_wait_end(eye), 3);
    eye_check_restored(eye);
    eye_close(eye);
}
END_TEST

START_TEST(resizes)
{
    struct eye *eye = eye_open(5, 20,
                               (const char *const[]){"bash", "-c",
                                                     "trap 'stty size' WINCH; echo ready; "
                                                     "while :; do read -t 0.05 x; done",
                                                     NULL});
    EYE_WAIT_TEXT(eye, "ready");
    eye_resize(eye, 7, 33);
    EYE_WAIT_TEXT(eye, "7 33");
    eye_close(eye);
}
END_TEST

START_TEST(unrestored_terminal_fails) /* expected to fail */
{
    struct eye *eye = eye_open(
        5, 20, (const char *const[]){"sh", "-c", "printf '\\033[?1049h\\033[?2004h'", NULL});
    eye_wait_end(eye);
    eye_check_restored(eye);
}
END_TEST

START_TEST(left_process_fails) /* expected to fail */
{
    setenv("BELLJAR_TEST_SLOW", "0.02", 1);
    world_run_ok(&world,
                 (const char *const[]){"sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 &", NULL});
    world_close(&world);
}
END_TEST

START_TEST(finds_orphans_and_ends_them)
{
    world_run_ok(&world,
                 (const char *const[]){"sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 &", NULL});
    pid_t pids[8];
    WAIT_FOR(world_processes(pids, 8) == 1);
    kill(pids[0], SIGKILL);
    WAIT_FOR(!world_alive(pids[0]));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("harness");
    TCase *cases = tcase_create("harness");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, sees_text_colours_and_cursor);
    tcase_add_test(cases, resizes);
    tcase_add_exit_test(cases, unrestored_terminal_fails, 1);
    tcase_add_exit_test(cases, left_process_fails, 1);
    tcase_add_test(cases, finds_orphans_and_ends_them);
    suite_add_tcase(suite, cases);
    return world_main(suite);
}
