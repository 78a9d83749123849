/*
 * One end of a bridge between two hosts: many connections of unix sockets over one pair of pipes
 * (ssh's standard input and output), as channels with the link's stream messages.
 *
 * Near and far end mirror each other; only the near one dials. A channel joins a local stream
 * socket with its partner at the other end: what is read there is sent as DATA as far as the other
 * end has granted credit, what comes is written there, and credit follows what was written. So a
 * connection that nobody reads holds at most BJ_STREAM_WINDOW bytes and stops no other. The end of
 * the local stream is CLOSE: no service on these sockets closes one direction only.
 *
 * Every message is checked against the table, the channel's state and its credit; what breaks them
 * ends the line. The struct is embedded in its owner and lives until `ended`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <msgpack.h>
#include <uv.h>

#include "transport/error.h"
#include "transport/frame.h"
#include "transport/message.h"

struct line;

struct line_events {
    enum bj_side peer; /* the other end: BJ_SIDE_NEAR or BJ_SIDE_FAR */

    /* GREET or DIAL, whichever the other end may send. A negative code ends the line. */
    int (*message)(struct line *line, const struct bj_message *message, struct bj_error *error);

    /* The other end closed a channel; `reason` is not cleaned, and empty when it was not given. May
     * be NULL. */
    void (*dropped)(struct line *line, const char *reason, size_t size);

    /* Once: everything is closed. `why->code` is 0 after an end of file or line_close(). */
    void (*ended)(struct line *line, const struct bj_error *why);
};

struct line_channel;

struct line {
    const struct line_events *events;
    void *owner;
    uv_pipe_t in, out;
    bool closing;
    struct bj_error why;
    unsigned handles; /* not closed yet */

    struct line_channel *channels;
    size_t channel_count;
    uint32_t highest; /* channel number that was used */
    bool full;        /* so much waits to be sent that no local stream is read */
    size_t flying;    /* bytes given to libuv, not yet written */

    uint8_t *bytes; /* received, the first message at 0 */
    size_t size;
    struct bj_frame frame;
    char piece[BJ_DATA_MAX]; /* what a local stream is read into */
};

/* Takes both descriptors over. That they cannot be used is told by `ended`, later. */
void line_open(struct line *line, uv_loop_t *loop, int in, int out,
               const struct line_events *events, void *owner);

/* Idempotent, asynchronous; local streams end, too. */
void line_close(struct line *line);

/* Sends a message that is none of a channel's. */
void line_send(struct line *line, const struct bj_message *message);

/* Near end: dials `service` and joins the answer with `descriptor` (taken over). */
void line_dial(struct line *line, int descriptor, const char *service, const char *id);

/* Far end: joins a channel that was dialled with a descriptor (taken over), or refuses it. */
void line_join(struct line *line, uint32_t number, int descriptor);
void line_refuse(struct line *line, uint32_t number, const char *reason);
