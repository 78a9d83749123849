#include "mux/monitor/clusters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mux/monitor/cell.h"

#define FIRST_CAPACITY 32U

static uint32_t hash_of(const uint32_t *points, uint32_t count)
{
    uint32_t h = 2166136261U;
    for (uint32_t i = 0; i < count; i++)
        h = (h ^ points[i]) * 16777619U;
    return h ^ (h >> 15);
}

static void slot_put(struct clusters *clusters, uint32_t index)
{
    const struct cluster *item = &clusters->items[index];
    uint32_t mask = clusters->slots_size - 1;
    uint32_t at = hash_of(item->points, item->count) & mask;
    while (clusters->slots[at])
        at = (at + 1) & mask;
    clusters->slots[at] = (uint16_t)(index + 1);
}

static int grow(struct clusters *clusters)
{
    uint32_t capacity = clusters->capacity ? clusters->capacity * 2 : FIRST_CAPACITY;
    if (capacity > CLUSTERS_MAX)
        return -ENOSPC;
    struct cluster *items = realloc(clusters->items, capacity * sizeof(*items));
    if (!items)
        return -ENOMEM;
    clusters->items = items;
    uint16_t *slots = calloc(capacity * 2, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    free(clusters->slots);
    clusters->slots = slots;
    clusters->slots_size = capacity * 2;
    clusters->capacity = capacity;
    for (uint32_t i = 0; i < clusters->count; i++)
        slot_put(clusters, i);
    return 0;
}

void clusters_free(struct clusters *clusters)
{
    free(clusters->items);
    free(clusters->slots);
    *clusters = (struct clusters){0};
}

static uint32_t intern(struct clusters *clusters, const uint32_t *points, uint32_t count)
{
    if (clusters->count == clusters->capacity && grow(clusters) < 0)
        return 0;
    uint32_t mask = clusters->slots_size - 1;
    for (uint32_t at = hash_of(points, count) & mask; clusters->slots[at]; at = (at + 1) & mask) {
        uint32_t index = clusters->slots[at] - 1U;
        const struct cluster *item = &clusters->items[index];
        if (item->count == count && memcmp(item->points, points, count * sizeof(*points)) == 0)
            return GLYPH_CLUSTER | index;
    }
    uint32_t index = clusters->count++;
    clusters->items[index].count = count;
    memcpy(clusters->items[index].points, points, count * sizeof(*points));
    slot_put(clusters, index);
    return GLYPH_CLUSTER | index;
}

uint32_t clusters_append(struct clusters *clusters, uint32_t glyph, uint32_t point)
{
    uint32_t points[CLUSTER_POINTS_MAX];
    uint32_t count = clusters_points(clusters, glyph, points);
    if (count >= CLUSTER_POINTS_MAX)
        return glyph;
    if (count == 0)
        points[count++] = ' ';
    points[count++] = point;
    uint32_t found = intern(clusters, points, count);
    return found ? found | (glyph & GLYPH_WIDE) : 0;
}

uint32_t clusters_intern(struct clusters *clusters, const uint32_t *points, uint32_t count)
{
    if (count == 0)
        return 0;
    if (count > CLUSTER_POINTS_MAX)
        count = CLUSTER_POINTS_MAX;
    uint32_t found = count > 1 ? intern(clusters, points, count) : 0;
    return found ? found : points[0];
}

uint32_t clusters_points(const struct clusters *clusters, uint32_t glyph,
                         uint32_t points[CLUSTER_POINTS_MAX])
{
    if (glyph & (GLYPH_TAIL | GLYPH_PAD))
        return 0;
    if (!(glyph & GLYPH_CLUSTER)) {
        points[0] = glyph & GLYPH_VALUE;
        return points[0] ? 1 : 0;
    }
    uint32_t index = glyph & GLYPH_VALUE;
    if (index >= clusters->count)
        return 0;
    memcpy(points, clusters->items[index].points, sizeof(clusters->items[index].points));
    return clusters->items[index].count;
}

void clusters_sweep(struct clusters *clusters, uint16_t map[CLUSTERS_MAX])
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < clusters->count; i++) {
        if (!map[i])
            continue;
        clusters->items[kept] = clusters->items[i];
        map[i] = (uint16_t)++kept;
    }
    clusters->count = kept;
    memset(clusters->slots, 0, clusters->slots_size * sizeof(*clusters->slots));
    for (uint32_t i = 0; i < kept; i++)
        slot_put(clusters, i);
}
