#include "mux/monitor/capture.h"

#include "mux/monitor/terminal_private.h"
#include "transport/utf8.h"

size_t capture_lines(struct terminal *terminal, bool scrollback)
{
    size_t above =
        scrollback ? scrollback_rows(&terminal->scrollback, &terminal->styles, terminal->cols) : 0;
    return above + (size_t)terminal->rows;
}

void capture_glyph(const struct styles *styles, uint32_t glyph, struct bytes *out)
{
    uint32_t points[CLUSTER_POINTS_MAX];
    uint32_t count = clusters_points(&styles->clusters, glyph, points);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *room = bytes_room(out, 4);
        if (room)
            out->size += utf8_encode(room, points[i]);
    }
}

static void add_look(struct terminal *terminal, uint16_t attr, struct bytes *out)
{
    char sgr[TERMINAL_SGR_MAX];
    terminal_sgr_format(sgr, attributes_get(&terminal->styles.attributes, attr));
    bytes_add_str(out, "\x1b[");
    bytes_add_str(out, sgr);
    bytes_add_str(out, "m");
}

static int text_length(const struct cell *cells, int cols, bool ansi)
{
    int length = cols;
    while (length > 0) {
        const struct cell *cell = &cells[length - 1];
        bool blank = cell->glyph == 0 || cell->glyph == ' ' || cell->glyph == GLYPH_PAD;
        if (!blank || (ansi && cell->attr != 0))
            break;
        length--;
    }
    return length;
}

/* The link that a look has, if its target is still known. */
static uint32_t link_of(const struct styles *styles, uint16_t attr)
{
    uint32_t link = attr ? attributes_get(&styles->attributes, attr)->link : 0;
    return hyperlinks_get(&styles->links, link) ? link : 0;
}

static void note_links(struct capture_notes *notes, const struct styles *styles,
                       const struct cell *cell, size_t line, size_t byte)
{
    struct capture_link *last = notes->links_count ? &notes->links[notes->links_count - 1] : NULL;
    bool open = last && last->line == line && last->size == 0;
    uint32_t link = cell ? link_of(styles, cell->attr) : 0;
    if (open && last->link == link)
        return;
    if (open)
        last->size = (uint32_t)byte - last->byte;
    if (link)
        notes->links[notes->links_count++] = (struct capture_link){line, (uint32_t)byte, 0, link};
}

static void add_line(struct terminal *terminal, const struct cell *cells, int length, bool ansi,
                     struct bytes *out, struct capture_notes *notes, size_t line)
{
    const struct styles *styles = &terminal->styles;
    size_t start = out->size;
    uint16_t attr = 0, last = 0;
    for (int col = 0; col < length; col++) {
        const struct cell *cell = &cells[col];
        if (cell->glyph == GLYPH_TAIL || cell->glyph == GLYPH_PAD)
            continue;
        if (notes && cell->attr != last)
            note_links(notes, styles, cell, line, out->size - start);
        last = cell->attr;
        if (ansi && cell->attr != attr)
            add_look(terminal, attr = cell->attr, out);
        if (cell->glyph == 0)
            bytes_add_str(out, " ");
        else
            capture_glyph(styles, cell->glyph, out);
    }
    if (notes && last != 0)
        note_links(notes, styles, NULL, line, out->size - start);
    if (attr != 0)
        add_look(terminal, 0, out);
    bytes_add_str(out, "\n");
}

/* A pad is no blank of the line: it makes way when the line is joined. */
static void note_wrap(struct capture_notes *notes, const struct cell *cells, int cols, int length,
                      size_t line)
{
    int end = cells[cols - 1].glyph == GLYPH_PAD ? cols - 1 : cols;
    size_t blanks = end > length ? (size_t)(end - length) : 0;
    notes->wraps[notes->wraps_count++] = (struct capture_wrap){line, blanks};
}

size_t capture(struct terminal *terminal, bool scrollback, bool ansi, size_t from, size_t limit,
               struct bytes *out, struct capture_notes *notes)
{
    size_t total = capture_lines(terminal, scrollback), above = total - (size_t)terminal->rows;
    bool continuous = terminal->grid == &terminal->primary; /* with what is above the screen */
    struct cell *kept = malloc((size_t)terminal->cols * sizeof(*kept));
    if (!kept) {
        out->failed = true;
        return from;
    }
    size_t line = from;
    for (; line < total && out->size < limit && !out->failed; line++) {
        const struct cell *cells = kept;
        bool wrapped;
        if (line < above) {
            scrollback_get(&terminal->scrollback, &terminal->styles, terminal->cols, line, kept,
                           &wrapped);
            wrapped &= continuous || line + 1 < above;
        } else {
            const struct row *row = grid_row(terminal->grid, (int)(line - above));
            cells = row->cells;
            wrapped = row->wrapped && line + 1 < total;
        }
        if (notes && (notes->wraps_count == notes->wraps_room ||
                      notes->links_count + (size_t)terminal->cols > notes->links_room))
            break;
        int length = text_length(cells, terminal->cols, ansi);
        add_line(terminal, cells, length, ansi, out, notes, line);
        if (notes && wrapped)
            note_wrap(notes, cells, terminal->cols, length, line);
    }
    free(kept);
    return line;
}

static bool carries(const struct terminal *terminal, const struct cell *cells, uint32_t mark)
{
    uint16_t last = 0;
    for (int col = 0; col < terminal->cols; col++) {
        if (cells[col].attr == last)
            continue;
        last = cells[col].attr;
        if (attributes_get(&terminal->styles.attributes, last)->flags & mark)
            return true;
    }
    return false;
}

size_t capture_marks(struct terminal *terminal, bool scrollback, uint32_t mark, size_t from,
                     size_t to, size_t *lines, size_t room)
{
    size_t above = capture_lines(terminal, scrollback) - (size_t)terminal->rows, count = 0;
    struct cell *cells = malloc((size_t)terminal->cols * sizeof(*cells));
    for (size_t line = from; cells && line < to && count < room; line++) {
        const struct cell *row = cells;
        bool wrapped;
        if (line < above)
            scrollback_get(&terminal->scrollback, &terminal->styles, terminal->cols, line, cells,
                           &wrapped);
        else
            row = grid_row(terminal->grid, (int)(line - above))->cells;
        if (carries(terminal, row, mark))
            lines[count++] = line;
    }
    free(cells);
    return count;
}
