/*
 * Text that came from a sandbox, made safe to show: names, titles, commands, alerts.
 *
 * Clean text is valid UTF-8 without control and format characters: no escape sequence, no
 * direction override, no joiner, nothing of zero width but at most two marks per character. What
 * cannot be shown becomes U+FFFD, a line feed becomes U+23CE so that it is seen, other white space
 * a space. Widths are those of Unicode (utf8proc); the view checks them against the C library's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Cleans src[0..size) into out, cut at a character boundary and NUL-terminated. Returns the bytes
 * written without the NUL. */
size_t text_clean(char *out, size_t out_size, const char *src, size_t size);

/* The same, and what makes one emoji of several characters stays, for who takes the text elsewhere.
 * It takes no columns and is no character of a cell. */
size_t text_clean_joined(char *out, size_t out_size, const char *src, size_t size);

/* Whether a character may stand in a cell or in a text at all. */
bool text_is_safe(uint32_t character);

/* Whether a character is of a word: a letter, a digit, a mark or an underscore. */
bool text_is_word(uint32_t character);

/* Columns that a character takes: 0 (a mark), 1 or 2. */
int text_columns(uint32_t character);

/* Columns of a whole text. */
int text_width(const char *text);

/*
 * Reads the character at *at and moves behind it; 0 at the end. An invalid byte is read as U+FFFD.
 * `end` may be NULL for a NUL-terminated text.
 */
uint32_t text_next(const char **at, const char *end);

/* Writes a character as UTF-8; returns its bytes (1..4), nothing NUL-terminated. */
size_t text_put(char out[4], uint32_t character);

/*
 * Copies as much of `text` as fits into `columns`, ending in "…" (or "~" when `ascii`) where it was
 * cut. Returns the columns used, at most `columns`.
 */
int text_fit(char *out, size_t out_size, const char *text, int columns, bool ascii);

/* Bytes of the first line of `text` that takes at most `columns`, breaking behind a U+23CE, or at a
 * space when there is one; at least one character. *next is where the following line begins. */
size_t text_wrap(const char *text, int columns, const char **next);

/* How many such lines there are. */
int text_lines(const char *text, int columns);
