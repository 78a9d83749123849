/*
 * Copy mode: the text of a pane, frozen, with a cursor, a selection and a search over all of it.
 *
 * The text comes from the monitor in parts, is cleaned as it comes and is bounded: beyond
 * COPY_BYTES_MAX the oldest lines are kept out of it and `cut` says so. Positions are a line and a
 * byte in it, always at the beginning of a character; what is selected as a block counts in
 * columns. The keys are those of vi and, where they do not clash, those of emacs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "transport/error.h"
#include "tui/keys.h"
#include "tui/model/field.h"
#include "tui/model/line.h"

#define COPY_BYTES_MAX (32U << 20)

/* What lines are marked as; see view.capture. */
enum copy_mark { COPY_PROMPT, COPY_REQUEST };
#define COPY_MARKS 2

enum copy_selecting { COPY_NOTHING, COPY_CHARS, COPY_LINES, COPY_BLOCK };

struct copy_place {
    size_t line, byte;
};

struct copy {
    bool open, loading, cut;
    char id[FLEET_ID_MAX]; /* whose text */
    char *text;            /* lines, each ended by a NUL */
    size_t size, room;
    size_t *begin; /* where each line begins in text */
    size_t lines, lines_room;

    struct copy_place at, anchor;
    int column; /* wished for when moving up and down */
    enum copy_selecting selecting;
    size_t top; /* first line that is shown */
    int left;   /* first column */

    bool searching, backward;
    struct line search;           /* while it is typed */
    struct copy_place from;       /* where the search began */
    char pattern[LINE_MAX_BYTES]; /* "" when nothing is searched */
    size_t hits;
    size_t dropped; /* lines that were cut */
    struct {
        size_t *lines, count, room; /* as the monitor counts, ascending; owned */
    } marks[COPY_MARKS];
    const char *said; /* why the last key did nothing, or NULL */
};

void copy_open(struct copy *copy, const char *id);
void copy_close(struct copy *copy); /* idempotent */

/* Adds a part of the text, which ends at a line's end. -ENOMEM. */
int copy_add(struct copy *copy, const char *text, size_t size, struct bj_error *error);
/* A line of the text so far, counted from 0, is marked. -ENOMEM. */
int copy_mark(struct copy *copy, enum copy_mark mark, size_t line, struct bj_error *error);
bool copy_is_marked(const struct copy *copy, enum copy_mark mark, size_t line);
/* All is there: the cursor goes to the end. `back`: lines that the pane was scrolled back. */
void copy_loaded(struct copy *copy, int rows, size_t back);

enum copy_outcome { COPY_STAYS, COPY_LEAVES, COPY_TAKES, COPY_SAVES, COPY_OPENS };
/* A key, in a pane of that size. */
enum copy_outcome copy_key(struct copy *copy, const struct chord *chord, int rows, int cols);
/* The same for an action of the key table. */
enum copy_outcome copy_act(struct copy *copy, enum action action, int rows, int cols);

/* What is selected, or without a selection the cursor's line: malloc'ed, NULL when out of memory.
 */
char *copy_text(const struct copy *copy, size_t *size);

/* What stands at the cursor without white space in it, or in the selection of one line, without
 * the quotes and points around it: a path or an address. False: nothing, or too long. */
bool copy_word(const struct copy *copy, char *out, size_t size);

const char *copy_line(const struct copy *copy, size_t line); /* "" beyond the end */
/* Columns [*from, *to) of a line that are selected; false when none is. */
bool copy_selected(const struct copy *copy, size_t line, int *from, int *to);
/* The next hit in a line from a byte on: its first byte and its size. */
bool copy_hit(const struct copy *copy, size_t line, size_t from, size_t *byte, size_t *size);
int copy_cursor_column(const struct copy *copy);
