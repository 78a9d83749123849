/*
 * Remembered rules as the server keeps them (mux/policy/rules.h): added and forgotten on record,
 * expired in time, and each change carried out at once: what waits is answered, what is no longer
 * allowed is closed, clients are told.
 */
#pragma once

#include "mux/policy/rules.h"
#include "mux/server/sandbox.h"

/* At the server's start, after guards_open(). */
void rule_open(struct server *server);

/* Puts the rule on record, then among those that count; takes it over in every case. Its sentence
 * goes to `out`. The name of a sandbox is shown for its id. The caller then calls rule_changed().
 */
int rule_keep(struct server *server, struct rule *rule, const struct sandbox *sandbox,
              char out[RULE_SENTENCE_MAX], struct bj_error *error);
/* `id` 0: the one that was remembered last; *id is set. */
int rule_drop(struct server *server, uint64_t *id, char out[RULE_SENTENCE_MAX],
              struct bj_error *error);
void rule_changed(struct server *server);

/* The sentence with the sandbox's name in place of its id. */
void rule_say(const struct server *server, const struct rule *rule, char out[RULE_SENTENCE_MAX]);
