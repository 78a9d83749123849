/*
 * Bytes that wait for a socket. What the socket took makes room as soon as it is half of the
 * buffer: that is at most twice as long as what waits, and no more is moved than was sent.
 */
#pragma once

#include "mux/monitor/bytes.h"

struct outbox {
    struct bytes bytes; /* append here */
    size_t sent;        /* of them */
};

static inline size_t outbox_waiting(const struct outbox *outbox)
{
    return outbox->bytes.size - outbox->sent;
}

/* Gives the socket what it takes. 0; the code of send(2) when the peer is gone; -ENOMEM when
 * something that was appended is missing, and nothing is sent. */
int outbox_write(struct outbox *outbox, int fd);

void outbox_free(struct outbox *outbox);
