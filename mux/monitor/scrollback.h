/*
 * The lines that left the top of the screen.
 *
 * The newest rows stay as they came, by pointer ("hot"). Older ones are joined to logical lines,
 * encoded (line_codec.h) in blocks, and packed with zstd when the terminal is idle or too many wait
 * for it; the width of the screen does not matter to them, so a change of width recounts rows but
 * rewrites nothing. Rows are numbered at the current width, 0 is the oldest. Bounded in lines and
 * bytes; the oldest block goes first.
 *
 * Owned by the terminal, which passes its styles and width to every call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mux/monitor/cell.h"
#include "mux/monitor/line_codec.h"
#include "mux/monitor/styles.h"

#define SCROLLBACK_HOT_MAX  128
#define SCROLLBACK_LINE_MAX 16384U /* cells of one logical line; longer ones are cut in two */

struct scrollback_block;

struct scrollback {
    size_t limit;       /* lines; 0 keeps nothing */
    size_t bytes_limit; /* of encoded blocks */

    struct row *hot[SCROLLBACK_HOT_MAX]; /* ring, oldest at hot_start */
    int hot_start, hot_count;
    struct row *spare[SCROLLBACK_HOT_MAX]; /* blank rows to hand out again */
    int spare_count;

    struct scrollback_block **blocks; /* oldest first; the last one is still open */
    size_t blocks_count, blocks_capacity;
    size_t lines;    /* encoded */
    size_t stored;   /* bytes in blocks */
    size_t unpacked; /* of them in blocks that wait to be packed */
    struct bytes open;
    struct line_looks looks;

    struct bytes cache; /* raw bytes of cache_block */
    const struct scrollback_block *cache_block;
    struct cell *line; /* cells of the last decoded line */
    size_t line_count;
    const struct scrollback_block *line_block;
    uint32_t line_index;

    void *packer, *unpacker; /* zstd contexts, made when needed */
    uint64_t pushed;         /* rows pushed so far, for views that stay on their lines */
};

void scrollback_init(struct scrollback *scrollback, size_t limit);
void scrollback_free(struct scrollback *scrollback);
void scrollback_clear(struct scrollback *scrollback);

/* Packs what waits for it, and gives back memory that only speeds things up. Call it when the
 * terminal is idle. */
void scrollback_trim(struct scrollback *scrollback);

/*
 * Takes over a row that left the screen and returns a blank one in exchange. NULL when memory is
 * short: then the row still belongs to the caller.
 */
struct row *scrollback_push(struct scrollback *scrollback, const struct styles *styles,
                            struct row *row, int cols);

/* Rows at this width. */
size_t scrollback_rows(struct scrollback *scrollback, struct styles *styles, int cols);

/* Fills `out` with row `index` (blank when there is none). *wrapped: the line goes on. */
void scrollback_get(struct scrollback *scrollback, struct styles *styles, int cols, size_t index,
                    struct cell *out, bool *wrapped);

/* Brings encoded lines back as hot rows until there are `want` of them, or none is left. */
void scrollback_unpack(struct scrollback *scrollback, struct styles *styles, int cols, int want);

/* Hands out all hot rows, oldest first, to be arranged anew. Returns their number. */
int scrollback_take_hot(struct scrollback *scrollback, struct row *rows[SCROLLBACK_HOT_MAX]);

/* The width changed: spare rows have the wrong length now. Call it with no hot rows. */
void scrollback_forget_spares(struct scrollback *scrollback);

/* Encodes all hot rows, so that they use no ids any more. */
void scrollback_pack(struct scrollback *scrollback, const struct styles *styles, int cols);

/* Attribute ids have new meanings: hot rows were rewritten, what was remembered by id is not. */
void scrollback_styles_changed(struct scrollback *scrollback);
