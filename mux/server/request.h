/*
 * Requests that wait for the human's verdict.
 *
 * A request's identity is the sandbox and the channel it came on and its very text, never what it
 * says of itself: its id is "rN-xxxx", N counting up, xxxx a digest over all of that. A verdict is
 * taken once, only for an open id, and only when that request has been shown for REQUEST_SHOWN_MS,
 * so that a key pressed before it appeared cannot answer it. Times come from the caller, in
 * milliseconds of a monotonic clock. Nothing here ever answers by itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mux/server/name.h"
#include "transport/error.h"

#define REQUEST_SHOWN_MS 300U
#define REQUEST_ID_SIZE  32
#define REQUESTS_MAX     1024 /* open ones, of all sandboxes */

struct request {
    char id[REQUEST_ID_SIZE];
    char sandbox_id[ID_SIZE];
    uint32_t channel;
    char *kind, *title, *detail; /* cleaned, owned */
    double created;              /* unix seconds */
    uint64_t shown;              /* milliseconds, 0: never */
    bool waiting;                /* a verdict is on its way to the monitor */
};

struct requests {
    struct request **list; /* oldest first */
    size_t count;
    uint64_t next_number;
    struct {
        char id[REQUEST_ID_SIZE];
        char outcome[8];
    } past[64]; /* to say of a stale id what became of it */
    size_t past_next;
};

struct request_text {
    const char *kind, *title, *detail;
    size_t kind_size, title_size, detail_size;
};

void requests_free(struct requests *requests);

/* A sandbox asks on a channel. The same question on the same open channel is the same request; any
 * other on it replaces it, as a new one. NULL and -EAGAIN when there are too many, -ENOMEM. */
int request_open(struct requests *requests, const char *sandbox_id, uint32_t channel,
                 const struct request_text *text, double created, struct request **out,
                 struct bj_error *error);

struct request *request_find(const struct requests *requests, const char *id);
struct request *request_on(const struct requests *requests, const char *sandbox_id,
                           uint32_t channel);
size_t request_count(const struct requests *requests, const char *sandbox_id);

/* It is on a human's screen now. Only the first time counts. */
void request_shown(struct request *request, uint64_t now);

/* May this id be answered now? Sets *out and marks the request as answered, or says why not:
 * -EAGAIN not shown long enough, -ENOENT stale or unknown, -EALREADY answered. */
int request_resolve(struct requests *requests, const char *id, uint64_t now, struct request **out,
                    struct bj_error *error);

/* Takes it off the list and frees it; the outcome (allow, deny, gone) is remembered a while. */
void request_close(struct requests *requests, struct request *request, const char *outcome);
