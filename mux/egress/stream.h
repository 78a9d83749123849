/*
 * The egress streams of one sandbox: the host's side of the OPEN, DATA, CREDIT, EOF and CLOSE
 * messages (transport/message.h) that the monitor passes on between the link and egress.sock.
 *
 * Everything that comes is hostile. What breaks the rules ends the whole socket after an ERROR
 * message; `lost` then tells the owner, who dials again. A struct stream is embedded in its owner,
 * which may free it after `closed` was called or after stream_close(). Data passed to callbacks is
 * valid during the call only. A stream's owner may call stream_close() on any stream within any
 * callback.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <msgpack.h>
#include <uv.h>

#include "mux/egress/buffer.h"
#include "transport/channel.h"
#include "transport/error.h"
#include "transport/frame.h"
#include "transport/message.h"

#define STREAM_KIND "egress"

struct streams;

struct stream {
    struct streams *set; /* NULL when it is not open */
    uint32_t channel;
    struct bj_sender sender;
    struct bj_receiver receiver;
    uint64_t consumed;
    struct buffer waiting; /* written by the owner, beyond the credit */
    bool want_eof, sent_eof, received_eof;
};

struct stream_events {
    /* A new stream: returns the owner's zeroed struct, or NULL when it cannot have one. */
    struct stream *(*opened)(struct streams *set);
    void (*data)(struct stream *stream, const char *bytes, size_t size);
    void (*eof)(struct stream *stream);
    void (*writable)(struct stream *stream); /* stream_room() has become more than 0 */
    void (*closed)(struct stream *stream);   /* by the sandbox, or with the socket */
    void (*lost)(struct streams *set, const struct bj_error *why); /* code 0: plain end */
};

struct streams {
    uv_pipe_t pipe;
    const struct stream_events *events;
    void *owner;
    bool open; /* from streams_open() until `lost` */
    bool closing;
    bool full; /* too much waits for the monitor: no stream may write */
    struct bj_error why;

    struct stream *table[BJ_STREAMS_MAX];
    size_t count, turn; /* open streams; whose turn is first when there is room again */
    uint32_t highest;   /* greatest channel that was ever opened on this socket */

    uint8_t *in;
    size_t in_size;
    struct bj_frame frame;
    msgpack_sbuffer out; /* encoded, not yet given to libuv */
    size_t flying;
};

/* Takes over a connected descriptor. On failure it is closed and nothing is called. */
int streams_open(struct streams *set, uv_loop_t *loop, int descriptor,
                 const struct stream_events *events, void *owner, struct bj_error *error);

/* Asynchronous, idempotent; `closed` of each stream and `lost` follow. */
void streams_close(struct streams *set);

/* How many bytes may be written that go out at once; 0: wait for `writable`. */
size_t stream_room(const struct stream *stream);

/* Writes, keeping what is beyond the credit: -ENOMEM closes the whole socket. */
void stream_write(struct stream *stream, const void *bytes, size_t size);

/* No more comes from the host on this stream; sent behind everything written. */
void stream_eof(struct stream *stream);

/* The owner is done with that many received bytes. */
void stream_consumed(struct stream *stream, size_t size);

/* Sends CLOSE and forgets the stream with all that waits in it. Idempotent. */
void stream_close(struct stream *stream, const char *reason);
