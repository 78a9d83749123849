/*
 * A byte buffer that grows. After a failed allocation it stays as it is and `failed` is set, so
 * that a chain of appends needs one check at its end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    uint8_t *data;
    size_t size, capacity;
    bool failed;
};

/* Makes room for `size` more bytes and returns where they go; NULL when memory is short. */
static inline uint8_t *bytes_room(struct bytes *bytes, size_t size)
{
    if (bytes->capacity - bytes->size < size) {
        size_t capacity = bytes->capacity ? bytes->capacity * 2 : 256;
        while (capacity - bytes->size < size)
            capacity *= 2;
        uint8_t *data = realloc(bytes->data, capacity);
        if (!data) {
            bytes->failed = true;
            return NULL;
        }
        bytes->data = data;
        bytes->capacity = capacity;
    }
    return bytes->data + bytes->size;
}

static inline void bytes_add(struct bytes *bytes, const void *data, size_t size)
{
    uint8_t *room = bytes_room(bytes, size);
    if (room && size > 0) {
        memcpy(room, data, size);
        bytes->size += size;
    }
}

static inline void bytes_add_str(struct bytes *bytes, const char *text)
{
    bytes_add(bytes, text, strlen(text));
}

static inline void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}
