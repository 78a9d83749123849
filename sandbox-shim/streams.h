/*
 * The streams of one sandbox: connections that programs inside make to the proxy port, and programs
 * that the monitor starts. Both kinds come from hostile hands or serve them; memory and turns are
 * bounded for each, and none delays the pty, an ask or control by more than STREAM_TURN bytes.
 *
 * Connections are accepted only while the link is up and a stream is free; others wait in the
 * kernel's backlog. When the link ends, so do all streams that its monitor knew.
 */
#pragma once

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox-shim/exec.h"
#include "sandbox-shim/link.h"
#include "sandbox-shim/stream.h"
#include "transport/error.h"
#include "transport/message.h"

/* So that an agent cannot keep the monitor from starting a program. */
#define STREAMS_CONNECTIONS_MAX (BJ_STREAMS_MAX - EXECS_MAX)

/* The proxy port, one descriptor for each connection and three for each program. */
#define STREAMS_POLL_MAX (1U + STREAMS_CONNECTIONS_MAX + 3U * EXECS_MAX)

struct streams {
    int listener;      /* -1: no proxy port */
    int64_t accept_at; /* out of descriptors or memory: no accept(2) before; 0: none */
    uint64_t nproc;    /* as the agent's */
    size_t slots;      /* no stream behind these is in use */
    size_t turn;       /* who speaks first */
    bool more;         /* somebody may have more to say: do not wait */
    uint32_t connections, execs;
    struct stream all[BJ_STREAMS_MAX];
    uint16_t polled[STREAMS_POLL_MAX]; /* whose descriptor was given to poll(2) */
};

/* `port` 0: no proxy port. */
int streams_open(struct streams *streams, uint16_t port, uint64_t nproc, struct bj_error *error);

/* Ends them all. Does no harm when done again. */
void streams_close(struct streams *streams);

/* Ends the proxy port, and the connections on which nothing is to be sent; programs go on. */
void streams_close_idle(struct streams *streams);

/* Ends all connections; programs go on. */
void streams_close_connections(struct streams *streams);

/* The link is not up: what the monitor knew of is no more. */
void streams_drop(struct streams *streams);

/* Adds descriptors to wait for to polls[0..STREAMS_POLL_MAX); returns how many. */
size_t streams_poll(struct streams *streams, const struct link *link, struct pollfd *polls,
                    int64_t *deadline);

/* Serves the descriptors that streams_poll() added, after poll(2). */
void streams_service(struct streams *streams, const struct pollfd *polls, size_t count,
                     int64_t now);

/* A process ended that is not the agent (agent_other_fn; owner is the streams). */
void streams_on_end(void *owner, const siginfo_t *info);

/* The open stream of a channel, or NULL. */
struct stream *streams_find(struct streams *streams, uint32_t channel);

/* DATA, CREDIT, EOF or CLOSE for the open stream. */
int streams_take(struct streams *streams, struct stream *stream, const struct bj_message *message,
                 struct bj_error *error);

/* EXEC came. */
int streams_exec(struct streams *streams, const struct bj_message *message, struct link *link,
                 int64_t now, struct bj_error *error);

/* Sends what the streams have to say, each in its turn, as far as the link has time for it. */
void streams_tell(struct streams *streams, struct link *link, int64_t now);
