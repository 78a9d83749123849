/*
 * Whatever can fail does, once, one after the other: an action is done again and again while the
 * first, second, third ... call of one program fails (starve.h), until one passes in which none
 * does. Each time the action is done, or whoever wanted it is told why not; the program goes on;
 * and right after it the same action succeeds. See sweeping.h for how much is swept.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/human.h"
#include "tests/fault/harness.h"
#include "tests/fault/sweeping.h"

static struct world world;
static char project[160], policy[160];

static const char policy_text[] =
    "egress {\n allow = [\"good.example:443\"]\n deny = [\"bad.example\"]\n}\n"
    "limits {\n memory = 1gb\n cpus = 2\n pids = 200\n disk = 1gb\n}\n"
    "credential model {\n from = \"file:~/key\"\n hosts = [\"good.example\"]\n"
    " header = authorization\n format = \"Bearer %s\"\n placeholder_env = MODEL_API_KEY\n"
    " upstream = \"https://good.example\"\n}\n";

static void setup(void)
{
    sweeping_open(&world);
    world_file(&world, "home/key", "top-secret\n", 0600);
    snprintf(policy, sizeof(policy), "%s", world_file(&world, "policy.conf", policy_text, 0600));
    snprintf(project, sizeof(project), "%s/project", world.base);
    world_file(&world, "project/one.txt", "one\n", 0600);
}

static void teardown(void)
{
    world_close(&world);
}

/* libuv gives up without a word when the process's first loop gets no memory, or no pipe. */
#define ABORTED (128 + SIGABRT)

/* Whether it was done; if not, there must be words. */
static bool is_done(const struct result *result)
{
    if (result->code == 0)
        return true;
    ck_assert_msg(strncmp(result->err, "belljar: ", 9) == 0 || result->code == ABORTED,
                  "exit %d: %s", result->code, result->err);
    printf("    %s%s", result->out, result->err);
    fflush(stdout);
    return false;
}

static bool does(const char *const argv[])
{
    struct result result;
    world_run(&world, &result, NULL, argv);
    bool was_done = is_done(&result);
    result_free(&result);
    return was_done;
}
#define DOES(...) does((const char *const[]){world.belljar, __VA_ARGS__, NULL})

static bool done; /* the action's */

/* ---- a sandbox is started ---- */

static bool runs(const char *script)
{
    return DOES("run", "-d", "-n", "one", "-p", project, "--policy", policy, "--", "bash", "-c",
                script);
}

static bool run_one(void)
{
    return runs("cat one.txt; echo there; sleep 1000");
}

/* One that knocks at the proxy first. */
static bool run_knocking(void)
{
    return runs("trap '' PIPE; exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT bad.example:443 "
                "HTTP/1.1\\r\\n\\r\\n' >&3; read -r -t 20 line <&3; echo \"$line\"; echo there; "
                "sleep 1000");
}

static void start_action(void)
{
    done = run_knocking();
    if (done && (starve->nth || starve->fresh))
        WAIT_FOR(starve->call[0] || world_shows(&world, "one", "there"));
}

static void remove_one(void)
{
    WAIT_FOR(DOES("kill", "one"));
    WAIT_FOR(DOES("rm", "one"));
}

static void start_after(void)
{
    if (!done) {
        WAIT_FOR(!*world_field(&world, "one", "name"));
        ck_assert(run_knocking());
    }
    WAIT_FOR(world_state_is(&world, "one", "running"));
    WAIT_FOR(world_shows(&world, "one", "there"));
    remove_one();
}

START_TEST(a_start_that_fails_leaves_nothing)
{
    BELLJAR_OK(&world, "server", "start");
    pid_t server = world_server(&world);
    sweep("belljar-server", start_action, start_after);
    ck_assert_int_eq(world_server(&world), server);
    sweep("belljar-monitor", start_action, start_after);
    sweep("belljar-egress", start_action, start_after);
    fault_no_directories(&world);
}
END_TEST

/* ---- one that ended goes on ---- */

static void again_action(void)
{
    done = DOES("restart", "one");
}

static void again_after(void)
{
    if (!done) {
        WAIT_FOR(world_state_is(&world, "one", "exited"));
        ck_assert(DOES("restart", "one"));
    }
    WAIT_FOR(world_state_is(&world, "one", "running"));
    WAIT_FOR(world_shows(&world, "one", "there"));
    WAIT_FOR(DOES("kill", "one"));
    WAIT_FOR(world_state_is(&world, "one", "exited"));
}

START_TEST(a_restart_that_fails_can_be_done_again)
{
    ck_assert(run_one());
    ck_assert(DOES("kill", "one"));
    sweep("belljar-server", again_action, again_after);
    remove_one();
}
END_TEST

/* ---- it is ended and removed ---- */

static void end_action(void)
{
    done = DOES("kill", "one") && DOES("rm", "one");
}

static void end_after(void)
{
    if (!done && *world_field(&world, "one", "name"))
        remove_one();
    ck_assert(!*world_field(&world, "one", "name"));
    ck_assert(run_one());
}

START_TEST(an_end_that_fails_can_be_done_again)
{
    ck_assert(run_one());
    sweep("belljar-server", end_action, end_after);
    remove_one();
}
END_TEST

/* ---- a question is asked and answered ---- */

static int question;
static char verdict[32];

/* Allows what is asked; false when there is nothing, or it, or the list, does not get through. What
 * was typed may have been typed twice, where nobody heard that the first time was enough. */
static bool allows(void)
{
    struct result result;
    size_t i;
    json_t *request;
    bool allowed = false;
    BELLJAR(&world, &result, "requests", "--json");
    json_t *list = result.code == 0 ? json_loads(result.out, 0, NULL) : NULL;
    json_array_foreach(list, i, request) allowed =
        DOES("allow", json_string_value(json_object_get(request, "id")));
    json_decref(list);
    result_free(&result);
    return allowed;
}

/* Who asked is told when there is no verdict, because the monitor could not take the question. */
static bool is_answered(void)
{
    char without[32];
    snprintf(without, sizeof(without), "verdict %d 2.", question);
    return world_shows(&world, "asker", verdict) ||
           (strcmp(starve->victim, "belljar-monitor") == 0 &&
            world_shows(&world, "asker", without));
}

static void ask_action(void)
{
    char line[32];
    question++;
    snprintf(verdict, sizeof(verdict), "verdict %d 0.", question);
    snprintf(line, sizeof(line), "%d\r", question);
    WAIT_FOR(DOES("send", "asker", line));
    WAIT_FOR(is_answered() || allows());
}

static void ask_after(void)
{
    WAIT_FOR(is_answered() || (allows(), false));
    ck_assert(DOES("audit", "verify"));
}

static void start_asker(void)
{
    human_runs(&world, "asker",
               "stty -echo; echo ready; while read -r k; do /belljar/bin/belljar-shim ask --kind "
               "exec --title \"question $k\" >/dev/null 2>&1; echo \"verdict $k $?.\"; done");
    WAIT_FOR(world_shows(&world, "asker", "ready"));
}

START_TEST(a_question_gets_its_verdict)
{
    start_asker();
    sweep("belljar-server", ask_action, ask_after);
}
END_TEST

START_TEST(a_question_gets_through)
{
    start_asker();
    sweep("belljar-monitor", ask_action, ask_after);
}
END_TEST

/* ---- a server finds what runs ---- */

static long long init;

static void find_action(void)
{
    pid_t server = world_server(&world);
    ck_assert_int_gt(server, 0);
    kill(server, SIGKILL);
    WAIT_FOR(!world_server(&world));
    done = DOES("ls");
}

static void find_after(void)
{
    WAIT_FOR(DOES("ls"));
    /* A record that cannot be read does not keep the others from being looked after. */
    if (strcmp(starve->call, "read") == 0 && !*world_field(&world, "one", "name")) {
        ck_assert(HUMAN_READS(&world, "a sandbox was left out", "alerts"));
        BELLJAR_OK(&world, "server", "stop");
        ck_assert(DOES("ls"));
    }
    WAIT_FOR(world_state_is(&world, "one", "running"));
    ck_assert_int_eq(world_number(&world, "one", "init_pid"), init);
    WAIT_FOR(world_shows(&world, "one", "there"));
    ck_assert(DOES("audit", "verify"));
}

START_TEST(a_server_finds_what_runs)
{
    ck_assert(run_one());
    WAIT_FOR(world_shows(&world, "one", "there"));
    init = world_number(&world, "one", "init_pid");
    sweep("belljar-server", find_action, find_after);
    remove_one();
}
END_TEST

/* ---- the command line ---- */

static void list_action(void)
{
    struct result result;
    BELLJAR(&world, &result, "ls", "--json");
    json_t *list = json_loads(result.out, 0, NULL);
    ck_assert_msg(!is_done(&result) || json_array_size(list) == 1, "%s", result.out);
    json_decref(list);
    result_free(&result);
}

static void capture_action(void)
{
    struct result result;
    BELLJAR(&world, &result, "capture", "one");
    ck_assert_msg(!is_done(&result) || strstr(result.out, "there"), "%s", result.out);
    result_free(&result);
}

static void nothing(void)
{
}

START_TEST(a_command_says_what_it_cannot_do)
{
#if defined(BJ_COVERAGE)
    return; /* gcov writes the counters at the end, with memory that it may not have got */
#endif
    ck_assert(run_one());
    WAIT_FOR(world_shows(&world, "one", "there"));
    sweep("belljar", list_action, nothing);
    sweep("belljar", capture_action, nothing);
    remove_one();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sweep");
    const struct {
        const char *name;
        const TTest *test;
    } cases[] = {
        {"start", a_start_that_fails_leaves_nothing},
        {"restart", a_restart_that_fails_can_be_done_again},
        {"end", an_end_that_fails_can_be_done_again},
        {"verdict", a_question_gets_its_verdict},
        {"question", a_question_gets_through},
        {"find", a_server_finds_what_runs},
        {"command", a_command_says_what_it_cannot_do},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TCase *tcase = tcase_create(cases[i].name);
        tcase_set_timeout(tcase, 0);
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, cases[i].test);
        suite_add_tcase(suite, tcase);
    }
    return world_main(suite);
}
