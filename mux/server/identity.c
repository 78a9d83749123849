#include "mux/server/identity.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <sodium.h>

#define RANGE_MIN 4096U

/* The part of our own user namespace's ids to choose from (user_namespaces(7), uid_map). */
static bool find_range(uint32_t *first, uint32_t *count)
{
    FILE *map = fopen("/proc/self/uid_map", "re");
    unsigned inside, outside, size;
    *count = 0;
    while (map && fscanf(map, "%u %u %u", &inside, &outside, &size) == 3) {
        if (inside <= IDENTITY_FIRST && size - (IDENTITY_FIRST - inside) >= IDENTITY_COUNT &&
            size > IDENTITY_FIRST - inside) {
            *first = IDENTITY_FIRST;
            *count = IDENTITY_COUNT;
            break;
        }
        if (size / 2 > *count) {
            *first = inside + size / 2;
            *count = size / 2 - 1;
        }
    }
    if (map)
        fclose(map);
    return *count >= RANGE_MIN;
}

int identity_choose(uint32_t *uid, bool (*taken)(void *, uint32_t), void *argument,
                    struct bj_error *error)
{
    uint32_t first, count;
    *uid = getuid();
    if (geteuid() != 0)
        return 0;
    if (!find_range(&first, &count))
        return bj_fail(error, -ENOSPC,
                       "root has no user ids to spare here for sandboxes: run Belljar as an "
                       "ordinary user, or in a container with at least %u ids",
                       RANGE_MIN * 2);
    for (unsigned tries = 0; tries < 1000; tries++) {
        *uid = first + randombytes_uniform(count);
        if (!taken(argument, *uid))
            return 0;
    }
    return bj_fail(error, -ENOSPC, "no user id is free for the sandbox");
}
