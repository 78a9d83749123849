/*
 * Finding a pattern in a line of clean text. Capitals count when the pattern has any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The first hit that begins at byte `from` or behind it. False: none, or the pattern is empty. */
bool search_hit(const char *text, const char *pattern, size_t from, size_t *byte, size_t *size);

/* How many hits, none of which overlap, the text has. */
size_t search_count(const char *text, const char *pattern);
