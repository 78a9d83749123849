#include "screen.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void on_reply(void *owner, const void *bytes, size_t size)
{
    struct heard *heard = owner;
    if (!heard || heard->replies_size + size >= sizeof(heard->replies))
        return;
    memcpy(heard->replies + heard->replies_size, bytes, size);
    heard->replies_size += size;
    heard->replies[heard->replies_size] = '\0';
}

static void on_title(void *owner, const char *title)
{
    struct heard *heard = owner;
    (void)title;
    if (heard)
        heard->titles++;
}

static void on_bell(void *owner)
{
    struct heard *heard = owner;
    if (heard)
        heard->bells++;
}

static void on_alert(void *owner, const char *severity, const char *kind, const char *text)
{
    struct heard *heard = owner;
    (void)severity;
    if (!heard)
        return;
    heard->alerts_count++;
    size_t used = strlen(heard->alerts);
    snprintf(heard->alerts + used, sizeof(heard->alerts) - used, "%s: %s\n", kind, text);
}

static const struct terminal_events events = {on_reply, on_title, on_bell, on_alert};

struct terminal *screen_new(int rows, int cols, size_t scrollback, struct heard *heard)
{
    if (heard)
        *heard = (struct heard){0};
    struct terminal *terminal = terminal_new(rows, cols, scrollback, &events, heard);
    ck_assert_ptr_nonnull(terminal);
    return terminal;
}

void screen_write(struct terminal *terminal, const char *text)
{
    terminal_write(terminal, text, strlen(text));
}

static const char *text_of(struct terminal *terminal, const struct cell *cells)
{
    static char texts[4][16384];
    static int turn;
    char *out = texts[turn = (turn + 1) % 4];
    struct bytes line = {0};
    for (int col = 0; col < terminal->cols; col++) {
        if (cells[col].glyph == 0)
            bytes_add_str(&line, " ");
        else
            capture_glyph(&terminal->styles, cells[col].glyph, &line);
    }
    while (line.size > 0 && line.data[line.size - 1] == ' ')
        line.size--;
    ck_assert_uint_lt(line.size, sizeof(texts[0]));
    if (line.size)
        memcpy(out, line.data, line.size);
    out[line.size] = '\0';
    bytes_free(&line);
    return out;
}

const char *screen_row(struct terminal *terminal, int row)
{
    return text_of(terminal, grid_row(terminal->grid, row)->cells);
}

const char *screen_history(struct terminal *terminal, size_t row)
{
    struct cell *cells = calloc((size_t)terminal->cols, sizeof(*cells));
    bool wrapped;
    ck_assert_ptr_nonnull(cells);
    scrollback_get(&terminal->scrollback, &terminal->styles, terminal->cols, row, cells, &wrapped);
    const char *text = text_of(terminal, cells);
    free(cells);
    return text;
}

const struct cell *screen_cell(struct terminal *terminal, int row, int col)
{
    return &grid_row(terminal->grid, row)->cells[col];
}

const struct attribute *screen_look(struct terminal *terminal, int row, int col)
{
    return attributes_get(&terminal->styles.attributes, screen_cell(terminal, row, col)->attr);
}

const char *heard_replies(struct heard *heard)
{
    static char last[sizeof(heard->replies)];
    memcpy(last, heard->replies, sizeof(last));
    last[heard->replies_size] = '\0';
    heard->replies_size = 0;
    heard->replies[0] = '\0';
    return last;
}

static bool same_glyph(struct terminal *a, struct terminal *b, uint32_t x, uint32_t y)
{
    uint32_t one[CLUSTER_POINTS_MAX], two[CLUSTER_POINTS_MAX];
    uint32_t count = clusters_points(&a->styles.clusters, x, one);
    if ((x & ~(GLYPH_VALUE | GLYPH_CLUSTER)) != (y & ~(GLYPH_VALUE | GLYPH_CLUSTER)))
        return false;
    return count == clusters_points(&b->styles.clusters, y, two) &&
           memcmp(one, two, count * sizeof(*one)) == 0;
}

static bool same_look(struct terminal *a, struct terminal *b, const struct attribute *x,
                      const struct attribute *y)
{
    const char *one = hyperlinks_get(&a->styles.links, x->link);
    const char *two = hyperlinks_get(&b->styles.links, y->link);
    return x->fg == y->fg && x->bg == y->bg && ((x->flags ^ y->flags) & ~ATTRIBUTE_MARKS) == 0 &&
           strcmp(one ? one : "", two ? two : "") == 0;
}

static const char *grid_difference(struct terminal *a, struct terminal *b, struct grid *x,
                                   struct grid *y)
{
    static char text[256];
    for (int row = 0; row < x->rows; row++) {
        const struct row *r = grid_row(x, row), *s = grid_row(y, row);
        for (int col = 0; col < x->cols; col++) {
            const struct cell *c = &r->cells[col], *d = &s->cells[col];
            if (same_glyph(a, b, c->glyph, d->glyph) &&
                same_look(a, b, attributes_get(&a->styles.attributes, c->attr),
                          attributes_get(&b->styles.attributes, d->attr)))
                continue;
            snprintf(text, sizeof(text), "row %d col %d: glyph %x attr %u, glyph %x attr %u", row,
                     col, c->glyph, c->attr, d->glyph, d->attr);
            return text;
        }
    }
    return NULL;
}

const char *screen_difference(struct terminal *a, struct terminal *b)
{
    static char text[256];
    if (a->rows != b->rows || a->cols != b->cols)
        return "size";
    const char *found = grid_difference(a, b, &a->primary, &b->primary);
    if (found)
        return found;
    if ((a->grid == &a->primary) != (b->grid == &b->primary))
        return "which screen is shown";
    if (a->grid != &a->primary && (found = grid_difference(a, b, &a->alternate, &b->alternate)))
        return found;
    snprintf(text, sizeof(text), "cursor %d,%d%s and %d,%d%s; modes %x and %x", a->row, a->col,
             a->phantom ? "+" : "", b->row, b->col, b->phantom ? "+" : "", a->modes, b->modes);
    uint32_t loose = TERMINAL_SYNC; /* lasts a moment only, and is not redrawn */
    if (a->row != b->row || a->col != b->col || a->phantom != b->phantom ||
        (a->modes | loose) != (b->modes | loose))
        return text;
    if (!same_look(a, b, &a->pen, &b->pen))
        return "pen";
    if (a->region_top != b->region_top || a->region_bottom != b->region_bottom)
        return "scroll region";
    if (strcmp(a->title, b->title) != 0)
        return "title";
    if (a->cursor_shape != b->cursor_shape)
        return "cursor shape";
    if (memcmp(a->charsets.designated, b->charsets.designated, 4) != 0 ||
        a->charsets.active != b->charsets.active)
        return "charsets";
    return NULL;
}

/* Pieces of output as agents send it, and as nobody should. */
static const char *const pieces[] = {
    "hello world",
    "\r\n",
    "\n",
    "\r",
    "\t",
    "\b\b",
    "\x1b[31m",
    "\x1b[1;38;5;200;48;2;1;2;3m",
    "\x1b[0m",
    "\x1b[4:3m",
    "\x1b[7m",
    "\x1b[%d;%dH",
    "\x1b[%dA",
    "\x1b[%dB",
    "\x1b[%dC",
    "\x1b[%dD",
    "\x1b[%dG",
    "\x1b[%dd",
    "\x1b[J",
    "\x1b[1J",
    "\x1b[2J",
    "\x1b[K",
    "\x1b[1K",
    "\x1b[2K",
    "\x1b[%dX",
    "\x1b[%dP",
    "\x1b[%d@",
    "\x1b[%dL",
    "\x1b[%dM",
    "\x1b[%dS",
    "\x1b[%dT",
    "\x1b[%d;%dr",
    "\x1b[r",
    "\x1b[?1049h",
    "\x1b[?1049l",
    "\x1b[?7l",
    "\x1b[?7h",
    "\x1b[4h",
    "\x1b[4l",
    "\x1b[?6h",
    "\x1b[?6l",
    "\x1b"
    "7",
    "\x1b"
    "8",
    "\x1b(0",
    "\x1b(B",
    "\x0e",
    "\x0f",
    "lqqk",
    "\xe4\xbd\xa0\xe5\xa5\xbd",
    "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
    "e\xcc\x81",
    "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd",
    "\xf0\x9f\x8f\xbd",
    "\xe2\x80\x8d",
    "\xf0\x9f\x9a\x80",
    "\xe2\x9c\x93 ok \xf0\x9f\x9a\x80\xf0\x9f\x9a\x80\xe2\x80\x8d",
    "na\xc3\xafve \xe2\x94\x80\xe2\x94\x82 \xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82",
    "\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80 \xef\xbd\x86",
    "\xed\xa0\x80\xe0\x80\x80\xf4\x90\x80\x80",
    "\xff\xfe",
    "\x1b]0;title %d\x07",
    "\x1b]8;;https://example.org/%d\x1b\\",
    "\x1b]8;;\x1b\\",
    "\x1bM",
    "\x1b"
    "D",
    "\x1b[%db",
    "\x1b[?25l",
    "\x1b[?25h",
    "\x1b[%d q",
    "\x1b[5n\x1b[6n",
    "the quick brown fox jumps over it ",
    "\x1b[?2004h",
    "\x1b[?1000h\x1b[?1006h",
    "\x1b[!p",
    "\x1b[s",
    "\x1b[u",
    "\x1b#8",
    "\x1b=",
};

void screen_noise(uint32_t seed, uint8_t *out, size_t size)
{
    size_t at = 0;
    while (at < size) {
        seed = seed * 1664525U + 1013904223U;
        uint32_t pick = seed >> 8;
        char text[128];
        int length;
        if (pick % 61 == 0) {
            text[0] = (char)(pick >> 8);
            length = 1;
        } else {
            length = snprintf(text, sizeof(text), pieces[pick % (sizeof(pieces) / sizeof(*pieces))],
                              (int)(pick >> 10 & 31), (int)(pick >> 15 & 127));
        }
        for (int i = 0; i < length && at < size; i++)
            out[at++] = (uint8_t)text[i];
    }
}
