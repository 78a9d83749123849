/*
 * Alerts: what the human should know and need not answer. Equal ones (sandbox, kind, text) are one
 * alert with a count, so that a flood is one line. The list is bounded; the oldest seen alert
 * gives way first, then the oldest.
 * Kept in STATE/alerts.json, so that a server that comes after this one shows them, too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mux/server/name.h"
#include "transport/error.h"

#define ALERTS_MAX     256
#define ALERT_TEXT_MAX 512

enum alert_severity { ALERT_INFO, ALERT_WARNING, ALERT_CRITICAL };

struct alert {
    uint64_t id;
    char sandbox_id[ID_SIZE]; /* "" for one about Belljar itself */
    char sandbox[NAME_SIZE];
    enum alert_severity severity;
    char kind[32];
    char text[ALERT_TEXT_MAX];
    uint64_t count;
    double first, last; /* unix seconds */
    bool acknowledged;
    bool dirty; /* clients do not know this state yet */
};

struct alerts {
    struct alert list[ALERTS_MAX]; /* oldest first */
    size_t count;
    uint64_t next_id;
};

/* Never fails. `text` and `kind` may come from a monitor; they are cleaned and cut. */
struct alert *alert_raise(struct alerts *alerts, const char *sandbox_id, const char *sandbox,
                          enum alert_severity severity, const char *kind, const char *text,
                          double now);

/* Marks as seen, all of a sandbox or all (NULL). Returns how many were not. */
size_t alert_acknowledge(struct alerts *alerts, const char *sandbox_id);

/* Not acknowledged ones, of a sandbox or all (NULL). */
size_t alert_open_count(const struct alerts *alerts, const char *sandbox_id);

/* The sandbox has another name. */
void alert_rename(struct alerts *alerts, const char *sandbox_id, const char *name);

/* The sandbox is forgotten. */
void alert_forget(struct alerts *alerts, const char *sandbox_id);

int alerts_save(const struct alerts *alerts, const char *path, struct bj_error *error);

/* Into alerts that hold none. No file: none. What is no alert in it is left out. */
int alerts_load(struct alerts *alerts, const char *path, struct bj_error *error);

const char *alert_severity_name(enum alert_severity severity);
enum alert_severity alert_severity_read(const char *name); /* unknown: warning */
