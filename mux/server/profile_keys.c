/* What of the credentials that profiles name is at hand, before anything is started. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mux/policy/policy.h"
#include "mux/server/profile.h"
#include "mux/server/secret.h"

/* The profile's policy (NULL: none) with the user's own over it: of the credentials the first `own`
 * are named by the profile, and where each secret is, the file that was loaded last says. */
static int load(struct policy *policy, const char *file, const struct bj_paths *paths, size_t *own,
                struct bj_error *error)
{
    int status = file ? policy_load_file(policy, file, NULL, error) : 0;
    *own = policy->credentials_count;
    return status < 0 ? status : policy_load_own(policy, paths, error);
}

static void look(const struct secrets *secrets, const struct policy *policy, size_t own,
                 char why[BJ_ERROR_TEXT_MAX])
{
    size_t used = 0;
    for (size_t i = 0; i < own; i++) {
        const struct policy_credential *credential = &policy->credentials[i];
        struct bj_error error = {0};
        if (secret_check(secrets, credential, &error) == 0) {
            why[0] = '\0';
            return;
        }
        if (used < BJ_ERROR_TEXT_MAX)
            used += (size_t)snprintf(why + used, BJ_ERROR_TEXT_MAX - used, "%s%s: %s",
                                     used > 0 ? "; or " : "", credential->name, error.text);
    }
}

void profile_keyless(const struct profile *profile, const struct bj_paths *paths,
                     const struct secrets *secrets, char why[BJ_ERROR_TEXT_MAX])
{
    struct policy policy = {0};
    struct bj_error error = {0};
    size_t own;
    why[0] = '\0';
    if (!profile->policy)
        return;
    if (load(&policy, profile->policy, paths, &own, &error) == 0)
        look(secrets, &policy, own, why);
    else
        snprintf(why, BJ_ERROR_TEXT_MAX, "%s", error.text);
    policy_free(&policy);
}

bool profile_spares(const struct profile *profile, const struct bj_paths *paths,
                    const struct secrets *secrets, const char *credential)
{
    struct policy policy = {0};
    size_t own = 0;
    bool named = false, other = false;
    if (profile->policy && load(&policy, profile->policy, paths, &own, NULL) < 0)
        own = 0;
    for (size_t i = 0; i < own; i++) {
        bool at_hand = secret_check(secrets, &policy.credentials[i], NULL) == 0;
        if (strcmp(policy.credentials[i].name, credential) == 0)
            named = !at_hand;
        else
            other |= at_hand;
    }
    policy_free(&policy);
    return named && other;
}

static bool is_among(const struct profile_variables *variables, const char *name)
{
    size_t i = 0;
    while (i < variables->count && strcmp(variables->names[i], name) != 0)
        i++;
    return i < variables->count;
}

/* A file with a mistake is told of when an agent starts with it. */
static void add_variables(struct profile_variables *variables, const char *file,
                          const struct bj_paths *paths)
{
    struct policy policy = {0};
    size_t own;
    load(&policy, file, paths, &own, NULL);
    for (size_t i = 0; i < policy.credentials_count; i++) {
        const struct policy_credential *credential = &policy.credentials[i];
        if (credential->source != CREDENTIAL_ENV || variables->count == SECRET_GIVEN_MAX ||
            is_among(variables, credential->from))
            continue;
        char *name = strdup(credential->from);
        if (name)
            variables->names[variables->count++] = name;
    }
    policy_free(&policy);
}

static void add_profile(struct profile_variables *variables, const char *name,
                        const struct bj_paths *paths)
{
    struct profile profile;
    if (profile_load(&profile, paths, name, NULL) < 0)
        return;
    if (profile.policy)
        add_variables(variables, profile.policy, paths);
    profile_free(&profile);
}

void profile_variables(struct profile_variables *variables, const struct bj_paths *paths,
                       const char *agent)
{
    char **names = agent ? NULL : profile_names(paths);
    variables->count = 0;
    add_variables(variables, NULL, paths);
    for (char **at = names; at && *at; at++)
        add_profile(variables, *at, paths);
    if (agent && *agent)
        add_profile(variables, agent, paths);
    profile_list_free(names);
}

bool profile_wants(const struct profile_variables *variables, const char *variable)
{
    for (size_t i = 0; i < variables->count; i++) {
        size_t size = strlen(variables->names[i]);
        if (strncmp(variables->names[i], variable, size) == 0 && variable[size] == '=')
            return true;
    }
    return false;
}

void profile_variables_free(struct profile_variables *variables)
{
    while (variables->count > 0)
        free(variables->names[--variables->count]);
}
