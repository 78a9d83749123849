/*
 * Reads a sandbox's recording: two asciicast v2 files that take turns, joined to one stream of
 * events in the order in which they happened.
 *
 * Output that was not valid UTF-8 is exact here: a `b` event (base64) replaces the `o` event before
 * it. The redraw with which a file begins after a turn is marked, so that a reader who has seen the
 * file before can leave it out. Lines that cannot be read are counted and left out; a last line
 * without its end is one that is being written and is not counted; nor is a last output whose exact
 * bytes have not followed yet.
 *
 * Sources: asciicast v2 (https://docs.asciinema.org/manual/asciicast/v2/), and
 * mux/monitor/recording_format.h, which says how the monitor writes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "transport/error.h"
#include "transport/paths.h"

#define RECORDING_FILES    BJ_RECORDING_FILES
#define RECORDING_LINE_MAX (16U * 1024 * 1024) /* bytes; a longer line is left out */

enum recording_kind { RECORDING_OUTPUT, RECORDING_RESIZE };

struct recording_event {
    enum recording_kind kind;
    double time;       /* seconds since the first file's beginning */
    bool redraw;       /* output that repeats the terminal's state, no byte of the agent's stream */
    const char *bytes; /* OUTPUT: valid until the next call */
    size_t size;
    unsigned rows, cols; /* RESIZE */
};

struct recording_line;

struct recording_file {
    FILE *file;
    uint64_t offset;     /* of its first output byte in the agent's stream */
    double start;        /* unix seconds */
    json_int_t sequence; /* the higher one is the newer file */
    bool redraw;         /* its first output repeats the terminal's state */
    unsigned rows, cols;
};

struct recording {
    struct recording_file files[RECORDING_FILES]; /* in order of time */
    size_t count, current;
    uint64_t position; /* offset in the agent's stream behind the last event's output */
    bool redraw_due;   /* the next output is a redraw */
    size_t bad_lines;
    uint64_t missing; /* bytes of the stream that neither file holds, before the second */
    struct recording_line *line, *ahead; /* this line and the next one, read */
};

/* Opens that of the last run, or that of the one before its last restart. -ENOENT when there is no
 * recording. */
int recording_open(struct recording *recording, const char *directory, bool previous,
                   struct bj_error *error);
void recording_close(struct recording *recording);

/* 1: an event; 0: the end; negative: reading failed. */
int recording_next(struct recording *recording, struct recording_event *event,
                   struct bj_error *error);
