/*
 * Looking through text: eight bytes at a time, and whole UTF-8 sequences.
 *
 * A search returns a word with the high bit of each byte that was found set. The first one is
 * right; those behind it may be off by a borrow.
 */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SCAN_ONES 0x0101010101010101ULL
#define SCAN_HIGH 0x8080808080808080ULL

/* Eight bytes, the first lowest. */
static inline uint64_t scan_load(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return le64toh(word);
}

static inline bool scan_ascii(uint64_t word)
{
    return !(word & SCAN_HIGH);
}

/* Bytes below `limit`, at most 0x80. */
static inline uint64_t scan_below(uint64_t word, uint8_t limit)
{
    return (word - SCAN_ONES * limit) & ~word & SCAN_HIGH;
}

static inline uint64_t scan_equal(uint64_t word, uint8_t byte)
{
    uint64_t other = word ^ SCAN_ONES * byte;
    return (other - SCAN_ONES) & ~other & SCAN_HIGH;
}

/* Which of the eight was found first. */
static inline size_t scan_first(uint64_t found)
{
    return (size_t)__builtin_ctzll(found) / 8;
}

static inline bool utf8_continues(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Length of the whole sequence at `at`, `size` at least 1; 0 when it is broken, or the end cuts it.
 * Source: RFC 3629, section 4. */
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
