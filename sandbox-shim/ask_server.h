/*
 * The asks of one sandbox: at most BJ_ASKS_MAX wait for a verdict, each on a link channel of its
 * own. Every client is hostile: it may send rubbish, send nothing, never read, or die; none of that
 * delays the others, and what it sends is bounded before it is decoded.
 *
 * An ask lives here from its arrival until its verdict, whether the link is up or not; it is told
 * to the monitor again on every new connection.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox-shim/link.h"
#include "transport/error.h"
#include "transport/frame.h"
#include "transport/message.h"

/* Asks that wait, and some clients whose question has not come in whole yet. */
#define ASK_CLIENTS_MAX (BJ_ASKS_MAX + 16U)

enum ask_state { ASK_FREE, ASK_READING, ASK_WAITING };

struct ask {
    enum ask_state state;
    int fd;
    int64_t deadline; /* while reading */
    uint32_t channel; /* while waiting */
    bool told;        /* the monitor of this connection knows it */
    uint8_t *bytes;   /* what the client sent; the fields point into it */
    size_t size, capacity;
    struct bj_frame frame;
    struct bj_field kind, title, detail;
};

struct ask_server {
    int fd;
    int64_t accept_at; /* out of descriptors or memory: no accept(2) before */
    uint32_t waiting;
    struct ask asks[ASK_CLIENTS_MAX];
};

int ask_server_open(struct ask_server *server, const char *path, struct bj_error *error);
void ask_server_close(struct ask_server *server);

/* Adds descriptors to wait for to polls[0..1 + ASK_CLIENTS_MAX); returns how many. */
size_t ask_server_poll(const struct ask_server *server, struct pollfd *polls, int64_t *deadline);

/* Serves the descriptors that ask_server_poll() added, after poll(2). */
void ask_server_service(struct ask_server *server, const struct pollfd *polls, size_t count,
                        struct link *link, int64_t now);

/* A new connection knows of no ask. */
void ask_server_forget_told(struct ask_server *server);

/* Queues one ask that the monitor does not know, when the link's queue is empty. Returns whether
 * it did. */
bool ask_server_tell(struct ask_server *server, struct link *link, int64_t now);

/* Whether an ask waits on this channel. */
bool ask_server_has(struct ask_server *server, uint32_t channel);

/* VERDICT or CLOSE came for a channel that was opened; nothing happens when no ask waits there. */
void ask_server_answer(struct ask_server *server, const struct bj_message *message);
