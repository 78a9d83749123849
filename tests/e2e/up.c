/*
 * Many sandboxes from one manifest, and those that ended again. Their agent is a profile of the
 * user's own whose program is a shell script that tells what it was started with.
 */
#include "eye.h"
#include "human.h"
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct world world;
static char manifest[160];

/* Each start is a line of the agent's own home directory. */
#define PROFILE                                                                                    \
    "command = [bash, \"-c\", \"echo \\\"<$*>\\\" >> ~/starts; cat ~/starts; [ -e /work/go ] || "  \
    "exec sleep 1000\", me]\nresume = [\"--continue\"]\nprompt = [\"say {prompt}\"]\n"

/* A policy with a credential from there. */
#define KEY(from)                                                                                  \
    "credential model {\n from = \"" from "\"\n hosts = [\"good.example\"]\n"                      \
    " header = authorization\n format = \"Bearer %s\"\n placeholder_env = MODEL_API_KEY\n"         \
    " upstream = \"https://good.example\"\n}\n"

static void setup(void)
{
    world_open(&world);
    world_file(&world, "home/.config/belljar/profiles/mine.conf", PROFILE, 0600);
    world_file(&world, "proj/one.txt", "one\n", 0600);
    snprintf(manifest, sizeof(manifest), "%s/proj/belljar.up", world.base);
}

static void teardown(void)
{
    world_close(&world);
}

/* Runs it and returns the exit code; what it printed contains both texts. */
static int prints(const char *out, const char *err, const char *const argv[])
{
    struct result result;
    world_run(&world, &result, NULL, argv);
    int code = result.code;
    ck_assert_msg(strstr(result.out, out), "no '%s' in: %s%s", out, result.out, result.err);
    ck_assert_msg(strstr(result.err, err), "no '%s' in: %s", err, result.err);
    result_free(&result);
    return code;
}
#define PRINTS(out, err, ...)                                                                      \
    prints(out, err, (const char *const[]){world.belljar, __VA_ARGS__, NULL})

START_TEST(restart_goes_on)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--agent", "mine", "--prompt", "hello", "--",
               "-x");
    WAIT_FOR(world_shows(&world, "one", "<-x say hello>"));
    ck_assert_int_eq(PRINTS("", "still runs", "restart", "one"), 1);
    BELLJAR_OK(&world, "kill", "one");
    BELLJAR_OK(&world, "restart", "one");
    WAIT_FOR(world_shows(&world, "one", "<--continue -x>"));
    ck_assert(world_shows(&world, "one", "<-x say hello>"));
    ck_assert(world_state_is(&world, "one", "running"));
    BELLJAR_OK(&world, "kill", "one");
    BELLJAR_OK(&world, "restart", "--fresh", "--prompt", "new", "one");
    WAIT_FOR(world_shows(&world, "one", "<-x say new>"));
}
END_TEST

/* The agent ended by itself, its monitor still shows the last screen, and the server died since. */
START_TEST(restart_after_its_own_end)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--", "bash", "-c",
               "echo x >> ~/n; echo \"run $(wc -l < ~/n)\"; exit 3");
    WAIT_FOR(world_state_is(&world, "one", "exited"));
    ck_assert(world_shows(&world, "one", "run 1"));
    BELLJAR_OK(&world, "restart", "one");
    WAIT_FOR(world_shows(&world, "one", "run 2"));
    WAIT_FOR(world_state_is(&world, "one", "exited"));
    ck_assert(!world_shows(&world, "one", "run 1"));
    ck_assert_int_eq(PRINTS("run 1", "", "export", "-f", "text", "--previous", "one"), 0);
    ck_assert_int_eq(PRINTS("run 2", "", "export", "-f", "text", "one"), 0);
    ck_assert_int_eq(world_number(&world, "one", "exit_code"), 3);
    kill(world_server(&world), SIGKILL);
    WAIT_FOR(!world_server(&world));
    BELLJAR_OK(&world, "restart", "one");
    WAIT_FOR(world_shows(&world, "one", "run 3"));
    ck_assert_int_eq(PRINTS("run 2", "", "replay", "--export", "text", "--previous", "one"), 0);
}
END_TEST

/* The server is new, and the last run's monitor answers it only while that run is cleared away. */
START_TEST(restart_while_the_last_monitor_is_found)
{
    int status;
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--", "bash", "-c",
               "echo x >> ~/n; echo \"run $(wc -l < ~/n)\"; exit 3");
    WAIT_FOR(world_state_is(&world, "one", "exited"));
    ck_assert(world_shows(&world, "one", "run 1"));
    pid_t monitor = (pid_t)world_number(&world, "one", "monitor_pid");
    ck_assert_int_gt(monitor, 0);
    kill(monitor, SIGSTOP);
    kill(world_server(&world), SIGKILL);
    WAIT_FOR(!world_server(&world));
    int out;
    pid_t restart =
        world_start(&world, &out, (const char *const[]){world.belljar, "restart", "one", NULL});
    WAIT_FOR(world_server(&world));
    usleep(100000);
    kill(monitor, SIGCONT);
    ck_assert_int_eq(waitpid(restart, &status, 0), restart);
    close(out);
    ck_assert_int_eq(status, 0);
    WAIT_FOR(world_shows(&world, "one", "run 2"));
    ck_assert_int_eq(PRINTS("run 1", "", "export", "-f", "text", "--previous", "one"), 0);
}
END_TEST

/* The key that starts another like a running one lets one that ended go on. */
START_TEST(restart_from_the_dashboard)
{
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--agent", "mine");
    WAIT_FOR(world_shows(&world, "one", "<>"));
    BELLJAR_OK(&world, "kill", "one");
    struct eye *eye = eye_open(24, 80, (const char *const[]){world.belljar, "attach", NULL});
    EYE_WAIT_TEXT(eye, "killed");
    eye_type(eye, "+");
    EYE_WAIT_TEXT(eye, "<--continue>"); /* its own home, its own conversation */
    EYE_WAIT(eye, eye_shows(eye, "1 sandbox"));
    eye_type(eye, "+");
    EYE_WAIT_TEXT(eye, "one-2"); /* the form of a new one */
    eye_escape(eye);
    EYE_WAIT(eye, !eye_shows(eye, "one-2"));
    eye_type(eye, "Q");
    ck_assert_int_eq(eye_wait_end(eye), 0);
    eye_close(eye);
}
END_TEST

START_TEST(restart_that_fails_keeps_the_work)
{
    char profile[160], away[176];
    snprintf(profile, sizeof(profile), "%s/.config/belljar/profiles/mine.conf", world.home);
    snprintf(away, sizeof(away), "%s.away", profile);
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--agent", "mine");
    WAIT_FOR(world_shows(&world, "one", "<>"));
    BELLJAR_OK(&world, "kill", "one");
    ck_assert_int_eq(rename(profile, away), 0);
    ck_assert_int_eq(PRINTS("", "no profile", "restart", "one"), 1);
    ck_assert(world_state_is(&world, "one", "exited"));
    ck_assert_int_eq(world_number(&world, "one", "exit_signal"), SIGKILL); /* as it had ended */
    ck_assert_int_eq(rename(away, profile), 0);
    BELLJAR_OK(&world, "restart", "one");
    WAIT_FOR(world_shows(&world, "one", "<--continue>"));
}
END_TEST

#define FIVE                                                                                       \
    "project = \".\"\n"                                                                            \
    "sandbox a { agent = mine; prompt = \"first\" }\n"                                             \
    "sandbox b { agent = mine; args = [\"-v\"]; memory = 1gb }\n"                                  \
    "sandbox c { command = [bash, \"-c\", \"cat one.txt; exec sleep 1000\"] }\n"                   \
    "sandbox d { agent = mine; env { COLOUR = blue } }\n"                                          \
    "sandbox e { command = [sleep, 1000]; policy = extra.conf }\n"

START_TEST(five_at_once)
{
    world_file(&world, "proj/belljar.up", FIVE, 0600);
    world_file(&world, "proj/extra.conf", "egress { allow = [\"good.example\"] }\n", 0600);
    ck_assert_int_eq(PRINTS("prompt     first", "", "up", manifest, "--dry-run"), 0);
    ck_assert_int_eq(PRINTS("extra.conf (added to yours)", "nobody has accepted", "up", manifest),
                     1);
    ck_assert_ptr_null(world_sandbox(&world, "a"));
    long long began = world_now();
    ck_assert_int_eq(PRINTS("e: started", "", "up", manifest, "--yes"), 0);
    WAIT_FOR(world_shows(&world, "a", "<say first>"));
    WAIT_FOR(world_shows(&world, "b", "<-v>"));
    WAIT_FOR(world_shows(&world, "c", "one"));
    WAIT_FOR(world_shows(&world, "d", "<>"));
    WAIT_FOR(world_state_is(&world, "e", "running"));
    long long took = world_now() - began;
    printf("one command to five working agents: %.1f s\n", (double)took / 1000);
#if !defined(__SANITIZE_ADDRESS__)
    ck_assert_int_lt(took, world_patience()); /* 60 s, more where the machine is said to be slow */
#endif
    ck_assert_int_eq(PRINTS("c: runs already", "", "up", manifest), 0);
    BELLJAR_OK(&world, "kill", "a");
    BELLJAR_OK(&world, "kill", "c");
    BELLJAR_OK(&world, "rm", "c");
    ck_assert_int_eq(PRINTS("a: started again", "", "up", manifest), 0); /* accepted once */
    WAIT_FOR(world_shows(&world, "a", "<--continue>"));
    WAIT_FOR(world_shows(&world, "c", "one"));
    /* Other bytes of a policy that it names are another manifest. */
    BELLJAR_OK(&world, "kill", "e");
    world_file(&world, "proj/extra.conf", "egress { default = allow }\n", 0600);
    ck_assert_int_eq(PRINTS("", "nobody has accepted", "up", manifest), 1);
    ck_assert(world_state_is(&world, "e", "exited"));
    /* All of it ends, and nothing else does. */
    BELLJAR_OK(&world, "run", "-d", "-n", "other", "--", "sleep", "1000");
    ck_assert_int_eq(PRINTS("e: did not run", "", "down", manifest), 0);
    ck_assert(world_state_is(&world, "a", "exited") && world_state_is(&world, "d", "exited"));
    ck_assert(world_state_is(&world, "other", "running"));
    world_file(&world, "proj/belljar.up", "sandbox other { agent = mine }\n", 0600);
    ck_assert_int_eq(PRINTS("", "nothing was ended: other is there already", "down", manifest), 1);
    ck_assert(world_state_is(&world, "other", "running"));
}
END_TEST

static const struct {
    const char *text, *says;
} faults[] = {
    {"sandbox a { agent = mine }\nsandbox b { agent = nobody }\n", "b wants the agent nobody"},
    {"sandbox a { agent = mine }\nsandbox a { agent = mine }\n", ":2: sandbox: two have"},
    {"sandbox a { }\n", "no agent, and no command"},
    {"sandbox a { agent = mine; project = gone }\n", ":1: project: there is no such"},
    {"sandbox a { agent = mine; memory = much }\n", ":1: memory:"},
    {"sandbox a { agent = mine; wall = none }\n", ":1: wall: no such field"},
    {"prompt = x\nsandbox a { agent = mine }\n", ":1: prompt: only session"},
    {"sandbox taken { agent = mine }\nsandbox a { agent = mine }\n", "taken is there already"},
    {"# nothing\n", "names no sandbox"},
};

START_TEST(nothing_starts_when_something_is_missing)
{
    world_file(&world, "proj/belljar.up", faults[_i].text, 0600);
    BELLJAR_OK(&world, "run", "-d", "-n", "taken", "--", "sleep", "1000");
    ck_assert_int_eq(PRINTS("", faults[_i].says, "up", manifest, "--yes"), 1);
    ck_assert_ptr_null(world_sandbox(&world, "a"));
}
END_TEST

START_TEST(all_that_is_missing_is_named)
{
    world_file(&world, "proj/belljar.up",
               "sandbox taken { agent = mine }\nsandbox a { agent = nobody }\n"
               "sandbox b { agent = mine }\nsandbox c { agent = noone }\n",
               0600);
    BELLJAR_OK(&world, "run", "-d", "-n", "taken", "--", "sleep", "1000");
    ck_assert_int_eq(PRINTS("",
                            "nothing was started: a wants the agent nobody: there is no such "
                            "profile: belljar doctor lists them\n"
                            "belljar: nothing was started: c wants the agent noone",
                            "up", manifest, "--yes"),
                     1);
    ck_assert_int_eq(PRINTS("", "taken is there already", "up", manifest, "--dry-run"), 1);
    ck_assert_ptr_null(world_sandbox(&world, "b"));
}
END_TEST

/* An agent whose key is nowhere, told before anything starts; then the user's own policy says
 * where. */
START_TEST(a_missing_key_is_named)
{
    world_file(&world, "home/.config/belljar/profiles/mine.conf",
               PROFILE "policy = \"mine.policy.conf\"\n", 0600);
    world_file(&world, "home/.config/belljar/profiles/mine.policy.conf",
               KEY("env:BELLJAR_NO_SUCH_VARIABLE"), 0600);
    world_file(&world, "proj/belljar.up",
               "sandbox a { command = [sleep, 1000] }\nsandbox b { agent = mine }\n", 0600);
    ck_assert_int_eq(PRINTS("",
                            "b wants the agent mine without its key: model: the variable "
                            "BELLJAR_NO_SUCH_VARIABLE is not set",
                            "up", manifest, "--yes"),
                     1);
    ck_assert_ptr_null(world_sandbox(&world, "a"));
    ck_assert_int_eq(
        PRINTS("without its key: model: the variable BELLJAR_NO_SUCH_VARIABLE", "", "doctor"), 0);
    ck_assert_int_eq(prints("b: started", "",
                            (const char *const[]){"env", "BELLJAR_NO_SUCH_VARIABLE=secret",
                                                  world.belljar, "up", manifest, "--yes", NULL}),
                     0);
    BELLJAR_OK(&world, "kill", "a", "b");
    BELLJAR_OK(&world, "rm", "a", "b");
    BELLJAR_OK(&world, "server", "stop");
    ck_assert_int_eq(PRINTS("", "without its key", "up", manifest), 1);
    world_file(&world, "home/.config/belljar/policy.conf", KEY("file:~/model.key"), 0600);
    world_file(&world, "home/model.key", "secret\n", 0600);
    ck_assert_int_eq(PRINTS("b: started", "", "up", manifest, "--yes"), 0);
    WAIT_FOR(world_shows(&world, "b", "<>"));
}
END_TEST

/* What a policy file of a manifest lets through, and where it sends a secret, is in the plan. */
START_TEST(a_policy_is_shown)
{
    world_file(&world, "home/.config/belljar/policy.conf",
               "egress { allow = [\"mine.example\"] }\n", 0600);
    world_file(&world, "proj/extra.conf",
               "egress { allow = [\"good.example\", \"mine.example\"] }\n" KEY("env:HOME"), 0600);
    world_file(&world, "proj/belljar.up", "sandbox a { agent = mine; policy = extra.conf }\n",
               0600);
    ck_assert_int_eq(PRINTS("+ credential model: the secret env:HOME to good.example\n", "", "up",
                            manifest, "--dry-run"),
                     0);
    ck_assert_int_eq(PRINTS("+ allow egress good.example", "", "up", manifest, "--dry-run"), 0);
    struct result result;
    BELLJAR(&world, &result, "up", manifest, "--dry-run");
    ck_assert_ptr_null(strstr(result.out, "mine.example")); /* that is allowed already */
    result_free(&result);
}
END_TEST

/* What is not below the manifest is marked; what would act on the human's terminal is shown. */
START_TEST(hostile_words_are_shown)
{
    world_file(&world, "proj/belljar.up",
               "sandbox a { agent = mine; project = \"..\"; prompt = \"\\u001b]2;x\" }\n", 0600);
    ck_assert_int_eq(PRINTS("(not below the manifest)", "", "up", manifest, "--dry-run"), 0);
    ck_assert_int_eq(PRINTS("^[]2;x", "", "up", manifest, "--dry-run"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("e2e-up");
    TCase *tcase = tcase_create("up");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, restart_goes_on);
    tcase_add_test(tcase, restart_after_its_own_end);
    tcase_add_test(tcase, restart_while_the_last_monitor_is_found);
    tcase_add_test(tcase, restart_from_the_dashboard);
    tcase_add_test(tcase, restart_that_fails_keeps_the_work);
    tcase_add_test(tcase, five_at_once);
    tcase_add_loop_test(tcase, nothing_starts_when_something_is_missing, 0,
                        sizeof(faults) / sizeof(faults[0]));
    tcase_add_test(tcase, all_that_is_missing_is_named);
    tcase_add_test(tcase, a_missing_key_is_named);
    tcase_add_test(tcase, a_policy_is_shown);
    tcase_add_test(tcase, hostile_words_are_shown);
    suite_add_tcase(suite, tcase);
    return world_main(suite);
}
