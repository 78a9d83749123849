/*
 * The review: what a sandbox's agent has changed since its start, to be read, commented and pulled.
 *
 * Unified or side by side, the diff is a list of rows with a cursor; where the screen is wide
 * enough a panel with all files stands beside it, else they are the first rows. The struct owns
 * its text; keys are those of the table (KEYS_REVIEW).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tui/keys.h"
#include "tui/model/diff.h"
#include "tui/model/field.h"
#include "tui/model/line.h"

#define REVIEW_SPLIT_COLS 80  /* of the text, from which two sides fit beside each other */
#define REVIEW_PANEL_COLS 120 /* of the screen, from which the panel is there */
#define REVIEW_PLACE_MAX  (DIFF_LINE_MAX + 16)

enum review_state { REVIEW_LOADING, REVIEW_READY, REVIEW_FAILED };

enum review_row_kind {
    ROW_ENTRY, /* a file in the list that the diff begins with */
    ROW_BLANK,
    ROW_FILE,
    ROW_LINE, /* a hunk's head or a note too */
    ROW_CUT,  /* what follows was left out */
};

struct review_row {
    enum review_row_kind kind;
    uint32_t file;
    uint32_t left, right; /* line of the diff + 1; 0: none. Unified: left alone */
};

struct review {
    bool open;
    enum review_state state;
    char id[FLEET_ID_MAX]; /* whose work */
    char error[512];
    struct diff diff;

    struct review_row *rows;
    size_t count, room;
    bool split;       /* wanted; stays for the next review */
    bool split_shown; /* and there is room */
    int screen_rows, screen_cols;
    size_t at, top; /* rows */
    int left;       /* first column of the text */

    bool searching;
    struct line search; /* while it is typed */
    size_t from;        /* row where the search began */
    char pattern[LINE_MAX_BYTES];
    size_t hits;
};

void review_open(struct review *review, const char *id);
void review_close(struct review *review); /* idempotent */

/* The diff is there as a whole; or why it is not. */
void review_loaded(struct review *review);
void review_fail(struct review *review, const char *why);

/* The screen's size without the bar. Rows are made anew when it matters. */
void review_fit(struct review *review, int rows, int cols);

enum review_outcome {
    REVIEW_STAYS,
    REVIEW_LEAVES,
    REVIEW_RELOADS,
    REVIEW_PULLS,
    REVIEW_COMMENTS,
    REVIEW_HELPS,
    REVIEW_NARROW, /* two sides were asked for, and there is no room */
};
enum review_outcome review_key(struct review *review, const struct chord *chord);
void review_move(struct review *review, long long rows);

/* Geometry: rows of text, columns of the panel (0: none) and of the text. */
int review_body_rows(const struct review *review);
int review_panel_cols(const struct review *review);
int review_text_cols(const struct review *review);
/* Columns of a line number, blanks not counted. */
int review_number_cols(const struct review *review);

/* The file of the cursor; the first one while there is any, else -1. */
long review_file(const struct review *review);
/* "FILE:LINE" of the cursor, or "FILE"; "" without files. */
void review_place(const struct review *review, char out[REVIEW_PLACE_MAX]);
