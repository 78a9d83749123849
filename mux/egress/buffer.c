#include "mux/egress/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 1024

int buffer_append(struct buffer *buffer, const void *bytes, size_t size)
{
    if (size == 0)
        return 0;
    size_t held = buffer_size(buffer);
    if (buffer->capacity - buffer->end < size && buffer->start > 0) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, held);
        buffer->start = 0;
        buffer->end = held;
    }
    if (buffer->capacity - buffer->end < size) {
        size_t capacity = buffer->capacity ? buffer->capacity : CAPACITY_MIN;
        while (capacity - held < size)
            capacity *= 2;
        char *grown = realloc(buffer->bytes, capacity);
        if (!grown)
            return -ENOMEM;
        buffer->bytes = grown;
        buffer->capacity = capacity;
    }
    memcpy(buffer->bytes + buffer->end, bytes, size);
    buffer->end += size;
    return 0;
}

const char *buffer_data(const struct buffer *buffer)
{
    return buffer->bytes ? buffer->bytes + buffer->start : "";
}

size_t buffer_size(const struct buffer *buffer)
{
    return buffer->end - buffer->start;
}

void buffer_take(struct buffer *buffer, size_t size)
{
    buffer->start += size;
    if (buffer->start == buffer->end)
        buffer_free(buffer);
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}
