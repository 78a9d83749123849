/*
 * Bytes that wait: appended behind, taken from the front. Owned by the struct that contains it;
 * a zeroed one is empty. Memory is given back when it runs empty.
 */
#pragma once

#include <stddef.h>

struct buffer {
    char *bytes;
    size_t start, end, capacity;
};

int buffer_append(struct buffer *buffer, const void *bytes, size_t size); /* 0 or -ENOMEM */
const char *buffer_data(const struct buffer *buffer);
size_t buffer_size(const struct buffer *buffer);
void buffer_take(struct buffer *buffer, size_t size); /* at most buffer_size() */
void buffer_free(struct buffer *buffer);              /* and empty */
