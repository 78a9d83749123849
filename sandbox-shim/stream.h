/*
 * One stream: a channel of the link whose inner end is a connection to the proxy port, or the
 * standard input and output of a program. Bytes go both ways under credit, each direction ends with
 * an EOF of its own, and CLOSE ends both.
 *
 * Bytes for the monitor are read when they can be sent at once, so none are held here. Bytes from
 * it that the inner end does not take are held in a ring of one window, which exists only as long
 * as it holds something.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox-shim/exec.h"
#include "sandbox-shim/link.h"
#include "transport/channel.h"
#include "transport/error.h"
#include "transport/message.h"
#include "transport/ring.h"

#define STREAM_TURN (16U * 1024) /* bytes of one DATA message: what others wait for at most */

struct stream {
    bool used;
    bool linger;       /* the monitor is done; what is held goes on to the inner end */
    uint32_t channel;  /* 0: the monitor does not know it yet */
    int fd;            /* a connection, or what the program writes */
    int in_fd;         /* the same connection, or what the program reads; -1 once ended */
    struct exec *exec; /* the program; NULL for a connection */
    bool readable;     /* there is something on fd, or its end: nothing to wait for */
    bool hung;         /* poll(2) has no more to say of fd */
    bool in_eof;       /* the monitor's EOF came */
    bool out_eof;      /* ours is told */
    const char *gone;  /* why the inner end is no more; CLOSE is to be told */
    struct bj_sender out;
    struct bj_receiver in;
    struct bj_ring held;
};

/* Takes over a connection (exec is NULL, in_fd is fd) or a program with its pipes. */
void stream_open(struct stream *stream, int fd, int in_fd, struct exec *exec);

/* Ends it at once: a connection is reset, a program and its group are killed. */
void stream_abort(struct stream *stream);

/* DATA, CREDIT, EOF or CLOSE came: -EPROTO when it breaks the rules. A stream that ends by it is
 * no longer used. */
int stream_take(struct stream *stream, const struct bj_message *message, struct bj_error *error);

/* Passes on what is held, as far as the inner end takes it. */
void stream_write(struct stream *stream);

/* Its program ended. */
void stream_on_exec_end(struct stream *stream, const siginfo_t *info);

/* Queues the next thing that the monitor must hear, at most one message. Returns whether there was
 * any. */
bool stream_speak(struct stream *stream, struct link *link, int64_t now);
