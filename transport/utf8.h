/* UTF-8 sequences, one at a time. Source: RFC 3629, section 4; Unicode 15, table 3-7. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool utf8_continues(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Length of the whole sequence at `at`, `size` at least 1; 0 when it is broken, or the end cuts it.
 */
static inline size_t utf8_length(const uint8_t *at, size_t size)
{
    uint8_t first = at[0];
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || size < 2 || !utf8_continues(at[1]))
        return 0;
    if (first < 0xe0)
        return 2;
    if (size < 3 || !utf8_continues(at[2]))
        return 0;
    if (first < 0xf0)
        return (first == 0xe0 && at[1] < 0xa0) || (first == 0xed && at[1] > 0x9f) ? 0 : 3;
    if (size < 4 || !utf8_continues(at[3]) || first > 0xf4)
        return 0;
    return (first == 0xf0 && at[1] < 0x90) || (first == 0xf4 && at[1] > 0x8f) ? 0 : 4;
}

/* The code point of a whole sequence of that length. */
static inline uint32_t utf8_value(const uint8_t *at, size_t length)
{
    switch (length) {
    case 1:
        return at[0];
    case 2:
        return (at[0] & 0x1fU) << 6 | (at[1] & 0x3fU);
    case 3:
        return (at[0] & 0x0fU) << 12 | (at[1] & 0x3fU) << 6 | (at[2] & 0x3fU);
    default:
        return (at[0] & 0x07U) << 18 | (at[1] & 0x3fU) << 12 | (at[2] & 0x3fU) << 6 |
               (at[3] & 0x3fU);
    }
}

/* Of what is no whole sequence: how many bytes could begin one, at least 1; 0 when the end cuts it.
 */
static inline size_t utf8_broken(const uint8_t *at, size_t size)
{
    uint8_t first = at[0];
    size_t length = first < 0xc2 || first > 0xf4 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    for (size_t i = 1; i < length; i++) {
        if (i == size)
            return 0;
        if (at[i] < low || at[i] > high)
            return i;
        low = 0x80;
        high = 0xbf;
    }
    return 1;
}

/* UTF-8 of a code point below 0x110000; returns its length, at most 4. */
static inline size_t utf8_encode(uint8_t out[4], uint32_t point)
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (uint8_t)(0xc0 | point >> 6);
        out[1] = (uint8_t)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | point >> 12);
        out[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | point >> 18);
    out[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (point & 0x3f));
    return 4;
}
