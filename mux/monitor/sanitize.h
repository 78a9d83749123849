/*
 * Text from inside a sandbox, made fit to be shown by other programs: valid UTF-8 without controls,
 * line ends, bidi controls or invisible tags. Whatever is dropped or broken is replaced so that
 * nothing moves the cursor, changes the order, or hides.
 */
#pragma once

#include <stddef.h>

/* One line; white space becomes a space. Writes at most size - 1 bytes and a NUL, cut at a
 * character. Returns the length. */
size_t sanitize_line(char *out, size_t size, const char *text, size_t length);

/* Several lines: '\n' and '\t' stay. Returns the length (no NUL is written); `out` has room for
 * `size` bytes. */
size_t sanitize_block(char *out, size_t size, const char *text, size_t length);
