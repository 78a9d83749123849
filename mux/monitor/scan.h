/*
 * Looking through text eight bytes at a time.
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
