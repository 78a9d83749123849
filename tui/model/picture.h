/*
 * A screen as it was at one moment of a recording: cells of clean text with colours.
 *
 * The struct owns its cells; whoever fills it is not believed, so picture_set() cleans and bounds
 * what comes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PICTURE_ROWS_MAX 1000
#define PICTURE_COLS_MAX 1000
#define PICTURE_TEXT_MAX 16 /* bytes of a cell with the NUL */

struct picture_cell {
    char text[PICTURE_TEXT_MAX]; /* "": blank, or the right half of a wide one */
    uint32_t fg, bg;             /* BJ_COLOR_* */
    uint16_t flags;              /* BJ_ATTR_* */
    bool wide;
};

struct picture {
    int rows, cols;
    struct picture_cell *cells; /* row by row */
    int cursor_row, cursor_col;
    bool cursor_visible;
};

void picture_free(struct picture *picture); /* empty afterwards */

/* Gives it a size, all blank. -EPROTO beyond the limits, -ENOMEM. */
int picture_resize(struct picture *picture, int rows, int cols);

/* Sets a cell from text that is not believed; outside of the picture nothing happens. */
void picture_set(struct picture *picture, int row, int col, const char *text, size_t size,
                 uint32_t fg, uint32_t bg, uint16_t flags);
