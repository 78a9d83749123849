/*
 * Remembered verdicts. The file (STATE/rules.json) is written whole, beside the old one, synced and
 * renamed, before a change counts; when that fails nothing has changed.
 *
 * A rule is never wider than what was shown: rule_from_request() makes the pattern that matches the
 * request's subject and nothing else, and the sentence that the human reads is made from the rule.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mux/policy/policy.h"
#include "transport/error.h"

#define RULES_MAX         4096
#define RULE_VALUE_MAX    4096
#define RULE_REQUEST_MAX  64
#define RULE_SENTENCE_MAX 12288

enum rule_scope { RULE_SANDBOX = 1, RULE_PROJECT, RULE_ALL };
const char *rule_scope_name(enum rule_scope scope);
int rule_scope_find(const char *name); /* -1 when there is none */

struct rule {
    uint64_t id;               /* counts up, never used twice */
    enum policy_effect effect; /* allow or deny */
    struct policy_pattern pattern;
    enum rule_scope scope;
    char *value;                    /* sandbox id or project directory; NULL for all */
    double created;                 /* unix seconds */
    double expires;                 /* 0: never */
    char request[RULE_REQUEST_MAX]; /* id of the request it answered, may be "" */
};

struct rules {
    struct rule *list; /* oldest first */
    size_t count, room;
    uint64_t next;
    char *path; /* NULL: kept in memory only */
};

/* Reads the file; a missing one is empty. -EINVAL, naming the file, when it is damaged: then
 * nothing is loaded, and the caller decides whether to go on without. */
int rules_open(struct rules *rules, const char *path, struct bj_error *error);
void rules_free(struct rules *rules);
void rule_free(struct rule *rule);

/* Makes a rule out of what a request was about. `seconds` 0: for good. -EINVAL when the subject or
 * scope cannot be one. The rule is the caller's until added. */
int rule_from_request(struct rule *rule, enum policy_kind kind, const char *subject, size_t size,
                      enum policy_effect effect, enum rule_scope scope, const char *value,
                      double now, double seconds, const char *request, struct bj_error *error);
/* The same with a pattern that a human wrote or accepted from a suggestion. */
int rule_from_pattern(struct rule *rule, enum policy_kind kind, const char *pattern,
                      enum policy_effect effect, enum rule_scope scope, const char *value,
                      double now, double seconds, const char *request, struct bj_error *error);

/* "Allow connections to host:port, for every sandbox, until 2031-05-01 10:00 UTC." `name` is shown
 * in place of the scope's value when given. */
void rule_sentence(const struct rule *rule, const char *name, char out[RULE_SENTENCE_MAX]);

/* Takes the rule over (its id is set) and saves. A rule equal in all but times replaces the old
 * one. */
int rules_add(struct rules *rules, struct rule *rule, struct bj_error *error);
/* -ENOENT. *removed (may be NULL) becomes the caller's. */
int rules_remove(struct rules *rules, uint64_t id, struct rule *removed, struct bj_error *error);
/* Removes the one added last; -ENOENT when there is none. */
int rules_undo(struct rules *rules, struct rule *removed, struct bj_error *error);
/* Removes what has expired; returns how many, or a negative code. */
int rules_expire(struct rules *rules, double now, struct bj_error *error);
/* Removes the rules of a sandbox that is gone; returns how many, or a negative code. */
int rules_forget(struct rules *rules, const char *sandbox, struct bj_error *error);

const struct rule *rules_find(const struct rules *rules, uint64_t id);
/* Whether it applies to this sandbox and project now. An allowing rule with an expiry does not
 * count before it was made either, so that a clock set back gives it no second life. */
bool rule_applies(const struct rule *rule, const char *sandbox, const char *project, double now);
