/*
 * The inner end of the link: dials the monitor's socket, says HELLO, and from WELCOME on carries
 * messages both ways; dials again when the connection ends, for ever, 20 ms to 500 ms apart.
 *
 * Output goes out straight from the ring, one DATA message at a time and never beyond the credit.
 * Other messages wait in a bounded queue and go ahead of the next DATA message, so a flood of
 * output delays a verdict or an answer by 64 KiB at most. Streams come last: they queue one message
 * when there is nothing else to send, or after much output. Nothing here ever blocks.
 *
 * What comes from the monitor is checked like everything from a wire: a message that breaks the
 * table or the offsets is answered with ERROR, and the connection is dropped and dialled again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <msgpack.h>

#include "transport/channel.h"
#include "transport/error.h"
#include "transport/frame.h"
#include "transport/message.h"
#include "transport/ring.h"

#define LINK_EPOCH_SIZE 16

enum link_state {
    LINK_DOWN,
    LINK_GREETS, /* HELLO is on its way, WELCOME awaited */
    LINK_UP,
    LINK_PARTS, /* all is said; only the monitor's end of file is awaited */
};

struct link {
    enum link_state state;
    const char *path;
    int fd;
    int64_t dial_at;   /* when down */
    int64_t backoff;   /* ms until the next dial after this one */
    int64_t up_since;  /* when the last WELCOME came */
    int64_t resume_at; /* the kernel was short of memory: no sending before */
    bool blocked;      /* the socket is full: wait for POLLOUT */
    bool ends;         /* nothing more can be sent: what came is read, then it is closed */

    uint8_t epoch[LINK_EPOCH_SIZE];
    struct bj_ring *output; /* the owner's */
    struct bj_sender out;
    struct bj_receiver in;
    uint64_t in_acked; /* input offset that the monitor knows to be taken */
    int64_t ack_at;    /* when it is told of more at the latest; 0: there is none */

    msgpack_sbuffer queue; /* messages other than DATA */
    size_t queue_sent;
    uint8_t head[BJ_DATA_HEAD_MAX]; /* the DATA message being written, if data_size > 0 */
    size_t head_size;
    uint32_t data_size;
    size_t data_sent;    /* of head and bytes together */
    uint32_t data_turns; /* DATA messages since the streams had their turn */

    uint32_t next_channel; /* ours; goes on over reconnects, as asks do */
    uint32_t host_channel; /* the monitor's, of this connection */

    struct bj_frame frame;
    size_t in_size;
    uint8_t in_bytes[128 * 1024]; /* more than the largest frame */
};

/* Takes a message after WELCOME, which it takes too: -EPROTO with `error` ends the connection. */
typedef int link_message_fn(void *owner, const struct bj_message *message, struct bj_error *error);

int link_init(struct link *link, const char *path, struct bj_ring *output, struct bj_error *error);
void link_free(struct link *link);

/* Dials when it is time to. */
void link_dial(struct link *link, int64_t now);

/* Reads and hands out what came. */
void link_read(struct link *link, link_message_fn *take, void *owner, int64_t now);

/* Queues a message; dropped unless the link is up (the state is told again after WELCOME). */
void link_send(struct link *link, const struct bj_message *message, int64_t now);
void link_send_uints(struct link *link, enum bj_message_type type, uint32_t channel, size_t count,
                     const uint64_t values[], int64_t now);

/* A channel of ours that was never used; only when there are any left. Some are kept for asks, so
 * that an agent that uses up its streams can still ask. */
bool link_has_channels(const struct link *link);
uint32_t link_take_channel(struct link *link); /* 0: none is left even for an ask */

/* The monitor opens a channel: -EPROTO unless it is of its range and higher than the last. */
int link_on_host_channel(struct link *link, uint32_t channel, struct bj_error *error);

/* Whether somebody opened the channel, be it open or not. */
bool link_was_opened(const struct link *link, uint32_t channel);

/* Whether a stream may queue one message now; and that one did. */
bool link_has_turn(const struct link *link);
void link_turn_taken(struct link *link);

/* Input up to the stream offset `consumed` was taken by the pty: tells the monitor, soon. */
void link_consumed(struct link *link, uint64_t consumed, int64_t now);

/* Writes queue and output as far as the socket and the credit let it. */
void link_flush(struct link *link, int64_t now);

/* Messages wait in the queue. */
bool link_queued(const struct link *link);

/* Everything in the ring was sent (not: acknowledged). */
bool link_all_sent(const struct link *link);

/* No more will be sent; the monitor may read the rest in peace. */
void link_part(struct link *link);

/* poll(2) events to wait for, and the next time at which something is to be done. */
short link_poll(const struct link *link, int64_t *deadline);
