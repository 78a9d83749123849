#include "mux/server/dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/driver/driver.h"
#include "mux/server/profile.h"
#include "mux/server/registry.h"
#include "mux/server/start.h"
#include "transport/api.h"
#include "transport/pack.h"

/* Starting sandboxes: new ones, ones like another, and those that ended. */

#define DEFAULT_ROWS         24U
#define DEFAULT_COLS         80U
#define DEFAULT_SCROLLBACK   10000U
#define DEFAULT_RECORD_LIMIT (64ULL * 1024 * 1024)
#define VARIABLES_MAX        64 /* as many as a call may give */

/* --- lists of strings --- */

/* A NULL-terminated copy of a list parameter; NULL when out of memory or with a NUL inside. */
static char **strings_copy(const msgpack_object *list, struct bj_error *error)
{
    size_t count = list ? list->via.array.size : 0;
    char **copy = calloc(count + 1, sizeof(*copy));
    for (size_t i = 0; copy && i < count; i++) {
        const msgpack_object_str *text = &list->via.array.ptr[i].via.str;
        if (memchr(text->ptr, '\0', text->size)) {
            bj_fail(error, -EINVAL, "a string in a list contains a NUL byte");
            profile_list_free(copy);
            return NULL;
        }
        copy[i] = strndup(text->ptr, text->size);
        if (!copy[i]) {
            profile_list_free(copy);
            copy = NULL;
        }
    }
    if (!copy)
        bj_fail(error, -ENOMEM, "out of memory");
    return copy;
}

static size_t strings_count(char *const *list)
{
    size_t count = 0;
    while (list && list[count])
        count++;
    return count;
}

/* A copy of a text of any length, "" when it is absent; NULL: no memory. */
static char *dispatch_text(const msgpack_object *params, const char *name)
{
    size_t size = 0;
    const char *text = bj_get_bytes(params, name, &size);
    return strndup(text ? text : "", size);
}

/* --- what is not given is another sandbox's --- */

struct wish {
    const msgpack_object *params;
    const struct sandbox *like; /* NULL: only what is given counts */
    const struct record *other; /* its record */
    char agent[PROFILE_NAME_MAX + 1];
    char name[NAME_SIZE], driver[33], session[NAME_SIZE];
    char project[BJ_PATH_MAX + 1], policy[BJ_PATH_MAX + 1], path[BJ_PATH_MAX + 1];
    char *prompt, **argv, **env; /* owned */
};

static bool left_out(const struct wish *wish, const char *key)
{
    const msgpack_object *without = bj_get(wish->params, "without");
    for (uint32_t i = 0; without && i < without->via.array.size; i++)
        if (bj_is_str(&without->via.array.ptr[i], key))
            return true;
    return false;
}

static bool takes(const struct wish *wish, const char *key)
{
    return wish->like && !bj_get(wish->params, key) && !left_out(wish, key);
}

static void text(const struct wish *wish, const char *key, const char *other, char *out,
                 size_t size)
{
    if (takes(wish, key))
        snprintf(out, size, "%s", other ? other : "");
    else
        bj_get_copy(wish->params, key, out, size);
}

static uint64_t number(const struct wish *wish, const char *key, uint64_t other, uint64_t fallback)
{
    return takes(wish, key) ? other : bj_get_uint(wish->params, key, fallback);
}

static char **strings_again(char *const *list, struct bj_error *error)
{
    size_t count = strings_count(list);
    char **out = calloc(count + 1, sizeof(*out));
    for (size_t i = 0; out && i < count; i++)
        if (!(out[i] = strdup(list[i]))) {
            profile_list_free(out);
            out = NULL;
        }
    if (!out)
        bj_fail(error, -ENOMEM, "out of memory");
    return out;
}

/* A profile's further arguments are no command, nor the other way round. */
static char **take_argv(const struct wish *wish, struct bj_error *error)
{
    const struct record *other = wish->other;
    if (!takes(wish, "argv"))
        return strings_copy(bj_get(wish->params, "argv"), error);
    if ((other->agent != NULL) != (wish->agent[0] != '\0'))
        return strings_again(NULL, error);
    return strings_again(other->agent ? other->arguments : other->argv, error);
}

static bool names(const char *variable, const char *name)
{
    size_t size = strcspn(name, "=");
    return strncmp(variable, name, size) == 0 && strchr("=", variable[size]) != NULL;
}

static bool is_given(char *const *given, const char *name)
{
    for (; *given; given++)
        if (names(*given, name))
            return true;
    return false;
}

/* Values are known to the server that started it only: one that is missing is asked for, since an
 * agent without it would be another one. */
static int check_known(const struct sandbox *like, char *const *given, struct bj_error *error)
{
    char unknown[200] = "";
    size_t size = 0;
    for (char *const *at = like->record.variables; !like->env && at && *at; at++)
        if (!is_given(given, *at) && size < sizeof(unknown))
            size += (size_t)snprintf(unknown + size, sizeof(unknown) - size, "%s%s",
                                     size > 0 ? ", " : "", *at);
    if (size == 0)
        return 0;
    return bj_fail(error, -ENODATA,
                   "variables that %s was given are not known any more, since values are never "
                   "kept on disk: give %s once more",
                   like->record.name, unknown);
}

static bool append(char **list, size_t *used, const char *text)
{
    list[*used] = strdup(text);
    return list[(*used)++] != NULL;
}

/* Both lists, which it takes over: of `other`, what is not among `given`. */
static char **join(char **other, char **given, struct bj_error *error)
{
    size_t used = 0, most = strings_count(other) + strings_count(given);
    char **all = calloc(most + 1, sizeof(*all));
    bool whole = all != NULL;
    for (char **at = other; whole && *at; at++)
        whole = is_given(given, *at) || append(all, &used, *at);
    for (char **at = given; whole && *at; at++)
        whole = append(all, &used, *at);
    if (!whole)
        bj_fail(error, -ENOMEM, "out of memory");
    else if (used > VARIABLES_MAX)
        bj_fail(error, -E2BIG, "an agent has at most %d variables", VARIABLES_MAX);
    if (error->code) {
        profile_list_free(all);
        all = NULL;
    }
    profile_list_free(other);
    profile_list_free(given);
    return all;
}

static char **take_env(const struct wish *wish, struct bj_error *error)
{
    char **given = strings_copy(bj_get(wish->params, "env"), error);
    if (!given || !wish->like || left_out(wish, "env"))
        return given;
    char **other =
        check_known(wish->like, given, error) == 0 ? strings_again(wish->like->env, error) : NULL;
    if (other)
        return join(other, given, error);
    profile_list_free(given);
    return NULL;
}

static void wish_free(struct wish *wish)
{
    free(wish->prompt);
    profile_list_free(wish->argv);
    profile_list_free(wish->env);
}

static int wish_read(struct wish *wish, struct server *server, const msgpack_object *params,
                     struct bj_error *error)
{
    static const struct record nothing;
    char like[NAME_SIZE];
    *wish = (struct wish){.params = params, .other = &nothing};
    if (bj_get_copy(params, "like", like, sizeof(like)) > 0) {
        wish->like = registry_find_name(server, like);
        if (!wish->like)
            wish->like = registry_find_id(server, like);
        if (!wish->like)
            return bj_fail(error, -ENOENT, "no sandbox is named %s: 'belljar ls' lists them", like);
        wish->other = &wish->like->record;
    } else if (!bj_get(params, "argv")) {
        return bj_fail(error, -EINVAL, "sandbox.run needs the parameter argv, or like");
    }
    text(wish, "agent", wish->other->agent, wish->agent, sizeof(wish->agent));
    text(wish, "driver", wish->other->driver, wish->driver, sizeof(wish->driver));
    text(wish, "session", wish->other->session, wish->session, sizeof(wish->session));
    text(wish, "project", wish->other->project, wish->project, sizeof(wish->project));
    text(wish, "policy", wish->other->policy, wish->policy, sizeof(wish->policy));
    bj_get_copy(params, "path", wish->path, sizeof(wish->path));
    bj_get_copy(params, "name", wish->name, sizeof(wish->name));
    wish->argv = take_argv(wish, error);
    wish->env = wish->argv ? take_env(wish, error) : NULL;
    wish->prompt = dispatch_text(params, "prompt");
    if (wish->env && !wish->prompt)
        bj_fail(error, -ENOMEM, "out of memory");
    return error->code;
}

static void start_wished(struct client *client, const struct wish *wish, struct call *call)
{
    const struct record *other = wish->other;
    struct start_options options = {
        .argv = (const char *const *)wish->argv,
        .argc = strings_count(wish->argv),
        .env = (const char *const *)wish->env,
        .name = wish->name,
        .agent = wish->agent,
        .prompt = wish->prompt,
        .path = wish->path,
        .resume = bj_get_bool(wish->params, "resume", false),
        .instead = takes(wish, "instead") ? other->instead && wish->agent[0]
                                          : bj_get_bool(wish->params, "instead", false),
        .project = wish->project,
        .driver = wish->driver[0] ? wish->driver : drivers[0]->name,
        .session = wish->session[0] ? wish->session : BJ_SESSION_DEFAULT,
        .policy = wish->policy,
        .limits = {number(wish, "memory", other->limits.memory, UINT64_MAX),
                   number(wish, "millicpus", other->limits.millicpus, UINT64_MAX),
                   number(wish, "pids", other->limits.pids, UINT64_MAX)},
        .quotas = {number(wish, "disk", other->quotas.disk, UINT64_MAX),
                   number(wish, "egress", other->quotas.egress, UINT64_MAX),
                   number(wish, "wall_clock", other->quotas.wall_clock, UINT64_MAX),
                   wish->like ? other->quotas.recording_age : UINT64_MAX},
        .rows = (uint32_t)number(wish, "rows", other->rows, 0),
        .cols = (uint32_t)number(wish, "cols", other->cols, 0),
        .scrollback = number(wish, "scrollback", other->scrollback, DEFAULT_SCROLLBACK),
        .record_limit = number(wish, "record_limit", other->record_limit, DEFAULT_RECORD_LIMIT),
        .like = wish->like != NULL,
    };
    options.rows = options.rows ? options.rows : DEFAULT_ROWS;
    options.cols = options.cols ? options.cols : DEFAULT_COLS;
    start_sandbox(client->server, &options, call);
}

static void sandbox_run(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct bj_error error = {0};
    struct wish wish;
    int status = wish_read(&wish, client->server, params, &error);
    struct call *call = status == 0 ? call_keep(client, id) : NULL;
    if (status < 0)
        dispatch_fail(client, id, &error);
    if (call)
        start_wished(client, &wish, call);
    wish_free(&wish);
}

static void sandbox_restart(struct client *client, uint32_t id, const msgpack_object *params)
{
    struct bj_error error = {0};
    char name[NAME_SIZE], path[BJ_PATH_MAX + 1];
    bj_get_copy(params, "name", name, sizeof(name));
    bj_get_copy(params, "path", path, sizeof(path));
    struct sandbox *sandbox = registry_find_name(client->server, name);
    char *prompt = dispatch_text(params, "prompt");
    char **env = strings_copy(bj_get(params, "env"), &error);
    if (!sandbox)
        bj_fail(&error, -ENOENT, "no sandbox is named %s: 'belljar ls' lists them", name);
    else if (!prompt && !error.code)
        bj_fail(&error, -ENOMEM, "out of memory");
    struct call *call = error.code ? NULL : call_keep(client, id);
    if (error.code)
        dispatch_fail(client, id, &error);
    if (call) {
        struct start_options options = {
            .env = (const char *const *)env,
            .prompt = prompt,
            .path = path,
            .resume = !bj_get_bool(params, "fresh", false),
        };
        start_again(sandbox, &options, call);
    }
    profile_list_free(env);
    free(prompt);
}

static const struct dispatch_method methods[] = {
    {"sandbox.run", sandbox_run},
    {"sandbox.restart", sandbox_restart},
};

bool dispatch_run(struct client *client, uint32_t id, const struct bj_method *method,
                  const msgpack_object *params)
{
    return dispatch_among(methods, sizeof(methods) / sizeof(*methods), client, id, method, params);
}
