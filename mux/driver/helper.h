/*
 * The environment of monitors and egress proxies. They parse what comes from a sandbox or from the
 * network, so they get nothing of the user's environment, where keys and tokens are, but the few
 * variables of a table and Belljar's own.
 */
#pragma once

#define HELPER_ENVIRONMENT_MAX 64

/* Fills `out`, which ends with NULL; its texts are those of our own environment. Variables beyond
 * the maximum are left out. */
void helper_environment(char *out[HELPER_ENVIRONMENT_MAX + 1]);
