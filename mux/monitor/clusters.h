/*
 * Cells that hold more than one code point: a base with combining marks, an emoji joined by
 * ZERO WIDTH JOINER. Interned, bounded in length and number: what goes beyond is dropped, so that a
 * flood of marks costs nothing. Owned by the terminal.
 */
#pragma once

#include <stdint.h>

#define CLUSTER_POINTS_MAX 12U
#define CLUSTERS_MAX       4096U

struct cluster {
    uint32_t count;
    uint32_t points[CLUSTER_POINTS_MAX];
};

struct clusters {
    struct cluster *items;
    uint32_t count, capacity;
    uint16_t *slots; /* open addressing; 0 is empty, else index + 1 */
    uint32_t slots_size;
};

void clusters_free(struct clusters *clusters);

/*
 * The glyph of `glyph` (see cell.h) with `point` behind it. The same glyph when the cluster is at
 * its longest; 0 when the table is full or memory is short: the owner may sweep and ask again.
 */
uint32_t clusters_append(struct clusters *clusters, uint32_t glyph, uint32_t point);

/* The glyph of several points, e.g. from the scrollback; the first point alone when full. */
uint32_t clusters_intern(struct clusters *clusters, const uint32_t *points, uint32_t count);

/* Points of any glyph; returns their number (0 for a blank or a tail). */
uint32_t clusters_points(const struct clusters *clusters, uint32_t glyph,
                         uint32_t points[CLUSTER_POINTS_MAX]);

/*
 * Keeps only the clusters with map[index] != 0, and writes each one's new index + 1 into map.
 * The owner then rewrites the glyphs of its cells.
 */
void clusters_sweep(struct clusters *clusters, uint16_t map[CLUSTERS_MAX]);
