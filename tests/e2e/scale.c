/*
 * Many sandboxes: a hundred on small and large screens, tabs, pins and orders, and acting on many.
 */
#include "eye.h"
#include "human.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static struct world world;
static const int sizes[][2] = {{24, 80}, {40, 120}, {60, 250}};
#define SIZES 3

static void setup(void)
{
    world_open(&world);
}

static void teardown(void)
{
    world_close(&world);
}

static struct eye *attach(int rows, int cols)
{
    return eye_open(rows, cols, (const char *const[]){world.belljar, "attach", NULL});
}

static void run_in(const char *name, const char *project, const char *script)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", world.base, project);
    mkdir(path, 0700);
    BELLJAR_OK(&world, "run", "-d", "-n", name, "--project", path, "--", "bash", "-c", script);
}

static size_t times(struct eye *eye, const char *text)
{
    size_t count = 0;
    for (int row = 0; row < eye->rows; row++)
        for (const char *at = eye_row(eye, row); (at = strstr(at, text)); at += strlen(text))
            count++;
    return count;
}

/* The server has three descriptors for each sandbox; the usual limit of 1024, here 128, is no limit
 * for it, but it is one for the agents. */
START_TEST(more_than_the_limit_of_descriptors)
{
    struct rlimit before, low;
    char name[16];
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_uint_ge(before.rlim_max, 1024);
    low = before;
    low.rlim_cur = 128;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "s%d", i);
        BELLJAR_OK(&world, "run", "-d", "-n", name, "--no-record", "--", "sh", "-c",
                   "echo may open $(ulimit -Sn); sleep 1000");
    }
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "s%d", i);
        WAIT_FOR(world_shows(&world, name, "may open 128"));
    }
    struct eye *eye = attach(24, 80);
    EYE_WAIT_TEXT(eye, "50 sandboxes");
    eye_detach(eye);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

START_TEST(a_hundred)
{
    char name[16];
    for (int i = 1; i <= 100; i++) {
        snprintf(name, sizeof(name), "agent-%03d", i);
        BELLJAR_OK(&world, "run", "-d", "-n", name, "--", "sleep", "100000");
    }
    for (size_t i = 0; i < SIZES; i++) {
        struct eye *eye = attach(sizes[i][0], sizes[i][1]);
        EYE_WAIT_TEXT(eye, "100 sandboxes");
        /* Cards: as many as there is room for, each with its state, none over another. */
        EYE_WAIT(eye, times(eye, "agent-") >= (i == 0 ? 28 : i == 1 ? 80 : 100));
        EYE_WAIT(eye, times(eye, " idle ") >= (i == 0 ? 28 : i == 1 ? 80 : 100));
        ck_assert(!eye_shows(eye, "agent-1agent"));
        /* The list: columns, and its end is a key away. */
        eye_type(eye, "l");
        EYE_WAIT(eye, eye_shows(eye, "Sandboxes: 100") && eye_shows(eye, " mem "));
        eye_type(eye, i == 0 ? ">g" : "g"); /* by name, which the session remembers */
        EYE_WAIT_TEXT(eye, "agent-001");
        eye_type(eye, "G");
        EYE_WAIT_TEXT(eye, "agent-100");
        EYE_WAIT(eye, (int)times(eye, "○ idle") >= sizes[i][0] - 5);
        eye_type(eye, EYE_ENTER); /* go there: it is among what is shown */
        EYE_WAIT(eye, !eye_shows(eye, "Sandboxes:") && eye_shows(eye, "agent-100"));
        eye_type(eye, "zz"); /* alone, and back */
        EYE_WAIT_TEXT(eye, "agent-100");
        eye_detach(eye);
    }
}
END_TEST

/* Cards that are higher than a line show the last lines of output, the newest below, each below its
 * own name. */
static bool card_has(struct eye *eye, int number, int high)
{
    char name[32], last[32], before[32];
    int col;
    snprintf(name, sizeof(name), "card-%02d ", number);
    snprintf(last, sizeof(last), "said last %02d", number);
    snprintf(before, sizeof(before), "before %02d", number);
    int row = eye_find(eye, name, &col), end = col + 30 < eye->cols ? col + 30 : eye->cols;
    if (row < 0 || row + high > eye->rows ||
        !strstr(eye_cells(eye, row + high - 1, col > 3 ? col - 3 : 0, end), last))
        return false;
    return high < 3 || strstr(eye_cells(eye, row + high - 2, col > 3 ? col - 3 : 0, end), before);
}

START_TEST(cards_show_what_was_said_last)
{
    /* So many that panes do not fit, and cards of that height do. */
    static const struct {
        int count, high;
    } rows[SIZES] = {{15, 2}, {33, 3}, {92, 3}};
    int started = 0;
    for (size_t i = 0; i < SIZES; i++) {
        for (; started < rows[i].count; started++) {
            char name[32], script[96];
            snprintf(name, sizeof(name), "card-%02d", started);
            snprintf(script, sizeof(script),
                     "echo before %02d; echo said last %02d; exec sleep 100000", started, started);
            BELLJAR_OK(&world, "run", "-d", "-n", name, "--", "sh", "-c", script);
        }
        struct eye *eye = attach(sizes[i][0], sizes[i][1]);
        for (int number = 0; number < rows[i].count; number++)
            EYE_WAIT(eye, card_has(eye, number, rows[i].high));
        eye_detach(eye);
    }
}
END_TEST

START_TEST(tabs_of_projects)
{
    run_in("web", "shop", "echo of web; sleep 1000");
    run_in("api", "shop", "echo of api; sleep 1000");
    run_in("docs", "book", "printf 'which? \\007'; sleep 1000");
    for (size_t i = 0; i < SIZES; i++) {
        struct eye *eye = attach(sizes[i][0], sizes[i][1]);
        EYE_WAIT(eye, eye_shows(eye, "of web") && eye_shows(eye, "which?"));
        EYE_WAIT_TEXT(eye, "1 input");
        eye_type(eye, "}"); /* book */
        EYE_WAIT(eye, strstr(eye_row(eye, 0), " all 3  book 1 ◇1  shop 2"));
        EYE_WAIT(eye, eye_shows(eye, "which?") && !eye_shows(eye, "of web"));
        eye_type(eye, "}"); /* shop */
        EYE_WAIT(eye,
                 !eye_shows(eye, "which?") && eye_shows(eye, "of web") && eye_shows(eye, "of api"));
        eye_type(eye, "\t"); /* who needs the human is of the other tab */
        EYE_WAIT(eye, eye_shows(eye, "which?") && !eye_shows(eye, "of web"));
        eye_type(eye, "{");
        EYE_WAIT(eye, eye_shows(eye, "which?") && eye_shows(eye, "of web") &&
                          !strstr(eye_row(eye, 0), " all 3"));
        /* In the list, sorted by project, each has a heading with its path. */
        eye_type(eye, i == 0 ? "l<" : "l"); /* kept with the session */
        EYE_WAIT(eye, eye_shows(eye, "book  1  /") && eye_shows(eye, "shop  2  /"));
        /* What it is sorted by is there, however narrow. */
        eye_type(eye, "<");
        EYE_WAIT_TEXT(eye, "alerts▾");
        eye_type(eye, "<<<");
        EYE_WAIT_TEXT(eye, "net▾");
        EYE_WAIT(eye, !eye_shows(eye, "alerts") || sizes[i][1] >= 134);
        eye_type(eye, ">>>>");
        EYE_WAIT_TEXT(eye, "project▾");
        eye_type(eye, "l");
        EYE_WAIT(eye, !eye_shows(eye, "Sandboxes:"));
        eye_detach(eye);
    }
}
END_TEST

/* What looks as if it could be clicked can be. */
START_TEST(the_mouse)
{
    run_in("text", "book", "echo of text; cat");
    run_in("web", "shop", "echo of web; cat");
    struct eye *eye = eye_open(24, 100, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT(eye, eye_shows(eye, "of text") && eye_shows(eye, "of web"));
    eye_type(eye, "}");
    EYE_WAIT_TEXT(eye, " shop 1");
    eye_click(eye, " shop 1", 2);
    EYE_WAIT(eye, eye_shows(eye, "of web") && !eye_shows(eye, "of text"));
    eye_click(eye, " all 2 ", 1);
    EYE_WAIT(eye, eye_shows(eye, "of text") && !strstr(eye_row(eye, 0), " all 2 "));
    eye_type(eye, "l");
    EYE_WAIT_TEXT(eye, "Sandboxes: 2");
    eye_click(eye, "name", 0);
    EYE_WAIT_TEXT(eye, "name▾");
    eye_click(eye, "name", 0);
    EYE_WAIT_TEXT(eye, "name▴");
    eye_click(eye, " text ", 1);
    EYE_WAIT(eye, strstr(eye_row(eye, eye_find(eye, " text ", NULL)), "▌"));
    eye_click(eye, " web ", 1);
    eye_click(eye, " web ", 1);
    EYE_WAIT(eye, !eye_shows(eye, "Sandboxes:"));
    eye_type(eye, "z");
    EYE_WAIT(eye, eye_shows(eye, "of web") && !eye_shows(eye, "of text"));
    eye_click(eye, " text", 1); /* its tab */
    EYE_WAIT(eye, eye_shows(eye, "of text") && !eye_shows(eye, "of web"));
    eye_detach(eye);
}
END_TEST

/* The names in pane titles, in the order of the screen: "a b c". */
static bool order_is(struct eye *eye, const char *const names[])
{
    int last = -1;
    for (int i = 0; names[i]; i++) {
        int col, row = eye_find(eye, names[i], &col);
        if (row < 0 || row * 1000 + col < last)
            return false;
        last = row * 1000 + col;
    }
    return true;
}
#define ORDER_IS(eye, ...) order_is(eye, (const char *const[]){__VA_ARGS__, NULL})

/* The rows of the open list, from the one below its heading. */
static bool list_is(struct eye *eye, const char *first, const char *second, const char *third)
{
    int row = eye_find(eye, "Sandboxes: 3", NULL);
    const char *const names[] = {first, second, third};
    for (int i = 0; row >= 0 && i < 3; i++) {
        int at = row + 1;
        while (at < eye->rows && !strstr(eye_row(eye, at), names[i]))
            at++;
        if (at == eye->rows)
            return false;
        row = at;
    }
    return row >= 0;
}

/* By need, panes keep their places while something is open or read. */
START_TEST(nothing_moves_under_what_is_open)
{
    static const struct {
        const char *open, *shows, *close;
    } rows[] = {
        {"1[", "COPY", "q"},
        {"1\x1b[5~", "↑1", "\x1b[F"},
        {"1k", "Kill", "n"},
        {"1i", "because", "i"},
    };
    human_runs(&world, "alpha", "seq 200; sleep 1000");
    human_runs(&world, "bravo", "seq 200; sleep 1000");
    WAIT_FOR(world_shows(&world, "alpha", "200") && world_shows(&world, "bravo", "200"));
    human_runs(&world, "delta", "while read it; do printf 'which? \\007'; read it; echo on; done");
    struct eye *eye = attach(40, 120);
    EYE_WAIT(eye, ORDER_IS(eye, "alpha", "bravo", "delta"));
    eye_type(eye, "S");
    EYE_WAIT_TEXT(eye, "by need");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        eye_type(eye, rows[i].open);
        EYE_WAIT_TEXT(eye, rows[i].shows);
        BELLJAR_OK(&world, "send", "delta", "--enter", "go");
        EYE_WAIT_TEXT(eye, "1 input");
        for (int look = 0; look < 35; look++) { /* longer than they wait without a key */
            eye_pump(eye, 200);
            ck_assert_msg(!ORDER_IS(eye, "delta", "alpha") && !ORDER_IS(eye, "delta", "bravo"),
                          "under %s", rows[i].shows);
        }
        eye_type(eye, rows[i].close);
        EYE_WAIT(eye, ORDER_IS(eye, "delta", "alpha") && ORDER_IS(eye, "delta", "bravo"));
        BELLJAR_OK(&world, "send", "delta", "--enter", "go");
        EYE_WAIT(eye, ORDER_IS(eye, "alpha", "delta") && ORDER_IS(eye, "bravo", "delta"));
    }
    eye_detach(eye);
}
END_TEST

START_TEST(pins_and_need)
{
    human_runs(&world, "alpha", "sleep 1000");
    human_runs(&world, "bravo", "sleep 1000");
    human_runs(&world, "delta", "read it; printf 'which? \\007'; sleep 1000");
    struct eye *eye = attach(40, 120);
    EYE_WAIT(eye, ORDER_IS(eye, "alpha", "bravo", "delta"));
    eye_type(eye, "2f");
    EYE_WAIT(eye, ORDER_IS(eye, "bravo", "alpha", "delta") && eye_shows(eye, "pinned"));
    eye_detach(eye);

    eye = attach(40, 120); /* it is kept, and so is the selection */
    EYE_WAIT(eye, ORDER_IS(eye, "bravo", "alpha", "delta") && eye_shows(eye, "pinned"));
    eye_type(eye, "S");
    EYE_WAIT_TEXT(eye, "by need");
    BELLJAR_OK(&world, "send", "delta", "--enter", "go");
    EYE_WAIT_TEXT(eye, "waiting for input");
    /* While keys are pressed, nothing moves under the fingers. */
    for (int i = 0; i < 40; i++) {
        eye_type(eye, i % 2 ? "o" : "O");
        eye_pump(eye, 150);
        ck_assert(ORDER_IS(eye, "bravo", "alpha", "delta"));
    }
    EYE_WAIT(eye, ORDER_IS(eye, "bravo", "delta", "alpha")); /* then it does; pins stay */
    eye_type(eye, "1f");
    EYE_WAIT(eye, ORDER_IS(eye, "delta", "alpha", "bravo") && !eye_shows(eye, "pinned"));
    eye_type(eye, "l>I"); /* the list is sorted by name, from the end */
    EYE_WAIT(eye, list_is(eye, "delta", "bravo", "alpha"));
    eye_type(eye, "l");
    EYE_WAIT(eye, !eye_shows(eye, "Sandboxes:"));
    eye_detach(eye);

    eye = attach(40, 120); /* how both are sorted is kept, and so from the first frame on */
    EYE_WAIT(eye, eye_shows(eye, "delta") && eye_shows(eye, "alpha") && eye_shows(eye, "bravo"));
    ck_assert(ORDER_IS(eye, "delta", "alpha", "bravo"));
    eye_type(eye, "l");
    EYE_WAIT(eye, list_is(eye, "delta", "bravo", "alpha"));
    eye_type(eye, "l");
    EYE_WAIT(eye, !eye_shows(eye, "Sandboxes:"));
    eye_type(eye, "SS");
    EYE_WAIT_TEXT(eye, "as you put them");
    EYE_WAIT(eye, ORDER_IS(eye, "bravo", "alpha", "delta"));
    eye_detach(eye);
}
END_TEST

START_TEST(text_to_many)
{
    static const char *const names[] = {"one", "two", "three"};
    for (size_t i = 0; i < 3; i++)
        human_runs(&world, names[i], "cat");
    for (size_t i = 0; i < SIZES; i++) {
        char text[32], shown[80];
        snprintf(text, sizeof(text), "hello %zu", i);
        snprintf(shown, sizeof(shown), "%s\n%s", text, text);
        struct eye *eye = attach(sizes[i][0], sizes[i][1]);
        EYE_WAIT(eye, eye_shows(eye, "one") && eye_shows(eye, "two") && eye_shows(eye, "three"));
        eye_type(eye, "B"); /* nobody is marked */
        EYE_WAIT_TEXT(eye, "mark those first");
        eye_type(eye, "1m2mB");
        EYE_WAIT_TEXT(eye, "Type into 2 marked: one, two");
        eye_type(eye, "y");
        /* In the bar, and in the title of each one that hears. */
        EYE_WAIT(eye, times(eye, " BROADCAST ") == 3);
        eye_type(eye, text);
        eye_type(eye, EYE_ENTER);
        EYE_WAIT(eye, times(eye, text) == 4); /* echoed by the pty, and by cat */
        eye_type(eye, EYE_F12);
        EYE_WAIT(eye, eye_shows(eye, "SUPERVISE") && !eye_shows(eye, " BROADCAST "));
        eye_detach(eye);
        ck_assert(world_shows(&world, "one", shown) && world_shows(&world, "two", shown));
        ck_assert(!world_shows(&world, "three", "hello"));
    }
}
END_TEST

START_TEST(many_at_once)
{
    human_runs(&world, "stays", "sleep 1000");
    human_runs(&world, "runs", "sleep 1000");
    human_runs(&world, "done", "true");
    human_runs(&world, "broken", "false");
    WAIT_FOR(world_state_is(&world, "done", "exited") &&
             world_state_is(&world, "broken", "exited"));
    struct eye *eye = attach(24, 80);
    EYE_WAIT_TEXT(eye, "4 sandboxes");
    eye_type(eye, "1m2mp");
    EYE_WAIT_TEXT(eye, "Pause 2 marked");
    eye_type(eye, "y");
    WAIT_FOR(world_state_is(&world, "stays", "paused") && world_state_is(&world, "runs", "paused"));
    eye_type(eye, "*"); /* no marks: X means all that have ended */
    eye_type(eye, "X");
    EYE_WAIT_TEXT(eye, "Remove with all files 2 exited: ");
    eye_type(eye, "y");
    EYE_WAIT_TEXT(eye, "2 sandboxes");
    ck_assert_str_eq(world_field(&world, "done", "state"), "");
    eye_type(eye, "X");
    EYE_WAIT_TEXT(eye, "no sandbox has ended");
    eye_detach(eye);
}
END_TEST

static bool row_has(struct eye *eye, const char *one, const char *other)
{
    int row = eye_find(eye, one, NULL);
    return row >= 0 && strstr(eye_row(eye, row), other);
}

/* The form: a profile by its first letters, a first prompt only for agents, the last choices. */
START_TEST(the_form_knows_profiles)
{
    for (size_t i = 0; i < SIZES; i++) {
        struct eye *eye = attach(sizes[i][0], sizes[i][1]);
        EYE_WAIT_TEXT(eye, "SUPERVISE");
        eye_type(eye, "N");
        EYE_WAIT_TEXT(eye, "New sandbox");
        eye_type(eye, "\x15"); /* C-u */
        eye_type(eye, EYE_DOWN);
        eye_type(eye, "\x15");
        EYE_WAIT(eye, !row_has(eye, "Agent", " shell"));
        eye_type(eye, "she\t");
        EYE_WAIT(eye, row_has(eye, "Agent", " shell "));
        eye_type(eye, EYE_ENTER);
        EYE_WAIT(eye, !eye_shows(eye, "New sandbox"));
        char wanted[24];
        snprintf(wanted, sizeof(wanted), "%zu sandbox", i + 1);
        EYE_WAIT_TEXT(eye, wanted);
        eye_detach(eye);
        eye = attach(24, 80);
        EYE_WAIT_TEXT(eye, wanted);
        eye_type(eye, "N");
        EYE_WAIT(eye, eye_shows(eye, "New sandbox") && row_has(eye, "Agent", " shell "));
        eye_escape(eye);
        EYE_WAIT(eye, !eye_shows(eye, "New sandbox"));
        eye_detach(eye);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scale");
    TCase *tests = tcase_create("scale");
    tcase_set_timeout(tests, 0);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, more_than_the_limit_of_descriptors);
    tcase_add_test(tests, a_hundred);
    tcase_add_test(tests, cards_show_what_was_said_last);
    tcase_add_test(tests, tabs_of_projects);
    tcase_add_test(tests, the_mouse);
    tcase_add_test(tests, nothing_moves_under_what_is_open);
    tcase_add_test(tests, pins_and_need);
    tcase_add_test(tests, text_to_many);
    tcase_add_test(tests, many_at_once);
    tcase_add_test(tests, the_form_knows_profiles);
    suite_add_tcase(suite, tests);
    return world_main(suite);
}
