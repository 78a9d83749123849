#include "tests/fault/sweeping.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "tests/fault/harness.h"

struct starve *starve;
static long wanted, seed;

void sweeping_open(struct world *world)
{
    wanted = fault_number("BELLJAR_FAULT_SWEEP", 8);
    seed = fault_number("BELLJAR_FAULT_SEED", (long)time(NULL) % 100000);
    printf("BELLJAR_FAULT_SEED=%ld BELLJAR_FAULT_SWEEP=%ld\n", seed, wanted);
    starve = starving_open(world);
    ck_assert_ptr_nonnull(starve);
}

/* Does the action, in which one call of the victim is to fail. Returns whether one did. */
static bool round_of(const char *victim, void (*action)(void), void (*after)(void))
{
    starve->call[0] = '\0';
    action();
    bool reached = starve->call[0] != '\0';
    starve->nth = starve->fresh = 0;
    printf("%s: %s %#" PRIx64 "\n", victim, reached ? starve->call : "nothing failed",
           starve->last);
    fflush(stdout);
    starving_check(starve);
    after();
    starving_check(starve);
    return reached;
}

/* Calls that are spread over the action, then one from each place in the program. */
void sweep(const char *victim, void (*action)(void), void (*after)(void))
{
    snprintf(starve->victim, sizeof(starve->victim), "%s", victim);
    starve->nth = UINT32_MAX;
    action();
    uint32_t total = UINT32_MAX - starve->nth;
    starve->nth = 0;
    after();
    uint32_t step = wanted > 0 && total > (uint32_t)wanted ? total / (uint32_t)wanted : 1;
    printf("%s: %" PRIu32 " calls\n", victim, total);
    for (uint32_t nth = 1 + (uint32_t)seed % step; nth <= total; nth += step) {
        starve->nth = nth;
        if (!round_of(victim, action, after))
            break;
    }
    starve->places_count = 0;
    do
        starve->fresh = 1;
    while (round_of(victim, action, after));
    printf("%s: from %" PRIu32 " places\n", victim, starve->places_count);
}
