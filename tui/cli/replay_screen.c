#include "tui/cli/replay_screen.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>
#include <vterm.h>

#include "tui/cli/plain.h"
#include "tui/model/theme.h"

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

static void print_colour(FILE *out, const VTermColor *colour, int base, enum replay_colours colours)
{
    if (colours == REPLAY_MONO || VTERM_COLOR_IS_DEFAULT_FG(colour) ||
        VTERM_COLOR_IS_DEFAULT_BG(colour))
        return;
    uint32_t rgb =
        (uint32_t)colour->rgb.red << 16 | (uint32_t)colour->rgb.green << 8 | colour->rgb.blue;
    if (VTERM_COLOR_IS_INDEXED(colour))
        fprintf(out, ";%d;5;%d", base, colour->indexed.idx);
    else if (colours == REPLAY_256)
        fprintf(out, ";%d;5;%d", base, theme_nearest_256(rgb));
    else
        fprintf(out, ";%d;2;%u;%u;%u", base, colour->rgb.red, colour->rgb.green, colour->rgb.blue);
}

static void print_look(FILE *out, const VTermScreenCell *cell, enum replay_colours colours)
{
    fputs("\x1b[0", out);
    if (cell->attrs.bold)
        fputs(";1", out);
    if (cell->attrs.italic)
        fputs(";3", out);
    if (cell->attrs.underline)
        fputs(";4", out);
    if (cell->attrs.blink)
        fputs(";5", out);
    if (cell->attrs.reverse)
        fputs(";7", out);
    if (cell->attrs.strike)
        fputs(";9", out);
    print_colour(out, &cell->fg, 38, colours);
    print_colour(out, &cell->bg, 48, colours);
    fputc('m', out);
}

static bool same_look(const VTermScreenCell *one, const VTermScreenCell *other)
{
    return vterm_color_is_equal(&one->fg, &other->fg) &&
           vterm_color_is_equal(&one->bg, &other->bg) && one->attrs.bold == other->attrs.bold &&
           one->attrs.italic == other->attrs.italic &&
           one->attrs.underline == other->attrs.underline &&
           one->attrs.blink == other->attrs.blink && one->attrs.reverse == other->attrs.reverse &&
           one->attrs.strike == other->attrs.strike;
}

static void paint_row(struct replay_screen *screen, FILE *out, int row, int cols,
                      enum replay_colours colours)
{
    VTermScreenCell before = {0};
    fprintf(out, "\x1b[%d;1H\x1b[0m", row + 1);
    for (int col = 0; col < cols;) {
        VTermPos at = {.row = row, .col = col};
        VTermScreenCell cell;
        if (!vterm_screen_get_cell(screen->screen, at, &cell))
            break;
        int width = cell.width > 1 ? cell.width : 1;
        if (col + width > cols)
            break;
        if (col == 0 || !same_look(&cell, &before))
            print_look(out, &cell, colours);
        if (!is_second_half(&cell))
            print_cell(out, &cell);
        before = cell;
        col += width;
    }
    fputs("\x1b[0m\x1b[K", out);
}

void replay_screen_paint(struct replay_screen *screen, FILE *out, unsigned rows, unsigned cols,
                         enum replay_colours colours, bool all)
{
    vterm_screen_flush_damage(screen->screen);
    fputs("\x1b[?25l", out);
    for (unsigned row = 0; row < rows && row < screen->rows; row++) {
        if (all || screen->dirty[row])
            paint_row(screen, out, (int)row, (int)(cols < screen->cols ? cols : screen->cols),
                      colours);
        screen->dirty[row] = false;
    }
    for (unsigned row = screen->rows; all && row < rows; row++)
        fprintf(out, "\x1b[%u;1H\x1b[0m\x1b[K", row + 1);
    if (screen->cursor.row < (int)rows && screen->cursor.col < (int)cols)
        fprintf(out, "\x1b[%d;%dH%s", screen->cursor.row + 1, screen->cursor.col + 1,
                screen->cursor_visible ? "\x1b[?25h" : "");
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
