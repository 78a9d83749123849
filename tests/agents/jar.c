/* Real agents in a world of a test, behind the mock of a model. */
#include "jar.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "human.h"
#include "net.h"

#define SECRET "sk-3fd1c5a7e0b94d2b8c6f"

#define ANTHROPIC "POST /v1/messages"
#define GEMINI    ":streamGenerateContent"
const struct jar_agent jar_agents[JAR_AGENTS] = {
    {"claude", "claude", "/exit", "? for shortcuts", ANTHROPIC, {NULL}, false},
    {"codex",
     "codex",
     "/quit",
     "Ask Codex to do anything",
     "POST /v1/responses",
     {"-m", "gpt-5.1", NULL},
     false},
    {"opencode", "opencode", "/exit", "Ask anything", ANTHROPIC, {NULL}, false},
    {"gemini", "gemini", "/quit", "Type your message", GEMINI, {NULL}, false},
    {"gemini-acp", "gemini", NULL, "", GEMINI, {NULL}, true},
    {"opencode-acp", "opencode", NULL, "", ANTHROPIC, {NULL}, true},
};

static const char *const credentials[][5] = {
    {"anthropic", "x-api-key", "%s", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"},
    {"openai", "authorization", "Bearer %s", "OPENAI_API_KEY", "OPENAI_BASE_URL"},
    {"gemini", "x-goog-api-key", "%s", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"},
};
#define CREDENTIALS (sizeof(credentials) / sizeof(credentials[0]))

struct world world;
char jar_model_log[128], jar_project[128];
static char directory[2048], script[4096];
static pid_t model;

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
    model = net_serve((const char *const[]){"python3", script, NET_PUBLIC, "443", jar_model_log,
                                            SECRET, net_trust(&world), NULL});
}

void jar_open(void)
{
    char search[4096];
    world_open(&world);
    net_start(&world);
    snprintf(search, sizeof(search), "%s:%s", directory, getenv("PATH"));
    setenv("PATH", search, 1);
    snprintf(jar_model_log, sizeof(jar_model_log), "%s/model.log", world.base);
    snprintf(jar_project, sizeof(jar_project), "%s/proj", world.base);
    world_file(&world, "key", SECRET "\n", 0600);
    start_model();
    write_policy();
}

void jar_close(void)
{
    kill(model, SIGKILL);
    waitpid(model, NULL, 0);
    net_stop();
    net_distrust();
    world_close(&world);
}

void jar_run(const char *name, int agent, const char *prompt)
{
    const char *argv[24] = {world.belljar,
                            "run",
                            "-d",
                            "-n",
                            name,
                            "--rows",
                            "40",
                            "--cols",
                            "110",
                            "--project",
                            jar_project,
                            "--agent",
                            jar_agents[agent].profile};
    size_t at = 13;
    if (prompt) {
        argv[at++] = "--prompt";
        argv[at++] = prompt;
    }
    argv[at++] = "--";
    for (size_t i = 0; jar_agents[agent].arguments[i]; i++)
        argv[at++] = jar_agents[agent].arguments[i];
    world_run_ok(&world, argv);
}

void jar_profiles(const char *change)
{
    world_run_ok(&world, (const char *const[]){"bash", "-ec",
                                               "mkdir -p ~/.config/belljar\n"
                                               "cp -rn \"$0/profiles\" ~/.config/belljar\n"
                                               "cd ~/.config/belljar/profiles\n"
                                               "eval \"$1\"",
                                               world.programs, change, NULL});
}

const char *jar_requests(void)
{
    static char subjects[4096];
    size_t i, size = 0;
    struct result result;
    json_t *request;
    BELLJAR(&world, &result, "requests", "--json");
    ck_assert_int_eq(result.code, 0);
    json_t *list = json_loads(result.out, 0, NULL);
    ck_assert(json_is_array(list));
    subjects[0] = '\0';
    json_array_foreach(list, i, request)
    {
        if (size < sizeof(subjects))
            size += (size_t)snprintf(subjects + size, sizeof(subjects) - size, "%s\n",
                                     json_string_value(json_object_get(request, "subject")));
    }
    json_decref(list);
    result_free(&result);
    return subjects;
}

const char *jar_question(const char *title)
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

bool jar_answered(const char *const argv[])
{
    struct result result;
    world_run(&world, &result, NULL, argv);
    bool done = result.code == 0;
    result_free(&result);
    return done;
}

static bool installed(void)
{
    char path[4096];
    const char *given = getenv("BELLJAR_TEST_AGENTS");
    snprintf(directory, sizeof(directory), "%s", given ? given : "");
    for (int i = 0; i < JAR_AGENTS; i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, jar_agents[i].program);
        if (!given || access(path, X_OK) < 0)
            return false;
    }
    return true;
}

bool jar_possible(void)
{
    const char *mock = getenv("BELLJAR_TEST_MODEL");
    snprintf(script, sizeof(script), "%s", mock ? mock : "");
    if (!installed())
        printf("SKIP agents: BELLJAR_TEST_AGENTS names no node_modules/.bin with claude, codex, "
               "opencode and gemini\n");
    else if (!net_make())
        printf("SKIP agents: a network of its own needs root\n");
    else
        return true;
    return false;
}
