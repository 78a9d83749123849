/*
 * An upgrade in place: the programs are replaced by those of a version with another protocol while
 * sandboxes run. The next version's server and client take over; agents, monitors, screens,
 * requests and recordings go on, also when an old shim gets a new monitor. And back again.
 */
#include "eye.h"
#include "human.h"
#include "world.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const programs[] = {"belljar-egress", "belljar-monitor", "belljar-server",
                                       "belljar-shim", "belljar"};

static struct world world;
static char place[128];
static char older[4096], newer[4096]; /* where each version was built */

/* As a package manager does it: a new file takes the place of the old one, which still runs. */
static void install(const char *from)
{
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        char source[4200], part[200], whole[200];
        snprintf(source, sizeof(source), "%s/%s", from, programs[i]);
        if (access(source, X_OK) < 0) /* what has no version of its own */
            snprintf(source, sizeof(source), "%s/%s", older, programs[i]);
        snprintf(part, sizeof(part), "%s/%s.new", place, programs[i]);
        snprintf(whole, sizeof(whole), "%s/%s", place, programs[i]);
        world_run_ok(&world, (const char *const[]){"cp", source, part, NULL});
        ck_assert_msg(rename(part, whole) == 0, "%s: %s", whole, strerror(errno));
    }
}

static void setup(void)
{
    const char *next = getenv("BELLJAR_TEST_NEXT");
    ck_assert_msg(next != NULL, "BELLJAR_TEST_NEXT must name the next version's programs");
    snprintf(newer, sizeof(newer), "%s", next);
    world_open(&world);
    snprintf(older, sizeof(older), "%s", world.programs);
    setenv("BELLJAR_DATA_DIR", older, 1);
    snprintf(place, sizeof(place), "%s/programs", world.base);
    ck_assert_int_eq(mkdir(place, 0755), 0);
    snprintf(world.belljar, sizeof(world.belljar), "%s/belljar", place);
    install(older);
}

static void teardown(void)
{
    world_close(&world);
}

static void check_version(const char *version)
{
    struct result result;
    BELLJAR(&world, &result, "server", "status");
    char want[64];
    snprintf(want, sizeof(want), "version %s,", version);
    ck_assert_msg(strstr(result.out, want) != NULL, "%s%s", result.out, result.err);
    result_free(&result);
}

/* Stops the running server; what was installed meanwhile serves from the next command on. */
static void change_server(const char *from, const char *to)
{
    check_version(from);
    BELLJAR_OK(&world, "server", "stop");
    ck_assert_int_eq(world_server(&world), 0);
    BELLJAR_OK(&world, "ls");
    check_version(to);
}

static void change_monitor(const char *name)
{
    pid_t monitor = (pid_t)world_number(&world, name, "monitor_pid");
    ck_assert_int_gt(monitor, 0);
    ck_assert_int_eq(kill(monitor, SIGKILL), 0);
    WAIT_FOR(world_number(&world, name, "monitor_pid") > 0 &&
             world_number(&world, name, "monitor_pid") != monitor);
}

/* Each line of the counter is in the recording, once and in order, from the first to `least`. */
static void check_recording(const char *name, long least)
{
    struct result result;
    BELLJAR(&world, &result, "replay", name, "--export", "raw");
    ck_assert_msg(result.code == 0, "%s", result.err);
    long number, last = 0;
    char *whole = strrchr(result.out, '\n'), *save = NULL;
    if (whole)
        *whole = '\0';
    for (char *line = strtok_r(result.out, "\r\n", &save); line;
         line = strtok_r(NULL, "\r\n", &save))
        if (sscanf(line, "out %ld", &number) == 1)
            ck_assert_msg(number == last + 1, "%s: line %ld behind %ld", name, number, last),
                last = number;
    ck_assert_msg(last >= least, "%s: the recording ends with line %ld", name, last);
    result_free(&result);
}

/* It answers, and its output goes on. */
static void check_goes_on(void)
{
    long before = world_counted(&world, "counter");
    WAIT_FOR(world_counted(&world, "counter") > before + 3);
    check_recording("counter", before);
    static int word;
    char text[32], shown[64];
    snprintf(text, sizeof(text), "word %d", ++word);
    snprintf(shown, sizeof(shown), "got word %d.", word);
    BELLJAR_OK(&world, "send", "echo", "--enter", text);
    WAIT_FOR(world_shows(&world, "echo", shown));
}

/* In a dashboard that comes now. */
static void check_dashboard(void)
{
    struct eye *eye = eye_open(40, 120, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "asker");
    EYE_WAIT_TEXT(eye, "out ");
    kill(eye->pid, SIGKILL);
    eye_close(eye);
}

static void start_all(void)
{
    human_runs(&world, "counter", "i=0; while :; do i=$((i+1)); echo \"out $i\"; sleep 0.05; done");
    human_runs(&world, "echo", "stty -echo; while read -r line; do echo \"got $line.\"; done");
    human_runs(&world, "asker",
               HUMAN_ASKED "'before the upgrade'; echo first $?; read x; " HUMAN_ASKED
                           "'after the upgrade'; echo second $?; cat");
    WAIT_FOR(world_counted(&world, "counter") > 0);
    WAIT_FOR(*human_request(&world, "before the upgrade", "id"));
}

static void upgrade_and_check(const char *from, const char *to, const char *directory)
{
    static const char *const names[] = {"counter", "echo", "asker"};
    long long init[3], monitor[3];
    for (int i = 0; i < 3; i++) {
        init[i] = world_number(&world, names[i], "init_pid");
        monitor[i] = world_number(&world, names[i], "monitor_pid");
    }
    install(directory);
    change_server(from, to);
    for (int i = 0; i < 3; i++) {
        WAIT_FOR(world_state_is(&world, names[i], "running") ||
                 world_state_is(&world, names[i], "waiting"));
        ck_assert_int_eq(world_number(&world, names[i], "init_pid"), init[i]);
        ck_assert_int_eq(world_number(&world, names[i], "monitor_pid"), monitor[i]);
    }
    check_goes_on();
    check_dashboard();
    /* What was asked before is answered through the old monitor, what comes later through a new one
     * that speaks with the old shim. */
    WAIT_FOR(human_answers(&world, "allow", "before the upgrade", NULL, NULL));
    WAIT_FOR(world_shows(&world, "asker", "first 0"));
    change_monitor("asker");
    change_monitor("counter");
    change_monitor("echo");
    WAIT_FOR(world_shows(&world, "asker", "first 0"));
    check_goes_on();
    check_dashboard();
    BELLJAR_OK(&world, "send", "asker", "--enter");
    WAIT_FOR(human_answers(&world, "deny", "after the upgrade", NULL, NULL));
    WAIT_FOR(world_shows(&world, "asker", "second 1"));
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(world_number(&world, names[i], "init_pid"), init[i]);
    /* What is started from now on is all of this version. */
    human_runs(&world, "another", "echo hello; cat");
    WAIT_FOR(world_shows(&world, "another", "hello"));
    BELLJAR_OK(&world, "audit", "verify");
}

START_TEST(sandboxes_live_through_an_upgrade)
{
    start_all();
    struct eye *eye = eye_open(24, 100, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "counter");
    install(newer);
    struct result result;
    BELLJAR(&world, &result, "doctor");
    ck_assert_msg(strstr(result.out, "these programs are 9.9.9") != NULL, "%s", result.out);
    result_free(&result);
    upgrade_and_check("0.1.0", "9.9.9", newer);
    EYE_WAIT_TEXT(eye, "the server was stopped");
    eye_wait_end(eye);
    eye_close(eye);
}
END_TEST

START_TEST(sandboxes_live_through_the_way_back)
{
    install(newer);
    start_all();
    upgrade_and_check("9.9.9", "0.1.0", older);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("upgrade");
    TCase *cases = tcase_create("upgrade");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, sandboxes_live_through_an_upgrade);
    tcase_add_test(cases, sandboxes_live_through_the_way_back);
    suite_add_tcase(suite, cases);
    return world_main(suite);
}
