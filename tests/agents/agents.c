/*
 * Real agents in the jar, supervised: first prompt, streamed answer, a tool call that is allowed by
 * the policy, asked and approved, asked and denied with a reason; what they changed is seen and
 * pulled. Their model is mock.py, behind the egress proxy and a credential, in a network of the
 * test's own. $BELLJAR_TEST_AGENTS is a node_modules/.bin with them; without one, or root, all of
 * this is skipped. Nothing is installed here.
 */
#include "jar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *recordings, *pictures, *only;

static bool state_is(const char *state)
{
    return strcmp(world_field(&world, "one", "agent_state"), state) == 0;
}

/* With $BELLJAR_TEST_RECORD: what the agent has shown up to now, in there as AGENT-STEP.cast. */
static void record(int agent, const char *step)
{
    char path[4096];
    if (!recordings)
        return;
    snprintf(path, sizeof(path), "%s/%s-%s.cast", recordings, jar_agents[agent].profile, step);
    unlink(path);
    BELLJAR_OK(&world, "export", "one", "--output", path);
}

/* What each hook is given goes into a file of the sandbox's home as well, */
static const char hooks_are_heard[] =
    "sed -i -e 's#\"/belljar/bin/belljar-shim ask#\"tee -a ~/hooks.log | /belljar/bin/belljar-shim "
    "ask#' -e 's#\"/belljar/bin/belljar-shim\", \\[#\"/bin/sh\", [\"-c\", \"tee -a ~/hooks.log | "
    "/belljar/bin/belljar-shim $*\", \"sh\", #' *.settings.json *.requirements.toml *.plugin.js";

/* which this copies to AGENT-TEST.hooks there, until a hook has told of the event. */
static bool heard(int agent, const char *test, const char *event)
{
    char target[4096];
    snprintf(target, sizeof(target), "%s/%s-%s.hooks", recordings, jar_agents[agent].profile, test);
    world_run_ok(&world, (const char *const[]){"bash", "-c", "cat \"$0\"/*/home/hooks.log >\"$1\"",
                                               world.state, target, NULL});
    return strstr(world_read(target), event);
}

/* The last event that each tells after a turn; Claude Code's is a while behind its Stop. */
static const char *const last_event[] = {"Notification", "Stop", "session.idle", "AfterAgent"};

static bool shows_prompt(const char *prompt)
{
    static long long next;
    if (world_shows(&world, "one", "[[run"))
        return true;
    if (world_now() > next) {
        next = world_now() + 60000;
        BELLJAR_OK(&world, "send", "one", "--enter", prompt);
    }
    return false;
}

/* One that is busy may take the text and not the Enter, which came as if both were pasted. */
static bool took_prompt(void)
{
    static long long next;
    if (state_is("working"))
        return true;
    if (world_now() > next) {
        next = world_now() + 60000;
        BELLJAR_OK(&world, "send", "one", "--keys", "Enter");
    }
    return false;
}

/* Starts it with a first prompt; while it is recorded the prompt is typed, so that it is seen
 * before it has one. */
static void begin(int agent, const char *prompt)
{
    if (!recordings) {
        jar_run("one", agent, prompt);
        return;
    }
    jar_profiles(hooks_are_heard);
    jar_run("one", agent, NULL);
    WAIT_FOR(world_shows(&world, "one", jar_agents[agent].ready));
    record(agent, "start");
    WAIT_FOR(shows_prompt(prompt));
    record(agent, "prompt");
    WAIT_FOR(took_prompt());
}

/* It reads outside of its project, too, and nothing of all this is asked: not by itself on its
 * screen, nor at the wall, where it may try hosts of its own at its start. */
START_TEST(works_unasked_and_its_work_comes_out)
{
    struct result result;
    jar_run("one", _i,
            "hi [[run cat /etc/hostname; ls /etc/ssl; echo hello > made.txt; git add made.txt; "
            "git -c user.name=a -c user.email=a@example.org commit -qm two; echo d''one]]");
    WAIT_FOR(world_shows(&world, "one", "The tool said: done"));
    WAIT_FOR(state_is("done"));
    ck_assert_str_eq(jar_requests(), "");
    BELLJAR(&world, &result, "diff", "one");
    ck_assert_int_eq(result.code, 0);
    ck_assert_ptr_nonnull(strstr(result.out, "+hello"));
    result_free(&result);
    BELLJAR_OK(&world, "pull", "one");
    world_run_ok(&world, (const char *const[]){"bash", "-c",
                                               "cd \"$0\" && git log --all --oneline | grep two",
                                               jar_project, NULL});
    const char *log = world_read(jar_model_log);
    ck_assert_ptr_nonnull(strstr(log, jar_agents[_i].path));
    ck_assert_ptr_nonnull(strstr(log, " key\n"));
    ck_assert_ptr_null(strstr(log, "nokey"));
    BELLJAR_OK(&world, "audit", "verify");
}
END_TEST

/* With $BELLJAR_TEST_PICTURES: the dashboard once it shows the text after these keys, as
 * AGENT-NAME.ansi, which scripts/screenshots draws. */
static void picture(int agent, const char *name, const char *text, const char *keys)
{
    static const char script_text[] =
        "t='tmux -f /dev/null -S '$0/tmux; $t new-session -d -x 110 -y 28 "
        "\"env TERM=tmux-256color COLORTERM=truecolor $1 attach\"; "
        "until $t capture-pane -p | grep -q SUPERVISE; do sleep 0.2; done; $t send-keys $4; "
        "until $t capture-pane -p | grep -qe \"$3\"; do sleep 0.2; done; sleep 2; "
        "$t capture-pane -e -p >\"$2\"; $t kill-server";
    char path[4096];
    if (!pictures)
        return;
    snprintf(path, sizeof(path), "%s/%s-%s.ansi", pictures, jar_agents[agent].profile, name);
    world_run_ok(&world, (const char *const[]){"bash", "-c", script_text, world.base, world.belljar,
                                               path, text, keys, NULL});
}

/* A list of suggestions that opens for a command may take the first Enter for itself. */
static bool has_left(void)
{
    static long long next;
    struct result result;
    if (world_state_is(&world, "one", "exited"))
        return true;
    if (world_now() > next) {
        next = world_now() + 5000;
        BELLJAR(&world, &result, "send", "one", "--keys", "Enter");
        result_free(&result);
    }
    return false;
}

/* It also leaves by its own command. */
START_TEST(is_asked_and_approved)
{
    begin(_i, pictures ? "one is not enough, make it two [[run sed -i s/one/two/ one.txt; "
                         "echo d''one]]"
                       : "hi [[run echo asked > made.txt; echo d''one]]");
    WAIT_FOR(jar_question(pictures ? "Bash(sed" : "Bash(echo asked"));
    ck_assert(!world_shows(&world, "one", "The tool said"));
    record(_i, "permission");
    picture(_i, "request", "a once", "z");
    WAIT_FOR(
        jar_answered((const char *const[]){world.belljar, "allow", jar_question("Bash("), NULL}));
    WAIT_FOR(world_shows(&world, "one", "The tool said: done"));
    WAIT_FOR(state_is("done"));
    record(_i, "stream");
    WAIT_FOR(!recordings || heard(_i, "approved", last_event[_i]));
    picture(_i, "review", "+ two", "v");
    if (jar_agents[_i].leave)
        BELLJAR_OK(&world, "send", "one", "--enter", jar_agents[_i].leave);
    else
        BELLJAR_OK(&world, "send", "one", "--keys", "C-d");
    WAIT_FOR(has_left());
    record(_i, "exit");
}
END_TEST

/* Whether the model was given a tool's result in which this stands. */
static bool told_model(const char *text)
{
    const char *line = world_read(jar_model_log);
    while ((line = strstr(line, "TOOL "))) {
        const char *found = strstr(line, text), *end = strchr(line, '\n');
        if (found && end && found < end)
            return true;
        line += strlen("TOOL ");
    }
    return false;
}

/* The reason of a connection's denial, too, of which a program like curl prints a number at most.
 */
START_TEST(hears_why_a_connection_was_denied)
{
    jar_run("one", _i,
            "hi [[run python3 -c 'import urllib.request as u; u.urlopen(\"https://far.example/\")' "
            "2>/dev/null]]");
    WAIT_FOR(jar_question("far.example:443"));
    WAIT_FOR(
        jar_answered((const char *const[]){world.belljar, "deny", jar_question("far.example:443"),
                                           "--reason", "the mirror has it", NULL}));
    WAIT_FOR(
        strstr(world_read(jar_model_log),
               "NOTE Belljar: the connection to far.example:443 was denied: the mirror has it"));
}
END_TEST

/* OpenCode with a provider of the third kind: what any service that calls itself compatible
 * speaks. */
static const char compatible[] =
    "sed -i 's#\"provider\": {#\"model\": \"chat/test\", \"provider\": {\"chat\": {"
    "\"npm\": \"@ai-sdk/openai-compatible\", \"models\": {\"test\": {}}, \"options\": {"
    "\"baseURL\": \"http://127.0.0.1:3128/belljar/credential/openai/v1\", "
    "\"apiKey\": \"{env:OPENAI_API_KEY}\"}},#' opencode.config.json";

/* The reason reaches the model, so that it can go on differently; over the Agent Client Protocol as
 * the next prompt. */
START_TEST(is_denied_with_a_reason)
{
    bool chats = strcmp(jar_agents[_i].profile, "opencode") == 0;
    if (chats)
        jar_profiles(compatible);
    jar_run("one", _i, "hi [[run echo asked > made.txt; echo d''one]]");
    WAIT_FOR(jar_question("Bash(echo asked"));
    WAIT_FOR(jar_answered((const char *const[]){world.belljar, "deny", jar_question("Bash("),
                                                "--reason", "rather use a branch", NULL}));
    WAIT_FOR(world_shows(&world, "one", "rather use a branch"));
    WAIT_FOR(world_shows(&world, "one", "The tool said"));
    ck_assert(!world_shows(&world, "one", "The tool said: done"));
    if (!jar_agents[_i].protocol)
        ck_assert(told_model("rather use a branch"));
    if (chats)
        ck_assert_ptr_nonnull(strstr(world_read(jar_model_log), "POST /v1/chat/completions key\n"));
}
END_TEST

/*
 * Where the hook before each tool decides nothing, Claude Code and Codex go on by their own rules,
 * and where those would open a dialog they ask by another hook first: here there is only that one.
 */
static const char *const by_own_rules[] = {
    "python3 -c 'import json; all = json.load(open(\"claude.settings.json\")); "
    "del all[\"hooks\"][\"PreToolUse\"]; json.dump(all, open(\"claude.settings.json\", \"w\"))'",
    "sed -i '/PreToolUse/,/^timeout/d' codex.requirements.toml; "
    "sed -i -e 's/^approval_policy = .*/approval_policy = \"on-request\"/' "
    "-e 's/^sandbox_mode = .*/sandbox_mode = \"read-only\"/' codex.config.toml",
};
#define BY_OWN_RULES (int)(sizeof(by_own_rules) / sizeof(by_own_rules[0]))

START_TEST(asks_by_its_own_rules)
{
    jar_profiles(by_own_rules[_i]);
    if (recordings)
        jar_profiles(hooks_are_heard);
    jar_run("one", _i, "hi [[beyond echo asked > made.txt; echo d''one]]");
    WAIT_FOR(jar_question("Bash(echo asked > made.txt"));
    ck_assert(!world_shows(&world, "one", "The tool said"));
    WAIT_FOR(
        jar_answered((const char *const[]){world.belljar, "allow", jar_question("Bash("), NULL}));
    WAIT_FOR(world_shows(&world, "one", "The tool said: done"));
    WAIT_FOR(state_is("done"));
    BELLJAR_OK(&world, "send", "one", "--enter",
               "so [[beyond echo asked > other.txt; echo d''one]]");
    WAIT_FOR(jar_question("Bash(echo asked > other.txt"));
    WAIT_FOR(jar_answered((const char *const[]){world.belljar, "deny", jar_question("Bash("),
                                                "--reason", "rather use a branch", NULL}));
    WAIT_FOR(told_model("rather use a branch"));
    WAIT_FOR(state_is("done"));
    WAIT_FOR(!recordings || heard(_i, "own", "PermissionRequest"));
}
END_TEST

/* Escape, until it has stopped: OpenCode wants it twice, and one that is busy may not see it. */
static bool has_stopped(void)
{
    static long long next;
    if (strcmp(world_field(&world, "one", "doing"), "idle") == 0)
        return true;
    if (world_now() > next) {
        next = world_now() + 15000;
        BELLJAR_OK(&world, "send", "one", "--keys", "Escape");
        if (strcmp(world_field(&world, "one", "agent"), "opencode") == 0)
            BELLJAR_OK(&world, "send", "one", "--keys", "Escape");
    }
    return false;
}

/* Most have no hook for a turn that a human, or an error of the model's service, has ended. */
START_TEST(a_turn_that_breaks_off_is_over)
{
    jar_run("one", _i, "hi [[run cat /etc/hostname; sleep 1000]]");
    WAIT_FOR(world_shows(&world, "one", "sleep 1000"));
    WAIT_FOR(state_is("working"));
    WAIT_FOR(has_stopped());
    if (strcmp(jar_agents[_i].profile, "claude") != 0)
        return;
    BELLJAR_OK(&world, "send", "one", "--enter", "so [[fail the model is away]]");
    WAIT_FOR(world_shows(&world, "one", "the model is away"));
    WAIT_FOR(state_is("waiting"));
}
END_TEST

/* Should OpenCode ask on its own screen nevertheless, everybody is shown that it waits. */
START_TEST(waits_at_its_own_dialog)
{
    jar_profiles("sed -i '/\"permission\"/s/allow/ask/' opencode.config.json");
    jar_run("one", _i, "hi [[run cat /etc/hostname; ls /etc/ssl; echo d''one]]");
    WAIT_FOR(world_shows(&world, "one", "Permission required"));
    WAIT_FOR(state_is("waiting"));
    WAIT_FOR(strcmp(world_field(&world, "one", "doing"), "input") == 0);
    BELLJAR_OK(&world, "send", "one", "--keys", "Enter");
    WAIT_FOR(world_shows(&world, "one", "The tool said: done"));
    WAIT_FOR(state_is("done"));
}
END_TEST

/* One that still starts may throw away what was typed before it reads keys: asked again then. */
static bool recalls(void)
{
    static long long next;
    if (world_shows(&world, "one", "I remember all."))
        return true;
    if (world_now() > next) {
        next = world_now() + 30000;
        BELLJAR_OK(&world, "send", "one", "--enter", "so [[recall it]]");
    }
    return false;
}

/* Its conversation is in the sandbox's home, which outlives its processes. A line that is
 * sent with Enter is taken as one that was typed by all of them. */
/*
 * Gemini CLI names the file of a conversation by its id and the minute: one that is loaded in the
 * minute in which it began is written over while it is read (docs/agents.md).
 */
static void another_minute(void)
{
    time_t minute = time(NULL) / 60;
    while (time(NULL) / 60 == minute)
        world_breathe();
}

START_TEST(goes_on_where_it_was)
{
    jar_run("one", _i, "hi [[say all is well]]");
    WAIT_FOR(state_is("done"));
    BELLJAR_OK(&world, "kill", "one");
    if (strcmp(jar_agents[_i].profile, "gemini-acp") == 0)
        another_minute();
    BELLJAR_OK(&world, "restart", "one");
    WAIT_FOR(world_shows(&world, "one", "hi [[say all is well]]"));
    WAIT_FOR(recalls());
}
END_TEST

/* Ended before it took its first prompt: there is nothing to go on with, so it gets it again. */
START_TEST(ended_before_it_began)
{
    jar_run("one", _i, "hi [[say all is well]]");
    WAIT_FOR(world_state_is(&world, "one", "running"));
    BELLJAR_OK(&world, "kill", "one");
    BELLJAR_OK(&world, "restart", "one");
    WAIT_FOR(state_is("done"));
    WAIT_FOR(world_shows(&world, "one", "all is well"));
}
END_TEST

/* A test clears its environment. */
static const char *kept(const char *variable)
{
    const char *value = getenv(variable);
    return value ? strdup(value) : NULL;
}

/* $BELLJAR_TEST_ONLY is a part of the names of those that run, for whoever looks at one. */
static void add(TCase *tcase, const TTest *test, int agent)
{
    if (!only || strstr(test->name, only))
        tcase_add_loop_test(tcase, test, agent, agent + 1);
}

int main(void)
{
    only = kept("BELLJAR_TEST_ONLY");
    recordings = kept("BELLJAR_TEST_RECORD");
    pictures = kept("BELLJAR_TEST_PICTURES");
    if (!jar_possible())
        return 77;
    Suite *suite = suite_create("agents");
    for (int i = 0; i < JAR_AGENTS; i++) { /* $CK_RUN_CASE: one of them */
        if (recordings && jar_agents[i].protocol)
            continue;
        TCase *tcase = tcase_create(jar_agents[i].profile);
        tcase_set_timeout(tcase, 300 * world_patience() / 60000);
        tcase_add_checked_fixture(tcase, jar_open, jar_close);
        add(tcase, is_asked_and_approved, i);
        suite_add_tcase(suite, tcase);
        if (i < BY_OWN_RULES && !pictures)
            add(tcase, asks_by_its_own_rules, i);
        if (recordings || pictures)
            continue;
        add(tcase, works_unasked_and_its_work_comes_out, i);
        add(tcase, is_denied_with_a_reason, i);
        add(tcase, goes_on_where_it_was, i);
        if (!jar_agents[i].protocol)
            add(tcase, hears_why_a_connection_was_denied, i);
        if (!jar_agents[i].protocol)
            add(tcase, ended_before_it_began, i);
        if (!jar_agents[i].protocol)
            add(tcase, a_turn_that_breaks_off_is_over, i);
        if (strcmp(jar_agents[i].profile, "opencode") == 0)
            add(tcase, waits_at_its_own_dialog, i);
    }
    return world_main(suite);
}
