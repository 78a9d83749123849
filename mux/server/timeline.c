#include "mux/server/timeline.h"

#include <string.h>

/* As the dashboard has it (tui/model/state.h). */
static uint8_t need(uint8_t doing)
{
    static const uint8_t needs[DOINGS] = {
        [DOING_UNKNOWN] = 0,  [DOING_EXITED] = 1,   [DOING_IDLE] = 2,    [DOING_PAUSED] = 3,
        [DOING_STARTING] = 4, [DOING_THINKING] = 5, [DOING_RUNNING] = 6, [DOING_FAILED] = 7,
        [DOING_LOST] = 8,     [DOING_STUCK] = 9,    [DOING_INPUT] = 10,  [DOING_VERDICT] = 11,
    };
    return needs[doing];
}

static void begin(struct timeline *timeline, enum doing doing, uint64_t since, uint64_t now)
{
    uint64_t steps = since != 0 && since < now ? (now - since) / TIMELINE_STEP_MS : 0;
    if (steps > TIMELINE_STEPS)
        steps = TIMELINE_STEPS;
    memset(timeline->steps + TIMELINE_STEPS - steps, (int)doing, steps);
    timeline->began = now;
}

static void pass(struct timeline *timeline, uint64_t now)
{
    uint64_t passed = (now - timeline->began) / TIMELINE_STEP_MS;
    timeline->began += passed * TIMELINE_STEP_MS;
    if (passed > TIMELINE_STEPS + 1)
        passed = TIMELINE_STEPS + 1;
    for (; passed > 0; passed--) {
        memmove(timeline->steps, timeline->steps + 1, TIMELINE_STEPS - 1);
        timeline->steps[TIMELINE_STEPS - 1] = timeline->step;
        timeline->step = timeline->doing;
    }
}

void timeline_note(struct timeline *timeline, enum doing doing, uint64_t since, uint64_t now)
{
    if (timeline->began == 0)
        begin(timeline, doing, since, now);
    else
        pass(timeline, now);
    timeline->doing = (uint8_t)doing;
    if (need(timeline->doing) > need(timeline->step))
        timeline->step = timeline->doing;
}

size_t timeline_runs(const struct timeline *timeline, struct timeline_run runs[TIMELINE_RUNS])
{
    size_t count = 0;
    for (int i = 0; i <= TIMELINE_STEPS; i++) {
        enum doing doing = i < TIMELINE_STEPS ? timeline->steps[i] : timeline->step;
        if (count > 0 && runs[count - 1].doing == doing)
            runs[count - 1].steps++;
        else if (count > 0 || doing != DOING_UNKNOWN)
            runs[count++] = (struct timeline_run){doing, 1};
    }
    return count;
}
