#include "mux/server/start_private.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mux/egress/proxy_env.h"
#include "mux/server/server.h"

static char **copy(const char *const *env)
{
    size_t count = 0;
    while (env && env[count])
        count++;
    char **list = calloc(count + 1, sizeof(*list));
    for (size_t i = 0; list && i < count; i++)
        if (!(list[i] = strdup(env[i]))) {
            profile_list_free(list);
            return NULL;
        }
    return list;
}

int start_copy_env(struct start *start, const char *const *env)
{
    struct sandbox *sandbox = start->sandbox;
    char **given = copy(env);
    start->env = copy(env);
    if (!given || !start->env || record_set_variables(&sandbox->record, env) < 0) {
        profile_list_free(given);
        return -ENOMEM;
    }
    profile_list_free(sandbox->env);
    sandbox->env = given;
    return 0;
}

int start_take_profile(struct start *start, const struct start_options *options,
                       struct bj_error *error)
{
    bool talks = options->prompt[0] || (options->resume && !start->again);
    if (!options->agent[0])
        return talks || options->instead
                   ? bj_fail(error, -EINVAL,
                             "a prompt, resuming or a program instead needs the agent's profile")
                   : 0;
    if (options->instead && talks)
        return bj_fail(error, -EINVAL, "a program instead of the agent takes no prompt");
    struct profile *profile = &start->profile;
    int status = profile_load(profile, &start->server->paths, options->agent, error);
    if (status == 0)
        status = profile_find(profile, options->path, &start->place, error);
    if (status == 0 && options->prompt[0] && !profile->prompt[0])
        status = bj_fail(error, -EINVAL, "the profile %s takes no first prompt", profile->name);
    if (status == 0 && options->resume && !profile->resume[0] && !start->again)
        status = bj_fail(error, -EINVAL, "the profile %s cannot resume", profile->name);
    if (status < 0)
        return status;
    struct record *record = &start->sandbox->record;
    record->instead = options->instead;
    if (record->instead && start->again)
        return 0;
    if (record->instead)
        return record_set_arguments(record, options->argv, options->argc) < 0 ||
                       record_set_argv(record, options->argv, options->argc) < 0
                   ? bj_fail(error, -ENOMEM, "out of memory")
                   : 0;
    /* Before its first prompt there is no conversation, which some agents end over: then it starts
     * once more as it did, with the prompt that it may have got. */
    bool anew = start->again && options->resume && record->unheard;
    if (!start->again)
        record->unheard = profile->tells;
    if (anew && !options->prompt[0])
        return 0;
    char **argv = profile_argv(profile, &start->place, options->argv, options->prompt,
                               options->resume && !anew);
    if (!argv || record_set_arguments(record, options->argv, options->argc) < 0) {
        profile_list_free(argv);
        return bj_fail(error, -ENOMEM, "out of memory");
    }
    profile_list_free(record->argv);
    record->argv = argv;
    return 0;
}

/* What leads programs to the proxy, and placeholders of credentials, go before what the caller
 * gave, which so has the last word. An agent that takes one of several keys does not hear of those
 * that are missing: it would choose one of them. */
int start_add_env(struct start *start, struct bj_error *error)
{
    const struct policy *policy = &start->sandbox->guard.policy;
    struct server *server = start->sandbox->server;
    char *const *profile = start->profile.env;
    size_t proxy = proxy_env_count(), own = 0, at = 0, profiles = 0;
    while (start->env[own])
        own++;
    while (profile && profile[profiles])
        profiles++;
    char **env = calloc(proxy + 2 * policy->credentials_count + profiles + own + 1, sizeof(*env));
    if (!env)
        return bj_fail(error, -ENOMEM, "out of memory");
    bool whole = true;
    for (size_t i = 0; i < proxy; i++) {
        char text[PROXY_ENV_TEXT_MAX];
        proxy_env_text(i, START_PROXY_PORT, text);
        whole = (env[at++] = strdup(text)) && whole;
    }
    for (size_t i = 0; whole && i < policy->credentials_count; i++) {
        const struct policy_credential *credential = &policy->credentials[i];
        if (secret_check(&server->secrets, credential, NULL) < 0 &&
            profile_spares(&start->profile, &server->paths, &server->secrets, credential->name))
            continue;
        if (credential->placeholder_env)
            whole = asprintf(&env[at++], "%s=belljar-placeholder-%s", credential->placeholder_env,
                             credential->name) > 0;
        if (whole && credential->base_url_env)
            whole = asprintf(&env[at++], "%s=http://127.0.0.1:%u/belljar/credential/%s",
                             credential->base_url_env, START_PROXY_PORT, credential->name) > 0;
    }
    for (size_t i = 0; whole && i < profiles; i++)
        whole = (env[at++] = strdup(profile[i])) && whole;
    for (size_t i = 0; i < own; i++)
        env[at++] = start->env[i];
    free(start->env);
    start->env = env;
    return whole ? 0 : bj_fail(error, -ENOMEM, "out of memory");
}

int start_fill_home(const struct start *start, struct bj_error *error)
{
    const struct record *record = &start->sandbox->record;
    char home[BJ_PATH_MAX];
    int status = sandbox_state_path(start->sandbox, "home", home, error);
    return status < 0 ? status
                      : profile_fill_home(&start->profile, home, geteuid() == 0, record->uid,
                                          record->gid, error);
}

int start_fix_home(const struct start *start, struct bj_error *error)
{
    const struct record *record = &start->sandbox->record;
    char home[BJ_PATH_MAX], kept[BJ_PATH_MAX];
    int status = sandbox_state_path(start->sandbox, "home", home, error);
    if (status == 0)
        status = sandbox_state_path(start->sandbox, "kept", kept, error);
    return status < 0 ? status
                      : profile_fix_home(&start->profile, home, kept, geteuid() == 0, record->uid,
                                         record->gid, error);
}

/* Whether the directory is among those that are kept already. */
static bool is_kept(const struct start_fixed *fixed, size_t count, const char *target)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fixed->mounts[i].target, target) == 0)
            return true;
    return false;
}

int start_add_fixed(const struct start *start, struct start_fixed *fixed,
                    struct wall_file made[WALL_FILES_MAX], struct wall_plan *plan,
                    struct bj_error *error)
{
    const struct profile *profile = &start->profile;
    plan->kept = fixed->mounts;
    for (size_t i = 0; i < profile->fixed_count; i++) {
        const struct profile_file *file = &profile->fixed[i];
        const char *slash = strchr(file->target, '/');
        if (plan->made_count == WALL_FILES_MAX)
            return bj_fail(error, -E2BIG, "the profile has more than %d files", WALL_FILES_MAX);
        int status = bj_path(fixed->files[i], BJ_PATH_MAX, error, WALL_HOME "/%s", file->target);
        if (status < 0)
            return status;
        made[plan->made_count++] = (struct wall_file){fixed->files[i], file->text, file->size};
        if (!slash)
            continue;
        char name[BJ_PATH_MAX];
        size_t at = plan->kept_count;
        int length = (int)(slash - file->target);
        status = bj_path(name, sizeof(name), error, "kept/%.*s", length, file->target);
        if (status == 0)
            status = sandbox_state_path(start->sandbox, name, fixed->sources[at], error);
        if (status == 0)
            status = bj_path(fixed->targets[at], BJ_PATH_MAX, error, WALL_HOME "/%.*s", length,
                             file->target);
        if (status < 0)
            return status;
        if (is_kept(fixed, at, fixed->targets[at]))
            continue;
        fixed->mounts[at] = (struct wall_mount){fixed->sources[at], fixed->targets[at], true};
        plan->kept_count++;
    }
    return 0;
}

int start_add_acp(const struct start *start, char real[PATH_MAX],
                  struct wall_mount mounts[WALL_MOUNTS_MAX], struct wall_plan *plan,
                  struct bj_error *error)
{
    const char *program = start->sandbox->record.argv[0];
    if (!program || strcmp(program, BJ_ACP_INSIDE) != 0)
        return 0;
    int status = start_find_program(start, "belljar-acp", real, error);
    if (status == 0)
        mounts[plan->mounts_count++] = (struct wall_mount){real, BJ_ACP_INSIDE, false};
    return status;
}

void start_add_profile(const struct start *start, struct wall_mount mounts[WALL_MOUNTS_MAX],
                       struct wall_file made[WALL_FILES_MAX], struct wall_plan *plan)
{
    const struct profile *profile = &start->profile;
    const struct profile_place *place = &start->place;
    for (size_t i = 0; i < place->count; i++)
        mounts[i] = (struct wall_mount){place->mounts[i].source, place->mounts[i].target,
                                        place->mounts[i].directory};
    for (size_t i = 0; i < profile->files_count; i++)
        made[i] = (struct wall_file){profile->files[i].target, profile->files[i].text,
                                     profile->files[i].size};
    plan->mounts = mounts;
    plan->mounts_count = place->count;
    plan->made = made;
    plan->made_count = profile->files_count;
}
