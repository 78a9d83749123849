/*
 * The form of a new sandbox, and another one like one that is there: what a human fills in, and
 * what `belljar ls --json` and the agent say then. The agent is a profile of the user's own whose
 * program is a shell script that tells what it was started with; it has a second one for ACP.
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
    "id",          "name",      "created",     "timeline", "view",   "recording", "init_pid",
    "monitor_pid", "uid",       "cgroup",      "state",    "title",  "rows",      "cols",
    "alerts",      "requests",  "bell",        "doing",    "source", "since",     "agent_state",
    "agent_text",  "exit_code", "exit_signal", "error",    "link",   "paced",     "stats"};

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
    eye_escape(eye);
    EYE_WAIT(eye, !eye_shows(eye, "Recording"));
    eye_detach(eye);
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
    BELLJAR_OK(&world, "run", "-d", "--like", "one", "-n", "four", "--without", "policy",
               "--without", "env", "--without", "pids", "--without", "wall-clock");
    WAIT_FOR(world_shows(&world, "four", "<-x two words> token="));
    ck_assert_ptr_null(strstr(world_capture(&world, "four"), "abc"));
    ck_assert_str_eq(world_field(&world, "four", "policy"), "");
    ck_assert_int_ne(limit_of("four", "pids"), limit_of("one", "pids"));
    ck_assert_int_ne(limit_of("four", "wall_clock"), limit_of("one", "wall_clock"));
    ck_assert_int_eq(limit_of("four", "disk"), limit_of("one", "disk"));
    FAILS(2, "is not one of agent|project|", "run", "-d", "--like", "one", "--without", "name");
    FAILS(2, "--without is for --like", "run", "-d", "--without", "env");
    FAILS(1, "say different things", "run", "-d", "--like", "one", "--without", "pids", "--pids",
          "9");

    struct eye *eye = attach(24, 80);
    eye_type(eye, "1=");
    EYE_WAIT_TEXT(eye, "New sandbox like one");
    EYE_WAIT_TEXT(eye, "one-2");
    eye_type(eye, EYE_UP EYE_UP EYE_UP "\x15"); /* the policy, of which it shall be free */
    EYE_WAIT(eye, !eye_shows(eye, "some.conf"));
    eye_type(eye, EYE_ENTER);
    EYE_WAIT_TEXT(eye, "5 sandboxes");
    eye_detach(eye);
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

/* Types into each line of the form, from the first to the last. */
static void fill(struct eye *eye)
{
    const struct {
        const char *label, *text;
    } lines[] = {{"Command", "-x 'two words'"},
                 {"Agent", "mine"},
                 {"Prompt", "hello you"},
                 {"ACP", "yes"},
                 {"Project", project},
                 {"Name", "filled"},
                 {"Wall", "bwrap"},
                 {"Memory", "2G"},
                 {"CPUs", "1.5"},
                 {"Processes", "100"},
                 {"Disk", "1G"},
                 {"Egress", "50M"},
                 {"Wall clock", "1.5h"},
                 {"Policy", policy},
                 {"Env", "TOKEN=abc 'OTHER=a b'"},
                 {"Recording", "8M"}};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char here[40];
        snprintf(here, sizeof(here), "\xe2\x96\xb8 %s ", lines[i].label);
        EYE_WAIT_TEXT(eye, here); /* also where the form scrolls */
        eye_type(eye, "\x15");
        eye_type(eye, lines[i].text);
        EYE_WAIT_TEXT(eye, lines[i].text);
        if (i + 1 < sizeof(lines) / sizeof(lines[0]))
            eye_type(eye, EYE_DOWN);
    }
}

static void check_filled(void)
{
    static const struct {
        const char *limit;
        long long value;
    } limits[] = {{"memory", 2LL << 30}, {"millicpus", 1500},  {"pids", 100},
                  {"disk", 1LL << 30},   {"egress", 50 << 20}, {"wall_clock", 5400}};
    const struct {
        const char *field, *text;
    } texts[] = {{"agent", "mine-acp"},
                 {"project", project},
                 {"policy", policy},
                 {"driver", "bwrap"},
                 {"session", "main"}};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        ck_assert_int_eq(limit_of("filled", limits[i].limit), limits[i].value);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        ck_assert_str_eq(world_field(&world, "filled", texts[i].field), texts[i].text);
    ck_assert_int_eq(world_number(&world, "filled", "record_limit"), 8 << 20);
    json_t *sandbox = world_sandbox(&world, "filled");
    json_t *env = json_object_get(sandbox, "env"), *words = json_object_get(sandbox, "arguments");
    ck_assert_uint_eq(json_array_size(env), 2);
    ck_assert_str_eq(json_string_value(json_array_get(env, 1)), "OTHER");
    ck_assert_uint_eq(json_array_size(words), 2);
    ck_assert_str_eq(json_string_value(json_array_get(words, 1)), "two words");
    json_decref(sandbox);
}

/* Every line of it once, in terminals where it is seen whole and where it scrolls. */
START_TEST(every_line_counts)
{
    static const int sizes[][2] = {{40, 120}, {24, 80}, {10, 90}};
    world_file(&world, "home/.config/belljar/profiles/mine-acp.conf", PROFILE, 0600);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct eye *eye = attach(sizes[i][0], sizes[i][1]);
        eye_type(eye, "N");
        EYE_WAIT_TEXT(eye, "New sandbox");
        fill(eye);
        eye_type(eye, EYE_ENTER);
        EYE_WAIT_TEXT(eye, "1 sandbox");
        WAIT_FOR(world_shows(&world, "filled", "<-x two words say hello you> token=abc"));
        check_filled();
        eye_type(eye, "N"); /* remembered, but for what is one sandbox's own or a secret */
        EYE_WAIT_TEXT(eye, "'two words'");
        eye_type(eye, EYE_UP EYE_UP);
        EYE_WAIT_TEXT(eye, "NAME=VALUE 'OTHER");
        ck_assert(!eye_shows(eye, "TOKEN="));
        eye_escape(eye);
        EYE_WAIT(eye, !eye_shows(eye, "New sandbox"));
        eye_detach(eye);
        BELLJAR_OK(&world, "kill", "filled");
        BELLJAR_OK(&world, "rm", "filled");
    }
}
END_TEST

static void go_down(struct eye *eye, const char *label)
{
    char here[40];
    snprintf(here, sizeof(here), "\xe2\x96\xb8 %s ", label);
    while (!eye_shows(eye, here)) {
        int row;
        EYE_WAIT(eye, (row = eye_find(eye, "\xe2\x96\xb8 ", NULL)) >= 0);
        char before[300];
        snprintf(before, sizeof(before), "%s", eye_row(eye, row));
        eye_type(eye, EYE_DOWN);
        EYE_WAIT(eye, !eye_shows(eye, before));
    }
}

static bool line_is(struct eye *eye, const char *label, const char *text)
{
    char line[300];
    snprintf(line, sizeof(line), "\xe2\x96\xb8 %-12s%s ", label, text);
    return eye_shows(eye, line);
}

/* Tab lists what there is, goes on as far as all agree, and stays in the line. */
START_TEST(tab_completes)
{
    static const int sizes[][2] = {{24, 80}, {10, 80}};
    char path[200], whole[220];
    world_file(&world, "home/.config/belljar/profiles/mill.conf", PROFILE, 0600);
    world_file(&world, "proj/alpha one/file", "", 0600);
    world_file(&world, "proj/alpha two/file", "", 0600);
    world_file(&world, "proj/.alpha/file", "", 0600);
    world_file(&world, "proj/alpha.conf", "", 0600);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct eye *eye = attach(sizes[i][0], sizes[i][1]);
        eye_type(eye, "N");
        EYE_WAIT_TEXT(eye, "New sandbox");
        go_down(eye, "Agent");
        eye_type(eye, "\t");
        EYE_WAIT(eye,
                 eye_shows(eye, "mill  ") && eye_shows(eye, "mine  ") && eye_shows(eye, "shell"));
        ck_assert(line_is(eye, "Agent", ""));
        eye_type(eye, "m\t");
        EYE_WAIT_TEXT(eye, "mill  mine");
        EYE_WAIT(eye, line_is(eye, "Agent", "mi"));
        eye_type(eye, "x\t");
        EYE_WAIT_TEXT(eye, "nothing there begins like this");
        eye_type(eye, "\x7fn\t");
        EYE_WAIT(eye, line_is(eye, "Agent", "mine"));
        eye_type(eye, EYE_UP);
        EYE_WAIT_TEXT(eye, "\xe2\x96\xb8 Command");

        go_down(eye, "Project");
        snprintf(path, sizeof(path), "%s/a", project);
        eye_type(eye, path);
        eye_type(eye, "\t");
        EYE_WAIT_TEXT(eye, "alpha one/  alpha two/");
        ck_assert(!eye_shows(eye, "alpha.conf")); /* no directory */
        snprintf(path, sizeof(path), "%s/alpha ", project);
        EYE_WAIT(eye, line_is(eye, "Project", path));
        eye_type(eye, "t\t");
        snprintf(whole, sizeof(whole), "%stwo/", path);
        EYE_WAIT(eye, line_is(eye, "Project", whole));

        go_down(eye, "Wall");
        eye_type(eye, "\t");
        EYE_WAIT(eye, line_is(eye, "Wall", "bwrap"));
        go_down(eye, "Policy");
        eye_type(eye, "\x15");
        eye_type(eye, project);
        eye_type(eye, "/alpha.\t");
        snprintf(whole, sizeof(whole), "%s/alpha.conf", project);
        EYE_WAIT(eye, line_is(eye, "Policy", whole));
        eye_escape(eye);
        EYE_WAIT(eye, !eye_shows(eye, "New sandbox"));
        eye_detach(eye);
    }
}
END_TEST

/* The walls that shells complete are those of the server. */
START_TEST(walls_for_shells)
{
    FAILS(1, "", "completions", "drivers"); /* and none is started for that */
    ck_assert_int_eq(world_server(&world), 0);
    BELLJAR_OK(&world, "ls");
    ck_assert(HUMAN_READS(&world, "bwrap\n", "completions", "drivers"));
}
END_TEST

/* What the server refuses comes back as it was typed. */
START_TEST(refused_is_not_lost)
{
    human_runs(&world, "taken", "exec sleep 1000");
    struct eye *eye = attach(24, 80);
    EYE_WAIT_TEXT(eye, "taken");
    eye_type(eye, "N");
    EYE_WAIT_TEXT(eye, "Recording");
    eye_type(eye, "\x15sleep 77");
    eye_type(eye, EYE_DOWN EYE_DOWN EYE_DOWN EYE_DOWN EYE_DOWN);
    EYE_WAIT_TEXT(eye, "\xe2\x96\xb8 Name");
    eye_type(eye, "taken" EYE_ENTER);
    EYE_WAIT(eye, eye_shows(eye, "the name taken is taken") && eye_shows(eye, "Recording"));
    ck_assert(eye_shows(eye, "sleep 77"));
    eye_type(eye, "-2" EYE_ENTER);
    EYE_WAIT(eye, eye_shows(eye, "taken-2") && !eye_shows(eye, "Recording"));
    WAIT_FOR(world_state_is(&world, "taken-2", "running"));
    eye_detach(eye);
}
END_TEST

/* R, the name, Enter. */
START_TEST(renamed)
{
    human_runs(&world, "before", "exec sleep 1000");
    struct eye *eye = attach(24, 80);
    eye_type(eye, "R");
    EYE_WAIT_TEXT(eye, "New name of before");
    eye_type(eye, "\x15"
                  "after" EYE_ENTER);
    EYE_WAIT(eye, eye_shows(eye, "after") && !eye_shows(eye, "New name"));
    WAIT_FOR(world_state_is(&world, "after", "running"));
    ck_assert_str_eq(world_field(&world, "before", "state"), "");
    eye_type(eye, "R");
    EYE_WAIT_TEXT(eye, "New name of after");
    eye_type(eye, "\x15"
                  "no/name" EYE_ENTER);
    EYE_WAIT_TEXT(eye, "only letters");
    eye_detach(eye);
    ck_assert(world_state_is(&world, "after", "running"));
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
    tcase_add_test(tests, every_line_counts);
    tcase_add_test(tests, tab_completes);
    tcase_add_test(tests, walls_for_shells);
    tcase_add_test(tests, refused_is_not_lost);
    tcase_add_test(tests, renamed);
    suite_add_tcase(suite, tests);
    return world_main(suite);
}
