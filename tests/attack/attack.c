#include "attack.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct world attack_world;
char attack_project_path[128];

void attack_open(void)
{
    world_open(&attack_world);
    snprintf(attack_project_path, sizeof(attack_project_path), "%s/project", attack_world.base);
}

void attack_close(void)
{
    world_close(&attack_world);
}

void attack_project(void)
{
    char probe[200], source[4300];
    mkdir(attack_project_path, 0755);
    snprintf(probe, sizeof(probe), "%s/probe", attack_project_path);
    snprintf(source, sizeof(source), "%s/tests/attack/attack-probe", attack_world.programs);
    if (access(probe, X_OK) == 0)
        return;
    world_run_ok(&attack_world,
                 (const char *const[]){"install", "-m", "0755", source, probe, NULL});
}

void attack_start(const char *name, const char *script)
{
    attack_project();
    BELLJAR_OK(&attack_world, "run", "-d", "-n", name, "--cols", "200", "--project",
               attack_project_path, "--", "sh", "-c", script);
}

void attack_refused(const char *name, const char *what, const char *attempt, const char *argument)
{
    char script[4096];
    snprintf(script, sizeof(script), "./probe '%s' '%s'; echo code $?", attempt, argument);
    attack_start(name, script);
    WAIT_FOR(world_shows(&attack_world, name, "code ") ||
             world_state_is(&attack_world, name, "exited"));
    const char *text = world_capture(&attack_world, name);
    ck_assert_msg(strstr(text, "code 0") && strstr(text, "refused:") && !strstr(text, "SUCCEEDED"),
                  "%s: %s", what, text);
}

void attack_policy(const char *text)
{
    world_file(&attack_world, "home/.config/belljar/policy.conf", text, 0600);
}

bool attack_says(const char *text, const char *const arguments[])
{
    const char *argv[16] = {attack_world.belljar};
    struct result result;
    for (size_t i = 0; arguments[i] && i + 2 < sizeof(argv) / sizeof(argv[0]); i++)
        argv[i + 1] = arguments[i];
    world_run(&attack_world, &result, NULL, argv);
    bool found = strstr(result.out, text) || strstr(result.err, text);
    result_free(&result);
    return found;
}

bool attack_audited(const char *kind, const char *text)
{
    return ATTACK_SAYS(text, "audit", "show", "--json", "--kind", kind);
}

bool attack_alerted(const char *text)
{
    return ATTACK_SAYS(text, "alerts", "--json") && attack_audited("alert", text);
}

static bool is_about(const json_t *request, const char *about)
{
    const char *subject = json_string_value(json_object_get(request, "subject"));
    const char *title = json_string_value(json_object_get(request, "title"));
    return (subject && strcmp(subject, about) == 0) || (title && strcmp(title, about) == 0);
}

const char *attack_request(const char *about, const char *field)
{
    static char text[2048];
    struct result result;
    BELLJAR(&attack_world, &result, "requests", "--json");
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
            snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
    }
    json_decref(list);
    result_free(&result);
    return text;
}

bool attack_answer(const char *verb, const char *about, const char *option, const char *value)
{
    struct result result;
    char id[64];
    snprintf(id, sizeof(id), "%s", attack_request(about, "id"));
    if (option)
        BELLJAR(&attack_world, &result, verb, id, option, value);
    else
        BELLJAR(&attack_world, &result, verb, id);
    bool done = result.code == 0;
    if (!done)
        ck_assert_msg(strstr(result.err, "300 ms"), "%s", result.err);
    result_free(&result);
    return done;
}
