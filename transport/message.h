/*
 * The link's messages: the one table from which the encoder, the decoder, the limits, the fuzz
 * dictionary and docs/PROTOCOL.md come.
 *
 * A message is the msgpack array [type, channel, field...]. Fields are unsigned integers, strings
 * (UTF-8 by convention, treated as bytes) or binary data. A message with an unknown type, a wrong
 * number of fields, a field of another type or over its limit is a protocol error; the reader
 * closes the link.
 *
 * The bridge between two hosts (`belljar bridge`) speaks the same stream messages; GREET and DIAL
 * are its own.
 *
 * Channel 0 is control, channel 1 the agent's pty; the shim opens others from
 * BJ_CHANNEL_FIRST_FREE on, the monitor from BJ_CHANNEL_FIRST_HOST on, and neither uses a number
 * twice on one link. Streams (OPEN, EXEC) do not survive a reconnect: both ends drop them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "transport/error.h"
#include "transport/frame.h"

/*
 * An upgrade leaves shims running whose monitor is one day a newer one: HELLO names the shim's
 * version, and WELCOME the lower of both, which both ends speak from there on. HELLO and WELCOME
 * keep their form for ever. What is older than the oldest, or was not offered, ends the link.
 */
#ifndef BJ_PROTOCOL_VERSION /* the test of upgrades builds programs of the next one */
#define BJ_PROTOCOL_VERSION 1
#endif
#define BJ_PROTOCOL_OLDEST 1

#define BJ_CHANNEL_CONTROL    0U
#define BJ_CHANNEL_PTY        1U
#define BJ_CHANNEL_FIRST_FREE 16U
#define BJ_CHANNEL_FIRST_HOST 0x800000U /* channels from here on are opened by the monitor */
#define BJ_CHANNEL_MAX        0xffffffU

#define BJ_DATA_MAX        (64U * 1024)       /* bytes in one DATA message */
#define BJ_RING_SIZE       (4U * 1024 * 1024) /* unacknowledged output the shim keeps */
#define BJ_OUTPUT_AHEAD    (256U * 1024)      /* of it for a monitor that is connected */
#define BJ_INPUT_RING_SIZE (256U * 1024)      /* unacknowledged input the monitor keeps */
#define BJ_OUTPUT_WINDOW   (1024U * 1024)     /* credit the monitor grants for output */
#define BJ_INPUT_WINDOW    (64U * 1024)       /* credit the shim grants for input */

#define BJ_ASK_KIND_MAX   32U
#define BJ_ASK_HOOK       "hook/" /* kind of a question in an agent's own words: this, and a dialect */
#define BJ_ASK_TITLE_MAX  1024U
#define BJ_ASK_DETAIL_MAX (64U * 1024)
#define BJ_REASON_MAX     1024U
#define BJ_ASKS_MAX       64U /* open ask channels of one sandbox */
/* Seconds that a question waits for its answer at most: the timeout of agents' hooks, which is a
 * day, less 30 s. */
#define BJ_ASK_WAIT_MAX (24U * 60 * 60 - 30)

#define BJ_STREAMS_MAX   256U          /* open streams of one sandbox */
#define BJ_STREAM_WINDOW (128U * 1024) /* first credit of each direction of a stream */
#define BJ_EXEC_ARGV_MAX 4096U

#define BJ_BRIDGE_VERSION  1U
#define BJ_BRIDGE_CHANNELS 2048U /* open ones of one bridge */
#define BJ_BRIDGE_ID_MAX   32U

#define BJ_FIELDS_MAX 7

enum bj_message_type {
    BJ_HELLO = 1,  /* shim: I am here, this is what I hold */
    BJ_WELCOME,    /* monitor: go on from here */
    BJ_ERROR,      /* either: why I close the link */
    BJ_PING,       /* monitor: are you there? */
    BJ_PONG,       /* shim: yes */
    BJ_STARTED,    /* shim: the agent runs */
    BJ_EXITED,     /* shim: the agent's end */
    BJ_SIZE,       /* monitor: the pty's size */
    BJ_SIGNAL,     /* monitor: signal for the pty's foreground process group */
    BJ_SHUTDOWN,   /* monitor: end the sandbox */
    BJ_DATA = 16,  /* either: bytes of a channel */
    BJ_ACK,        /* either: bytes that need not be sent again */
    BJ_CREDIT,     /* either: how far the other may send */
    BJ_EOF,        /* either: no more DATA comes from me on this stream */
    BJ_OPEN = 24,  /* shim: opens a stream to the host, e.g. a connection to the proxy port */
    BJ_EXEC,       /* monitor: opens a stream to a program inside */
    BJ_ASK = 32,   /* shim: opens a channel with a question for the human */
    BJ_VERDICT,    /* monitor: the answer */
    BJ_CLOSE,      /* either: the channel is gone */
    BJ_GREET = 40, /* far end of a bridge: I am here */
    BJ_DIAL,       /* near end of a bridge: opens a connection to a socket of the far host */
};

/* Field indices, in the order of the table. */
enum { BJ_HELLO_VERSION, BJ_HELLO_EPOCH, BJ_HELLO_OUT_START, BJ_HELLO_OUT_END, BJ_HELLO_IN_NEXT };
enum {
    BJ_WELCOME_VERSION,
    BJ_WELCOME_OUT_NEXT,
    BJ_WELCOME_OUT_LIMIT,
    BJ_WELCOME_IN_NEXT,
    BJ_WELCOME_ROWS,
    BJ_WELCOME_COLS
};
enum { BJ_ERROR_TEXT };
enum { BJ_PING_TOKEN };
enum { BJ_PONG_TOKEN };
enum { BJ_STARTED_PID };
enum { BJ_EXITED_CODE, BJ_EXITED_SIGNAL, BJ_EXITED_ERROR };
enum { BJ_SIZE_ROWS, BJ_SIZE_COLS };
enum { BJ_SIGNAL_NUMBER };
enum { BJ_DATA_OFFSET, BJ_DATA_BYTES };
enum { BJ_ACK_OFFSET };
enum { BJ_CREDIT_LIMIT };
enum { BJ_OPEN_KIND };
enum { BJ_EXEC_ARGV, BJ_EXEC_DIRECTORY };
enum { BJ_ASK_KIND, BJ_ASK_TITLE, BJ_ASK_DETAIL };
enum { BJ_VERDICT_ANSWER, BJ_VERDICT_REASON };
enum { BJ_CLOSE_REASON };
enum { BJ_GREET_VERSION, BJ_GREET_PROGRAM };
enum { BJ_DIAL_SERVICE, BJ_DIAL_ID };

/* BJ_VERDICT_ANSWER: pass means that nobody decided here, the reason says why (see belljar-shim
 * ask's exit codes); without a reason there was nothing to decide. */
enum bj_answer { BJ_ANSWER_DENY, BJ_ANSWER_ALLOW, BJ_ANSWER_PASS };

enum bj_side {
    BJ_SIDE_SHIM = 1,
    BJ_SIDE_MONITOR = 2,
    BJ_SIDE_BOTH = 3, /* of the link */
    BJ_SIDE_NEAR = 4, /* of a bridge: where the human is */
    BJ_SIDE_FAR = 8,
    BJ_SIDE_ANY = 15,
};
enum bj_type { BJ_TYPE_UINT = 1, BJ_TYPE_STR, BJ_TYPE_BIN };

struct bj_field_spec {
    const char *name;
    enum bj_type type;
    uint64_t limit; /* greatest value of a UINT, greatest length in bytes of a STR or BIN */
    const char *doc;
};

struct bj_message_spec {
    enum bj_message_type type;
    const char *name;
    enum bj_side from;
    const char *doc;
    struct bj_field_spec fields[BJ_FIELDS_MAX]; /* ends at the first without a name */
};

/* The table, ordered by type. */
extern const struct bj_message_spec bj_messages[];
extern const size_t bj_messages_count;

const struct bj_message_spec *bj_message_find(uint64_t type);
size_t bj_message_fields(const struct bj_message_spec *spec);

struct bj_field {
    uint64_t u;       /* UINT */
    const char *data; /* STR and BIN: points into the bytes that were decoded, or to the caller's */
    uint32_t size;    /* bytes at data */
};

struct bj_message {
    uint32_t channel;
    enum bj_message_type type;
    struct bj_field field[BJ_FIELDS_MAX];
};

/*
 * Decodes one whole frame (see bj_frame_scan) that `from` is said to have sent. Nothing is copied
 * or kept. -EPROTO with the reason when it breaks the table.
 */
int bj_message_decode(struct bj_message *message, enum bj_side from, const void *frame, size_t size,
                      struct bj_error *error);

struct msgpack_sbuffer;

/* Appends the encoded message, or nothing: -EMSGSIZE when a field is over its limit, -EINVAL for an
 * unknown type or channel, -ENOMEM. */
int bj_message_encode(const struct bj_message *message, struct msgpack_sbuffer *out);

/* A message of up to three integer fields, e.g. ACK, CREDIT, SIZE. */
int bj_message_encode_uints(enum bj_message_type type, uint32_t channel,
                            struct msgpack_sbuffer *out, size_t count, const uint64_t values[]);

/*
 * The head of a DATA message whose `size` payload bytes the caller sends right behind it (writev).
 * Returns the head's length, at most BJ_DATA_HEAD_MAX bytes.
 */
#define BJ_DATA_HEAD_MAX 32
size_t bj_message_data_head(uint8_t out[BJ_DATA_HEAD_MAX], uint32_t channel, uint64_t offset,
                            uint32_t size);
