/*
 * What hooks of agents write: tests/fixtures/agents/AGENT.hooks.json is what those of real agents
 * were given, of the versions that it names; the payloads that stand here are made up for what
 * those do not show.
 */
#include "mux/monitor/dialect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <jansson.h>

static struct dialect_reading reading;

static void teardown(void)
{
    dialect_free(&reading);
}

static void take(const char *name, const char *text)
{
    dialect_free(&reading);
    dialect_read(&reading, name, text, strlen(text));
}

static const struct {
    const char *dialect, *payload, *title;
} questions[] = {
    {"claude",
     "{\"session_id\":\"s\",\"transcript_path\":\"/home/agent/.claude/t.jsonl\",\"cwd\":\"/work\","
     "\"prompt_id\":\"p\",\"permission_mode\":\"default\",\"effort\":{\"level\":\"high\"},"
     "\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":"
     "\"echo hello > made.txt; echo done\",\"description\":\"d\"},\"tool_use_id\":\"t\"}",
     "Bash(echo hello > made.txt; echo done)"},
    {"claude", "{\"tool_name\":\"Edit\",\"tool_input\":{\"file_path\":\"/work/a\",\"x\":1}}",
     "Edit(/work/a)"},
    {"claude", "{\"tool_name\":\"mcp__a__b\",\"tool_input\":{\"z\":1,\"command\":\"x\"}}",
     "mcp__a__b({\"command\":\"x\",\"z\":1})"},
    {"codex", "{\"tool_name\":\"shell\",\"tool_input\":{\"command\":[\"bash\",\"-lc\",\"a b\"]}}",
     "Bash(a b)"},
    {"codex", "{\"tool_name\":\"shell\",\"tool_input\":{\"command\":[\"ls\",\"-l\"]}}",
     "Bash(ls -l)"},
    {"gemini",
     "{\"hook_event_name\":\"BeforeTool\",\"tool_name\":\"run_shell_command\",\"tool_input\":"
     "{\"command\":\"ls\"}}",
     "Bash(ls)"},
    {"opencode", "{\"tool_name\":\"bash\",\"tool_input\":{\"command\":\"a\\nb\"}}", "Bash(a\nb)"},
    {"raw", "{\"tool_name\":\"deploy\",\"tool_input\":{}}", "deploy()"},
    {"acp",
     "{\"sessionId\":\"s\",\"options\":[],\"toolCall\":{\"toolCallId\":\"t\",\"kind\":\"execute\","
     "\"title\":\"run\",\"rawInput\":{\"command\":\"make install\"}}}",
     "Bash(make install)"},
    {"acp",
     "{\"toolCall\":{\"kind\":\"execute\",\"title\":\"ls -l\",\"locations\":[{\"path\":\"/\"}]}}",
     "Bash(ls -l)"},
    {"acp",
     "{\"toolCall\":{\"kind\":\"edit\",\"title\":\"t\",\"locations\":[{\"path\":\"/work/a\"}]}}",
     "Edit(/work/a)"},
    {"acp",
     "{\"toolCall\":{\"kind\":\"fetch\",\"title\":\"t\",\"rawInput\":{\"url\":\"https://a/\"}}}",
     "WebFetch(https://a/)"},
    /* What runs is not what the usual argument says: all of it is said. */
    {"codex",
     "{\"tool_name\":\"shell\",\"tool_input\":{\"command\":[\"/work/evil.sh\",\"-c\",\"ls -la\"]}}",
     "Bash(/work/evil.sh -c ls -la)"},
    {"codex",
     "{\"tool_name\":\"exec_command\",\"tool_input\":{\"cmd\":\"ls\",\"shell\":\"/work/evil.sh\"}}",
     "Bash({\"cmd\":\"ls\",\"shell\":\"/work/evil.sh\"})"},
    {"codex",
     "{\"tool_name\":\"exec_command\",\"tool_input\":{\"cmd\":\"ls\",\"shell\":\"/bin/bash\"}}",
     "Bash(ls)"},
    {"acp",
     "{\"toolCall\":{\"kind\":\"execute\",\"title\":\"ls "
     "-la\",\"rawInput\":{\"argv\":[\"curl\"]}}}",
     "Bash({\"argv\":[\"curl\"]})"},
    {"acp", "{\"toolCall\":{\"kind\":\"execute\",\"title\":\"ls\",\"rawInput\":\"curl\"}}",
     "Bash(\"curl\")"},
    {"acp", "{\"toolCall\":{\"kind\":\"never heard of\",\"title\":\"odd\"}}", "Tool(odd)"},
};

START_TEST(tools_become_calls)
{
    take(questions[_i].dialect, questions[_i].payload);
    ck_assert_int_eq(reading.outcome, DIALECT_ASKS);
    ck_assert_str_eq(reading.title, questions[_i].title);
    ck_assert_uint_eq(reading.title_size, strlen(reading.title));
    ck_assert_ptr_nonnull(reading.detail);
}
END_TEST

static const char *const events[][3] = {
    {"claude", "{\"hook_event_name\":\"UserPromptSubmit\",\"prompt\":\"hi\"}", "working"},
    {"claude", "{\"hook_event_name\":\"Stop\",\"stop_hook_active\":false}", "done"},
    {"claude", "{\"hook_event_name\":\"Notification\",\"message\":\"waits\"}", "waiting"},
    {"claude", "{\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"AskUserQuestion\"}", "waiting"},
    {"claude", "{\"hook_event_name\":\"Notification\",\"notification_type\":\"permission_prompt\"}",
     "waiting"},
    {"claude",
     "{\"hook_event_name\":\"Notification\",\"notification_type\":\"elicitation_dialog\"}",
     "waiting"},
    {"claude", "{\"hook_event_name\":\"Notification\",\"notification_type\":\"idle_prompt\"}",
     NULL},
    {"claude", "{\"hook_event_name\":\"Notification\",\"notification_type\":\"auth_success\"}",
     NULL},
    {"claude", "{\"hook_event_name\":\"SessionStart\",\"source\":\"startup\"}", "waiting"},
    {"claude", "{\"hook_event_name\":\"SessionStart\",\"source\":\"compact\"}", NULL},
    {"codex", "{\"hook_event_name\":\"SessionEnd\"}", "done"},
    {"gemini", "{\"hook_event_name\":\"AfterAgent\"}", "done"},
    {"gemini", "{\"hook_event_name\":\"Notification\",\"notification_type\":\"ToolPermission\"}",
     "waiting"},
    {"opencode", "{\"type\":\"session.idle\"}", "done"},
    {"opencode", "{\"type\":\"permission.asked\"}", "waiting"},
    {"opencode", "{\"type\":\"permission.replied\"}", "working"},
};

START_TEST(events_tell_a_state)
{
    take(events[_i][0], events[_i][1]);
    ck_assert_int_eq(reading.outcome, DIALECT_TELLS);
    ck_assert_pstr_eq(reading.state, events[_i][2]);
}
END_TEST

/* What each event of the recorded ones is read as: a question with this title, or a state. */
static const struct {
    const char *agent, *event, *dialect, *title, *state;
} recorded[] = {
    {"claude", "SessionStart", "claude", NULL, "waiting"},
    {"claude", "UserPromptSubmit", "claude", NULL, "working"},
    {"claude", "PreToolUse", "claude", "Bash(echo asked > made.txt; echo d''one)", NULL},
    {"claude", "PermissionRequest", "claude-permission", "Bash(echo asked > made.txt; echo d''one)",
     NULL},
    {"claude", "PostToolUse", "claude", NULL, NULL},
    {"claude", "Notification", "claude", NULL, NULL}, /* of an idle prompt */
    {"claude", "Stop", "claude", NULL, "done"},
    {"codex", "UserPromptSubmit", "codex", NULL, "working"},
    {"codex", "PreToolUse", "codex", "Bash(echo asked > made.txt; echo d''one)", NULL},
    {"codex", "PermissionRequest", "codex-permission", "Bash(echo asked > made.txt; echo d''one)",
     NULL},
    {"codex", "PostToolUse", "codex", NULL, NULL},
    {"codex", "Stop", "codex", NULL, "done"},
    {"opencode", "UserPromptSubmit", "opencode", NULL, "working"},
    {"opencode", "PreToolUse", "opencode", "Bash(echo asked > made.txt; echo d''one)", NULL},
    {"opencode", "PostToolUse", "opencode", NULL, NULL},
    {"opencode", "session.idle", "opencode", NULL, "done"},
    {"gemini", "SessionStart", "gemini", NULL, "waiting"},
    {"gemini", "BeforeAgent", "gemini", NULL, "working"},
    {"gemini", "BeforeTool", "gemini", "Bash(echo asked > made.txt; echo d''one)", NULL},
    {"gemini", "AfterTool", "gemini", NULL, NULL},
    {"gemini", "AfterAgent", "gemini", NULL, "done"},
};
#define RECORDED (sizeof(recorded) / sizeof(recorded[0]))
static const char *const agents[] = {"claude", "codex", "opencode", "gemini"};
#define AGENTS (int)(sizeof(agents) / sizeof(agents[0]))

static size_t row_of(const char *agent, const json_t *payload)
{
    const char *event = json_string_value(json_object_get(payload, "hook_event_name"));
    if (!event)
        event = json_string_value(json_object_get(payload, "type"));
    ck_assert_ptr_nonnull(event);
    for (size_t i = 0; i < RECORDED; i++)
        if (strcmp(recorded[i].agent, agent) == 0 && strcmp(recorded[i].event, event) == 0)
            return i;
    ck_abort_msg("%s of %s has no row here", event, agent);
}

static void check_recorded(size_t row, const json_t *payload)
{
    char *text = json_dumps(payload, JSON_COMPACT);
    take(recorded[row].dialect, text);
    free(text);
    if (recorded[row].title) {
        ck_assert_int_eq(reading.outcome, DIALECT_ASKS);
        ck_assert_str_eq(reading.title, recorded[row].title);
    } else {
        bool beside = json_is_null(json_object_get(payload, "transcript_path"));
        ck_assert_int_eq(reading.outcome, DIALECT_TELLS);
        ck_assert_pstr_eq(reading.state, beside ? NULL : recorded[row].state);
        bool ended = strcmp(recorded[row].event, "PostToolUse") == 0 ||
                     strcmp(recorded[row].event, "AfterTool") == 0;
        ck_assert_int_eq(reading.tool_ended, ended);
    }
}

START_TEST(recorded_ones_are_read)
{
    char path[4096];
    bool seen[RECORDED] = {false};
    size_t i;
    json_t *payload;
    const char *directory = getenv("BELLJAR_TEST_SCREENS");
    ck_assert_msg(directory, "BELLJAR_TEST_SCREENS does not say where the payloads are");
    snprintf(path, sizeof(path), "%s/%s.hooks.json", directory, agents[_i]);
    json_t *whole = json_load_file(path, 0, NULL);
    ck_assert_msg(whole, "%s cannot be read", path);
    json_array_foreach(json_object_get(whole, "payloads"), i, payload)
    {
        size_t row = row_of(agents[_i], payload);
        check_recorded(row, payload);
        seen[row] = true;
    }
    for (i = 0; i < RECORDED; i++)
        ck_assert_msg(seen[i] || strcmp(recorded[i].agent, agents[_i]) != 0,
                      "%s of %s is not recorded", recorded[i].event, agents[_i]);
    json_decref(whole);
}
END_TEST

/* Nobody decides on what is not understood. */
static const char *const odd[][2] = {
    {"claude", ""},
    {"claude", "{"},
    {"claude", "[]"},
    {"claude", "{}"},
    {"claude", "null"},
    {"claude", "{\"tool_name\":\"Bash\"}"},
    {"claude", "{\"tool_name\":\"Bash\",\"tool_input\":[]}"},
    {"claude", "{\"tool_name\":\"\",\"tool_input\":{}}"},
    {"claude", "{\"tool_name\":\"Bash(x)\",\"tool_input\":{}}"},
    {"claude", "{\"tool_name\":\"a b\",\"tool_input\":{}}"},
    {"claude", "{\"tool_name\":5,\"tool_input\":{}}"},
    {"claude", "{\"tool_name\":\"Read\",\"tool_name\":\"Bash\",\"tool_input\":{}}"},
    {"claude", "{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"a\\u0000b\"}}"},
    {"nobody", "{\"tool_name\":\"Bash\",\"tool_input\":{}}"},
};

START_TEST(what_is_odd_is_unknown)
{
    take(odd[_i][0], odd[_i][1]);
    ck_assert_int_eq(reading.outcome, DIALECT_UNKNOWN);
    ck_assert_ptr_nonnull(reading.why);
    ck_assert_ptr_null(reading.title);
}
END_TEST

START_TEST(depth_is_bounded)
{
    char *text = malloc(60001);
    memset(text, '[', 60000);
    text[60000] = '\0';
    take("claude", text);
    ck_assert_int_eq(reading.outcome, DIALECT_UNKNOWN);
    free(text);
}
END_TEST

/* A policy never decides on a part of a call: the title is then too long for it. */
START_TEST(a_long_call_is_not_decided)
{
    char text[6000], *at = text;
    at += sprintf(at, "{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"");
    memset(at, 'x', 5000);
    strcpy(at + 5000, "\"}}");
    take("claude", text);
    ck_assert_int_eq(reading.outcome, DIALECT_ASKS);
    ck_assert_uint_eq(reading.title_size, DIALECT_TITLE_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("monitor-dialect");
    TCase *tcase = tcase_create("dialect");
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_loop_test(tcase, tools_become_calls, 0, sizeof(questions) / sizeof(questions[0]));
    tcase_add_loop_test(tcase, events_tell_a_state, 0, sizeof(events) / sizeof(events[0]));
    tcase_add_loop_test(tcase, recorded_ones_are_read, 0, AGENTS);
    tcase_add_loop_test(tcase, what_is_odd_is_unknown, 0, sizeof(odd) / sizeof(odd[0]));
    tcase_add_test(tcase, depth_is_bounded);
    tcase_add_test(tcase, a_long_call_is_not_decided);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
