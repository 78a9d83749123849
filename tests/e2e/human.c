#include "human.h"

#include <stdio.h>
#include <string.h>

void human_runs(struct world *world, const char *name, const char *script)
{
    BELLJAR_OK(world, "run", "-d", "-n", name, "--", "bash", "-c", script);
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
            snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
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
