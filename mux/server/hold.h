/*
 * What is held until a human says so: questions of hooks inside (courtesy), connections at the
 * wall, a project's policy file. The policy and the remembered rules are asked first; only what
 * they hold becomes a request. Each question and each verdict is in the audit log before it has an
 * effect.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "mux/policy/policy.h"
#include "mux/server/client.h"
#include "mux/server/sandbox.h"

/* When somebody began to wait, in unix seconds, who has waited for the "waited" milliseconds of
 * `params`: a new server asks anew, the human has been asked since then. Not before the sandbox. */
double hold_asked(const struct sandbox *sandbox, const msgpack_object *params);

/* The record of a verdict that the policy or a rule gave at once. Takes `about` over; NULL when
 * memory is short. */
json_t *hold_decided(enum request_class class, json_t *about,
                     const struct policy_decision *decision);

/* A process inside asks on a channel of the link. */
void hold_hook(struct sandbox *sandbox, uint32_t channel, const struct request_text *text,
               double asked);

/* A connection waits under this number; `decision` says why. An error: it cannot be held. */
int hold_egress(struct sandbox *sandbox, uint64_t number, const struct policy_decision *decision,
                const char *detail, double asked, struct bj_error *error);

/* The project's policy file with this hash wants to count. */
void hold_proposal(struct sandbox *sandbox, const char *hash, const char *title,
                   const char *detail);

/* Who asked does not wait any more. */
void hold_gone(struct sandbox *sandbox, enum request_source source, uint64_t number);
void hold_drop(struct sandbox *sandbox, enum request_source source); /* all of this source */
void hold_forget(struct sandbox *sandbox);                           /* all of it */

/* The human's verdict. `scope` 0: once; else it is remembered, for `seconds` or, 0, for good. Takes
 * the call over. */
struct hold_verdict {
    const char *id;
    enum policy_effect answer; /* allow or deny */
    const char *reason;        /* told to who asked */
    const char *by;            /* the client's label; copied */
    int scope;                 /* enum rule_scope */
    uint32_t seconds;
};
void hold_answer(struct server *server, struct call *call, const struct hold_verdict *verdict);

/* Rules or policies changed: what they answer now is answered. */
void hold_settle(struct server *server);

/* Milliseconds that one of this sandbox waits: as its policy says, at most BJ_ASK_WAIT_MAX seconds,
 * behind which hooks give up. */
uint64_t hold_wait(const struct sandbox *sandbox);
/* Denies what has waited for so long, on record as "expired". A project's policy file is left:
 * nobody waits for it. */
void hold_expire(struct server *server);

/* A rule of what this request is about. -EINVAL when none can be made. */
int hold_rule(const struct server *server, const struct request *request, enum policy_effect effect,
              enum rule_scope scope, const struct sandbox *sandbox, uint32_t seconds,
              struct rule *rule, struct bj_error *error);
