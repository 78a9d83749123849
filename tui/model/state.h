/*
 * What an agent is doing, on what evidence, and since when, as the server judged it
 * (mux/server/activity.h), in words, glyphs and a timeline. Times are unix seconds; below zero: not
 * known.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATE_STEP_S  5   /* one sample of the timeline */
#define STATE_SAMPLES 120 /* so ten minutes */

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
    DOING_EXITED,
    DOING_IDLE,
    DOING_PAUSED,
    DOING_STARTING,
    DOING_THINKING,
    DOING_RUNNING,
    DOING_FAILED,
    DOING_LOST,
    DOING_STUCK,
    DOING_INPUT,   /* it waits for what a human types */
    DOING_VERDICT, /* a request waits for a verdict */
};
#define DOINGS 12

enum evidence {
    EVIDENCE_NONE,
    EVIDENCE_SERVER,
    EVIDENCE_REQUEST,
    EVIDENCE_HOOK,
    EVIDENCE_PROMPT,
    EVIDENCE_NOTICE,
    EVIDENCE_BELL,
    EVIDENCE_TITLE,
    EVIDENCE_OUTPUT,
    EVIDENCE_CPU,
    EVIDENCE_SILENCE,
    EVIDENCE_READING,
    EVIDENCE_CUT,
};
#define EVIDENCES 13

struct state {
    enum doing doing;
    enum evidence evidence;
    double since;                   /* below zero: longer than is known */
    uint8_t samples[STATE_SAMPLES]; /* enum doing, oldest first */
    uint8_t step;                   /* what is shown of the step that runs */
    double step_began;
};

/* The words of the API; those that are not known are `unknown` and `none`. */
enum doing state_doing(const char *word);
enum evidence state_source(const char *word);

/* What the server says. `state` starts as zeroes. */
void state_set(struct state *state, enum doing doing, enum evidence evidence, double since,
               double now);
/* Time goes by. */
void state_tick(struct state *state, double now);

/* What it did before, of `count` steps, oldest first; the last is the one that runs. What is
 * unknown in it stays as it was seen here. */
void state_recall(struct state *state, const enum doing *steps, size_t count, double now);

/* Whether it waits for a human, or for nothing that comes by itself. */
bool state_needs(enum doing doing);
/* Below zero when `one` needs the human more: what it waits for and who says so, then for how long.
 */
int state_compare(const struct state *one, const struct state *other);

/* The timeline in `width` (at most STATE_SAMPLES) columns, oldest first. */
void state_strip(const struct state *state, int width, enum doing *out);

const char *state_word(enum doing doing);  /* "running", "waiting for input", ... */
const char *state_brief(enum doing doing); /* the same in ten columns or less */
const char *state_glyph(enum doing doing, bool ascii);
const char *state_strip_glyph(enum doing doing, bool ascii);
/* Why it is believed: "a request is open", "no output, no CPU", ... */
const char *state_evidence(enum evidence evidence);
