/*
 * A screen that plays a recording: takes an agent's bytes, gives text.
 *
 * libvterm keeps the state; what is shown to the human are this screen's cells, never a byte of the
 * recording. So nothing that an agent printed acts on the terminal that plays it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct replay_screen;

/* `lines` gets the lines that leave the top of the main screen, as plain text; NULL: nobody. */
struct replay_screen *replay_screen_new(unsigned rows, unsigned cols, FILE *lines);
void replay_screen_free(struct replay_screen *screen);

void replay_screen_write(struct replay_screen *screen, const char *bytes, size_t size);
void replay_screen_resize(struct replay_screen *screen, unsigned rows, unsigned cols);

/* What replay_screen_cells() writes: first this, then cells until the end. */
struct replay_frame {
    uint32_t rows, cols;
    uint32_t cursor_row, cursor_col, cursor_visible;
};
struct replay_cell {
    uint32_t fg, bg; /* BJ_COLOR_* */
    uint16_t row, col;
    uint16_t flags; /* BJ_ATTR_* */
    uint16_t size;  /* bytes of UTF-8 that follow */
};

/* Writes the cells of the rows that changed since the last time (of all when `all`). Nothing is
 * written for the right half of a wide character. */
void replay_screen_cells(struct replay_screen *screen, FILE *out, bool all);

/* The screen as lines of plain text without trailing blanks and empty last lines. */
void replay_screen_text(struct replay_screen *screen, FILE *out);
