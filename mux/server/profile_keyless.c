/* Whether a profile's credentials are at hand, before anything is started. */
#include <stdio.h>
#include <string.h>

#include "mux/policy/policy.h"
#include "mux/server/profile.h"
#include "mux/server/secret.h"

/* The names are the profile's; where each secret is, the file that was loaded last says. */
static void look(const struct policy *policy, size_t names, char why[BJ_ERROR_TEXT_MAX])
{
    size_t used = 0;
    for (size_t i = 0; i < names; i++) {
        const struct policy_credential *credential = &policy->credentials[i];
        struct bj_error error = {0};
        if (secret_check(credential, &error) == 0) {
            why[0] = '\0';
            return;
        }
        if (used < BJ_ERROR_TEXT_MAX)
            used += (size_t)snprintf(why + used, BJ_ERROR_TEXT_MAX - used, "%s%s: %s",
                                     used > 0 ? "; or " : "", credential->name, error.text);
    }
}

void profile_keyless(const struct profile *profile, const struct bj_paths *paths,
                     char why[BJ_ERROR_TEXT_MAX])
{
    struct policy policy = {0};
    struct bj_error error = {0};
    char own[BJ_PATH_MAX];
    why[0] = '\0';
    if (!profile->policy)
        return;
    int status = policy_load_file(&policy, profile->policy, NULL, &error);
    size_t names = policy.credentials_count;
    if (status == 0)
        status = bj_path(own, sizeof(own), &error, "%s/policy.conf", paths->config);
    if (status == 0)
        status = policy_load_optional(&policy, own, NULL, &error);
    if (status == 0)
        look(&policy, names, why);
    else
        snprintf(why, BJ_ERROR_TEXT_MAX, "%s", error.text);
    policy_free(&policy);
}
