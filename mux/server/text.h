/*
 * Text that came from inside a sandbox, made fit to be kept, listed and logged: valid UTF-8, no
 * control characters, no characters that reorder or hide what stands around them, bounded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <msgpack.h>

/*
 * Copies text[0..size) to out[0..room), NUL-terminated, cut at a character boundary. Bytes that are
 * no UTF-8 become U+FFFD, controls what is seen of them (⏎ for a line feed, ␛ for an escape); with
 * `lines` line feeds and tabs stay. `out` is not `text`. Returns the length in bytes.
 */
size_t text_clean(char *out, size_t room, const char *text, size_t size, bool lines);

/* The same into memory of its own, which the caller frees; NULL when out of memory. */
char *text_clean_copy(const char *text, size_t size, size_t limit, bool lines);

/* One line of a map's text or bytes; "" when it is missing. */
void text_read(const msgpack_object *map, const char *key, char *out, size_t room);
