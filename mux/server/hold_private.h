/*
 * The parts of hold.h: hold.c takes questions and lets go of them, hold_answer.c brings a verdict
 * to those who wait, hold_settle.c gives those that no human gives: by rule, or because it is late.
 */
#pragma once

#include <stdbool.h>

#include "mux/server/hold.h"

/* What a record of the audit log says of it; NULL when memory is short. */
json_t *hold_about(const struct request *request);
/* The request is over; `by` says who ended it, or "". */
void hold_close(struct server *server, struct request *request, const char *outcome,
                const char *by);

/* One verdict on its way. `meant` says of each of the request's askers whether it is for him. It is
 * put on record first, then delivered (which ends it), else freed. */
struct answer;
struct answer *hold_answer_new(struct server *server, struct request *request, bool allow,
                               const char *by, const char *reason); /* NULL without memory */
void hold_answer_free(struct answer *answer);
int hold_commit(struct server *server, const struct request *request, const bool *meant,
                enum policy_effect effect, const char *by, const char *where,
                struct bj_error *error);
void hold_deliver(struct answer *answer, struct request *request, const bool *meant);
