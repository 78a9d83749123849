#include "suite.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "transport/ring.h"

/* The byte that belongs at a stream offset. */
static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 8) * 7);
}

static size_t put(struct bj_ring *ring, size_t size)
{
    uint8_t *bytes = malloc(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = byte_at(ring->end + i);
    size_t written = bj_ring_write(ring, bytes, size);
    free(bytes);
    return written;
}

static void holds(const struct bj_ring *ring, uint64_t from, size_t size)
{
    struct iovec pieces[2];
    bool same = true;
    int count = bj_ring_peek(ring, from, size, pieces);
    for (int i = 0; i < count; i++)
        for (size_t j = 0; j < pieces[i].iov_len; j++, from++, size--)
            same &= ((uint8_t *)pieces[i].iov_base)[j] == byte_at(from);
    ck_assert(same);
    ck_assert_uint_eq(size, 0);
}

START_TEST(sizes)
{
    struct bj_ring ring;
    ck_assert_int_eq(bj_ring_init(&ring, 5000), 0);
    ck_assert_uint_eq(ring.capacity, 8192);
    ck_assert_uint_eq(bj_ring_room(&ring), 8192);
    bj_ring_free(&ring);
    bj_ring_free(&ring); /* once more does no harm */
    ck_assert_int_eq(bj_ring_init(&ring, SIZE_MAX), -ENOMEM);
    ck_assert_int_eq(bj_ring_init(&ring, SIZE_MAX / 4), -ENOMEM);
}
END_TEST

START_TEST(full)
{
    struct bj_ring ring;
    ck_assert_int_eq(bj_ring_init(&ring, 4096), 0);
    ck_assert_uint_eq(put(&ring, 5000), 4096);
    ck_assert_uint_eq(put(&ring, 1), 0);
    size_t size = 1;
    bj_ring_space(&ring, &size);
    ck_assert_uint_eq(size, 0);
    holds(&ring, 0, 4096);
    ck_assert_int_eq(bj_ring_release(&ring, 1000), 0);
    ck_assert_uint_eq(bj_ring_room(&ring), 1000);
    ck_assert_uint_eq(put(&ring, 5000), 1000);
    holds(&ring, 1000, 4096);
    bj_ring_free(&ring);
}
END_TEST

START_TEST(peek_outside)
{
    struct bj_ring ring;
    struct iovec pieces[2];
    ck_assert_int_eq(bj_ring_init(&ring, 4096), 0);
    put(&ring, 100);
    ck_assert_int_eq(bj_ring_release(&ring, 10), 0);
    ck_assert_int_eq(bj_ring_peek(&ring, 9, 5, pieces), 0);
    ck_assert_int_eq(bj_ring_peek(&ring, 100, 5, pieces), 0);
    ck_assert_int_eq(bj_ring_peek(&ring, UINT64_MAX, 5, pieces), 0);
    ck_assert_int_eq(bj_ring_peek(&ring, 10, 0, pieces), 0);
    ck_assert_int_eq(bj_ring_peek(&ring, 99, 500, pieces), 1);
    ck_assert_uint_eq(pieces[0].iov_len, 1);
    bj_ring_free(&ring);
}
END_TEST

START_TEST(release_outside)
{
    struct bj_ring ring;
    ck_assert_int_eq(bj_ring_init(&ring, 4096), 0);
    put(&ring, 100);
    ck_assert_int_eq(bj_ring_release(&ring, 50), 0);
    ck_assert_int_eq(bj_ring_release(&ring, 49), -EINVAL);
    ck_assert_int_eq(bj_ring_release(&ring, 101), -EINVAL);
    ck_assert_int_eq(bj_ring_release(&ring, UINT64_MAX), -EINVAL);
    ck_assert_int_eq(bj_ring_release(&ring, 50), 0);
    ck_assert_int_eq(bj_ring_release(&ring, 100), 0);
    ck_assert_uint_eq(bj_ring_used(&ring), 0);
    bj_ring_free(&ring);
}
END_TEST

/* Pages of the ring that are in memory. */
static size_t resident(const struct bj_ring *ring)
{
    static unsigned char pages[1024];
    size_t count = ring->capacity / 4096, found = 0;
    ck_assert_uint_le(count, sizeof(pages));
    ck_assert_int_eq(mincore(ring->bytes, ring->capacity, pages), 0);
    for (size_t i = 0; i < count; i++)
        found += pages[i] & 1;
    return found;
}

/* After a burst the pages go back, and a stream that is taken at once uses the first ones only;
 * what is written next must still be right. */
START_TEST(burst_then_more)
{
    struct bj_ring ring;
    ck_assert_int_eq(bj_ring_init(&ring, 1024 * 1024), 0);
    for (int i = 0; i < 5; i++) {
        ck_assert_uint_eq(put(&ring, 300 * 1024), 300 * 1024);
        ck_assert_uint_ge(resident(&ring), 300 * 1024 / 4096);
        ck_assert_int_eq(bj_ring_release(&ring, ring.end), 0);
        ck_assert_uint_le(resident(&ring), BJ_RING_KEEP / 4096);
        ck_assert_uint_eq(put(&ring, 1000), 1000);
        holds(&ring, ring.start, 1000);
        ck_assert_int_eq(bj_ring_release(&ring, ring.end), 0);
    }
    for (int i = 0; i < 2000; i++) {
        ck_assert_uint_eq(put(&ring, 1000), 1000);
        holds(&ring, ring.start, 1000);
        ck_assert_int_eq(bj_ring_release(&ring, ring.end), 0);
    }
    ck_assert_uint_le(resident(&ring), BJ_RING_KEEP / 4096);
    bj_ring_free(&ring);
}
END_TEST

/* A turn that is full while its start lies in the middle becomes longer, and nothing moves in the
 * stream. */
START_TEST(grows_in_mid_turn)
{
    struct bj_ring ring;
    ck_assert_int_eq(bj_ring_init(&ring, 4 * BJ_RING_KEEP), 0);
    for (size_t from = 0; from < BJ_RING_KEEP; from += BJ_RING_KEEP / 8 + 4321) {
        ck_assert_uint_eq(put(&ring, BJ_RING_KEEP), BJ_RING_KEEP);
        uint64_t start = ring.start + from;
        ck_assert_int_eq(bj_ring_release(&ring, start), 0);
        size_t room = 4 * BJ_RING_KEEP - bj_ring_used(&ring);
        for (size_t i = 0; i < room; i += 1000)
            ck_assert_uint_eq(put(&ring, 1000), room - i < 1000 ? room - i : 1000);
        ck_assert_uint_eq(put(&ring, 1), 0);
        holds(&ring, start, 4 * BJ_RING_KEEP);
        ck_assert_int_eq(bj_ring_release(&ring, ring.end - 5000), 0);
        holds(&ring, ring.end - 5000, 5000);
        ck_assert_int_eq(bj_ring_release(&ring, ring.end), 0);
        ck_assert_uint_le(resident(&ring), BJ_RING_KEEP / 4096);
    }
    bj_ring_free(&ring);
}
END_TEST

/* What is taken as it comes stays on the pages that it has used before. */
START_TEST(marches_on_the_spot)
{
    struct bj_ring ring;
    ck_assert_int_eq(bj_ring_init(&ring, 1024 * 1024), 0);
    for (int i = 0; i < 5000; i++) {
        ck_assert_uint_eq(put(&ring, 1000), 1000);
        if (i >= 100)
            ck_assert_int_eq(bj_ring_release(&ring, ring.start + 1000), 0);
        holds(&ring, ring.start, bj_ring_used(&ring));
    }
    ck_assert_uint_gt(bj_ring_used(&ring), 0);
    ck_assert_uint_le(resident(&ring), BJ_RING_KEEP / 4096);
    bj_ring_free(&ring);
}
END_TEST

START_TEST(random_walk)
{
    struct bj_ring ring;
    unsigned seed = (unsigned)_i;
    ck_assert_int_eq(bj_ring_init(&ring, 4096), 0);
    ring.start = ring.end = (uint64_t)_i * 1234567890123ULL; /* a resumed stream */
    for (int i = 0; i < 3000; i++) {
        size_t part = 1 + (size_t)(rand_r(&seed) % 3000);
        size_t room = bj_ring_room(&ring);
        ck_assert_uint_eq(put(&ring, part), part < room ? part : room);
        if (rand_r(&seed) % 2)
            holds(&ring, ring.start, bj_ring_used(&ring));
        size_t used = bj_ring_used(&ring);
        ck_assert_int_eq(bj_ring_release(&ring, ring.start + (size_t)rand_r(&seed) % (used + 1)),
                         0);
    }
    bj_ring_free(&ring);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ring");
    TCase *cases = tcase_create("ring");
    tcase_add_test(cases, sizes);
    tcase_add_test(cases, full);
    tcase_add_test(cases, peek_outside);
    tcase_add_test(cases, release_outside);
    tcase_add_test(cases, burst_then_more);
    tcase_add_test(cases, grows_in_mid_turn);
    tcase_add_test(cases, marches_on_the_spot);
    tcase_add_loop_test(cases, random_walk, 0, 4);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
