/*
 * What `request.details` says of one request, for the card and for the remembering menu.
 *
 * The sentences of the rules are the server's own, made from the rule that would be kept; a
 * sentence counts only for the verdict and the time for which it was asked. The struct owns its
 * detail.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tui/model/field.h"

#define DETAILS_RULE_MAX   12400
#define DETAILS_DETAIL_MAX (64 * 1024) /* bytes that are kept; a cut is marked */

enum rule_scope { SCOPE_SANDBOX, SCOPE_PROJECT, SCOPE_ALL, SCOPES };
const char *details_scope_name(enum rule_scope scope); /* as request.resolve takes it */

enum details_state { DETAILS_NONE, DETAILS_LOADING, DETAILS_READY, DETAILS_FAILED };

/* Which details are wanted; an empty id: none. */
struct details_wish {
    char id[FLEET_ID_MAX];
    bool deny;        /* the rules are of a denial */
    uint32_t seconds; /* how long they would count; 0: for good */
    uint64_t count;   /* sandboxes that asked; more make a new question */
};

struct details {
    enum details_state state;
    struct details_wish wish;
    unsigned serial; /* of the question; an answer to another one is dropped */
    bool known;      /* an answer has come for this request; the rules may be of another choice */
    char error[256]; /* why it failed */
    char subject[4200], where[512], why[1024];
    char sandboxes[2048];                 /* names */
    char rules[SCOPES][DETAILS_RULE_MAX]; /* "" where it cannot be remembered */
    bool rules_fit; /* the sentences are of the verdict and the time that were asked for */
    uint64_t asked, allowed, denied;
    double last;  /* unix seconds; 0: never */
    char *detail; /* owned; NULL when there is none */
    size_t detail_left;
};

void details_free(struct details *details); /* empty afterwards */

/* Whether the wish is another one than that which was asked for last. If so it is asked for from
 * now on: the state is LOADING (or NONE) and `serial` a new one. What was known of the same request
 * stays, but for the rules. */
bool details_want(struct details *details, const struct details_wish *wish);

/* The answer. One to another question, or one about another request, changes nothing. 0 or -ENOMEM.
 */
int details_take(struct details *details, unsigned serial, const msgpack_object *result);
void details_fail(struct details *details, unsigned serial, const char *why);

/* The sentence of a rule, or NULL when it is not known or cannot be. */
const char *details_rule(const struct details *details, enum rule_scope scope);
