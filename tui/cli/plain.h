/*
 * Text from elsewhere made safe for the human's terminal.
 *
 * Nothing that an agent, a monitor or a log says may reach the terminal as it is. What passes is
 * printable UTF-8; a control character (C0, DEL, C1), a bidirectional override or an invisible
 * format character is shown as ^X or \u{XXXX}; what is not UTF-8 becomes U+FFFD.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

enum {
    PLAIN_LINES = 1, /* line feeds and tabs pass */
    PLAIN_SGR = 2,   /* CSI ... m sequences pass, with digits, colons and semicolons only */
};

void plain_write(FILE *out, const char *text, size_t size, unsigned flags);

/* The same as a new string (the caller frees it); NULL without memory. */
char *plain_copy(const char *text, size_t size, unsigned flags);

/* Columns that UTF-8 text takes on a terminal, by grapheme clusters. */
size_t plain_width(const char *text);

/* Bytes of `text` that fit in `columns`. */
size_t plain_cut(const char *text, size_t columns);
