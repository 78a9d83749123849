/*
 * The policy of a sandbox: its files, loaded at the start and on demand, its presets, found when
 * the first decision needs them (that runs programs of the host, in a worker), and what it decides
 * together with the remembered rules.
 *
 * Files in force, in this order: the built-in default.conf, policy.conf of the user's configuration
 * directory, after that of the agent's profile, the project's proposal once its very bytes were
 * accepted, the one of `run --policy`.
 */
#pragma once

#include <stdbool.h>

#include "mux/policy/policy.h"
#include "mux/policy/proposal.h"
#include "mux/policy/rules.h"
#include "transport/error.h"

struct server;
struct sandbox;
struct guard_load;
struct guard_wait;

enum guard_proposal { GUARD_NONE, GUARD_WAITING, GUARD_ACCEPTED, GUARD_REFUSED };

struct guard {
    struct policy policy;
    bool ready;               /* presets are resolved */
    struct guard_load *load;  /* in the worker */
    struct guard_wait *waits; /* for that */
    enum guard_proposal proposal;
    char hash[PROPOSAL_HASH_SIZE]; /* of the proposal that was looked at last */
};

/* At the server's start and end. */
void guards_open(struct server *server);
void guards_close(struct server *server);

/* Loads the files; on an error ("file:line: ...") nothing has changed. */
int guard_load(struct sandbox *sandbox, struct bj_error *error);
/* Likewise, but a file with an error only costs an alert: the built-in file alone counts then. */
void guard_recover(struct sandbox *sandbox);
void guard_free(struct sandbox *sandbox);

/* Looks whether the project copy proposes a policy, and asks the human when that is new. */
void guard_propose(struct sandbox *sandbox);
/* The human's verdict on the proposal with this hash. */
int guard_accept(struct sandbox *sandbox, const char *hash, bool accept, struct bj_error *error);
const char *guard_proposal_name(enum guard_proposal proposal);

/* Calls `ready` when the presets are resolved, at once when they are. `sandbox` is NULL when it was
 * removed meanwhile. */
typedef void guard_ready(struct sandbox *sandbox, void *argument);
void guard_wait(struct sandbox *sandbox, guard_ready *ready, void *argument);

/* What may be said of it inside: no path of the host, and no line of the policy. */
#define GUARD_REASON_MAX 512
void guard_reason(const struct policy_decision *decision, char out[GUARD_REASON_MAX]);

void guard_decide(struct sandbox *sandbox, enum policy_kind kind, const char *subject, size_t size,
                  struct policy_decision *decision);
