/*
 * From a host and port to a verdict and, when it is allow, to the addresses to connect to. Streams
 * that ask for the same host and port before the verdict share one question, one resolution and one
 * answer, those of the broker apart from all others. Nothing is resolved before an allow; what has
 * its verdict is not remembered, so that a changed rule counts for the next stream.
 *
 * When the server goes away, open questions are asked again of the next one; how long a stream
 * waits is its owner's business (decision_forget).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mux/egress/host.h"
#include "mux/egress/resolve.h"
#include "transport/message.h"
#include "mux/egress/uplink.h"

#define DECISION_WAIT_ID_MAX 64

struct decision;
struct decision_wait;

struct verdict {
    bool allow;
    char reason[BJ_REASON_MAX + 1]; /* of a deny; may be empty */
};

/* `addresses` is NULL when the verdict is deny, or when `error` says why there are none
 * (-EACCES: they are refused). All valid during the call. */
typedef void decision_done(struct decision_wait *wait, const struct verdict *verdict,
                           const struct addresses *addresses, const struct bj_error *error);

/* Embedded in the owner of a stream. */
struct decision_wait {
    struct decision *decision; /* NULL: waits for nothing */
    struct decision_wait *next;
    decision_done *done;
};

struct decisions {
    struct uplink *uplink;
    uv_loop_t *loop;
    struct decision *list;
    size_t count;
};

/* -EBUSY when there are too many questions already. `done` is never called before this returns. */
int decision_ask(struct decisions *decisions, const struct host *host, uint16_t port,
                 const char *protocol, struct decision_wait *wait, decision_done *done);
void decision_forget(struct decision_wait *wait); /* idempotent */

void decisions_came_up(struct decisions *decisions);
void decisions_verdict(struct decisions *decisions, const msgpack_object *params);
void decisions_free(struct decisions *decisions);
