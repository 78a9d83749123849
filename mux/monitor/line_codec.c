#include "mux/monitor/line_codec.h"

#include <errno.h>

#include "transport/utf8.h"

enum { MARK_BLANK = 0, MARK_WIDE = 1, MARK_CLUSTER = 2 };

void line_looks_free(struct line_looks *looks)
{
    free(looks->items);
    free(looks->map);
    *looks = (struct line_looks){0};
}

void line_looks_restart(struct line_looks *looks)
{
    looks->count = 0;
    if (++looks->serial == 0) {
        looks->serial = 1;
        if (looks->map)
            memset(looks->map, 0, ATTRIBUTES_MAX * sizeof(*looks->map));
    }
}

/* Index of a look in the block's table, or UINT32_MAX. */
static uint32_t look_index(struct line_looks *looks, const struct styles *styles, uint16_t attr)
{
    if (!looks->map) {
        looks->map = calloc(ATTRIBUTES_MAX, sizeof(*looks->map));
        if (!looks->map)
            return UINT32_MAX;
        looks->serial = 1;
    }
    uint32_t known = looks->map[attr];
    if (known >> 16 == looks->serial)
        return known & 0xffff;
    if (looks->count == looks->capacity) {
        uint32_t capacity = looks->capacity ? looks->capacity * 2 : 16;
        struct attribute *items =
            capacity <= 0x10000 ? realloc(looks->items, capacity * sizeof(*items)) : NULL;
        if (!items)
            return UINT32_MAX;
        looks->items = items;
        looks->capacity = capacity;
    }
    uint32_t index = looks->count++;
    looks->items[index] = *attributes_get(&styles->attributes, attr);
    looks->map[attr] = (uint32_t)looks->serial << 16 | index;
    return index;
}

static size_t varint_put(uint8_t *out, uint32_t value)
{
    size_t size = 0;
    while (value >= 0x80) {
        out[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[size++] = (uint8_t)value;
    return size;
}

static const uint8_t *varint_get(const uint8_t *at, const uint8_t *end, uint32_t *value)
{
    *value = 0;
    for (int shift = 0; at < end && shift < 32; shift += 7) {
        uint8_t byte = *at++;
        *value |= (uint32_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return at;
    }
    return NULL;
}

static size_t glyph_put(uint8_t *out, const struct styles *styles, uint32_t glyph)
{
    uint8_t *at = out;
    if (glyph & GLYPH_WIDE)
        *at++ = MARK_WIDE;
    if (!(glyph & GLYPH_CLUSTER)) {
        at += utf8_encode(at, glyph & GLYPH_VALUE);
        return (size_t)(at - out);
    }
    uint32_t points[CLUSTER_POINTS_MAX];
    uint32_t count = clusters_points(&styles->clusters, glyph, points);
    *at++ = MARK_CLUSTER;
    *at++ = (uint8_t)count;
    for (uint32_t i = 0; i < count; i++)
        at += utf8_encode(at, points[i]);
    return (size_t)(at - out);
}

#define GLYPH_BYTES   5 /* at most, of one that is no cluster */
#define CLUSTER_BYTES (3 + 4 * CLUSTER_POINTS_MAX)

static int run_put(struct bytes *runs, struct line_looks *looks, const struct styles *styles,
                   uint16_t attr, uint32_t length)
{
    uint32_t index = look_index(looks, styles, attr);
    uint8_t *room = bytes_room(runs, 10);
    if (!room || index == UINT32_MAX)
        return -ENOMEM;
    size_t size = varint_put(room, length);
    runs->size += size + varint_put(room + size, index);
    return 0;
}

int line_encode(struct bytes *out, struct line_looks *looks, const struct styles *styles,
                const struct cell *cells, size_t count, bool *wide)
{
    static struct bytes text, runs; /* kept for their memory; the monitor has one thread */
    text.size = runs.size = 0;
    text.failed = runs.failed = false;
    uint32_t runs_count = 0, glyphs = 0;
    uint8_t *to = bytes_room(&text, GLYPH_BYTES * count + 1);
    if (!to)
        return -ENOMEM;

    for (size_t i = 0; i < count;) {
        const uint16_t attr = cells[i].attr;
        uint32_t run = 0;
        for (; i < count && cells[i].attr == attr; i++) {
            uint32_t glyph = cells[i].glyph;
            if (glyph & (GLYPH_TAIL | GLYPH_PAD))
                continue;
            run++;
            if (glyph < 0x80) { /* there is room for each cell to come */
                *to++ = (uint8_t)glyph;
                continue;
            }
            if (glyph & GLYPH_CLUSTER) {
                text.size = (size_t)(to - text.data);
                if (!bytes_room(&text, CLUSTER_BYTES + GLYPH_BYTES * (count - i)))
                    return -ENOMEM;
                to = text.data + text.size;
            }
            glyphs |= glyph;
            to += glyph_put(to, styles, glyph);
        }
        if (run > 0 && run_put(&runs, looks, styles, attr, run) < 0)
            return -ENOMEM;
        runs_count += run > 0;
    }
    *wide = (glyphs & GLYPH_WIDE) != 0;
    text.size = (size_t)(to - text.data);

    uint8_t *room = bytes_room(out, 10 + runs.size + text.size);
    if (!room)
        return -ENOMEM;
    size_t size = varint_put(room, (uint32_t)text.size);
    size += varint_put(room + size, runs_count);
    out->size += size;
    bytes_add(out, runs.data, runs.size);
    bytes_add(out, text.data, text.size);
    return 0;
}

struct line_parts {
    const uint8_t *runs, *text, *end;
    uint32_t runs_count;
};

static int line_parts(struct line_parts *parts, const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    uint32_t text_size;
    const uint8_t *at = varint_get(data, end, &text_size);
    at = at ? varint_get(at, end, &parts->runs_count) : NULL;
    parts->runs = at;
    for (uint32_t i = 0; at && i < 2 * parts->runs_count; i++) {
        uint32_t ignored;
        at = varint_get(at, end, &ignored);
    }
    if (!at || (size_t)(end - at) < text_size)
        return -EPROTO;
    parts->text = at;
    parts->end = at + text_size;
    return 0;
}

size_t line_skip(const uint8_t *data, size_t size)
{
    struct line_parts parts;
    return line_parts(&parts, data, size) < 0 ? 0 : (size_t)(parts.end - data);
}

/* One code point; the encoder wrote it, so it is only checked for its length. */
static uint32_t point_get(const uint8_t **at, const uint8_t *end)
{
    uint8_t first = *(*at)++;
    int more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    uint32_t point = more == 0 ? first : first & (0x3fU >> more);
    for (; more > 0 && *at < end; more--)
        point = point << 6 | (*(*at)++ & 0x3f);
    return point;
}

static uint32_t glyph_get(const uint8_t **at, const uint8_t *end, struct styles *styles)
{
    uint32_t wide = 0;
    if (**at == MARK_WIDE) {
        wide = GLYPH_WIDE;
        if (++*at == end)
            return 0;
    }
    if (**at != MARK_CLUSTER || end - *at < 2)
        return point_get(at, end) | wide;
    uint32_t points[CLUSTER_POINTS_MAX];
    uint32_t count = (*at)[1], kept = 0;
    *at += 2;
    for (uint32_t i = 0; i < count && *at < end; i++) {
        uint32_t point = point_get(at, end);
        if (kept < CLUSTER_POINTS_MAX)
            points[kept++] = point;
    }
    return clusters_intern(&styles->clusters, points, kept) | wide;
}

size_t line_decode(const uint8_t *data, size_t size, const struct attribute *looks,
                   size_t looks_count, struct styles *styles, struct cell *cells, size_t room)
{
    struct line_parts parts;
    if (line_parts(&parts, data, size) < 0)
        return 0;
    const uint8_t *run = parts.runs, *text = parts.text;
    size_t filled = 0;
    for (uint32_t i = 0; i < parts.runs_count; i++) {
        uint32_t glyphs, index;
        run = varint_get(run, parts.text, &glyphs);
        run = varint_get(run, parts.text, &index);
        uint16_t attr =
            index < looks_count ? attributes_intern(&styles->attributes, &looks[index]) : 0;
        if (attr == ATTRIBUTE_FULL)
            attr = 0;
        for (; glyphs > 0 && text < parts.end && filled < room; glyphs--) {
            uint32_t glyph = *text < 0x80 && *text > MARK_CLUSTER
                                 ? *text++
                                 : glyph_get(&text, parts.end, styles);
            cells[filled++] = (struct cell){.glyph = glyph, .attr = attr};
            if ((glyph & GLYPH_WIDE) && filled < room)
                cells[filled++] = (struct cell){.glyph = GLYPH_TAIL, .attr = attr};
        }
    }
    return filled;
}
