/*
 * A request that waits for the human's verdict, as `event.request` describes it.
 *
 * *Wall* requests are held by the host, so the verdict binds; *courtesy* requests come from a hook
 * inside, which a hostile agent can leave out. They differ in glyph, word and colour wherever they
 * are shown. The same question of several sandboxes is one request: `askers` are their ids. An id
 * stands for one text, so nothing but who asks (and a raised risk) changes while it is open.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/model/field.h"
#include "tui/model/origin.h"

#define REQUEST_DETAIL_MAX  4096 /* bytes of the detail that are kept; a cut is marked */
#define REQUEST_SUBJECT_MAX 4200
#define REQUEST_TITLE_MAX   3200 /* more than the server sends */
#define REQUEST_WHY_MAX     512

enum risk { RISK_LOW, RISK_MEDIUM, RISK_HIGH };

struct request {
    char id[FLEET_ID_MAX], sandbox_id[FLEET_ID_MAX];
    char sandbox[FLEET_SHOWN_MAX]; /* the first that asks */
    const struct origin *origin;   /* borrowed from the fleet */
    char kind[FLEET_NAME_MAX];
    char subject[REQUEST_SUBJECT_MAX]; /* what a rule is made of; may be empty */
    char title[REQUEST_TITLE_MAX];
    char why[REQUEST_WHY_MAX];
    char *detail;       /* cleaned, owned; NULL when there is none */
    size_t detail_left; /* bytes of it that were not kept */
    bool wall;          /* else courtesy */
    bool cut;           /* the title is not the whole text: the detail has it, or is cut, too */
    enum risk risk;
    double created;               /* unix seconds */
    char (*askers)[FLEET_ID_MAX]; /* owned, at least one */
    size_t asker_count;
    uint64_t count;       /* sandboxes that ask, as the server counts them */
    struct request *lead; /* the one whose row of the inbox it stands in; mostly itself */
    size_t pile;          /* requests of its row; 0: the row is another one's (fleet_row()) */
    uint64_t painted_at;  /* ms of this client's clock since when it is on screen; 0: it is not */
    bool painted;         /* in the frame being painted */
    bool told;            /* the server knows that it is shown */
};

/* Reads an event with an id, of a server. NULL and -ENOMEM, or 0. */
int request_read(struct request **out, const struct origin *origin, const msgpack_object *map);
void request_free(struct request *request);

/* The same id again: takes who asks, and a raised risk, which makes it unseen. Returns 1 when
 * something changed, 0 when not, -ENOMEM. */
int request_update(struct request *request, const msgpack_object *map);

bool request_asks(const struct request *request, const char *sandbox_id);
/* A sandbox has gone; returns whether another one still asks. */
bool request_leave(struct request *request, const char *sandbox_id);

/* Below zero when `one` comes first: the higher risk, then the longer wait. */
int request_compare(const struct request *one, const struct request *other);

const char *request_glyph(const struct request *request, bool ascii);
const char *request_class(const struct request *request); /* WALL or COURTESY */
const char *risk_glyph(enum risk risk, bool ascii);
const char *risk_word(enum risk risk);
