/*
 * In three sizes, down to 40x10: the empty dashboard, the server's end, the card of what happened
 * meanwhile, what agents do, in glyph and word, and whatever a key opens over the panes, where
 * there is hardly room for any of it. What each view does has tests of its own.
 */
#include "eye.h"
#include "human.h"
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct world world;
static const int sizes[][2] = {{24, 80}, {40, 120}, {10, 40}};
#define SIZES   3
#define RIPE_MS 600 /* more than the 300 for which a request must have been in view */

static void setup(void)
{
    world_open(&world);
}

static void teardown(void)
{
    world_close(&world);
}

static struct eye *attach(int size)
{
    return eye_open(sizes[size][0], sizes[size][1],
                    (const char *const[]){world.belljar, "attach", NULL});
}

static void let_ripen(struct eye *eye)
{
    for (long long end = world_now() + RIPE_MS; world_now() < end;)
        eye_pump(eye, 10);
}

/* Nothing runs, and what one can do about it; and the server is gone, and comes back. */
START_TEST(without_sandboxes_and_without_a_server)
{
    for (int size = 0; size < SIZES; size++) {
        struct eye *eye = attach(size);
        EYE_WAIT_TEXT(eye, sizes[size][1] >= 80 ? "start a sandbox" : "No sandbox runs");
        if (sizes[size][1] >= 80)
            EYE_WAIT_TEXT(eye, "or, in another terminal");
        eye_type(eye, "n"); /* nobody can need anybody: the form */
        EYE_WAIT_TEXT(eye, "Command");
        eye_escape(eye);
        EYE_WAIT(eye, !eye_shows(eye, "Command"));
        pid_t server = world_server(&world);
        ck_assert_int_gt(server, 0);
        kill(server, SIGSTOP); /* none is started beside it, and it answers nothing */
        kill(server, SIGKILL);
        EYE_WAIT_TEXT(eye, sizes[size][1] >= 80 ? "the server is back" : "server");
        WAIT_FOR(world_server(&world) > 0 && world_server(&world) != server);
        eye_detach(eye);
    }
}
END_TEST

/* Nothing is said of sandboxes that the server has not told of yet. */
START_TEST(with_a_server_that_says_nothing)
{
    BELLJAR_OK(&world, "ls");
    pid_t server = world_server(&world);
    for (int size = 0; size < SIZES; size++) {
        kill(server, SIGSTOP);
        struct eye *eye = attach(size);
        EYE_WAIT(eye, eye_shows(eye, "has not answered") || eye_shows(eye, "see above"));
        ck_assert(!eye_shows(eye, "start a sandbox") && !eye_shows(eye, "No sandbox runs"));
        kill(server, SIGCONT);
        EYE_WAIT_TEXT(eye, sizes[size][1] >= 80 ? "start a sandbox" : "No sandbox runs");
        eye_detach(eye);
    }
}
END_TEST

/* What happened since, where there is hardly room to say it. */
START_TEST(the_digest)
{
    for (int size = 0; size < SIZES; size++) {
        struct eye *eye = attach(size);
        EYE_WAIT_TEXT(eye, "SUPERVISE");
        eye_detach(eye);
        human_runs(&world, "short", "exit 3");
        WAIT_FOR(world_state_is(&world, "short", "exited"));
        eye = attach(size);
        EYE_WAIT(eye, eye_shows(eye, "Since you left") && eye_shows(eye, "1 failed"));
        EYE_WAIT_TEXT(eye, "short exited 3");
        eye_type(eye, " ");
        EYE_WAIT(eye, !eye_shows(eye, "Since you left"));
        eye_detach(eye);
        BELLJAR_OK(&world, "rm", "short");
    }
}
END_TEST

#define TELLS(event)                                                                               \
    "echo '{\"hook_event_name\": \"" event "\"}' | /belljar/bin/belljar-shim ask --dialect "       \
    "claude;"

/* Each state has a glyph and a word, in a pane, a card and the list. */
static const struct {
    const char *name, *script, *doing, *glyph, *word;
} states[] = {
    {"held", "/belljar/bin/belljar-shim ask --kind exec --title 'make'", "verdict", "◆", "verdict"},
    {"hooked", TELLS("Notification") " sleep 1000", "input", "◇", "input"},
    {"works", TELLS("UserPromptSubmit") " sleep 1000", "thinking", "◐", "thinking"},
    {"prints", "while :; do date; sleep 0.5; done", "running", "●", "running"},
    {"silent", "sleep 1000", "idle", "○", "idle"},
    {"ended", "exit 0", "exited", "■", "exited"},
    {"failed", "exit 3", "failed", "✕", "exited 3"},
    {"stopped", "sleep 1000", "paused", "‖", "paused"},
};
#define STATES (sizeof(states) / sizeof(states[0]))

/* "GLYPH name", and the word somewhere behind it in its pane, its card or its row. */
static bool says(struct eye *eye, size_t which)
{
    char head[64];
    snprintf(head, sizeof(head), "%s %s", states[which].glyph, states[which].name);
    for (int row = 0; row < eye->rows; row++) {
        const char *at = strstr(eye_row(eye, row), head);
        if (at && strstr(at, states[which].word))
            return true;
    }
    return false;
}

START_TEST(what_each_agent_does)
{
    for (size_t i = 0; i < STATES; i++)
        human_runs(&world, states[i].name, states[i].script);
    BELLJAR_OK(&world, "pause", "stopped");
    for (size_t i = 0; i < STATES; i++)
        WAIT_FOR(strcmp(world_field(&world, states[i].name, "doing"), states[i].doing) == 0);
    for (int size = 0; size < SIZES; size++) {
        struct eye *eye = attach(size);
        EYE_WAIT_TEXT(eye, "SUPERVISE");
        for (size_t i = 0; i < STATES; i++) {
            eye_type(eye, (char[]){(char)('1' + i), '\0'}); /* scrolled to where it is */
            EYE_WAIT(eye, says(eye, i));
        }
        eye_detach(eye);
    }
}
END_TEST

/* What a key opens, two things that one reads in it, and the key that closes it. */
static const struct {
    const char *open, *title, *inside, *close;
} opened[] = {
    {"?", "Keys while", "type into", "?"},
    {":", "Command ", "focus", "\x1b"},
    {"s", "New sandbox", "Enter do it", "\x1b"},
    {"N", "New sandbox", "Project", "\x1b"},
    {"l", "Sandboxes: 2", "verdict", "\x1b"},
    {"r", "Requests: 1", "make", "\x1b"},
    {"!", "Alerts", "No alerts.", "\x1b"},
    {"@", "Attached: 1", "you", "\x1b"},
    {"i", "Request", "low risk", "\x1b"},
    {"A", "Allow, and remember", "For whom", "\x1b"},
    {"D", "Deny, and remember", "Reason", "\x1b"},
    {"k", "Are you sure?", "Kill asker?", "n"},
    {"R", "New name of asker", "Enter do it", "\x1b"},
    {"[", "COPY", "line ", "q"},
    {":stats\r", "belljar stats", "requests: ", "\x1b"},
    {":kill other\r", "Are you sure?", "Kill other?", "n"},
};

START_TEST(what_a_key_opens)
{
    human_runs(&world, "asker", states[0].script);
    human_runs(&world, "other", "exec sleep 1000");
    WAIT_FOR(world_state_is(&world, "asker", "waiting"));
    for (int size = 0; size < SIZES; size++) {
        struct eye *eye = attach(size);
        EYE_WAIT_TEXT(eye, "SUPERVISE");
        eye_type(eye, "1z"); /* alone, so that all of the request is in view and can be decided */
        EYE_WAIT_TEXT(eye, "a once");
        for (size_t i = 0; i < sizeof(opened) / sizeof(opened[0]); i++) {
            if (strchr("AD", *opened[i].open)) /* seen long enough to be decided */
                let_ripen(eye);
            eye_type(eye, opened[i].open);
            EYE_WAIT_TEXT(eye, opened[i].title);
            EYE_WAIT_TEXT(eye, opened[i].inside);
            eye_type(eye, opened[i].close);
            EYE_WAIT(eye, !eye_shows(eye, opened[i].title));
        }
        eye_detach(eye);
    }
}
END_TEST

/* With more in the world: a request that the wall holds, an alert, changes, a recording. */
static const struct {
    const char *open, *title, *inside, *close;
} fuller[] = {
    {"2z", "⛨ WALL", "held.example", "z"},
    {"2i", "Request", "held by the host", "\x1b"},
    {"r", "Requests: 1", "⛨", "\x1b"},
    {"1i", "because", "processes", "\x1b"},
    {"!", "Alerts, newest first", "ended with code 3", "\x1b"},
    {"l/dial\r", "Sandboxes: 1 of 3 with dial", "dial", "/\x1b\x1b"},
    {"1v", " REVIEW ", "+1 -0", "q"},
    {"1y", " REPLAY ", " x1", "q"},
    {"q", "Are you sure?", "Detach? The sandboxes run on.", "n"},
    {"*p", "Are you sure?", "Pause 2 marked: works, dial", "n"},
};

static void type_slowly(struct eye *eye, const char *keys)
{
    for (; *keys; keys++) { /* a lone Escape is a key only when nothing follows it at once */
        eye_type(eye, (char[]){*keys, '\0'});
        if (*keys == '\x1b')
            let_ripen(eye);
    }
}

START_TEST(what_a_fuller_world_shows)
{
    char project[128];
    snprintf(project, sizeof(project), "%s/project", world.base);
    ck_assert_int_eq(mkdir(project, 0755), 0);
    human_repository(&world, project);
    human_runs_in(&world, "works", project, NULL, "echo more >>a; echo new >new");
    human_runs(&world, "dial", "curl -sS -m 3000 https://held.example/");
    human_runs(&world, "over", "exit 3");
    WAIT_FOR(world_state_is(&world, "over", "exited"));
    WAIT_FOR(world_state_is(&world, "dial", "waiting"));
    for (int size = 0; size < SIZES; size++) {
        struct eye *eye = attach(size);
        EYE_WAIT_TEXT(eye, "SUPERVISE");
        for (size_t i = 0; i < sizeof(fuller) / sizeof(fuller[0]); i++) {
            eye_type(eye, fuller[i].open);
            EYE_WAIT_TEXT(eye, fuller[i].title);
            EYE_WAIT_TEXT(eye, fuller[i].inside);
            type_slowly(eye, fuller[i].close);
            if (fuller[i].close[0] != 'z') /* a tile has it, too */
                EYE_WAIT(eye, !eye_shows(eye, fuller[i].title));
        }
        eye_detach(eye);
    }
}
END_TEST

/* As long as a name may be. */
#define LONG_NAME "a-name-that-is-as-long-as-it-may"

/* The text, without borders and the space that a wrap leaves; lasts until the next call. */
static const char *joined(struct eye *eye)
{
    static char all[64 * 1024];
    size_t used = 0;
    for (int row = 0; row < eye->rows; row++)
        for (const char *at = eye_row(eye, row); *at; at++)
            if (*at > ' ' && *at < 0x7f && used + 1 < sizeof(all))
                all[used++] = *at;
    all[used] = '\0';
    return all;
}

/* A question can be answered when all of it is on screen, however long the name and small the
 * screen; where there is no room for it at all, it cannot. */
START_TEST(questions_are_whole)
{
    human_runs(&world, LONG_NAME, "exec sleep 1000");
    human_runs(&world, "other", "exec sleep 1000");
    for (int size = 0; size < SIZES; size++) {
        struct eye *eye = attach(size);
        EYE_WAIT_TEXT(eye, "SUPERVISE");
        eye_type(eye, "1k");
        EYE_WAIT_TEXT(eye, "Are you sure?");
        EYE_WAIT(eye, strstr(joined(eye), "Kill" LONG_NAME "?Everyprocessinitends."));
        EYE_WAIT_TEXT(eye, "y yes  other keys no");
        eye_type(eye, "n");
        EYE_WAIT(eye, !eye_shows(eye, "Are you sure?"));
        eye_type(eye, "R");
        EYE_WAIT(eye, strstr(joined(eye), "Newnameof" LONG_NAME));
        eye_escape(eye);
        EYE_WAIT(eye, !eye_shows(eye, "New name"));
        eye_detach(eye);
    }
    struct eye *eye = attach(2);
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_resize(eye, 6, 24);
    eye_type(eye, "1k");
    EYE_WAIT(eye, eye_shows(eye, "Are you sure?") && !strstr(joined(eye), "processinitends"));
    let_ripen(eye);
    eye_type(eye, "y");
    EYE_WAIT_TEXT(eye, "not yet");
    ck_assert(world_state_is(&world, LONG_NAME, "running"));
    eye_type(eye, "n");
    eye_resize(eye, 10, 40);
    EYE_WAIT(eye, !eye_shows(eye, "Are you sure?"));
    eye_type(eye, "1k");
    EYE_WAIT(eye, strstr(joined(eye), "Kill" LONG_NAME "?Everyprocessinitends."));
    eye_type(eye, "y");
    WAIT_FOR(world_state_is(&world, LONG_NAME, "exited"));
    eye_detach(eye);
}
END_TEST

/* What it does stands behind a name of any length. */
START_TEST(a_long_name_leaves_room_for_its_state)
{
    human_runs(&world, LONG_NAME, "exec sleep 1000");
    human_runs(&world, "other", "exec sleep 1000");
    WAIT_FOR(strcmp(world_field(&world, LONG_NAME, "doing"), "idle") == 0);
    for (int size = 0; size < SIZES; size += 2) {
        struct eye *eye = attach(size);
        EYE_WAIT_TEXT(eye, "SUPERVISE");
        eye_type(eye, size == 0 ? "1" : "1z");
        if (size == 0)
            eye_resize(eye, 24, 40);
        EYE_WAIT_TEXT(eye, "\xe2\x97\x8b a-name-that-");
        EYE_WAIT_TEXT(eye, "\xe2\x80\xa6 idle");
        if (size != 0)
            eye_type(eye, "z");
        eye_detach(eye);
    }
}
END_TEST

/* Glyph and word, in a tile and in the smallest inbox. */
START_TEST(a_request_says_its_class)
{
    human_runs(&world, "asker", HUMAN_ASKED "\"$(printf 'long %.0s' $(seq 30))\"");
    for (int i = 0; i < 5; i++)
        human_runs(&world, (char[]){(char)('a' + i), '\0'}, "exec sleep 1000");
    WAIT_FOR(world_state_is(&world, "asker", "waiting"));
    struct eye *eye = attach(0);
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    for (const char *key = "61"; *key; key++) {
        eye_type(eye, (char[]){*key, '\0'});
        EYE_WAIT_TEXT(eye, *key == '6' ? "\xe2\x94\x8f 6" : "\xe2\x94\x8f 1");
        ck_assert(eye_shows(eye, " ? COURTESY"));
    }
    eye_detach(eye);
    eye = attach(2);
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_type(eye, "r");
    EYE_WAIT_TEXT(eye, "Requests: 1");
    EYE_WAIT(eye, strstr(eye_row(eye, eye_find(eye, "Requests: 1", NULL) + 1), " ? COURTESY "));
    eye_type(eye, "r");
    EYE_WAIT(eye, !eye_shows(eye, "Requests: 1"));
    eye_detach(eye);
}
END_TEST

/* What is not known yet is no gap in a border, and an alert is counted where there is hardly room.
 */
START_TEST(borders_and_counts)
{
    human_runs(&world, "quiet", "exec sleep 1000");
    struct eye *eye = attach(0);
    EYE_WAIT_TEXT(eye, "quiet idle");
    EYE_WAIT_TEXT(eye, "\xe2\x94\x81 ");
    const char *foot = eye_row(eye, eye_find(eye, " cpu ", NULL));
    const char *gap = strstr(foot, "\xe2\x94\x81 ");
    ck_assert_msg(gap && gap[4] != ' ' && !strstr(gap + 4, "  "), "%s", foot);
    eye_detach(eye);

    human_runs(&world, "failed", "exit 3");
    for (int i = 0; i < 4; i++)
        human_runs(&world, (char[]){(char)('a' + i), '\0'}, "exec sleep 1000");
    WAIT_FOR(world_state_is(&world, "failed", "exited"));
    eye = attach(2);
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_type(eye, "2");
    EYE_WAIT(eye, eye_find(eye, "failed", NULL) >= 0);
    EYE_WAIT_TEXT(eye, " 1 alert");
    EYE_WAIT(eye, eye_find(eye,
                           "\xe2\x96\xb2"
                           "1",
                           NULL) == eye_find(eye, "failed", NULL) ||
                      eye_find(eye,
                               "\xe2\x80\xa2"
                               "1",
                               NULL) == eye_find(eye, "failed", NULL));
    eye_detach(eye);
}
END_TEST

/* "FIRST-LAST of COUNT" in the border of the help. */
static bool help_range(struct eye *eye, int *first, int *last, int *count)
{
    for (int row = 0; row < eye->rows; row++) {
        const char *at = strstr(eye_row(eye, row), " of ");
        while (at && at > eye_row(eye, row) && strchr("0123456789-", at[-1]))
            at--;
        if (at && sscanf(at, "%d-%d of %d", first, last, count) == 3)
            return true;
    }
    return false;
}

/* The help is read to its end, line by line, and nothing in it is cut. */
START_TEST(the_help_is_whole)
{
    human_runs(&world, "quiet", "exec sleep 1000");
    for (int size = 0; size < SIZES; size++) {
        int first = 0, last = 0, count = 0;
        bool copying = false;
        struct eye *eye = attach(size);
        EYE_WAIT_TEXT(eye, "SUPERVISE");
        eye_type(eye, "?");
        EYE_WAIT(eye, help_range(eye, &first, &last, &count) && first == 1);
        for (;;) {
            for (int row = eye_find(eye, "Keys while", NULL); row < eye->rows - 1; row++)
                ck_assert(!strstr(eye_row(eye, row), "\xe2\x80\xa6"));
            copying |=
                strstr(joined(eye), "copymode:move,select,searchandcopywhatitprinted") != NULL;
            if (last == count)
                break;
            int before = first;
            eye_type(eye, EYE_DOWN);
            EYE_WAIT(eye, help_range(eye, &first, &last, &count) && first == before + 1);
        }
        ck_assert(copying);
        eye_type(eye, EYE_DOWN);
        eye_type(eye, "?");
        EYE_WAIT(eye, !eye_shows(eye, "Keys while"));
        eye_detach(eye);
    }
}
END_TEST

/* Before there is anything that it could be meant for. */
START_TEST(what_is_typed_ahead)
{
    human_runs(&world, "asker", states[0].script);
    human_runs(&world, "other", "echo other is here; exec sleep 1000");
    WAIT_FOR(world_state_is(&world, "asker", "waiting"));
    pid_t server = world_server(&world);
    kill(server, SIGSTOP);
    struct eye *eye = attach(0);
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_type(eye, "2z");
    let_ripen(eye);
    kill(server, SIGCONT);
    EYE_WAIT(eye, eye_shows(eye, "other is here") && !eye_shows(eye, "COURTESY"));
    eye_detach(eye);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("views");
    TCase *tests = tcase_create("views");
    tcase_set_timeout(tests, 0);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, without_sandboxes_and_without_a_server);
    tcase_add_test(tests, with_a_server_that_says_nothing);
    tcase_add_test(tests, the_digest);
    tcase_add_test(tests, what_each_agent_does);
    tcase_add_test(tests, what_a_key_opens);
    tcase_add_test(tests, what_a_fuller_world_shows);
    tcase_add_test(tests, questions_are_whole);
    tcase_add_test(tests, a_long_name_leaves_room_for_its_state);
    tcase_add_test(tests, a_request_says_its_class);
    tcase_add_test(tests, borders_and_counts);
    tcase_add_test(tests, the_help_is_whole);
    tcase_add_test(tests, what_is_typed_ahead);
    suite_add_tcase(suite, tests);
    return world_main(suite);
}
