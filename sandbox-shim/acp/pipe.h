/*
 * Lines that go to and come from the agent: a buffer each way, so that neither side waits for the
 * other with its own pipe full.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#define PIPE_LINE_MAX (16U * 1024 * 1024) /* bytes: a longer line is an error */

struct buffer {
    char *bytes;
    size_t size, capacity;
};

/* Ends the process when there is no memory. */
void buffer_add(struct buffer *buffer, const char *bytes, size_t size);
void buffer_take(struct buffer *buffer, size_t size);

/* Reads what is there. 0 at the end; negative errno, -EAGAIN when nothing was there, -EMSGSIZE
 * beyond PIPE_LINE_MAX. */
ssize_t buffer_read(struct buffer *buffer, int fd);

/* Writes what the pipe takes now. Negative errno; 0 also when it takes nothing now. */
int buffer_write(struct buffer *buffer, int fd);

/* The first whole line, without its end, as a string inside the buffer; NULL: none. buffer_take()
 * of *size takes it away. */
char *buffer_line(struct buffer *buffer, size_t *size);
