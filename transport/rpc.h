/*
 * A MessagePack-RPC connection on libuv: requests, responses and notifications both ways.
 *
 * The struct is embedded in its owner and lives until `closed` was called, which happens exactly
 * once after bj_rpc_open() succeeded: after bj_rpc_close(), the peer's end of file, a protocol
 * error, or when the peer takes nothing while more than BJ_RPC_PENDING_MAX bytes wait for it. The
 * process must ignore SIGPIPE.
 *
 * Source: https://github.com/msgpack-rpc/msgpack-rpc/blob/master/spec.md
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <msgpack.h>
#include <uv.h>

#include "transport/api.h"
#include "transport/error.h"
#include "transport/frame.h"

#define BJ_RPC_PENDING_MAX (64U * 1024 * 1024)
#define BJ_RPC_NO_REPLY    UINT32_MAX /* id of a call that came as a notification */

struct bj_rpc;

/* `error` is NULL on success, else the map {code, message}; both valid during the call only. */
typedef void bj_rpc_reply(struct bj_rpc *rpc, const msgpack_object *error,
                          const msgpack_object *result, void *argument);

struct bj_rpc_events {
    const struct bj_method *methods;      /* what the peer may call; NULL: nothing */
    const struct bj_notification *events; /* for api.info */

    /* A call that fits the table. Answer it with bj_rpc_result or bj_rpc_error, now or later; with
     * id BJ_RPC_NO_REPLY both do nothing. `params` is the one map, valid during the call. */
    void (*call)(struct bj_rpc *rpc, uint32_t id, const struct bj_method *method,
                 const msgpack_object *params);

    /* A notification whose name is not in `methods`. `params` is its one parameter, or the whole
     * parameter list when there is not exactly one. */
    void (*notification)(struct bj_rpc *rpc, const char *name, const msgpack_object *params);

    /* A send that had to wait is over: everything that was packed has been taken by the peer's
     * socket. Not called when a send went through at once. May be NULL. */
    void (*drained)(struct bj_rpc *rpc);

    /* The end; `why->code` is 0 for a plain end. The owner may free the struct in it. */
    void (*closed)(struct bj_rpc *rpc, const struct bj_error *why);
};

struct bj_rpc_pending;

struct bj_rpc {
    uv_pipe_t pipe;
    const struct bj_rpc_events *handler;
    void *owner;
    bool closing;
    bool closed;        /* no reply is called any more */
    bool out_of_memory; /* a message could not be packed whole */
    bool deaf;          /* the peer reads no more; what it has said before is still to be read */
    struct bj_error why;

    uint8_t *in; /* bytes received, the first frame at 0 */
    size_t in_size, in_capacity;
    struct bj_frame frame;

    msgpack_sbuffer out; /* packed, not yet given to libuv */
    msgpack_packer packer;
    size_t out_flying; /* given to libuv, not yet written */

    uint32_t next_id;
    struct bj_rpc_pending *pending;
    struct bj_rpc_pending *spare; /* for the request that finds no memory, which is told so */
};

/* Takes over the descriptor (closed by it in every case, also on failure). */
int bj_rpc_open(struct bj_rpc *rpc, uv_loop_t *loop, int descriptor,
                const struct bj_rpc_events *handler, void *owner, struct bj_error *error);

/* Idempotent, asynchronous. Replies that are still awaited are called with an error first; those to
 * requests made from then on, before `closed` is called. What is packed after it goes nowhere. */
void bj_rpc_close(struct bj_rpc *rpc);

/*
 * Each begins a message and returns the packer, to which the caller packs exactly one object (the
 * map of parameters, or the result); bj_rpc_send() then lets it go. Several messages may be packed
 * before one send.
 */
msgpack_packer *bj_rpc_request(struct bj_rpc *rpc, const char *method, bj_rpc_reply *reply,
                               void *argument);
msgpack_packer *bj_rpc_notify(struct bj_rpc *rpc, const char *method);
msgpack_packer *bj_rpc_result(struct bj_rpc *rpc, uint32_t id); /* NULL for BJ_RPC_NO_REPLY */
void bj_rpc_send(struct bj_rpc *rpc);

/* An error as a complete, sent answer. */
void bj_rpc_error(struct bj_rpc *rpc, uint32_t id, const struct bj_error *error);

/* An empty map as a complete, sent answer. */
void bj_rpc_done(struct bj_rpc *rpc, uint32_t id);

/* Bytes that the peer has not taken yet. */
size_t bj_rpc_backlog(const struct bj_rpc *rpc);

/* Copies an error map into a struct bj_error. */
void bj_rpc_error_read(const msgpack_object *map, struct bj_error *error);
