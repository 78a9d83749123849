/*
 * Text of a terminal: the screen, or the scrollback and the screen, as UTF-8 lines without trailing
 * blanks, each ended by '\n'; with `ansi` also looks as SGR sequences (reset at each line's end).
 */
#pragma once

#include "mux/monitor/bytes.h"
#include "mux/monitor/terminal.h"

/* Lines that there are. Line 0 is the oldest. */
size_t capture_lines(struct terminal *terminal, bool scrollback);

/* What lines of text leave out: that one goes on in the next, and with how many blanks. */
struct capture_wrap {
    size_t line, blanks;
};

/* And where a hyperlink stands: `size` bytes of the line's text from `byte` on. */
struct capture_link {
    size_t line;
    uint32_t byte, size, link; /* of the struct hyperlinks, and known there */
};

/* The lists are the caller's, and get ascending. There must be room for as many links as the
 * terminal has columns. */
struct capture_notes {
    struct capture_wrap *wraps;
    size_t wraps_count, wraps_room;
    struct capture_link *links;
    size_t links_count, links_room;
};

/*
 * Appends lines from `from` on, until `limit` bytes are passed or `notes` (which may be NULL) are
 * full. Returns the line to go on from, which is capture_lines() at the end. Check out->failed.
 */
size_t capture(struct terminal *terminal, bool scrollback, bool ansi, size_t from, size_t limit,
               struct bytes *out, struct capture_notes *notes);

/* The first `room` of the lines [from, to) that carry the mark (attributes.h); returns how many. */
size_t capture_marks(struct terminal *terminal, bool scrollback, uint32_t mark, size_t from,
                     size_t to, size_t *lines, size_t room);

/* Appends the glyph's text; nothing for a blank, a tail or a pad. */
void capture_glyph(const struct styles *styles, uint32_t glyph, struct bytes *out);
