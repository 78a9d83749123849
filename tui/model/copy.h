/*
 * Copy mode: the text of a pane, frozen, with a cursor, a selection and a search over all of it.
 *
 * The text comes from the monitor in parts, is cleaned as it comes and is bounded: beyond
 * COPY_BYTES_MAX the oldest lines are kept out of it and `cut` says so. Positions are a line, as it
 * stands on the screen, and a byte in it, always at the beginning of a character; what is selected
 * as a block counts in columns. Lines that a soft wrap divided stand in the text without anything
 * between them, so that searching, selecting and opening take them as the one line that they are.
 * The keys are those of vi and, where they do not clash, those of emacs. Two keys are no keys of
 * the table but follow one: the character that f, F, t and T look for, and 0 within a number.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/error.h"
#include "tui/keys.h"
#include "tui/model/field.h"
#include "tui/model/line.h"

#define COPY_BYTES_MAX (32U << 20)
#define COPY_JOINED_MAX                                                                            \
    (1U << 20)                 /* bytes of lines that are one; the rest of it is another one       \
                                */
#define COPY_BLANKS_MAX 2000U  /* at the end of a line that goes on */
#define COPY_LINKS_MAX  65536U /* the newest */
#define COPY_COUNT_MAX  99999U /* in front of a key */
#define COPY_TARGETS    512U   /* the newest; a monitor knows fewer */

/* What lines are marked as; see view.capture. */
enum copy_mark { COPY_PROMPT, COPY_REQUEST };
#define COPY_MARKS 2

enum copy_selecting { COPY_NOTHING, COPY_CHARS, COPY_LINES, COPY_BLOCK };

struct copy_place {
    size_t line, byte;
};

struct copy_line {
    size_t begin; /* in the text */
    bool goes_on; /* in the next one: a soft wrap divided them */
};

/* That a line goes on in the next one, and with how many blanks that its text leaves out. */
struct copy_wrap {
    size_t line; /* as the monitor counts */
    size_t blanks;
};

/* Where a hyperlink (OSC 8) stands: bytes of a line. */
struct copy_link {
    size_t line; /* as the monitor counts */
    size_t byte, size;
    uint32_t target;
};

/* What comes with a part of the text, ascending; NULL and 0 where nothing does. */
struct copy_notes {
    const struct copy_wrap *wraps;
    size_t wraps_count;
    const struct copy_link *links;
    size_t links_count;
};

struct copy {
    bool open, loading, cut;
    char id[FLEET_ID_MAX]; /* whose text */
    char *text;            /* lines; a NUL ends those that do not go on */
    size_t size, room;
    struct copy_line *line;
    size_t lines, lines_room;

    struct copy_place at, anchor;
    int column; /* wished for when moving up and down */
    enum copy_selecting selecting;
    size_t top; /* first line that is shown */
    int left;   /* first column */

    unsigned count;    /* typed in front of a key; 0: none */
    enum action waits; /* which key waits for its character; ACTION_NONE: none does */
    struct {
        char key[5]; /* "" at first */
        bool backward, till;
    } sought; /* by f, F, t or T */

    bool searching, backward;
    struct line search;           /* while it is typed */
    struct copy_place began;      /* where the search began */
    struct copy_place from;       /* from where it goes on while it is typed */
    char pattern[LINE_MAX_BYTES]; /* "" when nothing is searched */
    bool whole;                   /* words only */
    struct {
        char pattern[LINE_MAX_BYTES];
        bool whole;
    } last;                     /* that was searched */
    size_t hits, nth, nth_byte; /* of them, and the one that was gone to last, from 1 */
    size_t dropped;             /* lines that were cut */
    size_t joined;              /* bytes of the lines so far that are one with the next */
    struct {
        size_t *lines, count, room; /* as the monitor counts, ascending; owned */
    } marks[COPY_MARKS];
    struct {
        struct copy_link *list; /* ascending; owned */
        size_t count, room;
    } links;
    struct {
        uint32_t id;
        char *url; /* owned */
    } targets[COPY_TARGETS];
    size_t targets_added;
    const char *said;  /* why the last key did nothing, or NULL */
    const char *round; /* where the last search went on, or NULL */
};

void copy_open(struct copy *copy, const char *id);
void copy_close(struct copy *copy); /* idempotent */

/* Adds a part of the text, which ends at a line's end. `notes` may be NULL. -ENOMEM. */
int copy_add(struct copy *copy, const char *text, size_t size, const struct copy_notes *notes,
             struct bj_error *error);
/* Where the links with this id lead. -ENOMEM. */
int copy_target(struct copy *copy, uint32_t id, const char *url, size_t size,
                struct bj_error *error);
/* A line of the text so far, counted from 0, is marked. -ENOMEM. */
int copy_mark(struct copy *copy, enum copy_mark mark, size_t line, struct bj_error *error);
bool copy_is_marked(const struct copy *copy, enum copy_mark mark, size_t line);
/* All is there: the cursor goes to the end. `back`: lines that the pane was scrolled back. */
void copy_loaded(struct copy *copy, int rows, size_t back);

enum copy_outcome { COPY_STAYS, COPY_LEAVES, COPY_TAKES, COPY_SAVES, COPY_OPENS };
/* A key, in a pane of that size. */
enum copy_outcome copy_key(struct copy *copy, const struct chord *chord, int rows, int cols);
/* Pasted text, which is only taken while a search is typed: false else. */
bool copy_paste(struct copy *copy, const char *text, size_t size, int rows, int cols);
/* A number or a key that waits for its character is taken back. */
void copy_forget(struct copy *copy);

/* What is selected, or without a selection the cursor's line, without an end of line at a soft wrap
 * unless it is a block: malloc'ed, NULL when out of memory. */
char *copy_text(const struct copy *copy, size_t *size);

/* What stands at the cursor without white space in it, or in the selection of one line, without
 * the quotes and points around it: a path or an address. False: nothing, or too long. */
bool copy_word(const struct copy *copy, char *out, size_t size);

/* Where the hyperlink at the cursor leads, and the words that have it. False: there is none, or a
 * selection says what is meant. */
bool copy_link(const struct copy *copy, char *url, size_t size, char *words, size_t words_size);

/* The text of a line, and its bytes (behind which the next one may follow at once); "" and 0 beyond
 * the end. */
const char *copy_line(const struct copy *copy, size_t line);
size_t copy_size(const struct copy *copy, size_t line);
/* Columns [*from, *to) of a line that are selected; false when none is. */
bool copy_selected(const struct copy *copy, size_t line, int *from, int *to);
/* Where the line begins of which this one, after soft wraps, is a part. */
struct copy_place copy_joined(const struct copy *copy, size_t line);

struct copy_hit {
    size_t begin, end; /* bytes in the text */
};
/* The next hit from a byte of the text on, up to where its line, with all wraps, ends. */
bool copy_hit(const struct copy *copy, size_t from, struct copy_hit *hit);
/* Which of the hits the cursor stands on, from 1; 0: on none. */
size_t copy_nth(const struct copy *copy);
/* The byte of the text at which a place is. */
size_t copy_byte(const struct copy *copy, const struct copy_place *place);
int copy_cursor_column(const struct copy *copy);
