/*
 * The linear mode: what a screen reader says and a log keeps.
 */
#include "human.h"
#include "world.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct world world;
static pid_t watcher;
static int from;
static char said[64 * 1024];

static void setup(void)
{
    world_open(&world);
    said[0] = '\0';
}

static void teardown(void)
{
    if (watcher > 0) {
        kill(watcher, SIGTERM);
        waitpid(watcher, NULL, 0);
        close(from);
        watcher = 0;
    }
    world_close(&world);
}

static void listen_to(const char *const argv[])
{
    watcher = world_start(&world, &from, argv);
    ck_assert_int_ge(fcntl(from, F_SETFL, O_NONBLOCK), 0);
}

/* Whether a line that begins with a time has these words behind it, by now. */
static bool says(const char *words)
{
    size_t used = strlen(said);
    ssize_t size;
    while (used < sizeof(said) - 1 && (size = read(from, said + used, sizeof(said) - 1 - used)) > 0)
        said[used += (size_t)size] = '\0';
    return strstr(said, words) != NULL;
}

#define WAIT_SAYS(words)                                                                           \
    do {                                                                                           \
        long long limit_ = world_now() + world_patience();                                         \
        while (!says(words)) {                                                                     \
            ck_assert_msg(world_now() < limit_, "never said: %s\nbut:\n%s", words, said);          \
            world_breathe();                                                                       \
        }                                                                                          \
    } while (0)

static size_t times(const char *words)
{
    size_t count = 0;
    for (const char *at = said; (at = strstr(at, words)); at += strlen(words))
        count++;
    return count;
}

START_TEST(a_life_in_lines)
{
    human_runs(&world, "early", "sleep 1000");
    WAIT_FOR(world_state_is(&world, "early", "running"));
    listen_to((const char *const[]){world.belljar, "watch", NULL});
    WAIT_SAYS("  early: running\n"); /* what is so already */
    WAIT_SAYS("  early: idle\n");
    human_runs(&world, "build",
               "read go; belljar-shim ask --kind exec --title 'deploy to staging'; "
               "echo verdict $?; read end; exit 7");
    WAIT_SAYS("  build: running\n");
    BELLJAR_OK(&world, "send", "build", "--enter", "");
    WAIT_SAYS("  build: asks (courtesy, ");
    WAIT_SAYS("deploy to staging");
    WAIT_SAYS("  build: waiting for a verdict\n");
    WAIT_FOR(human_answers(&world, "allow", "deploy to staging", NULL, NULL));
    WAIT_SAYS("  build: allowed by ");
    BELLJAR_OK(&world, "pause", "build");
    WAIT_SAYS("  build: paused\n");
    BELLJAR_OK(&world, "resume", "build");
    BELLJAR_OK(&world, "rename", "build", "release");
    WAIT_SAYS("  release: was called build before\n");
    BELLJAR_OK(&world, "send", "release", "--enter", "");
    WAIT_SAYS("  release: exited with code 7\n");
    BELLJAR_OK(&world, "rm", "release");
    WAIT_SAYS("  release: removed with its files\n");
    BELLJAR_OK(&world, "kill", "early");
    WAIT_SAYS("  early: ended by signal 9");
    /* Nothing is said twice, and each line has its time and is plain. */
    ck_assert_uint_eq(times("early: running"), 1);
    ck_assert_uint_eq(times("exited with code 7"), 1);
    for (const char *line = said; *line; line = strchr(line, '\n') + 1) {
        int parts[6];
        ck_assert_msg(sscanf(line, "%4d-%2d-%2d %2d:%2d:%2d", &parts[0], &parts[1], &parts[2],
                             &parts[3], &parts[4], &parts[5]) == 6,
                      "%s", line);
        ck_assert_ptr_nonnull(strchr(line, '\n'));
    }
    ck_assert_ptr_null(strchr(said, '\x1b'));
}
END_TEST

/* In the words that the dashboard has for the same. */
START_TEST(what_an_agent_does)
{
    listen_to((const char *const[]){world.belljar, "watch", NULL});
    human_runs(&world, "asker",
               "echo '{\"hook_event_name\": \"Notification\"}' | /belljar/bin/belljar-shim ask "
               "--dialect claude; read go; "
               "echo '{\"hook_event_name\": \"UserPromptSubmit\"}' | /belljar/bin/belljar-shim ask "
               "--dialect claude; sleep 1000");
    WAIT_SAYS("  asker: waiting for input\n");
    BELLJAR_OK(&world, "send", "asker", "--enter", "");
    WAIT_SAYS("  asker: thinking\n");
}
END_TEST

START_TEST(as_json_and_of_one_only)
{
    human_runs(&world, "one", "read x; exit 3");
    human_runs(&world, "two", "sleep 1000");
    listen_to((const char *const[]){world.belljar, "watch", "--json", "one", NULL});
    WAIT_SAYS("\"running\"");
    BELLJAR_OK(&world, "pause", "two");
    BELLJAR_OK(&world, "send", "one", "--enter", "");
    WAIT_SAYS("\"exited\"");
    ck_assert_ptr_null(strstr(said, "\"two\""));
    for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *event = json_loads(line, 0, NULL);
        ck_assert_msg(event != NULL, "%s", line);
        ck_assert(json_is_real(json_object_get(event, "time")));
        ck_assert_str_eq(json_string_value(json_object_get(event, "sandbox")), "one");
        if (strstr(line, "\"state\":\"exited\""))
            ck_assert_msg(json_integer_value(json_object_get(event, "exit_code")) == 3, "%s", line);
        json_decref(event);
    }
}
END_TEST

START_TEST(the_server_comes_and_goes)
{
    human_runs(&world, "alpha", "read x; exit 0");
    WAIT_FOR(world_state_is(&world, "alpha", "running"));
    listen_to((const char *const[]){world.belljar, "watch", NULL});
    WAIT_SAYS("  alpha: running\n");
    kill(world_server(&world), SIGKILL);
    WAIT_SAYS("  The server is lost");
    WAIT_SAYS("  The server is back.\n");
    BELLJAR_OK(&world, "send", "alpha", "--enter", "");
    WAIT_SAYS("  alpha: exited with code 0\n");
    ck_assert_uint_eq(times("alpha: running"), 1); /* it ran all the time */
    BELLJAR_OK(&world, "server", "stop");
    WAIT_SAYS("  The server stops; the sandboxes run on.\n");
    int status;
    WAIT_FOR(waitpid(watcher, &status, WNOHANG) == watcher);
    watcher = 0;
    close(from);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    BELLJAR_OK(&world, "ls"); /* which starts one that can end it */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("watch");
    TCase *cases = tcase_create("watch");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, a_life_in_lines);
    tcase_add_test(cases, what_an_agent_does);
    tcase_add_test(cases, as_json_and_of_one_only);
    tcase_add_test(cases, the_server_comes_and_goes);
    suite_add_tcase(suite, cases);
    return world_main(suite);
}
