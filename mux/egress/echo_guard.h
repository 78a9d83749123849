/*
 * Watches a response for a secret that comes back, also when it is cut between two reads. Bytes
 * pass at once, but for an end that could be the secret's beginning. A secret of a few bytes only
 * is not looked for, since it would be found by chance.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "mux/egress/buffer.h"

#define ECHO_GUARD_MIN 8

struct echo_guard {
    const char *secret; /* the owner's */
    size_t size;        /* 0: looks for nothing */
    struct buffer held;
    size_t passed; /* bytes of `held` that the last call gave out */
};

void echo_guard_init(struct echo_guard *guard, const char *secret, size_t size);
void echo_guard_free(struct echo_guard *guard);

bool echo_guard_finds(const struct echo_guard *guard, const char *bytes, size_t size);

/* Returns how many bytes at *safe may pass now (valid until the next call), -EACCES when the secret
 * is in them, -ENOMEM. */
long echo_guard_pass(struct echo_guard *guard, const char *bytes, size_t size, const char **safe);

/* What is still held, at the end of the response. */
size_t echo_guard_rest(struct echo_guard *guard, const char **held);
