#include "mux/monitor/terminal_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/api.h"

#define SWEEP_PAUSE 4096U

/* libvterm places a glyph: at the margin, or where it made room for it. */
static int on_putglyph(VTermGlyphInfo *info, VTermPos pos, void *user)
{
    struct terminal *terminal = user;
    if (pos.row < 0 || pos.row >= terminal->rows || pos.col < 0 || pos.col >= terminal->cols)
        return 1;
    uint32_t glyph = terminal->placing ? terminal->placing : info->chars[0] & GLYPH_VALUE;
    int width = glyph & GLYPH_WIDE ? 2 : 1;
    if (pos.col + width > terminal->cols)
        return 1;
    bool wraps = terminal->placing && pos.col == 0 && pos.row > 0 &&
                 (terminal->col > 0 || terminal->phantom) &&
                 (terminal->scrolled || pos.row != terminal->row);
    if (wraps) {
        struct row *above = grid_row(terminal->grid, pos.row - 1);
        above->wrapped = true;
        struct cell *last = &above->cells[terminal->cols - 1];
        if (!terminal->phantom && last->glyph == 0) {
            last->glyph = GLYPH_PAD;
            above->used = (uint16_t)terminal->cols;
        }
    }

    uint16_t pen = terminal_pen(terminal);
    struct row *row = grid_row(terminal->grid, pos.row);
    int end = pos.col + width;
    row_split_wide(row, terminal->cols, pos.col, end);
    row->cells[pos.col] = (struct cell){.glyph = glyph, .attr = pen};
    if (width == 2)
        row->cells[pos.col + 1] = (struct cell){.glyph = GLYPH_TAIL, .attr = pen};
    if (end > row->used)
        row->used = (uint16_t)end;
    if (end == terminal->cols)
        row->wrapped = false;
    terminal->phantom = end == terminal->cols && (terminal->modes & TERMINAL_AUTOWRAP);
    grid_touch(terminal->grid, pos.row);
    return 1;
}

static void scroll_up(struct terminal *terminal, int top, int bottom, int count)
{
    struct grid *grid = terminal->grid;
    uint16_t look = terminal_erase_look(terminal);
    bool keep = top == 0 && grid == &terminal->primary && !terminal->keep_lines;
    if (top == 0 && bottom == grid->rows)
        terminal->scrolled_up += (uint64_t)count;
    for (; keep && count > 0; count--) {
        struct row *fresh = scrollback_push(&terminal->scrollback, &terminal->styles,
                                            grid_row(grid, top), grid->cols);
        if (!fresh)
            break;
        if (look)
            row_clear(fresh, grid->cols, look);
        grid_scroll_up(grid, top, bottom, fresh);
    }
    if (count > 0)
        grid_scroll(grid, top, bottom, count, look);
}

static int on_scrollrect(VTermRect rect, int downward, int rightward, void *user)
{
    struct terminal *terminal = user;
    struct grid *grid = terminal->grid;
    if (rect.start_row < 0 || rect.end_row > grid->rows || rect.start_row >= rect.end_row)
        return 1;
    if (rightward != 0) {
        for (int row = rect.start_row; row < rect.end_row; row++) {
            row_shift(grid_row(grid, row), grid->cols, rect.start_col, -rightward,
                      terminal_erase_look(terminal));
            grid_touch(grid, row);
        }
        return 1;
    }
    terminal->scrolled = true;
    if (downward > 0)
        scroll_up(terminal, rect.start_row, rect.end_row, downward);
    else
        grid_scroll(grid, rect.start_row, rect.end_row, downward, terminal_erase_look(terminal));
    return 1;
}

static int on_erase(VTermRect rect, int selective, void *user)
{
    (void)selective; /* nothing is ever protected: DECSCA is not supported */
    struct terminal *terminal = user;
    grid_erase(terminal->grid, rect.start_row, rect.end_row, rect.start_col, rect.end_col,
               terminal_erase_look(terminal));
    return 1;
}

static int on_termprop(VTermProp prop, VTermValue *value, void *user)
{
    (void)prop;
    (void)value;
    (void)user;
    return 1; /* let libvterm keep its mouse state */
}

#if VTERM_VERSION_MAJOR > 0 || VTERM_VERSION_MINOR >= 2
/*
 * From 0.2 on, libvterm leaves its table of lines as it is when the height changes, unless this
 * callback makes another: without it, more rows than at the start are a write behind its end.
 */
static int on_resize(int rows, int cols, VTermStateFields *fields, void *user)
{
    (void)rows;
    (void)cols;
    struct terminal *terminal = user;
    for (int i = 0; i < 2; i++) {
        if (!fields->lineinfos[i])
            continue;
        free(fields->lineinfos[i]);
        fields->lineinfos[i] = terminal->line_infos[i];
        terminal->line_infos[i] = NULL;
    }
    return 1;
}
#define ON_RESIZE on_resize
#else
#define ON_RESIZE NULL
#endif

int terminal_vterm_prepare(struct terminal *terminal, int rows)
{
    for (int i = 0; i < 2; i++) {
        free(terminal->line_infos[i]);
        terminal->line_infos[i] = calloc((size_t)rows, sizeof(VTermLineInfo));
        if (!terminal->line_infos[i])
            return -ENOMEM;
    }
    return 0;
}

static const VTermStateCallbacks callbacks = {
    .resize = ON_RESIZE,
    .putglyph = on_putglyph,
    .scrollrect = on_scrollrect,
    .erase = on_erase,
    .settermprop = on_termprop,
};

static void on_output(const char *bytes, size_t size, void *user)
{
    struct terminal *terminal = user;
    if (!terminal->muted && terminal->events && terminal->events->reply)
        terminal->events->reply(terminal->owner, bytes, size);
}

static int clamp(int value, int most)
{
    return value < 1 ? 1 : value > most ? most : value;
}

static void defaults(struct terminal *terminal)
{
    terminal->modes = TERMINAL_MODES_FIRST | (terminal->modes & TERMINAL_ALTSCREEN);
    terminal->cursor_shape = 1;
    terminal->region_top = 0;
    terminal->region_bottom = terminal->rows;
    terminal->charsets = (struct terminal_charsets){.designated = "BBBB"};
    terminal->pen = (struct attribute){0};
    terminal_pen_changed(terminal);
    terminal->saved = terminal->saved_alternate = (struct terminal_saved){0};
}

struct terminal *terminal_new(int rows, int cols, size_t scrollback_lines,
                              const struct terminal_events *events, void *owner)
{
    struct terminal *terminal = calloc(1, sizeof(*terminal));
    if (!terminal)
        return NULL;
    terminal->rows = rows = clamp(rows, GRID_ROWS_MAX);
    terminal->cols = cols = clamp(cols, GRID_COLS_MAX);
    terminal->events = events;
    terminal->owner = owner;
    scrollback_init(&terminal->scrollback, scrollback_lines);
    defaults(terminal);
    if (attributes_init(&terminal->styles.attributes) < 0 ||
        grid_init(&terminal->primary, rows, cols) < 0 || !(terminal->vt = vterm_new(rows, cols))) {
        terminal_free(terminal);
        return NULL;
    }
    terminal->grid = &terminal->primary;
    vterm_set_utf8(terminal->vt, 1);
    terminal->state = vterm_obtain_state(terminal->vt);
    vterm_state_set_callbacks(terminal->state, &callbacks, terminal);
    vterm_state_reset(terminal->state, 1);
    vterm_output_set_callback(terminal->vt, on_output, terminal);
    return terminal;
}

void terminal_free(struct terminal *terminal)
{
    if (!terminal)
        return;
    if (terminal->vt)
        vterm_free(terminal->vt);
    free(terminal->line_infos[0]);
    free(terminal->line_infos[1]);
    grid_free(&terminal->primary);
    grid_free(&terminal->alternate);
    scrollback_free(&terminal->scrollback);
    attributes_free(&terminal->styles.attributes);
    clusters_free(&terminal->styles.clusters);
    hyperlinks_free(&terminal->styles.links);
    free(terminal);
}

/* Sequences that set the column themselves need no debt paid before. */
static bool sets_column(const char *bytes, size_t size)
{
    return bytes[0] == '\r' ||
           (size > 2 && bytes[0] == 0x1b && bytes[1] == '[' && strchr("HfG`", bytes[size - 1]));
}

static bool ends_phantom(const char *bytes, size_t size)
{
    return (uint8_t)bytes[0] < 0x1b ||
           (size > 2 && bytes[1] == '[' && strchr("ABCDEFGHIZ`adefjkr", bytes[size - 1]));
}

void terminal_forward(struct terminal *terminal, const char *bytes, size_t size)
{
    char joined[96];
    bool placing = terminal->placing != 0;
    if (terminal->debt > 0 && (size == 0 || !sets_column(bytes, size))) {
        joined[0] = 0x1b;
        joined[1] = '[';
        char *end = terminal_number(joined + 2, (uint32_t)terminal->debt);
        *end++ = 'C';
        ptrdiff_t head = end - joined;
        if (size <= sizeof(joined) - (size_t)head) {
            if (size > 0)
                memcpy(joined + head, bytes, size);
            vterm_input_write(terminal->vt, joined, (size_t)head + size);
        } else {
            vterm_input_write(terminal->vt, joined, (size_t)head);
            vterm_input_write(terminal->vt, bytes, size);
        }
    } else if (size > 0) {
        vterm_input_write(terminal->vt, bytes, size);
    }
    terminal->debt = 0;
    VTermPos pos;
    vterm_state_get_cursorpos(terminal->state, &pos);
    if (!placing && (pos.row != terminal->row || pos.col != terminal->col ||
                     (size > 0 && ends_phantom(bytes, size))))
        terminal->phantom = false;
    terminal->row = clamp(pos.row + 1, terminal->rows) - 1;
    terminal->col = clamp(pos.col + 1, terminal->cols) - 1;
}

void terminal_forward_format(struct terminal *terminal, const char *format, ...)
{
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    terminal_forward(terminal, text, (size_t)size);
}

void terminal_move(struct terminal *terminal, int row, int col)
{
    if (terminal->modes & TERMINAL_ORIGIN)
        row -= terminal->region_top;
    terminal_forward_format(terminal, "\x1b[%d;%dH", row + 1, col + 1);
}

void terminal_batch(struct terminal *terminal)
{
    terminal->primary.now++;
    terminal->alternate.now++;
}

/* The id of a look; 0 when there are no more. */
static uint16_t intern(struct terminal *terminal, const struct attribute *look)
{
    uint16_t id = attributes_intern(&terminal->styles.attributes, look);
    if (id == ATTRIBUTE_FULL) {
        terminal_sweep(terminal);
        id = attributes_intern(&terminal->styles.attributes, look);
    }
    return id == ATTRIBUTE_FULL ? 0 : id;
}

void terminal_pen_intern(struct terminal *terminal)
{
    terminal->pen_id = intern(terminal, &terminal->pen);
    terminal->pen_known = true;
}

void terminal_erase_intern(struct terminal *terminal)
{
    const struct attribute erased = {.bg = terminal->pen.bg};
    terminal->erase_id = intern(terminal, &erased);
    terminal->erase_known = true;
}

struct sweep {
    uint32_t looks[ATTRIBUTES_MAX / 32];
    uint16_t clusters[CLUSTERS_MAX];
};

static void sweep_row(struct sweep *sweep, struct row *row, int cols, bool rewrite)
{
    for (int i = 0; i < cols; i++) {
        struct cell *cell = &row->cells[i];
        sweep->looks[cell->attr / 32] |= 1U << (cell->attr % 32);
        if (!(cell->glyph & GLYPH_CLUSTER))
            continue;
        uint16_t *entry = &sweep->clusters[cell->glyph & (CLUSTERS_MAX - 1)];
        if (!rewrite)
            *entry = 1;
        else
            cell->glyph = (cell->glyph & ~GLYPH_VALUE) | (*entry - 1U);
    }
}

static void sweep_rows(struct terminal *terminal, struct sweep *sweep, bool rewrite)
{
    struct grid *grids[] = {&terminal->primary, &terminal->alternate};
    for (size_t g = 0; g < 2; g++)
        for (int row = 0; row < grids[g]->rows; row++)
            sweep_row(sweep, grid_row(grids[g], row), grids[g]->cols, rewrite);
}

void terminal_sweep(struct terminal *terminal)
{
    /* A screen that really shows more looks than there are ids must not cost a sweep per cell. */
    if (terminal->sweep_pause > 0) {
        terminal->sweep_pause--;
        return;
    }
    struct sweep *sweep = calloc(1, sizeof(*sweep));
    if (!sweep)
        return;
    scrollback_pack(&terminal->scrollback, &terminal->styles, terminal->cols);
    sweep_rows(terminal, sweep, false);
    attributes_sweep(&terminal->styles.attributes, sweep->looks);
    if (terminal->styles.clusters.count > 0) {
        clusters_sweep(&terminal->styles.clusters, sweep->clusters);
        sweep_rows(terminal, sweep, true);
    }
    scrollback_styles_changed(&terminal->scrollback);
    terminal_pen_changed(terminal);
    const struct attributes *looks = &terminal->styles.attributes;
    if (looks->count - looks->free_count > ATTRIBUTES_MAX / 8 * 7 ||
        terminal->styles.clusters.count > CLUSTERS_MAX / 8 * 7)
        terminal->sweep_pause = SWEEP_PAUSE;
    free(sweep);
}

void terminal_reset(struct terminal *terminal)
{
    terminal_text_flush(terminal);
    terminal_set_mode(terminal, true, 1047, false);
    defaults(terminal);
    vterm_state_reset(terminal->state, 1);
    VTermValue none = {.number = 0};
    vterm_state_set_termprop(terminal->state, VTERM_PROP_MOUSE, &none);
    vterm_input_write(terminal->vt, "\x1b[?1006l", 8);
    terminal->debt = terminal->row = terminal->col = 0;
    terminal->phantom = false;
    terminal->last_glyph = 0;
    terminal_title(terminal, "", 0);
}

uint32_t terminal_mode_bits(const struct terminal *terminal)
{
    static const struct {
        uint32_t mode, bit;
    } table[] = {
        {TERMINAL_ALTSCREEN, BJ_MODE_ALTSCREEN},
        {TERMINAL_MOUSE_CLICK, BJ_MODE_MOUSE_CLICK},
        {TERMINAL_MOUSE_DRAG, BJ_MODE_MOUSE_DRAG},
        {TERMINAL_MOUSE_MOVE, BJ_MODE_MOUSE_MOVE},
        {TERMINAL_PASTE, BJ_MODE_PASTE},
        {TERMINAL_FOCUS, BJ_MODE_FOCUS},
        {TERMINAL_SYNC, BJ_MODE_SYNC},
    };
    uint32_t bits = 0;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (terminal->modes & table[i].mode)
            bits |= table[i].bit;
    return bits;
}

size_t terminal_history(struct terminal *terminal)
{
    if (terminal->grid != &terminal->primary)
        return 0;
    return scrollback_rows(&terminal->scrollback, &terminal->styles, terminal->cols);
}
