/*
 * Several humans at the same sandboxes: one who only looks changes nothing, whatever his program
 * sends, and who answered a request is said to the others.
 */
#include "eye.h"
#include "human.h"
#include "world.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
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

static struct eye *look(int rows, int cols)
{
    return eye_open(rows, cols,
                    (const char *const[]){world.belljar, "attach", "--read-only", NULL});
}

START_TEST(who_only_looks_changes_nothing)
{
    char size[64];
    human_runs(&world, "sized", "echo ready; while read x; do echo got $x at $(stty size); done");
    struct eye *one = eye_open(40, 120, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(one, "ready");
    eye_type(one, EYE_ENTER "first" EYE_ENTER);
    EYE_WAIT_TEXT(one, "got first at ");
    const char *said = strstr(eye_row(one, eye_find(one, "got first at ", NULL)), " at ");
    int rows, cols;
    ck_assert_int_eq(sscanf(said, " at %d %d", &rows, &cols), 2);
    snprintf(size, sizeof(size), "got second at %d %d\n", rows, cols);

    struct eye *two = look(24, 80);
    EYE_WAIT_TEXT(two, "READ ONLY");
    EYE_WAIT_TEXT(two, "got first");
    eye_type(two, EYE_ENTER "nope" EYE_ENTER);
    EYE_WAIT_TEXT(two, "only looks");
    eye_type(two, "p");
    eye_pump(two, 200);
    eye_type(one, "second" EYE_ENTER);
    EYE_WAIT_TEXT(two, "got second");
    ck_assert_msg(world_shows(&world, "sized", size), "not %s: %s", size,
                  world_capture(&world, "sized"));
    ck_assert(!world_shows(&world, "sized", "got nope"));
    ck_assert(world_state_is(&world, "sized", "running"));
    eye_type(one, EYE_F12);
    EYE_WAIT_TEXT(one, "SUPERVISE");
    eye_detach(two);
    eye_detach(one);
}
END_TEST

static bool is_paced(const char *name)
{
    json_t *sandbox = world_sandbox(&world, name);
    bool paced = json_is_true(json_object_get(sandbox, "paced"));
    json_decref(sandbox);
    return paced;
}

/* It is taken slowly while a human types elsewhere, and as fast as it comes once he stops or looks
 * at it. */
START_TEST(a_flood_that_nobody_looks_at)
{
    human_runs(&world, "typed", "echo ready; cat");
    human_runs(&world, "quiet", "echo ready; cat");
    human_runs(&world, "flood", "yes $(printf %0500d 7)"); /* long lines cost little */
    struct eye *eye = eye_open(24, 80, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "flood");
    ck_assert(!is_paced("flood"));
    eye_type(eye, "1" EYE_ENTER); /* he is about to */
    EYE_WAIT_TEXT(eye, "FOCUS");
    EYE_WAIT(eye, is_paced("flood") || (eye_type(eye, "x"), false));
    ck_assert(!is_paced("quiet") && !is_paced("typed"));
    EYE_WAIT(eye, !is_paced("flood"));
    EYE_WAIT(eye, (eye_type(eye, "x"), is_paced("flood")));
    eye_type(eye, EYE_F12);
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_type(eye, "3");
    EYE_WAIT(eye, !is_paced("flood"));
    eye_detach(eye);
}
END_TEST

/* What a client says of itself: its terminal. */
static void own_name(const struct eye *eye, char out[16])
{
    snprintf(out, 16, "%.15s", ptsname(eye->fd) + strlen("/dev/"));
}

static bool lists(const char *text)
{
    return HUMAN_READS(&world, text, "clients");
}

#define TYPES "\xe2\x97\x89" /* ◉ */
#define LOOKS "\xe2\x97\x8e" /* ◎ */

/* A wide pane has the other's user before his terminal. */
static bool marks(struct eye *eye, const char *glyph, bool wide, const char *name)
{
    char text[80];
    const struct passwd *user = getpwuid(geteuid());
    snprintf(text, sizeof(text), "%s %.30s%s%.15s ", glyph, wide && user ? user->pw_name : "",
             wide ? " " : "", name);
    return eye_shows(eye, text);
}

START_TEST(two_humans_see_each_other)
{
    char first[16], second[16];
    human_runs(&world, "shared", "echo ready; cat");
    human_runs(&world, "other", "echo ready; cat");
    struct eye *one = eye_open(40, 120, (const char *const[]){world.belljar, "attach", NULL});
    own_name(one, first);
    EYE_WAIT_TEXT(one, "other");
    ck_assert(!eye_shows(one, "clients"));
    struct eye *two = eye_open(24, 80, (const char *const[]){world.belljar, "attach", NULL});
    own_name(two, second);

    /* Each sees the other at the pane that he looks at, and what changes there. */
    EYE_WAIT_TEXT(one, "2 clients");
    EYE_WAIT_TEXT(two, "\xe2\x97\x89 2");
    eye_type(one, "1z");
    EYE_WAIT(one, marks(one, LOOKS, true, second));
    eye_type(two, "1" EYE_ENTER);
    EYE_WAIT(one, marks(one, TYPES, true, second));
    EYE_WAIT(two, marks(two, LOOKS, false, first));
    WAIT_FOR(lists("shared    agent") && lists("shared    dashboard"));
    eye_type(two, EYE_F12);
    EYE_WAIT(one, marks(one, LOOKS, true, second));
    eye_type(two, "2");
    EYE_WAIT(one, !marks(one, LOOKS, true, second));

    /* The list of them. */
    eye_type(one, "@");
    EYE_WAIT_TEXT(one, "Attached: 2");
    EYE_WAIT(one, eye_shows(one, "looks at other") && eye_shows(one, "you  looks at shared"));
    eye_type(one, "@");
    eye_detach(two);
    EYE_WAIT(one, !eye_shows(one, "clients"));
    WAIT_FOR(!lists(second));
    eye_detach(one);
    ck_assert(lists("no dashboard is attached"));
}
END_TEST

/* The pane of who types has its own size; the other sees that it is cut, or dots around it. */
START_TEST(sizes_are_of_who_types)
{
    human_runs(&world, "sized", "echo ready; while read x; do echo got $x at $(stty size); done");
    struct eye *large = eye_open(40, 120, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(large, "ready");
    struct eye *small = eye_open(24, 80, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(small, "ready");
    eye_type(large, EYE_ENTER "first" EYE_ENTER);
    EYE_WAIT_TEXT(large, "got first at 37 118");
    EYE_WAIT_TEXT(small, "cut 118x37");
    EYE_WAIT(large, !eye_shows(large, "cut ") && !eye_shows(large, "only "));
    eye_type(small, EYE_ENTER "second" EYE_ENTER);
    EYE_WAIT_TEXT(small, "got second at 21 78");
    EYE_WAIT_TEXT(large, "only 78x21");
    EYE_WAIT(large, strstr(eye_row(large, 30), "\xc2\xb7\xc2\xb7\xc2\xb7"));
    EYE_WAIT(small, !eye_shows(small, "cut "));
    eye_type(small, EYE_F12);
    EYE_WAIT_TEXT(small, "SUPERVISE");
    eye_detach(small);
    /* Alone again: nothing is shared, and the room comes back by itself. */
    EYE_WAIT(large, !eye_shows(large, "only ") && !strstr(eye_row(large, 30), "\xc2\xb7"));
    eye_type(large, "third" EYE_ENTER);
    EYE_WAIT_TEXT(large, "got third at 37 118");
    eye_type(large, EYE_F12);
    EYE_WAIT_TEXT(large, "SUPERVISE");
    eye_detach(large);
}
END_TEST

/* A small terminal that only attaches does not make the pane small for the other; one that zooms
 * does, and gives the size back when it goes. */
START_TEST(who_only_attaches_takes_no_size)
{
    human_runs(&world, "sized", "echo ready; while read x; do echo got $x at $(stty size); done");
    struct eye *large = eye_open(50, 160, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(large, "ready");
    struct eye *small = eye_open(10, 40, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(small, "cut 158x47");
    EYE_WAIT_TEXT(large, "\xe2\x97\x8e"); /* the other is there */
    BELLJAR_OK(&world, "send", "sized", "--enter", "first");
    EYE_WAIT_TEXT(large, "got first at 47 158");
    human_runs(&world, "more", "echo more; cat"); /* another layout for both */
    EYE_WAIT_TEXT(large, "more");
    BELLJAR_OK(&world, "send", "sized", "--enter", "second");
    EYE_WAIT_TEXT(large, "got second at 22 158");
    EYE_WAIT(large, !eye_shows(large, "only "));
    eye_type(small, "1z");
    EYE_WAIT_TEXT(large, "only 38x6");
    EYE_WAIT(small, !eye_shows(small, "cut "));
    BELLJAR_OK(&world, "send", "sized", "--enter", "third");
    EYE_WAIT_TEXT(small, "got third at 6 38");
    eye_detach(small);
    EYE_WAIT(large, !eye_shows(large, "only "));
    BELLJAR_OK(&world, "send", "sized", "--enter", "fourth");
    EYE_WAIT_TEXT(large, "got fourth at 22 158");
    eye_detach(large);
}
END_TEST

START_TEST(what_happened_meanwhile)
{
    human_runs(&world, "worker", "echo ready; cat");
    human_runs(&world, "asker", "read x; belljar-shim ask --kind exec --title 'make all'; cat");
    struct eye *eye = eye_open(24, 80, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "ready");
    eye_type(eye, "W");
    EYE_WAIT_TEXT(eye, "nothing happened");
    eye_detach(eye);

    BELLJAR_OK(&world, "send", "asker", "--enter", "go");
    WAIT_FOR(human_request(&world, "make all", "id")[0]);
    WAIT_FOR(human_answers(&world, "allow", "make all", NULL, NULL));
    BELLJAR_OK(&world, "send", "worker", "--keys", "C-d");
    WAIT_FOR(world_state_is(&world, "worker", "exited"));
    eye = eye_open(24, 80, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "Since you left");
    EYE_WAIT_TEXT(eye, "1 request held, 1 answered by others, 1 ended");
    EYE_WAIT_TEXT(eye, "asker was allowed: make all");
    eye_type(eye, EYE_ENTER); /* only closes it */
    EYE_WAIT(eye, !eye_shows(eye, "Since you left"));
    EYE_WAIT(eye, eye_shows(eye, "SUPERVISE"));
    eye_type(eye, "W");
    EYE_WAIT_TEXT(eye, "Since you left");
    eye_type(eye, "?"); /* closes it, too, and does what it does */
    EYE_WAIT_TEXT(eye, "Keys while supervising");
    EYE_WAIT(eye, !eye_shows(eye, "Since you left"));
    eye_type(eye, "?");
    EYE_WAIT(eye, !eye_shows(eye, "Keys while supervising"));
    eye_detach(eye);
    eye = eye_open(10, 40, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "asker");
    eye_type(eye, "W");
    EYE_WAIT_TEXT(eye, "nothing happened");
    eye_detach(eye);
}
END_TEST

START_TEST(the_answer_has_a_name)
{
    human_runs(
        &world, "asker",
        "/belljar/bin/belljar-shim ask --kind exec --title 'make install'; echo first $?; "
        "/belljar/bin/belljar-shim ask --kind exec --title 'make check'; echo second $?; cat");
    struct eye *one = eye_open(30, 100, (const char *const[]){world.belljar, "attach", NULL});
    struct eye *two = look(30, 100);
    EYE_WAIT_TEXT(two, "make install");
    for (int i = 0; i < 10; i++) { /* it never becomes his to answer */
        eye_type(two, "a");
        eye_pump(two, 50);
    }
    ck_assert_str_ne(human_request(&world, "make install", "id"), "");
    eye_type(two, "i");
    EYE_WAIT_TEXT(two, "COURTESY");
    EYE_WAIT_TEXT(one, "make install");
    EYE_WAIT(one, (eye_type(one, "a"), eye_pump(one, 200), eye_shows(one, "first 0")));
    EYE_WAIT_TEXT(two, "allowed by dashboard of ");
    EYE_WAIT(two, eye_shows(two, "\"pts/"));
    /* Also when it was only in his pane. */
    EYE_WAIT_TEXT(two, "make check");
    EYE_WAIT_TEXT(one, "make check");
    EYE_WAIT(one, (eye_type(one, "a"), eye_pump(one, 200), eye_shows(one, "second 0")));
    EYE_WAIT_TEXT(two, "asker, make check");
    ck_assert(eye_shows(two, "allowed by dashboard of "));
    eye_detach(one);
    eye_detach(two);
}
END_TEST

/* msgpack by hand: [0, ID, METHOD, [PARAMS]]; the program of a client that looks may be any. */
static void call(int fd, char id, const char *method, const char *params, size_t size)
{
    char message[256];
    size_t length = strlen(method), used = 0;
    message[used++] = (char)0x94;
    message[used++] = 0;
    message[used++] = id;
    message[used++] = (char)(0xa0 | length);
    memcpy(message + used, method, length);
    used += length;
    message[used++] = (char)0x91;
    memcpy(message + used, params, size);
    used += size;
    ck_assert_int_eq(write(fd, message, used), (ssize_t)used);
}

START_TEST(the_server_refuses_who_only_looks)
{
    static const char hello[] = "\x82\xa4kind\xa9"
                                "dashboard\xa8readonly\xc3";
    static const char again[] = "\x81\xa4kind\xa9"
                                "dashboard";
    static const char all[] = "\x81\xa3"
                              "all\xc3";
    human_runs(&world, "kept", "cat");
    struct sockaddr_un there = {.sun_family = AF_UNIX};
    snprintf(there.sun_path, sizeof(there.sun_path), "%.90s/server.sock", world.runtime);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&there, sizeof(there)), 0);
    call(fd, 1, "client.hello", hello, sizeof(hello) - 1);
    call(fd, 2, "client.hello", again, sizeof(again) - 1); /* takes nothing back */
    call(fd, 3, "sandbox.kill", all, sizeof(all) - 1);
    call(fd, 4, "sandbox.list", "\x80", 1);
    char answers[8192];
    size_t size = 0;
    while (size < sizeof(answers) && !memmem(answers, size, "kept", 4)) {
        ssize_t got = read(fd, answers + size, sizeof(answers) - size);
        ck_assert_int_gt(got, 0);
        size += (size_t)got;
    }
    ck_assert_ptr_nonnull(memmem(answers, size, "attached read-only", 18));
    close(fd);
    ck_assert(world_state_is(&world, "kept", "running"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clients");
    TCase *cases = tcase_create("clients");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 240);
    tcase_add_test(cases, who_only_looks_changes_nothing);
    tcase_add_test(cases, a_flood_that_nobody_looks_at);
    tcase_add_test(cases, two_humans_see_each_other);
    tcase_add_test(cases, sizes_are_of_who_types);
    tcase_add_test(cases, who_only_attaches_takes_no_size);
    tcase_add_test(cases, what_happened_meanwhile);
    tcase_add_test(cases, the_answer_has_a_name);
    tcase_add_test(cases, the_server_refuses_who_only_looks);
    suite_add_tcase(suite, cases);
    return world_main(suite);
}
