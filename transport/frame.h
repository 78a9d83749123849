/*
 * Finds the end of one msgpack value in a byte stream, before anything is decoded or allocated.
 *
 * The scanner walks the headers only, remembers where it stopped, and refuses what is over the
 * limits: bytes in all, items in an array or map, depth. Only a frame that it has passed goes to
 * msgpack-c, so that no length taken from the wire is ever allocated unchecked.
 *
 * Source: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "transport/error.h"

#define BJ_FRAME_DEPTH_MAX 16

struct bj_frame_limits {
    size_t bytes;   /* of the whole value */
    uint32_t items; /* in one array or map (a map's pairs count twice) */
    uint32_t depth; /* of nesting, at most BJ_FRAME_DEPTH_MAX */
};

/* The link's limits (transport/message.h) and those of the client API (transport/rpc.h). */
extern const struct bj_frame_limits bj_frame_limits_link;
extern const struct bj_frame_limits bj_frame_limits_rpc;

struct bj_frame {
    size_t position;                   /* bytes walked so far */
    uint32_t depth;                    /* open containers */
    uint64_t left[BJ_FRAME_DEPTH_MAX]; /* items still to come in each */
};

/* Prepares for a new value. */
void bj_frame_reset(struct bj_frame *frame);

/*
 * Looks at data[0..size), which begins where the current value begins (also on later calls, with
 * more bytes behind). Returns 1 and sets *end when the value is whole, 0 when bytes are missing,
 * -EPROTO when it breaks a limit or is not msgpack. After 1 call bj_frame_reset().
 */
int bj_frame_scan(struct bj_frame *frame, const struct bj_frame_limits *limits, const void *data,
                  size_t size, size_t *end, struct bj_error *error);
