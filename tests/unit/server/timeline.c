#include "mux/server/timeline.h"

#include <string.h>

#include "tests/unit/server/suite.h"

#define BEGIN 1000000U /* ms */

static struct timeline timeline;
static struct timeline_run runs[TIMELINE_RUNS];

static void note(enum doing doing, unsigned second)
{
    timeline_note(&timeline, doing, 0, BEGIN + second * 1000U);
}

#define IS(i, what, count)                                                                         \
    do {                                                                                           \
        ck_assert_int_eq(runs[i].doing, what);                                                     \
        ck_assert_uint_eq(runs[i].steps, count);                                                   \
    } while (0)

START_TEST(nothing_is_known_at_first)
{
    ck_assert_uint_eq(timeline_runs(&timeline, runs), 0);
    note(DOING_UNKNOWN, 0);
    ck_assert_uint_eq(timeline_runs(&timeline, runs), 0);
    note(DOING_RUNNING, 12);
    ck_assert_uint_eq(timeline_runs(&timeline, runs), 1);
    IS(0, DOING_RUNNING, 1);
}
END_TEST

/* Asked for one second only, among 20 s of something else. */
START_TEST(a_step_keeps_what_matters)
{
    for (unsigned second = 0; second < 20; second++)
        note(second == 7 ? DOING_VERDICT : DOING_IDLE, second);
    ck_assert_uint_eq(timeline_runs(&timeline, runs), 3);
    IS(0, DOING_IDLE, 1);
    IS(1, DOING_VERDICT, 1);
    IS(2, DOING_IDLE, 2);
}
END_TEST

/* It is noted when it changes, however long that takes, and what is over goes. */
START_TEST(it_goes_on_between_notes)
{
    note(DOING_RUNNING, 0);
    note(DOING_INPUT, 100);
    note(DOING_INPUT, 400);
    ck_assert_uint_eq(timeline_runs(&timeline, runs), 2);
    IS(0, DOING_RUNNING, 20);
    IS(1, DOING_INPUT, 61);
    note(DOING_IDLE, 650);
    note(DOING_IDLE, 656);
    ck_assert_uint_eq(timeline_runs(&timeline, runs), 3);
    IS(0, DOING_RUNNING, 9);
    IS(1, DOING_INPUT, 111);
    IS(2, DOING_IDLE, 1);
    note(DOING_EXITED, 100000);
    note(DOING_EXITED, 100006);
    ck_assert_uint_eq(timeline_runs(&timeline, runs), 2);
    IS(0, DOING_IDLE, 120);
    IS(1, DOING_EXITED, 1);
}
END_TEST

/* Another server: what it finds to be so is so since then. */
START_TEST(the_first_note_knows_since_when)
{
    timeline_note(&timeline, DOING_VERDICT, BEGIN - 62000, BEGIN);
    ck_assert_uint_eq(timeline_runs(&timeline, runs), 1);
    IS(0, DOING_VERDICT, 13);
    memset(&timeline, 0, sizeof(timeline));
    timeline_note(&timeline, DOING_IDLE, 1, 100 * BEGIN);
    ck_assert_uint_eq(timeline_runs(&timeline, runs), 1);
    IS(0, DOING_IDLE, 121);
    memset(&timeline, 0, sizeof(timeline));
    timeline_note(&timeline, DOING_IDLE, BEGIN + 5, BEGIN);
    ck_assert_uint_eq(timeline_runs(&timeline, runs), 1);
    IS(0, DOING_IDLE, 1);
}
END_TEST

/* All different: as many runs as there are steps. */
START_TEST(the_most_runs)
{
    for (unsigned second = 0; second < 1000; second++)
        note(second % 10 == 7 ? DOING_RUNNING : DOING_IDLE, second);
    ck_assert_uint_eq(timeline_runs(&timeline, runs), TIMELINE_RUNS);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {nothing_is_known_at_first,
                                  a_step_keeps_what_matters,
                                  it_goes_on_between_notes,
                                  the_first_note_knows_since_when,
                                  the_most_runs,
                                  NULL};
    return suite_run("timeline", cases);
}
