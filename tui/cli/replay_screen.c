#include "tui/cli/replay_screen.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>
#include <vterm.h>

#include "transport/api.h"
#include "tui/cli/plain.h"

/* libvterm writes a wide character beyond the end of a line that has one column. */
#define ROWS_MIN 2
#define COLS_MIN 2
#define ROWS_MAX 1000
#define COLS_MAX 1000

struct replay_screen {
    VTerm *vterm;
    VTermScreen *screen;
    unsigned rows, cols;
    bool *dirty; /* per row */
    bool cursor_visible;
    VTermPos cursor;
    FILE *lines;
};

static void print_cell(FILE *out, const VTermScreenCell *cell)
{
    if (cell->chars[0] == 0) {
        fputc(' ', out);
        return;
    }
    for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell->chars[i]; i++) {
        utf8proc_uint8_t text[4];
        utf8proc_ssize_t size = utf8proc_encode_char((utf8proc_int32_t)cell->chars[i], text);
        if (size > 0)
            plain_write(out, (char *)text, (size_t)size, 0);
    }
}

/* libvterm marks the second half of a wide character with this. */
static bool is_second_half(const VTermScreenCell *cell)
{
    return cell->chars[0] == (uint32_t)-1;
}

static void print_line(FILE *out, const VTermScreenCell *cells, int cols)
{
    while (cols > 0 && (cells[cols - 1].chars[0] == 0 || cells[cols - 1].chars[0] == ' '))
        cols--;
    for (int i = 0; i < cols; i++)
        if (!is_second_half(&cells[i]))
            print_cell(out, &cells[i]);
    fputc('\n', out);
}

static int on_damage(VTermRect rect, void *user)
{
    struct replay_screen *screen = user;
    for (int row = rect.start_row; row < rect.end_row && row < (int)screen->rows; row++)
        screen->dirty[row] = true;
    return 1;
}

static int on_cursor(VTermPos position, VTermPos before, int visible, void *user)
{
    (void)before;
    (void)visible;
    struct replay_screen *screen = user;
    screen->cursor = position;
    return 1;
}

static int on_property(VTermProp property, VTermValue *value, void *user)
{
    struct replay_screen *screen = user;
    if (property == VTERM_PROP_CURSORVISIBLE)
        screen->cursor_visible = value->boolean;
    return 1;
}

static int on_line(int cols, const VTermScreenCell *cells, void *user)
{
    struct replay_screen *screen = user;
    if (screen->lines)
        print_line(screen->lines, cells, cols);
    return 1;
}

static const VTermScreenCallbacks callbacks = {
    .damage = on_damage,
    .movecursor = on_cursor,
    .settermprop = on_property,
    .sb_pushline = on_line,
};

static unsigned within(unsigned value, unsigned least, unsigned most)
{
    return value < least ? least : value > most ? most : value;
}

struct replay_screen *replay_screen_new(unsigned rows, unsigned cols, FILE *lines)
{
    struct replay_screen *screen = calloc(1, sizeof(*screen));
    if (!screen)
        return NULL;
    screen->rows = within(rows, ROWS_MIN, ROWS_MAX);
    screen->cols = within(cols, COLS_MIN, COLS_MAX);
    screen->lines = lines;
    screen->cursor_visible = true;
    screen->dirty = calloc(ROWS_MAX, sizeof(*screen->dirty));
    screen->vterm = vterm_new((int)screen->rows, (int)screen->cols);
    if (!screen->dirty || !screen->vterm) {
        replay_screen_free(screen);
        return NULL;
    }
    vterm_set_utf8(screen->vterm, 1);
    screen->screen = vterm_obtain_screen(screen->vterm);
    vterm_screen_set_callbacks(screen->screen, &callbacks, screen);
    vterm_screen_enable_altscreen(screen->screen, 1);
    vterm_screen_set_damage_merge(screen->screen, VTERM_DAMAGE_ROW);
    vterm_screen_reset(screen->screen, 1);
    return screen;
}

void replay_screen_free(struct replay_screen *screen)
{
    if (!screen)
        return;
    if (screen->vterm)
        vterm_free(screen->vterm);
    free(screen->dirty);
    free(screen);
}

void replay_screen_write(struct replay_screen *screen, const char *bytes, size_t size)
{
    vterm_input_write(screen->vterm, bytes, size);
}

void replay_screen_resize(struct replay_screen *screen, unsigned rows, unsigned cols)
{
    screen->rows = within(rows, ROWS_MIN, ROWS_MAX);
    screen->cols = within(cols, COLS_MIN, COLS_MAX);
    vterm_set_size(screen->vterm, (int)screen->rows, (int)screen->cols);
    memset(screen->dirty, true, screen->rows);
}

static uint32_t colour_of(const VTermColor *colour)
{
    if (VTERM_COLOR_IS_DEFAULT_FG(colour) || VTERM_COLOR_IS_DEFAULT_BG(colour))
        return BJ_COLOR_DEFAULT;
    if (VTERM_COLOR_IS_INDEXED(colour))
        return BJ_COLOR_PALETTE | colour->indexed.idx;
    return BJ_COLOR_RGB | (uint32_t)colour->rgb.red << 16 | (uint32_t)colour->rgb.green << 8 |
           colour->rgb.blue;
}

static uint16_t flags_of(const VTermScreenCell *cell)
{
    unsigned flags = 0;
    flags |= cell->attrs.bold ? BJ_ATTR_BOLD : 0U;
    flags |= cell->attrs.italic ? BJ_ATTR_ITALIC : 0U;
    flags |= cell->attrs.underline ? BJ_ATTR_UNDERLINE : 0U;
    flags |= cell->attrs.blink ? BJ_ATTR_BLINK : 0U;
    flags |= cell->attrs.reverse ? BJ_ATTR_REVERSE : 0U;
    flags |= cell->attrs.strike ? BJ_ATTR_STRIKE : 0U;
    return (uint16_t)flags;
}

static void write_cell(FILE *out, int row, int col, const VTermScreenCell *cell)
{
    char text[VTERM_MAX_CHARS_PER_CELL * 4];
    struct replay_cell head = {.fg = colour_of(&cell->fg),
                               .bg = colour_of(&cell->bg),
                               .row = (uint16_t)row,
                               .col = (uint16_t)col,
                               .flags = flags_of(cell)};
    for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell->chars[i]; i++) {
        utf8proc_ssize_t size = utf8proc_encode_char((utf8proc_int32_t)cell->chars[i],
                                                     (utf8proc_uint8_t *)text + head.size);
        head.size = (uint16_t)(head.size + (size > 0 ? size : 0));
    }
    fwrite(&head, sizeof(head), 1, out);
    fwrite(text, head.size, 1, out);
}

void replay_screen_cells(struct replay_screen *screen, FILE *out, bool all)
{
    vterm_screen_flush_damage(screen->screen);
    struct replay_frame frame = {.rows = screen->rows,
                                 .cols = screen->cols,
                                 .cursor_row = (uint32_t)screen->cursor.row,
                                 .cursor_col = (uint32_t)screen->cursor.col,
                                 .cursor_visible = screen->cursor_visible};
    fwrite(&frame, sizeof(frame), 1, out);
    for (unsigned row = 0; row < screen->rows; row++) {
        bool wanted = all || screen->dirty[row];
        screen->dirty[row] = false;
        for (unsigned col = 0; wanted && col < screen->cols; col++) {
            VTermPos at = {.row = (int)row, .col = (int)col};
            VTermScreenCell cell;
            if (vterm_screen_get_cell(screen->screen, at, &cell) && !is_second_half(&cell))
                write_cell(out, (int)row, (int)col, &cell);
        }
    }
}

static bool row_is_empty(struct replay_screen *screen, int row)
{
    for (unsigned col = 0; col < screen->cols; col++) {
        VTermPos at = {.row = row, .col = (int)col};
        VTermScreenCell cell;
        if (vterm_screen_get_cell(screen->screen, at, &cell) && cell.chars[0] &&
            cell.chars[0] != ' ')
            return false;
    }
    return true;
}

void replay_screen_text(struct replay_screen *screen, FILE *out)
{
    VTermScreenCell *cells = calloc(screen->cols, sizeof(*cells));
    int last = (int)screen->rows;
    if (!cells)
        return;
    while (last > 0 && row_is_empty(screen, last - 1))
        last--;
    for (int row = 0; row < last; row++) {
        int count = 0;
        for (int col = 0; col < (int)screen->cols; col++) {
            VTermPos at = {.row = row, .col = col};
            if (vterm_screen_get_cell(screen->screen, at, &cells[count]))
                count++;
        }
        print_line(out, cells, count);
    }
    free(cells);
}
