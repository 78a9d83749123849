/*
 * The text that the benchmark sends through a terminal: always the same bytes for a kind and size.
 *
 *   log      compiler-like lines, plain text, some wrap
 *   color    256-colour log lines
 *   dense    a 24-bit colour for every cell
 *   unicode  mixed scripts: accents, Greek, Cyrillic, wide characters, emoji
 *   agent    a full-screen program that repaints parts: cursor moves, erases, colours, a spinner
 */
#pragma once

#include <stddef.h>

extern const char *const corpus_kinds[];
extern const size_t corpus_kinds_count;

/* Writes about `size` bytes of the kind to `path`. Returns 0 or -1 with errno. */
int corpus_write(const char *kind, const char *path, size_t size);
