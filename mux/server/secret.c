#include "mux/server/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

/* Where the variable is among those that were given; `count` when it is not. */
static size_t find(const struct secrets *secrets, const char *name, size_t size)
{
    size_t i = 0;
    while (i < secrets->count &&
           (strncmp(secrets->given[i], name, size) != 0 || secrets->given[i][size] != '='))
        i++;
    return i;
}

const char *secret_variable(const struct secrets *secrets, const char *name, struct bj_error *error)
{
    const char *value = getenv(name);
    size_t size = strlen(name), at = find(secrets, name, size);
    if (at < secrets->count)
        return secrets->given[at] + size + 1;
    if (value && *value)
        return value;
    bj_fail(
        error, -ENOENT,
        "the variable %.100s is not set: set it where you start belljar (for a policy of --policy: "
        "where the server starts), or use file: or command:",
        name);
    return NULL;
}

int secret_give(struct secrets *secrets, const char *variable, struct bj_error *error)
{
    char name[SECRET_NAME_MAX];
    const char *value = strchr(variable, '=');
    size_t size = value ? (size_t)(value - variable) : 0;
    if (size == 0 || size >= sizeof(name) || !value[1] || strlen(value + 1) >= SECRET_MAX)
        return bj_fail(error, -EINVAL, "a variable is no NAME=VALUE of at most %d bytes",
                       SECRET_MAX - 1);
    snprintf(name, sizeof(name), "%.*s", (int)size, variable);
    const char *known = secret_variable(secrets, name, NULL);
    if (known && strcmp(known, value + 1) == 0)
        return 0;
    size_t at = find(secrets, name, size);
    if (at == SECRET_GIVEN_MAX)
        return bj_fail(error, -ENOSPC, "there are %d variables already", SECRET_GIVEN_MAX);
    char *copy = sodium_malloc(strlen(variable) + 1);
    if (!copy)
        return bj_fail(error, -ENOMEM, "out of memory");
    strcpy(copy, variable);
    if (at == secrets->count)
        secrets->count++;
    else
        sodium_free(secrets->given[at]);
    secrets->given[at] = copy;
    return 0;
}

void secret_forget(struct secrets *secrets)
{
    while (secrets->count > 0)
        sodium_free(secrets->given[--secrets->count]); /* which overwrites it */
}

int secret_check(const struct secrets *secrets, const struct policy_credential *credential,
                 struct bj_error *error)
{
    if (credential->source == CREDENTIAL_ENV)
        return secret_variable(secrets, credential->from, error) ? 0 : -ENOENT;
    if (credential->source != CREDENTIAL_FILE)
        return 0;
    char path[BJ_PATH_MAX];
    int status = bj_path_home(path, sizeof(path), error, credential->from);
    if (status == 0 && access(path, R_OK) < 0)
        status =
            bj_fail(error, -errno, "its file %.200s cannot be read: %s", path, strerror(errno));
    return status;
}
