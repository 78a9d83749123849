#include "mux/monitor/attributes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64U

static uint32_t hash_of(const struct attribute *a)
{
    uint64_t h = a->fg * 0x9e3779b97f4a7c15ULL;
    h = (h ^ a->bg ^ (h >> 29)) * 0xbf58476d1ce4e5b9ULL;
    h = (h ^ a->flags ^ ((uint64_t)a->link << 32) ^ (h >> 32)) * 0x94d049bb133111ebULL;
    return (uint32_t)(h >> 32);
}

static void slot_put(struct attributes *attributes, uint16_t id)
{
    uint32_t mask = attributes->slots_size - 1;
    uint32_t at = hash_of(&attributes->items[id]) & mask;
    while (attributes->slots[at])
        at = (at + 1) & mask;
    attributes->slots[at] = id;
}

static int is_free(const struct attributes *attributes, uint32_t id)
{
    return attributes->free_ids && (attributes->free_ids[id / 32] >> (id % 32) & 1);
}

static void slots_fill(struct attributes *attributes)
{
    memset(attributes->slots, 0, attributes->slots_size * sizeof(*attributes->slots));
    for (uint32_t id = 1; id < attributes->count; id++)
        if (!is_free(attributes, id))
            slot_put(attributes, (uint16_t)id);
}

int attributes_init(struct attributes *attributes)
{
    *attributes = (struct attributes){.count = 1, .capacity = FIRST_CAPACITY};
    attributes->slots_size = FIRST_CAPACITY * 2;
    attributes->items = calloc(FIRST_CAPACITY, sizeof(*attributes->items));
    attributes->slots = calloc(attributes->slots_size, sizeof(*attributes->slots));
    if (attributes->items && attributes->slots)
        return 0;
    attributes_free(attributes);
    return -ENOMEM;
}

void attributes_free(struct attributes *attributes)
{
    free(attributes->items);
    free(attributes->slots);
    free(attributes->free_ids);
    *attributes = (struct attributes){0};
}

static int grow(struct attributes *attributes)
{
    if (attributes->capacity >= ATTRIBUTES_MAX)
        return -ENOSPC;
    uint32_t capacity = attributes->capacity * 2;
    struct attribute *items = realloc(attributes->items, capacity * sizeof(*items));
    if (!items)
        return -ENOMEM;
    attributes->items = items;
    uint16_t *slots = malloc(capacity * 2 * sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    free(attributes->slots);
    attributes->slots = slots;
    attributes->slots_size = capacity * 2;
    attributes->capacity = capacity;
    slots_fill(attributes);
    return 0;
}

static uint32_t take_free(struct attributes *attributes)
{
    while (attributes->free_next < attributes->count) {
        uint32_t id = attributes->free_next++;
        if (is_free(attributes, id)) {
            attributes->free_ids[id / 32] &= ~(1U << (id % 32));
            attributes->free_count--;
            return id;
        }
    }
    return 0;
}

uint16_t attributes_intern(struct attributes *attributes, const struct attribute *attribute)
{
    static const struct attribute none;
    if (memcmp(attribute, &none, sizeof(none)) == 0)
        return 0;
    uint32_t mask = attributes->slots_size - 1;
    for (uint32_t at = hash_of(attribute) & mask; attributes->slots[at]; at = (at + 1) & mask) {
        uint16_t id = attributes->slots[at];
        if (memcmp(&attributes->items[id], attribute, sizeof(*attribute)) == 0)
            return id;
    }

    uint32_t id = attributes->free_count ? take_free(attributes) : 0;
    if (id == 0) {
        if (attributes->count == attributes->capacity && grow(attributes) < 0)
            return ATTRIBUTE_FULL;
        id = attributes->count++;
    }
    attributes->items[id] = *attribute;
    slot_put(attributes, (uint16_t)id);
    return (uint16_t)id;
}

const struct attribute *attributes_get(const struct attributes *attributes, uint16_t id)
{
    return &attributes->items[id < attributes->count ? id : 0];
}

void attributes_sweep(struct attributes *attributes, const uint32_t *used)
{
    if (!attributes->free_ids)
        attributes->free_ids = calloc(attributes_bitmap_words(), sizeof(uint32_t));
    if (!attributes->free_ids)
        return;
    attributes->free_count = 0;
    attributes->free_next = 1;
    for (uint32_t id = 1; id < attributes->count; id++) {
        uint32_t bit = 1U << (id % 32);
        if (used[id / 32] & bit) {
            attributes->free_ids[id / 32] &= ~bit;
        } else {
            attributes->free_ids[id / 32] |= bit;
            attributes->free_count++;
        }
    }
    slots_fill(attributes);
    attributes->generation++;
}
