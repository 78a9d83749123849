/*
 * `belljar run --acp`: a conversation as a transcript, its questions as requests. The agent is a
 * script, which also does what no real one does; tests/agents has real ones.
 */
#include "human.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world world;
static char project[128];

static void setup(void)
{
    char command[4096];
    const char *agent = getenv("BELLJAR_TEST_ACP");
    world_open(&world);
    ck_assert_msg(agent != NULL, "BELLJAR_TEST_ACP names no script");
    snprintf(project, sizeof(project), "%s/proj", world.base);
    snprintf(command, sizeof(command), "mkdir %s && cp %s %s/agent.py && echo one >%s/a.txt",
             project, agent, project, project);
    world_run_ok(&world, (const char *const[]){"sh", "-c", command, NULL});
    human_policy(&world, "exec { default = allow; ask = [\"Bash(*asked*)\"] }\n");
}

static void teardown(void)
{
    world_close(&world);
}

#define RUN(...)                                                                                   \
    BELLJAR_OK(&world, "run", "-d", "-n", "one", "--rows", "40", "--cols", "100", "--project",     \
               project, "--acp", __VA_ARGS__)
#define AGENT       "--", "/usr/bin/python3", "/work/agent.py"
#define SHOWS(text) WAIT_FOR(world_shows(&world, "one", text))

static void type(const char *text)
{
    BELLJAR_OK(&world, "send", "one", "--enter", text);
}

static const char *question(void)
{
    static char id[64];
    struct result result;
    BELLJAR(&world, &result, "requests", "--json");
    json_t *list = json_loads(result.out, 0, NULL);
    const json_t *request = json_array_get(list, 0);
    const char *title = json_string_value(json_object_get(request, "title"));
    snprintf(id, sizeof(id), "%s",
             title && strcmp(title, "Bash(be asked)") == 0
                 ? json_string_value(json_object_get(request, "id"))
                 : "");
    json_decref(list);
    result_free(&result);
    return id;
}

static bool says(const char *state)
{
    return strcmp(world_field(&world, "one", "agent_state"), state) == 0;
}

START_TEST(a_transcript)
{
    RUN("--prompt", "work on it", AGENT);
    SHOWS("Test agent 3 speaks ACP 1");
    SHOWS("> work on it");
    SHOWS("thinking of it");
    SHOWS("runs   edit: Edit a.txt");
    SHOWS("- one");
    SHOWS("+ two");
    SHOWS("[x] first step");
    SHOWS("[ ] second step");
    SHOWS("end_turn");
    WAIT_FOR(says("done"));
    type("hello there");
    SHOWS("you said: hello there");
    type("files please");
    SHOWS("code -32601");
    BELLJAR_OK(&world, "send", "one", "--keys", "C-d");
    WAIT_FOR(world_state_is(&world, "one", "exited"));
    ck_assert_int_eq(world_number(&world, "one", "exit_code"), 7);
}
END_TEST

START_TEST(its_questions_are_requests)
{
    RUN("--prompt", "ask about nothing", AGENT);
    SHOWS("the outcome is selected yes"); /* the policy's word */
    type("ask be asked");
    WAIT_FOR(question()[0]);
    BELLJAR_OK(&world, "allow", question());
    SHOWS("allowed: run it");
    type("ask be asked");
    WAIT_FOR(question()[0]);
    BELLJAR_OK(&world, "deny", question(), "--reason", "not on Fridays");
    SHOWS("the outcome is selected no");
    SHOWS("denied: run it: not on Fridays");
    SHOWS("you said: \"run it\" was denied by the human"); /* which it is told as a prompt */
    type("ask be asked");
    WAIT_FOR(question()[0]);
    BELLJAR_OK(&world, "send", "one", "--keys", "C-c");
    SHOWS("the outcome is cancelled -");
    WAIT_FOR(!question()[0]);
}
END_TEST

START_TEST(nothing_of_it_is_believed)
{
    RUN("--prompt", "hostile", AGENT);
    SHOWS("]0;title[2Jbefore3mafter");
    SHOWS("no JSON at all");
    SHOWS("end_turn");
    ck_assert(!strstr(world_field(&world, "one", "title"), "title"));
    type("flood it");
    WAIT_FOR(world_state_is(&world, "one", "exited"));
    SHOWS("over 16 MiB");
}
END_TEST

START_TEST(what_can_t_be)
{
    struct result result;
    RUN(AGENT, "2");
    SHOWS("it can't go on");
    WAIT_FOR(world_state_is(&world, "one", "exited"));
    BELLJAR_OK(&world, "rm", "one");
    RUN("--prompt", "leave now", AGENT);
    WAIT_FOR(world_state_is(&world, "one", "exited"));
    ck_assert_int_eq(world_number(&world, "one", "exit_code"), 5);
    SHOWS("the agent has left");
    BELLJAR_OK(&world, "rm", "one");
    RUN("--", "/nowhere/at/all");
    WAIT_FOR(world_state_is(&world, "one", "exited"));
    SHOWS("cannot execute /nowhere/at/all");
    BELLJAR(&world, &result, "run", "-d", "--acp");
    ck_assert_int_eq(result.code, 2);
    ck_assert_ptr_nonnull(strstr(result.err, "--agent PROFILE"));
    result_free(&result);
    BELLJAR(&world, &result, "run", "-d", "--acp", "--agent", "shell");
    ck_assert_int_ne(result.code, 0);
    ck_assert_ptr_nonnull(strstr(result.err, "shell-acp"));
    result_free(&result);
}
END_TEST

#define PROFILE                                                                                    \
    "summary = script\ncommand = [/belljar/bin/belljar-acp, /usr/bin/python3, /work/agent.py, "    \
    "\"::\"]\nprompt = [--prompt, \"{prompt}\"]\nresume = [--continue]\n"

START_TEST(a_lost_conversation_gives_way_to_a_new_one)
{
    world_file(&world, "home/.config/belljar/profiles/script-acp.conf", PROFILE, 0600);
    RUN("--agent", "script", "--prompt", "hello");
    SHOWS("you said: hello");
    WAIT_FOR(says("done"));
    BELLJAR_OK(&world, "kill", "one");
    BELLJAR_OK(&world, "restart", "one");
    SHOWS("error: it has lost s1");
    SHOWS("the conversation s1 can't be loaded: a new one");
    type("go on");
    SHOWS("you said: go on");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("acp");
    TCase *tests = tcase_create("acp");
    tcase_set_timeout(tests, 0);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_transcript);
    tcase_add_test(tests, its_questions_are_requests);
    tcase_add_test(tests, nothing_of_it_is_believed);
    tcase_add_test(tests, what_can_t_be);
    tcase_add_test(tests, a_lost_conversation_gives_way_to_a_new_one);
    suite_add_tcase(suite, tests);
    return world_main(suite);
}
