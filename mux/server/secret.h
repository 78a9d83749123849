/*
 * Where a credential's secret is on this host, as its policy says: looked at by egress_secret.c,
 * which reads it for the proxy, and beforehand, so that a user hears what is missing before an
 * agent starts.
 */
#pragma once

#include "mux/policy/policy.h"
#include "transport/error.h"
#include "transport/paths.h"

/* The value of a variable; NULL with the reason, and what to do, in *error when it is not set. */
const char *secret_variable(const char *name, struct bj_error *error);

/* The path of a secret's file: ~/ is the user's home. */
int secret_path(const char *from, char path[BJ_PATH_MAX], struct bj_error *error);

/* Whether it could be read: 0, or why not. A command is not run, and taken for granted. */
int secret_check(const struct policy_credential *credential, struct bj_error *error);
