/*
 * What an agent is doing, on what evidence, and since when: judged here and nowhere else, so that
 * `ls`, the dashboard and every other client say the same.
 *
 * In order of trust: the server's own facts (starting, paused, ended), requests that are held, what
 * the agent's hooks told, the terminal's signals (prompt marks, notifications, bells, titles), what
 * is seen from outside (that it reads its terminal, output, CPU). A newer word of waiting is
 * believed before an older one of working, and waiting that a hook told ends only when a human has
 * typed and the agent has gone on: an agent that is blocked is never shown as running. What nobody
 * knows is unknown.
 *
 * Pure. Times are monotonic milliseconds (server_clock); 0: it did not happen.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mux/server/record.h"

#define ACTIVITY_QUIET_MS 4000U   /* without output for so long, it is not printing any more */
#define ACTIVITY_ECHO_MS  500U    /* a bell so soon after a key, or before it, is the key's */
#define ACTIVITY_GRACE_MS 2000U   /* echo of what a human typed, and what it redraws at once */
#define ACTIVITY_STUCK_MS 120000U /* no sign of life while its hook says that it works */
#define ACTIVITY_COMMAND_MS                                                                        \
    30000U                /* a command that neither prints nor computes is as idle as any */
#define ACTIVITY_BUSY 3.0 /* percent of a core from which on it computes */

enum doing {
    DOING_UNKNOWN,
    DOING_STARTING,
    DOING_RUNNING,  /* it computes or prints */
    DOING_THINKING, /* it waits for its model: a spinner, or its hook says so */
    DOING_IDLE,
    DOING_INPUT,   /* it waits for what a human types */
    DOING_VERDICT, /* a request of it is held */
    DOING_STUCK,
    DOING_PAUSED,
    DOING_EXITED,
    DOING_FAILED, /* exited with a code or by a signal */
    DOING_LOST,
};
#define DOINGS 12

enum doing_source {
    SOURCE_NONE,
    SOURCE_SERVER,
    SOURCE_REQUEST,
    SOURCE_HOOK,
    SOURCE_PROMPT,
    SOURCE_READING, /* it sleeps in a read of its terminal, behind the beginning of a line */
    SOURCE_NOTICE,  /* OSC 9, 99, 777 */
    SOURCE_BELL,
    SOURCE_TITLE,
    SOURCE_OUTPUT,
    SOURCE_CPU,
    SOURCE_SILENCE,
};
#define DOING_SOURCES 12

enum activity_hook { HOOK_NONE, HOOK_WORKING, HOOK_WAITING, HOOK_DONE };
enum activity_prompt { PROMPT_UNKNOWN, PROMPT_SHOWN, PROMPT_LEFT /* a command runs */ };

struct activity_facts {
    enum sandbox_state state;
    bool failed;
    uint64_t asked; /* when its oldest open request came */
    enum activity_hook hook;
    enum activity_prompt prompt;
    uint64_t hook_at, told_at; /* since when it says so, and when it said so last */
    uint64_t prompt_at, notice_at, bell_at;
    uint64_t spinner_at; /* its title turned a spinner */
    uint64_t input_at;   /* a human typed */
    uint64_t break_at;   /* Escape or Ctrl-C, which interrupt most agents */
    uint64_t sized_at;   /* its terminal got another size, so that it draws anew */
    uint64_t watched_at; /* since then no output would have been missed */
    uint64_t output_at;  /* it printed, and not only because it got another size */
    uint64_t lines_at;   /* it got further than a line before; a spinner does not */
    bool open;           /* the cursor stands behind what it printed */
    uint64_t reads_at;   /* it was seen to read its terminal */
    uint64_t reads_since;
    uint64_t busy_at;  /* it used the CPU */
    double cpu;        /* percent of one core; below zero: not known */
    uint64_t stuck_ms; /* instead of ACTIVITY_STUCK_MS; 0: that */
};

struct activity {
    enum doing doing;
    enum doing_source source;
    uint64_t since; /* 0: before this server looked */
    bool judged;    /* at least once */
};

/* Whether what it prints then is its screen in another size: no sign of anything, and not noted as
 * output. What comes behind a key may be more. */
bool activity_redraws(const struct activity_facts *facts, uint64_t at);

/* `activity` starts as zeroes. Returns whether it has changed. */
bool activity_judge(struct activity *activity, const struct activity_facts *facts, uint64_t now);

/* Whether it still waits at the question at which it was seen to read its terminal. */
bool activity_reads(const struct activity_facts *facts);

/* As clients read them: "running", "verdict", ...; "hook", "output", ... */
const char *activity_doing_name(enum doing doing);
const char *activity_source_name(enum doing_source source);

/* Whether a title begins with a picture of a spinner, as agents set it while they work. */
bool activity_is_spinner(const char *title);
