/*
 * Lines of cells as compact bytes, for the scrollback: the text in UTF-8, and runs of looks that
 * point into a table which the lines of one block share. Looks are kept by value, so that the
 * terminal's attribute ids may change their meaning.
 *
 * A line is: varint bytes of text, varint number of runs, the runs (varint glyphs, varint index of
 * the look), the text. In the text 0x00 is a blank cell, 0x01 announces a wide glyph, 0x02 and a
 * number of points a cluster; other controls cannot occur in a cell.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "mux/monitor/bytes.h"
#include "mux/monitor/cell.h"
#include "mux/monitor/styles.h"

/* The looks of one block while it is written. */
struct line_looks {
    struct attribute *items;
    uint32_t count, capacity;
    uint32_t *map; /* attribute id -> serial << 16 | index */
    uint16_t serial;
};

void line_looks_free(struct line_looks *looks);

/* Begins an empty table; call it also when attribute ids changed their meaning. */
void line_looks_restart(struct line_looks *looks);

/*
 * Appends one line of `count` cells. Returns 0, or -ENOMEM with `out` as it was. *wide is set when
 * a wide glyph is among them.
 */
int line_encode(struct bytes *out, struct line_looks *looks, const struct styles *styles,
                const struct cell *cells, size_t count, bool *wide);

/* The length of the line at `data`, 0 when it is damaged. */
size_t line_skip(const uint8_t *data, size_t size);

/*
 * Decodes the line at `data` into at most `room` cells; returns how many. Looks and clusters are
 * interned in `styles`; what does not fit there becomes the default look.
 */
size_t line_decode(const uint8_t *data, size_t size, const struct attribute *looks,
                   size_t looks_count, struct styles *styles, struct cell *cells, size_t room);
