#include "mux/monitor/scrollback.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "mux/monitor/grid.h"

#define HOT_USUAL      64 /* rows kept as they are; more only while a resize brings them back */
#define BLOCK_LINES    256U
#define BLOCK_BYTES    (64U * 1024)
#define BLOCK_LOOKS    4096U
#define BYTES_PER_LINE 1024U
#define BYTES_MINIMUM  (1024U * 1024)
#define LINE_WIDE      0x80000000U
#define LINE_LENGTH    0x7fffffffU
#define PACK_LEVEL     1
#define UNPACKED_MAX   (1024U * 1024) /* bytes of closed blocks that wait to be packed */

struct scrollback_block {
    uint32_t lines, looks, raw_size, stored_size; /* stored_size 0: still open */
    uint32_t rows;                                /* at rows_cols columns */
    int rows_cols;
    bool packed;
    uint32_t lengths[BLOCK_LINES]; /* cells of each line, LINE_WIDE when a wide glyph is in it */
    uint8_t data[];                /* looks, then lines */
};

_Static_assert(offsetof(struct scrollback_block, data) % _Alignof(struct attribute) == 0,
               "looks are read where they lie");

void scrollback_init(struct scrollback *scrollback, size_t limit)
{
    *scrollback = (struct scrollback){.limit = limit};
    scrollback->bytes_limit = limit * BYTES_PER_LINE + BYTES_MINIMUM;
}

void scrollback_styles_changed(struct scrollback *scrollback)
{
    scrollback->line_block = NULL;
    /* The open block's table may stay: its looks are values; only the map by id is stale. */
    uint32_t count = scrollback->looks.count;
    line_looks_restart(&scrollback->looks);
    scrollback->looks.count = count;
}

static void forget_block(struct scrollback *scrollback, const struct scrollback_block *block)
{
    if (block->stored_size) {
        scrollback->stored -= sizeof(*block) + block->stored_size;
        scrollback->unpacked -= block->packed ? 0 : block->stored_size;
    }
    if (scrollback->line_block == block)
        scrollback->line_block = NULL;
    if (scrollback->cache_block == block)
        scrollback->cache_block = NULL;
}

/* Puts a closed block in the place of another. */
static void put_block(struct scrollback *scrollback, size_t index, struct scrollback_block *block)
{
    struct scrollback_block *before = scrollback->blocks[index];
    forget_block(scrollback, before);
    free(before);
    scrollback->blocks[index] = block;
    scrollback->stored += sizeof(*block) + block->stored_size;
    scrollback->unpacked += block->packed ? 0 : block->stored_size;
}

/* One for which there is no memory stays as it is. */
static void pack_block(struct scrollback *scrollback, size_t index)
{
    const struct scrollback_block *block = scrollback->blocks[index];
    if (block->packed || block->stored_size == 0)
        return;
    size_t bound = ZSTD_compressBound(block->raw_size);
    struct scrollback_block *packed = malloc(sizeof(*block) + bound);
    if (!scrollback->packer)
        scrollback->packer = ZSTD_createCCtx();
    size_t size = packed && scrollback->packer
                      ? ZSTD_compressCCtx(scrollback->packer, packed->data, bound, block->data,
                                          block->raw_size, PACK_LEVEL)
                      : 0;
    if (size == 0 || ZSTD_isError(size)) {
        free(packed);
        return;
    }
    memcpy(packed, block, sizeof(*block));
    packed->stored_size = (uint32_t)size;
    packed->packed = true;
    struct scrollback_block *fitted = realloc(packed, sizeof(*block) + size);
    put_block(scrollback, index, fitted ? fitted : packed);
}

void scrollback_trim(struct scrollback *scrollback)
{
    for (size_t i = 0; i < scrollback->blocks_count && scrollback->unpacked > 0; i++)
        pack_block(scrollback, i);
    ZSTD_freeCCtx(scrollback->packer);
    ZSTD_freeDCtx(scrollback->unpacker);
    scrollback->packer = scrollback->unpacker = NULL;
    bytes_free(&scrollback->cache);
    scrollback->cache_block = NULL;
    free(scrollback->line);
    scrollback->line = NULL;
    scrollback->line_block = NULL;
    for (; scrollback->spare_count > 2; scrollback->spare_count--)
        free(scrollback->spare[scrollback->spare_count - 1]);
}

void scrollback_forget_spares(struct scrollback *scrollback)
{
    for (; scrollback->spare_count > 0; scrollback->spare_count--)
        free(scrollback->spare[scrollback->spare_count - 1]);
}

void scrollback_clear(struct scrollback *scrollback)
{
    for (int i = 0; i < scrollback->hot_count; i++)
        free(scrollback->hot[(scrollback->hot_start + i) % SCROLLBACK_HOT_MAX]);
    scrollback->hot_count = 0;
    for (size_t i = 0; i < scrollback->blocks_count; i++)
        free(scrollback->blocks[i]);
    scrollback->blocks_count = 0;
    scrollback->lines = scrollback->stored = scrollback->unpacked = 0;
    scrollback->open.size = 0;
    line_looks_restart(&scrollback->looks);
    scrollback_trim(scrollback);
}

void scrollback_free(struct scrollback *scrollback)
{
    scrollback_clear(scrollback);
    scrollback_forget_spares(scrollback);
    free(scrollback->blocks);
    bytes_free(&scrollback->open);
    line_looks_free(&scrollback->looks);
    *scrollback = (struct scrollback){0};
}

static struct scrollback_block *open_block(struct scrollback *scrollback)
{
    if (scrollback->blocks_count > 0) {
        struct scrollback_block *last = scrollback->blocks[scrollback->blocks_count - 1];
        if (last->stored_size == 0)
            return last;
    }
    if (scrollback->blocks_count == scrollback->blocks_capacity) {
        size_t capacity = scrollback->blocks_capacity ? scrollback->blocks_capacity * 2 : 16;
        struct scrollback_block **blocks =
            realloc(scrollback->blocks, capacity * sizeof(struct scrollback_block *));
        if (!blocks)
            return NULL;
        scrollback->blocks = blocks;
        scrollback->blocks_capacity = capacity;
    }
    struct scrollback_block *block = calloc(1, sizeof(*block));
    if (!block)
        return NULL;
    scrollback->blocks[scrollback->blocks_count++] = block;
    scrollback->open.size = 0;
    line_looks_restart(&scrollback->looks);
    return block;
}

/* Ends the open block, so that the next line begins a new one. */
static int close_block(struct scrollback *scrollback)
{
    size_t index = scrollback->blocks_count - 1;
    struct scrollback_block *block = scrollback->blocks[index];
    size_t looks_size = scrollback->looks.count * sizeof(struct attribute);
    size_t raw_size = looks_size + scrollback->open.size;
    struct scrollback_block *closed = malloc(sizeof(*block) + raw_size);
    if (!closed)
        return -ENOMEM;
    memcpy(closed, block, sizeof(*block));
    closed->looks = scrollback->looks.count;
    closed->raw_size = closed->stored_size = (uint32_t)raw_size;
    if (looks_size > 0)
        memcpy(closed->data, scrollback->looks.items, looks_size);
    memcpy(closed->data + looks_size, scrollback->open.data, scrollback->open.size);
    put_block(scrollback, index, closed);
    /* Lines that rush by are mostly gone before anybody packs them. */
    if (scrollback->unpacked > UNPACKED_MAX || scrollback->stored > scrollback->bytes_limit / 2)
        pack_block(scrollback, index);
    return 0;
}

static void drop_block(struct scrollback *scrollback, size_t index)
{
    struct scrollback_block *block = scrollback->blocks[index];
    scrollback->lines -= block->lines;
    forget_block(scrollback, block);
    free(block);
    scrollback->blocks_count--;
    memmove(scrollback->blocks + index, scrollback->blocks + index + 1,
            (scrollback->blocks_count - index) * sizeof(struct scrollback_block *));
}

static void evict(struct scrollback *scrollback)
{
    while (scrollback->blocks_count > 0) {
        size_t total = scrollback->lines + (size_t)scrollback->hot_count;
        if (total - scrollback->blocks[0]->lines < scrollback->limit &&
            scrollback->stored <= scrollback->bytes_limit)
            return;
        drop_block(scrollback, 0);
    }
}

/* Encodes one logical line; it is lost when memory is short. */
static void store_line(struct scrollback *scrollback, const struct styles *styles,
                       const struct cell *cells, size_t count)
{
    struct scrollback_block *block = open_block(scrollback);
    bool wide;
    if (!block ||
        line_encode(&scrollback->open, &scrollback->looks, styles, cells, count, &wide) < 0)
        return;
    block->lengths[block->lines++] = (uint32_t)count | (wide ? LINE_WIDE : 0);
    block->rows_cols = 0;
    scrollback->lines++;
    if (scrollback->cache_block == block)
        scrollback->cache_block = NULL;
    if (block->lines == BLOCK_LINES || scrollback->open.size >= BLOCK_BYTES ||
        scrollback->looks.count >= BLOCK_LOOKS) {
        if (close_block(scrollback) < 0)
            drop_block(scrollback, scrollback->blocks_count - 1);
    }
}

static struct row *hot_at(const struct scrollback *scrollback, int index)
{
    return scrollback->hot[(scrollback->hot_start + index) % SCROLLBACK_HOT_MAX];
}

static void hot_drop(struct scrollback *scrollback, int count, int cols)
{
    for (int i = 0; i < count; i++) {
        struct row *row = hot_at(scrollback, i);
        if (scrollback->spare_count < HOT_USUAL / 2) {
            row_clear(row, cols, 0);
            scrollback->spare[scrollback->spare_count++] = row;
        } else {
            free(row);
        }
    }
    scrollback->hot_start = (scrollback->hot_start + count) % SCROLLBACK_HOT_MAX;
    scrollback->hot_count -= count;
}

/* Encodes the oldest logical line of the hot rows. */
static void encode_oldest(struct scrollback *scrollback, const struct styles *styles, int cols)
{
    int rows = 1;
    while (rows < scrollback->hot_count && hot_at(scrollback, rows - 1)->wrapped &&
           (size_t)(rows + 1) * (size_t)cols <= SCROLLBACK_LINE_MAX)
        rows++;
    if (rows == 1) {
        struct row *row = hot_at(scrollback, 0);
        store_line(scrollback, styles, row->cells, (size_t)row_length(row, cols));
    } else {
        struct cell *cells = malloc((size_t)rows * (size_t)cols * sizeof(*cells));
        size_t count = 0;
        for (int i = 0; cells && i < rows; i++) {
            const struct row *row = hot_at(scrollback, i);
            size_t length = (size_t)row_length(row, cols);
            memcpy(cells + count, row->cells, length * sizeof(*cells));
            count += length;
        }
        if (cells)
            store_line(scrollback, styles, cells, count);
        free(cells);
    }
    hot_drop(scrollback, rows, cols);
}

void scrollback_pack(struct scrollback *scrollback, const struct styles *styles, int cols)
{
    while (scrollback->hot_count > 0)
        encode_oldest(scrollback, styles, cols);
    evict(scrollback);
}

struct row *scrollback_push(struct scrollback *scrollback, const struct styles *styles,
                            struct row *row, int cols)
{
    if (scrollback->limit == 0) {
        row_clear(row, cols, 0);
        return row;
    }
    if (scrollback->hot_count >= HOT_USUAL) {
        while (scrollback->hot_count > HOT_USUAL / 2)
            encode_oldest(scrollback, styles, cols);
        evict(scrollback);
    }
    struct row *fresh =
        scrollback->spare_count > 0 ? scrollback->spare[--scrollback->spare_count] : row_new(cols);
    if (!fresh)
        return NULL;
    int at = (scrollback->hot_start + scrollback->hot_count) % SCROLLBACK_HOT_MAX;
    scrollback->hot[at] = row;
    scrollback->hot_count++;
    scrollback->pushed++;
    if ((size_t)scrollback->hot_count > scrollback->limit)
        hot_drop(scrollback, 1, cols);
    return fresh;
}

/* The raw bytes of a block, looks first. */
static const uint8_t *block_raw(struct scrollback *scrollback, const struct scrollback_block *block,
                                const struct attribute **looks, size_t *looks_count, size_t *size)
{
    if (block->stored_size == 0) {
        *looks = scrollback->looks.items;
        *looks_count = scrollback->looks.count;
        *size = scrollback->open.size;
        return scrollback->open.data;
    }
    size_t looks_size = block->looks * sizeof(struct attribute);
    *looks_count = block->looks;
    *size = block->raw_size - looks_size;
    if (!block->packed) {
        *looks = (const struct attribute *)(const void *)block->data;
        return block->data + looks_size;
    }
    if (scrollback->cache_block != block) {
        scrollback->cache.size = 0;
        scrollback->cache_block = NULL;
        if (!scrollback->unpacker)
            scrollback->unpacker = ZSTD_createDCtx();
        uint8_t *room = bytes_room(&scrollback->cache, block->raw_size);
        if (!room || !scrollback->unpacker ||
            ZSTD_decompressDCtx(scrollback->unpacker, room, block->raw_size, block->data,
                                block->stored_size) != block->raw_size)
            return NULL;
        scrollback->cache_block = block;
    }
    *looks = (const struct attribute *)(const void *)scrollback->cache.data;
    return scrollback->cache.data + looks_size;
}

/* Decodes line `index` of a block into scrollback->line. */
static int load_line(struct scrollback *scrollback, struct styles *styles,
                     const struct scrollback_block *block, uint32_t index)
{
    if (scrollback->line_block == block && scrollback->line_index == index)
        return 0;
    if (!scrollback->line)
        scrollback->line = malloc(SCROLLBACK_LINE_MAX * sizeof(*scrollback->line));
    const struct attribute *looks;
    size_t looks_count, size;
    const uint8_t *data = block_raw(scrollback, block, &looks, &looks_count, &size);
    if (!data || !scrollback->line)
        return -ENOMEM;
    for (uint32_t i = 0; i < index; i++) {
        size_t skip = line_skip(data, size);
        if (skip == 0)
            return -EPROTO;
        data += skip;
        size -= skip;
    }
    scrollback->line_count =
        line_decode(data, size, looks, looks_count, styles, scrollback->line, SCROLLBACK_LINE_MAX);
    scrollback->line_block = block;
    scrollback->line_index = index;
    return 0;
}

/* Where the row that begins at cell `start` ends; wide glyphs are not torn. */
static size_t row_end(const struct cell *cells, size_t count, size_t start, int cols)
{
    size_t end = start + (size_t)cols;
    if (end >= count)
        return count;
    return end - start > 1 && cells[end].glyph == GLYPH_TAIL ? end - 1 : end;
}

static uint32_t line_rows(struct scrollback *scrollback, struct styles *styles,
                          const struct scrollback_block *block, uint32_t index, int cols)
{
    uint32_t length = block->lengths[index] & LINE_LENGTH;
    if (length <= (uint32_t)cols)
        return 1;
    if (!(block->lengths[index] & LINE_WIDE) || load_line(scrollback, styles, block, index) < 0)
        return (length + (uint32_t)cols - 1) / (uint32_t)cols;
    uint32_t rows = 0;
    for (size_t at = 0; at < scrollback->line_count; rows++)
        at = row_end(scrollback->line, scrollback->line_count, at, cols);
    return rows;
}

static uint32_t block_rows(struct scrollback *scrollback, struct styles *styles,
                           struct scrollback_block *block, int cols)
{
    if (block->rows_cols != cols) {
        block->rows = 0;
        for (uint32_t i = 0; i < block->lines; i++)
            block->rows += line_rows(scrollback, styles, block, i, cols);
        block->rows_cols = cols;
    }
    return block->rows;
}

size_t scrollback_rows(struct scrollback *scrollback, struct styles *styles, int cols)
{
    size_t rows = (size_t)scrollback->hot_count;
    for (size_t i = 0; i < scrollback->blocks_count; i++)
        rows += block_rows(scrollback, styles, scrollback->blocks[i], cols);
    return rows;
}

static void get_encoded(struct scrollback *scrollback, struct styles *styles,
                        const struct scrollback_block *block, size_t row, int cols,
                        struct cell *out, bool *wrapped)
{
    uint32_t line = 0;
    for (; line < block->lines; line++) {
        uint32_t rows = line_rows(scrollback, styles, block, line, cols);
        if (row < rows)
            break;
        row -= rows;
    }
    if (line == block->lines || load_line(scrollback, styles, block, line) < 0)
        return;
    size_t start = 0, end = 0;
    for (size_t i = 0; i <= row; i++) {
        start = end;
        end = row_end(scrollback->line, scrollback->line_count, start, cols);
    }
    memcpy(out, scrollback->line + start, (end - start) * sizeof(*out));
    *wrapped = end < scrollback->line_count;
    if (*wrapped && end - start < (size_t)cols)
        out[cols - 1].glyph = GLYPH_PAD;
}

void scrollback_get(struct scrollback *scrollback, struct styles *styles, int cols, size_t index,
                    struct cell *out, bool *wrapped)
{
    memset(out, 0, (size_t)cols * sizeof(*out));
    *wrapped = false;
    for (size_t i = 0; i < scrollback->blocks_count; i++) {
        struct scrollback_block *block = scrollback->blocks[i];
        size_t rows = block_rows(scrollback, styles, block, cols);
        if (index < rows) {
            get_encoded(scrollback, styles, block, index, cols, out, wrapped);
            return;
        }
        index -= rows;
    }
    if (index < (size_t)scrollback->hot_count) {
        const struct row *row = hot_at(scrollback, (int)index);
        memcpy(out, row->cells, (size_t)cols * sizeof(*out));
        *wrapped = row->wrapped;
    }
}

int scrollback_take_hot(struct scrollback *scrollback, struct row *rows[SCROLLBACK_HOT_MAX])
{
    int count = scrollback->hot_count;
    for (int i = 0; i < count; i++)
        rows[i] = hot_at(scrollback, i);
    scrollback->hot_count = 0;
    return count;
}

/* Puts the decoded line in front of the hot rows. Returns false when it does not fit. */
static bool line_to_hot(struct scrollback *scrollback, int cols)
{
    struct row *rows[SCROLLBACK_HOT_MAX];
    int count = 0;
    size_t at = 0;
    do {
        size_t end = row_end(scrollback->line, scrollback->line_count, at, cols);
        if (scrollback->hot_count + count == SCROLLBACK_HOT_MAX || !(rows[count] = row_new(cols))) {
            while (count > 0)
                free(rows[--count]);
            return false;
        }
        struct row *row = rows[count++];
        memcpy(row->cells, scrollback->line + at, (end - at) * sizeof(struct cell));
        row->used = (uint16_t)(end - at);
        row->wrapped = end < scrollback->line_count;
        if (row->wrapped && end - at < (size_t)cols) {
            row->cells[cols - 1].glyph = GLYPH_PAD;
            row->used = (uint16_t)cols;
        }
        at = end;
    } while (at < scrollback->line_count);
    for (int i = count - 1; i >= 0; i--) {
        scrollback->hot_start =
            (scrollback->hot_start + SCROLLBACK_HOT_MAX - 1) % SCROLLBACK_HOT_MAX;
        scrollback->hot[scrollback->hot_start] = rows[i];
        scrollback->hot_count++;
    }
    return true;
}

/* Takes the last line out of the last block, which becomes the open one. */
static bool unpack_line(struct scrollback *scrollback, struct styles *styles, int cols)
{
    size_t last = scrollback->blocks_count - 1;
    struct scrollback_block *block = scrollback->blocks[last];
    const struct attribute *looks;
    size_t looks_count, size;
    const uint8_t *data = block_raw(scrollback, block, &looks, &looks_count, &size);
    if (!data || load_line(scrollback, styles, block, block->lines - 1) < 0 ||
        !line_to_hot(scrollback, cols))
        return false;
    scrollback->line_block = NULL;
    if (block->lines == 1) {
        drop_block(scrollback, last);
        return true;
    }
    size_t end = 0;
    for (uint32_t i = 0; i + 1 < block->lines; i++)
        end += line_skip(data + end, size - end);
    if (block->stored_size) {
        struct attribute *items = malloc((looks_count ? looks_count : 1) * sizeof(*items));
        struct bytes open = {0};
        bytes_add(&open, data, end);
        if (!items || open.failed) { /* the line stays in both places; better twice than lost */
            free(items);
            bytes_free(&open);
            return true;
        }
        memcpy(items, looks, looks_count * sizeof(*items));
        line_looks_restart(&scrollback->looks);
        free(scrollback->looks.items);
        scrollback->looks.items = items;
        scrollback->looks.count = scrollback->looks.capacity = (uint32_t)looks_count;
        bytes_free(&scrollback->open);
        scrollback->open = open;
        forget_block(scrollback, block);
        block->stored_size = 0;
        block->packed = false;
    }
    scrollback->open.size = end;
    block->lines--;
    block->rows_cols = 0;
    scrollback->lines--;
    return true;
}

void scrollback_unpack(struct scrollback *scrollback, struct styles *styles, int cols, int want)
{
    if (want > SCROLLBACK_HOT_MAX)
        want = SCROLLBACK_HOT_MAX;
    while (scrollback->hot_count < want && scrollback->blocks_count > 0)
        if (!unpack_line(scrollback, styles, cols))
            return;
}
