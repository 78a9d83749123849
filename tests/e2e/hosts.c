/*
 * Sandboxes of other hosts in the dashboard, over real ssh: they are used like those of this host,
 * a link that is cut is seen and comes back, and a host that cannot be reached disturbs nothing.
 */
#include "eye.h"
#include "far.h"
#include "human.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ECHOES "echo $0 ready; while read x; do echo got $x; done"

static struct world world;
static struct far far, other;

static void setup(void)
{
    world_open(&world);
    far_prepare(&world);
    far_open(&world, &far, "far");
}

static void teardown(void)
{
    far_close(&world, &far);
    world_close(&world);
}

static void runs_at(const struct far *host, const char *name, const char *script)
{
    far_visit(&world, host);
    human_runs(&world, name, script);
    far_visit(&world, NULL);
}

static struct eye *attach(int rows, int cols)
{
    return eye_open(rows, cols,
                    (const char *const[]){world.belljar, "attach", "--host", "far",
                                          "--remote-command", world.belljar, NULL});
}

static void detach(struct eye *eye)
{
    if (eye_shows(eye, " FOCUS "))
        eye_type(eye, EYE_F12);
    EYE_WAIT(eye, eye_shows(eye, "SUPERVISE") || eye_shows(eye, "READ ONLY"));
    eye_detach(eye);
}

/* Whether the sandbox of that host shows the text; NULL: of this one. */
static bool shows_at(const struct far *host, const char *name, const char *text)
{
    far_visit(&world, host);
    bool shows = world_shows(&world, name, text);
    far_visit(&world, NULL);
    return shows;
}

static bool state_at(const struct far *host, const char *name, const char *state)
{
    far_visit(&world, host);
    bool is = world_state_is(&world, name, state);
    far_visit(&world, NULL);
    return is;
}

START_TEST(stands_beside_the_local_ones)
{
    runs_at(NULL, "web", "echo this side; " ECHOES);
    runs_at(&far, "web", "echo that side; " ECHOES);
    struct eye *eye = attach(40, 120);
    EYE_WAIT_TEXT(eye, "far:web");
    EYE_WAIT_TEXT(eye, "this side");
    EYE_WAIT_TEXT(eye, "that side");
    EYE_WAIT_TEXT(eye, "\xe2\x87\x84 far"); /* ⇄ */
    int col;
    ck_assert_int_ge(eye_find(eye, " 2 ", &col), 0);

    eye_type(eye, "2" EYE_ENTER);
    EYE_WAIT_TEXT(eye, "FOCUS");
    eye_type(eye, "marmalade" EYE_ENTER);
    EYE_WAIT_TEXT(eye, "got marmalade");
    ck_assert(shows_at(&far, "web", "got marmalade"));
    ck_assert(!shows_at(NULL, "web", "got marmalade"));

    eye_type(eye, EYE_F12 "p");
    WAIT_FOR(state_at(&far, "web", "paused"));
    ck_assert(state_at(NULL, "web", "running"));
    EYE_WAIT_TEXT(eye, "paused");
    eye_type(eye, "p");
    WAIT_FOR(state_at(&far, "web", "running"));
    eye_type(eye, "P"); /* everything, wherever it is */
    WAIT_FOR(state_at(&far, "web", "paused") && state_at(NULL, "web", "paused"));
    detach(eye);
}
END_TEST

/* Who only looks changes nothing over there either, and is seen there. */
START_TEST(read_only_counts_over_there)
{
    runs_at(&far, "web", "echo that side; stty size; " ECHOES);
    WAIT_FOR(shows_at(&far, "web", "24 80"));
    struct eye *eye =
        eye_open(40, 120,
                 (const char *const[]){world.belljar, "attach", "--read-only", "--host", "far",
                                       "--remote-command", world.belljar, NULL});
    EYE_WAIT_TEXT(eye, "that side");
    EYE_WAIT_TEXT(eye, "only 80x24"); /* its size is not asked for */
    eye_type(eye, EYE_ENTER "nope" EYE_ENTER);
    EYE_WAIT_TEXT(eye, "only looks");
    eye_type(eye, "p");
    eye_type(eye, "P");
    far_visit(&world, &far);
    WAIT_FOR(HUMAN_READS(&world, "read-only  web", "clients"));
    far_visit(&world, NULL);
    ck_assert(state_at(&far, "web", "running"));
    ck_assert(!shows_at(&far, "web", "nope"));
    detach(eye);
}
END_TEST

/* Its changes and its recording, without a window on that host. */
START_TEST(review_and_replay_from_here)
{
    char project[128];
    snprintf(project, sizeof(project), "%s/project", world.base);
    human_shell(&world, world.base, "mkdir project");
    human_repository(&world, project);
    far_visit(&world, &far);
    human_runs_in(&world, "web", project, NULL, "echo far marmalade; echo deeper >>sub/c");
    far_visit(&world, NULL);
    struct eye *eye = attach(40, 120);
    EYE_WAIT_TEXT(eye, "far:web");
    eye_type(eye, "v");
    EYE_WAIT_TEXT(eye, "+ deeper");
    eye_type(eye, "p"); /* the branch would be one of that host's repository */
    EYE_WAIT_TEXT(eye, "y yes");
    eye_type(eye, "y");
    EYE_WAIT_TEXT(eye, "use belljar pull there");
    eye_type(eye, "q");
    EYE_WAIT(eye, !eye_shows(eye, " REVIEW "));
    eye_type(eye, "y");
    EYE_WAIT(eye, eye_shows(eye, " REPLAY ") && eye_shows(eye, "far marmalade"));
    eye_type(eye, "q");
    EYE_WAIT(eye, !eye_shows(eye, " REPLAY "));
    detach(eye);
    ck_assert_str_eq(human_shell(&world, world.runtime, "ls | grep -c replay || true"), "0\n");
}
END_TEST

START_TEST(requests_are_answered_where_they_wait)
{
    runs_at(&far, "asker",
            "/belljar/bin/belljar-shim ask --kind exec --title 'make install'; echo first $?; cat");
    struct eye *eye = attach(30, 100);
    EYE_WAIT_TEXT(eye, "make install");
    EYE_WAIT(eye, (eye_type(eye, "a"), eye_pump(eye, 200), eye_shows(eye, "first 0")));
    detach(eye);
}
END_TEST

START_TEST(a_cut_link_is_seen_and_comes_back)
{
    runs_at(NULL, "near", ECHOES);
    runs_at(&far, "web", ECHOES);
    struct eye *eye = attach(40, 120);
    EYE_WAIT_TEXT(eye, "far:web");
    eye_type(eye, "2" EYE_ENTER);
    EYE_WAIT_TEXT(eye, "FOCUS");
    eye_type(eye, "before" EYE_ENTER);
    EYE_WAIT_TEXT(eye, "got before");

    far_shut(&far);
    ck_assert_uint_eq(far_cut(&far), 1);
    EYE_WAIT_TEXT(eye, "far, no link");
    EYE_WAIT_TEXT(eye, "unknown"); /* what it does now, nobody here knows */
    eye_type(eye, EYE_F12 "1" EYE_ENTER);
    eye_type(eye, "meanwhile" EYE_ENTER);
    EYE_WAIT_TEXT(eye, "got meanwhile"); /* the others are not disturbed */
    EYE_WAIT_TEXT(eye, "Connection refused");

    far_start(&world, &far);
    EYE_WAIT(eye, !eye_shows(eye, "no link"));
    EYE_WAIT_TEXT(eye, "got before");
    eye_type(eye, EYE_F12 "2" EYE_ENTER);
    EYE_WAIT(eye, eye_shows(eye, "far:web  FOCUS"));
    eye_type(eye, "after" EYE_ENTER);
    EYE_WAIT_TEXT(eye, "got after");
    detach(eye);
}
END_TEST

START_TEST(a_killed_far_server_is_started_again)
{
    runs_at(&far, "web", ECHOES);
    struct eye *eye = attach(40, 120);
    EYE_WAIT_TEXT(eye, "far:web");
    EYE_WAIT_TEXT(eye, "ready");
    struct result result;
    far_visit(&world, &far);
    BELLJAR(&world, &result, "server", "status", "--json");
    json_t *status = json_loads(result.out, 0, NULL);
    pid_t server = (pid_t)json_integer_value(json_object_get(status, "pid"));
    json_decref(status);
    result_free(&result);
    ck_assert_int_gt(server, 0);
    ck_assert_int_eq(kill(server, SIGKILL), 0);
    far_visit(&world, NULL);
    EYE_WAIT_TEXT(eye, "far: the server is back");
    runs_at(&far, "later", ECHOES);
    EYE_WAIT_TEXT(eye, "far:later");
    detach(eye);
}
END_TEST

START_TEST(two_hosts_at_once)
{
    far_open(&world, &other, "other");
    runs_at(NULL, "web", "echo this side; cat");
    runs_at(&far, "web", "echo that side; cat");
    runs_at(&other, "web", "echo yonder side; cat");
    struct eye *eye =
        eye_open(50, 160,
                 (const char *const[]){world.belljar, "attach", "--host", "far", "--host", "other",
                                       "--remote-command", world.belljar, NULL});
    EYE_WAIT_TEXT(eye, "far:web");
    EYE_WAIT_TEXT(eye, "other:web");
    EYE_WAIT_TEXT(eye, "this side");
    EYE_WAIT_TEXT(eye, "that side");
    EYE_WAIT_TEXT(eye, "yonder side");
    eye_type(eye, "/host:other" EYE_ENTER);
    EYE_WAIT(eye, !eye_shows(eye, "far:web") && eye_shows(eye, "other:web"));
    eye_escape(eye);
    far_cut(&other);
    EYE_WAIT_TEXT(eye, "other, no link");
    ck_assert(!eye_shows(eye, "far, no link"));
    EYE_WAIT(eye, !eye_shows(eye, "no link"));
    detach(eye);
    far_close(&world, &other);
}
END_TEST

/* A host that is not there, and one without Belljar: it is said, and the dashboard opens. */
START_TEST(what_cannot_be_reached_says_why)
{
    runs_at(NULL, "near", ECHOES);
    struct eye *eye = eye_open(40, 140,
                               (const char *const[]){world.belljar, "attach", "--host", "far",
                                                     "--remote-command", "/no/belljar", NULL});
    EYE_WAIT_TEXT(eye, "was not found there");
    EYE_WAIT_TEXT(eye, "far, no link");
    EYE_WAIT_TEXT(eye, "near");
    detach(eye);
    far_shut(&far);
    eye = attach(24, 80);
    EYE_WAIT_TEXT(eye, "far, no link");
    EYE_WAIT_TEXT(eye, "near");
    detach(eye);
    far_start(&world, &far);

    struct result result;
    BELLJAR(&world, &result, "attach", "--host", "-oProxyCommand=true");
    ck_assert_int_ne(result.code, 0);
    result_free(&result);
}
END_TEST

int main(void)
{
    if (!far_possible()) {
        printf("skipped: there is no sshd here (Debian: openssh-server)\n");
        return 77;
    }
    Suite *suite = suite_create("hosts");
    TCase *cases = tcase_create("hosts");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 240);
    tcase_add_test(cases, stands_beside_the_local_ones);
    tcase_add_test(cases, read_only_counts_over_there);
    tcase_add_test(cases, review_and_replay_from_here);
    tcase_add_test(cases, requests_are_answered_where_they_wait);
    tcase_add_test(cases, a_cut_link_is_seen_and_comes_back);
    tcase_add_test(cases, a_killed_far_server_is_started_again);
    tcase_add_test(cases, two_hosts_at_once);
    tcase_add_test(cases, what_cannot_be_reached_says_why);
    suite_add_tcase(suite, cases);
    return world_main(suite);
}
