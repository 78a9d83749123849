#include "human.h"

#include <stdio.h>
#include <string.h>

void human_runs(struct world *world, const char *name, const char *script)
{
    BELLJAR_OK(world, "run", "-d", "-n", name, "--", "bash", "-c", script);
}

const char *human_shell(struct world *world, const char *project, const char *script)
{
    static char text[8192];
    char whole[8192];
    struct result result;
    snprintf(whole, sizeof(whole),
             "cd %s && export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null && %s", project,
             script);
    world_run(world, &result, NULL, (const char *const[]){"sh", "-ec", whole, NULL});
    ck_assert_msg(result.code == 0, "%s: %s", script, result.err);
    snprintf(text, sizeof(text), "%s", result.out);
    result_free(&result);
    return text;
}

void human_repository(struct world *world, const char *project)
{
    human_shell(world, project,
                "git init -q -b main . && git config user.name User &&"
                "git config user.email u@x.test && echo one >a && echo two >b && mkdir sub &&"
                "echo deep >sub/c && echo '*.o' >.gitignore && git add . &&"
                "git commit -qm start");
}

void human_runs_in(struct world *world, const char *name, const char *project, const char *policy,
                   const char *script)
{
    char whole[4096];
    snprintf(whole, sizeof(whole), "set -e\n%s\necho all-is-ready\nexec sleep 1000", script);
    if (policy)
        BELLJAR_OK(world, "run", "-d", "-n", name, "-p", project, "--policy", policy, "--", "sh",
                   "-c", whole);
    else
        BELLJAR_OK(world, "run", "-d", "-n", name, "-p", project, "--", "sh", "-c", whole);
    WAIT_FOR(world_shows(world, name, "all-is-ready"));
}

void human_policy(struct world *world, const char *text)
{
    world_file(world, "home/.config/belljar/policy.conf", text, 0600);
}

static bool is_about(const json_t *request, const char *about)
{
    const char *subject = json_string_value(json_object_get(request, "subject"));
    const char *title = json_string_value(json_object_get(request, "title"));
    return (subject && strcmp(subject, about) == 0) || (title && strcmp(title, about) == 0);
}

const char *human_request(struct world *world, const char *about, const char *field)
{
    static char text[2048];
    struct result result;
    BELLJAR(world, &result, "requests", "--json");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *list = json_loads(result.out, 0, NULL), *item;
    size_t index;
    text[0] = '\0';
    json_array_foreach(list, index, item)
    {
        const json_t *value = json_object_get(item, field);
        if (!is_about(item, about))
            continue;
        if (json_is_string(value))
            snprintf(text, sizeof(text), "%s", json_string_value(value));
        else
            snprintf(text, sizeof(text), "%lld", (long long)json_number_value(value));
    }
    json_decref(list);
    result_free(&result);
    return text;
}

bool human_answers(struct world *world, const char *verb, const char *about, const char *option,
                   const char *value)
{
    struct result result;
    char id[64];
    snprintf(id, sizeof(id), "%s", human_request(world, about, "id"));
    if (!id[0])
        return false;
    if (option)
        BELLJAR(world, &result, verb, id, option, value);
    else
        BELLJAR(world, &result, verb, id);
    bool done = result.code == 0;
    if (!done)
        ck_assert_msg(strstr(result.err, "300 ms"), "%s", result.err);
    result_free(&result);
    return done;
}

bool human_reads(struct world *world, const char *text, const char *const arguments[])
{
    const char *argv[16] = {world->belljar};
    struct result result;
    for (size_t i = 0; arguments[i] && i + 2 < sizeof(argv) / sizeof(argv[0]); i++)
        argv[i + 1] = arguments[i];
    world_run(world, &result, NULL, argv);
    bool found = strstr(result.out, text) || strstr(result.err, text);
    result_free(&result);
    return found;
}
