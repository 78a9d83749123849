/*
 * What happened since the human left: counts, and the last things worth a line each.
 *
 * Filled from the audit log (tui/cli/digest.h), told in a card that any key closes; Enter, Escape
 * and Space do no more than that. Nothing is shown when nothing happened.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tui/keys.h"

#define DIGEST_LINES    6
#define DIGEST_LINE_MAX 160
#define DIGEST_SUM_MAX  200

struct digest {
    double since; /* unix seconds: when the last dashboard of the session was left; 0: never */
    size_t held, answered, expired, exited, failed, alerts, taken, rules, killed;
    struct {
        double time;
        bool bad;
        char text[DIGEST_LINE_MAX]; /* clean */
    } line[DIGEST_LINES];           /* the newest, oldest first */
    size_t line_count;
    bool open;
};

bool digest_empty(const struct digest *digest);

/* From here on: what came before has been seen. */
void digest_begin(struct digest *digest, double time);

/* A line, which is cleaned; the oldest one goes when there are too many. */
void digest_say(struct digest *digest, double time, bool bad, const char *text);

/* "3 requests held, 1 answered by others, 1 expired, 1 ended, ...". */
void digest_sum(const struct digest *digest, char out[DIGEST_SUM_MAX]);

/* Closes the card. True when the key was only for that. */
bool digest_key(struct digest *digest, const struct chord *chord);
