/*
 * One direction of a channel: who may send how far, and what has been seen.
 *
 * Offsets count bytes since the channel was opened. The receiver grants credit as an absolute
 * offset (`limit`), the sender never goes beyond it; so a lost or repeated CREDIT does no harm.
 * A struct of each kind lives with the connection's owner; neither holds pointers.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "transport/error.h"

struct bj_sender {
    uint64_t next;  /* offset of the next byte to send */
    uint64_t acked; /* everything before is safe at the receiver */
    uint64_t limit; /* credit: next may not go beyond */
};

struct bj_receiver {
    uint64_t next;   /* offset of the next byte expected */
    uint64_t acked;  /* last offset acknowledged */
    uint64_t limit;  /* last credit granted */
    uint64_t window; /* bytes granted ahead of what was consumed */
};

/* How many of `available` bytes may be sent now. */
size_t bj_sender_allowed(const struct bj_sender *sender, size_t available);

/* An ACK or CREDIT came. -EPROTO when it goes back, or acknowledges what was never sent. */
int bj_sender_on_ack(struct bj_sender *sender, uint64_t offset, struct bj_error *error);
int bj_sender_on_credit(struct bj_sender *sender, uint64_t limit, struct bj_error *error);

/* DATA came: -EPROTO on a gap, an overlap, no bytes, or beyond the credit. Moves `next`. */
int bj_receiver_on_data(struct bj_receiver *receiver, uint64_t offset, size_t size,
                        struct bj_error *error);

/* New credit worth telling (at least half a window more): returns 1 and moves `limit`. */
int bj_receiver_refill(struct bj_receiver *receiver, uint64_t consumed);

/* Credit by hand: so many bytes more, never beyond a window ahead of `consumed`. Returns 1 when
 * `limit` has moved. */
int bj_receiver_grant(struct bj_receiver *receiver, uint64_t consumed, uint64_t bytes);
