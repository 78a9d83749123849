/*
 * A pane's screen as its monitor describes it: the `redraw` events of transport/api.c, applied.
 *
 * The monitor parses what the agent prints and may have been taken over by it, so nothing in an
 * event is believed: every index is checked, what does not fit is left out, texts are cleaned, and
 * the memory is bounded by the limits below. A screen holds no pointers into events. Attribute and
 * link ids are valid for one connection: call screen_forget_ids() when a new one begins; the cells
 * stay as they were until the first frame.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <msgpack.h>

#include "transport/error.h"

#define SCREEN_CELLS_MAX    (1 << 20)
#define SCREEN_SIDE_MAX     10000
#define SCREEN_ATTRS_MAX    (1 << 18) /* ids from 0; one beyond is the default attribute */
#define SCREEN_ATTRS_PART   256
#define SCREEN_LINKS_MAX    4096
#define SCREEN_URL_MAX      1024
#define SCREEN_CLUSTERS_MAX 1024 /* distinct characters with marks; more lose their marks */
#define SCREEN_CLUSTER_MAX  16   /* bytes of one, with the final NUL */
#define SCREEN_TITLE_MAX    256

#define SCREEN_CLUSTER 0x80000000U /* | index into the clusters */
#define SCREEN_WIDE    0U          /* glyph of the cell behind a wide character */

struct screen_cell {
    uint32_t glyph; /* a character, SCREEN_WIDE, or SCREEN_CLUSTER | index */
    uint32_t attr;  /* for screen_attr() */
};

struct screen_attr {
    uint32_t fg, bg; /* BJ_COLOR_* */
    uint32_t link;   /* 0: none */
    uint16_t flags;  /* BJ_ATTR_* */
};

/* Cells [from, to) of a row; none when `to` is 0. */
struct screen_span {
    int from, to;
};

struct screen_url {
    uint32_t id; /* 0: none */
    char *url;
};

struct screen {
    int rows, cols;
    struct screen_cell **row;  /* rows of cols cells */
    struct screen_span *dirty; /* by row: what changed since the view painted it */
    bool drawn;                /* a frame has come since the start */

    struct screen_attr **attrs; /* parts of SCREEN_ATTRS_PART ids; NULL: none of them was told */
    size_t attr_parts;
    struct screen_url *links; /* the newest: id at id % SCREEN_LINKS_MAX; NULL before the first */
    char (*clusters)[SCREEN_CLUSTER_MAX];
    size_t cluster_count;
    bool collected; /* unused clusters were looked for in this frame */

    int cursor_row, cursor_col; /* always inside */
    bool cursor_visible, cursor_blink;
    int cursor_shape; /* 1 block, 2 underline, 3 bar */
    uint32_t modes;   /* BJ_MODE_* */
    char title[SCREEN_TITLE_MAX];
    uint64_t view_offset, view_lines; /* lines above the live screen; lines there are */
    bool bell;                        /* rang since the view looked */
    uint64_t heads;                   /* changes of what is shown beside the cells */
    uint64_t frame;                   /* number of the last one */
};

void screen_init(struct screen *screen);
void screen_free(struct screen *screen);

/* Another connection: its ids are not the last one's. The cells become plain. */
void screen_forget_ids(struct screen *screen);

/* Applies [number, [event...]]. -EPROTO when it is not of that form (nothing changed), -ENOMEM.
 * Single events that make no sense are left out. */
int screen_redraw(struct screen *screen, const msgpack_object *frame, struct bj_error *error);

/* What a cell looks like; of an id that the monitor has not told, the default. */
const struct screen_attr *screen_attr(const struct screen *screen, uint32_t id);

/* The cell's text as UTF-8: at most SCREEN_CLUSTER_MAX bytes with the NUL; "" behind a wide one. */
void screen_text(const struct screen *screen, const struct screen_cell *cell,
                 char out[SCREEN_CLUSTER_MAX]);

/* The text of the last row above `below` that is not blank, trimmed, in at most `size` bytes.
 * Returns that row, or -1 and "" when all are blank. */
int screen_line_above(const struct screen *screen, int below, char *out, size_t size);

/* The address behind a cell, or NULL. */
const char *screen_link(const struct screen *screen, int row, int col);

void screen_touch(struct screen *screen); /* all rows are to be painted */
