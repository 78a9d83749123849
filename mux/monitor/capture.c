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

static void add_line(struct terminal *terminal, const struct cell *cells, bool ansi,
                     struct bytes *out)
{
    int length = terminal->cols;
    while (length > 0) {
        const struct cell *cell = &cells[length - 1];
        bool blank = cell->glyph == 0 || cell->glyph == ' ' || cell->glyph == GLYPH_PAD;
        if (!blank || (ansi && cell->attr != 0))
            break;
        length--;
    }
    uint16_t attr = 0;
    for (int col = 0; col < length; col++) {
        const struct cell *cell = &cells[col];
        if (cell->glyph == GLYPH_TAIL || cell->glyph == GLYPH_PAD)
            continue;
        if (ansi && cell->attr != attr)
            add_look(terminal, attr = cell->attr, out);
        if (cell->glyph == 0)
            bytes_add_str(out, " ");
        else
            capture_glyph(&terminal->styles, cell->glyph, out);
    }
    if (attr != 0)
        add_look(terminal, 0, out);
    bytes_add_str(out, "\n");
}

size_t capture(struct terminal *terminal, bool scrollback, bool ansi, size_t from, size_t limit,
               struct bytes *out)
{
    size_t total = capture_lines(terminal, scrollback), above = total - (size_t)terminal->rows;
    struct cell *cells = malloc((size_t)terminal->cols * sizeof(*cells));
    if (!cells) {
        out->failed = true;
        return from;
    }
    size_t line = from;
    for (; line < total && out->size < limit && !out->failed; line++) {
        bool wrapped;
        if (line < above) {
            scrollback_get(&terminal->scrollback, &terminal->styles, terminal->cols, line, cells,
                           &wrapped);
            add_line(terminal, cells, ansi, out);
        } else {
            add_line(terminal, grid_row(terminal->grid, (int)(line - above))->cells, ansi, out);
        }
    }
    free(cells);
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
