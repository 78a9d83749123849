/*
 * What a sandbox did in the last ten minutes, whoever looked: the strip that a dashboard shows as
 * soon as it attaches. In steps of five seconds; of a step that state is kept that needs a human
 * most.
 *
 * Pure. Times are monotonic milliseconds (server_clock).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "mux/server/activity.h"

#define TIMELINE_STEP_MS 5000U
#define TIMELINE_STEPS   120

struct timeline {
    uint8_t steps[TIMELINE_STEPS]; /* enum doing, oldest first; DOING_UNKNOWN: nobody knows */
    uint8_t step, doing;           /* of the step that runs; what it does at the moment */
    uint64_t began;                /* of the step that runs; 0: nothing is noted yet */
};

/* So many steps in a row. */
struct timeline_run {
    enum doing doing;
    unsigned steps;
};
#define TIMELINE_RUNS (TIMELINE_STEPS + 1)

/* From now on it does that. Before the first note it did so since `since` (0: not known). A
 * timeline starts as zeroes. */
void timeline_note(struct timeline *timeline, enum doing doing, uint64_t since, uint64_t now);

/* Oldest first, the last step is the one that runs; without what nobody knows at the beginning.
 * Returns how many. */
size_t timeline_runs(const struct timeline *timeline, struct timeline_run runs[TIMELINE_RUNS]);
