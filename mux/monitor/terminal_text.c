#include "mux/monitor/terminal_private.h"

#include <string.h>

#include <utf8proc.h>

#include "mux/monitor/scan.h"
#include "transport/utf8.h"

/*
 * Placing glyphs. Inside a line, libvterm would write the glyph under the cursor and move on by its
 * width; exactly that is done here directly, and libvterm is told later by one CUF (`debt`). At the
 * right margin and in insert mode, where it decides about wrapping, scrolling and shifting, it gets
 * a stand-in of the same width and calls back with the place.
 */

static const char narrow_stand_in[] = "x";
static const char wide_stand_in[] = "\xe4\xb8\x80";

/* vt100.net, DEC special graphics: 0x5f..0x7e. */
static const uint16_t dec_graphics[] = {
    0x00a0, 0x25c6, 0x2592, 0x2409, 0x240c, 0x240d, 0x240a, 0x00b0, 0x00b1, 0x2424, 0x240b,
    0x2518, 0x2510, 0x250c, 0x2514, 0x253c, 0x23ba, 0x23bb, 0x2500, 0x23bc, 0x23bd, 0x251c,
    0x2524, 0x2534, 0x252c, 0x2502, 0x2264, 0x2265, 0x03c0, 0x2260, 0x00a3, 0x00b7,
};

void terminal_repeat(struct terminal *terminal, uint32_t count)
{
    /* More than a screen full changes nothing that more of it would not overwrite again. */
    uint32_t most = (uint32_t)(terminal->rows * terminal->cols);
    if (!terminal->last_glyph)
        return;
    uint8_t text[4];
    size_t size = utf8_encode(text, terminal->last_glyph);
    struct terminal_charsets charsets = terminal->charsets;
    terminal->charsets = (struct terminal_charsets){.designated = "BBBB"};
    for (; count > 0 && most > 0; count--, most--)
        terminal_text(terminal, text, size);
    terminal->charsets = charsets;
}

static void place_edge(struct terminal *terminal, uint32_t glyph)
{
    bool wide = (glyph & GLYPH_WIDE) != 0;
    if (wide && terminal->cols < 2) {
        glyph = GLYPH_REPLACEMENT;
        wide = false;
    }
    terminal->placing = glyph;
    terminal->scrolled = false;
    terminal_forward(terminal, wide ? wide_stand_in : narrow_stand_in,
                     wide ? sizeof(wide_stand_in) - 1 : sizeof(narrow_stand_in) - 1);
    terminal->placing = 0;
}

/* Behind a wide glyph in the last two columns the cursor stands on that glyph, with room to its
 * right that is none. */
static inline bool can_place(const struct terminal *terminal)
{
    return !(terminal->modes & TERMINAL_INSERT) && !terminal->phantom;
}

static void place(struct terminal *terminal, uint32_t glyph)
{
    int width = glyph & GLYPH_WIDE ? 2 : 1;
    terminal->last_glyph = glyph & GLYPH_VALUE;
    terminal->parted = false;
    if (!can_place(terminal) || terminal->col + width >= terminal->cols) {
        place_edge(terminal, glyph);
        return;
    }
    uint16_t pen = terminal_pen(terminal);
    struct row *row = grid_row(terminal->grid, terminal->row);
    int end = terminal->col + width;
    row_split_wide(row, terminal->cols, terminal->col, end);
    row->cells[terminal->col] = (struct cell){.glyph = glyph, .attr = pen};
    if (width == 2)
        row->cells[terminal->col + 1] = (struct cell){.glyph = GLYPH_TAIL, .attr = pen};
    if (end > row->used)
        row->used = (uint16_t)end;
    grid_touch(terminal->grid, terminal->row);
    terminal->col = end;
    terminal->debt += width;
}

/* Printable ASCII while the charset is ASCII. */
static void place_ascii(struct terminal *terminal, const uint8_t *text, size_t size)
{
    uint16_t pen = terminal_pen(terminal);
    terminal->parted = false;
    while (size > 0) {
        int room = terminal->cols - 1 - terminal->col;
        if (room <= 0 || !can_place(terminal)) {
            terminal->last_glyph = *text;
            place_edge(terminal, *text++);
            size--;
            continue;
        }
        int count = size < (size_t)room ? (int)size : room;
        struct row *row = grid_row(terminal->grid, terminal->row);
        struct cell *cell = row->cells + terminal->col;
        int end = terminal->col + count;
        row_split_wide(row, terminal->cols, terminal->col, end);
        for (int i = 0; i < count; i++)
            cell[i] = (struct cell){.glyph = text[i], .attr = pen};
        if (end > row->used)
            row->used = (uint16_t)end;
        grid_touch(terminal->grid, terminal->row);
        terminal->col = end;
        terminal->debt += count;
        text += count;
        size -= (size_t)count;
        terminal->last_glyph = text[-1];
    }
}

/* One ASCII byte through the charset in force. */
static void place_charset(struct terminal *terminal, uint8_t byte)
{
    struct terminal_charsets *charsets = &terminal->charsets;
    char set = charsets->designated[charsets->single ? charsets->single : charsets->active];
    charsets->single = 0;
    uint32_t glyph = byte;
    if (set == '0' && byte >= 0x5f && byte <= 0x7e)
        glyph = dec_graphics[byte - 0x5f];
    else if (set == 'A' && byte == '#')
        glyph = 0xa3;
    place(terminal, glyph);
}

/* The cell that a combining mark belongs to, NULL at the start of a line. */
static struct cell *base_cell(struct terminal *terminal, int *col)
{
    int at = terminal->phantom ? terminal->col : terminal->col - 1;
    if (at < 0)
        return NULL;
    struct row *row = grid_row(terminal->grid, terminal->row);
    if (row->cells[at].glyph == GLYPH_TAIL && at > 0)
        at--;
    *col = at;
    return &row->cells[at];
}

static uint32_t last_point(const struct terminal *terminal, const struct cell *cell)
{
    uint32_t points[CLUSTER_POINTS_MAX];
    uint32_t count = clusters_points(&terminal->styles.clusters, cell->glyph, points);
    return count ? points[count - 1] : 0;
}

static void combine(struct terminal *terminal, uint32_t point)
{
    int col;
    struct cell *cell = base_cell(terminal, &col);
    if (!cell || (cell->glyph & (GLYPH_TAIL | GLYPH_PAD)))
        return;
    terminal->parted = false;
    uint32_t glyph = clusters_append(&terminal->styles.clusters, cell->glyph, point);
    if (!glyph) {
        terminal_sweep(terminal);
        glyph = clusters_append(&terminal->styles.clusters, cell->glyph, point);
    }
    if (!glyph || glyph == cell->glyph)
        return;
    cell->glyph = glyph;
    struct row *row = grid_row(terminal->grid, terminal->row);
    if (col + 1 > row->used)
        row->used = (uint16_t)(col + 1);
    grid_touch(terminal->grid, terminal->row);
}

#define ZERO_WIDTH_JOINER 0x200dU

/* Marks that change the order or hide text: they would let output lie about what it says. */
static bool is_bidi(uint32_t point)
{
    return point == 0x061c || point == 0x200e || point == 0x200f ||
           (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

static bool is_tag(uint32_t point)
{
    return point >= 0xe0000 && point <= 0xe007f;
}

static bool is_modifier(uint32_t point)
{
    return point >= 0x1f3fb && point <= 0x1f3ff;
}

static bool is_pictogram(const utf8proc_property_t *property)
{
    return property->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

static bool joins(struct terminal *terminal, uint32_t point, const utf8proc_property_t *property)
{
    bool modifier = is_modifier(point);
    if (terminal->parted || (!modifier && !is_pictogram(property)))
        return false;
    int col;
    const struct cell *cell = base_cell(terminal, &col);
    uint32_t before = cell ? last_point(terminal, cell) : 0;
    if (modifier)
        return before > 0x7f && is_pictogram(utf8proc_get_property((utf8proc_int32_t)before));
    return before == ZERO_WIDTH_JOINER;
}

/* Blocks in which code points that this build does not know yet are wide. */
static bool unknown_is_wide(uint32_t point)
{
    return (point >= 0x1f000 && point <= 0x1faff) || (point >= 0x20000 && point <= 0x3fffd);
}

/* Where the glyph of a point that needs no second look is remembered. */
static struct terminal_plain *terminal_plain(struct terminal *terminal, uint32_t point)
{
    return &terminal->plain[(point ^ point >> 8) % TERMINAL_PLAIN];
}

static void place_anew(struct terminal *terminal, uint32_t point)
{
    if (point < 0xa0) {
        place(terminal, GLYPH_REPLACEMENT); /* C1: no controls here */
        return;
    }
    if (is_bidi(point))
        return;
    const utf8proc_property_t *property = utf8proc_get_property((utf8proc_int32_t)point);
    int width = property->charwidth;
    switch (property->category) {
    case UTF8PROC_CATEGORY_CN:
        width = unknown_is_wide(point) ? 2 : 1;
        break;
    case UTF8PROC_CATEGORY_CF:
        if (is_tag(point)) {
            int col;
            const struct cell *cell = base_cell(terminal, &col);
            uint32_t before = cell ? last_point(terminal, cell) : 0;
            if (before == 0x1f3f4 || is_tag(before))
                combine(terminal, point);
            return;
        }
        if (point == ZERO_WIDTH_JOINER || point == 0x200c) {
            combine(terminal, point);
            return;
        }
        if (width == 0)
            return;
        break;
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CS:
        place(terminal, GLYPH_REPLACEMENT);
        return;
    default:
        break;
    }
    uint32_t glyph = point | (width == 2 ? GLYPH_WIDE : 0);
    if (width > 0 && !is_modifier(point))
        *terminal_plain(terminal, point) =
            (struct terminal_plain){point, glyph, is_pictogram(property)};
    if (width == 0 || joins(terminal, point, property))
        combine(terminal, point);
    else
        place(terminal, glyph);
}

static void place_point(struct terminal *terminal, uint32_t point)
{
    const struct terminal_plain *plain = terminal_plain(terminal, point);
    if (plain->point == point && point > 0 && !plain->pictogram)
        place(terminal, plain->glyph);
    else
        place_anew(terminal, point);
}

/*
 * Decodes one UTF-8 sequence: returns its length and sets *point (U+FFFD for each longest broken
 * part, as the Unicode standard recommends), or 0 when the input ends within it.
 */
static inline size_t decode(const uint8_t *at, size_t size, uint32_t *point)
{
    size_t length = utf8_length(at, size);
    *point = length > 0 ? utf8_value(at, length) : GLYPH_REPLACEMENT;
    return length > 0 ? length : utf8_broken(at, size);
}

static bool charset_is_ascii(const struct terminal_charsets *charsets)
{
    return !charsets->single && charsets->designated[charsets->active] == 'B';
}

/* Whether the glyph before that column may end with a joiner, which makes it a cluster. */
static bool may_join(const struct cell *cells, int col)
{
    int before = col - 1;
    if (before > 0 && cells[before].glyph == GLYPH_TAIL)
        before--;
    return before >= 0 && (cells[before].glyph & GLYPH_CLUSTER);
}

/* As place() for each of the remembered glyphs, and of the ASCII between them, until one is not
 * known, the right margin is near, or a longer piece of ASCII begins. Returns where it stopped. */
static const uint8_t *place_run(struct terminal *terminal, const uint8_t *at, const uint8_t *end)
{
    if (!can_place(terminal))
        return at;
    uint16_t pen = terminal_pen(terminal);
    struct row *row = grid_row(terminal->grid, terminal->row);
    struct cell *cells = row->cells;
    bool ascii = charset_is_ascii(&terminal->charsets);
    int start = terminal->col, col = start;
    bool splits = start > 0 && cells[start].glyph == GLYPH_TAIL;
    uint32_t glyph = 0;
    while (at < end) {
        uint32_t next = *at, point;
        size_t length = 1;
        if (next >= 0x80) {
            length = decode(at, (size_t)(end - at), &point);
            const struct terminal_plain *plain = terminal_plain(terminal, point);
            if (length == 0 || plain->point != point ||
                (plain->pictogram && col == start && may_join(cells, col)))
                break;
            next = plain->glyph;
        } else if (!ascii || (end - at >= 8 && scan_ascii(scan_load(at)))) {
            break;
        }
        int width = next & GLYPH_WIDE ? 2 : 1;
        if (col + width >= terminal->cols)
            break;
        glyph = next;
        cells[col] = (struct cell){.glyph = glyph, .attr = pen};
        if (width == 2)
            cells[col + 1] = (struct cell){.glyph = GLYPH_TAIL, .attr = pen};
        col += width;
        at += length;
    }
    if (col == start)
        return at;
    if (splits)
        cells[start - 1].glyph = ' ';
    if (cells[col].glyph == GLYPH_TAIL)
        cells[col].glyph = ' ';
    if (col > row->used)
        row->used = (uint16_t)col;
    grid_touch(terminal->grid, terminal->row);
    terminal->col = col;
    terminal->debt += col - start;
    terminal->last_glyph = glyph & GLYPH_VALUE;
    terminal->parted = false;
    return at;
}

void terminal_text_flush(struct terminal *terminal)
{
    if (terminal->partial_size == 0)
        return;
    terminal->partial_size = 0;
    place(terminal, GLYPH_REPLACEMENT);
}

/* Completes a sequence that the last input began. Returns how many bytes of `bytes` that took. */
static size_t finish_partial(struct terminal *terminal, const uint8_t *bytes, size_t size)
{
    uint8_t joined[4];
    size_t had = terminal->partial_size, count = had;
    memcpy(joined, terminal->partial, had);
    while (count < sizeof(joined) && count - had < size) {
        joined[count] = bytes[count - had];
        count++;
    }
    uint32_t point;
    size_t length = decode(joined, count, &point);
    if (length == 0) {
        memcpy(terminal->partial, joined, count);
        terminal->partial_size = (uint8_t)count;
        return count - had;
    }
    terminal->partial_size = 0;
    place_point(terminal, point);
    return length > had ? length - had : 0;
}

void terminal_text(struct terminal *terminal, const uint8_t *bytes, size_t size)
{
    const uint8_t *at = bytes, *end = bytes + size;
    if (terminal->partial_size > 0)
        at += finish_partial(terminal, at, size);
    while (at < end) {
        const uint8_t *start = at;
        while (end - at >= 8 && scan_ascii(scan_load(at)))
            at += 8;
        while (at < end && *at < 0x80)
            at++;
        while (start < at && !charset_is_ascii(&terminal->charsets))
            place_charset(terminal, *start++);
        if (start < at)
            place_ascii(terminal, start, (size_t)(at - start));
        if (at < end)
            at = place_run(terminal, at, end);
        if (at < end && *at >= 0x80) {
            uint32_t point;
            size_t length = decode(at, (size_t)(end - at), &point);
            if (length == 0) {
                terminal->partial_size = (uint8_t)(end - at);
                memcpy(terminal->partial, at, terminal->partial_size);
                return;
            }
            place_point(terminal, point);
            at += length;
        }
    }
}
