/*
 * Globs over bytes, for subjects that are no hosts. See mux/policy/pattern.h for the wildcards.
 * Matching never branches: at worst it takes time proportional to pattern times text, with `**`
 * times text again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GLOB_PATH = 1,   /* * and ? stop at /, ** does not */
    GLOB_SIMPLE = 2, /* wildcards never match what joins commands of a shell */
};

bool glob_match(const char *pattern, size_t pattern_size, const char *text, size_t text_size,
                int flags);

/* Bit 31: no wildcard; bits 8 to 30: literal bytes; bits 0 to 7: one-byte wildcards. */
#define GLOB_EXACT (1U << 31)
uint32_t glob_specificity(const char *pattern, size_t size);

/* A backslash at the end takes nothing. */
bool glob_valid(const char *pattern, size_t size);

/* The glob that matches this text alone; out has room for 2 * size bytes. Returns its length. */
size_t glob_escape(const char *text, size_t size, char *out);
