#include "mux/monitor/view_frame.h"

#include <stdlib.h>
#include <string.h>

#include "mux/monitor/capture.h"
#include "mux/monitor/monitor.h"
#include "transport/pack.h"
#include "transport/utf8.h"

#define FRAME_BYTES (2U * 1024 * 1024) /* rows that go beyond wait for the next frame */

struct frame {
    struct view_client *client;
    struct terminal *terminal;
    msgpack_sbuffer lines; /* events that use attributes */
    msgpack_sbuffer head;  /* events that come before them */
    msgpack_packer line_packer, head_packer;
    bool failed; /* something was not packed: memory is short */
    uint32_t line_events, head_events;
};

void view_frame_forget(struct view_client *client)
{
    client->rows = client->cols = 0;
    client->told.known = false;
}

void view_frame_follow(struct view_client *client)
{
    struct terminal *terminal = client->monitor->terminal;
    if (client->offset > 0) {
        client->offset += terminal->scrollback.pushed - client->pushed;
        size_t history = terminal_history(terminal);
        if (client->offset > history) {
            client->offset = history;
            client->view_stale = true;
        }
    }
    client->pushed = terminal->scrollback.pushed;
}

bool view_frame_due(struct view_client *client)
{
    const struct terminal *terminal = client->monitor->terminal;
    const struct grid *grid = terminal->grid;
    if (client->rows != terminal->rows || client->cols != terminal->cols || client->view_stale ||
        client->grid != grid || grid->all > client->seen || !client->told.known ||
        client->told.row != terminal->row || client->told.col != terminal->col ||
        client->told.modes != terminal->modes || client->told.bells != terminal->bells ||
        client->told.shape != terminal->cursor_shape || client->told.offset != client->offset ||
        client->looks_generation != terminal->styles.attributes.generation ||
        strcmp(client->title, terminal->title) != 0)
        return true;
    for (int row = 0; row < grid->rows; row++)
        if (grid->stamps[row] > client->seen)
            return true;
    return false;
}

static void pack_look(struct frame *frame, uint16_t id)
{
    struct view_client *client = frame->client;
    if (id == 0 || (client->looks[id / 32] >> (id % 32) & 1))
        return;
    client->looks[id / 32] |= 1U << (id % 32);
    const struct attribute *look = attributes_get(&frame->terminal->styles.attributes, id);
    const char *url = hyperlinks_get(&frame->terminal->styles.links, look->link);
    msgpack_packer *packer = &frame->head_packer;
    if (url) {
        msgpack_pack_array(packer, 3);
        bj_pack_str(packer, "link");
        msgpack_pack_uint32(packer, look->link);
        bj_pack_str(packer, url);
        frame->head_events++;
    }
    msgpack_pack_array(packer, 6);
    bj_pack_str(packer, "attr");
    msgpack_pack_uint32(packer, id);
    msgpack_pack_uint32(packer, look->fg);
    msgpack_pack_uint32(packer, look->bg);
    msgpack_pack_uint32(packer, look->flags & ~ATTRIBUTE_MARKS);
    msgpack_pack_uint32(packer, url ? look->link : 0);
    frame->head_events++;
}

static void pack_text(struct frame *frame, uint32_t glyph)
{
    msgpack_packer *packer = &frame->line_packer;
    if (glyph == 0 || glyph == GLYPH_PAD) {
        bj_pack_strn(packer, " ", 1);
    } else if (glyph == GLYPH_TAIL) {
        bj_pack_strn(packer, "", 0);
    } else {
        uint32_t points[CLUSTER_POINTS_MAX];
        uint8_t text[4 * CLUSTER_POINTS_MAX];
        size_t size = 0;
        uint32_t count = clusters_points(&frame->terminal->styles.clusters, glyph, points);
        for (uint32_t i = 0; i < count; i++)
            size += utf8_encode(text + size, points[i]);
        bj_pack_strn(packer, (const char *)text, size);
    }
}

static int run_length(const struct cell *cells, int col, int end)
{
    int run = 1;
    if (cells[col].glyph & (GLYPH_WIDE | GLYPH_TAIL))
        return 1;
    while (col + run < end && cell_equal(&cells[col + run], &cells[col]))
        run++;
    return run;
}

static void pack_cells(struct frame *frame, int row, const struct cell *cells, int start, int end)
{
    msgpack_packer *packer = &frame->line_packer;
    uint32_t items = 0;
    for (int col = start; col < end; col += run_length(cells, col, end))
        items++;
    msgpack_pack_array(packer, 4);
    bj_pack_str(packer, "line");
    msgpack_pack_int(packer, row);
    msgpack_pack_int(packer, start);
    msgpack_pack_array(packer, items);
    int attr = -1;
    for (int col = start; col < end;) {
        int run = run_length(cells, col, end);
        bool same = cells[col].attr == attr;
        pack_look(frame, cells[col].attr);
        msgpack_pack_array(packer, run > 1 ? 3 : same ? 1 : 2);
        pack_text(frame, cells[col].glyph);
        if (run > 1 || !same)
            msgpack_pack_int(packer, cells[col].attr);
        if (run > 1)
            msgpack_pack_int(packer, run);
        attr = cells[col].attr;
        col += run;
    }
    frame->line_events++;
}

/* Compares one row with the client's copy and packs what differs. */
static void compare_row(struct frame *frame, int row, const struct cell *cells)
{
    struct view_client *client = frame->client;
    int cols = client->cols, start = 0, end = cols;
    struct cell *shadow = client->shadow + (size_t)row * (size_t)cols;
    while (start < end && cell_equal(&cells[start], &shadow[start]))
        start++;
    if (start == end)
        return;
    while (cell_equal(&cells[end - 1], &shadow[end - 1]))
        end--;
    if (start > 0 && cells[start].glyph == GLYPH_TAIL)
        start--;
    if (end < cols && cells[end].glyph == GLYPH_TAIL)
        end++;
    pack_cells(frame, row, cells, start, end);
    memcpy(shadow + start, cells + start, (size_t)(end - start) * sizeof(*cells));
}

/* Whole screens that moved up are told as one event; the rows are then compared as always. */
static void hint_scroll(struct frame *frame)
{
    struct view_client *client = frame->client;
    uint64_t moved = frame->terminal->scrolled_up - client->scrolled_up;
    client->scrolled_up = frame->terminal->scrolled_up;
    if (moved == 0 || moved >= (uint64_t)client->rows || client->offset > 0 ||
        client->grid != frame->terminal->grid)
        return;
    size_t cols = (size_t)client->cols, kept = (size_t)client->rows - (size_t)moved;
    msgpack_packer *packer = &frame->head_packer;
    msgpack_pack_array(packer, 4);
    bj_pack_str(packer, "scroll");
    msgpack_pack_int(packer, 0);
    msgpack_pack_int(packer, client->rows);
    msgpack_pack_int(packer, (int)moved);
    frame->head_events++;
    memmove(client->shadow, client->shadow + (size_t)moved * cols,
            kept * cols * sizeof(*client->shadow));
    memset(client->shadow + kept * cols, 0, (size_t)moved * cols * sizeof(*client->shadow));
}

/* The copy of an empty screen of the right size, told by a resize. */
static int begin_again(struct frame *frame)
{
    struct view_client *client = frame->client;
    struct terminal *terminal = frame->terminal;
    bool ids = client->looks_generation != terminal->styles.attributes.generation;
    if (!ids && client->rows == terminal->rows && client->cols == terminal->cols)
        return 0;
    if (!client->looks)
        client->looks = malloc(ATTRIBUTES_MAX / 8);
    free(client->shadow);
    client->shadow =
        calloc((size_t)terminal->rows * (size_t)terminal->cols, sizeof(*client->shadow));
    if (!client->shadow || !client->looks)
        return -1;
    memset(client->looks, 0, ATTRIBUTES_MAX / 8);
    client->looks_generation = terminal->styles.attributes.generation;
    client->rows = terminal->rows;
    client->cols = terminal->cols;
    client->seen = 0;
    client->scrolled_up = terminal->scrolled_up;
    msgpack_pack_array(&frame->head_packer, 3);
    bj_pack_str(&frame->head_packer, "resize");
    msgpack_pack_int(&frame->head_packer, client->cols);
    msgpack_pack_int(&frame->head_packer, client->rows);
    frame->head_events++;
    return 0;
}

static void compare_scrolled(struct frame *frame)
{
    struct view_client *client = frame->client;
    struct terminal *terminal = frame->terminal;
    size_t history = terminal_history(terminal);
    struct cell *cells = malloc((size_t)client->cols * sizeof(*cells));
    for (int row = 0; cells && row < client->rows; row++) {
        if ((size_t)row >= client->offset) {
            compare_row(frame, row, grid_row(terminal->grid, row - (int)client->offset)->cells);
            continue;
        }
        bool wrapped;
        scrollback_get(&terminal->scrollback, &terminal->styles, client->cols,
                       history - client->offset + (size_t)row, cells, &wrapped);
        compare_row(frame, row, cells);
    }
    free(cells);
}

static void compare_rows(struct frame *frame)
{
    struct view_client *client = frame->client;
    const struct grid *grid = frame->terminal->grid;
    bool all = client->grid != grid || client->view_stale;
    bool whole = true;
    client->grid = grid;
    if (client->offset > 0) {
        compare_scrolled(frame);
        client->view_stale = false;
        client->seen = grid->now;
        return;
    }
    for (int row = 0; row < client->rows; row++) {
        if (!all && grid_stamp(grid, row) <= client->seen)
            continue;
        if (frame->lines.size > FRAME_BYTES) {
            whole = false;
            break;
        }
        compare_row(frame, row, grid_row(grid, row)->cells);
    }
    client->view_stale = !whole && all;
    if (whole)
        client->seen = grid->now;
}

static void pack_cursor(struct frame *frame)
{
    struct view_client *client = frame->client;
    struct terminal *terminal = frame->terminal;
    msgpack_packer *packer = &frame->line_packer;
    size_t row = (size_t)terminal->row + client->offset;
    bool visible = (terminal->modes & TERMINAL_CURSOR_VISIBLE) && row < (size_t)terminal->rows;
    bool blink = (terminal->modes & TERMINAL_CURSOR_BLINK) != 0;
    msgpack_pack_array(packer, 6);
    bj_pack_str(packer, "cursor");
    msgpack_pack_int(packer, visible ? (int)row : terminal->row);
    msgpack_pack_int(packer, terminal->col);
    if (visible)
        msgpack_pack_true(packer);
    else
        msgpack_pack_false(packer);
    msgpack_pack_int(packer, terminal->cursor_shape);
    if (blink)
        msgpack_pack_true(packer);
    else
        msgpack_pack_false(packer);
    frame->line_events++;
    client->told.row = terminal->row;
    client->told.col = terminal->col;
    client->told.shape = terminal->cursor_shape;
}

static void pack_state(struct frame *frame)
{
    struct view_client *client = frame->client;
    struct terminal *terminal = frame->terminal;
    msgpack_packer *packer = &frame->line_packer;
    bool all = !client->told.known;
    if (all || client->told.modes != terminal->modes) {
        msgpack_pack_array(packer, 2);
        bj_pack_str(packer, "mode");
        msgpack_pack_uint32(packer, terminal_mode_bits(terminal));
        frame->line_events++;
        client->told.modes = terminal->modes;
    }
    if (all || strcmp(client->title, terminal->title) != 0) {
        msgpack_pack_array(packer, 2);
        bj_pack_str(packer, "title");
        bj_pack_str(packer, terminal->title);
        frame->line_events++;
        memcpy(client->title, terminal->title, sizeof(client->title));
    }
    size_t history = terminal_history(terminal);
    if (all || client->told.offset != client->offset || client->told.history != history) {
        msgpack_pack_array(packer, 3);
        bj_pack_str(packer, "view");
        msgpack_pack_uint64(packer, client->offset);
        msgpack_pack_uint64(packer, history);
        frame->line_events++;
        client->told.offset = client->offset;
        client->told.history = history;
    }
    if (!all && client->told.bells != terminal->bells) {
        msgpack_pack_array(packer, 1);
        bj_pack_str(packer, "bell");
        frame->line_events++;
    }
    client->told.bells = terminal->bells;
    client->told.known = true;
    pack_cursor(frame);
}

static void send_packed(const struct frame *frame)
{
    struct view_client *client = frame->client;
    msgpack_packer *packer = bj_rpc_notify(&client->rpc, "redraw");
    msgpack_pack_array(packer, 2);
    msgpack_pack_uint64(packer, ++client->frame);
    msgpack_pack_array(packer, frame->head_events + frame->line_events);
    packer->callback(packer->data, frame->head.data, frame->head.size);
    packer->callback(packer->data, frame->lines.data, frame->lines.size);
    bj_rpc_send(&client->rpc);
}

static int write_to(struct frame *frame, msgpack_sbuffer *part, const char *bytes, size_t size)
{
    frame->failed |= msgpack_sbuffer_write(part, bytes, size) < 0;
    return frame->failed ? -1 : 0;
}

static int write_line(void *data, const char *bytes, size_t size)
{
    struct frame *frame = data;
    return write_to(frame, &frame->lines, bytes, size);
}

static int write_head(void *data, const char *bytes, size_t size)
{
    struct frame *frame = data;
    return write_to(frame, &frame->head, bytes, size);
}

void view_frame_send(struct view_client *client)
{
    struct frame frame = {.client = client, .terminal = client->monitor->terminal};
    msgpack_sbuffer_init(&frame.lines);
    msgpack_sbuffer_init(&frame.head);
    msgpack_packer_init(&frame.line_packer, &frame, write_line);
    msgpack_packer_init(&frame.head_packer, &frame, write_head);
    if (begin_again(&frame) == 0) {
        hint_scroll(&frame);
        uint32_t generation = client->looks_generation;
        compare_rows(&frame);
        pack_state(&frame);
        /* Scrolled rows may have needed new ids; when that swept the old ones, start over. */
        if (generation != frame.terminal->styles.attributes.generation)
            view_frame_forget(client);
    } else {
        frame.failed = true;
    }
    if (frame.failed)
        bj_rpc_close(&client->rpc);
    else
        send_packed(&frame);
    msgpack_sbuffer_destroy(&frame.lines);
    msgpack_sbuffer_destroy(&frame.head);
}
