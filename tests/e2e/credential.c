/*
 * A key that never goes in: the agent has a placeholder and the proxy's address, the real header is
 * added outside, over HTTPS that is verified. In a network of the test's own.
 */
#include "eye.h"
#include "human.h"
#include "net.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define SECRET "sk-3fd1c5a7e0b94d2b8c6f"

/* A variable that only some of the human's shells have. */
#define VARIABLE "BELLJAR_TEST_MODEL_KEY"
#define VARIABLE_POLICY                                                                            \
    "credential model {\n from = \"env:" VARIABLE "\"\n hosts = [\"good.example\"]\n"              \
    " header = \"x-api-key\"\n format = \"%s\"\n placeholder_env = \"MODEL_KEY\"\n"                \
    " base_url_env = \"MODEL_URL\"\n upstream = \"https://good.example\"\n}\n"

static struct world world;
static char secret_path[256];
static const char *log_path;

static void setup(void)
{
    char text[1024];
    world_open(&world);
    net_start(&world);
    snprintf(secret_path, sizeof(secret_path), "%s", world_file(&world, "key", SECRET "\n", 0600));
    log_path = net_start_secure(&world);
    snprintf(text, sizeof(text),
             "credential model {\n from = \"file:%s\"\n hosts = [\"good.example\"]\n"
             " header = \"x-api-key\"\n format = \"%%s\"\n placeholder_env = \"MODEL_KEY\"\n"
             " base_url_env = \"MODEL_URL\"\n upstream = \"https://good.example\"\n}\n",
             secret_path);
    human_policy(&world, text);
    world_file(&world, "www/x", "what was fetched\n", 0644);
}

static void teardown(void)
{
    net_stop();
    world_close(&world);
}

static void run(const char *name, const char *what)
{
    human_runs(&world, name, what);
}

/* Whether a file below the directory, or a process's environment or command line, has the secret;
 * the key's own file does not count. */
static bool found_anywhere(void)
{
    char command[1024];
    struct result result;
    snprintf(command, sizeof(command),
             "grep -rl '%s' %s/run %s/state %s/home/.cache /proc/[0-9]*/environ 2>/dev/null; "
             "ps axww | grep -v grep | grep -c '%s'; true",
             SECRET, world.base, world.base, world.base, SECRET);
    world_run(&world, &result, NULL, (const char *const[]){"bash", "-c", command, NULL});
    bool found = strcmp(result.out, "0\n") != 0;
    if (found)
        fprintf(stderr, "%s", result.out);
    result_free(&result);
    return found;
}

START_TEST(added_outside)
{
    run("one", "echo key=$MODEL_KEY url=$MODEL_URL; "
               "curl -sS -m 60 -H \"x-api-key: $MODEL_KEY\" $MODEL_URL/x; echo over; sleep 1000");
    WAIT_FOR(world_shows(&world, "one", "over"));
    ck_assert(world_shows(&world, "one", "what was fetched"));
    ck_assert(world_shows(&world, "one", "key=belljar-placeholder-model"));
    ck_assert(strstr(world_read(log_path), "GET /x good.example " SECRET "\n"));
    ck_assert(!found_anywhere());
    BELLJAR_OK(&world, "audit", "verify");
}
END_TEST

START_TEST(does_not_come_back)
{
    run("one", "curl -sS -m 60 $MODEL_URL/echo; echo over; sleep 1000");
    WAIT_FOR(world_shows(&world, "one", "over"));
    ck_assert(!world_shows(&world, "one", SECRET));
    ck_assert(!found_anywhere());
}
END_TEST

START_TEST(streams_pass_at_once)
{
    run("one", "curl -sSN -m 100 $MODEL_URL/slow; echo over; sleep 1000");
    WAIT_FOR(world_shows(&world, "one", "tick\ntick\ntick"));
    ck_assert(!world_shows(&world, "one", "over"));
}
END_TEST

/* To another host it does not go, whatever the agent writes. */
START_TEST(only_to_its_upstream)
{
    run("one", "curl -sS -m 60 -o /dev/null -w '%{http_code}\\n' -H 'Host: other.example' "
               "$MODEL_URL/x; curl -sS -m 60 -o /dev/null -w '%{http_code}\\n' --path-as-is "
               "$MODEL_URL/../../x; curl -sS -m 60 -o /dev/null -w '%{http_code}\\n' "
               "http://127.0.0.1:3128/belljar/credential/nothing/x; echo over; sleep 1000");
    WAIT_FOR(world_shows(&world, "one", "over"));
    ck_assert_int_eq(net_requests("GET"), 0);
    const char *log = world_read(log_path);
    ck_assert(!strstr(log, "other.example"));
    ck_assert(!strstr(log, ".."));
    ck_assert(world_shows(&world, "one", "4"));
}
END_TEST

/* Without a trusted certificate nothing is sent. */
START_TEST(verified)
{
    ck_assert(net_distrust());
    run("one", "curl -sS -m 60 -w '%{http_code}\\n' $MODEL_URL/x; echo over; sleep 1000");
    WAIT_FOR(world_shows(&world, "one", "over"));
    ck_assert(world_shows(&world, "one", "502"));
    ck_assert_str_eq(world_read(log_path), "");
}
END_TEST

/* The server was started without the variable: who runs an agent, or looks at one, has it. */
START_TEST(taken_from_the_humans_environment)
{
    struct eye *eye;
    human_policy(&world, VARIABLE_POLICY);
    BELLJAR_OK(&world, "run", "-d", "-n", "early", "--", "bash", "-c",
               "until curl -fsS -m 60 $MODEL_URL/x; do echo again; sleep 0.2; done; sleep 1000");
    WAIT_FOR(world_shows(&world, "early", "again"));
    world_run_ok(&world, (const char *const[]){"env", VARIABLE "=" SECRET, world.belljar, "run",
                                               "-d", "-n", "late", "--", "bash", "-c",
                                               "curl -sS -m 60 $MODEL_URL/x; sleep 1000", NULL});
    WAIT_FOR(world_shows(&world, "late", "what was fetched"));
    WAIT_FOR(world_shows(&world, "early", "what was fetched"));
    ck_assert(strstr(world_read(log_path), "GET /x good.example " SECRET "\n"));
    ck_assert(!found_anywhere());

    /* One that was mistyped, or is another now: the last one counts. */
    world_run_ok(&world, (const char *const[]){"env", VARIABLE "=another", world.belljar, "run",
                                               "-d", "-n", "later", "--", "bash", "-c",
                                               "curl -sS -m 60 $MODEL_URL/x; sleep 1000", NULL});
    WAIT_FOR(world_shows(&world, "later", "what was fetched"));
    ck_assert(strstr(world_read(log_path), "GET /x good.example another\n"));

    BELLJAR_OK(&world, "kill", "early", "late", "later");
    BELLJAR_OK(&world, "server", "stop"); /* and with it what was given */
    BELLJAR_OK(&world, "restart", "early");
    WAIT_FOR(world_shows(&world, "early", "again"));
    eye = eye_open(24, 80,
                   (const char *const[]){"env", VARIABLE "=" SECRET, world.belljar, "attach",
                                         "--read-only", NULL});
    EYE_WAIT_TEXT(eye, "early");
    eye_type(eye, "Q");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_close(eye);
    ck_assert(!world_shows(&world, "early", "what was fetched"));
    eye = eye_open(
        24, 80, (const char *const[]){"env", VARIABLE "=" SECRET, world.belljar, "attach", NULL});
    WAIT_FOR(world_shows(&world, "early", "what was fetched"));
    eye_type(eye, "Q");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_close(eye);
}
END_TEST

int main(void)
{
    if (!net_make()) {
        printf("skipped: a network of its own needs root\n");
        return 77;
    }
    Suite *suite = suite_create("e2e-credential");
    TCase *tcase = tcase_create("credential");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, added_outside);
    tcase_add_test(tcase, does_not_come_back);
    tcase_add_test(tcase, streams_pass_at_once);
    tcase_add_test(tcase, only_to_its_upstream);
    tcase_add_test(tcase, verified);
    tcase_add_test(tcase, taken_from_the_humans_environment);
    suite_add_tcase(suite, tcase);
    return world_main(suite);
}
