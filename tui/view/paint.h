/*
 * Cells onto ncurses: the only place from which text reaches the human's terminal.
 *
 * Colours are given as BJ_COLOR_* (the default meaning the theme's) and come out as the terminal
 * can: 24-bit, 256, 16, 8 or attributes only. Characters whose width the C library sees otherwise
 * than Unicode are replaced, so that nothing moves what is beside it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tui/model/layout.h"
#include "tui/model/theme.h"
#include "tui/view/terminal.h"

struct style {
    uint32_t fg, bg; /* BJ_COLOR_* */
    uint16_t flags;  /* BJ_ATTR_* */
};

struct paint_slot;

struct paint {
    struct term_facts facts;
    const struct theme *theme;
    struct paint_slot *slots; /* colour pairs by their colours */
    int pairs;                /* in use; pair 0 is the terminal's own */
    int pairs_limit;
    bool flushed;      /* the pairs ran out: everything must be painted again */
    struct style last; /* the style resolved last, and what came out */
    bool last_valid;
    unsigned last_attributes;
    int last_pair;
    uint32_t nearest[4096]; /* RGB << 8 and the number nearest to it, without direct colour */
};

int paint_open(struct paint *paint, const struct term_facts *facts, const struct theme *theme,
               struct bj_error *error);
void paint_close(struct paint *paint);
void paint_theme(struct paint *paint, const struct theme *theme);

/* At the start of a frame: what ncurses leaves where half a wide character is overwritten. */
void paint_begin(struct paint *paint);

struct style paint_style(const struct paint *paint, enum theme_role fg, enum theme_role bg,
                         uint16_t flags);

/* One cell, or two when `wide`. */
void paint_cell(struct paint *paint, int row, int col, const char *text, bool wide,
                const struct style *style);

/* Text in at most `columns`, cut with an ellipsis. Returns the columns used. */
int paint_text(struct paint *paint, int row, int col, int columns, const char *text,
               const struct style *style);
void paint_fill(struct paint *paint, const struct rect *rect, const char *text,
                const struct style *style);

enum border { BORDER_PLAIN, BORDER_SELECTED, BORDER_FOCUS };
void paint_border(struct paint *paint, const struct rect *rect, enum border border,
                  const struct style *style);
