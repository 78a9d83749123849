/*
 * The monitor's ends of streams, on top of the double: keeps the books of every open stream
 * (offsets, credit, EOF), fails the running test when the shim breaks a rule, and holds what came
 * until the test has used it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/shim/double.h"
#include "transport/message.h"

struct far {
    uint32_t channel; /* 0: free */
    uint64_t got;     /* bytes from the shim */
    uint64_t granted; /* our credit for them */
    uint64_t sent;
    uint64_t limit;                /* the shim's credit for those */
    bool their_eof, our_eof, done; /* done: CLOSE came */
    char reason[1025];             /* of that CLOSE */
    size_t held;                   /* bytes that came and are not used yet */
    char bytes[BJ_STREAM_WINDOW];
};

extern struct far fars[BJ_STREAMS_MAX];

/* The agent's output, NUL-terminated; the first half of it goes when it is full. */
extern char far_output[64 * 1024];
extern size_t far_output_size;

/* EXITED came on this connection. */
extern bool far_exited;

/* After a reconnect there are no streams. */
void far_reset(void);

/* The next message, with the books and the output kept. */
void far_next(struct double_monitor *monitor, struct bj_message *message);

/* The same until a stream was opened by the shim, or this one was closed, or got EOF. */
struct far *far_wait_open(struct double_monitor *monitor);
void far_wait_close(struct double_monitor *monitor, struct far *far);
void far_wait_eof(struct double_monitor *monitor, struct far *far);

/* Until the output holds this text. */
void far_wait_output(struct double_monitor *monitor, const char *text);
void far_clear_output(void);

/* Until `size` bytes are held. */
void far_wait_held(struct double_monitor *monitor, struct far *far, size_t size);

/* A PING and its PONG: everything that the shim had to say before is heard. */
void far_sync(struct double_monitor *monitor);

/* How many are open. */
size_t far_count(void);

/* Sends as much as the shim's credit allows; returns how much. */
size_t far_send(struct double_monitor *monitor, struct far *far, const void *bytes, size_t size);
void far_eof(struct double_monitor *monitor, struct far *far);
void far_close(struct double_monitor *monitor, struct far *far);

/* Forgets what is held, and grants credit for as much. */
void far_use(struct double_monitor *monitor, struct far *far, size_t size);

/* Sends EXEC; argv ends with NULL. */
struct far *far_exec(struct double_monitor *monitor, uint32_t channel, const char *directory,
                     const char *const argv[]);
