#include "tui/view/paint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <curses.h>

#include "transport/api.h"
#include "tui/model/text.h"

#define SLOTS       (1 << 17)
#define PAIRS_LIMIT 32000
#define MARKS_MAX   3

struct paint_slot {
    int32_t fg, bg, pair; /* pair 0: free */
};

int paint_open(struct paint *paint, const struct term_facts *facts, const struct theme *theme,
               struct bj_error *error)
{
    *paint = (struct paint){.facts = *facts, .theme = theme};
    paint->slots = calloc(SLOTS, sizeof(*paint->slots));
    if (!paint->slots)
        return bj_fail(error, -ENOMEM, "out of memory for colours");
    paint->pairs_limit = COLOR_PAIRS - 1 < PAIRS_LIMIT ? COLOR_PAIRS - 1 : PAIRS_LIMIT;
    return 0;
}

void paint_close(struct paint *paint)
{
    free(paint->slots);
    paint->slots = NULL;
}

void paint_theme(struct paint *paint, const struct theme *theme)
{
    paint->theme = theme;
    paint->last_valid = false;
}

struct style paint_style(const struct paint *paint, enum theme_role fg, enum theme_role bg,
                         uint16_t flags)
{
    return (struct style){paint->theme->role[fg], paint->theme->role[bg], flags};
}

/* ---- colours ---- */

static uint32_t to_rgb(const struct paint *paint, uint32_t color, enum theme_role fallback)
{
    if (BJ_COLOR_KIND(color) == BJ_COLOR_PALETTE && (color & 0xff) < 16)
        color = paint->theme->palette[color & 0xff];
    else if (BJ_COLOR_KIND(color) != BJ_COLOR_PALETTE && BJ_COLOR_KIND(color) != BJ_COLOR_RGB)
        color = paint->theme->role[fallback];
    return theme_rgb(color);
}

static int to_terminal(struct paint *paint, uint32_t color, enum theme_role fallback)
{
    int colors = (int)paint->facts.colors;
    bool palette = BJ_COLOR_KIND(color) == BJ_COLOR_PALETTE;
    if (palette && colors == TERM_256 && (color & 0xff) >= 16)
        return (int)(color & 0xff);
    /* With few colours the terminal's own are what the agent means. */
    if (palette && colors <= TERM_16 && (color & 0xff) < 16)
        return (int)(color & 0xff) % colors;
    uint32_t rgb = to_rgb(paint, color, fallback);
    if (colors == TERM_DIRECT)
        return (int)rgb < paint->facts.palette_kept ? paint->facts.palette_kept : (int)rgb;
    uint32_t *slot = &paint->nearest[(rgb >> 12 & 0xf00) | (rgb >> 8 & 0xf0) | (rgb >> 4 & 0xf)];
    if (*slot >> 8 != rgb || *slot == 0)
        *slot = rgb << 8 | (uint32_t)(colors == TERM_256 ? theme_nearest_256(rgb)
                                                         : theme_nearest_ansi(rgb, colors));
    return (int)(*slot & 0xff);
}

/* With few colours the line of a cursor would often be as black or as white as what is around it:
 * it is blue then, or cyan. */
static int ground_of_few(const struct paint *paint, const struct style *style, int bg, int plain)
{
    if (style->bg != paint->theme->role[ROLE_CURSOR_LINE] || bg != plain)
        return bg;
    return plain == 0 || plain == 8 ? 4 : 6;
}

static int pair_of(struct paint *paint, int fg, int bg)
{
    uint32_t hash = ((uint32_t)fg * 0x9e3779b1U) ^ ((uint32_t)bg * 0x85ebca6bU);
    for (uint32_t at = (hash ^ hash >> 15) % SLOTS;; at = (at + 1) % SLOTS) {
        struct paint_slot *slot = &paint->slots[at];
        if (slot->pair != 0 && slot->fg == fg && slot->bg == bg)
            return slot->pair;
        if (slot->pair != 0)
            continue;
        if (paint->pairs == paint->pairs_limit) {
            if (paint->flushed)
                return 0; /* one picture needs more pairs than there are */
            reset_color_pairs();
            memset(paint->slots, 0, SLOTS * sizeof(*paint->slots));
            paint->pairs = 0;
            paint->flushed = true;
            paint->last_valid = false;
            return pair_of(paint, fg, bg);
        }
        if (init_extended_pair(paint->pairs + 1, fg, bg) != OK)
            return 0;
        *slot = (struct paint_slot){fg, bg, ++paint->pairs};
        return slot->pair;
    }
}

static attr_t to_attributes(uint16_t flags)
{
    attr_t attributes = A_NORMAL;
    attributes |= flags & BJ_ATTR_BOLD ? A_BOLD : 0;
    attributes |= flags & BJ_ATTR_DIM ? A_DIM : 0;
    attributes |= flags & BJ_ATTR_ITALIC ? A_ITALIC : 0;
    attributes |= flags & BJ_ATTR_UNDERLINE ? A_UNDERLINE : 0;
    attributes |= flags & BJ_ATTR_BLINK ? A_BLINK : 0;
    attributes |= flags & BJ_ATTR_REVERSE ? A_REVERSE : 0;
    attributes |= flags & BJ_ATTR_CONCEAL ? A_INVIS : 0;
    return attributes;
}

static attr_t resolve_anew(struct paint *paint, const struct style *style, int *pair)
{
    attr_t attributes = to_attributes(style->flags);
    *pair = 0;
    if (paint->facts.colors == TERM_MONO) {
        uint32_t ground = theme_rgb(paint->theme->role[ROLE_BACKGROUND]);
        if (to_rgb(paint, style->bg, ROLE_BACKGROUND) != ground)
            attributes ^= A_REVERSE;
        if (style->bg == paint->theme->role[ROLE_NOTE])
            attributes |= A_UNDERLINE; /* a hit is no selection */
        return attributes;
    }
    int fg = to_terminal(paint, style->fg, ROLE_FOREGROUND);
    int bg = to_terminal(paint, style->bg, ROLE_BACKGROUND);
    if (paint->facts.colors <= TERM_16) {
        int plain = to_terminal(paint, BJ_COLOR_DEFAULT, ROLE_BACKGROUND);
        bool agents = BJ_COLOR_KIND(style->fg) == BJ_COLOR_PALETTE ||
                      BJ_COLOR_KIND(style->bg) == BJ_COLOR_PALETTE;
        bg = ground_of_few(paint, style, bg, plain);
        /* Agents get the colours that they name, unless only this terminal makes them one. */
        if (!agents || (fg == bg && style->fg != style->bg))
            fg = theme_text_ansi(to_rgb(paint, style->fg, ROLE_FOREGROUND), bg,
                                 (int)paint->facts.colors, bg == plain);
    }
    *pair = pair_of(paint, fg, bg);
    return attributes;
}

/* What ncurses needs for a style. Cells side by side mostly have the same. */
static attr_t resolve(struct paint *paint, const struct style *style, int *pair)
{
    if (!paint->last_valid || style->fg != paint->last.fg || style->bg != paint->last.bg ||
        style->flags != paint->last.flags) {
        paint->last_attributes = resolve_anew(paint, style, &paint->last_pair);
        paint->last = *style;
        paint->last_valid = true;
    }
    *pair = paint->last_pair;
    return paint->last_attributes;
}

/* ---- characters ---- */

/* Fills `out` with the first character and its marks when the C library, too, gives it `width`
 * columns; else with a replacement of one column. */
static void characters(const struct paint *paint, const char *text, int width,
                       wchar_t out[MARKS_MAX + 2])
{
    uint32_t base = text_next(&text, NULL);
    int marks = 0;
    if (base >= 0x80 && !paint->facts.utf8)
        base = '?';
    else if (base < 0x20 || wcwidth((wchar_t)base) != width)
        base = base < 0x80 ? ' ' : paint->facts.utf8 && wcwidth(0xfffd) == 1 ? 0xfffd : '?';
    out[0] = (wchar_t)base;
    uint32_t mark;
    while (marks < MARKS_MAX && paint->facts.utf8 && (mark = text_next(&text, NULL)) != 0)
        if (wcwidth((wchar_t)mark) == 0 && text_is_safe(mark))
            out[++marks] = (wchar_t)mark;
    out[marks + 1] = L'\0';
}

static void put(const wchar_t *text, int row, int col, attr_t attributes, int pair)
{
    cchar_t cell;
    if (setcchar(&cell, text, attributes, 0, &pair) == OK)
        mvadd_wch(row, col, &cell);
}

void paint_begin(struct paint *paint)
{
    struct style style = {BJ_COLOR_DEFAULT, BJ_COLOR_DEFAULT, 0};
    cchar_t blank;
    int pair;
    paint->flushed = false;
    attr_t attributes = resolve(paint, &style, &pair);
    if (setcchar(&blank, L" ", attributes, 0, &pair) == OK)
        bkgrndset(&blank);
}

void paint_cell(struct paint *paint, int row, int col, const char *text, bool wide,
                const struct style *style)
{
    wchar_t out[MARKS_MAX + 2] = {(wchar_t)text[0]};
    int pair;
    attr_t attributes = resolve(paint, style, &pair);
    if (wide || text[0] < ' ' || text[0] == 0x7f || text[1])
        characters(paint, text, wide ? 2 : 1, out);
    put(out, row, col, attributes, pair);
    if (wide && wcwidth(out[0]) < 2)
        put(L" ", row, col + 1, attributes, pair);
}

int paint_text(struct paint *paint, int row, int col, int columns, const char *text,
               const struct style *style)
{
    char fitted[2048];
    int used = text_fit(fitted, sizeof(fitted), text, columns, !paint->facts.utf8);
    const char *at = fitted;
    int pair;
    attr_t attributes = resolve(paint, style, &pair);
    for (int offset = 0; offset < used;) {
        const char *start = at;
        uint32_t character = text_next(&at, NULL);
        if (!character)
            break;
        int width = text_columns(character);
        const char *end = at, *mark = at;
        while (*mark && text_columns(text_next(&mark, NULL)) == 0)
            end = mark;
        char cluster[64];
        size_t size = (size_t)(end - start);
        if (size >= sizeof(cluster))
            size = (size_t)(at - start);
        memcpy(cluster, start, size);
        cluster[size] = '\0';
        at = end;
        if (width == 0)
            continue;
        wchar_t out[MARKS_MAX + 2];
        characters(paint, cluster, width, out);
        put(out, row, col + offset, attributes, pair);
        if (width == 2 && wcwidth(out[0]) < 2)
            put(L" ", row, col + offset + 1, attributes, pair);
        offset += width;
    }
    return used;
}

void paint_fill(struct paint *paint, const struct rect *rect, const char *text,
                const struct style *style)
{
    wchar_t out[MARKS_MAX + 2];
    int pair;
    attr_t attributes = resolve(paint, style, &pair);
    characters(paint, text, 1, out);
    for (int row = rect->row; row < rect->row + rect->rows; row++)
        for (int col = rect->col; col < rect->col + rect->cols; col++)
            put(out, row, col, attributes, pair);
}

/* Left top, top, right top, side, left bottom, bottom, right bottom; in any font of today, in that
 * of a console, and in ASCII. */
static const char *const borders[3][3][7] = {
    [BORDER_PLAIN] = {{"╭", "─", "╮", "│", "╰", "─", "╯"},
                      {"┌", "─", "┐", "│", "└", "─", "┘"},
                      {"+", "-", "+", "|", "+", "-", "+"}},
    [BORDER_SELECTED] = {{"┏", "━", "┓", "┃", "┗", "━", "┛"},
                         {"╔", "═", "╗", "║", "╚", "═", "╝"},
                         {"#", "=", "#", "|", "#", "=", "#"}},
    [BORDER_FOCUS] = {{"╔", "═", "╗", "║", "╚", "═", "╝"},
                      {"╔", "═", "╗", "║", "╚", "═", "╝"},
                      {"#", "#", "#", "#", "#", "#", "#"}},
};

void paint_border(struct paint *paint, const struct rect *rect, enum border border,
                  const struct style *style)
{
    const char *const *part = borders[border][!paint->facts.utf8     ? 2
                                              : paint->facts.console ? 1
                                                                     : 0];
    int bottom = rect->row + rect->rows - 1, right = rect->col + rect->cols - 1;
    struct rect top = {rect->row, rect->col + 1, 1, rect->cols - 2};
    struct rect low = {bottom, rect->col + 1, 1, rect->cols - 2};
    struct rect left = {rect->row + 1, rect->col, rect->rows - 2, 1};
    struct rect side = {rect->row + 1, right, rect->rows - 2, 1};
    paint_fill(paint, &top, part[1], style);
    paint_fill(paint, &low, part[5], style);
    paint_fill(paint, &left, part[3], style);
    paint_fill(paint, &side, part[3], style);
    paint_cell(paint, rect->row, rect->col, part[0], false, style);
    paint_cell(paint, rect->row, right, part[2], false, style);
    paint_cell(paint, bottom, rect->col, part[4], false, style);
    paint_cell(paint, bottom, right, part[6], false, style);
}
