/*
 * What an agent is doing, as far as it is known, on what evidence, and since when.
 *
 * Facts come first: what the server says (starting, paused, ended, lost) and requests that wait at
 * the wall. Then come hints that the agent gives itself (a bell or a notification after which it
 * stays silent), then what is seen from outside (output, CPU). Where none of these is known the
 * state is `unknown`; nothing is guessed. Times are unix seconds; below zero: not known.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define STATE_STEP_S  5   /* one sample of the timeline */
#define STATE_SAMPLES 120 /* so ten minutes */

#define STATE_QUIET_S 4   /* without output for so long, an agent is not printing any more */
#define STATE_BUSY    5.0 /* percent of a core from which on it computes */

/* As the server has it. */
enum sandbox_state {
    SANDBOX_STARTING,
    SANDBOX_RUNNING,
    SANDBOX_WAITING,
    SANDBOX_PAUSED,
    SANDBOX_EXITED,
    SANDBOX_LOST,
};
#define SANDBOX_STATES 6

/* In the order of need: of a span of time the last one of these is shown. */
enum doing {
    DOING_UNKNOWN,
    DOING_ENDED,
    DOING_IDLE,
    DOING_PAUSED,
    DOING_STARTING,
    DOING_WORKING,
    DOING_FAILED,
    DOING_LOST,
    DOING_CALLS, /* it rang and is silent since */
    DOING_ASKS,  /* a request waits for a verdict */
};
#define DOINGS 10

enum evidence {
    EVIDENCE_NONE,
    EVIDENCE_SERVER,
    EVIDENCE_REQUEST,
    EVIDENCE_BELL,
    EVIDENCE_OUTPUT,
    EVIDENCE_CPU,
    EVIDENCE_SILENCE,
};

struct state_facts {
    enum sandbox_state server;
    bool failed;   /* it exited with a code or by a signal */
    double asked;  /* when its oldest open request came; 0: none is open */
    double rang;   /* last bell or notification; below zero: none since this dashboard looks */
    double output; /* its last output; below zero: not known */
    double cpu;    /* percent of one core; below zero: not known */
};

struct state {
    enum doing doing;
    enum evidence evidence;
    bool judged;                    /* at least once */
    double since;                   /* below zero: before this dashboard looked */
    uint8_t samples[STATE_SAMPLES]; /* enum doing, oldest first */
    uint8_t step;                   /* what is shown of the step that runs */
    double step_began;
};

/* `state` starts as zeroes. Returns whether what it does has changed. */
bool state_judge(struct state *state, const struct state_facts *facts, double now);

/* The timeline in `width` (at most STATE_SAMPLES) columns, oldest first. */
void state_strip(const struct state *state, int width, enum doing *out);

const char *state_word(enum doing doing); /* "working", "idle", ... */
const char *state_glyph(enum doing doing, bool ascii);
const char *state_strip_glyph(enum doing doing, bool ascii);
/* Why it is believed: "a request is open", "no output, no CPU", ... */
const char *state_evidence(enum evidence evidence);
