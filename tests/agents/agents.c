/*
 * Real agents in the jar, supervised: first prompt, streamed answer, a tool call that is allowed by
 * the policy, asked and approved, asked and denied with a reason; what they changed is seen and
 * pulled. Their model is mock.py, behind the egress proxy and a credential, in a network of the
 * test's own. $BELLJAR_TEST_AGENTS is a node_modules/.bin with them; without one, or root, all of
 * this is skipped. Nothing is installed here.
 */
#include "human.h"
#include "net.h"
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRET "sk-3fd1c5a7e0b94d2b8c6f"

/* Each with a model whose tools the mock knows. */
static const struct {
    const char *profile, *program, *leave; /* NULL: the end of input */
    const char *arguments[3];
} agents[] = {
    {"claude", "claude", "/exit", {NULL}},     {"codex", "codex", "/quit", {"-m", "gpt-5.1", NULL}},
    {"opencode", "opencode", "/exit", {NULL}}, {"gemini", "gemini", "/quit", {NULL}},
    {"gemini-acp", "gemini", NULL, {NULL}},    {"opencode-acp", "opencode", NULL, {NULL}},
};
#define AGENTS ((int)(sizeof(agents) / sizeof(agents[0])))

static const char *const credentials[][5] = {
    {"anthropic", "x-api-key", "%s", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"},
    {"openai", "authorization", "Bearer %s", "OPENAI_API_KEY", "OPENAI_BASE_URL"},
    {"gemini", "x-goog-api-key", "%s", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"},
};
#define CREDENTIALS (sizeof(credentials) / sizeof(credentials[0]))

static struct world world;
static char directory[2048], script[4096], model_log[128], project[128];
static pid_t model;
static const char *recordings, *pictures;

static void write_policy(void)
{
    char text[2048];
    size_t size = 0;
    for (size_t i = 0; i < CREDENTIALS; i++)
        size += (size_t)snprintf(
            text + size, sizeof(text) - size,
            "credential %s {\n from = \"file:%s/key\"\n hosts = [\"good.example\"]\n"
            " header = \"%s\"\n format = \"%s\"\n placeholder_env = %s\n base_url_env = %s\n"
            " upstream = \"https://good.example\"\n}\n",
            credentials[i][0], world.base, credentials[i][1], credentials[i][2], credentials[i][3],
            credentials[i][4]);
    snprintf(text + size, sizeof(text) - size,
             "exec { ask = [\"Bash(*asked*)\", \"Bash(*sed -i*)\"] }\n");
    human_policy(&world, text);
}

static void start_model(void)
{
    char command[1024];
    snprintf(command, sizeof(command),
             "cd %s && mkdir proj && cd proj && git init -q && echo one > one.txt && git add . && "
             "git -c user.name=a -c user.email=a@example.org commit -qm one",
             world.base);
    world_run_ok(&world, (const char *const[]){"bash", "-c", command, NULL});
    model = net_serve((const char *const[]){"python3", script, NET_PUBLIC, "443", model_log, SECRET,
                                            net_trust(&world), NULL});
}

static void setup(void)
{
    char search[4096];
    world_open(&world);
    net_start(&world);
    snprintf(search, sizeof(search), "%s:%s", directory, getenv("PATH"));
    setenv("PATH", search, 1);
    snprintf(model_log, sizeof(model_log), "%s/model.log", world.base);
    snprintf(project, sizeof(project), "%s/proj", world.base);
    world_file(&world, "key", SECRET "\n", 0600);
    start_model();
    write_policy();
}

static void teardown(void)
{
    kill(model, SIGKILL);
    waitpid(model, NULL, 0);
    net_stop();
    net_distrust();
    world_close(&world);
}

static void run(int agent, const char *prompt)
{
    const char *argv[24] = {world.belljar,
                            "run",
                            "-d",
                            "-n",
                            "one",
                            "--rows",
                            "40",
                            "--cols",
                            "110",
                            "--project",
                            project,
                            "--agent",
                            agents[agent].profile,
                            "--prompt",
                            prompt,
                            "--"};
    for (size_t i = 0, at = 16; agents[agent].arguments[i]; i++)
        argv[at++] = agents[agent].arguments[i];
    world_run_ok(&world, argv);
}

/* The id of the open question whose title has the text, or NULL. */
static const char *question(const char *title)
{
    static char id[64];
    struct result result;
    json_t *list, *request;
    size_t i;
    id[0] = '\0';
    BELLJAR(&world, &result, "requests", "--json");
    list = json_loads(result.out, 0, NULL);
    json_array_foreach(list, i, request)
    {
        const char *text = json_string_value(json_object_get(request, "title"));
        if (text && strstr(text, title))
            snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(request, "id")));
    }
    json_decref(list);
    result_free(&result);
    return id[0] ? id : NULL;
}

/* A verdict counts once the question has been shown for a moment; so it is tried again. */
static bool answered(const char *const argv[])
{
    struct result result;
    world_run(&world, &result, NULL, argv);
    bool done = result.code == 0;
    result_free(&result);
    return done;
}

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
    snprintf(path, sizeof(path), "%s/%s-%s.cast", recordings, agents[agent].profile, step);
    unlink(path);
    BELLJAR_OK(&world, "export", "one", "--output", path);
}

START_TEST(works_unasked_and_its_work_comes_out)
{
    struct result result;
    run(_i, "hi [[run echo hello > made.txt; git add made.txt; "
            "git -c user.name=a -c user.email=a@example.org commit -qm two; echo d''one]]");
    WAIT_FOR(world_shows(&world, "one", "The tool said: done"));
    ck_assert_ptr_null(question("Bash"));
    WAIT_FOR(state_is("done"));
    BELLJAR(&world, &result, "diff", "one");
    ck_assert_int_eq(result.code, 0);
    ck_assert_ptr_nonnull(strstr(result.out, "+hello"));
    result_free(&result);
    BELLJAR_OK(&world, "pull", "one");
    world_run_ok(&world, (const char *const[]){"bash", "-c",
                                               "cd \"$0\" && git log --all --oneline | grep two",
                                               project, NULL});
    const char *log = world_read(model_log);
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
    snprintf(path, sizeof(path), "%s/%s-%s.ansi", pictures, agents[agent].profile, name);
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
    run(_i, pictures
                ? "one is not enough, make it two [[run sed -i s/one/two/ one.txt; echo d''one]]"
                : "hi [[run echo asked > made.txt; echo d''one]]");
    WAIT_FOR(world_shows(&world, "one", "[[run"));
    record(_i, "prompt");
    WAIT_FOR(question(pictures ? "Bash(sed" : "Bash(echo asked"));
    ck_assert(!world_shows(&world, "one", "The tool said"));
    record(_i, "permission");
    picture(_i, "request", "a allow", "z");
    WAIT_FOR(answered((const char *const[]){world.belljar, "allow", question("Bash("), NULL}));
    WAIT_FOR(world_shows(&world, "one", "The tool said: done"));
    WAIT_FOR(state_is("done"));
    record(_i, "stream");
    picture(_i, "review", "+ two", "v");
    if (agents[_i].leave)
        BELLJAR_OK(&world, "send", "one", "--enter", agents[_i].leave);
    else
        BELLJAR_OK(&world, "send", "one", "--keys", "C-d");
    WAIT_FOR(has_left());
    record(_i, "exit");
}
END_TEST

/* The reason reaches the model, so that it can go on differently. */
START_TEST(is_denied_with_a_reason)
{
    run(_i, "hi [[run echo asked > made.txt; echo d''one]]");
    WAIT_FOR(question("Bash(echo asked"));
    WAIT_FOR(answered((const char *const[]){world.belljar, "deny", question("Bash("), "--reason",
                                            "rather use a branch", NULL}));
    WAIT_FOR(world_shows(&world, "one", "rather use a branch"));
    WAIT_FOR(world_shows(&world, "one", "The tool said"));
    ck_assert(!world_shows(&world, "one", "The tool said: done"));
}
END_TEST

/* Its conversation is in the sandbox's home, which outlives its processes. A line that is
 * sent with Enter is taken as one that was typed by all of them. */
START_TEST(goes_on_where_it_was)
{
    run(_i, "hi [[say all is well]]");
    WAIT_FOR(state_is("done"));
    BELLJAR_OK(&world, "kill", "one");
    BELLJAR_OK(&world, "restart", "one");
    WAIT_FOR(world_shows(&world, "one", "hi [[say all is well]]"));
    BELLJAR_OK(&world, "send", "one", "--enter", "so [[recall it]]");
    WAIT_FOR(world_shows(&world, "one", "I remember all."));
}
END_TEST

/* A test clears its environment. */
static const char *kept(const char *variable)
{
    const char *value = getenv(variable);
    return value ? strdup(value) : NULL;
}

static bool installed(void)
{
    char path[4096];
    const char *given = getenv("BELLJAR_TEST_AGENTS");
    snprintf(directory, sizeof(directory), "%s", given ? given : "");
    for (int i = 0; i < AGENTS; i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, agents[i].program);
        if (!given || access(path, X_OK) < 0)
            return false;
    }
    return true;
}

int main(void)
{
    const char *mock = getenv("BELLJAR_TEST_MODEL");
    recordings = kept("BELLJAR_TEST_RECORD");
    pictures = kept("BELLJAR_TEST_PICTURES");
    snprintf(script, sizeof(script), "%s", mock ? mock : "");
    if (!installed()) {
        printf(
            "skipped: BELLJAR_TEST_AGENTS names no node_modules/.bin with claude, codex, opencode "
            "and gemini\n");
        return 77;
    }
    if (!net_make()) {
        printf("skipped: a network of its own needs root\n");
        return 77;
    }
    Suite *suite = suite_create("agents");
    for (int i = 0; i < AGENTS; i++) { /* CK_RUN_CASE=claude runs one agent's */
        TCase *tcase = tcase_create(agents[i].profile);
        tcase_set_timeout(tcase, 300 * world_patience() / 60000);
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, is_asked_and_approved, i, i + 1);
        suite_add_tcase(suite, tcase);
        if (recordings || pictures)
            continue;
        tcase_add_loop_test(tcase, works_unasked_and_its_work_comes_out, i, i + 1);
        tcase_add_loop_test(tcase, is_denied_with_a_reason, i, i + 1);
        tcase_add_loop_test(tcase, goes_on_where_it_was, i, i + 1);
    }
    return world_main(suite);
}
