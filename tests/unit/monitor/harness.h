/*
 * Plays the server, a client and the shim around a real belljar-monitor, over real sockets.
 * Everything is synchronous and waits at most WAIT_MS for what is expected; a failure ends the
 * test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <msgpack.h>

#include "transport/message.h"

#define WAIT_MS 20000 /* an expected message never takes so long */

/* A MessagePack-RPC peer. */
struct peer {
    int fd;
    uint32_t id;
    msgpack_unpacker in;
    msgpack_unpacked message; /* the last one; what calls return points into it */
    msgpack_sbuffer kept;     /* notifications that came while something else was awaited */
};

struct world {
    char directory[64], runtime[96], state[96];
    pid_t monitor;
    struct peer control;
    uint64_t record_limit, file_limit; /* file_limit: RLIMIT_FSIZE of the monitor, 0 none */
};

/* The inner end. */
struct shim {
    int fd;
    uint8_t *in;
    size_t in_size;
    uint64_t acked, limit; /* of output */
    uint64_t in_next;      /* input taken */
    char input[4096];      /* the last input, as a string */
    size_t input_size;
    uint8_t epoch[16];
    struct bj_message message; /* the last one taken; its fields point into `in` */
};

void world_begin(struct world *world); /* makes directories, starts a monitor, connects control */
void world_end(struct world *world);
void world_start_monitor(struct world *world);
void world_kill_monitor(struct world *world); /* kill -9 */
void world_connect_control(struct world *world);

void peer_connect(struct peer *peer, const struct world *world, const char *name);
void peer_close(struct peer *peer);

/*
 * Calls a method; `types` has one letter for each parameter that follows as name and value: u
 * (uint64_t), b (int), s (const char *), x (const char *bytes, size_t). Returns the result, or
 * fails the test on an error; peer_refused returns the error's code.
 */
const msgpack_object *peer_call(struct peer *peer, const char *method, const char *types, ...);
int peer_refused(struct peer *peer, const char *method, const char *types, ...);

/* The same in two steps. What comes before the answer is kept; an answer that came too early is not
 * found: items are [1, id, error, result]. */
uint32_t peer_ask(struct peer *peer, const char *method, const char *types, ...);
const msgpack_object *peer_answer(struct peer *peer, uint32_t id);

/* Waits for a notification and returns its parameter. */
const msgpack_object *peer_event(struct peer *peer, const char *name);

/* True when the other end closed; takes what comes before that. */
bool peer_ended(struct peer *peer);

void shim_dial(struct shim *shim, const struct world *world); /* only connects */
void shim_hello(struct shim *shim, uint64_t out_start, uint64_t out_end);
void shim_hello_version(struct shim *shim, uint64_t version, uint64_t out_start, uint64_t out_end);
void shim_welcome(struct shim *shim, struct world *world); /* dial, admit, hello, welcome */
void shim_credit(struct shim *shim);                       /* room for a window of input */
void shim_up(struct shim *shim, struct world *world);      /* both */
void shim_close(struct shim *shim);
void shim_send(struct shim *shim, const struct bj_message *message);
void shim_raw(struct shim *shim, const void *bytes, size_t size);
void shim_data(struct shim *shim, uint64_t offset, const void *bytes, size_t size);
void shim_uints(struct shim *shim, enum bj_message_type type, uint32_t channel, size_t count,
                const uint64_t *values);

/* Takes messages until one of this type came; ACK, CREDIT and DATA are kept account of on the way.
 */
const struct bj_message *shim_wait(struct shim *shim, enum bj_message_type type);

/* Takes messages until the output is acknowledged up to an offset. */
void shim_wait_acked(struct shim *shim, uint64_t offset);
bool shim_ended(struct shim *shim);

/* Sends output within the credit, and takes messages when there is none. */
void shim_output(struct shim *shim, const uint8_t *stream, uint64_t from, uint64_t to);
