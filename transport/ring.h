/*
 * A byte ring addressed by stream offset: holds the bytes from `start` (first not yet
 * acknowledged) to `end` (next to be written). Both ends of the link keep one for what the other
 * has not acknowledged, so that a reconnect resumes at any byte still held.
 *
 * The memory is mapped once and touched only as far as it is used: a page that is touched for the
 * first time costs more than copying it ten times. A turn is BJ_RING_KEEP bytes at first and
 * doubles when they are full; an emptied ring begins again at the first page, so that a stream
 * which is taken as fast as it comes stays in the processor's cache, and gives all pages behind
 * BJ_RING_KEEP back to the kernel.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define BJ_RING_KEEP (256U * 1024)

struct bj_ring {
    uint8_t *bytes;
    size_t capacity; /* bytes, a power of two */
    size_t turn;     /* bytes of it in use, likewise: behind them the ring begins again */
    uint64_t start;  /* stream offset of the oldest byte held */
    uint64_t end;    /* stream offset behind the newest */
    uint64_t base;   /* stream offset of the first byte of memory, this side of whole turns */
};

/* `capacity` is rounded up to a power of two. Returns 0 or -ENOMEM. */
int bj_ring_init(struct bj_ring *ring, size_t capacity);
void bj_ring_free(struct bj_ring *ring);

size_t bj_ring_used(const struct bj_ring *ring);
size_t bj_ring_room(const struct bj_ring *ring);

/* Contiguous free space at the end, for read(2) to fill; commit says how much was filled. */
uint8_t *bj_ring_space(struct bj_ring *ring, size_t *size);
void bj_ring_commit(struct bj_ring *ring, size_t size);

/* Appends up to `size` bytes; returns how many fitted. */
size_t bj_ring_write(struct bj_ring *ring, const void *data, size_t size);

/* Up to `size` bytes from stream offset `from` as one or two pieces; returns the number of pieces
 * (0 when `from` is outside the ring). The pieces stay valid until the next commit or write. */
int bj_ring_peek(const struct bj_ring *ring, uint64_t from, size_t size, struct iovec pieces[2]);

/* Forgets everything before `offset`. -EINVAL when it lies outside start..end. */
int bj_ring_release(struct bj_ring *ring, uint64_t offset);
