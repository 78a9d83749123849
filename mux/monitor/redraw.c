#include "mux/monitor/redraw.h"

#include <stdarg.h>
#include <stdio.h>

#include "mux/monitor/capture.h"
#include "mux/monitor/terminal_private.h"

static void add(struct bytes *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct bytes *out, const char *format, ...)
{
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    bytes_add_str(out, text);
}

static void add_look(struct bytes *out, const struct styles *styles, const struct attribute *look,
                     uint32_t *link)
{
    char sgr[TERMINAL_SGR_MAX];
    terminal_sgr_format(sgr, look);
    add(out, "\x1b[%sm", sgr);
    if (look->link == *link)
        return;
    const char *url = hyperlinks_get(&styles->links, look->link);
    bytes_add_str(out, "\x1b]8;;");
    bytes_add_str(out, url ? url : "");
    bytes_add_str(out, "\x1b\\");
    *link = look->link;
}

struct painter {
    struct terminal *terminal;
    struct bytes *out;
    const struct grid *grid;
    int attr; /* in force, -1 unknown */
    uint32_t link;
    bool placed; /* the output's cursor is where the next cell is written */
};

static void paint_look(struct painter *painter, uint16_t attr)
{
    if (painter->attr == attr)
        return;
    painter->attr = attr;
    const struct styles *styles = &painter->terminal->styles;
    add_look(painter->out, styles, attributes_get(&styles->attributes, attr), &painter->link);
}

/* Cells that were erased with a background; returns the column behind them. */
static int paint_erased(struct painter *painter, const struct row *row, int line, int col)
{
    int end = col;
    while (end < painter->grid->cols && row->cells[end].glyph == 0 &&
           row->cells[end].attr == row->cells[col].attr)
        end++;
    if (row->cells[col].attr != 0) {
        add(painter->out, "\x1b[%d;%dH", line + 1, col + 1);
        paint_look(painter, row->cells[col].attr);
        add(painter->out, "\x1b[%dX", end - col);
    }
    painter->placed = false;
    return end;
}

/*
 * The first cell of a row in which the row before goes on: the cursor was left behind that one's
 * last column (or on its pad), so that the first glyph wraps by itself. Where there is no glyph
 * that would do so any more, one is written and erased again.
 */
static void paint_wrap(struct painter *painter, const struct row *row, uint32_t last)
{
    uint32_t first = row->cells[0].glyph;
    painter->placed =
        last == GLYPH_PAD ? (first & GLYPH_WIDE) != 0 : first != 0 && first != GLYPH_PAD;
    if (painter->placed)
        return;
    paint_look(painter, 0);
    bytes_add_str(painter->out, last == GLYPH_PAD ? "\xe4\xb8\x80\r\x1b[2X" : " \r\x1b[X");
}

static void paint_row(struct painter *painter, int line, uint32_t last)
{
    const struct row *row = grid_row(painter->grid, line);
    int cols = painter->grid->cols, col = 0;
    painter->placed = false;
    if (last)
        paint_wrap(painter, row, last);
    while (col < cols) {
        const struct cell *cell = &row->cells[col];
        if (cell->glyph == 0) {
            col = paint_erased(painter, row, line, col);
            continue;
        }
        if (cell->glyph == GLYPH_PAD) {
            /* The wide glyph that follows makes the pad again, but not its background. */
            add(painter->out, "\x1b[%d;%dH", line + 1, col + 1);
            if (cell->attr != 0) {
                paint_look(painter, cell->attr);
                bytes_add_str(painter->out, "\x1b[X");
            }
            col++;
            continue;
        }
        if (!painter->placed)
            add(painter->out, "\x1b[%d;%dH", line + 1, col + 1);
        paint_look(painter, cell->attr);
        if (painter->placed && (cell->glyph & (GLYPH_WIDE | GLYPH_CLUSTER)))
            bytes_add_str(painter->out, "\x1b>"); /* keeps neighbours from joining */
        painter->placed = true;
        capture_glyph(&painter->terminal->styles, cell->glyph, painter->out);
        const struct attributes *attributes = &painter->terminal->styles.attributes;
        if (attributes_get(attributes, cell->attr)->flags & ATTRIBUTE_PROMPT)
            bytes_add_str(painter->out, "\x1b]133;A\a\x1b]133;B\a");
        col += cell->glyph & GLYPH_WIDE ? 2 : 1;
    }
}

static void paint_grid(struct painter *painter, const struct grid *grid)
{
    painter->grid = grid;
    painter->attr = -1;
    uint32_t last = 0; /* the last glyph of a row that goes on in the next */
    for (int line = 0; line < grid->rows; line++) {
        paint_row(painter, line, last);
        const struct row *row = grid_row(grid, line);
        last = row->wrapped ? row->cells[grid->cols - 1].glyph : 0;
    }
}

static void add_charsets(struct bytes *out, const struct terminal_charsets *charsets)
{
    for (int i = 0; i < 4; i++)
        add(out, "\x1b%c%c", "()*+"[i], charsets -> designated[i]);
    static const char *const shift[] = {"\x0f", "\x0e", "\x1bn", "\x1bo"};
    bytes_add_str(out, shift[charsets->active & 3]);
}

/* The state that DECSC or ?1049 keeps, set up so that it can be saved. */
static void add_saved(struct terminal *terminal, const struct terminal_saved *saved,
                      struct painter *painter)
{
    struct bytes *out = painter->out;
    if (saved->origin)
        add(out, "\x1b[%d;%dr\x1b[?6h", terminal->region_top + 1, terminal->region_bottom);
    add(out, "\x1b[%d;%dH", saved->row - (saved->origin ? terminal->region_top : 0) + 1,
        saved->col + 1);
    add_look(out, &terminal->styles, &saved->pen, &painter->link);
    add_charsets(out, &saved->charsets);
    painter->attr = -1;
}

static void end_saved(struct bytes *out, const struct terminal_saved *saved)
{
    if (saved->origin)
        bytes_add_str(out, "\x1b[?6l\x1b[r");
    bytes_add_str(out, "\x1b(B\x1b)B\x1b*B\x1b+B\x0f");
}

static void add_modes(struct bytes *out, const struct terminal *terminal)
{
    static const struct {
        uint32_t mode;
        const char *set, *reset;
    } table[] = {
        {TERMINAL_CURSOR_KEYS, "\x1b[?1h", ""},
        {TERMINAL_REVERSE, "\x1b[?5h", ""},
        {TERMINAL_AUTOWRAP, "", "\x1b[?7l"},
        {TERMINAL_CURSOR_VISIBLE, "", "\x1b[?25l"},
        {TERMINAL_MOUSE_CLICK, "\x1b[?1000h", ""},
        {TERMINAL_MOUSE_DRAG, "\x1b[?1002h", ""},
        {TERMINAL_MOUSE_MOVE, "\x1b[?1003h", ""},
        {TERMINAL_FOCUS, "\x1b[?1004h", ""},
        {TERMINAL_MOUSE_UTF8, "\x1b[?1005h", ""},
        {TERMINAL_MOUSE_SGR, "\x1b[?1006h", ""},
        {TERMINAL_MOUSE_URXVT, "\x1b[?1015h", ""},
        {TERMINAL_PASTE, "\x1b[?2004h", ""},
        {TERMINAL_INSERT, "\x1b[4h", ""},
        {TERMINAL_NEWLINE, "\x1b[20h", ""},
        {TERMINAL_KEYPAD, "\x1b=", ""},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        bytes_add_str(out, terminal->modes & table[i].mode ? table[i].set : table[i].reset);
    int style = terminal->cursor_shape * 2 - (terminal->modes & TERMINAL_CURSOR_BLINK ? 1 : 0);
    add(out, "\x1b[%d q", style);
}

/* What a shell's marks said last; a mark of the prompt that is open comes when it ends. */
static void add_prompt(struct bytes *out, const struct terminal *terminal)
{
    static const char *const marks[] = {"D", "B", "C"};
    add(out, "\x1b]133;%s\a", terminal->prompt_open ? "A" : marks[terminal->prompt]);
}

/* The cursor, also in the state behind the last column. */
static void add_cursor(struct terminal *terminal, struct painter *painter)
{
    struct bytes *out = painter->out;
    int col = terminal->col;
    const struct row *row = grid_row(terminal->grid, terminal->row);
    bool phantom = terminal->phantom && row->cells[col].glyph != 0;
    if (phantom && row->cells[col].glyph == GLYPH_TAIL && col > 0)
        col--;
    if (terminal->modes & TERMINAL_ORIGIN)
        bytes_add_str(out, "\x1b[?6h");
    int top = terminal->modes & TERMINAL_ORIGIN ? terminal->region_top : 0;
    add(out, "\x1b[%d;%dH", terminal->row - top + 1, col + 1);
    if (phantom) {
        painter->attr = -1;
        paint_look(painter, row->cells[col].attr);
        capture_glyph(&terminal->styles, row->cells[col].glyph, out);
    }
}

void redraw(struct terminal *terminal, struct bytes *out)
{
    struct painter painter = {.terminal = terminal, .out = out, .attr = -1};
    bytes_add_str(out, "\x1b"
                       "c");
    if (terminal->title[0]) {
        bytes_add_str(out, "\x1b]2;");
        bytes_add_str(out, terminal->title);
        bytes_add_str(out, "\x1b\\");
    }
    paint_grid(&painter, &terminal->primary);
    if (terminal->saved.set) {
        add_saved(terminal, &terminal->saved, &painter);
        bytes_add_str(out, "\x1b"
                           "7");
        end_saved(out, &terminal->saved);
    }
    if (terminal->grid == &terminal->alternate) {
        add_saved(terminal, &terminal->entered, &painter);
        bytes_add_str(out, terminal->entered.set ? "\x1b[?1049h" : "\x1b[?1047h");
        end_saved(out, &terminal->entered);
        bytes_add_str(out, "\x1b[m\x1b[2J");
        paint_grid(&painter, &terminal->alternate);
        if (terminal->saved_alternate.set) {
            add_saved(terminal, &terminal->saved_alternate, &painter);
            bytes_add_str(out, "\x1b"
                               "7");
            end_saved(out, &terminal->saved_alternate);
        }
    }
    if (terminal->region_top != 0 || terminal->region_bottom != terminal->rows)
        add(out, "\x1b[%d;%dr", terminal->region_top + 1, terminal->region_bottom);
    add_cursor(terminal, &painter);
    add_look(out, &terminal->styles, &terminal->pen, &painter.link);
    add_charsets(out, &terminal->charsets);
    add_modes(out, terminal);
    add_prompt(out, terminal);
}
