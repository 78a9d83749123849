/*
 * Nothing is lost when anything is killed: 100 MB of numbered lines are written while the server or
 * the monitor is killed, and every line is in the recording, in order and once.
 */
#include "eye.h"
#include "human.h"
#include "world.h"

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

/* 100 bytes a line with its line feed (101 with the carriage return that the pty adds), so
 * 1,000,000 lines are 100 MB. ASan builds are about ten times slower and take a tenth. */
#if defined(__SANITIZE_ADDRESS__)
#define LINES 100000L
#else
#define LINES 1000000L
#endif
#define NUMBERED                                                                                   \
    "awk 'BEGIN{for(i=1;i<=%ld;i++)printf \"%%010d "                                               \
    "the quick brown fox jumps over the lazy dog and the quick brown fox jumps over it "           \
    "ag.\\n\",i}"                                                                                  \
    "'; echo end of lines; sleep 1000"

static void start_lines(const char *name, long lines)
{
    char script[512], scrollback[32];
    snprintf(script, sizeof(script), NUMBERED, lines);
    snprintf(scrollback, sizeof(scrollback), "%d", 5000);
    BELLJAR_OK(&world, "run", "-d", "-n", name, "--record-limit", "1G", "--scrollback", scrollback,
               "--cols", "120", "--", "sh", "-c", script);
}

/* Reads the raw recording and checks the numbers. Returns how many lines were there. */
static long check_lines(const char *name, long expected)
{
    int fd;
    pid_t pid = world_start(
        &world, &fd, (const char *const[]){world.belljar, "replay", name, "--export", "raw", NULL});
    FILE *in = fdopen(fd, "r");
    char *line = NULL;
    size_t room = 0;
    long next = 1;
    for (ssize_t size; (size = getline(&line, &room, in)) > 0;) {
        if (!isdigit((unsigned char)line[0]))
            continue;
        long number = strtol(line, NULL, 10);
        ck_assert_msg(number == next, "%s: line %ld where %ld should be: %s", name, number, next,
                      line);
        ck_assert_msg(strstr(line, "fox jumps over it ag.") != NULL, "line %ld is cut: %s", number,
                      line);
        next++;
    }
    free(line);
    fclose(in);
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    if (expected)
        ck_assert_int_eq(next - 1, expected);
    return next - 1;
}

/* The newest 5,000 lines are in the scrollback, in order. */
static void check_scrollback(const char *name, long lines)
{
    struct result result;
    BELLJAR(&world, &result, "capture", name, "--scrollback");
    ck_assert_msg(result.code == 0, "%s", result.err);
    long last = 0, count = 0;
    for (char *line = strtok(result.out, "\n"); line; line = strtok(NULL, "\n")) {
        if (!isdigit((unsigned char)line[0]))
            continue;
        long number = strtol(line, NULL, 10);
        ck_assert_msg(last == 0 || number == last + 1, "scrollback: %ld after %ld", number, last);
        last = number;
        count++;
    }
    ck_assert_int_eq(last, lines);
    ck_assert_int_ge(count, 5000);
    result_free(&result);
}

static long lines_so_far(const char *name)
{
    /* The greatest number on the screen: the last one may be there in part. */
    const char *text = world_capture(&world, name);
    long most = 0;
    for (const char *at = text; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        long number = isdigit((unsigned char)*at) ? strtol(at, NULL, 10) : 0;
        if (number > most)
            most = number;
        if (!*at)
            break;
    }
    return most;
}

START_TEST(server_killed_in_the_middle)
{
    start_lines("a", LINES);
    BELLJAR_OK(&world, "run", "-d", "-n", "b", "--", "sleep", "1000");
    WAIT_FOR(lines_so_far("a") > 0);
    long long init = world_number(&world, "a", "init_pid");
    long long monitor = world_number(&world, "a", "monitor_pid");
    pid_t first = world_server(&world);
    ck_assert_int_gt(first, 0);
    ck_assert_int_eq(kill(first, SIGKILL), 0);
    WAIT_FOR(!world_alive(first));
    ck_assert(world_alive((pid_t)monitor) && world_alive((pid_t)init));

    /* ls starts a server that finds both again. */
    ck_assert(world_state_is(&world, "b", "running"));
    ck_assert(world_state_is(&world, "a", "running"));
    ck_assert_int_eq(world_number(&world, "a", "init_pid"), init);
    ck_assert_int_eq(world_number(&world, "a", "monitor_pid"), monitor);
    ck_assert_int_ne(world_server(&world), first);
    /* Once more, while it finds them. */
    kill(world_server(&world), SIGKILL);
    WAIT_FOR(world_server(&world) == 0);
    ck_assert(world_state_is(&world, "a", "running"));
    WAIT_FOR(world_shows(&world, "a", "end of lines"));
    check_lines("a", LINES);
    check_scrollback("a", LINES);
}
END_TEST

/* What has ended can be looked at, also when its monitor dies behind it. */
START_TEST(last_screen_of_the_ended)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "a", "--", "sh", "-c", "echo the last words; exit 3");
    WAIT_FOR(world_state_is(&world, "a", "exited"));
    pid_t monitor = (pid_t)world_number(&world, "a", "monitor_pid");
    ck_assert_int_eq(kill(monitor, SIGKILL), 0);
    WAIT_FOR(!world_alive(monitor));
    WAIT_FOR(world_shows(&world, "a", "the last words"));
    ck_assert(world_state_is(&world, "a", "exited"));
    ck_assert_int_eq(world_number(&world, "a", "exit_code"), 3);
}
END_TEST

/* Keys and verdicts work with a server that was not there when the sandbox was made. */
START_TEST(new_server_drives_old_sandboxes)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "a", "--", "cat");
    WAIT_FOR(world_state_is(&world, "a", "running"));
    kill(world_server(&world), SIGKILL);
    WAIT_FOR(world_server(&world) == 0);
    WAIT_FOR(world_state_is(&world, "a", "running"));
    BELLJAR_OK(&world, "send", "a", "--enter", "still there");
    WAIT_FOR(world_shows(&world, "a", "still there\nstill there"));
    BELLJAR_OK(&world, "pause", "a");
    BELLJAR_OK(&world, "resume", "a");
    long long init = world_number(&world, "a", "init_pid");
    BELLJAR_OK(&world, "kill", "a");
    ck_assert(!world_alive((pid_t)init));
}
END_TEST

/* What ends while no server looks is known to the next one. */
START_TEST(exit_while_no_server_runs)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "a", "--", "sh", "-c", "echo ready; sleep 2; exit 5");
    WAIT_FOR(world_shows(&world, "a", "ready"));
    pid_t init = (pid_t)world_number(&world, "a", "init_pid");
    kill(world_server(&world), SIGKILL);
    WAIT_FOR(!world_alive(init));
    ck_assert_int_eq(world_server(&world), 0);
    WAIT_FOR(world_state_is(&world, "a", "exited"));
    ck_assert_int_eq(world_number(&world, "a", "exit_code"), 5);
    ck_assert(world_shows(&world, "a", "ready"));
}
END_TEST

static bool is_kept(const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/alerts.json", world.state);
    return strstr(world_read(path), text) != NULL;
}

static bool alerts_say(const char *text)
{
    return HUMAN_READS(&world, text, "alerts", "--json");
}

static void replace_server(void)
{
    pid_t server = world_server(&world);
    ck_assert_int_gt(server, 0);
    kill(server, SIGKILL);
    WAIT_FOR(world_server(&world) == 0);
    BELLJAR_OK(&world, "ls"); /* starts another */
}

/* What was raised and not yet seen is there after the server's death, what was seen is seen. */
START_TEST(alerts_outlive_the_server)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "a", "--", "sleep", "1000");
    WAIT_FOR(world_state_is(&world, "a", "running"));
    ck_assert_int_eq(kill((pid_t)world_number(&world, "a", "monitor_pid"), SIGKILL), 0);
    WAIT_FOR(alerts_say("the monitor was restarted") && is_kept("the monitor was restarted"));
    replace_server();
    ck_assert(alerts_say("the monitor was restarted"));
    WAIT_FOR(world_number(&world, "a", "alerts") > 0);
    BELLJAR_OK(&world, "alerts", "--ack");
    WAIT_FOR(!is_kept("\"acknowledged\": false"));
    replace_server();
    ck_assert(!alerts_say("\"acknowledged\":false") && !alerts_say("\"acknowledged\": false"));
    ck_assert_int_eq(world_number(&world, "a", "alerts"), 0);
    BELLJAR_OK(&world, "kill", "a");
    BELLJAR_OK(&world, "rm", "a");
    WAIT_FOR(!is_kept("the monitor was restarted"));
    replace_server();
    ck_assert(!alerts_say("the monitor was restarted"));
}
END_TEST

/* The file is empty, as after a loss of power. It is said, and verdicts are taken. */
START_TEST(damaged_alerts_stop_nothing)
{
    char path[160];
    human_runs(&world, "asker", HUMAN_ASKED "'make install'; echo first $?; cat");
    WAIT_FOR(human_request(&world, "make install", "id")[0]);
    snprintf(path, sizeof(path), "%s/alerts.json", world.state);
    kill(world_server(&world), SIGKILL);
    WAIT_FOR(world_server(&world) == 0);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(file, 0);
    close(file);
    BELLJAR_OK(&world, "ls");
    WAIT_FOR(alerts_say("the alerts of before were not found again"));
    WAIT_FOR(human_answers(&world, "allow", "make install", NULL, NULL));
    WAIT_FOR(world_shows(&world, "asker", "first 0"));
    BELLJAR_OK(&world, "audit", "verify");
}
END_TEST

START_TEST(monitor_killed_in_the_middle)
{
    start_lines("a", LINES);
    start_lines("b", LINES / 100);
    WAIT_FOR(world_shows(&world, "b", "end of lines"));
    long long other = world_number(&world, "b", "monitor_pid");
    char other_screen[32768];
    snprintf(other_screen, sizeof(other_screen), "%s", world_capture(&world, "b"));
    int kills = 0;
    for (; kills < 4; kills++) {
        long before = lines_so_far("a");
        WAIT_FOR(lines_so_far("a") > before || world_shows(&world, "a", "end of lines"));
        pid_t monitor = (pid_t)world_number(&world, "a", "monitor_pid");
        ck_assert_int_gt(monitor, 0);
        ck_assert_int_eq(kill(monitor, SIGKILL), 0);
        WAIT_FOR(!world_alive(monitor));
        WAIT_FOR((pid_t)world_number(&world, "a", "monitor_pid") != monitor &&
                 world_number(&world, "a", "monitor_pid") > 0);
        long after;
        WAIT_FOR((after = lines_so_far("a") + (world_shows(&world, "a", "end of") ? LINES : 0)) >
                 0);
        ck_assert_int_ge(after, before); /* the screen came back */
    }
    WAIT_FOR(world_shows(&world, "a", "end of lines"));
    check_lines("a", LINES);
    check_scrollback("a", LINES);
    ck_assert_int_eq(world_number(&world, "b", "monitor_pid"), other);
    ck_assert_str_eq(world_capture(&world, "b"), other_screen);
    check_lines("b", LINES / 100);
}
END_TEST

/* Keys typed while the monitor is away are not lost once the sandbox answers again. */
START_TEST(keys_after_monitor_death)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "a", "--", "cat");
    WAIT_FOR(world_state_is(&world, "a", "running"));
    pid_t monitor = (pid_t)world_number(&world, "a", "monitor_pid");
    BELLJAR_OK(&world, "send", "a", "--enter", "first");
    WAIT_FOR(world_shows(&world, "a", "first\nfirst"));
    kill(monitor, SIGKILL);
    WAIT_FOR(!world_alive(monitor));
    WAIT_FOR(world_shows(&world, "a", "first\nfirst"));
    BELLJAR_OK(&world, "send", "a", "--enter", "second");
    WAIT_FOR(world_shows(&world, "a", "first\nfirst\nsecond\nsecond"));
}
END_TEST

/* As after a crash of the machine: nothing runs any more. A pane whose screen is gone says what can
 * be done, and one key has it at work again, in its home of before. */
START_TEST(everything_ended_at_once)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "a", "--", "sh", "-c",
               "echo was here >>~/visits; echo visit $(wc -l <~/visits); sleep 1000");
    WAIT_FOR(world_shows(&world, "a", "visit 1"));
    pid_t ends[] = {world_server(&world), (pid_t)world_number(&world, "a", "monitor_pid"),
                    (pid_t)world_number(&world, "a", "init_pid")};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        ck_assert_int_eq(kill(ends[i], SIGKILL), 0);
        WAIT_FOR(!world_alive(ends[i]));
    }
    struct eye *eye = eye_open(24, 80, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "its monitor has ended");
    EYE_WAIT_TEXT(eye, "+ goes on with its work");
    EYE_WAIT_TEXT(eye, "y plays what it showed");
    EYE_WAIT_TEXT(eye, "x removes it and its files");
    eye_type(eye, "y");
    EYE_WAIT_TEXT(eye, "REPLAY");
    EYE_WAIT_TEXT(eye, "visit 1");
    eye_type(eye, "q");
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    eye_type(eye, "+");
    EYE_WAIT_TEXT(eye, "visit 2");
    EYE_WAIT(eye, !eye_shows(eye, "its monitor has ended"));
    eye_detach(eye);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("survive");
    TCase *cases = tcase_create("survive");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 600);
    tcase_add_test(cases, server_killed_in_the_middle);
    tcase_add_test(cases, last_screen_of_the_ended);
    tcase_add_test(cases, new_server_drives_old_sandboxes);
    tcase_add_test(cases, exit_while_no_server_runs);
    tcase_add_test(cases, alerts_outlive_the_server);
    tcase_add_test(cases, damaged_alerts_stop_nothing);
    tcase_add_test(cases, monitor_killed_in_the_middle);
    tcase_add_test(cases, keys_after_monitor_death);
    tcase_add_test(cases, everything_ended_at_once);
    suite_add_tcase(suite, cases);
    return world_main(suite);
}
