/*
 * The audit log (mux/audit) as the server writes it.
 *
 * What may only happen once it is on record goes through ledger_commit(): a verdict, a rule. All
 * else is noted: what cannot be written now waits in memory, in order, is tried again each second,
 * and is written before anything later. While the log cannot be written no verdict is taken, and a
 * critical alert says so. Texts of a sandbox are cleaned before they get here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>
#include <uv.h>

#include "mux/audit/audit.h"
#include "transport/error.h"

#define LEDGER_WAITING_MAX 65536 /* records; beyond it the oldest of them are counted, not kept */

struct server;
struct sandbox;
struct ledger_record;

struct ledger {
    struct audit *audit; /* NULL: could not be opened */
    struct ledger_record *first, *last;
    size_t waiting, dropped;
    uv_timer_t retry; /* runs only while something waits */
    bool failing;
    struct bj_error why;
};

void ledger_open(struct server *server);
void ledger_close(struct server *server);

/* `sandbox` may be NULL; name, id and project of it are added. Takes `fields` over, NULL counts as
 * out of memory. */
void ledger_note(struct server *server, enum audit_kind kind, const struct sandbox *sandbox,
                 json_t *fields);
int ledger_commit(struct server *server, enum audit_kind kind, const struct sandbox *sandbox,
                  json_t *fields, struct bj_error *error);

/* Whether verdicts are refused now; then *error says why. */
bool ledger_failing(struct server *server, struct bj_error *error);
