/*
 * The form of a new sandbox, and another one like one that is there: what a human fills in, and
 * what `belljar ls --json` and the agent say then. The agent is a profile of the user's own whose
 * program is a shell script that tells what it was started with.
 */
#include "eye.h"
#include "human.h"
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct world world;
static char project[160], policy[160];

#define PROFILE                                                                                    \
    "command = [bash, \"-c\", \"echo \\\"<$*> token=$TOKEN\\\"; exec sleep 1000\", me]\n"          \
    "prompt = [\"say {prompt}\"]\n"

static void setup(void)
{
    world_open(&world);
    world_file(&world, "home/.config/belljar/profiles/mine.conf", PROFILE, 0600);
    world_file(&world, "proj/one.txt", "one\n", 0600);
    snprintf(project, sizeof(project), "%s/proj", world.base);
    snprintf(policy, sizeof(policy), "%s",
             world_file(&world, "some.conf", "limits { memory = 3gb }\n", 0600));
}

static void teardown(void)
{
    world_close(&world);
}

static struct eye *attach(int rows, int cols)
{
    struct eye *eye = eye_open(rows, cols, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "SUPERVISE");
    return eye;
}

static void detach(struct eye *eye)
{
    eye_type(eye, "Q");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_close(eye);
}

/* Runs it; the exit code and the text on stderr are these. */
static void fails(int code, const char *text, const char *const argv[])
{
    struct result result;
    world_run(&world, &result, NULL, argv);
    ck_assert_msg(result.code == code && strstr(result.err, text), "%d, no '%s' in: %s",
                  result.code, text, result.err);
    result_free(&result);
}
#define FAILS(code, text, ...)                                                                     \
    fails(code, text, (const char *const[]){world.belljar, __VA_ARGS__, NULL})

/* What is a sandbox's own: who it is, where its files are, what it is doing. */
static const char *const own[] = {
    "id",        "name",        "created", "view",   "recording", "init_pid",    "monitor_pid",
    "uid",       "cgroup",      "state",   "title",  "rows",      "cols",        "alerts",
    "requests",  "bell",        "doing",   "source", "since",     "agent_state", "agent_text",
    "exit_code", "exit_signal", "error",   "link",   "paced",     "stats"};

static bool is_own(const char *key)
{
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strcmp(own[i], key) == 0)
            return true;
    return false;
}

/* All that is not a sandbox's own is the same in both. */
static void check_equal(json_t *one, json_t *other)
{
    const char *key;
    json_t *value;
    size_t compared = 0;
    json_object_foreach(one, key, value)
    {
        if (is_own(key))
            continue;
        compared++;
        char *mine = json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS);
        json_t *of_other = json_object_get(other, key);
        char *its = of_other ? json_dumps(of_other, JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;
        ck_assert_msg(its && strcmp(mine, its) == 0, "%s: %s, but %s", key, mine, its ? its : "no");
        free(mine);
        free(its);
    }
    ck_assert_uint_ge(compared, 10);
}

static void check_alike(const char *one, const char *other)
{
    json_t *first = world_sandbox(&world, one), *second = world_sandbox(&world, other);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(second);
    check_equal(first, second);
    ck_assert_str_ne(json_string_value(json_object_get(first, "id")),
                     json_string_value(json_object_get(second, "id")));
    json_decref(first);
    json_decref(second);
}

static long long limit_of(const char *name, const char *limit)
{
    json_t *sandbox = world_sandbox(&world, name);
    long long value =
        json_integer_value(json_object_get(json_object_get(sandbox, "limits"), limit));
    json_decref(sandbox);
    return value;
}

/* One with all that a sandbox can be given. */
static void run_whole(void)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--agent", "mine", "--project", project,
               "--policy", policy, "--cpus", "1.5", "--pids", "100", "--disk", "1G", "--egress",
               "50M", "--wall-clock", "8h", "--scrollback", "500", "--no-record", "--env",
               "TOKEN=abc", "--env", "OTHER=2", "--", "-x", "two words");
    WAIT_FOR(world_shows(&world, "one", "<-x two words> token=abc"));
}

START_TEST(another_like_it_is_equal)
{
    run_whole();
    ck_assert_str_eq(world_field(&world, "one", "policy"), policy);
    ck_assert_int_eq(limit_of("one", "memory"), 3LL << 30); /* the policy's */
    struct eye *eye = attach(24, 80);
    eye_type(eye, "+");
    EYE_WAIT_TEXT(eye, "New sandbox like one");
    EYE_WAIT_TEXT(eye, "-x 'two words'");
    eye_type(eye, EYE_ENTER);
    EYE_WAIT_TEXT(eye, "2 sandboxes");
    WAIT_FOR(world_shows(&world, "one-2", "<-x two words> token=abc"));
    check_alike("one", "one-2");
    BELLJAR_OK(&world, "exec", "one-2", "--", "sh", "-c", "cat /work/one.txt && rm /work/one.txt");
    BELLJAR_OK(&world, "exec", "one", "--", "cat", "/work/one.txt"); /* each has its own copy */

    eye_type(eye, "N"); /* nothing of it has become a choice */
    EYE_WAIT_TEXT(eye, "Recording");
    int row = eye_find(eye, "Agent", NULL);
    ck_assert_ptr_null(strstr(eye_row(eye, row), "mine"));
    eye_type(eye, "\x1b");
    EYE_WAIT(eye, !eye_shows(eye, "Recording"));
    detach(eye);
    char memory[200];
    snprintf(memory, sizeof(memory), "%s/dashboard.form", world.state);
    ck_assert_str_eq(world_read(memory), "");
}
END_TEST

/* One that has ended too; what is given beside it goes before. */
START_TEST(of_one_that_ended)
{
    run_whole();
    BELLJAR_OK(&world, "kill", "one");
    BELLJAR_OK(&world, "run", "-d", "--like", "one", "-n", "two");
    WAIT_FOR(world_shows(&world, "two", "<-x two words> token=abc"));
    check_alike("one", "two");
    BELLJAR_OK(&world, "run", "-d", "--like", "one", "-n", "three", "--pids", "50", "--env",
               "TOKEN=xyz", "--prompt", "hello", "--", "-y");
    WAIT_FOR(world_shows(&world, "three", "<-y say hello> token=xyz"));
    ck_assert_int_eq(limit_of("three", "pids"), 50);
    ck_assert_int_eq(limit_of("three", "egress"), 50 << 20);

    struct eye *eye = attach(24, 80);
    eye_type(eye, "1=");
    EYE_WAIT_TEXT(eye, "New sandbox like one");
    EYE_WAIT_TEXT(eye, "one-2");
    eye_type(eye, EYE_UP EYE_UP "\x15"); /* the policy, of which it shall be free */
    EYE_WAIT(eye, !eye_shows(eye, "some.conf"));
    eye_type(eye, EYE_ENTER);
    EYE_WAIT_TEXT(eye, "4 sandboxes");
    detach(eye);
    WAIT_FOR(world_shows(&world, "one-2", "<-x two words> token=abc"));
    ck_assert_str_eq(world_field(&world, "one-2", "policy"), "");
    ck_assert_int_eq(limit_of("one-2", "disk"), 1 << 30);
    ck_assert(world_state_is(&world, "one", "exited"));
}
END_TEST

/* Values of variables are with the server that got them, and nowhere else. */
START_TEST(variables_are_not_on_disk)
{
    char path[200];
    run_whole();
    snprintf(path, sizeof(path), "%s/%s/sandbox.json", world.state,
             world_field(&world, "one", "id"));
    ck_assert_ptr_nonnull(strstr(world_read(path), "TOKEN"));
    ck_assert_ptr_null(strstr(world_read(path), "abc\""));
    kill(world_server(&world), SIGKILL);
    WAIT_FOR(!world_server(&world));
    FAILS(1, "give TOKEN, OTHER once more", "run", "-d", "--like", "one");
    FAILS(1, "give OTHER once more", "run", "-d", "--like", "one", "--env", "TOKEN=new");
    BELLJAR_OK(&world, "run", "-d", "--like", "one", "-n", "two", "--env", "TOKEN=new", "--env",
               "OTHER=");
    WAIT_FOR(world_shows(&world, "two", "<-x two words> token=new"));
    check_alike("one", "two");
    FAILS(1, "no sandbox is named nobody", "run", "-d", "--like", "nobody");
}
END_TEST

/* A policy that is gone is no reason to do without. */
START_TEST(what_cannot_be_had_is_refused)
{
    run_whole();
    ck_assert_int_eq(unlink(policy), 0);
    FAILS(1, "some.conf", "run", "-d", "--like", "one", "-n", "two");
    ck_assert_str_eq(world_field(&world, "two", "state"), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("form");
    TCase *tests = tcase_create("form");
    tcase_set_timeout(tests, 0);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, another_like_it_is_equal);
    tcase_add_test(tests, of_one_that_ended);
    tcase_add_test(tests, variables_are_not_on_disk);
    tcase_add_test(tests, what_cannot_be_had_is_refused);
    suite_add_tcase(suite, tests);
    return world_main(suite);
}
