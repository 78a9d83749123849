#include "transport/frame.h"

#include <errno.h>
#include <stdbool.h>

const struct bj_frame_limits bj_frame_limits_link = {.bytes = 68 * 1024, .items = 64, .depth = 4};
const struct bj_frame_limits bj_frame_limits_rpc = {
    .bytes = 8 * 1024 * 1024, .items = 1000000, .depth = 12};

/* How many bytes of header follow the first byte, and what kind of body it announces. */
struct head {
    uint8_t length_bytes; /* bytes of a big-endian length behind the first byte */
    uint8_t fixed;        /* bytes of body that need no length */
    enum { SCALAR, BYTES, ARRAY, MAP, INVALID } kind;
};

/* 0xc0..0xdf of the specification's overview table, in order. */
static const struct head heads[32] = {
    {0, 0, SCALAR}, {0, 0, INVALID}, {0, 0, SCALAR}, {0, 0, SCALAR}, /* nil, -, false, true */
    {1, 0, BYTES},  {2, 0, BYTES},   {4, 0, BYTES},                  /* bin 8, 16, 32 */
    {1, 1, BYTES},  {2, 1, BYTES},   {4, 1, BYTES},                  /* ext 8, 16, 32 */
    {0, 4, SCALAR}, {0, 8, SCALAR},                                  /* float 32, 64 */
    {0, 1, SCALAR}, {0, 2, SCALAR},  {0, 4, SCALAR}, {0, 8, SCALAR}, /* uint */
    {0, 1, SCALAR}, {0, 2, SCALAR},  {0, 4, SCALAR}, {0, 8, SCALAR}, /* int */
    {0, 2, SCALAR}, {0, 3, SCALAR},  {0, 5, SCALAR}, {0, 9, SCALAR}, {0, 17, SCALAR}, /* fixext */
    {1, 0, BYTES},  {2, 0, BYTES},   {4, 0, BYTES}, /* str 8, 16, 32 */
    {2, 0, ARRAY},  {4, 0, ARRAY},   {2, 0, MAP},    {4, 0, MAP},
};

void bj_frame_reset(struct bj_frame *frame)
{
    frame->position = 0;
    frame->depth = 0;
}

static struct head head_of(uint8_t first, uint64_t *count)
{
    *count = 0;
    if (first <= 0x7f || first >= 0xe0)
        return (struct head){0, 0, SCALAR};
    if (first <= 0x8f) {
        *count = first & 0x0f;
        return (struct head){0, 0, MAP};
    }
    if (first <= 0x9f) {
        *count = first & 0x0f;
        return (struct head){0, 0, ARRAY};
    }
    if (first <= 0xbf) {
        *count = first & 0x1f;
        return (struct head){0, 0, BYTES};
    }
    return heads[first - 0xc0];
}

int bj_frame_scan(struct bj_frame *frame, const struct bj_frame_limits *limits, const void *data,
                  size_t size, size_t *end, struct bj_error *error)
{
    const uint8_t *bytes = data;

    while (frame->position < size) {
        size_t at = frame->position;
        uint64_t count;
        struct head head = head_of(bytes[at], &count);
        if (head.kind == INVALID)
            return bj_fail(error, -EPROTO, "not msgpack: byte 0x%02x", bytes[at]);
        if (size - at < 1U + head.length_bytes)
            return 0;
        if (head.length_bytes > 0) {
            count = 0;
            for (size_t i = 1; i <= head.length_bytes; i++)
                count = count << 8 | bytes[at + i];
        }

        uint64_t body = head.fixed;
        if (head.kind == BYTES)
            body += count;
        uint64_t next = (uint64_t)at + 1 + head.length_bytes + body;
        if (next > limits->bytes)
            return bj_fail(error, -EPROTO, "message of more than %zu bytes", limits->bytes);
        /* The header may be walked again after more bytes came: nothing is recorded before the
         * whole item is there. */
        if (next > size)
            return 0;
        frame->position = (size_t)next;

        if (head.kind == ARRAY || head.kind == MAP) {
            uint64_t items = head.kind == MAP ? 2 * count : count;
            if (items > limits->items)
                return bj_fail(error, -EPROTO, "more than %u items in one list", limits->items);
            if (items > 0) {
                if (frame->depth >= limits->depth || frame->depth >= BJ_FRAME_DEPTH_MAX)
                    return bj_fail(error, -EPROTO, "nested deeper than %u", limits->depth);
                frame->left[frame->depth++] = items;
                continue;
            }
        }
        /* One item is complete: close every container that it completes. */
        while (frame->depth > 0 && --frame->left[frame->depth - 1] == 0)
            frame->depth--;
        if (frame->depth == 0) {
            *end = frame->position;
            return 1;
        }
    }
    return 0;
}
