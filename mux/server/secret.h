/*
 * Where a credential's secret is on this host, as its policy says: looked at by egress_secret.c,
 * which reads it for the proxy, and beforehand, so that a user hears what is missing before an
 * agent starts.
 *
 * A variable (env:) is the one that a client gave last, when it ran an agent or showed the
 * dashboard, as if the server had been started with it: so a key that was mistyped or replaced is
 * set right. It is kept in locked memory, and nowhere else. Without one it is that of the server's
 * environment.
 */
#pragma once

#include <stddef.h>

#include "mux/policy/policy.h"
#include "transport/error.h"
#include "transport/paths.h"

#define SECRET_GIVEN_MAX 64
#define SECRET_NAME_MAX  256  /* bytes of a variable's name, with the NUL */
#define SECRET_MAX       8192 /* bytes of a secret, likewise */

/* What clients gave: NAME=VALUE, owned. Used by the loop's thread alone. */
struct secrets {
    char *given[SECRET_GIVEN_MAX];
    size_t count;
};

/* The value of a variable; NULL with the reason, and what to do, in *error when it is not set. */
const char *secret_variable(const struct secrets *secrets, const char *name,
                            struct bj_error *error);

/* Keeps NAME=VALUE, in place of another value of before. -EINVAL when it is none, or longer than a
 * secret can be; -ENOSPC, -ENOMEM. */
int secret_give(struct secrets *secrets, const char *variable, struct bj_error *error);

/* Overwrites and frees all of it. */
void secret_forget(struct secrets *secrets);

/* Whether it could be read: 0, or why not. A command is not run, and taken for granted. */
int secret_check(const struct secrets *secrets, const struct policy_credential *credential,
                 struct bj_error *error);
