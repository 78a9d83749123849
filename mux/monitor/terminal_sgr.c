#include "mux/monitor/terminal_private.h"

#include <stdio.h>

#include "transport/api.h"

#define UNDERLINES (BJ_ATTR_UNDERLINE | BJ_ATTR_UNDERLINE_DOUBLE | BJ_ATTR_UNDERLINE_CURLY)

/* SGR codes that set and clear flags. Source: ECMA-48 8.3.117, xterm ctlseqs. */
static const struct {
    uint8_t code;
    uint16_t clear, set;
} flags[] = {
    {1, 0, BJ_ATTR_BOLD},
    {2, 0, BJ_ATTR_DIM},
    {3, 0, BJ_ATTR_ITALIC},
    {4, UNDERLINES, BJ_ATTR_UNDERLINE},
    {5, 0, BJ_ATTR_BLINK},
    {6, 0, BJ_ATTR_BLINK},
    {7, 0, BJ_ATTR_REVERSE},
    {8, 0, BJ_ATTR_CONCEAL},
    {9, 0, BJ_ATTR_STRIKE},
    {21, UNDERLINES, BJ_ATTR_UNDERLINE | BJ_ATTR_UNDERLINE_DOUBLE},
    {22, BJ_ATTR_BOLD | BJ_ATTR_DIM, 0},
    {23, BJ_ATTR_ITALIC, 0},
    {24, UNDERLINES, 0},
    {25, BJ_ATTR_BLINK, 0},
    {27, BJ_ATTR_REVERSE, 0},
    {28, BJ_ATTR_CONCEAL, 0},
    {29, BJ_ATTR_STRIKE, 0},
};

static bool is_sub(const struct terminal_sequence *sequence, int index)
{
    return index < sequence->count && (sequence->colon >> index & 1);
}

/*
 * The colour behind a 38, 48 or 58 at `index`; returns the index behind it. Both `38;2;r;g;b` and
 * `38:2::r:g:b` or `38:2:r:g:b`. *color is left alone when it makes no sense.
 */
static int extended_color(const struct terminal *terminal, int index, uint32_t *color)
{
    const struct terminal_sequence *sequence = &terminal->sequence;
    bool subs = is_sub(sequence, index + 1);
    int last = index + 1;
    while (subs && is_sub(sequence, last + 1))
        last++;
    uint32_t kind = terminal_param(terminal, index + 1, 0);
    int values = subs ? last - index - 1 : sequence->count - index - 2;
    if (kind == 5 && values >= 1) {
        uint32_t value = terminal_param(terminal, index + 2, 0);
        if (value < 256)
            *color = BJ_COLOR_PALETTE | value;
        return subs ? last + 1 : index + 3;
    }
    if (kind == 2 && values >= 3) {
        int at = index + 2 + (subs && values >= 4); /* the colour space is skipped */
        uint32_t r = terminal_param(terminal, at, 0), g = terminal_param(terminal, at + 1, 0),
                 b = terminal_param(terminal, at + 2, 0);
        if (r < 256 && g < 256 && b < 256)
            *color = BJ_COLOR_RGB | r << 16 | g << 8 | b;
        return subs ? last + 1 : index + 5;
    }
    return subs ? last + 1 : sequence->count;
}

static void underline_style(struct attribute *pen, uint32_t style)
{
    pen->flags &= ~(uint32_t)UNDERLINES;
    if (style > 0)
        pen->flags |= BJ_ATTR_UNDERLINE;
    if (style == 2)
        pen->flags |= BJ_ATTR_UNDERLINE_DOUBLE;
    if (style == 3)
        pen->flags |= BJ_ATTR_UNDERLINE_CURLY;
}

static void flag(struct attribute *pen, uint32_t code)
{
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (flags[i].code == code)
            pen->flags = (pen->flags & ~(uint32_t)flags[i].clear) | flags[i].set;
}

void terminal_sgr(struct terminal *terminal)
{
    const struct terminal_sequence *sequence = &terminal->sequence;
    struct attribute *pen = &terminal->pen;
    uint32_t ignored;
    terminal_pen_changed(terminal);
    if (sequence->count == 0)
        *pen = (struct attribute){.link = pen->link};
    for (int i = 0; i < sequence->count;) {
        uint32_t code = terminal_param(terminal, i, 0);
        int next = i + 1;
        while (is_sub(sequence, next))
            next++;
        if (code == 0)
            *pen = (struct attribute){.link = pen->link};
        else if (code == 4 && next > i + 1)
            underline_style(pen, terminal_param(terminal, i + 1, 0));
        else if (code >= 30 && code <= 37)
            pen->fg = BJ_COLOR_PALETTE | (code - 30);
        else if (code >= 40 && code <= 47)
            pen->bg = BJ_COLOR_PALETTE | (code - 40);
        else if (code >= 90 && code <= 97)
            pen->fg = BJ_COLOR_PALETTE | (code - 90 + 8);
        else if (code >= 100 && code <= 107)
            pen->bg = BJ_COLOR_PALETTE | (code - 100 + 8);
        else if (code == 38)
            next = extended_color(terminal, i, &pen->fg);
        else if (code == 48)
            next = extended_color(terminal, i, &pen->bg);
        else if (code == 58) /* the underline's own colour is not kept */
            next = extended_color(terminal, i, &ignored);
        else if (code == 39)
            pen->fg = BJ_COLOR_DEFAULT;
        else if (code == 49)
            pen->bg = BJ_COLOR_DEFAULT;
        else
            flag(pen, code);
        i = next;
    }
}

static size_t color_format(char *out, size_t room, uint32_t color, int base)
{
    uint32_t value = color & 0xffffffU;
    if (BJ_COLOR_KIND(color) == BJ_COLOR_RGB)
        return (size_t)snprintf(out, room, ";%d;2;%u;%u;%u", base + 8, value >> 16,
                                value >> 8 & 0xff, value & 0xff);
    if (BJ_COLOR_KIND(color) != BJ_COLOR_PALETTE)
        return 0;
    if (value < 8)
        return (size_t)snprintf(out, room, ";%u", (uint32_t)base + value);
    if (value < 16)
        return (size_t)snprintf(out, room, ";%u", (uint32_t)base + 60 + value - 8);
    return (size_t)snprintf(out, room, ";%d;5;%u", base + 8, value);
}

size_t terminal_sgr_format(char out[TERMINAL_SGR_MAX], const struct attribute *look)
{
    size_t size = 0;
    out[size++] = '0';
    for (uint32_t code = 1; code <= 9; code++) {
        uint32_t bit = 0;
        for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
            if (flags[i].code == code && code != 6)
                bit = flags[i].set;
        if (!(look->flags & bit))
            continue;
        const char *style = code != 4                                ? ""
                            : look->flags & BJ_ATTR_UNDERLINE_DOUBLE ? ":2"
                            : look->flags & BJ_ATTR_UNDERLINE_CURLY  ? ":3"
                                                                     : "";
        size += (size_t)snprintf(out + size, TERMINAL_SGR_MAX - size, ";%u%s", code, style);
    }
    size += color_format(out + size, TERMINAL_SGR_MAX - size, look->fg, 30);
    size += color_format(out + size, TERMINAL_SGR_MAX - size, look->bg, 40);
    out[size] = '\0';
    return size;
}
