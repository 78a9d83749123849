#include "sandbox-shim/acp/pipe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void reserve(struct buffer *buffer, size_t size)
{
    if (buffer->capacity - buffer->size >= size)
        return;
    size_t capacity = buffer->capacity ? buffer->capacity : 4096;
    while (capacity - buffer->size < size)
        capacity *= 2;
    char *bytes = realloc(buffer->bytes, capacity);
    if (!bytes) {
        fprintf(stderr, "belljar-acp: no memory for %zu bytes\n", capacity);
        exit(1);
    }
    buffer->bytes = bytes;
    buffer->capacity = capacity;
}

void buffer_add(struct buffer *buffer, const char *bytes, size_t size)
{
    reserve(buffer, size);
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
}

void buffer_take(struct buffer *buffer, size_t size)
{
    buffer->size -= size;
    memmove(buffer->bytes, buffer->bytes + size, buffer->size);
}

ssize_t buffer_read(struct buffer *buffer, int fd)
{
    if (buffer->size > PIPE_LINE_MAX)
        return -EMSGSIZE;
    reserve(buffer, 65536);
    ssize_t got = read(fd, buffer->bytes + buffer->size, 65536);
    if (got < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    buffer->size += (size_t)got;
    return got;
}

int buffer_write(struct buffer *buffer, int fd)
{
    if (buffer->size == 0)
        return 0;
    ssize_t put = write(fd, buffer->bytes, buffer->size);
    if (put < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    buffer_take(buffer, (size_t)put);
    return 0;
}

char *buffer_line(struct buffer *buffer, size_t *size)
{
    char *end = buffer->size ? memchr(buffer->bytes, '\n', buffer->size) : NULL;
    if (!end)
        return NULL;
    *end = '\0';
    *size = (size_t)(end - buffer->bytes) + 1;
    return buffer->bytes;
}
