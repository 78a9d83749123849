/*
 * The client of the Agent Client Protocol, outside a sandbox: with the script agent and without the
 * shim that decides, so that whatever is asked is cancelled. e2e/acp has both.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#define WAIT_S 60

static char home[64];
static pid_t client;
static int in, out;            /* its standard input, and output and errors */
static char text[1024 * 1024]; /* what it printed */
static size_t size, seen;

static void setup(void)
{
    strcpy(home, "/tmp/bjt-acp-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(home));
    signal(SIGPIPE, SIG_IGN);
}

static void teardown(void)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/.belljar-acp", home);
    unlink(path);
    rmdir(home);
}

static void start(const char *const argv[])
{
    int input[2], output[2];
    ck_assert(pipe2(input, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0);
    client = fork();
    ck_assert_int_ge(client, 0);
    if (client == 0) {
        dup2(input[0], STDIN_FILENO);
        dup2(output[1], STDOUT_FILENO);
        dup2(output[1], STDERR_FILENO);
        setenv("HOME", home, 1);
        signal(SIGPIPE, SIG_DFL);
        execv(getenv("BELLJAR_TEST_ACP_CLIENT"), (char *const *)argv);
        _exit(99);
    }
    close(input[0]);
    close(output[1]);
    in = input[1];
    out = output[0];
    size = seen = 0;
    text[0] = '\0';
}

#define START(...) start((const char *const[]){"belljar-acp", __VA_ARGS__, NULL})
#define AGENT      "/usr/bin/python3", getenv("BELLJAR_TEST_ACP")

/* Reads more, at most until the deadline. False at the end. */
static bool read_more(time_t deadline)
{
    struct pollfd poller = {out, POLLIN, 0};
    int ready = poll(&poller, 1, 1000);
    ck_assert_msg(time(NULL) < deadline, "it prints no more than:\n%s", text);
    if (ready <= 0)
        return true;
    ssize_t got = read(out, text + size, sizeof(text) - 1 - size);
    if (got <= 0)
        return false;
    size += (size_t)got;
    text[size] = '\0';
    return true;
}

/* Waits for these words behind those that were waited for before. */
static void expect(const char *words)
{
    time_t deadline = time(NULL) + WAIT_S;
    const char *found;
    while ((found = strstr(text + seen, words)) == NULL)
        ck_assert_msg(read_more(deadline), "\"%s\" is missing in:\n%s", words, text + seen);
    seen = (size_t)(found - text) + strlen(words);
}

static void type(const char *words)
{
    ck_assert_int_eq(write(in, words, strlen(words)), (ssize_t)strlen(words));
}

/* Until it has ended: its exit code. */
static int end(void)
{
    int status;
    close(in);
    while (read_more(time(NULL) + WAIT_S))
        continue;
    close(out);
    ck_assert_int_eq(waitpid(client, &status, 0), client);
    ck_assert_msg(WIFEXITED(status), "ended by signal %d:\n%s", WTERMSIG(status), text);
    return WEXITSTATUS(status);
}

START_TEST(a_conversation)
{
    START(AGENT, "::", "--prompt", "work on it");
    expect("Test agent 3 speaks ACP 1");
    expect("> work on it");
    expect("thinking of it");
    expect("runs");
    expect("edit: Edit a.txt");
    expect("+ two");
    expect("...");
    expect("[x] first step");
    expect("end_turn");
    type("hello there\n");
    expect("you said: ");
    expect("hello there");
    expect("end_turn");
    expect("> ");
    type("\n");
    expect("> ");
    type("files please\n");
    expect("code -32601");
    type("image\n");
    expect("it sent image, which is not shown here");
    expect("failed");
    expect("| no such file");
    expect("end_turn");
    type("fail\n");
    expect("error: it broke");
    expect("the turn failed");
    type("ask a question\n");
    expect("nobody decided: run it");
    expect("the outcome is cancelled -");
    expect("end_turn");
    type("often 200\n");
    expect("not asked: too many questions at once");
    expect("200 times cancelled");
    ck_assert_int_eq(end(), 7); /* the agent's own, when its input ends */
}
END_TEST

START_TEST(an_interrupt)
{
    START(AGENT);
    expect("> ");
    kill(client, SIGINT);
    expect("C-d at the beginning of a line ends it");
    type("wait for it\n");
    expect("it waits");
    type("hello\n");
    expect("sent when this turn has ended");
    kill(client, SIGINT);
    expect("cancelled");
    expect("you said: ");
    expect("hello");
    expect("end_turn");
    ck_assert_int_eq(end(), 7);
}
END_TEST

START_TEST(it_goes_on)
{
    START(AGENT, "::", "--prompt", "hello");
    expect("end_turn");
    ck_assert_int_eq(end(), 7);
    START(AGENT, "loads", "::", "--continue");
    expect("> what was said before");
    type("more\n");
    expect("you said: ");
    expect("end_turn");
    ck_assert_int_eq(end(), 7);
    START(AGENT, "::", "--continue", "--prompt", "hello");
    expect("error: it has lost s1");
    expect("the conversation s1 can't be loaded: a new one begins");
    expect("> hello");
    expect("end_turn");
    ck_assert_int_eq(end(), 7);
    teardown(); /* where nothing can be kept, it says so and goes on */
    START(AGENT, "::", "--continue", "--prompt", "hello");
    expect(".belljar-acp cannot be written: this conversation can't be resumed");
    expect("end_turn");
    ck_assert_int_eq(end(), 7);
}
END_TEST

START_TEST(what_no_agent_sends)
{
    START(AGENT, "::", "--prompt", "hostile");
    expect("]0;title");
    expect("[2Jbefore3mafter");
    expect("no JSON at all");
    expect("a log line");
    expect("end_turn");
    ck_assert_ptr_null(strstr(text, "\x1b]"));
    ck_assert_ptr_null(strstr(text, "\x1b[2J"));
    ck_assert_ptr_null(strstr(text, "\x1b[H"));
    type("flood\n");
    expect("it sent a line of over 16 MiB: ended");
    end();
}
END_TEST

START_TEST(what_can_t_be)
{
    START(AGENT, "2");
    expect("version 1 is the one that is known here: it can't go on");
    end();
    START(AGENT, "closed");
    expect("error: who are you?");
    expect("it has no credential: belljar doctor says which variable it needs");
    end();
    START(AGENT, "nameless");
    expect("it named no session: it can't go on");
    end();
    START(AGENT, "::", "--prompt", "leave");
    expect("the agent has left");
    ck_assert_int_eq(end(), 5);
    START("/nowhere/at/all");
    expect("cannot execute /nowhere/at/all: No such file");
    ck_assert_int_eq(end(), 127);
    START("sleep", "1000"); /* it speaks never, and does not end with its input */
    ck_assert_int_eq(end(), 128 + SIGKILL);
    START("::", "--prompt", "to nobody");
    expect("Usage: belljar-acp AGENT");
    ck_assert_int_eq(end(), 2);
    START("--help");
    expect("Usage: belljar-acp AGENT");
    ck_assert_int_eq(end(), 0);
    START("--version");
    expect("belljar-acp ");
    ck_assert_int_eq(end(), 0);
}
END_TEST

/* Nothing of the client's own signals is left to the agent. */
START_TEST(the_agent_s_signals)
{
    START("sh", "-c", "grep -E 'Sig(Blk|Ign)' /proc/self/status | tr -dc 1-9; echo none");
    expect("\xe2\x94\x80 none");
    ck_assert_int_eq(end(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("acp");
    TCase *tests = tcase_create("acp");
    tcase_set_timeout(tests, 4 * WAIT_S);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_conversation);
    tcase_add_test(tests, an_interrupt);
    tcase_add_test(tests, it_goes_on);
    tcase_add_test(tests, what_no_agent_sends);
    tcase_add_test(tests, what_can_t_be);
    tcase_add_test(tests, the_agent_s_signals);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
