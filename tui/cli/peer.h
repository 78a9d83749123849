/*
 * A command's conversation with a server or a monitor: calls that wait for their answers.
 *
 * Parameters and results are JSON values (jansson), so that `--json` prints what the API says. A
 * msgpack string that is not UTF-8 comes with the bad bytes replaced; binary data likewise.
 *
 * The struct is the caller's; between peer_open and peer_close it owns a loop and the connection.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>
#include <msgpack.h>
#include <uv.h>

#include "transport/error.h"
#include "transport/rpc.h"

#define PEER_TIMEOUT_MS      10000
#define PEER_KILL_TIMEOUT_MS 60000

struct peer {
    uv_loop_t loop;
    struct bj_rpc rpc;
    uv_timer_t timer;
    const char *who; /* for sentences: "the server" */
    bool connected;
    bool timed_out;
    struct bj_error why; /* of the connection's end */

    /* A notification; `params` is borrowed. May be NULL. */
    void (*event)(struct peer *peer, const char *name, const json_t *params);
    void *owner;
};

struct peer_reply {
    bool done;
    json_t *result; /* owned by the caller, NULL on failure */
    struct bj_error error;
};

/* Takes the descriptor over, also on failure. */
int peer_open(struct peer *peer, int descriptor, const char *who, struct bj_error *error);
void peer_close(struct peer *peer);

/* Sends one call; `params` is taken over, NULL for none. `reply` must live until it is done or the
 * peer is closed. */
void peer_send(struct peer *peer, const char *method, json_t *params, struct peer_reply *reply);

/* Waits until all replies are done. -ETIMEDOUT after `milliseconds` without (and the connection is
 * closed then), else 0: the replies tell. */
int peer_wait(struct peer *peer, struct peer_reply *replies, size_t count, unsigned milliseconds,
              struct bj_error *error);

/* Lets notifications come until *stop is true, or the time is over (0: never). -ETIMEDOUT, or the
 * reason when the connection ended. */
int peer_listen(struct peer *peer, const bool *stop, unsigned milliseconds, struct bj_error *error);

/* One call and its answer, which the caller releases. */
int peer_call(struct peer *peer, const char *method, json_t *params, unsigned milliseconds,
              json_t **result, struct bj_error *error);

/* Waits for one that was sent: the second half of peer_call(). */
int peer_take(struct peer *peer, struct peer_reply *reply, unsigned milliseconds, json_t **result,
              struct bj_error *error);

/* A msgpack value as JSON; NULL without memory. */
json_t *peer_json(const msgpack_object *object);
