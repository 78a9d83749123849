/* What a policy file that a manifest names would change, for the human who is asked to accept it.
 */
#include <stdio.h>

#include "mux/policy/proposal.h"
#include "tui/cli/up_parts.h"

static void add_credential(json_t *lines, const struct policy_credential *credential)
{
    static const char *const sources[] = {
        [CREDENTIAL_ENV] = "env", [CREDENTIAL_FILE] = "file", [CREDENTIAL_COMMAND] = "command"};
    for (size_t i = 0; i < credential->hosts_count; i++)
        json_array_append_new(lines,
                              json_sprintf("+ credential %s: the secret %s:%s to %s",
                                           credential->name, sources[credential->source],
                                           credential->from, credential->hosts[i].host.text));
}

json_t *up_policy_lines(const struct up *up, const char *path)
{
    struct policy current = {0};
    struct proposal wanted = {0}; /* the same as of a project's, but that it may name credentials */
    struct proposal_line *changes = NULL;
    size_t count = 0;
    struct bj_error error = {0};
    json_t *lines = json_array();
    int status = policy_load_builtin(&current, up->paths, &error);
    if (status == 0)
        status = policy_load_own(&current, up->paths, &error);
    if (status == 0)
        status = policy_load_file(&wanted.policy, path, NULL, &error);
    if (status == 0)
        status = proposal_diff(&current, &wanted, &changes, &count, &error);
    if (status < 0)
        json_array_append_new(lines,
                              json_sprintf("+ it is not known what it changes: %s", error.text));
    for (size_t i = 0; i < wanted.policy.credentials_count; i++)
        add_credential(lines, &wanted.policy.credentials[i]);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            lines, json_sprintf("%s %s", changes[i].widens ? "+" : " ", changes[i].text));
    proposal_lines_free(changes, count);
    policy_free(&wanted.policy);
    policy_free(&current);
    return lines;
}
