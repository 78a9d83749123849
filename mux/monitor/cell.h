/*
 * One cell of a screen: what stands in it, and how it looks, in eight bytes.
 *
 * `glyph` is 0 for a cell that was never written or was erased, a Unicode code point, or
 * GLYPH_CLUSTER with an index into the struct clusters. GLYPH_WIDE marks a glyph of two columns;
 * the cell behind it is GLYPH_TAIL. GLYPH_PAD fills the last column of a line whose next glyph was
 * wide and went to the next row; it disappears when the line is joined again. `attr` is an id of
 * the struct attributes; 0 is the default attribute.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define GLYPH_CLUSTER 0x80000000U
#define GLYPH_WIDE    0x40000000U
#define GLYPH_TAIL    0x20000000U
#define GLYPH_PAD     0x10000000U
#define GLYPH_VALUE   0x001fffffU

#define GLYPH_REPLACEMENT 0xfffdU

struct cell {
    uint32_t glyph;
    uint16_t attr;
    uint16_t zero; /* always 0, so that cells can be compared as bytes */
};

_Static_assert(sizeof(struct cell) == 8, "a cell is eight bytes");

/* Rows are handed around as pointers; the scrollback takes them over without a copy. */
struct row {
    uint16_t used; /* cells from here on are blank with the default attribute */
    bool wrapped;  /* the line goes on in the next row */
    struct cell cells[];
};

static inline bool cell_is_blank(const struct cell *cell)
{
    return cell->glyph == 0 && cell->attr == 0;
}

static inline bool cell_equal(const struct cell *a, const struct cell *b)
{
    return a->glyph == b->glyph && a->attr == b->attr;
}
