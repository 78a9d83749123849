/*
 * Requests that wait for the human's verdict.
 *
 * A request is a question and those who wait for its answer: equal questions of several sandboxes
 * are one request. Who waits is known by the link or process it came on, never by what it says of
 * itself. The id is "rN-xxxx", N counting up, xxxx a digest over the question's very text; it is
 * never sent inside. A verdict is taken once, only for an open id, and only when that request has
 * been shown for REQUEST_SHOWN_MS, so that a key pressed before it appeared cannot answer it; who
 * joined later than that keeps waiting. Times come from the caller, in milliseconds of a monotonic
 * clock. Nothing here ever answers by itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mux/server/name.h"
#include "transport/error.h"

#define REQUEST_SHOWN_MS 300U
#define REQUEST_ID_SIZE  32
#define REQUESTS_MAX     1024  /* open ones, of all sandboxes */
#define REQUESTS_OF_ONE  128   /* that one sandbox asks: a flood silences nobody else */
#define ASKERS_MAX       16384 /* of all requests */

enum request_class {
    REQUEST_COURTESY, /* a process inside asks by itself; the wall does not depend on it */
    REQUEST_WALL,     /* the host holds something until the verdict */
};
const char *request_class_name(enum request_class of);

enum request_source { ASKER_HOOK, ASKER_EGRESS, ASKER_PROPOSAL };

struct asker {
    char sandbox_id[ID_SIZE];
    enum request_source source;
    uint64_t number; /* hook: channel of the link; egress: the wait's; proposal: 0 */
    uint64_t joined; /* milliseconds */
    int64_t began; /* likewise, when it asked, perhaps a server before this one; may be negative */
};

struct request {
    char id[REQUEST_ID_SIZE];
    enum request_class class;
    int about;                   /* enum policy_kind, -1: none, so that no rule can be made of it */
    char *kind, *title, *detail; /* cleaned, owned */
    char *subject, *why, *where; /* likewise; the policy line that held it */
    bool cut;                    /* title or detail is longer than what is kept */
    unsigned risk;               /* 0 low to 2 high */
    double created;              /* when the first asked, in unix seconds */
    uint64_t shown;              /* milliseconds, 0: never */
    bool answered;               /* a verdict is being delivered: nobody joins any more */
    bool late;                   /* an alert told that it waits for long */
    char first_asker[ID_SIZE];   /* sandbox that asked first, even when it waits no more */
    struct asker *askers;        /* oldest first; empty only while a verdict is under way */
    size_t count, room;
};

struct requests {
    struct request **list; /* oldest first, by when the one who made it asked */
    size_t count, askers;
    uint64_t next_number;
    struct {
        char id[REQUEST_ID_SIZE];
        char outcome[8];
    } past[64]; /* to say of a stale id what became of it */
    size_t past_next;
};

struct request_text {
    enum request_class class;
    int about;
    unsigned risk;
    const char *kind, *title, *detail;
    size_t kind_size, title_size, detail_size;
    const char *subject, *why, *where;
};

void requests_free(struct requests *requests);

/* Somebody asks. Returns 1 for a new request, 0 when it joined an open one or waits there already.
 * -EAGAIN when there are too many, -ENOMEM. */
int request_open(struct requests *requests, const struct request_text *text,
                 const struct asker *asker, double created, struct request **out,
                 struct bj_error *error);

struct request *request_find(const struct requests *requests, const char *id);

/* Where this asker waits, and its index; NULL when nowhere. */
struct request *request_of(const struct requests *requests, const char *sandbox_id,
                           enum request_source source, uint64_t number, size_t *index);
/* Whether, and how many, requests this sandbox waits for. */
bool request_has(const struct request *request, const char *sandbox_id);
size_t request_count(const struct requests *requests, const char *sandbox_id);
/* When the oldest one that it asks came, in unix seconds; 0: it asks nothing. */
double request_oldest(const struct requests *requests, const char *sandbox_id);
/* How many different sandboxes wait. */
size_t request_sandboxes(const struct request *request);

/* Nobody waits there any more. The request stays, even when it was the last one. */
void request_leave(struct requests *requests, struct request *request, size_t index);

/* It is on a human's screen now. Only the first time counts. */
void request_shown(struct request *request, uint64_t now);

/* May this id be answered now? Sets *out and marks the request as answered, or says why not:
 * -EAGAIN not shown long enough, -ENOENT stale or unknown, -EALREADY answered. */
int request_resolve(struct requests *requests, const char *id, uint64_t now, struct request **out,
                    struct bj_error *error);

/* Takes it off the list and frees it; the outcome (allow, deny, gone) is remembered a while. */
void request_close(struct requests *requests, struct request *request, const char *outcome);
