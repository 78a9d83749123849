/*
 * The command palette: every action of the key table by its name, found with a few of its letters.
 *
 * The letters must come in their order; hits at beginnings of words and in a row rank first. What
 * the help says about an action is looked at, too, and ranks behind its name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tui/keys.h"
#include "tui/model/line.h"

#define PALETTE_MAX 128

struct palette {
    bool open;
    struct line line;
    const struct key_action *hit[PALETTE_MAX]; /* best first */
    int score[PALETTE_MAX];
    size_t count, at;
};

void palette_open(struct palette *palette);
/* The line has changed. */
void palette_make(struct palette *palette);

enum palette_outcome { PALETTE_STAYS, PALETTE_LEAVES, PALETTE_RUNS };
enum palette_outcome palette_key(struct palette *palette, const struct chord *chord);

/* How well letters fit a text: below zero not at all. */
int palette_score(const char *letters, const char *text);
