/*
 * Text that came from inside a sandbox, made fit to be kept, listed and logged: valid UTF-8, no
 * control characters, no characters that reorder or hide what stands around them, bounded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies text[0..size) to out[0..room), NUL-terminated, cut at a character boundary. Bytes that are
 * no UTF-8 become U+FFFD, controls a space; with `lines` line feeds and tabs stay. Returns the
 * length in bytes.
 */
size_t text_clean(char *out, size_t room, const char *text, size_t size, bool lines);

/* The same into memory of its own, which the caller frees; NULL when out of memory. */
char *text_clean_copy(const char *text, size_t size, size_t limit, bool lines);
