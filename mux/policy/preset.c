#include "mux/policy/preset.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "mux/policy/preset_read.h"
#include "mux/policy/run.h"
#include "transport/paths.h"

#define OUTPUT_MAX      (256 * 1024)
#define TIMEOUT_DEFAULT 10000

const char *const preset_names[] = {"@npm", "@pip", "@apt", "@cargo", "@git-remote", NULL};

struct resolver {
    struct preset *preset;
    const char *home, *project, *apt;
    int timeout;
    char *output; /* OUTPUT_MAX bytes */
    size_t size;
    struct bj_error why; /* of the last program */
};

static int run(struct resolver *resolver, const char *const argv[])
{
    return run_read(argv, resolver->home, resolver->timeout, resolver->output, OUTPUT_MAX,
                    &resolver->size, &resolver->why);
}

__attribute__((format(printf, 2, 3))) static void note(struct resolver *resolver,
                                                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(resolver->preset->note, sizeof(resolver->preset->note), format, args);
    va_end(args);
}

/* npm --------------------------------------------------------------------------------------------
 */

static int take_npm_json(struct resolver *resolver)
{
    json_t *root = json_loadb(resolver->output, resolver->size, 0, NULL);
    const char *key;
    json_t *value;
    int found = 0;
    json_object_foreach(root, key, value)
    {
        size_t size = strlen(key);
        bool scoped = key[0] == '@' && size > 9 && strcmp(key + size - 9, ":registry") == 0;
        if (!json_is_string(value) || (!scoped && strcmp(key, "registry") != 0))
            continue;
        int status =
            preset_add_urls(resolver->preset, json_string_value(value), json_string_length(value));
        if (status < 0) {
            json_decref(root);
            return status;
        }
        found += status;
    }
    json_decref(root);
    return found;
}

static int resolve_npm(struct resolver *resolver)
{
    int found = 0;
    if (run(resolver,
            (const char *const[]){"npm", "config", "list", "--json", "--logs-max=0", NULL}) == 0)
        found = take_npm_json(resolver);
    if (found == 0 && run(resolver, (const char *const[]){"npm", "config", "get", "registry",
                                                          "--logs-max=0", NULL}) == 0)
        found = preset_add_urls(resolver->preset, resolver->output, resolver->size);
    note(resolver, "%s",
         found > 0               ? "from npm config"
         : resolver->why.text[0] ? resolver->why.text
                                 : "npm config names no registry");
    return found;
}

/* pip --------------------------------------------------------------------------------------------
 */

/* Lines of `pip config list`: section.key='value'. */
static int take_pip_config(struct resolver *resolver, int *indexes)
{
    int found = 0;
    for (char *save = NULL, *line = strtok_r(resolver->output, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        char *equals = strchr(line, '=');
        if (!equals)
            continue;
        *equals = '\0';
        size_t size = strlen(line);
        if (size < 9 || strcmp(line + size - 9, "index-url") != 0)
            continue;
        bool extra = strstr(line, "extra-index-url") != NULL;
        int status = preset_add_urls(resolver->preset, equals + 1, strlen(equals + 1));
        if (status < 0)
            return status;
        *indexes += extra ? 0 : status;
        found += status;
    }
    return found;
}

static int take_variable(struct resolver *resolver, const char *name)
{
    const char *value = getenv(name);
    return value ? preset_add_urls(resolver->preset, value, strlen(value)) : 0;
}

/* The index that pip takes when nothing else is said stands in its own help. It is not asked for
 * that of install: pyenv's pip would take a lock then, and write its directory of programs anew. */
static int take_pip_help(struct resolver *resolver, const char *program)
{
    if (run(resolver, (const char *const[]){program, "download", "--help", NULL}) < 0)
        return 0;
    const char *option = strstr(resolver->output, "--index-url");
    const char *url = option ? strstr(option, "http") : NULL;
    return url ? preset_add_urls(resolver->preset, url, strcspn(url, " \n)")) : 0;
}

static int resolve_pip(struct resolver *resolver)
{
    static const char *const programs[] = {"pip3", "pip"};
    int indexes = take_variable(resolver, "PIP_INDEX_URL");
    int found = indexes < 0 ? indexes : take_variable(resolver, "PIP_EXTRA_INDEX_URL");
    const char *program = NULL;
    for (size_t i = 0; i < 2 && found >= 0 && !program; i++)
        if (run(resolver, (const char *const[]){programs[i], "config", "list", NULL}) == 0) {
            program = programs[i];
            found = take_pip_config(resolver, &indexes);
        }
    bool helped = false;
    if (found >= 0 && program && indexes == 0) {
        found = take_pip_help(resolver, program);
        helped = found > 0;
    }
    if (found < 0)
        return found;
    note(resolver, "%s",
         helped                    ? "from pip's own default index"
         : resolver->preset->count ? "from pip config and PIP_INDEX_URL"
         : program                 ? "pip names no index"
                                   : resolver->why.text);
    return 0;
}

/* Files
 * -------------------------------------------------------------------------------------------- */

static int resolve_apt(struct resolver *resolver)
{
    int status = preset_read_apt(resolver->preset, resolver->apt);
    note(resolver,
         resolver->preset->count ? "from %.200s/sources.list and sources.list.d"
                                 : "%.200s names no source with http or https",
         resolver->apt);
    return status;
}

static int resolve_cargo(struct resolver *resolver)
{
    char directory[BJ_PATH_MAX];
    const char *home = getenv("CARGO_HOME");
    int status = home && *home == '/'
                     ? bj_path(directory, sizeof(directory), NULL, "%s", home)
                     : bj_path(directory, sizeof(directory), NULL, "%s/.cargo", resolver->home);
    if (status == 0)
        status = preset_read_cargo(resolver->preset, directory);
    note(resolver,
         resolver->preset->count
             ? "from %.200s"
             : "%.200s names no registry and holds no index: use cargo once outside",
         directory);
    return status;
}

/* git
 * ------------------------------------------------------------------------------------------------
 */

static int resolve_git(struct resolver *resolver)
{
    if (!resolver->project) {
        note(resolver, "the sandbox has no project");
        return 0;
    }
    /* Reading a configuration runs nothing of it; without includes it is this one file. */
    const char *const argv[] = {"git",    "-C",           resolver->project,
                                "config", "--local",      "--no-includes",
                                "-z",     "--get-regexp", "^remote\\..*\\.(url|pushurl)$",
                                NULL};
    int status = run(resolver, argv);
    if (status < 0) {
        note(resolver, status == -EIO ? "the project has no git remote" : "%s", resolver->why.text);
        return 0;
    }
    for (size_t at = 0; at < resolver->size;) {
        const char *entry = resolver->output + at;
        size_t size = strnlen(entry, resolver->size - at);
        const char *value = memchr(entry, '\n', size);
        status = value ? preset_add_remote(resolver->preset, value + 1,
                                           size - (size_t)(value + 1 - entry))
                       : 0;
        if (status < 0)
            return status;
        at += size + 1;
    }
    note(resolver,
         resolver->preset->count ? "from the remotes of %.200s"
                                 : "the remotes of %.200s are on this machine",
         resolver->project);
    return 0;
}

static int (*const resolvers[])(struct resolver *resolver) = {resolve_npm, resolve_pip, resolve_apt,
                                                              resolve_cargo, resolve_git};

static int find(const char *name)
{
    for (int i = 0; preset_names[i]; i++)
        if (strcmp(preset_names[i], name) == 0)
            return i;
    return -1;
}

int preset_known(const char *name)
{
    return find(name) >= 0;
}

int preset_resolve(struct preset *preset, const char *name, const struct preset_context *context,
                   struct bj_error *error)
{
    int index = find(name);
    *preset = (struct preset){0};
    if (index < 0)
        return bj_fail(error, -ENOENT, "there is no preset %.40s", name);
    snprintf(preset->name, sizeof(preset->name), "%s", name);
    const char *home = context->home ? context->home : getenv("HOME");
    struct resolver resolver = {
        .preset = preset,
        .home = home && *home == '/' ? home : "/",
        .project = context->project,
        .apt = context->apt ? context->apt : "/etc/apt",
        .timeout = context->timeout ? context->timeout : TIMEOUT_DEFAULT,
        .output = malloc(OUTPUT_MAX),
    };
    int status = resolver.output ? resolvers[index](&resolver) : -ENOMEM;
    free(resolver.output);
    if (status == -ENOMEM) {
        preset_free(preset);
        return bj_fail(error, -ENOMEM, "out of memory while resolving %s", name);
    }
    return 0;
}

void preset_free(struct preset *preset)
{
    for (size_t i = 0; i < preset->count; i++)
        free(preset->hosts[i]);
    free(preset->hosts);
    *preset = (struct preset){0};
}
