#include "mux/egress/echo_guard.h"

#include <errno.h>
#include <string.h>

void echo_guard_init(struct echo_guard *guard, const char *secret, size_t size)
{
    *guard = (struct echo_guard){.secret = secret, .size = size >= ECHO_GUARD_MIN ? size : 0};
}

void echo_guard_free(struct echo_guard *guard)
{
    buffer_free(&guard->held);
}

bool echo_guard_finds(const struct echo_guard *guard, const char *bytes, size_t size)
{
    return guard->size > 0 && memmem(bytes, size, guard->secret, guard->size);
}

/* The longest end of the bytes that the secret begins with. */
static size_t suspicious_end(const struct echo_guard *guard, const char *bytes, size_t size)
{
    size_t length = guard->size - 1 < size ? guard->size - 1 : size;
    while (length > 0 && memcmp(bytes + size - length, guard->secret, length) != 0)
        length--;
    return length;
}

long echo_guard_pass(struct echo_guard *guard, const char *bytes, size_t size, const char **safe)
{
    *safe = bytes;
    if (guard->size == 0)
        return (long)size;
    buffer_take(&guard->held, guard->passed);
    guard->passed = 0;
    if (buffer_size(&guard->held) > 0) {
        if (buffer_append(&guard->held, bytes, size) < 0)
            return -ENOMEM;
        bytes = buffer_data(&guard->held);
        size = buffer_size(&guard->held);
    }
    if (echo_guard_finds(guard, bytes, size))
        return -EACCES;
    size_t held = suspicious_end(guard, bytes, size);
    *safe = bytes;
    if (buffer_size(&guard->held) == 0) {
        if (buffer_append(&guard->held, bytes + size - held, held) < 0)
            return -ENOMEM;
    } else {
        guard->passed = size - held;
    }
    return (long)(size - held);
}

size_t echo_guard_rest(struct echo_guard *guard, const char **held)
{
    buffer_take(&guard->held, guard->passed);
    guard->passed = 0;
    *held = buffer_data(&guard->held);
    return buffer_size(&guard->held);
}
