/*
 * What a terminal sends for a key.
 */
#pragma once

#include "tui/keys.h"

#define CHORD_BYTES 16

/* Returns how many bytes; 0 for a key that this does not know. C-Space is one NUL. */
size_t chord_bytes(const struct chord *chord, char out[CHORD_BYTES]);

/* The bytes of a named key like "pageup", or NULL. */
const char *chord_named(size_t index);
size_t chord_named_count(void);
