/*
 * What the terminal's tests share: a terminal that writes down what it says, its rows as text, and
 * a comparison of two terminals by what a person would see.
 */
#pragma once

#include "mux/monitor/capture.h"
#include "mux/monitor/terminal.h"

struct heard {
    char replies[4096];
    size_t replies_size;
    char alerts[4096]; /* "kind: text\n" each */
    int alerts_count, bells, titles;
};

/* Owned by the caller; what it says goes to `heard`, which is emptied first and may be NULL. */
struct terminal *screen_new(int rows, int cols, size_t scrollback, struct heard *heard);

void screen_write(struct terminal *terminal, const char *text);

/* One row without trailing blanks; the text stays valid until the fourth call after. */
const char *screen_row(struct terminal *terminal, int row);

/* A row of the scrollback, 0 is the oldest. */
const char *screen_history(struct terminal *terminal, size_t row);

const struct cell *screen_cell(struct terminal *terminal, int row, int col);
const struct attribute *screen_look(struct terminal *terminal, int row, int col);

/* NULL when both look and behave the same, else where they differ. */
const char *screen_difference(struct terminal *a, struct terminal *b);

/* Hostile and ordinary output in random order: `size` bytes from `seed`, always the same. */
void screen_noise(uint32_t seed, uint8_t *out, size_t size);

const char *heard_replies(struct heard *heard); /* and forgets them */
