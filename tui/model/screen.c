#include "tui/model/screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport/api.h"
#include "transport/pack.h"
#include "tui/model/text.h"

static const struct screen_cell blank = {' ', 0};

void screen_init(struct screen *screen)
{
    *screen = (struct screen){.cursor_shape = 1};
}

static void free_rows(struct screen_cell **row, int rows)
{
    for (int i = 0; row && i < rows; i++)
        free(row[i]);
    free(row);
}

static void forget_attrs(struct screen *screen)
{
    for (size_t i = 0; i < screen->attr_parts; i++)
        free(screen->attrs[i]);
    free(screen->attrs);
    screen->attrs = NULL;
    screen->attr_parts = 0;
}

static void forget_links(struct screen *screen)
{
    for (size_t i = 0; screen->links && i < SCREEN_LINKS_MAX; i++) {
        free(screen->links[i].url);
        screen->links[i] = (struct screen_url){0};
    }
}

void screen_free(struct screen *screen)
{
    free_rows(screen->row, screen->rows);
    free(screen->dirty);
    forget_attrs(screen);
    forget_links(screen);
    free(screen->links);
    free(screen->clusters);
    *screen = (struct screen){0};
}

/* Cells [from, to), with the neighbours that a wide character of theirs may have had. */
static void touch_cells(struct screen *screen, int row, int from, int to)
{
    struct screen_span *span = &screen->dirty[row];
    from = from > 0 ? from - 1 : 0;
    to = to < screen->cols ? to + 1 : screen->cols;
    span->from = span->to == 0 || from < span->from ? from : span->from;
    span->to = to > span->to ? to : span->to;
}

static void touch_rows(struct screen *screen, int top, int bottom)
{
    for (int r = top; r < bottom; r++)
        screen->dirty[r] = (struct screen_span){0, screen->cols};
}

void screen_touch(struct screen *screen)
{
    touch_rows(screen, 0, screen->rows);
}

void screen_forget_ids(struct screen *screen)
{
    for (int r = 0; r < screen->rows; r++)
        for (int c = 0; c < screen->cols; c++)
            screen->row[r][c].attr = 0;
    forget_attrs(screen);
    forget_links(screen);
    screen_touch(screen);
}

static bool to_int(const msgpack_object *object, int64_t low, int64_t high, int *out)
{
    int64_t value;
    if (object->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        value = object->via.u64 > INT64_MAX ? INT64_MAX : (int64_t)object->via.u64;
    else if (object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        value = object->via.i64;
    else
        return false;
    if (value < low || value > high)
        return false;
    *out = (int)value;
    return true;
}

static bool to_uint(const msgpack_object *object, uint64_t high, uint64_t *out)
{
    if (object->type != MSGPACK_OBJECT_POSITIVE_INTEGER || object->via.u64 > high)
        return false;
    *out = object->via.u64;
    return true;
}

static bool to_bool(const msgpack_object *object)
{
    return object->type == MSGPACK_OBJECT_BOOLEAN            ? object->via.boolean
           : object->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? object->via.u64 != 0
                                                             : false;
}

/* New, blank cells: what they show comes in the same frame. Ids begin anew, too. */
static int resize(struct screen *screen, int rows, int cols)
{
    if ((int64_t)rows * cols > SCREEN_CELLS_MAX)
        return 0; /* nobody's terminal: the lines that come are cut to the old size */
    struct screen_cell **row = calloc((size_t)rows, sizeof(struct screen_cell *));
    struct screen_span *dirty = malloc((size_t)rows * sizeof(*dirty));
    for (int r = 0; row && r < rows; r++) {
        row[r] = malloc((size_t)cols * sizeof(struct screen_cell));
        if (!row[r]) {
            free_rows(row, r);
            row = NULL;
            break;
        }
        for (int c = 0; c < cols; c++)
            row[r][c] = blank;
    }
    if (!row || !dirty) {
        free_rows(row, row ? rows : 0);
        free(dirty);
        return -ENOMEM;
    }
    free_rows(screen->row, screen->rows);
    free(screen->dirty);
    screen->row = row;
    screen->dirty = dirty;
    screen->rows = rows;
    screen->cols = cols;
    if (screen->cursor_row >= rows)
        screen->cursor_row = rows - 1;
    if (screen->cursor_col >= cols)
        screen->cursor_col = cols - 1;
    screen_forget_ids(screen);
    return 0;
}

static int on_resize(struct screen *screen, const msgpack_object *item, uint32_t count)
{
    int rows, cols;
    if (count < 3 || !to_int(&item[1], 1, SCREEN_SIDE_MAX, &cols) ||
        !to_int(&item[2], 1, SCREEN_SIDE_MAX, &rows))
        return 0;
    return resize(screen, rows, cols);
}

/* The ids of a frame lie far apart when colours rush by: a part comes with its first id. NULL when
 * out of memory. */
static struct screen_attr *attr_place(struct screen *screen, uint32_t id)
{
    size_t part = id / SCREEN_ATTRS_PART;
    if (part >= screen->attr_parts) {
        struct screen_attr **attrs = realloc(screen->attrs, (part + 1) * sizeof(*attrs));
        if (!attrs)
            return NULL;
        screen->attrs = attrs;
        while (screen->attr_parts <= part)
            attrs[screen->attr_parts++] = NULL;
    }
    if (!screen->attrs[part])
        screen->attrs[part] = calloc(SCREEN_ATTRS_PART, sizeof(**screen->attrs));
    return screen->attrs[part] ? &screen->attrs[part][id % SCREEN_ATTRS_PART] : NULL;
}

const struct screen_attr *screen_attr(const struct screen *screen, uint32_t id)
{
    static const struct screen_attr none;
    size_t part = id / SCREEN_ATTRS_PART;
    bool told = part < screen->attr_parts && screen->attrs[part];
    return told ? &screen->attrs[part][id % SCREEN_ATTRS_PART] : &none;
}

static int on_attr(struct screen *screen, const msgpack_object *item, uint32_t count)
{
    uint64_t id, fg, bg, flags, link = 0;
    if (count < 5 || !to_uint(&item[1], SCREEN_ATTRS_MAX - 1, &id) || id == 0 ||
        !to_uint(&item[2], UINT32_MAX, &fg) || !to_uint(&item[3], UINT32_MAX, &bg) ||
        !to_uint(&item[4], UINT16_MAX, &flags))
        return 0;
    if (count < 6 || !to_uint(&item[5], UINT32_MAX, &link))
        link = 0;
    struct screen_attr *attr = attr_place(screen, (uint32_t)id);
    if (!attr)
        return -ENOMEM;
    *attr = (struct screen_attr){(uint32_t)fg, (uint32_t)bg, (uint32_t)link, (uint16_t)flags};
    return 0;
}

static int on_link(struct screen *screen, const msgpack_object *item, uint32_t count)
{
    uint64_t id;
    if (count < 3 || !to_uint(&item[1], UINT32_MAX, &id) || id == 0 ||
        item[2].type != MSGPACK_OBJECT_STR)
        return 0;
    if (!screen->links) {
        screen->links = calloc(SCREEN_LINKS_MAX, sizeof(*screen->links));
        if (!screen->links)
            return -ENOMEM;
    }
    char url[SCREEN_URL_MAX];
    text_clean(url, sizeof(url), item[2].via.str.ptr, item[2].via.str.size);
    char *copy = strdup(url);
    if (!copy)
        return -ENOMEM;
    struct screen_url *link = &screen->links[id % SCREEN_LINKS_MAX];
    free(link->url);
    *link = (struct screen_url){(uint32_t)id, copy};
    return 0;
}

/* Drops the clusters that no cell shows; at most once in a frame, since it walks all cells. */
static void collect(struct screen *screen)
{
    uint32_t moved[SCREEN_CLUSTERS_MAX];
    bool used[SCREEN_CLUSTERS_MAX] = {false};
    screen->collected = true;
    for (int pass = 0; pass < 2; pass++) {
        for (int r = 0; r < screen->rows; r++)
            for (int c = 0; c < screen->cols; c++) {
                struct screen_cell *cell = &screen->row[r][c];
                if (!(cell->glyph & SCREEN_CLUSTER))
                    continue;
                if (pass == 0)
                    used[cell->glyph & ~SCREEN_CLUSTER] = true;
                else
                    cell->glyph = SCREEN_CLUSTER | moved[cell->glyph & ~SCREEN_CLUSTER];
            }
        uint32_t kept = 0;
        for (uint32_t i = 0; pass == 0 && i < screen->cluster_count; i++) {
            if (!used[i])
                continue;
            memmove(screen->clusters[kept], screen->clusters[i], SCREEN_CLUSTER_MAX);
            moved[i] = kept++;
        }
        if (pass == 0)
            screen->cluster_count = kept;
    }
}

/* A character with its marks: looked up, or kept as a new one. */
static uint32_t intern(struct screen *screen, const char *text, size_t size, uint32_t base)
{
    char key[SCREEN_CLUSTER_MAX] = {0};
    if (size >= SCREEN_CLUSTER_MAX)
        return base;
    memcpy(key, text, size);
    for (size_t i = 0; i < screen->cluster_count; i++)
        if (memcmp(screen->clusters[i], key, sizeof(key)) == 0)
            return SCREEN_CLUSTER | (uint32_t)i;
    if (screen->cluster_count == SCREEN_CLUSTERS_MAX && !screen->collected)
        collect(screen);
    if (screen->cluster_count == SCREEN_CLUSTERS_MAX)
        return base;
    if (!screen->clusters)
        screen->clusters = calloc(SCREEN_CLUSTERS_MAX, sizeof(*screen->clusters));
    if (!screen->clusters)
        return base;
    memcpy(screen->clusters[screen->cluster_count], key, sizeof(key));
    return SCREEN_CLUSTER | (uint32_t)screen->cluster_count++;
}

/* What a cell shows for a text from the monitor. An empty text is SCREEN_WIDE. */
static uint32_t glyph_of(struct screen *screen, const msgpack_object *text)
{
    if (text->type != MSGPACK_OBJECT_STR)
        return ' ';
    const char *bytes = text->via.str.ptr;
    uint32_t size = text->via.str.size;
    if (size == 0)
        return SCREEN_WIDE;
    if (size == 1)
        return bytes[0] >= ' ' && bytes[0] < 0x7f ? (uint32_t)(unsigned char)bytes[0] : ' ';
    char clean[SCREEN_CLUSTER_MAX * 2];
    text_clean(clean, sizeof(clean), bytes, size < 64 ? size : 64);
    const char *at = clean;
    uint32_t base = text_next(&at, NULL);
    if (base == 0)
        return ' ';
    /* Only marks may follow: a second character would push the rest of the row aside. */
    const char *end = at;
    while (*end) {
        const char *after = end;
        if (text_columns(text_next(&after, NULL)) != 0)
            break;
        end = after;
    }
    return end == at ? base : intern(screen, clean, (size_t)(end - clean), base);
}

/* A wide character whose second half is gone, or a second half alone, is a blank. */
static void mend(struct screen *screen, int row)
{
    struct screen_cell *cell = screen->row[row];
    for (int c = 0; c < screen->cols; c++)
        if (cell[c].glyph == SCREEN_WIDE && (c == 0 || cell[c - 1].glyph == SCREEN_WIDE))
            cell[c].glyph = ' ';
}

static int on_line(struct screen *screen, const msgpack_object *item, uint32_t count)
{
    int row, col;
    if (count < 4 || !to_int(&item[1], 0, screen->rows - 1, &row) ||
        !to_int(&item[2], 0, screen->cols - 1, &col) || item[3].type != MSGPACK_OBJECT_ARRAY)
        return 0;
    struct screen_cell *cell = screen->row[row];
    int from = col;
    uint64_t attr = 0;
    for (uint32_t i = 0; i < item[3].via.array.size && col < screen->cols; i++) {
        const msgpack_object *run = &item[3].via.array.ptr[i];
        if (run->type != MSGPACK_OBJECT_ARRAY || run->via.array.size == 0)
            continue;
        const msgpack_object *part = run->via.array.ptr;
        uint64_t repeat = 1;
        if (run->via.array.size > 1 && !to_uint(&part[1], SCREEN_ATTRS_MAX - 1, &attr))
            attr = 0;
        if (run->via.array.size > 2 && !to_uint(&part[2], SCREEN_SIDE_MAX, &repeat))
            repeat = 1;
        uint32_t glyph = glyph_of(screen, &part[0]);
        for (; repeat > 0 && col < screen->cols; repeat--, col++)
            cell[col] = (struct screen_cell){glyph, (uint32_t)attr};
    }
    mend(screen, row);
    touch_cells(screen, row, from, col);
    return 0;
}

/* Lines top..bottom-1 move up by `up` (down when negative); what comes in is blank. */
static int on_scroll(struct screen *screen, const msgpack_object *item, uint32_t count)
{
    int top, bottom, up;
    if (count < 4 || !to_int(&item[1], 0, screen->rows, &top) ||
        !to_int(&item[2], top, screen->rows, &bottom) ||
        !to_int(&item[3], -screen->rows, screen->rows, &up))
        return 0;
    int span = bottom - top;
    int amount = up < 0 ? -up : up;
    if (span == 0 || amount == 0)
        return 0;
    if (amount > span)
        amount = span;
    for (int i = 0; i < amount; i++) {
        /* Row by row: amounts are small, and pointers are all that moves. */
        int from = up > 0 ? top : bottom - 1;
        int to = up > 0 ? bottom - 1 : top;
        struct screen_cell *gone = screen->row[from];
        if (up > 0)
            memmove(&screen->row[top], &screen->row[top + 1], (size_t)(span - 1) * sizeof(gone));
        else
            memmove(&screen->row[top + 1], &screen->row[top], (size_t)(span - 1) * sizeof(gone));
        screen->row[to] = gone;
        for (int c = 0; c < screen->cols; c++)
            gone[c] = blank;
    }
    touch_rows(screen, top, bottom);
    return 0;
}

static int on_cursor(struct screen *screen, const msgpack_object *item, uint32_t count)
{
    int row, col, shape;
    if (count < 4 || !to_int(&item[1], 0, screen->rows - 1, &row) ||
        !to_int(&item[2], 0, screen->cols, &col))
        return 0;
    screen->cursor_row = row;
    screen->cursor_col = col < screen->cols ? col : screen->cols - 1;
    screen->cursor_visible = to_bool(&item[3]);
    if (count > 4 && to_int(&item[4], 1, 3, &shape))
        screen->cursor_shape = shape;
    if (count > 5)
        screen->cursor_blink = to_bool(&item[5]);
    return 0;
}

static int on_mode(struct screen *screen, const msgpack_object *item, uint32_t count)
{
    uint64_t bits;
    if (count >= 2 && to_uint(&item[1], UINT32_MAX, &bits))
        screen->modes = (uint32_t)bits;
    screen->heads++;
    return 0;
}

static int on_title(struct screen *screen, const msgpack_object *item, uint32_t count)
{
    if (count >= 2 && item[1].type == MSGPACK_OBJECT_STR)
        text_clean(screen->title, sizeof(screen->title), item[1].via.str.ptr, item[1].via.str.size);
    screen->heads++;
    return 0;
}

static int on_view(struct screen *screen, const msgpack_object *item, uint32_t count)
{
    uint64_t offset, lines;
    if (count >= 3 && to_uint(&item[1], UINT64_MAX, &offset) &&
        to_uint(&item[2], UINT64_MAX, &lines)) {
        /* Of the live screen nobody is told how many lines are above it. */
        screen->heads += offset != screen->view_offset || offset > 0;
        screen->view_lines = lines;
        screen->view_offset = offset < lines ? offset : lines;
    }
    return 0;
}

static int on_bell(struct screen *screen, const msgpack_object *item, uint32_t count)
{
    (void)item;
    (void)count;
    screen->bell = true;
    screen->heads++;
    return 0;
}

/* The events of a frame by name; each gets the whole event, name first. */
static const struct {
    const char *name;
    int (*apply)(struct screen *screen, const msgpack_object *item, uint32_t count);
} events[] = {
    {"line", on_line},     {"attr", on_attr}, {"cursor", on_cursor}, {"scroll", on_scroll},
    {"resize", on_resize}, {"link", on_link}, {"mode", on_mode},     {"title", on_title},
    {"view", on_view},     {"bell", on_bell},
};

int screen_redraw(struct screen *screen, const msgpack_object *frame, struct bj_error *error)
{
    if (!frame || frame->type != MSGPACK_OBJECT_ARRAY || frame->via.array.size < 2 ||
        frame->via.array.ptr[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        frame->via.array.ptr[1].type != MSGPACK_OBJECT_ARRAY)
        return bj_fail(error, -EPROTO, "the monitor sent a frame that is none");
    screen->collected = false;
    screen->frame = frame->via.array.ptr[0].via.u64;
    const msgpack_object_array *list = &frame->via.array.ptr[1].via.array;
    for (uint32_t i = 0; i < list->size; i++) {
        const msgpack_object *event = &list->ptr[i];
        if (event->type != MSGPACK_OBJECT_ARRAY || event->via.array.size == 0)
            continue;
        for (size_t e = 0; e < sizeof(events) / sizeof(events[0]); e++) {
            if (!bj_is_str(&event->via.array.ptr[0], events[e].name))
                continue;
            if (events[e].apply(screen, event->via.array.ptr, event->via.array.size) < 0)
                return bj_fail(error, -ENOMEM, "out of memory for a pane's screen");
            break;
        }
    }
    screen->drawn = true;
    return 0;
}

void screen_text(const struct screen *screen, const struct screen_cell *cell,
                 char out[SCREEN_CLUSTER_MAX])
{
    memset(out, 0, SCREEN_CLUSTER_MAX);
    if (cell->glyph & SCREEN_CLUSTER) {
        size_t index = cell->glyph & ~SCREEN_CLUSTER;
        if (index < screen->cluster_count)
            memcpy(out, screen->clusters[index], SCREEN_CLUSTER_MAX);
    } else if (cell->glyph != SCREEN_WIDE) {
        text_put(out, cell->glyph);
    }
}

int screen_line_above(const struct screen *screen, int below, char *out, size_t size)
{
    out[0] = '\0';
    for (int r = (below < screen->rows ? below : screen->rows) - 1; r >= 0; r--) {
        int end = screen->cols, start = 0;
        while (end > 0 && screen->row[r][end - 1].glyph == ' ')
            end--;
        while (start < end && screen->row[r][start].glyph == ' ')
            start++;
        size_t length = 0;
        for (int c = start; c < end; c++) {
            char text[SCREEN_CLUSTER_MAX];
            screen_text(screen, &screen->row[r][c], text);
            size_t bytes = strlen(text);
            if (length + bytes >= size)
                break;
            memcpy(out + length, text, bytes + 1);
            length += bytes;
        }
        if (length > 0)
            return r;
    }
    return -1;
}

const char *screen_link(const struct screen *screen, int row, int col)
{
    if (row < 0 || col < 0 || row >= screen->rows || col >= screen->cols)
        return NULL;
    uint32_t id = screen_attr(screen, screen->row[row][col].attr)->link;
    const struct screen_url *link = screen->links ? &screen->links[id % SCREEN_LINKS_MAX] : NULL;
    return id > 0 && link && link->id == id ? link->url : NULL;
}
