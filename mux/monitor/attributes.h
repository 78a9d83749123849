/*
 * The looks of cells, interned: each distinct combination has one id below ATTRIBUTES_MAX.
 *
 * The table is bounded. When it is full, attributes_intern returns ATTRIBUTE_FULL; the owner then
 * marks what is still in use and calls attributes_sweep, which frees the other ids for new meanings
 * and moves `generation` on, so that whoever remembers ids by meaning starts over.
 * Id 0 is the default attribute and always there. Owned by the terminal.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ATTRIBUTES_MAX 32768U
#define ATTRIBUTE_FULL 0xffffU

/* Colours and flags are encoded as in transport/api.h (BJ_COLOR_*, BJ_ATTR_*). */
/* Flags that are no looks but marks of a place: they go with the cell through scrolling, reflow and
 * the scrollback, and are told to nobody as a look. */
#define ATTRIBUTE_PROMPT  (1U << 24)
#define ATTRIBUTE_REQUEST (1U << 25)
#define ATTRIBUTE_MARKS   (ATTRIBUTE_PROMPT | ATTRIBUTE_REQUEST)

struct attribute {
    uint32_t fg, bg;
    uint32_t link; /* id of the struct hyperlinks, 0 none */
    uint32_t flags;
};

struct attributes {
    struct attribute *items;
    uint32_t count, capacity;
    uint16_t *slots; /* open addressing; 0 is empty, else id */
    uint32_t slots_size;
    uint32_t *free_ids; /* bitmap of ids below count that may be used again, or NULL */
    uint32_t free_count, free_next;
    uint32_t generation;
};

int attributes_init(struct attributes *attributes); /* 0 or -ENOMEM */
void attributes_free(struct attributes *attributes);

/* The id of an equal attribute, new or not; ATTRIBUTE_FULL when no id or memory is left. */
uint16_t attributes_intern(struct attributes *attributes, const struct attribute *attribute);

/* Never NULL: an id that is out of range gives the default attribute. */
const struct attribute *attributes_get(const struct attributes *attributes, uint16_t id);

/* `used` has one bit per id. */
void attributes_sweep(struct attributes *attributes, const uint32_t *used);

/* Words of a bitmap with one bit per id. */
static inline size_t attributes_bitmap_words(void)
{
    return ATTRIBUTES_MAX / 32;
}
