/*
 * A sandbox's recording as a whole, in memory, so that one can move about in it; with what the
 * audit log says of the same time as marks.
 *
 * Where the second file begins with a redraw of the whole state, playing can begin there as well
 * (a base). Loading blocks and may be done in a thread of its own.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/error.h"
#include "transport/paths.h"
#include "tui/cli/recording.h"
#include "tui/model/player.h"

#define TRACK_BYTES_MAX ((size_t)256 << 20) /* of output; what comes after them is left out */
#define TRACK_MARKS_MAX 10000

struct track_event {
    double time; /* seconds since the beginning */
    size_t at;   /* where its bytes are */
    uint32_t size;
    unsigned rows, cols; /* of a resize; else 0 */
    bool redraw;         /* only to be played where playing begins */
};

struct track_base {
    size_t event;
    double time;
    unsigned rows, cols;
};

struct track {
    char *bytes;
    size_t size, room;
    struct track_event *events;
    size_t count, events_room;
    struct track_base base[RECORDING_FILES];
    size_t bases;
    struct player_mark *marks; /* by time */
    size_t mark_count;
    double start, end;    /* unix seconds; seconds */
    uint64_t lost_before; /* bytes of output before the first file */
    uint64_t lost_within; /* and between the files */
    size_t bad_lines;
    bool cut;
};

/* The directory of the sandbox with this name or id in the state directory: the newest, when there
 * are several. `id` gets FLEET_ID_MAX bytes. -ENOENT. */
int track_find(const struct bj_paths *paths, const char *name, char directory[BJ_PATH_MAX],
               char *id, struct bj_error *error);

/* Reads all of the last run, or of the one before its last restart; `stop`, when set by another
 * thread, ends that with -EINTR. `stop` may be NULL. */
int track_load(struct track *track, const struct bj_paths *paths, const char *directory,
               bool previous, const char *id, const atomic_bool *stop, struct bj_error *error);
void track_free(struct track *track); /* empty afterwards */

/* What is not there, in a sentence; "" when nothing is missing. */
void track_missing(const struct track *track, char *out, size_t size);
