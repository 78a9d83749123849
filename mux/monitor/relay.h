/*
 * Streams between programs inside and processes on the host: the monitor passes their messages on
 * and reads none of their bytes.
 *
 *   egress.sock  belljar-egress, one at a time, the newest counts: gets every OPEN, DATA, CREDIT,
 *                EOF and CLOSE of the streams that the shim opens, with the link's channel numbers.
 *                Streams opened while it is not there wait for it RELAY_WAIT_MS, and the server
 *                hears `egress.wanted`.
 *   exec.sock    anybody of the owner, each connection for one program: the first message is EXEC
 *                on channel BJ_CHANNEL_FIRST_HOST, which stands for the channel that the link gives
 *                it; the connection's end ends the program.
 *
 * Credit is between the two ends; here only memory is bounded: a peer is not read from while the
 * link has RELAY_FILL bytes to send, and one that RELAY_BEHIND bytes wait for is closed. When the
 * link ends, so do all streams and all peers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "mux/monitor/outbox.h"
#include "transport/frame.h"
#include "transport/message.h"

#define RELAY_FILL      (128U * 1024)
#define RELAY_BEHIND    (BJ_STREAMS_MAX * (BJ_STREAM_WINDOW + 4096U))
#define RELAY_EXECS_MAX 16U
#define RELAY_WAIT_MS   10000U

struct monitor;

/* A process of the host; on the heap, since libuv closes its handle later than it is forgotten. */
struct relay_peer {
    struct relay_peer *next;
    struct monitor *monitor;
    uv_poll_t poll;
    int fd; /* -1: the egress proxy that has not come yet */
    bool closing, ended, paused, writing;
    uint32_t channel; /* of an exec peer on the link; 0: none yet */
    bool exec;
    uint8_t *in;
    size_t in_size;
    struct bj_frame frame;
    struct outbox out;
};

struct relay_listener {
    uv_poll_t poll;
    int fd;
};

struct relay {
    struct relay_listener egress_listener, exec_listener;
    uv_timer_t wait; /* runs only while streams wait for the egress proxy */
    struct relay_peer *egress, *execs;
    unsigned exec_count;
    struct {
        uint32_t channel; /* 0: free */
        struct relay_peer *peer;
    } open[BJ_STREAMS_MAX + RELAY_EXECS_MAX];
    size_t streams;     /* opened by the shim and still open */
    uint32_t highest;   /* opened by the shim on this connection */
    uint32_t next_host; /* to be opened by us on this connection */
    uint64_t wanted_at; /* since when the proxy is waited for, the loop's milliseconds */
};

/* Takes over both listening descriptors. */
int relay_open(struct monitor *monitor, int egress_fd, int exec_fd, struct bj_error *error);
void relay_close(struct monitor *monitor);

/* OPEN, DATA, CREDIT, EOF or CLOSE on a channel that is no ask. -EPROTO when it breaks the rules.
 */
int relay_take(struct monitor *monitor, const struct bj_message *message, struct bj_error *error);

void relay_link_down(struct monitor *monitor);
void relay_link_drained(struct monitor *monitor); /* peers may be read from again */

/* What the parts of the relay share. */
void relay_peer_send(struct relay_peer *peer, const struct bj_message *message);
void relay_peer_close(struct relay_peer *peer, const char *why); /* idempotent */
void relay_peer_pace(struct relay_peer *peer);
void relay_adopt(struct relay_peer *peer, int fd);
int relay_from_peer(struct relay_peer *peer, const struct bj_message *message,
                    struct bj_error *error);
void relay_forget(struct relay_peer *peer, const char *why);
