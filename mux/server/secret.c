#include "mux/server/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *secret_variable(const char *name, struct bj_error *error)
{
    const char *value = getenv(name);
    if (!value || !*value)
        bj_fail(error, -ENOENT,
                "the variable %.100s is not set where the server was started: set it and restart "
                "the server, or use file: or command:",
                name);
    return value && *value ? value : NULL;
}

int secret_path(const char *from, char path[BJ_PATH_MAX], struct bj_error *error)
{
    const char *home = getenv("HOME");
    bool below_home = strncmp(from, "~/", 2) == 0;
    return bj_path(path, BJ_PATH_MAX, error, "%s%s", below_home && home ? home : "",
                   below_home ? from + 1 : from);
}

int secret_check(const struct policy_credential *credential, struct bj_error *error)
{
    if (credential->source == CREDENTIAL_ENV)
        return secret_variable(credential->from, error) ? 0 : -ENOENT;
    if (credential->source != CREDENTIAL_FILE)
        return 0;
    char path[BJ_PATH_MAX];
    int status = secret_path(credential->from, path, error);
    if (status == 0 && access(path, R_OK) < 0)
        status =
            bj_fail(error, -errno, "its file %.200s cannot be read: %s", path, strerror(errno));
    return status;
}
