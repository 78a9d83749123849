#include "transport/ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

int bj_ring_init(struct bj_ring *ring, size_t capacity)
{
    size_t rounded = 4096;
    if (capacity > SIZE_MAX / 2)
        return -ENOMEM;
    while (rounded < capacity)
        rounded <<= 1;
    void *bytes = mmap(NULL, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        return -ENOMEM;
    *ring = (struct bj_ring){.bytes = bytes, .capacity = rounded};
    ring->turn = rounded < BJ_RING_KEEP ? rounded : BJ_RING_KEEP;
    return 0;
}

void bj_ring_free(struct bj_ring *ring)
{
    if (ring->bytes)
        munmap(ring->bytes, ring->capacity);
    *ring = (struct bj_ring){0};
}

size_t bj_ring_used(const struct bj_ring *ring)
{
    return (size_t)(ring->end - ring->start);
}

size_t bj_ring_room(const struct bj_ring *ring)
{
    return ring->capacity - bj_ring_used(ring);
}

/* Where a stream offset stands in memory. */
static size_t place(const struct bj_ring *ring, uint64_t offset)
{
    return (size_t)((offset - ring->base) & (ring->turn - 1));
}

/* A full turn becomes twice as long: what had begun again at the first page goes behind the rest.
 */
static void grow(struct bj_ring *ring)
{
    size_t wrapped = place(ring, ring->start);
    memcpy(ring->bytes + ring->turn, ring->bytes, wrapped);
    ring->base = ring->start - wrapped;
    ring->turn *= 2;
}

uint8_t *bj_ring_space(struct bj_ring *ring, size_t *size)
{
    if (bj_ring_used(ring) == ring->turn && ring->turn < ring->capacity)
        grow(ring);
    size_t at = place(ring, ring->end);
    size_t room = ring->turn - bj_ring_used(ring);
    *size = room < ring->turn - at ? room : ring->turn - at;
    return ring->bytes + at;
}

void bj_ring_commit(struct bj_ring *ring, size_t size)
{
    ring->end += size;
}

size_t bj_ring_write(struct bj_ring *ring, const void *data, size_t size)
{
    size_t written = 0;
    while (written < size) {
        size_t room;
        uint8_t *space = bj_ring_space(ring, &room);
        if (room == 0)
            break;
        size_t part = size - written < room ? size - written : room;
        memcpy(space, (const uint8_t *)data + written, part);
        bj_ring_commit(ring, part);
        written += part;
    }
    return written;
}

int bj_ring_peek(const struct bj_ring *ring, uint64_t from, size_t size, struct iovec pieces[2])
{
    if (from < ring->start || from >= ring->end || size == 0)
        return 0;
    if (size > ring->end - from)
        size = (size_t)(ring->end - from);
    size_t at = place(ring, from);
    size_t first = size < ring->turn - at ? size : ring->turn - at;
    pieces[0] = (struct iovec){ring->bytes + at, first};
    if (first == size)
        return 1;
    pieces[1] = (struct iovec){ring->bytes, size - first};
    return 2;
}

int bj_ring_release(struct bj_ring *ring, uint64_t offset)
{
    if (offset < ring->start || offset > ring->end)
        return -EINVAL;
    ring->start = offset;
    if (ring->start < ring->end)
        return 0;
    ring->base = ring->end;
    /* A fault for each page costs more than all else here: what is used all the time stays. */
    if (ring->turn > BJ_RING_KEEP) {
        madvise(ring->bytes + BJ_RING_KEEP, ring->turn - BJ_RING_KEEP, MADV_DONTNEED);
        ring->turn = BJ_RING_KEEP;
    }
    return 0;
}
