#include "transport/channel.h"

#include <errno.h>
#include <inttypes.h>

size_t bj_sender_allowed(const struct bj_sender *sender, size_t available)
{
    if (sender->limit <= sender->next)
        return 0;
    uint64_t credit = sender->limit - sender->next;
    return credit < available ? (size_t)credit : available;
}

int bj_sender_on_ack(struct bj_sender *sender, uint64_t offset, struct bj_error *error)
{
    if (offset < sender->acked || offset > sender->next)
        return bj_fail(error, -EPROTO, "ACK of %" PRIu64 " outside %" PRIu64 "..%" PRIu64, offset,
                       sender->acked, sender->next);
    sender->acked = offset;
    return 0;
}

int bj_sender_on_credit(struct bj_sender *sender, uint64_t limit, struct bj_error *error)
{
    if (limit < sender->limit)
        return bj_fail(error, -EPROTO, "CREDIT went back from %" PRIu64 " to %" PRIu64,
                       sender->limit, limit);
    sender->limit = limit;
    return 0;
}

int bj_receiver_on_data(struct bj_receiver *receiver, uint64_t offset, size_t size,
                        struct bj_error *error)
{
    if (size == 0)
        return bj_fail(error, -EPROTO, "DATA without bytes");
    if (offset != receiver->next)
        return bj_fail(error, -EPROTO, "DATA at %" PRIu64 " where %" PRIu64 " was expected", offset,
                       receiver->next);
    if (receiver->limit < offset || size > receiver->limit - offset)
        return bj_fail(error, -EPROTO, "DATA beyond the credit of %" PRIu64, receiver->limit);
    receiver->next += size;
    return 0;
}

/* A stream that a hostile peer begins near the end of the offsets stays there: nothing wraps. */
static uint64_t add_saturated(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

int bj_receiver_grant(struct bj_receiver *receiver, uint64_t consumed, uint64_t bytes)
{
    uint64_t most = add_saturated(consumed, receiver->window);
    uint64_t limit = add_saturated(receiver->limit, bytes);
    if (limit > most)
        limit = most;
    if (limit <= receiver->limit)
        return 0;
    receiver->limit = limit;
    return 1;
}

int bj_receiver_refill(struct bj_receiver *receiver, uint64_t consumed)
{
    uint64_t limit = add_saturated(consumed, receiver->window);
    if (limit <= receiver->limit || limit - receiver->limit < receiver->window / 2)
        return 0;
    receiver->limit = limit;
    return 1;
}
