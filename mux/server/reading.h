/*
 * Whether a sandbox's program waits at a question that nothing inside told of: it printed the
 * beginning of a line, fell silent, and the kernel says that it reads a line of its terminal
 * (mux/resource/reader.h). Looked at only while it is silent and its line stands open, once as soon
 * as it is silent or a human has typed, then more and more rarely.
 */
#pragma once

#include <stdint.h>

struct sandbox;

struct reading {
    uint64_t output_at, input_at; /* of the facts, at the last look */
    uint64_t next;                /* monotonic ms of the next look at the same silence */
    uint32_t wait;                /* ms between the last look and the next; 0: none yet */
};

/* Keeps the fact reads_at true; `now` as from server_clock(). */
void reading_look(struct sandbox *sandbox, uint64_t now);
