/*
 * The agent's requests for permission, each asked by a `belljar-shim ask --dialect acp` of its own,
 * so that the policy outside, then the human decides.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include <jansson.h>

#define PERMISSIONS_MAX 16

struct permission {
    pid_t pid; /* 0: free */
    int words; /* its standard error: the reason */
    json_t *id, *options;
    char title[256];
    char reason[1024];
    size_t reason_size;
};

/* Starts to ask. False: it can't be asked now, which is a denial. */
bool permission_ask(struct permission *permission, const json_t *id, const json_t *params);

/* What is sent back for an exit code of ask: 0 allows, 1 denies, else cancelled. A new reference.
 */
json_t *permission_outcome(const struct permission *permission, int code);

/* The human's words behind the colon, "" when there are none. */
const char *permission_reason(struct permission *permission);
void permission_free(struct permission *permission);

/* Says what the agent does: "UserPromptSubmit" it works, "Stop" it is done, "SessionStart" it
 * waits.
 */
void permission_tell(const char *event);
